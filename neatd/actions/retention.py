"""Which checkpoints of one run stay and which may go, each with its reason. Pure: no disk, no clock.

Holds the policy's rules, of which one is enough to stay, and the protections over them. Must not touch a file: `prune`
carries a plan out. Invariant: what a rule says of a checkpoint depends on its ordinal, its step, its time and all saves
ever seen, never on what earlier plans removed, so planning after every save ends where planning once at the end does.
That is why density goes by the parity of the ordinal and not by the place in the list of files: a list shifts with each
deletion, its parities flip, and every checkpoint is thinned away before it is old enough to be kept for its step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain

from neatd.models import Checkpoint, Goal
from neatd.policy import Dropped, Kept, RetentionPlan, RetentionPolicy

_ABSENT = frozenset({"trashed", "deleted", "gone"})
_OLDEST = 315_532_800 * 10**9  # 1980, in ns: archives and copies that keep no time write an earlier one
_HOUR, _DAY = 3600 * 10**9, 86_400 * 10**9  # in ns

WAITS = "waits for `neat retention apply --yes`"

Reasons = Iterator[tuple[str, str]]  # (checkpoint id, why it stays)


def plan(
    catalogue: Sequence[Checkpoint],
    policy: RetentionPolicy,
    values: Mapping[str, tuple[Goal, Mapping[str, float]]],
    pinned: Mapping[str, tuple[str, ...]],
    now: datetime,
) -> RetentionPlan:
    """Judge the present checkpoints of one run; both lists of the plan are in order of saving.

    `catalogue` holds every checkpoint ever seen of the run, absent ones too. `values` is metric -> (goal, checkpoint
    id -> value). `pinned` is checkpoint id -> reasons. Raises ValueError when the catalogue mixes runs: one run's saves
    must never push out another's.

    The best is sought among the present ones. A value that arrives after its checkpoint went cannot bring it back;
    where each value and pin is known by the first plan after the save, plans after every save keep what one plan keeps.
    """
    run_id = _only_run(catalogue)
    here = sorted((c for c in catalogue if c.status not in _ABSENT), key=lambda c: c.ordinal)
    top = max((c.ordinal for c in catalogue), default=-1)
    why: dict[str, list[str]] = {c.id: [] for c in here}
    found = chain(
        _recent(here, top, policy),
        _spread(here, policy.every_saves),
        _nearest(catalogue, policy.every_steps),
        _best(here, values, policy),
        _by_age(catalogue, policy, now),
        _pinned(pinned),
        _doubtful(here, now),
    )
    for checkpoint_id, reason in found:
        if checkpoint_id in why:
            why[checkpoint_id].append(reason)
    why_not = _why_not(policy)
    return RetentionPlan(
        run_id=run_id,
        keep=tuple(Kept(checkpoint=c, reasons=tuple(why[c.id])) for c in here if why[c.id]),
        delete=tuple(Dropped(checkpoint=c, reason=why_not(c, top)) for c in here if not why[c.id]),
    )


def without_backlog(agreed: RetentionPlan, since: datetime) -> RetentionPlan:
    """The plan as it may be carried out by itself: what was saved before the policy was in force stays where more than
    half of its bytes would go at once. What was saved since would have been thinned save by save, so it goes."""
    begun = _ns(since)
    known = [one.checkpoint for one in agreed.keep] + [one.checkpoint for one in agreed.delete]
    old = {one.id for one in known if saved_ns(one) < begun}
    going = [one for one in agreed.delete if one.checkpoint.id in old]
    staying = sum(one.checkpoint.size_bytes for one in agreed.keep if one.checkpoint.id in old)
    if sum(one.checkpoint.size_bytes for one in going) <= staying:
        return agreed
    waits = (Kept(checkpoint=one.checkpoint, reasons=(WAITS,)) for one in going)
    kept = sorted((*agreed.keep, *waits), key=lambda one: one.checkpoint.ordinal)
    fresh = tuple(one for one in agreed.delete if one.checkpoint.id not in old)
    return agreed.model_copy(update={"keep": tuple(kept), "delete": fresh})


def saved_ns(one: Checkpoint) -> int:
    """When a checkpoint was written, unix ns: the time its files tell, but no later than it was seen complete."""
    return min(one.mtime_ns, _ns(one.completed_at))


def _ns(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp() * 1e6) * 1000


def _only_run(catalogue: Sequence[Checkpoint]) -> str:
    runs = {c.run_id for c in catalogue}
    if len(runs) > 1:
        raise ValueError(f"a catalogue holds one run, this one holds {sorted(runs)}")
    return next(iter(runs), "")


def _recent(here: Sequence[Checkpoint], top: int, policy: RetentionPolicy) -> Reasons:
    """The newest saves whole, those before them at half density, and whatever is the newest that still exists."""
    newest = max((c for c in here if c.status == "present"), key=lambda c: c.ordinal, default=None)
    for one in here:
        if one.ordinal > top - policy.newest:
            yield one.id, f"newest {policy.newest}"
        elif one.ordinal > top - policy.newest - policy.half and one.ordinal % 2 == 0:
            yield one.id, f"half of the next {policy.half}"
        if one is newest and one.ordinal <= top - policy.newest:
            yield one.id, "newest present"


def _spread(here: Sequence[Checkpoint], every: int) -> Reasons:
    """Each k-th save by its ordinal, which is its own for ever."""
    for one in here:
        if every and one.ordinal % every == 0:
            yield one.id, f"every {every} saves"


def _nearest(catalogue: Sequence[Checkpoint], every: int) -> Reasons:
    """For each multiple of `every`, the save whose step is nearest to it; of two as near, the one saved first."""
    nearest: dict[int, tuple[int, int, str]] = {}  # multiple -> (distance, ordinal, checkpoint id)
    for one in catalogue if every else ():
        if one.step is not None:
            multiple = (2 * one.step + every) // (2 * every) * every  # half rounds up; integers, for steps past 2**53
            rank = (abs(one.step - multiple), one.ordinal, one.id)
            nearest[multiple] = min(nearest.get(multiple, rank), rank)
    for multiple, (_, _, checkpoint_id) in nearest.items():
        yield checkpoint_id, f"nearest to step {multiple}"


def _best(
    here: Sequence[Checkpoint], values: Mapping[str, tuple[Goal, Mapping[str, float]]], policy: RetentionPolicy
) -> Reasons:
    """The best values of each metric: of equals the oldest and the newest. NaN and infinities are never best.

    What is not known to be whole is no best: it stays anyway, and must not stand for the best that is.
    """
    are_known = False
    for metric, (goal, by_id) in values.items():
        equals: dict[float, list[str]] = {}
        for one in here:
            value = by_id.get(one.id, math.nan)
            if one.status == "present" and math.isfinite(value):
                equals.setdefault(value, []).append(one.id)
        are_known = are_known or bool(equals)
        for place, value in enumerate(sorted(equals, reverse=goal == "max")[: policy.best_n], start=1):
            named = f"best {metric}" if place == 1 else f"best {policy.best_n} of {metric}"
            for checkpoint_id in dict.fromkeys((equals[value][0], equals[value][-1])):
                yield checkpoint_id, f"{named} {value:.4g}"
    if policy.is_best_alone and not are_known:  # a misspelt metric must not cost every checkpoint
        for one in here:
            yield one.id, "no metric tells the best"


def _by_age(catalogue: Sequence[Checkpoint], policy: RetentionPolicy, now: datetime) -> Reasons:
    """What is young enough; and the first save of each of the newest hours and days that have one."""
    if not policy.goes_by_age:
        return
    moments = sorted((one.ordinal, saved_ns(one), one.id) for one in catalogue)
    for length, count, name in ((_HOUR, policy.hourly, "hour"), (_DAY, policy.daily, "day")):
        firsts: dict[int, str] = {}
        for _, moment, checkpoint_id in moments if count else ():
            firsts.setdefault(moment // length, checkpoint_id)
        for bucket in sorted(firsts, reverse=True)[:count]:
            yield firsts[bucket], f"first of its {name}"
    young = _ns(now) - int(policy.younger_s * 1e9) if policy.younger_than else math.inf
    for _, moment, checkpoint_id in moments:
        if moment > young:
            yield checkpoint_id, f"younger than {policy.younger_than}"
        if moment < _OLDEST:
            yield checkpoint_id, "unknown time"


def _pinned(pinned: Mapping[str, tuple[str, ...]]) -> Reasons:
    """One pin is enough, and a pin that gives no reason is a pin."""
    for checkpoint_id, reasons in pinned.items():
        for reason in reasons or ("no reason given",):
            yield checkpoint_id, f"pinned: {reason}"


def _doubtful(here: Sequence[Checkpoint], now: datetime) -> Reasons:
    """What cannot be judged stays."""
    for one in here:
        if one.step is None:
            yield one.id, "unknown step"
        if one.status == "changing":
            yield one.id, "not as it was when it was complete"
        elif one.status != "present":
            yield one.id, f"unknown status {one.status}"
        if one.completed_at > now:  # the clock was changed: nothing says how old this save is
            yield one.id, "completed in the future"


def _why_not(policy: RetentionPolicy) -> Callable[[Checkpoint, int], str]:
    """What is said of those that go: their place in the tiers, and the rules that do not keep them."""
    unneeded = [f"not nearest to a multiple of {policy.every_steps}"] if policy.every_steps else []
    unneeded += [f"not one of every {policy.every_saves}"] if policy.every_saves else []
    unneeded += ["too old"] if policy.goes_by_age else []
    unneeded += ["not of the best"] if policy.best_n > 1 else []
    older = f"older than the newest {policy.newest + policy.half}" if policy.newest + policy.half else ""
    odd = f"an odd save of the {policy.half} before the newest {policy.newest}"

    def reason(one: Checkpoint, top: int) -> str:
        place = odd if one.ordinal > top - policy.newest - policy.half else older
        return " and ".join(filter(None, [place, *unneeded])) or "not the best"

    return reason
