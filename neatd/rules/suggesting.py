"""What to try next, by stated rules over what was tried. Pure: trials in, suggestions out; no model is asked.

Each suggestion changes one parameter of the best trial and names its rule and its evidence. Nothing that was tried is
suggested again, nothing beyond a value that failed, and no seed twice for the same parameters.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeGuard

from neatd.models import Goal
from neatd.rules.commandline import Value
from neatd.rules.similar import is_same_program, is_seed, says_something

RULES = {
    "longer": "the best value came with the last evaluation: it was still getting better",
    "another-seed": "the best is of one seed: how much of it is luck is not known",
    "beyond": "the best has the largest or smallest value that was tried",
    "between": "the best lies beside a gap of more than a factor of two",
    "other-choice": "the best was not tried with another choice",
}
_LENGTHS = frozenset(
    {"steps", "max_steps", "epochs", "num_epochs", "max_epochs", "num_train_epochs", "iters", "max_iters"}
)
_GAP = 2.0


class Trial(NamedTuple):
    """One that was begun. `value` None: there is none, or no good one where it `has_failed`; `is_still_better`: its last
    evaluation was its best."""

    name: str
    params: Mapping[str, Value]
    value: float | None
    is_still_better: bool = False
    has_failed: bool = False
    program: str = ""  # "": not known


class Suggestion(NamedTuple):
    """Change `parameter` of trial `base` from `before` to `value`."""

    rule: str
    parameter: str
    before: Value
    value: Value
    base: str
    why: str


def suggest(trials: Sequence[Trial], goal: Goal) -> list[Suggestion]:
    """All that the rules give, rule by rule; [] without a trial that has a value."""
    known = [one._replace(params=_telling(one.params)) for one in trials]
    scored = [one for one in known if one.value is not None and math.isfinite(one.value)]
    if not scored:
        return []
    best = min(scored, key=lambda one: (one.value or 0.0) * (1 if goal == "min" else -1))
    known = [one for one in known if _is_alike(one, best)]
    tried = {_key(one.params) for one in known}
    found = [*_longer(best), *_seeds(best, known), *_numbers(best, known), *_choices(best, known)]
    fresh = [
        one
        for one in found
        if one.rule == "another-seed" or _key({**best.params, one.parameter: one.value}) not in tried
    ]
    order = list(RULES)
    return sorted(fresh, key=lambda one: order.index(one.rule))


def _is_alike(one: Trial, best: Trial) -> bool:
    """Whether it is of the same program; where that is not known, of mostly the same parameters."""
    if one.program and best.program:
        return is_same_program(one.program, best.program)
    return 2 * len(one.params.keys() & best.params.keys()) > len(one.params.keys() | best.params.keys())


def _telling(params: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in params.items() if says_something(name)}


def _key(params: Mapping[str, Value]) -> tuple[tuple[str, Value], ...]:
    """What makes a configuration: all but its seeds."""
    return tuple(sorted((name, value) for name, value in params.items() if not is_seed(name)))


def _longer(best: Trial) -> Iterator[Suggestion]:
    if not best.is_still_better:
        return
    for name, value in best.params.items():
        if _last(name) in _LENGTHS and isinstance(value, int | float) and value > 0:
            yield Suggestion(
                "longer", name, value, value * 2, best.name, f"{best.name} was best at its last evaluation"
            )


def _seeds(best: Trial, known: Sequence[Trial]) -> Iterator[Suggestion]:
    same = [one for one in known if _key(one.params) == _key(best.params)]
    for name, value in best.params.items():
        if not is_seed(name) or isinstance(value, bool) or not isinstance(value, int):
            continue
        used = {one.params.get(name) for one in same}
        fresh = next(seed for seed in range(1, len(used) + 2) if seed not in used)
        if len(used) == 1:
            yield Suggestion(
                "another-seed", name, value, fresh, best.name, f"only seed {value} of {best.name} was tried"
            )


def _numbers(best: Trial, known: Sequence[Trial]) -> Iterator[Suggestion]:
    for name, at in best.params.items():
        if is_seed(name) or not _is_number(at) or _last(name) in _LENGTHS:
            continue
        values = sorted({float(v) for one in known if _is_number(v := one.params.get(name))})
        if len(values) < 2:
            continue
        failed = [float(v) for one in known if one.has_failed and _is_number(v := one.params.get(name))]
        is_whole = all(isinstance(one.params.get(name, 0), int) for one in known)
        index = values.index(float(at))
        for beside in (values[index - 1] if index else None, values[index + 1] if index + 1 < len(values) else None):
            yield from _between(name, at, beside, is_whole, best)
        yield from _beyond(name, at, values, failed, is_whole, best)


def _between(name: str, at: int | float, beside: float | None, is_whole: bool, best: Trial) -> Iterator[Suggestion]:
    here = float(at)
    if beside is None or min(here, beside) <= 0 or max(here, beside) / min(here, beside) <= _GAP:
        return
    value = _rounded(math.sqrt(here * beside), is_whole)
    if value not in (at, beside):
        why = f"nothing between {_text(here)} and {_text(beside)} was tried"
        yield Suggestion("between", name, at, value, best.name, why)


def _beyond(
    name: str, at: int | float, values: Sequence[float], failed: Sequence[float], is_whole: bool, best: Trial
) -> Iterator[Suggestion]:
    here = float(at)
    if here == values[-1] and not any(one >= here for one in failed):
        value, side = _rounded(_step(here, values[-2]), is_whole), "largest"
    elif here == values[0] and not any(one <= here for one in failed):
        value, side = _rounded(_step(here, values[1]), is_whole), "smallest"
    else:
        return
    if value != at and (value > 0 or here <= 0):
        tried = ", ".join(_text(one) for one in values)
        yield Suggestion("beyond", name, at, value, best.name, f"{_text(here)} is the {side} of {tried}")


def _step(here: float, beside: float) -> float:
    """As far beyond as the last two lie apart: by a factor where both are positive, up to ten."""
    if here > 0 and beside > 0:
        return here * max(0.1, min(10.0, here / beside))
    return here + (here - beside)


def _choices(best: Trial, known: Sequence[Trial]) -> Iterator[Suggestion]:
    for name, at in best.params.items():
        if not isinstance(at, str | bool) or is_seed(name):
            continue
        others = sorted({str(v): v for one in known if isinstance(v := one.params.get(name), str | bool)}.items())
        for _, value in others:
            if value != at:
                why = f"{name}={value} was tried, and not with the other parameters of {best.name}"
                yield Suggestion("other-choice", name, at, value, best.name, why)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _rounded(value: float, is_whole: bool) -> int | float:
    """Whole where all tried ones are, else to two digits that count."""
    return round(value) if is_whole else float(f"{value:.2g}")


def _text(value: float) -> str:
    return f"{value:g}"


def _last(name: str) -> str:
    return name.rsplit(".", 1)[-1]
