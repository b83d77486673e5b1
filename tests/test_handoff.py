"""The handoff: the whole state as a document, section by section."""

from __future__ import annotations

from datetime import timedelta

import pytest

from neatd.assist.facts import Facts, SavesFact
from neatd.assist.render import render
from neatd.knowledge import Bug, Decision, Hypothesis, Note, Phase, Task
from neatd.knowledge import TestRun as RunOfTests  # pytest would collect a class whose name begins with Test
from neatd.models import GitState
from tests.facts_made import NOW, SHIPPED, event, facts, record, run


def handoff(of: Facts) -> str:
    return render("handoff.md.j2", of, SHIPPED)


def whole() -> Facts:
    """A project with one or two of everything."""
    return facts(
        git=GitState(is_repo=True, branch="main", commit="c0ffee" + "0" * 34, subject="topology loss",
                     dirty=("train.py",), untracked=("run.sh",)),
        phase="stage 2: topology",
        metric="val/dice",
        goal="max",
        runs=(
            run(1, is_baseline=True, value=0.118, value_step=900, step=1000, planned_steps=1000, hours=1.5),
            run(2, value=0.203, value_step=800, delta=0.085, status="failed", reason="exit code 1 at step 812",
                changed=("lr 0.1 -> 0.2",), accuracy="41 of 64 correct at step 200", commit="c0ffee00", is_dirty=True),
        ),
        events=(event(1, "critical", "val/loss is not finite", snapshot="runs/exp1/snapshots/e-1"),),
        decisions=(
            record(Decision, 2, "train on 128 cubed", why="160 does not fit", context="16 GB", alternative=("160 cubed",),
                   implication=("less context",)),
        ),
        hypotheses=(
            record(Hypothesis, 3, "topology helps", predict="val/dice > 0.20", run="exp2", verdict="supported",
                   verdict_reason="val/dice reached 0.203 at step 800"),
        ),
        bugs=(record(Bug, 4, "out of memory", status="fixed", cause="all at once", fix="lazily", follow_up="test it"),),
        notes=(record(Note, 5, "dice is 0.5 on one case"),),
        tasks=(record(Task, 6, "run the sweep"), record(Task, 7, "write it up")),
        saves=(SavesFact(run="runs/exp1", present=3, present_bytes=3_000_000, trashed=2, trashed_bytes=2_000),),
    )  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "- **Branch**: main",
        "- **Last commit**: `c0ffee00` topology loss",
        "  - `train.py` modified",
        "  - `run.sh` NEW (untracked)",
        "- **Remote**: none is followed",
        "- stage 2: topology",
        "| runs/exp1 (`r-0001`) | 0.118 | 900 | — | finished | step 1000 of 1000; 1.50 h |",
        "- runs/exp2 failed: exit code 1 at step 812",
        "   - Context: 16 GB",
        "   - Instead of: 160 cubed",
        "   - So: less context",
        "- **Fixed**: out of memory (b-0000000000000004)",
        "  - Cause: all at once",
        "  - Solution: lazily",
        "  - Future fix: test it",
        "- runs/exp1: 3 kept (3.0 MB), 2 in the trash (2.0 kB)",
        "1. run the sweep (t-0000000000000006)",
        "2. write it up (t-0000000000000007)",
    ],
)
def test_each_fact_has_its_line(line: str) -> None:
    """What the facts hold stands in the document, word for word."""
    assert line in handoff(whole()).splitlines()


@pytest.mark.parametrize(
    "part",
    [
        "| +0.085 | failed |",
        "41 of 64 correct at step 200; lr 0.1 -> 0.2; commit c0ffee00 + changes |",
        "in runs/exp1: val/loss is not finite; snapshot `runs/exp1/snapshots/e-1`",
        "1. **train on 128 cubed**: 160 does not fit (d-0000000000000002, ",
        "1. **topology helps**: supported; predicted val/dice > 0.20 for exp2; val/dice reached 0.203 at step 800 (h-",
        "- dice is 0.5 on one case (unverified) (",
    ],
)
def test_what_belongs_together_stands_in_one_line(part: str) -> None:
    """A run's numbers, a decision's reason and a hypothesis' verdict are not torn apart."""
    assert part in handoff(whole())


def test_sections_come_in_reading_order() -> None:
    """State, experiments, events, decisions, hypotheses, bugs, checkpoints, then what to do next."""
    headings = [line for line in handoff(whole()).splitlines() if line.startswith("## ")]
    assert headings == [
        "## Current state", "## Experiment progress", "## What happened in the runs", "## Key decisions",
        "## Hypotheses", "## Bugs and issues", "## Checkpoints", "## Next session should", "## Commands to run", "## Notes",
    ]  # fmt: skip


def test_an_empty_project_has_no_empty_sections() -> None:
    """Without facts there is the heading and the commands, and no heading with nothing below."""
    headings = [line for line in handoff(facts()).splitlines() if line.startswith("#") and "neat" not in line]
    assert headings == [
        "# Session handoff: segment, " + f"{NOW.astimezone():%Y-%m-%d %H:%M}",
        "## Commands to run",
    ]


