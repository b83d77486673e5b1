"""Backup and restore by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from neatd.cli.common import json_option, print_json
from neatd.errors import NeatError
from neatd.lifesign import lock_path
from neatd.locks import FileLock
from neatd.place import neat_home


@click.command(short_help="Back the records up.")
@json_option
def backup(as_json: bool) -> None:
    """Back the records up now.

    A copy of one moment, opened and checked before it counts. The daemon makes one a day and keeps seven; one made by hand
    stays until you remove it.

    \b
    neat backup
    """
    from neatd.store.backup import back_up

    made = back_up(neat_home(), label="manual")
    if as_json:
        print_json({"file": str(made), "size_bytes": made.stat().st_size})
    else:
        click.echo(f"backup: {made}")


@click.command(short_help="Put a backup in the store's place.")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def restore(file: Path | None, yes: bool, as_json: bool) -> None:
    """Put a backup in the store's place; the old file is kept.

    Without FILE: the newest backup. It is opened and checked first. What was in the store is set aside under the name that
    is printed, and can be put back the same way. A broken points.db is set aside too: neatd makes it again from the metrics
    files.

    \b
    neatd stop && neat restore
    neat restore ~/.local/share/neat/backups/neat-20260301T033000000000-daily.db
    """
    from neatd.store.damage import newest_backup

    home = neat_home()
    lock = FileLock(lock_path(home))
    if not lock.try_acquire():
        raise NeatError("neatd is running and has the store open", "`neatd stop` first")
    try:
        chosen = file or newest_backup(home)
        if chosen is not None and not yes:
            click.confirm(f"put {chosen} in the place of {home / 'neat.db'}?", abort=True, err=True)
        found = _put_back(home, chosen)
    finally:
        lock.release()
    if as_json:
        print_json(found)
        return
    aside = f"; the old file is {found['aside']}, `neat restore` with its name undoes this" if found["aside"] else ""
    click.echo(f"restored {found['restored']}{aside}")
    if found["points_aside"]:
        click.echo(
            f"points.db was broken: it is {found['points_aside']}, and neatd makes it again from the metrics files"
        )
    click.echo("`neatd start` reads on from there")


def _put_back(home: Path, chosen: Path | None) -> dict[str, Any]:
    from neatd.store.backup import restore as put_back
    from neatd.store.backup import set_broken_points_aside

    backup_file, aside = put_back(home, chosen)
    points = set_broken_points_aside(home)
    return {
        "restored": str(backup_file), "aside": str(aside) if aside else None, "points_aside": str(points) if points else None,
    }  # fmt: skip
