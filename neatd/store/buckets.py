"""The extremes of every 64 points of a column, and their bytes; `summary` takes them apart. Pure.

Loaded where columns are written: with it comes numpy.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np

from neatd.store.packing import pack_floats, pack_times
from neatd.store.summary import BUCKET, NONE, Buckets


def buckets_of(values: Sequence[float]) -> Buckets:
    """The buckets of at least one value, the last one as long as it happens to be."""
    wide: Any = np.asarray(values, dtype=np.float64)
    starts = np.arange(0, len(wide), BUCKET)
    is_finite = np.isfinite(wide)
    with np.errstate(all="ignore"):
        means: Any = np.add.reduceat(np.where(is_finite, wide, 0.0), starts) / np.add.reduceat(
            is_finite, starts, dtype=int
        )
    # The last row is filled with what it ends with, which stands before that already.
    rows = np.concatenate([wide, np.full(-len(wide) % BUCKET, wide[-1])]).reshape(-1, BUCKET)
    low, high, bad_at = rows, rows, bytes([NONE]) * len(rows)
    if not is_finite.all():
        is_finite = np.isfinite(rows)
        low, high = np.where(is_finite, rows, np.inf), np.where(is_finite, rows, -np.inf)
        bad_at = _bad(rows, ~is_finite)
    mins, min_at = _ends(low, low.argmin(axis=1))
    maxs, max_at = _ends(high, high.argmax(axis=1))
    return Buckets(mins, maxs, means, min_at, max_at, bad_at)


def _ends(rows: Any, at: Any) -> tuple[Any, bytes]:
    """(the value of each row at a place, the place); NaN and none where nothing in the row is finite."""
    ends = rows[np.arange(len(rows)), at]
    is_there = np.isfinite(ends)
    return np.where(is_there, ends, np.nan), np.where(is_there, at, NONE).astype(np.uint8).tobytes()


def _bad(rows: Any, is_bad: Any) -> bytes:
    """Where the first value of each row stands that is not finite, and which it is."""
    at = is_bad.argmax(axis=1)
    first = rows[np.arange(len(rows)), at]
    kind = np.where(np.isnan(first), 0, np.where(first > 0, 1, 2))  # as in SIGNS
    return np.where(is_bad.any(axis=1), at + BUCKET * kind, NONE).astype(np.uint8).tobytes()


def pack_buckets(found: Buckets, times: Sequence[float | None] = ()) -> bytes:
    """Buckets as bytes, with the times of their extremes; the means as float32, for they are drawn and never judged."""
    places = (found.min_at, found.max_at, found.bad_at)
    packed = [pack_floats(found.mins), pack_floats(found.maxs)]
    packed += [
        pack_times([times[BUCKET * n + at % BUCKET] for n, at in enumerate(some) if at != NONE]) if times else b""
        for some in places
    ]
    is_finite = not found.bad_at.strip(bytes([NONE]))
    parts = [*packed, array("f", found.means).tobytes(), *places[:2], b"" if is_finite else found.bad_at]
    return array("I", map(len, parts)).tobytes() + b"".join(parts)
