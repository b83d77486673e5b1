"""Several studies as rows and columns: a budget by a horizon, or any two parts of their names or files. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from neatd.errors import NeatError
from neatd.studies.analysis import Analysis
from neatd.studies.grouping import shown
from neatd.studies.tables import architecture

_SIZES = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12}
_PIECE = re.compile(r"(\d+(?:\.\d+)?)([kmbgt]?)(?![a-z])", re.IGNORECASE)
HINT = "name what the rows and columns are: --rows 1 --columns 2 (parts of the names), or --rows budget.parameters"


class Corner(NamedTuple):
    """A cell: the studies of one row and one column, the best of them first."""

    row: str
    column: str
    studies: tuple[str, ...]
    best: float | None
    trial: int | None
    architecture: str
    counted: int
    trials: int
    diverged: int
    is_best_of_column: bool = False
    is_best_of_row: bool = False


class Matrix(NamedTuple):
    """Its axes in order, its cells row by row. `notes`: what makes values no ones to compare."""

    rows_by: str
    columns_by: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[Corner, ...]
    notes: tuple[str, ...]


def matrix(found: Sequence[Analysis], rows: str = "", columns: str = "") -> Matrix:
    """The studies by two axes, inferred from what differs between their names where none is named. Raises NeatError where
    that is not two."""
    if not (rows and columns):
        rows, columns = _inferred([one.searched.name for one in found], rows, columns)
    places = [(_at(one, rows), _at(one, columns) if columns else "best") for one in found]
    row_names = sorted({row for row, _ in places}, key=natural)
    column_names = sorted({column for _, column in places}, key=natural)
    cells = []
    for row in row_names:
        for column in column_names:
            inside = [one for one, place in zip(found, places, strict=True) if place == (row, column)]
            if inside:
                cells.append(_corner(row, column, inside))
    is_min = all(one.searched.goal == "min" for one in found)
    return Matrix(
        rows, columns, tuple(row_names), tuple(column_names), tuple(_marked(cells, is_min)), tuple(_notes(found))
    )


def natural(text: str) -> tuple[tuple[int, float, str], ...]:
    """An order in which 2M comes before 20M and 2B, and h3 before h10."""
    found: list[tuple[int, float, str]] = []
    end = 0
    for match in _PIECE.finditer(text):
        found += [(1, 0.0, text[end : match.start()].lower())] if match.start() > end else []
        found.append((0, float(match[1]) * _SIZES[match[2].lower()], ""))
        end = match.end()
    return (*found, (1, 0.0, text[end:].lower()))


def parts_of(name: str) -> list[str]:
    """A name in the parts that _, -, / and spaces divide."""
    return [part for part in re.split(r"[_\-/\s]+", name) if part]


def _inferred(names: Sequence[str], rows: str, columns: str) -> tuple[str, str]:
    """The axes that are not named: the parts in which the names differ, the first for the rows."""
    parts = [parts_of(name) for name in names]
    if len({len(one) for one in parts}) > 1:
        if rows or columns:
            return rows or "name", columns
        raise NeatError("the names of the studies have different numbers of parts", HINT)
    differing = [str(place) for place, texts in enumerate(zip(*parts, strict=True), start=1) if len(set(texts)) > 1]
    left = [place for place in differing if place not in (rows, columns)]
    if rows:
        return rows, left[0] if left else ""
    if columns:
        return left[0] if left else "name", columns
    if not 1 <= len(left) <= 2:
        raise NeatError(f"the names of the studies differ in {len(left)} parts", HINT)
    return left[0], left[1] if len(left) == 2 else ""


def _at(one: Analysis, axis: str) -> str:
    """Where a study stands on an axis: a part of its name by number, or a field of its file by its path."""
    searched = one.searched
    if axis == "name":
        return searched.name
    if axis.isdigit():
        parts = parts_of(searched.name)
        if not 1 <= int(axis) <= len(parts):
            raise NeatError(f"study {searched.name} has {len(parts)} parts in its name, not {axis}", HINT)
        return parts[int(axis) - 1]
    value: Any = searched.spec
    for key in axis.split("."):
        if not isinstance(value, Mapping) or key not in value:
            raise NeatError(f"study {searched.name} has no field {axis!r}", HINT)
        value = value[key]
    return _short(value)


def _short(value: Any) -> str:
    """2e8 as 200M, as people write it."""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= 1e4:
        for unit, size in (("B", 1e9), ("M", 1e6), ("k", 1e3)):
            if abs(value) >= size:
                return f"{value / size:.6g}{unit}"
    return shown(value)


def _corner(row: str, column: str, inside: Sequence[Analysis]) -> Corner:
    sign = 1 if inside[0].searched.goal == "min" else -1
    ordered = sorted(inside, key=lambda one: (one.best is None, sign * (one.figures.best or 0.0)))
    best = ordered[0].best
    return Corner(
        row, column, tuple(one.searched.name for one in ordered), ordered[0].figures.best, best.number if best else None,
        architecture(best) if best else "", sum(one.figures.counted for one in inside),
        sum(one.figures.trials for one in inside), sum(one.figures.diverged for one in inside),
    )  # fmt: skip


def _marked(cells: Sequence[Corner], is_min: bool) -> list[Corner]:
    def best_among(values: Sequence[float]) -> float | None:
        return (min(values) if is_min else max(values)) if values else None

    marked = []
    for one in cells:
        column = [other.best for other in cells if other.column == one.column and other.best is not None]
        row = [other.best for other in cells if other.row == one.row and other.best is not None]
        is_best_of_column = one.best is not None and len(column) > 1 and one.best == best_among(column)
        is_best_of_row = one.best is not None and len(row) > 1 and one.best == best_among(row)
        marked.append(one._replace(is_best_of_column=is_best_of_column, is_best_of_row=is_best_of_row))
    return marked


def _notes(found: Sequence[Analysis]) -> list[str]:
    goals = sorted({f"{one.searched.goal} {one.searched.metric}" for one in found})
    return [f"the goals differ ({', '.join(goals)}): their values are not comparable"] if len(goals) > 1 else []
