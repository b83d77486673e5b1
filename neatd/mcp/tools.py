"""The tools that an assistant sees: names, descriptions, what they take. Written by hand, because an assistant's context
pays for each character: all of it stays under 2,000 tokens, which a test counts. What a tool does is in `calls.py`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

Schema = dict[str, Any]

INSTRUCTIONS = """\
neat keeps this project's lab notebook: runs, metrics and anomalies are recorded by themselves; decisions, hypotheses, bugs
and next steps are recorded when somebody says them. `brief` is where things stand. `check` tells before a launch whether a
configuration was tried and how it ended. `log` keeps what files do not show: a decision with its reason, a hypothesis with a
prediction before its run (its verdict is then computed when the run ends), a bug with cause and fix, a task, a preference of
the user's. `update` changes, closes and links records. Ids may be shortened; runs go by name or id. Numbers stand with the
step they were measured at. The `neat` command line answers the same."""


class Tool(NamedTuple):
    """One tool. `properties` are its arguments by name."""

    name: str
    description: str
    properties: dict[str, Schema]
    required: tuple[str, ...] = ()
    is_read_only: bool = True
    is_destructive: bool = False

    @property
    def schema(self) -> Schema:
        """Its arguments as JSON Schema."""
        required = {"required": list(self.required)} if self.required else {}
        return {"type": "object", "properties": self.properties, **required, "additionalProperties": False}


KINDS = (
    "note", "decision", "hypothesis", "bug", "task", "insight", "preference", "phase", "experiment", "change", "lesson",
    "challenge", "goal", "assessment", "document", "command", "style", "machine", "service",
)  # fmt: skip
_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 1}

TOOLS = {
    tool.name: tool
    for tool in (
        Tool(
            "brief",
            "Where the project stands: running and ended runs with their last values, anomalies, preferences, decisions, open "
            "bugs, next steps.",
            {"budget": {"type": "integer", "minimum": 200, "description": "bytes at most"}},
        ),
        Tool(
            "search",
            'Search the records: words as prefixes, "phrases"; kind: status: tag: branch: since:7d narrow it.',
            {"query": _TEXT, "limit": {**_COUNT, "default": 20}},
            ("query",),
        ),
        Tool(
            "get",
            "One record, event or snapshot by id with its history; a run by id or name with its series, checkpoints, events, "
            "parameters and git state.",
            {"id": _TEXT},
            ("id",),
        ),
        Tool(
            "log",
            "Keep a record; branch, commit, time and author are filled in. Fields by kind: decision: why, context, "
            "alternative[], implication[], supersedes; hypothesis: predict (\"val/loss < baseline - 2%\"), and run, study or "
            "experiment; bug: cause, fix, follow_up, file[]; task: horizon (now, 24-48h, week, later), parent, after, top; "
            "insight: component, forever; experiment: metric, value, params; change: before, after, file[]; any: body, status, "
            "tags[], evidence[] (RUN[:METRIC[@STEP]]), valid_while[] (\"file PATH\", \"branch NAME\", \"until DATE\").",
            {"kind": {"enum": list(KINDS)}, "text": {**_TEXT, "description": "its title"}, "fields": {"type": "object"}},
            ("kind", "text"),
            is_read_only=False,
        ),
        Tool(
            "update",
            "Change one record: its fields; or close it, with an outcome; or link it to another (relation \"supersedes\" ends "
            "the other). Old values stay in its history.",
            {
                "id": _TEXT, "fields": {"type": "object"}, "close": {"type": "boolean"}, "outcome": _TEXT,
                "relation": _TEXT, "to": _TEXT, "remove": {"type": "boolean", "description": "take the link back"},
            },
            ("id",),
            is_read_only=False,
            is_destructive=True,
        ),
        Tool(
            "runs",
            "The training runs, newest first, with status and reason.",
            {"filter": {**_TEXT, "description": "part of a name, or a status"}, "limit": {**_COUNT, "default": 50}},
        ),
        Tool(
            "compare",
            "Runs side by side: how each ended, last and best of the series they share, parameters and code that differ.",
            {"runs": {"type": "array", "items": _TEXT, "minItems": 2}},
            ("runs",),
        ),
        Tool(
            "check",
            "Before a launch: whether this command's configuration, or one near it, was tried, how it ended, and which "
            "hypothesis it refuted. Runs nothing.",
            {"command": {**_TEXT, "description": "as in a shell: python train.py --lr 0.01"}},
            ("command",),
        ),
    )
}  # fmt: skip
