"""When a record was written, as the text tells it."""

from __future__ import annotations

import pytest

from neatd.assist.notes.parse import Parsed, parse


def dates(text: str, name: str = "notes.md") -> list[str]:
    """The date of each record."""
    return [one.said_at for one in parse(text, name).records]


@pytest.mark.parametrize(
    ("heading", "date"),
    [
        ("2025-01-14 Tuesday", "2025-01-14"),
        ("Session 2026-02-05", "2026-02-05"),
        ("[2025-11-12 01:57:06]", "2025-11-12T01:57:06"),
        ("2025-11-12T01:57:06Z", "2025-11-12T01:57:06+00:00"),
        ("January 14, 2025", "2025-01-14"),
        ("14 Jan 2025", "2025-01-14"),
        ("2025/1/4", "2025-01-04"),
        ("2025-02-30", ""),
        ("1999-01-02", ""),
        ("2101-01-02", ""),
        ("What we did before 2025-01-14", ""),
        ("Deadline 2025-01-14", ""),
        ("The 2025-01-14 release of the loader", ""),
    ],
)
def test_a_dated_heading_dates_what_is_below_it(heading: str, date: str) -> None:
    """Real dates of this century only, and never one that stands in a sentence or is a deadline."""
    text = f"# Log\n\n## {heading}\n\n### Decisions\n- use Lion\n"
    assert [one.said_at for one in parse(text, "notes.md").records if one.kind == "decision"] == [date]


@pytest.mark.parametrize("heading", ["2025-01-14 Tuesday", "Session 2026-02-05", "[2025-11-12 01:57:06]"])
@pytest.mark.parametrize("below", ["### Decisions\n- use Lion\n", "- [ ] run it\n", "the loader is slow\n"])
def test_the_words_of_a_dated_heading_are_in_a_session(heading: str, below: str) -> None:
    """Also where all below it are records of their own."""
    records = parse(f"# Log\n\n## {heading}\n\n{below}", "notes.md").records
    (session,) = (one for one in records if one.kind == "session")
    assert session.fields["title"] == heading and session.lines[-1] >= 3


@pytest.mark.parametrize(
    "text",
    [
        "# 5. Use Lion\n\nDate: 2024-03-01\n\n## Status\n\nAccepted\n\n## Context\n\nSlow.\n\n## Decision\n\nUse Lion.\n",
        "---\nstatus: accepted\ndate: 2024-03-01\n---\n\n# Use Lion\n\n## Context\n\nSlow.\n\n## Decision Outcome\n\nLion.\n",
    ],
)
def test_an_adr_has_the_date_of_its_line_or_its_front_matter(text: str) -> None:
    """The two forms of ADR that tools write."""
    assert dates(text, "docs/adr/0005-use-lion.md") == ["2024-03-01"]


def test_a_column_of_dates_dates_the_rows() -> None:
    """In tables of tasks, of runs, and in CSV."""
    assert dates("## Tasks\n| Date | Task |\n|--|--|\n| 2025-02-03 | write it |\n") == ["2025-02-03"]
    assert dates("## Runs\n| run | date | val_loss |\n|--|--|--|\n| a | 2025-02-03 | 0.1 |\n") == ["2025-02-03"]
    assert dates("run,timestamp,val_loss\na,2025-02-03 10:11:12,0.1\n", "r.csv") == ["2025-02-03T10:11:12"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("# Handoff - 2025-01-02\n\n## Pending\n- Run it\n", "h.md"),
        ("# Handoff\n\n## Pending\n- Run it\n", "notes/handoff_2025-01-02.md"),
        ("---\ndate: 2025-01-02\n---\n\n# Handoff\n\n## Pending\n- Run it\n", "h.md"),
    ],
)
def test_a_handoffs_date_is_that_of_its_records(text: str, name: str) -> None:
    """From its title, its name or its front matter."""
    tasks: list[Parsed] = [one for one in parse(text, name).records if one.kind == "task"]
    assert [one.said_at for one in tasks] == ["2025-01-02"]


def test_a_date_in_prose_and_a_tasks_due_date_date_nothing() -> None:
    """A wrong date is worse than none."""
    assert dates("## Insights\n- since 2025-01-14 the loader is slow\n- on 2025-01-15 it was not\n") == ["", ""]
    assert dates("## Tasks\n- 2025-06-01: submit it\n") == [""]
