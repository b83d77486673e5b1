"""The brief: what it says, in which order; preferences before all, and nothing in it that the facts do not say."""

from __future__ import annotations

from datetime import UTC, datetime

from neatd.assist.brief import brief
from neatd.assist.facts import Facts
from neatd.knowledge import (
    Decision,
    Hypothesis,
    Note,
    Phase,
    Preference,
    Session,
    Task,
)  # fmt: skip
from neatd.knowledge import TestRun as RunOfTests  # pytest would collect a class whose name begins with Test
from neatd.models import GitState
from tests.facts_made import NOW, SHIPPED, event, every_kind, facts, record

HEADINGS = [
    "# segment: where things stand", "## Preferences (authoritative)", "## Read first", "## Last test run",
    "## Experiments", "## Recorded experiments", "## Next", "## Hypotheses", "## Dead ends (refuted: do not try these again)",
    "## Events", "## Decisions", "## Not on this branch", "## Bugs", "## Insights", "## Lessons", "## Challenges", "## Goals",
    "## Assessments", "## Machines", "## Commands", "## Code style", "## Data versions", "## Services",
    "## Changes of this week",    "## Other documents", "## Notes", "## Checkpoints",
]  # fmt: skip


def written(of: Facts, budget: int = 20_000) -> str:
    return brief(of, budget, SHIPPED)


def test_every_kind_has_its_section_in_this_order() -> None:
    """What an assistant must obey comes first, then what it needs most often."""
    lines = written(every_kind("x", 2)).splitlines()
    assert [line for line in lines if line.startswith("#")] == HEADINGS


def test_what_fits_is_all_there() -> None:
    """Below the budget nothing falls off, and nothing says that something did."""
    text = written(every_kind("short", 3))
    parts = {part.partition("\n")[0]: part.count("\n- ") for part in text.split("\n## ")}
    assert {name: parts[name] for name in ("Decisions", "Insights", "Bugs", "Notes", "Last test run", "Checkpoints")} == {
        "Decisions": 3, "Insights": 6, "Bugs": 6, "Notes": 3, "Last test run": 1, "Checkpoints": 3,
    }  # fmt: skip
    assert "Left out" not in text


def test_sections_without_facts_are_left_out() -> None:
    """An empty project has a heading and the time of writing, nothing between."""
    assert written(facts(version="1.2")).splitlines()[0] == "# segment: where things stand"
    assert len(written(facts()).splitlines()) == 3


def test_a_preference_stands_word_for_word() -> None:
    """Title and body keep their bytes, lines and blanks; a body that begins with its title is not said twice."""
    body = "Keep answers short\n\n\n  * 100% of it | `as is`\n\t- root@gpu.example.org"
    text = written(facts(preferences=(record(Preference, 1, "Keep answers short", body=body, about="manner"),)))
    assert f"- [p-0000000000000001, 1 h ago, manner] {body}\n" in text
    assert text.count("Keep answers short") == 1
    other = written(facts(preferences=(record(Preference, 1, "Never  mock", body="real files\n only"),)))
    assert "] Never  mock\nreal files\n only\n" in other


def test_preferences_above_a_third_have_a_warning_of_their_own() -> None:
    """It stands above them and says how much they take; below a third there is none."""
    many = facts(preferences=tuple(record(Preference, n, "always " * 20) for n in range(15)))
    lines = written(many, 6000).splitlines()
    assert lines[3].startswith("**Warning: the preferences alone take 2") and "of the 6000 bytes" in lines[3]
    assert "Warning" not in written(many, 20_000)


def test_preferences_above_the_budget_are_kept_and_it_is_said() -> None:
    """The budget yields, nothing else is there, and the warning says so."""
    many = tuple(record(Preference, n, f"rule {n} " + "always " * 30) for n in range(9))
    text = written(facts(preferences=many, notes=(record(Note, 1, "a note"),)), 1000)
    assert all(one.title in text for one in many)
    assert "**Warning: the preferences alone take 2" in text and "The budget of 1000 bytes is exceeded" in text
    assert "a note" not in text and "1 note (`neat list note`)" in text


