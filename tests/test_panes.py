"""A run in tmux or screen: its pane is found and read, and each of its lines is new once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neatd.models import ProcessFact
from neatd.read.panelines import new_lines, pane_lines
from neatd.read.panes import Pane, pane_of, read_pane
from neatd.read.processfacts import described
from tests.conftest import until

TRAINS = """
import sys
print("pid", __import__("os").getpid(), flush=True)
for line in sys.stdin:
    first, _, last = line.rstrip("\\n").partition(",")
    for step in range(int(first), int(last)):
        print("step", step, "loss 0.5", flush=True)
    print("half a li", end="", flush=True)
"""
Start = Callable[..., tuple["Terminal", Pane]]

# ---- which lines are new ----


def test_lines_below_what_stood_there_are_new() -> None:
    """A terminal that is not full yet only grows."""
    assert new_lines(["a", "b"], ["a", "b", "c", "d"]) == ["c", "d"]


def test_a_terminal_that_moved_up_has_its_end_at_the_start_of_the_next() -> None:
    """The lines that went out at the top are not missed."""
    assert new_lines(["a", "b", "c"], ["c", "d", "e"]) == ["d", "e"]


def test_nothing_new_is_nothing() -> None:
    """The same text, or a part of it after some was erased."""
    assert new_lines(["a", "b"], ["a", "b"]) == []
    assert new_lines(["a", "b", "c"], ["b"]) == []
    assert new_lines(["a"], []) == [] and new_lines([], []) == []


def test_a_first_look_is_new_as_a_whole() -> None:
    """Also after the terminal was cleared, and after more lines than it holds."""
    assert new_lines([], ["a", "b"]) == ["a", "b"]
    assert new_lines(["a", "b"], ["x", "y"]) == ["x", "y"]


def test_a_bar_that_is_rewritten_in_place_is_told_as_it_now_stands() -> None:
    """The lines around it are not told again."""
    assert new_lines(["epoch 1", "40%"], ["epoch 1", "60%"]) == ["60%"]
    assert new_lines(["epoch 1", "40%"], ["epoch 1", "100%", "epoch 2", "3%"]) == ["100%", "epoch 2", "3%"]
    assert new_lines(["a", "b", "40%"], ["b", "60%", "val 1"]) == ["60%", "val 1"]


def test_bars_of_several_levels_change_alone() -> None:
    """The outer one stands while the inner one moves."""
    assert new_lines(["start", "outer 1/3", "inner 40%"], ["start", "outer 1/3", "inner 60%"]) == ["inner 60%"]
    assert new_lines(["start", "outer 1/3", "inner 100%"], ["start", "outer 2/3", "inner 0%"]) == [
        "outer 2/3",
        "inner 0%",
    ]


def test_a_short_likeness_does_not_win_over_a_long_one() -> None:
    """The same word at both ends of a rewritten text."""
    assert new_lines(["x", "a", "x"], ["x", "a", "y"]) == ["y"]


def test_blanks_at_the_ends_and_empty_lines_below_are_no_text() -> None:
    """A terminal is filled up with them."""
    assert pane_lines("a  \n\n b\r\n\n \n") == ["a", "", " b"]
    assert pane_lines("") == pane_lines("\n\n") == []


@given(st.integers(1, 30), st.lists(st.integers(1, 40), max_size=12), st.lists(st.sampled_from(["", "$"]), max_size=3))
def test_a_stream_of_lines_is_told_once_whole_and_in_order(height: int, moves: list[int], begin: list[str]) -> None:
    """However the looks fall, as long as no more lines go by between two than the terminal holds."""
    stream, shown, told = list(begin), [], []
    for number, move in enumerate([0, *moves]):
        stream += [f"step {number}.{n}" for n in range(min(move, height))]
        now = stream[-height:] if number or len(begin) <= height else begin[-height:]
        told += new_lines(shown, now)
        shown = now
    assert told == (stream if len(begin) <= height else begin[-height:] + stream[len(begin) :])


LINES = st.lists(st.sampled_from(["a", "b", "", "40%", "60%"]), max_size=12)


@given(LINES, LINES)
def test_what_is_told_stands_there_and_the_rest_stood_before(before: list[str], after: list[str]) -> None:
    """Nothing is made up, and nothing that never stood there is kept back."""
    new = new_lines(before, after)
    rest = iter(after)
    assert all(line in rest for line in new)  # in the order of `after`
    assert {line for line in after if line not in new} <= set(before)
    assert new_lines(after, after) == [] and new_lines([], after) == after


@given(LINES, LINES)
def test_a_text_that_only_grew_loses_nothing_and_doubles_nothing(before: list[str], more: list[str]) -> None:
    """With distinct lines exactly the added ones; where lines repeat, never more than those."""
    marked = [f"{n} {line}" for n, line in enumerate([*before, *more])]
    assert new_lines(marked[: len(before)], marked) == marked[len(before) :]
    assert len(new_lines(before, [*before, *more])) <= len(more) or not before


# ---- tmux ----

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
needs_screen = pytest.mark.skipif(shutil.which("screen") is None, reason="screen is not installed")


class Terminal:
    """A training in a terminal of a multiplexer of the test's own, to which lines can be typed."""

    def __init__(self, type_line: Callable[[str], None], log: Path) -> None:
        self._type, self._log = type_line, log

    def train(self, first: int, last: int) -> None:
        """Print these steps, each a line; the line after them is not whole."""
        self._type(f"{first},{last}")

    @property
    def pid(self) -> int:
        return int(until(lambda: self._log.is_file() and self._log.read_text().strip(), "the training's number"))


