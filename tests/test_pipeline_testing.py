"""Test runs that only their result files tell of, each recorded once; and how accounts of the same run are joined."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from neatd.knowledge import TestRun as Run
from neatd.pipeline.testfiles import look_for_results
from neatd.pipeline.testing import Outcome, choose, keep_run
from neatd.read import resultfiles
from neatd.read.resultfiles import Stamp, result_files
from neatd.read.testcounts import Counts
from neatd.read.treestate import is_stale, tree_state
from neatd.store import records, testruns
from neatd.store.opening import connect
from tests.cost import at_most
from tests.testing_made import IDENTITY, MIXED, MIXED_NAMES, Checked

needs_posix = pytest.mark.skipif(os.name != "posix", reason="links and pipes")
XML = '<testsuite time="2.5"><testcase classname="t.C" name="a"><failure/></testcase><testcase name="b"/></testsuite>'


class Looking:
    """A daemon's looks at one project; a new one is a daemon after a restart."""

    def __init__(self, made: Checked, store: sqlite3.Connection) -> None:
        self.made, self.store = made, store
        self.seen: dict[str, Stamp] = {}

    def __call__(self, later_s: float = 5.0, own: tuple[str, ...] = ()) -> bool:
        now = datetime.fromtimestamp(time.time() + later_s, UTC)
        return look_for_results(self.store, self.made.root, self.seen, now, own)


@pytest.fixture
def made(tmp_path: Path) -> Checked:
    made = Checked(tmp_path)
    made.write("t.py", "x = 1\n")
    made.commit()
    return made


@pytest.fixture
def store(made: Checked) -> Iterator[sqlite3.Connection]:
    connection = connect(made.home)
    yield connection
    connection.close()


@pytest.fixture
def look(made: Checked, store: sqlite3.Connection) -> Looking:
    return Looking(made, store)


def latest(store: sqlite3.Connection) -> Run:
    found = testruns.latest(store, IDENTITY)
    assert found is not None
    return found


def test_a_junit_file_becomes_a_record_of_its_time(made: Checked, look: Looking, store: sqlite3.Connection) -> None:
    """Counts, names and seconds as it tells them; the exit code is not known."""
    path = made.write("junit.xml", XML)
    assert look()
    found = latest(store)
    assert (found.passed, found.failed, found.skipped, found.failing) == (1, 1, 0, ("t.C.a",))
    assert (found.seconds, found.exit_code, found.source, found.status) == (2.5, None, "daemon", "failed")
    assert found.title == "1 passed, 1 failed in 2.5 s: junit.xml" and found.origin[0].startswith("junit.xml#sha256:")
    assert abs(found.created_at.timestamp() - path.stat().st_mtime) < 0.01
    assert found.branch == "main" and found.tree == tree_state(made.root) and not is_stale(found, found.tree)


def test_a_pytest_by_hand_becomes_a_record(made: Checked, look: Looking, store: sqlite3.Connection) -> None:
    """Its cache tells what failed and nothing of passes."""
    made.write("tests/test_mixed.py", MIXED)
    made.commit()
    made.pytest("-q", "tests")
    assert look() and not look()
    found = latest(store)
    assert (found.passed, found.failed, found.skipped, found.seconds) == (None, 4, None, None)
    assert set(found.failing) == MIXED_NAMES and found.title == "4 failed: .pytest_cache"
    assert "Of passes it says nothing. 10 tests are known to it." in found.body and found.tree == tree_state(made.root)


def test_a_cache_and_a_junit_file_of_one_run_are_one_record(made: Checked, look: Looking) -> None:
    """The file that tells more is the record's; both are its origin."""
    made.write("tests/test_mixed.py", MIXED)
    made.pytest("-q", "tests", "--junitxml=junit.xml")
    assert look()
    found = made.only()
    assert found.passed == 4 and [mark.partition("#")[0] for mark in found.origin] == ["junit.xml", ".pytest_cache"]


