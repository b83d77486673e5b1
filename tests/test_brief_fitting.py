"""The budget of the brief: never passed but by preferences, whole items only, in the order that the template states."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from neatd.assist.brief import FRAME_BYTES, brief
from neatd.assist.facts import Facts
from neatd.assist.fitting import Page, stages
from neatd.assist.markdown import without_controls
from neatd.errors import NeatError
from neatd.knowledge import RECORD_KINDS, Decision, Note, Preference, Task
from neatd.private import private_text
from neatd.redact import redact
from tests.cost import at_most
from tests.facts_made import LISTS, SHIPPED, every_kind, facts, record, run

TEMPLATE = (SHIPPED[0] / "brief.md.j2").read_text()
ORDER = stages(re.findall(r'"([^"]+)"', TEMPLATE.partition("{% set drop_order = [")[2].partition("]")[0]))
WORDS = st.text(max_size=300) | st.sampled_from(["ü" * 300, "損失" * 150, "🔥" * 200, "a|b\n# c `d`", "loss 0.25 now"])


@st.composite
def some_facts(draw: st.DrawFn) -> Facts:
    """Up to 25 records of some kinds, preferences among them, with words of any length and script."""
    fields: dict[str, Any] = {}
    for index, name in enumerate(draw(st.lists(st.sampled_from(sorted(LISTS)), max_size=6, unique=True)), 1):
        words, body, count = draw(WORDS), draw(WORDS), draw(st.integers(0, 25))
        fields[name] = tuple(
            record(RECORD_KINDS[LISTS[name]], 100 * index + n, f"{words} {n}", body=body) for n in range(count)
        )
    titles = draw(st.lists(WORDS, max_size=4))
    fields["preferences"] = tuple(record(Preference, n, one, body=draw(WORDS)) for n, one in enumerate(titles))
    named = [run(n, name=draw(WORDS), status="lost", reason="x" * 200) for n in range(draw(st.integers(0, 5)))]
    return facts(project=draw(WORDS), watching=draw(WORDS), phase=draw(WORDS), runs=tuple(named), **fields)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some_facts(), st.integers(500, 9000))
@example(every_kind("損失" * 150, 25), 6000)
@example(every_kind("🔥" * 200, 3), 500)
def test_the_budget_holds_and_every_item_is_whole(of: Facts, budget: int) -> None:
    """In bytes and not in characters. Above it only when preferences alone leave no room, and then it is said."""
    text = brief(of, budget, SHIPPED)
    size = len(text.encode())
    kept = sum(len(f"{one.title}{one.body}".encode()) for one in of.preferences)
    if size > budget:
        assert f"The budget of {budget} bytes is exceeded" in text
        assert kept + 80 * len(of.preferences) + FRAME_BYTES > budget * 7 / 8
    assert "cut to the budget" not in text
    for one in of.preferences:
        assert all(without_controls(redact(words)) in text for words in (one.title, one.body))
    for name in LISTS:
        for one in getattr(of, name):
            if f"{one.id}," in text or f"`neat show {one.id}`" in text:
                assert private_text(without_controls(" ".join(one.title.split()))) in text


def shown(text: str, kind: str) -> int:
    return text.count(f"«{kind}»")


@pytest.mark.parametrize("count", [3, 25])
def test_items_fall_off_in_the_order_that_the_template_states(count: int) -> None:
    """At each budget some beginning of the order is done, the stage behind it in part, and no later one."""
    of = every_kind("«{kind}» of some length", count)
    whole = brief(of, 1_000_000, SHIPPED)
    kinds = {kind for kind, _ in ORDER} - {"state line"}
    assert "Left out" not in whole and not [kind for kind in kinds if not shown(whole, kind)]
    size = len(whole.encode())
    for budget in range(size - 1, 500, -max(97, size // 35)):
        text = brief(of, budget, SHIPPED)
        assert len(text.encode()) <= budget
        assert follows_the_order(
            {kind: shown(text, kind) for kind in kinds}, {kind: shown(whole, kind) for kind in kinds}
        )


def follows_the_order(seen: dict[str, int], all_of_them: dict[str, int]) -> bool:
    """Whether letting fall in the stated order, one by one, comes to what is seen. An implication goes with its decision."""
    now = dict(all_of_them)
    for kind, stay in (stage for stage in ORDER if stage[0] in now):
        while now[kind] > stay:
            if now == seen:
                return True
            if kind == "decision" and now["implication"] == now["decision"]:
                now["implication"] -= 1
                continue
            now[kind] -= 1
    return now == seen


def test_preferences_are_in_no_stage() -> None:
    """What is not named never falls off; each kind named is one that the template places."""
    assert not [kind for kind, _ in ORDER if "preference" in kind]
    placed = set(re.findall(r'items\("([^"]+)"', TEMPLATE)) | set(re.findall(r'\("[A-Z][^"]+", "([^"]+)", ', TEMPLATE))
    placed |= set(re.findall(r'\{"([^"]+)": \("', TEMPLATE))
    assert placed == {kind for kind, _ in ORDER} == {kind for kind, stay in ORDER if stay == 0}


def test_what_fell_off_is_counted_with_the_command_that_shows_it() -> None:
    """The counts of the last line and what is shown add up; a single one is one."""
    of = facts(
        notes=tuple(record(Note, n, "a note " * 9) for n in range(40)), decisions=(record(Decision, 1, "x " * 150),)
    )
    text = brief(of, 900, SHIPPED)
    some = text.count("- a note")
    assert 0 < some < 9
    assert f"Left out: 1 decision (`neat list decision`); {40 - some} notes (`neat list note`).\n" in text
    more = brief(of, 2000, SHIPPED)
    some = more.count("- a note")
    assert 0 < some < 40 and f"Left out: {40 - some} notes (`neat list note`).\n" in more


def test_a_long_list_of_what_fell_off_ends_in_one_count() -> None:
    """The line keeps to its part of the budget; the least needed kinds are counted together."""
    text = brief(every_kind("of some length", 30), 1500, SHIPPED)
    line = next(line for line in text.splitlines() if line.startswith("Left out"))
    assert len(line) < 250 and re.search(r"; \d{3} more \(`neat handoff`\)\.$", line)


def test_an_endless_item_falls_off_before_all_others() -> None:
    """One decision larger than a quarter of the budget does not push out what would fall off after it."""
    some = (record(Decision, 1, "endless " * 300), *(record(Decision, n, f"decision {n}") for n in range(2, 9)))
    text = brief(facts(decisions=some, notes=(record(Note, 1, "a note"),)), 2500, SHIPPED)
    assert "endless" not in text and text.count("(d-") == 7 and "a note" in text
    assert "Left out: 1 decision (`neat list decision`)." in text
    assert "endless" in brief(facts(decisions=some), 6000, SHIPPED)


def test_a_part_is_not_shown_without_its_whole() -> None:
    """A subtask falls off with the task that it is under."""
    tasks = (
        record(Task, 1, "long " * 300),
        record(Task, 2, "part", parent="t-0000000000000001"),
        record(Task, 3, "other"),
    )
    text = brief(facts(tasks=tasks), 1200, SHIPPED)
    assert "other" in text and "part" not in text and "1 task, 1 subtask (`neat list task`)" in text


@pytest.mark.parametrize("only", ["", "tasks", "decisions", "tests"])
def test_ten_thousand_records_take_well_under_200_ms(only: str) -> None:
    """As the documents' budget of time asks; only what is shown is written."""
    of = (
        facts(tests=(record(RECORD_KINDS["test"], 1, "x", failing=("a::b",) * 10_000),))
        if only == "tests"
        else every_kind("x", 400)
    )
    if only in ("tasks", "decisions"):
        of = facts(**{only: tuple(record(RECORD_KINDS[LISTS[only]], n, f"dice 0.3 in {n}") for n in range(10_000))})
    brief(facts(), 6000, SHIPPED)
    with at_most(0.3):
        text = brief(of, 6000, SHIPPED)
    assert 5500 < len(text.encode()) <= 6000


