"""What an event holds besides its message, in a line: its episode, the series that joined it, the difference to the last
good run. Pure: details in, words out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MOST = 8  # parameters or names in a line


def course(details: Mapping[str, Any]) -> str:
    """How it went on: "steps 202-209, peak 4.012 at 204; and 2 other series: a, b". "" where nothing is known."""
    return "; ".join(filter(None, (_episode(details.get("episode")), _also(details.get("also")))))


def difference(told: Mapping[str, Any]) -> str:
    """Parameters and code against the last good run: "lr 0.1 -> 0.2; 2 files, +3 -1: train.py, model.py"."""
    parameters = [f"{name} {old} -> {new}" for name, (old, new) in list(told["parameters"].items())[:_MOST]]
    more = len(told["parameters"]) - len(parameters) + told.get("more_parameters", 0)
    parameters += [f"{more} more"] if more else []
    dirty = list(told.get("uncommitted", ()))
    uncommitted = ", ".join(dirty[:_MOST]) + (", …" if len(dirty) > _MOST else "")
    parts = (", ".join(parameters), told.get("code", ""), f"uncommitted: {uncommitted}" if dirty else "")
    return "; ".join(one for one in parts if one) or "no difference is known"


def _episode(told: Mapping[str, Any] | None) -> str:
    if not told:
        return ""
    return f"steps {told['start_step']}-{told['end_step']}, peak {_number(told['peak'])} at {told['peak_step']}"


def _also(told: Mapping[str, Any] | None) -> str:
    if not told:
        return ""
    names = list(told["series"])[:_MOST]
    more = ", …" if told["count"] > len(names) else ""
    series = f"and {told['count']} other series: {', '.join(names)}{more}" if told["count"] else ""
    rules = f"by {', '.join(told['rules'])} too" if told.get("rules") else ""
    return "; ".join(one for one in (series, rules) if one)


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
