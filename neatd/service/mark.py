"""The mark in what `neatd install` writes: by it, a file that somebody edited is known from one that is as it was written.

The mark is the hash of every other line, in a comment.
"""

from __future__ import annotations

import hashlib
import re

_MARK = re.compile(r"written by `neatd install`, ([0-9a-f]{16})")


def marked(text: str, comment: str) -> str:
    """`text` with the mark where it holds `comment`, a line such as "# {}"."""
    place = comment.format("MARK")
    return text.replace(place, comment.format(f"written by `neatd install`, {_hash(text.replace(place, '', 1))}"), 1)


def is_as_written(text: str, comment: str) -> bool:
    """Whether nobody has changed it since."""
    found = _MARK.search(text)
    return found is not None and _hash(text.replace(comment.format(found.group(0)), "", 1)) == found.group(1)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
