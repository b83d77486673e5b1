"""Markdown to blocks with line numbers: headings, items with what is nested in them, paragraphs, fences, tables, quotes.

Forgiving where people are: a list may be indented oddly, a fence left open, a heading lack its space. Linear in the size
of the text; what is nested deeper than DEPTH_MAX stays text of what holds it. Never raises.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

DEPTH_MAX = 8  # of lists in lists; each level reads its lines once more
_ITEM = re.compile(
    r"^(?:(?=[☐☑☒✓✔✅⬜❌🔲⏳🔄🚧🟡🟢🔴]\ufe0f?[ \t])|(?:[-*+•‣◦–]|\d{1,3}[.)]|[a-z]\)|\([a-z\d]{1,2}\))(?:[ \t]+|$))"
)
_SIGNED = re.compile(r"^[☐☑☒✓✔✅⬜❌🔲⏳🔄🚧🟡🟢🔴]")  # a sign alone marks an item, behind a bullet it is a part of it
_FENCE = re.compile(r"^(`{3,}|~{3,})[ \t]*([^`]{0,200})$")
_ATX = re.compile(r"^(#{1,6})(?:[ \t]+|(?<=##)(?=[^#\s])|$)")
_UNDERLINE = re.compile(r"^(={3,}|-{3,}|~{3,}|\^{3,})$")
_RULE = re.compile(r"^(?:[-*_=~#+.─━═—][ \t]?){3,}$")
_TABLE_RULE = re.compile(r"^\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?$")
_TAG_ONLY = re.compile(r"^(?:</?[a-zA-Z][^<>]{0,300}>[ \t]*)+$")
_FRONT = re.compile(r"^(?:[\w.\"' -]{1,60}:(?:\s|$)|\s+\S|- |#|\]|\})")


class Line(NamedTuple):
    """A line of the file: its number, how far it is indented in columns, its words."""

    number: int
    indent: int
    text: str  # without the indentation and the space at the end
    raw: str


class Block(NamedTuple):
    """A piece of the text. `lines` are the first and last line; `text` what stands there without its marks."""

    kind: str  # heading, item, paragraph, fence, table, quote, comment, rule, front
    lines: tuple[int, int]
    text: str
    level: int = 0  # of a heading
    mark: str = ""  # of an item: its bullet or number; of a fence: its language
    children: tuple[Block, ...] = ()


def numbered(text: str) -> list[Line]:
    """The lines of `text`, counted from 1 as editors count them."""
    return [_line(number, raw) for number, raw in enumerate(re.split(r"\r\n|\n|\r", text), 1)]


def _line(number: int, raw: str) -> Line:
    wide = raw[: len(raw) - len(raw.lstrip())].expandtabs(4)
    return Line(number, len(wide), raw.strip(), raw)


def blocks(lines: Sequence[Line], depth: int = 0) -> tuple[Block, ...]:
    """The blocks of these lines, in order."""
    found: list[Block] = []
    at = 0
    while at < len(lines):
        if not lines[at].text:
            at += 1
            continue
        block, at = _next(lines, at, depth, not found)
        found.append(block)
    return tuple(found)


def _next(lines: Sequence[Line], at: int, depth: int, is_first: bool) -> tuple[Block, int]:
    """The block that begins at line `at`, and the line after it."""
    text = lines[at].text
    if is_first and not depth and text == "---" and (end := _front_end(lines, at)):
        return _cut("front", lines, at, end), end
    if found := _FENCE.match(text):
        return _fence(lines, at, found)
    if text.startswith("<!--"):
        end = _comment_end(lines, at)
        return _cut("comment", lines, at, end), end
    if found := _ATX.match(text):
        words = text[found.end() :].rstrip("#").rstrip() or text[found.end() :]
        return Block("heading", (lines[at].number,) * 2, words, len(found[1])), at + 1
    if _RULE.match(text) or _TAG_ONLY.match(text):
        return _cut("rule", lines, at, at + 1), at + 1
    if text.startswith(">"):
        return _quote(lines, at, depth)
    if is_item(text) and depth < DEPTH_MAX:
        return _item(lines, at, depth)
    if _is_table(lines, at):
        return _table(lines, at)
    return _paragraph(lines, at)


def is_item(text: str) -> bool:
    return bool(_ITEM.match(text)) and not _RULE.match(text)


def _cut(kind: str, lines: Sequence[Line], at: int, end: int, mark: str = "") -> Block:
    text = "\n".join(line.raw for line in lines[at:end])
    return Block(kind, (lines[at].number, lines[end - 1].number), text, mark=mark)


def _front_end(lines: Sequence[Line], at: int) -> int:
    """The line after front matter that begins here; 0 when this is no front matter."""
    for end in range(at + 1, min(len(lines), at + 200)):
        text = lines[end].raw
        if lines[end].text in ("---", "..."):
            return end + 1 if end > at + 1 else 0
        if lines[end].text and not _FRONT.match(text):
            return 0
    return 0


def _comment_end(lines: Sequence[Line], at: int) -> int:
    """The line after a comment; an unclosed one is its first line only."""
    for end in range(at, min(len(lines), at + 500)):
        if "-->" in lines[end].text:
            return end + 1
        if end > at and lines[end].text.startswith("<!--"):
            break
    return at + 1


def _fence(lines: Sequence[Line], at: int, opening: re.Match[str]) -> tuple[Block, int]:
    """A fence with what is in it; one that is never closed ends before the next heading."""
    end, is_closed = fence_end(lines, at, opening[1])
    inner = [line.raw for line in lines[at + 1 : end - 1 if is_closed else end]]
    block = Block("fence", (lines[at].number, lines[end - 1].number), _dedented(inner), mark=opening[2].strip())
    return block, end


def fence_end(lines: Sequence[Line], at: int, marks: str) -> tuple[int, bool]:
    """(the line after the fence that opens at `at`, whether it is closed)."""
    heading = 0
    for end in range(at + 1, len(lines)):
        text = lines[end].text
        if text.startswith(marks) and not text.strip(marks[0]):
            return end + 1, True
        if not heading and text.startswith("#") and _ATX.match(text) and not lines[end - 1].text:
            heading = end
        if heading and text.startswith(marks):  # the next one opens: this was never closed; and no line is read twice
            break
    return (heading or len(lines)), False


def _dedented(raw: list[str]) -> str:
    widths = [len(line) - len(line.lstrip()) for line in raw if line.strip()]
    width = min(widths, default=0)
    return "\n".join(line[width:].rstrip() for line in raw).rstrip("\n")  # blank rows above count: rows are lines


def _quote(lines: Sequence[Line], at: int, depth: int) -> tuple[Block, int]:
    end = at
    while end < len(lines) and lines[end].text.startswith(">"):
        end += 1
    inner = [_line(line.number, re.sub(r"^>[ ]?", "", line.text)) for line in lines[at:end]]
    children = blocks(inner, depth + 1) if depth < DEPTH_MAX else ()
    text = "\n".join(line.raw for line in inner)
    return Block("quote", (lines[at].number, lines[end - 1].number), text, children=children), end


def _item(lines: Sequence[Line], at: int, depth: int) -> tuple[Block, int]:
    """A list item: its own text, and the blocks nested in it."""
    mark = _ITEM.match(lines[at].text)
    assert mark
    end = _item_end(lines, at)
    body = lines[at].text[mark.end() :]
    first = Line(lines[at].number, lines[at].indent + mark.end(), body, body)
    own, rest = _own_text(first, lines[at + 1 : end])
    children = blocks(rest, depth + 1)
    return Block("item", (lines[at].number, _last(lines, at, end)), own, 0, mark[0].strip(), children), end


def _last(lines: Sequence[Line], at: int, end: int) -> int:
    """The number of the last line with words before `end`."""
    while end > at + 1 and not lines[end - 1].text:
        end -= 1
    return lines[end - 1].number


def _own_text(first: Line, rest: Sequence[Line]) -> tuple[str, Sequence[Line]]:
    """An item's first paragraph, and the lines after it."""
    if _FENCE.match(first.text) or (is_item(first.text) and not _SIGNED.match(first.text)):
        return "", [first, *rest]
    words = [first.text]
    for at, line in enumerate(rest):
        if not line.text or begins(line.text) or _is_table(rest, at):
            return "\n".join(words), rest[at:]
        words.append(line.text)
    return "\n".join(words), ()


