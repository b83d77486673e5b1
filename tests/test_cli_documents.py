"""Brief and handoff from the command line: what the store and git say, gathered and printed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from neatd.cli.common import print_table
from tests.cli_place import Cli


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def git(*words: str) -> str:
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.org")
    return subprocess.run(["git", *identity, *words], check=True, capture_output=True, text=True).stdout


def test_the_brief_says_where_git_stands(cli: Cli) -> None:
    """Branch, commit, subject and what is changed; neat's own files are no change."""
    git("init", "-q", "-b", "main")
    (cli.root / "train.py").write_text("one")
    git("add", "train.py")
    git("commit", "-qm", "first try")
    (cli.root / "train.py").write_text("two")
    text = cli.ok("brief")
    assert f'Branch main at {git("rev-parse", "HEAD")[:8]} "first try"; 1 changed' in text
    assert "Changed: `train.py`" in text


def test_critical_events_come_before_info(cli: Cli) -> None:
    """The gravest first, then the newest, whatever happened last."""
    made = cli.add_run("runs/a", {"loss": [1.0]})
    cli.add_event(made, "best-loss", 1, 1.0, severity="info")
    cli.add_event(made, "non-finite", 2, float("nan"), severity="critical")
    cli.add_event(made, "spike", 3, 9.0, severity="warning")
    text = cli.ok("brief")
    assert text.index("- critical non-finite") < text.index("- warning spike") < text.index("- info best-loss")


def test_of_the_best_values_only_the_one_that_stands_is_told(cli: Cli) -> None:
    """Ten improvements of one series are one line, the newest."""
    made = cli.add_run("runs/a", {"loss": [1.0]})
    for step in range(1, 11):
        best = {"condition": "best", "severity": "info", "time": 1772366400.0 + step}
        cli.add_event(made, "best-loss", step, 1 / step, **best)
    text = cli.ok("brief")
    assert text.count("best-loss in") == 1 and "best-loss at 10" in text


def test_closed_records_leave_the_brief(cli: Cli) -> None:
    """A done task and a superseded decision are no longer where things stand."""
    task, old = cli.keep("task", "old step"), cli.keep("decide", "old way")
    cli.ok("task", "next step")
    cli.ok("close", task)
    cli.ok("decide", "new way", "--supersedes", old)
    text = cli.ok("brief")
    assert "next step" in text and "new way" in text
    assert "old step" not in text and "old way" not in text


def test_the_budget_holds_on_the_command_line_and_in_neat_yaml(cli: Cli) -> None:
    """--budget counts before neat.yaml's, which counts before 6000."""
    for number in range(60):
        cli.ok("decide", f"decision {number} " + "with many words " * 9)
    found = cli.json("brief", "--budget", "1000")
    assert found["bytes"] == len(found["text"].encode()) <= 1000 and len(found["facts"]["decisions"]) == 60
    with (cli.root / "neat.yaml").open("a") as file:
        file.write("brief: {budget_bytes: 800}\n")
    assert len(cli.ok("brief").encode()) <= 800


def test_documents_hold_ids_that_can_be_typed(cli: Cli) -> None:
    """The short id in the brief shows the record."""
    cli.ok("decide", "use patches")
    short = cli.ok("brief").partition("(d-")[2][:4]
    assert cli.json("show", f"d-{short}")["title"] == "use patches"


def test_the_brief_says_that_nothing_watches(cli: Cli) -> None:
    """Without a daemon the numbers may be old, and the text says since when and what to type."""
    assert "**Not watched:** neatd is not running" in cli.ok("brief")


def test_the_handoff_is_written_where_asked(cli: Cli) -> None:
    """The file holds what the terminal shows, signed, so that the next one replaces it; what is added below stays."""
    cli.ok("task", "run the sweep")
    path = cli.root / "HANDOFF.md"
    assert cli.ok("handoff", "--out", "HANDOFF.md") == "written: HANDOFF.md\n"
    text = path.read_text()
    assert text.startswith(cli.ok("handoff").rstrip("\n")) and "<!-- written by neat from handoff.md.j2 for " in text
    path.write_text(text + "mine\n")
    cli.ok("task", "write it up")
    cli.ok("handoff", "--out", "HANDOFF.md")
    assert "write it up" in path.read_text() and path.read_text().endswith(" -->\nmine\n")
    assert cli.json("handoff")["out"] is None


def test_somebodys_file_is_not_overwritten_by_out(cli: Cli) -> None:
    """Nothing is kept either; --force replaces it and says so."""
    path = cli.root / "train.py"
    path.write_text("mine\n")
    told = cli.refused("handoff", "--out", "train.py")
    assert "train.py was not written by neat, and is left as it is" in told and "--force" in told
    assert path.read_text() == "mine\n" and cli.json("handoff", "--list") == []
    answer = cli("handoff", "--out", "train.py", "--force")
    assert answer.out == "written: train.py\n" and "replaced: train.py was not written by neat" in answer.err
    assert path.read_text().startswith("# Session handoff: project, ") and "mine" not in path.read_text()
    cli.ok("handoff", "--out", "train.py")


