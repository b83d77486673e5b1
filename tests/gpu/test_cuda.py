"""Leases on a real CUDA machine: real jobs that take real memory by the driver's own calls. Skipped where no GPU answers.

`python -m pytest tests/gpu -rs` on a machine with one; nothing but the driver is needed. It takes about 7 GB of a device.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from neatd.pipeline.waiting import why_waiting
from neatd.read.gpu import GpuReader
from neatd.read.gpuvalues import Gpu
from tests.conftest import until
from tests.devices_made import Place

GIB = 1 << 30
# Takes so many bytes of the first device that it sees, tells what it sees in a file of its own, and waits to be let go.
PROGRAM = """
import ctypes, json, os, sys, time, uuid
cuda = ctypes.CDLL("libcuda.so.1")
def call(name, *given):
    code = getattr(cuda, name)(*given)
    assert code == 0, (name, code)
count, device, context, at = ctypes.c_int(), ctypes.c_int(), ctypes.c_void_p(), ctypes.c_uint64()
name = (ctypes.c_ubyte * 16)()
call("cuInit", 0); call("cuDeviceGetCount", ctypes.byref(count)); call("cuDeviceGet", ctypes.byref(device), 0)
call("cuDeviceGetUuid", ctypes.byref(name), device)
call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device); call("cuCtxSetCurrent", context)
call("cuMemAlloc_v2", ctypes.byref(at), ctypes.c_size_t(int(sys.argv[1])))
seen = {"count": count.value, "uuid": "GPU-" + str(uuid.UUID(bytes=bytes(name))),
        "visible": os.environ.get("CUDA_VISIBLE_DEVICES"), "order": os.environ.get("CUDA_DEVICE_ORDER")}
with open(f"seen.{os.getpid()}.tmp", "w") as file: json.dump(seen, file)
os.rename(f"seen.{os.getpid()}.tmp", f"seen.{os.getpid()}")
end = time.time() + 90
while not os.path.exists("go") and time.time() < end: time.sleep(0.02)
"""


def gpus_here() -> tuple[Gpu, ...]:
    """NVIDIA's, undivided."""
    reader = GpuReader()
    found = reader.sample(0.0).gpus
    reader.close()
    return tuple(one for one in found if one.maker == "nvidia" and not one.is_divided)


GPUS = gpus_here()
pytestmark = pytest.mark.skipif(not GPUS, reason="needs an NVIDIA GPU: no driver answers here")


class Real(Place):
    """Jobs that take memory of the machine's own devices."""

    @contextmanager
    def begun(self) -> Iterator[None]:
        with self.life() as scene:
            scene.gpu = GpuReader()
            yield

    def take(self, size: int, **more: Any) -> str:
        """Queue a job that takes so many bytes of the first device that it sees."""
        return self.add(shlex.join(["exec", sys.executable, "-c", PROGRAM, str(size)]), **more)

    def told(self, count: int) -> list[dict[str, Any]]:
        """What so many jobs saw, once all of them have their memory."""

        def files() -> list[Path]:
            self.turn()
            return [one for one in self.root.glob("seen.*") if one.suffix != ".tmp"]

        until(lambda: len(files()) == count, f"{count} jobs on a device", 60.0)
        return [json.loads(one.read_text()) for one in files()]

    def reason(self, job_id: str) -> str:
        return why_waiting(self.scene.records, self.home)[job_id].reason

    def go(self) -> None:
        (self.root / "go").touch()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Real]:
    made = Real(tmp_path)
    yield made
    made.close()


def is_quiet() -> bool:
    """Whether no other program holds anything of the devices to speak of."""
    return all((one.memory_used_bytes or 0) < GIB for one in gpus_here())


needs_quiet = pytest.mark.skipif(bool(GPUS) and not is_quiet(), reason="needs GPUs that no other program uses")


@needs_quiet
def test_jobs_that_want_all_gpus_run_one_after_the_other(place: Real) -> None:
    """The second begins when the first has given its memory back; CUDA itself sees what was leased."""
    with place.begun():
        first, second = (place.take(2 * GIB, gpus=len(GPUS)) for _ in range(2))
        (seen,) = place.told(1)
        assert place.statuses(first, second) == ["running", "queued"]
        assert place.reason(second).endswith(f"0 of {len(GPUS)} free")
        lease = [key for key, _ in place.job(first).devices]
        assert seen["visible"] == ",".join(lease) and seen["order"] == "PCI_BUS_ID"
        assert (seen["count"], seen["uuid"]) == (len(GPUS), lease[0])
        place.go()
        ended = place.end(first, second)
        assert [(one.status, one.exit_code) for one in ended] == [("finished", 0)] * 2
        assert ended[0].ended_at and ended[1].started_at and ended[0].ended_at <= ended[1].started_at


@needs_quiet
def test_parts_of_a_gpu_are_used_side_by_side(place: Real) -> None:
    """Both have their memory at once; a third for which there is no room left waits."""
    with place.begun():
        total = max(one.memory_total_bytes or 0 for one in GPUS)
        made = [place.take(GIB, memory_bytes=2 * GIB) for _ in range(2)]
        seen = place.told(2)
        assert [one["count"] for one in seen] == [1, 1] and len({one["uuid"] for one in seen}) == 1
        assert {one["visible"] for one in seen} == {place.job(made[0]).devices[0][0]} == {seen[0]["uuid"]}
        waits = [place.take(GIB, memory_bytes=total - 3 * GIB) for _ in GPUS]
        place.turn()
        assert "queued" in place.statuses(*waits)
        place.go()
        assert [one.status for one in place.end(*made, *waits)] == ["finished"] * (2 + len(waits))


@needs_quiet
def test_a_program_that_is_no_job_keeps_its_gpu(place: Real) -> None:
    """A whole one is not given; a part is, of what is left."""
    other = subprocess.Popen([sys.executable, "-c", PROGRAM, str(4 * GIB)], cwd=place.root)
    try:
        with place.begun():
            place.told(1)
            whole = place.take(GIB, gpus=len(GPUS))
            part = place.take(GIB, memory_bytes=2 * GIB)
            place.begin(part)
            assert place.statuses(whole) == ["queued"] and place.reason(whole).endswith("other programs hold 1")
            place.go()
            other.wait(30)
            assert [one.status for one in place.end(whole, part)] == ["finished", "finished"]
    finally:
        other.kill()
        other.wait()
