"""Optuna's database (its RDB storage): which studies are in it, and what is new of one. Asks and maps; opens nothing.

Trials end in another order than they began: the state keeps the unfinished ones, as ranges of ids, and looks at them
again. Rows come in the order of the trials' ends, as far as one poll sees them; steps are trial numbers and go back.
Where a study was deleted and made anew under its name, it is read anew, and `generation` in the state counts that.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Iterator
from typing import Any

from neatd.read.placed import Inside
from neatd.read.rows import Fed, Parsed
from neatd.read.runnames import folder_part, unique_names
from neatd.read.sqlitefile import Ask, Row
from neatd.read.trials import (
    FINISHED,
    Params,
    Trial,
    new_study,
    report_row,
    shown_distribution,
    study_told,
    trial_row,
    unix_seconds,
)

TABLES = {"studies", "study_directions", "trials", "trial_params", "trial_values", "version_info"}
_PAGE = 1000  # trials of one statement: a few milliseconds
_WINDOW = 20_000  # rows that one statement walks over
_IDS = 500  # named in one statement; SQLite allows 999 in its older builds
_INFINITE = {"INF_POS": math.inf, "INF_NEG": -math.inf, "NAN": math.nan}

_COUNTS = """
SELECT study_id, count(*), sum(state = 'RUNNING'), sum(state = 'WAITING'), max(trial_id), max(datetime_complete)
FROM trials WHERE trial_id > ? AND trial_id <= ? GROUP BY study_id
"""
_REPORTED = """
SELECT t.study_id, max(v.trial_intermediate_value_id) FROM trials t
CROSS JOIN trial_intermediate_values v ON v.trial_id = t.trial_id
WHERE t.trial_id > ? AND t.trial_id <= ? AND t.state = 'RUNNING' GROUP BY t.study_id
"""
_TRIALS = "SELECT trial_id, number, state, datetime_start, datetime_complete FROM trials WHERE study_id = ?"
_NEW = f"{_TRIALS} AND trial_id > ? ORDER BY trial_id LIMIT ?"
_OPEN = f"{_TRIALS} AND trial_id BETWEEN ? AND ? ORDER BY trial_id"
_REPORTS = """
SELECT v.trial_intermediate_value_id, t.number, v.step, v.intermediate_value, v.intermediate_value_type
FROM trial_intermediate_values v CROSS JOIN trials t ON t.trial_id = v.trial_id
WHERE v.trial_intermediate_value_id > ? AND v.trial_intermediate_value_id <= ? AND t.study_id = ?
ORDER BY v.trial_intermediate_value_id LIMIT ?
"""


def runs_inside(ask: Ask) -> list[Inside]:
    """The studies, oldest first. A study's key is its name, which is unique and stays."""
    studies = ask("SELECT study_id, study_name FROM studies ORDER BY study_id", ())
    marks: dict[int, list[str]] = {}
    for first, last in _windows(ask, "trials", "trial_id"):
        for sql in (_COUNTS, _REPORTED):
            for study_id, *mark in ask(sql, (first, last)):
                marks.setdefault(study_id, []).append(":".join(str(part) for part in mark))
    names = unique_names((name, folder_part(name)) for _, name in studies)
    return [Inside(name, names[name], " ".join(marks.get(study_id, []))) for study_id, name in studies]


def _windows(ask: Ask, table: str, column: str, after: int = 0) -> Iterator[tuple[int, int]]:
    """(behind this id, up to this one) over a table, so that no statement is long."""
    while True:
        inner = f"SELECT {column} AS id FROM {table} WHERE {column} > ? ORDER BY {column} LIMIT ?"
        last = ask(f"SELECT max(id) FROM ({inner})", (after, _WINDOW))[0][0]
        if last is None:
            return
        yield after, last
        after = last


def poll(ask: Ask, key: str, state: dict[str, Any], seq: int, limit: int) -> Fed:
    """A row for each trial that ended, and for each value reported on the way."""
    found = ask("SELECT study_id FROM studies WHERE study_name = ?", (key,))
    if not found:
        return Fed([], 0, seq, state)
    study_id: int = found[0][0]
    state = _going_on(ask, study_id, key, copy.deepcopy(state))
    is_utc = _is_utc(ask)
    rows: list[Parsed] = []
    for trials in _trials(ask, study_id, state):
        ended = [one for one in trials if one[2] in FINISHED]
        for trial in sorted(_whole(ask, ended, is_utc), key=lambda one: (one.ended or math.inf, one.number)):
            rows.append(trial_row(state["study"], trial, seq + len(rows) + 1))
        if len(rows) >= limit:
            break
    for number, step, value in _reports(ask, study_id, state, limit - len(rows)):
        rows.append(report_row(number, step, value, seq + len(rows) + 1))
    told = study_told(state["study"], *_unfinished(ask, study_id, state["open"]))
    return Fed(rows, 0, seq + len(rows), state, [], told)


