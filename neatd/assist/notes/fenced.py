"""Fences to records: commands, services, and what is none of them. Pure."""

from __future__ import annotations

import re

from neatd.assist.notes import fences, shell
from neatd.assist.notes.blocks import Block
from neatd.assist.notes.context import Here
from neatd.assist.notes.fields import metric_in
from neatd.assist.notes.findings import Thing
from neatd.assist.notes.kinds_of import default_kind
from neatd.assist.notes.marks import marked
from neatd.assist.notes.record import Draft, draft
from neatd.assist.notes.things import make

_HEAD = re.compile(r"services?(?: running)?\b.{0,40}$", re.I)
# In these sections a listing without a name is something that was seen.
_SEEN = frozenset(
    {"experiment", "test", "task", "decision", "hypothesis", "goal", "lesson", "challenge", "bug", "document"}
)


def commands(block: Block, about: str) -> list[Draft]:
    """The commands of a fence; its first and last line go with the first and last of them."""
    found = shell.commands(block.text)
    whole = range(block.lines[0], block.lines[1] + 1)
    if not found:
        text = block.text.strip()
        return [draft("insight", fences.title_of(text, about), text, whole)]
    made = [_command(block, one, about) for one in found]
    covered = {line for one in made for line in one.lines}
    made[-1].lines += [line for line in whole if line not in covered and line > block.lines[0]]
    made[0].lines.insert(0, block.lines[0])
    return made


def _command(block: Block, one: shell.Command, about: str) -> Draft:
    lines = [block.lines[0] + 1 + row for row in one.rows]
    made = draft("command", one.line or one.text, "", lines, about=one.about or about)
    if "\n" in one.text:
        made.fields["body"] = one.text
    return made


def services(block: Block, here: Here) -> list[Draft]:
    """A service a line; the line that announces them belongs to the first."""
    rows = fences.rows_of(block.text)
    heads = [at for at, words in rows if _HEAD.match(words)]
    rest = [(at, words) for at, words in rows if at not in heads and words] or rows
    made = [make("service", Thing(marked(words), (), [block.lines[0] + 1 + at], here)) for at, words in rest]
    covered = {line for one in made for line in one.lines}
    first = made[0].lines[0]
    for line in range(block.lines[0], block.lines[1] + 1):
        if line not in covered:
            (made[0] if line < first else made[-1]).lines.append(line)
    return made


def other(block: Block, here: Here) -> Draft:
    """A fence that stands alone: results, a listing, an example."""
    text = block.text.strip("\n")
    metric = metric_in(text) if here.kind == "experiment" else None
    kind = here.kind
    if kind == "command":
        kind = "service" if re.match(r"https?://\S+$", text.strip()) else "insight"
    elif kind in _SEEN:
        kind = "experiment" if metric else "insight"
    kind = kind or default_kind(here, text.split("\n", 1)[0])
    lines = range(block.lines[0], block.lines[1] + 1)
    made = make(kind, Thing(marked(fences.title_of(text, here.about)), (), lines, here))
    made.fields["body"] = text
    if metric:
        made.fields.update(metric=metric[0], value=metric[1])
    return made
