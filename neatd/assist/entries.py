"""neat's entries in the JSON settings of assistants: hooks, and the server of tools. Pure: bytes in, bytes out.

An entry is ours by what it calls: a program whose name begins with `neat`, with the words that it has for hooks and for
the server. Everything else stays, to the byte. ValueError says why a file is left alone.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from neatd.assist.jsonplaces import Steps, decoded, is_blank, value_at
from neatd.assist.jsontext import added, removed, replaced

HOOK_EVENTS = frozenset({"session-start", "user-prompt", "post-tool", "pre-compact", "stop", "session-end"})
SERVERS = "mcpServers"
SERVER = "neat"
_NEW = b"{}\n"
_FILE_NAME = re.compile(r"[^/\\]*$")

Group = Mapping[str, Any]  # of hooks: a matcher, and one hook


def with_hooks(content: bytes | None, wanted: Mapping[str, Group]) -> bytes:
    """`content` with one group of ours for each event of `wanted`; older ones of ours are brought up to date in place."""
    text = decoded(_NEW if content is None else content)
    hooks = value_at(text, ("hooks",), {})
    for event, group in wanted.items():
        if isinstance(hooks, dict) and not isinstance(hooks.get(event, []), list):
            raise ValueError(f"hooks.{event} is no list")
        found = [place for place in _hooks(text) if place[1] == event]
        text = _updated(text, found[0], group) if found else added(text, ("hooks", event), None, group)
    kept: set[Steps] = set()
    for place in _hooks(text):
        if place[1] in wanted and not any(one[1] == place[1] for one in kept):
            kept.add(place)
    return _without(text, lambda one: [place for place in _hooks(one) if place not in kept]).encode()


def without_hooks(content: bytes) -> bytes:
    """`content` without the hooks of ours."""
    text = decoded(content)
    return _without(text, _hooks).encode()


def _without(text: str, places: Callable[[str], list[Steps]]) -> str:
    """Taken out one by one, the last first, so that the places before it stay what they are."""
    while found := places(text):
        place = found[-1]
        is_alone = len(value_at(text, place[:-1])) == 1
        text = removed(text, place[:-2] if is_alone else place)
    return text


def _updated(text: str, place: Steps, group: Group) -> str:
    hook, (wanted,) = value_at(text, place), group["hooks"]
    current = {name: value for name, value in hook.items() if name in wanted or name != "args"} | wanted
    whole = value_at(text, place[:-2])
    if len(whole["hooks"]) > 1:  # somebody put a hook beside ours: what is around them is theirs
        return text if current == hook else replaced(text, place, current)
    rest = {name: value for name, value in whole.items() if name != "matcher" or name in group}
    new = {**rest, **group, "hooks": [current]}
    return text if new == whole else replaced(text, place[:-2], new)


def _hooks(text: str) -> list[Steps]:
    """The places of our hooks, in the order of the file."""
    found: list[Steps] = []
    hooks = value_at(text, ("hooks",), {})
    for event, groups in hooks.items() if isinstance(hooks, dict) else ():
        for number, group in enumerate(groups if isinstance(groups, list) else ()):
            handlers = group.get("hooks") if isinstance(group, dict) else None
            for index, handler in enumerate(handlers if isinstance(handlers, list) else ()):
                if is_our_hook(handler):
                    found.append(("hooks", event, number, "hooks", index))
    return found


def with_server(content: bytes | None, entry: Mapping[str, Any]) -> bytes:
    """`content` with our server; what a person added to it stays."""
    text = decoded(_NEW if content is None else content)
    servers = value_at(text, (SERVERS,), {})
    if not isinstance(servers, dict):
        raise ValueError(f"{SERVERS} is no object")
    if SERVER not in servers:
        return added(text, (SERVERS,), SERVER, entry).encode()
    old = servers[SERVER]
    if not is_our_server(old):
        raise ValueError(f"{SERVERS} has a {SERVER!r} that is not ours")
    new = {**old, **entry}
    return (text if new == old else replaced(text, (SERVERS, SERVER), new)).encode()


def without_server(content: bytes) -> bytes:
    """`content` without our server."""
    text = decoded(content)
    servers = value_at(text, (SERVERS,), {})
    is_there = isinstance(servers, dict) and is_our_server(servers.get(SERVER))
    return removed(text, (SERVERS, SERVER)).encode() if is_there else content


def is_empty(content: bytes) -> bool:
    """Whether a JSON file says nothing."""
    return is_blank(value_at(decoded(content), ()))


def is_our_hook(handler: Any) -> bool:
    """Whether a hook calls `neat hook EVENT`, by whatever path, in exec form or as one string."""
    words = _words(handler)
    return len(words) > 2 and words[-1] in HOOK_EVENTS and words[-2] == "hook" and is_program(words[-3])


def is_our_server(entry: Any) -> bool:
    """Whether a server is `neat mcp`."""
    words = _words(entry)
    return len(words) > 1 and words[-1] == "mcp" and is_program(words[-2])


def is_program(word: str) -> bool:
    """Whether a word names our program: `neat`, its path, `neat.exe`, `neatd.cli.main` after `python -m`."""
    found = _FILE_NAME.search(word)
    return bool(found and found[0].startswith("neat"))


def _words(handler: Any) -> Sequence[str]:
    if not isinstance(handler, dict) or not isinstance(handler.get("command"), str):
        return ()
    arguments = handler.get("args")
    if arguments is None:
        try:
            return shlex.split(handler["command"])
        except ValueError:  # a quote without its other
            return ()
    if not isinstance(arguments, list) or not all(isinstance(one, str) for one in arguments):
        return ()
    return (handler["command"], *arguments)
