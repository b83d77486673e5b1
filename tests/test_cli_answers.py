"""What the commands answer when nothing is there, nothing changed, or what was asked for makes no sense."""

from __future__ import annotations

from pathlib import Path

import pytest

from neatd.store import links
from tests.cli_place import Cli


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def status(cli: Cli, record: str) -> str:
    return str(cli.json("show", record)["status"])


# ---- superseded ----


def test_no_two_records_supersede_each_other(cli: Cli) -> None:
    """Directly, over a third, over a decision's own field, or by editing it: nothing would hold any more."""
    a, b, c = (cli.keep("decide", name) for name in "abc")
    cli.ok("link", b, "supersedes", a)
    assert f"{b[:9]} supersedes {a[:9]} already" in cli.refused("link", a, "supersedes", b)
    cli.ok("link", c, "supersedes", b)
    assert "already" in cli.refused("link", a, "supersedes", c)
    d = cli.keep("decide", "d", "--supersedes", c)
    assert "already" in cli.refused("link", c, "supersedes", d)
    assert "already" in cli.refused("edit", a, f"supersedes={d}")
    assert [status(cli, one) for one in (a, b, c, d)] == ["superseded", "superseded", "superseded", "open"]


def test_taking_a_supersession_back_reopens_what_it_ended(cli: Cli) -> None:
    """With the status it had before; not while another record stands in its place too."""
    old, new, other = (cli.keep("insight", name) for name in ("old", "new", "other"))
    cli.ok("edit", old, "status=tested")
    for one in (new, other):
        cli.ok("link", one, "supersedes", old)
    assert f"insight {old[:9]} is superseded" in cli.ok("link", other, "supersedes", old, "--remove")
    assert f"insight {old[:9]} is tested" in cli.ok("link", new, "supersedes", old, "--remove")
    assert status(cli, old) == "tested"


def test_what_a_decision_names_as_superseded_is_taken_back_too(cli: Cli) -> None:
    """--supersedes and the link are one relation to those who read them."""
    old = cli.keep("decide", "old")
    new = cli.keep("decide", "new", "--supersedes", old)
    cli.ok("link", new, "supersedes", old, "--remove")
    assert (status(cli, old), cli.json("show", new)["supersedes"]) == ("open", "")
    cli.ok("edit", new, f"supersedes={old[:9]}")
    assert (status(cli, old), cli.json("show", new)["supersedes"]) == ("superseded", old)


def test_closing_what_is_superseded_says_so_and_keeps_it(cli: Cli) -> None:
    """Only an outcome is taken in."""
    old = cli.keep("decide", "old")
    cli.ok("decide", "new", "--supersedes", old)
    assert f"decision {old[:9]} is superseded already; nothing changed" in cli.ok("close", old)
    assert "the outcome is kept" in cli.ok("close", old, "--outcome", "it was too slow")
    assert (status(cli, old), cli.json("show", old)["body"]) == ("superseded", "it was too slow")


def test_a_circle_that_notes_tell_of_is_left_out(cli: Cli) -> None:
    """An import is not stopped by it: the link that would close it is not made."""
    a, b = cli.keep("decide", "a"), cli.keep("decide", "b")
    with cli.store() as store:
        assert links.add_link(store, "decision", links.Link(a, "supersedes", b), "decision", "import")
        assert not links.add_link(store, "decision", links.Link(b, "supersedes", a), "decision", "import")
    assert (status(cli, a), status(cli, b)) == ("open", "superseded")


# ---- nothing changed ----


def test_bringing_back_what_was_not_deleted_says_so(cli: Cli) -> None:
    """And deleting twice."""
    note = cli.keep("note", "x")
    assert "was not deleted" in cli.ok("delete", "--undo", note)
    assert "neat delete --undo" in cli.ok("delete", note)
    assert "is deleted already" in cli.ok("delete", note)
    assert "is back" in cli.ok("delete", "--undo", note)


def test_an_edit_names_what_it_changed(cli: Cli) -> None:
    """A value that was there already is no change."""
    made = cli.keep("decide", "x", "--why", "y")
    assert "nothing changed" in cli.ok("edit", made, "status=open", "why=y")
    assert cli.ok("edit", made, "status=open", "why=z").rstrip().endswith("changed: why")


# ---- nothing there ----


def said(cli: Cli, *words: str) -> str:
    """What a command that worked said beside its empty answer."""
    answer = cli(*words)
    assert (answer.code, answer.out) == (0, ""), answer
    return answer.err


def test_a_filter_that_fits_no_run_does_not_say_that_there_are_none(cli: Cli) -> None:
    """It counts them."""
    assert "no runs in" in said(cli, "runs", "nonsense")
    cli.add_run("runs/a", {"loss": [1.0]})
    assert "no run matches 'nonsense' (1 run)" in said(cli, "runs", "nonsense")


