"""Data versions: hashed, kept as records, and looked at again by the daemon in small turns.

A version is a record of kind `data`; one with another hash of the same path supersedes it. The daemon adds a version
only for what changed on this machine: another worktree's data at the same path is no change of this one's.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

from neatd.config import ProjectConfig
from neatd.errors import NeatError
from neatd.files import is_inside
from neatd.knowledge import Data
from neatd.pipeline.dataplaces import Spot, data_folders, spot_of, stage_of
from neatd.pipeline.hashcache import HashCache
from neatd.place import Place, here
from neatd.read.dataset import ChangingError, DataFact, Glance, Turn, glance, measure
from neatd.store import links, records, short
from neatd.store.connection import transaction

T = TypeVar("T")
AT_REST_NS = 60_000_000_000  # the daemon makes no version of a file that somebody is still writing
LOOK_S = 60.0  # the least between two looks at the registered paths
LOOK_SHARE = 400  # and this many times what the last one took: looking costs a quarter of a percent of a core
WAITING_S = 5.0  # the same while something that was asked for is still being written
SAVE_S = 10.0  # what a daemon that is killed hashes again


class Registered(NamedTuple):
    """What became of a path that was registered."""

    what: Literal["added", "replaced", "same"]
    record: Data
    left_out: int


def versions(store: sqlite3.Connection, project_id: str) -> dict[str, list[Data]]:
    """Path -> its versions, oldest first. A record that names no path, as notes bring them, is no version of any."""
    found: dict[str, list[Data]] = {}
    for one in reversed(records.list_records(store, "data", project_id)):
        if one.path:
            found.setdefault(one.path, []).append(one)
    return found


def current(of_path: list[Data]) -> Data | None:
    """The version that holds now: the newest that nothing superseded."""
    return next((one for one in reversed(of_path) if not one.is_closed), None)


def register(
    store: sqlite3.Connection, place: Place, cache: HashCache, path: str, stage: str, source: str
) -> Generator[Turn, None, Registered]:
    """Hash what lies at `path` and keep it as a version, unless it is the current one already.

    A person's (or assistant's) word: a path that leads out of the project is taken, and remembered for this machine.
    """
    base = place.root / path
    if not is_inside(base, place.root):
        cache.set_target(path, os.path.realpath(base))
    spot = spot_of(place.root, path, cache)
    assert spot is not None
    begun_ns = time.time_ns()
    seen = _something(path, (yield from glance(*spot)))
    fact = yield from measure(base, seen, cache)
    cache.settle(path, base, seen, fact, begun_ns)
    return keep(store, place, path, stage, fact, source)._replace(left_out=seen.left_out)


def _something(path: str, seen: Glance | None) -> Glance:
    if seen is None:
        raise NeatError(f"no {path}", "name a file or a folder that is there")
    if not seen.entries:
        why = f"{seen.left_out} link(s), pipe(s) or closed file(s) were left out" if seen.left_out else "it is empty"
        raise NeatError(f"nothing to register in {path}: {why}", "name a file, or a folder with files in it")
    return seen


def keep(
    store: sqlite3.Connection, place: Place, path: str, stage: str, fact: DataFact, source: str
) -> Registered:  # fmt: skip
    """Keep a version, and close the one before; the current version's hash again changes nothing but its stage."""
    with transaction(store):
        short.ensure_project(store, place)
        before = current(versions(store, place.project_id).get(path, []))
        if before and before.hash == fact.hash:
            if stage and stage != before.stage:
                short.set_field(store, "data", before.id, "stage", stage, source)
            return Registered("same", before.model_copy(update={"stage": stage or before.stage}), 0)
        stage = stage or (before.stage if before else "")
        row = short.record_row("data", place, {"title": path, "path": path, "stage": stage, **fact._asdict()}, source)
        short.insert_record(store, "data", row)
        if before:
            short.set_field(store, "data", before.id, "status", "superseded", source)
    if before:
        links.add_link(store, "data", links.Link(str(row["id"]), "supersedes", before.id), "data", source)
    kept = records.get(store, "data", str(row["id"]))
    assert isinstance(kept, Data)
    return Registered("replaced" if before else "added", kept, 0)


# ---- in the background ----


@dataclass
class Work:
    """What the daemon holds of a project's hashing between two turns. Dropped at any moment, it begins anew."""

    cache: HashCache
    stamp: tuple[int, int] | None = None  # of the cache's file, as last read or written
    turns: Iterator[Turn] | None = None
    next_look: float = 0.0  # monotonic
    took_s: float = 0.0
    saved_at: float = 0.0
    path: str = ""  # what is being hashed
    done_bytes: int = 0
    total_bytes: int = 0

    @property
    def is_busy(self) -> bool:
        """Whether there is more to do at once."""
        return self.turns is not None


