"""What `neat doctor` says of a project: its configuration, rules, and assistants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from neatd.config import load_project
from neatd.errors import NeatError
from neatd.pipeline.doctor.delivered import delivered
from neatd.pipeline.doctor.finding import Finding
from neatd.pipeline.doctor.named import kept_files
from neatd.pipeline.ruleset import rules_here
from neatd.place import project_identity


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


def project(home: Path, root: Path | None) -> Iterator[Finding]:
    """A project's configuration, the files that it names, its rules, and what reaches its assistants."""
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
