"""wandb's `run-<id>.wandb`, offline and online: history and system metrics as rows, facts about the run. Pure.

A record takes one ordinal, whatever it holds. The state keeps the place in the 32 KiB block, the config so far, and
whether the next chunks belong to a record whose beginning was damaged.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from neatd.read.formats import leveldblog
from neatd.read.formats.protobuf import Cut, Malformed
from neatd.read.formats.wandbrecord import Reader
from neatd.read.rows import BadLine, Fed, Feed, Parsed
from neatd.redact import redact_value

HEADER = b":W&B\xe1\xbe\x00"  # the name, a magic number, version 0


def feeder(clean: Callable[[Any], Any]) -> Feed:
    """The parser; `clean` takes the secrets out of the config before it is kept."""

    def feed_wandb(data: bytes, state: dict[str, Any], seq: int, label: str) -> Fed:
        fed = _feed(data, state, seq, label)
        if "config" in fed.told:
            config = clean(fed.told["config"])
            fed = fed._replace(state=fed.state | {"config": config}, told=fed.told | {"config": config})
        return fed

    return feed_wandb


feed = feeder(redact_value)


def _feed(data: bytes, state: dict[str, Any], seq: int, label: str) -> Fed:
    """Rows and facts of the records that are whole in `data`. See neatd.read.rows for the contract."""
    begin = 0
    offset = state.get("offset")
    if offset is None:
        begin = offset = len(HEADER)
        if state.get("is_stuck"):
            return Fed([], 0, seq, state, is_stuck=True)
        if len(data) < begin or (data[:begin] != HEADER and HEADER.startswith(data.rstrip(b"\0"))):
            return Fed([], 0, seq, state)  # not yet written
        if data[:begin] != HEADER:
            bad = [BadLine(seq + 1, "not a run file of wandb, version 0")]
            return Fed([], 0, seq + 1, {"is_stuck": True}, bad, is_stuck=True)
    return _records(data[begin:], offset, begin, state, seq, label)


def _records(data: bytes, offset: int, begin: int, state: dict[str, Any], seq: int, label: str) -> Fed:
    rows: list[Parsed] = []
    bad: list[BadLine] = []
    reader = Reader(label, copy.deepcopy(state.get("config", {})))
    consumed, was_lost = 0, bool(state.get("is_lost"))
    is_lost = was_lost
    for payload, end, is_lost, why in leveldblog.records(data, offset, was_lost):
        consumed = end
        if is_lost and not why:
            continue
        seq += 1
        if why:
            bad.append(BadLine(seq, why))
            continue
        try:
            row = reader.read(payload, seq)
        except (Malformed, Cut):
            bad.append(BadLine(seq, "not a record of wandb"))
            continue
        if row is not None and row.values:
            rows.append(row)
    after: dict[str, Any] = {"offset": (offset + consumed) % leveldblog.BLOCK}
    if reader.config:
        after["config"] = reader.config
    if is_lost:
        after["is_lost"] = True
    return Fed(rows, begin + consumed, seq, after, bad, reader.told)
