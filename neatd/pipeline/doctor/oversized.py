"""What is larger than an assistant takes: a session's context, preferences, CLAUDE.md, the chain of AGENTS.md."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from neatd.assist.context import MOST_CHARACTERS, cleaned
from neatd.config import load_project
from neatd.errors import NeatError
from neatd.files import read_small
from neatd.pipeline.doctor.finding import Finding
from neatd.pipeline.recalling import recall
from neatd.pipeline.wiring import Homes
from neatd.place import Place
from neatd.read.settings import Files
from neatd.store import records as kept
from neatd.who import CLAUDE, CODEX

CLAUDE_CHARACTERS = 40_000  # of one CLAUDE.md, beyond which Claude Code warns
CODEX_BYTES = 32 * 1024  # of AGENTS.md files together: its project_doc_max_bytes, unless told otherwise
_LARGEST = 8 << 20


def oversized(
    home: Path, place: Place, records: sqlite3.Connection | None, user: Homes, assistants: set[str]
) -> Iterator[Finding]:
    """A finding for each thing that is too large."""
    yield from _brief(home, place, records)
    yield from _preferences(place, records)
    if CLAUDE in assistants:
        yield from _claude(place.root)
    if CODEX in assistants:
        yield from _codex(place.root, user)


def _brief(home: Path, place: Place, records: sqlite3.Connection | None) -> Iterator[Finding]:
    budget = _budget(place.root)
    brief = _text(place.root / ".neat" / "brief.md").strip("\n")
    mend = f"a smaller brief.budget_bytes in neat.yaml (now {budget:,}); fewer, shorter preferences"
    try:
        is_cut = cleaned(brief) not in recall(home, place, records) if records else len(brief) > MOST_CHARACTERS
    except (sqlite3.Error, NeatError, OSError):
        is_cut = len(brief) > MOST_CHARACTERS
    if is_cut:
        text = (
            f"its {len(brief):,} characters do not fit into the {MOST_CHARACTERS:,} that a session's start is told: cut"
        )
        yield Finding("brief", "note", text, mend, {"characters": len(brief), "most": MOST_CHARACTERS})
    elif budget > MOST_CHARACTERS:
        text = f"may grow to {budget:,} bytes, and a session's start is told {MOST_CHARACTERS:,} characters"
        yield Finding("brief", "note", text, mend, {"budget_bytes": budget, "most": MOST_CHARACTERS})


def _budget(root: Path) -> int:
    try:
        return load_project(root).brief.budget_bytes
    except NeatError:
        return 0  # the project's own check says it


def _preferences(place: Place, records: sqlite3.Connection | None) -> Iterator[Finding]:
    """They are told whole, whatever the budget says."""
    try:
        found = kept.list_records(records, "preference", place.project_id) if records else []
    except sqlite3.Error:
        return
    texts = [f"{one.title}\n{one.body}".strip() for one in found if not one.is_closed]
    characters, size = sum(map(len, texts)), sum(len(one.encode()) for one in texts)
    mend = "`neat list preference`, and `neat close` those that no longer matter; long ones fit into a document"
    details = {"count": len(texts), "characters": characters, "bytes": size}
    budget = _budget(place.root)
    if characters > MOST_CHARACTERS:
        text = f"{len(texts)} alone take {characters:,} characters of the {MOST_CHARACTERS:,} that an assistant is told"
        yield Finding("preferences", "note", text, mend, details)
    elif budget and size > budget:
        text = f"{len(texts)} alone take {size:,} bytes of the brief's {budget:,}: it grows beyond, without the rest"
        yield Finding("preferences", "note", text, mend, details)


def _claude(root: Path) -> Iterator[Finding]:
    for name in ("CLAUDE.md", ".claude/CLAUDE.md", "CLAUDE.local.md"):
        count = len(_text(root / name))
        if count > CLAUDE_CHARACTERS:
            text = f"{count:,} characters; Claude Code warns beyond {CLAUDE_CHARACTERS:,}"
            mend = "shorten it, or move parts to files that it names"
            yield Finding(name, "note", text, mend, {"characters": count, "most": CLAUDE_CHARACTERS})


def _codex(root: Path, user: Homes) -> Iterator[Finding]:
    """The files that Codex joins, from the repository's folder down."""
    told = [
        Files().toml(folder / "config.toml").get("project_doc_max_bytes") for folder in (root / ".codex", user.codex)
    ]
    most = next((one for one in told if isinstance(one, int) and not isinstance(one, bool)), CODEX_BYTES)
    chain = [path for folder in _down_to(root) if (path := _instructions(folder))]
    size = sum(path.stat().st_size for path in chain)
    if size > most:
        text = f"{size:,} bytes in {len(chain)} file{'s' if len(chain) > 1 else ''}; Codex takes {most:,} and cuts the rest"
        mend = "shorten them, or raise project_doc_max_bytes in Codex's config.toml"
        yield Finding("AGENTS.md", "note", text, mend, {"bytes": size, "most": most})


def _down_to(root: Path) -> list[Path]:
    above = [root, *root.parents]
    top = next((number for number, folder in enumerate(above) if os.path.lexists(folder / ".git")), 0)
    return above[: top + 1][::-1]


def _instructions(folder: Path) -> Path | None:
    paths = (folder / "AGENTS.override.md", folder / "AGENTS.md")
    return next((path for path in paths if path.is_file()), None)


def _text(path: Path) -> str:
    try:
        return read_small(path, _LARGEST).decode("utf-8", "replace")
    except OSError:
        return ""
