"""Blocks and headings that belong together: a line with the list it announces, a problem with its cause. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from neatd.assist.notes import shell
from neatd.assist.notes.blocks import Block
from neatd.assist.notes.context import Here
from neatd.assist.notes.fields import label_of
from neatd.assist.notes.marks import marked
from neatd.assist.notes.outline import Node
from neatd.assist.notes.parts import field_of
from neatd.assist.notes.sections import meaning

_ALERT = re.compile(r"^\[!(?:NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*", re.I)


_APART = frozenset({"task", "bug", "decision", "lesson", "challenge"})  # records of their own in an experiment


_PAIRS = (
    (
        re.compile(r"(?:the )?decision"),
        re.compile(
            r"rationale|context|alternatives(?: considered)?|consequences|implications|implementation details"
            r"|impact"
        ),
    ),
    (
        re.compile(r"(?:the )?(?:problem|issue|bug|symptoms?)(?: description)?"),
        re.compile(
            r"(?:root )?causes?|root cause analysis|fix(?: approach| applied)?|(?:the )?solution|resolution|the fix"
        ),
    ),
)


_FIELDED = frozenset({"decision", "bug", "hypothesis"})


_TOLD_TOGETHER = frozenset({"", "insight", "assessment", "note", "session", "lesson"})


def joined(found: Sequence[Block], here: Here) -> list[Block]:
    """The blocks, a text that ends in a colon with the list it announces as one, where the items are no records."""
    out: list[Block] = []
    for block in found:
        above = out[-1] if out else None
        if (
            block.kind == "item"
            and above
            and above.kind == "paragraph"
            and here.kind in _FIELDED
            and "\n" not in above.text
            and _fills(block, here.kind)
        ) or (
            block.kind == "item"
            and above
            and above.kind == "paragraph"
            and above.text.rstrip(" *_").endswith(":")
            and here.kind in _TOLD_TOGETHER
            and not marked(block.text).is_box
            and not here.source.is_instructions
        ):
            out[-1] = above._replace(lines=(above.lines[0], block.lines[1]), children=(*above.children, block))
        else:
            out.append(block)
    return out


def parted(node: Node) -> tuple[Node, list[Node]]:
    """A heading without the sub-headings that are records of their own, and those."""
    kept: list[Node] = []
    apart: list[Node] = []
    for child in node.children:
        told = meaning(child.title)
        if told.kind in _APART and told.share >= 1.0:
            apart.append(child)
            continue
        whole, inner = parted(child)
        kept.append(whole)
        apart += inner
    return Node(node.text, node.level, node.lines, node.blocks, kept, node.parent), apart


def tells_commands(block: Block, after: Sequence[Block], here: Here) -> bool:
    """Whether a line of text only says what the commands right below it do."""
    if (
        block.kind != "paragraph"
        or not after
        or after[0].kind != "fence"
        or block.lines[0] != block.lines[1]
        or len(block.text) > 120
    ):
        return False
    return (
        here.kind in ("command", "insight", "", "note")
        and label_of(block.text) is None
        and shell.is_shell(after[0].mark, after[0].text)
        and not block.text.rstrip().endswith(("!", "?"))
    )


def _fills(block: Block, kind: str) -> bool:
    """Whether an item is a field of the record that the line above it begins."""
    label = label_of(block.text)
    return (
        bool(label) and bool(field_of(kind, label.name) or label.name.lower() in ("decision", "reversibility", "date"))
        if label
        else False
    )


def paired(children: Sequence[Node]) -> list[Node]:
    """Headings "Decision", "Rationale", "Implementation details" in a row as one, for logs that repeat them."""
    out: list[Node] = []
    for child in children:
        name, first = child.title.lower().strip(": "), out[-1].title.lower().strip(": ") if out else ""
        if any(begin.fullmatch(first) and field.fullmatch(name) for begin, field in _PAIRS) and not any(
            one.level < 7 for one in child.children
        ):
            below = Node(
                child.text,
                7,
                child.lines,
                [*child.blocks, *(block for one in child.children for block in one.blocks)],
                [],
                out[-1],
            )
            out[-1] = Node(
                out[-1].text, out[-1].level, out[-1].lines, out[-1].blocks, [*out[-1].children, below], out[-1].parent
            )
        else:
            out.append(child)
    return out


def unalerted(found: Sequence[Block]) -> list[Block]:
    """The blocks of a quote without the `[!NOTE]` that colours it."""
    return [block._replace(text=_ALERT.sub("", block.text)) if block.kind == "paragraph" else block for block in found]
