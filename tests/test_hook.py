"""`neat hook post-tool`: test runs of assistants become records; everything else costs next to nothing and never fails."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from neatd.read.treestate import tree_state
from neatd.store import records
from tests.mother import Born
from tests.testing_made import ASSISTANTS, IDENTITY, MIXED, PROGRAM, Checked, answer

SUMMARY = "=== short test summary info ===\nFAILED t.py::test_a - no\n=== 1 failed, 9 passed, 2 skipped in 3.21s ===\n"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checked:
    made = Checked(tmp_path)
    monkeypatch.setenv("NEAT_HOME", str(made.home))
    for name in ASSISTANTS:
        monkeypatch.delenv(name, raising=False)
    return made


def test_a_test_run_of_claude_code_is_kept(made: Checked) -> None:
    """With counts, the state of the files and the assistant as its source; the exit code is known to be 0."""
    made.commit()
    made.hook(answer("python -m pytest -q", "....\n4 passed in 0.12s\n", made.root))
    found = made.only()
    assert (found.passed, found.failed, found.exit_code, found.status) == (4, 0, 0, "passed")
    assert (found.source, found.command, found.branch) == ("claude-code", "python -m pytest -q", "main")
    assert found.tree == tree_state(made.root) and found.title == "4 passed: python -m pytest -q"
    assert found.project_id == IDENTITY and found.seconds is None


def test_a_failed_run_comes_as_another_event(made: Checked) -> None:
    """Claude Code tells it in one text that begins with the exit code."""
    event = answer("pytest", "", made.root, hook_event_name="PostToolUseFailure", error=f"Exit code 1\n{SUMMARY}")
    del event["tool_response"]
    made.hook(event)
    found = made.only()
    assert (found.passed, found.failed, found.skipped, found.failing) == (9, 1, 2, ("t.py::test_a",))
    assert (found.exit_code, found.status) == (1, "failed")


CODEX = {
    "text": f"Exit code: 1\nWall time: 1.2 seconds\nOutput:\n{SUMMARY}",
    "JSON in a text": json.dumps({"output": SUMMARY, "metadata": {"exit_code": 1, "duration_seconds": 1.2}}),
    "an object": {"aggregated_output": SUMMARY, "exit_code": 1},
}


@pytest.mark.parametrize("response", CODEX.values(), ids=CODEX)
def test_a_test_run_of_codex_is_kept(made: Checked, response: object) -> None:
    """Its command may be a list of arguments, its answer a text."""
    given = {"command": ["bash", "-lc", "pytest -q"], "workdir": str(made.root)}
    event = answer("", "", Path("/"), tool_name="shell", tool_input=given, tool_response=response, turn_id="t1")
    made.hook(event)
    found = made.only()
    assert (found.source, found.failed, found.exit_code) == ("codex", 1, 1) and found.command == "bash -lc 'pytest -q'"


def test_behind_a_pipe_only_the_output_counts(made: Checked) -> None:
    """The exit code is tail's; where nothing is to be seen there is nothing to keep."""
    made.hook(answer("pytest 2>&1 | tail -3", SUMMARY, made.root))
    made.hook(answer("pytest > log.txt; true", "", made.root, call="toolu_2"))
    assert made.only().exit_code is None and made.only().failed == 1


def test_without_a_known_runner_the_exit_code_is_kept(made: Checked) -> None:
    """As with `neat test`."""
    made.hook(answer("make check", "all fine\n", made.root))
    assert made.only().title == "exit code 0, no counts recognised: make check" and made.only().status == "passed"


def test_the_project_is_the_one_the_command_went_to(made: Checked, tmp_path: Path) -> None:
    """And not the one where the session began; `cd` may be told already."""
    (made.root / "sub").mkdir()
    for number, where in enumerate((tmp_path, made.root / "sub")):
        command = "cd project/sub && pytest" if where == tmp_path else "cd sub && pytest"
        made.hook(answer(command, f"{number + 1} passed in 1s", where, call=f"toolu_{number}"))
    assert [one.worktree for one in made.runs()] == [str(made.root)] * 2


OTHERS = {
    "another command": {"tool_input": {"command": "ls tests"}},
    "a mention": {"tool_input": {"command": "grep -r pytest ."}},
    "another tool": {"tool_name": "Write", "tool_input": {"file_path": "pytest.ini", "content": "pytest"}},
    "in the background": {"tool_input": {"command": "pytest", "run_in_background": True}},
    "went to the background": {"tool_response": {"stdout": "", "backgroundTaskId": "b1"}},
    "neat test": {"tool_input": {"command": "neat test -- pytest"}},
    "a target that is neat test": {
        "tool_response": {"stdout": "3 passed in 1s\ntest v-abc123 kept: 3 passed in 1.2 s\n"}
    },
}


@pytest.mark.parametrize("fields", OTHERS.values(), ids=OTHERS)
def test_what_is_no_test_run_or_kept_already_is_passed_over(made: Checked, fields: dict[str, object]) -> None:
    """In silence."""
    said = made.hook(answer("pytest", "3 passed in 1s", made.root, **fields))
    assert made.runs() == [] and said == ""


