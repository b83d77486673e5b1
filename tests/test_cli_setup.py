"""Setting a project up, what is allowed in it, and the health of the installation."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from neatd.assist.block import BEGIN
from tests.cli_place import Cli
from tests.mother import run_born

CLAUDE = [".claude/settings.json", ".mcp.json", "CLAUDE.md"]
FILES = ["neat.yaml", ".neat/.gitignore", *CLAUDE, ".neat/init.json", ".neat/brief.md"]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """On a machine where git is, and Claude Code alone of the assistants."""
    path = git_alone(tmp_path)
    monkeypatch.setenv("PATH", str(path))
    return Cli(tmp_path, monkeypatch, capsys)


def git_alone(base: Path) -> Path:
    """A folder for PATH with git and the shell that it needs."""
    folder = base / "bin"
    folder.mkdir()
    for name in ("git", "sh"):
        (folder / name).symlink_to(str(shutil.which(name)))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_init_says_each_file_it_wrote(cli: Cli) -> None:
    """Each named, and no other."""
    made = cli.json("init", "--yes")
    assert made == {
        "root": str(cli.root), "changed": FILES, "records": 0, "assistants": ["claude-code"], "left_alone": [],
    }  # fmt: skip
    assert sorted(contents(cli.root)) == sorted(FILES)


def test_init_twice_changes_nothing_and_says_so(cli: Cli) -> None:
    """No byte, no new id; and the second time it has nothing to ask."""
    cli.ok("init", "--yes")
    before = contents(cli.root)
    assert "nothing to change" in cli.ok("init")
    assert cli.json("init", "--yes")["changed"] == []
    assert contents(cli.root) == before


def test_init_shows_asks_and_no_means_no(cli: Cli) -> None:
    """Each file with what is added; without --yes and without an answer nothing is written."""
    (cli.root / "CLAUDE.md").write_text("mine\n")
    program = "from neatd.cli.main import main; main()"
    command = [sys.executable, "-c", program, "init"]
    asked = run_born(command, input="n\n", capture_output=True, text=True, timeout=30)
    assert "new: neat.yaml\n" in asked.stderr and "change: CLAUDE.md\n" in asked.stderr and "go on?" in asked.stderr
    assert "\n   mine\n" in asked.stderr and "\n  +@.neat/brief.md\n" in asked.stderr and "\x1b[" not in asked.stderr
    assert asked.returncode == 130 and contents(cli.root) == {"CLAUDE.md": b"mine\n"} and not cli.home.exists()


def test_a_dry_run_writes_nothing(cli: Cli) -> None:
    """It shows the same, and asks nothing."""
    answer = cli("init", "--dry-run")
    assert answer.code == 0 and "would write neat.yaml" in answer.out and "new: .mcp.json" in answer.err
    assert cli.json("init", "--dry-run")["changed"] == FILES[:5]
    assert contents(cli.root) == {} and not cli.home.exists()


def test_what_is_shown_holds_no_secret_of_the_settings(cli: Cli) -> None:
    """Lines around ours are the user's; of a minified file only what changes is shown."""
    (cli.root / ".mcp.json").write_text('{\n  "api_key": "sk-ant-api03-' + "aB3" * 30 + '"\n}\n')
    (cli.root / ".claude").mkdir()
    (cli.root / ".claude" / "settings.json").write_text(json.dumps({"a": "x" * 5000, "hooks": {}, "b": "y" * 5000}))
    shown = cli("init", "--dry-run").err
    assert "aB3aB3" not in shown and '+  "mcpServers": {' in shown
    assert "x" * 100 not in shown and '"SessionStart": [{' in shown


def test_init_keeps_the_claude_md_there_is(cli: Cli) -> None:
    """The block is added below; with CRLF it is known again, so that a second init does not ask."""
    (cli.root / "CLAUDE.md").write_bytes(b"# Mine\r\n- rule\r\n")
    assert cli.json("init", "--yes")["changed"] == FILES
    assert (cli.root / "CLAUDE.md").read_bytes().startswith(b"# Mine\r\n- rule\r\n")
    assert "nothing to change" in cli.ok("init")


def test_the_brief_is_there_at_once(cli: Cli) -> None:
    """What CLAUDE.md imports resolves before any daemon runs, and says that none does."""
    cli.ok("init", "--yes")
    assert "# project: where things stand" in (cli.root / ".neat" / "brief.md").read_text()
    assert "neatd is not running" in (cli.root / ".neat" / "brief.md").read_text()


