"""Where the branches of a repository stand, and which of them HEAD has under other commits: squashed, picked, rebased.

One git process while a branch moved, none otherwise; up to three for a branch that is not merged, once for where it and
HEAD stand. Like `ancestry.py` it takes no lock, writes no object and runs nothing that a repository names.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from neatd.place import git_folder, git_head
from neatd.read.ancestry import common_folder, git_text
from neatd.redact import redact

MOST_BRANCHES = 5000  # kept of one repository
MOST_LANDED = 8  # branches compared with HEAD in one call: the next call goes on
MOST_OWN, MOST_SINCE = 50, 1000  # commits of a branch, and of HEAD since, beyond which they are not compared
_MOST_FOLDERS = 2000
_TRUNKS = ("main", "master")
_FORMAT = "%(objectname) %(refname) %(symref)"


class Branches(NamedTuple):
    """`tips` by name as records have it; one that only a remote has counts under its name there."""

    tips: Mapping[str, str]
    trunks: frozenset[str]  # names of the branch that others are made from


_kept: dict[str, tuple[tuple[object, ...], Branches]] = {}
_landed: dict[tuple[str, str, str], bool] = {}  # (folder, HEAD, tip) -> whether HEAD has all of its changes


def branches(root: Path) -> Branches | None:
    """The branches of the repository around `root`; None when git does not answer."""
    marks = _marks(root)
    if str(root) in _kept and _kept[str(root)][0] == marks:
        return _kept[str(root)][1]
    words = ["for-each-ref", f"--count={MOST_BRANCHES}", f"--format={_FORMAT}", "refs/heads", "refs/remotes"]
    text = git_text(root, words, "")
    if text is None:
        return None
    if len(_kept) >= 16:
        _kept.clear()
    found = _parse(text)
    _kept[str(root)] = (marks, found)
    return found


def _parse(text: str) -> Branches:
    local, remote, trunks = {}, {}, set(_TRUNKS)
    for line in text.splitlines():
        tip, name, target = [*line.split(" "), "", ""][:3]
        if name.startswith("refs/heads/"):
            local[redact(name[11:])] = tip  # as `git_head` names a branch
        elif target.startswith("refs/remotes/"):
            trunks.add(redact(target.split("/", 3)[-1]))
        else:
            remote[redact(name.split("/", 3)[-1])] = tip
    return Branches(remote | local, frozenset(trunks))


def landed(root: Path, tips: Iterable[str]) -> frozenset[str]:
    """Of tips that HEAD does not contain, those whose every change it has: a commit of the same patch for each of
    theirs, or one commit that made the same tree."""
    head = git_head(root)[1]
    found, asked = set(), 0
    for tip in sorted(set(tips)):
        key = (str(root), head, tip)
        if key not in _landed:
            if asked == MOST_LANDED:
                continue
            asked += 1
            if len(_landed) > 10_000:
                _landed.clear()
            _landed[key] = _has_landed(root, head, tip)
        if _landed[key]:
            found.add(tip)
    return frozenset(found)


def _has_landed(root: Path, head: str, tip: str) -> bool:
    counts = (git_text(root, ["rev-list", "--count", "--left-right", f"{head}...{tip}"], "") or "").split()
    if len(counts) != 2 or int(counts[1]) > MOST_OWN or not 0 < int(counts[0]) <= MOST_SINCE:
        return False
    # rev-list and not log, which a setting makes check signatures.
    trees = git_text(root, ["rev-list", "--format=tree %T", head, f"^{tip}"], "") or ""
    own = (git_text(root, ["rev-list", "--max-count=1", "--format=tree %T", tip], "") or "\n").splitlines()[-1]
    if own.startswith("tree ") and own in trees.splitlines():
        return True
    patches = git_text(root, ["cherry", head, tip], "")
    return bool(patches) and all(line.startswith("- ") for line in (patches or "").splitlines())


def _marks(root: Path) -> tuple[object, ...]:
    """Times that change when a branch does: a reference is written beside its place and moved there."""
    folder = git_folder(root)
    if folder is None:
        return ()
    common = common_folder(folder)
    found: list[object] = []
    waiting = [common / "packed-refs", common / "refs" / "heads", common / "refs" / "remotes", common / "reftable"]
    while waiting and len(found) < _MOST_FOLDERS:
        path = waiting.pop()
        try:
            found.append((str(path), path.stat().st_mtime_ns))
            if path.name != "packed-refs":
                with os.scandir(path) as entries:
                    waiting += [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
        except OSError:
            continue
    return tuple(found)
