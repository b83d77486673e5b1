"""The assistants that `neat init` sets up: how each is found, and its files, each with what neat puts into it. Pure.

A file's two functions take its bytes (None where there is none) and give what it shall hold; they raise ValueError
saying why it is left alone. `without` undoes `with_` to the byte.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from neatd.assist import entries, tomltext
from neatd.assist.block import BEGIN, check_block, with_block, without_block

HOOK_S = 10  # of Claude Code's settings: it also raises the 1.5 s that all hooks share at a session's end
_RULE_HEAD = """\
---
description: Where this project stands, and how its lab notebook is kept
alwaysApply: true
---
"""
_CLAUDE_HOOKS = {
    "SessionStart": ("session-start", ""),
    "UserPromptSubmit": ("user-prompt", ""),
    "PostToolUse": ("post-tool", "Bash|Edit|Write|MultiEdit|NotebookEdit"),
    "PostToolUseFailure": ("post-tool", "Bash"),
    "PreCompact": ("pre-compact", ""),
    "Stop": ("stop", ""),
    "SessionEnd": ("session-end", ""),
}  # event -> (neat's word for it, the tools that it is called for)
_CODEX_HOOKS = {
    "SessionStart": ("session-start", ""),
    "UserPromptSubmit": ("user-prompt", ""),
    "PostToolUse": ("post-tool", "Bash|apply_patch"),
    "PreCompact": ("pre-compact", ""),
    "Stop": ("stop", ""),
}


class Setup(NamedTuple):
    """What the files are to say."""

    command: tuple[str, ...]  # the words that call neat
    teaching: str
    teaching_import: str  # for an assistant that reads `@path` as the file's content


class File(NamedTuple):
    """A file of an assistant's, relative to the project."""

    path: str
    with_: Callable[[bytes | None], bytes]
    without: Callable[[bytes], bytes]
    is_empty: Callable[[bytes], bool]  # whether nothing of anybody's is left in it
    by_hand: str  # what to add where it is left alone
    is_ours: bool = False  # whether an empty one can only have been made by neat


class Assistant(NamedTuple):
    """An assistant: what tells that it is there, and its files."""

    title: str
    program: str
    variable: str  # names its folder in the user's home
    folder: str
    marks: tuple[str, ...]  # in a project
    files: Callable[[Setup], tuple[File, ...]]


def hindered(names: Iterable[str], setup: Setup, left: Collection[str]) -> list[tuple[str, bool]]:
    """Of these assistants those of which files were left alone: (title, whether all were)."""
    found = []
    for one in (ASSISTANTS[name] for name in names):
        paths = [file.path for file in one.files(setup)]
        if any(path in left for path in paths):
            found.append((one.title, all(path in left for path in paths)))
    return found


def _claude(setup: Setup) -> tuple[File, ...]:
    hooks = {event: _group(setup.command, *one) for event, one in _CLAUDE_HOOKS.items()}
    return (
        _hooks_file(".claude/settings.json", hooks),
        _server_file(".mcp.json", {"type": "stdio", **_server(setup.command)}),
        _block_file("CLAUDE.md", setup.teaching_import),
    )


def _codex(setup: Setup) -> tuple[File, ...]:
    hooks = {event: _group(setup.command, *one, as_string=True) for event, one in _CODEX_HOOKS.items()}
    command, *arguments = (*setup.command, "mcp")
    table = f"[mcp_servers.neat] command = {json.dumps(command)}, args = {json.dumps(arguments)}"
    return (
        _block_file("AGENTS.md", setup.teaching),
        _hooks_file(".codex/hooks.json", hooks),
        File(
            ".codex/config.toml", lambda old: tomltext.with_server(old or b"", command, arguments),
            tomltext.without_server, _is_space, f"add by hand the table {table}",
        ),
    )  # fmt: skip


def _cursor(setup: Setup) -> tuple[File, ...]:
    return (
        File(
            ".cursor/rules/neat.mdc", partial(_with_rule, setup.teaching_import), _without_block,
            lambda left: left == _RULE_HEAD.encode(), "rename it, and run `neat init` again", is_ours=True,
        ),
        _server_file(".cursor/mcp.json", _server(setup.command)),
    )  # fmt: skip


ASSISTANTS = {
    "claude-code": Assistant(
        "Claude Code", "claude", "CLAUDE_CONFIG_DIR", ".claude", (".claude", "CLAUDE.md"), _claude
    ),
    "codex": Assistant("Codex", "codex", "CODEX_HOME", ".codex", (".codex", "AGENTS.md"), _codex),
    "cursor": Assistant("Cursor", "cursor", "", ".cursor", (".cursor", ".cursorrules"), _cursor),
}


def _group(command: tuple[str, ...], word: str, tools: str, as_string: bool = False) -> dict[str, Any]:
    """A group of hooks with the one of ours: without a shell in between where the assistant can."""
    words = [*command, "hook", word]
    called: dict[str, Any]
    called = {"command": shlex.join(words)} if as_string else {"command": words[0], "args": words[1:]}
    hook = {"type": "command", **called, "timeout": HOOK_S}
    return {"matcher": tools, "hooks": [hook]} if tools else {"hooks": [hook]}


def _server(command: tuple[str, ...]) -> dict[str, Any]:
    program, *arguments = (*command, "mcp")
    return {"command": program, "args": arguments}


def _hooks_file(path: str, hooks: Mapping[str, entries.Group]) -> File:
    wanted = json.dumps({event: [group] for event, group in hooks.items()})
    return File(
        path, lambda old: entries.with_hooks(old, hooks), entries.without_hooks, entries.is_empty,
        f'add by hand under "hooks": {wanted}',
    )  # fmt: skip


def _server_file(path: str, entry: Mapping[str, Any]) -> File:
    return File(
        path, lambda old: entries.with_server(old, entry), entries.without_server, entries.is_empty,
        f'add by hand under "mcpServers": {json.dumps({entries.SERVER: entry})}',
    )  # fmt: skip


def _block_file(path: str, body: str) -> File:
    return File(path, lambda old: with_block(old or b"", body), _without_block, _is_space, "")


def _without_block(content: bytes) -> bytes:
    check_block(content)
    return without_block(content)


def _is_space(content: bytes) -> bool:
    return not content.strip()


def _with_rule(body: str, old: bytes | None) -> bytes:
    """Cursor's rule: the file is ours, unless somebody has one of the name; what is written around the block stays."""
    if old is not None and BEGIN not in old:
        raise ValueError("a rule of this name is there already, and is not ours")
    return with_block(_RULE_HEAD.encode() if old is None else old, body)
