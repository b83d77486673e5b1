"""Whatever a record says, the documents stay valid markdown, hold all of it, and hold no secret."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neatd.assist.facts import Facts
from neatd.assist.markdown import block, cell, fence, hang
from neatd.assist.render import render
from neatd.knowledge import RECORD_KINDS, Record
from neatd.store.connection import transaction
from neatd.store.short import add_record
from tests.cli_place import Cli
from tests.cost import at_most
from tests.documents_made import document, headings, keep, opened
from tests.facts_made import NOW, SHIPPED, facts, record

TEMPLATES = ("handoff", "notes", "report", "claude")
FIELDS = {
    "task": "tasks", "note": "notes", "decision": "decisions", "bug": "bugs", "insight": "insights", "hypothesis": "hypotheses",
    "preference": "preferences", "phase": "phases", "machine": "machines", "command": "commands", "style": "styles",
    "document": "documents", "assessment": "assessments", "lesson": "lessons", "challenge": "challenges", "goal": "goals",
    "test": "tests", "data": "data", "experiment": "experiments", "change": "changes", "service": "services",
    "session": "sessions",
}  # fmt: skip
LONG_FIELDS = {
    "decision": ("why", "context"),
    "bug": ("cause", "fix", "follow_up", "before"),
    "change": ("before", "after"),
}
SHOWN_IN = {
    "style": "claude", "lesson": "claude", "challenge": "claude", "goal": "claude", "assessment": "claude",
    "change": "report", "test": "report", "service": "report",
}  # fmt: skip
WORDS = st.text(alphabet=st.sampled_from("ab |\\`#>-*~\n\r\t é🙂1.)[]_<!\u2028"), max_size=60).filter(str.strip)


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def one_of_each(title: str, body: str) -> Facts:
    """A project with a record of every kind that says this."""
    made: dict[str, tuple[Record, ...]] = {}
    for kind, name in FIELDS.items():
        fields: dict[str, object] = dict.fromkeys(LONG_FIELDS.get(kind, ()), body)
        if kind == "experiment":
            fields = {"params": {title: body}, "value": 1.0}
        made[name] = (record(RECORD_KINDS[kind], 1, title, body=body, **fields),)
    return facts(**made)


def frame(text: str) -> list[str]:
    """The levels of a document's own headings: outside of code, and of items of lists, whose lines are indented."""
    found: list[str] = []
    open_fence = ""
    for line in text.split("\n"):
        mark = re.match(r"(`{3,})", line)
        if mark and (not open_fence or (len(mark[1]) >= len(open_fence) and not line.strip("` "))):
            open_fence = "" if open_fence else mark[1]
        elif not open_fence and re.match(r"#{1,6} ", line):
            found.append(re.sub(r"[^#].*", "", line))
    assert not open_fence, text
    return found


@pytest.mark.parametrize("template", TEMPLATES)
@settings(max_examples=40, deadline=None)
@given(title=WORDS, body=WORDS)
def test_no_text_breaks_the_frame(template: str, title: str, body: str) -> None:
    """Headings, lists, tables and code fences in a record stay inside its item: the document's own are what they were."""
    plain = render(f"{template}.md.j2", one_of_each("x", "x"), SHIPPED)
    text = render(f"{template}.md.j2", one_of_each(title, body), SHIPPED)
    assert frame(text) == frame(plain)
    outside = re.sub(r"(?ms)^(`{3,})[^`\n]*\n.*?^\1`*$", "", text)  # a bar in code is no table's
    for table in re.findall(r"(?m)(?:^\|.*\n)+", outside):
        widths = {len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in table.splitlines()}
        assert len(widths) == 1, table


@given(text=WORDS)
def test_a_cell_is_one_line_without_a_bar_of_its_own(text: str) -> None:
    """A bar with an even number of backslashes before it would end the cell."""
    found = cell(text)
    assert "\n" not in found and "\r" not in found
    assert all(len(mark) % 2 for mark in re.findall(r"(\\*)\|", found))


@given(text=WORDS, width=st.integers(1, 6))
def test_a_block_is_indented_and_loses_no_word(text: str, width: int) -> None:
    """Every line that is not empty, and a fence that stands open is closed."""
    found = block(text, width)
    assert all(line.startswith(" " * width) for line in found.splitlines() if line)
    assert found.split()[: len(text.split())] == text.split()


def test_a_list_behind_a_label_begins_on_its_own_line() -> None:
    """Else its first item would be no item."""
    assert hang("- a\n- b", 4) == "\n    - a\n    - b"
    assert hang("first\n\nthen", 4) == "first\n\n    then"
    assert hang("", 4) == ""


def test_a_fence_is_longer_than_any_in_its_code() -> None:
    """A command may hold one."""
    assert (fence("ls"), fence("echo '```'"), fence("`````")) == ("```", "````", "``````")
    assert block("```\ncode", 2) == "  ```\n  code\n  ```"


