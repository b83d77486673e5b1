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
CUT = "\n… cut to the budget: `neat handoff` shows more\n"


def brief(facts: Facts, budget_bytes: int, folders: Sequence[Path]) -> str:
    """The brief in at most `budget_bytes` bytes of UTF-8."""
    limits = {name: min(most, _count(facts, name)) for name, most in LIMITS.items()}
    text = _render(facts, folders, limits)
    while len(text.encode()) > budget_bytes and any(limits.values()):
        _give_up(limits, len(text.encode()) / max(budget_bytes, 1))
        text = _render(facts, folders, limits)
    return _cut(text, budget_bytes)


def _render(facts: Facts, folders: Sequence[Path], limits: dict[str, int]) -> str:
    left_out = tuple(
        "checkpoints" if name == "saves" else name for name, most in limits.items() if not most and _count(facts, name)
    )
    return render("brief.md.j2", facts, folders, limits=limits, left_out=left_out)


def _count(facts: Facts, name: str) -> int:
    return len(facts.git.dirty + facts.git.untracked) if name == "files" else len(getattr(facts, name))


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
    if room <= 0:
        return data[: max(budget_bytes, 0)].decode(errors="ignore")
    kept = data[:room].decode(errors="ignore")
    return kept[: kept.rfind("\n")] + CUT
