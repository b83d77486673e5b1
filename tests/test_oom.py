"""Runs that ended for want of memory: how that is known, what the run says, and the record that says what to change."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from neatd.read.kernlog import kernel_kills, kill_of
from neatd.read.memory import MemoryReader
from neatd.rules.oom import MemoryEnd, said_by
from neatd.rules.oomadvice import advice, bug_fields
from neatd.rules.status import Patience, RunFacts, run_status
from neatd.store import links
from tests.conftest import until
from tests.memory_made import Life, life
from tests.test_memory_read import version_2

GB = 10**9
CUDA = (
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 79.00 GiB of"
    " which 4.00 GiB is free. Including non-PyTorch memory, this process has 75"
)


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Life]:
    with life(tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    ("error", "where", "wanted"),
    [
        (CUDA, "gpu", 20 << 30),
        ("RuntimeError: CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; 8 GiB total capacity)", "gpu", 20 << 20),
        ("torch.cuda.OutOfMemoryError: HIP out of memory. Tried to allocate 512.00 KiB.", "gpu", 512 << 10),
        ("RuntimeError: MPS backend out of memory (MPS allocated: 9 GB)", "gpu", None),
        ("RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", "gpu", None),
        ("jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying to allocate 9 bytes.", "gpu", 9),
        ("MemoryError", "host", None),
        ("numpy._core._exceptions._ArrayMemoryError: Unable to allocate 1.50 GiB for an array", "host", 3 << 29),
        ("RuntimeError: [enforce fail at alloc_cpu.cpp:118] . DefaultCPUAllocator: can't allocate memory: you tried to"
         " allocate 4096 bytes.", "host", 4096),
        ("OSError: [Errno 12] Cannot allocate memory", "host", None),
        ("RuntimeError: DataLoader worker (pid 12) is killed by signal: Killed.", "host", None),
        ("RuntimeError: DataLoader worker (pid 1) is killed by signal: Bus error. It is possible that dataloader's workers are"
         " out of shared memory.", "shm", None),
    ],
)  # fmt: skip
def test_errors_that_speak_of_memory(error: str, where: str, wanted: int | None) -> None:
    """By their last line, with what they asked for where they say it."""
    found = said_by(error)
    assert found is not None and (found.where, found.wanted_bytes) == (where, wanted)


@pytest.mark.parametrize(
    "error",
    ["", "IndexError: list index out of range", "KeyError: 'memory'", "RuntimeError: CUDA error: device-side assert"],
)
def test_other_errors_do_not(error: str) -> None:
    assert said_by(error) is None


def test_the_record_names_the_runs_own_values() -> None:
    """Samples to what fits into four fifths of what there is, half the workers, half the batch; nested and written as text."""
    end = MemoryEnd(
        "killed", limit="the machine", limit_bytes=58 * GB, peak_bytes=55 * GB, others_bytes=3 * GB, left_bytes=GB
    )
    config = {"data": {"max_samples": "806", "num_workers": 8}, "batch_size": 4, "lr": 0.1, "is_samples": True}
    said = bug_fields("runs/a", end, config)
    assert said["title"] == "runs/a ran out of memory of 58.0 GB (the machine)" and said["before"] == "peak 55.0 GB"
    assert said["follow_up"].split("; ")[0].startswith("data.max_samples=806: load about 640 or fewer at once")
    assert "data.num_workers=8: try 4" in said["follow_up"] and "batch_size=4: try 2" in said["follow_up"]
    assert "other programs held 3.0 GB" in said["body"] and "At the last look 1.0 GB were left" in said["body"]
    assert bug_fields("runs/a", end._replace(is_sure=False), {})["title"].startswith(
        "runs/a probably ran out of memory"
    )
    assert advice(end, {"workers": 0, "max_samples": float("inf")})[0].startswith("its configuration names none")


def test_a_gpu_that_is_full_asks_for_a_smaller_batch() -> None:
    """How much was missing is what the error asked for less what it said was free."""
    end = MemoryEnd("it ended", "gpu", limit="the GPU", limit_bytes=79 << 30, wanted_bytes=20 << 30, left_bytes=4 << 30)
    said = bug_fields("runs/a", end, {"batch_size": 16, "block_size": 1024, "num_workers": 4})
    assert "Short by 17.2 GB at the least" in said["body"]
    assert (
        said["follow_up"].startswith("batch_size=16: try 8; block_size=1024") and "num_workers" not in said["follow_up"]
    )
    assert "gradient accumulation" in said["follow_up"]
    assert "--shm-size" in bug_fields("runs/a", end._replace(where="shm"), {"num_workers": 4})["follow_up"]


RECORD = (
    b"6,1234,36091825459,-;Memory cgroup out of memory: Killed process 27991 (py (x)) total-vm:216364kB, anon-rss:206436kB,"
    b" file-rss:5836kB, shmem-rss:8kB, UID:0 pgtables:460kB oom_score_adj:0\n"
)


def test_the_kernels_log_names_whom_it_killed() -> None:
    """The number, the name, what it held, when; a group's limit or the machine's own."""
    found = kill_of(RECORD, 1e9)
    assert found is not None and found[:3] == (27991, "py (x)", (206436 + 5836 + 8) << 10)
    assert found.at == pytest.approx(1e9 + 36091.825459) and found.is_of_group
    machines = kill_of(RECORD.replace(b"Memory cgroup out", b"Out"), 0.0)
    assert machines is not None and not machines.is_of_group
    assert kill_of(b"6,1,2,-;usb 1-1: Killed", 0.0) is None and kill_of(b"", 0.0) is None


def test_a_log_that_may_not_be_read_tells_nothing(tmp_path: Path) -> None:
    """No error, whatever stands there; here and now it is read without one too."""
    assert kernel_kills(tmp_path / "nothing") == [] and kernel_kills(tmp_path) == []
    assert all(one.at < time.time() + 60 for one in kernel_kills())


FACTS = RunFacts(True, 400, 1000, datetime(2026, 3, 1, tzinfo=UTC), 1.0, pid=7)
PATIENCE = Patience(60.0, 1800.0)


def said(facts: RunFacts) -> tuple[str, str]:
    return run_status(facts, PATIENCE, datetime(2026, 3, 1, tzinfo=UTC))


def test_an_end_says_what_it_has_to_do_with_memory() -> None:
    """The kernel's own words before a count, a count before what is only probable; a good end says nothing of it."""
    log, near = "the kernel killed process 7 (python, 9 GB) for memory", "memory was short just before: x"
    assert said(FACTS._replace(oom_log=log, oom_kills=1)) == (
        "killed",
        f"{log}; process 7 has ended at step 400 of 1000",
    )
    assert said(FACTS._replace(memory_end=near)) == (
        "lost", f"process 7 has ended at step 400 of 1000; its exit code was not visible; {near}"
    )  # fmt: skip
    job = FACTS._replace(
        job_status="killed", job_reason="killed by SIGKILL", memory_end="probably for memory, just before: x"
    )
    assert said(job) == ("killed", "killed by SIGKILL at step 400; probably for memory, just before: x")
    assert said(job._replace(oom_log=log)) == ("killed", f"killed by SIGKILL at step 400; {log}")
    assert said(job._replace(job_status="finished")) == ("finished", "killed by SIGKILL at step 400")
    assert said(FACTS._replace(told_exit_code=137, oom_kills=1))[1].endswith("killed 1 for memory in its control group")
    assert (
        said(FACTS._replace(has_traceback=True, traceback=CUDA, memory_end=f"it ended with {CUDA}"))[1].count("CUDA")
        == 1
    )


