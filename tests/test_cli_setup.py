"""Setting a project up, what is allowed in it, and the health of the installation."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from neatd.assist.block import BEGIN
from tests.cli_place import Cli

FILES = ["neat.yaml", ".neat/.gitignore", "CLAUDE.md"]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(tmp_path, monkeypatch, capsys)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_init_says_each_file_it_wrote(cli: Cli) -> None:
    """Three files, each named, and no other."""
    made = cli.json("init", "--yes")
    assert made == {"root": str(cli.root), "changed": FILES, "records": 0}
    assert sorted(contents(cli.root)) == sorted(FILES)


def test_init_twice_changes_nothing_and_says_so(cli: Cli) -> None:
    """No byte, no new id; and the second time it has nothing to ask."""
    cli.ok("init", "--yes")
    before = contents(cli.root)
    assert "nothing to change" in cli.ok("init")
    assert cli.json("init", "--yes")["changed"] == []
    assert contents(cli.root) == before


def test_init_asks_and_no_means_no(cli: Cli) -> None:
    """Without --yes and without an answer nothing is written."""
    program = "from neatd.cli.main import main; main()"
    command = [sys.executable, "-c", program, "init"]
    asked = subprocess.run(command, input="n\n", capture_output=True, text=True, timeout=30)
    assert "will write: neat.yaml, .neat/.gitignore, CLAUDE.md" in asked.stderr
    assert asked.returncode == 130 and contents(cli.root) == {}


def test_init_keeps_the_claude_md_there_is(cli: Cli) -> None:
    """The block is added below; with CRLF it is known again, so that a second init does not ask."""
    (cli.root / "CLAUDE.md").write_bytes(b"# Mine\r\n- rule\r\n")
    assert cli.json("init", "--yes")["changed"] == FILES
    assert (cli.root / "CLAUDE.md").read_bytes().startswith(b"# Mine\r\n- rule\r\n")
    assert "nothing to change" in cli.ok("init")


def test_init_puts_a_lost_block_back(cli: Cli) -> None:
    """Whoever removed it and runs init again gets it again, and only it."""
    cli.ok("init", "--yes")
    (cli.root / "CLAUDE.md").write_text("# Mine\n")
    assert cli.json("init", "--yes")["changed"] == ["CLAUDE.md"]


@pytest.mark.parametrize("content", [BEGIN + b"\nhalf", "wide".encode("utf-16")])
def test_init_with_a_claude_md_it_cannot_take_writes_nothing(cli: Cli, content: bytes) -> None:
    """All or nothing: the error comes before the first file."""
    (cli.root / "CLAUDE.md").write_bytes(content)
    assert "CLAUDE.md" in cli.refused("init", "--yes")
    assert contents(cli.root) == {"CLAUDE.md": content}


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
    cli.init()
    inner = cli.root / "deep" / "er"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert "inside the project" in cli.refused("init", "--yes")
    assert list(inner.iterdir()) == []


def test_a_clone_brings_its_records(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """`neat init` in a fresh clone takes in what .neat/knowledge.jsonl holds, and sets git's merging up."""
    subprocess.run(["git", "init", "-q"], check=True)
    cli.init()
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
    cli.init()
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
    assert sorted(line.split("'")[1] for line in seen.splitlines()) == sorted(
        [*FILES, ".gitattributes", ".neat/knowledge.jsonl", ".neat/rules/mine.yaml", ".neat/templates/brief.md.j2"]
    )


def test_consent_is_given_shown_and_taken_back(cli: Cli) -> None:
    """It is kept in NEAT_HOME: no file of the project changes."""
    cli.init()
    before = contents(cli.root)
    assert "nothing" in cli.ok("allow")
    assert list(cli.json("allow", "retention")) == ["retention"]
    assert "retention" in cli.ok("allow")
    assert cli.json("allow", "retention", "--revoke") == {}
    assert contents(cli.root) == before


def test_unknown_consent_is_refused(cli: Cli) -> None:
    """What there is to allow is named."""
    cli.init()
    assert "retention" in cli.refused("allow", "everything")


def doctor(cli: Cli) -> tuple[int, dict[str, dict[str, str]]]:
    answer = cli("doctor", "--json")
    return answer.code, {one["what"]: one for one in json.loads(answer.out)}


def test_doctor_is_content_with_a_fresh_project(cli: Cli) -> None:
    """Exit 0; what is missing but harmless is a note with what to type."""
    cli.init()
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
    cli.init()
    cli.ok("runs")
    (cli.home / what).write_bytes(b"no database at all" * 500)
    code, found = doctor(cli)
    assert code == 1 and found[what]["state"] == "bad" and found[what]["mend"]
    assert (cli.home / what).read_bytes() == b"no database at all" * 500


def test_doctor_finds_mistakes_in_every_yaml(cli: Cli) -> None:
    """Settings, project and rules, each with its line."""
    cli.init()
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
    cli.init()
    cli.ok("note", "before")
    made = Path(cli.ok("backup").removeprefix("backup: ").strip())
    assert made.is_file()
    cli.ok("note", "after")
    text = cli.ok("restore", "--yes")
    assert str(made) in text and "the old file is" in text
    assert [one["title"] for one in cli.json("list", "note")] == ["before"]


def test_restore_without_a_backup_asks_nothing(cli: Cli) -> None:
    """There is nothing to confirm: the error comes at once."""
    cli.init()
    assert "no backup" in cli.refused("restore")


def test_neatd_that_does_not_run_says_so(cli: Cli) -> None:
    """Status has its shape, stop is harmless, logs say how one begins; none of them starts anything."""
    state = cli.json("neatd", "status")
    assert state["running"] is False and state["pid"] is None and state["url"] is None
    assert state["projects"] == [] and state["roots"] == [] and state["version"]
    assert "`neatd start`" in cli.ok("neatd", "status")
    assert "was not running" in cli.ok("neatd", "stop")
    assert "no log yet" in cli.refused("neatd", "logs")


def test_logs_print_the_last_lines(cli: Cli) -> None:
    """As many as asked for."""
    (cli.home / "logs").mkdir(parents=True)
    (cli.home / "logs" / "neatd.log").write_text("".join(f"line {number}\n" for number in range(100)))
    assert cli.ok("neatd", "logs", "-n", "2") == "line 98\nline 99\n"
    assert cli.ok("neatd", "logs", "-n", "0") == ""
    assert len(cli.ok("neatd", "logs").splitlines()) == 50
