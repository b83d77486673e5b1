"""TensorBoard event files: the scalars of each event, and the hparams of a session. Pure.

A record is an event and takes one ordinal. Images, histograms, graphs and the like are large and hold no numbers: a
large record is looked at by its fields' headers only, and passed over unread when no scalar can be in it. Every record
that gives a row has had its checksum verified. NaN, infinities and negative steps are kept as they are.
"""

from __future__ import annotations

from typing import Any

from neatd.read.formats import tfrecord
from neatd.read.formats.protobuf import Cut, Malformed
from neatd.read.formats.tbevent import Reader, may_hold_numbers
from neatd.read.rows import BadLine, Fed, Parsed

_LARGE = 4096  # bytes; a smaller record costs less to check than to look into


def feed(data: bytes, state: dict[str, Any], seq: int, label: str) -> Fed:
    """Rows of the events that are whole in `data`. See neatd.read.rows for the contract."""
    if state.get("is_stuck"):
        return Fed([], 0, seq, state, is_stuck=True)
    rows: list[Parsed] = []
    bad: list[BadLine] = []
    reader = Reader(label, set(state.get("scalars", ())))
    consumed = 0
    is_stuck = False
    try:
        for start, stop in tfrecord.frames(data):
            end = stop + tfrecord.FOOTER.size
            is_wanted = stop - start <= _LARGE or may_hold_numbers(data, start, stop)
            if is_wanted and (end > len(data) or not _take(data, start, stop, seq + 1, reader, rows, bad)):
                break
            seq += 1
            consumed = end
    except tfrecord.Damaged as damage:
        is_stuck = True
        seq += 1
        bad.append(BadLine(seq, str(damage)))
    after: dict[str, Any] = {"scalars": sorted(reader.scalars)} if reader.scalars else {}
    if is_stuck:
        after["is_stuck"] = True
    return Fed(rows, consumed, seq, after, bad, reader.told, is_stuck)


def _take(data: bytes, start: int, stop: int, seq: int, reader: Reader, rows: list[Parsed], bad: list[BadLine]) -> bool:
    """Take the row of a record that is whole, or say what is wrong with it; False when it is not yet written."""
    payload = data[start:stop]
    if not tfrecord.is_true(payload, data, stop):
        if tfrecord.is_unwritten(data, stop + tfrecord.FOOTER.size):
            return False
        bad.append(BadLine(seq, "the checksum of its data is wrong"))
        return True
    try:
        row = reader.read(payload, seq)
    except (Malformed, Cut):
        bad.append(BadLine(seq, "not an event"))
        return True
    if row is not None:
        rows.append(row)
    return True
