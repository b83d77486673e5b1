"""The commits that a tool call of a session vouches for: what it printed, or what it named and nobody has.

Looked for in the log of HEAD of the project's repository, of its worktrees, and of repositories within the project, as
submodules. Stdlib only, for the hooks; the caller holds the transaction, but for `look_up`.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from neatd.pipeline.commits import BY_CALL, CLOCK_S, claim
from neatd.pipeline.told import Names, Told, folders_named
from neatd.read.headlog import Made, log_size, made_since, repository_top, worktrees_beside
from neatd.store import deeds
from neatd.store.presence import Attendance

_LONGEST_CALL_S = 600.0  # of a tool that does not tell: what was committed before is of another
_HOOK_S = 10.0  # between a call's end and this look at it


def take(connection: sqlite3.Connection, known: Attendance, root: str, told: Told) -> None:
    """Claim the commits that a tool call of the session printed; of a call that printed none, those made meanwhile which its
    command names, and which are nobody's."""
    if told.printed:
        _take_printed(connection, known, Path(root), told)
    else:
        _take_named(connection, known, Path(root), told)


def _take_printed(connection: sqlite3.Connection, known: Attendance, root: Path, told: Told) -> None:
    left = set(told.printed)
    for folder, one in _all_made(root, told):
        beginning = next((name for name in left if one.commit.startswith(name)), "")
        if beginning:
            left.discard(beginning)
            _claim_printed(connection, known, folder, one, told.took_s)
        if not left:
            return


def _all_made(root: Path, told: Told) -> Iterator[tuple[str, Made]]:
    for folder in dict.fromkeys((root, *worktrees_beside(root), *_named(root, told))):
        for one in made_since(folder, 0)[0]:
            yield str(folder), one
    yield from told.known


def _claim_printed(
    connection: sqlite3.Connection, known: Attendance, root: str, one: Made, took_s: float | None
) -> None:
    """What a call printed is its session's; but what another call printed before stays with that one."""
    owner, how = deeds.how_done(connection, "commit", one.commit)
    if owner and owner != known.session_id and how == BY_CALL:
        return
    begun = _seconds(known.started_at)
    begun = begun if took_s is None else min(begun, time.time() - took_s - _HOOK_S)
    if one.at < begun - CLOCK_S and not one.is_dated:
        return  # printed again, as by reading a file of what was
    deeds.take_away(connection, "commit", one.commit)  # from who only was there
    claim(connection, known, root, one, BY_CALL)
    if owner and owner != known.session_id:
        deeds.write_down(connection, owner)


def _take_named(connection: sqlite3.Connection, known: Attendance, root: Path, told: Told) -> None:
    names, begun = Names(told.command), time.time() - _HOOK_S - (told.took_s or 0.0)
    if told.took_s is None:
        begun = max(time.time() - _LONGEST_CALL_S, _seconds(known.started_at))
    for folder in dict.fromkeys((root, *_named(root, told))):
        made = made_since(folder, 0)[0]
        amended = {one.replaces for one in made}
        newest = {one.subject: one for one in made if one.at >= begun - CLOCK_S and names.has(one)}
        for one in newest.values():
            if one.commit not in amended and not deeds.doer(connection, "commit", one.commit):
                claim(connection, known, str(folder), one, BY_CALL)


def _named(root: Path, told: Told) -> list[Path]:
    """The tops of the other repositories and worktrees in which a call was: within the project, or worktrees of its own
    repository."""
    cwd, own, beside = Path(told.cwd or root), repository_top(root), None
    found = []
    for name in ("", *folders_named(told.command)):
        try:
            top = repository_top((cwd / name).resolve())
        except (OSError, ValueError, RuntimeError):
            continue
        if top is None or top == own:
            continue
        beside = set(worktrees_beside(root)) if beside is None else beside
        if top in beside or top.is_relative_to(root):
            found.append(top)
    return found


def look_up(root: Path, told: Told) -> Told:
    """With the printed commits that git itself knows, where it keeps no log of HEAD: one git process for each such
    repository. To be called outside of a transaction."""
    found = []
    for folder in dict.fromkeys((root, *_named(root, told))):
        if repository_top(folder) and not log_size(folder):
            found += [(str(folder), one) for one in _asked(folder, told.printed)]
    return told._replace(known=tuple(found))


def _asked(folder: Path, names: tuple[str, ...]) -> Iterator[Made]:
    from neatd.read.gitrun import git_output

    words = ["log", "--no-walk=unsorted", "--ignore-missing", "--format=%H %ct %s", *names, "--"]
    for line in (git_output(folder, words) or b"").decode("utf-8", "replace").split("\n"):
        commit, _, rest = line.partition(" ")
        at, _, subject = rest.partition(" ")
        if at.isdigit():
            yield Made(commit, int(at), subject)


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
