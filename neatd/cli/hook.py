"""`neat hook EVENT`: what an assistant's hooks call. It never fails and never keeps anybody waiting.

The exit code is 0 whatever happens: another one would stop the assistant. On stdout stands only what the assistant is to
know, as the JSON it expects; what went wrong is one line on stderr. Stdlib and click only, which a test holds.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import threading

import click

from neatd.errors import NeatError

LARGEST = 32 << 20  # bytes of an event
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
    before, sys.excepthook = sys.excepthook, _end_quietly
    timer = threading.Timer(PATIENCE_S, os._exit, (0,))
    timer.daemon = True
    timer.start()
    if sys.stdout is None:  # it was closed
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - for as long as this process lives
    try:
        _handle(event, _stdin())
    finally:
        timer.cancel()
    sys.excepthook = before


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


def _stdin() -> bytes:
    """What the assistant sent; all of it is read, so that it is not told of a broken pipe."""
    if sys.stdin is None or sys.stdin.isatty():
        return b""
    try:
        raw = sys.stdin.buffer.read(LARGEST)
        while sys.stdin.buffer.read(1 << 20):
            raw = b""  # larger than any event
    except OSError:
        return b""
    return raw


def _print(text: str) -> None:
    try:
        sys.stdout.buffer.write(text.encode() + b"\n")
        sys.stdout.buffer.flush()
    except OSError:
        pass  # nobody listens any more


def _say(text: str) -> None:
    if text:
        from neatd.redact import redact

        click.echo(f"neat hook: {redact(' '.join(text.split()))[:300]}", err=True)
