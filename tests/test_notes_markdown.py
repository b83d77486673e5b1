"""Markdown as people write it, and the kinds that its headings, marks and fields tell."""

from __future__ import annotations

import pytest

from neatd.assist.notes.parse import Parsed, parse


def only(text: str, name: str = "notes.md") -> Parsed:
    """The one record of a text."""
    (record,) = parse(text, name).records
    return record


def kinds(text: str, name: str = "notes.md") -> list[tuple[str, object]]:
    return [(one.kind, one.fields["title"]) for one in parse(text, name).records]


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        ("## 🚀 Next steps", "task"),
        ("## What's left to build", "task"),
        ("### Key Decisions Made", "decision"),
        ("## Known Issues", "bug"),
        ("## Lessons Learned", "lesson"),
        ("## Open Questions", "challenge"),
        ("## Blockers", "challenge"),
        ("## Hypotheses to test", "hypothesis"),
        ("## Gotchas", "insight"),
        ("## Key Observations", "insight"),
        ("## Goals", "goal"),
        ("## User Preferences (Authoritative)", "preference"),
        ("## Code Style Guidelines", "style"),
        ("## Current Status", "assessment"),
        ("## Files Created This Session", "change"),
        ("## Services", "service"),
        ("## Datasets", "data"),
        ("## 3. Next Steps", "task"),
        ("Next steps\n----------", "task"),
        ("**Next steps:**", "task"),
        ("Next steps:", "task"),
        ("## Thoughts on cheese", "note"),
    ],
)
def test_a_heading_tells_the_kind_of_what_is_below_it(heading: str, kind: str) -> None:
    """Synonyms, emoji, numbers, underlines and bold lines are headings too; one that tells nothing leaves a note."""
    record = only(f"{heading}\n\n- the words below it\n")
    assert record.kind == kind and record.fields["title"] == "the words below it"
    assert record.lines[0] == 1


@pytest.mark.parametrize(
    "heading", ["## Fixed the decision tree of the loader", "## Error handling in the task queue of Celery workers"]
)
def test_a_heading_that_has_a_word_of_a_kind_by_chance_tells_nothing(heading: str) -> None:
    """A wrong kind is worse than a note: most words have to be understood."""
    assert only(f"{heading}\n\nWords about it.\n").kind == "note"


def test_the_nearest_heading_that_tells_something_wins() -> None:
    """A sub-heading without meaning leaves the kind to its parent and is what the record is about."""
    text = "## Insights\n\n### Loader\n- slow disks\n\n### Next steps\n- cache it\n"
    first, second = parse(text, "notes.md").records
    assert (first.kind, first.fields["component"], first.section) == ("insight", "Loader", "Insights / Loader")
    assert second.kind == "task"


@pytest.mark.parametrize(
    ("item", "status", "title"),
    [
        ("- [ ] open it", "open", "open it"),
        ("- [x] close it", "done", "close it"),
        ("- [~] on it", "in progress", "on it"),
        ("- ~~strike it~~", "done", "strike it"),
        ("1. tick it ✅", "done", "tick it ✅"),
        ("- ✅ tick first", "done", "tick first"),
        ("- 🔄 turn it", "in progress", "turn it"),
        ("- say it (done)", "done", "say it (done)"),
        ("- plain", "open", "plain"),
        ("- 🚫 held", "blocked", "held"),
        ("- [-] not any more", "dropped", "not any more"),
    ],
)
def test_marks_of_an_item_say_how_a_task_stands(item: str, status: str, title: str) -> None:
    """Boxes, strikes, ticks and words at the end."""
    record = only(f"## Tasks\n{item}\n")
    assert record.fields["status"] == status
    assert str(record.fields["title"]).rstrip(" ✅") == title.rstrip(" ✅")


def test_boxes_below_a_box_are_tasks_of_their_own_that_know_their_parent() -> None:
    """Plans nest; every other nested item is a part of its parent."""
    first, second = parse("## Plan\n- [ ] big\n  - a remark\n  - [x] small\n", "notes.md").records
    assert first.fields == {"title": "big", "body": "- a remark", "status": "open"}
    assert (second.fields["status"], second.parent, second.lines) == ("done", first.key, (4,))


def test_a_bug_takes_cause_fix_follow_up_files_and_measures_from_what_is_nested() -> None:
    """What no field takes stays in the body as it is written."""
    record = only(
        "## Bugs\n- RAM grows (50GB → 15GB)\n  - **Root cause:** a list\n  - Fix: a generator\n  - Files: `a.py`, `b/c.py`\n"
        "  - TODO: watch it\n  - seen on Monday\n"
    )
    assert record.fields == {
        "title": "RAM grows (50GB → 15GB)",
        "cause": "a list",
        "fix": "a generator",
        "file": ("a.py", "b/c.py"),
        "follow_up": "watch it",
        "before": "50GB",
        "after": "15GB",
        "status": "fixed",
        "body": "- seen on Monday",
    }


ADR = """\
---
status: superseded by ADR-0005
date: 2024-03-01
---

# Use one table

## Context and Problem Statement

Two tables drifted apart.

## Considered Options

* one table
* two tables

## Decision Outcome

One table, because it cannot drift.

### Consequences

* Good, because simple
"""
FIELDED = """\
# Decision Log

This file holds what was decided.

### 2025-01-02 - Use one table
**Context:** two tables drifted apart
**Decision:** one table
**Rationale:** it cannot drift
**Alternatives Considered:**
- two tables
**Status:** Accepted
"""


