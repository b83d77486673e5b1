"""What the code was when a run began, beyond its commit: the changes against HEAD as text, compressed and without secrets,
and the files that git does not know: their names, and of small ones of text the contents, as a change against nothing.
Reads only; no program that a repository names is run, no lock is taken.

Of a changed binary file only its name and the two hashes are kept: a model or an image is no code, and a secret in it could
not be taken out. What is too large is cut at the end of a line and says so. Measured on two busy cores: 11 ms for a small
change, most of it git's start; taking secrets out costs 1 s for a megabyte of text, so no more than half of one is kept.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from neatd.files import is_inside, read_small
from neatd.place import git_folder
from neatd.read.gitrun import OURS, git_beginning, git_output
from neatd.redact import redact

MOST_BYTES = 512 << 10  # of text: a person's change before a run is some 10 kB
MOST_UNTRACKED = 1000  # names
MOST_OF_NEW, MOST_NEW = 64 << 10, 256 << 10  # bytes of one file that git does not know, and of all of them
_KEPT_NEW = (".py", ".sh", ".yaml", ".json", ".toml", ".md", ".cfg")
_PRIVATE = re.compile(r"(?:^|/)\.|secret|credential|token|password|private", re.I)  # hidden ones, and what says so
_ODD = re.compile(r'[\x00-\x1f\x7f"\\\ud800-\udfff\ufffd]')  # in a name: git would write it in another way
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
    top = _top(folder)
    found = _untracked(folder, top, own) if top else []
    if is_cut:
        printed = printed[: printed.rfind(b"\n") + 1]
    elif top:
        printed += _new_files(top, found, min(MOST_NEW, most_bytes - len(printed)))
    text = clean(printed.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    names = tuple(clean(name) for name in found[:MOST_UNTRACKED])
    return StartDiff(True, zlib.compress(text, 6) if text else b"", len(text), is_cut, names, len(found))


def _untracked(folder: Path, top: Path, own: list[str]) -> list[str]:
    """Their names, relative to the worktree, sorted."""
    answer = git_beginning(top, ["ls-files", "--others", "--exclude-standard", "-z"], _NAMES_BYTES)
    listed = (answer[0] if answer else b"").split(b"\0")[:-1]
    base = os.path.relpath(folder.resolve(), top.resolve()).replace(os.sep, "/")
    ours = {one if base == "." else f"{base}/{one}" for one in own}
    names = sorted(os.fsdecode(one).encode("utf-8", "replace").decode() for one in listed)
    return [name for name in names if name not in ours and not OURS.search(name)]


def _new_files(top: Path, names: Iterable[str], most_bytes: int) -> bytes:
    """The small files of text among `names`, as git writes a file that is new; links are not followed."""
    kept, left = b"", most_bytes
    for name in names:
        if not name.endswith(_KEPT_NEW) or _ODD.search(name) or _PRIVATE.search(name):
            continue
        part = _new_file(top, name)
        if part and len(part) <= left:
            kept, left = kept + part, left - len(part)
    return kept


def _new_file(top: Path, name: str) -> bytes:
    path = top / name
    try:
        data = read_small(path, MOST_OF_NEW) if not path.is_symlink() and is_inside(path, top) else b""
    except OSError:
        return b""
    if not data or b"\0" in data:
        return b""
    lines = data.split(b"\n")
    ending = b"\n\\ No newline at end of file\n" if lines[-1] else b"\n"
    lines = lines if lines[-1] else lines[:-1]
    tab = "\t" if " " in name else ""  # git's, behind a name with a space
    head = f"diff --git a/{name} b/{name}\nnew file mode 100644\n--- /dev/null\n+++ b/{name}{tab}\n@@ -0,0 +1,{len(lines)} @@\n"
    return head.encode() + b"\n".join(b"+" + line for line in lines) + ending


def _top(folder: Path) -> Path | None:
    printed = git_output(folder, ["rev-parse", "--show-toplevel"])
    return Path(os.fsdecode(printed.rstrip(b"\r\n"))) if printed else None
