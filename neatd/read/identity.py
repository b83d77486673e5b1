"""Whether a folder that was found is a run that is known: renamed and moved it stays the same, copied it is another. Pure.

What counts, strongest first:

1. The same file in the same place, which only belongs to another folder now (a tracker's folder became part of the
   folder around it): the same run.
2. Where a known run's files still lie as they were read, whatever else has the same content is a copy: another run;
   unless it is the very same folder (device and inode), met by another way.
3. A file of the same name within the run, at least as long as what was read, with the same head, and the inode of the
   file or of the folder: the same run.
4. The same without any inode, as after a move to another file system: the same run where the head proves something and
   no other file of the two contradicts. A head proves nothing when it is shorter than 256 bytes, a table's header, or
   a text log's (a program greets each time with the same words).

Inodes alone prove nothing: they are used again at once. Of several known runs the strongest evidence wins, then the run
created first. The anchor before the read offset is not looked at here: whoever has the file open checks it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

LEAST_HEAD = 256  # bytes
_TABLES = (".csv", ".tsv")
_TEXTS = (".log", ".out", ".txt")


class Read(NamedTuple):
    """A source of a known run as far as it was read. Device and inode are 0 where they are not known."""

    path: str  # relative to the project, with forward slashes
    offset: int  # bytes consumed
    head_len: int
    head_hash: str
    device: int = 0
    inode: int = 0


class Head(NamedTuple):
    """A file as it lies now."""

    path: str  # relative to the project, with forward slashes
    size: int
    head: bytes  # its first bytes, at least as many as any `head_len` (or all there are)
    device: int = 0
    inode: int = 0


class Known(NamedTuple):
    """A run in the store."""

    id: str
    folder: str  # relative to the project; "" for the project itself
    created_at: float
    sources: tuple[Read, ...]
    now: tuple[Head, ...] = ()  # what lies at the paths of its sources now; nothing where they are gone
    device: int = 0  # of the folder, when it was last seen
    inode: int = 0


class Found(NamedTuple):
    """A folder with sources that is at no known run's path."""

    folder: str
    sources: tuple[Head, ...]
    device: int = 0
    inode: int = 0


def same_run(known: Sequence[Known], found: Found) -> str | None:
    """The id of the known run that `found` is, or None: it is a new one.

    The caller leaves out of `known` whom it already found elsewhere in this survey.
    """
    ranked = [(-_evidence(one, found), one.created_at, one.id) for one in known]
    rank, _, id = min(ranked, default=(0, 0.0, ""))
    return id if rank < 0 else None


def head_hash(head: bytes, length: int) -> str:
    """The hash that a cursor keeps of the first `length` bytes."""
    return hashlib.blake2b(head[:length], digest_size=16).hexdigest()


def _evidence(known: Known, found: Found) -> int:
    """0: none."""
    pairs = [*_pairs(known, found)]
    same = [(read, head) for read, head in pairs if _is_same(read, head)]
    if any(read.path == head.path for read, head in same):
        return 4
    is_same_folder = _is_one(known.device, known.inode, found.device, found.inode)
    if _is_still_there(known) and not is_same_folder:
        return 0
    if any(_is_one(read.device, read.inode, head.device, head.inode) for read, head in same):
        return 3
    if is_same_folder and same:
        return 2
    return 1 if len(same) == len(pairs) and any(_is_proof(read, head) for read, head in same) else 0


def _pairs(known: Known, found: Found) -> Iterator[tuple[Read, Head]]:
    """Each file of both runs, by its place in the project or else in the run's folder."""
    by_path = {one.path: one for one in found.sources}
    by_name = {_within(found.folder, one.path): one for one in found.sources}
    for read in known.sources:
        head = by_path.get(read.path) or by_name.get(_within(known.folder, read.path))
        if head is not None and read.offset:
            yield read, head


def _within(folder: str, path: str) -> str:
    return path.removeprefix(f"{folder}/") if folder else path


def _is_still_there(known: Known) -> bool:
    return any(_is_same(read, head) for read, head in _at_their_paths(known.sources, known.now))


def _at_their_paths(sources: Iterable[Read], now: Iterable[Head]) -> Iterator[tuple[Read, Head]]:
    heads = {one.path: one for one in now}
    return ((read, heads[read.path]) for read in sources if read.path in heads and read.offset)


def _is_same(read: Read, head: Head) -> bool:
    is_long = head.size >= read.offset and len(head.head) >= read.head_len > 0
    return is_long and head_hash(head.head, read.head_len) == read.head_hash


def _is_one(device: int, inode: int, other_device: int, other_inode: int) -> bool:
    return inode != 0 and (device, inode) == (other_device, other_inode)


def _is_proof(read: Read, head: Head) -> bool:
    """Whether no other run's file would begin so."""
    name = read.path.lower()
    if read.head_len < LEAST_HEAD or name.endswith(_TEXTS):
        return False
    beyond = head.head[: read.head_len].partition(b"\n")[2]
    return bool(beyond.strip()) or not name.endswith(_TABLES)