def own(tmp_path: Path, template: str) -> list[Path]:
    folder = tmp_path / ".neat" / "templates"
    folder.mkdir(parents=True)
    (folder / "brief.md.j2").write_text(template)
    return [folder, *SHIPPED]


NOTES = '{% macro note(one) %}- {{ one.title }}\n{% endmacro %}{{ items("note", facts.notes, note, "Notes:\n") }}'


def test_a_projects_template_states_its_own_order(tmp_path: Path) -> None:
    """Its items fall off by its order, and the line on them comes at the end where it gives no place."""
    words = '{% set drop_order = ["task", "note > 2", "note"] %}' + NOTES
    folders = own(tmp_path, words + '{{ items("task", facts.tasks, note, "Tasks:\n") }}')
    of = facts(notes=tuple(record(Note, n, f"note {n}" * 4) for n in range(4)), tasks=(record(Task, 1, "task" * 20),))
    assert brief(of, 200, folders) == (
        "Notes:\n" + "".join(f"- {one.title}\n" for one in of.notes) + "Left out: 1 task (`neat list task`).\n\n"
    )
    assert "note 1" in brief(of, 130, folders) and "note 3" not in brief(of, 130, folders)


@pytest.mark.parametrize("line", ["é\n", "no newline "])
def test_a_template_without_items_is_cut_between_lines(tmp_path: Path, line: str) -> None:
    """The last resort: whole lines, and a line that says so, at every budget to the byte."""
    folders = own(tmp_path, "{{ facts.watching }}")
    for budget in range(0, 260, 7):
        text = brief(facts(watching=line * 300), budget, folders)
        assert len(text.encode()) <= budget
        assert budget < 100 or text.endswith("… cut to the budget: `neat handoff` shows more\n")


@pytest.mark.parametrize(
    "template",
    ['{% set drop_order = ["note > x"] %}', "{% set drop_order = [1] %}", '{{ items("note", 1, 1) }}', "{% set shown_by = 1 %}",
     '{% macro n(a, b) %}{% endmacro %}{{ items("note", facts.notes, n, details={"x": ("__dict__", n)}) }}',
     '{{ items("note", facts.notes, facts.notes) }}'],
)  # fmt: skip
def test_a_mistake_in_a_projects_template_is_an_error_with_its_name(tmp_path: Path, template: str) -> None:
    """Whatever it gives the functions of the brief; and no function reaches more than the fields of our values."""
    with pytest.raises(NeatError, match=r"brief\.md\.j2"):
        brief(facts(notes=(record(Note, 1, "x"),)), 6000, own(tmp_path, template))


def test_a_mistake_in_a_macro_is_named_by_its_line(tmp_path: Path) -> None:
    """Also where the item is written only when it is fitted in."""
    folders = own(
        tmp_path, '{% macro note(one) %}\n\n{{ one.nothing }}{% endmacro %}\n{{ items("note", facts.notes, note) }}'
    )
    with pytest.raises(NeatError, match=r"brief\.md\.j2:3: .*nothing"):
        brief(facts(notes=(record(Note, 1, "x"),)), 6000, folders)


def test_no_record_can_pass_for_a_place_of_the_page() -> None:
    """Text that looks like the mark of another rendering is text."""
    first, second = Page(str), Page(str)
    mark = first.words()["keep"]("kept")
    second.words()
    second.take(f"a {mark} b")
    assert second.text("") == f"a {mark} b"
