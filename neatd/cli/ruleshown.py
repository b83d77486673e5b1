"""A rule as it is shown: where it stands, in which state, what it says otherwise than the rule whose place it takes.

What `rule_text` gives is the file of a rule: read as one it is the same rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from neatd.assist.render import one_line, when
from neatd.errors import NeatError
from neatd.files import data_path
from neatd.pipeline.ruleset import Broken, Placed, Ruleset
from neatd.place import short_path
from neatd.rules.load import rule_files, rule_line
from neatd.rules.schema import Rule

_LONGEST = 400  # characters of a line in the head


def idle(known: Ruleset) -> list[Broken]:
    """The files with a mistake of which nothing judges."""
    return [one for one in known.broken if one.rule is None]


def at_rest(one: Placed) -> Placed:
    """The same without a word of an empty file: a shell makes it before `neat rules show NAME > FILE` begins."""
    try:
        is_empty = one.broken is not None and one.path.stat().st_size == 0
    except OSError:
        is_empty = False
    return one._replace(broken=None) if is_empty else one


def origin(one: Placed) -> str:
    """Where a rule is from, in words."""
    where = one.origin if one.origin == "shipped" else f"{one.origin}: {short_path(one.path)}"
    where = f"{where} (replaces {one.replaces})" if one.replaces else where
    return f"{where}\n{_since(one.broken)}, the last good version judges" if one.broken else where


def broken_words(one: Broken) -> str:
    """What has become of a file with a mistake."""
    judges = "the last good version judges" if one.rule else "nothing of it judges"
    return f"{one.origin}: {short_path(one.path)}\n{_since(one)}, {judges}"


def _since(one: Broken) -> str:
    return f"broken since {when(one.since)}" if one.since else "broken"


def rule_shape(one: Placed) -> dict[str, Any]:
    """A rule for other programs."""
    more = {
        "condition": one.rule.when.condition, "from": one.origin, "file": str(one.path), "line": rule_line(one.path),
        "replaces": one.replaces, "state": one.state, "changed": _changed(one),
        "broken": _mistake(one.broken) if one.broken else None,
    }  # fmt: skip
    return {**one.rule.model_dump(), **more}


def broken_shape(one: Broken) -> dict[str, Any]:
    """A file with a mistake of which nothing judges, with the fields of a rule; its name is the file's."""
    empty = {"rule": one.path.name, "description": "", "enabled": False, "metrics": [], "then": [], "condition": ""}
    return {
        **empty, "severity": "", "from": one.origin, "file": str(one.path), "line": 1, "replaces": "", "state": "broken",
        "changed": {}, "broken": _mistake(one),
    }  # fmt: skip


def _mistake(one: Broken) -> dict[str, Any]:
    return {"since": one.since, "mistake": one.mistake.message, "judges": "last good" if one.rule else "nothing"}


def _changed(one: Placed) -> dict[str, list[Any]]:
    """Field -> [as the replaced rule has it, as this one has it]."""
    if one.replaced is None:
        return {}
    before, now = dict(_fields(one.replaced)), dict(_fields(one.rule))
    return {
        name: [before.get(name), now.get(name)]
        for name in dict.fromkeys((*before, *now))
        if before.get(name) != now.get(name)
    }


def _fields(rule: Rule) -> Iterator[tuple[str, Any]]:
    for name, value in rule.model_dump(mode="json").items():
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", one) for inner, one in value.items())
        else:
            yield name, value


def rule_text(one: Placed) -> str:
    """The rule as it judges, with a head that says where it is from."""
    head = [f"{one.rule.rule}: {_state(one)}", f"from {_place(one)}"]
    if one.replaced is not None:
        told = "; ".join(f"{name} {now} (not {before})" for name, (before, now) in _changed(one).items())
        head.append(f"otherwise than the rule it replaces ({one.replaces}): {told or 'nothing'}")
    if one.broken:
        head += [f"mistake: {line}" for line in one.broken.mistake.message.splitlines()]
    body = yaml.safe_dump(
        one.rule.model_dump(mode="json"), sort_keys=False, default_flow_style=None, allow_unicode=True, width=110
    )
    return "".join(f"# {one_line(line, _LONGEST)}\n" for line in head) + body


def _state(one: Placed) -> str:
    is_on = "on" if one.rule.enabled else "off"
    return f"{is_on}; {_since(one.broken)}: the last good version, below, judges" if one.broken else is_on


def _place(one: Placed) -> str:
    return f"{short_path(one.path)}:{rule_line(one.path)} ({one.origin})"


def shipped_text(name: str) -> str:
    """The file of a shipped rule. Raises NeatError with the names that there are."""
    files = {path.stem: path for path in rule_files(data_path("rules"))}
    if name not in files:
        raise NeatError(f"no shipped rule {name!r}", f"there are {', '.join(files)}")
    return files[name].read_text(encoding="utf-8")
