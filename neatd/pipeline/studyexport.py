"""A folder with all that studies tried, for who analyses offline: summaries as CSV, everything as JSON, what diverged apart.

Invariant: the folder appears whole or not at all; in one that is there, each file is replaced whole, README.md last. A
file that is there already is replaced only by who says so. Trials are written one by one: memory holds one's curves.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import IO, Any, NamedTuple

from neatd.errors import NeatError
from neatd.files import fsync_folder
from neatd.pipeline.showing import json_text
from neatd.pipeline.studied import Loaded
from neatd.pipeline.studyreadme import DIVERGED_CSV, DIVERGED_JSON, FILES, FULL, README, SUMMARY, readme
from neatd.pipeline.tablefile import cell
from neatd.redact import redact
from neatd.studies.analysis import trial_shape
from neatd.studies.curves import Curve, curve_figures
from neatd.studies.grouping import shown
from neatd.studies.tried import Searched, Tried, best_of

HEAD = ("study", "number", "status", "is_diverged", "diverged", "is_best", "value", "value_step")
TAIL = (
    "seconds", "started_at", "ended_at", "chosen_by", "retry_of", "run", "job", "reason", "why",
)  # fmt: skip


class Columns(NamedTuple):
    """The columns of the summary that depend on the studies."""

    params: tuple[str, ...]
    derived: tuple[str, ...]
    more: tuple[str, ...]
    curves: tuple[str, ...]  # metrics whose figures have columns; "" is the goal's


class Exported(NamedTuple):
    """What was written."""

    folder: Path
    studies: int
    trials: int
    diverged: int


def export(
    found: Sequence[Loaded], out: Path, now: datetime, extra: Sequence[str] = (), is_forced: bool = False
) -> Exported:
    """Write the studies to the folder `out`; `extra` are metrics whose curves are kept besides the goals'.

    Raises NeatError when a file of it is there already, unless forced, or the folder cannot be written.
    """
    _check(out, is_forced)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        staged = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".tmp", dir=out.parent))
    except OSError as error:
        raise NeatError(f"{out} cannot be written: {error.strerror}", "name another folder as --out") from error
    try:
        diverged = _write(found, staged, now, tuple(extra))
        _put_in_place(staged, out)
    except OSError as error:
        raise NeatError(f"{out} cannot be written: {error.strerror}", "name another folder as --out") from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)  # our own, and gone where all went well
    return Exported(out, len(found), sum(len(one.searched.trials) for one in found), diverged)


def _check(out: Path, is_forced: bool) -> None:
    if out.exists() and not out.is_dir():
        raise NeatError(f"{out} is no folder", "name another one as --out")
    there = [name for name in FILES if (out / name).exists() or (out / name).is_symlink()]
    if there and not is_forced:
        raise NeatError(
            f"{out} has {', '.join(there)} already", "--force replaces them; or name another folder as --out"
        )
    if any((out / name).is_dir() for name in there):
        raise NeatError(f"{out} has a folder called as a file to be written", "name another folder as --out")


def _put_in_place(staged: Path, out: Path) -> None:
    if not out.exists():
        mask = os.umask(0)
        os.umask(mask)
        staged.chmod(0o777 & ~mask)
        staged.rename(out)
    else:
        for name in FILES:
            (staged / name).replace(out / name)
        fsync_folder(out)
    fsync_folder(out.parent)


def columns_of(found: Sequence[Searched], extra: Sequence[str] = ()) -> Columns:
    """Every name that any trial has, in the order in which they come."""

    def names(of: Callable[[Tried], Mapping[str, Any]]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for one in found for trial in one.trials for name in of(trial)))

    return Columns(
        names(lambda one: one.params), names(lambda one: one.derived), names(lambda one: one.more), ("", *extra)
    )


def headings(columns: Columns) -> list[str]:
    """The summary's columns in their order."""
    return [
        *HEAD, *(f"params_{name}" for name in columns.params), *(f"derived_{name}" for name in columns.derived),
        *(f"{_curve_name(metric)}_{part}" for metric in columns.curves for part in _PARTS), *TAIL,
        *(f"more_{name}" for name in columns.more),
    ]  # fmt: skip


