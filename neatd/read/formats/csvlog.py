"""CSV and TSV of metrics: Lightning, Keras, Ultralytics, Stable-Baselines3, timm, and any other with a header. Pure.

One row of numbers is one row of metrics. Empty cells are absent, NaN and infinities are kept, text is no metric. A second
header in mid-file changes the columns. A step that is counted is the row's ordinal in this file, bad rows included.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from neatd.read.formats.csvcells import ABSENT, all_numbers, is_header, number_of, some_numbers, step_of
from neatd.read.formats.csvcolumns import Columns, columns_of, delimiter_of
from neatd.read.formats.csvrecords import Record, records
from neatd.read.metrics import LARGEST_STEP
from neatd.read.rows import BadLine, Fed, Parsed, Told

LONGEST_HEADER = 4 << 20  # the state carries it: 100,000 names of 40 letters
TOO_MANY = "more cells than columns"
NO_STEP = "its step is not a whole number"


def feed(data: bytes, state: dict[str, Any], seq: int, label: str) -> Fed:
    """The rows of the whole records in `data`."""
    table = _Table(state, seq, label)
    pos = _past_overlong(data, table) if not table.is_stuck else 0
    while pos < len(data) and not table.is_stuck:
        delimiter, take_plain = table.delimiter, table.take_plain
        for record in records(data, pos, delimiter):
            pos = record[2]
            if not take_plain(record):
                table.take(record)
                if table.is_stuck or table.delimiter != delimiter:
                    break
        else:
            break
    return Fed(table.rows, pos, table.seq, table.state(), table.bad, table.told, table.is_stuck)


def _past_overlong(data: bytes, table: _Table) -> int:
    """Where the records begin: behind the rest of a line that was too long."""
    if not table.is_skipping:
        return 0
    eol = data.find(b"\n")
    table.is_skipping = eol < 0
    return eol + 1 if eol >= 0 else len(data)


class _Table:
    """One feed's work: the state as it was given, brought forward row by row."""

    def __init__(self, state: dict[str, Any], seq: int, label: str) -> None:
        self.seq, self.label = seq, label
        self.header: str | None = state.get("header")  # names, divided by newlines
        self.delimiter = str(state.get("delimiter", ",")).encode()
        self.count: int = state.get("count", 0)  # ordinal of the last row in this file
        self.is_skipping: bool = state.get("is_skipping", False)
        self.epoch: str = state.get("epoch", "")  # "step" or "value", by its first cell
        self.is_monitor: bool = state.get("is_monitor", False)
        self.t_start: float | None = state.get("t_start")
        self.rows: list[Parsed] = []
        self.bad: list[BadLine] = []
        self.told: Told = {}
        self.is_stuck: bool = state.get("is_stuck", False)
        self.columns = self._columns()

    def state(self) -> dict[str, Any]:
        """All that the next feed needs."""
        kept = ("header", "count", "is_skipping", "epoch", "is_monitor", "t_start", "is_stuck")
        found = {name: getattr(self, name) for name in kept if getattr(self, name)}
        return found | {"delimiter": self.delimiter.decode()}

    def _columns(self) -> Columns | None:
        if self.header is None:
            return None
        return columns_of(self.header, self.label, self.epoch == "value", self.is_monitor)

    def take_plain(self, record: Record) -> bool:
        """The same row as `take` would make of a record without text, empty cells or times, in half the time."""
        columns, line = self.columns, record[0]
        if columns is None or record[1] is not None or columns.time >= 0 or columns.step < 0 or b"_" in line:
            return False
        cells = line.split(self.delimiter)
        if len(cells) != len(columns.names) or b"" in cells or (columns.is_epoch and not self.epoch):
            return False
        try:
            values = dict(zip(columns.names, map(float, cells), strict=True))
            step = int(cells[columns.step])
        except ValueError:
            return False
        if not -LARGEST_STEP <= step <= LARGEST_STEP:
            return False
        del values[""]
        self.seq, self.count = self.seq + 1, self.count + 1
        self.rows.append(Parsed(self.seq, step, None, values))
        return True

    def take(self, record: Record) -> None:
        """One record: a header, a remark, a row, or nothing that can be read."""
        line = record.line[:-1] if record.line.endswith(b"\r") else record.line
        if record.why:
            self.is_skipping = record.is_open
            self._bad(record.why)
        elif not line or line.isspace():
            return
        elif line[:2] == b"#{" or (self.columns is None and line[:5] == b"\xef\xbb\xbf#{"):
            self._remark(line)
        elif self.columns is None:
            self._first(line.removeprefix(b"\xef\xbb\xbf"))
        else:
            self._row(line, line.split(self.delimiter) if record.cells is None else record.cells)

    def _bad(self, why: str) -> None:
        self.seq, self.count = self.seq + 1, self.count + 1
        self.bad.append(BadLine(self.seq, why))

    def _remark(self, line: bytes) -> None:
        """The first line of Stable-Baselines3's monitor.csv; any other remark is passed over."""
        try:
            said = json.loads(line.partition(b"#")[2])
        except (ValueError, RecursionError):
            return
        t_start = said.get("t_start")
        if isinstance(t_start, int | float) and 1e9 < t_start < 1e11:
            self.t_start = self.told["started_at"] = float(t_start)
        if isinstance(said.get("env_id"), str):
            self.told["config"] = {"env_id": said["env_id"]}

    def _first(self, line: bytes) -> None:
        """The header, from the file's first line that is no remark."""
        delimiter = delimiter_of(line)
        if line.startswith(b"#"):
            line = line.lstrip(b"# ")
            if delimiter not in line:
                return
        again = next(records(line + b"\n", 0, delimiter), None)
        cells = again.cells if again and again.cells else line.split(delimiter)
        named = [cell for cell in cells if cell.strip()]
        if line[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in line:
            self._stop("not UTF-8 text")
        elif len(line) > LONGEST_HEADER:
            self._stop(f"its header is longer than {LONGEST_HEADER >> 20} MiB")
        elif all(number_of(cell) is not None for cell in named):
            self._stop("no header: its first line holds numbers")
        else:
            self.delimiter = delimiter
            self._begin(cells)

    def _stop(self, why: str) -> None:
        self._bad(why)
        self.is_stuck = True

    def _begin(self, cells: Sequence[bytes]) -> None:
        names = [cell.decode("utf-8", "replace").replace("\n", " ").strip("\r\0 \t\ufeff") for cell in cells]
        self.header, self.epoch = "\n".join(names), ""
        self.is_monitor = self.t_start is not None and {"r", "l", "t"} <= set(names)
        self.columns = self._columns()

    def _row(self, line: bytes, cells: list[bytes]) -> None:
        columns = self.columns
        assert columns is not None
        values = None if b"_" in line or b"" in cells else all_numbers(columns, cells)
        if values is None:
            if len(line) <= LONGEST_HEADER and is_header(columns, cells):
                self._begin(cells)
                return
            if len(cells) > len(columns.names) and any(cell.strip() for cell in cells[len(columns.names) :]):
                self._bad(TOO_MANY)
                return
            values = some_numbers(columns, cells)
        values.pop("", None)
        cell = cells[columns.step].strip() if 0 <= columns.step < len(cells) else b""
        if columns.is_epoch and not self.epoch and number_of(cell) is not None:
            self.epoch = "step" if cell.isdigit() else "value"
            self.columns = self._columns()
            if self.epoch == "value":
                self._row(line, cells)
                return
        self._add(columns, cell, values)

    def _add(self, columns: Columns, cell: bytes, values: dict[str, float]) -> None:
        """A row whose step stands in `cell`."""
        step = step_of(cell)
        if step is None and cell.lower() not in ABSENT:
            if not columns.is_epoch or number_of(cell) is None:
                self._bad(NO_STEP)
                return
            values[f"{self.label}epoch"] = float(cell)  # part of an epoch, after whole ones: no step
        time = self._time(columns, values) if columns.time >= 0 else None
        self.seq, self.count = self.seq + 1, self.count + 1
        is_counted = step is None and not self.is_monitor  # an episode of a monitor file has no other number
        self.rows.append(Parsed(self.seq, self.count if step is None else step, time, values, is_counted))

    def _time(self, columns: Columns, values: dict[str, float]) -> float | None:
        """Unix seconds, out of the values; a number that is no such time stays one of them."""
        name = columns.names[columns.time]
        told = values.get(name, 0.0)
        if self.is_monitor and self.t_start is not None:
            return self.t_start + values.pop(name) if name in values else None
        if 1e9 < told < 1e11:
            return values.pop(name)
        return values.pop(name) / 1000 if 1e12 < told < 1e14 else None  # milliseconds
