"""Data versions: add, status."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from typing import Any, TypeVar

import click

from neatd.assist.render import one_line, size, when
from neatd.cli.common import Open, json_option, open_here, print_json, print_table
from neatd.errors import NeatError
from neatd.lifesign import not_watching
from neatd.pipeline import dataplaces, datasets
from neatd.pipeline.datastatus import DataStatus, PathState, data_status
from neatd.pipeline.hashcache import HashCache
from neatd.place import Place, here
from neatd.read.dataset import Turn
from neatd.store import records
from neatd.who import source

T = TypeVar("T")
QUIET_S = 1.0  # what takes less shows no progress
MOST_SHOWN = 30


@click.group(short_help="Keep versions of the data; see what changed, and what is not registered.")
def data() -> None:
    """Keep versions of the data; see what changed, and what is not registered."""


@data.command(short_help="Hash files or folders and keep them as data versions.")
@click.argument("paths", metavar="PATH…", nargs=-1, required=True)
@click.option("--raw", "is_raw", is_flag=True, help="They are as they came.")
@click.option("--processed", "is_processed", is_flag=True, help="They were made from others.")
@click.option("--background", is_flag=True, help="Let neatd hash them.")
@json_option
def add(paths: tuple[str, ...], is_raw: bool, is_processed: bool, background: bool, as_json: bool) -> None:
    """Hash files or folders and keep them as data versions.

    A path with another content than before is a new version. Rows are counted in csv, jsonl and parquet.

    \b
    neat data add data/raw --raw
    neat data add data/train.jsonl data/valid.jsonl
    neat data add data/images --background
    """
    if is_raw and is_processed:
        raise click.UsageError("--raw or --processed, not both")
    stage = "raw" if is_raw else "processed" if is_processed else None
    opened = open_here(warn=False)
    cache = HashCache(opened.home, opened.project.id, opened.root)
    names = [dataplaces.path_in(opened.root, one) for one in paths]
    if background:
        for name in names:
            datasets.ask(cache, opened.root, name, stage or "", source())
        _say_asked(opened, names, as_json)
        return
    place, shapes = here(), []
    try:
        for name in names:
            shapes.append(_add(opened, place, cache, name, stage, as_json))
    finally:
        cache.save()  # Ctrl-C as well: what was hashed is not hashed again
    if as_json:
        print_json(shapes)


def _say_asked(opened: Open, names: list[str], as_json: bool) -> None:
    if as_json:
        print_json([{"path": name, "what": "asked"} for name in names])
        return
    click.echo(f"neatd will hash {', '.join(names)}; `neat data status` shows how far it is")
    trouble = not_watching(opened.home)
    if trouble:
        click.echo(f"note: {trouble}", err=True)


def _add(opened: Open, place: Place, cache: HashCache, name: str, stage: str | None, as_json: bool) -> dict[str, Any]:
    is_said = stage is not None
    told = stage or dataplaces.stage_of(name, dataplaces.data_folders(opened.config, opened.root))
    before = datasets.current(datasets.versions(opened.records, opened.project.id).get(name, []))
    if before and before.stage and not is_said:
        told = ""  # what was said before stands
    turns = datasets.register(opened.records, place, cache, name, told, source())
    done = _watched(turns, f"hashing {name}", datasets.total_bytes(opened.root, name))
    if not as_json:
        click.echo(_said(done))
    return {"what": done.what, "left_out": done.left_out, **done.record.model_dump()}


def _said(done: datasets.Registered) -> str:
    kept = done.record
    parts = [kept.stage, kept.hash[:12], size(kept.size_bytes or 0), f"{kept.files} files" if kept.files != 1 else ""]
    parts.append(f"{kept.rows:,} rows" if kept.rows is not None else "")
    what = {"added": "registered", "replaced": "a new version of", "same": "unchanged:"}[done.what]
    left = f"; left out: {done.left_out} link(s), pipe(s) or closed file(s)" if done.left_out else ""
    return f"{what} {kept.path} ({', '.join(part for part in parts if part)}){left}"


@data.command(short_help="List registered data, what of it changed, and what is not registered.")
@click.option("--check", "is_checking", is_flag=True, help="Hash again what names and times cannot tell.")
@json_option
def status(is_checking: bool, as_json: bool) -> None:
    """List registered data, what of it changed, and what is not registered.

    Looked at are the folders of `data` in neat.yaml, else data/raw, data/processed, data and datasets.

    \b
    neat data status
    neat data status --check --json
    """
    opened = open_here(warn=False)
    cache = HashCache(opened.home, opened.project.id, opened.root)
    turns = data_status(opened.records, opened.project.id, opened.root, opened.config, cache, is_checking)
    try:
        found = _watched(turns, "hashing", 0)
    finally:
        cache.save()
    if as_json:
        print_json(found)
    else:
        _print_status(found)


def _print_status(found: DataStatus) -> None:
    shorts = records.unique_prefixes([one.id for one in found.registered if one.id])
    rows = [
        (
            shorts.get(one.id, ""), one.path, one.stage, one.state, one.hash[:12],
            size(one.size_bytes) if one.size_bytes is not None else "—",
            f"{one.rows:,}" if one.rows is not None else "—", when(one.registered_at) if one.registered_at else "—",
            one_line(_why(one), 100),
        )
        for one in found.registered
    ]  # fmt: skip
    headings = ("id", "path", "stage", "state", "hash", "size", "rows", "registered", "why")
    print_table(headings, rows, "no data is registered yet: `neat data add PATH`")
    if found.unregistered:
        click.echo("not registered:")
    for one in found.unregistered[:MOST_SHOWN]:
        more = "more than " if one.is_more else ""
        counted = f"{more}{one.files} files, " if one.files > 1 or one.is_more else ""
        click.echo(f"  {one.path}  ({counted}{'' if one.is_more else size(one.size_bytes)})".replace(", )", ")"))
    if len(found.unregistered) > MOST_SHOWN:
        click.echo(f"  … and {len(found.unregistered) - MOST_SHOWN} more: `neat data status --json`")
    if not found.folders and not found.registered:
        click.echo("no data folder: neat.yaml names them, as in `data: {raw: [data/raw]}`", err=True)


def _why(one: PathState) -> str:
    if one.state == "hashing" and one.total_bytes:
        return f"{100 * (one.done_bytes or 0) / one.total_bytes:.0f} % of {size(one.total_bytes)}"
    return one.why


def _watched(turns: Generator[Turn, None, T], text: str, total: int) -> T:
    """What the turns come to; a bar on stderr when it takes longer than a second and somebody looks."""
    begun, bar, done = time.monotonic(), None, 0
    try:
        while True:
            done += next(turns).done_bytes
            if bar is None and time.monotonic() - begun > QUIET_S and sys.stderr.isatty():
                bar = _Bar(text, total)
            if bar:
                bar.show(done)
    except StopIteration as end:
        result: T = end.value
        return result
    except OSError as error:
        raise NeatError(f"{error.filename or text}: {error.strerror or error}", "check that it is yours") from error
    finally:
        if bar:
            bar.close()


class _Bar:
    """rich's bar, loaded only when it is shown."""

    def __init__(self, text: str, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._progress.add_task(text, total=total or None)
        self._progress.start()

    def show(self, done: int) -> None:
        self._progress.update(self._task, completed=done)

    def close(self) -> None:
        self._progress.stop()