def test_a_job_killed_while_little_was_left_was_probably_killed_for_memory(one: Life) -> None:
    """One record for the run, with its own values, tied to it; an event; both once, though it is asked again."""
    one.ask()
    live = one.begun()
    one.use(97)
    one.step(2.0)
    one.kill()
    assert one.run.status == "killed"
    assert (
        "killed by SIGKILL" in one.run.reason
        and "probably for memory, just before: the machine: 97 %" in one.run.reason
    )
    (bug,) = one.bugs()
    assert (bug.source, bug.status, bug.tags) == ("daemon", "open", ("memory",))
    assert bug.title == "runs/a probably ran out of memory of 65.5 GB (the machine)"
    assert "data.max_samples=806: load about 640" in bug.follow_up and "batch_size=4: try 2" in bug.follow_up
    assert bug.before.startswith("peak ") and "were left" in bug.body
    assert (bug.id, "concerns", one.run.id) in links.links_of(one.scene.records, bug.id)
    (event,) = one.events("out-of-memory")
    assert event.severity == "critical" and event.run_id == one.run.id and "max_samples=806" in event.message
    live.run = live.run.model_copy(
        update={"status": "running", "reason": ""}
    )  # as a daemon that was cut off would find it
    one.step(5.0)
    assert len(one.bugs()) == 1 and len(one.events("out-of-memory")) == 1