def test_out_names_a_file_in_a_folder_that_is_there(cli: Cli) -> None:
    """A folder is none, and none is made."""
    assert "notes is a folder" not in cli.refused("handoff", "--out", "notes/today/handoff.md")
    assert "no folder notes/today" in cli.refused("handoff", "--out", "notes/today/handoff.md", "--force")
    assert not (cli.root / "notes").exists()
    (cli.root / "notes").mkdir()
    assert "notes is a folder" in cli.refused("handoff", "--out", "notes")
    assert cli.json("handoff", "--list") == []


def test_a_task_at_the_top_is_the_first(cli: Cli) -> None:
    """Before one that has a week's time, and before what is for now, in the brief and in the handoff."""
    cli.ok("task", "in a week", "--horizon", "week")
    cli.ok("task", "urgent", "--top")
    assert "1. urgent (t-" in cli.ok("brief") and "2. in a week (t-" in cli.ok("brief")
    text = cli.ok("handoff", "--no-keep")
    assert "1. urgent (t-" in text and "2. in a week (week) (t-" in text
    cli.ok("task", "now", "--horizon", "now")
    assert "1. urgent (t-" in cli.ok("brief") and "2. now (t-" in cli.ok("brief")


def test_a_list_tells_the_terminal_nothing(cli: Cli) -> None:
    """No escape, bell or backspace of a title is printed."""
    cli.ok("note", "red \x1b[31mhere\x07\x08 \x9b")
    text = cli.ok("list", "note")
    assert "red [31mhere" in text and not any(mark in text for mark in "\x1b\x07\x08\x9b")


def test_a_table_prints_no_control_character(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever command it is that prints it."""
    print_table(("a",), [("red \x1b[31mhere\x9b",)], "none")
    assert "red [31mhere" in capsys.readouterr().out


def test_the_handoff_holds_what_the_brief_had_to_leave_out(cli: Cli) -> None:
    """Every decision, hypothesis, bug, note and task."""
    for number in range(30):
        cli.ok("decide", f"decision number {number}")
    text = cli.ok("handoff")
    assert all(f"decision number {number}**" in text for number in range(30))


def test_a_template_of_the_projects_is_used_by_name(cli: Cli) -> None:
    """Its own handoff, or one by another name; a mistake in it is named by line."""
    folder = cli.root / ".neat" / "templates"
    folder.mkdir()
    (folder / "short.md.j2").write_text("{{ facts.tasks | length }} tasks\n")
    cli.ok("task", "x")
    assert cli.ok("handoff", "--template", "short") == "1 tasks\n"
    (folder / "brief.md.j2").write_text("fine\n{{ facts.tasks.nope }}\n")
    assert f"{folder / 'brief.md.j2'}:2: " in cli.refused("brief")
    assert "short.md.j2" in cli.refused("handoff", "--template", "none")


def test_secrets_do_not_reach_a_document(cli: Cli) -> None:
    """Neither from a record nor from a run's configuration."""
    cli.ok("note", "login with password: hunter22")
    cli.add_run("runs/base", {"val/loss": [1.0]}, config={"api_key": "abc123def456", "lr": 1})
    cli.add_run("runs/b", {"val/loss": [1.0]}, config={"api_key": "zzz999yyy888", "lr": 2})
    cli.ok("baseline", "base")
    for command in ("brief", "handoff"):
        text = cli.ok(command)
        assert "lr 1 -> 2" in text
        assert not any(secret in text for secret in ("hunter22", "abc123def456", "zzz999yyy888"))


def test_kept_handoffs_are_listed_newest_first(cli: Cli) -> None:
    """With their template, how many records their session had, and the one before."""
    assert "no handoff yet" in cli("handoff", "--list").err
    cli.ok("note", "one")
    first = cli.json("handoff")["id"]
    cli.ok("note", "two")
    cli.ok("note", "three")
    cli.ok("handoff")
    newest, oldest = cli.json("handoff", "--list")
    assert oldest["id"] == first and newest["previous"] == first
    assert (len(newest["records"]), len(oldest["records"]), newest["template"]) == (2, 1, "handoff")
    assert first in cli.ok("handoff", "--list")


def test_the_shipped_documents_are_asked_for_by_name(cli: Cli) -> None:
    """Four of them; a wrong name is answered with those there are."""
    cli.ok("prefer", "tests first")
    for template in ("handoff", "notes", "report", "claude"):
        assert cli.ok("handoff", "--template", template, "--no-keep").startswith("# ")
    assert "claude.md.j2" in cli.refused("handoff", "--template", "nothing", "--no-keep")


def test_an_assistants_handoff_is_told_from_a_persons(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its source."""
    cli.ok("handoff")
    monkeypatch.setenv("CLAUDECODE", "1")
    cli.ok("note", "seen by the assistant")
    cli.ok("handoff")
    assert [one["source"] for one in cli.json("handoff", "--list")] == ["claude-code", "person"]
    assert "| note | created by claude-code | seen by the assistant |" in cli.ok("handoff", "--no-keep")
