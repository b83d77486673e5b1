"""Text logs of trainers: bytes become lines and pieces of bars, and these rows. Pure.

`feeder(patterns)` makes the parser. `\\n` ends a line. `\\r` (or backspaces) before anything else ends a piece, a bar's
state on the way: it is used up at once, so an endless bar takes no memory, and its row counts only where it brings a
new step. A line longer than 64 kB is unreadable and is passed over as it comes. Ordinals count rows, not lines.
"""

from __future__ import annotations

import copy
import re
from typing import Any

from neatd.read.formats.logends import HEADER, clear, follow, note_last_line
from neatd.read.formats.loggeneric import time_of
from neatd.read.formats.logheld import hold, is_held_back, let_go
from neatd.read.formats.logspent import Clock, Spent
from neatd.read.formats.logsteps import Found, Memory
from neatd.read.formats.logtold import told_of
from neatd.read.formats.patterns import Pattern, of_built_in
from neatd.read.rows import BadLine, Fed, Feed, Parsed, Told

HEAD_BYTES = 16 * 1024  # of a file, that say whether it is a training log
LONGEST_LINE = 64 * 1024  # bytes
MOST_BARS = 16  # whose last step is remembered
_TEXT = re.compile(rb"[^\r\n\x08]*")
_END = re.compile(rb"[\r\x08]*\n|[\r\x08]+(?=[^\r\n\x08])")
_BAR_END = re.compile(rb"(?:it/s|s/it)[^\]]{0,500}\]")  # a bar is whole there, whatever comes behind it
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_MAYBE = (
    b"loss", b"epoch", b"step", b"iter", b"acc", b"{", b"%|", b"batch", b"update", b"dice", b"param", b"device", b"gpu av",
    b"num ex", b"cuda", b" cpu", b" mps", b"   all ", b"learning rate", b"*** running", "━".encode(), HEADER,
)  # fmt: skip
_MAYBE_ANY = re.compile(b"|".join(map(re.escape, _MAYBE)))
_OF_NEXT = ("held", "in_traceback")  # what is remembered of a line that any next one with text bears on
_WAITING = ("held", "is_wiped", "in_traceback")  # what is remembered of a line that the very next one bears on


def feeder(patterns: tuple[Pattern, ...] = (), clock: Clock | None = None) -> Feed:
    """The parser of logs; the user's patterns are asked before neat's own, and with a clock none that is too slow."""
    spent = Spent(patterns, clock)

    def feed_log(data: bytes, state: dict[str, Any], seq: int, label: str) -> Fed:
        return _Reading(spent, state, seq, label).read(data)

    return feed_log


feed = feeder()


def looks_like_training(head: bytes) -> bool:
    """Whether the first 16 kB of a log show training: two rows, or one of lines that nothing else writes."""
    reading = _Reading(Spent((), None), {}, 0, "")
    reading.read(head[:HEAD_BYTES] + b"\n")
    reading.let_go(None)
    return len(reading.rows) >= 2 or reading.is_strong