def test_experiments_share_a_table_where_their_columns_fit() -> None:
    """A cell that was left empty begins no table; other parameters, metrics and tags do. The best row is bold."""

    def one(number: int, **fields: object) -> Record:
        return record(RECORD_KINDS["experiment"], number, f"x{number}", status="done", value=0.5, **fields)

    rows = [
        one(1, params={"lr": 1}), one(2, params={"lr": 2, "layers": 4}, tags=("best",)), one(3), one(4, params={"seed": 1}),
        one(5, metric="dice"), one(6, tags=("final",)),
    ]  # fmt: skip
    text = render("handoff.md.j2", facts(experiments=tuple(reversed(rows))), SHIPPED)
    tables = [table.splitlines() for table in re.findall(r"(?m)(?:^\|.*\n)+", text)]
    assert [len(table) - 2 for table in tables] == [3, 1, 1, 1]
    assert tables[0][0] == "| # | Experiment | Value | lr | layers | Status | Id |"
    assert tables[0][3].startswith("| 2 | **x2** | **0.5** | 2 | 4 |") and tables[0][4].startswith(
        "| 3 | x3 | 0.5 | — | — |"
    )
    assert "\n### final\n" in text


@pytest.mark.parametrize("kind", sorted(FIELDS))
def test_every_kind_of_record_comes_out_whole(kind: str) -> None:
    """Title and body, ten thousand letters long, in any alphabet: no document has a budget."""
    title, body = "größe 数据 " + "t" * 300, "\n".join(f"{number} " + "b" * 90 for number in range(100))
    fields = {"value": 1.0} if kind == "experiment" else {}
    one = record(RECORD_KINDS[kind], 1, title, body=body, **fields)
    text = render(f"{SHOWN_IN.get(kind, 'handoff')}.md.j2", facts(**{FIELDS[kind]: (one,)}), SHIPPED)
    assert title in text and "…" not in text
    assert " ".join(body.split()) in " ".join(text.split()) or kind == "test"


@pytest.mark.parametrize("template", TEMPLATES)
def test_an_empty_project_has_a_title_and_no_empty_section(template: str) -> None:
    """Nothing is announced that does not come."""
    text = render(f"{template}.md.j2", facts(), SHIPPED)
    assert text.startswith("# ") and headings(text) == (["## Commands to run"] if template == "handoff" else [])


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_same_facts_give_the_same_bytes(template: str) -> None:
    """And another time changes no more than the line that tells it."""
    made = one_of_each("a", "b")
    first, second = (render(f"{template}.md.j2", one, SHIPPED) for one in (made, made.model_copy()))
    later = render(f"{template}.md.j2", made.model_copy(update={"now": NOW + timedelta(days=9)}), SHIPPED)
    changed = [one for one, other in zip(first.splitlines(), later.splitlines(), strict=True) if one != other]
    assert first == second and len(changed) == (0 if template == "claude" else 1)


@pytest.mark.slow
@pytest.mark.parametrize("template", TEMPLATES)
def test_two_thousand_records_take_less_than_a_second(cli: Cli, template: str) -> None:
    """The daemon writes documents between two turns."""
    kinds = sorted(FIELDS)
    base = add_record_row(cli)
    with cli.store() as store, transaction(store):
        for number in range(2000):
            kind = kinds[number % len(kinds)]
            row = base | {"id": f"{kind[0]}-{number:016d}", "title": f"record {number}", "body": "one\ntwo"}
            names = ", ".join(f'"{name}"' for name in row)
            store.execute(f"INSERT INTO {kind} ({names}) VALUES ({', '.join('?' * len(row))})", list(row.values()))
    with opened(cli) as here:
        told = here.facts()
        render(f"{template}.md.j2", told, SHIPPED)  # once for the template to be compiled
        with at_most(1.2):
            text = render(f"{template}.md.j2", here.facts(), SHIPPED)
    assert text.count("record ") > 500


def test_a_secret_that_reached_the_store_reaches_no_document(cli: Cli) -> None:
    """Written past the commands, as by another program; in a title, a body, a field and a list."""
    key = "AKIA" + "Q7R2M4X9T1Z8W6V3"
    found = keep(cli, "bug", "x", body="y", fix="z", file=["f"])
    note = keep(cli, "note", "x")
    with cli.store() as store:
        store.execute("UPDATE bug SET title = ?, body = ?, fix = ?, file = ? WHERE id = ?",
                      (f"t {key}", f"b\n{key}", f"password: {key}", f'["{key}"]', found))  # fmt: skip
        store.execute(
            "UPDATE note SET body = ? WHERE id = ?", ("-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEow" * 10 + "\n", note)
        )
        store.commit()
    for template in TEMPLATES:
        text = document(cli, template)
        assert key not in text and "MIIEow" not in text
    assert "[secret removed]" in cli.json("handoff")["text"]
    assert not any(key in one["body"] for one in cli.json("list", "handoff"))


def add_record_row(cli: Cli) -> dict[str, str]:
    """The common columns of a record of this project."""
    from neatd.place import here

    add_record(cli.home, here(), "note", {"title": "the first"}, "person")
    times = {"created_at": "2026-01-01T00:00:00.000000+00:00", "updated_at": "2026-01-01T00:00:00.000000+00:00"}
    return {"project_id": here().project_id, "source": "person", **times}
