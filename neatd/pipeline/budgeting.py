"""What a rule's budget of snapshots would have made of the events of a stored run. Verdicts in, claims out.

It says what `acting` does: of a rule and run so many in an hour; beyond them a checkpoint is only protected in place, and a
best value takes the place of the one that it beats.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

from neatd.models import Run, Verdict
from neatd.rules.conditions import Best
from neatd.rules.schema import Rule

HOUR_S = 3600.0


def beyond_budget(rule: Rule, run: Run, verdicts: Sequence[Verdict], has_save: Sequence[bool]) -> list[bool]:
    """Of each verdict whether it would have asked for a snapshot and, in the end, not have one. `has_save`: whether there
    was a checkpoint for it, without which a best value takes none."""
    times = _times(run, verdicts)
    found, taken, recent = [False] * len(verdicts), list[int](), deque[int]()
    for at in sorted(range(len(verdicts)), key=lambda place: times[place]):
        if not verdicts[at].wants_snapshot or (isinstance(rule.when, Best) and not has_save[at]):
            continue
        while recent and times[recent[0]] <= times[at] - HOUR_S:
            recent.popleft()
        if len(recent) >= rule.budget.snapshots_per_hour:
            beaten = _beaten(rule, verdicts, taken, verdicts[at])
            found[at if beaten is None else beaten] = True
            if beaten is None:
                continue
            taken.remove(beaten)
            if beaten in recent:
                recent.remove(beaten)
        taken.append(at)
        recent.append(at)
    return found


def _beaten(rule: Rule, verdicts: Sequence[Verdict], taken: Sequence[int], better: Verdict) -> int | None:
    """The place of the newest best value of the same series with a snapshot that this one beats."""
    if not isinstance(rule.when, Best) or rule.budget.keep_beaten or not rule.budget.snapshots_per_hour:
        return None
    sign = 1 if rule.when.goal == "min" else -1
    same = (one for one in reversed(taken) if verdicts[one].metric == better.metric)
    return next((one for one in same if sign * verdicts[one].value > sign * better.value), None)


def _times(run: Run, verdicts: Sequence[Verdict]) -> list[float]:
    """When each was, in seconds: as its line says, else by its place among the lines in the time of the run."""
    began, ended = run.started_at.timestamp(), (run.ended_at or run.updated_at).timestamp()
    last = max((one.seq for one in verdicts), default=1) or 1
    return [
        one.time if one.time is not None and math.isfinite(one.time) else began + one.seq / last * (ended - began)
        for one in verdicts
    ]
