"""The last words of a run's program, in logs that lie in its folder and are no source of it: `train.log`, `*.out`, `*.err`.

A few files, of each only its end, read once when the run's process is gone or silent. Links are not followed. Reads only.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from neatd.files import open_regular
from neatd.read.formats.textlog import feed

SUFFIXES = (".log", ".out", ".err")
MOST_FILES = 5  # the ones that were written last
END_BYTES = 8 * 1024  # of each


class LastWords(NamedTuple):
    """How a log ends. Everything is "" where nothing tells."""

    traceback: str = ""  # its last line
    done: str = ""  # a last line that says that the training is done
    log: str = ""  # the file's name


def last_words(folder: Path, since: float = 0.0, known: Collection[Path] = ()) -> LastWords:
    """What the logs in `folder` say last, those written since (unix seconds) and not among the `known`. A traceback of any
    comes before an end that another one tells; nothing where the folder is not there."""
    done = LastWords()
    for path in _newest_logs(folder, since, known):
        found = _end_of(path)
        if found.traceback:
            return found
        done = done if done.done else found
    return done if done.done else LastWords()


def _newest_logs(folder: Path, since: float, known: Collection[Path]) -> list[Path]:
    found: list[tuple[float, Path]] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                path = Path(entry.path)
                if not entry.name.endswith(SUFFIXES) or path in known or not entry.is_file(follow_symlinks=False):
                    continue
                written = entry.stat(follow_symlinks=False).st_mtime
                if written >= since:
                    found.append((written, path))
    except OSError:
        return []
    return [path for _, path in sorted(found, reverse=True)[:MOST_FILES]]


def _end_of(path: Path) -> LastWords:
    """A traceback whose head lies further from the end than is read is told by its lines, as they are indented."""
    try:
        with open_regular(path) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - END_BYTES))
            data = file.read(END_BYTES)
    except OSError:
        return LastWords()
    state = {}
    if size > END_BYTES:
        data = data[data.find(b"\n") + 1 :]
        state = {"in_traceback": ""} if data.startswith(b"  ") else {}
    memory = feed(data + b"\n", state, 0, "").state
    return LastWords(memory.get("traceback", ""), memory.get("done", ""), path.name)
