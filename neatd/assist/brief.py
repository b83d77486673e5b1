"""The brief: where things stand, within a byte budget. What does not fit is left out from the least needed end, and said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from neatd.assist.facts import Facts
from neatd.assist.render import render

# How many items of each kind a brief starts with, and what is given up first: what an assistant needs least often.
LIMITS = {
    "runs": 12,
    "events": 8,
    "hypotheses": 8,
    "decisions": 8,
    "tasks": 10,
    "bugs": 6,
    "notes": 6,
    "saves": 4,
    "files": 12,
}
GIVE_UP = ("saves", "files", "notes", "bugs", "events", "decisions", "runs", "hypotheses", "tasks")
CUT = "\n… cut to the budget: `neat handoff` shows everything\n"


def brief(facts: Facts, budget_bytes: int, folders: Sequence[Path]) -> str:
    """The brief in at most `budget_bytes` bytes of UTF-8."""
    limits = dict(LIMITS)
    text = render("brief.md.j2", facts, folders, limits=limits)
    while len(text.encode()) > budget_bytes and any(limits.values()):
        _give_up(limits, len(text.encode()) / budget_bytes)
        text = render("brief.md.j2", facts, folders, limits=limits)
    return _cut(text, budget_bytes)


def _give_up(limits: dict[str, int], excess: float) -> None:
    """Shrink one step: halve everything while far over, else take one item from the fullest least needed kind."""
    if excess > 1.5:
        for name, count in limits.items():
            limits[name] = count // 2 if count > 1 else count
        if any(count > 1 for count in limits.values()):
            return
    name = next((one for one in GIVE_UP if limits[one] > 2), None) or next(one for one in GIVE_UP if limits[one])
    limits[name] -= 1


def _cut(text: str, budget_bytes: int) -> str:
    """The last resort: whole lines up to the budget, with a line that says so."""
    data = text.encode()
    if len(data) <= budget_bytes:
        return text
    room = budget_bytes - len(CUT.encode())
    kept = data[:room].decode(errors="ignore")
    return kept[: kept.rfind("\n")] + CUT
