"""The page under those who look: 200 streams and 500 requests a second while 100 runs are read."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.bench.daemons import daemon_of, life
from tests.conftest import Neat, until

pytestmark = [pytest.mark.bench, pytest.mark.timeout(300)]
RUNS, STREAMS, RATE, SECONDS = 100, 200, 500, 30
WRITER = """
import json, pathlib, random, sys, time
noise = random.Random(1).gauss
root, runs, seconds = pathlib.Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
spread = float(sys.argv[4])
files = [(root / f"runs/r{number:03d}/metrics.jsonl").open("a") for number in range(runs)]
begun, step = time.time(), 1
while time.time() - begun < seconds:
    step += 1
    for number, file in enumerate(files):
        wait = begun + (step - 1) * 0.5 + number * 0.5 / runs - time.time()
        if wait > 0:
            time.sleep(wait)
        line = {"step": step, "loss": 1 / step + noise(0, spread), "val/loss": 1.0, "time": time.time()}
        file.write(json.dumps(line) + "\\n")
        file.flush()
"""


def begun(neat: Neat) -> None:
    for number in range(RUNS):
        neat.metrics(f"runs/r{number:03d}", {"step": 1, "loss": 1.0, "val/loss": 1.0, "time": time.time()})


def program(*words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *map(str, words)], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )


def told(process: subprocess.Popen[str]) -> Any:
    with process:
        said, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return json.loads(said)


@pytest.mark.parametrize(("spread", "late_s"), [(0.2, 1.0), (0.0, 1.5)])
def test_two_hundred_streams_and_five_hundred_requests_a_second(tmp_path: Path, spread: float, late_s: float) -> None:
    """No point is later than a second, each stream gets one at least each second, no request fails. Without any noise each
    line is a new best value, with an event, which no training does: then half a second more."""
    with life(tmp_path, begun) as neat:
        until(lambda: len(neat.json("neat", "runs")) == RUNS, "the runs")
        url = neat.json("neatd", "status")["url"]
        urllib.request.urlopen(url + "/", timeout=20).read()
        runs = ",".join(one["id"] for one in neat.json("neat", "runs"))
        writing = program("-c", WRITER, neat.root, RUNS, SECONDS + 10, spread)
        time.sleep(2)  # the writer is under way: it is part of the load
        streams = program("-m", "tests.bench.page_load", "streams", url, runs, STREAMS, SECONDS)
        asking = program("-m", "tests.bench.page_load", "requests", url, "/api/runs", RATE, SECONDS - 4)
        daemon = daemon_of(neat)
        page = next(one for one in daemon.children() if "neatd.web" in one.cmdline())
        before = [sum(one.cpu_times()[:2]) for one in (daemon, page)]
        asked, streamed = told(asking), told(streams)
        busy = [(sum(one.cpu_times()[:2]) - was) / SECONDS for one, was in zip((daemon, page), before, strict=True)]
        writing.communicate(timeout=60)
        print(
            json.dumps({"requests": asked, "streams": streamed, "daemon_busy": busy[0], "page_busy": busy[1]}, indent=1)
        )
        assert asked["wrong"] == 0 and asked["rate"] > 0.97 * RATE
        assert streamed["late_max_s"] < late_s and streamed["gap_max_s"] < 1.5
