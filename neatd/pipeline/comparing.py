"""A row of the experiment table against the baseline's: the difference, and whether it says anything."""

from __future__ import annotations

from neatd.assist.facts import RunFact
from neatd.models import Goal
from neatd.rules.comparable import Basis, why_not_comparable


def compared(row: RunFact, basis: Basis, base_row: RunFact, base: Basis, goal: Goal | None) -> RunFact:
    """The row with its difference. One that is not comparable keeps it, with the reasons, and is never better."""
    if row.value is None or base_row.value is None:
        return row
    reasons = why_not_comparable(basis, base)
    delta = row.value - base_row.value if row.metric == base_row.metric else None
    is_better = None if reasons or not delta or goal is None else (delta < 0) == (goal == "min")
    update = {"delta": delta, "is_better": is_better, "is_comparable": not reasons, "not_comparable": reasons}
    return row.model_copy(update=update)
