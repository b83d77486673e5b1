"""Closing lines of test runners to counts and names. pytest and unittest run for real; the texts of the others were
written by cargo 1.95, cargo-nextest 0.9, go 1.19, ctest 3.25, Jest 30, Vitest 4 and Node 20, and shortened."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from neatd.read.testcounts import Counts, agree, name_key, title
from neatd.read.testoutput import OutputReader, read_output
from tests.testing_made import MIXED, MIXED_NAMES
from tests.testoutput_texts import CARGO, CTEST, GO, GO_JSON, GO_VERBOSE, JEST, NEXTEST, NODE_SPEC, NODE_TAP, VITEST


def told(folder: Path, *words: str) -> bytes:
    """What a real runner writes on both streams."""
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", *words]
    return subprocess.run(
        command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60
    ).stdout


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    path = tmp_path / "tests" / "test_mixed.py"
    path.parent.mkdir()
    path.write_text(MIXED)
    return tmp_path


@pytest.mark.parametrize("options", [(), ("-q",), ("--color=yes", "-v"), ("-rA",), ("--tb=no",)])
def test_pytest_tells_counts_and_names_in_all_its_forms(mixed: Path, options: tuple[str, ...]) -> None:
    """Errors count as failed, expected failures as skipped, as its JUnit file has them."""
    found = read_output(told(mixed, "pytest", "-p", "no:cacheprovider", *options, "tests"))
    assert found is not None and found[:3] == (4, 4, 2) and found.runners == ("pytest",)
    assert set(found.failing) == MIXED_NAMES


def test_pytest_that_tells_no_passes_leaves_them_unknown(mixed: Path) -> None:
    """-qq writes the failing names and no closing line."""
    found = read_output(told(mixed, "pytest", "-p", "no:cacheprovider", "-qq", "tests"))
    assert found is not None and found[:3] == (None, 4, None) and set(found.failing) == MIXED_NAMES


def test_pytest_without_a_summary_tells_counts_without_names(mixed: Path) -> None:
    """The closing line stands behind the failures, where a test's own output might have been."""
    found = read_output(told(mixed, "pytest", "-p", "no:cacheprovider", "-rN", "tests"))
    assert found == Counts(4, 4, 2, (), ("pytest",))


def test_a_module_that_cannot_be_imported_has_failed(tmp_path: Path) -> None:
    """By its file's name."""
    (tmp_path / "test_x.py").write_text("import nothing_of_that_name")
    found = read_output(told(tmp_path, "pytest", "-p", "no:cacheprovider"))
    assert found == Counts(0, 1, 0, ("test_x.py",), ("pytest",))


def test_what_a_failing_test_printed_is_not_counted(tmp_path: Path) -> None:
    """Neither another session of pytest nor another runner's closing lines."""
    (tmp_path / "test_x.py").write_text(
        "def test_x():\n"
        "    print('=== test session starts ===\\n=== FAILURES ===\\n=== short test summary info ===')\n"
        "    print('FAILED inner.py::test_y - no\\n=== 7 failed, 9 passed in 1.00s ===')\n"
        "    print('5 passed in 0.10s\\nRan 8 tests in 0.1s\\n\\nFAILED (failures=8)')\n"
        "    assert 0\n"
        "def test_fine(): pass\n"
    )
    found = read_output(told(tmp_path, "pytest", "-p", "no:cacheprovider"))
    assert found == Counts(1, 1, 0, ("test_x.py::test_x",), ("pytest",))


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("=== 3 failed, 10 passed, 2 skipped, 1 xfailed, 4 warnings, 1 error in 3.21s ===", (10, 4, 3)),
        ("342 passed in 62.03s (0:01:02)", (342, 0, 0)),
        ("=== 1 failed, 2 passed, 3 deselected, 1 rerun in 0.50 seconds ===", (2, 1, 0)),
        ("============ no tests ran in 0.01s ============", (0, 0, 0)),
        ("16 deselected in 0.01s", (0, 0, 0)),
        ("16 tests collected in 0.01s", None),
        ("3 files in 2s", None),
    ],
)
def test_a_closing_line_of_pytest_is_known_by_its_words(line: str, counts: tuple[int, int, int] | None) -> None:
    """A collection is no run, and other lines of numbers and seconds are none."""
    found = read_output(line)
    assert (found and found[:3]) == counts


