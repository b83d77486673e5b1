"""The documents that are kept: each session's handoff as a record linked to the one before, and the files that
`documents:` in neat.yaml names, written anew when what they say has changed. Never a file that neat did not write."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from neatd.assist.brief import brief
from neatd.assist.facts import Facts, TouchedFact
from neatd.assist.marker import Written, signed, written
from neatd.assist.render import render, when
from neatd.config import ProjectConfig
from neatd.errors import NeatError
from neatd.files import inside, read_small, write_atomic
from neatd.kinds import KINDS
from neatd.knowledge import Handoff
from neatd.models import GitState, Project
from neatd.pipeline.gathering import gather, template_folders
from neatd.pipeline.testing import own_paths
from neatd.place import Place
from neatd.read.gitstate import changed_since
from neatd.store import handoffs, records
from neatd.store.handoffs import Touched
from neatd.store.moments import stamp
from neatd.store.short import column, is_out_of_reach, leave_in_inbox, record_row

LARGEST_DOCUMENT = 32 << 20  # bytes of a file that is looked at before it is replaced
# The templates write Markdown; and as a repository names the paths and makes the text by templates of its own, what is
# written must be nothing that a program runs.
ENDINGS = (".md", ".mdc", ".markdown")


class Made(NamedTuple):
    """A handoff: its text, and the record that holds it."""

    text: str
    id: str | None  # None where it was not kept
    previous: str | None
    is_new: bool  # False when nothing has changed since the one with this id
    inbox: Path | None = None  # where it was left, the store being out of reach


def handoff(
    store: sqlite3.Connection, facts: Facts, project: Project, config: ProjectConfig, template: str = "handoff"
) -> Made:
    """The handoff of the session now, by template name; nothing is kept."""
    return _handoff(store, facts, project, config, template, is_exact=True)[0]


def keep_handoff(
    store: sqlite3.Connection, facts: Facts, project: Project, config: ProjectConfig, place: Place, source: str,
    template: str = "handoff",
) -> Made:  # fmt: skip
    """The handoff of the session now, kept as a record linked to the one before unless it says the same."""
    made, told = _handoff(store, facts, project, config, template)
    if not made.is_new:
        return made
    fields = {
        "title": f"Session {template} {when(told.now)}", "body": made.text, "previous": told.previous,
        "template": template, "records": [one.id for one in told.touched],
    }  # fmt: skip
    row = record_row("handoff", place, fields, source)
    row |= {"created_at": stamp(told.now), "updated_at": stamp(told.now)}
    try:
        handoffs.keep(store, row)
    except sqlite3.OperationalError as error:
        if not is_out_of_reach(error):
            raise
        return made._replace(id=row["id"], inbox=leave_in_inbox(place.root, "handoff", row))
    return made._replace(id=row["id"])


def write_documents(
    store: sqlite3.Connection, series: sqlite3.Connection, project: Project, config: ProjectConfig,
    facts: Facts | None = None,
) -> list[Path]:  # fmt: skip
    """Write the documents of neat.yaml whose text has changed; returns their paths. `facts` where they are gathered.

    Raises NeatError naming each one that cannot be written, after the others are.
    """
    if not config.documents:
        return []
    facts = facts or gather(store, series, project, config)
    done: list[Path] = []
    refused: list[NeatError] = []
    taken: set[Path] = set()
    for template, name in config.documents.items():
        try:
            path = document_path(Path(project.root), name, taken)
            if _write(store, facts, project, config, template, path):
                done.append(path)
        except NeatError as error:
            refused.append(error)
        except OSError as error:
            refused.append(NeatError(f"{name}: cannot be written: {error.strerror}", "check the folder's permissions"))
    if refused:
        hints = dict.fromkeys(error.hint for error in refused)
        raise NeatError("; ".join(error.message for error in refused), "; ".join(hints))
    return done


def _handoff(
    store: sqlite3.Connection, facts: Facts, project: Project, config: ProjectConfig, template: str,
    is_exact: bool = False,
) -> tuple[Made, Facts]:  # fmt: skip
    """The handoff with what it tells of; the last one again where it says the same, to the letter with `is_exact`."""
    last = handoffs.latest(store, project.id, template)
    told = _with_session(store, facts, project, config, last)
    if last is not None and told.previous != last.id:
        again = told.model_copy(update={"now": last.created_at})
        if _says_the_same(last, template, again, config, is_exact):
            return Made(last.body, last.id, last.previous or None, False), told
        told = told.model_copy(update={"previous": last.id})
    return Made(_text(template, told, config), None, told.previous or None, True), told


def _says_the_same(last: Handoff, template: str, told: Facts, config: ProjectConfig, is_exact: bool) -> bool:
    """Whether the last handoff has every line that the next one would have, but for what comes of git and of the daemon:
    the handoff's own file, or another untracked one, makes no new session. Those are the lines that go without them."""
    now = column(_text(template, told, config))
    if is_exact or now == last.body:
        return bool(now == last.body)
    git = GitState(is_repo=told.git.is_repo, branch=told.git.branch)
    without = told.model_copy(update={"git": git, "session_files": (), "watching": "", "stale": {}})
    lasting = set(now.splitlines()) & set(column(_text(template, without, config)).splitlines())
    return lasting <= set(last.body.splitlines())


