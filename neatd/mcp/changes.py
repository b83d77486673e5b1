"""The tool that changes a record: one change a call, as `neat edit`, `neat close` or `neat link` make it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neatd.errors import NeatError
from neatd.mcp.caller import Caller
from neatd.mcp.fields import check_shapes
from neatd.mcp.fitting import Answer, fitted

if TYPE_CHECKING:
    from neatd.pipeline.stores import Stores

_WAYS = "give one of: fields; close, with outcome; relation and to, with remove"


def update(caller: Caller, given: dict[str, Any]) -> Answer:
    """`neat edit --json`, `neat close --json` or `neat link --json`."""
    from neatd.pipeline.showing import json_text

    way = _way(given)
    with caller.stores() as opened:
        result = _link(caller, opened, given) if way == "link" else _change(caller, opened, given, way)
        notes = () if way == "link" else _plan(caller, opened, given["id"])
    return fitted(Answer(json_text(result), notes), f"`neat show {given['id']} --json` prints all of it")


def _way(given: dict[str, Any]) -> str:
    """Which change is asked for. Raises NeatError for none, or for several at once."""
    is_closed = given.get("close", False) or "outcome" in given
    ways = [("edit", bool(given.get("fields"))), ("close", is_closed), ("link", "relation" in given or "to" in given)]
    asked = [name for name, is_asked in ways if is_asked]
    if len(asked) != 1:
        raise NeatError("update: no change" if not asked else f"update: {' and '.join(asked)} at once", _WAYS)
    if asked == ["link"] and not ("relation" in given and "to" in given):
        raise NeatError(f"update: {'to' if 'relation' in given else 'relation'} is missing", _WAYS)
    return asked[0]


def _change(caller: Caller, opened: Stores, given: dict[str, Any], way: str) -> Any:
    from neatd.pipeline.changing import as_changes, edit, record_of
    from neatd.store import records

    kind, full = record_of(opened.records, given["id"])
    if way == "close":
        records.close(opened.records, kind, full, given.get("outcome", ""), caller.source)
        return records.get(opened.records, kind, full)
    check_shapes(kind, given["fields"])
    changes = [one for name, value in given["fields"].items() for one in as_changes(name, value)]
    return edit(opened.records, caller.home, caller.place, kind, full, changes, caller.source).record


def _link(caller: Caller, opened: Stores, given: dict[str, Any]) -> dict[str, Any]:
    from neatd.pipeline.changing import link_of, relate, unrelate
    from neatd.pipeline.showing import resolve_any

    first, second = (resolve_any(opened.records, opened.project.id, given[name]) for name in ("id", "to"))
    call = unrelate if given.get("remove") else relate
    is_changed = call(opened.records, first, given["relation"], second, caller.source)
    return {**link_of(first, given["relation"], second)._asdict(), "changed": is_changed}


def _plan(caller: Caller, opened: Stores, word: str) -> tuple[str, ...]:
    """Tick the plan file of neat.yaml after a task; what was wrong with it."""
    if not (opened.config.plan and word.startswith("t-")):
        return ()
    from neatd.pipeline.planning import settle_plan

    note = settle_plan(opened.records, caller.place, opened.config.plan, is_changing=True)
    return (note,) if note else ()
