"""The experiment table as CSV: printed, or kept current at the path that neat.yaml names, for those who analyse offline.

RFC 4180, UTF-8. Text that a spreadsheet would take for a formula is quoted by an apostrophe; numbers stay numbers. A file
that neat did not write is never overwritten: ours begins with a heading of its own.
"""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from neatd.assist.facts import RunFact
from neatd.config import ProjectConfig
from neatd.errors import NeatError
from neatd.files import inside, open_regular, write_atomic
from neatd.models import Project
from neatd.pipeline.experiments import experiment_table
from neatd.redact import redact

FIRST = "neat_id"
HEADINGS = (
    FIRST, "experiment", "status", "metric", "value", "at_step", "delta", "is_better", "is_comparable",
    "not_comparable", "is_baseline", "is_reported", "step", "planned_steps", "params", "samples", "data",
    "data_fraction", "hours", "attempt", "started_at", "commit", "is_dirty", "code", "changed", "accuracy", "notes",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
ENDINGS = (".csv", ".tsv")
LARGEST = 64 << 20  # of a table that is compared before it is written

Cell = str | int | float | bool | datetime | None


def write_table(
    store: sqlite3.Connection, points: sqlite3.Connection, project: Project, config: ProjectConfig
) -> Path | None:
    """Write the table where neat.yaml says, if its bytes differ; the path when it was written, else None.

    Raises NeatError when the path leads out of the project, or holds a file that neat did not write.
    """
    if not config.table_csv:
        return None
    path = inside(Path(project.root), config.table_csv)
    if path.suffix.lower() not in ENDINGS:  # a repository names the path: what is written must be nothing that runs
        raise NeatError(
            f"table_csv: {config.table_csv!r} is no table by its ending", f"end it with {' or '.join(ENDINGS)}"
        )
    old = table_bytes(path)
    data = table_csv(experiment_table(store, points, project, config).rows).encode()
    if data == old:
        return None
    write_atomic(path, data)
    return path


def table_csv(rows: Iterable[RunFact], line_end: str = "\r\n") -> str:
    """The rows under their headings."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=line_end)
    writer.writerow(HEADINGS)
    for row in rows:
        writer.writerow([row.id, *map(cell, _values(row))])
    return text.getvalue()


def _values(row: RunFact) -> tuple[Cell, ...]:
    return (
        row.name, row.status, row.metric, row.value, row.value_step, row.delta, row.is_better,
        row.is_comparable, "; ".join(row.not_comparable), row.is_baseline, row.is_reported, row.step,
        row.planned_steps, row.params, row.samples, row.data, row.data_fraction,
        None if row.hours is None else round(row.hours, 4), row.attempt, row.started_at, row.commit,
        row.is_dirty, row.code, "; ".join(row.changed), row.accuracy, "; ".join(row.notes),
    )  # fmt: skip


def cell(value: Cell) -> str:
    """A value as its cell holds it: numbers as they read back exactly, text without secrets and harmless."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, datetime):
        return value.isoformat()
    text = _safe(value).replace("\0", "")
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


@lru_cache(maxsize=8192)  # most cells are those of other rows
def _safe(text: str) -> str:
    return redact(text)


def table_bytes(path: Path) -> bytes | None:
    """The table that is there, None when nothing is; raises NeatError when it is none of ours."""
    try:
        with open_regular(path) as file:
            data = file.read(LARGEST)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NeatError(f"{path} cannot be written: {error.strerror}", "name another file as `table_csv`") from error
    if data and not data.startswith(f"{FIRST},".encode()):
        raise NeatError(f"{path} is not a table that neat wrote", "name another file as `table_csv`, or move this one")
    return data
