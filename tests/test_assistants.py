"""What the files of each assistant are to say, and how an assistant is found."""

from __future__ import annotations

import json
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest

from neatd.assist.assistants import ASSISTANTS, hindered
from neatd.assist.block import BEGIN, END
from neatd.assist.entries import HOOK_EVENTS
from neatd.pipeline.setup import choose, setup_of

PLAIN = setup_of(("neat",))


def made(name: str, path: str, *command: str) -> bytes:
    """The file at `path` as an assistant has it in an empty project."""
    files = ASSISTANTS[name].files(setup_of(command) if command else PLAIN)
    return next(file.with_(None) for file in files if file.path == path)


def hooks(name: str, path: str, *command: str) -> dict[str, Any]:
    """Event -> its one group of hooks."""
    data = json.loads(made(name, path, *command))
    assert set(data) == {"hooks"} and all(len(groups) == 1 for groups in data["hooks"].values())
    return {event: groups[0] for event, groups in data["hooks"].items()}


def test_claude_code_calls_neat_without_a_shell() -> None:
    """The documented events in exec form, each with a word that `neat hook` knows, and its ten seconds."""
    found = hooks("claude-code", ".claude/settings.json")
    assert {event: group["hooks"][0]["args"][1] for event, group in found.items()} == {
        "SessionStart": "session-start", "UserPromptSubmit": "user-prompt", "PostToolUse": "post-tool",
        "PostToolUseFailure": "post-tool", "PreCompact": "pre-compact", "Stop": "stop", "SessionEnd": "session-end",
    }  # fmt: skip
    for group in found.values():
        (one,) = group["hooks"]
        assert one == {"type": "command", "command": "neat", "args": ["hook", one["args"][1]], "timeout": 10}
    assert {event: group["matcher"] for event, group in found.items() if "matcher" in group} == {
        "PostToolUse": "Bash|Edit|Write|MultiEdit|NotebookEdit", "PostToolUseFailure": "Bash",
    }  # fmt: skip
    server = {"type": "stdio", "command": "neat", "args": ["mcp"]}
    assert json.loads(made("claude-code", ".mcp.json")) == {"mcpServers": {"neat": server}}


def test_codex_calls_neat_by_one_string() -> None:
    """With a path that a shell takes as one word; and the table of its server."""
    found = hooks("codex", ".codex/hooks.json", "/my tools/neat")
    assert set(found) == {"SessionStart", "UserPromptSubmit", "PostToolUse", "PreCompact", "Stop"}
    assert found["PostToolUse"]["matcher"] == "Bash|apply_patch"
    for group in found.values():
        words = shlex.split(group["hooks"][0]["command"])
        assert words[:2] == ["/my tools/neat", "hook"] and words[2] in HOOK_EVENTS and len(words) == 3
        assert set(group["hooks"][0]) == {"type", "command", "timeout"}
    table = tomllib.loads(made("codex", ".codex/config.toml", "uv", "run", "neat").decode())
    assert table == {"mcp_servers": {"neat": {"command": "uv", "args": ["run", "neat", "mcp"]}}}


def test_cursor_has_a_rule_that_always_applies() -> None:
    """A rule file of its own, and the server."""
    rule = made("cursor", ".cursor/rules/neat.mdc").decode()
    assert rule.startswith("---\ndescription: ") and "\nalwaysApply: true\n---\n" in rule
    assert "\n@.neat/brief.md\n" in rule and "the file `.neat/brief.md`" in rule
    assert json.loads(made("cursor", ".cursor/mcp.json")) == {
        "mcpServers": {"neat": {"command": "neat", "args": ["mcp"]}}
    }


@pytest.mark.parametrize("path", ["CLAUDE.md", "AGENTS.md"])
def test_the_block_teaches_in_a_dozen_lines(path: str) -> None:
    """When and how intent is recorded, as facts; only who can import is given the import."""
    name = "claude-code" if path == "CLAUDE.md" else "codex"
    content = made(name, path)
    lines = content[content.index(BEGIN) + len(BEGIN) : content.index(END)].decode().strip("\n").splitlines()
    assert len(lines) <= 12 and max(map(len, lines)) <= 130
    text = "\n".join(lines)
    for words in (
        "decide TITLE --why",
        "hypothesis TITLE --predict",
        "bug TITLE --cause",
        "prefer",
        "task",
        "check -- ",
    ):
        assert f"neat {words}" in text
    assert ("@.neat/brief.md" in lines) is (path == "CLAUDE.md") and "`.neat/brief.md`" in text