def test_an_empty_list_says_why(cli: Cli) -> None:
    """Nothing kept yet, with the command of the kind; or nothing that passes the filter."""
    assert "no records yet" in said(cli, "list")
    for kind, command in (
        ("decision", "neat decide"),
        ("insight", "neat insight"),
        ("test", "neat test -- "),
        ("data", "neat data add"),
    ):
        assert command in said(cli, "list", kind)
    cli.ok("close", cli.keep("note", "x", "--tag", "mine"))
    assert "no record with the tag 'nosuch' (1 without that filter)" in said(cli, "list", "--tag", "nosuch")
    assert "no note that is open (1 without" in said(cli, "list", "note", "--open")
    assert "no record is deleted" in said(cli, "list", "--deleted")


def test_a_search_for_nothing_shows_how_to_search(cli: Cli) -> None:
    """An empty shell variable is no question."""
    cli.ok("note", "x")
    for words in (("",), ("  ", "")):
        assert "neat search memory leak" in cli.refused("search", *words)
    assert "x" in cli.ok("search", "", "--kind", "note")


# ---- shown ----


def test_show_is_written_for_people(cli: Cli) -> None:
    """Evidence as RUN:METRIC@STEP = VALUE, in the history too; the ids of project and folder are for --json."""
    cli.add_run("runs/a", {"val/loss": [0.5, 0.25]})
    made = cli.keep("insight", "it falls", "--evidence", "runs/a:val/loss")
    cli.ok("edit", made, "evidence=runs/a:val/loss@1")
    shown = cli.ok("show", made)
    assert "  evidence: runs/a:val/loss@1 = 0.5\n" in shown
    assert "evidence = runs/a:val/loss@1 = 0.5 (was runs/a:val/loss@2 = 0.25)" in shown
    assert "project_id" not in shown and "worktree" not in shown and "hash" not in shown
    assert {"project_id", "worktree"} <= set(cli.json("show", made))


def test_ids_have_one_length_wherever_people_read_them(cli: Cli) -> None:
    """Nine characters when it is kept, listed, found and closed."""
    kept = cli.ok("note", "plateau").split()[1]
    listed = next(line for line in cli.ok("list").splitlines() if "plateau" in line).split()[0]
    found = cli.ok("search", "plateau").split()[0]
    assert len(kept) == 9 and kept == listed == found == cli.ok("close", kept).split()[1]
    run = cli.add_run("runs/a", {"loss": [1.0]})
    assert next(line for line in cli.ok("runs").splitlines() if "runs/a" in line).split()[0] == run.id[:9]


# ---- values ----


def test_a_horizon_is_one_of_four(cli: Cli) -> None:
    """However it is spaced; given or edited; it may be emptied."""
    for kind in ("task", "goal"):
        assert "now, 24-48h, week, later" in cli.refused(kind, "x", "--horizon", "whenever")
        made = cli.keep(kind, "x", "--horizon", "24-48 H")
        assert cli.json("show", made)["horizon"] == "24-48h"
        assert "now, 24-48h, week, later" in cli.refused("edit", made, "horizon=soonish")
        cli.ok("edit", made, "horizon=")
        assert cli.json("show", made)["horizon"] == "" and len(cli.json("list", kind)) == 1


def test_a_session_begins_and_ends_at_a_date(cli: Cli) -> None:
    """With a time or without."""
    for option in ("--started", "--ended"):
        assert "2026-03-01T14:30" in cli.refused("session", "x", option, "yesterdayish")
    made = cli.keep("session", "x", "--started", "2026-03-01", "--ended", "2026-03-01T14:30")
    assert "not a date" in cli.refused("edit", made, "ended=soon")
    assert [one["ended"] for one in cli.json("list", "session")] == ["2026-03-01T14:30"]


def test_one_thing_decides_a_hypothesis(cli: Cli) -> None:
    """A run, a study or an experiment, and never two of them."""
    for more in (("--study", "sweep"), ("--experiment", "wide")):
        answer = cli("hypothesis", "x", "--predict", "loss < 1", "--run", "a", *more)
        assert answer.code == 2 and "exclude each other" in answer.err
    assert cli.json("list", "hypothesis") == []


def test_a_condition_may_be_a_date_and_the_help_says_so(cli: Cli) -> None:
    """Like the others."""
    assert '"until DATE"' in cli.ok("note", "--help")
    made = cli.keep("note", "x", "--valid-while", "until 2999-01-01")
    assert cli.json("show", made)["valid_while"]
