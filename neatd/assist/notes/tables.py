"""Tables to records: experiments with their parameters, grids of results, rows of every other kind. Pure."""

from __future__ import annotations

import re
from collections import Counter

from neatd.assist.notes.cells import Table, is_empty, number_in, params_in, state_in, value_of
from neatd.assist.notes.context import Here
from neatd.assist.notes.fields import files_of, is_metric, number_of
from neatd.assist.notes.marks import marked
from neatd.assist.notes.parts import field_of
from neatd.assist.notes.plain import bare, cut, plain
from neatd.assist.notes.record import Draft, draft
from neatd.assist.notes.sections import normal

_NAME_HEAD = re.compile(r"^(?:experiment|exp|run|name|model|config(?:uration)?|variant|method|setup|trial|id|study|system|approach|architecture|ablation|version|baseline|setting|checkpoint|strategy|algorithm|submission|arm|attempt)s?\b", re.I)
_ORDINAL_HEAD = re.compile(r"^(?:#|no\.?|nr\.?|n|idx|index|rank|№|step|order|priority|id)?$", re.I)
_STATE_HEAD = re.compile(r"^(?:status|state|result|outcome|done\??|verdict|decision|keep\??)$", re.I)
_NOT_METRIC = re.compile(r"\b(?:vs|delta|change|diff|improvement|params?|time|hours|epochs?|steps?|lr|learning rate|function|type|weight|target|threshold)\b|^Δ|^loss$(?<=x)", re.I)
_SECTIONS = frozenset({"experiment", "insight", "assessment", "test", "", "hypothesis", "session", "change", "task"})
_FIXED_WORDS = re.compile(r"[\d.]+(?:e-?\d+)?")
_PARAMETER = re.compile(r"^(?:[a-z_]{0,12}\s?[=:]?\s?-?\d[\d.,]*(?:e-?\d+)?\s?[a-z%]{0,3}|\w{1,12}\s?\([^()]{1,20}\)|seed \d+|fold \d+)$", re.I)


def table_drafts(table: Table, here: Here) -> list[Draft]:
    """The records of a table, each with the line of its row; a cell of a grid cites the row of the first."""
    if not table.rows or not table.head:
        return []
    if here.kind in _SECTIONS and _is_grid(table):
        return _grid(table, here)
    metric = _metric_column(table)
    if here.kind == "experiment" or (metric is not None and here.kind in _SECTIONS):
        if len(table.head) > 2 or metric is not None or not _is_pairs(table):
            return _experiments(table, here, metric)
    return _rows(table, here)


def _is_pairs(table: Table) -> bool:
    """A table of two columns that names a thing and its value."""
    return len(table.head) == 2 and bool(re.match(r"(?:metric|parameter|param|key|field|item|property|setting|aspect|hyperparameter|name|option|variable|what)s?$", table.head[0] or "metric", re.I))


def _is_grid(table: Table) -> bool:
    """First column and head are parameters of one kind each, the cells numbers."""
    heads, cells = table.head[1:], [cell for _, row in table.rows for cell in row[1:] if not is_empty(cell)]
    if len(heads) < 2 or not cells or _ORDINAL_HEAD.match(table.head[0]):
        return False
    if sum(number_in(cell) is not None for cell in cells) < len(cells) * 0.8:
        return False
    shapes = {_FIXED_WORDS.sub("#", head) for head in heads}
    return len(shapes) == 1 and all(any(map(str.isdigit, head)) for head in heads) and all(map(_PARAMETER.match, heads))


def _grid(table: Table, here: Here) -> list[Draft]:
    """One experiment a cell. The best of the table is written in bold by habit, which becomes a tag."""
    found: list[Draft] = []
    row_name = table.head[0] or "row"
    for line, row in table.rows:
        first = True
        for head, cell in zip(table.head[1:], row[1:], strict=True):
            if is_empty(cell):
                continue
            params = {row_name: value_of(row[0]), **_head_param(head)}
            tags = ("best",) if cell.startswith("**") else ()
            one = draft(
                "experiment", f"{bare(row[0])}, {head}", "", [line] if first else [], value=number_in(cell), params=params,
                metric=_metric_of(here), status="done", tags=tags,
            )  # fmt: skip
            one.cites = (line,)
            found.append(one)
            first = False
    return found


