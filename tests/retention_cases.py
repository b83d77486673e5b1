"""Catalogues of a hundred and more checkpoints under mixed protections, and what a plan promises of each of them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neatd.actions.retention import plan
from neatd.models import Checkpoint, Goal
from neatd.policy import RetentionPlan, RetentionPolicy

NOW = datetime(2026, 1, 2, tzinfo=UTC)
Values = Mapping[str, tuple[Goal, Mapping[str, float]]]
NO_VALUES: Values = {}


def checkpoint(ordinal: int, step: int | None, **fields: object) -> Checkpoint:
    """A present checkpoint `c<ordinal>` of run r-1; fields override."""
    given_fields = {
        "id": f"c{ordinal}", "run_id": "r-1", "path": f"step_{step}_{ordinal}.pt", "step": step, "ordinal": ordinal,
        "size_bytes": 100, "mtime_ns": ordinal, "completed_at": NOW - timedelta(hours=1),
    } | fields  # fmt: skip
    return Checkpoint.model_construct(**given_fields)


def saves(count: int, interval: int) -> list[Checkpoint]:
    """`count` saves, the first at step `interval`."""
    return [checkpoint(i, interval * (i + 1)) for i in range(count)]


def apply(catalogue: Sequence[Checkpoint], done: RetentionPlan) -> list[Checkpoint]:
    """The catalogue after a plan was carried out."""
    gone = {dropped.checkpoint.id for dropped in done.delete}
    return [c.model_copy(update={"status": "trashed"}) if c.id in gone else c for c in catalogue]


def after_every_save(
    catalogue: Sequence[Checkpoint],
    policy: RetentionPolicy,
    values: Values = NO_VALUES,
    pinned: Mapping[str, tuple[str, ...]] | None = None,
) -> list[Checkpoint]:
    """The catalogue after planning and deleting at each save."""
    seen: list[Checkpoint] = []
    for one in catalogue:
        seen.append(one)
        seen = apply(seen, plan(seen, policy, values, pinned or {}, NOW))
    return seen


def present(catalogue: Sequence[Checkpoint]) -> set[str]:
    return {c.id for c in catalogue if c.status == "present"}


def kept(done: RetentionPlan) -> dict[str, tuple[str, ...]]:
    return {one.checkpoint.id: one.reasons for one in done.keep}


class Case(NamedTuple):
    """A run's whole catalogue and what protects it. `now` is when each save is planned after, by its place."""

    catalogue: list[Checkpoint]
    policy: RetentionPolicy
    values: dict[str, tuple[Goal, dict[str, float]]]
    pinned: dict[str, tuple[str, ...]]
    seed: int

    def plan(self, catalogue: Sequence[Checkpoint] | None = None, values: Values | None = None) -> RetentionPlan:
        """The plan of this catalogue, or of another state of it, at the time of its last save."""
        wanted = self.catalogue if catalogue is None else catalogue
        now = max((c.completed_at for c in wanted), default=NOW)
        return plan(wanted, self.policy, self.values if values is None else values, self.pinned, now)


Claim = Callable[[Case], None]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """100 and more saves at odd intervals with restarts, unknown steps and times, pins, and values with NaN, gaps, ties."""
    seed = draw(st.integers(0, 2**32))
    rng = random.Random(seed)
    interval, jitter = rng.choice([1, 50, 100, 137, 1000, rng.randint(1, 2500)]), rng.choice([0, 0, 7, 400])
    step, ordinal, catalogue = 0, 0, []
    moment = NOW - timedelta(days=rng.choice([1, 30, 400]))
    for _ in range(draw(st.integers(100, 130))):
        step = rng.randint(0, step) if rng.random() < 0.02 else step + interval + rng.randint(0, jitter)
        ordinal += 1 if rng.random() < 0.9 else rng.randint(1, 4)  # the same path saved anew leaves a gap
        moment += timedelta(seconds=rng.choice([5, 60, 600, 3600, rng.randint(1, 40_000)]))
        written = moment if rng.random() < 0.95 else moment - timedelta(days=rng.choice([0.5, 3, 30_000]))
        catalogue.append(
            checkpoint(
                ordinal, None if rng.random() < 0.02 else step, completed_at=moment,
                mtime_ns=max(0, int(written.timestamp())) * 10**9,
            )
        )  # fmt: skip
    ids = [c.id for c in catalogue]
    pinned = dict.fromkeys(rng.sample(ids, rng.randint(0, 5)), ("snapshot s-1",))
    numbers = rng.choice([[0.5, math.nan], [math.nan], [0.1, 0.2, 0.3, math.inf], [i / 64 for i in range(64)]])
    goals: list[tuple[str, Goal]] = [("val/loss", "min"), ("val/acc", "max")]
    values = {m: (g, {one: rng.choice(numbers) for one in ids if rng.random() < 0.7}) for m, g in goals}
    return Case(catalogue, _policy(rng), values, pinned, seed)


