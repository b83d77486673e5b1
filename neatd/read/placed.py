"""Where a run's numbers lie: a file with its run and its format, and a run inside a database."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Placed(NamedTuple):
    """A file that is read for a run: where, of which run, and how."""

    path: Path
    folder: Path  # of the run: the folder that holds the metrics, or the database itself for `key` inside it
    stream: str  # what it belongs to, relative to the run's folder: files of one stream go on from each other
    format: str  # a name in `neatd.read.formats.table.FORMATS`
    label: str = ""  # goes before the names of its series: "validation/"
    key: str = ""  # the run inside a database


class Inside(NamedTuple):
    """One run inside a database file."""

    key: str  # stable over the run's life
    name: str  # one folder-like name, for people; unique within the database
    mark: str  # other than before as soon as there is something new to read of it
