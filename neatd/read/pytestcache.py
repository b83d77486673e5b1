"""pytest's own cache: which tests failed when they last ran, and how many it knows. Of passes it says nothing.

`lastfailed` is kept over sessions: a test that failed stays in it until it is run again and passes, for good when its
file is gone; it is written only when it changes. `nodeids` is written at the end of every session, so its time is the
time of the last one. It does not hold all that failed: neither a file that could not be collected nor, under xdist, any.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

from neatd.errors import NeatError
from neatd.files import is_text, read_small
from neatd.read.testcounts import MOST_NAMES, Counts

FOLDER = ".pytest_cache/v/cache"
FILES = ("lastfailed", "nodeids")  # both relative to FOLDER
_LARGEST = 32 << 20


class CacheResult(NamedTuple):
    """What the cache told."""

    counts: Counts  # passed and skipped are unknown
    known: int | None  # how many tests were ever collected here


def read_cache(root: Path) -> CacheResult:
    """The cache below `root`. Raises NeatError for what pytest did not write; OSError."""
    failed, known = _load(root / FOLDER / "lastfailed"), _load(root / FOLDER / "nodeids")
    if not isinstance(failed, dict | None) or not isinstance(known, list | None) or (failed is None and known is None):
        raise NeatError(f"{root / FOLDER}: not as pytest writes it", "`pytest --cache-clear` makes it anew")
    names = [name for name, value in (failed or {}).items() if value is True and is_text(name)]
    there = {name for name in {name.partition("::")[0] for name in names} if _is_there(root, name)}
    names = [name for name in names if name.partition("::")[0] in there]
    counts = Counts(None, len(names), None, tuple(name[:500] for name in names[:MOST_NAMES]), ("pytest",))
    return CacheResult(counts, None if known is None else len(known))


def _is_there(root: Path, name: str) -> bool:
    """Whether a test's file is still there: one that is not was not collected and failed nothing. Nothing outside of
    the project is looked at: what pytest says of that stands."""
    path = Path(name)
    return path.is_absolute() or ".." in path.parts or os.path.exists(root / path)  # noqa: PTH110 - false for any odd name


def _load(path: Path) -> object:
    """A file's JSON; None when there is no such file: nothing has failed yet."""
    try:
        return json.loads(read_small(path, _LARGEST))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as error:
        raise NeatError(f"{path}: not JSON: {error}", "`pytest --cache-clear` makes it anew") from error
