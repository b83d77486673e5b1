"""`neat doctor` proves delivery: which brief reached which assistant, and what stands in its way."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from neatd.place import here
from neatd.store.connection import transaction
from tests.cli_place import Cli
from tests.mother import run_born
from tests.stores_made import put_store

HOOK = [sys.executable, "-c", "from neatd.cli.main import main; main()", "hook"]
EVENTS = {
    "SessionStart": "session-start", "UserPromptSubmit": "user-prompt", "Stop": "stop", "SessionEnd": "session-end",
}  # fmt: skip
NAMES = {word: name for name, word in EVENTS.items()}


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """A project where `neat` is on PATH, and no assistant is set up."""
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "CLAUDE_PROJECT_DIR", "CLAUDE_ENV_FILE"):
        monkeypatch.delenv(name, raising=False)
    made = Cli(tmp_path, monkeypatch, capsys)
    program(tmp_path / "bin" / "neat")
    others = [one for one in os.environ["PATH"].split(os.pathsep) if not (Path(one) / "neat").exists()]
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "bin"), *others]))
    put_store(made.home)
    put_store(made.home, "points")
    made.ok("init", "--yes", "--assistant", "none")
    return made


def program(path: Path, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


def user(cli: Cli) -> Path:
    return Path(os.environ["HOME"])


def write(path: Path, content: object, age_s: float = 60.0) -> Path:
    """A settings file, changed a minute ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    at = time.time() - age_s
    os.utime(path, (at, at))
    return path


def hooks(*command: str, events: tuple[str, ...] = tuple(EVENTS), matcher: str = "") -> dict[str, Any]:
    """Settings with our hooks, in exec form."""
    program, *words = command or ("neat",)
    made = {}
    for event in events:
        handler = {"type": "command", "command": program, "args": [*words, "hook", EVENTS[event]]}
        made[event] = [{"matcher": matcher, "hooks": [handler]}]
    return {"hooks": made}


def string_hooks(command: str = "neat", events: tuple[str, ...] = tuple(EVENTS)) -> dict[str, Any]:
    """Settings with our hooks as one string each, as Codex has them."""
    return {
        "hooks": {
            event: [{"hooks": [{"type": "command", "command": f"{command} hook {EVENTS[event]}"}]}] for event in events
        }
    }


