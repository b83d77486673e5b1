"""A job of two processes under the real torchrun, on the CPU: it computes together, and its end by a person is no failure."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import psutil
import pytest

from neatd.jobs.distributed import on_gpus
from neatd.jobs.folder import LOG, job_folder
from neatd.models import JOB_ENDED
from neatd.pipeline import asking
from neatd.store import requests
from tests.conftest import until
from tests.devices_made import Place

pytestmark = [
    pytest.mark.bench,
    pytest.mark.timeout(600),
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs torch"),
]
PROGRAM = """
import os, sys, time
import torch, torch.distributed as dist
dist.init_process_group("gloo")
x = torch.ones(1) * (dist.get_rank() + 1)
dist.all_reduce(x)
told = f"rank {dist.get_rank()} of {dist.get_world_size()}: {x.item()} {sys.argv[1:]} {sys.flags.dev_mode}"
os.write(1, (told + chr(10)).encode())  # whole, so that the lines of two processes do not mix
while "stay" in sys.argv: time.sleep(0.1)
"""


@pytest.mark.parametrize("options", [(), ("-X", "dev")])
def test_a_distributed_job_ends_well_and_is_stopped_whole(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Python's own options reach the workers; after a stop nothing is left, and the job is killed, not failed."""
    place = Place(tmp_path)
    (place.root / "t.py").write_text(PROGRAM)

    def command(*words: str) -> tuple[str, ...]:
        return on_gpus((sys.executable, *options, "t.py", *words), 1, 2)

    def lines(job_id: str) -> list[str]:
        log = job_folder(place.home, job_id) / LOG
        text = log.read_text() if log.exists() else ""
        return sorted(line for line in text.splitlines() if line.startswith("rank "))

    with place.life(stop_term_s=2.0, stop_kill_s=60.0, cpu_slots=1):
        whole, stopped = place.add_command(*command("--lr", "1")), place.add_command(*command("stay"))
        until(lambda: place.turn() or place.job(whole).status in JOB_ENDED, "the end of the first", 120.0)
        told = [f"rank {n} of 2: 3.0 ['--lr', '1'] {bool(options)}" for n in range(2)]
        assert lines(whole) == told and place.job(whole).status == "finished"
        until(lambda: place.turn() or len(lines(stopped)) == 2, "both workers of the second", 120.0)
        tree = psutil.Process(place.job(stopped).pid).children(recursive=True)
        asked = requests.ask(place.scene.records, "stop-job", None, {"job": stopped, "who": "a person"})

        def has_ended() -> bool:
            place.turn()
            request = requests.get_request(place.scene.records, asked)
            if request.status in ("pending", "running"):
                asking.carry_out(place.scene, request)
            return place.job(stopped).status in JOB_ENDED

        until(has_ended, "the end of the second", 120.0)
        ended = place.job(stopped)
        assert (ended.status, ended.exit_code) == ("killed", 1) and "stopped by a person" in ended.reason
        assert len(tree) == 2 and not [one for one in tree if one.is_running() and one.status() != "zombie"]
    place.close()