def _going_on(ask: Ask, study_id: int, name: str, state: dict[str, Any]) -> dict[str, Any]:
    """The state, or a new one when the study is not the one that was read."""
    if anchor := state.get("anchor"):
        trial_id, number, start = anchor
        for known in ask(f"{_TRIALS} AND trial_id = ?", (study_id, trial_id)):
            if known[1] == number and start in (None, known[3]):
                return state
    elif state:
        return state
    directions = ask("SELECT direction FROM study_directions WHERE study_id = ? ORDER BY objective", (study_id,))
    study = new_study(name, [direction for (direction,) in directions])
    generation = state["generation"] + 1 if state else 0
    return {"study": study, "last": 0, "open": [], "report": 0, "anchor": None, "generation": generation}


def _is_utc(ask: Ask) -> bool:
    """Times name no zone: UTC since version 5, the writer's own before."""
    version = ask("SELECT library_version FROM version_info", ())
    major = str(version[0][0]).partition(".")[0] if version else ""
    return major.isdigit() and int(major) >= 5


def _trials(ask: Ask, study_id: int, state: dict[str, Any]) -> Iterator[list[Row]]:
    """Pages of trials that may have ended since; what the state says is behind each page when it comes."""
    pages = [ask(_OPEN, (study_id, first, last)) for first, last in state["open"]]
    state["open"] = _ranges(one for page in pages for one in page)
    yield [one for page in pages for one in page]
    while page := ask(_NEW, (study_id, state["last"], _PAGE)):
        trial_id, number, _, start, _ = page[-1]
        state |= {"last": trial_id, "anchor": [trial_id, number, start]}
        state["open"] += _ranges(page)
        yield page


def _ranges(trials: Iterable[Row]) -> list[list[int]]:
    """The ids of the unfinished ones, as ranges of at most _PAGE: a study may have thousands enqueued."""
    found: list[list[int]] = []
    for trial_id, _, state, *_ in trials:
        if state in FINISHED:
            continue
        if found and found[-1][1] == trial_id - 1 and trial_id - found[-1][0] < _PAGE:
            found[-1][1] = trial_id
        else:
            found.append([trial_id, trial_id])
    return found


def _unfinished(ask: Ask, study_id: int, ranges: list[list[int]]) -> tuple[int, int]:
    """How many trials are running, and how many wait."""
    states = [one[2] for first, last in ranges for one in ask(_OPEN, (study_id, first, last))]
    return states.count("RUNNING"), states.count("WAITING")


def _whole(ask: Ask, ended: list[Row], is_utc: bool) -> list[Trial]:
    """The trials with their values and parameters, which were committed with their end or before."""
    values: dict[int, list[float | None]] = {}
    params: dict[int, Params] = {}
    for begin in range(0, len(ended), _IDS):
        ids = [one[0] for one in ended[begin : begin + _IDS]]
        for trial_id, value, kind in ask(_of("value, value_type", "trial_values", "objective", ids), ids):
            values.setdefault(trial_id, []).append(_INFINITE.get(kind, value))
        for trial_id, *param in ask(
            _of("param_name, param_value, distribution_json", "trial_params", "param_id", ids), ids
        ):
            name, number, distribution = param
            params.setdefault(trial_id, {})[name] = (number, shown_distribution(name, distribution))
    return [
        Trial(
            number, state, unix_seconds(start, is_utc), unix_seconds(end, is_utc),
            values.get(trial_id, []), params.get(trial_id, {}),
        )
        for trial_id, number, state, start, end in ended
    ]  # fmt: skip


def _of(columns: str, table: str, order: str, ids: list[int]) -> str:
    places = ", ".join("?" * len(ids))
    return f"SELECT trial_id, {columns} FROM {table} WHERE trial_id IN ({places}) ORDER BY trial_id, {order}"


def _reports(ask: Ask, study_id: int, state: dict[str, Any], most: int) -> Iterator[tuple[int, object, object]]:
    """(trial's number, its step, the value), in the order of their commits."""
    for first, last in _windows(ask, "trial_intermediate_values", "trial_intermediate_value_id", state["report"]):
        if most <= 0:
            return
        page = ask(_REPORTS, (first, last, study_id, most))
        most -= len(page)
        for report_id, number, step, value, kind in page:
            state["report"] = report_id
            yield number, step, _INFINITE.get(kind, value)
