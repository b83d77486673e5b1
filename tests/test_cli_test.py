"""`neat test`: the command runs as if neat were not there, and how it went is kept."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from neatd.read.treestate import tree_state
from tests.testing_made import IDENTITY, MIXED, MIXED_NAMES, Checked

needs_posix = pytest.mark.skipif(os.name != "posix", reason="signals, terminals and permissions of POSIX")
SH = "/bin/sh"


@pytest.fixture
def made(tmp_path: Path) -> Checked:
    return Checked(tmp_path)


def script(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def test_a_run_of_pytest_is_kept_with_counts_names_and_state(made: Checked) -> None:
    """Branch and commit are those of the tested files, and the result is fresh."""
    made.write("tests/test_mixed.py", MIXED)
    made.commit()
    command = [sys.executable, "-m", "pytest", "-q", "tests"]
    done = made.test(*command)
    found = made.only()
    assert done.returncode == 1 and found.exit_code == 1
    assert (found.passed, found.failed, found.skipped) == (4, 4, 2) and set(found.failing) == MIXED_NAMES
    assert found.title.startswith("4 passed, 4 failed, 2 skipped in ") and found.title.endswith(" -m pytest -q tests")
    assert (found.status, found.source, found.branch, found.project_id) == ("failed", "person", "main", IDENTITY)
    assert 0 < found.seconds < 60 and len(found.commit) == 40 and found.command.endswith("-m pytest -q tests")
    assert found.tree == tree_state(made.root)
    assert done.stderr.decode() == f"test {found.id[:8]} kept: {found.title.partition(':')[0]}\n"


def test_bytes_pass_unchanged_on_their_own_streams(made: Checked) -> None:
    """Whatever they are, whole and in order."""
    text = "import os; os.write(1, bytes(range(256)) * 999); os.write(2, b'\\xff\\r\\n\\0end'); os._exit(7)"
    done = made.call(made.command("--quiet", "--", *script(text)))
    assert (done.returncode, done.stdout, done.stderr) == (7, bytes(range(256)) * 999, b"\xff\r\n\0end")


def test_streams_that_share_a_place_keep_their_order(made: Checked) -> None:
    """As with `neat test … > log 2>&1`."""
    text = "import os\nfor n in range(200): os.write(1 + n % 2, b'%d ' % n)"
    done = made.call(made.command("--quiet", "--", *script(text)), capture_output=False, stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT)  # fmt: skip
    assert done.stdout.split() == [b"%d" % n for n in range(200)]


def test_the_command_gets_the_place_the_environment_and_the_input(made: Checked) -> None:
    """The folder the person stands in, their variables, their keyboard."""
    below = made.root / "below"
    below.mkdir()
    text = "import os, sys; print(os.getcwd(), os.environ['MINE'], sys.stdin.read())"
    done = made.test(*script(text), cwd=below, env=made.env | {"MINE": "yes"}, input=b"typed")
    assert done.stdout.decode().split() == [str(below.resolve()), "yes", "typed"]
    assert made.only().worktree == str(made.root)


def test_no_shell_is_between(made: Checked) -> None:
    """What a shell would take apart arrives whole."""
    done = made.test(*script("import sys; print(sys.argv[1:])"), "$HOME *; false", "--quiet", "-x")
    assert done.stdout.decode().strip() == "['$HOME *; false', '--quiet', '-x']" and done.returncode == 0


def test_without_a_known_runner_exit_code_and_time_are_kept(made: Checked) -> None:
    """The numbers stay unknown, and the title says so."""
    assert made.test(*script("print('built'); raise SystemExit(3)")).returncode == 3
    found = made.only()
    assert (found.passed, found.failed, found.skipped, found.failing) == (None, None, None, ())
    assert found.title.startswith("exit code 3, no counts recognised in ") and found.status == "failed"


def test_a_command_that_is_not_there_keeps_nothing(made: Checked) -> None:
    """The exit code is a shell's, and what to do is said."""
    done = made.test("no-such-program", "-q")
    assert (done.returncode, done.stdout) == (127, b"") and made.runs() == []
    assert done.stderr.decode().startswith("error: no such command: no-such-program\nhint: ")