def fire(cli: Cli, word: str, session: str = "s1", **fields: object) -> str:
    """The hook as the assistant calls it, as a process; returns the context that it got."""
    payload = {"session_id": session, "cwd": str(cli.root), "hook_event_name": NAMES[word], **fields}
    env = {**os.environ, "CLAUDE_PROJECT_DIR": str(cli.root)}
    done = run_born(
        [*HOOK, word], input=json.dumps(payload), cwd=cli.root, env=env, text=True, capture_output=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    if not done.stdout:
        return ""
    return str(json.loads(done.stdout)["hookSpecificOutput"]["additionalContext"])


def doctor(cli: Cli, what: str) -> list[dict[str, Any]]:
    """What is said of `what`."""
    found = json.loads(cli("doctor", "--json").out)
    return [one for one in found if one["what"] == what]


def notes(cli: Cli, what: str, state: str = "note") -> list[str]:
    """The texts and mends of one state."""
    return [f"{one['text']} -> {one['mend']}" for one in doctor(cli, what) if one["state"] == state]


def claude(cli: Cli) -> Path:
    return cli.root / ".claude" / "settings.json"


# ---- which brief ----


def test_the_last_brief_of_an_assistant_is_told(cli: Cli) -> None:
    """When, by what, how much, whose, and that it is still the one."""
    write(claude(cli), hooks())
    text = fire(cli, "session-start", source="startup")
    (found,) = doctor(cli, "claude-code brief")
    (session,) = cli.json("list", "session")
    told = found["details"]
    assert found["state"] == "ok" and told["event"] == "session-start:startup" and told["characters"] == len(text)
    assert told["session_id"] == session["id"] and len(told["hash"]) == 16 and 0 <= told["age_s"] < 60
    assert told["has_brief_changed"] is False and "changed since" not in found["text"]
    assert f"{len(text):,} characters at 20" in found["text"] and told["hash"] in found["text"]


def test_a_brief_that_changed_since_is_a_fact(cli: Cli) -> None:
    """Not a fault: the state stays ok."""
    write(claude(cli), hooks())
    fire(cli, "session-start", source="startup")
    brief = cli.root / ".neat" / "brief.md"
    brief.write_text("# another\n")
    os.utime(brief, (time.time() + 5, time.time() + 5))
    (found,) = doctor(cli, "claude-code brief")
    assert found["state"] == "ok" and "the brief has changed since" in found["text"]
    assert found["details"]["has_brief_changed"] is True


def test_nothing_is_said_of_assistants_that_are_not_there(cli: Cli) -> None:
    """One line that none is."""
    found = json.loads(cli("doctor", "--json").out)
    assert [one["text"] for one in found if one["what"] == "assistants"] == ["none is set up here, and none was here"]
    assert not any(one["what"].startswith(("claude-code", "codex", "cursor", "sessions")) for one in found)


def test_an_assistant_without_hooks_is_told_of(cli: Cli) -> None:
    """Cursor reads a file, of which neat learns nothing."""
    (cli.root / "AGENTS.md").write_text("<!-- neat:begin -->\nx\n<!-- neat:end -->\n")
    write(cli.root / ".cursor" / "mcp.json", {"mcpServers": {"neat": {"command": "neat", "args": ["mcp"]}}})
    assert "no delivery by a hook or a tool" in notes(cli, "codex brief")[0]
    assert doctor(cli, "cursor brief")[0]["state"] == "ok"


# ---- hooks ----


@pytest.mark.parametrize("place", [".claude/settings.json", ".claude/settings.local.json", "~/.claude/settings.json"])
def test_hooks_that_never_fired_are_said_until_one_does(cli: Cli, place: str) -> None:
    """Wherever Claude Code reads them from."""
    write(user(cli) / place[2:] if place.startswith("~") else cli.root / place, hooks())
    (said,) = notes(cli, "claude-code hooks")
    assert "none has fired here yet" in said and "trust" in said and "/hooks" in said and place.strip("~/") in said
    fire(cli, "session-start")
    assert notes(cli, "claude-code hooks") == []
    assert "the last one fired" in doctor(cli, "claude-code hooks")[0]["text"]


@pytest.mark.parametrize("place", [".codex/hooks.json", "~/.codex/hooks.json", ".codex/config.toml"])
def test_codex_hooks_that_never_fired_are_said_until_one_does(cli: Cli, place: str) -> None:
    """They have to be trusted; in config.toml they are tables."""
    path = user(cli) / place[2:] if place.startswith("~") else cli.root / place
    toml = (
        '[[hooks.SessionStart]]\n[[hooks.SessionStart.hooks]]\ntype = "command"\ncommand = "neat hook session-start"\n'
    )
    write(path, toml if path.suffix == ".toml" else string_hooks())
    (said,) = notes(cli, "codex hooks")
    assert "none has fired here yet" in said and "trust them" in said
    fire(cli, "session-start")  # of another assistant
    assert len(notes(cli, "codex hooks")) == 1
    fire(cli, "session-start", turn_id="t1")
    assert notes(cli, "codex hooks") == []


def test_the_users_folders_may_be_elsewhere(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As CLAUDE_CONFIG_DIR and CODEX_HOME say."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "claude"))
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "codex"))
    write(tmp_path / "claude" / "settings.json", hooks())
    write(tmp_path / "codex" / "hooks.json", string_hooks())
    assert len(notes(cli, "claude-code hooks")) == len(notes(cli, "codex hooks")) == 1


def test_hooks_that_did_not_fire_since_they_were_changed(cli: Cli) -> None:
    """What fired before does not prove what stands there now."""
    write(claude(cli), hooks())
    fire(cli, "session-start")
    write(claude(cli), hooks(), age_s=-30)
    (said,) = notes(cli, "claude-code hooks")
    assert "none has fired since .claude/settings.json was changed" in said and "the last one at" in said


def test_hooks_of_which_the_start_never_fires(cli: Cli) -> None:
    """Others do; one start, and nothing is said."""
    write(claude(cli), hooks())
    fire(cli, "user-prompt", prompt="x")
    fire(cli, "session-end", reason="other")
    assert "session-start has not: 1 session got no brief" in notes(cli, "claude-code hooks")[0]
    fire(cli, "session-start", "s2")
    assert notes(cli, "claude-code hooks") == []


