"""`neat test`: the project's tests, run and kept."""

from __future__ import annotations

import shlex
import sqlite3
import time
from pathlib import Path

import click

from neatd.cli.passthrough import run_through, undisturbed
from neatd.errors import NeatError
from neatd.pipeline.testing import Kept, Outcome, keep_run
from neatd.pipeline.testlook import look, outcome_between
from neatd.place import here, neat_home
from neatd.read.testcommand import junit_in
from neatd.read.testcounts import merge, title
from neatd.read.testoutput import OutputReader
from neatd.who import source


@click.command(
    "test", short_help="Run the tests and keep the result.", context_settings={"allow_interspersed_args": False}
)
@click.option(
    "--junit", metavar="FILE", help="The JUnit XML file that COMMAND writes; without it known places are looked at."
)
@click.option("--quiet", is_flag=True, help="Do not say on stderr what was kept.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND…")
@click.pass_context
def test(context: click.Context, command: tuple[str, ...], junit: str | None, quiet: bool) -> None:
    """Run the tests and keep the result: counts, failing names, time, the state of the files.

    Output and exit code are the command's own; no shell is between. Counts come from JUnit XML or from the closing
    lines of pytest, unittest, cargo, go and others.

    \b
    neat test -- make test
    neat test -- pytest -q tests/test_loader.py
    """
    place = here()
    file = junit or junit_in(command)
    named = Path(file).absolute() if file else None
    before = look(place.root, named)
    readers, began = (OutputReader(), OutputReader()), time.time()
    try:
        ended = run_through(command, readers[0].feed, readers[1].feed)
    except OSError as error:
        context.exit(_not_started(command[0], error))
    with undisturbed():
        told = merge(counts for counts in (reader.counts() for reader in readers) if counts is not None)
        try:
            outcome, problem = outcome_between(place.root, before, named, shlex.join(command), told)
            outcome = outcome._replace(**ended._asdict(), began=began)
            if problem and junit:
                click.echo(f"note: {problem}; the counts are from what it printed", err=True)
            _say(outcome, keep_run(neat_home(), place, outcome, source()), quiet)
        except (NeatError, OSError, sqlite3.Error) as error:
            _not_kept(error)  # the tests ran: their exit code comes first
    context.exit(ended.exit_code)


def _not_kept(error: Exception) -> None:
    message, hint = str(error), "`neat doctor` checks the store"
    if isinstance(error, NeatError):
        message, hint = error.message, error.hint
    click.echo(f"error: the result could not be kept: {message}\nhint: {hint}", err=True)


def _say(outcome: Outcome, kept: Kept, is_quiet: bool) -> None:
    """One line that names the record; where it lies when the store was out of reach."""
    if is_quiet:
        return
    words = title(outcome.counts, outcome.seconds, outcome.exit_code, outcome.is_interrupted)
    click.echo(f"test {kept.id[:8]} {'kept' if kept.is_new else 'was kept before'}: {words}", err=True)
    if kept.inbox:
        click.echo(f"the store is out of reach: it lies in {kept.inbox}, and neatd takes it in from there", err=True)


def _not_started(program: str, error: OSError) -> int:
    """Say why, and give the exit code that a shell gives."""
    is_missing = isinstance(error, FileNotFoundError)
    what = f"no such command: {program}" if is_missing else f"{program} cannot be run: {error.strerror}"
    hint = 'for a line of shell: neat test -- bash -c "…"' if is_missing else "check its permissions"
    click.echo(f"error: {what}\nhint: {hint}", err=True)
    return 127 if is_missing else 126
