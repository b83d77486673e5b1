"""Which series are thinned once they are old, and which of their points stay. Pure.

Where in doubt a series is one of evaluations, and those are never thinned.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Sequence

from neatd.now import is_system
from neatd.store.summary import BUCKET, NONE

RARE = 10  # a series with less than this part of the densest one's points is an evaluation, whatever its name
_EVALUATION = re.compile(
    r"(?<!inter)val(?!ue)|eval|test|dev(?![a-z])|hold.?out|accuracy|score|dice|precision|recall|reward|bleu|rouge|correct"
    r"|best|psnr|ssim|perplexity|(?<![a-z])(?:acc|f1|auc|auroc|m?iou|map|ppl|wer|cer|r2)(?![a-z])",
    re.I,
)


def is_evaluation_like(name: str, points: int, densest: int) -> bool:
    """Whether a series may be of evaluations, by its name or because it has few points. Where in doubt, it is."""
    if is_system(name):
        return False
    return bool(_EVALUATION.search(name)) or points * RARE < densest


def staying(steps: Sequence[int], values: Sequence[float], below: float, marks: Sequence[int]) -> list[int]:
    """The places of a chunk's points that stay. Points at `below` or beyond it are abandoned; `marks` are rising steps."""
    current = [at for at, step in enumerate(steps) if step < below]
    abandoned = [at for at, step in enumerate(steps) if step >= below]
    stay = {0, len(steps) - 1} | {at for at, value in enumerate(values) if not math.isfinite(value)}
    for some in (current, abandoned):
        stay.update(_extremes(some, values))
        stay.update(some[:1] + some[-1:])
    stay.update(_marked([(steps[at], at) for at in current], marks))
    return sorted(stay)


def _extremes(places: Sequence[int], values: Sequence[float]) -> list[int]:
    """Of every 64 of these places those of the lowest and the highest value, of equal ones the first."""
    if not places:
        return []
    from neatd.store.buckets import buckets_of  # numpy: only where a series is thinned

    found = buckets_of([values[at] for at in places])
    ends = (found.min_at, found.max_at)
    return [places[BUCKET * n + at] for one in ends for n, at in enumerate(one) if at != NONE]


def _marked(current: list[tuple[int, int]], marks: Sequence[int]) -> list[int]:
    """The last place at or before each mark, by steps."""
    ordered = sorted(current)
    if not ordered:
        return []
    found = (bisect_right(ordered, (mark, len(current) + ordered[-1][1])) - 1 for mark in marks)
    return [ordered[index][1] for index in set(found) if index >= 0]
