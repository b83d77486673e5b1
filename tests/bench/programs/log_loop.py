"""What logging five metrics a step costs a training loop: `… PEER STEPS`; prints microseconds a step.

The steps are timed as a whole, after a few that start what starts lazily; opening and closing are told beside.
"""

import csv
import json
import os
import sys
import time
from pathlib import Path

NAMES = ("train/loss", "train/lr", "train/grad_norm", "train/acc", "throughput")
WARM = 10


def jsonl():
    file = Path("metrics.jsonl").open("a")  # noqa: SIM115 - it stays open, as in a training loop

    def log(step, values):
        file.write(json.dumps({"step": step, "time": time.time(), **values}) + "\n")
        file.flush()

    return log, file.close


def csvfile():
    file = Path("metrics.csv").open("a")  # noqa: SIM115
    writer = csv.writer(file)
    writer.writerow(["step", *NAMES])

    def log(step, values):
        writer.writerow([step, *values.values()])
        file.flush()

    return log, file.close


def write():
    """The raw limit: the same bytes, ready to be written."""
    line = (json.dumps({"step": 1, "time": time.time(), **dict.fromkeys(NAMES, 0.123456789012345678)}) + "\n").encode()
    target = os.open("raw.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    return lambda step, values: os.write(target, line), lambda: os.close(target)


def tensorboard():
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter("tb")

    def log(step, values):
        for name, value in values.items():
            writer.add_scalar(name, value, step)

    return log, writer.close


def trackio():
    import trackio as peer

    peer.init(project="bench")
    return lambda step, values: peer.log(values, step=step), peer.finish


def wandb():
    import wandb as peer

    run = peer.init(project="bench", mode="offline")
    return lambda step, values: run.log(values, step=step), run.finish


def mlflow():
    import mlflow as peer

    peer.set_tracking_uri("sqlite:///mlflow.db")
    peer.start_run()
    return lambda step, values: peer.log_metrics(values, step=step), peer.end_run


def aim():
    from aim import Run

    run = Run(repo=".", system_tracking_interval=None, log_system_params=False)

    def log(step, values):
        for name, value in values.items():
            run.track(value, name=name, step=step)

    return log, run.close


which, steps = sys.argv[1], int(sys.argv[2])
begun = time.perf_counter()
log, close = globals()[which]()
opening_s = time.perf_counter() - begun
for step in range(WARM):
    log(step, dict.fromkeys(NAMES, 0.1))
rows = [{name: 1 / (step + 1.7 + place) for place, name in enumerate(NAMES)} for step in range(steps)]
cpu, begun = time.process_time(), time.perf_counter()
for step, values in enumerate(rows, start=WARM):
    log(step, values)
took, cpu = time.perf_counter() - begun, time.process_time() - cpu
begun = time.perf_counter()
close()
closing_s = time.perf_counter() - begun
print(
    json.dumps({"us": 1e6 * took / steps, "cpu_us": 1e6 * cpu / steps, "opening_s": opening_s, "closing_s": closing_s})
)
