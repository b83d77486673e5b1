"""Settings files of other programs, read as anybody's: of bounded size, of any shape. Writes nothing.

What cannot be read is kept with its reason instead of raised; a value of another type is not there.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from neatd.files import read_small

LARGEST = 32 << 20  # Claude Code's own file of a user's projects may be some megabytes
Pairs = list[tuple[str, Any]]


class Unread(NamedTuple):
    """A file that cannot be read, and why."""

    path: Path
    why: str


class Files:
    """Files that are read, and those that could not be."""

    def __init__(self) -> None:
        self.unread: list[Unread] = []

    def json(self, path: Path, see: Callable[[Pairs], None] = lambda pairs: None) -> dict[str, Any]:
        """The object in a JSON file; empty where there is none, or none that can be read. `see` gets the pairs of each
        object in it, of which the object keeps the last of a name."""

        def keep(pairs: Pairs) -> dict[str, Any]:
            see(pairs)
            return dict(pairs)

        def parsed(text: str) -> Any:
            return json.loads(text, object_pairs_hook=keep)

        return self._parsed(path, parsed, "{}")

    def toml(self, path: Path) -> dict[str, Any]:
        """The tables of a TOML file; empty where there is none, or none that can be read."""
        return self._parsed(path, tomllib.loads, "")

    def _parsed(self, path: Path, parse: Callable[[str], Any], nothing: str) -> dict[str, Any]:
        try:
            found = parse(read_small(path, LARGEST).decode("utf-8-sig").strip() or nothing)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            return self._said(path, str(error.strerror))
        except json.JSONDecodeError as error:
            return self._said(path, f"line {error.lineno} is no JSON (a comment, or a slip): {error.msg}")
        except RecursionError:
            return self._said(path, "it is nested too deep")
        except ValueError as error:
            return self._said(path, str(error))
        return found if isinstance(found, dict) else self._said(path, "it is no object")

    def _said(self, path: Path, why: str) -> dict[str, Any]:
        self.unread.append(Unread(path, why))
        return {}


def table(values: Any, name: str) -> dict[str, Any]:
    """The object that is called `name` in another; empty where none is."""
    found = values.get(name) if isinstance(values, dict) else None
    return found if isinstance(found, dict) else {}
