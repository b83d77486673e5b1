"""`neat mcp`: how soon it answers, and that fifty servers leave nothing behind when their parents are killed."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from neatd.store.opening import connect
from tests.cli_place import Cli
from tests.conftest import until
from tests.mcp_made import environment, lines, registered
from tests.test_mcp_ends import PARENT, is_alive

REPEATS = 9
SERVERS, PARENTS = 50, 10


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return registered(Cli(tmp_path, monkeypatch, capsys))


@pytest.mark.bench
def test_the_first_answer_comes_soon(cli: Cli) -> None:
    """From the start of the process to the answer of `initialize` under 1.5 s, by median; the first call is told."""
    taken: dict[str, list[float]] = {"initialize": [], "search": [], "brief": []}
    for _ in range(REPEATS):
        begun = time.perf_counter()
        with lines(cli) as server:
            server.begin()
            taken["initialize"].append(time.perf_counter() - begun)
            for tool, given in (("search", {"query": "x"}), ("brief", {})):
                begun = time.perf_counter()
                assert not server.call(tool, **given)["isError"]
                taken[tool].append(time.perf_counter() - begun)
    medians = {name: statistics.median(values) for name, values in taken.items()}
    print("\nneat mcp: " + ", ".join(f"{name} {value:.2f} s" for name, value in medians.items()))
    assert medians["initialize"] < 1.5


@pytest.mark.bench
@pytest.mark.timeout(600)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere the parent's end is polled, not told")
def test_fifty_servers_whose_parents_are_killed_leave_no_process(cli: Cli) -> None:
    """Ten assistants with five servers each, killed at once, while the pipes are held open: all are gone in 2 s."""
    connect(cli.home).close()
    words = [sys.executable, "-c", PARENT, str(SERVERS // PARENTS)]
    parents = [
        subprocess.Popen(words, cwd=cli.root, env=environment(cli), stdout=subprocess.PIPE) for _ in range(PARENTS)
    ]
    holders, servers = [], []
    for parent in parents:
        assert parent.stdout is not None
        holder, started = json.loads(parent.stdout.readline())
        holders.append(holder)
        servers += started
        parent.stdout.close()
    try:
        assert len(servers) == SERVERS and all(map(is_alive, servers))
        begun = time.monotonic()
        for parent in parents:
            parent.kill()
            parent.wait(timeout=30)
        until(lambda: not any(map(is_alive, servers)), "the end of all servers")
        seconds = time.monotonic() - begun
        print(f"\n{SERVERS} servers were gone {seconds:.2f} s after their parents")
        assert seconds < 2
    finally:
        for pid in (*holders, *(one for one in servers if is_alive(one))):
            os.kill(pid, signal.SIGKILL)
