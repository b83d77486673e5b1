"""Checks the installation; each finding says how to mend it."""

from __future__ import annotations

import importlib.util
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import click

from neatd import __version__
from neatd.cli.common import json_option, print_json
from neatd.cli.delivered import delivered
from neatd.cli.finding import Finding
from neatd.cli.kept import kept_files
from neatd.cli.servicechecks import service_checks
from neatd.cli.sizes import sizes
from neatd.cli.upkept import upkept
from neatd.config import load_project
from neatd.errors import NeatError
from neatd.lifesign import not_watching
from neatd.pipeline.ruleset import rules_here
from neatd.pipeline.settingsfile import in_force
from neatd.place import find_root, neat_home, project_identity
from neatd.store.connection import database_path
from neatd.store.damage import newest_backup
from neatd.store.opening import connect


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
    found = [*_machine(), *_store(home), *sizes(home, root), *_daemon(home), *service_checks(home), *_project(home)]
    if as_json:
        print_json([one.shape for one in found])
    else:
        for one in found:
            mend = f"  -> {one.mend}" if one.mend else ""
            click.echo(f"{one.state:<5} {one.what}: {one.text}{mend}")
    if any(one.state == "bad" for one in found):
        raise click.exceptions.Exit(1)


def _machine() -> Iterator[Finding]:
    yield Finding("neat", "ok", f"{__version__}, Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}")
    if shutil.which("git"):
        yield Finding("git", "ok", "found")
    else:
        yield Finding("git", "note", "not found: branches and commits are not seen", "install git")
    if importlib.util.find_spec("torch") and importlib.util.find_spec("numpy"):
        yield Finding("trainers", "ok", "torch and numpy are installed")
    else:
        yield Finding("trainers", "note", "torch is not installed: `neat train` and `neat demo` need it", _TORCH)
    yield from _gpus()


_TORCH = "install neat with its extra: `pip install '.[trainers]'` in its clone"


def _gpus() -> Iterator[Finding]:
    from neatd.read.nvml import Nvml, can_have_nvidia

    nvidia = Nvml.open()
    found = nvidia.read() if nvidia else None
    if nvidia and found is not None:
        count = sum(len(one.parts) if one.is_divided else bool(one.uuid) for one in found)
        yield Finding(
            "gpu", "ok", f"{len(found)} NVIDIA, driver {nvidia.driver}; jobs are given {count}: `neat queue --devices`"
        )
        nvidia.close()
    elif can_have_nvidia():
        text = "an NVIDIA driver is here and does not answer: no job is given a GPU"
        yield Finding(
            "gpu", "note", text, "`nvidia-smi` may say why; a container needs the driver's library, `--gpus all`"
        )
    else:
        yield Finding("gpu", "ok", "no NVIDIA driver: trainings run on ROCm, MPS or the CPU")


def _store(home: Path) -> Iterator[Finding]:
    for name in ("neat", "points"):
        path = database_path(home, name)
        if not path.exists() and not newest_backup(home, name):
            yield Finding(f"{name}.db", "note", f"not made yet: {path}", "`neat init` in a project")
            continue
        try:
            with closing(connect(home, name)) as connection:
                answer = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        except (NeatError, sqlite3.DatabaseError) as error:
            hint = error.hint if isinstance(error, NeatError) else "`neat restore`"
            yield Finding(f"{name}.db", "bad", str(getattr(error, "message", error)), hint)
            continue
        state = "ok" if answer == "ok" else "bad"
        yield Finding(
            f"{name}.db",
            state,
            f"{answer}, {path.stat().st_size} bytes, {path}",
            "" if state == "ok" else "`neat restore`",
        )
    yield from upkept(home)
    free = shutil.disk_usage(home if home.exists() else home.parent if home.parent.exists() else Path.home()).free
    yield Finding(
        "disk", "ok" if free > 1 << 30 else "bad", f"{free >> 20} MiB free", "" if free > 1 << 30 else "make room"
    )
    settings = in_force(home)
    if settings.mistake:
        yield Finding("settings", "bad", settings.told, settings.mistake.hint)


def _daemon(home: Path) -> Iterator[Finding]:
    text = not_watching(home)
    yield Finding("neatd", "note" if text else "ok", text or "watches", "`neatd start`" if text else "")


def _tried(what: str, call: Callable[[], object]) -> Iterator[Finding]:
    """A finding where a check of a file that neat.yaml names goes wrong."""
    try:
        call()
    except NeatError as error:
        yield Finding(what, "bad", error.message, error.hint)
    except FileNotFoundError as error:
        yield Finding(what, "note", f"{error.filename}: {error.strerror} yet", "make it, or take it out of neat.yaml")
    except OSError as error:
        yield Finding(what, "bad", f"{error.filename}: {error.strerror}", "check its permissions, or name another file")


def _project(home: Path) -> Iterator[Finding]:
    root = find_root(Path.cwd().resolve())
    if root is None:
        yield Finding("project", "note", "none here", "`neat init` in a project's folder")
        return
    try:
        config = load_project(root)
        yield Finding("project", "ok", f"{root}")
        for what, call in kept_files(root, config):
            yield from _tried(what, call)
    except NeatError as error:
        yield Finding("project", "bad", error.message, error.hint)
    yield from _rules(home, root)
    yield from delivered(home, root)


def _rules(home: Path, root: Path) -> Iterator[Finding]:
    try:
        project_id = project_identity(root)[0]
    except NeatError:  # its own check says it
        project_id = ""
    known = rules_here(home, root, project_id)
    for one in known.broken:
        judges = "the last good version judges" if one.rule else "nothing of it judges"
        yield Finding("rules", "bad", f"{one.mistake.message}; {judges}", one.mistake.hint)
    yield Finding("rules", "ok", f"{len(known.rules)} loaded, {sum(one.rule.enabled for one in known.rules)} on")
