"""What the words of bugs and decisions say: a state in brackets, a fix, a reason, what is superseded."""

from __future__ import annotations

import pytest

from neatd.assist.notes.parse import Parsed, parse

ADR = """---
status: accepted
date: 2026-01-02
---
# 0003 Use Lion

## Decision

We train with Lion because AdamW holds two moments. It was close.

- Supersedes [0001](0001-use-adamw.md)

## Consequences

- half the memory
"""


def one(text: str, name: str = "NOTES.md") -> Parsed:
    (found,) = parse(text, name).records
    return found


@pytest.mark.parametrize(
    ("words", "status", "title"),
    [
        ("[open] the loader hangs", "open", "the loader hangs"),
        ("[Fixed] the loader hangs", "fixed", "the loader hangs"),
        ("[open](x.md) hangs", "open", "open hangs"),
    ],
)
def test_a_state_in_brackets_is_no_part_of_the_title(words: str, status: str, title: str) -> None:
    """A link is one, whatever it is called."""
    found = one(f"# Known bugs\n\n- {words}\n")
    assert (found.kind, found.fields["status"], found.fields["title"]) == ("bug", status, title)


@pytest.mark.parametrize(
    ("words", "fix"),
    [
        ("OOM on load of the big file. Fixed by --max-samples.", "--max-samples"),
        ("The mask is shifted - fixed with an offset of one", "an offset of one"),
        ("Slow start. Not fixed by more workers.", None),
        ("Was this fixed by the driver", None),
    ],
)
def test_a_sentence_that_says_how_it_was_fixed_is_the_fix(words: str, fix: str | None) -> None:
    """And the bug is fixed; a sentence that denies it is none."""
    found = one(f"# Known bugs\n\n- {words}\n")
    assert found.fields.get("fix") == fix and found.fields["status"] == ("fixed" if fix else "open")


def test_what_follows_because_is_the_reason() -> None:
    """In an item, and in the section of a decision file; what is stated as the reason goes before."""
    found = one("# Decisions\n\n- Train on patches of 96, because 128 does not fit.\n")
    assert found.fields["why"] == "128 does not fit"
    assert one(ADR, "docs/adr/0003-use-lion.md").fields["why"] == "AdamW holds two moments"
    stated = one("# Decisions\n\n- **Use bf16** because I say so\n  - Why: fp16 overflowed\n")
    assert stated.fields["why"] == "fp16 overflowed"


def test_an_item_that_says_what_it_supersedes_sets_the_field() -> None:
    """The number of the other decision, as a link or bare; another sentence with the word is none."""
    assert one(ADR, "docs/adr/0003-use-lion.md").fields["supersedes"] == "0001"
    bare = ADR.replace("[0001](0001-use-adamw.md)", "ADR-0001")
    assert one(bare, "docs/adr/0003-use-lion.md").fields["supersedes"] == "0001"
    other = ADR.replace("[0001](0001-use-adamw.md)", "2 older scripts")
    assert "supersedes" not in one(other, "docs/adr/0003-use-lion.md").fields


def test_a_short_decision_file_without_sections_is_one_decision() -> None:
    """Its list of fields is no list of decisions; a year is no number of one."""
    text = "# ADR-0004: Use bf16\n\n* Status: accepted\n* Date: 2026-01-02\n\nWe use it because fp16 overflowed.\n"
    found = one(text, "docs/adr/0004-bf16.md")
    assert (found.kind, found.fields["status"], found.fields["why"]) == ("decision", "accepted", "fp16 overflowed")
    year = parse(text.replace("ADR-0004: Use bf16", "2026 review"), "notes.md").records
    assert "2026 review" not in [one.fields["title"] for one in year if one.kind == "decision"]
