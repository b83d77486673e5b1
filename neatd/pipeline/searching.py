"""A search as somebody types it, over this project's records or all. Stdlib only: people and assistants ask often."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from neatd.errors import NeatError
from neatd.kinds import KINDS
from neatd.place import Place
from neatd.store.opening import connect
from neatd.store.search import Hit, search

LIMIT = 20


def find(home: Path, place: Place | None, words: str, kind: str | None = None, limit: int = LIMIT) -> list[Hit]:
    """The best hits first; of all projects where no place is given. Raises NeatError for a search for nothing."""
    check(words, kind)
    with closing(connect(home)) as connection:
        return search(connection, words, place.project_id if place else None, kind, limit)


def check(words: str, kind: str | None) -> None:
    """Raises NeatError for a search for nothing, or of a kind there is none of."""
    if not words.strip() and kind is None:
        raise NeatError(
            "nothing to search for",
            "type words, or a filter alone: `neat search memory leak`, `neat search kind:bug status:open`",
        )
    if kind is not None and kind not in KINDS:
        raise NeatError(f"no kind {kind!r}", f"kinds: {', '.join(KINDS)}")
