"""An item, a paragraph or a heading with all below it to one record of a kind. Pure."""

from __future__ import annotations

import re

from neatd.assist.notes.apart import unfolded
from neatd.assist.notes.decided import settled
from neatd.assist.notes.findings import SAYS_BUG, SAYS_KIND, Thing
from neatd.assist.notes.makers import OF_KIND, nothing
from neatd.assist.notes.parts import field_of, fill
from neatd.assist.notes.plain import bare, says_more, title_of, unnumbered
from neatd.assist.notes.record import Draft, draft
from neatd.assist.notes.said import date_only
from neatd.assist.notes.sections import normal


def _says_kind(thing: Thing, kind: str) -> bool:
    """Whether the name in front only says the kind of record."""
    label = thing.label
    return bool(label and SAYS_KIND.match(label.name) and (kind == "bug" or not SAYS_BUG.match(label.name)))


def _is_bare(thing: Thing) -> bool:
    """Whether a heading only names what follows: "Problem", "Decision"."""
    return thing.is_heading and bool(
        re.fullmatch(r"(?:the )?(?:problem|issue|bug|symptoms?|decision|error)s?", normal(thing.mark.text))
    )


def thing_title(thing: Thing, kind: str) -> str:
    """The title: the words without a name that only says the kind, cut at a sentence when they are many."""
    text, label = thing.mark.text, thing.label
    if label and label.value and _says_kind(thing, kind):
        text = label.value
    elif thing.is_heading:
        text = unnumbered(bare(text))
    title = title_of(text)
    if (_is_bare(thing) or not any(map(str.isalnum, title))) and thing.parts:
        title = title_of(thing.parts[0].raw)
    return title


def _prepared(kind: str, thing: Thing) -> tuple[Thing, str]:
    """(the thing with the parts in its own words apart, the date that a part of it tells)."""
    thing = unfolded(kind, thing)
    if kind == "decision":
        parts, date = settled(thing.parts)
        return thing._replace(parts=parts), date
    return thing, next(filter(None, (date_only(one.text) for one in thing.parts if one.name.lower() == "date")), "")


def make(kind: str, thing: Thing) -> Draft:
    """The record of `kind` that `thing` is."""
    thing, date = _prepared(kind, thing)
    title = thing_title(thing, kind)
    fields, left = fill(kind, thing.parts)
    filled = dict(fields)
    fields.update({name: value for name, value in OF_KIND.get(kind, nothing)(thing, fields).items() if value})
    title = str(fields.pop("title", title))
    words = unnumbered(bare(thing.mark.text)) if thing.is_heading else thing.mark.text
    own = words if says_more(words, title) and not _is_only_label(thing, kind) and not _is_bare(thing) else ""
    body = "\n".join(filter(None, (own, left, *_reworded(kind, thing, filled, fields))))
    made = draft(kind, title, body, thing.lines, **fields)
    made.said_at = date
    return made


def _reworded(kind: str, thing: Thing, filled: dict[str, object], fields: dict[str, object]) -> list[str]:
    """The parts whose words a field has in other words only: "Status: fixed by Sam in v2" as the status "fixed"."""
    changed = {name for name, value in filled.items() if str(value).lower() != str(fields.get(name, "")).lower()}
    changed -= {name for name in changed if isinstance(filled[name], tuple)}
    return [part.raw for part in thing.parts if part.name and field_of(kind, part.name) in changed]


def _is_only_label(thing: Thing, kind: str) -> bool:
    """Whether the title lacks nothing but a name like "Key insight 3"."""
    label = thing.label
    return bool(label and _says_kind(thing, kind) and not says_more(label.value, title_of(label.value)))