def test_each_change_is_recorded_once_over_restarts(made: Checked, look: Looking, store: sqlite3.Connection) -> None:
    """Known by the mark in the store, also when the record was deleted; a touched file is no new run."""
    path = made.write("junit.xml", XML)
    assert look() and not look()
    assert not Looking(made, store)()
    os.utime(path, (1, 1))
    assert not look() and not Looking(made, store)()
    records.delete(store, "test", made.only().id)
    assert not Looking(made, store)() and made.runs() == []
    path.write_text(XML.replace('name="b"', 'name="c"'))
    assert look() and len(made.runs()) == 1


def test_an_unchanged_file_is_not_opened(made: Checked, look: Looking) -> None:
    """A look costs stats: what cannot be read any more is not missed."""
    path = made.write("junit.xml", XML)
    look()
    content = path.stat()
    path.write_text("x" * content.st_size)
    os.utime(path, ns=(content.st_atime_ns, content.st_mtime_ns))
    assert not look() and len(made.runs()) == 1


def test_a_file_that_is_being_written_is_left_for_later(made: Checked, look: Looking) -> None:
    """Until it is at rest."""
    made.write("junit.xml", XML)
    assert not look(later_s=0.5) and made.runs() == []
    assert look(later_s=5)


def test_what_a_busy_store_stopped_is_tried_again(made: Checked, look: Looking, store: sqlite3.Connection) -> None:
    """The look fails as a whole; the next one finds the file as new."""
    made.write("junit.xml", XML)
    store.execute("PRAGMA busy_timeout = 0")
    with closing(sqlite3.connect(made.home / "neat.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            look()
    assert look() and len(made.runs()) == 1


def test_what_is_no_test_result_is_passed_over(made: Checked, look: Looking) -> None:
    """And looked at again when it changes."""
    made.write("report.xml", "<html/>")
    made.write("junit.xml", XML[:40])
    made.write(".pytest_cache/v/cache/nodeids", '{"not": "a list"}')
    assert not look() and made.runs() == []
    made.write("junit.xml", XML)
    assert look()


@pytest.mark.parametrize("name", ["test-results/unit.xml", "build/test-results/test/TEST-a.xml", "reports/junit.xml",
                                  "target/nextest/default/junit.xml"])  # fmt: skip
def test_known_places_are_looked_at(made: Checked, look: Looking, name: str) -> None:
    """Where runners of several languages write."""
    made.write(name, XML)
    assert look() and made.only().failed == 1


def test_the_files_of_a_folder_are_one_result(made: Checked, look: Looking) -> None:
    """A runner writes one for each class."""
    made.write("test-results/a.xml", XML)
    made.write("test-results/b.xml", XML.replace("t.C", "t.D"))
    assert look()
    assert (made.only().passed, made.only().failed, made.only().failing) == (2, 2, ("t.C.a", "t.D.a"))


@needs_posix
def test_nothing_outside_of_the_project_is_read(made: Checked, look: Looking, tmp_path: Path) -> None:
    """A link to a file or to a folder elsewhere, a pipe."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.xml").write_text(XML)
    (made.root / "junit.xml").symlink_to(outside / "a.xml")
    (made.root / "test-results").symlink_to(outside)
    os.mkfifo(made.root / "report.xml")
    assert not look() and made.runs() == []


def test_results_of_too_many_bytes_are_not_read(made: Checked, look: Looking) -> None:
    """Together as well as each."""
    for number in range(3):
        made.write(f"test-results/{number}.xml", XML + " " * (25 << 20))
    assert not look()
    (made.root / "test-results/2.xml").unlink()
    assert look()


def test_a_run_that_neat_test_keeps_is_not_recorded_again(made: Checked, look: Looking) -> None:
    """Its files are the record's origin."""
    made.write("tests/test_mixed.py", MIXED)
    made.test(*made.pytest_words("--junitxml=junit.xml"))
    assert not look() and made.only().source == "person" and len(made.only().origin) == 2


def test_a_record_met_first_by_its_file_gives_way(made: Checked, look: Looking, store: sqlite3.Connection) -> None:
    """A daemon may look while `make test` goes on after its pytest: the record of the run tells more."""
    began = time.time() - 30
    path = made.write("junit.xml", XML)
    assert look()
    mark = made.only().origin[0]
    outcome = Outcome("make test", Counts(1, 1, 0, ("t.py::C::a",)), 1, 30.0, "git:x", False, (mark,), began)
    kept = keep_run(made.home, made.place, outcome, "person")
    assert kept.is_new and made.only().id == kept.id and path.exists()
    gone = records.list_records(store, "test", IDENTITY, is_deleted=True)
    assert [one.source for one in gone] == ["daemon"] and not Looking(made, store)()


@pytest.mark.parametrize(
    ("failing", "is_same"), [(("t.py::C::a",), True), (("t.py::C::other",), False)], ids=["same", "other"]
)
def test_a_file_written_during_a_recorded_run_is_of_it(
    made: Checked, look: Looking, failing: tuple[str, ...], is_same: bool
) -> None:
    """When the same tests fail; a hook may not have seen the file at its time."""
    made.write("junit.xml", XML)
    keep_run(made.home, made.place, Outcome("pytest", Counts(1, 1, 0, failing)), "claude-code", 3.0)
    assert look() is not is_same and len(made.runs()) == (1 if is_same else 2)


def test_a_result_older_than_the_files_is_stale_from_the_start(made: Checked, look: Looking) -> None:
    """What was tested is not known: neither the state nor the commit."""
    path = made.write("junit.xml", XML)
    os.utime(path, (time.time() - 86_400, time.time() - 86_400))
    assert look()
    found = made.only()
    assert (found.tree, found.commit, found.branch) == ("", "", "") and is_stale(found, tree_state(made.root))
    assert time.time() - found.created_at.timestamp() > 86_000


def test_a_cache_that_says_the_same_of_the_same_files_is_no_news(made: Checked, look: Looking) -> None:
    """pytest writes it at every session, and keeps a failure until its test is run again; other failures are news."""
    made.write("test_x.py", "def test_a(): assert 0\n")
    made.commit()
    for _ in range(2):
        made.pytest("-q")
        look()
    assert len(made.runs()) == 1
    made.write("t.py", "x = 2\n")
    made.pytest("-q")
    assert not look() and len(made.runs()) == 1
    made.write("test_x.py", "def test_a(): pass\n")
    made.pytest("-q")
    assert look() and made.runs()[0].title == "none failed: .pytest_cache" and made.runs()[0].status == "passed"


def test_a_project_without_results_costs_a_few_stats(made: Checked, look: Looking) -> None:
    """At every survey of every project: under a millisecond, where a run of git takes ten."""
    with at_most(0.02):
        assert not any(look() for _ in range(20))
    assert result_files(made.root) == []


def test_the_latest_run_is_the_one_that_ended_last(made: Checked, store: sqlite3.Connection) -> None:
    """In any worktree, or in one; none before the first."""
    assert testruns.latest(store, IDENTITY) is None
    elsewhere = made.place._replace(root=made.root / "other")
    keep_run(made.home, made.place, Outcome("one", Counts(1, 0, 0)), "person")
    keep_run(made.home, elsewhere, Outcome("two", Counts(2, 0, 0)), "person")
    assert latest(store).command == "two" and latest(store).passed == 2
    here = testruns.latest(store, IDENTITY, str(made.root))
    assert here is not None and here.command == "one"
    records.delete(store, "test", latest(store).id)
    assert latest(store).command == "one" and testruns.latest(store, "another project") is None


def test_junit_files_come_before_closing_lines_unless_these_tell_more() -> None:
    """With the names as the runner prints them."""
    told, file = Counts(8, 1, 0, ("t.py::a",), ("pytest",)), Counts(8, 1, 0, ("t.a",), ("junit",))
    assert choose(told, [file]) == file._replace(failing=("t.py::a",))
    assert choose(told._replace(passed=20), [file]) == told._replace(passed=20)
    assert choose(None, [file]) == file and choose(told, []) == told and choose(None, []) is None


def test_a_folder_of_endless_files_is_looked_at_in_part(made: Checked) -> None:
    """The first five hundred in order, of the names that are met."""
    for number in range(resultfiles._MOST + 50):
        made.write(f"test-results/{number:04}.xml", "")
    (found,) = result_files(made.root)
    assert len(found.stamp) == resultfiles._MOST
