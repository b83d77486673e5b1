"""Backup and restore by hand."""

from __future__ import annotations

from pathlib import Path

import click

from neatd.errors import NeatError
from neatd.lifesign import is_running
from neatd.place import neat_home


@click.command(short_help="Back the records up.")
def backup() -> None:
    """Back the records up now.

    The daemon does so daily.

    \b
    neat backup
    """
    from neatd.store.backup import back_up

    click.echo(f"backup: {back_up(neat_home(), label='manual')}")


@click.command(short_help="Put a backup in the store's place.")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(file: Path | None, yes: bool) -> None:
    """Put a backup in the store's place; the old file is kept.

    Without FILE: the newest backup. Points are read again from the metrics files where the backup is older than they.

    \b
    neatd stop && neat restore
    """
    from neatd.store.backup import restore as put_back
    from neatd.store.damage import newest_backup

    home = neat_home()
    if is_running(home):
        raise NeatError("neatd is running and has the store open", "`neatd stop` first")
    chosen = file or newest_backup(home)
    if chosen is not None and not yes:
        click.confirm(f"put {chosen} in the place of {home / 'neat.db'}?", abort=True, err=True)
    backup_file, aside = put_back(home, chosen)
    click.echo(f"restored {backup_file}" + (f"; the old file is {aside}" if aside else ""))
