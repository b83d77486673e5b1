"""Every study of an Optuna journal, whole: its operations replayed, user attributes and values on the way kept.

A torn last line is passed over and said; an operation that cannot be read is too. Nothing is written to the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from neatd.read.metrics import parse_object
from neatd.read.othertrials import (
    INTERMEDIATE,
    STATES,
    OtherStudy,
    OtherTrial,
    clean,
    distribution,
    external,
    number,
    report,
)
from neatd.read.trials import unix_seconds

_STATES = ("RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING")
_FINISHED = frozenset({"COMPLETE", "PRUNED", "FAIL"})
_Line = dict[str, Any]


def studies_in(lines: Iterable[bytes]) -> list[OtherStudy]:
    """The studies that were not deleted, oldest first."""
    replay = _Replay()
    for line in lines:
        if line.strip():
            replay.take(line)
    return replay.studies_left()


class _Replay:
    """Studies and trials by the order of their creation, which is their ids."""

    def __init__(self) -> None:
        self.studies: list[_Line] = []
        self.trials: list[_Line] = []
        self.refused = 0

    def take(self, line: bytes) -> None:
        operation = parse_object(line)
        if isinstance(operation, str):
            self.refused += 1
            return
        known = _OPERATIONS.get(operation.get("op_code"))
        try:
            if known:
                known(self, operation)
        except (KeyError, TypeError, ValueError, LookupError, AttributeError):
            self.refused += 1

    def create_study(self, line: _Line) -> None:
        """A name that is there already is not made again."""
        name = str(line["study_name"])
        if not any(one["name"] == name and not one["is_deleted"] for one in self.studies):
            directions = tuple("max" if one == 2 else "min" for one in line["directions"])
            self.studies.append(
                {"name": name, "directions": directions, "attributes": {}, "trials": [], "is_deleted": False}
            )

    def delete_study(self, line: _Line) -> None:
        self.studies[line["study_id"]]["is_deleted"] = True

    def set_study_attribute(self, line: _Line) -> None:
        self.studies[line["study_id"]]["attributes"] |= line["user_attr"]

    def create_trial(self, line: _Line) -> None:
        """Of a trial that is added whole, all is here; a deleted study's has no number."""
        study = self.studies[line["study_id"]]
        if study["is_deleted"]:
            return
        trial: _Line = {
            "number": len(study["trials"]), "state": _STATES[line.get("state", 0)], "params": {}, "distributions": {},
            "start": _time(line.get("datetime_start")), "end": _time(line.get("datetime_complete")),
            "values": _values(line), "attributes": dict(line.get("user_attrs") or {}), "curve": {},
        }  # fmt: skip
        for name, internal in (line.get("params") or {}).items():
            _set_param(trial, str(name), internal, line["distributions"][name])
        for step, value in (line.get("intermediate_values") or {}).items():
            trial["curve"][int(step)] = report(value)
        study["trials"].append(trial)
        self.trials.append(trial)

    def set_param(self, line: _Line) -> None:
        if trial := self._open(line):
            _set_param(trial, str(line["param_name"]), line["param_value_internal"], line["distribution"])

    def set_state(self, line: _Line) -> None:
        if trial := self._open(line):
            trial["state"] = _STATES[line["state"]]
            if trial["state"] in _FINISHED:
                trial |= {"end": _time(line.get("datetime_complete")), "values": _values(line) or trial["values"]}
            trial["start"] = _time(line.get("datetime_start")) or trial["start"]

    def report(self, line: _Line) -> None:
        if trial := self._open(line):
            trial["curve"][int(line["step"])] = report(line["intermediate_value"])

    def set_attribute(self, line: _Line) -> None:
        if trial := self._open(line):
            trial["attributes"] |= line["user_attr"]

    def _open(self, line: _Line) -> _Line | None:
        """The trial while it may be changed: Optuna passes over what comes after its end."""
        trial = self.trials[line["trial_id"]]
        return None if trial["state"] in _FINISHED else trial

    def studies_left(self) -> list[OtherStudy]:
        notes = (f"{self.refused} lines of the journal could not be read",) if self.refused else ()
        return [
            OtherStudy(
                one["name"], one["directions"], tuple(_trial(trial) for trial in one["trials"]),
                attributes=clean(one["attributes"]), notes=notes,
            ) for one in self.studies if not one["is_deleted"]
        ]  # fmt: skip


def _set_param(trial: _Line, name: str, internal: object, text: str) -> None:
    known = trial["distributions"][name] = distribution(name, text)
    trial["params"][name] = external(internal, known)


def _trial(one: _Line) -> OtherTrial:
    curve = sorted(one["curve"].items())
    return OtherTrial(
        one["number"], STATES[one["state"]], clean(one["params"]), clean(one["attributes"]), one["values"],
        {INTERMEDIATE: curve} if curve else {}, one["start"], one["end"], distributions=one["distributions"],
    )  # fmt: skip


def _values(line: _Line) -> tuple[float | None, ...]:
    several = line.get("values")
    if several is None:
        return (number(line["value"]),) if line.get("value") is not None else ()
    return tuple(number(one) for one in several)


def _time(text: object) -> float | None:
    return None if text is None else unix_seconds(text, is_utc=False)


_OPERATIONS: dict[object, Callable[[_Replay, _Line], None]] = {
    0: _Replay.create_study, 1: _Replay.delete_study, 2: _Replay.set_study_attribute, 4: _Replay.create_trial,
    5: _Replay.set_param, 6: _Replay.set_state, 7: _Replay.report, 8: _Replay.set_attribute,
}  # fmt: skip
