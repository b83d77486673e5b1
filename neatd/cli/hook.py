"""`neat hook EVENT`: what an assistant's hooks call. It never fails and never keeps anybody waiting.

The exit code is 0 whatever happens: another one would stop the assistant. On stdout stands only what the assistant is to
know, as the JSON it expects; what went wrong is one line on stderr. Stdlib and click only, which a test holds.
"""

from __future__ import annotations

import os
import select
import signal
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import click

from neatd.errors import NeatError

PATIENCE_S = 8.0  # then it ends, even where nobody ever closes its stdin
_EXPECTED = (NeatError, OSError, sqlite3.Error, ValueError, KeyError, TypeError, AttributeError, RecursionError)
_EVENTS = ("session-start", "user-prompt", "post-tool", "pre-compact", "stop", "session-end")


@click.command(
    short_help="Take in what an assistant's hook tells.",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.argument("event", required=False, default="")
def hook(event: str) -> None:
    """Answer an assistant's hook; for its settings, not for people.

    EVENT is session-start, user-prompt, post-tool, pre-compact, stop or session-end. Reads the event's JSON on stdin. A
    session that starts gets where things stand; one that is open is told of anomalies and ended runs, once. What is done
    in a session is kept. Exits with 0.

    \b
    neat hook session-start < event.json
    """
    with _ended_quietly():
        if sys.stdout is None:  # it was closed
            sys.stdout = _nowhere()
        from neatd.cli.hookinput import read_event

        _handle(event, read_event())


@contextmanager
def _ended_quietly() -> Iterator[None]:
    """Whatever ends this process meanwhile, a signal or its own patience, ends it with 0."""
    timer = threading.Timer(PATIENCE_S, _give_up)
    timer.daemon = True
    timer.start()
    hook_before, sys.excepthook = sys.excepthook, _end_quietly
    names = ("SIGINT", "SIGTERM", "SIGHUP")  # of which Windows has two
    before = {number: signal.signal(number, _end_at_once) for name in names if (number := getattr(signal, name, None))}
    try:
        yield
    finally:
        timer.cancel()
        for number, old in before.items():
            signal.signal(number, old or signal.SIG_DFL)
    sys.excepthook = hook_before


def _end_at_once(number: int, frame: object) -> None:
    os._exit(0)  # what was not committed is not there: the store sees to that


def _give_up() -> None:
    """Say that the time is over, where that can be said without waiting, and end."""
    line = f"neat hook: ended after {PATIENCE_S:g} s without an answer; `neat doctor` checks the store\n"
    try:
        if sys.platform == "win32" or select.select([], [2], [], 0)[1]:
            os.write(2, line.encode())
    except (OSError, ValueError):
        pass  # it was closed
    os._exit(0)


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - for as long as this process lives


def _end_quietly(kind: type[BaseException], error: BaseException, trace: object) -> None:
    """What nobody expected, a broken installation among it: a line, and still the exit code that keeps nobody waiting."""
    _say(f"{kind.__name__}: {error}; `neat doctor` checks the installation")
    os._exit(0)


def _handle(event: str, raw: bytes) -> None:
    if event not in _EVENTS:
        _say(f"no event {event!r}: one of {', '.join(_EVENTS)}")
        return
    try:
        out, said = _answer(event, raw)
    except _EXPECTED as error:
        out, said = "", error.message if isinstance(error, NeatError) else f"{type(error).__name__}: {error}"
        if isinstance(error, NeatError) and error.hint:
            said = f"{said}; {error.hint}"
    if out:
        _print(out)
    _say(said)


def _answer(event: str, raw: bytes) -> tuple[str, str]:
    from neatd.assist.hookcall import hook_call
    from neatd.place import neat_home

    try:
        call = hook_call(event, raw, _caller())
    except ValueError as error:
        return "", str(error)
    from neatd.pipeline.hooks import handle

    return handle(neat_home(), call)


def _caller() -> str:
    """Who called, as far as the environment or the process above tells."""
    from neatd.lineage import lineage, starter
    from neatd.who import PERSON, known_name, source

    named = source()
    process = starter(lineage()) if named == PERSON else None
    return (known_name(process.name) if process else "") or named


def _print(text: str) -> None:
    try:
        sys.stdout.buffer.write(text.encode() + b"\n")
        sys.stdout.buffer.flush()
    except OSError:
        sys.stdout = _nowhere()  # nobody listens any more, and the interpreter would try once more at its end


def _say(text: str) -> None:
    if not text:
        return
    from neatd.redact import redact

    try:
        click.echo(f"neat hook: {redact(' '.join(text.split()))[:300]}", err=True)
    except OSError:
        sys.stderr = _nowhere()
