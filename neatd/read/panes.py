"""The terminal inside tmux or screen that a run writes to, and the text that stands in it. Reads only.

Only the user's own sockets are talked to, by argument lists and for two seconds at most. Asking tmux costs 6 ms a call,
screen 27 ms, in which it waits for a file. What is new between two looks is `neatd/read/panelines.py`.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Literal, NamedTuple

from neatd.files import read_small
from neatd.read.panelines import pane_lines
from neatd.read.processfacts import environment_of
from neatd.read.proctable import PROC, ProcessRow, ancestors_of, read_row

PATIENCE_S = 2.0
LINES = 200
_BYTES = 1 << 20
_FORMAT = "#{pane_id}\t#{pane_pid}\t#{pane_tty}"
_STY = re.compile(r"\d+\.[^/\0\n]{1,100}")


class Pane(NamedTuple):
    """One terminal of a multiplexer. `socket` is tmux's socket, or the name of screen's session."""

    kind: Literal["tmux", "screen"]
    socket: str
    id: str  # %3 of tmux, the window's number of screen
    terminal: str = ""  # /dev/pts/4
    shows_output: bool = True  # stdout or stderr of the process goes there; else its output is elsewhere


def pane_of(pid: int, proc: Path = PROC) -> Pane | None:
    """The pane a process runs in; None when it runs in none, or the pane is gone."""
    row = read_row(pid, proc)
    if row is None or os.name != "posix":
        return None
    above = ancestors_of(pid, proc)
    environment = environment_of(pid, proc)
    names = [one.name for one in above]
    is_tmux = "TMUX" in environment or any(name.startswith("tmux") for name in names)
    found = _tmux_pane(row, above, environment.get("TMUX", ""), proc) if is_tmux else None
    if found is None and ("STY" in environment or any(name.lower() == "screen" for name in names)):
        found = _screen_pane(row, above, environment, proc)
    return found


def read_pane(pane: Pane, lines: int = LINES) -> list[str] | None:
    """The last lines that stand in a pane, without the one the cursor is in, which is not whole yet; None when the pane
    is gone or does not answer."""
    text = _tmux_text(pane, lines) if pane.kind == "tmux" else _screen_text(pane)
    return None if text is None else pane_lines(text)[-lines:]


# ---- tmux ----


def _tmux_pane(row: ProcessRow, above: list[ProcessRow], told: str, proc: Path) -> Pane | None:
    """By the pane's own process, the nearest among the ancestors, or else by the terminal."""
    line = [row.pid, *(one.pid for one in above)]
    for socket in _sockets(told.rpartition(",")[0].rpartition(",")[0]):
        listed = _tmux(socket, "list-panes", "-a", "-F", _FORMAT) or ""
        panes = [fields for fields in (entry.split("\t") for entry in listed.splitlines()) if len(fields) == 3]
        near = [fields for fields in panes if fields[1].isdecimal() and int(fields[1]) in line]
        same = [fields for fields in panes if row.terminal and _device(fields[2]) == row.terminal]
        for name, _, terminal in sorted(near, key=lambda fields: line.index(int(fields[1]))) or same:
            return Pane("tmux", socket, name, terminal, _writes_to(row.pid, terminal, proc))
    return None


def _sockets(told: str) -> list[str]:
    """The socket that the process was told, then the user's others; those of another user are not touched."""
    folder = Path(os.environ.get("TMUX_TMPDIR") or "/tmp") / f"tmux-{os.getuid()}"
    try:
        others = sorted(map(str, folder.iterdir()))
    except OSError:
        others = []
    return [one for one in dict.fromkeys([told, *others]) if one and _is_own_socket(one)]


def _is_own_socket(path: str) -> bool:
    try:
        about = os.stat(path)  # noqa: PTH116 - as it stands in a variable
    except (OSError, ValueError):
        return False
    return stat.S_ISSOCK(about.st_mode) and about.st_uid == os.getuid()


