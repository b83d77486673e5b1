"""What lies in the trash: listed by the batch, brought back by the batch, the run, the time or the checkpoint."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from neatd.assist.render import one_line, size, when
from neatd.cli.common import Open, json_option, open_here, print_json, print_table, wait_for_request
from neatd.errors import NeatError
from neatd.models import Checkpoint, Deletion, Run
from neatd.pipeline.undoing import Wanted, ask, listed
from neatd.store import runs

MOST = 20  # batches that a list shows
_AGE = re.compile(r"(\d{1,6}(?:\.\d+)?)\s*([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@click.command(short_help="Bring back what lies in the trash.")
@click.argument("batch", required=False)
@click.option("--list", "only_list", is_flag=True, help="Only show what can come back; with BATCH, each file of it.")
@click.option("--run", "word", metavar="ID", help="What went of this run, by id or name.")
@click.option("--since", metavar="WHEN", help="What went since: 2026-11-22, '2026-11-22 14:30', 90m, 36h, 2d.")
@click.option("--all", "take_all", is_flag=True, help="Bring back every batch.")
@click.option("--limit", type=click.IntRange(1), default=MOST, show_default=True, help="So many batches in the list.")
@json_option
def undo(
    batch: str | None, only_list: bool, word: str | None, since: str | None, take_all: bool, limit: int, as_json: bool
) -> None:
    """Bring back what lies in the trash: the newest batch, the one named, or all. What came back stays.

    What neatd thins of a run on one day is one batch. --run and --since bring several back, the newest first.

    \b
    neat retention undo --list
    neat retention undo
    neat retention undo --run baseline --since 2d
    neat retention undo --all
    """
    if batch and take_all:
        raise NeatError("one batch, or all of them", "leave BATCH or --all out")
    opened = open_here(warn=False)
    run_id = runs.find_run(opened.records, word, opened.project.id).id if word else ""
    wanted = Wanted(batch or "", run_id, moment_of(since).isoformat() if since else "", is_all=take_all)
    if only_list:
        _list(opened, wanted, limit, as_json)
        return
    result = wait_for_request(opened, ask(opened.records, opened.project.id, wanted))
    report(as_json, result, f"{result['restored']} checkpoints are back ({size(result['bytes'])})")


def bring_back(opened: Open, run: Run, one: Checkpoint) -> None:
    """One checkpoint from the trash. Raises NeatError, with the way to try again, where it cannot come back."""
    result = wait_for_request(opened, ask(opened.records, opened.project.id, Wanted(checkpoint_id=one.id)))
    if not result["restored"]:
        note = result["refused"][0]["note"] if result["refused"] else "it is not there"
        raise NeatError(
            f"{one.path} of {run.name} is in the trash, and cannot come back: {note}",
            f"mend that, then `neat retention undo {result['batch']}`",
        )


def report(as_json: bool, result: dict[str, Any], text: str) -> None:
    """What came of a request that moves checkpoints; what stayed, with its reason, on stderr."""
    if as_json:
        print_json(result)
        return
    click.echo(text)
    for one in result["refused"]:
        click.echo(f"stays: {one['path']}: {one['note']}", err=True)


def moment_of(word: str) -> datetime:
    """A date, a date and a time of this machine's zone, or how long ago."""
    age = _AGE.fullmatch(word.strip())
    if age:
        return datetime.now(UTC) - timedelta(**{_UNITS[age[2]]: float(age[1])})
    try:
        return datetime.fromisoformat(word.strip()).astimezone()
    except (ValueError, OverflowError) as error:
        raise NeatError(
            f"{word!r} is no time", "2026-11-22, '2026-11-22 14:30', or how long ago: 90m, 36h, 2d"
        ) from error


def _list(opened: Open, wanted: Wanted, limit: int, as_json: bool) -> None:
    meant = listed(opened.records, opened.project.id, wanted)
    if as_json:
        print_json(meant)
    elif wanted.batch:
        rows = [(when(one.created_at), size(one.size_bytes), _short(opened, one), one.reason) for one in meant]
        print_table(("since", "size", "file", "why it went"), rows, "the trash is empty")
    else:
        _list_batches(opened, meant, limit)


def _list_batches(opened: Open, found: Sequence[Deletion], limit: int) -> None:
    names = {run.id: run.name for run in runs.all_runs(opened.records, opened.project.id)}
    batches: dict[str, list[Deletion]] = {}
    for one in found:
        batches.setdefault(one.batch, []).append(one)
    rows = [_row(batch, ones, names, opened) for batch, ones in batches.items()]
    print_table(("batch", "since", "run", "saves", "size", "what", "why it went"), rows[:limit], "the trash is empty")
    if not rows:
        return
    if len(rows) > limit:
        click.echo(f"and {len(rows) - limit} older batches: --limit {len(rows)} lists them")
    total = size(sum(one.size_bytes for one in found))
    click.echo(
        f"{len(found)} in {len(batches)} batch(es) of {len({one.run_id for one in found})} run(s), {total};"
        " `neat retention undo BATCH` brings one back, --run and --since several"
    )


def _row(batch: str, ones: Sequence[Deletion], names: dict[str, str], opened: Open) -> tuple[str, ...]:
    """One line for a batch: its time, its runs, and the reason that most of it went for."""
    ran = list(dict.fromkeys(names[one.run_id] for one in ones))
    runs_ = ran[0] + (f" and {len(ran) - 1} more" if len(ran) > 1 else "")
    (why, times), *more = Counter(one.reason for one in ones).most_common()
    what = _short(opened, ones[-1]) + (f" … {Path(ones[0].from_path).name}" if len(ones) > 1 else "")
    also = f" ({times}; {len(ones) - times} for other reasons)" if more else ""
    since, total = when(min(one.created_at for one in ones)), size(sum(one.size_bytes for one in ones))
    return batch, since, runs_, str(len(ones)), total, what, one_line(why, 90) + also


def _short(opened: Open, one: Deletion) -> str:
    """The path of what went, relative to the project where it lay in it."""
    path = Path(one.from_path)
    return str(path.relative_to(opened.root)) if opened.root in path.parents else str(path)
