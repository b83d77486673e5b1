"""The brief: within its budget whatever happened, and nothing in it that the facts do not say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from neatd.assist.brief import brief
from neatd.assist.facts import Facts, SavesFact
from neatd.knowledge import Bug, Decision, Hypothesis, Note, Task
from neatd.models import GitState
from tests.facts_made import NOW, SHIPPED, event, facts, record, run

TITLES = st.text(max_size=400) | st.sampled_from(
    ["ü" * 300, "損失" * 150, "🔥" * 200, "a|b\n# c `d`", "loss is 0.25 now"]
)
COUNTS = st.integers(0, 25)


def full(title: str, count: int) -> Facts:
    """Facts with `count` of everything, all with the same title."""
    numbers = range(count)
    return facts(
        project=title,
        phase=title,
        watching=title,
        git=GitState(is_repo=True, branch=title, commit="a" * 40, subject=title, dirty=tuple(title for _ in numbers)),
        runs=tuple(run(n, name=title, status="lost", reason=title, changed=(title,)) for n in numbers),
        events=tuple(event(n, "warning", title, run=title, snapshot=title) for n in numbers),
        hypotheses=tuple(record(Hypothesis, n, title, predict=title, verdict_reason=title) for n in numbers),
        decisions=tuple(record(Decision, n, title, why=title) for n in numbers),
        bugs=tuple(record(Bug, n, title, cause=title, fix=title) for n in numbers),
        tasks=tuple(record(Task, n, title) for n in numbers),
        notes=tuple(record(Note, n, title) for n in numbers),
        saves=tuple(SavesFact(run=title, present=n, present_bytes=n, trashed=n, trashed_bytes=n) for n in numbers),
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TITLES, COUNTS, st.integers(0, 9000))
@example("損失" * 150, 25, 6000)
@example("🔥" * 200, 3, 500)
@example("x", 1, 10)
def test_the_budget_is_never_exceeded(title: str, count: int, budget: int) -> None:
    """However long and however many, in bytes and not in characters, down to no room at all."""
    assert len(brief(full(title, count), budget, SHIPPED).encode()) <= budget


@pytest.mark.parametrize("line", ["é\n", "no newline "])
def test_the_last_resort_cuts_between_lines(line: str) -> None:
    """What has no items to leave out is cut to whole lines and says so, at every budget to the byte."""
    endless = facts(watching=line * 300)
    for budget in range(260):
        text = brief(endless, budget, SHIPPED)
        assert len(text.encode()) <= budget
        assert budget < 100 or text.endswith("… cut to the budget: `neat handoff` shows more\n")


def test_a_brief_that_fits_is_whole() -> None:
    """Below the budget nothing is cut, and nothing says that something was."""
    text = brief(full("short", 3), 20_000, SHIPPED)
    assert text.count("(d-") == 3 and text.count("(t-") == 3
    assert "more:" not in text and "Left out" not in text and "cut to" not in text


def test_what_is_left_out_is_said_with_the_command_that_shows_it() -> None:
    """Of 25 decisions some are shown, the rest is counted; a kind without room is named."""
    text = brief(full("a decision of some length that takes its room", 25), 3000, SHIPPED)
    shown = text.count("(d-")
    assert 0 < shown < 25
    assert f"… and {25 - shown} more: `neat list decision`" in text
    assert "Left out for the budget:" in text and "checkpoints" in text.partition("Left out")[2]


def test_next_steps_outlast_notes() -> None:
    """What an assistant needs most is given up last."""
    text = brief(full("of some length " * 6, 10), 1200, SHIPPED)
    assert "## Next" in text and "## Notes" not in text


def test_sections_without_facts_are_left_out() -> None:
    """An empty project has a heading and the line on where numbers come from, nothing between."""
    text = brief(facts(), 6000, SHIPPED)
    assert "##" not in text and "Branch" not in text and "Phase" not in text and "Files:" not in text
    assert text.startswith("# segment: where things stand\n")
    assert "\n\n\n" not in text


@pytest.mark.parametrize(
    ("title", "evidence", "is_marked"),
    [
        ("dice rose to 0.31", (), True),
        ("a third is 33 % now", (), True),
        ("use patches of 128 cubed", (), False),
        ("dice rose to 0.31", ({"run": "r-1", "metric": "val/dice", "step": 4, "value": 0.31},), False),
        ("very long " * 30 + "0.31", (), False),
        ("dice 0.31 " + "very long " * 30, (), True),
    ],
)
def test_a_number_without_evidence_is_marked_unverified(
    title: str, evidence: tuple[dict[str, object], ...], is_marked: bool
) -> None:
    """The mark stands with the number, also where the title is cut; a number with a run behind it has none."""
    for model, section in ((Decision, "decisions"), (Note, "notes"), (Hypothesis, "hypotheses")):
        text = brief(facts(**{section: (record(model, 1, title, evidence=evidence),)}), 6000, SHIPPED)
        assert ("(unverified)" in text) is is_marked


def test_the_reason_of_a_decision_is_marked_too() -> None:
    """A number in the why counts as a claim."""
    text = brief(facts(decisions=(record(Decision, 1, "use patches", why="dice was 0.31"),)), 6000, SHIPPED)
    assert "because dice was 0.31 (unverified)" in text


def test_identical_facts_give_identical_bytes() -> None:
    """No clock, no order of a set, no memory of the last one."""
    assert brief(full("same", 12), 3000, SHIPPED) == brief(full("same", 12), 3000, SHIPPED)


def test_events_stand_in_the_order_they_are_given() -> None:
    """The gravest come first from gathering; the brief keeps that order and drops from its end."""
    some = (event(1, "critical", "not finite"), *(event(n, "info", f"best number {n}") for n in range(2, 40)))
    text = brief(facts(events=some), 1000, SHIPPED)
    assert text.index("critical spike") < text.index("info spike")


def test_the_table_says_better_or_worse_and_survives_bars_and_breaks() -> None:
    """A name with table bars and newlines stays one cell; the delta says which way it is good."""
    base = run(1, is_baseline=True, value=0.5, value_step=10)
    other = run(2, name="a|b\nc", value=0.25, value_step=20, delta=-0.25, is_better=True)
    text = brief(facts(runs=(base, other), metric="val/loss", goal="min", baseline="runs/exp1"), 6000, SHIPPED)
    row = next(line for line in text.splitlines() if "a/b c" in line)
    assert row.count("|") == 7 and "-0.25 (better)" in row
    assert "lower is better" in text


def test_secrets_are_taken_out() -> None:
    """A token in a title does not reach the file that assistants read, not even where the title is cut in its middle."""
    token = "gh" + "p_" + "a1B2" * 9
    for title in (f"pushed with {token}", "x" * 140 + f" {token} and more"):
        text = brief(facts(notes=(record(Note, 1, title),)), 6000, SHIPPED)
        assert "a1B2a1B2" not in text


def test_times_are_relative_to_the_facts_now() -> None:
    """Ages count from the moment of the facts, not of the rendering."""
    text = brief(facts(notes=(record(Note, 1, "old", created_at=datetime(2026, 2, 1, tzinfo=UTC)),)), 6000, SHIPPED)
    assert f"{(NOW - datetime(2026, 2, 1, tzinfo=UTC)).days} d ago" in text
