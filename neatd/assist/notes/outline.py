"""Blocks to a tree of headings. A line that is nothing but bold words or words and a colon, above a list, counts as a
heading of the lowest level. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from neatd.assist.notes import fields
from neatd.assist.notes.blocks import Block
from neatd.assist.notes.plain import bare

LABEL_LEVEL = 7
_BOLD_LINE = re.compile(
    r"^[^\w*\n]{0,6}(?:\*\*|__)([^*\n]{1,100})(?:\*\*|__)[ \t]*(\([^()\n]{1,80}\))?[ \t]*:?[^\w\n]{0,4}$"
)
_COLON_LINE = re.compile(r"^[^\w\n]{0,4}([^\n|]{1,100}):[*_]{0,3}$")
_SENTENCE_END = (".", "!", "?", ",", ";")


@dataclass(eq=False)
class Node:
    """A heading with what stands under it, before its first sub-heading and in them."""

    text: str
    level: int
    lines: tuple[int, int]  # of the heading; (0, 0) for the file itself
    blocks: list[Block] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)
    parent: Node | None = None

    @property
    def title(self) -> str:
        return bare(self.text)

    def path(self) -> list[Node]:
        """The headings from the top to this one, the file itself left out."""
        found: list[Node] = []
        node: Node | None = self
        while node is not None and node.level:
            found.append(node)
            node = node.parent
        return found[::-1]

    def section(self) -> str:
        """The headings above, joined."""
        return " / ".join(node.title[:200] for node in self.path())

    def walk(self) -> Iterator[Node]:
        """This node and all below it, in the order of the file."""
        yield self
        for child in self.children:
            yield from child.walk()


def outline(found: Sequence[Block]) -> Node:
    """The tree of these blocks; its root is the file."""
    root = Node("", 0, (0, 0))
    here = root
    for at, block in enumerate(found):
        after = found[at + 1] if at + 1 < len(found) else None
        if block.kind == "heading":
            here = _under(here, Node(block.text, block.level, block.lines))
        elif label := label_of(block, after):
            here = _under(here, Node(label, LABEL_LEVEL, block.lines))
        else:
            before = found[at - 1] if at else None
            here = _top(root, here) if _is_footer(block, before) else _ended(here, block)
            here.blocks.append(block)
    return root


def _under(here: Node, node: Node) -> Node:
    while here.level >= node.level:
        assert here.parent is not None
        here = here.parent
    node.parent = here
    here.children.append(node)
    return node


def _is_footer(block: Block, before: Block | None) -> bool:
    """A line in bold or italics below a rule: it tells of the file and not of the section above."""
    return (
        before is not None
        and before.kind == "rule"
        and block.kind == "paragraph"
        and block.text.lstrip()[:1] in ("*", "_")
    )


def _top(root: Node, here: Node) -> Node:
    """The file's own title, when all stands under one."""
    return root.children[0] if len(root.children) == 1 and root.children[0].level == 1 and here.level else root


def _ended(here: Node, block: Block) -> Node:
    """The node `block` belongs to: a label holds its list or text, and not the paragraph after it."""
    if here.level == LABEL_LEVEL and here.blocks and here.parent is not None:
        is_text = block.kind == "paragraph" and here.blocks[-1].kind != "paragraph"
        if block.kind == "rule" or is_text:
            return here.parent
    return here


def label_of(block: Block, after: Block | None) -> str:
    """The words of a block that works as a heading; "" for every other block."""
    if block.kind != "paragraph" or block.lines[0] != block.lines[1]:
        return ""
    text = block.text.strip()
    bold = _BOLD_LINE.match(text)
    if bold and not bold[1].rstrip(": ").endswith(_SENTENCE_END):
        is_followed = after is not None and after.kind not in ("heading", "rule", "front")
        return f"{bold[1]} {bold[2] or ''}".strip().rstrip(":").strip() if is_followed else ""
    if after is None or after.kind not in ("item", "fence", "table"):
        return ""
    field_name = fields.label_of(text)
    if field_name and field_name.value.strip("*_ :"):
        return ""
    colon = _COLON_LINE.match(text)
    return colon[1].strip("*_ ") if colon and not re.search(r"[.!?]\s", colon[1]) else ""
