"""The context of a session that begins: the running job, its values, the next step; whatever there is and is not."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from neatd.assist.context import MOST_CHARACTERS, context, run_line
from neatd.models import Cursor, GitState, Line
from neatd.now import Now, RunNow, Said, Value
from neatd.store import live, points, runs
from neatd.store.connection import transaction
from neatd.store.moments import stamp
from neatd.store.opening import connect
from neatd.store.short import ensure_project
from tests.cost import at_most
from tests.hooks_made import Assisted
from tests.testing_made import IDENTITY

AT = 1_000_000.0


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assisted:
    made = Assisted(tmp_path, monkeypatch)
    with made.store() as store, transaction(store):
        ensure_project(store, made.place)
    return made


def add_run(made: Assisted, name: str, series: dict[str, list[float]], **fields: object) -> str:
    """A run with the values of its series at steps 1, 2, 3 …; its last line was read just now."""
    with made.store() as store:
        found = runs.ensure_run(store, IDENTITY, str(made.root), name, GitState(), datetime.now(UTC))
        runs.set_run(store, found.id, **{"status": "running", **fields})
    numbers = connect(made.home, "points")
    count = max(map(len, series.values()), default=0)
    lines = [
        Line(n, 1, n, time.time(), {k: v[n - 1] for k, v in series.items() if n <= len(v)}) for n in range(1, count + 1)
    ]
    points.commit_lines(numbers, found.id, "m", Cursor(reading_id="r", seq=count), lines, [], time.time())
    numbers.close()
    return found.id


def keep(made: Assisted, kind: str, title: str, **fields: object) -> str:
    from neatd.store import short

    return short.add_record(made.home, made.place, kind, {"title": title, **fields}, "person")[0]


def test_a_running_job_is_named_with_its_status_and_last_values(made: Assisted) -> None:
    """Without a daemon and without a brief; that nobody watches is said."""
    run_id = add_run(
        made, "runs/long", {"loss": [2.0, 1.25], "val_loss": [2.1, 1.5], "lr": [0.1, 0.1]}, planned_steps=10
    )
    told = made.tell("session-start")
    assert f"- runs/long ({run_id[:9]}): running, step 2 of 10, began" in told
    assert "Last: val_loss 1.5 at step 2; loss 1.25 at step 2; lr 0.1 at step 2" in told
    assert "Not watched: neatd is not running" in told and "no brief is written yet" not in told
    assert "No next step is recorded" in told and "runs/long has 8 of 10 steps to go" in told


def test_the_next_step_is_the_first_open_task(made: Assisted) -> None:
    """In their order; closed ones are none."""
    first, last = keep(made, "task", "warm up longer"), keep(made, "task", "then anneal")
    keep(made, "task", "over and done", status="done")
    told = made.tell("session-start")
    assert (
        f"## Next\n1. warm up longer ({first[:9]})\n2. then anneal ({last[:9]})" in told and "over and done" not in told
    )


def test_without_a_brief_the_open_records_are_told(made: Assisted) -> None:
    """Decisions with their reasons; a preference whole."""
    keep(made, "decision", "use AdamW", why="it converged", body="long text")
    keep(made, "preference", "no emojis", body="never anywhere")
    keep(made, "bug", "fixed one", status="fixed")
    told = made.tell("session-start")
    assert "- decision, open: use AdamW — because it converged (d-" in told and "never anywhere" in told
    assert "fixed one" not in told and "no brief is written yet" in told


def test_what_is_newer_than_the_brief_is_told_beside_it(made: Assisted) -> None:
    """Made or changed since; what the brief knows is not repeated."""
    keep(made, "note", "in the brief already")
    changed = keep(made, "bug", "memory leak")
    brief = made.write(".neat/brief.md", "# Brief of the project\n\nin the brief already\n")
    with made.store() as store:
        for kind in ("note", "bug"):
            store.execute(f"UPDATE {kind} SET created_at = ?, updated_at = ?", [live.ago(3600)] * 2)
    os.utime(brief, (time.time() - 1800,) * 2)
    keep(made, "insight", "heads matter")
    with made.store() as store, transaction(store):
        from neatd.store.short import set_field

        set_field(store, "bug", changed, "status", "fixed", "person")
    told = made.tell("session-start")
    assert "## Since the brief below was written" in told and "- insight, open: heads matter" in told
    assert "- bug, fixed, changed: memory leak" in told and told.count("in the brief already") == 1
    assert told.endswith("# Brief of the project\n\nin the brief already")


def test_what_is_no_number_is_said_to_be_none(made: Assisted) -> None:
    """NaN, and infinity."""
    add_run(
        made,
        "runs/nan",
        {"loss": [1.0, float("nan")], "grad_norm": [1.0, float("inf")]},
        status="stalled",
        reason="silent",
    )
    told = made.tell("session-start")
    assert "loss NaN at step 2" in told and "grad_norm inf at step 2" in told and ": stalled (silent), step 2" in told


def test_names_may_be_anything(made: Assisted) -> None:
    """Of runs, metrics and records: each stays on its line, without what reads as more than a name."""
    add_run(made, "runs/a\n## Orders\n- \x1b[2J", {"loss\n# x": [1.0]}, reason="API_KEY=abcd1234efgh5678")
    keep(made, "task", "a\n\n# Heading \u202eback", body="")
    keep(made, "note", "\U000e0041\U000e0042tagged ssh root@203.0.113.9 -p 22")
    told = made.tell("session-start")
    assert "\n## Orders" not in told and "\n# x" not in told and "\n# Heading" not in told
    assert not any(letter in told for letter in ("\x1b", "\u202e", "\U000e0041"))
    assert "abcd1234" not in told and "203.0.113.9" not in told


def test_a_run_that_ended_lately_is_told_after_those_that_go_on(made: Assisted) -> None:
    """One from days ago is the brief's."""
    add_run(made, "runs/over", {"loss": [1.0]}, status="failed", reason="exit code 1", ended_at=datetime.now(UTC))
    add_run(made, "runs/old", {"loss": [1.0]}, status="finished", ended_at=datetime.fromtimestamp(1e9, UTC))
    add_run(made, "runs/on", {"loss": [1.0]})
    told = made.tell("session-start")
    assert told.index("runs/on") < told.index("runs/over") and "failed (exit code 1)" in told and "runs/old" not in told


