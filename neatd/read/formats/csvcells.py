"""Cells of a CSV file: which of them are numbers, steps or names. Pure."""

from __future__ import annotations

from neatd.read.formats.csvcolumns import STEP_NAMES, Columns, compared
from neatd.read.metrics import as_step

ABSENT = frozenset((b"", b"na", b"n/a", b"nan", b"none", b"null", b"-"))


def number_of(cell: bytes) -> float | None:
    """A cell's number. Python would read 1_000 as one: that is a name."""
    if b"_" in cell:
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def all_numbers(columns: Columns, cells: list[bytes]) -> dict[str, float] | None:
    """The values of a row that holds nothing but numbers; None for any other."""
    if len(cells) > len(columns.names):
        return None
    try:
        return dict(zip(columns.names, map(float, cells), strict=False))
    except ValueError:
        return None


def some_numbers(columns: Columns, cells: list[bytes]) -> dict[str, float]:
    """The values of any row: what is empty or text is left out."""
    values: dict[str, float] = {}
    for name, cell in zip(columns.names, cells, strict=False):
        if cell and b"_" not in cell:
            try:
                values[name] = float(cell)
            except ValueError:
                continue
    return values


def is_header(columns: Columns, cells: list[bytes]) -> bool:
    """Whether a row holds names only, and one that is known: then the columns change here."""
    if number_of(cells[0]) is not None or not cells[0].strip() or any(number_of(one) is not None for one in cells):
        return False
    names = {compared(cell.decode("utf-8", "replace").strip("\ufeff")) for cell in cells}
    return not names.isdisjoint(columns.known) or not names.isdisjoint(STEP_NAMES)


def step_of(cell: bytes) -> int | None:
    """A whole number, however it is written; None for anything else."""
    try:
        return as_step(int(cell)) if b"_" not in cell else None
    except ValueError:
        number = number_of(cell)
        return as_step(number) if number is not None else None
