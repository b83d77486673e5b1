"""How each kind of record stands in the brief: whole, with its age and its evidence, and without addresses."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from neatd.assist.brief import brief
from neatd.assist.facts import Facts
from neatd.knowledge import (
    Bug,
    Change,
    Decision,
    Document,
    Experiment,
    Goal,
    Hypothesis,
    Insight,
    Lesson,
    Machine,
    Note,
    Phase,
    Task,
)  # fmt: skip
from tests.facts_made import SHIPPED, facts, record, run


def written(of: Facts) -> str:
    return brief(of, 20_000, SHIPPED)


def test_bugs_say_before_and_after_and_the_fixed_come_last() -> None:
    """With the files; a measurement that no run vouches for is marked."""
    bug = record(Bug, 1, "out of memory", cause="all at once", fix="lazily", before="50 GB", after="15 GB",
                 file=("data.py", "io.py"), status="fixed", follow_up="test it")  # fmt: skip
    text = written(facts(bugs=(record(Bug, 2, "slow"), bug)))
    assert (
        "- fixed: out of memory; cause: all at once; fix: lazily; before 50 GB, after 15 GB (unverified);"
        " still to do: test it; in data.py, io.py (b-0000000000000001, 1 h ago)"
    ) in text
    assert text.index("open: slow") < text.index("fixed: out of memory")


def test_a_long_body_stays_out_and_the_item_says_how_to_read_it() -> None:
    """A short one stands behind its title; a record without a title is its body."""
    some = (
        record(Note, 1, "short", body="and whole"),
        record(Note, 2, "long", body="word " * 60),
        record(Note, 3, "", body="b " * 150),
    )
    text = written(facts(notes=some))
    assert "- short: and whole (n-0000000000000001, 1 h ago)" in text
    assert "- long (`neat show n-0000000000000002` for more, 1 h ago)" in text
    assert f"- {'b ' * 149}b (n-" in text


def test_evidence_stands_beside_what_it_vouches_for() -> None:
    """Run, metric, step and value, the run by its name."""
    evidence = ({"run": "r-0000000000000001", "metric": "val/dice", "step": 400, "value": 0.3081},)
    text = written(
        facts(runs=(run(1, name="runs/wide"),), insights=(record(Insight, 1, "dice is 0.31", evidence=evidence),))
    )
    assert "- dice is 0.31 [runs/wide:val/dice@400 = 0.3081] (i-" in text


@pytest.mark.parametrize(
    ("model", "section"),
    [(Decision, "decisions"), (Note, "notes"), (Hypothesis, "hypotheses"), (Insight, "insights"), (Lesson, "lessons"),
     (Bug, "bugs"), (Change, "changes")],
)  # fmt: skip
def test_a_number_without_evidence_is_marked_unverified(model: type, section: str) -> None:
    """In every kind that states something; a run behind it takes the mark away."""
    text = written(facts(**{section: (record(model, 1, "dice rose to 0.31"),)}))
    assert "dice rose to 0.31 (unverified)" in text
    number = {"run": "r-1", "metric": "val/dice", "step": 9, "value": 0.3081}
    vouched = written(facts(**{section: (record(model, 1, "dice rose to 0.31", evidence=(number,)),)}))
    assert "(unverified)" not in vouched


@pytest.mark.parametrize(("model", "section"), [(Goal, "goals"), (Task, "tasks"), (Phase, "phases")])
def test_a_number_of_a_plan_is_no_claim(model: type, section: str) -> None:
    """It is what is to be reached, and nobody measured it."""
    text = written(facts(**{section: (record(model, 1, "reach dice 0.31"),)}))
    assert "reach dice 0.31 (" in text and "(unverified)" not in text


def test_a_verdicts_thresholds_are_no_claims() -> None:
    """With its evidence a hypothesis stands as it was computed; a number that the evidence lacks marks an insight."""
    number = {"run": "r-1", "metric": "val/dice", "step": 9, "value": 0.3081}
    fields = {"verdict": "supported", "verdict_reason": "0.3081 > 0.20", "evidence": (number,)}
    assert "(unverified)" not in written(facts(hypotheses=(record(Hypothesis, 1, "dice over 0.20", **fields),)))
    assert "dice was 0.9 (unverified) [r-1:val/dice@9 = 0.3081]" in written(
        facts(insights=(record(Insight, 1, "dice was 0.9", evidence=(number,)),))
    )


def test_the_reason_and_what_follows_are_marked_too() -> None:
    """A number in the why and in an implication counts as a claim."""
    one = record(Decision, 1, "use patches", why="dice was 0.31", implication=("it takes 50 GB",))
    text = written(facts(decisions=(one,)))
    assert "because dice was 0.31 (unverified)" in text and "so: it takes 50 GB (unverified)" in text


def test_a_machine_shows_no_address_unless_it_is_allowed() -> None:
    """Neither the fields nor an address in its words; both where the user allowed it."""
    machine = record(Machine, 1, "the VM", body="ssh -i ~/.ssh/vm root@203.0.113.7 -p 2222", host="root@203.0.113.7",
                     port="2222", key="~/.ssh/vm", gpu="A100, 40 GB", driver="550.90", provider="a cloud")  # fmt: skip
    text = written(facts(machines=(machine,)))
    assert "- the VM: [ssh command hidden]; GPU A100, 40 GB, driver 550.90; a cloud (m-" in text
    assert "203.0.113" not in text and ".ssh" not in text and "2222" not in text
    allowed = written(facts(machines=(machine,), shows_addresses=True))
    assert "; host root@203.0.113.7, port 2222, key ~/.ssh/vm (m-" in allowed and "ssh -i ~/.ssh/vm" in allowed


def test_only_the_changes_of_this_week_are_shown() -> None:
    """Older ones are counted."""
    old = record(Change, 1, "long ago", created_at=datetime(2026, 2, 1, tzinfo=UTC))
    text = written(facts(changes=(record(Change, 2, "today", before="a", after="b"), old)))
    assert "- today; before a, after b (c-" in text and "long ago" not in text
    assert "Left out: 1 older change (`neat list change`)." in text


def test_a_must_read_document_comes_first_whatever_its_status() -> None:
    """Also one that is implemented; others that are over are left out."""
    some = (record(Document, 1, "the plan", path="docs/plan.md", must_read=True, status="implemented"),
            record(Document, 2, "draft", path="docs/b.md"),
            record(Document, 3, "old", path="docs/c.md", status="implemented"))  # fmt: skip
    text = written(facts(documents=some))
    assert "## Read first\n- `docs/plan.md`: the plan, implemented (d-" in text
    assert "## Other documents\n- `docs/b.md`: draft (d-" in text and "docs/c.md" not in text


def test_the_table_says_better_or_worse_and_survives_bars_and_breaks() -> None:
    """A name with table bars and newlines stays one cell; the delta says which way it is good."""
    base = run(1, is_baseline=True, value=0.5, value_step=10)
    other = run(
        2,
        name="a|b\nc",
        value=0.25,
        value_step=20,
        delta=-0.25,
        is_better=True,
        changed=tuple("lr a -> b" for _ in "123456"),
    )
    text = written(facts(runs=(base, other), metric="val/loss", goal="min", baseline="runs/exp1"))
    row = next(line for line in text.splitlines() if "a/b c" in line)
    assert row.count("|") == 9 and "-0.25 (better)" in row and row.endswith("and 2 more |")
    assert "lower is better" in text


def test_the_table_says_what_is_not_comparable_and_what_was_only_reported() -> None:
    """A delta against other data says nothing; a number that no watched run vouches for is unverified. A recorded
    experiment that is a row of the table is not said twice."""
    done, planned = record(Experiment, 1, "by hand", metric="val/dice", value=0.2), record(Experiment, 2, "wider")
    rows = (
        run(1, is_baseline=True, value=0.1),
        run(2, value=0.3, delta=0.2, not_comparable=("other data",), is_comparable=False, code="commit 1f2e (1 file)"),
        run(3, id=done.id, name="by hand", status="done", value=0.2, delta=0.1, is_better=True, is_reported=True),
    )
    text = written(facts(runs=rows, experiments=(done, planned), metric="val/dice", goal="max"))
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert (
        "| not comparable: other data |" in lines[2]
        and "+0.2" not in lines[2]
        and lines[2].endswith("| commit 1f2e (1 file) |")
    )
    assert lines[3].startswith("| by hand (reported) | r-0003 | 0.2 (unverified) | — | +0.1 (better) |")
    proven = done.model_copy(update={"evidence": ({"run": "r-1", "value": 0.2},)})
    assert "(unverified)" not in written(facts(runs=rows, experiments=(proven,)))
    other = done.model_copy(update={"evidence": ({"run": "r-1", "value": 0.9},)})
    assert "0.2 (unverified)" in written(facts(runs=rows, experiments=(other,)))
    assert "- by hand" not in text and "- wider, open (e-" in text
