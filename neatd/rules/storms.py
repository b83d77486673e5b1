"""A storm: one rule at many series at once, or several rules at one series, is one event with the names of the others. Pure.

Invariant: verdicts come in the order of the points, so the state after any of them, kept as JSON, changes no later one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from neatd.models import Episode, Severity, Verdict
from neatd.rules.conditions import Best
from neatd.rules.schema import Rule

GRAVITY: dict[Severity, int] = {"info": 0, "warning": 1, "critical": 2}


class _Told(NamedTuple):
    """An event that others may join."""

    rule: str
    line: int  # of those that were judged
    begin: tuple[str, int, float, float | None]  # metric, step, value, time
    gravity: int
    then: tuple[str, ...]


class Storms:
    """The last event of each rule and of each series."""

    def __init__(self, rules: Iterable[Rule], kept: Sequence[Sequence[Any]] | None = None) -> None:
        """`kept` is what `dump` gave. Each best value stands for itself: those join nothing."""
        self._reach = {r.rule: r.budget.storm_points for r in rules if not isinstance(r.when, Best)}
        self._furthest = max(self._reach.values(), default=0)
        told = (
            _Told(rule, line, tuple(begin), gravity, tuple(then)) for rule, line, begin, gravity, then in kept or ()
        )
        self._told = [one for one in told if one.rule in self._reach]  # the last few, oldest first

    def gather(self, verdicts: Sequence[Verdict], lines: Sequence[int]) -> list[Verdict]:
        """The verdicts, each with its line, those that join an event marked so."""
        pairs = zip(verdicts, lines, strict=True)
        return [self._joined(one, line) if one.episode is None else one for one, line in pairs]

    def dump(self) -> list[Any]:
        """The state as plain JSON values."""
        return [[one.rule, one.line, list(one.begin), one.gravity, list(one.then)] for one in self._told]

    def _joined(self, verdict: Verdict, line: int) -> Verdict:
        if verdict.rule not in self._reach:
            return verdict
        self._told = [one for one in self._told if line - one.line < self._furthest]
        event = next((one for one in self._told if self._is_same(one, verdict, line)), None)
        if event is not None:
            # Of its own it would be found by its rule: an end that comes later belongs to the event too.
            episode = Episode(
                begin=event.begin, rule=event.rule, kind="joined", peak_step=verdict.step, peak=verdict.value
            )
            return verdict.model_copy(update={"episode": episode, "then": (), "window": ()})
        begin = (verdict.metric, verdict.step, verdict.value, verdict.time)
        self._told.append(_Told(verdict.rule, line, begin, GRAVITY[verdict.severity], verdict.then))
        return verdict

    def _is_same(self, event: _Told, verdict: Verdict, line: int) -> bool:
        """Whether a verdict tells of the same trouble. A graver one, or one that asks for more, is an event of its own."""
        near = line - event.line < self._reach[verdict.rule]
        is_other_rule = event.rule != verdict.rule and event.begin[0] == verdict.metric
        is_other_series = event.rule == verdict.rule and event.begin[0] != verdict.metric
        is_covered = GRAVITY[verdict.severity] <= event.gravity and set(verdict.then) <= set(event.then)
        return near and (is_other_rule or is_other_series) and is_covered
