"""How many points a second a peer takes in when they come in one go: `… trackio|mlflow LINES`; prints seconds and points."""

import json
import sys
import time

NAMES = ("train/loss", "train/lr", "train/grad_norm", "train/acc", "throughput")
MOST = 1000  # metrics of a call of MLflow

which, lines = sys.argv[1], int(sys.argv[2])
rows = [{name: 1 / (step + 1.7 + place) for place, name in enumerate(NAMES)} for step in range(lines)]
if which == "trackio":
    from trackio.sqlite_storage import SQLiteStorage

    begun = time.perf_counter()
    SQLiteStorage.bulk_log(project="bench", run="a", metrics_list=rows, steps=list(range(lines)))
else:
    from mlflow import MlflowClient
    from mlflow.entities import Metric

    client = MlflowClient("sqlite:///mlflow.db")
    run_id = client.create_run("0").info.run_id
    begun = time.perf_counter()
    cells = [
        Metric(name, value, 1_700_000_000_000 + step, step)
        for step, one in enumerate(rows)
        for name, value in one.items()
    ]
    for start in range(0, len(cells), MOST):
        client.log_batch(run_id, metrics=cells[start : start + MOST])
print(json.dumps({"seconds": time.perf_counter() - begun, "points": lines * len(NAMES)}))