def begins(text: str) -> bool:
    """Whether a line begins a block that ends a paragraph before it."""
    if text[:1] in "#`~<>-*+_=|" or is_item(text):
        return bool(
            is_item(text)
            or _ATX.match(text)
            or _FENCE.match(text)
            or _RULE.match(text)
            or text.startswith((">", "<!--"))
            or _TAG_ONLY.match(text)
        )
    return False


def _item_end(lines: Sequence[Line], at: int) -> int:
    """The line after an item: what is indented below it belongs to it, and what runs on without a blank line."""
    indent, end, had_blank = lines[at].indent, at + 1, False
    while end < len(lines):
        line = lines[end]
        if not line.text:
            had_blank = True
        elif line.indent > indent:
            had_blank = False
            if found := _FENCE.match(line.text):
                end = fence_end(lines, end, found[1])[0]
                continue
        elif had_blank or line.indent < indent or begins(line.text) or _is_own_line(line.text) or _is_table(lines, end):
            break
        end += 1
    while not lines[end - 1].text:
        end -= 1
    return end


def _is_own_line(text: str) -> bool:
    """A line that is a field or a heading in bold: it does not run on from the item above it."""
    return text.startswith(("**", "__")) and (":" in text or text.endswith("**"))


def _is_table(lines: Sequence[Line], at: int) -> bool:
    if "|" not in lines[at].text or at + 1 >= len(lines):
        return False
    rule = lines[at + 1].text
    return "-" in rule and ("|" in rule or ":" in rule) and bool(_TABLE_RULE.match(rule))


def _table(lines: Sequence[Line], at: int) -> tuple[Block, int]:
    end = at + 2
    while end < len(lines) and "|" in lines[end].text and not lines[end].text.startswith(("#", ">", "```")):
        end += 1
    return _cut("table", lines, at, end), end


def _paragraph(lines: Sequence[Line], at: int) -> tuple[Block, int]:
    """Lines that run on; a single line with an underline is a heading."""
    if at + 1 < len(lines) and _is_underlined(lines[at].text, lines[at + 1].text):
        level = 1 if lines[at + 1].text[0] == "=" else 2
        block = Block("heading", (lines[at].number, lines[at + 1].number), lines[at].text, level)
        return block, at + 2
    end = at + 1
    while end < len(lines) and lines[end].text and not begins(lines[end].text) and not _is_table(lines, end):
        if end + 1 < len(lines) and _UNDERLINE.match(lines[end + 1].text) and lines[end + 1].text[0] == "=":
            break
        end += 1
    return _cut("paragraph", lines, at, end), end


def _is_underlined(text: str, below: str) -> bool:
    """Whether `below` makes a heading of `text`; a rule right under a sentence or a field does not."""
    if not _UNDERLINE.match(below) or len(text) > 120:
        return False
    return below[0] in "=~^" or not (text.endswith((".", ":", ",", ";", "!")) or ":**" in text or "**:" in text)
