"""Optuna, asked and told: sampler tpe, the pruners, and its journal kept level with the store. Nothing else imports it.

Optuna proposes, the space disposes: a proposal becomes the nearest feasible point that was not tried, and that point is what
Optuna records. Trials of its own count differently: they are found by the number of ours, kept as an attribute.
With several trials at once the points of tpe depend on which ends first; the other samplers' do not (`sampling.py`).
Invariant: whatever the journal holds, after `level` it says of each trial what the store says.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.storages import InMemoryStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState, create_trial

from neatd.studies.journal import mend, set_aside
from neatd.studies.parameters import Parameter, Value
from neatd.studies.sampling import random_point
from neatd.studies.space import Point, Space, fingerprint
from neatd.studies.spec import Pruner
from neatd.studies.told import Report, Told

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.storages import BaseStorage

NUMBER = "trial"  # the attribute that holds our number
_STATES = {
    "open": TrialState.RUNNING, "complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL,
}  # fmt: skip
# What a journal that was written by something else, or by another version, makes of being read.
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, AssertionError, RuntimeError)


class ExhaustedError(RuntimeError):
    """No point is left, or none was found."""


class Optimizer:
    """A study of Optuna's, in the journal at `path`; without one in memory, for who only computes."""

    def __init__(self, space: Space, path: Path | None) -> None:
        """The caller holds the lock of the studies. A journal that cannot be read is set aside and begun anew."""
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
        self.space = space
        self.distributions = {name: _distribution(space.parameters[name]) for name in space.asked}
        self._by_number: dict[int, FrozenTrial] = {}
        if path is None:
            self.study = self._opened(InMemoryStorage())
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        mend(path)
        try:
            self.study = self._opened(_journal(path))
        except _UNREADABLE:
            set_aside(path)
            self.study = self._opened(_journal(path))

    def level(self, trials: Iterable[Told]) -> None:
        """Tell what the store knows and the journal does not. What the journal alone knows was never begun: it has failed."""
        self._look()
        waiting = [one for one in self._all() if one.state == TrialState.RUNNING and NUMBER not in one.user_attrs]
        for told in trials:
            if told.is_outside:
                continue
            if told.number not in self._by_number:
                self._adopt(told, waiting)
            self._tell(told)
        for orphan in waiting:
            self.study.tell(orphan.number, state=TrialState.FAIL)
        self._look()

    def ask(self, tried: set[str]) -> Point | None:
        """The next point by the sampler; None when none is left. It is given up by `level` unless a trial comes of it."""
        if self.space.size is not None and len(tried) >= self.space.size:
            return None
        mark = f"{self.space.spec.sampler.seed}:{len(self._all())}"
        self.study.sampler = _Feasible(self._sampler(mark), self.space, self.distributions, tried, mark)
        try:
            asked = self.study.ask(self.distributions)
        except ExhaustedError:
            for left in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
                if NUMBER not in left.user_attrs and not left.params:
                    self.study.tell(left.number, state=TrialState.FAIL)
            return None
        return self.space.complete(asked.params)

    def should_prune(self, number: int, reports: Sequence[Report]) -> int | None:
        """Take a trial's next values; the step at which the pruner says that it is hopeless, None while it is not."""
        trial = self._by_number.get(number)
        if trial is None or trial.state != TrialState.RUNNING:
            return None
        storage = self.study._storage
        for step, value in reports:
            storage.set_trial_intermediate_value(trial._trial_id, step, value)
            if self.study.pruner.prune(self.study, storage.get_trial(trial._trial_id)):
                return step
        return None

    @property
    def known(self) -> list[int]:
        """The trials of ours that have ended in the journal."""
        self._look()
        return [number for number, one in self._by_number.items() if one.state.is_finished()]

    def _opened(self, storage: BaseStorage) -> optuna.Study:
        spec = self.space.spec
        direction: Literal["minimize", "maximize"] = "minimize" if spec.goal.goal == "min" else "maximize"
        study = optuna.create_study(
            storage=storage, study_name=spec.name, direction=direction, load_if_exists=True, pruner=_pruner(spec.pruner)
        )
        study.get_trials(deepcopy=False)
        return study

    def _all(self) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False)

    def _look(self) -> None:
        self._by_number = {one.user_attrs[NUMBER]: one for one in self._all() if NUMBER in one.user_attrs}

    def _adopt(self, told: Told, waiting: list[FrozenTrial]) -> None:
        """A trial that the journal asked for becomes ours; one that it does not know is added as it stands."""
        params = {name: told.params[name] for name in self.distributions}
        found = next((one for one in waiting if one.params == params), None)
        if found is not None:
            waiting.remove(found)
            for name, value in {NUMBER: told.number, **self._told_of(told)}.items():
                self.study._storage.set_trial_user_attr(found._trial_id, name, value)
            self._by_number[told.number] = found
            return
        state, value = self._ending(told)
        made = create_trial(
            state=state, value=value, params=params, distributions=self.distributions,
            intermediate_values=dict(told.reports), user_attrs={NUMBER: told.number, **self._told_of(told)},
        )  # fmt: skip
        self.study.add_trial(made)
        self._by_number[told.number] = self._all()[-1]

    def _told_of(self, told: Told) -> dict[str, Any]:
        """What was not asked for: the parameter that the budget decided, derived values, a repeat's seed."""
        return {**told.derived, **{name: one for name, one in told.params.items() if name not in self.distributions}}

    def _tell(self, told: Told) -> None:
        trial = self._by_number[told.number]
        if told.state == "open" or trial.state.is_finished():
            return
        for step, value in told.reports:
            self.study._storage.set_trial_intermediate_value(trial._trial_id, step, value)
        state, ended_at = self._ending(told)
        self.study.tell(trial.number, ended_at if state == TrialState.COMPLETE else None, state)

    def _ending(self, told: Told) -> tuple[TrialState, float | None]:
        state = _STATES[told.state]
        if state == TrialState.COMPLETE and told.value is None:
            state = TrialState.FAIL
        return state, told.value if state in (TrialState.COMPLETE, TrialState.PRUNED) else None

    def _sampler(self, mark: str) -> BaseSampler:
        """One of its own for each point: a killed daemon's next one draws on, and never the same again."""
        seed = int.from_bytes(hashlib.sha256(mark.encode()).digest()[:4], "big")
        return TPESampler(seed=seed, multivariate=True, n_startup_trials=self.space.spec.sampler.startup)


