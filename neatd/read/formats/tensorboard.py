"""TensorBoard event files: the scalars of each event, and the hparams of a session. Pure.

A record is an event and takes one ordinal. Images, histograms, graphs and the like are large and hold no numbers: a
large record is looked at by its fields' headers only, and passed over unread when no scalar can be in it. Every record
that gives a row has had its checksum verified. NaN, infinities and negative steps are kept as they are. Many scalars of
one tag come as columns, whose ordinals lie between those of other tags.
"""

from __future__ import annotations

from typing import Any

from neatd.read.formats import tfrecord
from neatd.read.formats.protobuf import Cut, Malformed
from neatd.read.formats.tbevent import Reader, may_hold_numbers
from neatd.read.formats.tbrows import LARGE
from neatd.read.rows import BadLine, Fed


def feed(data: bytes, state: dict[str, Any], seq: int, label: str) -> Fed:
    """Rows of the events that are whole in `data`. See neatd.read.rows for the contract."""
    if state.get("is_stuck"):
        return Fed([], 0, seq, state, is_stuck=True)
    bad: list[BadLine] = []
    reader = Reader(label, set(state.get("scalars", ())))
    known: dict[bytes, int] = {}
    consumed = 0
    is_stuck = False
    try:
        while True:
            consumed, seq = reader.found.take(data, consumed, seq, known)
            end = _take_one(data, consumed, seq + 1, reader, known, bad)
            if end is None:
                break
            consumed, seq = end, seq + 1
    except tfrecord.Damaged as damage:
        is_stuck = True
        seq += 1
        bad.append(BadLine(seq, str(damage)))
    after: dict[str, Any] = {"scalars": sorted(reader.scalars)} if reader.scalars else {}
    if is_stuck:
        after["is_stuck"] = True
    return Fed(reader.found.rows(), consumed, seq, after, bad, reader.told, is_stuck)


def _take_one(
    data: bytes, pos: int, seq: int, reader: Reader, known: dict[bytes, int], bad: list[BadLine]
) -> int | None:  # fmt: skip
    """The end of the record at `pos`, of which all is taken or passed over; None when it is not yet written."""
    frame = tfrecord.frame(data, pos, known)
    if frame is None:
        return None
    start, stop = frame
    end = stop + tfrecord.FOOTER.size
    if stop - start > LARGE and not may_hold_numbers(data, start, stop):
        return end
    return end if end <= len(data) and _read(data, start, stop, seq, reader, bad) else None


def _read(data: bytes, start: int, stop: int, seq: int, reader: Reader, bad: list[BadLine]) -> bool:
    """Read a record that is whole, or say what is wrong with it; False when it is not yet written."""
    payload = data[start:stop]
    if not tfrecord.is_true(payload, data, stop):
        if tfrecord.is_unwritten(data, stop + tfrecord.FOOTER.size):
            return False
        bad.append(BadLine(seq, "the checksum of its data is wrong"))
        return True
    try:
        reader.read(payload, seq)
    except (Malformed, Cut):
        bad.append(BadLine(seq, "not an event"))
    return True