def _policy(rng: random.Random) -> RetentionPolicy:
    """Any mixture of the rules, each off in many of them."""
    return RetentionPolicy(
        newest=rng.choice([1, 5, 20, rng.randint(1, 30)]), half=rng.choice([0, rng.randint(0, 30)]),
        every_steps=rng.choice([0, 1000, rng.randint(1, 5000)]), every_saves=rng.choice([0, 0, rng.randint(1, 30)]),
        best_n=rng.choice([1, 1, 2, 5]), younger_than=rng.choice(["", "", "90m", "36h", "1w"]),
        hourly=rng.choice([0, 0, 5, 24]), daily=rng.choice([0, 0, 7]),
    )  # fmt: skip


def partly_gone(case: Case) -> Case:
    """The case after a person, a trainer and earlier plans removed what they liked."""
    rng = random.Random(case.seed)
    gone = [
        c
        if rng.random() < 0.6
        else c.model_copy(update={"status": rng.choice(["trashed", "deleted", "gone", "changing"])})
        for c in case.catalogue
    ]
    return case._replace(catalogue=gone)


def planning_again_deletes_nothing_more(case: Case) -> None:
    """A plan is idempotent, for any catalogue."""
    for one in (case, partly_gone(case)):
        first = one.plan()
        second = one.plan(apply(one.catalogue, first))
        assert second.delete == ()
        assert second.keep == first.keep


def nothing_protected_goes(case: Case) -> None:
    """Each present checkpoint is in one list, and those that must stay are not in the second."""
    for one in (case, partly_gone(case)):
        done = one.plan()
        here = [c for c in one.catalogue if c.status == "present"]
        gone = {d.checkpoint.id for d in done.delete}
        assert sorted([*gone, *kept(done)]) == sorted(
            c.id for c in one.catalogue if c.status in ("present", "changing")
        )
        assert not gone & set(one.pinned) and gone <= {c.id for c in here if c.step is not None}
        if here:
            assert max(here, key=lambda c: c.ordinal).id not in gone
        for goal, by_id in one.values.values():
            known = [by_id[c.id] for c in here if math.isfinite(by_id.get(c.id, math.nan))]
            if known:
                best = min(known) if goal == "min" else max(known)
                equals = [c.id for c in here if by_id.get(c.id) == best]
                assert not gone & {equals[0], equals[-1]}


def after_every_save_is_as_once(case: Case) -> None:
    """True when a save's values and pins are known by the first plan after it: then its being kept only ever ends."""
    once = apply(case.catalogue, case.plan())
    seen: list[Checkpoint] = []
    for one in case.catalogue:
        seen.append(one)
        seen = apply(seen, case.plan(seen))
    assert present(seen) == present(once)


def late_values_never_cost_the_best(case: Case) -> None:
    """With evaluation some saves behind, the two ways may differ, but no plan drops the best known at its time."""
    lag, seen = random.Random(case.seed).randint(1, 40), list[Checkpoint]()
    for count, one in enumerate(case.catalogue, start=1):
        known = {c.id for c in case.catalogue[: max(0, count - lag)]}
        so_far: Values = {m: (g, {i: v for i, v in by.items() if i in known}) for m, (g, by) in case.values.items()}
        seen.append(one)
        before = present(seen)
        seen = apply(seen, case.plan(seen, so_far))
        for goal, by_id in so_far.values():
            numbers = [v for i, v in by_id.items() if i in before and math.isfinite(v)]
            if numbers:
                best = min(numbers) if goal == "min" else max(numbers)
                assert best in [by_id[i] for i in present(seen) if i in by_id]


# What holds of every case, and its share of the cases: to plan after each of a hundred saves takes five times as long.
CLAIMS: dict[Claim, float] = {
    planning_again_deletes_nothing_more: 0.4, nothing_protected_goes: 0.4, after_every_save_is_as_once: 0.1,
    late_values_never_cost_the_best: 0.1,
}  # fmt: skip


def many(examples: int, claim: Claim) -> None:
    """Hold a claim against so many cases."""
    checked = settings(
        max_examples=examples, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
    )
    checked(given(cases())(claim))()
