"""What stands below an item or a heading, as named parts: `Solution: …`, `**Context**`, "### Consequences". Pure.

A kind takes the parts it has fields for; what no field takes stays in the body, as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from neatd.assist.notes.blocks import Block
from neatd.assist.notes.fields import files_of, label_of
from neatd.assist.notes.marks import marked
from neatd.assist.notes.outline import Node
from neatd.assist.notes.plain import plain
from neatd.assist.notes.sections import normal


class Part(NamedTuple):
    """A named piece: `text` what it says, `raw` as it is written with its name, `items` when it is a list."""

    name: str
    text: str
    raw: str
    items: tuple[str, ...] = ()


def _names(**fields: str) -> dict[str, str]:
    return {name: field for field, names in fields.items() for name in names.split("|")}


_COMMON = {"status": "status", "state": "status", "tags": "tags", "labels": "tags"}
NAMES: dict[str, dict[str, str]] = {
    "bug": _names(
        cause="root cause|cause|causes|reason|why|because|diagnosis|underlying cause|root causes"
        "|why it happened|root cause analysis",
        fix="solution|fix|fixed by|resolution|fixed|solved|how fixed|the fix|fix applied|resolved|resolved by"
        "|solution applied|what fixed it|fix approach|the solution",
        follow_up="future fix|follow-up|follow up|followup|todo|next|next step|next steps|remaining|to do|still to do",
        before="before",
        after="after",
        file="files|file|location|locations|files changed|files modified|affected files|where|files affected"
        "|file changed",
    ),
    "decision": _names(
        why="rationale|why|reason|reasons|reasoning|because|justification|motivation|decision drivers"
        "|the reason|rational",
        context="context|background|problem|problem statement|context and problem statement|issue|situation"
        "|forces|the problem|challenge|question",
        alternative="alternatives|alternatives considered|options considered|considered options|options|rejected"
        "|rejected alternatives|alternative|considered alternatives|other options|alternatives rejected"
        "|considered",
        implication="consequences|implications|impact|trade-offs|tradeoffs|trade-off|positive consequences"
        "|negative consequences|consequence|implication|positive|negative|neutral|effects|tradeoff|risks"
        "|downsides|cons|positives|negatives",
        supersedes="supersedes|replaces",
    ),
    "hypothesis": _names(
        predict="prediction|predict|expected|expected result|expected outcome|success criteria|success criterion"
        "|threshold",
        run="run|run id|run name",
        verdict="result|results|verdict|outcome|conclusion",
    ),
    "task": _names(phase="phase|milestone|sprint", horizon="horizon|due|deadline|when|timeline|priority"),
    "change": _names(
        before="before|was|old|previously",
        after="after|now|new",
        file="files|file|files changed|files modified|location",
    ),
    "experiment": _names(run="run|run id|run name|wandb run"),
    "insight": _names(component="component|area|module|subsystem", phase="phase"),
    "assessment": _names(component="component|area|module|subsystem", phase="phase"),
    "lesson": _names(phase="phase"),
    "challenge": _names(phase="phase"),
    "document": _names(path="path|location|file"),
    "service": _names(url="url|address|endpoint", about="purpose|role|does"),
}
_LISTED = {"file", "alternative", "implication", "tags"}


def field_of(kind: str, name: str) -> str:
    """The field of `kind` that a part of this name fills; "" for none."""
    words = normal(name).replace("'", "")
    return NAMES.get(kind, {}).get(words) or _COMMON.get(words, "")


def raw_of(source: Sequence[str], lines: tuple[int, int]) -> str:
    """The lines as they are written, moved left together."""
    rows = [row.expandtabs(4).rstrip() for row in source[lines[0] - 1 : lines[1]]]
    width = min((len(row) - len(row.lstrip()) for row in rows if row), default=0)
    return "\n".join(row[width:] for row in rows).strip("\n")


def parts_of(source: Sequence[str], found: Sequence[Block]) -> list[Part]:
    """The parts in these blocks, in order; what has no name has the name ""."""
    parts: list[Part] = []
    is_listing = False  # the items continue a named part: "**Alternatives:**" with its list below
    for block in found:
        if block.kind == "paragraph":
            parts += _lines_parts(source, block)
        elif block.kind == "item":
            part = _item_part(source, block)
            is_listing = not part.name and bool(parts) and bool(parts[-1].name) and (is_listing or not parts[-1].text)
            if is_listing:
                last, words = parts[-1], plain(marked(block.text).text)
                text = f"{last.text}\n{part.raw}".strip("\n")
                parts[-1] = Part(last.name, text, f"{last.raw}\n{part.raw}", (*last.items, words))
            else:
                parts.append(part)
            continue
        elif block.kind not in ("rule", "comment"):
            _add_plain(parts, raw_of(source, block.lines))
        is_listing = False
    return parts


def _add_plain(parts: list[Part], raw: str) -> None:
    """Words without a name continue the named part before them when that one says nothing yet."""
    if parts and parts[-1].name and not parts[-1].text:
        last = parts[-1]
        parts[-1] = last._replace(
            text=raw, raw=f"{last.raw}\n{raw}", items=tuple(raw.split("\n")) if len(raw) < 4000 else ()
        )
    else:
        parts.append(Part("", raw, raw))


def _lines_parts(source: Sequence[str], block: Block) -> list[Part]:
    """A paragraph: one part, or one a line where every line is a field."""
    rows = [(number, source[number - 1].strip()) for number in range(block.lines[0], block.lines[1] + 1)]
    labels = [label_of(text) for _, text in rows]
    if not labels[0]:
        return [Part("", block.text, raw_of(source, block.lines))]
    parts: list[Part] = []
    for (_, text), label in zip(rows, labels, strict=True):
        if label and (label.is_bold or not parts or not parts[-1].text.endswith((",", " and"))):
            parts.append(Part(label.name, label.value, text))
        else:  # it runs on
            last = parts[-1]
            parts[-1] = last._replace(text=f"{last.text}\n{text}".strip(), raw=f"{last.raw}\n{text}")
    return parts


def _item_part(source: Sequence[str], block: Block) -> Part:
    raw = raw_of(source, block.lines)
    label = label_of(marked(block.text).text)
    if not label:
        return Part("", block.text, raw)
    below = [plain(marked(child.text).text) for child in block.children if child.kind in ("item", "paragraph")]
    rest = "\n".join(raw_of(source, child.lines) for child in block.children)
    return Part(
        label.name, "\n".join(filter(None, (label.value, rest))), raw, tuple(filter(None, [plain(label.value), *below]))
    )


def node_parts(source: Sequence[str], node: Node) -> list[Part]:
    """The parts under a heading: those of its own blocks, and each sub-heading with all below it as one."""
    parts = parts_of(source, node.blocks)
    for child in node.children:
        last = max(last_line(child), child.lines[1])
        raw = raw_of(source, (child.lines[0], last))
        text = raw_of(source, (child.lines[1] + 1, last)) if last > child.lines[1] else ""
        items = tuple(plain(marked(block.text).text) for block in child.blocks if block.kind == "item")
        parts.append(Part(child.title, text, raw, items))
    return parts


def last_line(node: Node) -> int:
    """The last line of all that stands under a heading."""
    own = max((block.lines[1] for block in node.blocks), default=node.lines[1])
    return max([own, *(last_line(child) for child in node.children[-1:])])


def fill(kind: str, parts: Sequence[Part], is_bare: bool = False) -> tuple[dict[str, object], str]:
    """(fields that the parts fill, the body: what no field took). A field that comes twice takes both."""
    fields: dict[str, object] = {}
    left: list[str] = []
    for part in parts:
        name = field_of(kind, part.name) if part.name and part.text.strip() else ""
        if not name or not _take(fields, name, part):
            left.append(part.raw)
    return fields, "\n".join(left)


def _take(fields: dict[str, object], name: str, part: Part) -> bool:
    """Whether the part went into the field."""
    if name in _LISTED:
        values = files_of(part.text) if name == "file" else part.items or (plain(part.text),)
        if name == "file" and (not values or _says_more_than_files(part.text, values)):
            fields["file"] = (*fields.get("file", ()), *values)  # type: ignore[misc]
            return False
        fields[name] = (*fields.get(name, ()), *values)  # type: ignore[misc]
        return True
    if name in ("status", "horizon", "verdict") and ("\n" in part.text or len(part.text) > 60):
        return False
    text = plain(part.text) if "\n" not in part.text else _joined(part.text)
    fields[name] = f"{fields[name]}\n{text}" if name in fields else text
    return True


def _says_more_than_files(text: str, files: Sequence[str]) -> bool:
    words = plain(text)
    for file in files:
        words = words.replace(file, "", 1)
    return bool(re.search(r"[A-Za-z]{3,}", words.replace("and", "")))


def _joined(text: str) -> str:
    """Text of several lines, moved left, markup of lists kept."""
    return "\n".join(row.rstrip() for row in text.split("\n")).strip()
