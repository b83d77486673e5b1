"""Optuna's journal: one JSON operation a line, replayed as Optuna does. Pure.

The first study's rows are plain, the others' have "<study name>/" before their series. The ids of studies and trials
are not written: they are the order of creation. Kept between feeds: the studies and the unfinished trials.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from neatd.read.metrics import parse_object
from neatd.read.rows import BadLine, Fed, Feed, Parsed, Told, whole_lines
from neatd.read.trials import (
    FINISHED,
    Trial,
    begin_study,
    hidden_choices,
    new_study,
    report_row,
    study_config,
    study_told,
    trial_row,
    unix_seconds,
)
from neatd.redact import redact_value

_DIRECTIONS = {1: "MINIMIZE", 2: "MAXIMIZE"}
_STATES = {0: "RUNNING", 1: "COMPLETE", 2: "PRUNED", 3: "FAIL", 4: "WAITING"}
_IGNORED = {2, 3, 8, 9, 10}  # attributes of studies and trials; discarding trials, which Optuna passes over too
_Line = dict[str, Any]


def feeder(clean: Callable[[Any], Any]) -> Feed:
    """The parser; `clean` takes the secrets out of the choices of a parameter before they are kept."""

    def feed_journal(data: bytes, state: dict[str, Any], seq: int, label: str) -> Fed:
        """A row for each trial that ended and each value reported on the way; `neatd.read.trials` says what is in them."""
        lines, consumed = whole_lines(data)
        replay = _Replay(copy.deepcopy(state) if lines else state, seq, label, clean)
        for line in lines:
            if line.strip():
                replay.take(line)
        return Fed(replay.rows, consumed, replay.seq, replay.state, replay.bad, replay.told() if lines else Told())

    return feed_journal


feed = feeder(redact_value)


class _Replay:
    """The operations of one feed on a state."""

    def __init__(self, state: dict[str, Any], seq: int, label: str, clean: Callable[[Any], Any]) -> None:
        self.state = state or {"studies": [], "trials": 0, "open": {}}
        self.seq, self.label = seq, label
        self.hidden = lru_cache(maxsize=1024)(partial(hidden_choices, clean=clean))  # of a feed
        self.rows: list[Parsed] = []
        self.bad: list[BadLine] = []

    def take(self, line: bytes) -> None:
        operation = parse_object(line)
        if isinstance(operation, str):
            self._refuse(operation)
            return
        code = operation.get("op_code")
        known = _OPERATIONS.get(code) if isinstance(code, int) else None
        try:
            if known:
                known(self, operation)
            elif code not in _IGNORED:
                self._refuse("not an operation of Optuna's journal")
        except (KeyError, TypeError, ValueError, LookupError, AttributeError):
            self._refuse("an operation of Optuna's journal that lacks a part")

    def _refuse(self, why: str) -> None:
        self.seq += 1
        self.bad.append(BadLine(self.seq, why))

    def create_study(self, line: _Line) -> None:
        """A name that is there already is not made again."""
        name, studies = str(line["study_name"]), self.state["studies"]
        if any(one["name"] == name and not one["is_deleted"] for one in studies):
            return
        directions = [_DIRECTIONS.get(one, "MINIMIZE") for one in line["directions"]]
        studies.append({**new_study(name, directions), "trials": 0, "is_deleted": False})

    def delete_study(self, line: _Line) -> None:
        self.state["studies"][line["study_id"]]["is_deleted"] = True

    def create_trial(self, line: _Line) -> None:
        """Of a trial that is added whole, all is here; a deleted study's has no number."""
        study = self.state["studies"][line["study_id"]]
        if study["is_deleted"]:
            return
        distributions = line.get("distributions", {})
        trial = {
            "study": line["study_id"], "number": study["trials"], "state": _STATES[line.get("state", 0)],
            "start": _time(line.get("datetime_start")),
            "params": {name: [one, self.hidden(name, distributions[name])] for name, one in line.get("params", {}).items()},
        }  # fmt: skip
        trial_id = str(self.state["trials"])
        study["trials"] += 1
        self.state["trials"] += 1
        self.state["open"][trial_id] = trial
        begin_study(study, trial["start"])
        for step, value in (line.get("intermediate_values") or {}).items():
            self._report(trial, int(step), value)
        if trial["state"] in FINISHED:
            several = line.get("values")
            self._end(trial_id, several if several is not None else [line.get("value")], line)

    def set_param(self, line: _Line) -> None:
        if trial := self._open(line):
            name = str(line["param_name"])
            shown = self.hidden(name, line["distribution"])
            trial["params"][name] = [float(line["param_value_internal"]), shown]

    def set_state(self, line: _Line) -> None:
        if trial := self._open(line):
            trial["state"] = _STATES[line["state"]]
            if trial["state"] in FINISHED:
                self._end(str(line["trial_id"]), line.get("values") or [], line)
            elif trial["state"] == "RUNNING":
                trial["start"] = _time(line.get("datetime_start")) or trial["start"]
                begin_study(self.state["studies"][trial["study"]], trial["start"])

    def report(self, line: _Line) -> None:
        if trial := self._open(line):
            self._report(trial, line["step"], line["intermediate_value"])

    def _open(self, line: _Line) -> _Line | None:
        """The trial while it may be changed: Optuna passes over what comes after its end."""
        found: _Line | None = self.state["open"].get(str(line["trial_id"]))
        return found

    def _report(self, trial: _Line, step: object, value: object) -> None:
        self.seq += 1
        self.rows.append(report_row(trial["number"], step, value, self.seq, self._prefix(trial)))

    def _end(self, trial_id: str, values: list[float | None], line: _Line) -> None:
        one = self.state["open"].pop(trial_id)
        params = {name: (number, text) for name, (number, text) in one["params"].items()}
        ended = _time(line.get("datetime_complete"))
        trial = Trial(one["number"], one["state"], one["start"], ended, values, params)
        self.seq += 1
        self.rows.append(trial_row(self.state["studies"][one["study"]], trial, self.seq, self._prefix(one)))

    def _prefix(self, trial: _Line) -> str:
        name = self.state["studies"][trial["study"]]["name"]
        return f"{self.label}{name}/" if trial["study"] else self.label

    def told(self) -> Told:
        """Of the first study; the others' facts are in its `other_studies`."""
        if not self.state["studies"]:
            return Told()
        first, *others = self.state["studies"]
        told = study_told(first, *self._unfinished(0))
        if others:
            facts = {one["name"]: study_config(one, *self._unfinished(i)) for i, one in enumerate(others, start=1)}
            told["config"] |= {"other_studies": facts}
        return told

    def _unfinished(self, study: int) -> tuple[int, int]:
        """How many trials are running, and how many wait."""
        states = [one["state"] for one in self.state["open"].values() if one["study"] == study]
        return states.count("RUNNING"), states.count("WAITING")


_OPERATIONS: dict[int, Callable[[_Replay, _Line], None]] = {
    0: _Replay.create_study, 1: _Replay.delete_study, 4: _Replay.create_trial, 5: _Replay.set_param,
    6: _Replay.set_state, 7: _Replay.report,
}  # fmt: skip


def _time(text: object) -> float | None:
    return None if text is None else unix_seconds(text, is_utc=False)
