"""Memory that work left free goes back to the system: the C library keeps it in case of more, for as long as a process lives.

Only glibc can be asked; elsewhere nothing is done. It changes no result.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache


def give_back() -> None:
    """Takes some milliseconds, so it is for after the work."""
    _trim()(0)


@cache
def _trim() -> Callable[[int], object]:
    try:
        return ctypes.CDLL(None).malloc_trim if sys.platform == "linux" else int
    except (OSError, AttributeError):  # another C library, as in Alpine
        return int
