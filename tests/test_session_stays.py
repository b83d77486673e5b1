"""Where and when a session is there: a stay begins anew when it is resumed, ends when its process begins another one, and
an event from outside of the project is still the session's."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from neatd.pipeline import attending
from neatd.store import attendance, live
from neatd.store.connection import transaction
from neatd.store.moments import utc_now
from tests.hooks_made import Assisted, codex
from tests.sessions_made import add_run, git_commit, sessions


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assisted:
    made = Assisted(tmp_path, monkeypatch)
    made.commit("first")
    return made


@pytest.mark.parametrize("is_told", [True, False])
def test_what_was_done_while_a_session_was_closed_is_not_its_own(made: Assisted, is_told: bool) -> None:
    """Commits, files and runs; the record's beginning stays, and what was done before its end."""
    made.tell("session-start")
    started = made.session()["started"]
    git_commit(made, "before")
    if is_told:
        made.tell("session-end")
    else:
        desert(made)
    made.patch.setenv("GIT_COMMITTER_DATE", f"{int(time.time()) + 60} +0000")
    made.write("of_a_person.py", "1")
    git_commit(made, "of a person")
    made.patch.delenv("GIT_COMMITTER_DATE")
    add_run(made, "runs/of-a-person")
    made.tell("session-start", source="resume")
    git_commit(made, "after")
    made.tell("session-end")
    assert (made.subjects(), made.session()["runs"], made.session()["started"]) == (["before", "after"], [], started)
    assert "of_a_person.py" not in made.session()["file"]


def desert(made: Assisted) -> None:
    """Its process is gone, and that was seen."""
    with made.store() as store, transaction(store):
        store.execute("UPDATE attendance SET pid = 1, born = 'x'")
        assert attendance.end(store, made.known(), utc_now(), attendance.GONE)


def test_a_session_that_was_taken_for_deserted_wrongly_goes_on(made: Assisted) -> None:
    """Its process was there all the time, and so was the session."""
    made.tell("session-start")
    with made.store() as store, transaction(store):
        assert attendance.end(store, made.known(), utc_now(), attendance.GONE)
    git_commit(made, "meanwhile")
    made.tell("stop")
    assert made.subjects() == ["meanwhile"]


def test_an_assistant_that_clears_has_left_its_last_session(made: Assisted) -> None:
    """Not every assistant tells of an end; what is committed then is the new one's."""
    made.context(codex("session-start", made.root, "k1"), "session-start")
    git_commit(made, "of one")
    made.context(codex("session-start", made.root, "k2", source="clear"), "session-start")
    with made.store() as store:
        store.execute("UPDATE attendance SET ended_at = ? WHERE ended_at != ''", (live.ago(5),))
    git_commit(made, "of two")
    made.context(codex("stop", made.root, "k2"), "stop")
    assert (made.subjects("k1"), made.subjects("k2")) == (["of one"], ["of two"])
    assert (made.session("k1")["status"], made.session("k2")["status"]) == ("done", "open")


@pytest.mark.parametrize("fields", [{"source": one} for one in ("startup", "resume", "fork", "compact")]
                         + [{"source": "clear", "agent_id": "a1"}], ids=str)  # fmt: skip
def test_other_sessions_of_one_process_are_beside_each_other(made: Assisted, fields: dict[str, Any]) -> None:
    """A server of an editor holds several at once; an agent is a part of one."""
    made.tell("session-start")
    made.tell("session-start", "s2", **fields)
    assert (made.session()["status"], made.session("s2")["status"]) == ("open", "open")


def test_another_process_leaves_the_others_open(made: Assisted) -> None:
    """Two assistants may work in one worktree."""
    made.tell("session-start")
    with made.store() as store:
        store.execute("UPDATE attendance SET pid = pid + 1")
    made.tell("session-start", "s2", source="clear")
    assert (made.session()["status"], made.session("s2")["status"]) == ("open", "open")


def test_an_event_from_outside_is_of_the_project_that_the_assistant_began_in(made: Assisted, tmp_path: Path) -> None:
    """It says where that was."""
    made.tell("session-start")
    made.patch.setenv("CLAUDE_PROJECT_DIR", str(made.root))
    made.edit(str(made.root / "a.py"), root=tmp_path)
    made.tell("session-end", root=tmp_path)
    assert (made.session()["file"], made.session()["status"]) == (["a.py"], "done")


def test_an_event_from_outside_is_of_the_only_project_that_knows_the_session(made: Assisted, tmp_path: Path) -> None:
    """Where nothing else tells; also when the folder is gone."""
    made.tell("session-start")
    made.edit(str(made.root / "a.py"), root=tmp_path)
    made.tell("session-end", root=tmp_path / "gone")
    assert (made.session()["file"], made.session()["status"], sessions(made)) == (["a.py"], "done", 1)


def test_an_event_from_outside_of_a_session_that_nobody_knows_is_of_none(made: Assisted, tmp_path: Path) -> None:
    """And it is said why."""
    made.tell("session-start")
    assert "no neat.yaml" in made.answer({"session_id": "s2", "cwd": str(tmp_path)}, "stop")[1]
    assert sessions(made) == 1


def test_an_event_from_outside_of_a_session_of_two_projects_is_of_none(made: Assisted, tmp_path: Path) -> None:
    """Which of them it is about, nothing tells."""
    second = tmp_path / "second"
    second.mkdir()
    (second / "neat.yaml").write_text("id: 7f0a2f6e-1111-4222-8333-944445555667\nname: second\n")
    for root in (made.root, second):
        made.tell("session-start", root=root)
    assert "no neat.yaml" in made.answer({"session_id": "s1", "cwd": str(tmp_path)}, "stop")[1]
    assert made.known().event == "session-start"


def test_what_is_committed_right_behind_an_end_is_not_the_sessions(made: Assisted) -> None:
    """Git counts in seconds; but at an end that was told all of the session's commits were taken in."""
    made.tell("session-start")
    git_commit(made, "of the session")
    made.tell("session-end")
    git_commit(made, "of a person")
    with made.store() as store, transaction(store):
        attending.take(store, made.known())
    assert made.subjects() == ["of the session"]
