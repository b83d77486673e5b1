"""Devices as jobs are given them: whose the memory is, what is never given whole, what a job is told of its own."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neatd.pipeline.devices import apple_device, devices_of, variables
from neatd.pipeline.waiting import Machine, shown
from neatd.read.gpu import GpuSample
from neatd.read.gpuvalues import Gpu
from neatd.read.memory import HostMemory
from neatd.rules.admission import Running, Waiting, World, admit
from neatd.rules.devices import SMALL_BYTES, Holder, Seen, device_of, environment, gone
from neatd.rules.leases import CPU, Device, Need, fit, lacking, room, usable
from tests.devices_made import GB, gpu

NOW = datetime(2026, 3, 1, tzinfo=UTC)
A = Seen("GPU-a", "cuda", 0, "A", 80 * GB, tells_processes=True)
HOST = Device(CPU, "cpu", 0, 64 * GB, 60 * GB)


def holder(name: str, size: int | None, *pids: int, is_settled: bool = True, key: str = "GPU-a") -> Holder:
    return Holder(name, ((key, size and size * GB),), frozenset(pids), is_settled)


def used(size: float, computing: tuple[int, ...] = (), seen: Seen = A, **processes: float) -> Seen:
    """`p7=3`: process 7 holds 3 GB."""
    held = {int(name[1:]): int(value * GB) for name, value in processes.items()}
    return seen._replace(used_bytes=int(size * GB), processes=held, computing=frozenset(computing))


# ---- where the driver tells whose the memory is ----


def test_a_process_of_others_that_computes_keeps_a_device_from_being_given_whole() -> None:
    """However little it holds; its memory is taken from the room."""
    device = device_of(used(0.5, (7,), p7=0.4), [])
    assert device.is_used and fit(1, None, [device], ()) == "needs a GPU: 0 of 1 free, other programs hold 1"
    assert room(device, ()) == 79.5 * GB and fit(0, 79 * GB, [device], ()) == (("GPU-a", 79 * GB),)


def test_a_display_and_the_driver_do_not() -> None:
    """Up to a gibibyte; beyond it a program that only draws counts like any other."""
    device = device_of(used(0.9, p7=0.3), [])
    assert device.foreign_bytes == 0.9 * GB and not device.is_used
    assert fit(1, None, [device], ()) == (("GPU-a", None),) and room(device, ()) == 79.1 * GB
    assert device_of(used(6, p7=5.9), []).is_used
    assert not device_of(used(1, seen=A._replace(total_bytes=SMALL_BYTES * 2)), []).is_used


def test_what_our_jobs_hold_is_theirs_and_counts_at_least_as_declared() -> None:
    """Before its memory appears, while it holds less, and when it holds more."""
    for size, pids, left in ((0.5, {}, 49.5), (21, {"p7": 20.5}, 49.5), (41, {"p7": 40.5}, 39)):
        device = device_of(used(size, (7,) if pids else (), **pids), [holder("j", 30, 7)])
        assert not device.is_used and room(device, [30 * GB]) == left * GB
    assert device_of(used(60, (7,), p7=60), [holder("j", None, 7)]).foreign_bytes == 0


def test_a_job_beyond_its_share_keeps_nobody_from_waiting_for_it_to_end() -> None:
    """What it takes too much comes free with it: a large job behind it still keeps its place."""
    device = device_of(used(76, (7,), p7=75.5), [holder("j", 30, 7)])
    assert fit(0, 60 * GB, [device], [("GPU-a", 30 * GB)]) == "needs 60.0 GB of a device: 4.0 GB free"
    assert usable(Need(0, 60 * GB), [device]) == frozenset({"GPU-a"})


def test_a_job_that_was_not_given_the_device_is_one_of_the_others_there() -> None:
    """It asked for no GPU, and uses one."""
    device = device_of(used(5, (7, 8), p7=2, p8=3), [holder("j", 30, 7), holder("k", None, 8, key="GPU-b")])
    assert device.is_used and device.foreign_bytes == 3 * GB


def test_memory_that_no_process_accounts_for_is_others() -> None:
    """Of one that is stuck, or in a container: then the list is not trusted, but what the shares explain is."""
    assert device_of(used(20), []).is_used
    assert device_of(used(50, p7=1), [holder("j", 30, 7)]).foreign_bytes == 20 * GB


# ---- where it does not ----

DUMB = A._replace(tells_processes=False)


def reckoned(size: float, before: int | None, *here: Holder) -> Device:
    old = None if before is None else Device("GPU-a", "cuda", foreign_bytes=before * GB)
    return device_of(used(size, seen=DUMB), here, old)


def test_in_its_start_up_grace_a_job_explains_no_memory_that_was_there_before() -> None:
    """Others hold 40 of 80; the job that was given 30 has taken nothing yet, then some, then all."""
    young = holder("j", 30, is_settled=False)
    for size in (40, 50, 70):
        assert reckoned(size, 40, young).foreign_bytes == 40 * GB
    assert reckoned(75, 40, young).foreign_bytes == 45 * GB  # more than both
    assert reckoned(10, 40, young).foreign_bytes == 10 * GB  # the others gave theirs back
    assert reckoned(40, None, young).foreign_bytes == 40 * GB  # nobody looked before: all of it may be others'


def test_after_it_what_the_shares_explain_is_the_jobs() -> None:
    """And what they do not is others', so that a job beyond its share is counted with what it holds."""
    for size, left in ((20, 50), (30, 50), (40, 40)):
        device = reckoned(size, 40, holder("j", 30))
        assert room(device, [30 * GB]) == left * GB
    assert reckoned(60, None, holder("j", None, is_settled=False)).foreign_bytes == 0