def test_where_no_assistant_is_all_are_set_up_and_that_is_said(cli: Cli) -> None:
    """Three, each with its files; the second time they are found by these."""
    (cli.root.parent / "user" / ".claude").rmdir()
    answer = cli("init", "--yes")
    assert answer.code == 0 and "no assistant was found" in answer.err
    assert set(contents(cli.root)) == {
        *FILES, "AGENTS.md", ".codex/hooks.json", ".codex/config.toml", ".cursor/rules/neat.mdc", ".cursor/mcp.json",
    }  # fmt: skip
    again = cli("init")
    assert "nothing to change" in again.out and "no assistant was found" not in again.err


def test_the_assistants_are_chosen(cli: Cli) -> None:
    """Those named and no others, the next time too; Cursor alone has no block in AGENTS.md."""
    made = cli.json("init", "--yes", "--assistant", "cursor")
    assert made["assistants"] == ["cursor"]
    assert set(contents(cli.root)) == {*FILES, ".cursor/rules/neat.mdc", ".cursor/mcp.json"} - set(CLAUDE)
    assert cli.json("init", "--yes")["changed"] == []
    assert set(cli.json("init", "--yes", "--assistant", "claude-code")["changed"]) == set(CLAUDE)
    assert cli("init", "--assistant", "nobody").code == 2


def test_none_is_set_up_where_none_is_wanted(cli: Cli) -> None:
    """The notebook alone."""
    assert cli.json("init", "--yes", "--assistant", "none")["assistants"] == []
    assert set(contents(cli.root)) == set(FILES) - set(CLAUDE)


def test_settings_that_cannot_be_read_are_left_alone_and_said(cli: Cli) -> None:
    """Exit 0, the rest is set up, and one line says what to add by hand."""
    (cli.root / ".claude").mkdir()
    odd = {".claude/settings.json": b"// mine\n{}\n", ".mcp.json": b'{"mcpServers": []}\n'}
    for path, content in odd.items():
        (cli.root / path).write_bytes(content)
    answer = cli("init", "--yes")
    said = {line.split(": ")[1]: line for line in answer.err.splitlines() if line.startswith("left alone: ")}
    assert answer.code == 0 and set(said) == set(odd)
    assert "line 1 is no JSON" in said[".claude/settings.json"] and '"SessionStart"' in said[".claude/settings.json"]
    assert 'by hand under "mcpServers": {"neat"' in said[".mcp.json"]
    assert {path: (cli.root / path).read_bytes() for path in odd} == odd and (cli.root / "CLAUDE.md").exists()
    assert {one["path"] for one in cli.json("init", "--yes")["left_alone"]} == set(odd)


def test_what_is_no_small_file_is_left_alone(cli: Cli) -> None:
    """A file of more than a megabyte, and a folder where one is expected."""
    (cli.root / ".mcp.json").write_bytes(b"{" + b" " * (1 << 20) + b"}")
    (cli.root / ".claude" / "settings.json").mkdir(parents=True)
    left = {one["path"]: one["reason"] for one in cli.json("init", "--yes")["left_alone"]}
    assert "larger than" in left[".mcp.json"] and "not a regular file" in left[".claude/settings.json"]
    cli.ok("init", "--undo", "--yes")
    assert sorted(contents(cli.root)) == [".mcp.json"] and (cli.root / ".claude" / "settings.json").is_dir()


@pytest.mark.parametrize("path", [".mcp.json", ".claude"])
def test_neat_does_not_write_through_a_link_out_of_the_project(cli: Cli, tmp_path: Path, path: str) -> None:
    """A clone may bring one that leads into somebody's home."""
    outside = tmp_path / "outside"
    outside.mkdir() if path == ".claude" else outside.write_text("{}")
    (cli.root / path).symlink_to(outside)
    left = cli.json("init", "--yes")["left_alone"]
    assert len(left) == 1 and left[0]["path"].startswith(path)
    assert outside.read_text() == "{}" if outside.is_file() else list(outside.iterdir()) == []
    cli.ok("init", "--undo", "--yes")
    assert (cli.root / path).is_symlink()


def test_a_link_in_the_project_stays_one(cli: Cli) -> None:
    """CLAUDE.md that leads to AGENTS.md: one file, one block, taken out of it again."""
    (cli.root / "AGENTS.md").write_bytes(b"rules\n")
    (cli.root / "CLAUDE.md").symlink_to("AGENTS.md")
    cli.ok("init", "--yes")
    assert (cli.root / "CLAUDE.md").is_symlink()
    assert (cli.root / "AGENTS.md").read_bytes().count(BEGIN) == 1
    assert "nothing to change" in cli.ok("init")
    cli.ok("init", "--undo", "--yes")
    assert (cli.root / "AGENTS.md").read_bytes() == b"rules\n" and (cli.root / "CLAUDE.md").is_symlink()