@pytest.mark.parametrize("template", ["handoff", "notes", "report", "claude"])
def test_neat_yamls_phase_stands_beside_another_one(template: str) -> None:
    """Of both the record is the newer word; said once where they say the same."""
    two = facts(phase="setup", phases=(record(Phase, 1, "6A"),))
    assert "- Phase (neat.yaml): setup\n" in render(f"{template}.md.j2", two, SHIPPED)
    same = facts(phase="6A", phases=(record(Phase, 1, "6A"),))
    assert "neat.yaml" not in render(f"{template}.md.j2", same, SHIPPED)


def test_of_each_test_command_the_last_run_that_ended_is_told() -> None:
    """With its failing names, and that one was interrupted since; a command that tests nothing has no entry."""
    tests = (
        record(RunOfTests, 4, "", command="true", status="passed", exit_code=0),
        record(RunOfTests, 3, "", command="make test", status="interrupted", exit_code=130),
        record(RunOfTests, 2, "", command="make test", status="failed", failed=1, failing=("test_loss",), exit_code=1),
        record(RunOfTests, 1, "", command="make test", status="passed", passed=9, exit_code=0),
    )
    text = handoff(facts(tests=tests))
    assert "- **Last `make test`**: FAIL (1 failed)" in text and "  - `test_loss`\n" in text
    assert text.count("**Last `") == 1 and text.count("- **Interrupted since**: ") == 1 and "true" not in text
    assert "- **Last `make test`**: INTERRUPTED" in handoff(facts(tests=tests[1:2]))
    assert "## Test status" not in handoff(facts(tests=tests[:1]))


def test_a_control_character_does_not_reach_a_document() -> None:
    """Neither from a title nor from a body's lines; what is no control stays."""
    text = handoff(facts(notes=(record(Note, 1, "red \x1b[31mhere", body="one\n\ttwo\x9b é\x07"),)))
    assert "- red [31mhere (" in text and "two é\n" in text
    assert not any((ord(mark) < 32 and mark not in "\n\t") or 127 <= ord(mark) < 160 for mark in text)


def test_a_detached_head_and_a_repository_without_commit_are_said() -> None:
    """Neither leaves an empty value behind."""
    assert "**Branch**: (detached HEAD)" in handoff(
        facts(git=GitState(is_repo=True, commit="a" * 40, is_detached=True))
    )
    assert "- No commit yet" in handoff(facts(git=GitState(is_repo=True, branch="main")))


def test_identical_facts_give_identical_bytes() -> None:
    """The document depends on its facts alone."""
    assert handoff(whole()) == handoff(whole())
    assert handoff(whole()) != handoff(whole().model_copy(update={"now": NOW + timedelta(days=1)}))


def test_what_is_not_listed_is_counted() -> None:
    """Runs, events and changed files beyond those that were gathered: how many, and the command that shows them."""
    git = GitState(is_repo=True, dirty=("a.py",), marks={"a.py": "deleted"}, unlisted=50)
    text = handoff(facts(runs=(run(1),), events=(event(1, "info", "seen"),), more_runs=800, more_events=7, git=git))
    assert "\n- … and 800 more: `neat runs`\n" in text and "\n- … and 7 more: `neat events`\n" in text
    assert "\n  - `a.py` deleted\n  - … and 50 more: `git status`\n" in text


@pytest.mark.parametrize(
    ("git", "told"),
    [
        ({"upstream": "origin/main", "ahead": 0, "behind": 0}, "up to date with origin/main"),
        ({"upstream": "origin/main", "ahead": 2, "behind": 1}, "2 ahead, 1 behind of origin/main"),
        ({"upstream": "origin/gone"}, "origin/gone is not there (any more)"),
        ({}, "none is followed"),
    ],
)
def test_the_remote_is_told(git: dict[str, object], told: str) -> None:
    """Whether the commits are safe elsewhere."""
    assert f"- **Remote**: {told}\n" in handoff(facts(git=GitState.model_validate({"is_repo": True, **git})))


def test_a_record_that_may_not_hold_says_why() -> None:
    """Beside its id, in every section."""
    one = record(Decision, 1, "warm up")
    assert "— may no longer hold: the file changed\n" in handoff(
        facts(decisions=(one,), stale={one.id: "the file changed"})
    )


def test_evidence_stands_beside_what_it_vouches_for() -> None:
    """And takes the mark of a number that nothing vouches for."""
    proof = ({"run": "r-1", "metric": "val/dice", "step": 900, "value": 0.118},)
    text = handoff(facts(decisions=(record(Decision, 1, "0.118 is enough", evidence=proof),)))
    assert "**0.118 is enough**" in text and "[r-1:val/dice@900 = 0.118]" in text


def test_a_run_says_all_that_is_known_of_it() -> None:
    """Size, data, code, notes; and why a difference says nothing."""
    one = run(
        1, params=12_700_000, samples=300, data="data/raw@3fa9", data_fraction=0.53, notes=("one | two",), attempt=2,
        delta=-0.02, not_comparable=("other data",),
    )  # fmt: skip
    text = handoff(facts(runs=(one,)))
    assert "attempt 2; 12.7M parameters; 300 samples; data data/raw@3fa9; 53 % of the data; one \\| two |" in text
    assert "| -0.02 (not comparable: other data) |" in text
