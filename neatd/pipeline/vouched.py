"""What vouches for a record: evidence from runs and the conditions under which it holds, as somebody types them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from neatd.config import load_project
from neatd.pipeline.vouching import fix_condition, resolve
from neatd.place import Place
from neatd.store.evidence import parse_evidence
from neatd.store.opening import OutOfReachError, connect
from neatd.store.short import is_out_of_reach

_Stores = tuple[sqlite3.Connection, sqlite3.Connection]


def evidence(home: Path, place: Place, texts: Sequence[str]) -> list[dict[str, Any]]:
    """Each RUN[:METRIC[@STEP]] with its value and the source's hash; as typed where the store is out of reach."""
    specs = [parse_evidence(text) for text in texts]
    primary = load_project(place.root).primary
    with _stores(home) as stores:
        if stores is None:
            return [{"claim": text} for text in texts]  # the daemon looks it up when it takes the record in
        return [resolve(*stores, place.project_id, spec, primary=primary) for spec in specs]


def conditions(home: Path, place: Place, texts: Sequence[str]) -> list[str]:
    """Each condition checked, with the hash or the whole commit filled in."""
    with _stores(home) as stores:
        known = (stores[0], place.project_id) if stores else ()
        return [fix_condition(text, place.root, *known) for text in texts]


@contextmanager
def _stores(home: Path) -> Iterator[_Stores | None]:
    """Records and points; None where a sandbox keeps them out of reach."""
    try:
        records = connect(home)
    except (OutOfReachError, OSError, sqlite3.OperationalError) as error:
        if not is_out_of_reach(error):
            raise
        yield None
        return
    with closing(records), closing(connect(home, "points")) as points:
        yield records, points