class _Reading:
    """One feed: the memory as it is brought forward, and the rows so far."""

    def __init__(self, spent: Spent, state: dict[str, Any], seq: int, label: str) -> None:
        self.spent, self.seq, self.label = spent, seq, label
        self.memory: Memory = copy.deepcopy(state)
        self.patterns = spent.wanted(self.memory)
        self.rows: list[Parsed] = []
        self.bad: list[BadLine] = []
        self.told: Told = {}
        self.is_strong = False

    def read(self, data: bytes) -> Fed:
        at = begin = self._pass_over(data) if self.memory.get("is_long") else 0
        if not self.memory.get("is_long"):
            at = self._pieces(data, at)
            note_last_line(data[begin:at], self.memory)
            if len(data) - at > LONGEST_LINE:
                self.memory["is_long"] = True
                self._too_long()
                at = self._pass_over(data, at)
        if self.memory.get("is_long"):
            self.memory.pop("done", None)
        return Fed(self.rows, at, self.seq, self.memory, self.bad, self.told)

    def _pieces(self, data: bytes, at: int) -> int:
        """Read what is ended; the place behind it."""
        end = data.rfind(b"\n") + 1
        if end > at and not any(data.find(one, at, end) >= 0 for one in (b"\r", b"\x08", b"it/s", b"s/it")):
            self._plain_lines(data, at, end)  # nearly always: several times as fast
            at = end
        while piece := _next_piece(data, at):
            begin, (at, text_end) = at, piece
            is_line = data[at - 1] == ord("\n")
            if at - begin - is_line <= LONGEST_LINE:
                self._line(data[begin:text_end], not is_line)
            else:
                self._too_long()
        return at

    def _too_long(self) -> None:
        self.bad.append(BadLine(self.seq + 1, f"longer than {LONGEST_LINE >> 10} kB"))

    def _plain_lines(self, data: bytes, at: int, end: int) -> None:
        """Lines without bars: only those are looked at that hold one of the words, found in the whole at once."""
        begins = iter(_lines_with_words(data, at, end))
        for _ in range(_long_lines(data, at, end)):
            self._too_long()
        while at < end:
            if not self.patterns and not any(one in self.memory for one in _WAITING):
                at = next((one for one in begins if one >= at), end)
                if at == end:
                    return
            stop = data.find(b"\n", at, end)
            self._line(data[at:stop], False)
            at = stop + 1

    def _pass_over(self, data: bytes, at: int = 0) -> int:
        """Pass over the rest of a line that is too long; one `\\r` at the end is left, as what it ends is not known."""
        end = re.compile(rb"[\r\n\x08]").search(data, at)
        if end is None:
            return len(data)
        match = _END.match(data, end.start())
        if match is None:
            return len(data) - 1
        del self.memory["is_long"]
        return match.end()

    def _line(self, raw: bytes, is_piece: bool) -> None:
        is_blank = not raw.strip()
        if is_blank or len(raw) > LONGEST_LINE:
            self._blank(len(raw), is_piece)
            return
        if self.patterns or any(one in self.memory for one in _OF_NEXT) or _MAYBE_ANY.search(raw.lower()):
            self._text(_plain(raw), is_piece)
        self.memory.pop("is_wiped", None)

    def _blank(self, length: int, is_piece: bool) -> None:
        """Blanks over a bar wipe it; the end of a bar's line ends its last state."""
        if is_piece and length:
            self.memory["is_wiped"] = True
        elif not is_piece and self.memory.get("held", {}).get("bar"):
            self.let_go(None)

    def _text(self, line: str, is_piece: bool) -> None:
        if not line.strip():
            return
        if follow(line, self.memory):
            self.let_go(None)
            return
        found = self._of_patterns(line) if self.patterns else None
        found = found or of_built_in(line, self.memory, is_piece)
        self.let_go(found)
        if found is None or not found.values:
            self.told |= (found.told if found else {}) or told_of(line, self.memory)
            return
        self.told |= found.told
        if is_held_back(found, self.memory):
            hold(found, time_of(line), self.memory)
        else:
            self._give(found, is_piece, time_of(line))

    def _of_patterns(self, line: str) -> Found | None:
        """What the first of the user's patterns finds; one that proves too slow is not asked again."""
        found, slow = self.spent.find(self.patterns, line)
        for one in slow:
            self.bad.append(BadLine(self.seq + 1, f"pattern {one.name!r} is too slow for this log: switched off"))
            self.memory["patterns_off"] = [*self.memory.get("patterns_off", []), one.regex]
        self.patterns = tuple(one for one in self.patterns if one not in slow)
        return found

    def let_go(self, next_found: Found | None) -> None:
        """Give the row that waited for this."""
        waited = let_go(self.memory, next_found)
        if waited:
            self._give(waited, False, None)

    def _give(self, found: Found, is_piece: bool, time: float | None) -> None:
        values = self._news(found, is_piece)
        if values:
            self._row(found, values, found.time if found.time is not None else time)

    def _news(self, found: Found, is_piece: bool) -> dict[str, float]:
        """The values that this state of a bar brings: none at the step it showed before, but for new names."""
        given = self.memory.get("given", {})
        is_state = bool(found.bar) or is_piece
        if found.step is None or not (is_state or "" in given):
            return found.values
        step, names = given.pop(found.bar, (None, []))
        known = names if step == found.step else []
        if is_state:  # else it is the line that ends such states
            given[found.bar] = [found.step, sorted({*known, *found.values})]
            self.memory["given"] = dict(list(given.items())[-MOST_BARS:])
        return {name: one for name, one in found.values.items() if name not in known}

    def _row(self, found: Found, values: dict[str, float], time: float | None) -> None:
        self.seq += 1
        clear(self.memory)
        self.is_strong = self.is_strong or found.is_strong
        step = self.seq if found.step is None else found.step
        labelled = {self.label + name: one for name, one in values.items()} if self.label else values
        self.rows.append(Parsed(self.seq, step, time, labelled, found.step is None))
        if found.step is not None and not found.is_epoch:
            self.memory["step"] = step


def _next_piece(data: bytes, at: int) -> tuple[int, int] | None:
    """(where the piece that begins at `at` ends, where its text does); None while that is open."""
    text_end = _TEXT.match(data, at).end()  # type: ignore[union-attr]
    bar = _BAR_END.search(data, at, min(text_end, at + LONGEST_LINE))
    if bar:
        return bar.end(), bar.end()
    end = _END.match(data, text_end)
    return (end.end(), text_end) if end else None


def _long_lines(data: bytes, at: int, end: int) -> int:
    """How many of the lines are too long: only where no newline is near is looked at."""
    count = 0
    while end - at > LONGEST_LINE:
        stop = data.rfind(b"\n", at, at + LONGEST_LINE + 1)
        if stop < 0:
            count += 1
            stop = data.find(b"\n", at, end)
        at = stop + 1
    return count


def _lines_with_words(data: bytes, at: int, end: int) -> list[int]:
    """Where the lines begin that hold a word that a row, or what is told, cannot do without."""
    low = data.lower()
    begins: set[int] = set()
    for word in _MAYBE:
        found = low.find(word, at, end)
        while found >= 0:
            begins.add(max(low.rfind(b"\n", at, found) + 1, at))
            found = low.find(word, low.find(b"\n", found, end), end)
    return sorted(begins)


def _plain(raw: bytes) -> str:
    """The text of a line without the codes of colours and cursors."""
    line = raw.decode("utf-8", "replace")
    if "\x1b" in line:
        line = _ANSI.sub("", line)
    return _CONTROL.sub("", line).rstrip()