class _Feasible(BaseSampler):
    """Proposals of another sampler, each replaced by the nearest feasible point that was not tried."""

    def __init__(
        self, inner: BaseSampler, space: Space, distributions: dict[str, BaseDistribution], tried: set[str], mark: str
    ) -> None:
        self._inner, self._space, self._distributions = inner, space, distributions
        self._tried, self._mark = tried, mark

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._distributions

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        several = {name: one for name, one in search_space.items() if not one.single()}
        proposed = self._inner.sample_relative(study, trial, several) if several else {}
        point = self._nearest(proposed) or random_point(self._space, self._tried, self._mark)
        if point is None:
            raise ExhaustedError
        return {name: point.params[name] for name in self._distributions}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        raise ExhaustedError  # every parameter comes from `sample_relative`

    def _nearest(self, proposed: Mapping[str, Any]) -> Point | None:
        if not proposed:
            return None  # so few have ended that Optuna itself would choose at random
        wanted = {name: proposed.get(name, self._space.parameters[name].at(0.0)) for name in self._distributions}
        return self._space.near(wanted, self._tried)


def point_key(space: Space, params: Mapping[str, Value]) -> str:
    """What tells a trial's point from others: without the seed that a repeat adds."""
    return fingerprint({name: one for name, one in params.items() if name in space.parameters})


def _journal(path: Path) -> JournalStorage:
    return JournalStorage(JournalFileBackend(str(path), lock_obj=JournalFileOpenLock(str(path))))


def _distribution(one: Parameter) -> BaseDistribution:
    if one.type == "categorical":
        return CategoricalDistribution(one.choices)
    low, high = one.low or 0.0, one.high or 0.0
    if one.type == "int":
        step = int(one.step or 1)
        return IntDistribution(int(low), int(low) + (int(high) - int(low)) // step * step, log=one.log, step=step)
    if one.step:
        high = float(one.value((one.count or 1) - 1))
    return FloatDistribution(low, high, log=one.log, step=one.step)


def _pruner(one: Pruner) -> BasePruner:
    if one.kind == "median":
        return optuna.pruners.MedianPruner(one.startup, one.warmup, one.interval)
    if one.kind == "hyperband":
        return optuna.pruners.HyperbandPruner(one.least, one.most or "auto", one.factor)
    return optuna.pruners.NopPruner()
