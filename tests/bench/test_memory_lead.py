"""How long before the kernel kills the risk is HIGH: on recorded ramps, and on one whose kill happens here and now."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from neatd.pipeline.memory import look_at_memory
from neatd.read.kernlog import kernel_kills
from neatd.read.memory import MemoryReader
from neatd.rules.memory import MemoryWatch
from tests.bench.table import Row, keep
from tests.memory_groups import LIMIT, MB, made_group
from tests.test_memory_risk import KILLED, lead_s, recorded, replayed

pytestmark = [pytest.mark.bench, pytest.mark.timeout(300)]


def test_the_lead_time_on_recorded_ramps() -> None:
    """A table: seconds from the first MEDIUM and HIGH that held until the kill, by looks 2 and 10 s apart; the noise of
    shapes that were not killed."""
    print(
        f"\nrecorded: {recorded()['how']}\n{'shape':28} {'ended':>8} {'MEDIUM':>8} {'HIGH':>8} {'HIGH, 10 s apart':>18}"
    )
    for name, shape in recorded()["shapes"].items():
        if shape["is_killed"]:
            leads = [lead_s(name, "MEDIUM"), lead_s(name), lead_s(name, every_s=10.0)]
            shown = ["none" if one is None else f"{one:.1f} s" for one in leads]
            print(f"{name:28} {shape['ended_s']:6.1f} s {shown[0]:>8} {shown[1]:>8} {shown[2]:>18}")
        else:
            seen = [one for _, one in replayed(name)[0]]
            high = sum(one.judgement is not None and one.judgement.risk == "HIGH" for one in seen)
            events = [one.crossed.severity for one in seen if one.crossed]
            print(f"{name:28} {shape['ended_s']:6.1f} s  not killed: {high} looks HIGH, events {events or 'none'}")
    least = min(lead_s(name) or 0.0 for name in KILLED)
    leaks = min(lead_s(name) or 0.0 for name in KILLED if "leak" in name)
    words = "risk HIGH before the kernel's kill, the shortest of"
    keep(Row("memory/lead", f"{words} {len(KILLED)} recorded ramps", least, "s", 0.5, is_rate=True))
    keep(Row("memory/lead-leak", f"{words} the recorded leaks", leaks, "s", 20.0, is_rate=True))


def test_a_look_costs_little() -> None:
    """The machine and its groups, judged: what the watch costs every two seconds while something runs."""
    watch, count = MemoryWatch(), 1000
    groups = MemoryReader(1).groups
    begun = time.thread_time()
    for number in range(count):
        watch.feed(look_at_memory(Path("/"), groups), 2.0 * number)
    keep(
        Row(
            "memory/look",
            "one look at the machine's memory, judged",
            (time.thread_time() - begun) / count * 1e6,
            "us",
            2e3,
        )
    )


def test_a_kill_by_the_kernel_is_foreseen_and_recognised(tmp_path: Path) -> None:
    """A program takes 15 MB a second in a group of 300 MB: HIGH before its end; afterwards the group's own count has grown,
    and the kernel's log, where it can be read, names the process."""
    with made_group(LIMIT) as group:
        if group is None:
            pytest.skip("no control group can be made here: needs root, or a delegated subtree")
        process = group.run("take(40)\ngrow(15, 400)")
        reader, watch, high = MemoryReader(process.pid), MemoryWatch(), None
        while process.poll() is None:
            sample = reader.sample(time.monotonic())
            seen = watch.feed(look_at_memory(Path("/"), [group.folder]), time.monotonic()) if sample.processes else None
            if high is None and seen and seen.judgement and seen.judgement.risk == "HIGH":
                high = time.monotonic(), seen.judgement
            time.sleep(0.5)
        ended = time.monotonic()
        assert process.returncode == -9 and high is not None and reader.oom_kills_at_end() == 1
        print(f"\nHIGH {ended - high[0]:.1f} s before the kill: {high[1].reason}")
        named = [one for one in kernel_kills() if one.pid == process.pid]
        told = f"{named[-1].name}, {named[-1].rss_bytes / MB:.0f} MB" if named else "not to be read here"
        print(f"the kernel's log: {told}")
        assert not named or (named[-1].is_of_group and "python" in named[-1].name + Path(sys.executable).name)
