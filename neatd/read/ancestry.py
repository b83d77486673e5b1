"""Which commits the checked-out branch contains: two git processes for any number of commits, none when it is known.

Takes no lock, fetches nothing, runs nothing that a repository names. What HEAD contains never changes, so answers are
kept by (folder, HEAD); a commit that is missing may still be fetched, so such an answer holds until something is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from neatd.place import git_folder, git_head
from neatd.read.gitrun import git_output

MOST_HEADS = 16  # folders with a HEAD whose answers are kept
MOST_COMMITS = 50_000  # asked about at once, and kept per HEAD: more come only from a hostile import
_NAME = re.compile(r"^[0-9a-f]{40}(?:[0-9a-f]{24})?$")
_KINDS_OF = ["cat-file", "--batch-check=%(objectname) %(objecttype)"]


class Ancestry(NamedTuple):
    """`unmerged` are here and not in HEAD; `unknown` are not in this repository: rebased away, or of another clone."""

    unmerged: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()
    is_answered: bool = False  # False: no repository, no commit yet, or git refused; nothing is known then
    forks: frozenset[str] = frozenset()  # commits of HEAD that an unmerged one was made on


_Answers = dict[str, str]  # commit -> "", "fork", "unmerged" or "unknown"
_kept: dict[tuple[str, str, tuple[int, ...]], _Answers] = {}


def not_ancestors(root: Path, commits: Iterable[str]) -> Ancestry:
    """Of whole commit names, those that HEAD at `root` does not contain."""
    wanted = set(commits)
    head = git_head(root)[1]
    if not _NAME.match(head):
        return Ancestry()
    key = (str(root), head, _marks(root))
    answers = _kept.setdefault(key, {})
    new = {one for one in wanted - answers.keys() if _NAME.match(one)}
    if new and not _ask(root, head, sorted(new)[:MOST_COMMITS], answers):
        return Ancestry()
    _forget(key)
    unknown = {one for one in wanted if answers.get(one, "unknown") == "unknown"}
    unmerged = frozenset(one for one in wanted - unknown if answers[one] == "unmerged")
    forks = frozenset(one for one in wanted - unknown if answers[one] == "fork")
    return Ancestry(unmerged, frozenset(unknown), True, forks)


def full_commit(root: Path, word: str) -> str:
    """The whole name of a commit, branch, tag or HEAD; "" when it names none."""
    if not word or word.startswith("-") or len(word) > 500 or any(ord(letter) < 33 for letter in word):
        return ""
    found = git_text(root, _KINDS_OF, f"{word}^{{commit}}\n")
    name, _, kind = (found or "").strip().partition(" ")
    return name if kind == "commit" and _NAME.match(name) else ""


def _ask(root: Path, head: str, commits: list[str], answers: _Answers) -> bool:
    """Learn of `commits`; False when git does not answer."""
    text = git_text(root, _KINDS_OF, "".join(f"{c}\n" for c in commits))
    if text is None:
        return False
    here = {name for name, _, kind in (line.partition(" ") for line in text.splitlines()) if kind == "commit"}
    asked = [one for one in commits if one in here]
    given = "".join(f"{c}\n" for c in [*asked, f"^{head}"])
    listed = git_text(root, ["rev-list", "--boundary", "--stdin"], given) if asked else ""
    if listed is None:
        return False
    # A boundary, which has a dash before it, is kept unasked too: only commits not known yet are walked from again.
    unmerged, forks = set(listed.split()), {line[1:] for line in listed.split() if line.startswith("-")}
    for one in commits:
        answers[one] = "unknown" if one not in here else "unmerged" if one in unmerged else ""
    answers.update((one, "fork") for one in forks)
    return True


def git_text(root: Path, words: list[str], given: str = "") -> str | None:
    """What git prints of names and numbers."""
    printed = git_output(root, words, given)
    return None if printed is None else printed.decode("ascii", "replace")


def _marks(root: Path) -> tuple[int, ...]:
    """Times that change when objects are fetched: what was missing is then asked for again."""
    folder = git_folder(root)
    marks = []
    for path in () if folder is None else (folder / "FETCH_HEAD", common_folder(folder) / "objects" / "pack"):
        try:
            marks.append(path.stat().st_mtime_ns)
        except OSError:
            marks.append(0)
    return tuple(marks)


def common_folder(folder: Path) -> Path:
    """The folder of git that all worktrees share, of one worktree's."""
    try:
        return (folder / (folder / "commondir").read_text(encoding="utf-8").strip()).resolve()
    except (OSError, ValueError):
        return folder


def _forget(used: tuple[str, str, tuple[int, ...]]) -> None:
    """Keep the answers of the newest HEADs, the one just used among them."""
    _kept[used] = _kept.pop(used)
    while len(_kept) > MOST_HEADS or (len(_kept) > 1 and sum(map(len, _kept.values())) > MOST_COMMITS):
        del _kept[next(iter(_kept))]
