"""Records on the command line beyond keeping: deleted and brought back, linked, superseded, edited, phases, subtasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from neatd.kinds import KINDS
from tests.cli_place import Cli


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def titles(cli: Cli, *words: str) -> list[str]:
    return [one["title"] for one in cli.json(*words)]


def test_a_deleted_record_is_in_no_list_and_no_search(cli: Cli) -> None:
    """It can be shown, listed as deleted, and brought back."""
    gone = cli.keep("note", "wrong thought")
    assert cli.json("delete", gone) == [{"kind": "note", "id": gone, "changed": True}]
    assert titles(cli, "list", "note") == titles(cli, "search", "thought") == []
    assert titles(cli, "list", "note", "--deleted") == ["wrong thought"]
    assert "(deleted)" in cli.ok("show", gone)
    assert cli.json("delete", gone)[0]["changed"] is False
    cli.ok("delete", "--undo", gone)
    assert titles(cli, "list", "note") == titles(cli, "search", "thought") == ["wrong thought"]
    assert [one["field"] for one in cli.json("show", gone)["history"]] == ["created", "deleted_at", "restored_at"]


def test_a_deleted_record_is_not_in_the_brief(cli: Cli) -> None:
    """What was taken back is told to nobody."""
    gone = cli.keep("decide", "use the wrong loss")
    assert "use the wrong loss" in cli.ok("brief")
    cli.ok("delete", gone)
    assert "use the wrong loss" not in cli.ok("brief")


def test_a_link_is_shown_from_both_ends_and_taken_back(cli: Cli) -> None:
    """Once, however often it is made; its history stays."""
    a, b = cli.keep("bug", "leak"), cli.keep("task", "mend the leak")
    assert cli.json("link", b, "mends", a)["changed"] is True
    assert cli.json("link", b, "mends", a)["changed"] is False
    assert cli.json("show", a)["links"] == cli.json("show", b)["links"] == [{"a": b, "relation": "mends", "b": a}]
    cli.ok("link", b, "mends", a, "--remove")
    assert cli.json("show", a)["links"] == []
    assert [one["field"] for one in cli.json("show", b)["history"]] == ["created", "link", "link"]


def test_what_supersedes_ends_the_other(cli: Cli) -> None:
    """By the option of a decision and by a link between any two records."""
    old = cli.keep("decide", "lr 1e-3")
    cli.ok("decide", "lr 3e-4", "--supersedes", old)
    first, second = cli.keep("insight", "slow"), cli.keep("insight", "slow on disk only")
    cli.ok("link", second, "supersedes", first)
    assert cli.json("show", old)["status"] == cli.json("show", first)["status"] == "superseded"
    assert titles(cli, "list", "insight", "--open") == ["slow on disk only"]


def test_a_link_to_itself_or_without_a_word_is_refused(cli: Cli) -> None:
    """Two different records and a word between them."""
    one = cli.keep("note", "x")
    assert "two different records" in cli.refused("link", one, "is", one)


def test_a_phase_of_the_same_name_is_the_same_phase(cli: Cli) -> None:
    """Its status changes and the old one is in the history."""
    first = cli.keep("phase", "6A", "--status", "planned")
    assert cli.keep("phase", "6A", "--status", "HPO running") == first
    (found,) = cli.json("list", "phase")
    assert found["status"] == "HPO running"
    assert [one["old"] for one in cli.json("show", first)["history"]] == [None, "planned"]


def test_a_subtask_knows_its_parent_by_any_unique_beginning(cli: Cli) -> None:
    """What is kept is the whole id."""
    parent = cli.keep("task", "1.4")
    cli.ok("task", "1.4.2", "--parent", parent[:7], "--horizon", "now")
    child = next(one for one in cli.json("list", "task") if one["title"] == "1.4.2")
    assert (child["parent"], child["horizon"]) == (parent, "now")
    assert "no task with the id" in cli.refused("task", "x", "--parent", "t-zzzz")


def test_every_field_of_every_kind_can_be_edited(cli: Cli) -> None:
    """As FIELD=VALUE, by the type of the field; what the old value was is told."""
    values = {"text": "new words", "list": "one", "flag": "yes", "number": "7", "json": "lr=0.1"}
    held = {"text": "new words", "list": ["one"], "flag": True, "number": 7, "json": {"lr": 0.1}}
    for kind in ("insight", "bug", "experiment", "machine", "document", "task"):
        record = cli.keep(kind, "x")
        for field in KINDS[kind].fields:
            if field.name in ("parent", "after"):
                continue
            given, kept = ("later", "later") if field.name == "horizon" else (values[field.type], held[field.type])
            cli.ok("edit", record, f"{field.name}={given}")
            assert cli.json("show", record)[field.name] == kept, field
        assert {one["field"] for one in cli.json("show", record)["history"]} >= {"created"}


def test_a_flag_and_a_number_take_nothing_else(cli: Cli) -> None:
    """The error says what may be written."""
    record = cli.keep("insight", "x")
    assert "not a number" in cli.refused("edit", record, "forever=perhaps")
    assert "not a field of a insight" in cli.refused("edit", record, "why=because")


def test_lists_and_parameters_may_be_given_again(cli: Cli) -> None:
    """Together they replace what was there."""
    record = cli.keep("experiment", "x", "--params", "a=1")
    cli.ok("edit", record, "params=b=2", "params=c=x y")
    assert cli.json("show", record)["params"] == {"b": 2, "c": "x y"}


def test_without_fields_the_editor_opens(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each line that was changed is a change; the others are left alone."""
    editor = tmp_path / "editor.sh"
    editor.write_text('#!/bin/sh\nsed -i \'s/^why: ""/why: "it fits"/; s/^tags: .*/tags: ["a", "b"]/\' "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.delenv("VISUAL", raising=False)
    record = cli.keep("decide", "x")
    cli.ok("edit", record)
    found = cli.json("show", record)
    assert (found["why"], found["tags"], found["title"]) == ("it fits", ["a", "b"], "x")


def test_an_experiment_takes_numbers_where_they_are_numbers(cli: Cli) -> None:
    """Parameters by name; a value that is none of a number is refused."""
    cli.ok(
        "experiment", "wide", "--value", "0.3081", "--params", "d=768", "--params", "ratio=0.5", "--params", "act=gelu"
    )
    (found,) = cli.json("list", "experiment")
    assert found["value"] == 0.3081 and found["params"] == {"d": 768, "ratio": 0.5, "act": "gelu"}
    assert "not a parameter" in cli.refused("experiment", "x", "--params", "lr")
    assert "not a number" in cli.refused("experiment", "x", "--value", "nan")
    assert cli("experiment", "x", "--value", "much").code == 2


def test_search_narrows_by_what_stands_beside_the_words(cli: Cli) -> None:
    """kind, status, tag, branch, since; a filter alone lists the newest."""
    cli.ok("note", "loss falls", "--tag", "plateau")
    cli.ok("decide", "loss is clipped")
    ended = cli.keep("task", "plot the loss")
    cli.ok("close", ended)
    assert set(titles(cli, "search", "loss")) == {"loss falls", "loss is clipped", "plot the loss"}
    assert titles(cli, "search", "loss kind:decision") == ["loss is clipped"]
    assert titles(cli, "search", "loss", "tag:plateau") == titles(cli, "search", "tag:plateau") == ["loss falls"]
    assert titles(cli, "search", "loss", "status:done") == titles(cli, "search", "status:closed") == ["plot the loss"]
    assert set(titles(cli, "search", "status:open")) == {"loss falls", "loss is clipped"}
    assert (
        len(titles(cli, "search", "loss", "since:1h")) == 3 and titles(cli, "search", "loss", "since:2999-01-01") == []
    )
    assert titles(cli, "search", "loss", "branch:other") == []
    assert titles(cli, "search", '"the loss"') == ["plot the loss"]
    assert "not a time" in cli.refused("search", "since:soon")
    assert "not a time" in cli.refused("search", "since:999999w")
    assert "no kind" in cli.refused("search", "kind:thought")


def test_a_closed_task_ticks_the_plan_and_a_new_box_is_a_task(cli: Cli) -> None:
    """Without a daemon: the commands that show and end tasks look at the plan file."""
    plan = cli.root / "PLAN.md"
    plan.write_text("# Plan\n- [ ] write it\n- [ ] test it\n")
    config = cli.root / "neat.yaml"
    config.write_text(config.read_text() + "plan: PLAN.md\n")
    tasks = {one["title"]: one for one in cli.json("list", "task")}
    assert set(tasks) == {"write it", "test it"}
    cli.ok("close", tasks["write it"]["id"])
    assert plan.read_text() == "# Plan\n- [x] write it\n- [ ] test it\n"


def test_a_plan_that_is_missing_does_not_stop_the_list(cli: Cli) -> None:
    """It is said beside the answer."""
    config = cli.root / "neat.yaml"
    config.write_text(config.read_text() + "plan: NONE.md\n")
    answer = cli("list", "task", "--json")
    assert answer.code == 0 and answer.out == "[]\n" and "cannot be read" in answer.err
