"""A table whose rows are metrics and whose columns are runs: one experiment a column. Pure."""

from __future__ import annotations

import re

from neatd.assist.notes.cells import Table, number_in, value_of
from neatd.assist.notes.fields import is_metric
from neatd.assist.notes.plain import bare, cut
from neatd.assist.notes.record import Draft, draft

_CORNER = re.compile(r"(?:metrics?|measure)?", re.I)
# Columns that say how a value stands, not which run it is of.
_NO_RUN = re.compile(
    r"(?:value|before|after|old|new|target|goal|delta|Δ|change|diff(?:erence)?|gain|improvement|min|max|mean|std"
    r"|median|count|weight|threshold|unit|n)s?(?:\W.*)?",
    re.I,
)


def is_turned(table: Table) -> bool:
    """Whether all cells are numbers, the rows metrics and the columns runs."""
    heads = table.head[1:]
    if len(heads) < 2 or not _CORNER.fullmatch(table.head[0]) or len(set(heads)) < len(heads):
        return False
    if any(not head or _NO_RUN.fullmatch(head) or is_metric(head) for head in heads):
        return False
    if any(number_in(cell) is None for _, row in table.rows for cell in row[1:]):
        return False
    names = [bare(row[0]) for _, row in table.rows]
    return all(re.search(r"[A-Za-z]", name) for name in names) and any(map(is_metric, names))


def turned(table: Table) -> list[Draft]:
    """An experiment a column: the first row is its metric, the other rows are in its parameters. All cite all rows."""
    lines = [line for line, _ in table.rows]
    (_, first), *rest = table.rows
    found: list[Draft] = []
    for at, head in enumerate(table.head[1:], 1):
        params = {bare(row[0]): value_of(row[at]) for _, row in rest}
        value, metric = number_in(first[at]), bare(first[0])
        one = draft("experiment", cut(head), "", lines, metric=metric, value=value, params=params, status="done")
        if found:
            one.lines, one.cites = [], tuple(lines)
        if first[at].startswith("**"):
            one.fields["tags"] = ("best",)
        found.append(one)
    return found
