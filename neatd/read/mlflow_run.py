"""What an MLflow run says about itself, whichever store it was in. Pure.

The user's name is among MLflow's tags and is never taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neatd.read.rows import Told

MOST_PARAMS = 20_000  # that are read of one run
# By number in the file store's meta.yaml, by name in the database. A scheduled run says nothing yet.
_STATUS = {
    1: "running", 3: "finished", 4: "failed", 5: "killed",
    "RUNNING": "running", "FINISHED": "finished", "FAILED": "failed", "KILLED": "killed",
}  # fmt: skip
_WORDS: dict[str, Any] = {"True": True, "False": False, "None": None}
_LONGEST_NUMBER = 40  # letters


def run_told(run: Mapping[str, Any], params: Mapping[str, str], tags: Mapping[str, str]) -> Told:
    """`run` has status, start_time and end_time (milliseconds) and run_name, each of which may be missing."""
    told = Told(config={name: plain_value(text) for name, text in params.items()})
    status, name = run.get("status"), run.get("run_name") or tags.get("mlflow.runName")
    if isinstance(status, int | str) and status in _STATUS:
        told["status"] = _STATUS[status]
    if isinstance(name, str) and name:
        told["name"] = name
    if (start := _seconds(run.get("start_time"))) is not None:
        told["started_at"] = start
    if (end := _seconds(run.get("end_time"))) is not None:
        told["ended_at"] = end
    if commit := tags.get("mlflow.source.git.commit"):
        told["commit"] = commit
    if command := tags.get("mlflow.source.name"):
        told["command"] = command
    return told


def _seconds(milliseconds: object) -> float | None:
    is_time = isinstance(milliseconds, int) and not isinstance(milliseconds, bool) and 0 < milliseconds < 1e17
    return milliseconds / 1000 if is_time else None  # type: ignore[operator]


def plain_value(text: str) -> Any:
    """A parameter as it was before MLflow wrote it with `str`: a value only if Python writes that value so, else the text."""
    if text in _WORDS:
        return _WORDS[text]
    for kind in (int, float) if len(text) <= _LONGEST_NUMBER else ():
        try:
            value = kind(text)
        except ValueError:
            continue
        if str(value) == text and abs(value) < 2**63:  # NaN and larger ones stay text, which JSON and the store hold
            return value
    return text
