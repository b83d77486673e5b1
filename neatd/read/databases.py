"""Runs inside databases of other programs: MLflow's and Optuna's SQLite files. Reads only.

Cheap when nothing happened: the caller asks `stamp` first, and polls only runs whose mark changed. A poll that gave
`limit` rows or more may have left some: poll again.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from neatd.read import mlflow_db, optuna_db
from neatd.read.placed import Inside
from neatd.read.rows import Fed
from neatd.read.sqlitefile import BusyDatabase, NotADatabase, reading, stamp

__all__ = ["BusyDatabase", "Kind", "NotADatabase", "kind_of", "poll", "runs_inside", "stamp"]

Kind = Literal["mlflow", "optuna"]
LIMIT = 20_000  # rows of one poll
_MODULES: dict[Kind, ModuleType] = {"mlflow": mlflow_db, "optuna": optuna_db}


def kind_of(path: Path) -> Kind | None:
    """Whose database it is; None for another's, and for what is no database.

    Raises BusyDatabase when that cannot be seen now (do not remember it), OSError when the file cannot be read.
    """
    try:
        with reading(path) as ask:
            tables = {name for (name,) in ask("SELECT name FROM sqlite_master WHERE type = 'table'", ())}
    except NotADatabase:
        return None
    return next((kind for kind, module in _MODULES.items() if tables >= module.TABLES), None)


def runs_inside(path: Path, kind: Kind | None = None) -> list[Inside]:
    """All runs, whatever their number, in the order in which they were made. Raises as `kind_of` does."""
    module = _module(path, kind)
    with reading(path) as ask:
        found: list[Inside] = module.runs_inside(ask)
    return found


def poll(path: Path, key: str, state: dict[str, Any], seq: int, limit: int = LIMIT, kind: Kind | None = None) -> Fed:
    """What is new of one run after `state`; nothing at all once the run is gone. Raises as `kind_of` does."""
    module = _module(path, kind)
    with reading(path) as ask:
        found: Fed = module.poll(ask, key, state, seq, limit)
    return found


def _module(path: Path, kind: Kind | None) -> ModuleType:
    known = kind or kind_of(path)
    if known is None:
        raise NotADatabase(f"{path} is no database of MLflow's or Optuna's")
    return _MODULES[known]
