"""A file with studies that others made: an Optuna database, an Optuna journal, or JSON. Reads only, unpickles nothing.

Raises NeatError for a file that is none of these, or that cannot be read.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

from neatd.errors import NeatError
from neatd.files import open_regular, read_small
from neatd.read import optuna_db, optuna_replay, optuna_whole, trialslist
from neatd.read.othertrials import OtherStudy
from neatd.read.sqlitefile import BusyDatabase, NotADatabase, reading

LARGEST = 1 << 30  # bytes of a document
LONGEST_LINE = 64 << 20
WAIT_S = 5.0  # for a writer of the database
_SQLITE = b"SQLite format 3\0"
HINT = "neat reads Optuna's database (SQLite) and journal, and JSON with a list of trials"


def studies_of(path: Path, metric: str = "") -> list[OtherStudy]:
    """The studies of a file. `metric` names the field of a JSON's trials that is the value."""
    try:
        with open_regular(path) as file:
            head = file.readline(1 << 16)
        if head.startswith(_SQLITE):
            return _of_database(path)
        if b'"op_code"' in head:
            return optuna_replay.studies_in(_lines(path))
        return trialslist.studies_in(_document(path), _stem(path), metric)
    except OSError as error:
        raise NeatError(f"{path} cannot be read: {error.strerror or error}", HINT) from error
    except NeatError as error:
        raise NeatError(f"{path}: {error.message}", error.hint) from error


def _of_database(path: Path) -> list[OtherStudy]:
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            with reading(path) as ask:
                names = {name for (name,) in ask("SELECT name FROM sqlite_master WHERE type = 'table'", ())}
                if not names >= optuna_db.TABLES:
                    raise NeatError("it is no database of Optuna's", HINT)
                return optuna_whole.studies_in(ask)
        except BusyDatabase:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        except NotADatabase as error:
            raise NeatError("it is no database", HINT) from error


def _lines(path: Path) -> Iterator[bytes]:
    with open_regular(path) as file:
        while line := file.readline(LONGEST_LINE):
            yield line


def _document(path: Path) -> object:
    try:
        return json.loads(read_small(path, LARGEST).decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise NeatError("it is neither a database nor JSON", HINT) from error


def _stem(path: Path) -> str:
    """A name for a study that has none: the file's, without what says that it holds trials."""
    for ending in ("_all_trials", "_trials", "-trials"):
        if path.stem.endswith(ending) and path.stem != ending:
            return path.stem.removesuffix(ending)
    return path.stem
