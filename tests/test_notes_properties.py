"""What holds for every text: each line once, fields of the kind in their types, the same result each time, no exception."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neatd.assist.notes.parse import Notes, parse
from neatd.kinds import FIELDS, KINDS, LISTS
from tests.cost import at_most

NAMES = [
    "notes.md",
    "CLAUDE.md",
    "TODO.md",
    "CHANGELOG.md",
    "docs/adr/0001-x.md",
    "a.csv",
    "a.json",
    "m.jsonl",
    "handoff.md",
    "n.txt",
]
PIECES = [
    "# Top",
    "## Next steps",
    "### Bug 1",
    "## Decisions",
    "## Decision",
    "## Rationale",
    "## Hardware",
    "## Tests status",
    "## Session 2026-01-01",
    "## Experiments",
    "- [ ] a",
    "- [x] **b**: c",
    "  - Fix: d",
    "\t- e",
    "1. f",
    "- ",
    "| a | val_loss |",
    "|---|---|",
    "| 1 | `x|y` |",
    "```bash",
    "```",
    "~~~",
    "$ git status",
    'python -c "',
    "> quoted",
    "> [!NOTE]",
    "---",
    "===",
    "<!-- c",
    "-->",
    "<details>",
    "**Context**: x",
    "**Cause**",
    "Status: ok",
    "GPU: A100",
    "5 passed, 1 failed",
    "none",
    "",
    "  ",
    "title: x",
    "words run on here. And here.",
    "✅ y",
    "~~z~~ ✓ done",
    "[a]: http://x.y",
    "Before: 1",
    "After: 2",
    "{",
    '{"a": 1}',
    "a,val_loss",
    "x,0.1",
    "<!-- neat:begin -->",
    "<!-- neat:end -->",
    "50GB → 15GB",
    "@docs/x.md",
    "`make test`: runs",
]
TEXTS = st.one_of(st.lists(st.sampled_from(PIECES), max_size=25).map("\n".join), st.text(max_size=300))


def typed(kind: str, name: str, value: object) -> bool:
    """Whether a field's value has the type that the kind gives it."""
    types = {one.name: one.type for one in KINDS[kind].fields}
    if name in LISTS:
        return isinstance(value, tuple) and all(isinstance(one, str) for one in value)
    wanted = {"number": (int, float), "flag": bool, "json": dict}.get(types.get(name, "text"), str)
    return isinstance(value, wanted)


def check(notes: Notes) -> None:
    seen = [line for record in notes.records for line in record.lines] + [line for line, _ in notes.unplaced]
    assert len(seen) == len(set(seen)) == notes.lines
    assert len({record.key for record in notes.records}) == len(notes.records)
    for record in notes.records:
        assert record.fields["title"] and "\n" not in str(record.fields["title"])
        assert record.cites and set(record.lines) <= set(record.cites)
        assert set(record.fields) <= set(FIELDS[record.kind])
        assert all(typed(record.kind, name, value) for name, value in record.fields.items())


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(TEXTS, st.sampled_from(NAMES))
def test_every_line_is_in_one_record_or_unplaced_whatever_the_text(text: str, name: str) -> None:
    """Lines, keys, fields and types hold for any text, and the same text gives the same records."""
    notes = parse(text, name)
    check(notes)
    assert parse(text, name) == notes


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("\n".join))
def test_lines_that_stay_unplaced_are_headings_or_have_no_words(text: str) -> None:
    """Nothing that says something is dropped but a heading with nothing below it, a table without rows, neat's own block."""
    rows = text.split("\n")
    is_own = "<!-- neat:begin -->" in rows
    for line, words in parse(text, "notes.md").unplaced:
        below = rows[line] if line < len(rows) else ""
        heads = words.startswith(("#", "|", "**")) or words.endswith(":") or below.startswith(("=", "---", "|", "~"))
        assert is_own or heads or not any(map(str.isalnum, words))


HOSTILE = {
    "twenty thousand items": "\n".join(f"- item {n} with `code` and **bold**" for n in range(20_000)),
    "fifty thousand brackets": "[" * 50_000,
    "a line of two megabytes": "x " * 1_000_000,
    "fences that never close": "```a\n\n# h\n" * 20_000,
    "comments that never close": "<!-- a\n" * 40_000,
    "quotes in quotes": "\n".join(">" * n for n in range(1_000)),
    "lists in lists": "\n".join(" " * n + "- a" for n in range(2_000)),
    "a list in one item": "## Tasks\n- [ ] a\n" + "  - [ ] b\n" * 20_000,
    "quotes of shell that never close": "```bash\n" + "echo '\n" * 50_000 + "```",
    "a row of pipes": "|" * 1_000_000 + "\n|---|",
    "stars": "**a" * 500_000,
    "links": "[a](" * 400_000,
    "double encoding everywhere": "ðŸ" * 300_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_read_in_seconds(name: str) -> None:
    """No text makes the parser quadratic: it takes seconds of the processor, with a margin of four."""
    with at_most(15):
        notes = parse(HOSTILE[name], "notes.md")
    assert sum(len(record.lines) for record in notes.records) + len(notes.unplaced) == notes.lines


MARKS = [
    "-",
    "–",
    "*",
    "**",
    "_",
    "~",
    "`",
    ":",
    "(",
    "[",
    "]",
    "|",
    "=",
    "#",
    ">",
    "<",
    "\\",
    ".",
    "a.",
    "a/",
    "1.",
    "→",
    "✅",
    "A=",
    "1/1 ",
]
BEFORE = ["", "- ", "## ", "**L**: ", "| a | b |\n|--|--|\n| ", "## Tests\n- ", "## Experiments\n- ", "```bash\n", "> "]


def test_no_row_of_marks_makes_a_pattern_explode() -> None:
    """A rule of forty dashes behind an item once took a pattern minutes; each of these takes milliseconds."""
    with at_most(30):
        for mark in MARKS:
            for before in BEFORE:
                parse(f"{before}{mark * 700}\n{before}{(mark + ' a') * 300}\nend!", "notes.md")
