"""Setting a project up, and what is allowed in it."""

from __future__ import annotations

import json
import re
import uuid
from contextlib import closing
from pathlib import Path

import click

from neatd.assist.block import planned_block, write_block
from neatd.errors import NeatError
from neatd.files import data_path, write_atomic
from neatd.place import PROJECT_FILE, find_root, here, neat_home, short_path

_IGNORE = """\
# written by neat: what is generated stays out of git
*
!.gitignore
!knowledge.jsonl
!rules/
!rules/**
!templates/
!templates/**
"""


@click.command(short_help="Set a project up.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.option("--name", help="The project's name (default: the folder's).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def init(yes: bool, name: str | None, as_json: bool) -> None:
    """Set a project up: neat.yaml, .neat/, the block in CLAUDE.md.

    Says what it changed; safe to run twice.

    \b
    cd my-project && neat init
    """
    root = Path.cwd()
    from neatd.config import load_project

    above = find_root(root.resolve())
    if above and above != root.resolve():
        raise NeatError(
            f"{root} is inside the project {above}", f"run neat there, or remove {above / PROJECT_FILE} first"
        )
    if above and not _lacks_id(root / PROJECT_FILE):
        load_project(root)  # a mistake in it is said before anything is written
    planned = [
        path for path in (root / PROJECT_FILE, root / ".neat" / ".gitignore", root / "CLAUDE.md") if _would_change(path)
    ]
    from neatd.actions.gitmerge import would_install

    if would_install(root):
        planned.append(root / ".gitattributes")
    if planned and not yes:
        click.echo("will write: " + ", ".join(str(path.relative_to(root)) for path in planned), err=True)
        click.confirm("go on?", default=True, abort=True, err=True)
    changed = _write(root, name) + _set_git_up(root)
    taken = _register(root)
    if as_json:
        click.echo(json.dumps({"root": str(root.resolve()), "changed": changed, "records": taken}))
        return
    if taken:
        click.echo(f"took {taken} records in from .neat/knowledge.jsonl")
    for path in changed:
        click.echo(f"wrote {path}")
    if not changed:
        click.echo("nothing to change: this project is set up")
    click.echo(f"store: {short_path(neat_home())}; runs in this folder are watched once `neatd start` runs")


def _would_change(path: Path) -> bool:
    if path.name == PROJECT_FILE:
        return not path.exists() or _lacks_id(path)
    if path.name != "CLAUDE.md":
        return not path.exists()
    old, new = planned_block(path, _block())
    return old != new


def _lacks_id(config: Path) -> bool:
    """Whether a neat.yaml lost its `id:` line, or was written by hand without one."""
    return not re.search(rb"^id\s*:", config.read_bytes(), re.MULTILINE)


def _block() -> str:
    return (data_path("templates") / "claude_block.md.j2").read_text(encoding="utf-8").strip("\n")


def _write(root: Path, name: str | None) -> list[str]:
    changed = []
    config = root / PROJECT_FILE
    if not config.exists():
        write_atomic(config, _config(name or root.resolve().name).encode())
        changed.append(PROJECT_FILE)
    elif _lacks_id(config):
        write_atomic(config, f'id: "{uuid.uuid4()}"\n'.encode() + config.read_bytes())
        changed.append(PROJECT_FILE)
    ignore = root / ".neat" / ".gitignore"
    if not ignore.exists():
        write_atomic(ignore, _IGNORE.encode())
        changed.append(".neat/.gitignore")
    if write_block(root / "CLAUDE.md", _block()):
        changed.append("CLAUDE.md")
    return changed


def _config(name: str) -> str:
    safe = re.sub(r"[\"\\\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", name)  # what YAML takes in no quotes
    return (
        "# neat, the lab notebook that keeps itself: `neat --help`\n"
        f'id: "{uuid.uuid4()}"  # ties records to this project in every clone and worktree: keep it\n'
        f'name: "{safe}"\n'
        "# primary: {metric: val/loss, goal: min}  # what experiments are compared by\n"
        "# watch: {ignore: [scratch], include: [data], depth: 8}\n"
        "# retention: {newest: 20, half: 20, every_steps: 1000}\n"
        "# plan: PLAN.md                           # its checkboxes are tasks, ticked from either side\n"
        "# notes: [CLAUDE.md, docs/decisions/*.md] # what is written there becomes records\n"
        "# documents: {handoff: docs/handoff.md}   # kept current, by template name\n"
        "# table_csv: docs/experiments.csv         # the experiment table, kept current\n"
        "# data: {raw: [data/raw], processed: [data/processed]}\n"
    )


def _set_git_up(root: Path) -> list[str]:
    """The merge driver for knowledge.jsonl, where there is a repository; what was changed."""
    from neatd.actions.gitmerge import install

    try:
        return install(root)
    except NeatError as error:
        click.echo(f"note: {error.message}; {error.hint}", err=True)
        return []


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
