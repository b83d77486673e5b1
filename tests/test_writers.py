"""Many writers at once: nothing is lost, nothing is taken for the same."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

from neatd.store import records, short
from neatd.store.opening import connect
from tests.store_rows import PROJECT, place

WRITERS, NOTES = 50, 4


def test_fifty_writers_at_the_same_time_lose_no_note(tmp_path: Path) -> None:
    """Each adds four notes, all of them with the same words: two hundred records, each with its history."""
    write_at_once(tmp_path, NOTES)


def write_at_once(tmp_path: Path, notes: int) -> None:
    """Fifty threads add so many notes each; all are there."""
    connect(tmp_path).close()
    start, failed = threading.Barrier(WRITERS), []

    def write() -> None:
        start.wait()
        for _ in range(notes):
            _, inbox = short.add_record(tmp_path, place(tmp_path), "note", {"title": "the same words"}, "person")
            if inbox:
                failed.append(inbox)

    threads = [threading.Thread(target=write) for _ in range(WRITERS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    with closing(connect(tmp_path)) as connection:
        found = records.list_records(connection, "note", PROJECT)
        history = connection.execute("SELECT count(DISTINCT record_id) FROM history").fetchone()[0]
    assert not failed and len({one.id for one in found}) == len(found) == history == WRITERS * notes


def test_a_person_and_an_assistant_are_told_apart(tmp_path: Path) -> None:
    """In the record and in its history, whoever changes it."""
    record_id, _ = short.add_record(tmp_path, place(tmp_path), "note", {"title": "x"}, "claude-code")
    with closing(connect(tmp_path)) as connection:
        records.change(connection, "note", record_id, {"body": "more"}, "person")
        (note,) = records.list_records(connection, "note", PROJECT)
        assert note.source == "claude-code"
        assert [one.who for one in records.history(connection, record_id)] == ["claude-code", "person"]
