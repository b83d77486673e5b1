"""What every format's parser takes and gives: bytes and a state in, rows, facts and the state after them out. Pure.

A parser is one function `feed(data, state, seq, label) -> Fed`. Where the bytes were cut changes nothing: feeding a
file whole, in pieces, or byte by byte (what was not consumed comes again with more behind it) gives the same rows with
the same ordinals. The caller commits rows, state and the count of consumed bytes together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypedDict

from neatd.models import Column, Stretch

__all__ = ["BadLine", "Column", "Fed", "Feed", "Parsed", "Stretch", "Told", "whole_lines"]


class Parsed(NamedTuple):
    """One readable row, before it is known to which attempt it belongs."""

    seq: int  # 1-based ordinal within the source; an unreadable line or record has one too
    step: int
    time: float | None  # unix seconds
    values: dict[str, float]  # series name -> number, NaN and infinities kept; may be empty
    is_counted: bool = False  # the row names no step: `step` is its ordinal


class BadLine(NamedTuple):
    """One unreadable line or record: its ordinal and why."""

    seq: int
    why: str


class Told(TypedDict, total=False):
    """What a source says about its run besides numbers. Only what it says: nothing is guessed."""

    config: dict[str, Any]  # parameters, JSON values
    planned_steps: int
    planned_epochs: float
    planned_trials: int
    name: str  # as the tracker calls the run
    status: str  # "running", "finished", "failed" or "killed", as the tracker says
    exit_code: int
    started_at: float  # unix seconds
    ended_at: float
    host: str
    command: str
    commit: str  # of git
    device: str
    params: int  # parameters of the model
    samples: int
    best_checkpoint: str


class Fed(NamedTuple):
    """What one feed found."""

    rows: Sequence[Parsed | Stretch]  # in file order; of a file that is a life, stretches of several series may overlap
    consumed: int  # bytes used up; may reach beyond `data`: so many bytes are passed over unread once they are there
    seq: int  # the last ordinal used so far (the one given, when nothing was found)
    state: dict[str, Any]  # plain JSON values: all that the next feed needs besides the bytes
    bad: list[BadLine] = []  # noqa: RUF012 - never changed in place
    told: Told = {}  # noqa: RUF012 - likewise; keys given here replace what was told before
    is_stuck: bool = False  # nothing behind this can be read: the file is damaged here (`bad` says how)


Feed = Callable[[bytes, dict[str, Any], int, str], Fed]
"""(bytes from the first one not consumed, state, last ordinal used, label that goes before each series name)."""


def whole_lines(data: bytes) -> tuple[list[bytes], int]:
    """(the lines that end within `data`, without their newlines; how many bytes they take)."""
    end = data.rfind(b"\n") + 1
    return (data[: end - 1].split(b"\n") if end else []), end