@pytest.fixture
def tmux(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start a training in tmux, on a socket of its own."""
    folder = Path(tmp_path_factory.mktemp("t"))
    socket, log = folder / "s", folder / "pid"
    env = {key: value for key, value in os.environ.items() if key not in ("TMUX", "TMUX_PANE", "STY")}

    def tell(*words: str) -> str:
        words = ("tmux", "-f", os.devnull, "-S", str(socket), *words)
        return subprocess.run(words, env=env, check=True, capture_output=True, text=True, timeout=20).stdout

    def begin(redirect: str = "", width: int = 80) -> tuple[Terminal, Pane]:
        script = folder / "train.py"
        script.write_text(f"open({str(log)!r}, 'w').write(str(__import__('os').getpid()))\n{TRAINS}")
        command = f"{sys.executable} {script} {redirect}"
        tell("new-session", "-d", "-x", str(width), "-y", "10", "-s", "main", "sh")
        tell("send-keys", "-t", "main", command, "Enter")
        terminal = Terminal(lambda line: tell("send-keys", "-t", "main", line, "Enter") and None, log)
        pane = until(lambda: pane_of(terminal.pid), "the pane")
        return terminal, pane

    yield begin
    subprocess.run(["tmux", "-S", str(socket), "kill-server"], env=env, capture_output=True, timeout=20)


def shown(pane: Pane, last: str) -> list[str]:
    """The lines of a pane once `last` is the last."""

    def lines() -> list[str]:
        found = read_pane(pane) or []
        return found if found and found[-1] == last else []

    found: list[str] = until(lines, f"{last!r} as the last line")
    return found


@needs_tmux
def test_a_training_in_tmux_is_found_in_its_pane(tmux: Start) -> None:
    """By the shell above it; its socket, its terminal, and that it prints there are known."""
    terminal, pane = tmux()
    assert pane.kind == "tmux" and pane.id == "%0" and pane.shows_output
    assert pane.terminal.startswith("/dev/")
    assert described(ProcessFact(pid=terminal.pid, started=0.0)).started_by == "tmux"


@needs_tmux
def test_a_training_whose_output_is_a_file_has_a_pane_that_shows_nothing(tmux: Start, tmp_path: Path) -> None:
    """The file is what to read."""
    assert not tmux(f"> {tmp_path}/out.log 2>&1")[1].shows_output


@needs_tmux
def test_lines_of_a_pane_come_once_over_several_looks(tmux: Start) -> None:
    """More than a screenful goes by between two looks; the line that is not whole yet is left for the next."""
    terminal, pane = tmux()
    before: list[str] = []
    told: list[str] = []
    for first, last in ((0, 3), (3, 60), (60, 61), (61, 130)):
        terminal.train(first, last)
        now = shown(pane, f"step {last - 1} loss 0.5")
        told += new_lines(before, now)
        before = now
    assert [line for line in told if line.startswith("step")] == [f"step {n} loss 0.5" for n in range(130)]
    assert "half a li" not in told


@needs_tmux
def test_a_line_that_is_wider_than_its_pane_is_one_line(tmux: Start) -> None:
    """Wrapped by the terminal, not by the training."""
    terminal, pane = tmux(width=12)
    terminal.train(0, 12)
    assert "step 11 loss 0.5" in shown(pane, "step 11 loss 0.5")


@needs_tmux
def test_a_pane_that_is_gone_says_nothing(tmux: Start) -> None:
    """Neither the pane of a training that ended with its terminal, nor one whose socket is no longer there."""
    terminal, pane = tmux()
    pid = terminal.pid
    subprocess.run(["tmux", "-S", pane.socket, "kill-server"], check=True, timeout=20)
    until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, "its end")
    assert read_pane(pane) is None and pane_of(pid) is None


def test_a_process_outside_of_both_has_no_pane() -> None:
    """Nor has one that is not there. A socket that is a plain file, or nobody's, is not talked to."""
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env={"TMUX": "/etc/passwd,1,0"}
    ) as one:
        try:
            found = pane_of(one.pid)
            assert found is None or found.socket != "/etc/passwd"
        finally:
            one.communicate(b"\n")
    assert pane_of(2**22 + 1) is None
    assert read_pane(Pane("tmux", "/etc/passwd", "%0")) is None


