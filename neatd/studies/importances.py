"""How much each parameter decided, by Optuna's own evaluators, over trials from anywhere. Computes in memory only.

Under a budget they mislead: depth, width and heads trade off against one another, and what decided gets nothing. So
nobody shows them without the counts, bests, means and spreads of the values beside them (`analysis.py`).
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from neatd.errors import NeatError
from neatd.studies.grouping import WIDE, is_number
from neatd.studies.tried import Searched, Tried, value_of

if TYPE_CHECKING:
    from neatd.studies.optimizer import optuna

EVALUATORS = ("ped-anova", "fanova")
SEED = 0  # of the forest of fanova


class Importances(NamedTuple):
    """Parameter -> its share, summing to 1; {} where none can be told, and `note` says why."""

    evaluator: str
    shares: Mapping[str, float]
    trials: int = 0
    note: str = ""


def importances(searched: Searched, evaluator: str = EVALUATORS[0]) -> Importances:
    """Over the trials that count. Without Optuna there are none; raises NeatError for fanova without scikit-learn."""
    counted = searched.counted
    if len({value_of(one) for one in counted}) < 2:
        return Importances(evaluator, {}, len(counted), "it takes two trials with values that differ")
    try:
        from neatd.studies.optimizer import optuna
    except ImportError:
        return Importances(evaluator, {}, 0, 'they need optuna: pip install "neat-notebook[studies]"')
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        study, left_out = _study(searched, counted)
        taken = len(counted) - left_out
        shares = _shares(study, evaluator) if taken > 1 else {}
    notes = [str(one.message).split(". ")[0] for one in told if not issubclass(one.category, FutureWarning)]
    notes = [one for one in dict.fromkeys(notes) if "xperimental" not in one]
    if left_out:
        notes.append(f"{left_out} trials outside of the space are left out")
    return Importances(evaluator, shares, taken, "; ".join(notes))


def _shares(study: optuna.Study, evaluator: str) -> dict[str, float]:
    from neatd.studies.optimizer import optuna

    by = None
    if evaluator == "fanova":
        try:
            by = optuna.importance.FanovaImportanceEvaluator(seed=SEED)
        except ImportError as error:
            raise NeatError("fanova needs scikit-learn, which is not installed", "pip install scikit-learn") from error
    found = optuna.importance.get_param_importances(study, evaluator=by)
    return {name: float(share) for name, share in found.items()}


def _study(searched: Searched, counted: Sequence[Tried]) -> tuple[optuna.Study, int]:
    """(the trials as a study of Optuna's, in memory; how many of them it does not take)."""
    from neatd.studies.optimizer import optuna

    study = optuna.create_study(direction="minimize" if searched.goal == "min" else "maximize")
    seen = _seen(counted)
    made: dict[str, optuna.distributions.BaseDistribution] = {}
    left_out = 0
    for one in counted:
        texts = {name: one.space.get(name) or seen[name] for name in one.params}
        for text in texts.values():
            if text not in made:
                made[text] = optuna.distributions.json_to_distribution(text)
        params = {name: _plain(value) for name, value in one.params.items()}
        try:
            distributions = {name: made[text] for name, text in texts.items()}
            study.add_trial(optuna.trial.create_trial(value=one.value, params=params, distributions=distributions))
        except (ValueError, KeyError):  # a person's trial, outside of the space
            left_out += 1
    return study, left_out


def _seen(counted: Sequence[Tried]) -> dict[str, str]:
    """Distributions of the parameters that come without one, from the values that they had."""
    values: dict[str, list[Any]] = {}
    for one in counted:
        for name, value in one.params.items():
            if name not in one.space:
                values.setdefault(name, []).append(_plain(value))
    return {name: seen_distribution(found) for name, found in values.items()}


def seen_distribution(values: Sequence[Any]) -> str:
    """The narrowest distribution that holds the values, as Optuna writes it: numbers from the least to the largest, on a
    log scale where they span a factor of WIDE; anything else as choices."""
    if all(is_number(value) for value in values):
        low, high = min(values), max(values)
        is_log = low > 0 and high / low >= WIDE
        is_whole = all(isinstance(value, int) for value in values)
        step = 1 if is_whole else None
        attributes: dict[str, Any] = {"log": is_log, "step": step, "low": low, "high": high}
        return json.dumps({"name": "IntDistribution" if is_whole else "FloatDistribution", "attributes": attributes})
    choices: dict[tuple[type, Any], Any] = {(type(value), value): value for value in values}
    return json.dumps({"name": "CategoricalDistribution", "attributes": {"choices": list(choices.values())}})


def _plain(value: Any) -> Any:
    """A value as a choice of Optuna's: what is nested or not finite as its text."""
    if value is None or isinstance(value, bool | int | str) or is_number(value):
        return value
    return json.dumps(value, sort_keys=True, default=str)
