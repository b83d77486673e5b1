"""Which checkpoints of one run stay and which may go, each with its reason. Pure: no disk, no clock.

Holds the three tiers and the protections over them. Must not touch a file: `prune` carries a plan out. Invariant: what
the tiers say of a checkpoint depends on its ordinal, its step and all saves ever seen, never on what earlier plans
removed, so planning after every save ends where planning once at the end does. That is why density goes by the parity
of the ordinal and not by the place in the list of files: a list shifts with each deletion, its parities flip, and every
checkpoint is thinned away before it is old enough to be kept for its step.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain

from neatd.models import Checkpoint, Dropped, Goal, Kept, RetentionPlan, RetentionPolicy

_ABSENT = frozenset({"trashed", "deleted", "gone"})

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
        _nearest(catalogue, policy.every_steps),
        _best(here, values),
        _pinned(pinned),
        _doubtful(here, now),
    )
    for checkpoint_id, reason in found:
        if checkpoint_id in why:
            why[checkpoint_id].append(reason)
    return RetentionPlan(
        run_id=run_id,
        keep=tuple(Kept(checkpoint=c, reasons=tuple(why[c.id])) for c in here if why[c.id]),
        delete=tuple(Dropped(checkpoint=c, reason=_why_not(c, top, policy)) for c in here if not why[c.id]),
    )


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


def _nearest(catalogue: Sequence[Checkpoint], every: int) -> Reasons:
    """For each multiple of `every`, the save whose step is nearest to it; of two as near, the one saved first."""
    nearest: dict[int, tuple[int, int, str]] = {}  # multiple -> (distance, ordinal, checkpoint id)
    for one in catalogue:
        if one.step is not None:
            multiple = (2 * one.step + every) // (2 * every) * every  # half rounds up; integers, for steps past 2**53
            rank = (abs(one.step - multiple), one.ordinal, one.id)
            nearest[multiple] = min(nearest.get(multiple, rank), rank)
    for multiple, (_, _, checkpoint_id) in nearest.items():
        yield checkpoint_id, f"nearest to step {multiple}"


def _best(here: Sequence[Checkpoint], values: Mapping[str, tuple[Goal, Mapping[str, float]]]) -> Reasons:
    """The best of each metric: of equals the oldest and the newest. NaN and infinities are never best."""
    for metric, (goal, by_id) in values.items():
        known = [(by_id[c.id], c) for c in here if math.isfinite(by_id.get(c.id, math.nan))]
        if known:
            best = (min if goal == "min" else max)(value for value, _ in known)
            equals = [c.id for value, c in known if value == best]
            for checkpoint_id in dict.fromkeys((equals[0], equals[-1])):
                yield checkpoint_id, f"best {metric} {best:.4g}"


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
        if one.status != "present":
            yield one.id, f"unknown status {one.status}"
        if one.completed_at > now:  # the clock was changed: nothing says how old this save is
            yield one.id, "completed in the future"


def _why_not(one: Checkpoint, top: int, policy: RetentionPolicy) -> str:
    unneeded = f"not nearest to a multiple of {policy.every_steps}"
    if one.ordinal > top - policy.newest - policy.half:
        return f"an odd save of the {policy.half} before the newest {policy.newest} and {unneeded}"
    return f"older than the newest {policy.newest + policy.half} and {unneeded}"
