"""Rows of a table that are no experiments: one record a row, in the kind of the section. Pure."""

from __future__ import annotations

import re

from neatd.assist.notes.cells import Table, is_empty, state_in
from neatd.assist.notes.context import Here
from neatd.assist.notes.decided import decision_status
from neatd.assist.notes.fields import files_of, number_of
from neatd.assist.notes.findings import verdict_of
from neatd.assist.notes.marks import marked
from neatd.assist.notes.parts import field_of
from neatd.assist.notes.plain import bare, cut, plain
from neatd.assist.notes.record import Draft, draft
from neatd.assist.notes.said import date_in_row
from neatd.assist.notes.sections import horizon_of, normal, status_of

_NAME_HEAD = re.compile(
    r"^(?:experiment|exp|run|name|model|config(?:uration)?|variant|method|setup|trial|id|study|system"
    r"|approach|architecture|ablation|version|baseline|setting|checkpoint|strategy|algorithm"
    r"|submission|arm|attempt)s?\b",
    re.I,
)


ORDINAL_HEAD = re.compile(r"^(?:#|no\.?|nr\.?|n|idx|index|rank|№|step|order|priority|id)?$", re.I)


def name_column(table: Table) -> int:
    """The column that names a row: by its head, else the first that is no number of order."""
    named = next((at for at, head in enumerate(table.head) if _NAME_HEAD.match(head) and not is_order(table, at)), None)
    if named is not None:
        return named
    return next((at for at, head in enumerate(table.head) if not (ORDINAL_HEAD.match(head) and is_order(table, at))), 0)


def is_order(table: Table, at: int) -> bool:
    cells = [cell for cell in table.column(at) if cell]
    return bool(cells) and all(re.match(r"#?\d{1,4}\.?$", cell) for cell in cells)


_TITLE_HEADS = {
    "decision": "decision|choice|title|topic|what|item|question|area",
    "bug": "issue|bug|problem|error|symptom|description|title|name",
    "task": "task|item|todo|step|action|feature|what|description|title|name|milestone|story|deliverable",
    "hypothesis": "hypothesis|idea|claim|what",
    "challenge": "risk|challenge|question|issue|blocker|limitation|item",
    "command": "command|script|cmd",
    "document": "file|path|document|doc|link|name",
    "change": "file|change|what|entity|description|item|commit|feature",
    "goal": "goal|objective|target|metric|criterion|requirement",
}


_SIDE_HEAD = re.compile(
    r"^(?:owner|assignee|assigned(?: to)?|who|priority|prio|date|due(?: date)?|id|#|author|eta|effort|estimate)s?$",
    re.I,
)


_STATELESS = frozenset(
    {"assessment", "insight", "note", "lesson", "challenge", "preference", "style"}
)  # a state is what they say


_ABOUT_HEADS = re.compile(
    r"^(?:description|purpose|what it does|use|usage|notes?|what|meaning|when|action|does|details?|explanation)$", re.I
)


def rows(table: Table, here: Here) -> list[Draft]:
    """One record a row in the section's kind; columns that are fields of the kind fill them."""
    kind = here.kind or ("insight" if here.source.is_instructions else "note")
    kind = {"session": "assessment", "test": "assessment", "phase": "assessment", "experiment": "insight"}.get(
        kind, kind
    )
    name = _title_column(table, kind)
    found = []
    for line, row in table.rows:
        fields, rest = _row_fields(table, row, kind, name)
        title, status = _row_title(table, row, name, rest)
        body = "\n".join(
            f"{head}: {plain(cell)}" if head else plain(cell) for head, cell in rest if plain(cell) not in title
        )
        fields["status"] = "done" if kind == "change" else _row_status(table, row, kind, here) or status
        if "horizon" in fields:
            fields["horizon"] = horizon_of(f"{fields['horizon']} priority")
        found.append(draft(kind, title, body, [line], **{**_defaults(kind, here, row, name), **fields}))
        found[-1].said_at = date_in_row(table.head, row)
    return found


