"""Records on the command line: kept, listed, found, changed, closed, each change in their history."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from neatd.knowledge import RECORD_KINDS
from tests.cli_place import Cli

ALL_OF_EACH = {
    "note": ("note", "val loss stops falling", "--tag", "loss", "--tag", "plateau"),
    "decision": ("decide", "128 cubed", "--why", "160 does not fit", "--context", "16 GB", "--alternative", "160, batch 1",
                 "--alternative", "96", "--implication", "less context"),
    "hypothesis": ("hypothesis", "topology helps", "--predict", "val/dice > 0.20", "--run", "topo"),
    "bug": ("bug", "out of memory", "--cause", "all at once", "--fix", "lazily", "--follow-up", "test it"),
    "task": ("task", "run the sweep", "--horizon", "week", "--phase", "6A"),
    "insight": ("insight", "decay slower", "--component", "memory", "--phase", "1.1", "--forever"),
    "preference": ("prefer", "tests first", "--about", "development"),
    "phase": ("phase", "6A", "--status", "HPO running"),
    "machine": ("machine", "node", "--host", "root@192.0.2.1", "--port", "22", "--key", "~/.ssh/x", "--gpu", "A100",
                "--driver", "550.9", "--provider", "Acme", "--memory", "58 GB"),
    "command": ("command", "make test", "--about", "all tests"),
    "style": ("style", "absolute imports", "--about", "imports"),
    "document": ("document", "docs/plan.md", "--status", "approved", "--must-read"),
    "assessment": ("assessment", "the data holds", "--component", "data", "--phase", "2"),
    "lesson": ("lesson", "a lock needs a timeout", "--phase", "2.1"),
    "challenge": ("challenge", "one rate for all", "--phase", "2.2"),
    "goal": ("goal", "beat it", "--horizon", "later"),
    "experiment": ("experiment", "wide", "--metric", "val/loss", "--value", "0.3081", "--params", "d=768", "--params",
                   "act=gelu", "--run", "runs/wide"),
    "change": ("change", "in chunks", "--before", "50 GB", "--after", "15 GB", "--file", "train.py", "--file", "a.py"),
    "service": ("service", "memory API", "--url", "http://localhost:8081", "--about", "RAM"),
    "session": ("session", "sweep analysed", "--started", "2026-03-01", "--ended", "2026-03-02", "--assistant", "codex",
                "--file", "x.py"),
}  # fmt: skip
HELD = {
    "note": {"title": "val loss stops falling", "tags": ["loss", "plateau"], "status": "open"},
    "decision": {"why": "160 does not fit", "context": "16 GB", "alternative": ["160, batch 1", "96"],
                 "implication": ["less context"], "supersedes": ""},
    "hypothesis": {"predict": "val/dice > 0.20", "run": "topo", "verdict": ""},
    "bug": {"cause": "all at once", "fix": "lazily", "follow_up": "test it", "status": "fixed"},
    "task": {"title": "run the sweep", "after": "", "position": 0.0, "horizon": "week", "phase": "6A"},
    "insight": {"component": "memory", "phase": "1.1", "forever": True},
    "preference": {"about": "development"},
    "phase": {"title": "6A", "status": "HPO running"},
    "machine": {"host": "root@192.0.2.1", "port": "22", "key": "~/.ssh/x", "gpu": "A100", "driver": "550.9",
                "provider": "Acme", "memory": "58 GB"},
    "command": {"title": "make test", "about": "all tests"},
    "style": {"about": "imports"},
    "document": {"path": "docs/plan.md", "status": "approved", "must_read": True},
    "assessment": {"component": "data", "phase": "2"},
    "lesson": {"phase": "2.1"},
    "challenge": {"phase": "2.2"},
    "goal": {"horizon": "later"},
    "experiment": {"metric": "val/loss", "value": 0.3081, "params": {"d": 768, "act": "gelu"}, "run": "runs/wide"},
    "change": {"before": "50 GB", "after": "15 GB", "file": ["train.py", "a.py"]},
    "service": {"url": "http://localhost:8081", "about": "RAM"},
    "session": {"started": "2026-03-01", "ended": "2026-03-02", "assistant": "codex", "file": ["x.py"]},
}  # fmt: skip


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def titles(cli: Cli, kind: str) -> list[str]:
    return [one["title"] for one in cli.json("list", kind)]


@pytest.mark.parametrize("kind", ALL_OF_EACH)
def test_a_record_keeps_what_its_options_say(cli: Cli, kind: str) -> None:
    """`neat list KIND --json` names each field as its option, with a list where an option may be given again."""
    made = cli.json(*ALL_OF_EACH[kind])
    (found,) = cli.json("list", kind)
    assert made == {"id": found["id"], "kind": kind, "inbox": None}
    assert found | HELD[kind] == found
    assert set(found) == {*RECORD_KINDS[kind].model_fields, "stale"} and found["stale"] == ""


def test_a_record_says_who_where_and_when(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """An assistant is known by its environment; times are UTC."""
    monkeypatch.setenv("CLAUDECODE", "1")
    cli.ok("note", "x")
    (found,) = cli.json("list", "note")
    assert found["source"] == "claude-code" and found["worktree"] == str(cli.root)
    assert found["created_at"].endswith("+00:00") and found["created_at"] == found["updated_at"]


def test_a_kept_record_says_an_id_that_finds_it(cli: Cli) -> None:
    """What is printed can be typed."""
    kind, prefix, _ = cli.ok("note", "several", "words").split()
    assert cli.json("show", prefix)["title"] == "several words" and kind == "note"


@pytest.mark.parametrize("words", [("note", ""), ("decide", " \n "), ("task", "", " ")])
def test_a_record_without_words_is_refused(cli: Cli, words: tuple[str, ...]) -> None:
    """An empty shell variable does not become an empty record."""
    assert "without words" in cli.refused(*words)
    assert cli.json("list") == []


def test_list_without_a_kind_holds_all_kinds(cli: Cli) -> None:
    """Each with its kind."""
    for words in ALL_OF_EACH.values():
        cli.ok(*words)
    assert [one["kind"] for one in cli.json("list")] == [kind for kind in RECORD_KINDS if kind in ALL_OF_EACH]


def test_list_shows_every_status_and_open_leaves_the_closed_out(cli: Cli) -> None:
    """--json is all records of every status; --open is for reading."""
    done = cli.keep("task", "first")
    cli.ok("task", "second")
    cli.ok("close", done)
    assert [(one["title"], one["status"]) for one in cli.json("list", "task")] == [
        ("first", "done"),
        ("second", "open"),
    ]
    assert [one["title"] for one in cli.json("list", "task", "--open")] == ["second"]


def test_an_unknown_kind_names_the_kinds(cli: Cli) -> None:
    """In list and in search."""
    for words in (("list", "idea"), ("search", "x", "--kind", "idea")):
        error = cli.refused(*words)
        assert "no kind 'idea'" in error and "hypothesis" in error


def test_a_table_shows_titles_as_they_are(cli: Cli) -> None:
    """Brackets, emoji names and backslashes are a person's words, not markup."""
    cli.ok("note", r"use [bold]x[/bold] :x: C:\[dir] list[int]")
    assert r"use [bold]x[/bold] :x: C:\[dir] list[int]" in cli.ok("list", "note")


