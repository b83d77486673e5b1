"""The plugins of Claude Code that lie in a user's folder: which of them are enabled, and where they are. Writes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from neatd.read.settings import Files

MOST_FOLDERS, DEPTH = 5000, 8  # that are looked into


def plugins(folder: Path, enabled: Mapping[str, bool], files: Files) -> Iterator[tuple[str, Path]]:
    """(name@marketplace, folder) of the enabled plugins with hooks or a server, each once though it lies there in several
    versions. `enabled` is as the settings have it."""
    names = {name.partition("@")[0]: name for name, is_on in enabled.items() if is_on}
    seen: set[str] = set()
    for one in _folders(folder) if names else ():
        name = _name(one, names, files)
        if name and name not in seen:
            seen.add(name)
            yield name, one


def _folders(folder: Path) -> Iterator[Path]:
    """Those that hold a plugin's hooks or server; no link is followed."""
    base, left = len(folder.parts), MOST_FOLDERS
    for here, folders, names in os.walk(folder):
        left -= 1
        if left < 0:
            return
        one = Path(here)
        if ".mcp.json" in names or (one / "hooks" / "hooks.json").is_file():
            yield one
        is_deep = len(one.parts) - base >= DEPTH
        folders[:] = [] if is_deep else sorted(name for name in folders if name not in (".git", "node_modules"))


def _name(folder: Path, names: Mapping[str, str], files: Files) -> str:
    """As the settings call the plugin: by its manifest, else by its folder or the one around its version."""
    told = files.json(folder / ".claude-plugin" / "plugin.json").get("name")
    possible = [told] if isinstance(told, str) else [folder.name, folder.parent.name]
    return next((names[one] for one in possible if one in names), "")
