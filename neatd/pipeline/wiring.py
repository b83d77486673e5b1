"""How assistants are wired to neat: the hooks and servers of ours in their files, the project's and the user's.

Reads only, and every file as somebody else's.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from neatd.assist.entries import HOOK_EVENTS, SERVER, SERVERS, is_our_hook, is_our_server
from neatd.assist.tomltext import TABLES
from neatd.read.plugins import plugins
from neatd.read.settings import Files, Pairs, Unread, table
from neatd.who import CLAUDE, CODEX, CURSOR

_CALL = re.compile(rf"\bneat[\w.]*[\"']?\s+hook\s+[\"']?({'|'.join(sorted(HOOK_EVENTS))})\b")


class Homes(NamedTuple):
    """The folders of assistants in a user's home, and the file in which Claude Code keeps a user's servers."""

    claude: Path
    claude_state: Path
    codex: Path
    cursor: Path


class Hook(NamedTuple):
    """A hook of ours. `event` is the assistant's word, `word` ours; `source` is project, local, user, or a plugin's name."""

    assistant: str
    path: Path
    source: str
    event: str
    word: str
    matcher: str
    command: tuple[str, ...]


class Server(NamedTuple):
    """A server of ours, by the name that the assistant knows it by."""

    assistant: str
    path: Path
    source: str
    name: str
    command: tuple[str, ...]


class Wiring(NamedTuple):
    """All that was found."""

    hooks: tuple[Hook, ...]
    servers: tuple[Server, ...]
    unread: tuple[Unread, ...]
    switched_off: tuple[tuple[str, Path], ...]  # (assistant, the file that says that no hook is to run)
    doubled: tuple[Path, ...]  # files that name a server twice: the last one counts
    foreign: tuple[tuple[str, Path], ...] = ()  # (assistant, a file in which our name is another's server)

    def assistants(self) -> set[str]:
        return {one.assistant for one in self.hooks} | {one.assistant for one in self.servers}


def homes() -> Homes:
    """The user's folders as the environment says now."""
    user = Path.home()
    claude, codex = os.environ.get("CLAUDE_CONFIG_DIR"), os.environ.get("CODEX_HOME")
    folder = Path(claude).expanduser() if claude else user / ".claude"
    state = (folder if claude else user) / ".claude.json"
    return Homes(folder, state, Path(codex).expanduser() if codex else user / ".codex", user / ".cursor")


def wiring(root: Path, user: Homes) -> Wiring:
    """What is set up for the project in `root`."""
    look = _Look()
    _claude(look, root, user)
    _codex(look, root, user)
    look.servers_in(CURSOR, root / ".cursor" / "mcp.json", "project")
    look.servers_in(CURSOR, user.cursor / "mcp.json", "user")
    return Wiring(
        tuple(look.hooks), tuple(look.servers), tuple(look.files.unread), tuple(look.off), tuple(look.doubled),
        tuple(look.foreign),
    )  # fmt: skip


def _claude(look: _Look, root: Path, user: Homes) -> None:
    folder, enabled = root / ".claude", dict[str, bool]()
    for path, source in (
        (user.claude / "settings.json", "user"), (folder / "settings.json", "project"),
        (folder / "settings.local.json", "local"),
    ):  # fmt: skip
        settings = look.files.json(path)
        look.take_hooks(CLAUDE, path, source, settings)
        if settings.get("disableAllHooks") is True:
            look.off.append((CLAUDE, path))
        enabled |= {name: is_on for name, is_on in table(settings, "enabledPlugins").items() if isinstance(is_on, bool)}
    look.servers_in(CLAUDE, root / ".mcp.json", "project")
    known = look.servers_in(CLAUDE, user.claude_state, "user")
    here = table(table(known, "projects"), str(root))
    look.take_servers(CLAUDE, user.claude_state, "local", table(here, SERVERS))
    for name, one in plugins(user.claude / "plugins", enabled, look.files):
        hooks = one / "hooks" / "hooks.json"
        look.take_hooks(CLAUDE, hooks, name, look.files.json(hooks))
        look.servers_in(CLAUDE, one / ".mcp.json", name)


def _codex(look: _Look, root: Path, user: Homes) -> None:
    folders = {root / ".codex": "project", user.codex: "user"}
    for folder, source in folders.items():
        hooks, config = folder / "hooks.json", folder / "config.toml"
        look.take_hooks(CODEX, hooks, source, look.files.json(hooks))
        tables = look.files.toml(config)
        look.take_hooks(CODEX, config, source, tables)
        look.take_servers(CODEX, config, source, table(tables, TABLES))
        if table(tables, "features").get("hooks") is False:
            look.off.append((CODEX, config))


class _Look:
    """What one look at all the files has found so far."""

    def __init__(self) -> None:
        self.files = Files()
        self.hooks: list[Hook] = []
        self.servers: list[Server] = []
        self.off: list[tuple[str, Path]] = []
        self.doubled: list[Path] = []
        self.foreign: list[tuple[str, Path]] = []

    def take_hooks(self, assistant: str, path: Path, source: str, settings: Mapping[str, Any]) -> None:
        for event, groups in table(settings, "hooks").items():
            for group in groups if isinstance(groups, list) else ():
                matcher = group.get("matcher") if isinstance(group, dict) else ""
                handlers = group.get("hooks") if isinstance(group, dict) else ()
                for handler in handlers if isinstance(handlers, list) else ():
                    word = _our_word(handler)
                    if word:
                        kind = matcher if isinstance(matcher, str) else ""
                        self.hooks.append(Hook(assistant, path, source, event, word, kind, words_of(handler)))

    def servers_in(self, assistant: str, path: Path, source: str) -> dict[str, Any]:
        """Take in the servers of a JSON file; returns all that is in it."""

        def see(pairs: Pairs) -> None:
            ours = {name for name, value in pairs if is_our_server(value)}
            if any(sum(one == name for one, _ in pairs) > 1 for name in ours):
                self.doubled.append(path)

        found = self.files.json(path, see)
        self.take_servers(assistant, path, source, table(found, SERVERS))
        return found

    def take_servers(self, assistant: str, path: Path, source: str, found: Mapping[str, Any]) -> None:
        for name, entry in found.items():
            if is_our_server(entry):
                self.servers.append(Server(assistant, path, source, name, words_of(entry)))
            elif name == SERVER and isinstance(entry, dict):
                self.foreign.append((assistant, path))


def words_of(entry: Any) -> tuple[str, ...]:
    """The words by which a hook or a server is called."""
    command, arguments = entry.get("command"), entry.get("args")
    if not isinstance(command, str):
        return ()
    if isinstance(arguments, list):
        return (command, *(one for one in arguments if isinstance(one, str)))
    try:
        return tuple(shlex.split(command))
    except ValueError:  # a quote without its other
        return (command,)


def _our_word(handler: Any) -> str:
    """The event that a hook of ours passes on; "" for another's. A plugin's call may stand in a line of shell."""
    if not isinstance(handler, dict):
        return ""
    words = words_of(handler)
    if is_our_hook(handler):
        return words[-1]
    found = _CALL.search(" ".join(words))
    return found[1] if found else ""
