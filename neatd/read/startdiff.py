"""What the code was when a run began, beyond its commit: the changes against HEAD as text, compressed and without secrets,
and the names of files that git does not know. Reads only; no program that a repository names is run, no lock is taken.

Of a changed binary file only its name and the two hashes are kept: a model or an image is no code, and a secret in it could
not be taken out. What is too large is cut at the end of a line and says so. Measured on two busy cores: 11 ms for a small
change, most of it git's start; taking secrets out costs 1 s for a megabyte of text, so no more than half of one is kept.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from neatd.place import git_folder
from neatd.read.gitrun import git_beginning, git_output
from neatd.read.gitstate import OURS
from neatd.redact import redact

MOST_BYTES = 512 << 10  # of text: a person's change before a run is some 10 kB
MOST_UNTRACKED = 1000  # names
_LARGEST_FILE = "512k"  # a larger one is told as binary: data, not code
_NAMES_BYTES = 1 << 20
_DIFF = (
    "-c", f"core.bigFileThreshold={_LARGEST_FILE}", "-c", "core.quotePath=false", "-c", "diff.noprefix=false",
    "-c", "diff.mnemonicPrefix=false", "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--full-index",
    "--submodule=short", "--ignore-submodules=dirty", "--find-renames", "-l200", "--unified=3", "HEAD", "--",
)  # fmt: skip
# neat's own files, as gitstate knows them: OURS in the words of git.
_NOT_OURS = tuple(
    f":(top,exclude,glob){pattern}"
    for pattern in ("**/.neat", "**/.neat/**", "**/snapshots/anomaly_*", "**/snapshots/anomaly_*/**", "**/.partial_*",
                    "**/.partial_*/**")
)  # fmt: skip


class StartDiff(NamedTuple):
    """The difference between a commit and the files. Empty, with `is_known` False, where git does not tell."""

    is_known: bool = False
    packed: bytes = b""  # zlib; UTF-8, bytes that are none kept by surrogateescape
    size_bytes: int = 0  # of the text
    is_truncated: bool = False
    untracked: tuple[str, ...] = ()  # relative to the worktree, sorted
    untracked_count: int = 0  # with those that are not named; at least so many when it is truncated too

    @property
    def text(self) -> str:
        """The diff itself; a byte that is no UTF-8 is a surrogate, as in the names of files."""
        return zlib.decompress(self.packed).decode("utf-8", "surrogateescape") if self.packed else ""


def start_diff(
    folder: Path, ours: Iterable[str] = (), clean: Callable[[str], str] = redact, most_bytes: int = MOST_BYTES
) -> StartDiff:
    """The changes in the repository around `folder`, now. `ours` are paths relative to `folder` that neat writes besides
    `.neat/`; `clean` takes secrets out (`redactor(root)` also a project's own)."""
    own = [one for one in ours if one and not Path(one).is_absolute() and ".." not in Path(one).parts]
    if git_folder(folder) is None:
        return StartDiff()
    answer = git_beginning(folder, [*_DIFF, ":/", *_NOT_OURS, *(f":(exclude,literal){one}" for one in own)], most_bytes)
    if answer is None:  # no commit yet, no git, or it refuses
        return StartDiff()
    printed, is_cut = answer
    if is_cut:
        printed = printed[: printed.rfind(b"\n") + 1]
    text = clean(printed.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    names, count = _untracked(folder, own, clean)
    return StartDiff(True, zlib.compress(text, 6) if text else b"", len(text), is_cut, names, count)


def _untracked(folder: Path, own: list[str], clean: Callable[[str], str]) -> tuple[tuple[str, ...], int]:
    """(names of the first ones, how many there are). Their contents are not kept: they may be data of any size."""
    top = _top(folder)
    if top is None:
        return (), 0
    answer = git_beginning(top, ["ls-files", "--others", "--exclude-standard", "-z"], _NAMES_BYTES)
    listed = (answer[0] if answer else b"").split(b"\0")[:-1]
    base = os.path.relpath(folder.resolve(), top.resolve()).replace(os.sep, "/")
    ours = {one if base == "." else f"{base}/{one}" for one in own}
    names = sorted(os.fsdecode(one).encode("utf-8", "replace").decode() for one in listed)
    kept = [name for name in names if name not in ours and not OURS.search(name)]
    return tuple(clean(name) for name in kept[:MOST_UNTRACKED]), len(kept)


def _top(folder: Path) -> Path | None:
    printed = git_output(folder, ["rev-parse", "--show-toplevel"])
    return Path(os.fsdecode(printed.rstrip(b"\r\n"))) if printed else None
