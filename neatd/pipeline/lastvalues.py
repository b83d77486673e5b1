"""The last values of a run's series, those that people look at first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neatd.now import is_system, telling

Last = Mapping[str, tuple[float | None, int | None]]  # by series: its last value, None for NaN, and the step
MOST_VALUES = 4


def values_of(last: Last, most: int = MOST_VALUES) -> list[dict[str, Any]]:
    """The last values that people look at first, of a run's own series; NaN where one is not a number."""
    names = sorted((name for name in last if not is_system(name)), key=telling)[:most]
    return [
        {"name": name, "value": float("nan") if last[name][0] is None else last[name][0], "step": last[name][1]}
        for name in names
    ]
