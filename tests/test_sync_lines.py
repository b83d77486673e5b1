"""The lines of knowledge.jsonl: what is written reads back, what is not believed is kept, and secrets are in none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from neatd.kinds import JSON_FIELDS, KINDS
from neatd.store import records
from neatd.store.linefile import file_bytes, read_file
from neatd.store.lines import line_text, shape
from tests.store_rows import PROJECT
from tests.sync_made import TRAVELLING, Clone

LATEST = "2026-06-01T00:00:00.000000+00:00"
MADE = "2026-01-02T03:04:05.000006+00:00"
GOOD: dict[str, Any] = {
    "id": "n-" + "0" * 16, "kind": "note", "created_at": MADE, "updated_at": MADE, "title": "one", "source": "anna",
    "history": [[MADE, "anna", "title", "zero", "one"]], "links": [["proves", "r-" + "1" * 16, MADE, ""]],
}  # fmt: skip
VALUES: dict[str, Any] = {
    "text": 'a "word"\n\u2028é😀',
    "list": ["a", "b c"],
    "flag": True,
    "number": 2,
    "json": {"b": 1, "a": [None]},
}


def filled(kind: str) -> dict[str, Any]:
    """A value for every field of a kind."""
    own = {field.name: VALUES[field.type] for field in KINDS[kind].fields}
    return {"body": "more", "tags": ["t"], "evidence": [{"run": "a", "value": 0.25}], "origin": ["log.md:1-2"]} | own


def read(*lines: object, latest: str = LATEST) -> Any:
    """What a file of these lines holds: text as it is, others as JSON."""
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    return read_file("\n".join(texts).encode("utf-8", "surrogateescape"), PROJECT, latest)


@pytest.mark.parametrize("kind", TRAVELLING)
def test_a_record_of_each_kind_travels_whole(tmp_path: Path, kind: str) -> None:
    """Every field and its history, but for where it was made and what is private; the second file is the first."""
    one, two = Clone(tmp_path / "a"), Clone(tmp_path / "b")
    made = one.add(kind, "made", who="codex", **filled(kind))
    one.edit(made, title="named", **{field.name: "" for field in KINDS[kind].fields if field.type == "text"})
    one.edit(made, **{field.name: VALUES["text"] for field in KINDS[kind].fields if field.type == "text"})
    one.sync()
    two.pull(one)
    two.sync()
    private = {field.name for field in KINDS[kind].fields if field.is_private}
    theirs, mine = (
        records.get(each.store, kind, made).model_dump(exclude={"worktree"} | private) for each in (two, one)
    )
    assert theirs == mine and two.text() == one.text()
    assert two.history(made) == [one for one in one.history(made) if one[2] not in private] != []
    assert not any(one.sync().is_written for one in (one, two))


@pytest.mark.parametrize("kind", TRAVELLING)
def test_what_is_written_is_believed(tmp_path: Path, kind: str) -> None:
    """Else a clone would keep a line of ours for one of a newer neat."""
    one = Clone(tmp_path)
    one.edit(one.add(kind, "made", **filled(kind)), status="done")
    one.sync()
    found = read_file(one.path.read_bytes(), PROJECT, "3000")
    assert found.odd == () and [f"{line_text(line)}\n" for line in found.lines.values()] == [one.text()]


def test_a_line_says_nothing_of_this_machine(tmp_path: Path) -> None:
    """No folder, no address, no path of a key; and no field that has its default, which an older neat may not know."""
    one = Clone(tmp_path)
    made = one.add("machine", "trainer", host="anna@10.0.0.7", key="/home/anna/.ssh/id", port="2222", gpu="24 GB")
    one.edit(made, host="anna@10.0.0.8", gpu="48 GB")
    one.sync()
    assert not [word for word in ("anna@", "/home", "2222", str(tmp_path)) if word in one.text()]
    keys = ["id", "kind", "created_at", "updated_at", "title", "status", "source", "branch", "commit", "gpu", "history"]
    assert list(json.loads(one.text())) == keys


def test_a_private_field_outlives_what_comes_by_a_file(tmp_path: Path) -> None:
    """The address stays in the store that has it, with its history, when the rest of the record changes."""
    one, two = Clone(tmp_path / "a"), Clone(tmp_path / "b")
    made = one.add("machine", "trainer", host="anna@first")
    one.edit(made, host="anna@second")
    one.sync()
    two.pull(one)
    two.sync()
    two.edit(made, gpu="48 GB")
    two.sync()
    one.pull(two)
    one.sync()
    found = records.get(one.store, "machine", made).model_dump()
    assert (found["host"], found["gpu"]) == ("anna@second", "48 GB")
    assert [entry[2] for entry in one.history(made)] == ["host", "gpu"]


def test_a_deleted_record_is_a_line_without_its_words(tmp_path: Path) -> None:
    """What somebody took back is not carried on, in no field and no history."""
    one = Clone(tmp_path)
    made = one.add("note", "regretted")
    one.edit(made, title="regretted too", tags=["sorry"])
    one.link(made, "proves", "r-" + "1" * 16)
    one.sync()
    one.delete(made)
    one.sync()
    assert list(json.loads(one.text())) == ["id", "kind", "created_at", "deleted_at"]


def test_the_good_line_is_read() -> None:
    """Else those that are made from it would be refused for nothing."""
    found = read(GOOD)
    assert found.odd == () and json.loads(line_text(found.lines[GOOD["id"]])) == GOOD
    assert read(GOOD | {"project_id": PROJECT}).odd == ()


SPOILED: list[object] = [
    "", "{", "[1]", '"text"', "null", "# a comment", "[" * 5000, '{"id": "n-\udcff"}',
    '{"id": NaN}', json.dumps(GOOD)[:-1] + ', "position": Infinity}',
    *(GOOD | change for change in (
        {"kind": "run"}, {"kind": "test"}, {"kind": "handoff"}, {"kind": "note; DROP TABLE note"}, {"kind": None}, {"kind": []},
        {"id": "n-1"}, {"id": "d-" + "0" * 16}, {"id": "../../etc"}, {"id": None}, {"id": ["n"]},
        {"mood": "good"}, {"why": "no field of a note"}, {"rowno": 1}, {"worktree": "/"}, {"title); --": "x"},
        {"title": 5}, {"title": None}, {"title": {"a": 1}}, {"title": "\ud800"}, {"title": "a\0b"}, {"source": ""},
        {"tags": "a"}, {"tags": [1]}, {"tags": {"a": 1}}, {"evidence": ["a"]}, {"evidence": [{"value": 10**400}]},
        {"evidence": [{"deep": json.loads("[" * 30 + "]" * 30)}]}, {"evidence": [{"value": 2**63}]},
        {"created_at": "yesterday"}, {"created_at": "2026-01-02T03:04:05Z"}, {"created_at": ""}, {"created_at": 5},
        {"updated_at": "2026-13-02T03:04:05.000006+00:00"}, {"updated_at": "9999-01-01T00:00:00.000000+00:00"},
        {"updated_at": ""}, {"deleted_at": "9999-01-01T00:00:00.000000+00:00"}, {"restored_at": None},
        {"project_id": "2" * 36}, {"project_id": ""}, {"project_id": None},
        {"history": {}}, {"history": [1]}, {"history": [[MADE, "anna", "title"]]}, {"history": [["", "anna", "title", 1, 2]]},
        {"history": [[MADE, "", "title", "a", "b"]]}, {"history": [[MADE, "anna", "mood", "a", "b"]]},
        {"history": [[MADE, "anna", "created", None, "b"]]}, {"history": [[MADE, "anna", "worktree", "a", "b"]]},
        {"links": [["proves", "/etc/passwd", MADE, ""]]}, {"links": [["", "r-" + "1" * 16, MADE, ""]]}, {"links": [[]]},
        {"links": [["proves", "r-" + "1" * 16, MADE, None]]},
    )),
    {key: value for key, value in GOOD.items() if key != "source"},
    {key: value for key, value in GOOD.items() if key != "updated_at"},
    {"id": GOOD["id"], "kind": "note", "created_at": MADE}, {"id": GOOD["id"], "kind": "note", "deleted_at": MADE},
    {"id": "i-" + "0" * 16, "kind": "insight", "created_at": MADE, "updated_at": MADE, "source": "a", "forever": "yes"},
    {"id": "t-" + "0" * 16, "kind": "task", "created_at": MADE, "updated_at": MADE, "source": "a", "position": "top"},
    {"id": "z-" + "0" * 16, "kind": "data", "created_at": MADE, "updated_at": MADE, "source": "a", "rows": 1.5},
]  # fmt: skip


@pytest.mark.parametrize("line", SPOILED[1:], ids=range(1, len(SPOILED)))
def test_a_line_that_is_not_believed_is_kept_as_it_is(line: object) -> None:
    """With its number and a reason; the lines around it are read, and the file that is written still has it."""
    text = line if isinstance(line, str) else json.dumps(line)
    other = GOOD | {"id": "n-" + "2" * 16}
    found = read(other, text)
    assert list(found.lines) == [other["id"]]
    assert [(one.number, one.text) for one in found.odd] == [(2, text)] and found.odd[0].why
    written = file_bytes({key: line_text(one) for key, one in found.lines.items()}, found.odd)
    assert text.encode("utf-8", "surrogateescape") in written.split(b"\n") and written.count(b"\n") == 2


def test_lines_stand_in_the_order_of_ids_whatever_came_first() -> None:
    """Those of a newer neat at their ids, those without one last: git has nothing to move about."""
    odd = ["# note", json.dumps(GOOD | {"id": "n-" + "1" * 16, "mood": "good"})]
    lines = [json.dumps(GOOD | {"id": f"n-{digit * 16}"}) for digit in "20"]
    files = []
    for order in ([*odd, *lines], [*lines, *odd], [lines[1], *odd, lines[0], odd[1]]):
        found = read(*order)
        files.append(file_bytes({key: line_text(one) for key, one in found.lines.items()}, found.odd))
    assert len(set(files)) == 1
    assert [line[:30] for line in files[0].decode().splitlines()] == [
        one[:30] for one in (lines[1], odd[1], lines[0], odd[0])
    ]


def test_several_lines_of_one_record_are_one() -> None:
    """As a union of two branches leaves them."""
    later = GOOD | {"updated_at": MADE.replace("05.", "06."), "title": "two"}
    found = read(later, GOOD)
    (line,) = found.lines.values()
    assert line.fields["title"] == '"two"' and ("title", '"one"') in line.lost


@pytest.mark.parametrize("base", [[], ["||||||| 1a2b3c4", json.dumps(GOOD | {"mood": "old"})]])
def test_conflict_markers_of_git_are_understood(base: list[str]) -> None:
    """Both sides are read, without what diff3 shows of the base."""
    two = GOOD | {"id": "n-" + "2" * 16}
    found = read("<<<<<<< HEAD", GOOD, *base, "=======", two, ">>>>>>> topic/one")
    assert found.has_markers and set(found.lines) == {GOOD["id"], two["id"]} and found.odd == ()
    assert not read(GOOD).has_markers


def test_line_ends_of_windows_and_a_byte_order_mark_are_read() -> None:
    """An editor or git may have put them there."""
    found = read_file(b"\xef\xbb\xbf" + json.dumps(GOOD).encode() + b"\r\n\r\n", PROJECT, LATEST)
    assert list(found.lines) == [GOOD["id"]] and found.odd == ()


SECRET = "ghp_" + "a1B2" * 9


def test_no_secret_is_in_a_line(tmp_path: Path) -> None:
    """Neither of a row that is older than the filter, nor of a line that another clone wrote: no field, no history."""
    one = Clone(tmp_path / "a")
    made = one.add("experiment", "made", params={"a": "b"})
    one.edit(made, body="x")
    for name in ("title", "body", "status", "metric"):
        one.store.execute(f'UPDATE experiment SET "{name}" = ?', (f"use {SECRET} here",))
    one.store.execute("UPDATE experiment SET params = ?, tags = ?", (json.dumps({"one": SECRET}), json.dumps([SECRET])))
    one.store.execute("UPDATE history SET new = ?, old = ?", (json.dumps(SECRET), json.dumps(f"token={SECRET}")))
    one.sync()
    assert "made" not in one.text() and "[secret removed]" in one.text() and SECRET not in one.text()
    foreign = GOOD | {"title": SECRET, "tags": [SECRET], "history": [[MADE, "anna", "title", SECRET, f"x {SECRET}"]]}
    (line,) = read(foreign).lines.values()
    assert SECRET not in line_text(line)


def test_every_json_field_is_known_as_one() -> None:
    """A check of the check: `filled` gives every kind a value that is not its default."""
    for kind in TRAVELLING:
        assert {name for name in filled(kind) if name in JSON_FIELDS} and not set(filled(kind)) - set(shape(kind, True))