def _with_session(
    store: sqlite3.Connection, facts: Facts, project: Project, config: ProjectConfig, last: Handoff | None
) -> Facts:
    """`facts` with what was made and changed in the session that they tell of: since the last handoff; and while nothing
    was since, still the session that it closed, so that a document stays what it was when it was handed over."""
    changed = handoffs.touched(store, project.id, handoffs.place_in_history(store, last))
    start, previous = last, last.id if last else ""
    if last and not changed:
        start, previous = handoffs.session_start(store, last), last.previous
        changed = handoffs.touched(store, project.id, handoffs.place_in_history(store, start))
    ours = own_paths(config)
    has_commits = start and start.commit != facts.git.commit
    return facts.model_copy(
        update={
            "previous": previous,
            "since": start.created_at if start else None,
            "touched": tuple(_fact(one, facts) for one in changed),
            "session_files": changed_since(Path(project.root), start.commit, ours) if start and has_commits else (),
        }
    )


def _fact(one: Touched, facts: Facts) -> TouchedFact:
    """A touched record as facts may tell of it: of a kind with an address only by the title that they have."""
    fact = TouchedFact(short=facts.shorts.get(one.id, one.id), **one._asdict())
    if not any(field.is_private for field in KINDS[one.kind].fields):
        return fact
    titles = {each.id: each.title for each in (*facts.machines, *facts.services)}
    return fact.model_copy(update={"title": titles.get(one.id, "")})


def _text(template: str, facts: Facts, config: ProjectConfig) -> str:
    folders = template_folders(Path(facts.root))
    if template == "brief":
        return brief(facts, config.brief.budget_bytes, folders)
    return render(f"{template}.md.j2", facts, folders)


def document_path(root: Path, name: str, taken: set[Path]) -> Path:
    """Where a document of neat.yaml lies, links followed; raises NeatError where none may, or another one does."""
    path = inside(root, name).resolve()
    if path in taken:
        raise NeatError(f"documents: two are to be written to {name!r}", "name a path of its own for each")
    taken.add(path)
    if path.suffix.lower() not in ENDINGS:
        raise NeatError(
            f"documents: {name!r} is no document by its ending",
            f"neat writes Markdown: end it with one of {' '.join(ENDINGS)}",
        )
    own = path.relative_to(root.resolve()).parts
    if own[0] == ".neat" and (len(own) > 2 or own[-1] == "brief.md"):
        raise NeatError(f"documents: {name!r} is where neat keeps its own files", "name another path")
    return path


def _write(
    store: sqlite3.Connection, facts: Facts, project: Project, config: ProjectConfig, template: str, path: Path
) -> bool:
    old = document_bytes(path)
    found = written(old)
    if found is None:
        raise NeatError(
            f"{path} was not written by neat, and is left as it is",
            "name another path in `documents:` of neat.yaml; or take it in with `neat import` and move it away",
        )
    told = _with_session(store, facts, project, config, handoffs.latest(store, project.id, template))
    if found.at and _signed(template, told, config, found.at, found) == old:
        return False
    write_atomic(path, _signed(template, told, config, facts.now.replace(microsecond=0), found))
    return True


def _signed(template: str, facts: Facts, config: ProjectConfig, at: datetime, found: Written) -> bytes:
    return signed(_text(template, facts.model_copy(update={"now": at}), config), template, at, found.below)


def document_bytes(path: Path) -> bytes:
    try:
        return read_small(path, LARGEST_DOCUMENT)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise NeatError(f"{path}: cannot be read: {error.strerror}", "name another path in neat.yaml") from error


def check_out(path: Path, is_forced: bool = False) -> None:
    """Whether a document may be written to the file that somebody names. Raises NeatError for a folder, for a folder
    that is not there, and for a file that neat did not write, unless `is_forced`."""
    if path.is_dir():
        raise NeatError(f"{path} is a folder", f"name a file, e.g. --out {path / 'handoff.md'}")
    if not path.parent.is_dir():
        raise NeatError(f"no folder {path.parent}", f"make it first: mkdir -p {path.parent}")
    if not is_forced and written(_old_out(path)) is None:
        raise NeatError(
            f"{path} was not written by neat, and is left as it is", "name another file, or replace it with --force"
        )


def write_out(path: Path, made: Made, template: str, now: datetime, is_forced: bool = False) -> bool:
    """Write a document to the file that somebody names, signed so that the next one may replace it; returns whether a
    file of somebody's was replaced. What stands below neat's line stays."""
    check_out(path, is_forced)
    found = written(_old_out(path))
    try:
        write_atomic(path, signed(made.text, template, now, found.below if found else b""))
    except OSError as error:
        raise NeatError(f"{path}: cannot be written: {error.strerror}", "check the folder's permissions") from error
    return found is None


def _old_out(path: Path) -> bytes:
    try:
        return document_bytes(path)
    except NeatError as error:
        raise NeatError(error.message, "name another file") from error


def kept_handoffs(store: sqlite3.Connection, project: Project) -> Sequence[Handoff]:
    """The project's handoffs, the newest first."""
    return records.list_records(store, "handoff", project.id)