def hash_step(
    home: Path, store: sqlite3.Connection, project_id: str, root: Path, config: ProjectConfig, budget_bytes: int,
    work: Work | None = None,
) -> Work:  # fmt: skip
    """One turn of looking after a project's registered data: at most about `budget_bytes` are read.

    Hand the result back at the next turn. What changed becomes a version with source daemon; what was asked for with
    `neat data add --background` is registered.
    """
    work = work or Work(HashCache(home, project_id, root))
    begun = time.monotonic()
    if work.turns is None and not _is_due(work, begun):
        return work
    if work.turns is None:
        work.cache = HashCache(home, project_id, root)
        work.turns, work.took_s, work.saved_at = _look_after(store, root, project_id, config, work), 0.0, begun
    spent = 0
    for turn in work.turns:
        work.done_bytes += turn.done_bytes
        spent += turn.cost_bytes
        if spent >= budget_bytes:
            break
    else:
        work.turns = None
    _rest(work, begun)
    return work


def _is_due(work: Work, now: float) -> bool:
    return now >= work.next_look or work.cache.stamp() != work.stamp


def _rest(work: Work, begun: float) -> None:
    """Count the turn's time, save what was found, say when the next look is due."""
    now = time.monotonic()
    work.took_s += now - begun
    if work.turns is None or now >= work.saved_at + SAVE_S:
        if work.path:
            work.cache.set_progress(work.path, work.done_bytes, work.total_bytes if work.turns else 0)
        work.cache.save()
        work.saved_at, work.stamp = now, work.cache.stamp()
    if work.turns is None:
        wait_s = WAITING_S if work.cache.pending() else LOOK_S
        work.path, work.next_look = "", now + max(wait_s, LOOK_SHARE * work.took_s)


def _look_after(
    store: sqlite3.Connection, root: Path, project_id: str, config: ProjectConfig, work: Work
) -> Iterator[Turn]:
    for path, stage in work.cache.pending().items():
        yield from _take_in(store, root, path, stage or stage_of(path, data_folders(config, root)), work)
    for path, of_path in versions(store, project_id).items():
        version = current(of_path)
        spot = spot_of(root, path, work.cache) if version else None
        if version and spot:
            try:
                yield from _refresh(store, root, version, spot, work)
            except (ChangingError, OSError):
                continue  # being written, or closed to us: the next look sees


def _take_in(store: sqlite3.Connection, root: Path, path: str, stage: str, work: Work) -> Iterator[Turn]:
    """Register what was asked for. What cannot be is dropped and said; what is being written waits."""
    spot = spot_of(root, path, work.cache)
    try:
        seen = (yield from glance(*spot)) if spot else None
        _begin(work, path, seen)
        yield from register(store, here(root), work.cache, path, stage, work.cache.source(path))
    except ChangingError:
        return
    except (NeatError, OSError) as error:
        work.cache.set_trouble(path, str(error))
    work.cache.set_pending(path, None)
    _begin(work, "", None)


def _refresh(store: sqlite3.Connection, root: Path, version: Data, spot: Spot, work: Work) -> Iterator[Turn]:
    """Hash a registered path again if something about it looks different, and keep the version if its content is."""
    begun_ns = time.time_ns()
    seen = yield from glance(*spot)
    before = work.cache.settled(version.path)
    if seen is None or not seen.entries or (before and before.stamps == seen.stamps):
        return
    if 0 <= begun_ns - seen.newest_ns < AT_REST_NS:
        return
    _begin(work, version.path, seen)
    fact = yield from measure(spot.base, seen, work.cache)
    work.cache.settle(version.path, spot.base, seen, fact, begun_ns)
    if before and before.hash != fact.hash:
        keep(store, here(root), version.path, "", fact, "daemon")
    _begin(work, "", None)


def _begin(work: Work, path: str, seen: Glance | None) -> None:
    """What is hashed from now on; the progress of what was hashed so far is over."""
    if work.path:
        work.cache.set_progress(work.path, 0, 0)
    work.path, work.done_bytes, work.total_bytes = path, 0, seen.size_bytes if seen else 0


def ask(cache: HashCache, root: Path, path: str, stage: str, source: str) -> None:
    """Ask for a path to be registered by the daemon. Raises NeatError when nothing is there."""
    base = root / path
    if not base.exists():
        raise NeatError(f"no {path}", "name a file or a folder that is there")
    if not is_inside(base, root):
        cache.set_target(path, os.path.realpath(base))
    cache.set_pending(path, stage, source)
    cache.set_trouble(path, "")
    cache.save()


def total_bytes(root: Path, path: str) -> int:
    """How much there is to hash at most; 0 when nothing is there."""
    seen = drained(glance(root / path, Path(os.path.realpath(root / path)).parent))
    return seen.size_bytes if seen else 0


def drained(turns: Generator[Turn, None, T]) -> T:
    """What a generator of turns comes to, without a pause."""
    while True:
        try:
            next(turns)
        except StopIteration as end:
            result: T = end.value
            return result