def _tmux_text(pane: Pane, lines: int) -> str | None:
    """The text with the place of the cursor: below it stands nothing, and its own line may still grow."""
    if not _is_own_socket(pane.socket):
        return None
    asked = ("display-message", "-p", "-t", pane.id, "#{cursor_y} #{pane_height}", ";")
    answer = _tmux(pane.socket, *asked, "capture-pane", "-p", "-J", "-t", pane.id, "-S", f"-{lines}")
    head, _, text = (answer or "").partition("\n")
    numbers = head.split()
    if len(numbers) != 2 or not all(one.isdecimal() for one in numbers):
        return None
    # -J joins wrapped lines, so rows cannot be counted from above; rows below the cursor are short, and are from below.
    below = int(numbers[1]) - int(numbers[0])
    rows = text.split("\n")[:-1]
    return "\n".join(rows[: max(0, len(rows) - below)]) + "\n"


def _tmux(socket: str, *words: str) -> str | None:
    return _output(["tmux", "-u", "-S", socket, *words])


# ---- screen ----


def _screen_pane(row: ProcessRow, above: list[ProcessRow], environment: dict[str, str], proc: Path) -> Pane | None:
    """The session that the process was told of, while its server is above or its terminal is there."""
    session, window = environment.get("STY", ""), environment.get("WINDOW", "")
    if not _STY.fullmatch(session) or not window.isdecimal():
        return None
    server = read_row(int(session.partition(".")[0]), proc)
    if server is None or server.name.lower() != "screen":
        return None
    if server.pid not in [one.pid for one in above] and not row.terminal:
        return None
    terminal = _terminal_of(row.pid, row.terminal, proc)
    return Pane("screen", session, window, terminal, bool(terminal) and _writes_to(row.pid, terminal, proc))


def _screen_text(pane: Pane) -> str | None:
    """screen writes a file when it gets to it: in a folder of ours that nobody else sees."""
    with tempfile.TemporaryDirectory(prefix="neat-") as folder:
        path = Path(folder) / "pane"
        words = ["screen", "-S", pane.socket, "-p", pane.id, "-X", "hardcopy", "-h", str(path)]
        if _output(words) is None:
            return None
        deadline = time.monotonic() + PATIENCE_S
        before = -1
        while time.monotonic() < deadline:
            size = path.stat().st_size if path.exists() else -1
            if size > 0 and size == before:
                break
            before = size
            time.sleep(0.01)
        try:
            return read_small(path, _BYTES).decode("utf-8", "replace")
        except OSError:
            return None


# ---- both ----


def _output(words: list[str]) -> str | None:
    """What a program prints; None when it is missing, fails, or takes too long."""
    program = shutil.which(words[0])
    if program is None:
        return None
    env = {key: value for key, value in os.environ.items() if key not in ("TMUX", "TMUX_PANE", "STY", "WINDOW")}
    try:
        done = subprocess.run(
            [program, *words[1:]], stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S, env=env, cwd="/"
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout[-_BYTES:].decode("utf-8", "replace") if done.returncode == 0 else None


def _device(terminal: str) -> int:
    """The number of a terminal's device, as /proc/PID/stat packs it; 0 when it is not there."""
    try:
        number = os.stat(terminal).st_rdev  # noqa: PTH116 - a plain string
    except OSError:
        return 0
    major, minor = os.major(number), os.minor(number)
    return (minor & 0xFF) | (major << 8) | ((minor & ~0xFF) << 12)


def _terminal_of(pid: int, device: int, proc: Path) -> str:
    links = (_link(pid, number, proc) for number in (0, 1, 2))
    return next((one for one in links if one.startswith("/dev/") and device and _device(one) == device), "")


def _writes_to(pid: int, terminal: str, proc: Path) -> bool:
    """Whether stdout or stderr leads to the terminal; yes where the system does not tell."""
    links = [_link(pid, number, proc) for number in (1, 2)]
    return terminal in links or not any(links)


def _link(pid: int, number: int, proc: Path) -> str:
    try:
        return os.readlink(proc / str(pid) / "fd" / str(number))  # noqa: PTH115 - a name, not a place
    except OSError:
        return ""