def test_a_job_killed_with_memory_left_was_killed_and_no_more(one: Life) -> None:
    """By somebody."""
    one.ask()
    one.begun()
    one.step(2.0)
    one.kill()
    assert one.run.status == "killed" and "memory" not in one.run.reason
    assert one.bugs() == [] and one.events("out-of-memory") == []


def test_the_control_groups_count_is_evidence_for_a_job_too(one: Life, tmp_path: Path) -> None:
    """It grew since the last look at the living process."""
    one.ask()
    live = one.begun()
    machine = version_2(tmp_path / "groups")
    live.memory = MemoryReader(42, machine)
    live.memory.sample(1.0)
    live.next_sample = float("inf")
    (machine / "sys/fs/cgroup/lab.slice/job.scope/memory.events").write_text("oom_kill 2\n")
    one.kill()
    assert one.run.reason.endswith("the kernel killed 1 for memory in its control group")
    (bug,) = one.bugs()
    assert bug.title == "runs/a ran out of memory of 4.0 GB (its control group)" and "left" in bug.body


def test_a_job_whose_output_ends_with_a_full_gpu_says_so(one: Life) -> None:
    """Its output is its job's, and no file of the run."""
    program = (
        f"\nraise type('OutOfMemoryError', (RuntimeError,), {{'__module__': 'torch'}})({CUDA.partition(': ')[2]!r})"
    )
    from tests.memory_made import PROGRAM

    one.ask(PROGRAM + program)
    one.begun()
    one.end(lambda pid: (one.root / "go").touch())
    assert one.run.status == "failed"
    assert re.match(r"exit code 1 at step 1; it ended with torch\.OutOfMemoryError: CUDA out of memory", one.run.reason)
    (bug,) = one.bugs()
    assert bug.title == "runs/a ran out of GPU memory of 84.8 GB (the GPU)" and bug.follow_up.startswith(
        "batch_size=4: try 2"
    )


def test_a_run_that_neat_did_not_start_says_so_by_its_log(one: Life) -> None:
    """A full GPU in the log beside it."""
    folder = one.root / "runs" / "b"
    folder.mkdir()
    (folder / "metrics.jsonl").write_text('{"step": 1, "loss": 1.0}\n')
    (folder / "train.log").write_text(f'Traceback (most recent call last):\n  File "x", line 1\n{CUDA}\n')
    old = time.time() - 5
    os.utime(folder / "metrics.jsonl", (old, old))

    def has_ended() -> bool:
        one.step(1.0)
        return bool(list(one.scene.live_runs())) and one.run.ended_at is not None

    until(has_ended, "the run's end")
    assert one.run.status == "failed" and "CUDA out of memory" in one.run.reason
    assert [bug.title for bug in one.bugs()] == ["runs/b ran out of GPU memory of 84.8 GB (the GPU)"]
