"""neat's entries in the JSON settings of assistants: hooks, and the server of tools. Pure: bytes in, bytes out.

An entry is ours by what it calls (`calling.py`). What a person changed in one of ours stays, as long as it calls the same
command; so does everything else, to the byte. ValueError says why a file is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from neatd.assist.calling import calls_neat, words_of
from neatd.assist.jsonplaces import Steps, decoded, is_blank, value_at
from neatd.assist.jsontext import added, removed, replaced

HOOK_EVENTS = frozenset({"session-start", "user-prompt", "post-tool", "pre-compact", "stop", "session-end"})
SERVERS = "mcpServers"
SERVER = "neat"
_NEW = b"{}\n"

Group = Mapping[str, Any]  # of hooks: a matcher, and one hook


def with_hooks(content: bytes | None, wanted: Mapping[str, Group]) -> bytes:
    """`content` with one group of ours for each event of `wanted`; one that calls another command is changed in place."""
    text = decoded(_NEW if content is None else content)
    hooks = value_at(text, ("hooks",), {})
    for event, group in wanted.items():
        if isinstance(hooks, dict) and not isinstance(hooks.get(event, []), list):
            raise ValueError(f"hooks.{event} is no list")
        found = [place for place in _hooks(text) if place[1] == event]
        text = _calling(text, found[0], group["hooks"][0]) if found else added(text, ("hooks", event), None, group)
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


def _calling(text: str, place: Steps, wanted: Mapping[str, Any]) -> str:
    """Another command in the entry at `place`, if it is another; its matcher, its time, its environment stay."""
    old = value_at(text, place)
    if words_of(old) == words_of(wanted):
        return text
    call = {name: wanted[name] for name in ("command", "args") if name in wanted}
    return replaced(text, place, {name: value for name, value in old.items() if name in call or name != "args"} | call)


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
    if not is_our_server(servers[SERVER]):
        raise ValueError(f"{SERVERS} has a {SERVER!r} that is not ours")
    return _calling(text, (SERVERS, SERVER), entry).encode()


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
    """Whether a hook calls `neat hook EVENT` and nothing else, in exec form or as one string."""
    words = words_of(handler)
    return len(words) > 2 and words[-1] in HOOK_EVENTS and words[-2] == "hook" and calls_neat(words[:-2])


def is_our_server(entry: Any) -> bool:
    """Whether a server is `neat mcp`."""
    words = words_of(entry)
    return len(words) > 1 and words[-1] == "mcp" and calls_neat(words[:-1])
