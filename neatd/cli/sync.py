"""Records out to `.neat/knowledge.jsonl` and in again, and what git needs to merge it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from neatd.cli.common import json_option, open_here, print_json
from neatd.errors import NeatError


@click.command(short_help="Exchange records with .neat/knowledge.jsonl.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--install", is_flag=True, help="Have git merge the file by record.")
@click.option("--hook", is_flag=True, help="Have each commit sync first and take the file along.")
@click.option("--uninstall", is_flag=True, help="Take back what --install and --hook did.")
@json_option
def sync(dry_run: bool, install: bool, hook: bool, uninstall: bool, as_json: bool) -> None:
    """Exchange records with .neat/knowledge.jsonl, by which they travel in git.

    What was said later stands; what lost stays in the history of its record, and what was deleted stays deleted.

    \b
    neat sync && git add .neat/knowledge.jsonl && git commit
    git pull && neat sync
    neat sync --install           git merges the file by record from now on
    """
    if sum((dry_run, install or hook, uninstall)) > 1:
        raise click.UsageError("--dry-run, --uninstall and --install or --hook exclude each other")
    if install or hook or uninstall:
        _set_git_up(install, hook, as_json)
    else:
        _exchange(dry_run, as_json)


def _set_git_up(install: bool, hook: bool, as_json: bool) -> None:
    from neatd.actions import gitmerge
    from neatd.place import here

    root = here().root
    if not (install or hook):
        changed = gitmerge.uninstall(root)
    else:
        written = gitmerge.install_hook(root) if hook else None  # the one of the two that may be refused
        changed = gitmerge.install(root) if install else []
        if install and not gitmerge.is_installed(root):
            raise NeatError(f"{root} is in no git repository", "`git init` makes one")
        changed += [str(written)] if written else []
    if as_json:
        print_json({"changed": changed})
    else:
        click.echo(f"changed: {', '.join(changed)}" if changed else "nothing to change")


def _exchange(is_dry: bool, as_json: bool) -> None:
    from neatd.redact_own import patterns_of
    from neatd.store import runs
    from neatd.store.cleaning import clean_records, clean_told
    from neatd.store.sync import sync as exchange

    opened = open_here(warn=False, takes_in=False)
    patterns = patterns_of(opened.root)
    if patterns:
        clean_records(opened.records, opened.project.id, patterns)  # what was kept before a pattern was known
        known = runs.all_runs(opened.records, opened.project.id)
        clean_told(opened.points, [run.id for run in known], patterns)
    done = exchange(opened.records, opened.root, opened.project.id, datetime.now(UTC), is_dry)
    if as_json:
        refused = [{"file": str(done.path), "line": one.number, "why": one.why} for one in done.refused]
        print_json({**done._asdict(), "path": str(done.path), "refused": refused, "is_dry_run": is_dry})
        return
    for one in done.refused:
        click.echo(f"{done.path}:{one.number}: not taken in, and kept as it is: {one.why}", err=True)
    if done.had_markers:
        click.echo("git's conflict markers: both sides are merged; `git add` the file to say so", err=True)
    parts = {"new": done.added, "changed": done.changed, "deleted": done.deleted}
    counts = ", ".join(f"{len(ids)} {name}" for name, ids in parts.items() if ids)
    click.echo(f"{'would take' if is_dry else 'took'} in: {counts or 'nothing'}")
    if done.merged:
        click.echo(f"changed on both sides: {', '.join(done.merged)}; the later stands, `neat show` has the other")
    verb, lines = "would write" if is_dry else "wrote", "line" if done.sent == 1 else "lines"
    wrote = f"{verb} {done.sent} {lines} of {done.records}" if done.sent else "no line to write"
    click.echo(f"{wrote}: {done.path}")


@click.command("merge-driver", hidden=True, short_help="Merge two versions of knowledge.jsonl, as git asks.")
@click.argument("base", type=click.Path(path_type=Path))
@click.argument("ours", type=click.Path(path_type=Path))
@click.argument("theirs", type=click.Path(path_type=Path))
def merge_driver(base: Path, ours: Path, theirs: Path) -> None:
    """Merge two versions of knowledge.jsonl, as git asks: `neat merge-driver %O %A %B`, the result in OURS."""
    from neatd.actions.gitmerge import merge_as_text
    from neatd.store.sync import merge_files

    try:
        merge_files(base, ours, theirs, datetime.now(UTC))
    except NeatError:
        merge_as_text(base, ours, theirs)  # a driver that fails leaves no markers by itself, only our side
        raise
