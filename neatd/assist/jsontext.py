"""Members and elements put into JSON text and taken out again, every other byte as it was. Pure: text in, text out.

What was put in can be told from what was there by white space alone, so that taking it out needs no memory: a container
that was made here ends in white space before its closing bracket, one that was there empty has ours right before it.
Wherever something other than the asked-for shape stands in the way, ValueError says what.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from neatd.assist.jsonplaces import Steps, container_at, gap_before, locate, skip, start_of


class _Style(NamedTuple):
    """How a file is written."""

    newline: str
    unit: str
    colon: str
    comma: str


def added(text: str, steps: Steps, key: str | None, value: Any) -> str:
    """`value` as a new member `key` of the object at `steps`, or without a key as the last element of the list there.
    What is missing on the way is made."""
    known = next(depth for depth in range(len(steps), -1, -1) if start_of(text, steps[:depth]) is not None)
    if known < len(steps):
        value = [value] if key is None else {key: value}
        for step in reversed(steps[known + 1 :]):
            value = {step: value}
        key = str(steps[known])
    return _put(text, steps[:known], key, value)


def replaced(text: str, steps: Steps, value: Any) -> str:
    """`value` in the place of what stands at `steps`."""
    container, index = locate(text, steps)
    item = container.items[index]
    gap = gap_before(text, container, index)
    is_wide = "\n" in gap and "\n" in text[item.at : item.end]
    indent = gap.rpartition("\n")[2] if is_wide else None
    return text[: item.at] + _written(value, _style(text), indent) + text[item.end :]


def removed(text: str, steps: Steps) -> str:
    """Without the item at `steps`, and without the containers that were made for it."""
    container, index = locate(text, steps)
    items = container.items
    if len(items) > 1:
        first, last = (items[0].start, items[1].start) if index == 0 else (items[index - 1].end, items[index].end)
        return text[:first] + text[last:]
    closing = text[items[0].end : container.end - 1]
    if closing and len(steps) > 1:
        return removed(text, steps[:-1])
    inner = "" if closing else text[container.start + 1 : items[0].start]
    return text[: container.start + 1] + inner + text[container.end - 1 :]


def _put(text: str, steps: Steps, key: str | None, value: Any) -> str:
    start = start_of(text, steps)
    assert start is not None
    if text[start] != ("[" if key is None else "{"):
        raise ValueError(f"{'.'.join(map(str, steps)) or 'it'} is no {'list' if key is None else 'object'}")
    container, style = container_at(text, start), _style(text)

    def entry(indent: str | None) -> str:
        name = "" if key is None else json.dumps(key) + style.colon
        return name + _written(value, style, indent)

    if container.items:
        gap = gap_before(text, container, len(container.items) - 1)
        gap = gap or style.comma[1:]
        indent = gap.rpartition("\n")[2] if "\n" in gap else None
        end = container.items[-1].end
        return text[:end] + "," + gap + entry(indent) + text[end:]
    inner = text[container.start + 1 : container.end - 1]
    before, after = text[: container.end - 1], text[container.end - 1 :]
    if not steps and not inner:  # the root is never taken out, so that it may look as if it had been made here
        return before + style.newline + style.unit + entry(style.unit) + style.newline + after
    return before + entry(inner.rpartition("\n")[2] if "\n" in inner else None) + after


def _style(text: str) -> _Style:
    root = container_at(text, skip(text, 0))
    newline = "\r\n" if "\r\n" in text else "\n"
    if not root.items:
        return _Style(newline, "  ", ": ", ", ")
    gap = gap_before(text, root, 0)
    unit = gap.rpartition("\n")[2] if "\n" in gap else ""
    is_tight = text[root.items[0].at - 1] == ":"
    return _Style(newline, unit or "  ", ":" if is_tight else ": ", "," if is_tight else ", ")


def _written(value: Any, style: _Style, indent: str | None) -> str:
    """`value` over several lines, the first one at `indent`; on one line without an indent, or where it is flat."""
    if not isinstance(value, dict | list) or not value:
        return json.dumps(value)
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    is_flat = _is_flat(value)
    deeper = None if indent is None or is_flat else f"{indent}{style.unit}"
    if isinstance(value, dict):
        parts = [f"{json.dumps(name)}{style.colon}{_written(one, style, deeper)}" for name, one in value.items()]
    else:
        parts = [_written(one, style, deeper) for one in value]
    if deeper is None:
        return opening + style.comma.join(parts) + ("" if is_flat else " ") + closing
    line = f"{style.newline}{deeper}"
    return opening + line + f",{line}".join(parts) + f"{style.newline}{indent}" + closing


def _is_flat(value: dict[str, Any] | list[Any]) -> bool:
    """Whether no object is in it: such a one is never made as a place for others."""
    inner = [one for one in (value.values() if isinstance(value, dict) else value) if isinstance(one, dict | list)]
    return all(isinstance(one, list) and _is_flat(one) for one in inner)
