"""MLflow's two stores, each with the same runs: finished, failed, running, deleted, and two of one name.

The file store is in maintenance mode since 3.x and wants MLFLOW_ALLOW_FILE_STORE. The database is 1 MB of empty
tables, so only a dump of the tables with runs in them is kept among the committed files.
"""

from __future__ import annotations

import math
import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ |= {
    "MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_DISABLE_TELEMETRY": "true", "LOGNAME": "someone", "USER": "someone",
}  # fmt: skip

import mlflow
from mlflow import MlflowClient
from mlflow.store.tracking.file_store import FileStore
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from tests.written.expected import Series, case_folder, save

ARTIFACTS = "file:///artifacts"  # instead of this machine's path; none is written
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TAGS = {"mlflow.source.name": "train.py", "mlflow.source.git.commit": COMMIT, "mlflow.user": "someone"}
KEPT = ("experiments", "runs", "metrics", "latest_metrics", "params", "tags")

Logged = dict[str, tuple[Series, dict[str, Any]]]  # run id -> (series, what it tells)


def log_runs(uri: str) -> Logged:
    """The runs, through MLflow's own API."""
    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment(experiment_id=mlflow.create_experiment("net/small", artifact_location=ARTIFACTS))
    logged: Logged = {}
    log_finished(logged)
    log_failed(logged)
    log_running(logged)
    with mlflow.start_run(run_name="thrown away", tags=TAGS) as run:
        mlflow.log_metric("loss", 1.0, step=1)
    mlflow.delete_run(run.info.run_id)
    return logged


def log_finished(logged: Logged) -> None:
    """Numbers of all sorts, and parameters of all types."""
    series: Series = {"loss": [], "val/accuracy": [], "odd": [], "no step": []}
    params = {"lr": 0.001, "epochs": 3, "amp": True, "seed": None, "name": "resnet 18", "code": "007", "opt/beta": 0.9}
    with mlflow.start_run(run_name="base", tags=TAGS) as run:
        mlflow.log_params(params)
        for step in range(20):
            mlflow.log_metrics({"loss": 1 / (step + 3), "val/accuracy": step / 20}, step=step)
            series["loss"].append((step, 1 / (step + 3)))
            series["val/accuracy"].append((step, step / 20))
        for step, value in enumerate((math.nan, math.inf, -math.inf, 1e-300, -0.0)):
            mlflow.log_metric("odd", value, step=step)
            series["odd"].append((step, value))
        mlflow.log_metric("no step", 5.0)
        series["no step"].append((0, 5.0))
    told = {"status": "finished", "name": "base", "config": params, "commit": COMMIT, "command": "train.py"}
    logged[run.info.run_id] = series, told


def log_failed(logged: Logged) -> None:
    """An exception in its block; the second run of that name. It begins again from an earlier step."""
    series: Series = {"loss": [(0, 1.0), (1, 0.5), (0, 0.9)]}
    try:
        with mlflow.start_run(run_name="base", tags=TAGS) as run:
            for step, value in series["loss"]:
                mlflow.log_metric("loss", value, step=step)
            raise ValueError("broken")
    except ValueError:
        told = {"status": "failed", "name": "base", "config": {}, "commit": COMMIT, "command": "train.py"}
        logged[run.info.run_id] = series, told


def log_running(logged: Logged) -> None:
    """Not ended; the client's API adds no tags of its own."""
    client = MlflowClient()
    experiment = client.get_experiment_by_name("net/small")
    run = client.create_run(experiment.experiment_id, run_name="going on", tags={"mlflow.user": "someone"})
    client.log_metric(run.info.run_id, "loss", 0.25, step=7)
    logged[run.info.run_id] = {"loss": [(7, 0.25)]}, {"status": "running", "name": "going on", "config": {}}


def write_files(out: Path) -> None:
    """Expected by file: a metric's by its path, what a run tells by its meta.yaml."""
    folder = case_folder(out, "mlflow", "files")
    FileStore(str(folder / "mlruns"), ARTIFACTS)
    logged = log_runs((folder / "mlruns").as_uri())
    files: dict[str, Series] = {}
    told: dict[str, dict[str, Any]] = {}
    for run_id, (series, one) in logged.items():
        (run,) = folder.glob(f"mlruns/*/{run_id}")
        where = run.relative_to(folder).as_posix()
        files |= {f"{where}/metrics/{name}": {name: points} for name, points in series.items()}
        files[f"{where}/meta.yaml"], told[f"{where}/meta.yaml"] = {}, one
    save(folder, files, told)


def write_database(out: Path) -> None:
    """Expected by "mlflow.db:<run id>"."""
    folder = case_folder(out, "mlflow", "sqlite")
    path = folder / "mlflow.db"
    SqlAlchemyStore(f"sqlite:///{path}", ARTIFACTS)
    logged = log_runs(f"sqlite:///{path}")
    names = {f"{path.name}:{run_id}": one for run_id, one in logged.items()}
    save(folder, {name: series for name, (series, _) in names.items()}, {name: one for name, (_, one) in names.items()})
    dump(path, KEPT)


def dump(path: Path, tables: tuple[str, ...]) -> None:
    """`<path>.sql` with those tables; among the committed files instead of the database."""
    source = sqlite3.connect(path)
    wanted = [f"'{name}'" for name in tables]
    made = source.execute(f"SELECT sql FROM sqlite_master WHERE tbl_name IN ({', '.join(wanted)}) AND sql IS NOT NULL")
    lines = [f"{sql};" for (sql,) in made]
    for line in source.iterdump():
        if line.startswith(tuple(f'INSERT INTO "{name}"' for name in tables)):
            lines.append(line)
    source.close()
    path.with_suffix(".sql").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if path.is_relative_to(Path(__file__).parent):
        path.unlink()


WRITERS: list[Callable[[Path], None]] = [write_files, write_database]

if __name__ == "__main__":
    for write in WRITERS:
        write(Path(sys.argv[1]).resolve())
