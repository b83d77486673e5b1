"""MLflow's database: which runs are in it, and what is new of one. Asks and maps; opens nothing.

A run is read on by the `rowid` of its metrics: rows come in the order of their commits. MLflow's tables do not promise
it over a VACUUM or a migration, so the last row read is remembered and looked for again; only where it is gone is the
run read anew, and `generation` in the state counts that.
"""

from __future__ import annotations

import math
from typing import Any

from neatd.read.metrics import as_number, as_step
from neatd.read.mlflow_run import MOST_PARAMS, run_told
from neatd.read.placed import Inside
from neatd.read.rows import BadLine, Fed, Parsed, Told
from neatd.read.runnames import folder_part, unique_names
from neatd.read.sqlitefile import Ask, Row

TABLES = {"runs", "metrics", "params", "tags", "experiments", "latest_metrics"}
_LARGEST = 1.7976931348623157e308  # what MLflow writes for infinity
_PAGE = 2000  # rows of one statement: a few milliseconds

# Two walks, each along an index: the runs in the order in which they were made, and in the order of their keys, so that
# neighbours lie in the same pages. The number of metrics does not matter: each run's newest is one step down an index.
_RUNS = """
SELECT r.rowid, r.run_uuid, e.name,
  CASE WHEN coalesce(r.name, '') != '' THEN r.name
       ELSE (SELECT value FROM tags t WHERE t.key = 'mlflow.runName' AND t.run_uuid = r.run_uuid) END,
  coalesce(r.status, '') || ':' || coalesce(r.end_time, ''),
  r.lifecycle_stage = 'deleted' OR e.lifecycle_stage = 'deleted'
FROM runs r LEFT JOIN experiments e ON e.experiment_id = r.experiment_id
WHERE r.rowid > ? ORDER BY r.rowid LIMIT ?
"""
_NEWEST = """
SELECT run_uuid,
  coalesce((SELECT max(rowid) FROM metrics m WHERE m.run_uuid = r.run_uuid), '') || ':' ||
  coalesce((SELECT max(rowid) FROM params p WHERE p.run_uuid = r.run_uuid), '') || ':' ||
  coalesce((SELECT max(rowid) FROM tags t WHERE t.run_uuid = r.run_uuid), '')
FROM runs r WHERE run_uuid > ? ORDER BY run_uuid LIMIT ?
"""
_METRICS = """
SELECT rowid, key, value, timestamp, step, is_nan FROM metrics
WHERE run_uuid = ? AND rowid > ? ORDER BY rowid LIMIT ?
"""
_LAST = "SELECT rowid, key, step, timestamp FROM metrics WHERE run_uuid = ? AND rowid = ?"
_NTH = "SELECT rowid, key, step, timestamp FROM metrics WHERE run_uuid = ? ORDER BY rowid LIMIT 1 OFFSET ?"
_FACTS = "SELECT status, start_time, end_time, name FROM runs WHERE run_uuid = ? AND lifecycle_stage != 'deleted'"
_PARAMS = "SELECT key, value FROM params WHERE run_uuid = ? ORDER BY key LIMIT ?"
_TAGS = "SELECT key, value FROM tags WHERE run_uuid = ? AND key LIKE 'mlflow.%' LIMIT 1000"


def runs_inside(ask: Ask) -> list[Inside]:
    """The runs that are not deleted, oldest first."""
    runs: list[Row] = []
    while page := ask(_RUNS, (runs[-1][0] if runs else 0, _PAGE)):
        runs += page
    newest: dict[str, str] = {}
    last = ""
    while page := ask(_NEWEST, (last, _PAGE)):
        newest.update(page)
        last = page[-1][0]
    names = unique_names((uuid, _name(experiment, name, uuid)) for _, uuid, experiment, name, *_ in runs)
    return [
        Inside(uuid, names[uuid], f"{name}:{state}:{newest.get(uuid)}")
        for _, uuid, _, name, state, is_deleted in runs
        if not is_deleted
    ]


def _name(experiment: str | None, name: str | None, uuid: str) -> str:
    return f"{folder_part(experiment or 'unnamed')}/{folder_part(name or uuid[:8])}"


def poll(ask: Ask, key: str, state: dict[str, Any], seq: int, limit: int) -> Fed:
    """A row for each value of a metric, as MLflow keeps them."""
    facts = ask(_FACTS, (key,))
    if not facts:
        return Fed([], 0, seq, state)
    state = _found_again(ask, key, state)
    rows: list[Parsed] = []
    bad: list[BadLine] = []
    while (left := limit - len(rows) - len(bad)) > 0:
        page = ask(_METRICS, (key, state["rowid"], min(left, _PAGE)))
        if not page:
            break
        for one in page:
            seq += 1
            row = _row(seq, one)
            rows.append(row) if isinstance(row, Parsed) else bad.append(row)
        state = state | {"rowid": page[-1][0], "count": state["count"] + len(page), "last": _mark(page[-1])}
    return Fed(rows, 0, seq, state, bad, _told(ask, key, facts[0]))


def _found_again(ask: Ask, key: str, state: dict[str, Any]) -> dict[str, Any]:
    """The state with the row number that its last row has now."""
    if not state.get("count"):
        return {"rowid": 0, "count": 0, "last": [], "generation": state.get("generation", 0)}
    for sql, place in ((_LAST, state["rowid"]), (_NTH, state["count"] - 1)):
        for rowid, *mark in ask(sql, (key, place)):
            if mark == state["last"]:
                return state | {"rowid": rowid}
    return {"rowid": 0, "count": 0, "last": [], "generation": state["generation"] + 1}


def _mark(one: Row) -> list[Any]:
    _, key, _, timestamp, step, _ = one
    return [key, step, timestamp]


def _row(seq: int, one: Row) -> Parsed | BadLine:
    _, key, value, timestamp, written_step, is_nan = one
    step, number = as_step(written_step), math.nan if is_nan else as_number(value)
    if step is None or number is None:
        return BadLine(seq, f"{key}: its {'step' if step is None else 'value'} is not a number")
    if abs(number) >= _LARGEST:
        number = math.copysign(math.inf, number)
    time = timestamp / 1000 if isinstance(timestamp, int) and abs(timestamp) < 1e18 else None
    return Parsed(seq, step, time, {str(key): number})


def _told(ask: Ask, key: str, facts: Row) -> Told:
    run = dict(zip(("status", "start_time", "end_time", "run_name"), facts, strict=True))
    params = {str(name): str(value) for name, value in ask(_PARAMS, (key, MOST_PARAMS))}
    tags = {str(name): str(value) for name, value in ask(_TAGS, (key,)) if value is not None}
    return run_told(run, params, tags)
