"""Who calls a tool and from where: the assistant, its folder, and the store opened for one call. Nothing stays open between."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from neatd.place import Place, here, neat_home

if TYPE_CHECKING:
    from neatd.pipeline.stores import Stores


class Caller(NamedTuple):
    """An assistant's call. `source` is its name on what it keeps."""

    home: Path
    folder: Path
    source: str

    @property
    def place(self) -> Place:
        """The project around the folder; raises NeatError outside of any."""
        return here(self.folder)

    @contextmanager
    def stores(self) -> Iterator[Stores]:
        """Both databases, opened for this call."""
        from neatd.pipeline.stores import open_stores

        with open_stores(self.home, self.place) as opened:
            yield opened


def caller(source: str) -> Caller:
    """The caller as the environment tells it now: Claude Code names the folder it was started in."""
    return Caller(neat_home(), _folder(), source)


def _folder() -> Path:
    told = os.environ.get("CLAUDE_PROJECT_DIR", "")
    return Path(told) if told and Path(told).is_absolute() else Path()