@needs_posix
def test_a_command_that_may_not_run_says_so(made: Checked) -> None:
    """With the exit code of a shell."""
    path = made.write("tool.sh", "#!/bin/sh\n")
    path.chmod(0o644)
    done = made.test(str(path))
    assert done.returncode == 126 and b"cannot be run: Permission denied" in done.stderr


def test_outside_of_a_project_nothing_is_run(made: Checked, tmp_path: Path) -> None:
    """A result that could not be kept is said before the tests take their time."""
    done = made.test(*script("print('ran')"), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"") and b"neat init" in done.stderr


@needs_posix
@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV"])
def test_a_command_that_dies_of_a_signal_ends_as_in_a_shell(made: Checked, name: str) -> None:
    """128 and the signal's number."""
    number = getattr(signal, name)
    done = made.test(*script(f"import os; os.kill(os.getpid(), {int(number)})"))
    assert done.returncode == made.only().exit_code == 128 + number and made.only().status == "failed"


@needs_posix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 5), (signal.SIGTERM, 143)])
def test_an_interruption_reaches_the_command_and_is_kept(made: Checked, number: signal.Signals, code: int) -> None:
    """What it said until then counts; its exit code is still the command's."""
    text = (
        "import time, sys\ntry:\n    print('== 3 passed in 0.1s ==', flush=True)\n    time.sleep(60)\n"
        "except KeyboardInterrupt: sys.exit(5)"
    )
    process = subprocess.Popen(
        made.command("--", *script(text)), cwd=made.root, env=made.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None and process.stdout.readline() == b"== 3 passed in 0.1s ==\n"
    process.send_signal(number)
    process.communicate(timeout=30)
    found = made.only()
    assert process.returncode == code == found.exit_code and found.status == "interrupted"
    assert found.passed == 3 and found.title.startswith("interrupted: 3 passed in ")


@needs_posix
def test_on_a_terminal_the_command_has_a_terminal(made: Checked) -> None:
    """Colours stay, the width is ours, a newline is one newline, and Ctrl-C reaches the command once."""
    import fcntl
    import struct
    import termios

    text = (
        "import os, sys, time\ntry:\n    print(os.isatty(1), os.isatty(2), os.get_terminal_size(1).columns, flush=True)\n"
        "    time.sleep(60)\nexcept KeyboardInterrupt: print('once', flush=True)\ntime.sleep(0.5)\nsys.exit(4)"
    )
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 77, 0, 0))

    def own_terminal() -> None:
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        made.command("--quiet", "--", *script(text)), cwd=made.root, env=made.env, stdin=theirs, stdout=theirs,
        stderr=theirs, preexec_fn=own_terminal,
    )  # fmt: skip
    os.close(theirs)
    seen = b""
    while b"\n" not in seen:
        seen += os.read(ours, 4096)
    os.write(ours, b"\x03")
    seen += to_its_end(ours)
    assert process.wait(timeout=30) == 4
    os.close(ours)
    assert seen.replace(b"^C", b"") == b"True True 77\r\nonce\r\n" and made.only().status == "interrupted"


def to_its_end(terminal: int) -> bytes:
    """What is said on a terminal until nobody holds its other side any more."""
    said = b""
    with contextlib.suppress(OSError):  # the end, on Linux; elsewhere it is an empty read
        while new := os.read(terminal, 4096):
            said += new
    return said


@needs_posix
def test_a_process_left_behind_is_not_waited_for(made: Checked) -> None:
    """It holds the output open; the tests have ended."""
    done = made.test(SH, "-c", "sleep 30 & echo '2 passed, 1 failed'; exit 1", timeout=20)
    assert done.returncode == 1 and (made.only().passed, made.only().failed) == (2, 1) and made.only().seconds < 20


@needs_posix
def test_a_reader_that_goes_ends_the_command_as_without_neat(made: Checked) -> None:
    """`neat test -- yes | head -1`."""
    line = " ".join(f"'{word}'" for word in made.command("--quiet", "--", "yes"))
    done = made.call([SH, "-c", f"{line} | head -1"])
    assert done.stdout == b"y\n" and made.only().exit_code == 128 + signal.SIGPIPE


