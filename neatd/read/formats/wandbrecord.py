"""One record of a wandb run file: a row of its history or of its system metrics, or facts about the run. Pure.

Field numbers are those of wandb's own wandb_internal.proto. Text, lists and media in the history are no numbers.
"""

from __future__ import annotations

import json
import shlex
from typing import Any

from neatd.read.formats.protobuf import (
    BYTES,
    FIXED64,
    VARINT,
    Cut,
    Malformed,
    double,
    fields,
    integer,
    text,
    timestamp,
    varint,
    zigzag,
)
from neatd.read.metrics import as_number, as_step
from neatd.read.rows import Parsed, Told

_HISTORY, _CONFIG, _STATS, _RUN, _EXIT, _ENVIRONMENT = 2, 5, 7, 17, 18, 26  # fields of Record
_KEY, _NESTED_KEY, _VALUE = 1, 2, 16  # fields of HistoryItem, ConfigItem and StatsItem
_VALUE_TAG = b"\x82\x01"  # of field 16
_EXACT = 2.0**53  # whole numbers below are what a float says they are


class Reader:
    """Reads records; keeps the config as it stands and, for this feed, the names of keys."""

    def __init__(self, label: str, config: dict[str, Any]) -> None:
        self.label = label
        self.config = config
        self.told: Told = {}
        self._names: dict[bytes, str] = {}  # the key fields of an item -> its series

    def read(self, payload: bytes, seq: int) -> Parsed | None:
        """The record's row, if it is one. Raises Malformed or Cut when it is no record."""
        for number, wire, start, stop in fields(payload, 0, len(payload)):
            if wire != BYTES:
                continue
            if number == _HISTORY:
                return self._history(payload, start, stop, seq)
            if number == _STATS:
                return self._stats(payload, start, stop, seq)
            if number == _CONFIG:
                self._configure(payload, start, stop)
            elif number == _RUN:
                self._run(payload, start, stop)
            elif number == _EXIT:
                self._exit(payload, start, stop)
            elif number == _ENVIRONMENT:
                self._environment(payload, start, stop)
        return None

    def _history(self, data: bytes, start: int, stop: int, seq: int) -> Parsed:
        values: dict[str, float] = {}
        media: list[str] = []
        label, names = self.label, self._names
        step: int | None = None
        for number, wire, s, e in fields(data, start, stop):
            if number == 1 and wire == BYTES:
                cut = data.find(_VALUE_TAG, s, e)
                name = names.get(data[s:cut])
                # A key seen before, a short value.
                if name is not None and 0 < cut < e - 2 and data[cut + 2] == e - cut - 3 < 0x80:
                    try:
                        values[name] = float(data[cut + 3 : e])
                        continue
                    except ValueError:
                        pass  # not a number
                name, value = self._item(data[s:e])
                self._spread(label + name, value, values, media)
            elif number == 2 and wire == BYTES:
                step = next((integer(data, at) for n, w, at, _ in fields(data, s, e) if n == 1), 0)
        own = values.pop(label + "_step", None)
        if own is not None:
            step = as_step(own if abs(own) < _EXACT else self._exact_step(data, start, stop))
        time = values.pop(label + "_timestamp", 0.0)
        values.pop(label + "_runtime", None)
        for name in media:
            values = {key: value for key, value in values.items() if not key.startswith(name)}
        return Parsed(seq, seq if step is None else step, time if 0 < time < 1e18 else None, values, step is None)

    def _exact_step(self, data: bytes, start: int, stop: int) -> Any:
        """A step that a float does not hold."""
        items = [_parts(data[s:e]) for number, wire, s, e in fields(data, start, stop) if number == 1 and wire == BYTES]
        raw = next((value for keys, value in items if keys == ["_step"]), None)
        return _decoded(raw) if isinstance(raw, bytes) else raw

    def _item(self, item: bytes) -> tuple[str, Any]:
        """(name, value) of an item. Its name is kept under the bytes that hold it, for the next rows."""
        keys, value = _parts(item)
        name = "/".join(keys)
        cut = item.find(_VALUE_TAG)
        if 0 < cut < len(item) - 2 and _is_keys(item[:cut]):
            self._names[item[:cut]] = self.label + name
        return name, _decoded(value) if isinstance(value, bytes) else value

    def _spread(self, name: str, value: Any, values: dict[str, float], media: list[str]) -> None:
        """Numbers in nested values; what wandb marks with a _type is media: its sizes are no metrics."""
        if name.endswith("/_type"):
            media.append(name.removesuffix("_type"))
        elif isinstance(value, dict):
            for key, inner in value.items():
                self._spread(f"{name}/{key}", inner, values, media)
        elif (number := as_number(value)) is not None:
            values[name] = number

    def _stats(self, data: bytes, start: int, stop: int, seq: int) -> Parsed:
        time = None
        values: dict[str, float] = {}
        for number, wire, s, e in fields(data, start, stop):
            if number == 2 and wire == BYTES:
                time = timestamp(data, s, e)
            elif number == 3 and wire == BYTES:
                name, value = self._item(data[s:e])
                found = as_number(value)
                if found is not None:
                    values[f"{self.label}system/{name}"] = found
        return Parsed(seq, seq, time, values, True)

    def _configure(self, data: bytes, start: int, stop: int) -> None:
        """Bring the config forward by a ConfigRecord."""
        for number, wire, s, e in fields(data, start, stop):
            if wire != BYTES or number not in (1, 2):
                continue
            keys, value = _parts(data[s:e])
            if not keys or keys[0] == "_wandb":
                continue
            config = self.config
            for key in keys[:-1]:
                inner = config.get(key)
                config[key] = inner = dict(inner) if isinstance(inner, dict) else {}
                config = inner
            if number == 1:
                config[keys[-1]] = _decoded(value) if isinstance(value, bytes) else value
            else:
                config.pop(keys[-1], None)
            self.told["config"] = self.config

    def _run(self, data: bytes, start: int, stop: int) -> None:
        for number, wire, s, e in fields(data, start, stop):
            if wire != BYTES or s == e:
                continue
            if number == 4:
                self._configure(data, s, e)
            elif number == 8:
                self.told["name"] = text(data, s, e)
            elif number == 13:
                self.told["host"] = text(data, s, e)
            elif number == 17:
                self.told["started_at"] = timestamp(data, s, e)
            elif number == 21:
                self._git(data, s, e)

    def _environment(self, data: bytes, start: int, stop: int) -> None:
        """What wandb found out about the machine and the program."""
        words: list[str] = []
        for number, wire, s, e in fields(data, start, stop):
            if wire != BYTES or s == e:
                continue
            if number == 5:
                words.append(text(data, s, e))
            elif number == 6:
                words.insert(0, text(data, s, e))
            elif number == 9:
                self._git(data, s, e)
            elif number == 12:
                self.told["host"] = text(data, s, e)
            elif number == 18:
                self.told["device"] = text(data, s, e)
        if words:
            self.told["command"] = shlex.join(words)

    def _git(self, data: bytes, start: int, stop: int) -> None:
        for number, wire, s, e in fields(data, start, stop):
            if number == 2 and wire == BYTES and s < e:
                self.told["commit"] = text(data, s, e)

    def _exit(self, data: bytes, start: int, stop: int) -> None:
        code = 0
        for number, wire, s, _ in fields(data, start, stop):
            if number == 1 and wire == VARINT:
                code = integer(data, s)
        self.told["exit_code"] = code
        self.told["status"] = "failed" if code else "finished"


def _parts(item: bytes) -> tuple[list[str], Any]:
    """(the keys, the value: JSON as bytes, or a number) of an item."""
    keys: list[str] = []
    value: Any = None
    for number, wire, s, e in fields(item, 0, len(item)):
        if number in (_KEY, _NESTED_KEY) and wire == BYTES:
            keys.append(text(item, s, e))
        elif number in (8, _VALUE) and wire == BYTES:
            value = item[s:e]
        elif number == 6 and wire == FIXED64:
            value = double(item, s)
        elif number == 5 and wire == VARINT:
            value = float(zigzag(varint(item, s)[0]))
    return keys, value


def _is_keys(item: bytes) -> bool:
    """Whether the bytes are whole fields of keys: then what follows them is another field."""
    try:
        return all(number in (_KEY, _NESTED_KEY) for number, *_ in fields(item, 0, len(item)))
    except (Malformed, Cut):
        return False


def _decoded(raw: bytes) -> Any:
    """The JSON value; None when it is none. Half a surrogate pair, which no store takes, becomes "?"."""
    try:
        value = json.loads(raw)
        if b"\\ud" in raw.lower():
            value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return value
