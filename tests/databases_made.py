"""Databases of MLflow and Optuna for tests: the ones the libraries wrote, and empty ones with their tables to fill."""

from __future__ import annotations

import json
import math
import shutil
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from neatd.models import Stretch
from neatd.read import attempts, databases
from neatd.read.rows import Fed, Parsed
from tests.written_files import COMMITTED

MLFLOW_SQL = COMMITTED / "mlflow-3.17.2" / "sqlite" / "mlflow.sql"
OPTUNA_SQL = COMMITTED / "optuna-5.0.0" / "sqlite" / "study.sql"


def database(case: Path, name: str, folder: Path) -> Path:
    """A case's database in `folder`: a copy of a fresh one, or made from the committed dump."""
    path = folder / name
    if (case / name).exists():
        shutil.copy(case / name, path)
    else:
        run_sql(path, (case / name).with_suffix(".sql").read_text(encoding="utf-8"))
    return path


def empty(sql: Path, path: Path) -> Path:
    """The tables of a dump without what was in them."""
    parts = sql.read_text(encoding="utf-8").split(";\n")
    run_sql(path, ";\n".join(one for one in parts if not one.lstrip().startswith("INSERT")) + ";")
    return path


def run_sql(path: Path, *scripts: str) -> None:
    connection = sqlite3.connect(path)
    for script in scripts:
        connection.executescript(script)
    connection.close()


def add_run(connection: sqlite3.Connection, uuid: str, name: str = "base", status: str = "RUNNING") -> None:
    """A run of MLflow's experiment 1."""
    connection.execute("INSERT OR IGNORE INTO experiments (experiment_id, name) VALUES (1, 'net')")
    connection.execute(
        "INSERT INTO runs (run_uuid, name, status, start_time, lifecycle_stage, experiment_id)"
        " VALUES (?, ?, ?, 1000, 'active', 1)",
        (uuid, name, status),
    )


def add_metric(connection: sqlite3.Connection, uuid: str, step: int, value: float, name: str = "loss") -> None:
    connection.execute("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, 0)", (name, value, 1000 + step, uuid, step))


def rows_of(found: Iterable[Parsed | Stretch]) -> list[Parsed]:
    """Row by row."""
    return [row for one in found for row in (attempts.rows_of(one) if isinstance(one, Stretch) else [one])]


def series_of(rows: Iterable[Parsed]) -> dict[str, list[list[Any]]]:
    """As expected.json has it; NaN as a word, since it equals nothing."""
    series: dict[str, list[list[Any]]] = {}
    for row in rows:
        for name, value in row.values.items():
            series.setdefault(name, []).append([row.step, value])
    return plain(series)


def plain(series: dict[str, Any]) -> dict[str, Any]:
    return {
        name: [[step, "nan" if math.isnan(value) else value] for step, value in points]
        for name, points in series.items()
    }


def poll_all(path: Path, key: str, state: dict[str, Any], seq: int, limit: int = databases.LIMIT) -> Fed:
    """Polls until nothing is left; the state goes through JSON each time, as the store keeps it."""
    rows: list[Parsed] = []
    while True:
        fed = databases.poll(path, key, json.loads(json.dumps(state)), seq, limit)
        assert fed.consumed == 0 and not fed.bad
        rows += rows_of(fed.rows)
        state, seq = fed.state, fed.seq
        if len(rows_of(fed.rows)) < limit:
            return fed._replace(rows=rows)