def _title_column(table: Table, kind: str) -> int:
    wanted = _TITLE_HEADS.get(kind, "").split("|")
    heads = [normal(head) for head in table.head]
    for word in filter(None, wanted):
        for at, head in enumerate(heads):
            if (head == word or head.endswith(" " + word) or head == word + "s") and not is_order(table, at):
                return at
    return name_column(table)


def _row_fields(table: Table, row: list[str], kind: str, name: int) -> tuple[dict[str, object], list[tuple[str, str]]]:
    """(fields by the columns' heads, the other columns)."""
    fields: dict[str, object] = {}
    rest: list[tuple[str, str]] = []
    for at, (head, cell) in enumerate(zip(table.head, row, strict=True)):
        if at == name or is_empty(cell) or (ORDINAL_HEAD.match(head) and is_order(table, at)):
            continue
        field = field_of(kind, head) if head else ""
        if kind in ("command", "service") and not field and _ABOUT_HEADS.match(head) and "about" not in fields:
            field = "about"
        if not field or field in fields or (field == "status" and (kind in _STATELESS or len(cell) > 40)):
            rest.append((head, cell))
            continue
        if field == "status":
            continue
        if field == "file":
            fields[field] = files_of(cell)
            rest.append((head, cell)) if not fields[field] else None
        elif field in ("alternative", "implication"):
            fields[field] = (plain(cell),)
        else:
            fields[field] = plain(cell)
    return fields, rest


def _row_title(table: Table, row: list[str], name: int, rest: list[tuple[str, str]]) -> tuple[str, str]:
    """(the title, what its marks say); a bare name takes the next column with it."""
    mark = marked(row[name])
    title = bare(mark.text) or "row"
    if len(title) < 60 and any(not _SIDE_HEAD.match(one) for one, _ in rest):
        head, cell = next((one for one in rest if not _SIDE_HEAD.match(one[0])), ("", ""))
        words = plain(cell)
        if number_of(cell) is not None and head and len(rest) > 1:
            words = ", ".join(f"{one} {plain(value)}" for one, value in rest)
        title = f"{title}: {words}"
    return cut(title), mark.status


def _row_status(table: Table, row: list[str], kind: str, here: Here) -> str:
    """The state column in the kind's words; tasks and bugs without one take the section's."""
    if kind in _STATELESS:
        return ""
    for at, head in enumerate(table.head):
        if re.match(r"(?:status|state|done\??|progress)$", head, re.I) and not is_empty(row[at]):
            words = plain(row[at])[:40].lower()
            known = {"running": "in progress", "planned": "open", "failed": "failed"}
            state = state_in(row[at])
            if kind == "task":
                return known.get(state, state) or status_of(f"({words.replace('-', ' ')})") or words
            if kind == "bug":
                return "fixed" if state == "done" or re.search(r"fixed|resolved|closed", words) else "open"
            if kind == "decision" and (stated := decision_status(words)):
                return stated
            if kind == "hypothesis" and (verdict := verdict_of(words)):
                return verdict
            return bare(row[at])[:40].lower() or state
    return here.status if kind in ("task", "bug") else ""


def _defaults(kind: str, here: Here, row: list[str], name: int) -> dict[str, object]:
    """Fields that the place gives: what it is about, its phase, the files named in the first column."""
    given: dict[str, object] = (
        {"phase": here.phase} if kind not in ("task",) else {"phase": here.phase, "horizon": here.horizon}
    )
    if kind in ("insight", "assessment") and here.about:
        given["component"] = here.about
    if kind == "change":
        given["file"] = files_of(row[name])
    if kind == "document":
        given["path"] = next(iter(files_of(" ".join(row[:2]))), None)
    if kind in ("preference", "style"):
        given["about"] = here.about if here.about != here.told else None
    if kind == "insight" and here.source.is_forever:
        given["forever"] = True
    return {key: value for key, value in given.items() if value}