def test_hooks_of_which_the_end_never_fires(cli: Cli) -> None:
    """Sessions that all ended without it; one that did, and nothing is said."""
    write(claude(cli), hooks())
    for number in range(3):
        fire(cli, "session-start", f"s{number}")
    with cli.store() as store:
        store.execute("UPDATE attendance SET ended_at = seen_at, event = 'gone'")
    assert "session-end has not: 3 sessions" in notes(cli, "claude-code hooks")[0]
    fire(cli, "session-start", "s9")
    fire(cli, "session-end", "s9", reason="other")
    assert notes(cli, "claude-code hooks") == []


def test_hooks_without_the_one_that_hands_the_brief_over_are_said(cli: Cli) -> None:
    """Though what is left of them fires."""
    write(claude(cli), hooks(events=("Stop",)))
    fire(cli, "stop")
    (said,) = notes(cli, "claude-code hooks")
    assert "session-start is not set up" in said and "only stop" in said and "neat init --assistant claude-code" in said


def test_hooks_that_were_taken_away_are_said(cli: Cli) -> None:
    """By what they told a session lately; a file that cannot be read is said instead."""
    path = write(claude(cli), hooks())
    fire(cli, "session-start")
    path.unlink()
    (said,) = notes(cli, "claude-code hooks")
    assert "none is set up here any more" in said and "neat init --assistant claude-code" in said
    write(claude(cli), "{bad")
    assert notes(cli, "claude-code hooks") == [] and "cannot be read" in notes(cli, "assistants")[0]
    path.unlink()
    with cli.store() as store, transaction(store):
        store.execute("UPDATE delivery SET at = '2020-01-01T00:00:00.000000+00:00'")
    assert notes(cli, "claude-code hooks") == []


def test_an_end_that_never_fires_is_no_matter_of_trust(cli: Cli) -> None:
    """The others fire: the project is trusted."""
    write(claude(cli), hooks())
    for number in range(3):
        fire(cli, "session-start", f"s{number}")
    with cli.store() as store:
        store.execute("UPDATE attendance SET ended_at = seen_at, event = 'gone'")
    (said,) = notes(cli, "claude-code hooks")
    assert "trust" not in said and "/exit" in said


# ---- the brief where no hook fires ----


def test_a_brief_that_nothing_imports_is_said(cli: Cli) -> None:
    """The line is gone, then the file; an import by another file counts, at any depth that is followed."""
    write(claude(cli), hooks())
    assert "no CLAUDE.md here imports @.neat/brief.md" in notes(cli, "claude-code import")[0]
    for name, text in {"CLAUDE.md": "See @.neat/brief.md.\n", ".claude/CLAUDE.md": "@../.neat/brief.md"}.items():
        (cli.root / name).write_text(text)
        assert doctor(cli, "claude-code import") == []
        (cli.root / name).unlink()
    (cli.root / "CLAUDE.md").write_text("@AGENTS.md\n@CLAUDE.md\n")
    assert len(notes(cli, "claude-code import")) == 1
    (cli.root / "AGENTS.md").write_text("@.neat/brief.md\n")
    assert doctor(cli, "claude-code import") == []


def test_a_users_own_hooks_ask_for_no_import(cli: Cli) -> None:
    """They are for all projects; a block of ours that lost its line does."""
    write(user(cli) / ".claude" / "settings.json", hooks())
    (cli.root / "CLAUDE.md").write_text("mine\n")
    assert doctor(cli, "claude-code import") == []
    (cli.root / "CLAUDE.md").write_text("<!-- neat:begin -->\nx\n<!-- neat:end -->\n")
    assert len(notes(cli, "claude-code import")) == 1


def test_a_brief_that_is_not_there_is_said(cli: Cli) -> None:
    """Where an assistant is set up that would read it; `neat init` writes it."""
    (cli.root / ".neat" / "brief.md").unlink()
    assert doctor(cli, "brief") == []
    cli.ok("init", "--yes", "--assistant", "claude-code")
    assert doctor(cli, "brief") == doctor(cli, "claude-code import") == []
    (cli.root / ".neat" / "brief.md").unlink()
    assert ".neat/brief.md is not there" in notes(cli, "brief")[0]


def test_another_server_under_our_name_is_said(cli: Cli) -> None:
    """Until ours stands beside it under another."""
    other, ours = {"command": "npx", "args": ["neat-formatter"]}, {"command": "neat", "args": ["mcp"]}
    write(cli.root / ".mcp.json", {"mcpServers": {"neat": other}})
    assert ".mcp.json has a server 'neat' that is not neat's" in notes(cli, "claude-code server")[0]
    write(cli.root / ".mcp.json", {"mcpServers": {"neat": other, "notebook": ours}})
    assert doctor(cli, "claude-code server") == []


