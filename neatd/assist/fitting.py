"""Whole items within a byte budget. A template says what there is and in what order it falls off; here it is measured.

A template places lists of items, each with the macro that writes one. Nothing is written before it is known to be
needed: the items are taken in the reverse of the order in which they fall off, until the next one does not fit. So ten
thousand records cost no more than the fifty that are shown. No item is ever cut.
"""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Macro = Callable[..., str]
Stage = tuple[str, int]  # a kind, and how many of it stay until a later stage


@dataclass(eq=False, slots=True)
class Item:
    """One thing that is shown whole or not at all; a detail only under what it belongs to."""

    kind: str
    values: tuple[Any, ...]  # what the macro is called with
    macro: Macro
    group: Group
    owner: Item | None = None
    text: str | None = None
    is_kept: bool = False
    waiting: list[Item] | None = None  # details that would fall off after this item itself


@dataclass(eq=False, slots=True)
class Section:
    """Text around groups, gone when all their items are."""

    nodes: list[Node] = field(default_factory=list)
    shown: int = 0

    @property
    def bytes(self) -> int:
        return sum(size(node) for node in self.nodes if isinstance(node, str))


@dataclass(eq=False, slots=True)
class Group:
    """A list of items, with what stands before and after it as long as one of them is shown."""

    before: str
    after: str
    items: list[Item] = field(default_factory=list)
    section: Section | None = None
    shown: int = 0


@dataclass(eq=False, slots=True)
class Kept:
    """Text that never falls off and is never cut."""

    text: str


@dataclass(eq=False, slots=True)
class LeftOut:
    """Where the line on what fell off stands."""


Node = str | Section | Group | Kept | LeftOut


def size(text: str) -> int:
    """Bytes of UTF-8."""
    return len(text.encode())


def stages(order: Iterable[str]) -> list[Stage]:
    """A template's drop order, "note > 4" meaning that four notes stay for now. Raises ValueError on other words."""
    found = []
    for word in order:
        kind, bar, rest = word.partition(">")
        found.append((kind.strip(), int(rest) if bar else 0))
    return found


