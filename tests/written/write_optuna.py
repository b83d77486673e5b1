"""Optuna's two storages, each with the same two studies: every state of a trial, parameters of every kind, trials that
end in another order than they began, a trial added whole, one running, one waiting; and a study of two objectives.

The database is kept among the committed files as a dump.
"""

from __future__ import annotations

import math
import sqlite3
import sys
import warnings
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from tests.written.expected import Series, case_folder, save

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.simplefilter("ignore")
COMPLETE, PRUNED, FAIL = TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL
REPORTS = [(0, 0.5), (10, math.nan), (20, 0.25)]


def suggest(trial: Trial) -> None:
    """A parameter of each kind."""
    trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    trial.suggest_int("layers", 1, 8)
    trial.suggest_categorical("optimizer", ["adam", "sgd", None])
    trial.suggest_categorical("batch", [16, 32, 64])
    trial.suggest_categorical("amp", [True, False])


def run_single(storage: BaseStorage) -> tuple[Series, dict[str, Any]]:
    """One objective, maximised. Returns what a reader should find."""
    study = optuna.create_study(
        storage=storage, study_name="lr search", direction="maximize", sampler=optuna.samplers.RandomSampler(seed=1)
    )
    ended: list[tuple[int, TrialState]] = []
    reports: list[tuple[int, int, float]] = []

    def tell(trial: Trial, value: float | None, state: TrialState) -> None:
        study.tell(trial, value, state)
        ended.append((trial.number, state))

    asked = [study.ask() for _ in range(5)]
    for trial in asked:
        suggest(trial)
    for trial in (asked[1], asked[2]):
        for step, value in REPORTS:
            trial.report(value, step)
            reports.append((trial.number, step, value))
    tell(asked[3], 0.25, COMPLETE)
    tell(asked[0], 0.75, COMPLETE)
    tell(asked[2], None, PRUNED)
    tell(asked[4], None, FAIL)
    tell(asked[1], 0.5, COMPLETE)
    tell(study.ask(), None, PRUNED)  # without a report or a parameter
    study.add_trial(
        create_trial(
            state=COMPLETE, value=1.5, params={"lr": 0.01, "optimizer": "sgd"}, intermediate_values={3: 1.25},
            distributions={
                "lr": FloatDistribution(1e-5, 1e-1, log=True), "optimizer": CategoricalDistribution(["adam", "sgd", None]),
            },
        )
    )  # fmt: skip
    ended.append((6, COMPLETE))
    reports.append((6, 3, 1.25))
    tell(study.ask(), math.inf, COMPLETE)
    study.ask()
    study.enqueue_trial({"lr": 0.05})
    return single_series(study.trials, ended, reports), single_told(study)


def single_series(
    trials: list[FrozenTrial], ended: list[tuple[int, TrialState]], reports: list[tuple[int, int, float]]
) -> Series:
    """From the trials as Optuna itself reads them, in the order of their ends."""
    series: Series = {"state": []}
    best = -math.inf
    for number, state in ended:
        trial = trials[number]
        assert trial.state == state
        series["state"].append((number, float(state)))
        if trial.value is not None:
            series.setdefault("value", []).append((number, trial.value))
        if state == COMPLETE:
            assert trial.value is not None
            best = max(best, trial.value)
            series.setdefault("best", []).append((number, best))
        for name, value in trial.params.items():
            choices = getattr(trial.distributions[name], "choices", None)
            shown = choices.index(value) if name == "optimizer" and choices else value
            series.setdefault(f"params/{name}", []).append((number, float(shown)))
    series["intermediate"] = [(number, value) for number, _, value in reports]
    series["intermediate/step"] = [(number, float(step)) for number, step, _ in reports]
    return series


def single_told(study: optuna.Study) -> dict[str, Any]:
    counts = {"complete": 5, "pruned": 2, "failed": 1, "running": 1, "waiting": 1}
    best = {"best_trial": study.best_trial.number, "best_params": study.best_params}
    return {"name": "lr search", "study": "lr search", "directions": ["maximize"], "trials": counts} | best


def run_several(storage: BaseStorage) -> tuple[Series, dict[str, Any]]:
    """Two objectives: no best among them."""
    study = optuna.create_study(storage=storage, study_name="trade/off", directions=["minimize", "maximize"])
    series: Series = {name: [] for name in ("value/0", "value/1", "params/width", "state")}
    for number in range(3):
        trial = study.ask()
        width = trial.suggest_int("width", 1, 100)
        study.tell(trial, [float(number), -float(number)])
        found = {"value/0": float(number), "value/1": -float(number), "params/width": float(width), "state": 1.0}
        for name, value in found.items():
            series[name].append((number, value))
    counts = {"complete": 3, "pruned": 0, "failed": 0, "running": 0, "waiting": 0}
    told = {"name": "trade/off", "study": "trade/off", "directions": ["minimize", "maximize"], "trials": counts}
    return series, told


def write(folder: Path, file: str, storage: BaseStorage) -> None:
    """Expected by "<file>:<study>"."""
    found = {f"{file}:lr search": run_single(storage), f"{file}:trade/off": run_several(storage)}
    save(
        folder, {name: series for name, (series, _) in found.items()}, {name: told for name, (_, told) in found.items()}
    )


def main(out: Path) -> None:
    folder = case_folder(out, "optuna", "journal")
    write(folder, "journal.log", JournalStorage(JournalFileBackend(str(folder / "journal.log"))))
    folder = case_folder(out, "optuna", "sqlite")
    path = folder / "study.db"
    write(folder, path.name, RDBStorage(f"sqlite:///{path}"))
    source = sqlite3.connect(path)
    path.with_suffix(".sql").write_text("\n".join(source.iterdump()) + "\n", encoding="utf-8")
    source.close()
    if path.is_relative_to(Path(__file__).parent):
        path.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
