"""The one row that waits for the next piece of a log: its step or its last values are not certain before. Pure.

tqdm draws at most ten times a second, so the bar above a dict of transformers' Trainer may be behind; the one drawn
again beneath it is not. Lightning draws a step with the loss of the step before, then again with its own.
Only one row waits; whatever comes next but blanks lets it go. Numbers wait as text: a state has no NaN.
"""

from __future__ import annotations

from typing import Any

from neatd.read.formats.logsteps import Found, Memory


def is_held_back(found: Found, memory: Memory) -> bool:
    """Whether a row has to wait: a dict beneath a bar that was wiped for it, or a bar that shows a step twice."""
    if found.waits_for_bar:
        return bool(memory.get("is_wiped"))
    return bool(found.bar) and found.bar not in memory.get("eager", [])


def hold(found: Found, line_time: float | None, memory: Memory) -> None:
    """Keep the row; one that waited is let go before."""
    time = found.time if found.time is not None else line_time
    memory["held"] = {
        "bar": found.bar, "step": found.step, "time": time, "is_epoch": found.is_epoch, "is_strong": found.is_strong,
        "values": {name: repr(value) for name, value in found.values.items()}, "waits": found.waits_for_bar,
    }  # fmt: skip


def let_go(memory: Memory, next_found: Found | None) -> Found | None:
    """The row that waited, now certain; None when there is none, or the next one takes its place."""
    held = memory.get("held")
    if held is None or (
        held["bar"] and next_found and (next_found.bar, next_found.step) == (held["bar"], held["step"])
    ):
        return None
    del memory["held"]
    return _as_found(held, memory, is_bar_next=bool(next_found and next_found.is_main_bar))


def _as_found(held: dict[str, Any], memory: Memory, is_bar_next: bool) -> Found:
    step = held["step"]
    if held["waits"] and is_bar_next and step is not None:
        step = max(step, memory["main"][0])
    values = {name: float(text) for name, text in held["values"].items()}
    return Found(
        values, step, bar=held["bar"], time=held["time"], is_epoch=held["is_epoch"], is_strong=held["is_strong"]
    )
