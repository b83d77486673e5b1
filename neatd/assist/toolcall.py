"""What an assistant's hook says of a shell command it ran: the command, where, what came out. Pure, stdlib only.

The shapes of Claude Code (PostToolUse, and PostToolUseFailure when the exit code was not 0) and of Codex, whose
answers come as text, as JSON in a text or as an object. A field that is missing or of another type is not known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

LARGEST = 4 << 20  # characters of output that are read
_SHELLS = frozenset(
    {"bash", "shell", "local_shell", "exec_command", "run_terminal_cmd", "run_shell_command", "terminal", "execute"}
)
_EXIT = re.compile(r"^(?:Exit code:?|Process exited with code) (-?\d{1,5})\b", re.MULTILINE)
_CODES = ("exit_code", "exitCode", "returncode", "return_code", "code")
_TEXTS = ("stdout", "stderr", "output", "aggregated_output", "error", "content", "text")


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
    source = _source(payload, assistant)
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


def _source(payload: Mapping[str, Any], assistant: str) -> str:
    """Who called. Codex speaks Claude Code's language, with a turn's id and its own transcript beside."""
    if "turn_id" in payload or "/.codex/" in str(payload.get("transcript_path", "")).replace("\\", "/"):
        return "codex"
    if "cursor_version" in payload or "conversation_id" in payload:
        return "cursor"
    return assistant
