"""Places in JSON text: where members and elements begin and end, in a text whose other bytes are nobody's to change. Pure.

Wherever the text is not as it should be, ValueError says why.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import Any, NamedTuple

Step = str | int  # a member's name, or an element's number
Steps = tuple[Step, ...]
_WIDE = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SPACE = re.compile(r"[ \t\n\r]*")


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


class Item(NamedTuple):
    """A member or an element by its places in the text: of its key (or itself), of its value, after its value."""

    start: int
    at: int
    end: int
    key: Step


class Container(NamedTuple):
    """An object or a list: its places, the outer ones being those of its brackets."""

    start: int
    end: int
    items: tuple[Item, ...]


def decoded(data: bytes) -> str:
    """The text of a JSON file that can be edited: an object at its root. Raises ValueError saying why it is none."""
    if data.startswith(_WIDE):
        raise ValueError("it is not UTF-8")
    if data.startswith(codecs.BOM_UTF8):
        raise ValueError("it begins with a byte order mark, which is no JSON")
    try:
        text = data.decode("utf-8")
        root = _DECODER.decode(text)
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno} is no JSON (a comment, or a slip): {error.msg}") from None
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    if not isinstance(root, dict):
        raise ValueError("it is no object")
    return text


def value_at(text: str, steps: Steps, default: Any = None) -> Any:
    """What stands at `steps`; `default` where nothing does."""
    start = start_of(text, steps)
    return default if start is None else _DECODER.raw_decode(text, start)[0]


def start_of(text: str, steps: Steps) -> int | None:
    """Where the value at `steps` begins; None where there is none."""
    at = skip(text, 0)
    for step in steps:
        if text[at] not in "{[":
            return None
        item = next((one for one in container_at(text, at).items if one.key == step), None)
        if item is None:
            return None
        at = item.at
    return at


def locate(text: str, steps: Steps) -> tuple[Container, int]:
    """The container of the item at `steps`, and the item's number in it."""
    start = start_of(text, steps[:-1])
    assert start is not None, f"nothing stands at {steps}"
    container = container_at(text, start)
    return container, next(index for index, one in enumerate(container.items) if one.key == steps[-1])


def container_at(text: str, start: int) -> Container:
    """The object or list that begins at `start` of valid JSON."""
    is_object = text[start] == "{"
    items: list[Item] = []
    at = skip(text, start + 1)
    while text[at] not in "]}":
        begin, key = at, len(items)
        if is_object:
            key, at = _DECODER.raw_decode(text, at)
            at = skip(text, skip(text, at) + 1)  # after the colon
        end = _DECODER.raw_decode(text, at)[1]
        items.append(Item(begin, at, end, key))
        at = skip(text, end)
        if text[at] == ",":
            at = skip(text, at + 1)
    if len({one.key for one in items}) < len(items):
        raise ValueError("an object in it has two members of the same name")
    return Container(start, at + 1, tuple(items))


def skip(text: str, at: int) -> int:
    """The place after the white space at `at`."""
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()


def gap_before(text: str, container: Container, index: int) -> str:
    """The white space before an item."""
    if index == 0:
        return text[container.start + 1 : container.items[0].start]
    return text[container.items[index - 1].end : container.items[index].start].partition(",")[2]


def is_blank(value: Any) -> bool:
    """Whether nothing but empty containers is in `value`."""
    if isinstance(value, dict):
        return all(map(is_blank, value.values()))
    return isinstance(value, list) and all(map(is_blank, value))
