"""neat's server in Codex's config.toml: a marked block at the end, every other byte as it was. Pure: bytes in, bytes out.

The file is read as TOML before and after; where that would say anything else than before and ours, ValueError says why
it is left alone.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from typing import Any

from neatd.assist.block import HASH, check_block, with_block, without_block
from neatd.assist.entries import SERVER

TABLES = "mcp_servers"
_OURS = re.compile(rf"(\[{TABLES}\.{SERVER}\]|command\s*=|args\s*=)")


def with_server(content: bytes, command: str, arguments: Sequence[str]) -> bytes:
    """`content` with the table of our server; what a person added to it stays."""
    check_block(content, HASH)
    old = _read(content)
    call = {"command": command, "args": list(arguments)}
    ours = _servers(old).get(SERVER, {})
    if SERVER in _servers(_read(without_block(content, HASH))):
        raise ValueError(f"it has a table {TABLES}.{SERVER} already")
    if not isinstance(ours, dict):
        raise ValueError(f"{TABLES}.{SERVER} in it is no table")
    if {**ours, **call} == ours:
        return content
    new = with_block(content, _table(command, arguments) + _added(content), HASH)
    expected = {**old, TABLES: {**_servers(old), SERVER: {**ours, **call}}}
    if not _says(new, expected):
        raise ValueError(f"it leaves no room for a table {TABLES}.{SERVER} at its end")
    return new


def _added(content: bytes) -> str:
    """The lines of our block that are not ours, each with a line's end before it."""
    body = content.partition(HASH.begin)[2].partition(HASH.end)[0].decode()
    lines = (line for line in body.splitlines() if line.strip() and not _OURS.match(line))
    return "".join(f"\n{line}" for line in lines)


def _says(content: bytes, expected: dict[str, Any]) -> bool:
    try:
        return _read(content) == expected
    except ValueError:
        return False


def without_server(content: bytes) -> bytes:
    """`content` without the block of ours."""
    check_block(content, HASH)
    if HASH.begin not in content:
        return content
    new = without_block(content, HASH)
    old = _read(content)
    rest = {name: table for name, table in _servers(old).items() if name != SERVER}
    expected = {name: value for name, value in old.items() if name != TABLES} | ({TABLES: rest} if rest else {})
    if not _says(new, expected) and not _says(new, {**expected, TABLES: rest}):
        raise ValueError("what stands below neat's block is part of it: move it up")
    return new


def _servers(data: dict[str, Any]) -> dict[str, Any]:
    tables = data.get(TABLES, {})
    if not isinstance(tables, dict):
        raise ValueError(f"{TABLES} in it is no table")
    return tables


def _read(content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8"))
    except ValueError as error:  # of the letters, or of the TOML
        raise ValueError(f"it is no TOML: {error}") from None
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _table(command: str, arguments: Sequence[str]) -> str:
    """The table as text. JSON's strings are TOML's, but for halves of letters outside of the first plane."""
    written = [json.dumps(word, ensure_ascii=False) for word in (command, *arguments)]
    return f"[{TABLES}.{SERVER}]\ncommand = {written[0]}\nargs = [{', '.join(written[1:])}]"
