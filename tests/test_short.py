"""The short path into the store: the right columns, nothing heavy loaded, nothing lost out of reach or side by side."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from neatd.errors import NeatError, StoreError
from neatd.kinds import FIELDS, KINDS
from neatd.knowledge import RECORD_KINDS, Record
from neatd.store import records, short
from neatd.store.opening import connect
from tests.store_rows import AT, PROJECT, add, child, open_store, output, place

needs_posix = pytest.mark.skipif(os.name == "nt", reason="permission bits of POSIX")


def columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {row["name"] for row in connection.execute(f"PRAGMA table_info({table})")} - {"rowno"}


@pytest.mark.parametrize("kind", RECORD_KINDS)
def test_the_columns_known_by_name_are_those_of_the_model_and_the_table(tmp_path: Path, kind: str) -> None:
    """A field added to a model is missed here, in the migration and in `FIELDS`, in the same test run."""
    fields = set(RECORD_KINDS[kind].model_fields)
    with closing(connect(tmp_path)) as connection:
        assert columns(connection, kind) == fields
    row = short.record_row(kind, place(tmp_path), dict.fromkeys(FIELDS[kind], ""), "person")
    found_out = {"evidence", "valid_while", "origin", "deleted_at", "restored_at", "verdict", "verdict_reason"}
    assert set(row) == fields - found_out


@pytest.mark.parametrize("kind", RECORD_KINDS)
def test_a_field_has_the_type_that_the_table_of_kinds_says(kind: str) -> None:
    """What an option gives is what the model takes."""
    samples: dict[str, object] = {"text": "x", "list": ["x"], "flag": True, "number": 1, "json": {"x": 1}}
    fields = {field.name: samples[field.type] for field in KINDS[kind].fields}
    made = RECORD_KINDS[kind].model_validate({"id": "x", "created_at": AT, "updated_at": AT, **fields})
    for field in KINDS[kind].fields:
        value = getattr(made, field.name)
        assert (list(value) if field.type == "list" else value) == samples[field.type]


def test_letters_and_numbers_of_kinds_are_their_own() -> None:
    """An id tells its kind, a row of the index its table."""
    assert len(set(short.LETTERS.values())) == len(short.LETTERS)
    assert len({kind.number for kind in KINDS.values()}) == len(KINDS)
    assert all(0 < kind.number < 64 for kind in KINDS.values())


def test_every_record_has_the_common_columns(tmp_path: Path) -> None:
    """What a record holds besides its words comes from where it is written."""
    add(tmp_path, "note", "one", body="more", tags=("a", "b"))
    with closing(connect(tmp_path)) as connection:
        (note,) = records.list_records(connection, "note", PROJECT)
    assert set(Record.model_fields) == set(note.model_dump())
    assert (note.title, note.body, note.tags, note.status, note.source) == ("one", "more", ("a", "b"), "open", "person")
    assert (note.branch, note.commit, note.worktree) == ("main", "abc", str(tmp_path / "project"))
    assert note.created_at == note.updated_at and note.created_at.tzinfo is not None


def test_importing_the_short_path_loads_nothing_heavy() -> None:
    """`neat note` costs less than three imports of click only while this holds."""
    heavy = "pydantic sqlite_utils jinja2 git yaml platformdirs"
    code = f"import sys, neatd.store.short; print([name for name in '{heavy}'.split() if name in sys.modules])"
    assert output(child(code)) == "[]\n"


def test_a_record_written_to_a_current_store_loads_nothing_heavy(tmp_path: Path) -> None:
    """Migrations and their library are for the first time only."""
    connect(tmp_path).close()
    code = (
        "import sys; from pathlib import Path; from neatd.place import Place; from neatd.store import short\n"
        "home = Path(sys.argv[1])\n"
        "short.add_record(home, Place(home, 'p', 'n', '', ''), 'note', {'title': 'one'}, 'person')\n"
        "print([name for name in 'pydantic sqlite_utils jinja2 git yaml neatd.store.migrate'.split() if name in sys.modules])"
    )
    assert output(child(code, tmp_path)) == "[]\n"


def test_an_unknown_field_is_refused(tmp_path: Path) -> None:
    """A misspelt field never reaches SQL."""
    with pytest.raises(KeyError, match="mood"):
        short.record_row("note", place(tmp_path), {"mood": "good"}, "person")


def test_ids_begin_with_their_kind_and_differ() -> None:
    """A letter, a dash, sixteen letters that cannot be misread."""
    ids = {short.new_id("decision") for _ in range(500)}
    assert len(ids) == 500
    assert all(len(one) == 18 and one.startswith("d-") and not set(one[2:]) & set("ilou") for one in ids)
    assert len(set(short.LETTERS.values())) == len(short.LETTERS)


def test_an_argument_that_is_not_utf8_is_kept_with_question_marks(tmp_path: Path) -> None:
    """A terminal of another encoding costs letters, not the note."""
    add(tmp_path, "note", os.fsdecode(b"caf\xe9"), tags=(os.fsdecode(b"\xff"),))
    with closing(connect(tmp_path)) as connection:
        (note,) = records.list_records(connection, "note")
    assert (note.title, note.tags) == ("caf?", ("?",))


MANY = """
import sys
from pathlib import Path
from neatd.place import Place
from neatd.store.short import add_record
home, name = Path(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for number in range(50):
    add_record(home, Place(home, "p", "n", "", ""), "task", {"title": f"{name} {number}"}, name)
"""


def test_two_processes_adding_fifty_records_each_lose_none(tmp_path: Path) -> None:
    """Every record, its line of history, and a place of its own in the order of tasks."""
    both = [child(MANY, tmp_path, name) for name in ("left", "right")]
    for process in both:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in both:
        output(process)
    with closing(connect(tmp_path)) as connection:
        rows = connection.execute("SELECT title, position, source FROM task ORDER BY position").fetchall()
        assert {row["title"] for row in rows} == {f"{name} {n}" for name in ("left", "right") for n in range(50)}
        assert [row["position"] for row in rows] == [float(n) for n in range(100)]
        assert connection.execute("SELECT count(*), count(DISTINCT record_id) FROM history").fetchone()[:] == (100, 100)


def test_a_record_and_its_history_are_both_there_or_neither(tmp_path: Path) -> None:
    """A write that fails half-way leaves no record without its first line of history."""
    with closing(connect(tmp_path)) as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON history BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        with pytest.raises(sqlite3.IntegrityError, match="disk full"):
            add(tmp_path, "note", "one")
        assert connection.execute("SELECT count(*) FROM note").fetchone()[0] == 0
        assert connection.execute("SELECT count(*) FROM project").fetchone()[0] == 0


OUT_OF_REACH = """
import sys
from pathlib import Path
from neatd.place import Place
from neatd.store.short import add_record
home, root = Path(sys.argv[1]), Path(sys.argv[2])
print(add_record(home, Place(root, "p", "n", "main", "abc"), "task", {"title": "one", "position": "top"}, "codex")[1])
"""


def closed_parent(home: Path) -> None:
    home.parent.chmod(0o500)


def read_only_home(home: Path) -> None:
    connect(home).close()
    home.chmod(0o500)
    (home / "neat.db").chmod(0o400)


def hidden_home(home: Path) -> None:
    connect(home).close()
    home.chmod(0)


def hidden_store(home: Path) -> None:
    connect(home).close()
    (home / "neat.db").chmod(0)


@needs_posix
@pytest.mark.parametrize("close", [closed_parent, read_only_home, hidden_home, hidden_store])
def test_a_record_that_cannot_reach_the_store_is_left_in_the_inbox(tmp_path: Path, close: object) -> None:
    """An assistant's sandbox may forbid writing, or even reading, outside the repository; nothing is lost, once taken in."""
    home, root = tmp_path / "user" / "home", tmp_path / "project"
    home.parent.mkdir()
    assert callable(close)
    close(home)
    try:
        path = Path(output(child(OUT_OF_REACH, home, root, is_bound=True)).strip())
    finally:
        home.parent.chmod(0o700)
        if home.exists():
            home.chmod(0o700)
            (home / "neat.db").chmod(0o600)
    assert path.parent == root / ".neat" / "inbox"
    with closing(open_store(home)) as connection:
        assert records.list_records(connection, "task") == []
        assert records.take_from_inbox(connection, path, PROJECT)
        (task,) = records.list_records(connection, "task", PROJECT)
    assert (task.title, task.source, task.id) == ("one", "codex", path.stem)


@pytest.mark.parametrize(
    ("error", "is_refused"),
    [(OSError(errno.EROFS, "read-only file system"), True), (PermissionError(errno.EPERM, "sandbox"), True),
     (OSError(errno.ENOSPC, "no space"), False), (sqlite3.OperationalError("attempt to write a readonly database"), True),
     (sqlite3.OperationalError("database is locked"), False), (sqlite3.OperationalError("database or disk is full"), False)],
)  # fmt: skip
def test_only_a_refused_place_is_out_of_reach(error: Exception, is_refused: bool) -> None:
    """A full or busy disk is an error that the person must see."""
    assert short.is_out_of_reach(error) is is_refused


def test_a_broken_store_is_said_and_not_hidden_by_the_inbox(tmp_path: Path) -> None:
    """A person must learn that the store is broken when they write a note."""
    (tmp_path / "neat.db").write_bytes(b"garbage" * 99)
    with pytest.raises(StoreError):
        add(tmp_path, "note", "one")
    assert not (tmp_path / "project").exists()


def test_a_decision_ends_the_one_it_supersedes(tmp_path: Path) -> None:
    """By any unique beginning of its id, with a line in its history."""
    old = add(tmp_path, "decision", "128 cubed")
    new = add(tmp_path, "decision", "160 cubed", supersedes=old[:8])
    with closing(connect(tmp_path)) as connection:
        assert records.get(connection, "decision", old).status == "superseded"
        assert records.get(connection, "decision", new).model_dump()["supersedes"] == old
        assert [one.field for one in records.history(connection, old)] == ["created", "status"]


def test_a_decision_that_supersedes_nothing_known_is_not_kept(tmp_path: Path) -> None:
    """The command fails as a whole, with what to type."""
    with pytest.raises(NeatError, match="no decision with the id 'd-zzzz'"):
        add(tmp_path, "decision", "160 cubed", supersedes="d-zzzz")
    with closing(connect(tmp_path)) as connection:
        assert records.list_records(connection, "decision") == []


def test_tasks_go_last_first_or_after_another(tmp_path: Path) -> None:
    """The order a person gave, also after several insertions at one place."""
    first = add(tmp_path, "task", "first")
    add(tmp_path, "task", "last")
    add(tmp_path, "task", "top", position="top")
    add(tmp_path, "task", "second", after=first)
    add(tmp_path, "task", "between", after=first[:9])
    with closing(connect(tmp_path)) as connection:
        titles = [task.title for task in records.list_records(connection, "task")]
    assert titles == ["top", "first", "between", "second", "last"]


def test_an_ambiguous_prefix_names_those_it_begins(tmp_path: Path) -> None:
    """And an underscore or percent sign in it matches only itself."""
    ids = {add(tmp_path, "note", "one"), add(tmp_path, "note", "two")}
    with closing(connect(tmp_path)) as connection:
        with pytest.raises(NeatError) as caught:
            short.resolve_in(connection, "note", "n-")
        assert all(one in caught.value.message for one in ids)
        for pattern in ("n_", "n%", "%"):
            with pytest.raises(NeatError, match="no note"):
                short.resolve_in(connection, "note", pattern)


def test_a_folder_that_now_holds_another_project_belongs_to_it(tmp_path: Path) -> None:
    """A clone put where another stood is registered under its own id."""
    other = "1" * 36
    with closing(open_store(tmp_path)) as connection:
        short.ensure_project(connection, place(tmp_path / "project", other))
        rows = connection.execute("SELECT path, project_id FROM root").fetchall()
    assert [tuple(row) for row in rows] == [(str(tmp_path / "project"), other)]


def test_json_of_a_list_column_is_readable_text(tmp_path: Path) -> None:
    """Letters of any alphabet stay letters, so that search finds them."""
    row = short.record_row("decision", place(tmp_path), {"alternative": ("größer", "小")}, "person")
    assert row["alternative"] == '["größer", "小"]' and json.loads(row["alternative"]) == ["größer", "小"]
