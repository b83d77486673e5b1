"""What was done in a session: each deed once, a commit and a run with one doer, the record made from them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from neatd.store import deeds
from neatd.store.connection import transaction
from tests.hooks_made import Assisted

AT = "2026-01-01T00:00:00.000000+00:00"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assisted:
    made = Assisted(tmp_path, monkeypatch)
    made.tell("session-start")
    made.tell("session-start", "s2")
    return made


def test_a_commit_has_one_doer_and_a_file_many(made: Assisted) -> None:
    """Who is first has the commit."""
    one, two = made.known().session_id, made.known("s2").session_id
    with made.store() as store, transaction(store):
        assert deeds.add(store, one, "commit", "abc", "/p", AT) and not deeds.add(store, two, "commit", "abc", "/p", AT)
        assert not deeds.add(store, one, "commit", "abc", "/p", AT)
        assert deeds.add(store, one, "file", "a.py", "/p", AT) and deeds.add(store, two, "file", "a.py", "/p", AT)
        assert deeds.doer(store, "commit", "abc") == one and deeds.doer(store, "commit", "x") == ""


def test_a_deed_under_a_new_name_is_one(made: Assisted) -> None:
    """Also where the new name is known already."""
    one = made.known().session_id
    with made.store() as store, transaction(store):
        deeds.add(store, one, "commit", "a", "/p", AT, "x")
        assert (
            deeds.replace(store, "commit", "a", "b", "y") == one and deeds.replace(store, "commit", "a", "b", "y") == ""
        )
        deeds.add(store, one, "commit", "a", "/p", AT, "x")
        assert deeds.replace(store, "commit", "a", "b", "y") == one
        assert [(deed.ref, deed.title) for deed in deeds.deeds(store, one)] == [("b", "y")]


def test_a_title_leads_to_commits_of_open_sessions_of_that_place(made: Assisted) -> None:
    """Another repository may have one of the same subject; and one of long ago is another."""
    with made.store() as store, transaction(store):
        deeds.add(store, made.known().session_id, "commit", "a", "/p", AT, "fix")
        deeds.add(store, made.known().session_id, "commit", "b", "/p", AT, "fix")
    with made.store() as store:
        assert deeds.titled(store, "commit", "/p", "fix", ()) == "a"
        assert (
            deeds.titled(store, "commit", "/p", "fix", {"a"}) == "b"
            and deeds.titled(store, "commit", "/q", "fix", ()) == ""
        )
    made.tell("session-end")
    with made.store() as store:
        assert deeds.titled(store, "commit", "/p", "fix", ()) == ""


def test_the_record_is_written_when_it_differs(made: Assisted) -> None:
    """These are observations: no line of history is written, and the last of many are listed."""
    one = made.known().session_id
    with made.store() as store, transaction(store):
        before = store.execute("SELECT count(*) FROM history").fetchone()[0]
        for number in range(deeds.MOST_LISTED + 5):
            deeds.add(store, one, "file", f"f{number}.py", "/p", AT)
        deeds.add(store, one, "commit", "c" * 40, "/p", AT, 'say "x" API_KEY=abcd1234efgh5678')
        assert deeds.write_down(store, one) and not deeds.write_down(store, one)
        assert not deeds.write_down(store, "se-none")
        assert store.execute("SELECT count(*) FROM history").fetchone()[0] == before
    record = made.session()
    assert len(record["file"]) == deeds.MOST_LISTED and record["file"][-1] == f"f{deeds.MOST_LISTED + 4}.py"
    assert record["title"].startswith("1 commit, 205 files; last: say") and "abcd1234" not in json.dumps(record)


def test_a_title_is_one_short_line() -> None:
    """Of counts, each in its number."""
    done = {"commits": ["abc x" * 99], "file": ["a", "b"], "records": [], "runs": ["r"], "tests": []}
    assert deeds.title(done).startswith("1 commit, 2 files, 1 run; last: ") and len(deeds.title(done)) == 120
    assert deeds.title({name: [] for name in done}) == ""


def test_the_last_that_was_done_is_known(made: Assisted) -> None:
    """A deed, or a change of a record."""
    one = made.known().session_id
    with made.store() as store, transaction(store):
        assert deeds.last_at(store, "se-none") == ""
        deeds.add(store, one, "file", "a", "/p", "2999-01-01")
        assert deeds.last_at(store, one) == "2999-01-01"
