"""What an assistant's hook says of a shell command it ran: the command, where, what came out. Pure, stdlib only.

The shapes of Claude Code (PostToolUse, and PostToolUseFailure when the exit code was not 0) and of Codex, whose
answers come as text, as JSON in a text or as an object. A field that is missing or of another type is not known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from neatd.who import source_of

LARGEST = 4 << 20  # characters of output that are read
_SHELLS = frozenset(
    {"bash", "shell", "local_shell", "exec_command", "run_terminal_cmd", "run_shell_command", "terminal", "execute"}
)
_EXIT = re.compile(r"^(?:Exit code:?|Process exited with code) (-?\d{1,5})\b", re.MULTILINE)
_CODES = ("exit_code", "exitCode", "returncode", "return_code", "code")
_TEXTS = ("stdout", "stderr", "output", "aggregated_output", "error", "content", "text")
_EDITS = frozenset(
    {"edit", "write", "multiedit", "notebookedit", "apply_patch", "str_replace_editor", "create_file", "edit_file"}
)
_PATCHED = re.compile(r"^\*\*\* (?:Add|Update|Delete) File: (.+)$|^\*\*\* Move to: (.+)$", re.MULTILINE)
_COMMITTED = re.compile(r"^\[(?:[^\]\n]{1,250} )?([0-9a-f]{7,40})\] ", re.MULTILINE)
_COMMITS = re.compile(r"\bgit\b[^\n;|&]{0,500}?\b(?:commit|merge|cherry-pick|revert|rebase|am)\b")
_LONGEST_LINE = 20_000  # characters of a command that are looked at
_MOST_FILES = _MOST_COMMITS = 100  # of one call


class ToolCall(NamedTuple):
    """A shell command that an assistant ran to its end."""

    command: str | tuple[str, ...]  # a line for a shell, or a list of arguments
    cwd: str
    output: tuple[str, ...]  # its streams, where they are told apart
    exit_code: int | None
    is_interrupted: bool
    source: str  # the assistant's name
    call_id: str


def shell_call(payload: Any, assistant: str) -> ToolCall | None:
    """The call that a post-tool event tells of; None for another tool, and for a command that goes on in the
    background. `assistant` names who called where the payload does not tell."""
    if not isinstance(payload, dict) or str(payload.get("tool_name", "")).lower() not in _SHELLS:
        return None
    asked = payload.get("tool_input")
    asked = asked if isinstance(asked, dict) else {}
    command = _command(asked)
    answer = _opened(payload.get("tool_response", payload.get("tool_output")))
    if not command or asked.get("run_in_background") is True or _is_in_background(answer):
        return None
    error = payload.get("error")
    output = (*_texts(answer), *([error[:LARGEST]] if isinstance(error, str) else []))
    source = source_of(payload, assistant)
    code = _exit_code(answer, output)
    if code is None and source == "claude-code" and payload.get("hook_event_name") == "PostToolUse" and not error:
        code = 0  # another one would have come as PostToolUseFailure
    is_interrupted = payload.get("is_interrupt") is True or (
        isinstance(answer, dict) and answer.get("interrupted") is True
    )
    where = next((one for one in (asked.get("workdir"), asked.get("cwd"), payload.get("cwd")) if _is_word(one)), "")
    return ToolCall(
        command, str(where), output, None if is_interrupted else code, is_interrupted, source,
        str(payload.get("tool_use_id") or payload.get("call_id") or "")[:200],
    )  # fmt: skip


def edited_files(payload: Mapping[str, Any]) -> tuple[str, ...]:
    """The paths that a call of an editing tool wrote, as it names them; () for another tool."""
    asked = payload.get("tool_input")
    path = payload.get("file_path") if "edits" in payload else None  # Cursor's own event of an edit
    if isinstance(path, str):
        return (path,)
    if str(payload.get("tool_name", "")).lower() not in _EDITS or not isinstance(asked, dict):
        return ()
    named = [asked[name] for name in ("file_path", "notebook_path", "path") if isinstance(asked.get(name), str)]
    patch = next((asked[name] for name in ("command", "patch", "input") if isinstance(asked.get(name), str)), "")
    named += [first or second for first, second in _PATCHED.findall(patch[:LARGEST])]
    return tuple(dict.fromkeys(one.strip() for one in named if one.strip()))[:_MOST_FILES]


def commits_told(call: ToolCall) -> tuple[str, ...]:
    """The beginnings of the commits that a shell command made, as git printed them."""
    found = (one for text in call.output for one in _COMMITTED.findall(text))
    return tuple(dict.fromkeys(found))[:_MOST_COMMITS]


def may_commit(call: ToolCall) -> bool:
    """Whether a shell command is one that makes commits, whatever it prints."""
    return _COMMITS.search(line_of(call)[:_LONGEST_LINE]) is not None


def line_of(call: ToolCall) -> str:
    """The command as one text."""
    return call.command if isinstance(call.command, str) else " ".join(call.command)


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _command(asked: Mapping[str, Any]) -> str | tuple[str, ...]:
    for name in ("command", "cmd", "script"):
        value = asked.get(name)
        if isinstance(value, str):
            return value
        if isinstance(value, list) and all(isinstance(word, str) for word in value):
            return tuple(value)
    return ""


def _opened(answer: Any) -> Any:
    """An answer that is JSON in a text as what it holds."""
    if isinstance(answer, str) and answer.lstrip()[:1] == "{" and len(answer) <= LARGEST:
        try:
            found = json.loads(answer)
        except (ValueError, RecursionError):
            return answer
        return found if isinstance(found, dict) and any(name in found for name in _TEXTS) else answer
    return answer


def _is_in_background(answer: Any) -> bool:
    return isinstance(answer, dict) and bool(answer.get("backgroundTaskId") or answer.get("background_task_id"))


def _texts(answer: Any) -> list[str]:
    """The texts of an answer: one, or one for each stream or block."""
    if isinstance(answer, str):
        return [answer[-LARGEST:]]
    if isinstance(answer, list):
        return [text for one in answer[:100] for text in _texts(one.get("text") if isinstance(one, dict) else one)]
    if isinstance(answer, dict):
        return [text for name in _TEXTS if name in answer for text in _texts_of_field(answer[name])]
    return []


def _texts_of_field(value: Any) -> list[str]:
    return _texts(value) if isinstance(value, str | list) else []


def _exit_code(answer: Any, output: tuple[str, ...]) -> int | None:
    about = (answer, answer.get("metadata")) if isinstance(answer, dict) else ()
    for one in about:
        for name in _CODES:
            value = one.get(name) if isinstance(one, dict) else None
            if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 31:
                return value
    found = _EXIT.match(output[0]) if output else None
    return int(found[1]) if found else None
