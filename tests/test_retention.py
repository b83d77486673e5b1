"""Retention: three tiers, protections, and the properties that keep work from being eaten."""

from __future__ import annotations

import math
import random
from datetime import timedelta

import pytest
from pydantic import ValidationError

from neatd.actions.retention import plan, without_backlog
from neatd.models import Checkpoint, Goal
from neatd.policy import Kept, RetentionPlan, RetentionPolicy
from tests.retention_cases import CLAIMS, NOW, Claim, after_every_save, checkpoint, kept, many, present, saves

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


# ---- rules that are off until somebody turns them on ----

HOUR = timedelta(hours=1)


def at(ordinal: int, hours_ago: float, **fields: object) -> Checkpoint:
    """A save at step 10**9 + ordinal, made so long before now."""
    moment = NOW - hours_ago * HOUR
    return checkpoint(ordinal, 10**9 + ordinal, mtime_ns=int(moment.timestamp() * 1e9), completed_at=moment, **fields)


def test_every_kth_save_goes_by_its_number_for_ever() -> None:
    """Of ordinals 0 to 7 every third stays, whatever went before."""
    policy = RetentionPolicy(newest=0, half=0, every_steps=0, every_saves=3)
    found = kept(plan([c for c in LAST if c.id != "c2"], policy, {}, {}, NOW))
    assert found == {
        "c0": ("every 3 saves",),
        "c3": ("every 3 saves",),
        "c6": ("every 3 saves",),
        "c7": ("newest present",),
    }


def test_the_best_n_are_counted_by_value_of_each_metric() -> None:
    """Two values of each: of equals the oldest and the newest."""
    by_loss = {"c1": 0.3, "c2": 0.2, "c3": 0.2, "c4": 0.2, "c5": math.nan, "c6": 0.9}
    policy = RetentionPolicy(newest=1, half=0, every_steps=0, best_n=2)
    found = kept(plan(LAST, policy, {"loss": ("min", by_loss), "acc": ("max", by_loss)}, {}, NOW))
    assert {"c1", "c2", "c4", "c6", "c7"} == set(found)
    assert found["c2"] == ("best loss 0.2",) and found["c1"] == ("best 2 of loss 0.3", "best 2 of acc 0.3")


def test_a_policy_of_values_alone_thins_no_run_that_has_none() -> None:
    """A misspelt metric must not cost every checkpoint but the newest."""
    policy = RetentionPolicy(newest=0, half=0, every_steps=0, best_metrics={"val/lss": "min"})
    assert len(kept(plan(LAST, policy, {}, {}, NOW))) == len(LAST)
    assert set(kept(plan(LAST, policy, {"loss": ("min", {"c3": 1.0})}, {}, NOW))) == {"c3", "c7"}


def test_what_is_young_stays() -> None:
    """Two days: what is older goes, and what has no believable time stays."""
    policy = RetentionPolicy(newest=1, half=0, every_steps=0, younger_than="2d")
    catalogue = [at(0, 60), at(1, 49), at(2, 47), at(3, 1), checkpoint(9, 5, mtime_ns=0), at(10, 0.1)]
    found = kept(plan(catalogue, policy, {}, {}, NOW))
    assert found["c2"] == ("younger than 2d",) and found["c9"] == ("unknown time",)
    assert set(found) == {"c2", "c3", "c9", "c10"}


def test_one_an_hour_and_one_a_day_are_the_first_of_each() -> None:
    """Hours without a save count for nothing: the newest two that have one, and three days."""
    hours = [80.5, 80.2, 50.5, 30.5, 3.9, 3.5, 2.9, 2.5, 0.1]
    catalogue = [at(i, one) for i, one in enumerate(hours)]
    policy = RetentionPolicy(newest=1, half=0, every_steps=0, hourly=2, daily=3)
    found = kept(plan(catalogue, policy, {}, {}, NOW))
    assert found["c6"] == ("first of its hour",) and found["c8"] == ("newest 1", "first of its hour")
    assert found["c2"] == ("first of its day",) and found["c3"] == ("first of its day",)
    assert found["c4"] == ("first of its day",) and set(found) == {"c2", "c3", "c4", "c6", "c8"}


def test_the_older_half_of_a_run_does_not_go_by_itself() -> None:
    """What was saved before the policy was in force waits where most of it would go; what came since goes."""
    catalogue = [at(i, 100 - i) for i in range(60)]
    done = plan(catalogue, RetentionPolicy(newest=5, half=0, every_steps=0), {}, {}, NOW)
    since = NOW - 70 * HOUR
    left = without_backlog(done, since)
    assert [d.checkpoint.ordinal for d in left.delete] == list(range(30, 55))
    assert {r for k in left.keep if k.checkpoint.ordinal < 30 for r in k.reasons} == {
        "waits for `neat retention apply --yes`"
    }
    assert without_backlog(done, NOW - 101 * HOUR) == done
    some = done.model_copy(
        update={
            "delete": done.delete[:10],
            "keep": tuple(Kept(checkpoint=d.checkpoint, reasons=("x",)) for d in done.delete[10:]),
        }
    )
    assert without_backlog(some, since) == some


@pytest.mark.parametrize(
    "fields",
    [
        {"newest": 0, "half": 0, "every_steps": 0},
        {"younger_than": "2 years"},
        {"best_n": 0},
        {"newest": -1},
        {"keep": 3},
    ],
)
def test_a_policy_that_keeps_nothing_or_is_misspelt_is_refused(fields: dict[str, object]) -> None:
    """Before it is ever asked what may go."""
    with pytest.raises(ValidationError):
        RetentionPolicy.model_validate(fields)


# ---- properties: `make bench` has the many cases of them ----


@pytest.mark.parametrize(("claim", "share"), CLAIMS.items(), ids=[claim.__name__ for claim in CLAIMS])
def test_planning_keeps_its_promises(claim: Claim, share: float) -> None:
    """Idempotent; after every save as once; nothing protected goes; late values cost nothing. 250 cases."""
    many(int(250 * share), claim)
