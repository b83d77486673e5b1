"""Setting a project up for neat and for the assistants that work in it; `--undo` is in `undo.py`."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import click

from neatd.cli.changes import left_alone_json, say_left_alone, show_changes
from neatd.errors import NeatError
from neatd.place import PROJECT_FILE, find_root, here, neat_home, short_path

_NAMES = ("claude-code", "codex", "cursor", "none")


@click.command(short_help="Set a project up.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.option("--name", help="The project's name (default: the folder's).")
@click.option(
    "--assistant", "named", type=click.Choice(_NAMES), multiple=True,
    help="Whom to set up, once for each (default: those named the last time, else those that are found).",
)  # fmt: skip
@click.option("--command", metavar="WORDS", help="How hooks call neat, where it is not on PATH (default: neat).")
@click.option("--undo", is_flag=True, help="Take everything out again that init put in; records stay in the store.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def init(
    yes: bool, name: str | None, named: tuple[str, ...], command: str | None, undo: bool, dry_run: bool, as_json: bool
) -> None:
    """Set a project up: neat.yaml, .neat/, and the assistants that are found (Claude Code, Codex, Cursor).

    Shows what would change, asks, then adds hooks, the server of tools and a few lines on neat to the assistants' files
    in this folder, everything else in them as it was. Safe to run twice. A file that cannot be read as it should, or
    that leads out of the project, is left alone, and that is said.

    \b
    cd my-project && neat init
    neat init --assistant claude-code --assistant codex
    neat init --command "/opt/tools/bin/neat"
    neat init --undo
    """
    root = Path.cwd()
    above = find_root(root.resolve())
    if above and above != root.resolve():
        raise NeatError(
            f"{root} is inside the project {above}", f"run neat there, or remove {above / PROJECT_FILE} first"
        )
    if undo:
        from neatd.cli.undo import run_undo

        run_undo(root, yes, dry_run, as_json)
        return
    _init(root, name, named, _command(command), command is not None, yes, dry_run, as_json)


def _init(
    root: Path, name: str | None, named: tuple[str, ...], command: tuple[str, ...], is_command_told: bool, yes: bool,
    dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    from neatd.pipeline.setup import choose, plan_setup, set_up

    _check_config(root)
    assistants, is_found = choose(root, named)
    plan = plan_setup(root, name or root.resolve().name, _former_project(root), assistants, named, command)
    if not is_found and not plan.is_empty:
        click.echo("note: no assistant was found, so all of them are set up; `--assistant` chooses", err=True)
    if not as_json:
        show_changes(plan.changes, _git_lines(plan.with_git), is_short=yes and not dry_run)
    if not plan.is_empty and not yes and not dry_run:
        click.confirm("go on?", default=True, abort=True, err=True)
    if dry_run:
        changed, left, taken = [change.path for change in plan.changes], list(plan.left_alone), 0
        changed += [".gitattributes", "git config merge.neat"] if plan.with_git else []
    else:
        changed, unwritten = set_up(root, plan)
        left = [*plan.left_alone, *unwritten]
        taken = _register(root)
        changed += _write_brief(root)
    if as_json:
        shape = {"root": str(root.resolve()), "changed": changed, "records": taken, "assistants": list(assistants)}
        click.echo(json.dumps({**shape, "left_alone": left_alone_json(left)}))
    else:
        _say(changed, taken, dry_run, bool(left))
    say_left_alone(left, as_json)
    if not as_json:
        _say_hindered(assistants, command, [path for path, _ in left])
    if assistants and not is_command_told:
        _say_where_neat_is()


def _check_config(root: Path) -> None:
    """A mistake in neat.yaml is said before anything is written."""
    from neatd.actions.changes import content
    from neatd.config import load_project
    from neatd.pipeline.setup import lacks_id

    config = content(root, PROJECT_FILE)
    if config is not None and not lacks_id(config):
        load_project(root)


def _command(text: str | None) -> tuple[str, ...]:
    """The words by which neat is called: such that neat knows its own entries again."""
    from neatd.assist.calling import calls_neat

    try:
        words = tuple(shlex.split(text if text is not None else "neat"))
    except ValueError as error:
        raise NeatError(f"--command {text!r}: {error}", "quote it as a shell wants it") from error
    if not calls_neat(words):
        hint = "give its path, as /opt/tools/bin/neat, or `uv run neat`, `conda run -n NAME neat`, `python -m neatd.cli.main`"
        raise NeatError(f"--command {text!r} calls neat in no way that neat knows again", hint)
    return words


def _former_project(root: Path) -> str:
    """The id of the project that stood here before an undo: its records are found again."""
    from neatd.store.connection import database_path
    from neatd.store.folders import former_project
    from neatd.store.opening import connect

    home = neat_home()
    if not database_path(home, "neat").exists():
        return ""
    with closing(connect(home)) as connection:
        return former_project(connection, root)


def _git_lines(with_git: bool) -> Sequence[str]:
    if not with_git:
        return ()
    from neatd.actions.gitmerge import ATTRIBUTE, DRIVER

    return (
        f".gitattributes: {ATTRIBUTE.decode()}",
        *(f"git config {name} {value!r}" for name, value in DRIVER.items()),
    )


def _register(root: Path) -> int:
    """Register the folder, and take in the records that a clone brings; returns how many."""
    from datetime import UTC, datetime

    from neatd.store.connection import transaction
    from neatd.store.opening import connect
    from neatd.store.short import ensure_project
    from neatd.store.sync import take_in

    place = here(root)
    with closing(connect(neat_home())) as connection:
        with transaction(connection):
            ensure_project(connection, place)
        outcome = take_in(connection, place.root, place.project_id, datetime.now(UTC))
    return len(outcome.added)


def _write_brief(root: Path) -> list[str]:
    """The brief at once, so that what imports it finds it; the daemon keeps it current from then on."""
    from neatd.cli.common import open_here
    from neatd.lifesign import not_watching
    from neatd.pipeline.gathering import brief_text
    from neatd.pipeline.rendering import keep_text

    try:
        opened = open_here(warn=False)
        watching = not_watching(opened.home)
        text = brief_text(opened.records, opened.points, opened.project, opened.config, watching=watching)
        return [".neat/brief.md"] if keep_text(root, text) else []
    except NeatError as error:
        click.echo(f"note: no brief yet: {error.message}; {error.hint}", err=True)
        return []


def _say(changed: Sequence[str], taken: int, is_dry: bool, is_part_left: bool) -> None:
    if taken:
        click.echo(f"took {taken} records in from .neat/knowledge.jsonl")
    for path in changed:
        click.echo(f"would write {path}" if is_dry else f"wrote {path}")
    if not changed:
        click.echo("nothing to change" + (" but what is left alone" if is_part_left else ": this project is set up"))
    if not is_dry:
        from neatd.lifesign import not_watching

        when = "once `neatd start` runs" if not_watching(neat_home()) else "from now on"
        click.echo(f"store: {short_path(neat_home())}; runs in this folder are watched {when}")


def _say_hindered(assistants: Sequence[str], command: tuple[str, ...], left: Sequence[str]) -> None:
    from neatd.assist.assistants import hindered
    from neatd.pipeline.setup import setup_of

    for title, is_all in hindered(assistants, setup_of(command), left):
        extent = "" if is_all else "wholly "
        click.echo(f"note: {title} is not {extent}set up, because of what was left alone", err=True)


def _say_where_neat_is() -> None:
    from neatd.read.assistants import is_on_path

    if not is_on_path("neat"):
        beside = Path(sys.executable).parent / "neat"
        example = shlex.quote(shlex.quote(str(beside))) if beside.exists() else "/path/to/neat"
        click.echo("note: `neat` is not on PATH, where hooks and the server of tools are to find it", err=True)
        click.echo(f"hint: put its folder on PATH, or: neat init --command {example}", err=True)
