"""The identity of records over edits of their file."""

from __future__ import annotations

from neatd.assist.notes.parse import Notes, match_edited, parse

BEFORE = (
    "# Handoff - 2025-01-02\n\n## Pending (2)\n- Run the baseline\n- Write the loader\n\n## Decisions\n- Keep SQLite\n"
)


def olds(notes: Notes) -> list[tuple[str, str, str]]:
    return [(one.key, one.kind, str(one.fields["title"])) for one in notes.records]


def test_an_edited_body_a_new_date_and_a_moved_line_keep_the_key() -> None:
    """Neither the file's own title, nor counts in brackets, nor line numbers are part of it."""
    after = (
        BEFORE.replace("2025-01-02", "2025-02-03").replace("(2)", "(3)").replace("- Write", "\n  with care\n- Write")
    )
    assert [one.key for one in parse(BEFORE, "h.md").records] == [one.key for one in parse(after, "h.md").records]


def test_two_of_the_same_words_have_two_keys() -> None:
    """Two identical items are two records."""
    first, second = parse("## Tasks\n- again\n- again\n", "h.md").records
    assert first.key != second.key and second.key == f"{first.key}~2"


def test_an_edited_title_is_matched_with_the_record_it_was() -> None:
    """The same kind and section and the most similar words; new and removed ones stay unmatched."""
    old = parse(BEFORE, "h.md")
    new = parse(
        BEFORE.replace("Run the baseline", "Run the baseline twice").replace("- Keep SQLite", "- Buy a bigger disk"),
        "h.md",
    )
    assert match_edited(olds(old), new.records) == {new.records[0].key: old.records[0].key}


def test_a_task_that_moved_to_another_section_is_matched() -> None:
    """What was pending and is completed is the same task."""
    old = parse(BEFORE, "h.md")
    new = parse(BEFORE.replace("- Run the baseline\n", "") + "\n## Completed\n- Run the baseline\n", "h.md")
    moved = next(one for one in new.records if one.fields.get("status") == "done")
    assert match_edited(olds(old), new.records) == {moved.key: old.records[0].key}


def test_many_edits_are_matched_in_bounded_time() -> None:
    """Thousands of changed titles in one section are not compared each with each."""
    old = parse("## Tasks\n" + "\n".join(f"- old item {n}" for n in range(3000)), "h.md")
    new = parse("## Tasks\n" + "\n".join(f"- new thing {n}" for n in range(3000)), "h.md")
    assert len(match_edited(olds(old), new.records)) <= 3000


def test_a_copy_of_a_guide_for_assistants_is_known_by_its_title() -> None:
    """People keep dated copies under other names."""
    text = "# CLAUDE.md - Pebble\n\n## The Loader\n\n- It keeps an index\n"
    assert [one.fields.get("forever") for one in parse(text, "old_copy.txt").records] == [True]
