"""Events of hooks as the assistants document them, with every field; and a project in which assistants work."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from neatd.store import presence
from neatd.store.moments import utc_now
from neatd.store.presence import Attendance
from neatd.who import VARIABLES
from tests.cli_place import user_home
from tests.testing_made import IDENTITY, Checked

Payload = dict[str, Any]
CLAUDE_EVENTS: dict[str, tuple[str, Payload]] = {
    "session-start": ("SessionStart", {"source": "startup", "model": "claude-opus-5", "session_title": "x", "agent_type": "a"}),
    "user-prompt": ("UserPromptSubmit", {"prompt": "train it longer"}),
    "post-tool": (
        "PostToolUse",
        {"tool_name": "Bash", "tool_use_id": "toolu_1", "duration_ms": 12,
         "tool_input": {"command": "ls", "description": "List", "timeout": 1000, "run_in_background": False},
         "tool_response": {"stdout": "a.py", "stderr": "", "interrupted": False, "isImage": False}},
    ),
    "pre-compact": ("PreCompact", {"trigger": "auto", "custom_instructions": ""}),
    "stop": (
        "Stop",
        {"stop_hook_active": False, "last_assistant_message": "Done.", "background_tasks": [], "session_crons": []},
    ),
    "session-end": ("SessionEnd", {"reason": "other"}),
}  # fmt: skip
CODEX_EVENTS: dict[str, tuple[str, Payload]] = {
    "session-start": ("SessionStart", {"source": "startup"}),
    "user-prompt": ("UserPromptSubmit", {"turn_id": "t1", "prompt": "train it longer"}),
    "post-tool": (
        "PostToolUse",
        {"turn_id": "t1", "tool_name": "Bash", "tool_use_id": "call_1", "tool_input": {"command": "ls"},
         "tool_response": "a.py"},
    ),
    "pre-compact": ("PreCompact", {"turn_id": "t1", "trigger": "manual"}),
    "stop": ("Stop", {"turn_id": "t1", "stop_hook_active": False, "last_assistant_message": None}),
}  # fmt: skip
CURSOR_EVENTS: dict[str, tuple[str, Payload]] = {
    "session-start": ("sessionStart", {"session_id": "s1", "is_background_agent": False, "composer_mode": "agent"}),
    "user-prompt": ("beforeSubmitPrompt", {"prompt": "train it longer", "attachments": [{"type": "file", "file_path": "a"}]}),
    "post-tool": (
        "postToolUse",
        {"tool_name": "Shell", "tool_input": {"command": "ls"}, "tool_use_id": "c1", "duration": 12.5,
         "tool_output": json.dumps({"stdout": "a.py", "exitCode": 0})},
    ),
    "pre-compact": (
        "preCompact",
        {"trigger": "auto", "context_usage_percent": 85, "context_tokens": 120000, "context_window_size": 128000,
         "message_count": 45, "messages_to_compact": 30, "is_first_compaction": True},
    ),
    "stop": ("stop", {"status": "completed", "loop_count": 0}),
    "session-end": (
        "sessionEnd",
        {"session_id": "s1", "reason": "completed", "duration_ms": 45000, "is_background_agent": False, "final_status": "ok"},
    ),
}  # fmt: skip


def claude(event: str, root: Path, session: str = "s1", **fields: Any) -> Payload:
    """An event as Claude Code sends it."""
    name, own = CLAUDE_EVENTS[event]
    common = {
        "session_id": session, "transcript_path": f"/home/u/.claude/projects/p/{session}.jsonl", "cwd": str(root),
        "hook_event_name": name, "permission_mode": "default", "prompt_id": "p1", "effort": {"level": "high"},
        "scratchpad_dir": "/tmp/claude",
    }  # fmt: skip
    return {**common, **own, **fields}


def codex(event: str, root: Path, session: str = "s1", **fields: Any) -> Payload:
    """An event as Codex sends it."""
    name, own = CODEX_EVENTS[event]
    common = {
        "session_id": session, "transcript_path": f"/home/u/.codex/sessions/{session}.jsonl", "cwd": str(root),
        "hook_event_name": name, "model": "gpt-5", "permission_mode": "default",
    }  # fmt: skip
    return {**common, **own, **fields}


def cursor(event: str, root: Path, session: str = "s1", **fields: Any) -> Payload:
    """An event as Cursor sends it."""
    name, own = CURSOR_EVENTS[event]
    common = {
        "conversation_id": session, "generation_id": "g1", "model": "m", "hook_event_name": name, "cursor_version": "1.7.2",
        "workspace_roots": [str(root)], "user_email": "somebody@example.org", "transcript_path": None,
    }  # fmt: skip
    return {**common, **own, **fields}


class Assisted(Checked):
    """A repository with a project, in which assistants work: their hooks are called in this process."""

    def __init__(self, base: Path, patch: pytest.MonkeyPatch) -> None:
        super().__init__(base)
        self.patch = patch
        patch.setenv("NEAT_HOME", str(self.home))
        patch.setenv("HOME", str(user_home(base)))
        patch.chdir(base)
        for name in (*VARIABLES, "CLAUDE_PROJECT_DIR", "CLAUDE_ENV_FILE"):
            patch.delenv(name, raising=False)
        for who in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{who}_NAME", "n")
            patch.setenv(f"GIT_{who}_EMAIL", "n@example.org")
        patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)

    def tell(self, event: str, session: str = "s1", root: Path | None = None, **fields: Any) -> str:
        """An event of Claude Code; what the assistant is told, "" for nothing."""
        return self.context(claude(event, root or self.root, session, **fields), event)

    def context(self, payload: Payload | bytes, event: str) -> str:
        """The context that an event is answered with. The answer's JSON is checked, and nothing may be said on stderr."""
        out, err = self.answer(payload, event)
        assert err == "", err
        return context_of(out, payload if isinstance(payload, dict) else {})

    def bash(self, command: str, output: str = "", session: str = "s1", root: Path | None = None, **fields: Any) -> str:
        """A shell command that the assistant ran, told afterwards."""
        given = {
            "tool_input": {"command": command},
            "tool_response": {"stdout": output, "stderr": "", "interrupted": False},
        }
        return self.tell("post-tool", session, root, **given, **fields)

    def edit(self, path: str, session: str = "s1", root: Path | None = None, tool: str = "Edit", **fields: Any) -> str:
        """A file that the assistant edited, told afterwards."""
        return self.tell("post-tool", session, root, tool_name=tool, tool_input={"file_path": path, **fields})

    def happen(self, rule: str = "non_finite", severity: str = "critical", message: str = "loss is NaN") -> None:
        """An anomaly, as the daemon writes it."""
        with self.store() as store:
            number = store.execute("SELECT count(*) FROM event").fetchone()[0]
            store.execute(
                "INSERT INTO event (id, project_id, rule, started_at, created_at, severity, message, dedupe)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (f"e-{number:016d}", IDENTITY, rule, utc_now(), utc_now(), severity, message, str(number)),
            )

    def known(self, session: str = "s1") -> Attendance:
        """The attendance of a session, which must be there."""
        with self.store() as store:
            found = presence.find(store, "claude-code", session, IDENTITY)
        assert found is not None
        return found

    def session(self, session: str = "s1") -> Payload:
        """The session's record as the store holds it, lists opened."""
        with self.store() as store:
            row = dict(
                store.execute("SELECT * FROM session WHERE id = ?", (self.known(session).session_id,)).fetchone()
            )
        lists = ("commits", "file", "records", "runs", "tests")
        return {**row, **{name: json.loads(row[name]) for name in lists}}

    def subjects(self, session: str = "s1") -> list[str]:
        """The subjects of the session's commits."""
        return [one.partition(" ")[2] for one in self.session(session)["commits"]]


def context_of(out: str, payload: Payload) -> str:
    """The context in an answer, which must be what the assistant's documentation asks for."""
    if not out:
        return ""
    (line,) = out.splitlines()
    given = json.loads(line)
    if "cursor_version" in payload:
        assert list(given) == ["additional_context"]
        return str(given["additional_context"])
    name = payload.get("hook_event_name")
    assert given.keys() == {"hookSpecificOutput"} and name in (
        "SessionStart", "UserPromptSubmit", "PostToolUse", "PostToolUseFailure",
    )  # fmt: skip
    inner = given["hookSpecificOutput"]
    assert inner.keys() == {"hookEventName", "additionalContext"} and inner["hookEventName"] == name
    assert len(inner["additionalContext"]) <= 9500
    return str(inner["additionalContext"])
