"""The plan file and the tasks are one list: what is ticked in one is done in the other, and no word is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neatd.errors import NeatError
from neatd.knowledge import Task
from neatd.pipeline.planning import sync_plan
from neatd.place import Place
from neatd.read.plan import boxes, ticked
from neatd.store import records
from neatd.store.opening import connect
from tests.store_rows import PROJECT

PLAN = """# Plan

## 1 Memory
- [x] 1.1 Write the store
- [ ] 1.2 Read it back
  - [ ] with a damaged page
    * [x] and an empty one

```
- [ ] not a task: it is in a fence
```

## 2 Speed
1. [ ] **Measure** the `loader`
- [ ] 1.2.1 Belongs to the reading above
- no box here
"""


class Plan:
    """A project with a plan file and a store."""

    def __init__(self, base: Path) -> None:
        self.root = base / "project"
        self.root.mkdir()
        self.path = self.root / "PLAN.md"
        self.path.write_text(PLAN)
        self.store = connect(base / "home")
        self.place = Place(self.root, PROJECT, "demo", "main", "abc")

    def sync(self) -> bool:
        return sync_plan(self.store, self.place, "PLAN.md")

    def tasks(self) -> dict[str, Task]:
        return {one.title: one for one in records.list_records(self.store, "task", PROJECT)}


@pytest.fixture
def plan(tmp_path: Path) -> Iterator[Plan]:
    made = Plan(tmp_path)
    with closing(made.store):
        yield made


def test_each_box_is_a_task_under_the_one_it_is_nested_in() -> None:
    """By its indent, or by the number it goes on from; a fence holds none."""
    found = boxes(PLAN)
    assert [(one.title, one.is_done, None if one.parent is None else found[one.parent].title) for one in found] == [
        ("1.1 Write the store", True, None),
        ("1.2 Read it back", False, None),
        ("with a damaged page", False, "1.2 Read it back"),
        ("and an empty one", True, "with a damaged page"),
        ("Measure the loader", False, None),
        ("1.2.1 Belongs to the reading above", False, "1.2 Read it back"),
    ]
    assert found[4].section == "Plan / 2 Speed"


def test_boxes_become_tasks_once(plan: Plan) -> None:
    """A second look changes nothing; parents are ids of tasks; the phase is the heading."""
    assert plan.sync()
    first = plan.tasks()
    assert not plan.sync() and plan.tasks() == first
    assert {title: one.status for title, one in first.items()}["1.1 Write the store"] == "done"
    assert first["with a damaged page"].parent == first["1.2 Read it back"].id
    assert first["Measure the loader"].phase == "2 Speed" and first["Measure the loader"].source == "import"


def test_a_task_that_ends_here_ticks_its_box_and_nothing_else(plan: Plan) -> None:
    """One character of the file changes."""
    plan.sync()
    records.close(plan.store, "task", plan.tasks()["1.2 Read it back"].id, "")
    assert plan.sync()
    assert plan.path.read_text() == PLAN.replace("- [ ] 1.2 Read", "- [x] 1.2 Read")
    assert not plan.sync() and plan.tasks()["1.2 Read it back"].status == "done"


def test_a_box_that_is_ticked_ends_its_task(plan: Plan) -> None:
    """And one that is cleared opens it again; both are in the history."""
    plan.sync()
    plan.path.write_text(PLAN.replace("[ ] with", "[x] with").replace("[x] 1.1", "[ ] 1.1"))
    assert plan.sync()
    found = plan.tasks()
    assert (found["with a damaged page"].status, found["1.1 Write the store"].status) == ("done", "open")
    changes = records.history(plan.store, found["with a damaged page"].id)
    assert [(one.field, one.old, one.new, one.who) for one in changes[1:]] == [("status", "open", "done", "import")]


def test_both_sides_at_once_agree(plan: Plan) -> None:
    """A task ended here and other boxes ticked there, between two looks."""
    plan.sync()
    records.close(plan.store, "task", plan.tasks()["1.2 Read it back"].id, "")
    plan.path.write_text(PLAN.replace("[ ] **Measure**", "[X] **Measure**"))
    plan.sync()
    assert "- [x] 1.2 Read" in plan.path.read_text() and "[X] **Measure**" in plan.path.read_text()
    assert plan.tasks()["Measure the loader"].status == "done"


def test_edited_words_keep_the_task(plan: Plan) -> None:
    """Its id and its children stay; the old words are in the history."""
    plan.sync()
    before = plan.tasks()["1.2 Read it back"]
    plan.path.write_text("intro\n" + PLAN.replace("1.2 Read it back", "1.2 Read it back whole"))
    plan.sync()
    found = plan.tasks()
    assert found["1.2 Read it back whole"].id == before.id
    assert found["with a damaged page"].parent == before.id
    assert len(found) == 6


def test_a_box_that_vanishes_is_dropped_and_a_done_one_stays_done(plan: Plan) -> None:
    """What was planned and is no more is over, not forgotten."""
    plan.sync()
    plan.path.write_text("\n".join(line for line in PLAN.split("\n") if "damaged" not in line and "1.1" not in line))
    plan.sync()
    found = plan.tasks()
    assert (found["with a damaged page"].status, found["1.1 Write the store"].status) == ("dropped", "done")


def test_a_plan_that_leads_out_or_is_missing_is_said(plan: Plan) -> None:
    """No file outside of the project is read or written for a name in neat.yaml."""
    (plan.root.parent / "other.md").write_text("- [ ] x\n")
    (plan.root / "link.md").symlink_to(plan.root.parent / "other.md")
    for name in ("../other.md", "link.md", str(plan.root.parent / "other.md")):
        with pytest.raises(NeatError, match="leads out"):
            sync_plan(plan.store, plan.place, name)
    with pytest.raises(NeatError, match="cannot be read"):
        sync_plan(plan.store, plan.place, "none.md")


@given(st.text(alphabet="-*[] xX1.#`\n\r\tab", max_size=200), st.dictionaries(st.integers(-2, 30), st.booleans()))
def test_ticking_changes_marks_and_nothing_else(text: str, marks: dict[int, bool]) -> None:
    """Whatever the file holds: the same length, and only x and blanks between brackets differ."""
    after = ticked(text, marks)
    assert len(after) == len(text)
    assert all({old, new} <= {" ", "x", "X"} for old, new in zip(text, after, strict=True) if old != new)
    assert ticked(after, marks) == after


def test_a_box_that_comes_back_is_as_the_file_says(plan: Plan) -> None:
    """Another branch without it was checked out, and this one again: nothing is ticked that nobody ticked."""
    plan.sync()
    plan.path.write_text(PLAN.replace("- [ ] 1.2 Read it back\n", "").replace("1. [ ] **Measure** the `loader`\n", ""))
    plan.sync()
    assert plan.tasks()["1.2 Read it back"].status == "dropped"
    plan.path.write_text(PLAN)
    plan.sync()
    assert not plan.sync() and plan.path.read_text() == PLAN
    assert plan.tasks()["1.2 Read it back"].status == plan.tasks()["Measure the loader"].status == "open"


def test_a_task_that_was_ended_here_stays_so_when_its_box_comes_back(plan: Plan) -> None:
    """Closed by a person while its line was away."""
    plan.sync()
    plan.path.write_text(PLAN.replace("- [ ] 1.2 Read it back\n", ""))
    plan.sync()
    records.close(plan.store, "task", plan.tasks()["1.2 Read it back"].id, "")
    plan.path.write_text(PLAN)
    plan.sync()
    assert plan.tasks()["1.2 Read it back"].status == "done"


def test_two_worktrees_that_differ_leave_each_other_alone(plan: Plan, tmp_path: Path) -> None:
    """What one says is no edit of what the other says: looked at in turn, nothing changes any more."""
    other = tmp_path / "worktree"
    other.mkdir()
    (other / "PLAN.md").write_text(PLAN.replace("[ ] 1.2 Read", "[x] 1.2 Read"))
    there = plan.place._replace(root=other)
    plan.sync()
    sync_plan(plan.store, there, "PLAN.md", may_write=False)
    before = plan.tasks()
    for _ in range(3):
        assert not sync_plan(plan.store, plan.place, "PLAN.md", may_write=False)
        assert not sync_plan(plan.store, there, "PLAN.md", may_write=False)
    assert plan.tasks() == before and plan.path.read_text() == PLAN
    (other / "PLAN.md").write_text("# Plan\n")
    sync_plan(plan.store, there, "PLAN.md", may_write=False)
    assert plan.tasks() == before  # the line stands here still
    (other / "PLAN.md").write_text(PLAN.replace("[ ] with", "[x] with"))
    sync_plan(plan.store, there, "PLAN.md", may_write=False)
    assert plan.path.read_text() == PLAN
