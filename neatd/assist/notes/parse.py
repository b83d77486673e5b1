"""A notes file to records: the only door of this package. Text in, values out; deterministic; never raises."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from neatd.assist.notes import memory, said, trials
from neatd.assist.notes.blocks import blocks, numbered
from neatd.assist.notes.encoding import is_binary, repair
from neatd.assist.notes.jsonlines import broken_lines
from neatd.assist.notes.keys import keyed, match_edited, section_slug, top_heading
from neatd.assist.notes.lines import placed
from neatd.assist.notes.names import Source, source_of
from neatd.assist.notes.outline import Node, outline
from neatd.assist.notes.record import Draft, Notes, Parsed
from neatd.assist.notes.walk import Heading, Walk

__all__ = ["Notes", "Parsed", "match_edited", "parse", "repair"]
_QUEUE_FILE = re.compile(r"(?<![a-z])(?:queued?|planned|plans?|todo|upcoming)(?![a-z])[^/]*$", re.I)
BEGIN, END = "<!-- neat:begin -->", "<!-- neat:end -->"  # neat's own block in a file; what is in it came from records


def parse(text: str, name: str) -> Notes:
    """Every record in `text`, by the ending of `name` and what is there; each non-blank line in one record or unplaced."""
    lines = numbered(text)
    source = [line.raw for line in lines]
    if is_binary(text):
        return _notes(source, [], [], frozenset(range(1, len(source) + 1)), name)
    broken = broken_lines(source)
    whole = ["" if number in broken else row for number, row in enumerate(source, 1)] if broken else source
    found = _structured("\n".join(whole) if broken else text, whole, name)
    if found is not None:
        return _notes(source, found, [], broken, name)
    skipped = _own_block(source) | broken
    kept = [line if line.number not in skipped else line._replace(text="", raw="", indent=0) for line in lines]
    tree = outline(blocks(kept))
    walk = Walk([line.raw for line in kept], name, _source(tree, name))
    walk.run(tree)
    front = next((block.text for block in tree.blocks[:1] if block.kind == "front"), "")
    return _notes(source, walk.drafts, walk.headings, skipped, name, front)


def _source(tree: Node, name: str) -> Source:
    """What the file's name says; a copy under another name is known by the name in its title: "CLAUDE.md - Project"."""
    said = source_of(name)
    title = tree.children[0].title if tree.children else ""
    named = re.match(r"(?:CLAUDE|AGENTS?|GEMINI)(?:\.local)?\.md\b", title)
    return source_of(named[0]) if named and said == Source() else said


def _structured(text: str, source: Sequence[str], name: str) -> list[Draft] | None:
    """The records of CSV, JSON and JSON lines; None for everything that is none of them or is broken."""
    ending = name.lower().rsplit(".", 1)[-1] if "." in name else ""
    is_queue = bool(_QUEUE_FILE.search(name))
    if ending in ("csv", "tsv"):
        return trials.from_csv(source, ending, is_queue)
    if ending in ("jsonl", "ndjson", "json") or (
        ending not in ("md", "mdc", "markdown") and text.lstrip()[:1] in ("{", "[")
    ):
        return memory.from_memory(text, source) or trials.from_json(text, source, is_queue)
    return None


def _own_block(source: Sequence[str]) -> frozenset[int]:
    """The lines of neat's own block."""
    found: set[int] = set()
    start = 0
    for number, row in enumerate(source, 1):
        if row.strip() == BEGIN:
            start = number
        elif row.strip() == END and start:
            found.update(range(start, number + 1))
            start = 0
    return frozenset(found)


def _notes(
    source: Sequence[str],
    drafts: list[Draft],
    headings: Sequence[Heading],
    skipped: frozenset[int],
    name: str,
    front: str = "",
) -> Notes:
    """The drafts with their lines settled, their keys and when they were written."""
    drafts, unplaced = placed(source, drafts, headings, skipped)
    drafts.sort(key=lambda one: one.cites[:1] or (0,))
    top = top_heading(one.section for one in drafts)
    date = said.of_file(drafts, front, name)
    seen: Counter[str] = Counter()
    keys = {id(one): keyed(one.kind, section_slug(one.section, top), str(one.fields["title"]), seen) for one in drafts}
    records = tuple(
        Parsed(
            one.kind,
            one.fields,
            tuple(one.lines),
            one.section,
            keys[id(one)],
            one.cites,
            keys[id(one.parent)] if one.parent else "",
            said.said(one, date),
        )
        for one in drafts
    )
    return Notes(records, tuple(unplaced), sum(1 for row in source if row.strip()))
