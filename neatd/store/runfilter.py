"""What `neat runs FILTER` and the page's filter mean, as a condition of SQL over the table `run`. Asks no database itself.

Words that all hold, or alternatives of them parted by OR; a minus before a word turns it around; "quotes" keep a word with
spaces whole. A word is a part of the name or the status; or it says where to look:

- `name:x`, `reason:x`: a part of it; `status:x`: the status itself
- `cfg.NAME`, then `=`, `!=`, `<`, `<=`, `>`, `>=` and a value, or `:` and a part of one: a parameter
- `note:x`, `tag:x`: a part of any text (its reason, cause or fix too), or a tag, of a record that names the run as its
  evidence

Any other word with a colon or a sign in it is a part of a name: folders are called `lr=0.1`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from neatd.errors import NeatError
from neatd.kinds import KINDS

NOTES = ("note", "insight", "decision", "bug", "lesson")  # kinds whose evidence makes them a note of a run
MOST_WORDS = 40
_WORD = re.compile(r'-?(?:[^\s"]|"[^"]*"?)+')
_PARAMETER = re.compile(r"cfg\.(?P<name>[^=<>!:]+)(?P<sign><=|>=|!=|=|<|>|:)(?P<value>[^=<>].*)", re.S)
_PARTS = {"name": "name", "reason": "reason"}
_TRUTH = {"true": 1.0, "false": 0.0}


class Condition(NamedTuple):
    """SQL and its named values."""

    sql: str
    values: dict[str, str | float]


def condition(text: str) -> Condition:
    """The runs that a filter means; all of them for "". Raises NeatError for a parameter that is not compared with anything."""
    words = _WORD.findall(text)
    if len(words) > MOST_WORDS:
        raise NeatError(f"{len(words)} words are too many for a filter", f"at most {MOST_WORDS}")
    values: dict[str, str | float] = {}
    alternatives: list[list[str]] = [[]]
    for at, word in enumerate(words):
        if word == "OR":
            alternatives.append([])
        elif word != "-":
            alternatives[-1].append(_turned(word, f"f{at}", values))
    given = [" AND ".join(one) for one in alternatives if one]
    return Condition(f"({' OR '.join(given)})" if given else "1", values)


def _turned(word: str, key: str, values: dict[str, str | float]) -> str:
    is_not = word.startswith("-")
    sql = _holds(word.removeprefix("-").replace('"', ""), key, values)
    return f"NOT coalesce({sql}, 0)" if is_not else f"coalesce({sql}, 0)"


def _holds(word: str, key: str, values: dict[str, str | float]) -> str:
    where, _, what = word.partition(":")
    if word.startswith("cfg."):
        return _parameter(word, key, values)
    if not what or where not in ("status", "note", "tag", *_PARTS):
        values[key] = word
        return f"(instr(name, :{key}) > 0 OR instr(status, :{key}) > 0)"
    values[key] = what
    if where == "status":
        return f"status = :{key}"
    return f"instr({_PARTS[where]}, :{key}) > 0" if where in _PARTS else _told(where, key)


def _told(where: str, key: str) -> str:
    """The runs that a record tells of."""
    each = (
        f"SELECT json_extract(e.value, '$.run') FROM {kind} n, json_each(n.evidence) e"
        f" WHERE n.evidence != '[]' AND n.deleted_at <= n.restored_at AND ({_says(kind, where, key)})"
        for kind in NOTES
    )
    return f"id IN ({' UNION ALL '.join(each)})"


def _says(kind: str, where: str, key: str) -> str:
    """Whether a record has the tag, or the words in one of its texts, lists of texts among them."""
    if where == "tag":
        return f"EXISTS (SELECT 1 FROM json_each(n.tags) t WHERE t.value = :{key})"
    fields = KINDS[kind].fields
    texts = ["title", "body", *(one.name for one in fields if one.type == "text")]
    lists = [one.name for one in fields if one.type == "list"]
    within = (f'EXISTS (SELECT 1 FROM json_each(n."{name}") t WHERE instr(t.value, :{key}) > 0)' for name in lists)
    return " OR ".join([*(f'instr(n."{name}", :{key}) > 0' for name in texts), *within])


def _parameter(word: str, key: str, values: dict[str, str | float]) -> str:
    told = _PARAMETER.fullmatch(word)
    if told is None:
        raise NeatError(f"{word!r} compares nothing", "write cfg.lr>=1e-3, cfg.optimizer=adam or cfg.data:wiki")
    name, sign, value = told["name"].strip(), told["sign"], told["value"].strip()
    values |= {f"{key}p": _path([name]), f"{key}q": _path(name.split(".")), key: value}
    found = f"coalesce(json_extract(config, :{key}p), json_extract(config, :{key}q))"
    if sign == ":":
        return f"instr({found}, :{key}) > 0"
    number = _number(value)
    if number is None:
        return f"{found} {sign} :{key}" if sign in ("=", "!=") else _ordered(found, sign, key)
    values[f"{key}n"] = number
    numeric = f"CASE WHEN typeof({found}) != 'text' OR {found} GLOB '[-+.0-9]*' THEN CAST({found} AS REAL) END"
    same = f"coalesce({numeric} = :{key}n, 0) OR {found} = :{key}"
    if sign in ("=", "!="):
        return f"({found} IS NOT NULL AND {'NOT ' if sign == '!=' else ''}({same}))"
    return f"{numeric} {sign} :{key}n"


def _ordered(found: str, sign: str, key: str) -> str:
    """Texts by their letters, as dates and versions are; numbers are no texts."""
    return f"(typeof({found}) = 'text' AND {found} {sign} :{key})"


def _path(names: list[str]) -> str:
    """A path of JSON; a quote in a name would end it, and no parameter has one."""
    return "$" + "".join(f'."{one.replace(chr(34), "")}"' for one in names)


def _number(text: str) -> float | None:
    if text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    try:
        return float(text)
    except ValueError:
        return None
