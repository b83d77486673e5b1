"""Which series a pattern means, and which of them are evaluations. Pure; the same on every system."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache

# `value_loss` is no evaluation and `Loss/val` is one: the word has to stand alone.
_EVALUATION = re.compile(r"(^|[/_.\- ])(val|valid|validation|eval|evaluation|test|dev)([/_.\- ]|$)", re.I)


def fits(metric: str, patterns: Iterable[str]) -> bool:
    """Whether the name of a series fits one of the patterns (`*`, `?`, `[…]`), whatever its case: `LR` is `lr`."""
    name = metric.lower()
    return any(fnmatchcase(name, pattern.lower()) for pattern in patterns)


@lru_cache(maxsize=4096)
def is_evaluation(metric: str) -> bool:
    """Whether a series is of evaluations, as its name tells."""
    return _EVALUATION.search(metric) is not None
