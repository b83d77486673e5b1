"""The analysis as JSON has it: plain dicts and lists, with `count` as its first figure. Pure."""

from __future__ import annotations

from typing import Any

from neatd.studies.analysis import Analysis, trial_shape
from neatd.studies.matrix import Matrix
from neatd.studies.tables import ByParameter, Figures
from neatd.studies.tried import Tried


def analysis_shape(found: Analysis) -> dict[str, Any]:
    """One study."""
    searched = found.searched
    return {
        "name": searched.name, "source": searched.source, "metric": searched.metric, "goal": searched.goal,
        "planned": searched.planned, "budget": searched.budget, **figures_shape(found.figures),
        "best_trial": _brief(found.best) if found.best else None,
        "importances": {
            "evaluator": found.importances.evaluator, "trials": found.importances.trials, "note": found.importances.note,
        },
        "parameters": [_parameter(one) for one in found.parameters],
        "best_trials": [_brief(one) for one in found.best_trials],
        "common": [one._asdict() for one in found.common],
        "pairs": [
            {**one._asdict(), "cells": [
                {one.first: cell.first, one.second: cell.second, **figures_shape(cell.figures)} for cell in one.cells
            ]} for one in found.pairs
        ],
        "diverged_trials": [trial_shape(one) for one in found.diverged],
        "history": [one._asdict() for one in found.history], "notes": list(found.notes),
    }  # fmt: skip


def matrix_shape(found: Matrix) -> dict[str, Any]:
    """Several studies by two axes."""
    cells = [{**one._asdict(), "count": one.counted} for one in found.cells]
    for one in cells:
        del one["counted"]
    return {**found._asdict(), "cells": cells}


def figures_shape(one: Figures) -> dict[str, Any]:
    """`counted` is `count` to whoever reads it; as a field's name it would hide a tuple's own."""
    return {("count" if name == "counted" else name): value for name, value in one._asdict().items()}


def _parameter(one: ByParameter) -> dict[str, Any]:
    rows = [{**row._asdict(), "figures": None, **figures_shape(row.figures)} for row in one.rows]
    for row in rows:
        del row["figures"]
    head = {"name": one.name, "is_derived": one.is_derived, "is_constant": one.is_constant}
    return {**head, "importance": one.importance, "values": rows}


def _brief(one: Tried) -> dict[str, Any]:
    return {"number": one.number, "value": one.value, "params": dict(one.params), "derived": dict(one.derived)}
