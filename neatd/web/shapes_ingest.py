"""What became of lines that a machine sent, as types."""

from __future__ import annotations

from neatd.web.shapes import Shape


class NotTaken(Shape):
    """A line that cannot be kept: its number in the body, from 1 on."""

    line: int
    reason: str


class TakenShape(Shape):
    """What became of a request's lines. `doubled` were there before."""

    run: str
    lines: int
    new: int
    doubled: int
    refused: list[NotTaken]
    config: bool