def test_a_link_of_claude_md_out_of_the_project_is_left_alone(cli: Cli, tmp_path: Path) -> None:
    """The rest is set up, and it is said what that leaves out."""
    (tmp_path / "profile").write_bytes(b"mine\n")
    (cli.root / "CLAUDE.md").symlink_to(tmp_path / "profile")
    answer = cli("init", "--yes", "--assistant", "claude-code", "--assistant", "codex")
    assert answer.code == 0 and "left alone: CLAUDE.md: " in answer.err and "is a link to" in answer.err
    assert "note: Claude Code is not wholly set up" in answer.err and "Codex is not" not in answer.err
    assert (tmp_path / "profile").read_bytes() == b"mine\n"
    assert {"AGENTS.md", ".mcp.json", "neat.yaml"} <= set(contents(cli.root))
    cli.ok("init", "--undo", "--yes")
    assert (tmp_path / "profile").read_bytes() == b"mine\n" and list(cli.root.iterdir()) == [cli.root / "CLAUDE.md"]


def test_the_command_that_hooks_call(cli: Cli) -> None:
    """By a path of its own, with a space in it; changed later, it is changed in place. What is not neat is refused."""
    cli.ok("init", "--yes", "--assistant", "codex", "--assistant", "claude-code", "--command", "'/my tools/neat'")
    settings, hooks = cli.root / ".claude" / "settings.json", cli.root / ".codex" / "hooks.json"
    assert '"command": "/my tools/neat", "args": ["hook", "stop"]' in settings.read_text()
    assert "'/my tools/neat' hook stop" in hooks.read_text()
    cli.ok("init", "--yes", "--command", "neat")
    for path in (settings, hooks):
        assert "/my tools" not in path.read_text() and path.read_text().count("stop") == 1
    for odd in ("rm", "", "'neat", "neatly", "./mine.sh neat"):
        assert "--command" in cli.refused("init", "--yes", "--command", odd)


def test_neat_that_is_not_on_path_is_said(cli: Cli, tmp_path: Path) -> None:
    """Hooks would find nothing; with --command, or where it is found, there is nothing to say."""
    assert "note: `neat` is not on PATH" in cli("init", "--yes").err and "hint: " in cli("init").err
    assert "on PATH" not in cli("init", "--yes", "--command", "/opt/neat").err
    (tmp_path / "bin" / "neat").write_text("#!/bin/sh\n")
    (tmp_path / "bin" / "neat").chmod(0o755)
    assert "on PATH" not in cli("init", "--yes").err


def test_init_puts_a_lost_block_back(cli: Cli) -> None:
    """Whoever removed it and runs init again gets it again, and only it."""
    cli.ok("init", "--yes")
    (cli.root / "CLAUDE.md").write_text("# Mine\n")
    assert cli.json("init", "--yes")["changed"] == ["CLAUDE.md"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (BEGIN + b"\nhalf", "neat's block in it is damaged: 1 begin and 0 end"),
        ("wide".encode("utf-16"), "it is UTF-16"),
    ],
    ids=["half a block", "utf-16"],
)
def test_a_claude_md_that_init_cannot_take_is_left_alone(cli: Cli, content: bytes, reason: str) -> None:
    """With the reason; all the rest is set up, for the others wholly."""
    (cli.root / "CLAUDE.md").write_bytes(content)
    (left,) = cli.json("init", "--yes", "--assistant", "claude-code", "--assistant", "codex")["left_alone"]
    assert left["path"] == "CLAUDE.md" and reason in left["reason"] and "mend it" in left["reason"]
    assert (cli.root / "CLAUDE.md").read_bytes() == content
    assert {*FILES, "AGENTS.md", ".codex/hooks.json"} <= set(contents(cli.root))


def test_a_damaged_file_behind_two_paths_is_said_for_both(cli: Cli) -> None:
    """CLAUDE.md that leads to AGENTS.md: neither assistant is wholly set up."""
    (cli.root / "AGENTS.md").write_bytes(BEGIN)
    (cli.root / "CLAUDE.md").symlink_to("AGENTS.md")
    said = cli("init", "--yes", "--assistant", "claude-code", "--assistant", "codex").err
    assert "Claude Code is not wholly" in said and "Codex is not wholly" in said