def test_sessions_of_pytest_are_added_up() -> None:
    """As tox writes them, one after the other."""
    one = "=== test session starts ===\n=== short test summary info ===\nFAILED a.py::test_a\n=== 1 failed, 2 passed in 1s ==="
    found = read_output(f"{one}\n.....\n5 passed in 0.2s\n")
    assert found == Counts(7, 1, 0, ("a.py::test_a",), ("pytest",))


UNITTEST = """
import unittest

class Small(unittest.TestCase):
    def test_good(self): pass
    def test_bad(self): self.assertEqual(1, 2)
    def test_broken(self): raise RuntimeError
    @unittest.skip("later")
    def test_skipped(self): pass
    @unittest.expectedFailure
    def test_expected(self): self.fail()
    @unittest.expectedFailure
    def test_surprise(self): pass
    def test_parts(self):
        for part in range(3):
            with self.subTest(part=part): self.assertEqual(part, 0)

class Unready(unittest.TestCase):
    @classmethod
    def setUpClass(cls): raise RuntimeError
    def test_never(self): pass
"""


@pytest.mark.parametrize("options", [(), ("-v",)])
def test_unittest_tells_counts_and_names(tmp_path: Path, options: tuple[str, ...]) -> None:
    """A test that fails in two of its parts has not passed, and is no two tests of those that ran."""
    (tmp_path / "small.py").write_text(UNITTEST)
    found = read_output(told(tmp_path, "unittest", *options, "small"))
    assert found is not None and found[:3] == (1, 6, 2) and found.runners == ("unittest",)
    assert set(found.failing) == {
        "small.Small.test_bad", "small.Small.test_broken", "small.Small.test_surprise", "small.Unready.setUpClass",
        "small.Small.test_parts (part=1)", "small.Small.test_parts (part=2)",
    }  # fmt: skip


@pytest.mark.parametrize(("module", "counts"), [("good", (1, 0, 0)), ("absent", (0, 1, 0))])
def test_unittest_that_passes_or_cannot_import(tmp_path: Path, module: str, counts: tuple[int, int, int]) -> None:
    """A module that is not there is an error that ran."""
    (tmp_path / "good.py").write_text("import unittest\nclass A(unittest.TestCase):\n    def test_a(self): pass\n")
    found = read_output(told(tmp_path, "unittest", module))
    assert found is not None and found[:3] == counts and found.failing == (("absent",) if module == "absent" else ())


GO_NAMES = ("ex.org/a.TestBad", "ex.org/a.TestBad/sub_one", "ex.org/d.TestP", "ex.org/e [build failed]")


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        (CARGO, Counts(4, 3, 1, ("tests::bad", "tests::worse", "integ_bad"), ("cargo",))),
        (NEXTEST, Counts(3, 2, 1, ("demo tests::bad", "demo::it integ_bad"), ("nextest",))),
        (GO, Counts(None, 4, None, GO_NAMES, ("go",))),
        (GO_VERBOSE, Counts(3, 2, 1, ("ex.org/a.TestBad", "ex.org/a.TestBad/sub_one"), ("go",))),
        (GO_JSON, Counts(2, 3, 1, ("ex.org/a.TestBad/sub_one", "ex.org/a.TestBad", "ex.org/e [build failed]"), ("go",))),
        (CTEST, Counts(1, 2, 1, ("bad", "worse"), ("ctest",))),
        (JEST, Counts(1, 2, 2, ("j/a.test.js › group › bad one", "j/c.test.js"), ("jest",))),
        (VITEST, Counts(1, 1, 1, ("v/b.test.mjs > vg > bad one",), ("vitest",))),
        (NODE_TAP, Counts(1, 1, 1, ("bad thing",), ("node",))),
        (NODE_SPEC, Counts(1, 1, 1, ("bad thing",), ("node",))),
        ("tests: 12 passed, 1 failed, 2 skipped", Counts(12, 1, 2, (), ("plain",))),
        ("make: nothing to be done\nall fine", None),
        ("ok  \tex.org/b\t0.1s\nok  \tex.org/c\t(cached)", Counts(None, 0, None, (), ("go",))),
    ],
    ids=["cargo", "nextest", "go", "go -v", "go -json", "ctest", "jest", "vitest", "tap", "spec", "plain", "none", "go ok"],
)  # fmt: skip
def test_other_runners_tell_what_they_know(text: str, counts: Counts | None) -> None:
    """Several binaries and packages are added up; what a runner does not say stays unknown."""
    assert read_output(text) == counts