def test_every_file_is_taken_back_to_nothing() -> None:
    """What is left of a file that was made is empty, for the file's own sense of empty."""
    for assistant in ASSISTANTS.values():
        for file in assistant.files(PLAIN):
            content = file.with_(None)
            assert file.with_(content) == content, file.path
            assert file.is_empty(file.without(content)) and not file.is_empty(content), file.path


def test_who_made_an_empty_file_is_not_in_its_bytes() -> None:
    """A file that held nothing gets what a new one gets: without the manifest neither may be removed."""
    for assistant in ASSISTANTS.values():
        for file in (file for file in assistant.files(PLAIN) if not file.is_ours):
            held_nothing = b"{}\n" if file.path.endswith(".json") else b""
            assert file.with_(held_nothing) == file.with_(None)


def test_whom_files_that_were_left_alone_hinder() -> None:
    """In part, or wholly; whose files were all written is not named."""
    left = ["CLAUDE.md", ".cursor/mcp.json", ".cursor/rules/neat.mdc"]
    assert hindered(ASSISTANTS, PLAIN, left) == [("Claude Code", False), ("Cursor", True)]


def test_a_rule_of_somebody_elses_is_left_alone() -> None:
    """And what is written into ours stays."""
    (rule,) = (file for file in ASSISTANTS["cursor"].files(PLAIN) if file.path.endswith(".mdc"))
    with pytest.raises(ValueError, match="not ours"):
        rule.with_(b"---\nalwaysApply: false\n---\n# neat code\n")
    kept = rule.with_(None) + b"mine\n"
    assert rule.with_(kept) == kept and rule.without(kept).endswith(b"mine\n") and not rule.is_empty(rule.without(kept))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on a machine without any assistant."""
    for name in ("user", "bin", "project"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "project"


def found(project: Path) -> list[str]:
    names, is_found = choose(project, ())
    return list(names) if is_found else []


def test_where_none_is_found_all_are_set_up(project: Path) -> None:
    """Whoever comes later finds everything in place."""
    assert choose(project, ()) == (("claude-code", "codex", "cursor"), False)


@pytest.mark.parametrize(("name", "program"), [("claude-code", "claude"), ("codex", "codex"), ("cursor", "cursor")])
def test_an_assistant_is_found_by_its_program_or_folder(project: Path, name: str, program: str) -> None:
    """On PATH, or in the user's home."""
    tool = project.parent / "bin" / program
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    assert found(project) == [name]
    tool.unlink()
    (project.parent / "user" / f".{program}").mkdir()
    assert found(project) == [name]


@pytest.mark.parametrize(
    ("mark", "name"),
    [("CLAUDE.md", "claude-code"), (".claude", "claude-code"), ("AGENTS.md", "codex"), (".codex", "codex"),
     (".cursorrules", "cursor"), (".cursor", "cursor")],
)  # fmt: skip
def test_an_assistant_is_found_by_what_the_project_holds(project: Path, mark: str, name: str) -> None:
    """A team's own files say whom it works with."""
    (project / mark).mkdir()
    assert found(project) == [name]


@pytest.mark.parametrize(("variable", "name"), [("CLAUDE_CONFIG_DIR", "claude-code"), ("CODEX_HOME", "codex")])
def test_an_assistant_is_found_where_its_variable_says(
    project: Path, monkeypatch: pytest.MonkeyPatch, variable: str, name: str
) -> None:
    """A folder that is not there does not count."""
    monkeypatch.setenv(variable, str(project.parent / "elsewhere"))
    assert found(project) == []
    (project.parent / "elsewhere").mkdir()
    assert found(project) == [name]


def test_the_chosen_ones_are_those_named(project: Path) -> None:
    """In the table's order; `none` is a choice too."""
    assert choose(project, ("cursor", "claude-code")) == (("claude-code", "cursor"), True)
    assert choose(project, ("none",)) == ((), True)
