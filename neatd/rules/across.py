"""The rules that look at more than one series of a source, and the guard that needs the learning rate beside a series.

Pure: no disk, no clock. The invariants are those of `rules/judge.py`: `dump`, JSON and a new Across, at any point of the
stream, change no later verdict; and `feed_columns` of a part of the stream gives the verdicts, and leaves the state, of
`feed` of one point after the other by ordinal and name. Rules over one series never enter here but for that guard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from neatd.models import Sample, Verdict
from neatd.rules.express import ExpressionRule
from neatd.rules.lines import Lines
from neatd.rules.overfit import GapRule
from neatd.rules.relating import RelationRule
from neatd.rules.schedule import Schedule
from neatd.rules.schema import Rule
from neatd.rules.vanishing import Placed, VanishedRule

if TYPE_CHECKING:
    from neatd.rules.batch import Column

_Across = GapRule | RelationRule | VanishedRule | ExpressionRule
_KINDS: dict[str, type[_Across]] = {
    "gap": GapRule, "relation": RelationRule, "vanished": VanishedRule, "expression": ExpressionRule,
}  # fmt: skip
CONDITIONS = frozenset(_KINDS)  # which rules are those of this file


class Across:
    """All enabled rules of CONDITIONS over all series of one source of one run."""

    def __init__(
        self, rules: Sequence[Rule], state: Mapping[str, Any] | None = None, lines: Lines | None = None
    ) -> None:  # fmt: skip
        """`state` is what `dump` gave; parts of it that belong to no enabled, unchanged rule are left aside. `lines` are
        those of the source, and are counted here."""
        saved = state or {}
        self.lines = lines or Lines()
        kept = saved.get("rules", {})
        enabled = [rule for rule in rules if rule.enabled]
        self._rules = {
            rule.state_key: _KINDS[rule.when.condition](rule, kept.get(rule.state_key))
            for rule in enabled
            if rule.when.condition in CONDITIONS
        }
        self._schedule = Schedule(enabled, saved.get("schedule"))
        self._lookers: dict[str, tuple[_Across, ...]] = {}  # series -> the rules that look at it

    def feed(self, metric: str, sample: Sample) -> list[Verdict]:
        """Take the next point of any series in; what is to be said there."""
        self._schedule.feed(metric, sample, self.lines.take(sample.seq))
        return [verdict for rule in self._looking_at(metric) for verdict in rule.feed(metric, sample)]

    def feed_columns(self, columns: Sequence[Column]) -> list[Placed]:
        """Take the next points of several series in, one column a series: verdicts by ordinal and by the name of the
        series at whose point they fall, which stands before each."""
        from neatd.rules.batch import in_order, like_python

        placed: list[Placed] = []
        with like_python():
            filled = in_order(columns)
            if filled:
                self.lines.take_many(filled)
                self._schedule.feed_columns(filled, self.lines)
            for rule in self._rules.values():
                placed += _placed(rule, [one for one in filled if rule in self._looking_at(one.name)])
        return sorted(placed, key=lambda one: (one[1].seq, one[0]))

    def allowed(self, verdicts: list[Verdict]) -> list[Verdict]:
        """Those, of any rules, that the guard `schedule_points` lets through. Asked of all verdicts right after their
        points were fed here, and before more are."""
        return self._schedule.allowed(verdicts, self.lines)

    def dump(self) -> dict[str, Any]:
        """The whole state in plain JSON values, floats exact; {} where no rule has seen a point that it looks at."""
        states = {key: rule.dump() for key, rule in self._rules.items()}
        known = {key: state for key, state in states.items() if state["attempt"]}
        parts = {"rules": known, "schedule": self._schedule.dump()}
        return {name: part for name, part in parts.items() if part}

    def _looking_at(self, metric: str) -> tuple[_Across, ...]:
        found = self._lookers.get(metric)
        if found is None:
            found = self._lookers[metric] = tuple(one for one in self._rules.values() if one.looks_at(metric))
        return found


def _placed(rule: _Across, columns: Sequence[Column]) -> list[Placed]:
    """Nearly all verdicts fall at a point of the series that they tell of."""
    if isinstance(rule, VanishedRule):
        return rule.feed_columns(columns)
    return [(verdict.metric, verdict) for verdict in rule.feed_columns(columns)]