def test_runners_under_one_command_are_added_up() -> None:
    """`make test` that runs cargo and pytest."""
    found = read_output(CARGO + "\n=== test session starts ===\n=== 5 passed in 0.10s ===\n")
    assert found is not None and found[:3] == (9, 3, 1) and found.runners == ("pytest", "cargo")


@pytest.mark.parametrize("size", [1, 7, 100, 8192])
def test_output_may_be_cut_anywhere(size: int) -> None:
    """Pieces of any size tell what the whole tells."""
    data = (CARGO + GO_VERBOSE + CTEST + VITEST).encode()
    reader = OutputReader()
    for at in range(0, len(data), size):
        reader.feed(data[at : at + size])
    assert reader.counts() == read_output(data)


def test_endless_output_takes_no_memory() -> None:
    """Neither a line without end nor names without end are held."""
    reader = OutputReader()
    block, names = b"x" * (1 << 16), b"--- FAIL: TestMany (0.00s)\n" * 1000
    tracemalloc.start()
    for _ in range(100):
        reader.feed(block)
    for _ in range(20):
        reader.feed(b"\n" + names)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    reader.feed(b"FAIL\tex.org/a\t1s\n")
    found = reader.counts()
    assert peak < 4 << 20 and found is not None and found.failed == 20_000 and len(found.failing) <= 200


def test_names_of_cache_and_junit_are_known_to_be_the_same() -> None:
    """A node id and a class with a name; a parameter stays as it is."""
    assert name_key("tests/test_a.py::TestC::test_m[a/b.py::c]") == name_key("tests.test_a.TestC.test_m[a/b.py::c]")
    assert name_key("tests/test_a.py") == name_key("tests.test_a") != name_key("tests.test_b")
    assert agree(Counts(1, 1, 0, ("t.py::a",)), Counts(None, 2, None, ("t.a",)))
    assert not agree(Counts(1, 1, 0, ("t.py::a",)), Counts(1, 1, 0, ("t.py::b",)))
    assert not agree(Counts(3, 0, 0), Counts(4, 0, 0)) and agree(Counts(3, 0, 0), Counts(None, 0, None))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((Counts(342, 1, 0), 12.31, 1, False), "342 passed, 1 failed in 12.3 s"),
        ((Counts(342, 0, 3), 192.0, 0, False), "342 passed, 3 skipped in 3 min 12 s"),
        ((Counts(None, 0, None), 0.5, 0, False), "none failed in 0.5 s"),
        ((Counts(0, 0, 0), 0.5, 5, False), "no tests ran in 0.5 s"),
        ((None, 2.0, 2, False), "exit code 2, no counts recognised in 2.0 s"),
        ((Counts(10, 0, 0), 1.0, 130, True), "interrupted: 10 passed in 1.0 s"),
    ],
)
def test_a_title_says_what_is_known(given: tuple[Counts | None, float, int, bool], words: str) -> None:
    """And that nothing was recognised."""
    assert title(*given) == words