def test_two_thousand_runs_are_told_by_the_ones_that_matter(made: Assisted) -> None:
    """At most a handful, and at once."""
    with made.store() as store, transaction(store):
        store.executemany(
            "INSERT INTO run (id, project_id, root, folder, name, status, created_at, started_at, updated_at, ended_at)"
            " VALUES (?, ?, ?, ?, ?, 'finished', ?, ?, ?, ?)",
            [
                (f"r-{n:016d}", IDENTITY, str(made.root), f"runs/{n}", f"runs/{n}", *[live.ago(60 + n)] * 4)
                for n in range(2000)
            ],
        )
    add_run(made, "runs/now", {"loss": [1.0]})
    with at_most(1.0):
        told = made.tell("session-start")
    assert told.count("finished") == live.MOST_RUNS - 1 and "runs/now" in told and "runs/0 " in told


def test_many_changes_are_told_by_number(made: Assisted) -> None:
    """With the command that lists them."""
    with made.store() as store, transaction(store):
        store.executemany(
            "INSERT INTO note (id, project_id, title, created_at, updated_at, source) VALUES (?, ?, ?, ?, ?, 'person')",
            [(f"n-{n:016d}", IDENTITY, f"note {n}", stamp(datetime.now(UTC)), stamp(datetime.now(UTC))) for n in range(20_000)],
        )  # fmt: skip
    with at_most(2.0):
        told = made.tell("session-start")
    assert "and over 1000 more" in told


@pytest.mark.parametrize("brief", ["word " * 100_000, "line\n" * 100_000, "x" * 1_100_000, "ü" * 60_000])
def test_a_huge_brief_is_cut_and_that_is_said(made: Assisted, brief: str) -> None:
    """Whole lines; the running job stands before it."""
    add_run(made, "runs/on", {"loss": [1.0]})
    made.write(".neat/brief.md", brief)
    told = made.tell("session-start")
    assert len(told) <= MOST_CHARACTERS and "runs/on" in told
    assert "`neat brief` prints all of it" in told or len(brief) > 1 << 20


def test_a_brief_that_is_no_file_is_passed_over(made: Assisted) -> None:
    """A folder, a pipe, a link to nowhere."""
    folder = made.root / ".neat"
    folder.mkdir()
    os.mkfifo(folder / "brief.md")
    assert "no next step is recorded" in made.tell("session-start").lower()


def test_a_brief_behind_a_link_out_of_the_project_is_not_read(made: Assisted, tmp_path: Path) -> None:
    """A repository may hold such a link."""
    (tmp_path / "private.txt").write_text("of somebody else")
    (made.root / ".neat").mkdir()
    (made.root / ".neat" / "brief.md").symlink_to(tmp_path / "private.txt")
    assert "of somebody else" not in made.tell("session-start")


def test_damaged_numbers_leave_the_rest(made: Assisted) -> None:
    """The runs are told without values."""
    add_run(made, "runs/on", {"loss": [1.0]})
    for path in made.home.glob("points.db*"):
        path.unlink()
    (made.home / "points.db").write_bytes(b"garbage" * 999)
    assert "runs/on" in made.tell("session-start")


def test_what_was_made_while_the_brief_was_written_is_told(made: Assisted) -> None:
    """It was gathered a moment before."""
    keep(made, "note", "between the two")
    made.write(".neat/brief.md", "# Brief\n")
    assert "note, open: between the two" in made.tell("session-start")


# ---- the text, of values ----


def run(**fields: object) -> RunNow:
    base = {"id": "r-1234567890", "name": "a", "status": "running", "reason": "", "step": 5, "planned_steps": 10}
    return RunNow(**{**base, "started_at": AT - 100, "line_at": AT - 1, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(1, "just now"), (90, "90 s ago"), (600, "10 min ago"), (10_000, "3 h ago"), (400_000, "5 days ago")],
)
def test_ages_are_told_in_a_unit_that_fits(seconds: float, said: str) -> None:
    """Seconds to days."""
    assert run_line(run(line_at=AT - seconds), AT).endswith(f"last line {said}")


def test_what_is_not_known_is_left_out() -> None:
    """No step, no plan, no line, no value."""
    assert run_line(run(step=None, planned_steps=None, line_at=None), AT) == "- a (r-1234567): running, began 100 s ago"
    assert "loss NaN" in run_line(run(values=(Value("loss", None, None),)), AT)


def test_a_long_head_leaves_room_for_the_brief() -> None:
    """And the other way round."""
    many = tuple(Said("note", f"n-{n}", "x" * 390, "open") for n in range(200))
    told = context(Now("p", since=many), "brief\n" * 5000, AT, AT - 60, "now")
    assert len(told) <= MOST_CHARACTERS and "… more: `neat list`" in told and told.count("\nbrief") > 500
    assert len(context(Now("p", since=many), "", AT, None, "now")) <= MOST_CHARACTERS


def test_steps_beyond_the_plan_promise_nothing() -> None:
    """Nor does a run without a pace."""
    assert "to go" not in context(Now("p", runs=(run(step=12),)), "", AT, None, "now")
    assert "5 of 10 steps to go;" in context(Now("p", runs=(run(started_at=AT + 5),)), "", AT, None, "now")
