"""What studies showed, as `neat study analyze --json` prints it and the page draws it. Optuna loads at the first call."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from neatd.models import Study
from neatd.pipeline.studied import Loaded, of_store
from neatd.studies.analysis import Analysis, analyse, trial_shape
from neatd.studies.importances import importances
from neatd.studies.matrix import matrix
from neatd.studies.shapes import analysis_shape, matrix_shape

EVALUATOR = "ped-anova"


def analysed(loaded: Sequence[Loaded], evaluator: str = EVALUATOR, wanted: int | None = None) -> list[Analysis]:
    """The tables of each study; `wanted` is how many of the best are compared with the others. Seconds for large ones."""
    return [analyse(one.searched, importances(one.searched, evaluator), wanted) for one in loaded]


def analyses_shape(found: Sequence[Analysis], rows: str = "", columns: str = "") -> dict[str, Any]:
    """One study's analysis; of several, or with axes, {matrix, studies}."""
    if len(found) == 1 and not (rows or columns):
        return analysis_shape(found[0])
    return {"matrix": matrix_shape(matrix(found, rows, columns)), "studies": [analysis_shape(one) for one in found]}


def study_analysis(
    records: sqlite3.Connection, points: sqlite3.Connection, study: Study, evaluator: str = EVALUATOR,
    wanted: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    """One stored study, as `neat study analyze NAME --json` prints it; `study_trials` has what figures are drawn of."""
    return analyses_shape(analysed([of_store(records, points, study)], evaluator, wanted))


def study_trials(records: sqlite3.Connection, points: sqlite3.Connection, study: Study) -> list[dict[str, Any]]:
    """The trials, each point as it ended the last time: a millisecond each hundred, and no Optuna."""
    return [trial_shape(one) for one in of_store(records, points, study).searched.last_tries]