def test_tasks_stand_in_their_order(cli: Cli) -> None:
    """A new task comes last, --top first, --after behind the one it names."""
    first = cli.keep("task", "first")
    cli.ok("task", "last")
    cli.ok("task", "top", "--top")
    between = cli.keep("task", "between", "--after", first[:8])
    cli.ok("task", "nearer", "--after", first)
    assert titles(cli, "task") == ["top", "first", "nearer", "between", "last"]
    assert {one["title"]: one["after"] for one in cli.json("list", "task")}["between"] == first
    cli.ok("edit", between, "position=-5")
    assert titles(cli, "task")[0] == "between"


def test_after_an_unknown_task_keeps_nothing(cli: Cli) -> None:
    """The error names the id, and no half record stays."""
    assert "no task with the id 't-zzzz'" in cli.refused("task", "x", "--after", "t-zzzz")
    assert cli.json("list", "task") == []


def test_a_new_decision_supersedes_the_old(cli: Cli) -> None:
    """Both stay; the old one's status says so, in its history too, and the new one names it by its whole id."""
    old = cli.keep("decide", "160 cubed")
    new = cli.keep("decide", "128 cubed", "--supersedes", old[:8])
    shown = cli.json("show", old)
    assert shown["status"] == "superseded" and cli.json("show", new)["supersedes"] == old
    assert [(one["field"], one["old"], one["new"]) for one in shown["history"]] == [
        ("created", None, "160 cubed"),
        ("status", "open", "superseded"),
    ]
    assert "no decision" in cli.refused("decide", "x", "--supersedes", "d-zzzz")


def test_a_prediction_that_is_none_keeps_no_hypothesis(cli: Cli) -> None:
    """It is refused when it is written, or changed, and not when the run ends."""
    assert "not a prediction" in cli.refused("hypothesis", "x", "--predict", "it gets better")
    made = cli.keep("hypothesis", "x")
    assert "not a prediction" in cli.refused("edit", made, "predict=better")
    assert [one["predict"] for one in cli.json("list", "hypothesis")] == [""]


def test_editing_keeps_the_old_values(cli: Cli) -> None:
    """The history holds who, field, old and new of each change, oldest first."""
    made = cli.keep("decide", "x", "--why", "old reason")
    cli.ok("edit", made[:8], "why=new = reason", "tags=a, b", "alternative=one, two", "alternative=three")
    found = cli.json("show", made)
    assert (found["why"], found["tags"], found["alternative"]) == ("new = reason", ["a", "b"], ["one, two", "three"])
    why = next(one for one in found["history"] if one["field"] == "why")
    assert (why["who"], why["old"], why["new"]) == ("person", "old reason", "new = reason")
    assert found["updated_at"] > found["created_at"]


