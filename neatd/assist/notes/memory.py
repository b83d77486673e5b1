"""The memory of an MCP server: entities with observations, and relations, a JSON object a line or one object. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from neatd.assist.notes.fields import files_of
from neatd.assist.notes.plain import cut, title_of
from neatd.assist.notes.record import Draft, draft

_KINDS = (
    ("preference", r"preference|convention|rule|guideline|user"),
    ("decision", r"decision|adr"),
    ("task", r"task|todo|pending|next"),
    ("bug", r"bug|issue|problem|error|fix"),
    ("hypothesis", r"hypothes"),
    ("experiment", r"experiment|study|hpo|trial|run|sweep"),
    ("lesson", r"lesson|learning"),
    ("challenge", r"challenge|risk|question|blocker|limitation"),
    ("goal", r"goal|objective|milestone"),
    ("machine", r"machine|server|gpu|hardware|host"),
    ("data", r"dataset|data"),
    ("document", r"document|file|plan|doc\b|paper"),
    ("session", r"session|handoff"),
    ("command", r"command|script"),
    ("service", r"service|api|endpoint"),
    ("phase", r"phase"),
    ("assessment", r"status|state|progress"),
)


def kind_of(entity_type: str) -> str:
    """The kind that an entity's type names; an insight where it names none."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|[_-]", " ", entity_type).lower()[:200]
    return next((kind for kind, pattern in _KINDS if re.search(rf"\b(?:{pattern})", words)), "insight")


def from_memory(text: str, source: Sequence[str]) -> list[Draft] | None:
    """A record an entity, its relations in the body; None when this is no such memory."""
    rows = _rows(source) or _whole(text, source)
    if not any(_is_entity(value) for value, _ in rows):
        return None
    found: dict[str, Draft] = {}
    out: list[Draft] = []
    for value, lines in rows:
        if _is_entity(value):
            made = _entity(value, lines)
            found.setdefault(str(value["name"]), made)
            out.append(made)
    for value, lines in rows:
        if not _is_entity(value):
            out += _relation(value, lines, found)
    return out


def _rows(source: Sequence[str]) -> list[tuple[dict[str, Any], list[int]]]:
    """The objects of JSON lines; () where a line is something else."""
    found = []
    for number, row in enumerate(source, 1):
        if not row.strip():
            continue
        try:
            value = json.loads(row)
        except (ValueError, RecursionError):
            return []
        if not isinstance(value, dict):
            return []
        found.append((value, [number]))
    return [] if len(found) == 1 and "entities" in found[0][0] else found


def _whole(text: str, source: Sequence[str]) -> list[tuple[dict[str, Any], list[int]]]:
    """The objects of {"entities": [...], "relations": [...]}, found again by the lines their names stand on."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return []
    if not isinstance(value, dict) or not isinstance(value.get("entities"), list):
        return []
    relations = value.get("relations")
    items = [
        one
        for one in [*value["entities"], *(relations if isinstance(relations, list) else [])]
        if isinstance(one, dict)
    ]
    return _located(items, source)


def _located(items: list[dict[str, Any]], source: Sequence[str]) -> list[tuple[dict[str, Any], list[int]]]:
    """Each object with its lines: from the one its name stands on to the next object's."""
    if not items:
        return []
    begins: list[int] = []
    at = 0
    for one in items:
        name = str(one.get("name", one.get("from", "")))
        wanted = (json.dumps(name, ensure_ascii=False), json.dumps(name))
        found = next((row for row in range(at, len(source)) if any(text in source[row] for text in wanted)), at)
        begin = found
        while begin > at and "{" not in source[begin]:
            begin -= 1
        begins.append(begin if begins else 0)
        at = min(found + 1, len(source) - 1)
    ends = [*begins[1:], len(source)]
    return [
        (one, list(range(begin + 1, max(end, begin + 1) + 1)))
        for one, begin, end in zip(items, begins, ends, strict=True)
    ]


def _is_entity(value: dict[str, Any]) -> bool:
    return isinstance(value.get("name"), str) and isinstance(value.get("observations"), list)


def _entity(value: dict[str, Any], lines: list[int]) -> Draft:
    """An entity: its name and first observation are the title, all observations the body."""
    kind = kind_of(str(value.get("entityType", "")))
    notes = [str(one) if isinstance(one, str | int | float) else json.dumps(one) for one in value["observations"]]
    name = str(value["name"])
    title = title_of(f"{name}: {notes[0]}") if notes else name
    fields: dict[str, object] = {"tags": (str(value["entityType"]),) if value.get("entityType") else ()}
    if kind == "insight":
        fields["component"] = cut(name, 80)
    if kind == "document":
        fields["path"] = next((file for one in notes for file in files_of(one)), "")
    if kind == "task":
        fields["status"] = (
            "done" if any(re.search(r"\b(?:done|completed?)\b", one, re.I) for one in notes[-1:]) else "open"
        )
    body = "\n".join([name, *(f"- {one}" for one in notes)])
    return draft(kind, cut(title), body, lines, **fields)


def _relation(value: dict[str, Any], lines: list[int], found: dict[str, Draft]) -> list[Draft]:
    """A relation goes to the entity it starts from; one that starts nowhere is an insight."""
    begin, end = str(value.get("from", "")), str(value.get("to", ""))
    words = (
        f"{begin} {value.get('relationType', 'relates to')} {end}"
        if begin or end
        else json.dumps(value, ensure_ascii=False)
    )
    if begin in found:
        one = found[begin]
        one.fields["body"] = f"{one.fields.get('body') or one.fields['title']}\n{words}"
        one.lines += lines
        return []
    return [draft("insight" if begin or end else "note", cut(words), words, lines)]