def test_a_hook_that_is_set_up_twice_keeps_a_run_once(made: Checked) -> None:
    """By the call's id, also at the same time; two calls with the same result are two runs."""
    command = [sys.executable, "-c", PROGRAM.format("hook", "hook"), "post-tool"]
    event = json.dumps(answer("pytest", "3 passed in 1s", made.root)).encode()
    both = [Born(command, env=made.env, cwd=made.root, stdin=subprocess.PIPE) for _ in range(2)]
    for process in both:
        process.communicate(event, timeout=30)
    assert len(made.runs()) == 1
    made.hook(answer("pytest", "3 passed in 1s", made.root, call="toolu_9"))
    assert len(made.runs()) == 2


def test_an_interrupted_run_is_kept_as_such(made: Checked) -> None:
    """With what it said until then."""
    response = {"stdout": "== 3 passed in 1s ==", "stderr": "", "interrupted": True}
    made.hook(answer("pytest", "", made.root, tool_response=response))
    assert (made.only().status, made.only().passed, made.only().exit_code) == ("interrupted", 3, None)


BAD = {
    "no JSON": b"{pytest", "not an object": b'["pytest"]', "nothing": b"", "not UTF-8": b"\xff\xfepytest",
    "other types": b'{"tool_name": "Bash", "tool_input": "pytest", "tool_response": 7}',
    "other types within": b'{"tool_name":"Bash","tool_input":{"command":"pytest"},"tool_response":{"stdout":{"a":1}},"cwd":5}',
    "nested without end": b'{"tool_name":"Bash","pytest":' + b"[" * 100_000,
    "a NUL in a path": b'{"tool_name":"Bash","tool_input":{"cmd":"pytest"},"tool_response":"1 passed in 1s","cwd":"/\\u0000"}',
}  # fmt: skip


@pytest.mark.parametrize("raw", BAD.values(), ids=BAD)
def test_a_payload_of_any_kind_does_no_harm(made: Checked, raw: bytes) -> None:
    """Exit code 0, nothing on stdout, at most one line on stderr."""
    made.hook(raw)
    assert made.runs() == []


def test_text_that_is_no_text_is_kept_all_the_same(made: Checked) -> None:
    """JSON can spell halves of characters; SQLite cannot hold them."""
    made.hook(answer("pytest -k \ud800", "FAILED t.py::test_\udfff - x\n1 failed in 1s", made.root))
    assert made.only().failed == 1 and made.only().command.startswith("pytest -k ")


def test_outside_of_a_project_one_line_is_said(made: Checked, tmp_path: Path) -> None:
    """On stderr, where no assistant reads."""
    said = made.hook(answer("pytest", "1 passed in 1s", tmp_path))
    assert said.startswith("neat hook: no neat.yaml in ")


def test_without_a_store_the_run_is_left_in_the_inbox(made: Checked) -> None:
    """From where the daemon takes it in: it is a record like any other."""
    for path in made.home.glob("neat.db*"):
        path.unlink()
    said = made.hook(answer("pytest", SUMMARY, made.root))
    (left,) = (made.root / ".neat" / "inbox").glob("*.json")
    assert str(left) in said
    with made.store() as store:
        assert records.take_from_inbox(store, left, IDENTITY)
    assert made.only().failing == ("t.py::test_a",) and made.only().source == "claude-code"


def test_a_locked_store_keeps_nobody_waiting(made: Checked) -> None:
    """After a second or two the run is left in the inbox."""
    with closing(sqlite3.connect(made.home / "neat.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        begun = time.monotonic()
        made.hook(answer("pytest", SUMMARY, made.root))
        assert time.monotonic() - begun < 20
    assert len(list((made.root / ".neat" / "inbox").glob("*.json"))) == 1


def test_a_broken_store_is_said(made: Checked) -> None:
    """And still the exit code is 0."""
    (made.home / "neat.db").write_bytes(b"garbage" * 999)
    assert made.hook(answer("pytest", SUMMARY, made.root)).startswith("neat hook: ")


def test_the_record_takes_the_place_of_what_its_cache_told(made: Checked) -> None:
    """The daemon may have met the file first; a file of another run is left alone."""
    from datetime import UTC, datetime, timedelta

    from neatd.pipeline.testfiles import look_for_results

    made.write("tests/test_mixed.py", MIXED)
    made.commit()
    output = made.pytest("-q", "tests").stdout.decode()
    with made.store() as store:
        assert look_for_results(store, made.root, {}, datetime.now(UTC) + timedelta(seconds=5))
    assert made.only().source == "daemon"
    made.hook(answer("cargo test", "test result: ok. 3 passed; 0 failed; 0 ignored;", made.root, call="toolu_0"))
    assert {one.source for one in made.runs()} == {"daemon", "claude-code"}
    made.hook(answer("pytest -q tests", output, made.root))
    assert [one.source for one in made.runs()] == ["claude-code"] * 2 and made.runs()[0].failed == 4


def test_a_secret_in_a_command_is_not_kept(made: Checked) -> None:
    """As in any record."""
    made.hook(answer("API_KEY=abcd1234efgh5678 pytest", "1 passed in 1s", made.root))
    assert "abcd1234" not in made.only().model_dump_json()
