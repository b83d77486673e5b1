"""Studies as their analysis sees them, made for tests: by hand, and by Optuna itself."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

from neatd.studies.tried import Searched, Tried

if TYPE_CHECKING:
    import optuna


def tried(number: int, value: float | None, status: str = "finished", **more: Any) -> Tried:
    """A trial; words that are no field of its are parameters."""
    fields = {name: more.pop(name) for name in list(more) if name in Tried._fields}
    return Tried(number, status, fields.pop("params", more), value=value, **fields)


def searched(*trials: Tried, goal: Any = "min", **more: Any) -> Searched:
    return Searched(more.pop("name", "s"), "made", "loss", goal, trials, **more)


def optunas(trials: int = 40) -> optuna.Study:
    """A study of Optuna's own, seeded: every kind of parameter and every way to end, an architecture in its attributes."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(study_name="200M_h3", sampler=optuna.samplers.RandomSampler(seed=7))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of choices that are no numbers or text
        study.optimize(_objective, n_trials=trials)
    return study


def _objective(trial: optuna.Trial) -> float:
    import optuna

    rate = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    width = trial.suggest_categorical("d_model", [512, 768, 1024])
    trial.suggest_int("n_heads", 4, 16, step=4)
    norm = trial.suggest_categorical("norm", [None, True, "pre", 2.5])
    trial.set_user_attr("n_layers", round(2e8 / (12 * width**2)))
    for step in range(3):
        trial.report(1 / (step + 1), step)
    if trial.number == 9:
        trial.report(math.nan, 3)
        return math.nan
    if trial.number in (5, 16):
        raise optuna.TrialPruned
    if trial.number == 7:
        return math.inf
    if norm is True:
        trial.suggest_float("eps", 0.1, 0.2)
    return abs(math.log10(rate) + 3) + (width != 768) / 2


def put_in(study: optuna.Study, storage: Any) -> None:
    """The same study in a storage of Optuna's, as its own copying does it."""
    import optuna

    made = optuna.create_study(storage=storage, study_name=study.study_name)
    made.add_trials(study.get_trials(deepcopy=False))
