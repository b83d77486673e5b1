"""Real jobs on a machine whose graphics processors are values: who begins, what each sees, what a lost driver does."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from neatd.errors import NeatError
from neatd.files import write_atomic
from neatd.pipeline import asking
from neatd.pipeline.devices import refuse_too_much
from neatd.pipeline.waiting import Machine, machine_path, shown, why_waiting
from neatd.read.gpu import GpuSample
from neatd.rules.leases import Device
from neatd.store import jobs, requests
from tests.cli_place import Cli
from tests.conftest import until
from tests.devices_made import GB, HOLD, Place, gpu

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="jobs here are shell commands")
A, B = (f"GPU-{n} PCI_BUS_ID" for n in range(2))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.close()


def test_jobs_that_want_the_gpu_run_one_after_the_other_and_see_it_by_uuid(place: Place) -> None:
    """Whatever the shell said that queued them; the second begins when the first has ended."""
    with place.life(gpu(0)):
        env = {"CUDA_VISIBLE_DEVICES": "3", "CUDA_DEVICE_ORDER": "FASTEST_FIRST", "PATH": "/usr/bin:/bin"}
        first, second = place.add(HOLD, env, gpus=1), place.add(gpus=1)
        place.begin(first)
        place.gpus.now = GpuSample((gpu(0, 70),), shows_processes=False)
        place.turn()
        assert place.statuses(first, second) == ["running", "queued"]
        assert why_waiting(place.scene.records, place.home)[second].reason == "needs a GPU: 0 of 1 free"
        assert place.environment(first)["CUDA_VISIBLE_DEVICES"] == "GPU-0"
        (place.root / "go").touch()
        place.end(first)
        place.gpus.now = GpuSample((gpu(0),), shows_processes=False)
        place.end(second)
        assert place.seen() == [A, A]


def test_parts_of_one_gpu_run_side_by_side_up_to_its_memory(place: Place) -> None:
    """Two of 30 GB on 80, a third waits; what another program takes meanwhile is taken from it."""
    with place.life(gpu(0)):
        made = [place.add(memory_bytes=30 * GB) for _ in range(3)]
        place.begin(*made[:2])
        until(lambda: place.seen() == [A, A], "both see their device", 10.0)
        assert place.job(made[1]).devices == (("GPU-0", 30 * GB),)
        assert place.statuses(*made) == ["running", "running", "queued"]
        assert why_waiting(place.scene.records, place.home)[made[2]].reason == "needs 30.0 GB of a device: 20.0 GB free"
        (place.root / "go").touch()
        place.gpus.now = GpuSample((gpu(0, 60),), shows_processes=False)
        place.end(*made[:2])
        place.turn()
        assert place.statuses(made[2]) == ["queued"]
        place.gpus.now = GpuSample((gpu(0, 2),), shows_processes=False)
        place.end(made[2])


def test_a_lost_driver_holds_up_what_needs_it_and_touches_no_job(place: Place) -> None:
    """The job that runs there keeps its lease; a part is not taken of the host's memory; back again, all goes on."""
    with place.life(gpu(0), gpu(1)):
        first = place.add(gpus=1)
        place.begin(first)
        place.gpus.now = GpuSample()
        part, whole, plain = place.add("true", memory_bytes=GB), place.add("true", gpus=1), place.add("true")
        place.end(plain)
        assert place.statuses(first, part, whole) == ["running", "queued", "queued"]
        reason = why_waiting(place.scene.records, place.home)[whole].reason
        assert reason == "needs a GPU: 0 of 2 free, 2 of them do not answer"
        place.gpus.now = GpuSample((gpu(0), gpu(1)))
        place.end(part, whole)
        assert place.job(part).devices == (("GPU-1", GB),) and place.job(first).devices == (("GPU-0", None),)


def test_a_job_without_a_gpu_sees_what_it_was_queued_with_unless_the_settings_hide_them(place: Place) -> None:
    """`isolate_gpus`: then none."""
    env = {"CUDA_VISIBLE_DEVICES": "1", "PATH": "/usr/bin:/bin"}
    with place.life(gpu(0)):
        assert place.environment(place.end(place.add("true", env))[0].id)["CUDA_VISIBLE_DEVICES"] == "1"
    with place.life(gpu(0), isolate_gpus=True):
        found = place.environment(place.end(place.add("true", env))[0].id)
        assert (found["CUDA_VISIBLE_DEVICES"], found["HIP_VISIBLE_DEVICES"]) == ("", "-1")
        assert place.environment(place.end(place.add("true", env, gpus=1))[0].id)["CUDA_VISIBLE_DEVICES"] == "GPU-0"


