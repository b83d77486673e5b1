"""What `neat init` made in a project: `.neat/init.json`, which git does not see.

It is written before the files, so that an undo after a crash knows them. It comes from the project's folder, so it is
never followed: it only says of paths that neat knows by itself whether they were there before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from neatd.actions.changes import content
from neatd.errors import NeatError
from neatd.files import inside, write_atomic

PATH = ".neat/init.json"
_ID_LINE = re.compile(r'id: "[^"\n]*"\n')


class Manifest(NamedTuple):
    """The files and folders that were not there before; SHA-256 of those that are wholly neat's; the line that was put
    before a neat.yaml; the assistants that the user named ("" for none of them)."""

    made: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()
    hashes: tuple[tuple[str, str], ...] = ()
    id_line: str = ""
    chosen: tuple[str, ...] = ()

    def hash_of(self, path: str) -> str:
        return dict(self.hashes).get(path, "")

    def within(self, paths: Iterable[str]) -> Manifest:
        """Only what it says of these files and of the folders that they lie in: anything else is not neat's."""
        known = {PurePosixPath(path) for path in paths}
        folders = {folder.as_posix() for path in known for folder in path.parents}
        made = {path.as_posix() for path in known}
        return self._replace(made=self.made & made, folders=(self.folders & folders) - {"."})


def read_manifest(root: Path) -> Manifest | None:
    """None where there is none, as in a clone, or none that can be read."""
    try:
        data = json.loads(content(root, PATH) or b"")
        made, folders, chosen = (_texts(data[name]) for name in ("made", "folders", "chosen"))
        hashes = tuple(sorted((str(path), str(value)) for path, value in data["hashes"].items()))
        id_line = str(data["id_line"])
        id_line = id_line if _ID_LINE.fullmatch(id_line) else ""
        return Manifest(frozenset(made), frozenset(folders), hashes, id_line, tuple(chosen))
    except (NeatError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise TypeError("no list")
    return [str(one) for one in value]


def write_manifest(root: Path, manifest: Manifest) -> None:
    """Keep it, atomically."""
    data = {
        "written by": "neat init, for neat init --undo",
        "made": sorted(manifest.made), "folders": sorted(manifest.folders), "hashes": dict(manifest.hashes),
        "id_line": manifest.id_line, "chosen": manifest.chosen,
    }  # fmt: skip
    write_atomic(inside(root, PATH), (json.dumps(data, indent=2) + "\n").encode())
