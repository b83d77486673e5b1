"""To which session a change belongs: by the environment, by the process above, to none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from neatd.kinds import KINDS
from neatd.lineage import Ancestor, lineage, starter
from neatd.place import here
from neatd.store import attendance, short
from neatd.store.belonging import in_project, session_above, session_here, session_of
from neatd.store.connection import transaction
from neatd.who import PERSON, assistant_name, session_in, source, source_of, told_session
from tests.cost import at_most
from tests.hooks_made import Assisted
from tests.testing_made import IDENTITY

OTHER = "7f0a2f6e-1111-4222-8333-944445555667"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assisted:
    return Assisted(tmp_path, monkeypatch)


def begin(made: Assisted, key: str, process: Ancestor | None, root: Path | None = None) -> str:
    place = here(root or made.root)
    with made.store() as store, transaction(store):
        short.ensure_project(store, place)
        return attendance.see(store, place, "claude-code", key, "session-start", process)[0].session_id


def test_a_person_belongs_to_no_session(made: Assisted) -> None:
    """Also below an assistant's process: it may be the terminal that it was started from."""
    begin(made, "s1", starter(lineage()))
    with made.store() as store:
        assert source() == PERSON and session_here(store) == ""


def test_the_environment_comes_before_the_process(made: Assisted) -> None:
    """What it says is a session's id, or nothing."""
    above, told = begin(made, "s1", starter(lineage())), begin(made, "s2", None)
    made.patch.setenv("CLAUDECODE", "1")
    with made.store() as store:
        assert session_here(store) == above
        made.patch.setenv("NEAT_SESSION", told)
        assert session_here(store) == told
        for nonsense in ("", "se-1", "'; DROP TABLE session", told + "x"):
            made.patch.setenv("NEAT_SESSION", nonsense)
            assert told_session() == "" and session_here(store) == above


def test_of_the_assistants_above_the_nearest_counts(made: Assisted) -> None:
    """One assistant may start another; of one's sessions the one seen last; and none that ended."""
    near, far = Ancestor(10, "a"), Ancestor(20, "b")
    begin(made, "s1", far)
    old, new = begin(made, "s2", near), begin(made, "s3", near)
    with made.store() as store, transaction(store):
        assert session_above(store, (Ancestor(5, "x"), near, far)) == new
        assert session_above(store, (Ancestor(10, "another life"),)) == session_above(store, ()) == ""
        attendance.end(store, made.known("s3"), "2026-01-01", "x")
        assert session_above(store, (near, far)) == old
        assert session_above(store, (near,), IDENTITY) == old and session_above(store, (near,), OTHER) == ""


def test_a_record_of_another_project_belongs_to_the_session_there(made: Assisted, tmp_path: Path) -> None:
    """Of the same assistant; where it has none there, to none."""
    one = begin(made, "s1", None)
    second = tmp_path / "second"
    second.mkdir()
    (second / "neat.yaml").write_text(f"id: {OTHER}\nname: second\n")
    made.patch.setenv("NEAT_SESSION", one)
    record = short.add_record(made.home, here(second), "note", {"title": "x"}, "claude-code")[0]
    with made.store() as store:
        assert session_of(store, "note", record) == "" == in_project(store, one, OTHER)
    two = begin(made, "s1", None, second)
    with made.store() as store:
        assert session_of(store, "note", record) == two == in_project(store, one, OTHER)
        assert session_of(store, "note", "n-none") == "" and session_of(store, "link", "x") == one


def test_each_kind_can_be_asked_for_its_session(made: Assisted) -> None:
    """The name of a kind is the name of its table."""
    made.patch.setenv("NEAT_SESSION", begin(made, "s1", None))
    with made.store() as store:
        assert {session_of(store, kind, "x") for kind in KINDS} == {""}


def test_many_changes_of_an_assistant_do_not_take_long(made: Assisted) -> None:
    """As of a sync: the processes above are looked at once for all of them."""
    begin(made, "s1", starter(lineage()))
    made.patch.setenv("CLAUDECODE", "1")
    with made.store() as store, at_most(1.0):
        for _ in range(2000):
            session_of(store, "note", "x")


def test_the_server_and_the_hooks_of_one_assistant_are_one_session(made: Assisted) -> None:
    """Whichever came first: a hook gives the server's session its name."""
    process = Ancestor(os.getpid(), "x")
    with made.store() as store, transaction(store):
        short.ensure_project(store, made.place)
        first, _ = attendance.see(store, made.place, "assistant", "mcp-1", "mcp", process)
        then, is_new = attendance.see(store, made.place, "claude-code", "s1", "session-start", process)
        assert (then.session_id, then.key, then.assistant, is_new) == (first.session_id, "s1", "claude-code", False)
        other, is_new = attendance.see(store, made.place, "claude-code", "s2", "session-start", process)
        assert is_new and other.session_id != first.session_id


@pytest.mark.parametrize(
    ("payload", "name"),
    [({}, "x"), ({"turn_id": 1}, "codex"), ({"transcript_path": "C:\\u\\.codex\\s.jsonl"}, "codex"),
     ({"cursor_version": "1"}, "cursor"), ({"conversation_id": "c"}, "cursor"), ({"transcript_path": None}, "x")],
)  # fmt: skip
def test_the_sender_of_an_event_is_told_by_its_fields(payload: dict[str, object], name: str) -> None:
    """Else by who called."""
    assert source_of(payload, "x") == name


def test_names_of_clients_are_plain() -> None:
    """What is known by another name bears that."""
    names = {
        "Claude Code": "claude-code",
        "claude-ai": "claude-code",
        "Codex CLI": "codex",
        "My IDE!": "my-ide",
        "\n": "assistant",
    }
    assert {one: assistant_name(one) for one in names} == names
    assert session_in(b"A=1\0NEAT_SESSION=se-0123456789abcdef\0B=2") == "se-0123456789abcdef"
    assert session_in(b"XNEAT_SESSION=se-0123456789abcdef\0NEAT_SESSION=no") == ""
