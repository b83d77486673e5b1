"""Records as `neat list` lists them and the page shows them: of a kind or of all, each with why it may no longer hold."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from neatd.config import ProjectConfig
from neatd.errors import NeatError
from neatd.knowledge import RECORD_KINDS, Record
from neatd.models import Project
from neatd.pipeline.testing import own_paths
from neatd.pipeline.validity import stale_records
from neatd.store import records as kept


class Asked(NamedTuple):
    """Which records: of a kind, only open ones, with a tag, only deleted ones."""

    kind: str | None = None
    only_open: bool = False
    tag: str | None = None
    deleted: bool = False


class Listing(NamedTuple):
    """(kind, record) in the order of the kinds, newest first; and of those that stand, why they may no longer hold."""

    found: Sequence[tuple[str, Record]]
    stale: dict[str, str]
    has_kinds: bool  # of several kinds, so that each says its own

    @property
    def shapes(self) -> list[dict[str, Any]]:
        """As JSON has it."""
        named = [({"kind": name} if self.has_kinds else {}, one) for name, one in self.found]
        return [{**start, **one.model_dump(), "stale": self.stale.get(one.id, "")} for start, one in named]


def listed(
    records: sqlite3.Connection, points: sqlite3.Connection, project: Project, config: ProjectConfig, asked: Asked,
    now: datetime,
) -> Listing:  # fmt: skip
    """The project's records. Raises NeatError for a kind there is none of. Asks git which branch stands in its folder."""
    known_kind(asked.kind)
    found = [
        (name, one)
        for name in ([asked.kind] if asked.kind else RECORD_KINDS)
        for one in kept.list_records(records, name, project.id, asked.deleted)
        if not (asked.only_open and one.is_closed) and (asked.tag is None or asked.tag in one.tags)
    ]
    standing = [one for _, one in found if not (asked.deleted or one.is_closed)]
    stale = stale_records(records, Path(project.root), standing, now, own_paths(config), points)
    return Listing(found, stale, asked.kind is None)


def known_kind(kind: str | None) -> None:
    """Raises NeatError for a kind there is none of."""
    if kind is not None and kind not in RECORD_KINDS:
        raise NeatError(
            f"no kind {kind!r}", f"kinds: {', '.join(RECORD_KINDS)}; runs and events have `neat runs`, `neat events`"
        )
