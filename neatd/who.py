"""Who is at work: a person, or an assistant, which says so in the environment of what it starts. Stdlib only."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

PERSON = "person"
CLAUDE, CODEX, CURSOR = "claude-code", "codex", "cursor"
SESSION_VARIABLE = "NEAT_SESSION"  # the id of the session's record, for what the assistant starts
# Each variable is set by the assistant itself in the shells that it opens.
_VARIABLES = (
    ("CLAUDECODE", CLAUDE), ("CODEX_SANDBOX", CODEX), ("CODEX_THREAD_ID", CODEX),
    ("CODEX_SANDBOX_NETWORK_DISABLED", CODEX), ("CURSOR_AGENT", CURSOR),
    ("CURSOR_TRACE_ID", CURSOR), ("GEMINI_CLI", "gemini-cli"), ("OPENCODE", "opencode"),
)  # fmt: skip
VARIABLES = (*(variable for variable, _ in _VARIABLES), SESSION_VARIABLE)
_SESSION = re.compile(r"se-[0-9a-hjkmnp-tv-z]{16}")
_NAMES = (("claude", CLAUDE), ("codex", CODEX), ("cursor", CURSOR))


def source() -> str:
    """Who is typing, as a record's source."""
    return next((name for variable, name in _VARIABLES if os.environ.get(variable)), PERSON)


def told_session() -> str:
    """The session that this process was started in, as its environment says; "" for none."""
    found = os.environ.get(SESSION_VARIABLE, "")
    return found if _SESSION.fullmatch(found) else ""


def tell_session(session_id: str) -> None:
    """From here on, what this process keeps was made in that session; "" for in none."""
    if session_id:
        os.environ[SESSION_VARIABLE] = session_id
    else:
        os.environ.pop(SESSION_VARIABLE, None)


def session_in(environment: bytes) -> str:
    """The session that an environment block (NAME=VALUE, NUL between) names; "" for none."""
    start = f"{SESSION_VARIABLE}=".encode()
    value = next((one[len(start) :] for one in environment.split(b"\0") if one.startswith(start)), b"")
    found = value.decode("ascii", "replace")
    return found if _SESSION.fullmatch(found) else ""


def assistant_name(client: str) -> str:
    """A client's own name as the source of records: the names that are known here, else its letters, digits, dashes."""
    plain = re.sub(r"[^a-z0-9]+", "-", client.lower()).strip("-")[:40]
    return known_name(plain) or ("assistant" if plain in ("", PERSON) else plain)


def known_name(text: str) -> str:
    """The known assistant that a program or a client is named after; "" for none."""
    return next((name for part, name in _NAMES if part in text.lower()), "")


def source_of(payload: Mapping[str, Any], assistant: str) -> str:
    """The assistant that sent a hook's JSON; `assistant` where that does not tell.

    Codex speaks Claude Code's language, with a turn's id and its own transcript beside.
    """
    if "turn_id" in payload or "/.codex/" in str(payload.get("transcript_path", "")).replace("\\", "/"):
        return CODEX
    if "cursor_version" in payload or "conversation_id" in payload:
        return CURSOR
    return assistant
