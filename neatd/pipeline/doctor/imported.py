"""Whether Claude Code reads the brief where no hook fires: the file that neatd writes, and the line that imports it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from neatd.assist.block import BEGIN
from neatd.files import is_inside, read_small
from neatd.pipeline.doctor.finding import Finding
from neatd.pipeline.wiring import Hook, Server, Wiring
from neatd.who import CLAUDE

_BRIEF = Path(".neat") / "brief.md"
_IMPORT = re.compile(r"(?<!\S)@(\S+\.md)\b")
_NAMES = ("CLAUDE.md", ".claude/CLAUDE.md", "CLAUDE.local.md")
_DEEPEST = 5  # imports of imports that Claude Code follows
_LARGEST = 1 << 20


def imported(root: Path, found: Wiring, set_up: set[str]) -> Iterator[Finding]:
    """A finding where the brief is not there, and one where no file of Claude Code's leads to it."""
    if set_up and not _is_there(root):
        text = ".neat/brief.md is not there: assistants that import it read nothing"
        yield Finding("brief", "note", text, "`neat init` writes it now, and `neatd start` at every event")
    if CLAUDE in set_up and _is_set_up_here(root, found) and not _is_imported(root):
        text = "no CLAUDE.md here imports @.neat/brief.md: where hooks do not fire, a session gets no brief"
        yield Finding(
            f"{CLAUDE} import", "note", text, f"`neat init --assistant {CLAUDE}` writes the block into CLAUDE.md"
        )


def _is_there(root: Path) -> bool:
    return is_inside(root / _BRIEF, root) and (root / _BRIEF).is_file()


def _is_set_up_here(root: Path, found: Wiring) -> bool:
    """In a file of the project: a user's own settings are for all projects, also for those without a block."""
    entries: tuple[Hook | Server, ...] = (*found.hooks, *found.servers)
    is_wired = any(one.assistant == CLAUDE and one.path.is_relative_to(root) for one in entries)
    return is_wired or any(BEGIN in _content(root / name) for name in _NAMES)


def _is_imported(root: Path) -> bool:
    """Whether a file that Claude Code reads at a start leads to the brief, by itself or by what it imports."""
    brief, top = (root / _BRIEF).resolve(), _top(root)
    folders = [one for one in (root, *root.parents) if one == top or one.is_relative_to(top)]
    files, seen = [folder / name for folder in folders for name in _NAMES], set[Path]()
    for _ in range(_DEEPEST):
        named = {path for file in files for path in _imports(file)}
        if brief in named:
            return True
        files = [path for path in named - seen if is_inside(path, top)]
        seen |= named
    return False


def _top(root: Path) -> Path:
    """The repository's folder."""
    return next((one for one in (root, *root.parents) if os.path.lexists(one / ".git")), root)


def _imports(file: Path) -> set[Path]:
    names = _IMPORT.findall(_content(file).decode("utf-8", "replace"))
    try:
        return {(file.parent / name).resolve() for name in names}
    except (OSError, ValueError, RuntimeError):  # a NUL in a name; a circle of links
        return set()


def _content(file: Path) -> bytes:
    try:
        return read_small(file, _LARGEST)
    except OSError:
        return b""
