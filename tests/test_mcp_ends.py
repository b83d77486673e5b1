"""No server outlives its assistant: it leaves when stdin ends or its parent dies, whatever it is doing."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from neatd.store.opening import connect
from tests.cli_place import Cli
from tests.conftest import until
from tests.mcp_made import ARGUMENTS, HANDSHAKE, Lines, environment, lines, registered

# A client that starts servers and something that inherits their pipes; it prints who they are, and waits.
PARENT = f"""
import json, subprocess, sys, time
message = json.dumps({{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {HANDSHAKE!r}}}).encode() + b"\\n"
servers = [subprocess.Popen([sys.executable, *{ARGUMENTS!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
           for _ in range(int(sys.argv[1]))]
pipes = [one.stdin.fileno() for one in servers]
holder = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], pass_fds=pipes)
for one in servers:
    one.stdin.write(message)
    one.stdin.flush()
for one in servers:
    one.stdout.readline()
print(json.dumps([holder.pid, [one.pid for one in servers]]), flush=True)
time.sleep(600)
"""


AT_MOST_S = 10.0  # 2 s are promised, which tests/bench/test_mcp_bench.py measures; a busy machine may need longer


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return registered(Cli(tmp_path, monkeypatch, capsys))


def seconds_to_end(server: Lines) -> float:
    """How long the server takes to end after its stdin was closed."""
    assert server.process.stdin is not None
    server.process.stdin.close()
    begun = time.monotonic()
    assert server.process.wait(timeout=30) == 0
    return time.monotonic() - begun


@pytest.mark.parametrize("is_greeted", [True, False])
def test_a_server_ends_with_its_stdin(cli: Cli, is_greeted: bool) -> None:
    """Soon, with exit code 0, before or after the handshake."""
    with lines(cli) as server:
        server.begin()
        if is_greeted:
            assert not server.call("search", query="x").get("isError")
        assert seconds_to_end(server) < AT_MOST_S


def test_a_server_that_waits_for_the_store_ends_with_its_stdin(cli: Cli) -> None:
    """What it could not begin to write is not there; the store is whole."""
    store = connect(cli.home)
    store.execute("BEGIN IMMEDIATE")
    with lines(cli) as server:
        server.begin()
        server.send("tools/call", {"name": "log", "arguments": {"kind": "note", "text": "x"}})
        server.ask("ping")  # stdin is read while the call waits
        assert seconds_to_end(server) < AT_MOST_S
    store.execute("ROLLBACK")
    store.close()
    assert cli.json("list", "note") == []


def test_a_server_whose_answers_are_not_read_ends_with_its_stdin(cli: Cli) -> None:
    """A full pipe to the client keeps nobody."""
    cli.keep("note", "long\n" + "many words " * 2000)
    with lines(cli) as server:
        server.begin()
        for _ in range(20):
            server.send("tools/call", {"name": "get", "arguments": {"id": "n-"}})
        assert server.process.stdout is not None
        until(lambda: server.process.stdout and is_full(server.process.stdout.fileno()), "a full pipe")
        assert seconds_to_end(server) < AT_MOST_S


def is_full(descriptor: int) -> bool:
    """Whether a pipe of 64 KiB has no room for another answer."""
    import fcntl
    import termios

    return int.from_bytes(fcntl.ioctl(descriptor, termios.FIONREAD, b"\0" * 4), sys.byteorder) > (1 << 16) - 24_000


def test_a_call_that_writes_may_finish(cli: Cli) -> None:
    """Stdin that closes right behind a call does not take the record away."""
    with lines(cli) as server:
        server.begin()
        server.call("log", kind="note", text="the first word")  # what a call needs is loaded
        server.send("tools/call", {"name": "log", "arguments": {"kind": "note", "text": "the last word"}})
        server.ask("ping")
        assert seconds_to_end(server) < AT_MOST_S
    assert [one["title"] for one in cli.json("list", "note")] == ["the last word", "the first word"]


def test_nothing_but_the_protocol_is_printed(cli: Cli) -> None:
    """Every line on stdout is JSON-RPC, also after broken input, an unknown method and a failed call."""
    with lines(cli) as server:
        server.begin()
        assert server.process.stdin is not None
        server.process.stdin.write(b"not json\n\n")
        assert server.ask("nope/nope")["error"]["code"] == -32601
        assert server.call("nope")["isError"] and server.call("brief")["content"]
        assert seconds_to_end(server) < AT_MOST_S
        assert server.process.stdout is not None and server.process.stdout.read() == b""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere the parent's end is polled, not told")
@pytest.mark.parametrize("count", [1, 3])
def test_servers_end_with_their_parent(cli: Cli, count: int) -> None:
    """Killed with SIGKILL, while another of its children keeps the pipes open."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(count)], cwd=cli.root, env=environment(cli), stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    holder, servers = json.loads(parent.stdout.readline())
    try:
        assert len(servers) == count and all(map(is_alive, servers))
        begun = time.monotonic()
        parent.kill()
        parent.wait(timeout=30)
        until(lambda: not any(map(is_alive, servers)), "the end of all servers")
        assert time.monotonic() - begun < AT_MOST_S and is_alive(holder)
    finally:
        parent.stdout.close()
        for pid in (holder, *(one for one in servers if is_alive(one))):
            os.kill(pid, signal.SIGKILL)


# An assistant whose server stands behind a shell, or that ends as soon as it has started one; it prints the server's pid.
BEHIND = """
import os, subprocess, sys, time
subprocess.Popen(["sh", "-c", "echo $$; " + sys.argv[1] + "; true"], stdin=0)
time.sleep(float(sys.argv[2]))
"""
# A system's first process: it takes in what is left behind, and prints who that is.
REAPER = """
import ctypes, os, subprocess, sys, time
assert ctypes.CDLL(None).prctl(36, 1) == 0  # PR_SET_CHILD_SUBREAPER
left = "import os, subprocess, sys; print(subprocess.Popen(sys.argv[1:], stdin=0, stdout=2).pid, flush=True); os._exit(0)"
subprocess.run([sys.executable, "-c", left, *sys.argv[1:]], stdin=0, start_new_session=True)
time.sleep(600)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere the end of a process is polled, not told")
def test_a_server_behind_a_shell_ends_with_its_assistant(cli: Cli) -> None:
    """The shell lives on, and stdin stays open."""
    reader, writer = os.pipe()
    line = shlex.join([sys.executable, *ARGUMENTS])
    assistant = subprocess.Popen(
        [sys.executable, "-c", BEHIND, line, "600"],
        stdin=reader,
        stdout=subprocess.PIPE,
        cwd=cli.root,
        env=environment(cli),
    )
    try:
        assert assistant.stdout is not None
        shell = psutil.Process(int(assistant.stdout.readline()))
        os.write(
            writer,
            json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HANDSHAKE}).encode() + b"\n",
        )
        assert b"protocolVersion" in assistant.stdout.readline()
        (server,) = shell.children()
        assistant.kill()
        assistant.wait(timeout=30)
        until(lambda: not is_alive(server.pid), "the end of the server")
    finally:
        assistant.kill()
        assistant.wait(timeout=30)
        for end in (reader, writer):
            os.close(end)
        if assistant.stdout is not None:
            assistant.stdout.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere no process can stand in for the first one")
def test_a_server_whose_parent_ended_first_does_not_begin(cli: Cli) -> None:
    """It was left to the system's first process before it could look, which has another session; stdin stays open."""
    reader, writer = os.pipe()
    first = subprocess.Popen(
        [sys.executable, "-c", REAPER, sys.executable, *ARGUMENTS], stdin=reader, stdout=subprocess.PIPE,
        cwd=cli.root, env=environment(cli),
    )  # fmt: skip
    try:
        assert first.stdout is not None
        server = int(first.stdout.readline())
        until(lambda: not is_alive(server), "the end of the server")
    finally:
        first.kill()
        first.wait(timeout=30)
        for end in (reader, writer):
            os.close(end)
        if first.stdout is not None:
            first.stdout.close()


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody asked about does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
