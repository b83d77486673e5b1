"""The line that tells a document of neat's from a file of somebody's: neat writes above it, and only where it stands.

It holds the time for which the document was rendered. Rendered again for that time, the same facts give the same bytes:
so a document is written anew only when more than the time has changed, whatever its template makes of the time.
"""

from __future__ import annotations

import re
from collections import deque
from datetime import UTC, datetime
from typing import NamedTuple

from neatd.assist.block import without_block

_LINE = re.compile(
    rb"^<!-- written by neat from (?P<template>[^\s>]+) for (?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ):"
    rb" changes above this line are overwritten -->\r?$\n?",
    re.M,
)


class Written(NamedTuple):
    """A document as it lies there: when it was rendered, and what somebody added below neat's line."""

    at: datetime | None  # None for a file that holds nothing yet but the block of `neat init`
    below: bytes


def marker(template: str, at: datetime) -> str:
    """The line that ends a document."""
    moment = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return f"<!-- written by neat from {template}.md.j2 for {moment}: changes above this line are overwritten -->\n"


def signed(text: str, template: str, at: datetime, below: bytes = b"") -> bytes:
    """A document's bytes: the text, neat's line, and what stood below it."""
    return (text.rstrip("\n") + "\n\n" + marker(template, at)).encode() + below


def written(data: bytes) -> Written | None:
    """What `data` tells of a document of neat's; None for a file of somebody's, which must not be overwritten."""
    lines = deque(_LINE.finditer(data), maxlen=1)  # the last one: a text above may quote the line
    if not lines:
        return None if without_block(data).strip() else Written(None, data)
    line = lines[0]
    try:
        at = datetime.strptime(line["at"].decode(), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:  # a 31st of February: somebody's hand was there
        at = None
    return Written(at, data[line.end() :])
