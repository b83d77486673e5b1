"""Lines of one paragraph, or of one item, that are things of their own: marks to do, dated runs, fields. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from neatd.assist.notes.blocks import Block
from neatd.assist.notes.cells import params_in
from neatd.assist.notes.fields import label_of, metric_in
from neatd.assist.notes.findings import Thing
from neatd.assist.notes.parts import Part, field_of
from neatd.assist.notes.said import date_at_start

_TO_DO = re.compile(r"(TODO|FIXME)(?:(\([^()\n]{1,40}\))?:|(?=[ \t]))[ \t]*(?=\S)")
_UNFOLDED = frozenset({"decision", "hypothesis", "bug"})


def is_to_do(text: str) -> bool:
    """Whether a line is a mark as code has them: "TODO: …", "FIXME …"."""
    return bool(_TO_DO.match(text))


def is_dated_run(text: str) -> bool:
    """Whether a line tells of a run on a day: "2025-01-14: lr=1e-3 -> loss 0.31"."""
    return bool(text[:1] in "[(*2" and date_at_start(text) and params_in(text[:400]) and metric_in(text[:400]))


def apart(found: Sequence[Block]) -> list[Block]:
    """The blocks, a paragraph of several marked or dated lines as one block a line."""
    out: list[Block] = []
    for block in found:
        out += _cut(block) if block.kind == "paragraph" and not block.children else [block]
    return out


def _cut(block: Block) -> list[Block]:
    rows = block.text.split("\n")
    if not any(row.lstrip()[:1] in "TF[(*2" for row in rows):
        return [block]
    starts = [at for at, row in enumerate(rows) if is_to_do(row.strip()) or is_dated_run(row.strip())]
    if not starts or (len(rows) == 1 and not is_to_do(rows[0].strip())):
        return [block]
    ends = sorted({0, *starts, len(rows)})
    first = block.lines[0]
    return [
        block._replace(lines=(first + begin, first + end - 1), text=_named("\n".join(rows[begin:end])))
        for begin, end in pairwise(ends)
    ]


def _named(text: str) -> str:
    """A mark with the colon that makes it a field."""
    found = _TO_DO.match(text.lstrip())
    return f"{found[1]}{found[2] or ''}: {text.lstrip()[found.end() :]}" if found else text


def unfolded(kind: str, thing: Thing) -> Thing:
    """A thing whose own words run on in lines that are fields of its kind: those as parts of it."""
    rows = thing.mark.text.split("\n")
    if kind not in _UNFOLDED or len(rows) < 2 or len(rows) > 60:
        return thing
    labels = [label_of(row.strip()) for row in rows]
    first = next((at for at, one in enumerate(labels) if at and one and field_of(kind, one.name)), 0)
    if not first:
        return thing
    parts: list[Part] = []
    for row, label in zip(rows[first:], labels[first:], strict=True):
        if label:
            parts.append(Part(label.name, label.value, row.strip()))
        else:
            last = parts[-1]
            parts[-1] = last._replace(text=f"{last.text}\n{row.strip()}".strip(), raw=f"{last.raw}\n{row.strip()}")
    return thing._replace(mark=thing.mark._replace(text="\n".join(rows[:first])), parts=[*parts, *thing.parts])
