"""The brief: where things stand, within a byte budget.

What does not fit falls off whole, in the order that the template states, and is counted in its last lines. Preferences
never do: when they leave no room, the budget yields, and the brief says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from neatd.assist.facts import Facts
from neatd.assist.fitting import Page, Stage, size, stages
from neatd.assist.markdown import without_controls
from neatd.assist.render import filters
from neatd.assist.sandbox import opened
from neatd.redact_own import redactor

LARGEST_PART = 4  # an item larger than this part of the budget falls off first, so that it does not push out all others
LINE_PART = 8  # the line on what fell off takes at most this part of the budget
FRAME_BYTES = 600  # of a brief around preferences that pass the budget: its heading and its last lines
CUT = "\n… cut to the budget: `neat handoff` shows more\n"


class _Brief(NamedTuple):
    text: str
    kept_bytes: int


class _Says(NamedTuple):
    """What a template says of falling off, in variables of these names, `order` in `drop_order`."""

    order: list[Stage]
    shown_by: dict[str, str]  # kind -> the command that shows it
    beyond: Counter[str]  # kind -> how many there are besides those it was given


def brief(facts: Facts, budget_bytes: int, folders: Sequence[Path]) -> str:
    """The brief in at most `budget_bytes` bytes of UTF-8, or larger by preferences that alone take more."""
    made = _made(facts, budget_bytes, folders)
    if made.kept_bytes and size(made.text) > budget_bytes:
        made = _made(facts, budget_bytes, folders, is_over=True)
        return _cut(made.text, max(budget_bytes, made.kept_bytes + FRAME_BYTES + budget_bytes // LINE_PART))
    return _cut(made.text, budget_bytes)


def _made(facts: Facts, budget_bytes: int, folders: Sequence[Path], is_over: bool = False) -> _Brief:
    page = Page(redactor(Path(facts.root)))
    with opened("brief.md.j2", folders, filters(facts)) as template:
        words = {"facts": facts, "budget": budget_bytes, "is_over": is_over, **page.words()}
        module = template.make_module(words)
        page.take(str(module))
        says = _Says(
            stages(getattr(module, "drop_order", ())), dict(getattr(module, "shown_by", {})),
            Counter({kind: int(count) for kind, count in dict(getattr(module, "beyond", {})).items() if count}),
        )  # fmt: skip
        return _Brief(_fitted(page, says, budget_bytes), page.kept_bytes)


def _fitted(page: Page, says: _Says, budget_bytes: int) -> str:
    """The page with as many items as fit beside the line on those that do not."""
    fallen = page.fit(says.order, budget_bytes)
    line, reserve = "", 0
    while (fallen or says.beyond) and not (line and size(line) <= reserve):
        reserve = max(size(line), reserve)
        largest = budget_bytes // LARGEST_PART if fallen else None
        fallen = page.fit(says.order, budget_bytes - reserve, largest)
        line = _left_out(fallen + says.beyond, says, budget_bytes)
    return page.clean(without_controls(page.text(line)))  # first: a secret may be split by one


def _left_out(fallen: Counter[str], says: _Says, budget_bytes: int) -> str:
    """How many of what is not there and the commands that show them, the most needed first; the last of a long list are
    counted together."""
    by_command: dict[str, list[str]] = {}
    for kind in dict.fromkeys((*(kind for kind, _ in reversed(says.order)), *fallen)):
        if fallen[kind]:
            by_command.setdefault(says.shown_by.get(kind, f"neat list {kind}"), []).append(kind)
    said, rest = "Left out: ", sum(fallen.values())
    most = max(150, budget_bytes // LINE_PART)
    parts: list[str] = []
    for command, some in by_command.items():
        part = ", ".join(_counted(fallen[kind], kind) for kind in some) + f" (`{command}`)"
        if size(said + "; ".join([*parts, part])) > most:
            break
        parts.append(part)
        rest -= sum(fallen[kind] for kind in some)
    if rest:
        parts.append(f"{rest} {'more' if parts else 'items'} (`neat handoff`)")
    return f"{said}{'; '.join(parts)}.\n\n"


def _counted(count: int, kind: str) -> str:
    if count == 1:
        return f"1 {kind}"
    return f"{count} {kind[:-2]}es" if kind.endswith("sis") else f"{count} {kind}s"


def _cut(text: str, budget_bytes: int) -> str:
    """The last resort, for a template without items: whole lines up to the budget, with a line that says so."""
    data = text.encode()
    if len(data) <= budget_bytes:
        return text
    room = budget_bytes - len(CUT.encode())
    if room <= 0:
        return data[: max(budget_bytes, 0)].decode(errors="ignore")
    kept = data[:room].decode(errors="ignore")
    return kept[: kept.rfind("\n")] + CUT