def test_hooks_that_are_switched_off_are_said(cli: Cli) -> None:
    """In either assistant's own way."""
    write(claude(cli), hooks())
    write(cli.root / ".claude" / "settings.local.json", {"disableAllHooks": True})
    write(cli.root / ".codex" / "hooks.json", string_hooks())
    write(cli.root / ".codex" / "config.toml", "[features]\nhooks = false\n")
    assert "switched off in .claude/settings.local.json" in notes(cli, "claude-code hooks")[0]
    assert "switched off in .codex/config.toml" in notes(cli, "codex hooks")[0]


# ---- programs ----


def test_a_program_that_is_not_on_path_is_a_note(cli: Cli, tmp_path: Path) -> None:
    """The assistant's PATH may be another; with it there, nothing is said."""
    write(claude(cli), hooks())
    write(cli.root / ".mcp.json", {"mcpServers": {"neat": {"command": "neat", "args": ["mcp"]}}})
    assert doctor(cli, "assistants") == []
    (tmp_path / "bin" / "neat").unlink()
    (said,) = notes(cli, "assistants")
    assert "PATH of this shell; called by .claude/settings.json, .mcp.json" in said and "--command" in said


def test_a_program_by_its_path_that_cannot_be_called_is_bad(cli: Cli, tmp_path: Path) -> None:
    """Gone, or not to be executed."""
    path = program(tmp_path / "tools" / "neat")
    write(claude(cli), hooks(str(path)))
    write(cli.root / ".codex" / "config.toml", f'[mcp_servers.neat]\ncommand = "{path}"\nargs = ["mcp"]\n')
    assert doctor(cli, "assistants") == []
    path.chmod(0o644)
    (said,) = notes(cli, "assistants", "bad")
    assert "may not be executed; called by .claude/settings.json, .codex/config.toml" in said
    path.unlink()
    assert "is not there" in notes(cli, "assistants", "bad")[0] and cli("doctor").code == 1


# ---- twice ----


def twice(cli: Cli, what: str = "claude-code hooks") -> list[str]:
    return [one for one in notes(cli, what) if "times" in one or "twice" in one]


def test_identical_hooks_of_two_settings_run_once(cli: Cli) -> None:
    """Different ones run beside each other, unless no call fits both."""
    write(claude(cli), hooks())
    local = cli.root / ".claude" / "settings.local.json"
    write(local, hooks())
    assert twice(cli) == []
    write(local, hooks("uvx", "neat", events=("SessionStart",)))
    (said,) = twice(cli)
    assert "SessionStart set up 2 times" in said and "settings.json and .claude/settings.local.json" in said
    write(claude(cli), hooks(matcher="startup"))
    write(local, hooks("uvx", "neat", events=("SessionStart",), matcher="resume|clear"))
    assert twice(cli) == []


def test_codex_runs_identical_hooks_of_two_files_twice(cli: Cli) -> None:
    """Its layers do not replace each other."""
    write(cli.root / ".codex" / "hooks.json", string_hooks())
    assert twice(cli, "codex hooks") == []
    write(user(cli) / ".codex" / "hooks.json", string_hooks(events=("Stop",)))
    assert "Stop set up 2 times" in twice(cli, "codex hooks")[0]


def plugin(cli: Cli, name: str = "neat") -> Path:
    folder = user(cli) / ".claude" / "plugins" / "cache" / "market" / name / "1.0"
    write(folder / ".claude-plugin" / "plugin.json", {"name": name})
    return write(folder / "hooks" / "hooks.json", string_hooks("${CLAUDE_PLUGIN_ROOT}/bin/neat", ("SessionStart",)))


def test_a_plugins_copy_of_a_hook_is_said_where_it_is_enabled(cli: Cli) -> None:
    """One that is not enabled runs nothing; one that lies there in two versions runs once."""
    plugin(cli)
    write(claude(cli), hooks())
    assert twice(cli) == []
    settings = user(cli) / ".claude" / "settings.json"
    write(settings, {"enabledPlugins": {"neat@market": True, "other@market": True}})
    (said,) = twice(cli)
    assert "SessionStart set up 2 times" in said and "/plugin disable neat@market" in said
    local = write(cli.root / ".claude" / "settings.local.json", {"enabledPlugins": {"neat@market": False}})
    assert twice(cli) == []
    local.unlink()
    write(claude(cli), {})
    assert twice(cli) == []


