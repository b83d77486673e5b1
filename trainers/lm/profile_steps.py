"""Measure where the time of a training step goes.

    python profile_steps.py [profile_steps=10] [key=value ...]      (the parameters of train.py)

Writes no files and keeps no weights. Prints the operations that take the most time; the last line of the output is a JSON
object. Speed is measured first, without the profiler: watching each operation makes a step slower.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile
from train import Run, convert, parse

WARM_UP = 2  # steps: the first ones choose kernels and ask for memory
ROWS = 15


def timed(run: Run, steps: int) -> dict[str, float]:
    """Tokens a second and milliseconds a step. `train_step` ends with numbers on the CPU, so a GPU is waited for."""
    began = time.perf_counter()
    for _ in range(steps):
        run.train_step()
    took_s = time.perf_counter() - began
    return {"tokens_per_s": steps * run.p.batch * run.p.context / took_s, "step_ms": 1000 * took_s / steps}


def operations(run: Run, steps: int) -> tuple[str, float]:
    """(the table of the operations that take the most time, the share of the first of them)."""
    is_cuda = run.device == "cuda"
    watched = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if is_cuda else [])]
    with profile(activities=watched) as seen:
        for _ in range(steps):
            run.train_step()
    found, key = seen.key_averages(), "self_cuda_time_total" if is_cuda else "self_cpu_time_total"
    times = [one.self_device_time_total if is_cuda else one.self_cpu_time_total for one in found]
    return found.table(sort_by=key, row_limit=ROWS), max(times) / max(1e-9, sum(times))


def main(argv: list[str]) -> int:
    """Measure and print. A mistake exits with 2."""
    own = [word for word in argv if word.removeprefix("--").startswith("profile_steps=")]
    steps = convert("profile_steps", own[-1].partition("=")[2], 10) if own else 10
    _, p = parse(["--out", "-", *(word for word in argv if word not in own)])
    if p.threads:
        torch.set_num_threads(p.threads)
    run = Run(Path("-"), p)
    timed(run, WARM_UP)
    values = timed(run, steps)
    table, share = operations(run, steps)
    values |= {"profile_steps": steps, "top_share": share}
    if run.device == "cuda":
        values["peak_memory_bytes"] = torch.cuda.max_memory_allocated()
    print(table)
    print(f"{values['tokens_per_s']:,.0f} tokens/s, {values['step_ms']:.1f} ms a step on {run.device}")
    print(json.dumps(values), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
