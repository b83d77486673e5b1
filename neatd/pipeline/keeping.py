"""A record kept from what somebody says of it: its fields checked, its numbers and parameters by name, then written.

Stdlib only, because `neat note` must cost next to nothing; predictions, evidence and conditions load what reads them when
they are given.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from neatd.errors import NeatError
from neatd.place import Place

HORIZONS = ("now", "24-48h", "week", "later")  # soonest first
COMMANDS = {"decision": "decide", "preference": "prefer"}  # the others are called as their kind
# What nobody fills in: neat finds it out, or another command does.
FOUND_OUT = frozenset({"position", "plan", "verdict", "verdict_reason", "commits", "records", "runs", "tests"})


class Kept(NamedTuple):
    """A record that was kept; `inbox` is where it lies when the store was out of reach, in text."""

    id: str
    kind: str
    inbox: str | None


class ExclusiveError(NeatError):
    """Fields that exclude each other were given together. A command says so of its options."""

    def __init__(self, names: tuple[str, ...], why: str = "") -> None:
        super().__init__(exclusion(names, why), "leave out all but one")
        self.names = names
        self.why = why


def exclusion(names: Sequence[str], why: str) -> str:
    """What is wrong, of fields or options with these names."""
    return f"{', '.join(names[:-1])} and {names[-1]} exclude each other" + (f": {why}" if why else "")


def as_said(kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with what their kind asks for: checked, numbers whole where they are counts, parameters by name.

    Asks neither store nor disk. Raises NeatError naming the field that is wrong.
    """
    said = _titled(kind, fields)
    _complete(kind, said)
    for name, value in said.items():
        said[name] = checked(kind, name, value)
        if isinstance(value, float) and not math.isfinite(value):
            raise NeatError(f"not a number: --{name} {value}", "give a finite number, or leave it out")
    return said


def _titled(kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with one line as their title; lines as they were typed are the body."""
    text = (fields.get("title") or "").strip()
    if not text:
        name = COMMANDS.get(kind, kind)
        raise NeatError(f"a {kind} without words", f'type it in quotes, e.g. neat {name} "…"')
    said = {**fields, "title": " ".join(text.splitlines()[0].split())}
    if "\n" in text:
        said["body"] = "\n".join(filter(None, [text, fields.get("body")]))
    return said


def _complete(kind: str, fields: dict[str, Any]) -> None:
    """What follows from the kind and the other fields."""
    if kind == "task" and fields.pop("top", False):
        if fields.get("after"):
            raise ExclusiveError(("top", "after"))
        fields["position"] = "top"
    if kind == "bug" and fields.get("fix") and not fields.get("status"):
        fields["status"] = "fixed"
    if kind == "hypothesis" and sum(bool(fields.get(name)) for name in ("run", "study", "experiment")) > 1:
        raise ExclusiveError(("run", "study", "experiment"), "one of them decides")
    if kind == "hypothesis" and fields.get("predict"):
        from neatd.rules.hypothesis import parse_prediction

        parse_prediction(fields["predict"])
    if kind == "document" and not fields.get("path") and " " not in fields["title"]:
        fields["path"] = fields["title"]
    if kind == "experiment":
        fields["params"] = dict(parameter(one) for one in fields.get("params") or ())


def keep(home: Path, place: Place, kind: str, fields: Mapping[str, Any], source: str) -> Kept:
    """Write a record of fields as `as_said` gives them, with its evidence looked up; left in the inbox where the store is
    out of reach."""
    from neatd.store.short import add_record

    said = dict(fields)
    if said.get("evidence") or said.get("valid_while"):
        from neatd.pipeline.vouched import conditions, evidence

        said["evidence"] = evidence(home, place, said.get("evidence") or ())
        said["valid_while"] = conditions(home, place, said.get("valid_while") or ())
    kept = {name: value for name, value in said.items() if value not in (None, "", (), [], False, {})}
    record_id, inbox = add_record(home, place, kind, kept, source)
    return Kept(record_id, kind, str(inbox) if inbox else None)


def checked(kind: str, name: str, value: Any) -> Any:
    """A value as a field with few values holds it; raises NeatError for another. What is imported may hold others."""
    if not value or not isinstance(value, str):
        return value
    if name == "horizon":
        said = "".join(value.lower().split())
        if said not in HORIZONS:
            raise NeatError(f"not a horizon: {value!r}", f"one of {', '.join(HORIZONS)}")
        return said
    if kind == "session" and name in ("started", "ended"):
        try:
            datetime.fromisoformat(value)
        except ValueError as error:
            raise NeatError(f"not a date: --{name} {value!r}", "write 2026-03-01, or 2026-03-01T14:30") from error
    return value


def parameter(text: str) -> tuple[str, Any]:
    """NAME=VALUE, the value a number where it is one; raises NeatError for anything else."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise NeatError(f"not a parameter: {text!r}", "write NAME=VALUE, e.g. --params lr=0.001")
    try:
        number = float(value)
    except ValueError:
        return name.strip(), value.strip()
    return name.strip(), int(value) if value.strip().lstrip("+-").isdigit() else number
