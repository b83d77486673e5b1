"""The outline of tasks: every task once, in its place, whatever its parent is said to be."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from neatd.assist.outline import DEEPEST, HORIZONS, Outline, outline
from neatd.knowledge import Task
from tests.cost import at_most
from tests.facts_made import record


def named(number: int, parent: int | None = None, **fields: Any) -> Task:
    return record(Task, number, f"t{number}", parent="" if parent is None else f"t-{parent:016d}", **fields)


def numbers(found: Outline) -> dict[str, str]:
    steps = [*found.active, *(step for some in found.waiting.values() for step in some)]
    return {one.task.title: one.number for step in steps for one in (step, *step.parts)}


def test_numbers_run_over_all_horizons_and_down_the_parts() -> None:
    """What is in progress first, then now to later; the parts of a task behind it in their order."""
    found = outline([
        named(1, horizon="later"), named(2, horizon="now"), named(3, 2), named(4, 2), named(5, 3), named(6),
        named(7, 6, status="doing"),
    ])  # fmt: skip
    assert numbers(found) == {"t6": "1", "t7": "1.1", "t2": "2", "t3": "2.1", "t5": "2.1.1", "t4": "2.2", "t1": "3"}
    assert [step.task.title for step in found.active] == ["t6"]
    assert [step.task.title for step in found.waiting["now"]] == ["t2"] and found.has_horizons


def test_what_was_put_at_the_top_is_the_first_of_its_time() -> None:
    """Without a horizon it is for now, and those without come before a day and a week; nobody else gets a horizon."""
    found = outline([
        named(1, position=-1.0), named(2, position=0.0, horizon="week"), named(3, position=1.0, horizon="24-48h"),
        named(4, position=2.0), named(5, position=3.0, horizon="now"),
    ])  # fmt: skip
    assert numbers(found) == {"t1": "1", "t5": "2", "t4": "3", "t3": "4", "t2": "5"} and found.has_horizons
    assert not outline([named(1, position=-1.0), named(2, position=0.0)]).has_horizons
    assert [one.task.title for one in outline([named(1, position=-1.0, horizon="week")]).waiting["week"]] == ["t1"]


def test_a_horizon_is_known_however_it_is_typed() -> None:
    """Blanks, dashes and capitals do not matter; one's own words are no horizon of the list."""
    found = outline([named(1, horizon="24–48 H"), named(2, horizon="Week"), named(3, horizon="someday")])
    assert {name: len(some) for name, some in found.waiting.items() if some} == {"24-48h": 1, "week": 1, "": 1}
    assert not outline([named(1, horizon="someday")]).has_horizons


@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.sampled_from([*HORIZONS, "soon"]), st.sampled_from(["open", "doing"])),
        max_size=12,
    )
)
def test_every_task_stands_once(drawn: list[tuple[int, str, str]]) -> None:
    """Also in circles of parents and under parents that are not there; a number belongs to one task."""
    tasks = [named(n, parent, horizon=horizon, status=status) for n, (parent, horizon, status) in enumerate(drawn)]
    found = numbers(outline(tasks))
    assert sorted(found) == sorted(task.title for task in tasks) and len(set(found.values())) == len(tasks)


def test_a_chain_of_ten_thousand_is_shown_as_deep_as_numbers_go() -> None:
    """No recursion, and no number without end."""
    with at_most(2):
        found = outline([named(n, n - 1 if n else None) for n in range(10_000)])
        assert max(number.count(".") for number in numbers(found).values()) == DEEPEST
