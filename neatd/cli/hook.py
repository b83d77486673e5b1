"""`neat hook EVENT`: what an assistant's hooks call. It never fails, never answers on stdout, never keeps anybody waiting.

Nearly every call is of no interest, so the raw bytes are searched first and nothing is loaded for those: stdlib and
click only, which a test holds. The exit code is 0 whatever happens: another one would stop the assistant.
"""

from __future__ import annotations

import sqlite3
import sys

import click

from neatd.errors import NeatError

LARGEST = 32 << 20  # bytes of an event
WAIT_S = 1.5  # for a busy store; then the record goes to the inbox
_UNKNOWN = (NeatError, OSError, sqlite3.Error, ValueError, KeyError, TypeError, AttributeError, RecursionError)


@click.command(
    short_help="Take in what an assistant's hook tells.",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.argument("event", required=False, default="")
def hook(event: str) -> None:
    """Take in what an assistant's hook tells; for its settings, not for people.

    EVENT is post-tool: a test run is kept, with the assistant as its source. Others are taken and ignored. Reads the
    event's JSON on stdin, prints nothing, exits with 0.

    \b
    neat hook post-tool < event.json
    """
    raw = _stdin()
    if event != "post-tool":
        return
    from neatd.read.testcommand import HINT

    if not HINT.search(raw):
        return
    try:
        problem = _post_tool(raw)
    except _UNKNOWN as error:
        problem = error.message if isinstance(error, NeatError) else f"{type(error).__name__}: {error}"
    if problem:
        click.echo(f"neat hook: {' '.join(problem.split())[:300]}", err=True)


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


def _post_tool(raw: bytes) -> str:
    """Keep the test run that an event tells of; returns what is to be said, mostly nothing."""
    import json

    from neatd.assist.toolcall import shell_call
    from neatd.cli.record import source
    from neatd.read.testcommand import find_in_words, find_test

    named = source()
    call = shell_call(json.loads(raw), "claude-code" if named == "person" else named)
    if call is None:
        return ""
    found = find_test(call.command) if isinstance(call.command, str) else find_in_words(call.command)
    if found is None or not found.words:
        return ""
    from neatd.pipeline.testcalls import keep_call
    from neatd.place import neat_home

    kept = keep_call(neat_home(), call, found, WAIT_S)
    return f"the store is out of reach: the test run lies in {kept.inbox}" if kept and kept.inbox else ""