def test_an_adr_is_one_decision_with_its_fields() -> None:
    """Front matter, context, options and consequences of a MADR file."""
    record = only(ADR, "docs/adr/0001-table.md")
    assert record.kind == "decision" and record.fields["title"] == "Use one table"
    assert record.fields["status"] == "superseded" and record.fields["context"] == "Two tables drifted apart."
    assert record.fields["alternative"] == ("one table", "two tables")
    assert "One table, because it cannot drift." in str(record.fields["body"]) and len(record.lines) == 14


def test_a_decision_log_gives_a_decision_an_entry() -> None:
    """Its fields are those in bold; what the file says of itself is a document."""
    document, entry = parse(FIELDED, "decisions.md").records
    assert document.kind == "document" and entry.kind == "decision"
    assert (entry.fields["context"], entry.fields["why"]) == ("two tables drifted apart", "it cannot drift")
    assert entry.fields["alternative"] == ("two tables",) and entry.fields["status"] == "accepted"


def test_a_line_with_fields_below_it_is_one_decision() -> None:
    """Logs that are kept without headings."""
    text = "# Decision Log\n\n[2025-01-03] - Use SQLite\n- **Context:** no server\n- **Rationale:** one file\n"
    entry = only(text, "decisions.md")
    assert (entry.fields["context"], entry.fields["why"], entry.lines) == ("no server", "one file", (1, 3, 4, 5))


def test_an_experiment_under_a_heading_takes_its_parameters_and_its_best_metric() -> None:
    """Validation counts before training; tasks inside it are tasks."""
    text = (
        "## Experiments\n\n### EXP-3: small lr\n**Configuration**:\n- LR: 1e-4\n- layers: 6\n\n"
        "**Results**:\n```\nTrain loss: 1.20\nVal loss: 1.31\n```\n"
        "\n**Next steps**:\n- [ ] try 3e-5\n"
    )
    trial, task = parse(text, "log.md").records
    assert (trial.kind, trial.fields["metric"], trial.fields["value"]) == ("experiment", "Val loss", 1.31)
    assert trial.fields["params"] == {"LR": 0.0001, "layers": 6}
    assert (task.kind, task.fields["title"]) == ("task", "try 3e-5")


def test_commands_of_a_fence_keep_what_they_are_for_and_stay_whole() -> None:
    """Comments, line ends with a backslash, heredocs and variables set above."""
    text = (
        "## Commands\n```bash\n# Train it\npython train.py \\\n  --lr 1\nmake test  # all of it\n"
        "cat <<EOF\nx\nEOF\nGPUS=8\n./run.sh $GPUS\n```\n"
    )
    found = [
        (one.fields["title"], one.fields.get("about"), one.fields.get("body"))
        for one in parse(text, "notes.md").records
    ]
    assert found == [
        ("python train.py", "Train it", "python train.py \\\n  --lr 1"),
        ("make test", "all of it", None),
        ("cat <<EOF", None, "cat <<EOF\nx\nEOF"),
        ("./run.sh $GPUS", None, "GPUS=8\n./run.sh $GPUS"),
    ]


def test_a_file_for_assistants_keeps_rules_and_knowledge_apart() -> None:
    """Where no heading tells, an order is a rule and a statement is an insight that stays."""
    text = "# CLAUDE.md\n\n## The Loader\n\n- Never read a file twice\n- It keeps an index of offsets\n"
    assert kinds(text, "CLAUDE.md") == [
        ("preference", "Never read a file twice"),
        ("insight", "It keeps an index of offsets"),
    ]


def test_a_changelog_gives_changes_with_their_version() -> None:
    """Whatever its headings are called."""
    records = parse("# Changelog\n\n## [1.2.0] - 2024-05-01\n\n### Fixed\n- a crash\n", "CHANGELOG.md").records
    assert [(one.kind, one.fields["title"], one.fields["tags"]) for one in records] == [
        ("change", "a crash", ("1.2.0",))
    ]


def test_a_test_section_without_failures_and_one_with_names_of_them() -> None:
    """Counts in either order."""
    good = only("## Test Status\n- All tests passing: 365 passed, 2 skipped in 3.2s\n")
    assert (good.fields["passed"], good.fields["failed"], good.fields["skipped"], good.fields["seconds"]) == (
        365,
        0,
        2,
        3.2,
    )
    bad = only("## Test Results\n- `pytest -q`: 41 passed, 1 failed\n- Failing: tests/test_a.py::test_x\n")
    assert (bad.fields["passed"], bad.fields["failed"], bad.fields["failing"]) == (41, 1, ("tests/test_a.py::test_x",))


def test_placeholders_and_comments_are_notes_and_neats_own_block_is_not_read() -> None:
    """What a template left, and what records made."""
    notes = parse(
        "## Tasks\n- [List what is left]\n<!-- fill this in -->\n<!-- neat:begin -->\nours\n<!-- neat:end -->\n",
        "notes.md",
    )
    assert [one.kind for one in notes.records] == ["note", "note"]
    assert [line for line, _ in notes.unplaced] == [4, 5, 6]


def test_nothing_found_is_stated_and_is_no_record_of_that_kind() -> None:
    """ "None" under blockers is how things stand."""
    assert kinds("## Blockers\n- None\n") == [("assessment", "Blockers: None")]


def test_rows_of_other_tables_are_records_of_the_sections_kind() -> None:
    """Columns named as a field fill it, the state column the status; owners and dates stay in the body."""
    text = "## Tasks\n| ID | Task | Owner | Status |\n|--|--|--|--|\n| 1 | Write it | ann | in progress |\n"
    task = only(text)
    assert task.fields == {"title": "Write it", "body": "Owner: ann", "status": "in progress"} and task.lines == (
        1,
        2,
        3,
        4,
    )
    change = only("## Memory Entities Updated\n| Entity | Status |\n|--|--|\n| `Study_A` | Updated |\n")
    assert (change.kind, change.fields["status"]) == ("change", "done")