def test_state_names_branch_phase_files_and_who_watches() -> None:
    """The phase is the record changed last, with neat.yaml's where that says another; a finished phase is none."""
    git = GitState(
        is_repo=True, branch="main", commit="c0ffee" * 6, subject="loss", dirty=("a.py",), untracked=("b c.py",)
    )
    text = written(
        facts(git=git, watching="no daemon since 10:00", phase="setup", sessions=(record(Session, 1, "sweep"),))
    )
    for line in (
        'Branch main at c0ffeec0 "loss"; 1 changed, 1 untracked.', "Phase: setup", "Changed: `a.py`", "Untracked: `b c.py`",
        "**Not watched:** no daemon since 10:00", "Last session: person, sweep (s-0000000000000001, 1 h ago)",
    ):  # fmt: skip
        assert line in text.splitlines()
    now = written(facts(phase="setup", phases=(record(Phase, 1, "6A", status="HPO running"),)))
    assert "Phase: 6A, HPO running (p-0000000000000001, 1 h ago)\nPhase (neat.yaml): setup\n" in now
    assert "neat.yaml" not in written(facts(phase="6A", phases=(record(Phase, 1, "6A"),)))
    assert "Phase: setup" in written(facts(phase="setup", phases=(record(Phase, 1, "5", status="done"),)))


def test_the_last_test_run_names_what_failed_and_when_it_is_stale() -> None:
    """Counts, each failing name on its own line, and why it no longer says anything."""
    tests = (
        record(
            RunOfTests,
            2,
            "",
            command="make test",
            passed=40,
            failed=2,
            skipped=1,
            exit_code=2,
            failing=("a::b", "c::d"),
        ),
        record(RunOfTests, 1, "", command="make test", passed=1),
    )
    lines = written(facts(tests=tests, stale={tests[0].id: "the tree has changed since"})).splitlines()
    at = lines.index("## Last test run")
    assert lines[at + 1] == (
        "- **2 failed**, 40 passed, 1 skipped, exit code 2: `make test` (t-0000000000000002, 1 h ago)"
        " (stale: the tree has changed since)"
    )
    assert lines[at + 2 : at + 4] == ["  - failing: `a::b`", "  - failing: `c::d`"]
    assert lines[at + 4] == ""


def test_next_steps_stand_by_horizon_with_their_parts() -> None:
    """What somebody works on is apart, the rest from now to later, subtasks under what they are part of."""
    tasks = (
        record(Task, 1, "write it up", horizon="later"), record(Task, 2, "sweep", horizon="now"),
        record(Task, 3, "pick seeds", parent="t-0000000000000002"), record(Task, 4, "loader", status="in progress"),
        record(Task, 5, "read logs", horizon="24–48 h"), record(Task, 6, "ask", horizon="soon"),
    )  # fmt: skip
    text = written(facts(tasks=tasks))
    lines = [line.partition(" (t-")[0] for line in text.splitlines() if line]
    assert lines[1:-1] == [
        "## In progress", "1. loader [in progress]", "## Next", "Now:", "2. sweep", "   - 2.1 pick seeds",
        "Next:", "3. ask [soon]", "24-48 h:", "4. read logs", "Later:", "5. write it up",
    ]  # fmt: skip


def test_an_interrupted_test_run_hides_no_failure() -> None:
    """The last one that ended is shown with its failing names, the interruption behind it; `true` tested nothing."""
    ended = record(RunOfTests, 1, "", command="make test", failed=1, failing=("test_loss",), status="failed")
    later = record(RunOfTests, 2, "", command="make test", status="interrupted", exit_code=130)
    nothing = record(RunOfTests, 3, "", command="/bin/true", status="passed")
    text = written(facts(tests=(nothing, later, ended)))
    assert "- **1 failed**, counts unknown: `make test` (" in text and "  - failing: `test_loss`\n" in text
    assert "- interrupted since: `make test` (t-0000000000000002, " in text and "true" not in text
    assert text.index("failing: ") < text.index("interrupted since") and text.count("make test") == 2
    alone = written(facts(tests=(later,)))
    assert "counts unknown, exit code 130" in alone and "interrupted since" not in alone
    assert "Last test run" not in written(facts(tests=(nothing,)))


