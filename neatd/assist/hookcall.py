"""What a hook's JSON says, of whichever assistant: which session, where, of what. Pure, stdlib only.

Claude Code and Codex speak alike; Cursor names a conversation and its workspaces. A field that is missing or of another
type is not known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from neatd.who import CLAUDE, CURSOR, PERSON, source_of

EVENTS = {
    "session-start": "SessionStart", "user-prompt": "UserPromptSubmit", "post-tool": "PostToolUse",
    "pre-compact": "PreCompact", "stop": "Stop", "session-end": "SessionEnd",
}  # fmt: skip
# The events whose answer reaches the assistant; Cursor's begin with a small letter.
_ANSWERED = frozenset(
    {"SessionStart", "Setup", "SubagentStart", "UserPromptSubmit", "UserPromptExpansion", "PreToolUse", "PostToolUse",
     "PostToolUseFailure", "PostToolBatch", "sessionStart", "postToolUse", "postToolUseFailure"}
)  # fmt: skip
# Events that are known and take no answer; a name that is in neither is taken for the usual one of its hook.
_SILENT = frozenset(
    {"Stop", "SubagentStop", "StopFailure", "PreCompact", "PostCompact", "SessionEnd", "Notification", "Interrupt", "stop",
     "subagentStop", "preCompact", "sessionEnd", "afterShellExecution", "afterFileEdit", "afterMCPExecution",
     "beforeSubmitPrompt", "afterAgentResponse"}
)  # fmt: skip
_LONGEST_KEY = 200
_WHY = re.compile(r"[a-z][a-z_-]{0,39}")


class HookCall(NamedTuple):
    """One call of a hook."""

    event: str  # a key of EVENTS
    name: str  # as the assistant calls the event, which its answer has to repeat
    assistant: str
    key: str  # the assistant's own name for its session; "" when it does not tell
    cwd: str  # "" when it does not tell
    why: str  # source of a start, reason of an end, trigger of a compaction
    payload: Mapping[str, Any]


def hook_call(event: str, raw: bytes, source: str) -> HookCall:
    """The call that `raw` tells of; `source` is who called by the environment. Raises ValueError for no JSON object."""
    if not raw.strip():
        raise ValueError("there is no JSON on stdin")
    try:
        payload = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"what came on stdin is no JSON: {error}") from None
    if not isinstance(payload, dict):
        raise ValueError(f"what came on stdin is no JSON object: {type(payload).__name__}")
    assistant = source_of(payload, CLAUDE if source == PERSON else source)
    why = next((one for name in ("source", "reason", "trigger") if _WHY.fullmatch(one := _word(payload, name))), "")
    usual = EVENTS[event] if assistant != CURSOR else EVENTS[event][0].lower() + EVENTS[event][1:]
    told = _word(payload, "hook_event_name")
    name = told if told in _ANSWERED | _SILENT else usual
    return HookCall(event, name, assistant, _key(payload), _cwd(payload), why, payload)


def takes_context(call: HookCall) -> bool:
    """Whether what is answered reaches the assistant. On the other events an answer would be refused, or keep it going."""
    return call.name in _ANSWERED


def answer(call: HookCall, text: str) -> str:
    """The JSON that hands a text to the assistant, in its own words; no key that its schema does not know."""
    if call.name[:1].islower():
        return json.dumps({"additional_context": text}, ensure_ascii=False)
    output = {"hookEventName": call.name, "additionalContext": text}
    return json.dumps({"hookSpecificOutput": output}, ensure_ascii=False)


def _key(payload: Mapping[str, Any]) -> str:
    names = ("conversation_id", "session_id", "thread_id")
    found = next((one for name in names if (one := _word(payload, name))), "")
    return found[:_LONGEST_KEY].encode("utf-8", "replace").decode()  # JSON can spell halves of letters


def _cwd(payload: Mapping[str, Any]) -> str:
    roots = payload.get("workspace_roots")
    first = roots[0] if isinstance(roots, list) and roots and isinstance(roots[0], str) else ""
    return _word(payload, "cwd") or first


def _word(payload: Mapping[str, Any], name: str) -> str:
    value = payload.get(name)
    return value if isinstance(value, str) else ""
