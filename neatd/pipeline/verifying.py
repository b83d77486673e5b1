"""Verifies what vouches for records: re-reads the source files line by line, and the conditions. Writes nothing.

A claim holds, does not hold, or cannot be checked, always with the reason. The file is asked before the store: a store
that agrees with itself proves nothing.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from neatd.errors import NeatError
from neatd.files import inside
from neatd.knowledge import Record
from neatd.models import ENDED, Model, Run
from neatd.pipeline.validity import gather_facts
from neatd.read.discover import METRICS
from neatd.read.values import Wanted, values_in
from neatd.rules.validity import broken_conditions
from neatd.store import runs
from neatd.store.evidence import prefix_hash, value_at

OnBytes = Callable[[Path, int], None]


class Finding(Model):
    """One claim of a record. `holds` is None where it cannot be checked."""

    record: str
    kind: str
    title: str
    claim: str  # "runs/a val/loss at step 300 is 0.31", or the condition
    holds: bool | None
    reason: str = ""


class _Claim(NamedTuple):
    kind: str
    record: Record
    number: dict[str, Any]  # as it was stored; may have come with a clone, so nothing in it is trusted
    run: Run | None
    path: Path | None
    wanted: Wanted | None


class _Answer(NamedTuple):
    holds: bool | None
    reason: str = ""


def verify(
    store: sqlite3.Connection, points: sqlite3.Connection, root: Path,
    found: Sequence[tuple[str, Record]], now: datetime, on_bytes: OnBytes = lambda path, done: None,
) -> list[Finding]:  # fmt: skip
    """What became of every claim of these records. Each source file is read once, however many claims name it."""
    known = {run.id: run for run in runs.all_runs(store)}
    claims = [_claim(kind, one, number, known, root) for kind, one in found for number in one.evidence]
    values = _read_sources(claims, on_bytes)
    hashes: dict[tuple[Path, int], str] = {}
    result = []
    for claim in claims:
        answer = _check(claim, values, hashes, points, store)
        title = claim.record.title or claim.record.body
        result.append(
            Finding(record=claim.record.id, kind=claim.kind, title=title, claim=_said(claim.number), holds=answer.holds,
                    reason=answer.reason)
        )  # fmt: skip
    return result + _conditions(store, root, found, now)


def _claim(kind: str, record: Record, number: dict[str, Any], known: dict[str, Run], root: Path) -> _Claim:
    run = known.get(str(number.get("run")))
    metric, step = number.get("metric"), number.get("step")
    is_number = isinstance(metric, str) and isinstance(step, int) and not isinstance(step, bool)
    wanted = (metric, step) if is_number else None
    return _Claim(kind, record, number, run, _path(number, run, root), wanted)  # type: ignore[arg-type]


def _path(number: dict[str, Any], run: Run | None, root: Path) -> Path | None:
    """The source: where the store knows its run to lie, else inside this project only."""
    name = number.get("source")
    if run is not None:
        file = name.rpartition("/")[2] if isinstance(name, str) and name else METRICS
        return Path(run.root) / run.folder / file
    try:
        return inside(root, name) if isinstance(name, str) and name else None
    except (NeatError, ValueError, OSError):
        return None


def _read_sources(claims: list[_Claim], on_bytes: OnBytes) -> dict[Path, dict[Wanted, float] | OSError]:
    """What each metrics file has of the claimed numbers, or why it cannot be read."""
    wanted: dict[Path, set[Wanted]] = {}
    for claim in claims:
        if claim.path and claim.wanted and claim.path.name == METRICS:
            wanted.setdefault(claim.path, set()).add(claim.wanted)
    found: dict[Path, dict[Wanted, float] | OSError] = {}
    for path, numbers in wanted.items():
        try:
            found[path] = values_in(path, numbers, lambda done, path=path: on_bytes(path, done))  # type: ignore[misc]
        except OSError as error:
            found[path] = error
    return found


def _check(
    claim: _Claim, values: dict[Path, dict[Wanted, float] | OSError], hashes: dict[tuple[Path, int], str],
    points: sqlite3.Connection, store: sqlite3.Connection,
) -> _Answer:  # fmt: skip
    if "claim" in claim.number:
        return _Answer(None, "it was kept where the store was out of reach; `neat edit ID evidence=…` looks it up")
    if "experiment" in claim.number:
        return _check_experiment(claim.number, store)
    if not claim.wanted:
        return _check_run(claim)
    in_store = value_at(points, claim.run.id, *claim.wanted) if claim.run else None
    read = values.get(claim.path) if claim.path else None
    if read is None or isinstance(read, OSError):
        return _without_source(claim, in_store, read)
    now = read.get(claim.wanted)
    if now is None:
        return _Answer(False, f"{claim.path.name if claim.path else ''} has no such number any more")
    if not _is_same(claim.number.get("value"), now):
        return _Answer(False, f"the value differs: it was {claim.number.get('value')}, the file has {now!r}")
    return _check_hash(claim, hashes)


def _check_hash(claim: _Claim, hashes: dict[tuple[Path, int], str]) -> _Answer:
    digest, size = claim.number.get("hash"), claim.number.get("size")
    if not digest or not isinstance(size, int) or claim.path is None:
        return _Answer(True)
    key = (claim.path, size)
    if key not in hashes:
        hashes[key] = prefix_hash(claim.path, max(0, size))[0]
    if hashes[key] == digest:
        return _Answer(True)
    return _Answer(False, "the file was replaced or rewritten since; it has the same value there")


def _without_source(claim: _Claim, in_store: float | None, error: OSError | None) -> _Answer:
    """What the store alone can say: it cannot vouch for itself, but it can contradict."""
    gone = "source gone" if error is None or isinstance(error, FileNotFoundError) else f"source unreadable: {error}"
    if claim.run is None:
        return _Answer(
            False, f"run {claim.number.get('run_name') or claim.number.get('run')} is not known here; {gone}"
        )
    if claim.path and claim.path.name != METRICS:
        gone = f"{claim.path.name} is not re-read"
    if in_store is None:
        return _Answer(False, f"{gone}, and the store has no such number")
    if _is_same(claim.number.get("value"), in_store):
        return _Answer(None, f"{gone}, store agrees")
    return _Answer(False, f"{gone}; the store has {in_store!r}, it was {claim.number.get('value')}")


def _check_run(claim: _Claim) -> _Answer:
    """A run without a metric: it is there, and ended as it had."""
    run, was = claim.run, claim.number.get("status")
    if run is None:
        return _Answer(False, f"run {claim.number.get('run_name') or claim.number.get('run')} is not known here")
    if was in ENDED and run.status != was:
        return _Answer(False, f"{run.name} was {was}, it is {run.status}")
    return _Answer(True)


def _check_experiment(number: dict[str, Any], store: sqlite3.Connection) -> _Answer:
    row = store.execute(
        "SELECT value, deleted_at > restored_at FROM experiment WHERE id = ?", (str(number["experiment"]),)
    ).fetchone()
    if row is None or row[1]:
        return _Answer(False, "the experiment's record was deleted" if row else "the experiment's record is not here")
    if _is_same(number.get("value"), row[0]):
        return _Answer(True)
    return _Answer(False, f"the value differs: it was {number.get('value')}, the record has {row[0]!r}")


def _conditions(
    store: sqlite3.Connection, root: Path, found: Sequence[tuple[str, Record]], now: datetime
) -> list[Finding]:
    bound = [(kind, one) for kind, one in found if one.valid_while]
    plain = [one.model_copy(update={"commit": ""}) for _, one in bound]  # branches are no claim of the record's
    facts = gather_facts(store, root, plain)
    result = []
    for kind, one in bound:
        for condition in one.valid_while:
            reasons = broken_conditions(one.model_copy(update={"valid_while": (condition,)}), facts, now.astimezone())
            title = one.title or one.body
            result.append(
                Finding(record=one.id, kind=kind, title=title, claim=f"valid while {condition}", holds=not reasons,
                        reason="; ".join(reasons))
            )  # fmt: skip
    return result


def _is_same(stored: object, found: float | None) -> bool:
    """Whether a stored number (non-finite ones are text) is the one that was found."""
    try:
        value = float(stored)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return False
    return found is not None and (value == found or (math.isnan(value) and math.isnan(found)))


def _said(number: dict[str, Any]) -> str:
    """A claim as a person reads it."""
    if "claim" in number:
        return str(number["claim"])
    who = number.get("run_name") or number.get("name") or number.get("run") or number.get("experiment")
    role = f"{number['role']} " if number.get("role") else ""
    if not number.get("metric"):
        return f"{role}{who} is {number.get('status', 'there')}"
    at = f" at step {number['step']}" if number.get("step") is not None else ""
    return f"{role}{who} {number['metric']}{at} is {number.get('value')}"
