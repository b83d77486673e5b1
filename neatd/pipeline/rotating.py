"""Files that were renamed or copied away while they were read (metrics.jsonl -> metrics.jsonl.1): the cursor goes with the
content, so that what was unread of it comes before what took its name.

All cursors of a stream are matched anew with the files that hold them, in one transaction: a second rotation moves two.
"""

from __future__ import annotations

import os
from pathlib import Path

from neatd.models import Cursor
from neatd.pipeline.scene import LiveRun, Scene, Source
from neatd.read.discover import is_source
from neatd.read.formats.table import FORMATS
from neatd.read.naming import shared_name
from neatd.read.tail import holds, next_generation
from neatd.store import readings
from neatd.store.connection import transaction


def follow_rotated(scene: Scene, live: LiveRun, stream: str) -> bool:
    """Whether content that a cursor of the stream stands in lies under another name: then it is followed there."""
    of_stream = {name: one for name, one in live.sources.items() if one.placed.stream == stream}
    lost = {
        name: one for name, one in of_stream.items()
        if one.cursor.offset and FORMATS[one.placed.format].framing != "whole" and not holds(one.path, one.cursor)
    }  # fmt: skip
    found = {name: path for name, one in lost.items() if (path := _place_now(live, one))}
    if not found:
        return False
    cursors = {name: next_generation(of_stream[name].cursor) for name in found}
    for name, path in found.items():
        there = path.relative_to(live.folder).as_posix()
        is_followed = there in of_stream and there not in lost  # there already, and further perhaps
        cursors[there] = of_stream[there].cursor if is_followed else lost[name].cursor
        if there not in of_stream:
            of_stream[there] = Source(lost[name].placed._replace(path=path), lost[name].cursor)
    _keep(scene, live, of_stream, cursors)
    return True


def _place_now(live: LiveRun, source: Source) -> Path | None:
    """The file beside the source that holds what its cursor counts, unless another stream reads it."""
    try:
        with os.scandir(source.path.parent) as entries:
            beside = sorted(Path(one.path) for one in entries if one.name.startswith(source.path.stem))
    except OSError:
        return None
    names = {one.path: one for one in live.sources.values()}
    for path in beside:
        other = names.get(path)
        is_other = (
            other.placed.stream != source.placed.stream if other else is_source(path) and not _is_of(path, source)
        )
        if path != source.path and not is_other and holds(path, source.cursor):
            return path
    return None


def _is_of(path: Path, source: Source) -> bool:
    return shared_name(path.name) == shared_name(source.path.name)


def _keep(scene: Scene, live: LiveRun, of_stream: dict[str, Source], cursors: dict[str, Cursor]) -> None:
    with transaction(scene.points):
        for name, cursor in cursors.items():
            readings.save_cursor(scene.points, live.run.id, name, cursor, None, 0.0)
    for name, cursor in cursors.items():
        of_stream[name].cursor, of_stream[name].is_due = cursor, True
    others = {name: one for name, one in live.sources.items() if name not in of_stream}
    oldest_first = sorted(of_stream.items(), key=lambda one: one[1].cursor.generation)
    live.sources = {**others, **dict(oldest_first)}  # a new one: the old one is being gone through
