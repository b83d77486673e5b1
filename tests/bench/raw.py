"""The raw limit: the same bytes parsed and inserted by the shortest program, which checks and remembers nothing."""

from __future__ import annotations

import json
import sqlite3
import statistics
import struct
import time
from array import array
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
from google_crc32c import value as crc32c

BATCH = 10_000  # lines of a transaction
_TABLE = (
    "CREATE TABLE point (series INTEGER NOT NULL, seq INTEGER NOT NULL, step INTEGER NOT NULL, value REAL, time REAL,"
    " PRIMARY KEY (series, seq)) WITHOUT ROWID"
)
_INSERT = "INSERT INTO point VALUES (?, ?, ?, ?, ?)"
_HEADER, _FLOAT, _CRC = struct.Struct("<QI"), struct.Struct("<f"), struct.Struct("<I")
_SMALL = 4096  # bytes; a larger record of an event file is an image here


def _open(path: Path) -> sqlite3.Connection:
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(_TABLE)
    return connection


def parse_and_insert(lines: Path, loads: Callable[[bytes], Any], database: Path) -> float:
    """Seconds for JSON lines into a narrow table by executemany."""
    begun = time.perf_counter()
    with closing(_open(database)) as connection:
        parsed = [loads(line) for line in lines.read_bytes().splitlines()]
        for start in range(0, len(parsed), BATCH):
            rows = []
            for seq, one in enumerate(parsed[start : start + BATCH], start=start):
                step = one.pop("step")
                rows += [(series, seq, step, value, None) for series, value in enumerate(one.values())]
            connection.execute("BEGIN")
            connection.executemany(_INSERT, rows)
            connection.execute("COMMIT")
    return time.perf_counter() - begun


def parse_and_pack(lines: Path, loads: Callable[[bytes], Any], out: Path) -> float:
    """Seconds for JSON lines into one file of packed doubles."""
    begun = time.perf_counter()
    parsed = [loads(line) for line in lines.read_bytes().splitlines()]
    columns = zip(*(one.values() for one in parsed), strict=True)
    out.write_bytes(b"".join(array("d", column).tobytes() for column in columns))
    return time.perf_counter() - begun


def jsonl_limits(lines: Path, folder: Path) -> dict[str, float]:
    """What was done -> seconds, on the same bytes."""
    return {
        "json + executemany": parse_and_insert(lines, json.loads, folder / "json.db"),
        "orjson + executemany": parse_and_insert(lines, orjson.loads, folder / "orjson.db"),
        "json + pack": parse_and_pack(lines, json.loads, folder / "json.bin"),
        "orjson + pack": parse_and_pack(lines, orjson.loads, folder / "orjson.bin"),
    }


def events_limit(events: Path, database: Path) -> float:
    """Seconds for the scalars of an event file, whose summaries hold one simple_value, into a narrow table."""
    begun = time.perf_counter()
    data, rows, pos = events.read_bytes(), [], 0
    while pos < len(data):
        length, _ = _HEADER.unpack_from(data, pos)
        stop = pos + _HEADER.size + length
        if length < _SMALL:
            payload = data[pos + _HEADER.size : stop]
            crc = crc32c(payload)
            assert ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFF_FFFF == _CRC.unpack_from(data, stop)[0]
            rows.append((1, len(rows), 0, _FLOAT.unpack_from(payload, length - 4)[0], None))
        pos = stop + _CRC.size
    with closing(_open(database)) as connection:
        connection.execute("BEGIN")
        connection.executemany(_INSERT, rows)
        connection.execute("COMMIT")
    return time.perf_counter() - begun


def one_line_ms(database: Path) -> float:
    """The median milliseconds of one line parsed, inserted and committed."""
    line, taken = b'{"step": 1, "time": 1700000000.123, "loss": 0.123456789}\n', []
    with closing(_open(database)) as connection:
        for seq in range(1000):
            begun = time.perf_counter()
            found = json.loads(line)
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_INSERT, (1, seq, found["step"], found["loss"], found["time"]))
            connection.execute("COMMIT")
            taken.append(1e3 * (time.perf_counter() - begun))
    return statistics.median(taken)
