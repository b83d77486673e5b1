"""git's own log of HEAD in a worktree: which commits were made here, when, in which order. No process is started.

A line is `OLD NEW NAME <MAIL> SECONDS ZONE<TAB>ACTION: SUBJECT`. What a pull, a checkout or a reset brought was not made
here; what a rebase picked was made before, and has a new name now. Stdlib only, for the hook.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from neatd.files import open_regular
from neatd.place import common_folder, git_folder

LARGEST_TURN = 1 << 20  # bytes of the log that are read at once; a log that grew by more is read from its end
_MOST_WORKTREES = 50
_LINE = re.compile(
    r"(?P<old>[0-9a-f]{40,64}) (?P<new>[0-9a-f]{40,64}) .*> (?P<at>\d{1,12}) [-+]\d{4}\t(?P<action>[^:\n]+): (?P<subject>.*)"
)
_MADE = re.compile(r"commit\b|cherry-pick|revert|am\b|rebase.*\((?:reword|squash|fixup|edit|continue)\)")
_PICKED = re.compile(r"(?:pull.*|rebase.*)\(pick\)")
_MERGED = ("Merge made by", "In-index merge")  # a merge that only moved on made no commit
_MOVED_ON = "fast-forward"


class Made(NamedTuple):
    """A commit that was made in this worktree; `replaces` is the commit that an amend took away, else ""."""

    commit: str
    at: int  # unix seconds
    subject: str
    replaces: str = ""
    is_picked: bool = False  # by a rebase: an older commit under a new name
    action: str = "commit"  # the word of git that made it
    is_dated: bool = False  # git was told another time: a line before it is later


def log_path(root: Path) -> Path | None:
    """The log of HEAD of the worktree around `root`; None outside of a repository."""
    folder = git_folder(root)
    return folder / "logs" / "HEAD" if folder else None


def log_size(root: Path) -> int:
    """How long the log is now: where to read on from later. 0 where there is none."""
    path = log_path(root)
    try:
        return path.stat().st_size if path else 0
    except OSError:
        return 0


def made_since(root: Path, offset: int) -> tuple[list[Made], int]:
    """(the commits made after `offset` bytes of the log, where the next look begins). A log that was cut short, as by
    `git reflog expire`, is read anew from its beginning: who knows a commit already passes it over."""
    path = log_path(root)
    if path is None:
        return [], 0
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            start = offset if offset <= size else 0
            file.seek(max(start, size - LARGEST_TURN))
            data = file.read(LARGEST_TURN)
    except OSError:
        return [], 0
    whole = data[: data.rfind(b"\n") + 1]
    end = max(start, size - LARGEST_TURN) + len(whole)
    return list(_made_in(whole.decode("utf-8", "replace").split("\n"))), end


def _made_in(lines: list[str]) -> Iterator[Made]:
    latest = 0
    for line in filter(None, map(_LINE.match, lines)):
        made = _made(line)
        if made:
            yield made._replace(is_dated=made.at < latest)
        latest = max(latest, int(line["at"]))


def _made(line: re.Match[str]) -> Made | None:
    """What a line of the log tells; None for one that made no commit."""
    commit, at, action, subject = line["new"], int(line["at"]), line["action"], line["subject"]
    if action.startswith("merge "):
        return Made(commit, at, action, action="merge") if subject.startswith(_MERGED) else None
    if _PICKED.match(action):
        return Made(commit, at, subject, is_picked=True, action="rebase")
    if not _MADE.match(action) or (subject == _MOVED_ON and not action.startswith("commit")):
        return None
    return Made(commit, at, subject, line["old"] if "amend" in action else "", action=action.split(" ")[0])


def repository_top(folder: Path) -> Path | None:
    """The top of the worktree around `folder`; None outside of a repository."""
    return next((one for one in (folder, *folder.parents) if (one / ".git").exists()), None)


def worktrees_beside(root: Path) -> Iterator[Path]:
    """The other worktrees of the repository around `root`, as its own files name them."""
    folder = git_folder(root)
    if folder is None:
        return
    common = common_folder(folder)
    if common != folder and common.name == ".git":
        yield common.parent
    try:
        names = sorted(os.listdir(common / "worktrees"))[:_MOST_WORKTREES]  # noqa: PTH208 - names only
    except OSError:
        return
    for name in names:
        try:
            with open_regular(common / "worktrees" / name / "gitdir") as file:
                other = (common / "worktrees" / name / os.fsdecode(file.read(4096).strip())).parent
        except OSError:
            continue
        if common / "worktrees" / name != folder and other.is_dir():
            yield other
