"""Checks the installation; each finding says how to mend it."""

from __future__ import annotations

from pathlib import Path

import click

from neatd.cli.common import json_option, print_json
from neatd.pipeline.doctor.examining import examine
from neatd.place import find_root, neat_home
from neatd.service.checks import service_checks


@click.command(short_help="Check the installation.")
@json_option
def doctor(as_json: bool) -> None:
    """Check the installation; each line says how to mend what it found.

    Also how large the databases are, and what takes the room. In a project also: which brief each assistant received
    last, by what and when; hooks that do not fire, or twice; what is larger than an assistant takes. Exits 1 when
    something is bad.

    \b
    neat doctor
    """
    home = neat_home()
    root = find_root(Path.cwd().resolve())
    found = examine(home, root, service_checks(home))
    if as_json:
        print_json([one.shape for one in found])
    else:
        for one in found:
            mend = f"  -> {one.mend}" if one.mend else ""
            click.echo(f"{one.state:<5} {one.what}: {one.text}{mend}")
    if any(one.state == "bad" for one in found):
        raise click.exceptions.Exit(1)
