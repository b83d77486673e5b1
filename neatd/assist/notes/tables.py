"""Tables to records: experiments with their parameters, grids of results, rows of every other kind. Pure."""

from __future__ import annotations

import re
from collections import Counter

from neatd.assist.notes.cells import (
    Table,
    is_empty,
    is_not_finite,
    number_in,
    params_in,
    state_in,
    trial_state,
    value_of,
)
from neatd.assist.notes.context import Here
from neatd.assist.notes.fields import is_metric
from neatd.assist.notes.marks import marked
from neatd.assist.notes.plain import bare, cut, plain
from neatd.assist.notes.record import Draft, draft
from neatd.assist.notes.rows import ORDINAL_HEAD, is_order, name_column, rows
from neatd.assist.notes.said import date_in_row
from neatd.assist.notes.turned import is_turned, turned

_STATE_HEAD = re.compile(r"^(?:status|state|result|outcome|done\??|verdict|decision|keep\??)$", re.I)
_NOT_METRIC = re.compile(
    r"\b(?:vs|delta|change|diff|improvement|params?|time|hours|epochs?|steps?|lr|learning rate"
    r"|function|type|weight|target|threshold)\b|^Δ|^loss$(?<=x)",
    re.I,
)
_QUEUE = re.compile(r"queue|planned|next|pending|to run|todo|upcoming|future|\bplan\b", re.I)
_SECTIONS = frozenset({"experiment", "insight", "assessment", "test", "", "hypothesis", "session", "change", "task"})
_FIXED_WORDS = re.compile(r"[\d.]+(?:e-?\d+)?")
_PARAMETER = re.compile(
    r"^(?:[a-z_]{0,12}\s?[=:]?\s?-?\d[\d.,]*(?:e-?\d+)?\s?[a-z%]{0,3}|\w{1,12}\s?\([^()]{1,20}\)|seed \d+|fold \d+)$",
    re.I,
)


def table_drafts(table: Table, here: Here) -> list[Draft]:
    """The records of a table, each with the line of its row; a cell of a grid cites the row of the first."""
    if not table.rows or not table.head:
        return []
    if here.kind in _SECTIONS and _is_grid(table):
        return _grid(table, here)
    if here.kind in _SECTIONS and is_turned(table):
        return turned(table)
    metric = _metric_column(table)
    is_trials = here.kind == "experiment" and (len(table.head) > 2 or not _is_pairs(table))
    if is_trials or (metric is not None and here.kind in _SECTIONS):
        return _experiments(table, here, metric)
    return rows(table, here)


def _is_pairs(table: Table) -> bool:
    """A table of two columns that names a thing and its value."""
    return len(table.head) == 2 and bool(
        re.match(
            r"(?:metric|parameter|param|key|field|item|property|setting|aspect|hyperparameter|name|option"
            r"|variable|what)s?$",
            table.head[0] or "metric",
            re.I,
        )
    )


def _is_grid(table: Table) -> bool:
    """First column and head are parameters of one kind each, the cells numbers."""
    heads, cells = table.head[1:], [cell for _, row in table.rows for cell in row[1:] if not is_empty(cell)]
    if len(heads) < 2 or not cells or ORDINAL_HEAD.match(table.head[0]):
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
                "experiment",
                f"{bare(row[0])}, {head}",
                "",
                [line] if first else [],
                value=number_in(cell),
                params=params,
                metric=_metric_of(here),
                status="done",
                tags=tags,
            )
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
        found = re.search(
            r"\b((?:best|val|test|train|mean)?[ _-]?(?:loss|accuracy|dice|f1|auc|perplexity|ppl|bpb|reward"
            r"|rmse|mae|mse|iou|score))\b",
            heading,
            re.I,
        )
        if found:
            return found[1].strip()
    return ""


def _metric_column(table: Table) -> int | None:
    """The column runs are compared by: a metric by its head, numbers in most of its cells; validation before training."""
    found: list[tuple[int, int]] = []
    for at, head in enumerate(table.head):
        if at == 0 or not is_metric(head) or _NOT_METRIC.search(head):
            continue
        cells = [cell for _, row in table.rows if not is_empty(cell := row[at]) and not is_not_finite(cell)]
        if cells and sum(number_in(cell) is not None for cell in cells) * 2 > len(cells):
            words = head.lower()
            rank = (
                0
                if re.search(r"best|val|dev|cv", words)
                else 1
                if re.search(r"test|eval", words)
                else 3
                if "train" in words
                else 2
            )
            found.append((rank, at))
    return min(found)[1] if found else None


def _experiments(table: Table, here: Here, metric: int | None) -> list[Draft]:
    """One experiment a row: its name, its metric, every other column a parameter."""
    name = name_column(table)
    titles = _titles(table, name)
    found = []
    for (line, row), title in zip(table.rows, titles, strict=True):
        value = number_in(row[metric]) if metric is not None else None
        params: dict[str, object] = {}
        for at, (head, cell) in enumerate(zip(table.head, row, strict=True)):
            if (
                (is_empty(cell) and not is_not_finite(cell))
                or (at == metric and value is not None)
                or (at == name and not params_in(cell))
            ):
                continue
            params[head or f"column {at + 1}"] = value_of(cell)
        for cell in row:
            params.update({key: one for key, one in params_in(cell).items() if key not in params})
        found.append(
            draft(
                "experiment",
                title,
                "",
                [line],
                metric=table.head[metric] if metric is not None and value is not None else None,
                value=value,
                params=params,
                status=_state(table, row, here, metric, value),
                tags=_tags(row, name),
            )
        )
        found[-1].said_at = date_in_row(table.head, row)
    return found


def _titles(table: Table, name: int) -> list[str]:
    """A title a row; rows of one name are told apart by the first column that differs."""
    titles = [cut(marked(bare(row[name])).text) or f"row {at + 1}" for at, (_, row) in enumerate(table.rows)]
    doubles = {title for title, count in Counter(titles).items() if count > 1}
    if not doubles:
        return titles
    other = next(
        (
            at
            for at in range(len(table.head))
            if at != name
            and not is_order(table, at)
            and len({(t, row[at]) for t, (_, row) in zip(titles, table.rows, strict=True)}) == len(titles)
        ),
        None,
    )
    if other is None:
        return titles
    return [
        f"{title}, {table.head[other]} {bare(row[other])}" if title in doubles else title
        for title, (_, row) in zip(titles, table.rows, strict=True)
    ]


def _state(table: Table, row: list[str], here: Here, metric: int | None, value: float | None) -> str:
    """A row's state: what a column for it says, else what its cells do."""
    is_lost = value is None and metric is not None and is_not_finite(row[metric])
    for at, head in enumerate(table.head):
        if _STATE_HEAD.match(head) and not is_empty(row[at]):
            if number_in(row[at]) is not None and not state_in(row[at]):
                continue  # a column "Result" of numbers
            stated = state_in(row[at]) or plain(row[at])[:60].lower()
            return "diverged" if is_lost and stated == "done" else stated
    counted = next((state for cell in row if re.match(r"^\W*\d+ ?/ ?\d+\b", cell) and (state := state_in(cell))), "")
    return counted or trial_state(row, value, is_lost, bool(_QUEUE.search(f"{here.told} {here.about}")))


def _tags(row: list[str], name: int) -> tuple[str, ...]:
    """Bold names and trophies mark the best one; a baseline is called so."""
    tags = []
    if row[name].startswith("**") and row[name].endswith("**") and len(row[name]) > 4:
        tags.append("best")
    if "baseline" in row[name].lower():
        tags.append("baseline")
    return tuple(tags)