def _head_param(head: str) -> dict[str, object]:
    """The parameter a grid's column stands for: "h3 (3-day)" is {"h": 3, "column": "h3 (3-day)"}."""
    named = params_in(head)
    if named:
        return named
    split = re.match(r"([A-Za-z_]+)[ _]?(\d[\d.]*(?:e-?\d+)?)(?![\w])", head)
    return {split[1]: value_of(split[2]), "column": head} if split else {"column": value_of(head)}


def _metric_of(here: Here) -> str:
    """The metric a heading names: "Val loss by budget" -> "Val loss"."""
    for heading in (here.about, here.told):
        found = re.search(r"\b((?:best|val|test|train|mean)?[ _-]?(?:loss|accuracy|dice|f1|auc|perplexity|ppl|bpb|reward|rmse|mae|mse|iou|score))\b", heading, re.I)
        if found:
            return found[1].strip()
    return ""


def _metric_column(table: Table) -> int | None:
    """The column runs are compared by: a metric by its head, numbers in most of its cells; validation before training."""
    found: list[tuple[int, int]] = []
    for at, head in enumerate(table.head):
        if at == 0 or not is_metric(head) or _NOT_METRIC.search(head):
            continue
        cells = [cell for _, row in table.rows if not is_empty(cell := row[at])]
        if cells and sum(number_in(cell) is not None for cell in cells) * 2 > len(cells):
            words = head.lower()
            rank = 0 if re.search(r"best|val|dev|cv", words) else 1 if re.search(r"test|eval", words) else 3 if "train" in words else 2
            found.append((rank, at))
    return min(found)[1] if found else None


def _name_column(table: Table) -> int:
    """The column that names a row: by its head, else the first that is no number of order."""
    named = next((at for at, head in enumerate(table.head) if _NAME_HEAD.match(head) and not _is_order(table, at)), None)
    if named is not None:
        return named
    return next((at for at, head in enumerate(table.head) if not (_ORDINAL_HEAD.match(head) and _is_order(table, at))), 0)


def _is_order(table: Table, at: int) -> bool:
    cells = [cell for cell in table.column(at) if cell]
    return bool(cells) and all(re.match(r"#?\d{1,4}\.?$", cell) for cell in cells)


def _experiments(table: Table, here: Here, metric: int | None) -> list[Draft]:
    """One experiment a row: its name, its metric, every other column a parameter."""
    name = _name_column(table)
    titles = _titles(table, name)
    found = []
    for (line, row), title in zip(table.rows, titles, strict=True):
        value = number_in(row[metric]) if metric is not None else None
        params: dict[str, object] = {}
        for at, (head, cell) in enumerate(zip(table.head, row, strict=True)):
            if is_empty(cell) or (at == metric and value is not None) or (at == name and not params_in(cell)):
                continue
            params[head or f"column {at + 1}"] = value_of(cell)
        for cell in row:
            params.update({key: one for key, one in params_in(cell).items() if key not in params})
        found.append(draft(
            "experiment", title, "", [line], metric=table.head[metric] if metric is not None and value is not None else None,
            value=value, params=params, status=_state(table, row, here, value), tags=_tags(row, name),
        ))  # fmt: skip
    return found


def _titles(table: Table, name: int) -> list[str]:
    """A title a row; rows of one name are told apart by the first column that differs."""
    titles = [cut(marked(bare(row[name])).text) or f"row {at + 1}" for at, (_, row) in enumerate(table.rows)]
    doubles = {title for title, count in Counter(titles).items() if count > 1}
    if not doubles:
        return titles
    other = next((at for at in range(len(table.head)) if at != name and not _is_order(table, at)
                  and len({(t, row[at]) for t, (_, row) in zip(titles, table.rows, strict=True)}) == len(titles)), None)  # fmt: skip
    if other is None:
        return titles
    return [f"{title}, {table.head[other]} {bare(row[other])}" if title in doubles else title
            for title, (_, row) in zip(titles, table.rows, strict=True)]  # fmt: skip