_PARTS = ("first", "first_step", "last", "last_step", "best", "best_step", "points", "nonfinite")


def _curve_name(metric: str) -> str:
    return f"curve({metric})" if metric else "curve"


def _write(found: Sequence[Loaded], staged: Path, now: datetime, extra: tuple[str, ...]) -> int:
    """All files into the staged folder; how many trials diverged."""
    columns = columns_of([one.searched for one in found], extra)
    diverged = 0
    with ExitStack() as stack:
        tables = [_table(stack, staged / name, columns) for name in (SUMMARY, DIVERGED_CSV)]
        texts = [stack.enter_context(_opened(staged / name)) for name in (FULL, DIVERGED_JSON)]
        for text in texts:
            text.write('{"exported_at": ' + json_text(now) + ', "studies": [')
        for place, one in enumerate(found):
            parts = [_StudyText(text, one.searched, is_first=not place) for text in texts]
            for trial, curves, row in _rows(one, columns, extra):
                shape = json_text({**trial_shape(trial), "curves": curves})
                for table, part in list(zip(tables, parts, strict=True))[: 2 if trial.diverged else 1]:
                    table.writerow(row)
                    part.add(shape)
                diverged += bool(trial.diverged)
            for part in parts:
                part.end()
        for text in texts:
            text.write("\n]}\n")
    with _opened(staged / README) as text:
        text.write(redact(readme([one.searched for one in found], headings(columns), now)))
    for name in FILES:
        _sync(staged / name)
    return diverged


class _StudyText:
    """A study's object in a JSON document, its trials added one by one."""

    def __init__(self, text: IO[str], searched: Searched, is_first: bool) -> None:
        self._text, self._between = text, "\n"
        told = {name: value for name, value in searched._asdict().items() if name != "trials"}
        space = {name: json.loads(held) for one in searched.trials for name, held in one.space.items() if held}
        head = json_text({**told, "space": space})
        text.write(("\n" if is_first else ",\n") + head[:-1] + ', "trials": [')

    def add(self, shape: str) -> None:
        self._text.write(self._between + shape)
        self._between = ",\n"

    def end(self) -> None:
        self._text.write("\n]}")


def _rows(one: Loaded, columns: Columns, extra: Sequence[str]) -> Iterator[tuple[Tried, dict[str, Curve], list[str]]]:
    """(trial, its curves by metric, its row of the summary)."""
    searched = one.searched
    best = best_of([trial for trial in searched.last_tries if trial.kind == "counted"], searched.goal)
    for trial in searched.trials:
        named = {name: one.curve(trial, name) for name in dict.fromkeys([*one.metrics(trial), *extra])}
        curves = {"": one.curve(trial, ""), **named}
        row = _row(searched, trial, trial is best, columns, curves)
        own = {searched.metric: curves.pop("")}
        yield trial, {name: curve for name, curve in {**own, **curves}.items() if curve}, row


def _row(searched: Searched, trial: Tried, is_best: bool, columns: Columns, curves: Mapping[str, Curve]) -> list[str]:
    values: list[Any] = [
        searched.name, trial.number, trial.status, bool(trial.diverged), trial.diverged, is_best, trial.value,
        trial.value_step, *(trial.params.get(name) for name in columns.params),
        *(trial.derived.get(name) for name in columns.derived),
    ]  # fmt: skip
    for metric in columns.curves:
        told = curve_figures(curves.get(metric, ()), searched.goal)
        values += [getattr(told, part) for part in _PARTS]
    values += [getattr(trial, name) for name in TAIL]
    values += [trial.more.get(name) for name in columns.more]
    return [cell(one if _is_plain(one) else shown(one)) for one in values]


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool | datetime)


def _table(stack: ExitStack, path: Path, columns: Columns) -> Any:
    writer = csv.writer(stack.enter_context(_opened(path)))
    writer.writerow([cell(one) for one in headings(columns)])
    return writer


def _opened(path: Path) -> IO[str]:
    return path.open("w", encoding="utf-8", newline="", errors="replace")


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
