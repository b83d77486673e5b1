"""A detached worktree that holds a project as it stands: its commit, what is not committed, small files git does not know.

What git ignores (data, environments, output folders) is not copied but linked: a job reads the same data, and what it
writes into such a folder lies in the project. Besides the worktree itself git keeps a few files on it in the
repository's own folder; no branch, no index and no file of the project is changed, and no hook is run.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from neatd.errors import NeatError

PATIENCE_S = 600.0  # a checkout of some gigabytes
MOST_DIFF = 64 << 20  # bytes of what is not committed
MOST_OF_FILE, MOST_COPIED, MOST_FILES = 1 << 20, 64 << 20, 2000  # of what git does not know
# Output folders by the names that trainers give them: one that git ignores is made in the project and linked.
OUTPUTS = (
    "runs", "outputs", "output", "logs", "lightning_logs", "wandb", "mlruns", "checkpoints", "results", "experiments",
)  # fmt: skip
_NEVER = frozenset({".git", ".neat", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"})
_NEVER_LINKED = (".pyc", ".log", ".out", ".err", ".jsonl")  # what a run wrote beside the code is not written on
_PLAIN = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "-c", "protocol.allow=never")
_DIFF = ("diff", "--binary", "--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=all", "HEAD", "--")


class Made(NamedTuple):
    """What was put into a worktree. Paths are relative to it."""

    copied: tuple[str, ...]
    linked: tuple[str, ...]
    left_out: tuple[str, ...]  # too large, or more than is copied
    state: str  # hash of what is not as committed

    @property
    def own(self) -> frozenset[str]:
        """All that is there besides what git tracks."""
        return frozenset((*self.copied, *self.linked))


def make(top: Path, commit: str, target: Path, outputs: Iterable[str] = ()) -> Made:
    """The worktree of `top`'s state at `target`, which must not be there. `outputs` are folders, relative to `top`, that
    runs are known to lie in. Raises NeatError, with nothing left behind, when git refuses."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _git(top, "worktree", "add", "--detach", "--quiet", str(target), commit)
    try:
        changes = _changes(top)
        if changes:
            _git(target, "apply", "--binary", "--whitespace=nowarn", "-", given=changes)
        linked = _link_all(top, target, tuple(outputs))
        copied, left_out = _copy_all(top, target, linked)
    except BaseException:
        remove(top, target)
        raise
    return Made(tuple(copied), tuple(linked), tuple(left_out), state(target))


def remove(top: Path, target: Path) -> None:
    """Take a worktree away. Links in it are unlinked, never followed."""
    try:
        _git(top, "worktree", "remove", "--force", "--force", str(target))
    except NeatError:  # the repository has gone, or git no longer knows it
        shutil.rmtree(target, ignore_errors=True)


def state(target: Path) -> str:
    """A hash of what differs from the commit, to see later whether a job changed a file."""
    return hashlib.sha256(_changes(target)).hexdigest()


def new_files(target: Path, made: Made) -> Iterator[str]:
    """The files of a worktree that neither git nor neat put there: what a job wrote."""
    tracked = {os.fsdecode(one) for one in _git(target, "ls-files", "-z").split(b"\0")}
    for folder, names, files in os.walk(target):
        base = Path(folder).relative_to(target)
        links = [one for one in names if (Path(folder) / one).is_symlink()]
        names[:] = [one for one in names if one not in _NEVER and one not in links]
        for name in (*files, *links):
            path = (base / name).as_posix()
            if path != ".git" and path not in tracked and path not in made.own:
                yield path


def _changes(top: Path) -> bytes:
    found = _git(top, *_DIFF)
    if len(found) > MOST_DIFF:
        raise NeatError(
            f"{top}: what is not committed is larger than {MOST_DIFF >> 20} MiB", "commit it, or leave out --frozen"
        )
    return found


def _link_all(top: Path, target: Path, outputs: tuple[str, ...]) -> list[str]:
    """Link what git ignores, the folders that runs are written to, and submodules."""
    names = [*_listed(top, "--ignored"), *_submodules(top), *_missing_outputs(top)]
    names += [one for one in _listed(top) if one.endswith("/") and _is_output(one, outputs)]
    linked: list[str] = []
    for name in dict.fromkeys(one.rstrip("/") for one in names):
        source, place = top / name, target / name
        if (
            Path(name).name in _NEVER
            or name.endswith(_NEVER_LINKED)
            or any(name.startswith(f"{one}/") for one in linked)
        ):
            continue
        if target.is_relative_to(source) or not os.path.lexists(source):
            continue
        if place.is_dir() and not place.is_symlink():  # a submodule's empty folder
            if any(place.iterdir()):
                continue
            place.rmdir()
        _link(source, place)
        linked.append(name)
    return linked


def _link(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        place.symlink_to(source, target_is_directory=source.is_dir())
    except OSError as error:
        raise NeatError(
            f"{place} cannot be linked: {error.strerror}", "leave out --frozen: links are not allowed here"
        ) from error


def _copy_all(top: Path, target: Path, linked: list[str]) -> tuple[list[str], list[str]]:
    """Copy the small files that git does not know and that are no links."""
    copied: list[str] = []
    left_out: list[str] = []
    total = 0
    for name in _files_of(_git(top, "ls-files", "--others", "--exclude-standard", "-z")):
        parts = Path(name).parts
        if _NEVER.intersection(parts) or any(name.startswith(f"{one}/") or name == one for one in linked):
            continue
        source = top / name
        if source.is_symlink() or not source.is_file():
            continue
        size = source.stat().st_size
        if size > MOST_OF_FILE or total + size > MOST_COPIED or len(copied) >= MOST_FILES:
            left_out.append(name)
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target / name)
        total += size
        copied.append(name)
    return copied, left_out


def _listed(top: Path, *more: str) -> list[str]:
    """What git does not track, a folder of nothing else as one with a slash behind."""
    return _files_of(_git(top, "ls-files", "--others", *more, "--exclude-standard", "--directory", "-z"))


def _is_output(name: str, outputs: tuple[str, ...]) -> bool:
    return name.rstrip("/") in OUTPUTS or any(f"{one}/".startswith(name) for one in outputs)


def _missing_outputs(top: Path) -> list[str]:
    """Make the output folders that git would ignore and that are not there yet, so that they can be linked."""
    absent = [f"{name}/" for name in OUTPUTS if not os.path.lexists(top / name)]
    ignored = _files_of(_git(top, "check-ignore", "-z", "--stdin", given="\0".join(absent).encode(), fine=(0, 1)))
    for name in ignored:
        (top / name).mkdir(exist_ok=True)
    return ignored


def _submodules(top: Path) -> list[str]:
    lines = _files_of(_git(top, "ls-files", "--stage", "-z"))
    return [one.partition("\t")[2] for one in lines if one.startswith("160000 ")]


def _files_of(printed: bytes) -> list[str]:
    return [os.fsdecode(one) for one in printed.split(b"\0") if one]


def _git(folder: Path, *words: str, given: bytes = b"", fine: tuple[int, ...] = (0,)) -> bytes:
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    env |= {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", *_PLAIN, *words], cwd=folder, input=given, capture_output=True, timeout=PATIENCE_S, env=env
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise NeatError(f"git cannot be asked in {folder}: {error}", "check that git is installed") from error
    if done.returncode not in fine:
        said = (done.stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise NeatError(f"git {words[0]} in {folder}: {said}", "leave out --frozen, or mend what git says")
    return done.stdout
