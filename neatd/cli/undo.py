"""`neat init --undo`: takes out what `neat init` put into a project, and says what stays."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack, closing
from pathlib import Path

import click

from neatd import control
from neatd.cli.changes import left_alone_json, say_left_alone, show_changes
from neatd.lifesign import is_running
from neatd.pipeline.undo import finish, plan_undo, take_out
from neatd.place import neat_home
from neatd.store.connection import database_path
from neatd.store.opening import connect
from neatd.who import source

LET_GO_S = 10.0  # for the daemon's turn in which it reads that the folder is none of its own any more


def run_undo(root: Path, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Show, ask, take out, say."""
    undo = plan_undo(root)
    if not as_json:
        show_changes(undo.shown, ["git config merge.neat and its line in .gitattributes go"] if undo.with_git else ())
    if not undo.is_empty and not yes and not dry_run:
        click.confirm("go on?", default=True, abort=True, err=True)
    changed, left = [change.path for change in undo.shown], list(undo.left_alone)
    kept: list[str] = []
    if not dry_run:
        with ExitStack() as stack:
            home = neat_home()
            has_store = database_path(home, "neat").exists()
            store = stack.enter_context(closing(connect(home))) if has_store else None
            changed, unwritten = take_out(root, undo, store, source())
        _wait_for_daemon(home, root)
        done, kept = finish(root, undo, not unwritten)
        changed, left = changed + done, left + unwritten
    if as_json:
        shape = {"root": str(root.resolve()), "changed": changed, "records": 0, "assistants": []}
        click.echo(json.dumps({**shape, "left_alone": left_alone_json(left), "kept": kept}))
    else:
        _say(changed, kept, dry_run)
    say_left_alone(left, as_json)


def _say(changed: list[str], kept: list[str], is_dry: bool) -> None:
    for path in changed:
        click.echo(f"would take out or change {path}" if is_dry else f"took out: {path}")
    if not changed:
        click.echo("nothing to undo: neat is not set up here")
    if kept:
        click.echo(f"stays: {', '.join(kept)}")
    if changed and not is_dry:
        click.echo("no longer watched; the records stay in the store, and `neat init` here finds them again")


def _wait_for_daemon(home: Path, root: Path) -> None:
    """Until the daemon writes nothing into the folder any more."""
    deadline = time.monotonic() + LET_GO_S
    while is_running(home) and str(root.resolve()) in control.status(home)["roots"]:
        if time.monotonic() > deadline:
            click.echo("note: neatd is busy and may write .neat/brief.md once more: then undo again", err=True)
            return
        time.sleep(0.05)
