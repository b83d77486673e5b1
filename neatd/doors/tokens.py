"""The page's token: whoever shows it may change what the page can change. Kept in NEAT_HOME, for its owner's eyes only.

Whoever takes the file away takes the token back: the next look makes another one, and the old one no longer holds.
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from pathlib import Path

from neatd.errors import NeatError

BYTES = 24
LARGEST = 1000  # bytes of its file


def token_path(home: Path) -> Path:
    """Where the token lies."""
    return home / "page-token"


def forget_token(home: Path) -> None:
    """Take the token back; whoever needs one next makes another."""
    token_path(home).unlink(missing_ok=True)


def page_token(home: Path) -> str:
    """The token, made when there is none, or when others could have read it. Raises NeatError where it can neither be
    read nor made."""
    path = token_path(home)
    try:
        for _ in range(3):
            text = _kept(path)
            if text:
                return text
            _put(path)
        raise OSError("it changes while it is read")
    except OSError as error:
        raise NeatError(
            f"the page's token {path} cannot be kept: {error}", "look at the folder's permissions"
        ) from error


def _kept(path: Path) -> str:
    """The token of a file that is its owner's alone; "" where there is none, with nothing in its place."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return ""
    except OSError:
        path.unlink()  # a link, or nothing that we may read
        return ""
    with os.fdopen(descriptor, "rb") as file:
        is_own = _is_own(file.fileno())
        text = file.read(LARGEST).decode("ascii", "replace").strip() if is_own else ""
    if len(text) < BYTES:
        path.unlink(missing_ok=True)  # torn while it was written, or seen by others
        return ""
    return text


def _is_own(descriptor: int) -> bool:
    """Whether nobody else can have read it, where the file system knows of others."""
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        return False
    if os.name != "posix" or not found.st_mode & 0o077:
        return os.name != "posix" or found.st_uid == os.getuid()
    try:
        os.fchmod(descriptor, 0o600)
    except OSError:
        return True  # a disk without permissions
    return bool(os.fstat(descriptor).st_mode & 0o077)  # the same; else it was open to others until now


def _put(path: Path) -> None:
    """A new token, whole from the moment at which it is there; nothing where another process was faster."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(beside)
        except FileExistsError:
            return
        except OSError:  # a disk without links
            beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


class Token:
    """The token that holds at the moment, read again when its file changed."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._text, self._seen = page_token(home), self._look()

    def __call__(self) -> str:
        now = self._look()
        if now is None or now != self._seen:
            self._text, self._seen = page_token(self._home), self._look()
        return self._text

    def _look(self) -> tuple[int, ...] | None:
        try:
            found = os.lstat(token_path(self._home))
        except OSError:
            return None
        return (found.st_ino, found.st_mtime_ns, found.st_size, found.st_mode, found.st_uid)


def is_token(shown: str, token: str) -> bool:
    """Whether it is the token, in a time that tells nothing of how much of it is right."""
    return hmac.compare_digest(shown.encode("utf-8", "replace"), token.encode())
