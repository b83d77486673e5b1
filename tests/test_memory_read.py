"""Memory in samples: of a real process tree, of this host, and of control groups of both versions laid out as files."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neatd.read import cgroups
from neatd.read.memory import MemoryReader, asked_host, look, read_host, read_shm, tree_rss
from neatd.read.proctable import ProcessRow, ancestors_of, boot_id, read_row, read_table, row_of, tree_of
from tests.conftest import until

needs_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc, which only Linux has")
MB = 1 << 20
TAKES = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "held = b'x' * (50 << 20); print(1, flush=True); input()"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE) if input() else None
child.stdout.readline()
print("ready", flush=True)
input()
child.communicate(b"\\n")
"""


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[str]]:
    """A Python process that starts a child holding 50 MB when it is told a word, and ends at the next."""
    process = subprocess.Popen([sys.executable, "-c", TAKES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield process
    for child in psutil.Process(process.pid).children(recursive=True) if process.poll() is None else ():
        child.kill()
    process.kill()
    process.communicate()


def take(process: subprocess.Popen[str]) -> None:
    assert process.stdin and process.stdout
    process.stdin.write("go\n")
    process.stdin.flush()
    assert process.stdout.readline() == "ready\n"


def test_what_a_child_takes_is_seen_in_the_tree(parent: subprocess.Popen[str]) -> None:
    """50 MB in a worker count for the run, and the worker is one process more."""
    reader = MemoryReader(parent.pid)
    before = reader.sample(1.0)
    take(parent)
    after = reader.sample(2.0)
    assert before.rss_bytes is not None and after.rss_bytes is not None
    assert (before.processes, after.processes) == (1, 2)
    assert 50 * MB <= after.rss_bytes - before.rss_bytes < 100 * MB


def test_a_process_that_is_gone_has_no_memory_of_its_own(parent: subprocess.Popen[str]) -> None:
    """Its numbers are not known, which is not 0; the host's go on."""
    reader = MemoryReader(parent.pid)
    parent.kill()
    parent.communicate()
    sample = reader.sample(1.0)
    assert (sample.rss_bytes, sample.processes, sample.cpu_percent) == (None, None, None)
    assert sample.host_available_bytes is not None and sample.host_available_bytes > 0
    assert not {"system/rss_bytes", "system/processes"} & set(sample.values())


def test_cpu_is_told_from_the_second_look_on() -> None:
    """A share needs two moments; this process works between them, on one core."""
    reader = MemoryReader(os.getpid())
    spent = psutil.Process().cpu_times
    begin = spent()
    assert reader.sample(0.0).cpu_percent is None
    until(lambda: sum(spent()[:2]) - sum(begin[:2]) > 0.2 or sum(range(100_000)) < 0, "work")
    busy = reader.sample(1.0).cpu_percent
    assert busy is not None and 15 < busy < 500


def test_one_look_serves_several_runs(parent: subprocess.Popen[str]) -> None:
    """The table of processes and the host's memory are read once for all of them."""
    shared = look()
    first, second = (MemoryReader(pid).sample(1.0, shared) for pid in (os.getpid(), parent.pid))
    assert first.host_available_bytes == second.host_available_bytes == shared.host.available_bytes
    assert first.processes is not None and second.processes == 1


def test_series_have_the_names_of_their_units() -> None:
    """All are of the system, and those in bytes say so."""
    values = MemoryReader(os.getpid()).sample(1.0).values()
    assert {"system/rss_bytes", "system/processes", "system/host_available_bytes", "system/headroom_bytes"} <= set(
        values
    )
    assert all(name.startswith("system/") and isinstance(value, float) for name, value in values.items())


# ---- the table of processes ----


def test_the_table_knows_this_process_as_psutil_does() -> None:
    """Parent, name and memory, by the system's own files or by psutil where there are none."""
    own, row = psutil.Process(), read_table()[os.getpid()]
    assert (row.parent, read_row(os.getpid())) == (own.ppid(), row._replace(**_moving(read_row(os.getpid()))))
    assert row.rss_bytes == pytest.approx(own.memory_info().rss, rel=0.2)
    assert row.parent == ancestors_of(os.getpid())[0].pid


def test_where_there_are_no_such_files_psutil_answers() -> None:
    """As on macOS and Windows: the same processes with the same memory, and the same host."""
    row, table = read_row(os.getpid(), Path("/nowhere")), read_table(Path("/nowhere"))
    assert row is not None and row.parent == os.getppid() and row.rss_bytes > MB and row.cpu_s > 0
    assert tree_of(table, os.getpid())[0].pid == os.getpid()
    assert [one.pid for one in ancestors_of(os.getpid(), Path("/nowhere"))][:1] == [os.getppid()]
    assert read_row(2**22 + 1, Path("/nowhere")) is None
    assert tree_rss([row], Path("/nowhere")) == row.rss_bytes
    assert asked_host().total_bytes == read_host().total_bytes


def _moving(row: ProcessRow | None) -> dict[str, float]:
    assert row is not None
    return {"cpu_s": row.cpu_s, "rss_bytes": row.rss_bytes}


STAT = b"%d (%b) S %d 1 1 34816 1 4194304 1 0 0 0 250 50 0 0 20 0 1 0 %d 1000000 300 18446744073709551615 1 1 0"


def row_text(pid: int, name: bytes, parent: int, ticks: int = 1000) -> bytes:
    return STAT % (pid, name, parent, ticks)


@needs_linux
@pytest.mark.parametrize("name", [b"python", b"a (b) c", b") S 1", b"\xff", b""])
def test_a_name_may_hold_anything(name: bytes) -> None:
    """The name stands in brackets, which it may hold too; the fields count from the last one."""
    row = row_of(row_text(42, name, 7))
    assert (row.pid, row.parent, row.start_ticks, row.terminal) == (42, 7, 1000, 34816)
    assert row.name == name.decode("utf-8", "replace")
    assert row.cpu_s == 300 / os.sysconf("SC_CLK_TCK")


@given(st.dictionaries(st.integers(1, 30), st.integers(0, 30), max_size=30), st.integers(1, 30))
def test_a_tree_holds_each_process_once(parents: dict[int, int], pid: int) -> None:
    """Also where a table read while processes come and go has a circle in it."""
    table = {one: ProcessRow(one, parent, "", 0, 0.0, 0) for one, parent in parents.items()}
    tree = tree_of(table, pid)
    assert len(tree) == len({row.pid for row in tree})
    assert [row.pid for row in tree[:1]] == ([pid] if pid in table else [])
    assert all(row.parent in {one.pid for one in tree} for row in tree[1:])


def fake_processes(root: Path, rows: list[tuple[int, bytes, int, int]]) -> Path:
    """(pid, name, parent, start) as a /proc of files."""
    for pid, name, parent, ticks in rows:
        folder = root / "proc" / str(pid)
        folder.mkdir(parents=True)
        (folder / "stat").write_bytes(row_text(pid, name, parent, ticks))
        (folder / "statm").write_text("5000 300 200 1 0 90 0")
    (root / "proc" / "self").symlink_to(str(rows[0][0]))
    return root / "proc"


@needs_linux
def test_ancestors_end_where_a_number_was_given_again(tmp_path: Path) -> None:
    """A parent that began after its child is another process with the number of the real one."""
    proc = fake_processes(tmp_path, [(30, b"python", 20, 900), (20, b"bash", 10, 500), (10, b"tmux: server", 5, 600)])
    assert [row.name for row in ancestors_of(30, proc)] == ["bash"]


@needs_linux
def test_shared_memory_counts_once(tmp_path: Path) -> None:
    """Four processes of 300 pages each, 200 of them the same libraries: 4 times 100, and 200."""
    proc = fake_processes(tmp_path, [(n, b"python", 9 if n > 9 else 1, n) for n in (9, 10, 11, 12)])
    tree = tree_of(read_table(proc), 9)
    assert tree_rss(tree, proc) == (4 * 100 + 200) * os.sysconf("SC_PAGE_SIZE")


@needs_linux
def test_a_life_of_the_machine_has_a_name() -> None:
    """With it the ticks since its start name a process for good."""
    assert len(boot_id()) == 36 and boot_id(Path("/nowhere")) == ""


# ---- the host ----


def test_the_host_is_known_as_psutil_knows_it() -> None:
    """In total, and in what is available without swapping."""
    known = psutil.virtual_memory()
    host = read_host()
    assert host.total_bytes == known.total
    assert host.available_bytes == pytest.approx(known.available, rel=0.2)


def test_a_machine_that_tells_nothing_is_no_error(tmp_path: Path) -> None:
    """No /proc, no control groups, no pressure: nothing is known, and nothing is 0."""
    sample = MemoryReader(os.getpid(), tmp_path).sample(1.0, look()._replace(host=read_host(tmp_path)))
    known = {name for name, value in sample._asdict().items() if value is not None}
    assert known <= {"processes", "rss_bytes"} and sample.headroom_bytes is None


def test_an_old_kernel_has_no_estimate_of_what_is_available(tmp_path: Path) -> None:
    """Then what is free counts; without swap nothing of it is used."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "meminfo").write_text("MemTotal:  1000 kB\nMemFree: 400 kB\nHugePages_Total: 0\n")
    host = read_host(tmp_path)
    assert (host.total_bytes, host.available_bytes, host.swap_total_bytes, host.swap_used_bytes) == (
        1024000,
        409600,
        0,
        0,
    )


def test_a_folder_that_is_no_file_system_is_not_measured(tmp_path: Path) -> None:
    """/dev/shm on the disk would tell the disk's use."""
    (tmp_path / "dev" / "shm").mkdir(parents=True)
    assert read_shm(tmp_path) is None


# ---- control groups ----

MOUNTED_2 = "35 31 0:32 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"
MOUNTED_1 = (
    "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "36 31 0:33 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
)


def machine(root: Path, mounted: str, path: str, files: dict[str, str], pid: int = 42) -> Path:
    """A machine of files: mounts, the group of process 42, the groups' own files."""
    proc = fake_processes(root, [(pid, b"python", 1, 1000)])
    (proc / str(pid) / "mountinfo").write_text("23 1 0:1 / / rw - ext4 /dev/vda rw\n" + mounted)
    (proc / str(pid) / "cgroup").write_text(path)
    (proc / "meminfo").write_text(
        "MemTotal: 64000000 kB\nMemAvailable: 32000000 kB\nSwapTotal: 1000 kB\nSwapFree: 400 kB\n"
    )
    for name, text in files.items():
        file = root / "sys" / "fs" / "cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def version_2(root: Path) -> Path:
    """A job of 8 GB in a slice of 4 GB: the outer one is the tighter."""
    return machine(root, MOUNTED_2, "0::/lab.slice/job.scope\n", {
        "lab.slice/memory.max": "4000000000\n",
        "lab.slice/memory.current": "3500000000\n",
        "lab.slice/memory.stat": "anon 1\ninactive_file 300000000\nactive_file 150000000\nslab_reclaimable 50000000\n",
        "lab.slice/memory.events": "low 0\noom 3\noom_kill 3\n",
        "lab.slice/job.scope/memory.max": "8000000000\n",
        "lab.slice/job.scope/memory.current": "2000000000\n",
        "lab.slice/job.scope/memory.stat": "inactive_file 0\n",
        "lab.slice/job.scope/memory.events": "oom_kill 1\n",
        "lab.slice/job.scope/memory.pressure": "some avg10=12.50 avg60=1.00 avg300=0.10 total=5\n"
                                               "full avg10=3.25 avg60=0.00 avg300=0.00 total=1\n",
    })  # fmt: skip


def test_the_tightest_group_around_decides(tmp_path: Path) -> None:
    """Its limit less what it uses, without file cache and slabs: 4.0 - (3.5 - 0.5) GB, though the host has 32."""
    sample = MemoryReader(42, version_2(tmp_path)).sample(1.0)
    assert (sample.cgroup_limit_bytes, sample.cgroup_used_bytes) == (4_000_000_000, 3_000_000_000)
    assert sample.headroom_bytes == sample.cgroup_headroom_bytes == 1_000_000_000
    assert sample.values()["system/cgroup_headroom_bytes"] == 1e9
    assert (sample.cgroup_psi_some_avg10, sample.cgroup_psi_full_avg10) == (12.5, 3.25)
    assert (sample.swap_total_bytes, sample.swap_used_bytes) == (1024000, 600 * 1024)


def test_a_group_without_a_limit_leaves_it_to_the_host(tmp_path: Path) -> None:
    """`max` is no number."""
    root = machine(tmp_path, MOUNTED_2, "0::/job\n", {"job/memory.max": "max\n", "job/memory.current": "5\n"})
    sample = MemoryReader(42, root).sample(1.0)
    assert sample.cgroup_limit_bytes is None and sample.headroom_bytes == sample.host_available_bytes


def test_version_1_says_it_in_other_words(tmp_path: Path) -> None:
    """The limit is a file of another name, no limit a number near 2**63, and the cache that of the whole subtree."""
    root = machine(tmp_path, MOUNTED_1, "5:cpu:/x\n4:memory:/docker/abc\n0::/\n", {
        "memory/docker/memory.limit_in_bytes": "9223372036854771712\n",
        "memory/docker/abc/memory.limit_in_bytes": "2000\n",
        "memory/docker/abc/memory.usage_in_bytes": "1500\n",
        "memory/docker/abc/memory.stat": "inactive_file 1\ntotal_inactive_file 200\ntotal_active_file 100\n",
        "memory/docker/abc/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
    })  # fmt: skip
    sample = MemoryReader(42, root).sample(1.0)
    assert (sample.cgroup_limit_bytes, sample.cgroup_used_bytes, sample.cgroup_headroom_bytes) == (2000, 1200, 800)
    assert sample.oom_kills == 0  # two before the first look


def test_in_a_container_the_mount_point_is_the_own_group(tmp_path: Path) -> None:
    """The path is the host's, or leads out: what is mounted is the group itself."""
    for number, (mounted, path) in enumerate((
        (MOUNTED_2, "0::/\n"),
        (MOUNTED_2, "0::/../../job.scope\n"),
        (MOUNTED_2, "0::/kubepods/pod1/abc\n"),
        (MOUNTED_2.replace(" / /sys", " /kubepods/pod1/abc /sys"), "0::/kubepods/pod1/abc\n"),
    )):  # fmt: skip
        root = machine(tmp_path / str(number), mounted, path, {"memory.max": "100\n", "memory.current": "40\n"})
        assert MemoryReader(42, root).sample(1.0).cgroup_headroom_bytes == 60, path


def test_kills_since_the_last_look_are_told_when_the_process_is_gone(tmp_path: Path) -> None:
    """One kill before it is no evidence; one after the last look at the living process is."""
    root = version_2(tmp_path)
    reader = MemoryReader(42, root)
    assert reader.sample(1.0).oom_kills == 0 and reader.oom_kills_at_end() == 0
    group = root / "sys" / "fs" / "cgroup" / "lab.slice" / "job.scope"
    (group / "memory.events").write_text("oom_kill 2\n")
    assert reader.oom_kills_at_end() == 1
    assert reader.sample(2.0).oom_kills == 1 and reader.oom_kills_at_end() == 0
    assert reader.sample(3.0, look(root)._replace(table={})).processes is None and reader.oom_kills_at_end() == 0


def test_a_group_that_ended_with_its_process_is_counted_by_the_one_around(tmp_path: Path) -> None:
    """systemd takes a scope away with its last process; its kills count in the slice too."""
    root = version_2(tmp_path)
    reader = MemoryReader(42, root)
    reader.sample(1.0)
    outer = root / "sys" / "fs" / "cgroup" / "lab.slice"
    for file in (outer / "job.scope").iterdir():
        file.unlink()
    (outer / "job.scope").rmdir()
    (outer / "memory.events").write_text("oom_kill 4\n")
    assert reader.oom_kills_at_end() == 1


def test_this_machines_own_groups_are_found() -> None:
    """Every folder that is named is there; where the kernel counts kills, the own group has a count."""
    groups = cgroups.groups_of(os.getpid(), cgroups.find_mounts())
    assert all(folder.is_dir() for folder in groups)
    assert set(cgroups.oom_kills_of(groups)) <= set(groups)
    for one in cgroups.limits_of(groups):
        assert 0 <= one.headroom_bytes <= one.limit_bytes


@pytest.mark.parametrize("text", ["", "some\n", "some avg10=x\n", "full avg10=1.0 avg60=0\n"])
def test_a_pressure_file_that_says_something_else_says_nothing(tmp_path: Path, text: str) -> None:
    """Kernels without pressure, and those where reading it is refused."""
    (tmp_path / "pressure").write_text(text)
    assert cgroups.pressure_of(tmp_path / "pressure") is None
    assert cgroups.pressure_of(tmp_path / "none") is None
