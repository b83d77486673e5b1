"""Every study of an Optuna database, whole, with parameters, user attributes and values on the way. Asks; opens nothing.

The database is never migrated: what only newer ones have is looked for first. Statements are short pages, so a writer
waits for none of them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

from neatd.read.othertrials import (
    INTERMEDIATE,
    STATES,
    OtherStudy,
    OtherTrial,
    clean,
    distribution,
    external,
    report,
)
from neatd.read.sqlitefile import Ask, Row
from neatd.read.trials import unix_seconds

PAGE = 5000  # rows of one statement: some milliseconds
_INFINITE = {"INF_POS": math.inf, "INF_NEG": -math.inf, "NAN": math.nan}


def studies_in(ask: Ask, wanted: Callable[[str], bool] = lambda name: True) -> list[OtherStudy]:
    """The studies whose names are wanted, oldest first. Raises OSError when the database cannot be read."""
    known = ask("SELECT study_id, study_name FROM studies ORDER BY study_id", ())
    is_utc = _is_utc(ask)
    return [_study(ask, study_id, str(name), is_utc) for study_id, name in known if wanted(str(name))]


def _study(ask: Ask, study_id: int, name: str, is_utc: bool) -> OtherStudy:
    directions = ask("SELECT direction FROM study_directions WHERE study_id = ? ORDER BY objective", (study_id,))
    attributes = _attributes(ask("SELECT key, value_json FROM study_user_attributes WHERE study_id = ?", (study_id,)))
    trials = list(_pages(ask, "trial_id, number, state, datetime_start, datetime_complete", "trials", "", study_id))
    parts = _Parts(ask, study_id)
    return OtherStudy(
        name, tuple("max" if one == "MAXIMIZE" else "min" for (one,) in directions),
        tuple(parts.trial(row, is_utc) for row in sorted(trials, key=lambda row: row[1])), attributes=attributes,
    )  # fmt: skip


class _Parts:
    """What belongs to the trials of a study, by their ids."""

    def __init__(self, ask: Ask, study_id: int) -> None:
        def of(columns: str, table: str, column: str) -> dict[int, list[Row]]:
            found: dict[int, list[Row]] = {}
            for trial_id, _, *rest in _pages(ask, f"x.trial_id, x.{column}, {columns}", table, column, study_id):
                found.setdefault(trial_id, []).append(tuple(rest))
            return found

        values = _typed(ask, "trial_values", "value")
        reports = _typed(ask, "trial_intermediate_values", "intermediate_value")
        self.values = of(f"x.objective, {values}", "trial_values", "trial_value_id")
        self.params = of("x.param_name, x.param_value, x.distribution_json", "trial_params", "param_id")
        self.attributes = of("x.key, x.value_json", "trial_user_attributes", "trial_user_attribute_id")
        self.reports = of(f"x.step, {reports}", "trial_intermediate_values", "trial_intermediate_value_id")

    def trial(self, row: Row, is_utc: bool) -> OtherTrial:
        trial_id, number, state, start, end = row
        texts = {name: distribution(name, text) for name, _, text in self.params.get(trial_id, ())}
        params = {name: external(value, texts[name]) for name, value, _ in self.params.get(trial_id, ())}
        curve = sorted(
            (int(step), report(_INFINITE.get(kind, value))) for step, value, kind in self.reports.get(trial_id, ())
        )
        values = tuple(_INFINITE.get(kind, value) for _, value, kind in sorted(self.values.get(trial_id, ())))
        started, ended = (unix_seconds(one, is_utc) if one is not None else None for one in (start, end))
        return OtherTrial(
            number, STATES.get(state, "failed"), clean(params), _attributes(self.attributes.get(trial_id, [])), values,
            {INTERMEDIATE: curve} if curve else {}, started, ended, distributions=texts,
        )  # fmt: skip


def _pages(ask: Ask, columns: str, table: str, column: str, study_id: int) -> Iterator[Row]:
    """All rows of a study, in the order of their ids; of a table of parts by way of its trials."""
    key = column or "trial_id"
    join = "CROSS JOIN trials t ON t.trial_id = x.trial_id" if column else ""
    owner = "t" if column else "x"
    sql = f"SELECT {columns} FROM {table} x {join} WHERE {owner}.study_id = ? AND x.{key} > ? ORDER BY x.{key} LIMIT {PAGE}"
    after, place = 0, 1 if column else 0
    while page := ask(sql, (study_id, after)):
        yield from page
        after = page[-1][place]


def _typed(ask: Ask, table: str, column: str) -> str:
    """The value and its kind, of which databases before version 3 have none."""
    names = {row[1] for row in ask(f"PRAGMA table_info({table})", ())}
    return f"x.{column}, {'x.' + column + '_type' if column + '_type' in names else 'NULL'}"


def _attributes(rows: list[Row]) -> dict[str, Any]:
    return clean({str(key): _json(text) for key, text in rows})


def _json(text: object) -> Any:
    try:
        return json.loads(str(text))
    except (ValueError, RecursionError):
        return text


def _is_utc(ask: Ask) -> bool:
    """Times name no zone: UTC since version 5, the writer's own before."""
    version = ask("SELECT library_version FROM version_info", ())
    major = str(version[0][0]).partition(".")[0] if version else ""
    return major.isdigit() and int(major) >= 5