def test_init_again_leaves_what_a_person_changed_in_ours(cli: Cli) -> None:
    """Matcher and time; another --command changes the command and nothing else."""
    cli.init(is_typed=True)
    path = cli.root / ".claude" / "settings.json"
    mine = path.read_text().replace('"matcher": "Bash|Edit|Write|MultiEdit|NotebookEdit"', '"matcher": "Edit"')
    mine = mine.replace('"timeout": 10', '"timeout": 30')
    path.write_text(mine)
    assert cli.json("init", "--yes")["changed"] == []
    cli.ok("init", "--yes", "--command", "/opt/neat")
    assert path.read_text() == mine.replace('"command": "neat"', '"command": "/opt/neat"')


def test_init_with_a_mistake_in_neat_yaml_writes_nothing(cli: Cli) -> None:
    """The line is named; nothing is written beside it."""
    (cli.root / "neat.yaml").write_text('id: "7b0f4a52-0000-4000-8000-000000000000"\ncolour: red\n')
    assert "neat.yaml:2: colour" in cli.refused("init", "--yes")
    assert list(contents(cli.root)) == ["neat.yaml"]


@pytest.mark.parametrize(
    "name", ['say "hi"', "back\\slash", "tab\tand\x07bell", "# no comment", "ünï: ☃", "'", "- x", ""]
)
def test_any_name_is_a_name(cli: Cli, name: str) -> None:
    """Whatever a folder is called, neat.yaml is YAML and the commands work."""
    cli.ok("init", "--yes", "--name", name)
    assert isinstance(yaml.safe_load((cli.root / "neat.yaml").read_text())["name"], str)
    cli.ok("list")


