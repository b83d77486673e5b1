"""What vouches for a record: RUN[:METRIC[@STEP]] read, looked up in the store, and tied to the bytes it came from.

The source file keeps growing, so what is kept is the hash of the bytes that were there, with their number: `verify`
hashes as many again. Judges nothing: which way a metric is good is told by the caller.
"""

from __future__ import annotations

import difflib
import hashlib
import math
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from neatd.errors import NeatError
from neatd.files import open_regular
from neatd.kinds import KINDS
from neatd.knowledge import RECORD_KINDS, Record
from neatd.models import Goal, Run, SeriesFact
from neatd.now import is_system
from neatd.store import points as series_store
from neatd.store import runs, window
from neatd.store.moments import utc_now
from neatd.store.rows import finite_json, to_models

HASHED_BYTES = 64 << 20  # of a source at the most: 0.1 s here; the value itself is read again from any place in it
FORMS = "write RUN, RUN:METRIC or RUN:METRIC@STEP, e.g. runs/a:val/loss@300, runs/a:val/loss@last, …@best"
_AT = re.compile(r"^(?P<metric>.+)@(?P<at>-?\d{1,19}|last|best)$")


class EvidenceSpec(NamedTuple):
    """Which number is meant. `at` is a step, "last", "best", or "" for the best if the metric has one, else the last."""

    run: str
    metric: str = ""
    at: int | Literal["", "last", "best"] = ""
    text: str = ""  # as it was typed: a run's name may hold a colon, a metric's an @


def parse_evidence(text: str) -> EvidenceSpec:
    """Read RUN[:METRIC[@STEP]]: the last colon divides. Raises NeatError showing the forms."""
    text = text.strip()
    run, colon, rest = text.rpartition(":")
    if not colon:
        run, rest = text, ""
    if not run.strip() or (colon and not rest.strip()):
        raise NeatError(f"not evidence: {text!r}", FORMS)
    metric, at = _metric_at(rest.strip())
    return EvidenceSpec(run.strip(), metric, at, text)


def _metric_at(text: str) -> tuple[str, int | Literal["", "last", "best"]]:
    found = _AT.match(text)
    if not found:
        return text, ""
    at = found["at"]
    return found["metric"], at if at in ("last", "best") else int(at)  # type: ignore[return-value]


def resolve_evidence(
    store: sqlite3.Connection, points: sqlite3.Connection, project_id: str, spec: EvidenceSpec,
    goal_of: Callable[[str], Goal | None],
) -> dict[str, Any]:  # fmt: skip
    """{run, run_name, metric, step, value, source, hash, size, at}; of a run alone {run, run_name, status, step, at}.

    Raises NeatError naming what is near when there is no such run, metric or step.
    """
    run, metric, at = _run_and_metric(store, project_id, spec)
    if not metric:
        step = runs.progress_of(points, run.id)[0]
        return {"run": run.id, "run_name": run.name, "status": run.status, "step": step, "at": utc_now()}
    facts = {fact.name: fact for fact in series_store.series_of(points, run.id)}
    whole = f"{metric}@{at}"
    if at != "" and whole in facts:  # acc@1 is a metric of its own
        metric, at = whole, ""
    if metric not in facts:
        raise NeatError(
            f"{run.name} has no metric {metric!r}", near_hint(metric, sorted(facts, key=is_system), "it has")
        )
    step, value = _value(points, run, facts[metric], at, goal_of(metric))
    return anchored(run, facts[metric].source, {"metric": metric, "step": step, "value": value})


def anchored(run: Run, source: str, number: dict[str, Any]) -> dict[str, Any]:
    """A number of a run with its source (relative to the project) and the hash of what that file holds now."""
    digest, size = prefix_hash(Path(run.root) / run.folder / source)
    where = f"{run.folder}/{source}".lstrip("/")
    base = {"run": run.id, "run_name": run.name, **number, "source": where, "hash": digest, "size": size}
    kept: dict[str, Any] = finite_json({**base, "at": utc_now()})
    return kept


