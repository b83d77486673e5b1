"""The page's token: whoever shows it may change what the page can change. Kept in NEAT_HOME, for its owner's eyes only."""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path

from neatd.errors import NeatError

BYTES = 24


def token_path(home: Path) -> Path:
    """Where the token lies."""
    return home / "page-token"


def page_token(home: Path) -> str:
    """The token, made when there is none. Raises NeatError where it can neither be read nor made."""
    path = token_path(home)
    try:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            text = path.read_text(encoding="ascii").strip()
            if len(text) >= BYTES:
                return text
            path.unlink()  # torn while it was written: nobody has it
            return page_token(home)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(token := secrets.token_urlsafe(BYTES))
            file.flush()
            os.fsync(file.fileno())
        return token
    except (OSError, UnicodeDecodeError) as error:
        raise NeatError(
            f"the page's token {path} cannot be kept: {error}", "look at the folder's permissions"
        ) from error


def is_token(shown: str, token: str) -> bool:
    """Whether it is the token, in a time that tells nothing of how much of it is right."""
    return hmac.compare_digest(shown.encode("utf-8", "replace"), token.encode())