def test_a_control_character_does_not_reach_the_brief() -> None:
    """What an escape would tell a terminal stays unsaid, the words stay; in a preference's own lines too."""
    text = written(facts(
        notes=(record(Note, 1, "red \x1b[31mhere\x9b\x07\x7f"),),
        preferences=(record(Preference, 1, "be", body="be\nkind\x1b]0;x"),),
    ))  # fmt: skip
    assert "red [31mhere (n-" in text and "kind]0;x" in text
    assert not any((ord(mark) < 32 and mark != "\n") or 127 <= ord(mark) < 160 for mark in text)


def test_a_refuted_hypothesis_is_a_dead_end() -> None:
    """It stands apart from what is still open, with the numbers that refuted it."""
    text = written(facts(hypotheses=(
        record(Hypothesis, 1, "wider helps", predict="val/dice > 0.2", run="wide", verdict="refuted", status="refuted",
               verdict_reason="0.118 at step 900", evidence=({"run": "r-1"},)),
        record(Hypothesis, 2, "deeper helps"),
    )))  # fmt: skip
    open_ones, _, dead = text.partition("## Dead ends")
    assert "- open: deeper helps (h-" in open_ones
    assert "- **refuted**: wider helps [predicted val/dice > 0.2 for wide] — 0.118 at step 900 [r-1] (h-" in dead


def test_a_decision_of_another_branch_is_not_presented_as_true() -> None:
    """It is in a list of its own with the reason; what may no longer hold is in another."""
    some = tuple(record(Decision, n, f"decision {n}", implication=("so much",)) for n in range(4))
    stale = {some[1].id: "on unmerged branch wide", some[2].id: "branch.py changed since",
             some[3].id: "train.py changed since; commit 12345678 is not in this branch"}  # fmt: skip
    text = written(facts(decisions=some, stale=stale))
    parts = {part.partition("\n")[0]: part for part in text.split("\n## ")}
    assert "decision 0" in parts["Decisions"] and "(stale" not in parts["Decisions"]
    assert "decision 1 (d-0000000000000001, 1 h ago) (stale: on unmerged branch wide)" in parts["Not on this branch"]
    assert "decision 3" in parts["Not on this branch"] and "decision 2" in parts["Decisions that may no longer hold"]
    assert "so much" in parts["Decisions"] and "so much" not in parts["Not on this branch"]


def test_a_decision_of_a_merged_branch_names_it() -> None:
    """It holds here; where it was made is said."""
    git = GitState(is_repo=True, branch="main")
    text = written(facts(git=git, decisions=(record(Decision, 1, "pad", branch="wide"),)))
    assert "- pad (made on branch wide) (d-" in text


def test_secrets_are_taken_out() -> None:
    """A token in a record, a preference or a heading does not reach the file that assistants read."""
    token = "gh" + "p_" + "a1B2" * 9
    of = facts(
        project=token, notes=(record(Note, 1, f"x {token}"),), preferences=(record(Preference, 1, "push", body=token),)
    )
    text = written(of)
    assert "a1B2a1B2" not in text and text.count("[secret removed]") == 3


def test_identical_facts_give_identical_bytes() -> None:
    """No clock, no order of a set, no memory of the last one."""
    assert written(every_kind("same", 12), 3000) == written(every_kind("same", 12), 3000)


def test_events_stand_in_the_order_they_are_given() -> None:
    """The gravest come first from gathering; the brief keeps that order and drops from its end."""
    some = (event(1, "critical", "not finite"), *(event(n, "info", f"best number {n}") for n in range(2, 40)))
    text = written(facts(events=some), 1000)
    assert text.index("critical spike") < text.index("info spike") and "best number 39" not in text


def test_ages_count_from_the_facts_now() -> None:
    """Not from the moment of rendering."""
    text = written(facts(notes=(record(Note, 1, "old", created_at=datetime(2026, 2, 1, tzinfo=UTC)),)))
    assert f"{(NOW - datetime(2026, 2, 1, tzinfo=UTC)).days} d ago" in text
