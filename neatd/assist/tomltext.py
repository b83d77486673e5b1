"""neat's server in Codex's config.toml: a marked block at the end, every other byte as it was. Pure: bytes in, bytes out.

The file is read as TOML before and after; where that would say anything else than before and ours, ValueError says why
it is left alone.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from typing import Any

from neatd.assist.block import HASH, check_block, with_block, without_block
from neatd.assist.entries import SERVER

TABLES = "mcp_servers"


def with_server(content: bytes, command: str, arguments: Sequence[str]) -> bytes:
    """`content` with the table of our server."""
    old = _read(content)
    if SERVER in _servers(_read(without_block(content, HASH))):
        raise ValueError(f"it has a table {TABLES}.{SERVER} already")
    new = with_block(content, _table(command, arguments), HASH)
    expected = {**old, TABLES: {**_servers(old), SERVER: {"command": command, "args": list(arguments)}}}
    if not _says(new, expected):
        raise ValueError(f"it leaves no room for a table {TABLES}.{SERVER} at its end")
    return new


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