# ---- gone, divided, Apple's, AMD's ----


def test_a_driver_that_answers_no_more_leaves_its_devices_waited_for() -> None:
    """A part of one is not taken of the host's memory instead; back again, it is given as before."""
    known = [Device("GPU-a", "cuda", 0, 80 * GB, 80 * GB), HOST]
    (lost,) = gone(known, [HOST], [])
    assert lost.is_gone and fit(0, GB, [lost, HOST], ()) == "needs 1.0 GB of a device: 0 B free"
    assert fit(1, None, [lost], ()) == "needs a GPU: 0 of 1 free, 1 of them does not answer"
    assert usable(Need(1), [lost, HOST]) == frozenset() and lacking(Need(1), [lost]) != ""
    assert gone(known, [known[0], HOST], []) == []


def test_a_device_taken_away_is_kept_as_long_as_a_job_holds_it() -> None:
    """The driver tells of others; also after a restart of the daemon, which knows the lease only."""
    other = Device("GPU-b", "cuda", 1, 80 * GB, 80 * GB)
    assert gone([Device("GPU-a", "cuda")], [other], []) == []
    for known in ([Device("GPU-a", "cuda", 0, 80 * GB)], []):
        (lost,) = gone(known, [other], [holder("j", None)])
        assert (lost.key, lost.is_gone) == ("GPU-a", True)


def test_of_a_divided_gpu_its_parts_are_given_one_by_one() -> None:
    """A process sees one part at the most, so several GPUs are whole ones."""
    parts = tuple(Gpu(0, f"MIG-{n}", "part", memory_total_bytes=10 * GB, memory_used_bytes=0) for n in range(2))
    sample = GpuSample((gpu(0)._replace(is_divided=True, parts=parts), gpu(1)), shows_processes=True)
    found = devices_of(sample, HostMemory(64 * GB, 60 * GB), (), NOW, {})
    assert [one.key for one in found] == ["MIG-0", "MIG-1", "GPU-1", CPU]
    assert fit(1, None, found, ()) == (("MIG-0", None),)
    assert fit(2, None, found, ()) == "needs 2 GPUs: this machine has 1"
    assert environment((("MIG-0", None),))["CUDA_VISIBLE_DEVICES"] == "MIG-0"


def test_one_without_a_name_for_good_is_given_to_nobody() -> None:
    """Numbers change; the host's memory is shared out all the same."""
    sample = GpuSample((gpu(0)._replace(uuid=""),))
    assert [one.key for one in devices_of(sample, HostMemory(64 * GB), (), NOW, {})] == [CPU]


def test_apples_gpu_is_one_device_with_the_machines_memory() -> None:
    """Chosen by system and processor, without torch; its jobs need no variables."""
    host = HostMemory(64 * GB, 40 * GB)
    found = apple_device("darwin", "arm64", host)
    assert found is not None and (found.key, found.total_bytes, found.free_bytes) == ("mps:0", 64 * GB, 40 * GB)
    assert apple_device("darwin", "x86_64", host) is None and apple_device("linux", "arm64", host) is None
    assert fit(1, None, [found, HOST], ()) == (("mps:0", None),) and fit(0, GB, [found, HOST], ()) == (("mps:0", GB),)
    assert variables([("mps:0", None)], True) == {}


def test_amds_devices_have_variables_of_their_own() -> None:
    """ROCR takes its names; HIP counts from those, whatever a shell had set."""
    sample = GpuSample((Gpu(0, "8f1e", "MI210", memory_total_bytes=64 * GB, memory_used_bytes=0, maker="amd"),))
    (device, _) = devices_of(sample, HostMemory(), (), NOW, {})
    assert (device.key, device.kind) == ("rocm:8f1e", "rocm") and fit(1, None, [device], ()) == (("rocm:8f1e", None),)
    found = environment((("rocm:8f1e", None), ("rocm:9a00", None)))
    assert found == {"ROCR_VISIBLE_DEVICES": "GPU-8f1e,GPU-9a00", "HIP_VISIBLE_DEVICES": "0,1"}