def _state(table: Table, row: list[str], here: Here, value: float | None) -> str:
    """A row's state: what a column says, else a value means done, else planned."""
    for at, head in enumerate(table.head):
        if _STATE_HEAD.match(head) and not is_empty(row[at]):
            return state_in(row[at]) or plain(row[at])[:60].lower()
    counted = next((state for cell in row if re.match(r"^\W*\d+ ?/ ?\d+\b", cell) and (state := state_in(cell))), "")
    if counted:
        return counted
    if value is not None:
        return "done"
    is_planned = re.search(r"queue|planned|next|pending|to run|todo|upcoming|future|plan\b", f"{here.told} {here.about}", re.I)
    return "planned" if is_planned else ""


def _tags(row: list[str], name: int) -> tuple[str, ...]:
    """Bold names and trophies mark the best one; a baseline is called so."""
    tags = []
    if row[name].startswith("**") and row[name].endswith("**") and len(row[name]) > 4:
        tags.append("best")
    if "baseline" in row[name].lower():
        tags.append("baseline")
    return tuple(tags)


_TITLE_HEADS = {
    "decision": "decision|choice|title|topic|what|item|question|area", "bug": "issue|bug|problem|error|symptom|description|title|name",
    "task": "task|item|todo|step|action|feature|what|description|title|name|milestone|story|deliverable", "hypothesis": "hypothesis|idea|claim|what",
    "challenge": "risk|challenge|question|issue|blocker|limitation|item", "command": "command|script|cmd", "document": "file|path|document|doc|link|name",
    "change": "file|change|what|entity|description|item|commit|feature", "goal": "goal|objective|target|metric|criterion|requirement",
}  # fmt: skip
_STATELESS = frozenset({"assessment", "insight", "note", "lesson", "challenge", "preference", "style"})  # a state is what they say
_ABOUT_HEADS = re.compile(r"^(?:description|purpose|what it does|use|usage|notes?|what|meaning|when|action|does|details?|explanation)$", re.I)


def _rows(table: Table, here: Here) -> list[Draft]:
    """One record a row in the section's kind; columns that are fields of the kind fill them."""
    kind = here.kind or ("insight" if here.source.is_instructions else "note")
    kind = {"session": "assessment", "test": "assessment", "phase": "assessment", "experiment": "insight"}.get(kind, kind)
    name = _title_column(table, kind)
    found = []
    for line, row in table.rows:
        fields, rest = _row_fields(table, row, kind, name)
        title, status = _row_title(table, row, name, rest)
        body = "\n".join(f"{head}: {plain(cell)}" if head else plain(cell) for head, cell in rest if plain(cell) not in title)
        fields["status"] = "done" if kind == "change" else _row_status(table, row, kind, here) or status
        found.append(draft(kind, title, body, [line], **_defaults(kind, here, row, name), **fields))
    return found


def _title_column(table: Table, kind: str) -> int:
    wanted = _TITLE_HEADS.get(kind, "").split("|")
    heads = [normal(head) for head in table.head]
    for word in filter(None, wanted):
        for at, head in enumerate(heads):
            if (head == word or head.endswith(" " + word) or head == word + "s") and not _is_order(table, at):
                return at
    return _name_column(table)


def _row_fields(table: Table, row: list[str], kind: str, name: int) -> tuple[dict[str, object], list[tuple[str, str]]]:
    """(fields by the columns' heads, the other columns)."""
    fields: dict[str, object] = {}
    rest: list[tuple[str, str]] = []
    for at, (head, cell) in enumerate(zip(table.head, row, strict=True)):
        if at == name or is_empty(cell) or (_ORDINAL_HEAD.match(head) and _is_order(table, at)):
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
    if len(title) < 60 and rest and len(table.head) > 1:
        head, cell = rest[0]
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
                return known.get(state, state) or words
            if kind == "bug":
                return "fixed" if state == "done" or re.search(r"fixed|resolved|closed", words) else "open"
            return bare(row[at])[:40].lower() or state
    return here.status if kind in ("task", "bug") else ""


def _defaults(kind: str, here: Here, row: list[str], name: int) -> dict[str, object]:
    """Fields that the place gives: what it is about, its phase, the files named in the first column."""
    given: dict[str, object] = {"phase": here.phase} if kind not in ("task",) else {"phase": here.phase, "horizon": here.horizon}
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
