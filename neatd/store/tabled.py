"""What the experiment table asks of the store, in one query for all runs: ten thousand of them are a second otherwise."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime

from neatd.knowledge import RECORD_KINDS, Record
from neatd.models import SeriesFact
from neatd.now import is_system
from neatd.store.rows import to_models
from neatd.store.runfilter import NOTES

_FIELDS = tuple(SeriesFact.model_fields)


def series_names(points: sqlite3.Connection, run_ids: Iterable[str]) -> dict[str, int]:
    """Series name -> how many of the runs have it. Series of the machine are none that runs are compared by."""
    sql = (
        "SELECT s.name, count(DISTINCT s.run_id) FROM json_each(?) j CROSS JOIN series s ON s.run_id = j.value"
        " WHERE s.points > 0 GROUP BY s.name"
    )
    rows = points.execute(sql, (json.dumps(list(run_ids)),))
    return {name: count for name, count in rows if not is_system(name)}


def highest_memory(points: sqlite3.Connection, run_ids: Iterable[str]) -> dict[str, dict[str, float]]:
    """Run id -> series -> the highest value, of what was sampled of the memory of processes and GPUs."""
    sql = (
        "SELECT s.run_id, s.name, s.max FROM json_each(?) j CROSS JOIN series s ON s.run_id = j.value"
        " WHERE s.source = 'system' AND s.max IS NOT NULL AND (s.name = 'system/rss_bytes'"
        " OR s.name GLOB 'system/gpu*/process_memory_bytes' OR s.name GLOB 'system/gpu*/memory_used_bytes')"
    )
    found: dict[str, dict[str, float]] = {}
    for run_id, name, highest in points.execute(sql, (json.dumps(list(run_ids)),)):
        found.setdefault(run_id, {})[name] = highest
    return found


def series_named(
    points: sqlite3.Connection, run_ids: Iterable[str], names: Iterable[str]
) -> dict[str, dict[str, SeriesFact]]:
    """Run id -> name -> the series in numbers, of the series with these names."""
    columns = ", ".join(f"s.{name}" for name in _FIELDS)
    sql = (
        f"SELECT s.run_id, {columns} FROM json_each(?) j CROSS JOIN series s ON s.run_id = j.value"
        " WHERE s.points > 0 AND s.name IN (SELECT value FROM json_each(?)) ORDER BY s.run_id, s.name, s.source"
    )
    found: dict[str, dict[str, SeriesFact]] = {}
    for row in points.execute(sql, (json.dumps(list(run_ids)), json.dumps(list(names)))):
        found.setdefault(row[0], {})[row["name"]] = SeriesFact.model_validate({name: row[name] for name in _FIELDS})
    return found


def best_runs(points: sqlite3.Connection, ids_json: str, metric: str, is_low: bool, most: int) -> list[str]:
    """Of these runs the ids of those with the best values of a series, the best first: the lowest with `is_low`."""
    value = "min(s.min)" if is_low else "-max(s.max)"
    sql = (
        f"SELECT s.run_id, {value} AS value FROM json_each(?) j CROSS JOIN series s ON s.run_id = j.value"
        " WHERE s.name = ? AND s.points > 0 GROUP BY s.run_id HAVING value IS NOT NULL ORDER BY value LIMIT ?"
    )
    return [row[0] for row in points.execute(sql, (ids_json, metric, most))]


def prediction_summaries(points: sqlite3.Connection, run_ids: Iterable[str]) -> dict[str, tuple[int, int, int]]:
    """Run id -> (step, examples, correct) of the step evaluated last, as `points.prediction_summary` has it.

    Of a run that never went back only the end of its predictions is read, where that step's stand.
    """
    newest = "FROM prediction q WHERE q.run_id = j.value ORDER BY q.source DESC, q.seq DESC LIMIT 1"
    before = (
        "SELECT q.seq FROM prediction q WHERE q.run_id = l.run_id AND q.source = l.source AND q.step != l.step"
        " AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.run_id = l.run_id) ORDER BY q.seq DESC LIMIT 1"
    )
    sql = (
        f"WITH last AS MATERIALIZED (SELECT j.value AS run_id, (SELECT q.source {newest}) AS source,"
        f" (SELECT q.step {newest}) AS step FROM json_each(?) j),"
        f" floor AS MATERIALIZED (SELECT l.*, COALESCE(({before}), -1) AS seq FROM last l WHERE l.step IS NOT NULL)"
        " SELECT run_id, step, count(*), sum(is_correct) FROM (SELECT p.run_id, p.step, p.is_correct, max(p.seq)"
        " FROM floor f CROSS JOIN prediction p ON p.run_id = f.run_id AND p.source = f.source AND p.seq > f.seq"
        " WHERE p.step = f.step GROUP BY p.run_id, p.example_id) GROUP BY run_id"
    )
    return {row[0]: (row[1], row[2], row[3]) for row in points.execute(sql, (json.dumps(list(run_ids)),))}


def progress(points: sqlite3.Connection, run_ids: Iterable[str]) -> dict[str, tuple[int | None, datetime]]:
    """Run id -> (furthest step of the current attempt, when its last line was written), as `runs.progress` has it."""
    sql = (
        "SELECT j.value, (SELECT max(s.last_step) FROM series s WHERE s.run_id = j.value AND s.points > 0),"
        " (SELECT max(r.updated_at) FROM reading r WHERE r.run_id = j.value AND r.updated_at > 0) AS at FROM json_each(?) j"
        " WHERE at IS NOT NULL"
    )
    rows = points.execute(sql, (json.dumps(list(run_ids)),))
    return {row[0]: (row[1], datetime.fromtimestamp(row[2], UTC)) for row in rows}


def attempts(points: sqlite3.Connection) -> dict[str, int]:
    """Run id -> its current attempt, of the runs that were restarted."""
    return dict(points.execute("SELECT run_id, max(attempt) FROM attempt GROUP BY run_id").fetchall())


def telling(store: sqlite3.Connection, project_id: str) -> list[Record]:
    """The records that name a run as their evidence and are a note of it, newest first."""
    found: list[Record] = []
    for kind in NOTES:
        sql = (
            f"SELECT * FROM {kind} WHERE project_id = ? AND evidence != '[]' AND deleted_at <= restored_at"
            " ORDER BY created_at DESC"
        )
        found += to_models(RECORD_KINDS[kind], store.execute(sql, (project_id,)))
    return found


def naming(store: sqlite3.Connection, project_id: str, run_id: str, most: int) -> list[tuple[str, Record]]:
    """(kind, record) of what names this run as its evidence, deleted ones left out; of each kind the newest `most`."""
    found: list[tuple[str, Record]] = []
    for kind, model in RECORD_KINDS.items():
        sql = (
            f"SELECT * FROM {kind} WHERE project_id = ? AND instr(evidence, ?) > 0 AND deleted_at <= restored_at"
            " ORDER BY created_at DESC LIMIT ?"
        )
        some = to_models(model, store.execute(sql, (project_id, run_id, most)))
        found += [(kind, one) for one in some if any(proof.get("run") == run_id for proof in one.evidence)]
    return found
