"""What a person names as evidence or as a condition, made exact when it is kept: value and hash, whole commit, run id."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any, get_args

from neatd.config import Primary
from neatd.errors import NeatError
from neatd.models import Goal, RunStatus
from neatd.pipeline.validity import hash_for_condition
from neatd.read.ancestry import full_commit
from neatd.rules.goals import goal_of
from neatd.rules.validity import CONDITION_FORMS, parse_condition
from neatd.store import records, runs
from neatd.store.evidence import EvidenceSpec, claims, parse_evidence, resolve_evidence

STATUSES: tuple[str, ...] = get_args(RunStatus)


def resolve(
    store: sqlite3.Connection, points: sqlite3.Connection, project_id: str, spec: EvidenceSpec,
    primary: Primary | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Evidence as it is stored. `primary` is neat.yaml's: its goal comes before what the metric's name tells."""
    return resolve_evidence(store, points, project_id, spec, goals(primary))


def goals(primary: Primary | None) -> Callable[[str], Goal | None]:
    """Which way a metric is good, for this project."""

    def goal(metric: str) -> Goal | None:
        return primary.goal if primary and primary.metric == metric else goal_of(metric)

    return goal


def settle_claims(
    store: sqlite3.Connection, points: sqlite3.Connection, project_id: str, primary: Primary | None = None
) -> int:
    """Look up what a sandboxed command could only leave as text; returns how many records got their numbers.

    A claim that names what is not there stays as it is: its run may only be read later, and `neat verify` tells of it.
    """
    settled = 0
    for kind, record in claims(store, project_id):
        if any("claim" in number for number in record.evidence):
            numbers = [_settled(store, points, project_id, number, primary) for number in record.evidence]
            if numbers != list(record.evidence):
                records.change(store, kind, record.id, {"evidence": numbers}, "daemon")
                settled += 1
    return settled


def _settled(
    store: sqlite3.Connection, points: sqlite3.Connection, project_id: str, number: dict[str, Any],
    primary: Primary | None,
) -> dict[str, Any]:  # fmt: skip
    if "claim" not in number:
        return number
    try:
        return resolve(store, points, project_id, parse_evidence(str(number["claim"])), primary)
    except NeatError:
        return number


def fix_condition(text: str, root: Path, store: sqlite3.Connection | None = None, project_id: str = "") -> str:
    """A `valid_while` as it is stored, with the hash, the whole commit or (given the store) the run's id filled in.

    Raises NeatError with the forms, or with what is wrong with the file, commit, branch, run, status or date.
    """
    kind, _, rest = " ".join(text.split()).partition(" ")
    if kind not in _FIX or not rest:
        raise NeatError(f"not a condition: {text!r}", f"write {CONDITION_FORMS}")
    if kind == "run":
        return f"run {_run(rest, store, project_id)}"
    if kind == "file":
        rest = text.strip().removeprefix("file").strip()  # a name may hold two spaces
    fixed = f"{kind} {_FIX[kind](rest, root)}"
    if parse_condition(fixed) is None:
        raise NeatError(f"not a condition: {text!r}", f"write {CONDITION_FORMS}")
    return fixed


def _file(rest: str, root: Path) -> str:
    name = re.sub(r" sha256:[0-9a-f]{64}$", "", rest)  # as it is stored: the hash is taken anew
    return f"{name} {hash_for_condition(root, name)}"


def _commit(rest: str, root: Path) -> str:
    found = full_commit(root, rest)
    if not found:
        raise NeatError(
            f"no commit {rest!r} in {root}", "`git log --oneline` shows the commits; a branch or HEAD will do"
        )
    return found


def _branch(rest: str, root: Path) -> str:
    if " " in rest:
        raise NeatError(f"not a branch: {rest!r}", "write branch NAME, e.g. branch main")
    return rest


def _until(rest: str, root: Path) -> str:
    """A day stays a day; a moment without a zone is local time."""
    try:
        if len(rest) == 10:
            return date.fromisoformat(rest).isoformat()
        return datetime.fromisoformat(rest).astimezone().isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError) as error:
        raise NeatError(f"not a date: {rest!r}", "write until 2026-03-01 or until 2026-03-01T18:00") from error


def _run(rest: str, store: sqlite3.Connection | None, project_id: str) -> str:
    """Without the store (a sandbox) the run stays as it was typed."""
    word, status, wanted = rest.partition(" status ")
    if status and wanted not in STATUSES:
        raise NeatError(f"not a status of a run: {wanted!r}", f"statuses: {', '.join(STATUSES)}")
    if store is not None:
        word = runs.find_run(store, word, project_id).id
    return word + status + wanted


_FIX: dict[str, Callable[[str, Path], str]] = {
    "file": _file, "ancestor": _commit, "branch": _branch, "until": _until, "run": lambda rest, _: rest,
}  # fmt: skip
