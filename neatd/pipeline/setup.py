"""Setting a project up: what `neat init` would change, as values, and the changing of it.

The manifest is written before the files: whatever is killed in between, a second `neat init` or an undo ends the work.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from neatd.actions import gitmerge
from neatd.actions.changes import Change, LeftAlone, carry_out, content, missing_folders, place_of
from neatd.actions.manifest import PATH as MANIFEST_PATH
from neatd.actions.manifest import Manifest, read_manifest, write_manifest
from neatd.assist.assistants import ASSISTANTS, Setup
from neatd.assist.teaching import teaching
from neatd.errors import NeatError
from neatd.files import data_path
from neatd.place import PROJECT_FILE
from neatd.read.assistants import is_found

IGNORE_PATH = ".neat/.gitignore"
ATTRIBUTES = ".gitattributes"
IGNORE = b"""\
# written by neat: what is generated stays out of git
*
!.gitignore
!knowledge.jsonl
!patterns/
!patterns/**
!rules/
!rules/**
!templates/
!templates/**
"""
IGNORES_BEFORE = (  # what earlier versions wrote: nobody else's lines are in it, so it is renewed
    IGNORE.replace(b"!patterns/\n!patterns/**\n", b""),
)
_UNSAFE = re.compile(r"[\"\\\x00-\x1f\x7f-\x9f\u2028\u2029]")  # what YAML does not take in quotes


class Plan(NamedTuple):
    """What is to be done, in this order: the manifest, the files, git's merging."""

    assistants: tuple[str, ...]
    changes: tuple[Change, ...]
    left_alone: tuple[LeftAlone, ...]
    manifest: Manifest
    is_manifest_new: bool
    with_git: bool

    @property
    def is_empty(self) -> bool:
        return not self.changes and not self.with_git


def choose(root: Path, named: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    """(the assistants to set up, whether they were found or named): those named now, else at the last `neat init`, else
    those that are found here; all of them where none is."""
    manifest = read_manifest(root)
    named = named or tuple(name for name in (manifest.chosen if manifest else ()) if name in (*ASSISTANTS, "none"))
    if named:
        return tuple(name for name in ASSISTANTS if name in named), True
    found = tuple(
        name for name, one in ASSISTANTS.items() if is_found(root, one.program, one.variable, one.folder, one.marks)
    )
    return found or tuple(ASSISTANTS), bool(found)


def plan_setup(
    root: Path,
    name: str,
    project_id: str,
    assistants: tuple[str, ...],
    named: tuple[str, ...],
    command: tuple[str, ...],
) -> Plan:
    """What `neat init` would do. Raises NeatError where a file stands in the way that it cannot do without."""
    changes, left = list(_own(root, name, project_id)), list[LeftAlone]()
    changes += _assistants(root, setup_of(command), assistants, left)
    with_git = _would_install(root, left)
    known = read_manifest(root)
    manifest = _manifest(root, known or Manifest(), changes, with_git, named)
    is_new = manifest != known and bool(changes or with_git or named)
    return Plan(assistants, tuple(changes), tuple(left), manifest, is_new, with_git)


def setup_of(command: tuple[str, ...]) -> Setup:
    """What the files of assistants are to say."""
    template = (data_path("templates") / "claude_block.md.j2").read_text(encoding="utf-8")
    return Setup(command, teaching(template, imports=False), teaching(template, imports=True))


def set_up(root: Path, plan: Plan) -> tuple[list[str], list[LeftAlone]]:
    """Do it; returns (what was changed, what could not be)."""
    begun = []
    if plan.is_manifest_new:
        begun = [MANIFEST_PATH] if content(root, MANIFEST_PATH) is None else []
        write_manifest(root, plan.manifest)
    done, left = carry_out(root, plan.changes)
    for path, reason in left:
        if path == PROJECT_FILE:
            raise NeatError(
                f"{root / path}: {reason}", "nothing works without it: mend that, and run `neat init` again"
            )
    if plan.with_git:
        try:
            done += gitmerge.install(root)
        except NeatError as error:
            left.append(LeftAlone(ATTRIBUTES, f"{error.message}; {error.hint}"))
    return done + begun, left


def config_text(name: str, project_id: str) -> str:
    """A neat.yaml as it begins."""
    return (
        "# neat, the lab notebook that keeps itself: `neat --help`\n"
        f'id: "{project_id}"  # ties records to this project in every clone and worktree: keep it\n'
        f'name: "{_UNSAFE.sub(" ", name)}"\n'
        "# primary: {metric: val/loss, goal: min}  # what experiments are compared by\n"
        "# watch: {ignore: [scratch], include: [data], depth: 8}\n"
        "# retention: {newest: 20, half: 20, every_steps: 1000}\n"
        "# plan: PLAN.md                           # its checkboxes are tasks, ticked from either side\n"
        "# notes: [CLAUDE.md, docs/decisions/*.md] # what is written there becomes records\n"
        "# documents: {handoff: docs/handoff.md}   # kept current, by template name\n"
        "# table_csv: docs/experiments.csv         # the experiment table, kept current\n"
        "# data: {raw: [data/raw], processed: [data/processed]}\n"
    )


def lacks_id(config: bytes) -> bool:
    """Whether a neat.yaml lost its `id:` line, or was written by hand without one."""
    return not re.search(rb"^id\s*:", config, re.MULTILINE)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _own(root: Path, name: str, project_id: str) -> Iterator[Change]:
    old = content(root, PROJECT_FILE)
    if old is None:
        yield Change(PROJECT_FILE, None, config_text(name, project_id or str(uuid.uuid4())).encode())
    elif lacks_id(old):
        yield Change(PROJECT_FILE, old, f'id: "{project_id or uuid.uuid4()}"\n'.encode() + old)
    ignore = content(root, IGNORE_PATH)
    if ignore is None or ignore in IGNORES_BEFORE:
        yield Change(IGNORE_PATH, ignore, IGNORE)


def _assistants(root: Path, setup: Setup, names: Iterable[str], left: list[LeftAlone]) -> Iterator[Change]:
    """The changes to assistants' files. One that two paths lead to, as CLAUDE.md by a link to AGENTS.md, is changed once."""
    seen: set[Path] = set()
    for file in (file for name in names for file in ASSISTANTS[name].files(setup)):
        try:
            old = content(root, file.path)
            if (root / file.path).resolve() in seen:
                continue
            new = file.with_(old)
            seen.add((root / file.path).resolve())
        except NeatError as error:
            left.append(LeftAlone(file.path, f"{error.message}; {file.by_hand or error.hint}"))
        except (ValueError, RecursionError) as error:
            left.append(LeftAlone(file.path, f"{error}; {file.by_hand or 'mend it, and run `neat init` again'}"))
        else:
            if new != old:
                yield Change(file.path, old, new)


def _would_install(root: Path, left: list[LeftAlone]) -> bool:
    try:
        return gitmerge.would_install(root)
    except NeatError as error:
        left.append(LeftAlone(ATTRIBUTES, f"{error.message}; {error.hint}"))
        return False


def _manifest(root: Path, known: Manifest, changes: list[Change], with_git: bool, named: tuple[str, ...]) -> Manifest:
    new = [path for one in changes if one.old is None for path in (one.path, place_of(root, one.path))]
    if with_git and content(root, ATTRIBUTES) is None:
        new.append(ATTRIBUTES)
    hashes = dict(known.hashes)
    id_line = known.id_line
    for path, old, after in changes:
        is_whole = old is None or path == IGNORE_PATH
        if path in (PROJECT_FILE, IGNORE_PATH) and is_whole and after is not None:
            hashes[path] = sha256(after)
        if path == PROJECT_FILE and old is not None and after is not None:
            id_line = after[: len(after) - len(old)].decode()
    folders = missing_folders(root, [*new, MANIFEST_PATH])
    made, chosen = known.made | set(new), named or known.chosen
    return Manifest(made, known.folders | set(folders), tuple(sorted(hashes.items())), id_line, chosen)
