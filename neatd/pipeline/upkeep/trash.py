"""The trash emptied: what lies there long enough, and more, the oldest first, where the disk is short. For good: no undo."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from neatd.assist.render import size
from neatd.pipeline.retaining import empty_trash as empty_some
from neatd.pipeline.upkeep.disk import GIB, SHORT_SHARE
from neatd.pipeline.upkeep.work import Outcome, Room, Steps, Work
from neatd.store import checkpoints

_DAY = timedelta(days=1)
_HAIR = timedelta(milliseconds=1)


class _Batch(NamedTuple):
    """What went into the trash together."""

    size_bytes: int
    newest: datetime


def empty_trash(work: Work) -> Steps:
    """A batch a step."""
    before = freed = files = 0
    refused: list[str] = []
    for root in [one.root for one in work.watched if one.root.is_dir()]:
        batches = _batches(work, root)
        before += sum(one.size_bytes for one in batches)
        wanted = _short_of(root, work.job.free_gib)
        for batch in _going(batches, work, wanted):
            yield f"{root}: {size(freed)} freed"
            age = work.now - batch.newest - _HAIR  # this batch, and none that is younger
            done = empty_some(work.records, work.now, age / _DAY, 0, root)
            freed, files = freed + done.freed_bytes, files + done.files
            refused += [f"{path}: {note}" for path, note in done.refused]
    said = f"{files} emptied, {size(freed)}; this cannot be undone" if files else "nothing is old enough to go"
    left = before - freed
    said += f"; {size(left)} can still come back by `neat retention undo`" if left else ""
    details = Room(before, freed).details | {"files": files, "stays": refused[:20]}
    return Outcome(said, details, is_bad=bool(refused) and not files)


def _batches(work: Work, root: Path) -> list[_Batch]:
    """What lies in the trash of a folder, the oldest first."""
    found: dict[str, _Batch] = {}
    for one in checkpoints.trashed(work.records):
        if checkpoints.root_of(work.records, one) == str(root):
            known = found.get(one.batch, _Batch(0, one.created_at))
            found[one.batch] = _Batch(known.size_bytes + one.size_bytes, max(known.newest, one.created_at))
    return sorted(found.values(), key=lambda one: one.newest)


def _going(batches: list[_Batch], work: Work, wanted_bytes: int) -> Iterator[_Batch]:
    """Those that are old enough, and so many more that there is room again."""
    limit, gone = work.now - timedelta(days=work.job.days), 0
    for one in batches:
        if one.newest < limit or gone < wanted_bytes:
            gone += one.size_bytes
            yield one


def _short_of(root: Path, free_gib: float) -> int:
    """How many bytes are wanting around a folder."""
    usage = shutil.disk_usage(root)
    return max(0, int(min(free_gib * GIB, SHORT_SHARE * usage.total)) - usage.free)