def test_a_job_that_torchrun_ran_and_that_was_stopped_did_not_fail(place: Place) -> None:
    """torchrun ends with code 1 by a signal, as by a failure of its own."""
    with place.life(gpu(0), gpu(1)):
        job = place.add("trap 'exit 1' INT TERM; echo up >> seen; while :; do sleep 0.02; done", gpus=2)
        place.begin(job)
        until(lambda: place.seen() == ["up"], "its start", 10.0)
        ask_stop(place, job)
        (ended,) = place.end(job)
        assert (ended.status, ended.exit_code) == ("killed", 1)
        assert ended.reason == "stopped by a person: exit code 1"


def ask_stop(place: Place, job_id: str) -> None:
    asked = requests.ask(place.scene.records, "stop-job", None, {"job": job_id, "who": "a person"})
    asking.carry_out(place.scene, requests.get_request(place.scene.records, asked))


# ---- the commands ----


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def show_machine(home: Path, *devices: Device) -> None:
    """What a daemon saw."""
    machine_path(home).parent.mkdir(exist_ok=True)
    write_atomic(machine_path(home), json.dumps(shown(Machine(2, devices))).encode())


TWO = tuple(Device(f"GPU-{n}", "cuda", n, 80 * GB, 0, 80 * GB) for n in range(2))


def test_more_than_there_is_is_refused_at_once(tmp_path: Path) -> None:
    """As the daemon saw the machine; what it did not see is looked at before a refusal. What others hold is waited for."""
    show_machine(tmp_path, *TWO)
    refuse_too_much(tmp_path, 2, None)
    refuse_too_much(tmp_path, 0, 80 * GB)
    refuse_too_much(tmp_path, 0, None)
    with pytest.raises(NeatError, match=r"^needs 999 GPUs: this machine has "):
        refuse_too_much(tmp_path, 999, None)
    with pytest.raises(NeatError, match=r"so much memory|this machine has"):
        refuse_too_much(tmp_path, 0, 10**18)


def test_launch_refuses_it_and_queues_nothing(cli: Cli) -> None:
    """With what there is, and where to look."""
    told = cli.refused("launch", "--gpus", "999", "--", "true")
    assert "needs 999 GPUs: this machine has " in told and "neat queue --devices" in told
    assert cli.json("queue", "--all") == [] and not list((cli.home / "jobs").glob("j-*"))


def test_several_gpus_run_a_python_program_under_torchrun(cli: Cli) -> None:
    """Unless it is told not to; a shipped trainer that trains on one is not given more."""
    cli.ok("queue", "pause")
    show_machine(cli.home, *TWO)
    cli.ok("launch", "--gpus", "2", "--", sys.executable, "-u", "train.py", "--lr", "1")
    show_machine(cli.home, *TWO)
    cli.ok("launch", "--gpus", "2", "--no-torchrun", "--", sys.executable, "train.py")
    with cli.store() as store:
        plain, wrapped = jobs.jobs(store)
    run = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    assert wrapped.command == (sys.executable, "-u", *run, "train.py", "--lr", "1") and wrapped.name == "train.py"
    assert plain.command == (sys.executable, "train.py") and plain.gpus == 2
    assert "lm trains on one GPU" in cli.refused("train", "lm", "--gpus", "2")


def test_the_devices_are_shown_with_who_holds_them(cli: Cli) -> None:
    """One that a job holds and that does not answer too; the machine's slots come last."""
    with cli.store() as store:
        held = jobs.add(store, "0" * 32, "wide", ["true"], "/", "", status="running", devices=(("GPU-gone", None),))
    *gpus, cpu = cli.json("queue", "--devices")
    lost = next(one for one in gpus if one["device"] == "GPU-gone")
    assert lost["jobs"] == [{"id": held.id, "name": "wide", "bytes": None}] and not lost["answers"]
    assert cpu["kind"] == "cpu" and cpu["slots_taken"] == 0 < cpu["slots"] and cpu["total_bytes"] > GB // 4
    lines = cli.ok("queue", "--devices").splitlines()
    assert f"gpu 0  GPU-gone  does not answer: `nvidia-smi` may say why  {held.id[:9]} wide: all of it" in lines
    assert lines[-1].startswith(f"cpu  0 of {cpu['slots']} slots taken  ")
