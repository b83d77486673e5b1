"""What neat is allowed in a folder; and shell completion."""

from __future__ import annotations

import json
from contextlib import closing

import click

from neatd.errors import NeatError
from neatd.place import here, neat_home


@click.command(short_help="Allow neat something in this folder.")
@click.argument("what", required=False)
@click.option("--revoke", is_flag=True, help="Take it back.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def allow(what: str | None, revoke: bool, as_json: bool) -> None:
    """Allow neat something in this folder, on this machine.

    Without WHAT: shows what is allowed. The consent is kept in NEAT_HOME, never in the project, so that no clone or
    pull can bring one.

    \b
    neat allow
    neat allow retention          thin checkpoints by itself, into a trash
    neat allow cleaning           archive old logs, take unfinished checkpoints away
    neat allow stop               let rules whose `then` has `stop` end runs
    neat allow addresses          write hosts, ports and paths of keys into documents
    neat allow retention --revoke
    """
    from neatd.store import projects
    from neatd.store.opening import connect

    place = here()
    if what is not None and what not in projects.CONSENTS:
        raise NeatError(f"nothing called {what!r} to allow", f"one of: {', '.join(projects.CONSENTS)}")
    with closing(connect(neat_home())) as connection:
        if what and revoke:
            projects.revoke(connection, place.root, what)
        elif what:
            projects.allow(connection, place.root, what)
        given = projects.consents(connection, place.root)
    if as_json:
        click.echo(json.dumps({name: moment.isoformat() for name, moment in given.items()}))
    else:
        click.echo(f"allowed in {place.root}: {', '.join(given) or 'nothing'}")


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