def test_a_link_among_plugins_is_not_followed(cli: Cli, tmp_path: Path) -> None:
    """Nor is a circle walked for ever."""
    path = plugin(cli)
    plugins = user(cli) / ".claude" / "plugins"
    elsewhere = tmp_path / "elsewhere"
    path.parents[1].rename(elsewhere)
    (plugins / "link").symlink_to(elsewhere)
    (plugins / "circle").symlink_to(plugins)
    write(claude(cli), {**hooks(), "enabledPlugins": {"neat@market": True}})
    assert twice(cli) == []


def test_a_session_that_was_told_twice_is_said(cli: Cli) -> None:
    """Two starts within seconds are two hooks; a later resume is none."""
    write(claude(cli), hooks())
    fire(cli, "session-start", source="startup")
    fire(cli, "session-start", source="resume")
    assert twice(cli) == []
    fire(cli, "session-start", source="resume")
    (said,) = twice(cli)
    assert "was told twice within" in said and "session-start:resume" in said
    write(claude(cli), hooks(), age_s=-30)  # mended since
    assert twice(cli) == []


def test_servers_that_are_set_up_twice_are_said(cli: Cli) -> None:
    """Under two names, in one file or two; the same name in two files is one server."""
    entry = {"command": "neat", "args": ["mcp"]}
    write(cli.root / ".mcp.json", {"mcpServers": {"neat": entry}})
    write(user(cli) / ".claude.json", {"mcpServers": {"neat": entry}})
    assert notes(cli, "claude-code server") == []
    write(user(cli) / ".claude.json", {"projects": {str(cli.root): {"mcpServers": {"notebook": entry}}}})
    assert "neat's server is set up 2 times: neat in .mcp.json" in notes(cli, "claude-code server")[0] or (
        "notebook" in notes(cli, "claude-code server")[0]
    )
    text = f'{{"mcpServers": {{"neat": {json.dumps(entry)}, "neat": {json.dumps(entry)}}}}}'
    write(cli.root / ".cursor" / "mcp.json", text)
    assert ".cursor/mcp.json names a server of neat's twice" in notes(cli, "assistants")[0]


# ---- limits ----


def test_a_brief_that_does_not_fit_is_said(cli: Cli) -> None:
    """What a session's start cuts, and what may grow so far."""
    brief = cli.root / ".neat" / "brief.md"
    assert doctor(cli, "brief") == []
    brief.write_text("a line of the brief\n" * 600)
    assert "12,0" not in notes(cli, "brief")[0] and "11,999 characters do not fit" in notes(cli, "brief")[0]
    brief.write_text("# short\n")
    with (cli.root / "neat.yaml").open("a") as file:
        file.write("brief: {budget_bytes: 20000}\n")
    assert "may grow to 20,000 bytes" in notes(cli, "brief")[0]


def test_preferences_that_alone_do_not_fit_are_said(cli: Cli) -> None:
    """Beyond the budget, then beyond what an assistant is told at all; closed ones do not count."""
    ids = [cli.keep("prefer", f"{number} " + "short words " * 240) for number in range(2)]
    assert doctor(cli, "preferences") == []
    ids.append(cli.keep("prefer", "3 " + "short words " * 240))
    assert (
        "3 alone take" in notes(cli, "preferences")[0] and "bytes of the brief's 6,000" in notes(cli, "preferences")[0]
    )
    ids.append(cli.keep("prefer", "4 " + "short words " * 240))
    assert "4 alone take" in notes(cli, "preferences")[0] and "of the 9,500" in notes(cli, "preferences")[0]
    for one in ids:
        cli.ok("close", one)
    assert doctor(cli, "preferences") == []


def test_instructions_that_are_too_long_are_said(cli: Cli) -> None:
    """CLAUDE.md for itself; AGENTS.md with those above it in the repository."""
    (cli.root.parent / ".git").mkdir()
    block = "<!-- neat:begin -->\nx\n<!-- neat:end -->\n"
    (cli.root / "CLAUDE.md").write_text(block + "x" * 39_000)
    (cli.root / "AGENTS.md").write_text(block + "x" * 20_000)
    assert doctor(cli, "CLAUDE.md") == doctor(cli, "AGENTS.md") == []
    (cli.root / "CLAUDE.md").write_text(block + "x" * 40_001)
    (cli.root.parent / "AGENTS.md").write_text("x" * 15_000)
    assert "Claude Code warns beyond 40,000" in notes(cli, "CLAUDE.md")[0]
    assert "in 2 files; Codex takes 32,768" in notes(cli, "AGENTS.md")[0]
    write(user(cli) / ".codex" / "config.toml", "project_doc_max_bytes = 65536\n")
    assert doctor(cli, "AGENTS.md") == []


