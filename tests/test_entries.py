"""neat's hooks and server in the JSON settings of assistants: put in, brought up to date, taken out to the byte."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import example, given

from neatd.assist.entries import is_our_hook, is_our_server, with_hooks, with_server, without_hooks, without_server
from tests.settings_made import settings_files


def hook(word: str, *program: str, **more: Any) -> dict[str, Any]:
    command, *arguments = program or ("neat",)
    return {"type": "command", "command": command, "args": [*arguments, "hook", word], "timeout": 10, **more}


WANTED: dict[str, dict[str, Any]] = {
    "SessionStart": {"hooks": [hook("session-start")]},
    "PostToolUse": {"matcher": "Bash", "hooks": [hook("post-tool")]},
    "Stop": {"hooks": [hook("stop")]},
}
SERVER = {"command": "neat", "args": ["mcp"]}
THEIRS = {"type": "command", "command": "make lint"}


@given(settings_files())
@example(({}, b"{}"))
@example(({}, b"{ }\r\n"))
@example(({"hooks": {}}, b'{"hooks":{}}'))
@example(({"hooks": {"Stop": []}}, b'{\n\t"hooks": {\n\t\t"Stop": [\n\t\t]\n\t}\n}\n'))
def test_hooks_go_in_and_out_to_the_byte(made: tuple[Any, bytes]) -> None:
    """Whatever the file says and however it is written: merged as values, twice is harmless, undone is as before."""
    value, content = made
    new = with_hooks(content, WANTED)
    merged = copy.deepcopy(value)
    for event, group in WANTED.items():
        merged.setdefault("hooks", {}).setdefault(event, []).append(group)
    assert json.loads(new) == merged
    assert with_hooks(new, WANTED) == new
    assert without_hooks(new) == content
    assert without_hooks(content) == content


@given(settings_files())
@example(({}, b"{}"))
@example(({"mcpServers": {}}, b'{"mcpServers":{  } }'))
def test_the_server_goes_in_and_out_to_the_byte(made: tuple[Any, bytes]) -> None:
    """As for hooks."""
    value, content = made
    new = with_server(content, SERVER)
    assert json.loads(new) == {**value, "mcpServers": {**value.get("mcpServers", {}), "neat": SERVER}}
    assert with_server(new, SERVER) == new
    assert without_server(new) == content


@given(settings_files())
def test_hooks_go_out_of_a_file_that_was_written_anew(made: tuple[Any, bytes]) -> None:
    """Another program's formatting costs no more than empty places; nothing of anybody's goes, nothing of ours stays."""
    value, content = made
    anew = json.dumps(json.loads(with_hooks(content, WANTED)), indent=3).encode()
    assert without_empty(json.loads(without_hooks(anew))) == without_empty(value)


def without_empty(value: Any) -> Any:
    """The settings without the places for hooks in which there is none."""
    hooks = {event: groups for event, groups in value.get("hooks", {}).items() if groups}
    return {name: one for name, one in value.items() if name != "hooks"} | ({"hooks": hooks} if hooks else {})


def text(value: Any) -> bytes:
    return json.dumps(value, indent=4).encode()


def test_a_new_file_is_readable() -> None:
    """Two spaces, a hook on one line, a last newline."""
    lines = with_hooks(None, {"Stop": WANTED["Stop"]}).decode().splitlines()
    assert lines[:3] == ["{", '  "hooks": {', '    "Stop": [']
    assert lines[5].strip() == json.dumps(hook("stop")) and lines[-1] == "}"


def test_the_files_own_indentation_and_line_ends_are_followed() -> None:
    """Four spaces and CRLF stay four spaces and CRLF; a minified file stays one line."""
    wide = with_server(b'{\r\n    "a": 1\r\n}\r\n', SERVER)
    assert wide.count(b"\n") == wide.count(b"\r\n") == 6 and b'\r\n    "mcpServers": {\r\n        "neat": {"' in wide
    assert b"\n" not in with_hooks(b'{"a":1}', WANTED)


def test_an_older_hook_of_ours_is_brought_up_to_date_in_place() -> None:
    """Another path or form: never a second one, and what a person changed or added around the command stays."""
    old = {
        "PostToolUse": [{"matcher": "Bash|x", "hooks": [hook("post-tool", "/old/bin/neat", timeout=5, async_=True)]}]
    }
    new = json.loads(with_hooks(text({"hooks": {**old, "Notification": [1]}}), {"PostToolUse": WANTED["PostToolUse"]}))
    changed = {"matcher": "Bash|x", "hooks": [hook("post-tool", timeout=5, async_=True)]}
    assert new["hooks"] == {"PostToolUse": [changed], "Notification": [1]}
    by_hand = {"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "/old/neat hook stop", "timeout": 30}]}]}}
    (group,) = json.loads(with_hooks(text(by_hand), {"Stop": WANTED["Stop"]}))["hooks"]["Stop"]
    assert group == {"hooks": [{**hook("stop"), "timeout": 30}]}


def test_what_a_person_changed_in_ours_stays() -> None:
    """A matcher, a narrower one, another time, the call as one string: whatever calls the same command is not touched."""
    groups = {
        "SessionStart": [{"matcher": "startup|resume", "hooks": [hook("session-start")]}],
        "PostToolUse": [{"matcher": "Edit", "hooks": [hook("post-tool", timeout=30)]}],
        "Stop": [{"hooks": [{"type": "command", "command": "neat hook stop"}]}],
    }
    mine = text({"hooks": groups, "mcpServers": {"neat": {**SERVER, "type": "mine"}}})
    assert with_hooks(mine, WANTED) == mine
    assert with_server(mine, {"type": "stdio", **SERVER}) == mine


def test_doubled_hooks_become_one() -> None:
    """Two of ours at one event would tell everything twice; one at an event that is no longer asked for goes."""
    doubled = {"hooks": {"Stop": [WANTED["Stop"], {"hooks": [THEIRS, hook("stop")]}], "PreToolUse": [WANTED["Stop"]]}}
    new = json.loads(with_hooks(text(doubled), {"Stop": WANTED["Stop"]}))
    assert new == {"hooks": {"Stop": [WANTED["Stop"], {"hooks": [THEIRS]}]}}


def test_a_hook_that_somebody_put_beside_ours_stays() -> None:
    """Their group keeps its matcher, and loses ours alone."""
    shared = {"hooks": {"PostToolUse": [{"matcher": "mine", "hooks": [hook("post-tool", "x/neat"), THEIRS]}]}}
    new = with_hooks(text(shared), {"PostToolUse": WANTED["PostToolUse"]})
    group = json.loads(new)["hooks"]["PostToolUse"]
    assert group == [{"matcher": "mine", "hooks": [hook("post-tool"), THEIRS]}]
    assert json.loads(without_hooks(new)) == {"hooks": {"PostToolUse": [{"matcher": "mine", "hooks": [THEIRS]}]}}


def test_what_was_added_after_ours_stays_to_the_byte() -> None:
    """Before, between and behind."""
    new = with_hooks(b'{\n  "a": 1\n}\n', WANTED).decode()
    changed = new.replace('"a": 1', '"a":   2').replace('"Stop": [\n', '"Stop": [\n    {"hooks": []},\n')
    assert (
        without_hooks(changed.encode())
        == b'{\n  "a":   2,\n  "hooks": {\n    "Stop": [\n    {"hooks": []}\n    ]\n  }\n}\n'
    )


def test_a_server_of_ours_keeps_what_a_person_added() -> None:
    """Its environment, say; only what calls it is brought up to date."""
    old = {"mcpServers": {"neat": {"command": "/old/neat", "args": ["mcp"], "env": {"A": "b"}}}}
    new = with_server(text(old), SERVER)
    assert json.loads(new)["mcpServers"]["neat"] == {**SERVER, "env": {"A": "b"}}
    assert json.loads(without_server(new)) == {}


@pytest.mark.parametrize(
    "theirs",
    [{"command": "./mine.sh && neat hook stop"}, {"command": "neatly", "args": ["hook", "stop"]},
     {"command": "./mine.sh", "args": ["neat", "hook", "stop"]}, {"command": "./mine.sh; neat hook stop"}],
)  # fmt: skip
def test_a_hook_of_theirs_that_calls_neat_stays(theirs: dict[str, Any]) -> None:
    """Ours comes beside it, and goes again; theirs is theirs, to the byte."""
    content = text({"hooks": {"Stop": [{"hooks": [theirs]}]}})
    new = with_hooks(content, {"Stop": WANTED["Stop"]})
    assert json.loads(new)["hooks"]["Stop"] == [{"hooks": [theirs]}, WANTED["Stop"]]
    assert without_hooks(new) == content and without_hooks(content) == content


ODD = {
    "a comment": (b'{\n  // mine\n  "a": 1\n}', "line 2 is no JSON"),
    "a last comma": (b'{"a": 1,}', "line 1 is no JSON"),
    "nothing": (b"", "line 1 is no JSON"),
    "not a number": (b'{"a": NaN}', "NaN"),
    "a list": (b"[]", "no object"),
    "two members of a name": (b'{"hooks": {}, "hooks": {}, "mcpServers": {}, "mcpServers": {}}', "two members"),
    "utf-16": ("{}".encode("utf-16"), "not UTF-8"),
    "latin-1": (b'{"a": "\xe9"}', "not UTF-8"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "byte order mark"),
    "too deep": (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too deep"),
    "a long number": (b'{"a": ' + b"9" * 5000 + b"}", "digits"),
    "places of another kind": (b'{"hooks": [], "mcpServers": []}', "is no object"),
    "null": (b'{"hooks": null, "mcpServers": null}', "is no object"),
}


@pytest.mark.parametrize(("content", "reason"), ODD.values(), ids=ODD)
def test_a_file_that_is_not_as_it_should_be_is_left_alone(content: bytes, reason: str) -> None:
    """With the reason; nothing is guessed."""
    with pytest.raises(ValueError, match=reason):
        with_hooks(content, WANTED)
    with pytest.raises(ValueError, match=reason):
        with_server(content, SERVER)


def test_an_event_or_a_server_of_another_kind_is_left_alone() -> None:
    """A list that is none, and a server that only has our name."""
    with pytest.raises(ValueError, match=r"hooks\.Stop is no list"):
        with_hooks(b'{"hooks": {"Stop": {}}}', WANTED)
    for entry in ({"command": "npx", "args": ["neat-html"]}, {"command": "neatify", "args": ["mcp"]}):
        theirs = text({"mcpServers": {"neat": entry}})
        with pytest.raises(ValueError, match="not ours"):
            with_server(theirs, SERVER)
        assert without_server(theirs) == theirs


@pytest.mark.parametrize("program", ["neat", "/a b/neat", "C:\\x\\neat.exe", "neatd.cli.main"])
def test_ours_is_known_by_what_it_calls(program: str) -> None:
    """By whatever path, with whatever stands before it."""
    assert is_our_hook({"command": program, "args": ["hook", "stop"]})
    assert is_our_hook({"command": "uv", "args": ["run", program, "hook", "session-start"]})
    assert is_our_server({"command": program, "args": ["mcp"]})


@pytest.mark.parametrize(
    "handler",
    [None, [], {}, {"command": 3}, {"command": "bd hook stop"}, {"command": "neat hook"}, {"command": "neat 'hook stop"},
     {"command": "neat", "args": "hook stop"}, {"command": "neat", "args": ["hook", 3]}, {"command": "neat hook nap"},
     {"command": "neat hook stop && rm x"}, {"command": "x && neat hook stop"}, {"command": "$X/neat hook stop"},
     {"command": "neat hook stop extra"}, {"command": "(neat hook stop"}, {"command": "x\nneat hook stop"},
     {"command": "neatly hook stop"}, {"command": "neatify", "args": ["mcp"]}, {"command": "neat-x mcp"},
     {"command": "mine.sh", "args": ["neat", "hook", "stop"]}, {"command": "python", "args": ["x.py", "neat", "mcp"]},
     {"command": "flow", "args": ["hook", "session-start"]}],
)  # fmt: skip
def test_what_calls_something_else_is_not_ours(handler: Any) -> None:
    """Nor what is no hook at all."""
    assert not is_our_hook(handler) and not is_our_server(handler)
