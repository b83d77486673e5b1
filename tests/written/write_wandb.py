"""wandb's run files, offline: a finished run, one that failed and one killed: `… OUT`. No network is used.

What wandb finds out about the machine has no place in a committed file: `messages` has it invented, in wandb's own
protobufs, framed here.
"""

from __future__ import annotations

import math
import os
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any

from tests.written.expected import Series, case_folder, save

CONFIG: dict[str, Any] = {
    "lr": 0.1,
    "model": {"name": "gpt", "layers": [2, 4]},
    "none": None,
    "flag": True,
    "text": "é",
}
BIG = "x" * 33_000  # longer than a block of the file


def settings(root: str) -> Any:
    """Offline, and nothing of this machine: its name, its programs, its hardware."""
    import wandb

    return wandb.Settings(
        mode="offline", root_dir=root, console="off", silent=True, host="trainer", username="someone", email="",
        program="train.py", program_relpath="train.py", program_abspath="train.py", x_executable="python",
        disable_git=True, disable_code=True, x_disable_machine_info=True, x_disable_stats=True,
    )  # fmt: skip


def rows(series: Series, run: Any, count: int) -> None:
    """Log numbers and what is none."""
    for step in range(count):
        run.log(
            {"loss": 1 / (step + 1), "nested": {"a": step * 2, "deep": {"b": math.nan}}, "text": "hi", "flag": True}
        )
        series.setdefault("loss", []).append((step, 1 / (step + 1)))
        series.setdefault("nested/a", []).append((step, float(step * 2)))
        series.setdefault("nested/deep/b", []).append((step, math.nan))


def finished(run: Any, series: Series) -> dict[str, Any]:
    import wandb

    rows(series, run, 30)
    odd = {"inf": math.inf, "ninf": -math.inf, "big": 2.0**70, "val/acc": 0.5}
    run.log({**odd, "list": [1, 2], "weights": wandb.Histogram([1, 2, 3])}, step=100)
    for name, value in odd.items():
        series[name] = [(100, value)]
    run.config.update({"later": 5, "lr": 0.2, "long": BIG}, allow_val_change=True)
    run.log({"loss": -1.0}, step=2**40)
    series["loss"].append((2**40, -1.0))
    run.finish()
    config = CONFIG | {"later": 5, "lr": 0.2, "long": BIG}
    return {"name": "nice name", "host": "trainer", "config": config, "exit_code": 0, "status": "finished"}


def failed(run: Any, series: Series) -> dict[str, Any]:
    rows(series, run, 3)
    run.finish(exit_code=3)
    return {"exit_code": 3, "status": "failed", "config": CONFIG}


def killed(run: Any, series: Series) -> dict[str, Any]:
    """Ends without a word; the library flushes every 15 s, so what it logged is there after a while."""
    rows(series, run, 20)
    time.sleep(20)
    return {"config": CONFIG}


CASES = {"finished": finished, "failed": failed, "killed": killed}


def write(out: Path, case: str) -> None:
    import wandb

    folder = case_folder(out, "wandb", case)
    with tempfile.TemporaryDirectory() as root:
        os.chdir(root)
        run = wandb.init(project="p", id=case, name="nice name", config=CONFIG, settings=settings("."))
        series: Series = {}
        told = CASES[case](run, series)
        if case != "killed":
            wandb.teardown()  # the process beside it writes the last of the file after finish() has returned
        (path,) = Path(root).glob(f"wandb/offline-run-*/run-{case}.wandb")
        (folder / path.name).write_bytes(path.read_bytes())
    save(folder, {path.name: series}, {path.name: told})
    if case == "killed":
        os._exit(0)  # before wandb can say that the run ended


def messages(out: Path) -> None:
    """The machine, the program, system metrics and typed values."""
    from wandb.proto import wandb_internal_pb2 as proto

    folder = case_folder(out, "wandb", "messages")
    git = proto.GitRepoRecord(remote_url="git@example.org:repo.git", commit="0123abcd" * 5)
    machine = proto.EnvironmentRecord(
        os="Linux", python="CPython 3.13", program="train.py", args=["--lr", "0.1", "--name", "a b"], host="trainer",
        git=git, gpu_type="NVIDIA H100", gpu_count=8, root=".", executable="python",
    )  # fmt: skip
    records = [proto.Record(num=1, environment=machine)]
    stats = proto.StatsRecord(item=[proto.StatsItem(key="gpu.0.gpu", value_json="97.5")])
    stats.timestamp.FromNanoseconds(1_700_000_000_500_000_000)
    records.append(proto.Record(num=2, stats=stats))
    typed = [{"key": "_step", "integer": 9}, {"key": "n", "integer": -5}, {"nested_key": ["a", "x"], "number": 0.25}]
    untyped = [{"key": "none", "none": 0}, {"key": "flag", "boolean": True}, {"key": "said", "text": "hi"}]
    history = proto.HistoryRecord(item=[proto.HistoryItem(**one) for one in typed + untyped])
    records.append(proto.Record(num=3, history=history))
    records.append(proto.Record(num=4, exit=proto.RunExitRecord(exit_code=-9, runtime=5)))
    data = b":W&B\xe1\xbe\x00"
    for record in records:
        body = b"\x01" + record.SerializeToString()
        data += struct.pack("<IH", zlib.crc32(body), len(body) - 1) + body
    (folder / "run-messages.wandb").write_bytes(data)
    series: Series = {"system/gpu.0.gpu": [(2, 97.5)], "n": [(9, -5.0)], "a/x": [(9, 0.25)]}
    told = {
        "command": "train.py --lr 0.1 --name 'a b'", "host": "trainer", "commit": "0123abcd" * 5,
        "device": "NVIDIA H100", "exit_code": -9, "status": "failed",
    }  # fmt: skip
    save(folder, {"run-messages.wandb": series}, {"run-messages.wandb": told})


def main(out: Path) -> int:
    """Each case in a process of its own."""
    messages(out)
    codes = [
        subprocess.run([sys.executable, "-m", "tests.written.write_wandb", out, case]).returncode for case in CASES
    ]
    return max(codes)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        write(Path(sys.argv[1]), sys.argv[2])
    else:
        sys.exit(main(Path(sys.argv[1]).resolve()))