# ---- sessions ----


def test_open_sessions_are_counted_and_those_without_their_process_said(cli: Cli) -> None:
    """This process starts the hooks, so it is the assistant; one that is gone is told apart."""
    write(claude(cli), hooks())
    fire(cli, "session-start", "s1")
    fire(cli, "session-start", "s2")
    (found,) = doctor(cli, "sessions")
    assert (found["state"], found["text"]) == ("ok", "2 open here") and found["details"]["gone"] == 0
    with cli.store() as store, transaction(store):
        store.execute("UPDATE attendance SET born = 'earlier' WHERE key = 's1'")
    (found,) = doctor(cli, "sessions")
    assert (
        found["state"] == "note" and "of which 1 without the process that began it" in found["text"] and found["mend"]
    )
    assert sorted(one["is_gone"] for one in found["details"]["sessions"]) == [False, True]
    for key in ("s1", "s2"):
        fire(cli, "session-end", key, reason="other")
    assert doctor(cli, "sessions")[0]["text"] == "none is open here"


# ---- others' files ----

BROKEN = {
    "a comment": '{\n// mine\n"hooks": {}}', "a list": "[]", "no text": "\udcff", "deep": "[" * 100_000,
    "number": "1", "twice": '{"hooks": 1}{}',
}  # fmt: skip


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_file_that_cannot_be_read_is_one_line(cli: Cli, text: str) -> None:
    """Which, and why; the others are read."""
    write(cli.root / ".codex" / "hooks.json", string_hooks())
    claude(cli).parent.mkdir()
    claude(cli).write_bytes(text.encode("utf-8", "surrogateescape"))
    (said,) = notes(cli, "assistants")
    assert said.startswith(".claude/settings.json cannot be read: ") and len(said.splitlines()) == 1
    assert "none has fired here yet" in notes(cli, "codex hooks")[0]


def test_a_pipe_in_the_place_of_a_file_keeps_nobody(cli: Cli) -> None:
    """Nor does a folder."""
    claude(cli).parent.mkdir()
    os.mkfifo(claude(cli))
    (cli.root / ".mcp.json").mkdir()
    write(cli.root / ".codex" / "config.toml", "= no toml")
    said = notes(cli, "assistants")
    assert len(said) == 3 and all("cannot be read: " in one for one in said)


ODD = [1, "x", None, [], {}, [1], {"SessionStart": 1}, {"SessionStart": [1, {"hooks": 1}, {"hooks": [1, None]}]}]


@pytest.mark.parametrize("value", ODD, ids=[str(number) for number in range(len(ODD))])
def test_values_of_another_type_are_not_there(cli: Cli, value: object) -> None:
    """In any member that is looked at."""
    odd = {"hooks": value, "enabledPlugins": value, "mcpServers": value, "projects": value}
    write(claude(cli), odd)
    write(cli.root / ".mcp.json", odd)
    write(user(cli) / ".claude.json", {"projects": {str(cli.root): value}, "mcpServers": {"neat": value}})
    write(cli.root / ".codex" / "hooks.json", odd)
    write(cli.root / ".cursor" / "mcp.json", {"mcpServers": {"neat": {"command": value, "args": value}}})
    answer = cli("doctor", "--json")
    assert answer.code == 0 and answer.err == ""


def test_it_answers_without_a_store(cli: Cli) -> None:
    """What the files tell is told."""
    write(claude(cli), hooks())
    (cli.home / "neat.db").rename(cli.home / "away.db")
    for name in ("neat.db-wal", "neat.db-shm"):
        (cli.home / name).unlink(missing_ok=True)
    assert "none has fired here yet" in notes(cli, "claude-code hooks")[0]
    assert not (cli.home / "neat.db").exists()


def test_the_project_is_the_one_around(cli: Cli) -> None:
    """What reached another project's assistant is not told here."""
    write(claude(cli), hooks())
    fire(cli, "session-start")
    place = here(cli.root)
    with cli.store() as store, transaction(store):
        for table in ("attendance", "delivery"):
            store.execute(f"UPDATE {table} SET project_id = 'another' WHERE project_id = ?", (place.project_id,))
    assert doctor(cli, "claude-code brief") == [] and "none has fired here yet" in notes(cli, "claude-code hooks")[0]
