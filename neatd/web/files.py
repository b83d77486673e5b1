"""The page's own files: what is served of them, the word that changes with them, and which modules a view needs."""

from __future__ import annotations

import hashlib
import posixpath
import re
from functools import cache
from pathlib import Path

from neatd import __version__

STATIC = Path(__file__).parent / "static"
KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_IMPORT = re.compile(r"""^(?:import|export)\b[^;]*?["'](\.\.?/[\w/.-]+\.js)["']""", re.MULTILINE)


@cache
def files() -> dict[str, Path]:
    """Name in the page's addresses -> file, of all that is served: no address reaches anything else."""
    return {one.relative_to(STATIC).as_posix(): one for one in STATIC.rglob("*") if one.suffix in KINDS}


@cache
def stamp() -> str:
    """A word that changes with any of the page's files."""
    parts = [__version__, *(f"{name} {one.stat().st_mtime_ns}" for name, one in sorted(files().items()))]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:12]


@cache
def modules_of(script: str) -> tuple[str, ...]:
    """The modules that a view's script imports, and what those import: the browser fetches all of them at once, and not one
    after another as it meets them."""
    found: dict[str, None] = {}
    waiting = [f"{script}.js"]
    while waiting:
        name = waiting.pop(0)
        path = files().get(f"js/{name}")
        if name not in found and path is not None:
            found[name] = None
            here = posixpath.dirname(name)
            waiting += (
                posixpath.normpath(posixpath.join(here, one)) for one in _IMPORT.findall(path.read_text("utf-8"))
            )
    return tuple(found)
