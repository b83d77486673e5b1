"""Retention: three tiers, protections, and the properties that keep work from being eaten."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neatd.actions.retention import plan
from neatd.models import Checkpoint, Goal, RetentionPlan, RetentionPolicy

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


# ---- the tiers ----


@pytest.mark.parametrize(("interval", "files"), [(100, 69), (137, 82)])
def test_400_saves_thinned_at_each_leave_the_reference_number_of_files(interval: int, files: int) -> None:
    """20 newest, 10 of the next 20, and one for each multiple of 1000 outside those."""
    assert len(present(after_every_save(saves(400, interval), RetentionPolicy()))) == files


def test_tiers_go_by_ordinal_and_not_by_place_in_the_list() -> None:
    """Two saves are left of fifty; the older is past both tiers though it is the second newest file."""
    catalogue = [checkpoint(i, 100_000 + i, status="present" if i in (3, 49) else "gone") for i in range(50)]
    done = plan(catalogue, RetentionPolicy(newest=10, half=10), {}, {}, NOW)
    assert [d.checkpoint.id for d in done.delete] == ["c3"]
    assert done.delete[0].reason == "older than the newest 20 and not nearest to a multiple of 1000"


def test_second_tier_keeps_even_ordinals() -> None:
    """Of ordinals 4 to 7 behind the newest two, 4 and 6 stay."""
    done = plan([checkpoint(i, 1_000_001 + i) for i in range(10)], RetentionPolicy(newest=2, half=4), {}, {}, NOW)
    assert set(kept(done)) == {"c0", "c4", "c6", "c8", "c9"}  # c0 is nearest to step 1000000
    assert kept(done)["c4"] == ("half of the next 4",)
    assert kept(done)["c9"] == ("newest 2",)
    reasons = {d.checkpoint.id: d.reason for d in done.delete}
    assert reasons["c5"] == "an odd save of the 4 before the newest 2 and not nearest to a multiple of 1000"


def test_each_multiple_keeps_its_nearest_save_and_a_half_rounds_up() -> None:
    """Step 2500 is the nearest to 3000 until 2600 comes, 4500 belongs to 5000, and 0 to multiple 0."""
    catalogue = [checkpoint(i, step) for i, step in enumerate([0, 400, 900, 1200, 2500, 2600, 4500, 9999])]
    done = plan(catalogue, RetentionPolicy(newest=1, half=0), {}, {}, NOW)
    nearest = {name: reasons[-1] for name, reasons in kept(done).items()}
    assert nearest == {
        "c0": "nearest to step 0",
        "c2": "nearest to step 1000",
        "c5": "nearest to step 3000",
        "c6": "nearest to step 5000",
        "c7": "nearest to step 10000",
    }


def test_of_two_as_near_the_one_saved_first_stays() -> None:
    """900 and 1100 are as near to 1000; so is a second save at 900 after a restart."""
    catalogue = [checkpoint(i, step) for i, step in enumerate([900, 1100, 900, 5000])]
    done = plan(catalogue, RetentionPolicy(newest=1, half=0), {}, {}, NOW)
    assert set(kept(done)) == {"c0", "c3"}


def test_a_multiple_whose_nearest_save_is_gone_is_not_given_to_another() -> None:
    """The representative comes from all saves ever seen, so a plan does not depend on what went before."""
    catalogue = [checkpoint(0, 1000, status="gone"), checkpoint(1, 1001), checkpoint(2, 5000)]
    assert set(kept(plan(catalogue, RetentionPolicy(newest=1, half=0), {}, {}, NOW))) == {"c2"}


def test_huge_steps_are_compared_exactly() -> None:
    """Two steps that are one number as floats are told apart."""
    multiple = 2**62 // 7 * 7
    catalogue = [checkpoint(0, multiple + 1), checkpoint(1, multiple), checkpoint(2, multiple - 1), checkpoint(3, 7)]
    found = kept(plan(catalogue, RetentionPolicy(newest=1, half=0, every_steps=7), {}, {}, NOW))
    assert found["c1"] == (f"nearest to step {multiple}",)


# ---- protections ----

TIGHT = RetentionPolicy(newest=1, half=0, every_steps=10**9)
LAST = [checkpoint(i, 10**9 + i) for i in range(8)]  # c0 is nearest, c7 newest: only c1 to c6 are free to go


@pytest.mark.parametrize(("goal", "best"), [("min", "c3"), ("max", "c5")])
def test_best_of_each_goal_stays(goal: Goal, best: str) -> None:
    """The reason names metric and value."""
    by_id = {"c2": 0.5, "c3": 0.312, "c5": 0.91, "c6": math.nan}
    found = kept(plan(LAST, TIGHT, {"val/loss": (goal, by_id)}, {}, NOW))
    assert found[best] == (f"best val/loss {by_id[best]:.4g}",)
    assert set(found) == {"c0", best, "c7"}


@pytest.mark.parametrize("never", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_never_best(never: float) -> None:
    """Minus infinity is a broken loss, and it must not push out the best real one."""
    found = kept(plan(LAST, TIGHT, {"loss": ("min", {"c2": never, "c3": 1.0, "c4": 2.0})}, {}, NOW))
    assert set(found) == {"c0", "c3", "c7"}


def test_of_equal_bests_the_oldest_and_the_newest_stay() -> None:
    """Those between them may go."""
    found = kept(plan(LAST, TIGHT, {"acc": ("max", dict.fromkeys(("c5", "c2", "c3"), 1.0))}, {}, NOW))
    assert set(found) == {"c0", "c2", "c5", "c7"}


def test_best_is_sought_among_the_present() -> None:
    """When the best is gone the best that is left is kept."""
    catalogue = [c.model_copy(update={"status": "deleted"}) if c.id == "c3" else c for c in LAST]
    assert "c4" in kept(plan(catalogue, TIGHT, {"loss": ("min", {"c3": 0.1, "c4": 0.2, "c5": 0.3})}, {}, NOW))


def test_a_pinned_checkpoint_stays_with_its_reasons() -> None:
    """Every reason is shown, and a pin without one still holds."""
    found = kept(plan(LAST, TIGHT, {}, {"c2": ("snapshot s-1", "resume source"), "c4": (), "other": ("x",)}, NOW))
    assert found["c2"] == ("pinned: snapshot s-1", "pinned: resume source")
    assert set(found) == {"c0", "c2", "c4", "c7"}


def test_what_cannot_be_judged_stays() -> None:
    """No step in the name, a status of a later version, a completion in the future."""
    odd = [
        checkpoint(3, None),
        checkpoint(4, 10**9 + 4, status="quarantined"),
        checkpoint(5, 10**9 + 5, completed_at=NOW + timedelta(seconds=1)),
    ]
    found = kept(plan([*LAST[:3], *odd, *LAST[6:]], TIGHT, {}, {}, NOW))
    assert found["c3"] == ("unknown step",)
    assert found["c4"] == ("unknown status quarantined",)
    assert found["c5"] == ("completed in the future",)


def test_the_newest_present_stays_when_all_newer_are_gone() -> None:
    """A run is not emptied because its last saves were removed by hand."""
    catalogue = [c.model_copy(update={"status": "gone"}) if c.ordinal > 4 else c for c in LAST]
    assert kept(plan(catalogue, TIGHT, {}, {}, NOW))["c4"] == ("newest present",)


def test_a_checkpoint_of_unknown_status_does_not_stand_for_the_newest() -> None:
    """It may be unusable: the newest that is known to be present stays beside it."""
    catalogue = [c.model_copy(update={"status": "quarantined"}) if c.id == "c7" else c for c in LAST]
    assert kept(plan(catalogue, TIGHT, {}, {}, NOW))["c6"] == ("newest present",)


def test_two_runs_in_one_catalogue_are_refused() -> None:
    """One run's saves must never push out another's."""
    with pytest.raises(ValueError, match="r-2"):
        plan([*LAST, checkpoint(9, 5, run_id="r-2")], TIGHT, {}, {}, NOW)


def test_an_empty_catalogue_gives_an_empty_plan() -> None:
    """Nothing seen, nothing to do."""
    assert plan([], TIGHT, {}, {}, NOW) == RetentionPlan(run_id="")


def test_order_of_the_catalogue_does_not_matter() -> None:
    """Rows may come in any order."""
    catalogue = saves(120, 137)
    shuffled = random.Random(1).sample(catalogue, len(catalogue))
    assert plan(shuffled, RetentionPolicy(), {}, {}, NOW) == plan(catalogue, RetentionPolicy(), {}, {}, NOW)


# ---- properties ----

Case = tuple[list[Checkpoint], RetentionPolicy, dict[str, tuple[Goal, dict[str, float]]], dict[str, tuple[str, ...]]]


@st.composite
def cases(draw: st.DrawFn, is_all_present: bool) -> Case:
    """100 and more saves at odd intervals with restarts, unknown steps, pins, and values with NaN, gaps and ties."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    interval, jitter = draw(st.integers(1, 2500)), draw(st.sampled_from([0, 0, 7, 400]))
    policy = RetentionPolicy(
        newest=draw(st.integers(1, 30)), half=draw(st.integers(0, 30)), every_steps=draw(st.integers(1, 5000))
    )
    step, ordinal, catalogue = 0, 0, []
    for _ in range(draw(st.integers(100, 130))):
        step = rng.randint(0, step) if rng.random() < 0.02 else step + interval + rng.randint(0, jitter)
        ordinal += 1 if rng.random() < 0.9 else rng.randint(1, 4)  # the same path saved anew leaves a gap
        status = "present" if is_all_present or rng.random() < 0.6 else rng.choice(["trashed", "deleted", "gone"])
        catalogue.append(checkpoint(ordinal, None if rng.random() < 0.02 else step, status=status))
    ids = [c.id for c in catalogue]
    pinned = dict.fromkeys(rng.sample(ids, rng.randint(0, 5)), ("snapshot s-1",))
    numbers = draw(
        st.sampled_from([[0.5, math.nan], [math.nan], [0.1, 0.2, 0.3, math.inf], [i / 64 for i in range(64)]])
    )
    goals: list[tuple[str, Goal]] = [("val/loss", "min"), ("val/acc", "max")]
    values = {m: (g, {one: rng.choice(numbers) for one in ids if rng.random() < 0.7}) for m, g in goals}
    return catalogue, policy, values, pinned