# ---- screen ----


@pytest.fixture
def screen(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start a training in screen, with a folder of sockets of its own."""
    folder = Path(tmp_path_factory.mktemp("s"))
    (folder / "sockets").mkdir(mode=0o700)
    monkeypatch.setenv("SCREENDIR", str(folder / "sockets"))
    monkeypatch.delenv("STY", raising=False)
    log, name = folder / "pid", f"neat-test-{os.getpid()}"
    (folder / "train.py").write_text(f"open({str(log)!r}, 'w').write(str(__import__('os').getpid()))\n{TRAINS}")

    def tell(*words: str) -> None:
        subprocess.run(["screen", "-S", name, *words], check=True, capture_output=True, timeout=20)

    def begin() -> tuple[Terminal, Pane]:
        command = ["screen", "-c", os.devnull, "-h", "500", "-dmS", name, sys.executable, str(folder / "train.py")]
        subprocess.run(command, check=True, timeout=20)
        terminal = Terminal(lambda line: tell("-p", "0", "-X", "stuff", line + "\n"), log)
        return terminal, until(lambda: pane_of(terminal.pid), "the window")

    yield begin
    subprocess.run(["screen", "-S", name, "-X", "quit"], capture_output=True, timeout=20)


@needs_screen
def test_a_training_in_screen_is_found_and_read(screen: Start) -> None:
    """With what went out at the top; the text goes through a file of ours, which is gone after it."""
    terminal, pane = screen()
    assert pane.kind == "screen" and pane.id == "0" and pane.socket.endswith(f".neat-test-{os.getpid()}")
    assert described(ProcessFact(pid=terminal.pid, started=0.0)).started_by == "screen"
    terminal.train(0, 60)
    until(lambda: "step 59 loss 0.5" in (read_pane(pane) or []), "the last line")
    lines = [line for line in read_pane(pane) or [] if line.startswith("step")]
    assert lines == [f"step {n} loss 0.5" for n in range(60)]


@needs_screen
def test_a_session_that_is_gone_says_nothing(screen: Start) -> None:
    """Its name stays in the facts that were kept."""
    terminal, pane = screen()
    pid = terminal.pid
    subprocess.run(["screen", "-S", pane.socket, "-X", "quit"], capture_output=True, timeout=20)
    until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, "its end")
    assert read_pane(pane) is None and pane_of(pid) is None
