"""What the daemon keeps of a project besides its runs: read as it is written, written as it changes, exactly once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Neat, put_text, until


@pytest.fixture
def watched(neat: Neat) -> Iterator[Neat]:
    """A project that names a plan, notes, documents and a table, with a daemon that watches it."""
    config = neat.root / "neat.yaml"
    config.write_text(
        config.read_text() + "plan: PLAN.md\nnotes: [NOTES.md]\n"
        "documents: {handoff: docs/handoff.md, notes: docs/notes.md}\ntable_csv: docs/table.csv\n"
    )
    (neat.root / "PLAN.md").write_text("# Plan\n- [ ] write it\n- [ ] test it\n")
    (neat.root / "NOTES.md").write_text("# Key insights\n- batch 64 is too large for the card\n")
    neat.start()
    yield neat


def titles(neat: Neat, kind: str) -> dict[str, dict[str, Any]]:
    return {one["title"]: one for one in neat.json("neat", "list", kind)}


def text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_plan_and_notes_become_records_as_they_are_written(watched: Neat) -> None:
    """Within seconds, and an edit of either is followed."""
    until(lambda: "test it" in titles(watched, "task"), "the tasks of the plan")
    until(lambda: titles(watched, "insight"), "the insight of the notes")
    notes = watched.root / "NOTES.md"
    put_text(notes, notes.read_text() + "- the loader is the bottleneck\n")
    until(lambda: "the loader is the bottleneck" in titles(watched, "insight"), "the second insight")
    assert len(titles(watched, "insight")) == 2
    watched.call("neat", "close", titles(watched, "task")["write it"]["id"])
    until(lambda: "- [x] write it" in text(watched.root / "PLAN.md"), "the tick in the plan")


def test_documents_table_and_copy_are_kept_current(watched: Neat) -> None:
    """A decision and a run are in the handoff, the run in the table, the records in the plain-text copy."""
    watched.call("neat", "decide", "train on cubes", "--why", "they fit")
    watched.metrics("runs/a", {"step": 1, "val/loss": 2.0}, {"step": 2, "val/loss": 1.5})
    docs = watched.root / "docs"
    until(
        lambda: "train on cubes" in text(docs / "handoff.md") and "runs/a" in text(docs / "handoff.md"), "the handoff"
    )
    until(lambda: "runs/a" in text(docs / "table.csv"), "the table")
    project = watched.json("neat", "list", "decision")[0]["project_id"]
    copy = watched.home / "knowledge" / f"{project}.jsonl"
    until(lambda: "train on cubes" in text(copy), "the copy")
    assert all(json.loads(line) for line in text(copy).splitlines())


def test_a_file_that_neat_did_not_write_is_left_alone_and_said(watched: Neat) -> None:
    """One event names it; the other document is written."""
    config = watched.root / "neat.yaml"
    (watched.root / "mine.md").write_text("my own words\n")
    put_text(config, config.read_text().replace("handoff: docs/handoff.md", "handoff: mine.md"))
    event = watched.wait_for_event("documents-mistake")
    assert "mine.md" in event["message"]
    until(lambda: text(watched.root / "docs" / "notes.md"), "the other document")
    assert text(watched.root / "mine.md") == "my own words\n"


def test_a_test_run_without_neat_is_found_in_its_result_file(watched: Neat) -> None:
    """Once, also over a restart of the daemon."""
    put_text(
        watched.root / "junit.xml",
        '<testsuites><testsuite tests="3" failures="1" errors="0" skipped="0" time="1.5">'
        '<testcase classname="a" name="x"/><testcase classname="a" name="y"/>'
        '<testcase classname="a" name="z"><failure message="no"/></testcase></testsuite></testsuites>',
    )
    until(lambda: titles(watched, "test"), "the test run")
    watched.call("neatd", "restart")
    watched.call("neat", "note", "something else")
    until(lambda: "something else" in text(watched.root / "docs" / "handoff.md"), "the daemon's next look")
    (found,) = watched.json("neat", "list", "test")
    assert (found["passed"], found["failed"]) == (2, 1) and len(found["failing"]) == 1


def test_a_sandboxed_records_evidence_is_looked_up_when_it_is_taken_in(watched: Neat) -> None:
    """What could only be left as text gets its run, step and value."""
    watched.metrics("runs/a", {"step": 1, "val/loss": 2.0}, {"step": 2, "val/loss": 1.5})
    watched.wait_for_points("runs/a", "val/loss", 2)
    note = watched.json("neat", "note", "it learns")["id"]
    record = {
        "id": "n-" + "0" * 16,
        "title": "left outside",
        "source": "codex",
        "evidence": '[{"claim": "runs/a:val/loss@2"}]',
    }
    now = watched.json("neat", "show", note)["created_at"]
    inbox = watched.root / ".neat" / "inbox"
    inbox.mkdir()
    row = record | {"created_at": now, "updated_at": now}
    put_text(inbox / "n.json", json.dumps({"kind": "note", "row": row}))
    until(lambda: "left outside" in titles(watched, "note"), "the record")
    until(lambda: titles(watched, "note")["left outside"]["evidence"][0].get("value") == 1.5, "its evidence")