def prefix_hash(path: Path, size: int | None = None) -> tuple[str, int]:
    """(sha256 of the first bytes of a file, how many): `size` of them, by default all up to 64 MiB; ("", 0) without it.

    A file that is shorter than `size` has another hash: what was there is gone.
    """
    wanted = HASHED_BYTES if size is None else min(size, HASHED_BYTES)
    digest, done = hashlib.sha256(), 0
    try:
        with open_regular(path) as file:
            while done < wanted and (block := file.read(min(1 << 20, wanted - done))):
                digest.update(block)
                done += len(block)
    except OSError:
        return "", 0
    return f"sha256:{digest.hexdigest()}", done


def value_at(points: sqlite3.Connection, run_id: str, metric: str, step: int) -> float | None:
    """What the store has of a metric at a step, of the current attempt, NaN included; None when it has nothing."""
    return (window.values_at(points, run_id, metric, {step}) or {}).get(step)


def claims(store: sqlite3.Connection, project_id: str) -> list[tuple[str, Record]]:
    """(kind, record) of every record that evidence or a condition vouches for, deleted ones left out."""
    found: list[tuple[str, Record]] = []
    for kind in KINDS:
        rows = store.execute(
            f"SELECT * FROM {kind} WHERE project_id = ? AND (evidence != '[]' OR valid_while != '[]')"
            " AND deleted_at <= restored_at ORDER BY created_at DESC, rowno DESC",
            (project_id,),
        )
        found += [(kind, one) for one in to_models(RECORD_KINDS[kind], rows)]
    return found


def _run_and_metric(
    store: sqlite3.Connection, project_id: str, spec: EvidenceSpec
) -> tuple[Run, str, int | Literal["", "last", "best"]]:
    """The run that is meant: by the whole text if a run is named so, else by what stands before a colon, the last first."""
    known = runs.all_runs(store, project_id)
    exact = next((run for run in known if spec.text and run.name == spec.text), None)
    if exact:
        return exact, "", ""
    for run, rest in _splits(spec):
        if runs.named(known, run) is not None:
            return runs.find_run(store, run, project_id), *_metric_at(rest)  # raises when several fit
    raise NeatError(f"no run {spec.run!r}", near_hint(spec.run, [run.name for run in known], "`neat runs` shows them:"))


def _splits(spec: EvidenceSpec) -> Iterator[tuple[str, str]]:
    rest = spec.metric if spec.at == "" else f"{spec.metric}@{spec.at}"
    yield spec.run, rest
    head = spec.run
    while ":" in head:
        head, _, more = head.rpartition(":")
        rest = f"{more}:{rest}"
        yield head, rest


def _value(
    points: sqlite3.Connection, run: Run, fact: SeriesFact, at: int | str, goal: Goal | None
) -> tuple[int, float]:
    """(step, value) of what was asked for."""
    if isinstance(at, int):
        value = value_at(points, run.id, fact.name, at)
        if value is None:
            raise NeatError(f"{run.name} has no {fact.name} at step {at}", _nearest(points, run.id, fact, at))
        return at, value
    best, step = (fact.max, fact.max_step) if goal == "max" else (fact.min, fact.min_step)
    if at == "best" and goal is None:
        raise NeatError(
            f"whether {fact.name} is better high or low is not known",
            "name a step or @last, or set `primary` in neat.yaml",
        )
    if at != "last" and goal is not None and best is not None and step is not None:
        return step, best
    return fact.last_step, math.nan if fact.last is None else fact.last


def _nearest(points: sqlite3.Connection, run_id: str, fact: SeriesFact, step: int) -> str:
    """The hint for a step that is not there: the steps around it."""
    below, above = window.steps_around(points, run_id, fact.name, step)
    around = " and ".join(str(one) for one in (below, above) if one is not None)
    return f"the nearest steps are {around}; it has {fact.first_step} to {fact.last_step}"


def near_hint(word: str, known: list[str], otherwise: str) -> str:
    """ "did you mean …" of close names, then the first of all of them."""
    last_parts = {name.rsplit("/", 1)[-1]: name for name in known}
    close = difflib.get_close_matches(word, known, 3, 0.6)
    close += [last_parts[one] for one in difflib.get_close_matches(word.rsplit("/", 1)[-1], last_parts, 3, 0.6)]
    meant = f"did you mean {' or '.join(dict.fromkeys(close))}? " if close else ""
    shown = ", ".join(known[:12]) + (" …" if len(known) > 12 else "")
    return f"{meant}{otherwise} {shown or 'none yet'}"