def test_a_junit_file_of_the_run_is_read(made: Checked) -> None:
    """One that the command names, in its own options or in ours; its names stand for a runner that prints none."""
    xml = '<testsuite><testcase classname="C" name="a"><failure/></testcase><testcase name="b"/></testsuite>'
    write = f"import sys; open(sys.argv[-1], 'w').write({xml!r})"
    assert made.call(made.command("--junit", "out.xml", "--", *script(write), "out.xml")).returncode == 0
    assert made.call(made.command("--", *script(write), "junit.xml")).returncode == 0
    for found in made.runs():
        assert (found.passed, found.failed, found.failing, found.status) == (1, 1, ("C.a",), "failed")


def test_a_junit_file_of_an_earlier_run_is_not_read(made: Checked) -> None:
    """The person is told that the one they named was not written."""
    made.write("junit.xml", '<testsuite><testcase name="old"/></testsuite>')
    done = made.call(made.command("--junit", "junit.xml", "--", *script("print('5 passed, 0 failed')")))
    assert made.only().passed == 5 and b"was not written by the command" in done.stderr
    made.test(*script("pass"))
    assert made.runs()[0].passed is None


def test_closing_lines_that_tell_of_more_are_believed(made: Checked) -> None:
    """A JUnit file may be of one part of what ran."""
    xml = '<testsuite><testcase name="a"/></testsuite>'
    made.test(*script(f"open('junit.xml', 'w').write({xml!r}); print('== 9 passed in 1s ==')"))
    assert made.only().passed == 9


def test_files_edited_while_the_tests_ran_make_the_result_stale(made: Checked) -> None:
    """What is there now is not what was tested; what the run left behind is."""
    made.write("model.py", "width = 8\n")
    made.commit()
    made.test(*script("open('left.json', 'w').write('{}'); print('1 passed, 0 failed')"))
    assert made.runs()[0].tree == tree_state(made.root)
    made.test(*script("open('model.py', 'w').write('width = 16'); print('1 passed, 0 failed')"))
    assert made.runs()[0].tree == made.runs()[1].tree != tree_state(made.root)


def test_a_run_inside_of_a_run_is_kept_once(made: Checked) -> None:
    """`neat test -- make test` whose target is `neat test -- pytest`; two runs after each other are two."""
    inner = script("print('== 3 passed in 0.1s ==')")
    made.test(*made.command("--", *inner))
    assert made.only().command.endswith("in 0.1s ==')\"") or "3 passed" in made.only().title
    made.test(*inner)
    made.test(*inner)
    assert len(made.runs()) == 3


@needs_posix
def test_a_sandbox_leaves_the_result_in_the_inbox(made: Checked) -> None:
    """A read-only NEAT_HOME costs neither the exit code nor the record."""
    from tests.conftest import bind_root_to_permissions

    made.home.chmod(0o500)
    (made.home / "neat.db").chmod(0o400)
    try:
        done = made.test(
            *script("print('1 passed, 1 failed'); raise SystemExit(1)"), preexec_fn=bind_root_to_permissions
        )
    finally:
        made.home.chmod(0o700)
        (made.home / "neat.db").chmod(0o600)
    (left,) = (made.root / ".neat" / "inbox").glob("*.json")
    assert done.returncode == 1 and str(left).encode() in done.stderr and b'"failed": 1' in left.read_bytes()


def test_a_broken_store_does_not_cost_the_exit_code(made: Checked) -> None:
    """It is said after the tests, in two lines."""
    (made.home / "neat.db").write_bytes(b"garbage" * 999)
    done = made.test(*script("print('1 passed, 0 failed'); raise SystemExit(3)"))
    assert done.returncode == 3 and done.stdout == b"1 passed, 0 failed\n"
    assert done.stderr.startswith(b"error: the result could not be kept: ") and b"\nhint: " in done.stderr


def test_an_assistant_is_the_source_of_its_runs(made: Checked) -> None:
    """Known by its environment."""
    made.test(*script("pass"), env=made.env | {"CLAUDECODE": "1"})
    assert made.only().source == "claude-code"
