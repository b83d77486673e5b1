"""JSON lines that are broken in places: a server in the middle of a write leaves half a line at the end. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence


def broken_lines(source: Sequence[str]) -> frozenset[int]:
    """The numbers of the lines that are no JSON, where the first line and at least half of all are a whole object; else
    none: it is another format."""
    filled = [(number, row) for number, row in enumerate(source, 1) if row.strip()]
    if not filled or not filled[0][1].lstrip().startswith("{") or not _is_object(filled[0][1]):
        return frozenset()
    broken = frozenset(number for number, row in filled if not _is_object(row))
    is_cut = all(row.lstrip().startswith("{") for number, row in filled if number in broken)  # half an object each
    return broken if is_cut and 2 * len(broken) <= len(filled) else frozenset()


def _is_object(row: str) -> bool:
    try:
        return isinstance(json.loads(row), dict)
    except (ValueError, RecursionError):
        return False
