"""What neat is allowed in a folder; and shell completion."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import click

from neatd.errors import NeatError
from neatd.place import here, neat_home


@click.command(short_help="Allow neat something in this folder.")
@click.argument("what", required=False)
@click.option("--folder", metavar="DIR", help="Of `jobs`: the folder that job files and data files are dropped into.")
@click.option("--revoke", is_flag=True, help="Take it back.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def allow(what: str | None, folder: str | None, revoke: bool, as_json: bool) -> None:
    """Allow neat something in this folder, on this machine.

    Without WHAT: shows what is allowed. The consent is kept in NEAT_HOME, never in the project, so that no clone or
    pull can bring one.

    \b
    neat allow
    neat allow retention          thin checkpoints by itself, into a trash
    neat allow cleaning           archive old logs, take unfinished checkpoints away
    neat allow stop               let rules whose `then` has `stop` end runs
    neat allow addresses          write hosts, ports and paths of keys into documents
    neat allow jobs --folder ~/drop    queue the jobs whose files are dropped into a folder
    neat allow retention --revoke
    """
    from neatd.store import projects
    from neatd.store.opening import connect

    place = here()
    if what is not None and what not in (*projects.CONSENTS, "jobs"):
        raise NeatError(f"nothing called {what!r} to allow", f"one of: {', '.join((*projects.CONSENTS, 'jobs'))}")
    if (folder is None) == (what == "jobs"):
        raise NeatError("jobs are allowed of a folder, and nothing else is", "`neat allow jobs --folder DIR`")
    with closing(connect(neat_home())) as connection:
        if folder:
            _allow_jobs(connection, place.root, folder, revoke)
        elif what and revoke:
            projects.revoke(connection, place.root, what)
        elif what:
            projects.allow(connection, place.root, what)
        given = projects.consents(connection, place.root)
    if as_json:
        click.echo(json.dumps({name: moment.isoformat() for name, moment in given.items()}))
    else:
        names = [f"jobs from {name.removeprefix('jobs:')}" if name.startswith("jobs:") else name for name in given]
        click.echo(f"allowed in {place.root}: {', '.join(names) or 'nothing'}")


def _allow_jobs(connection: sqlite3.Connection, root: Path, folder: str, is_revoked: bool) -> None:
    """A folder is allowed or no more; one that a repository may bring files into is refused."""
    from neatd.pipeline import inboxfolders
    from neatd.store import projects

    if not is_revoked:
        inboxfolders.allow(connection, neat_home(), root, Path(folder))
    elif not projects.revoke(connection, root, inboxfolders.consent_of(Path(folder))):
        raise NeatError(f"no jobs are taken from {folder}", "`neat allow` shows what is allowed")


@click.command(short_help="Turn on shell completion.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the line that turns on shell completion.

    \b
    neat completion bash >> ~/.bashrc
    """
    lines = {
        "bash": 'eval "$(_NEAT_COMPLETE=bash_source neat)"; eval "$(_NEATD_COMPLETE=bash_source neatd)"',
        "zsh": 'eval "$(_NEAT_COMPLETE=zsh_source neat)"; eval "$(_NEATD_COMPLETE=zsh_source neatd)"',
        "fish": "_NEAT_COMPLETE=fish_source neat | source; _NEATD_COMPLETE=fish_source neatd | source",
    }
    click.echo(lines[shell])
