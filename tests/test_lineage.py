"""The processes above: who they are, whether they live, when they end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from neatd import lineage
from neatd.lineage import Ancestor, ancestors_of, environment_of, is_alive, starter, wait_for_end
from tests.conftest import until

WAITS = [sys.executable, "-c", "input()"]


def test_the_nearest_stands_first() -> None:
    """A process, then this one, then those above this one."""
    with subprocess.Popen(WAITS, stdin=subprocess.PIPE) as child:
        found = ancestors_of(child.pid)
        assert [one.pid for one in found[:3]] == [child.pid, os.getpid(), os.getppid()]
        assert found[1:] == ancestors_of(os.getpid()) and lineage.lineage() == found[2:]


def test_a_process_is_known_by_its_number_and_its_beginning() -> None:
    """Numbers are given again: another beginning is another process. One that ended, and waits to be asked how, is gone."""
    child = subprocess.Popen(WAITS, stdin=subprocess.PIPE)
    (one, *_) = ancestors_of(child.pid)
    assert is_alive(one.pid, one.born) and not is_alive(one.pid, "other")
    child.kill()
    until(lambda: not is_alive(one.pid, one.born), "its end")  # nobody has waited for it
    assert ancestors_of(child.pid) == ()
    child.communicate()
    assert not is_alive(one.pid, one.born)


@pytest.mark.parametrize("pid", [0, 1, -1, 999_999_999])
def test_numbers_that_say_nothing_name_nobody(pid: int) -> None:
    """No process, and the one that everybody is below."""
    assert ancestors_of(pid) == () and not is_alive(pid, "")


def test_shells_and_wrappers_started_nothing_themselves() -> None:
    """Whoever wanted the command run stands above them."""
    above = [Ancestor(n, "b", name) for n, name in enumerate(["sh", "uv", "Neat", "pwsh.exe", "claude", "bash"])]
    assert starter(tuple(above)) == above[4]
    assert starter(tuple(above[:4])) is None and starter(()) is None


def test_a_name_may_hold_anything() -> None:
    """Blanks and brackets, as a program may call itself."""
    program = "open('/proc/self/comm', 'w').write('a) S (b'); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert next(one.name for one in ancestors_of(child.pid)) == "a) S (b"


def test_an_environment_is_what_a_process_was_started_with() -> None:
    """Nothing of one that is not there."""
    with subprocess.Popen(WAITS, stdin=subprocess.PIPE, env={**os.environ, "NEAT_SESSION": "se-x"}) as child:
        assert b"NEAT_SESSION=se-x" in until(lambda: environment_of(child.pid), "it").split(b"\0")
    assert environment_of(999_999_999) == b""


@pytest.mark.parametrize("has_handles", [True, False])
def test_an_end_is_noticed(monkeypatch: pytest.MonkeyPatch, has_handles: bool) -> None:
    """By the system where it can tell, else by looking."""
    if not has_handles:
        monkeypatch.delattr(os, "pidfd_open", raising=False)
        monkeypatch.setattr(lineage, "POLL_S", 0.01)
    child = subprocess.Popen(WAITS, stdin=subprocess.PIPE)
    (one, *_) = ancestors_of(child.pid)
    thread = threading.Thread(target=wait_for_end, args=(one.pid, one.born))
    thread.start()
    assert thread.is_alive()
    child.communicate(b"\n")
    thread.join(timeout=10)
    assert not thread.is_alive()
