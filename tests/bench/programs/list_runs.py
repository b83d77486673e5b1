"""Lists the runs of an MLflow database with five metrics each, and reads one series: `… RUNS SHOWN POINTS`; prints seconds.

The rows are inserted as MLflow's tables have them: logging them one by one would take hours.
"""

import json
import sqlite3
import sys
import time

from mlflow import MlflowClient

runs, shown, points = map(int, sys.argv[1:])
client = MlflowClient("sqlite:///mlflow.db")
first = client.create_run("0").info.run_id
connection = sqlite3.connect("mlflow.db", isolation_level=None)
connection.execute("BEGIN")
names = [row[1] for row in connection.execute("PRAGMA table_info(runs)")]
row = dict(zip(names, connection.execute("SELECT * FROM runs").fetchone(), strict=True))
marks = ", ".join("?" * len(names))
ids = [f"{number:032x}" for number in range(runs)]
connection.executemany(
    f"INSERT INTO runs VALUES ({marks})", ([*{**row, "run_uuid": one, "name": one}.values()] for one in ids)
)
latest = "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, ?, ?, 0, ?)"
connection.executemany(latest, ((f"m{k}", 0.5, 1_700_000_000_000, 2000, one) for one in ids for k in range(5)))
cell = "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, 0)"
connection.executemany(cell, (("loss", 1 / (1 + n), 1_700_000_000_000 + n, first, n) for n in range(points)))
connection.execute("COMMIT")
begun = time.perf_counter()
listed = client.search_runs(["0"], max_results=50_000)
list_s = time.perf_counter() - begun
begun = time.perf_counter()
client.search_runs(["0"], max_results=shown)
newest_s = time.perf_counter() - begun
begun = time.perf_counter()
history = client.get_metric_history(first, "loss")
history_s = time.perf_counter() - begun
assert len(listed) == runs + 1 and len(history) == points
print(json.dumps({"list_s": list_s, "newest_s": newest_s, "history_s": history_s}))