@pytest.mark.parametrize("change", ["colour=red", "why", "id=d-1", "created_at=now", "=x"])
def test_editing_what_is_no_field_is_refused(cli: Cli, change: str) -> None:
    """The fields that there are are named; a good change beside it is not made either."""
    made = cli.keep("decide", "x")
    assert "implication" in cli.refused("edit", made, "why=good", change)
    assert cli.json("show", made)["why"] == ""


@pytest.mark.parametrize("position", ["first", "nan", "inf", ""])
def test_a_position_is_a_number(cli: Cli, position: str) -> None:
    """Text, NaN and infinity would break the order."""
    made = cli.keep("task", "x")
    assert "not a number" in cli.refused("edit", made, f"position={position}")


def test_runs_and_events_are_not_edited_or_closed(cli: Cli) -> None:
    """What a run is comes from its files."""
    run = cli.add_run("runs/a", {"loss": [1.0]})
    for words in (("edit", run.id, "status=finished"), ("close", run.id)):
        assert "by hand" in cli.refused(*words)
    assert cli.json("show", run.id)["status"] == "finished" and cli.json("show", run.id)["reason"] == "exit code 0"


@pytest.mark.parametrize(
    ("kind", "status"), [("note", "closed"), ("decision", "closed"), ("bug", "fixed"), ("task", "done")]
)
def test_closing_ends_a_record_and_keeps_how(cli: Cli, kind: str, status: str) -> None:
    """The outcome is added to the body; the history holds both changes."""
    made = cli.keep(*ALL_OF_EACH[kind][:2])
    assert cli.json("close", made[:8], "--outcome", "342 tests pass")["status"] == status
    found = cli.json("show", made)
    assert found["body"] == "342 tests pass"
    assert {one["field"] for one in found["history"]} == {"created", "status", "body"}


def test_show_takes_a_run_by_name(cli: Cli) -> None:
    """Ids by their beginning, runs by name too."""
    run = cli.add_run("runs/baseline", {"loss": [1.0]})
    for word in (run.id[:9], "runs/baseline", "baseline"):
        assert cli.json("show", word)["id"] == run.id


def test_ids_are_taken_by_a_prefix_that_is_theirs_alone(cli: Cli) -> None:
    """A prefix of several is refused with all of them; one of none says where ids are shown."""
    ids = [cli.keep("note", str(number)) for number in range(40)]
    assert all(cli.json("show", one[:8])["id"] == one for one in ids if sum(o.startswith(one[:8]) for o in ids) == 1)
    assert "begins several ids" in cli.refused("show", "n-")
    assert "`neat list note`" in cli.refused("show", "n-zzzzzzzzzz")
    assert "is not an id" in cli.refused("show", "nonsense")


def test_the_shown_id_has_nine_characters_and_is_unique(cli: Cli) -> None:
    """What list prints can be typed into show, and stands straight below the others."""
    cli.ok("note", "first one")
    shown = next(line for line in cli.ok("list").splitlines() if "first one" in line).split()[0]
    assert len(shown) == 9 and cli.json("show", shown)["title"] == "first one"


def hits(cli: Cli, *query: str) -> list[str]:
    return sorted(hit["title"] for hit in json.loads(cli.ok("search", *query, "--json")))


def test_search_finds_words_by_their_beginning(cli: Cli) -> None:
    """Every word must occur, in the title or in any text field, the last letters may be missing."""
    cli.ok("note", "memory leak in the loader")
    cli.ok("bug", "slow start", "--cause", "the loader leaks memory")
    cli.ok("note", "memory is fine")
    assert hits(cli, "mem", "leak") == ["memory leak in the loader", "slow start"]
    assert hits(cli, "mem") == ["memory is fine", "memory leak in the loader", "slow start"]
    assert hits(cli, "mem", "leak", "--kind", "bug") == ["slow start"]
    assert hits(cli, "absent") == []


def test_search_finds_phrases_in_quotes(cli: Cli) -> None:
    """Words in double quotes must stand together."""
    cli.ok("note", "lazy loading of volumes")
    cli.ok("note", "loading is lazy")
    assert hits(cli, '"lazy loading"') == ["lazy loading of volumes"]
    assert len(hits(cli, "lazy loading")) == 2


@pytest.mark.parametrize(
    "query", ['"', '""', "*", "a AND", "NOT", "title:x", "(", "a-b", "'", "^x", "NEAR(a b)", "-", "\0"]
)
def test_search_takes_any_text(cli: Cli, query: str) -> None:
    """What has a meaning to SQLite has none to a person."""
    cli.ok("note", "plain")
    cli.ok("search", "--", query)


def test_search_sees_changes_and_only_this_project(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edited record is found by its new words; another project's only with --all-projects."""
    made = cli.keep("note", "alpha")
    cli.ok("edit", made, "title=beta")
    assert hits(cli, "alpha") == [] and hits(cli, "beta") == ["beta"]
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.chdir(other)
    cli.init()
    assert hits(cli, "beta") == [] and hits(cli, "beta", "--all-projects") == ["beta"]
