"""Records as the page shows them: what nothing vouches for, the runs they name, what they are tied to; and what is allowed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from neatd.pipeline.consents import MEANINGS, consent_shapes
from neatd.pipeline.recordlist import Asked
from neatd.pipeline.recordshown import project_of, record_list, record_page
from neatd.pipeline.stores import open_stores
from neatd.place import here
from neatd.store import projects
from tests.cli_place import Cli


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def shown(cli: Cli, word: str = "", **asked: Any) -> Any:
    """All records by their title; or one, by its id."""
    now = datetime.now(UTC)
    with open_stores(cli.home, here()) as stores:
        known = (stores.records, stores.points, stores.project, stores.config)
        if word:
            assert project_of(stores.records, word) == stores.project.id
            return record_page(*known, word, now)
        return {one["title"]: one for one in record_list(*known, Asked(**asked), now, 100)}


def test_numbers_without_evidence_are_named_by_their_field(cli: Cli) -> None:
    """A measured number in a note or a reason; none in a task, which only plans, and none that evidence has."""
    run = cli.add_run("runs/a", {"val/loss": [3.0, 0.25]})
    cli.ok("note", "the loss fell to 0.731")
    cli.ok("decide", "Clip", "--why", "it took 12.5 GB")
    cli.ok("task", "reach 0.5 % error")
    cli.ok("note", "the loss fell to 0.25", "--evidence", "runs/a:val/loss@2")
    found = shown(cli)
    assert found["the loss fell to 0.731"]["unverified"] == ["title"] and found["Clip"]["unverified"] == ["why"]
    proven = found["the loss fell to 0.25"]
    assert proven["unverified"] == found["reach 0.5 % error"]["unverified"] == []
    assert proven["run_names"] == {run.id: "runs/a"}


def test_a_named_run_is_found_as_the_verdict_finds_it(cli: Cli) -> None:
    """By its name, the last part of it, or the beginning of its id; one that is not there yet by nothing."""
    run = cli.add_run("runs/wide", {"val/loss": [1.0]})
    for title, word in (
        ("name", "runs/wide"),
        ("part", "wide"),
        ("id", run.id[:8]),
        ("none", "runs/later"),
        ("other", "ide"),
    ):
        cli.ok("hypothesis", title, "--predict", "val/loss < 2", "--run", word)
    ids = {title: one["run_id"] for title, one in shown(cli, kind="hypothesis").items()}
    assert ids == {"name": run.id, "part": run.id, "id": run.id, "none": None, "other": None}


def test_a_record_tells_what_it_is_tied_to(cli: Cli) -> None:
    """What it supersedes and by what it was, what is linked, each by its title; and its history."""
    old = cli.keep("decide", "Clip at 1.0")
    new = cli.keep("decide", "Clip at 0.5", "--supersedes", old)
    note = cli.keep("note", "seen")
    cli.ok("link", note, "explains", new)
    found = shown(cli, new)
    assert found["linked"][old] == {"id": old, "kind": "decision", "title": "Clip at 1.0", "status": "superseded"}
    assert found["linked"][note]["title"] == "seen" and found["history"][0]["field"] == "created"
    assert shown(cli, old)["superseded_by"] == [new] and shown(cli, old)["linked"][new]["title"] == "Clip at 0.5"


def test_addresses_are_shown_where_that_is_allowed(cli: Cli) -> None:
    """A host is neither in the list nor in the record or its history, until `neat allow addresses`."""
    box = cli.keep("machine", "box", "--host", "ada@10.1.2.3", "--gpu", "A100")
    assert "10.1.2.3" not in str(shown(cli)) + str(shown(cli, box)) and "A100" in str(shown(cli, box))
    cli.ok("allow", "addresses")
    assert shown(cli, box)["host"] == shown(cli)["box"]["host"] == "ada@10.1.2.3"


def test_consents_say_what_to_type(cli: Cli) -> None:
    """Each that there is, with the command that gives it; one that was given with the command that takes it back."""
    assert set(MEANINGS) == set(projects.CONSENTS)
    drop = cli.root.parent / "a drop"
    drop.mkdir(mode=0o700)
    cli.ok("allow", "retention")
    cli.ok("allow", "jobs", "--folder", str(drop))
    with open_stores(cli.home, here()) as stores:
        found = {one["what"]: one for one in consent_shapes(stores.records, cli.root)}
    assert found["retention"]["type"] == "neat allow retention --revoke" and found["retention"]["since"]
    assert found["stop"] == {"what": "stop", "meaning": MEANINGS["stop"], "since": None, "type": "neat allow stop"}
    assert found["jobs"]["type"] == f"neat allow jobs --folder '{drop.resolve()}' --revoke"
