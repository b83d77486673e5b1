"""The process that bears others for tests/mother.py: it loads what they run, and forks for each that is asked for.

It has one thread, no database open and nothing read from its standard input. A child has only its own files and its own
environment, and ends as any program does, but that the modules are not taken apart: that took 70 ms of 85.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import sys
import threading
import time
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

from neatd import lineage

FURTHER = (
    "apscheduler.triggers.date", "apscheduler.triggers.interval", "concurrent.futures.thread", "watchdog.observers",
    "neatd.daemon", "neatd.mcp.server", "neatd.read.formats.jsonl",
)  # fmt: skip


def serve() -> None:
    """Bear whom is asked for until nobody can ask any more."""
    load()
    asked, (woken, wakes) = socket.socket(fileno=0), os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    tell: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([asked, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            bury(tell)
        if asked in ready:
            wish, files = receive(asked)
            if not wish:
                return
            if (pid := os.fork()) == 0:
                asked.detach()
                live(become(wish, files))
            tell[pid] = files[3]
            asked.send(f"{pid}\n".encode())
            for file in files[:3]:
                os.close(file)


def load() -> None:
    """Load what the commands, the servers and the daemons load in their lives, and compile what they compile: patterns,
    templates, the shipped rules."""
    from neatd import cli
    from neatd.cli.main import neat, run
    from neatd.pipeline.ruleset import rules_here

    for name in (*FURTHER, *(f"neatd.cli.{one.name}" for one in pkgutil.iter_modules(cli.__path__))):
        importlib.import_module(name)
    with TemporaryDirectory() as folder, redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        os.chdir(folder)
        os.environ |= {"HOME": folder, "NEAT_HOME": f"{folder}/home"}
        assert run(neat, ["init", "--yes"]) == 0
        rules_here(Path(folder, "home"), None, "")
        os.chdir("/")
    gc.collect()
    gc.freeze()  # no child looks through what all have


def bury(tell: dict[int, int]) -> None:
    """Take the exit statuses of those that have ended, and tell them to who waits."""
    for pid in list(tell):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            with contextlib.suppress(BrokenPipeError):  # nobody waits for it
                os.write(tell[pid], str(status).encode())
            os.close(tell.pop(pid))


def receive(asked: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """A wish with its files: stdin, stdout, stderr, and where its end is told; {} when nobody can ask any more."""
    text, files, _, _ = socket.recv_fds(asked, 1 << 16, 4)
    while text and not text.endswith(b"\n"):
        text += asked.recv(1 << 16)
    return json.loads(text or b"{}"), files


def become(wish: dict[str, Any], files: list[int]) -> str:
    """Make this process the one that was asked for; returns its program."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if wish["leads"]:
        os.setsid()
    for number, file in enumerate(files[:3]):
        os.dup2(file, number)
    os.closerange(3, max(files) + 1024)
    os.chdir(wish["cwd"])
    os.environ.clear()
    os.environ.update(wish["env"])
    time.tzset()
    lineage._PARENT = os.getppid()  # which a process asks as it begins
    program, *sys.argv[1:] = wish["words"]
    return str(program)


def live(program: str) -> NoReturn:
    """Run a program to its end, and end as it does: with its exit code, or of the signal that interrupted it."""
    code: Any = 0
    try:
        exec(program, {"__name__": "__main__"})
    except SystemExit as ended:
        code = ended.code
    except BaseException as mistake:
        sys.excepthook(*sys.exc_info())
        code = -signal.SIGINT if isinstance(mistake, KeyboardInterrupt) else 1
    if isinstance(code, str):
        print(code, file=sys.stderr)
        code = 1
    threading._shutdown()  # waits for threads, as Python does
    atexit._run_exitfuncs()
    code = flushed(code or 0)
    if code == -signal.SIGINT:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(code)


def flushed(code: int) -> int:
    """The exit code once all is written; Python's own one where nobody reads it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # its reader has gone; it is closed
            code = code or 120
    return code
