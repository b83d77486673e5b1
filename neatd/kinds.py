"""The kinds of records: their letters, their fields, how they end. The one table that commands, store and import read.

Stdlib only, because the short commands read it; `knowledge.py` has the same kinds as typed models and the migrations
have them as tables, which a test compares.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

FieldType = Literal["text", "list", "flag", "number", "json"]
CLOSED = frozenset(
    {"closed", "done", "superseded", "supported", "refuted", "fixed", "implemented", "completed", "complete", "dropped"}
)  # a record with one of these is over; every other status is open


class Field(NamedTuple):
    """What a kind holds besides the common fields; the help is the option's."""

    name: str
    help: str
    type: FieldType = "text"
    is_private: bool = False  # an address or the path of a key: in no document, unless it is allowed on this machine


class Kind(NamedTuple):
    """One kind. `letters` begin its ids; `number` tells its rows apart in the search index and never changes."""

    letters: str
    number: int
    help: str  # what its command keeps
    fields: tuple[Field, ...] = ()
    ends_as: str = "closed"
    travels: bool = True  # whether `neat sync` carries it to other clones


_PHASE = Field("phase", "The phase it belongs to.")
KINDS: dict[str, Kind] = {
    "note": Kind("n", 1, "a note"),
    "decision": Kind("d", 2, "a decision", (
        Field("why", "The reason."),
        Field("context", "What made it necessary."),
        Field("alternative", "What else was possible; may be given again.", "list"),
        Field("implication", "What follows; may be given again.", "list"),
        Field("supersedes", "Id of the decision that this one replaces."),
    )),
    "hypothesis": Kind("h", 3, "a hypothesis", (
        Field("predict", 'What will be seen: "val/dice > 0.20", "val/loss < baseline - 2%", "loss < 2 by step 1000".'),
        Field("run", "Name or id of the run that decides; it may not exist yet."),
        Field("study", "Folder of the runs that decide together, by their best."),
        Field("experiment", "Id or title of the recorded experiment that decides."),
    )),
    "bug": Kind("b", 4, "a bug", (
        Field("cause", "Why it happened."),
        Field("fix", "What mended it; a bug with a fix is kept as fixed."),
        Field("follow_up", "What is still to do."),
        Field("before", 'What was measured before the fix: "50 GB".'),
        Field("after", 'What was measured after it: "15 GB".'),
        Field("file", "A file it concerns; may be given again.", "list"),
    ), "fixed"),
    "task": Kind("t", 5, "a next step", (
        Field("after", "Id of the task it comes after."),
        Field("position", "Its place in the order, smallest first.", "number"),
        Field("parent", "Id of the task it is a part of."),
        Field("horizon", "When: now, 24-48h, week, later."),
        _PHASE,
        Field("plan", "Its checkbox in the plan file."),
    ), "done"),
    "insight": Kind("i", 6, "an insight", (
        Field("component", "The part of the system it is about."),
        _PHASE,
        Field("forever", "It stays in every brief.", "flag"),
    )),
    "preference": Kind("p", 7, "a preference, authoritative in every brief", (
        Field("about", 'What it is about: "communication", "testing".'),
    )),
    "phase": Kind("f", 8, "the project's phase", (), "done"),
    "machine": Kind("m", 9, "a machine", (
        Field("host", "Address, as user@host; kept out of documents.", is_private=True),
        Field("port", "Port of its ssh; kept out of documents.", is_private=True),
        Field("key", "Path of the key; kept out of documents.", is_private=True),
        Field("gpu", "Its GPU, with memory."),
        Field("driver", "The GPU driver's version."),
        Field("provider", "Who provides it."),
        Field("memory", "Its main memory."),
    )),
    "command": Kind("k", 10, "a command to run", (Field("about", "What it is for."),)),
    "style": Kind("y", 11, "a rule of code style", (Field("about", "What it is about."),)),
    "document": Kind("o", 12, "a document people should know", (
        Field("path", "Where it is."),
        Field("must_read", "To be read before anything else.", "flag"),
    ), "implemented"),
    "assessment": Kind("a", 13, "an assessment of where things stand", (
        Field("component", "The part of the system it is about."), _PHASE,
    )),
    "lesson": Kind("l", 14, "a lesson learned", (_PHASE,)),
    "challenge": Kind("u", 15, "a challenge ahead", (_PHASE,)),
    "goal": Kind("g", 16, "a goal", (Field("horizon", "When: now, 24-48h, week, later."),), "done"),
    "test": Kind("v", 17, "a test run", (
        Field("command", "The command that ran."),
        Field("exit_code", "Its exit code.", "number"),
        Field("passed", "Tests that passed.", "number"),
        Field("failed", "Tests that failed, or could not run.", "number"),
        Field("skipped", "Tests that were skipped.", "number"),
        Field("failing", "Names of the failing tests.", "list"),
        Field("seconds", "How long it took.", "number"),
        Field("tree", "State of the files that were tested; another one makes the result stale."),
    ), travels=False),
    "data": Kind("z", 18, "a data version", (
        Field("path", "File or folder, relative to the project."),
        Field("stage", "raw or processed."),
        Field("hash", "SHA-256 of its content."),
        Field("size_bytes", "Its size.", "number"),
        Field("rows", "Rows, of csv, parquet and jsonl.", "number"),
        Field("files", "How many files.", "number"),
    )),
    "experiment": Kind("w", 19, "an experiment that no watched run tells of: done elsewhere, or planned", (
        Field("metric", "What it is compared by."),
        Field("value", "What it reached.", "number"),
        Field("params", "Its parameters and other columns: NAME=VALUE; may be given again.", "json"),
        Field("run", "Name or id of its run."),
    ), "done"),
    "change": Kind("cg", 20, "what was changed, with before and after", (
        Field("before", "How it was."),
        Field("after", "How it is."),
        Field("file", "A file it concerns; may be given again.", "list"),
    ), "done"),
    "service": Kind("sv", 21, "a service that runs beside the training", (
        Field("url", "Where it answers.", is_private=True),
        Field("about", "What it does."),
    )),
    "session": Kind("se", 22, "a working session", (
        Field("started", "When it began: 2026-03-01, or 2026-03-01T14:30."),
        Field("ended", "When it ended, in the same way."),
        Field("assistant", "Who worked."),
        Field("file", "A file that was changed; may be given again.", "list"),
        Field("commits", "Commits made in it.", "list"),
        Field("records", "Ids of the records made and changed in it.", "list"),
        Field("runs", "Ids of the runs started in it.", "list"),
        Field("tests", "Ids of the test runs in it.", "list"),
    ), "done"),
    "handoff": Kind("ho", 23, "a handoff as it was written", (
        Field("previous", "Id of the one before."),
        Field("template", "The template it was made from."),
        Field("records", "Ids of the records made and changed in its session.", "list"),
    ), travels=False),
}  # fmt: skip
COMMON = ("title", "body", "status", "tags")  # what a person may fill in any kind
FIELDS: dict[str, tuple[str, ...]] = {
    name: (*COMMON, *(field.name for field in kind.fields)) for name, kind in KINDS.items()
}
JSON_FIELDS = frozenset(
    {"tags", "evidence", "valid_while", "origin"}
    | {field.name for kind in KINDS.values() for field in kind.fields if field.type in ("list", "json")}
)
LISTS = frozenset({"tags"} | {f.name for kind in KINDS.values() for f in kind.fields if f.type == "list"})
