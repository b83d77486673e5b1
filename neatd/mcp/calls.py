"""What each tool does: the functions that the commands call, and their JSON. What is behind them loads at the first call."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Any

from neatd.errors import NeatError
from neatd.lifesign import not_watching
from neatd.mcp.arguments import checked, tool_of
from neatd.mcp.attending import attend, delivered
from neatd.mcp.caller import Caller
from neatd.mcp.changes import update
from neatd.mcp.fields import fields_of
from neatd.mcp.fitting import Answer, fitted, fitted_list

_Arguments = dict[str, Any]


def call(caller: Caller, name: str, given: _Arguments | None) -> Answer:
    """The answer of a tool; raises NeatError for what the assistant got wrong."""
    tool = tool_of(name)
    attend(caller, not tool.is_read_only)
    return _CALLS[tool.name](caller, checked(tool, given))


def brief(caller: Caller, given: _Arguments) -> Answer:
    """`neat brief`."""
    from neatd.pipeline.gathering import brief_text

    with caller.stores() as opened:
        text = brief_text(*opened, given.get("budget"), not_watching(caller.home))
    answer = fitted(Answer(text), "budget makes it shorter")
    delivered(caller, answer.text)
    return answer


def search(caller: Caller, given: _Arguments) -> Answer:
    """`neat search --json`."""
    from neatd.pipeline.searching import LIMIT, find

    limit = given.get("limit", LIMIT)
    hits = find(caller.home, caller.place, given["query"], limit=limit)
    notes = (f"there may be more: limit={2 * limit}",) if len(hits) == limit else ()
    return fitted_list([json.dumps(hit._asdict(), ensure_ascii=False) for hit in hits], None, notes)


def get(caller: Caller, given: _Arguments) -> Answer:
    """`neat show --json`; of a run `neat run show --json`."""
    from neatd.pipeline.showing import find, json_text, record_shape, whole_detail

    with caller.stores() as opened:
        shown = find(opened.records, opened.project.id, given["id"])
        if shown.kind != "run":
            return fitted(Answer(json_text(record_shape(shown))), f"`neat show {given['id']} --json` prints all of it")
        detail = whole_detail(opened.records, opened.points, opened.project, opened.config, shown.found)
    watching = _watching(caller)
    return fitted(Answer(json_text(detail), watching), f"`neat run show {shown.found.id} --json` prints all of it")


def log(caller: Caller, given: _Arguments) -> Answer:
    """`neat note`, `neat decide` …: one record."""
    from neatd.pipeline.keeping import as_said, keep

    fields = fields_of(given["kind"], given.get("fields") or {})
    said = as_said(given["kind"], {**fields, "title": given["text"]})
    kept = keep(caller.home, caller.place, given["kind"], said, caller.source)
    notes = ("the store is out of reach: neatd takes it in from the inbox",) if kept.inbox else ()
    return Answer(json.dumps(kept._asdict()), notes)


def runs(caller: Caller, given: _Arguments) -> Answer:
    """`neat runs --json`."""
    from neatd.pipeline.showing import json_text, matching, run_shapes

    with caller.stores() as opened:
        found, limit = matching(opened.records, opened.project.id, given.get("filter", "")), given.get("limit", 50)
        shapes = run_shapes(opened.points, opened.project, found[:limit])
    return fitted_list([json_text(one) for one in shapes], limit, _watching(caller), total=len(found))


def compare(caller: Caller, given: _Arguments) -> Answer:
    """`neat compare --json`."""
    from neatd.pipeline.comparison import compare_runs
    from neatd.pipeline.showing import json_text

    with caller.stores() as opened:
        found = compare_runs(*opened, given["runs"], caller.home)
    return fitted(Answer(json_text(found), _watching(caller)), "fewer runs at a time show all of it")


def check(caller: Caller, given: _Arguments) -> Answer:
    """`neat check --json`."""
    from neatd.pipeline.checking import check_command, missing_files
    from neatd.pipeline.showing import json_text

    try:
        words = shlex.split(given["command"])
    except ValueError as error:
        raise NeatError(f"check: command cannot be taken apart: {error}", "write it as in a shell") from error
    if not words:
        raise NeatError("check: command is empty", "write it as in a shell: python train.py --lr 0.01")
    missing = missing_files(words, caller.folder)
    notes = tuple(f"there is no file {name!r}: what it would set is not compared" for name in missing)
    with caller.stores() as opened:
        project = opened.project.id
        found = check_command(opened.records, opened.points, project, opened.config, words, caller.folder)
    return fitted_list(
        [json_text(one) for one in found], None, notes or (() if found else ("nothing like it was tried",))
    )


def _watching(caller: Caller) -> tuple[str, ...]:
    """That what was said of runs may be old, where nothing is being watched."""
    note = not_watching(caller.home)
    return (note,) if note else ()


_CALLS: dict[str, Callable[[Caller, _Arguments], Answer]] = {
    "brief": brief, "search": search, "get": get, "log": log, "update": update, "runs": runs, "compare": compare, "check": check
}  # fmt: skip