def many(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@many(300)
@given(cases(is_all_present=False))
def test_planning_again_after_a_plan_deletes_nothing_more(case: Case) -> None:
    """A plan is idempotent, for any catalogue."""
    catalogue, policy, values, pinned = case
    first = plan(catalogue, policy, values, pinned, NOW)
    second = plan(apply(catalogue, first), policy, values, pinned, NOW)
    assert second.delete == ()
    assert second.keep == first.keep


@many(300)
@given(cases(is_all_present=False))
def test_nothing_protected_goes_and_no_run_is_emptied(case: Case) -> None:
    """Each present checkpoint is in one list, and those that must stay are not in the second."""
    catalogue, policy, values, pinned = case
    done = plan(catalogue, policy, values, pinned, NOW)
    here = [c for c in catalogue if c.status == "present"]
    gone = {d.checkpoint.id for d in done.delete}
    assert sorted([*gone, *kept(done)]) == sorted(c.id for c in here)
    assert not gone & set(pinned)
    assert not gone & {c.id for c in here if c.step is None}
    if here:
        assert max(here, key=lambda c: c.ordinal).id not in gone
    for goal, by_id in values.values():
        known = [by_id[c.id] for c in here if math.isfinite(by_id.get(c.id, math.nan))]
        if known:
            best = min(known) if goal == "min" else max(known)
            equals = [c.id for c in here if by_id.get(c.id) == best]
            assert not gone & {equals[0], equals[-1]}


@many(100)
@given(cases(is_all_present=True))
def test_planning_after_every_save_ends_where_planning_once_does(case: Case) -> None:
    """True when a save's values and pins are known by the first plan after it: then its being best only ever ends."""
    catalogue, policy, values, pinned = case
    once = apply(catalogue, plan(catalogue, policy, values, pinned, NOW))
    assert present(after_every_save(catalogue, policy, values, pinned)) == present(once)


@many(50)
@given(cases(is_all_present=True), st.integers(1, 40))
def test_values_that_come_late_never_cost_the_best_of_what_is_left(case: Case, lag: int) -> None:
    """With evaluation `lag` saves behind, the two ways may differ, but no plan drops the best known at its time."""
    catalogue, policy, values, pinned = case
    seen: list[Checkpoint] = []
    for count, one in enumerate(catalogue, start=1):
        known = {c.id for c in catalogue[: max(0, count - lag)]}
        so_far = {m: (g, {i: v for i, v in by_id.items() if i in known}) for m, (g, by_id) in values.items()}
        seen.append(one)
        before = present(seen)
        seen = apply(seen, plan(seen, policy, so_far, pinned, NOW))
        for goal, by_id in so_far.values():
            numbers = [v for i, v in by_id.items() if i in before and math.isfinite(v)]
            if numbers:
                best = min(numbers) if goal == "min" else max(numbers)
                assert best in [by_id[i] for i in present(seen) if i in by_id]
