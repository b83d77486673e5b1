"""How long until a logged value is there for another reader: `… PEER TIMES`; prints the seconds of each.

The reader looks at what the peer's own page would read: the row in its database, or the growth of its file.
"""

import json
import sqlite3
import sys
import time
from pathlib import Path

LONGEST_S = 60.0


def grown(pattern):
    """The bytes of the files."""
    return sum(path.stat().st_size for path in Path.cwd().rglob(pattern))


def rows(pattern, table):
    """The rows of a table in the newest database."""
    paths = [path for path in Path.cwd().rglob(pattern) if path.stat().st_size]
    if not paths:
        return 0
    connection = sqlite3.connect(f"file:{max(paths, key=lambda one: one.stat().st_mtime)}?mode=ro", uri=True)
    try:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    except sqlite3.OperationalError:
        return 0  # the table is not there yet
    finally:
        connection.close()


def tensorboard():
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter("tb")
    return lambda step: writer.add_scalar("loss", 1 / step, step), lambda: grown("events.out.tfevents.*")


def trackio():
    import trackio as peer

    peer.init(project="bench")
    return lambda step: peer.log({"loss": 1 / step}, step=step), lambda: rows("bench*.db", "metrics")


def wandb():
    import wandb as peer

    run = peer.init(project="bench", mode="offline")
    return lambda step: run.log({"loss": 1 / step}, step=step), lambda: grown("run-*.wandb")


def mlflow():
    import mlflow as peer

    peer.set_tracking_uri("sqlite:///mlflow.db")
    peer.start_run()
    return lambda step: peer.log_metric("loss", 1 / step, step=step), lambda: rows("mlflow.db", "metrics")


which, times = sys.argv[1], int(sys.argv[2])
log, seen = globals()[which]()
waits = []
log(1)
time.sleep(2 if which != "wandb" else 0)  # what starts lazily
for step in range(2, times + 2):
    before = seen()
    begun = time.perf_counter()
    log(step)
    while seen() <= before and time.perf_counter() - begun < LONGEST_S:
        time.sleep(0.0005)
    waits.append(time.perf_counter() - begun)
    time.sleep(0.25 * (step % 4 + 1) / 4)
print(json.dumps(waits))
