"""What a stretch of a series' points amounts to: extremes, ends, counts, and the same of every 64 points. Pure; stdlib only.

The first, the last and the extreme points of a stretch are always in its numbers, and so is how many were not finite.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from neatd.store.unpacking import unpack_floats

BUCKET = 64  # points
LEAST_BUCKETS = 2048  # points of a column that has buckets; a shorter one is opened as fast
NONE = 255  # a position within a bucket where there is no such point
SIGNS = (math.nan, math.inf, -math.inf)  # a value that is not finite, by the two high bits of its position


class Summary(NamedTuple):
    """Points in file order in numbers; min and max with the first step they stand at. None where nothing is finite."""

    points: int
    first_step: int
    last_step: int
    first: float
    last: float
    min: float | None
    min_step: int | None
    max: float | None
    max_step: int | None
    nonfinite: int
    nonfinite_step: int | None
    nonfinite_value: float | None  # of the first of them
    total: float  # of the finite ones


def summarise(steps: Sequence[int], values: Sequence[float]) -> Summary:
    """The numbers of a stretch of at least one point."""
    kept_steps, kept = steps, values
    bad_step, bad = None, None
    if not all(map(math.isfinite, values)):
        pairs = [(step, value) for step, value in zip(steps, values, strict=True) if math.isfinite(value)]
        bad_step, bad = next(pair for pair in zip(steps, values, strict=True) if not math.isfinite(pair[1]))
        kept_steps, kept = [step for step, _ in pairs], [value for _, value in pairs]
    low, high = min(kept, default=None), max(kept, default=None)
    return Summary(
        len(values), steps[0], steps[-1], values[0], values[-1],
        low, None if low is None else kept_steps[kept.index(low)],
        high, None if high is None else kept_steps[kept.index(high)],
        len(values) - len(kept), bad_step, bad, sum(kept),
    )  # fmt: skip


class Buckets(NamedTuple):
    """Every 64 points of a chunk: the lowest, highest and mean of the finite ones, and where those stand."""

    mins: Sequence[float]  # NaN where nothing is finite
    maxs: Sequence[float]
    means: Sequence[float]
    min_at: bytes  # positions within the bucket, NONE where there is none
    max_at: bytes
    bad_at: bytes  # of the first value that is not finite, and which it is

    def bad(self) -> list[tuple[int, float] | None]:
        """(position, value) of each bucket's first value that is not finite."""
        return [None if one == NONE else (one % BUCKET, SIGNS[one // BUCKET]) for one in self.bad_at]


class BucketParts(NamedTuple):
    """Packed buckets taken apart, the columns in them packed still."""

    mins: bytes
    maxs: bytes
    min_times: bytes  # of the buckets that have a lowest value, as `pack_times` packs them
    max_times: bytes
    bad_times: bytes
    means: bytes
    min_at: bytes
    max_at: bytes
    bad_at: bytes


def bucket_parts(data: bytes) -> BucketParts:
    """What is in bytes that `buckets.pack_buckets` made."""
    head = 4 * len(BucketParts._fields)
    ends = accumulate(array("I", data[:head]), initial=head)
    found = BucketParts(*(data[start:end] for start, end in pairwise(ends)))
    return found if found.bad_at else found._replace(bad_at=bytes([NONE]) * len(found.min_at))


def unpack_buckets(data: bytes) -> Buckets:
    """What `pack_buckets` packed, without the times."""
    one = bucket_parts(data)
    return Buckets(
        unpack_floats(one.mins), unpack_floats(one.maxs), array("f", one.means), one.min_at, one.max_at, one.bad_at
    )