@pytest.mark.parametrize(
    ("shares", "is_isolated", "expected"),
    [
        ([("GPU-b", None), ("GPU-a", None)], False, {"CUDA_VISIBLE_DEVICES": "GPU-b,GPU-a", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}),
        ([("GPU-b", 5)], True, {"CUDA_VISIBLE_DEVICES": "GPU-b", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}),
        ([], False, {}), ([("cpu", 5)], False, {}),
        ([], True, {"CUDA_VISIBLE_DEVICES": "", "HIP_VISIBLE_DEVICES": "-1"}),
    ],
)  # fmt: skip
def test_a_job_is_told_its_devices_by_uuid(shares: list[Any], is_isolated: bool, expected: dict[str, str]) -> None:
    """In the order of the bus; one that asked for none sees none only where the settings say so."""
    assert variables(shares, is_isolated) == expected


def test_what_the_machine_lacks_is_told_apart_from_what_is_taken() -> None:
    """The first is refused at once, the second waited for."""
    a, b = (Device(f"GPU-{n}", "cuda", n, 80 * GB, 0, foreign_bytes=80 * GB) for n in range(2))
    assert lacking(Need(2), [a, b, HOST]) == "" and lacking(Need(0, 80 * GB), [a, HOST]) == ""
    assert lacking(Need(3), [a, b, HOST]) == "needs 3 GPUs: this machine has 2"
    assert lacking(Need(0, 81 * GB), [a, HOST]) == "needs 81.0 GB: no GPU here has so much memory"
    assert lacking(Need(0, 65 * GB), [HOST]) == "needs 65.0 GB: this machine has 64.0 GB"
    assert lacking(Need(1), [HOST]) == "needs a GPU: this machine has none that neat sees" and lacking(Need(), []) == ""


def test_what_the_daemon_saw_is_read_back_as_it_was() -> None:
    """By the commands, from its file."""
    machine = Machine(2, (Device("GPU-a", "cuda", 0, 80, 70, 5, 5, 2, True, "A"), HOST))
    assert tuple(Device(**one) for one in json.loads(json.dumps(shown(machine)))["devices"]) == machine.devices


# ---- any machine ----

processes = st.dictionaries(st.integers(1, 6), st.integers(0, 9), max_size=4)
needs = st.one_of(st.tuples(st.integers(1, 2), st.none()), st.tuples(st.just(0), st.integers(1, 9)))


@settings(max_examples=80, deadline=None)
@given(
    made=st.lists(st.tuples(processes, st.booleans()), min_size=1, max_size=3), asked=st.lists(needs, max_size=7),
    rounds=st.integers(1, 3),
)  # fmt: skip
def test_leases_never_exceed_a_device_and_whole_ones_are_never_shared(
    made: list[tuple[dict[int, int], bool]], asked: list[tuple[int, int | None]], rounds: int
) -> None:
    """Whatever others hold, and whatever the jobs really take of it, more or less than declared, told or not."""
    running: list[Running] = []
    waiting = [Waiting(f"j-{n}", gpus=gpus, memory_bytes=size and size * GB) for n, (gpus, size) in enumerate(asked)]
    before: dict[str, Device] = {}
    for _ in range(rounds):
        holders = [Holder(one.id, one.shares, frozenset({n + 4}), n % 2 == 0) for n, one in enumerate(running)]
        found = []
        for number, (held, tells) in enumerate(made):
            sizes = {pid: size * GB for pid, size in held.items()}
            total = min(sum(sizes.values()), 20 * GB)
            seen = Seen(f"GPU-{number}", "cuda", number, "", 20 * GB, total, sizes, frozenset(sizes), tells)
            found.append(device_of(seen, holders, before.get(seen.key)))
        new = list(admit(waiting, World(2, tuple(running), devices=tuple(found))))
        for device in found:
            shares = [size for one in running for key, size in one.shares if key == device.key]
            given_now = [size for one in new if one.lease for key, size in one.lease if key == device.key]
            if None in (*shares, *given_now):
                assert len(shares) + len(given_now) == 1 and not (device.is_used and given_now)
            elif given_now:
                assert sum(shares) + sum(given_now) + device.foreign_bytes <= 20 * GB  # type: ignore[arg-type]
        running += [Running(one.id, "default", one.lease) for one in new if one.lease]
        waiting = [one for one in waiting if one.id not in {other.id for other in running}]
        before = {one.key: one for one in found}
