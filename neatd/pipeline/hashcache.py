"""What was hashed on this machine, kept under NEAT_HOME/datahash: file hashes by stamp, and each path's last version.

Only a cache, but for one thing: a path that leads out of its project is looked at only if a person registered it on this
machine, and that is kept here (`targets`), because a record may come with a clone. Written atomically, under a lock,
merged with what another process wrote meanwhile. A damaged file is begun anew.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from neatd.files import read_small, write_atomic
from neatd.locks import FileLock
from neatd.read.dataset import DataFact, FileFact, Glance, Stamp

REST_NS = 2_000_000_000  # a file written to within this may change again without its time telling
LARGEST = 1 << 30  # of a cache file: seven million files
FORMAT = 1


class Settled(NamedTuple):
    """A path's content as last hashed here. `stamps` is "" when a file was too fresh to be told by its time."""

    stamps: str
    shape: str
    hash: str


class HashCache:
    """The cache of one project's folder on this machine."""

    def __init__(self, home: Path, project_id: str, root: Path) -> None:
        self.path = home / "datahash" / f"{project_id}.json"
        self.root = str(root)
        self._files: dict[str, list[Any]] = {}
        self._paths: dict[str, dict[str, Any]] = {}
        self._new_files: dict[str, list[Any]] = {}
        self._new_paths: dict[str, dict[str, Any]] = {}
        self._gone: set[str] = set()
        self._take(_roots(self.path))

    # ---- files ----

    def get(self, key: str, stamp: Stamp) -> FileFact | None:
        """What a file with this stamp holds, if it was hashed before."""
        found = self._files.get(key)
        if found is None or tuple(found[:3]) != stamp:
            return None
        return FileFact(str(found[3]), found[4])

    def put(self, key: str, stamp: Stamp, fact: FileFact, begun_ns: int) -> None:
        """Keep a file's hash; not that of a file that was written to just before its reading began."""
        if begun_ns - stamp.mtime_ns > REST_NS:
            self._files[key] = self._new_files[key] = [*stamp, *fact]

    # ---- registered paths ----

    def settled(self, path: str) -> Settled | None:
        """What was last found at a path, relative to the project."""
        found = self._paths.get(path, {}).get("settled")
        return Settled(*found) if found else None

    def settle(self, path: str, base: Path, seen: Glance, fact: DataFact, begun_ns: int) -> None:
        """Keep what was found at a path, and forget the files that are there no more."""
        is_fresh = begun_ns - seen.newest_ns <= REST_NS
        self._set(path, settled=["" if is_fresh else seen.stamps, seen.shape, fact.hash])
        here = {str(base / one.name) for one in seen.entries if one.name}
        self._gone |= {key for key in self._files if key.startswith(f"{base}{os.sep}")} - here
        self._files = {key: one for key, one in self._files.items() if key not in self._gone}

    def target(self, path: str) -> str:
        """Where a path that leads out of the project led when a person registered it here; "" when none did."""
        return str(self._paths.get(path, {}).get("target", ""))

    def set_target(self, path: str, target: str) -> None:
        """Keep that a person registered a path that leads out of the project."""
        self._set(path, target=target)

    def pending(self) -> dict[str, str]:
        """Path -> stage of what is to be hashed in the background and then registered."""
        return {path: str(one["pending"]) for path, one in self._paths.items() if one.get("pending") is not None}

    def set_pending(self, path: str, stage: str | None, source: str = "") -> None:
        """Ask for a path to be registered in the background, or (None) say that it was."""
        self._set(path, pending=stage, source=source)

    def source(self, path: str) -> str:
        """Who asked for it."""
        return str(self._paths.get(path, {}).get("source") or "daemon")

    def trouble(self, path: str) -> str:
        """Why a path could not be registered in the background, "" when it could."""
        return str(self._paths.get(path, {}).get("trouble", ""))

    def set_trouble(self, path: str, text: str) -> None:
        """Say why a path could not be registered in the background."""
        self._set(path, trouble=text)

    def troubles(self) -> list[str]:
        """The paths that could not be registered."""
        return [path for path, one in self._paths.items() if one.get("trouble")]

    def progress(self, path: str) -> tuple[int, int]:
        """(bytes done, bytes in all) of what is being hashed in the background; (0, 0) when nothing is."""
        done, total = self._paths.get(path, {}).get("progress") or (0, 0)
        return int(done), int(total)

    def set_progress(self, path: str, done: int, total: int) -> None:
        """Say how far the hashing of a path is."""
        self._set(path, progress=[done, total] if total else None)

    def _set(self, path: str, **fields: Any) -> None:
        for where in (self._paths, self._new_paths):
            where[path] = {**where.get(path, {}), **fields}

    # ---- the file ----

    def _take(self, roots: dict[str, Any]) -> None:
        mine = roots.get(self.root, {})
        files = {**mine.get("files", {}), **self._new_files}
        self._files = {key: one for key, one in files.items() if key not in self._gone}
        self._paths = dict(mine.get("paths", {}))
        for path, fields in self._new_paths.items():
            self._paths[path] = {**self._paths.get(path, {}), **fields}

    def save(self) -> None:
        """Write what is new, and take in what another process wrote."""
        if not (self._new_files or self._new_paths or self._gone):
            return
        with FileLock(self.path.with_suffix(".lock")):
            roots = _roots(self.path)
            self._take(roots)
            roots[self.root] = {"files": self._files, "paths": self._paths}
            write_atomic(self.path, json.dumps({"format": FORMAT, "roots": roots}).encode())
        self._new_files, self._new_paths, self._gone = {}, {}, set()

    def stamp(self) -> tuple[int, int] | None:
        """Size and time of the file, None before there is one: whether another process wrote it."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_size, found.st_mtime_ns


def _roots(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(read_small(path, LARGEST))
        return dict(data["roots"]) if data["format"] == FORMAT else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
