"""What vouches for a record: evidence from runs and the conditions under which it holds, as a person types them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from neatd.place import here, neat_home
from neatd.store.evidence import fix_condition, parse_evidence, resolve_evidence
from neatd.store.opening import OutOfReachError, connect
from neatd.store.short import is_out_of_reach


def evidence(texts: Sequence[str]) -> list[dict[str, Any]]:
    """Each RUN[:METRIC[@STEP]] with its value and the source's hash; as typed where the store is out of reach."""
    specs = [parse_evidence(text) for text in texts]
    place, home = here(), neat_home()
    try:
        with closing(connect(home)) as records, closing(connect(home, "points")) as points:
            return [resolve_evidence(records, points, place.project_id, spec) for spec in specs]
    except (OutOfReachError, OSError, sqlite3.OperationalError) as error:
        if not is_out_of_reach(error):
            raise
        return [{"claim": text} for text in texts]


def conditions(texts: Sequence[str]) -> list[str]:
    """Each condition checked, with the hash or the whole commit filled in."""
    root = here().root
    return [fix_condition(text, root) for text in texts]
