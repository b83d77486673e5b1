"""Secrets in logs: none is written to the daemon's, and none is printed of what a job wrote."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from neatd.cli.daemon import print_file
from neatd.redact import MARK
from tests.mother import run_born
from tests.secrets_made import BY_NAME, KNOWN, leaks

TOKEN, NAMED = KNOWN[27], BY_NAME[0]


def logged(home: Path, program: str) -> str:
    """The daemon's log after `program` ran with its set-up, both what was logged and what went to stderr."""
    before = (
        "import logging, threading, warnings; from pathlib import Path; from neatd import daemon\n"
        f"daemon._set_up_log(Path({str(home)!r}), False)\n"
    )
    done = run_born([sys.executable, "-c", before + program], capture_output=True, text=True, timeout=60)
    return (home / "logs" / "neatd.log").read_text() + done.stdout + done.stderr


@pytest.mark.parametrize(
    "program",
    [
        "logging.getLogger('x').info('run %s found', SECRET)",
        "logging.getLogger('x').error('failed', exc_info=ValueError(SECRET))",
        "raise ValueError(SECRET)",
        "t = threading.Thread(target=int, args=(SECRET,)); t.start(); t.join()",
        "warnings.warn(SECRET)",
    ],
    ids=["message", "traceback", "uncaught", "thread", "warning"],
)
def test_the_daemons_log_holds_no_secret(tmp_path: Path, program: str) -> None:
    """Messages, tracebacks, what nobody caught in any thread, warnings: all go through one formatter."""
    secret = f"{NAMED.name}={NAMED.secret} and {TOKEN.secret}"
    text = logged(tmp_path, f"SECRET = {secret!r}\n{program}")
    assert MARK in text and not leaks(NAMED.secret, text) and not leaks(TOKEN.secret, text), text


def test_an_end_at_ones_own_wish_is_no_failure(tmp_path: Path) -> None:
    """SystemExit in a thread is not logged."""
    text = logged(
        tmp_path, "import sys; t = threading.Thread(target=sys.exit); t.start(); t.join(); logging.info('done')"
    )
    assert "done" in text and "fails" not in text


def test_what_a_job_wrote_is_printed_without_secrets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its file is its own and stays; a key over several lines goes whole."""
    path = tmp_path / "output.log"
    path.write_text(f"start\nlogin with {TOKEN.secret}\n{NAMED.name}={NAMED.secret}\nloss 0.5")
    print_file(path, 3, False)
    out = capsys.readouterr().out
    assert out == f"login with {MARK}\n{NAMED.name}={MARK}\nloss 0.5\n"
    assert TOKEN.secret in path.read_text()


class _Stop(Exception):
    """Ends a following."""


def test_a_secret_that_is_written_in_two_parts_is_not_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While following, a line is shown when it ends; one that rests is shown too, as the last thing."""
    path = tmp_path / "output.log"
    half = len(TOKEN.secret) // 2
    path.write_text("start\n")
    parts = [f"key {TOKEN.secret[:half]}", f"{TOKEN.secret[half:]} end\nand ", "then", ""]
    steps = iter(parts)

    def write(_: float) -> None:
        part = next(steps, None)
        if part is None:
            raise _Stop
        with path.open("a") as file:
            file.write(part)

    monkeypatch.setattr("neatd.cli.daemon.time.sleep", write)
    with pytest.raises(_Stop):
        print_file(path, 10, True)
    assert capsys.readouterr().out == f"start\nkey {MARK} end\nand then"
