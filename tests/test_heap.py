"""What is free in the heap goes back to the system."""

from __future__ import annotations

import platform

import psutil
import pytest

from neatd.heap import give_back

SIZE, COUNT = 4000, 10_000  # 40 MB in pieces that the C library hands out


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries cannot be asked")
def test_free_memory_below_what_is_still_used_goes_back() -> None:
    """A piece that stays keeps the heap from being cut by itself."""
    process = psutil.Process()
    pieces = [bytes([n % 256]) * SIZE for n in range(COUNT)]
    kept = pieces[-1]
    pieces.clear()
    before = process.memory_info().rss
    give_back()
    assert before - process.memory_info().rss > SIZE * COUNT / 2 and len(kept) == SIZE


def test_where_it_cannot_be_asked_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """On macOS and Windows."""
    from neatd import heap

    heap._trim.cache_clear()
    monkeypatch.setattr("sys.platform", "darwin")
    assert heap._trim() is int
    heap._trim.cache_clear()
