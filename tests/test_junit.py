"""JUnit XML to counts: real files of pytest, the shapes of other runners, and what a hostile one may hold."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from neatd.errors import NeatError
from neatd.read import junit
from neatd.read.junit import read_junit
from neatd.read.testcounts import name_key
from tests.testing_made import MIXED, MIXED_NAMES

needs_posix = pytest.mark.skipif(os.name != "posix", reason="named pipes")


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "junit.xml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_what_pytest_writes_is_read_as_its_closing_line(tmp_path: Path) -> None:
    """The same counts, and names that are the same tests."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_mixed.py").write_text(MIXED)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--junitxml=junit.xml", "tests"]
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, timeout=60)
    counts, seconds = read_junit(tmp_path / "junit.xml")
    assert counts[:3] == (4, 4, 2) and seconds is not None and 0 < seconds < 60
    assert set(map(name_key, counts.failing)) == set(map(name_key, MIXED_NAMES))


def test_suites_in_suites_count_each_test_once(tmp_path: Path) -> None:
    """With the time of the outermost suites; a test that was repeated until it passed has passed."""
    text = """<?xml version="1.0"?>
    <testsuites tests="99"><testsuite name="outer" time="1.5"><testsuite name="inner" time="1.0">
      <testcase classname="C" name="a"/><testcase classname="C" name="b"><failure/><system-out>x</system-out></testcase>
      <testcase name="alone"><error/><skipped/></testcase><testcase name="d"><skipped/></testcase>
      <testcase name="e"><flakyFailure><failure/></flakyFailure></testcase>
    </testsuite></testsuite><testsuite time="0.25"><testcase name="f"/></testsuite></testsuites>"""
    counts, seconds = read_junit(written(tmp_path, text))
    assert counts[:3] == (3, 2, 1) and counts.failing == ("C.b", "alone") and seconds == 1.75


def test_totals_count_where_no_test_is_listed(tmp_path: Path) -> None:
    """Some runners write a summary only."""
    text = '<testsuite tests="1,012" failures="2" errors="1" skipped="4" time="bad"/>'
    counts, seconds = read_junit(written(tmp_path, text))
    assert counts == (1005, 3, 4, (), ("junit",)) and seconds is None


def test_a_namespace_does_not_hide_the_tests(tmp_path: Path) -> None:
    """Some runners write one."""
    text = '<t:testsuite xmlns:t="urn:x"><t:testcase name="a"><t:failure/></t:testcase></t:testsuite>'
    assert read_junit(written(tmp_path, text)).counts[:2] == (0, 1)


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
HOSTILE = {
    "a bomb": f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]><testsuite><testcase name="&l11;"/></testsuite>',
    "a file from elsewhere": '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hosts">]><testsuite><a name="&f;"/></testsuite>',
    "a document type": '<!DOCTYPE x SYSTEM "http://example.org/x.dtd"><testsuite/>',
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_nothing_expands(tmp_path: Path, text: str) -> None:
    """A file with a document type is refused before anything in it is read."""
    with pytest.raises(NeatError, match="document type"):
        read_junit(written(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    ["", "not xml", "<testsuite><testcase", "<html><testcase name='a'/></html>", b"\xff\xfe\x00", "<a>&undefined;</a>",
     '<?xml version="1.0" encoding="klingon"?><testsuite/>'],
)  # fmt: skip
def test_what_is_no_junit_file_is_said(tmp_path: Path, text: str | bytes) -> None:
    """Another XML file, a cut one, none at all."""
    with pytest.raises(NeatError, match=r"junit\.xml"):
        read_junit(written(tmp_path, text))


def test_a_deep_file_is_read_without_recursion(tmp_path: Path) -> None:
    """A hundred thousand elements in each other."""
    text = "<testsuite>" + "<x>" * 100_000 + "</x>" * 100_000 + '<testcase name="a"/></testsuite>'
    assert read_junit(written(tmp_path, text)).counts.passed == 1


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """Its size is the limit of what is read, whatever its attributes say."""
    path = written(tmp_path, "<testsuite>")
    with path.open("r+b") as file:
        file.write(b"<testsuite>" + b" " * junit.LARGEST)
    with pytest.raises(NeatError, match="larger than 64 MiB"):
        read_junit(path)


@pytest.mark.parametrize("inside", ['name="{}"', "{}"], ids=["one value", "many names"])
def test_a_tag_without_end_is_refused(tmp_path: Path, inside: str) -> None:
    """Before its attributes take the memory; long text between tags is no such thing."""
    many = " ".join(f"a{n}='1'" for n in range(400_000)) if inside == "{}" else "A" * 5_000_000
    with pytest.raises(NeatError, match="a tag of more than"):
        read_junit(written(tmp_path, f"<testsuite><testcase {inside.format(many)}/></testsuite>"))
    text = (
        f"<testsuite><testcase name='a'><system-out><![CDATA[{'x' * 5_000_000}]]></system-out></testcase></testsuite>"
    )
    assert read_junit(written(tmp_path, text)).counts.passed == 1


@needs_posix
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """A named pipe in the place of the file."""
    os.mkfifo(tmp_path / "junit.xml")
    with pytest.raises(OSError, match="not a regular file"):
        read_junit(tmp_path / "junit.xml")
