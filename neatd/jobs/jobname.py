"""What a job may be called: as a run's folder may be, since names stand in paths, in commands and on lines. Pure."""

from __future__ import annotations

from neatd.errors import NeatError


def refuse_name(name: str, of: str = "job") -> None:
    """Raises NeatError for a name that would lead elsewhere, be taken for an option, or break a line."""
    parts = name.split("/")
    is_path = any(part in ("", ".") or ".." in part or "\\" in part or part.startswith("~") for part in parts)
    if is_path or name.startswith("-") or not name.isprintable():
        raise NeatError(
            f"not a name for a {of}: {name!r}", "use letters, digits, - and _, and / for folders in between"
        )