class Page:
    """One rendering. `words()` is what its template may call; `clean` is applied to every text before it is measured."""

    def __init__(self, clean: Callable[[str], str]) -> None:
        self.clean = clean
        self._mark = uuid.uuid4().hex  # of this rendering only: no record's text can hold it
        self._nodes: list[Node] = []
        self._by_kind: dict[str, list[Item]] = {}
        self._top: list[Node] = []

    def words(self) -> dict[str, Any]:
        """The functions for the template, and the place of the line on what fell off."""
        return {"items": self._items, "section": self._section, "keep": self._keep, "left_out": self._place(LeftOut())}

    def _items(
        self, kind: str, values: Iterable[Any], macro: Macro, before: str = "", after: str = "",
        details: Mapping[str, tuple[str, Macro]] | None = None, need: str = "",
    ) -> str:  # fmt: skip
        """A list of items of a kind, each written by `macro(value)`. `details` are further items under each value:
        {kind: (field, macro)} for every one in that field, written by `macro(detail, value)`. `need` is the field of a
        value by which they fall off, the highest first, where that is not the last of the list first."""
        group = Group(before, after)
        for value in values:
            item = self._add(Item(kind, (value,), macro, group))
            for name, (attribute, write) in (details or {}).items():
                for one in _field(value, attribute):
                    self._add(Item(name, (one, value), write, group, item))
        if need:
            self._by_kind.get(kind, []).sort(key=lambda item: _field(item.values[0], need))
        return self._place(group)

    def _add(self, item: Item) -> Item:
        item.group.items.append(item)
        self._by_kind.setdefault(item.kind, []).append(item)
        return item

    def _section(self, caller: Macro) -> str:
        """What stands in the block is there as long as one item of its lists is."""
        section = Section(self._split(caller()))
        for node in section.nodes:
            if isinstance(node, Group):
                node.section = section
        return self._place(section)

    def _keep(self, text: str) -> str:
        """Text that is always there, whole."""
        return self._place(Kept(self.clean(text)))

    def _place(self, node: Node) -> str:
        self._nodes.append(node)
        return f"\x00{self._mark}{len(self._nodes) - 1}\x00"

    def _split(self, text: str) -> list[Node]:
        """Text and what was placed in it, in order."""
        parts = re.split(rf"\x00{self._mark}(\d+)\x00", text)
        return [self._nodes[int(part)] if index % 2 else self._plain(part) for index, part in enumerate(parts)]

    def _plain(self, text: str) -> str:
        return self.clean(re.sub(r"\n{3,}", "\n\n", text))

    def take(self, text: str) -> None:
        """The text that the template gave, with what it placed."""
        self._top = self._split(text.lstrip())

    @property
    def kept_bytes(self) -> int:
        """Of what never falls off."""
        return sum(size(node.text) for node in self._top if isinstance(node, Kept))

    @property
    def frame_bytes(self) -> int:
        """Of what is there when all items have fallen off."""
        return self.kept_bytes + sum(size(node) for node in self._top if isinstance(node, str))

    def fit(self, order: Sequence[Stage], room_bytes: int, largest_bytes: int | None = None) -> Counter[str]:
        """Keep items, those that fall off last first, until the next takes more than is left of `room_bytes` besides
        the frame. Those larger than `largest_bytes` fall off before all others. Returns how many of each kind did."""
        self._clear()
        room = room_bytes - self.frame_bytes
        for item in self._with_owners(order):
            cost = size(self._written(item))
            if largest_bytes is not None and cost > largest_bytes:
                continue
            room -= cost + _around(item.group)
            if room < 0:
                break
            item.is_kept = True
            item.group.shown += 1
            if item.group.section:
                item.group.section.shown += 1
        return Counter(item.kind for some in self._by_kind.values() for item in some if not item.is_kept)

    def text(self, left_out: str) -> str:
        """The page with the items that are kept, and the line on the others in its place, else at the end."""
        has_place = any(isinstance(node, LeftOut) for node in self._top)
        return self._joined(self._top, left_out) + ("" if has_place else left_out)

    def _clear(self) -> None:
        for item in (item for some in self._by_kind.values() for item in some):
            item.is_kept = False
            item.waiting = None
            item.group.shown = 0
            if item.group.section:
                item.group.section.shown = 0

    def _with_owners(self, order: Sequence[Stage]) -> Iterator[Item]:
        """_by_need, but a detail comes behind what it belongs to, and not at all when that is not kept."""
        for item in self._by_need(order):
            if item.owner is not None and not item.owner.is_kept:
                item.owner.waiting = [*(item.owner.waiting or ()), item]
                continue
            yield item
            if item.is_kept:
                yield from item.waiting or ()

    def _by_need(self, order: Sequence[Stage]) -> Iterator[Item]:
        """Items from the one that falls off last to the first. A kind without a stage comes before all."""
        left = {kind: len(some) for kind, some in self._by_kind.items()}
        cuts: list[tuple[str, int, int]] = []
        for kind, stay in order:
            cuts.append((kind, stay, left.get(kind, 0)))
            left[kind] = min(stay, left.get(kind, 0))
        cuts.extend((kind, 0, count) for kind, count in left.items())
        for kind, first, end in reversed(cuts):
            yield from self._by_kind.get(kind, [])[first:end]

    def _written(self, item: Item) -> str:
        if item.text is None:
            item.text = self.clean(str(item.macro(*item.values)))
        return item.text

    def _joined(self, nodes: Iterable[Node], left_out: str) -> str:
        return "".join(self._shown(node, left_out) for node in nodes)

    def _shown(self, node: Node, left_out: str) -> str:
        match node:
            case Section():
                return self._joined(node.nodes, left_out) if node.shown else ""
            case Group():
                kept = "".join(item.text or "" for item in node.items if item.is_kept)
                return f"{node.before}{kept}{node.after}" if node.shown else ""
            case Kept():
                return node.text
            case LeftOut():
                return left_out
            case _:
                return node


def _field(value: Any, name: str) -> Any:
    """A field of one of our values; nothing else, because the name comes from a template."""
    if name not in (*getattr(type(value), "model_fields", ()), *getattr(type(value), "_fields", ())):
        raise ValueError(f"{type(value).__name__} has no field {name!r}")
    return getattr(value, name)


def _around(group: Group) -> int:
    """Bytes of what comes with the first item of a group and of its section."""
    if group.shown:
        return 0
    heading = group.section.bytes if group.section and not group.section.shown else 0
    return size(group.before) + size(group.after) + heading