def test_init_inside_a_project_is_refused(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two projects in one another would both own the runs of the inner one."""
    cli.init(is_typed=True)
    inner = cli.root / "deep" / "er"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert "inside the project" in cli.refused("init", "--yes")
    assert list(inner.iterdir()) == []


def test_a_clone_brings_its_records(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """`neat init` in a fresh clone takes in what .neat/knowledge.jsonl holds, and sets git's merging up."""
    subprocess.run(["git", "init", "-q"], check=True)
    cli.init(is_typed=True)
    cli.ok("decide", "train on cubes", "--why", "they fit")
    cli.ok("sync")
    monkeypatch.setenv("NEAT_HOME", str(cli.home.parent / "other-home"))
    made = cli.json("init", "--yes")
    assert made["records"] == 1 and made["changed"] == []
    assert [one["why"] for one in cli.json("list", "decision")] == ["they fit"]
    driver = ["git", "config", "--get", "merge.neat.driver"]
    assert subprocess.run(driver, check=True, capture_output=True, text=True).stdout.startswith("neat merge-driver")


def test_git_sees_only_what_is_to_be_shared(cli: Cli) -> None:
    """Of .neat/ git takes knowledge, rules and templates; brief, trash and inbox stay out."""
    subprocess.run(["git", "init", "-q"], check=True)
    cli.init(is_typed=True)
    for name in (
        "brief.md",
        "knowledge.jsonl",
        "rules/mine.yaml",
        "templates/brief.md.j2",
        "trash/x.pt",
        "inbox/n-1.json",
    ):
        (cli.root / ".neat" / name).parent.mkdir(exist_ok=True)
        (cli.root / ".neat" / name).write_text("x")
    seen = subprocess.run(["git", "add", "-An", "."], check=True, capture_output=True, text=True).stdout
    shared = {*FILES} - {".neat/init.json", ".neat/brief.md"}
    assert {line.split("'")[1] for line in seen.splitlines()} == {
        *shared, ".gitattributes", ".neat/knowledge.jsonl", ".neat/rules/mine.yaml", ".neat/templates/brief.md.j2",
    }  # fmt: skip


def test_consent_is_given_shown_and_taken_back(cli: Cli) -> None:
    """It is kept in NEAT_HOME: no file of the project changes."""
    cli.init(is_typed=True)
    before = contents(cli.root)
    assert "nothing" in cli.ok("allow")
    assert list(cli.json("allow", "retention")) == ["retention"]
    assert "retention" in cli.ok("allow")
    assert cli.json("allow", "retention", "--revoke") == {}
    assert contents(cli.root) == before


def test_unknown_consent_is_refused(cli: Cli) -> None:
    """What there is to allow is named."""
    cli.init(is_typed=True)
    assert "retention" in cli.refused("allow", "everything")


def doctor(cli: Cli) -> tuple[int, dict[str, dict[str, str]]]:
    answer = cli("doctor", "--json")
    return answer.code, {one["what"]: one for one in json.loads(answer.out)}


def test_doctor_is_content_with_a_fresh_project(cli: Cli) -> None:
    """Exit 0; what is missing but harmless is a note with what to type."""
    cli.init(is_typed=True)
    code, found = doctor(cli)
    assert code == 0 and found["neat.db"]["state"] == "ok" and found["project"]["state"] == "ok"
    assert found["neatd"]["state"] == "note" and "neatd start" in found["neatd"]["mend"]
    assert all(one["mend"] for one in found.values() if one["state"] != "ok")


def test_doctor_works_before_anything_is_set_up(cli: Cli) -> None:
    """In a folder without project, with a NEAT_HOME that does not exist, which it does not make."""
    code, found = doctor(cli)
    assert code == 0 and "neat init" in found["project"]["mend"]
    assert not cli.home.exists()


@pytest.mark.parametrize("what", ["neat.db", "points.db"])
def test_doctor_finds_a_broken_store(cli: Cli, what: str) -> None:
    """Exit 1, the file and the mend named; the file is left as it is."""
    cli.init(is_typed=True)
    cli.ok("runs")
    (cli.home / what).write_bytes(b"no database at all" * 500)
    code, found = doctor(cli)
    assert code == 1 and found[what]["state"] == "bad" and found[what]["mend"]
    assert (cli.home / what).read_bytes() == b"no database at all" * 500


def test_doctor_finds_mistakes_in_every_yaml(cli: Cli) -> None:
    """Settings, project and rules, each with its line."""
    cli.init(is_typed=True)
    (cli.home / "settings.yaml").write_text("swep_s: 1\n")
    (cli.root / ".neat" / "rules").mkdir()
    (cli.root / ".neat" / "rules" / "bad.yaml").write_text("rule: bad\nmetrics: 3\n")
    (cli.root / "neat.yaml").write_text((cli.root / "neat.yaml").read_text() + "nmae: x\n")
    answer = cli("doctor")
    assert answer.code == 1
    bad = [line for line in answer.out.splitlines() if line.startswith("bad")]
    assert [line.split()[1] for line in bad] == ["settings:", "project:", "rules:"]
    assert "settings.yaml:1: swep_s" in answer.out and "nmae" in answer.out and "bad.yaml:2" in answer.out


def test_a_backup_comes_back(cli: Cli) -> None:
    """What was kept before it is there again, and the store that it replaces is kept beside."""
    cli.init(is_typed=True)
    cli.ok("note", "before")
    made = Path(cli.ok("backup").removeprefix("backup: ").strip())
    assert made.is_file()
    cli.ok("note", "after")
    text = cli.ok("restore", "--yes")
    assert str(made) in text and "the old file is" in text
    assert [one["title"] for one in cli.json("list", "note")] == ["before"]


def test_restore_without_a_backup_asks_nothing(cli: Cli) -> None:
    """There is nothing to confirm: the error comes at once."""
    cli.init(is_typed=True)
    assert "no backup" in cli.refused("restore")


def test_neatd_that_does_not_run_says_so(cli: Cli) -> None:
    """Status has its shape, stop is harmless, logs say how one begins; none of them starts anything."""
    state = cli.json("neatd", "status")
    assert state["running"] is False and state["pid"] is None and state["url"] is None
    assert state["projects"] == [] and state["roots"] == [] and state["version"]
    said = cli("neatd", "status")
    assert said.code == 3 and "`neatd start`" in said.out  # as `systemctl status` of what does not run
    assert "was not running" in cli.ok("neatd", "stop")
    assert "no log yet" in cli.refused("neatd", "logs")


def test_logs_print_the_last_lines(cli: Cli) -> None:
    """As many as asked for."""
    (cli.home / "logs").mkdir(parents=True)
    (cli.home / "logs" / "neatd.log").write_text("".join(f"line {number}\n" for number in range(100)))
    assert cli.ok("neatd", "logs", "-n", "2") == "line 98\nline 99\n"
    assert cli.ok("neatd", "logs", "-n", "0") == ""
    assert len(cli.ok("neatd", "logs").splitlines()) == 50


def test_a_gitignore_of_an_earlier_version_is_renewed(cli: Cli) -> None:
    """It lets a project's patterns into git; one with anybody's own lines is left alone, and an undo is exact."""
    cli.ok("init", "--yes")
    path = cli.root / ".neat" / ".gitignore"
    now = path.read_text()
    assert "!patterns/\n!patterns/**\n" in now
    before = now.replace("!patterns/\n!patterns/**\n", "")
    path.write_text(before)
    assert cli.json("init", "--yes")["changed"][0] == ".neat/.gitignore" and path.read_text() == now
    path.write_text(before + "!mine\n")
    assert cli.json("init", "--yes")["changed"] == []
    path.write_text(now)
    cli.ok("init", "--undo", "--yes")
    assert contents(cli.root) == {}
