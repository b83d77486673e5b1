"""What an assistant handed to a tool, checked against the tool's schema; a mistake names the argument. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neatd.errors import NeatError
from neatd.mcp.tools import TOOLS, Schema, Tool

_WORDS = {
    "string": "a text",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list of texts",
    "object": "an object",
}
_TYPES: dict[str, type] = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}
_LONGEST = 1_000_000  # characters of a text; a longer one keeps the server from all else
_LONGEST_COMMAND = 64 << 10  # characters of a command line, which is taken apart letter by letter
_LARGEST = 1_000_000  # as on the command line; SQLite takes no more than 64 bits


def tool_of(name: str) -> Tool:
    """The tool of this name; raises NeatError where there is none."""
    if name not in TOOLS:
        raise NeatError(f"no tool {name!r}", f"there are {', '.join(TOOLS)}")
    return TOOLS[name]


def checked(tool: Tool, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The arguments that were given, without the empty ones. Raises NeatError naming the one that is wrong."""
    takes = f"it takes {', '.join(tool.properties)}"
    arguments = {name: value for name, value in (given or {}).items() if value is not None}
    for name, value in arguments.items():
        if name not in tool.properties:
            raise NeatError(f"{tool.name} takes no argument {name!r}", takes)
        wrong = _wrong(tool.properties[name], value)
        if wrong:
            raise NeatError(
                f"{tool.name}: {name} is {wrong}, not {_shortened(value)}", f"it takes {', '.join(tool.properties)}"
            )
        _bound(tool, name, value)
    missing = [name for name in tool.required if name not in arguments]
    if missing:
        raise NeatError(f"{tool.name}: {' and '.join(missing)} is missing", takes)
    return arguments


def _bound(tool: Tool, name: str, value: Any) -> None:
    """Raises NeatError for a text that is too long, alone or together with those beside it in a list or an object."""
    most = _LONGEST_COMMAND if name == "command" else _LONGEST
    length = _length(value)
    if length > most:
        raise NeatError(
            f"{tool.name}: {name} has {length:,} characters, and {most:,} are taken",
            "keep long text in a file of the project, and name the file",
        )


def _length(value: Any) -> int:
    """The characters of all texts in a value; what is nested was bounded by whoever read the JSON."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(len(key) + _length(one) for key, one in value.items())
    return sum(map(_length, value)) if isinstance(value, list) else 0


def _wrong(schema: Schema, value: Any) -> str:
    """What a value should be and is not; "" where it is."""
    if "enum" in schema:
        return "" if value in schema["enum"] else f"one of {', '.join(schema['enum'])}"
    name = schema["type"]
    is_right = isinstance(value, _TYPES[name]) and (name == "boolean" or not isinstance(value, bool))
    if not is_right or (name == "array" and not all(isinstance(one, str) for one in value)):
        return _WORDS[name]
    if name == "integer" and value < schema.get("minimum", value):
        return f"at least {schema['minimum']}"
    if name == "integer" and value > _LARGEST:
        return f"at most {_LARGEST}"
    return f"{schema['minItems']} or more" if name == "array" and len(value) < schema.get("minItems", 0) else ""


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
