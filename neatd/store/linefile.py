"""knowledge.jsonl as a whole: lines by record, in the order of ids. Opens nothing.

A line that cannot be read is kept as it is, for it may be of a newer neat; where git left conflict markers both sides
are read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from neatd.store.lines import ID, is_like, read_line, without_addresses
from neatd.store.merge import Line, join

_MARKER = re.compile(r"(<{7}|\|{7}|={7}|>{7})( .*)?")


class Odd(NamedTuple):
    """A line that is not taken in: where it stands, its text, why not."""

    number: int
    text: str
    why: str
    id: str = ""


class Found(NamedTuple):
    """What a file held: the lines by record, those that are kept as they are, whether git had left its markers."""

    lines: dict[str, Line]
    odd: tuple[Odd, ...] = ()
    has_markers: bool = False
    numbers: Mapping[str, int] = {}  # record -> where its line stands


def file_bytes(texts: Mapping[str, str], odd: Iterable[Odd]) -> bytes:
    """The file: lines by id, those that are kept as they are after the ones we know, unnamed ones last."""
    lines = [(record_id, 0, text) for record_id, text in texts.items()]
    lines += {(one.id or "~", 1, one.text) for one in odd if texts.get(one.id) != one.text}
    return "".join([f"{text}\n" for _, _, text in sorted(lines)]).encode("utf-8", "surrogateescape")


def read_file(data: bytes, project_id: str, latest: str, known: Mapping[str, Line] | None = None) -> Found:
    """The lines of a file, several of one record joined; both sides where git left conflict markers.

    A line later than `latest` is not believed: it would win for ever. `known` are lines already read, by their text.
    """
    lines: dict[str, Line] = {}
    numbers: dict[str, int] = {}
    odd: list[Odd] = []
    has_markers = is_base = False
    for number, raw in enumerate(data.decode("utf-8", "surrogateescape").removeprefix("\ufeff").split("\n"), start=1):
        text = raw.removesuffix("\r")
        marker = _MARKER.fullmatch(text)
        if marker:
            has_markers, is_base = True, marker[1][0] == "|"
        elif text.strip() and not is_base:
            line = (known or {}).get(text) or _line_or_odd(text, project_id, latest, number)
            if isinstance(line, Odd):
                odd.append(line)
            else:
                lines[line.id] = join(lines[line.id], line) if line.id in lines else line
                numbers.setdefault(line.id, number)
    return Found(lines, tuple(odd), has_markers, numbers)


def _line_or_odd(text: str, project_id: str, latest: str, number: int) -> Line | Odd:
    data: Any = None
    try:
        data = json.loads(text, parse_constant=_no_number)
        return without_addresses(read_line(data, project_id, latest))
    except (ValueError, TypeError, RecursionError) as error:
        record_id = data.get("id") if isinstance(data, dict) else ""
        return Odd(number, text, _why(error), str(record_id) if is_like(record_id, ID) else "")


def _why(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"[:200]
    if isinstance(error, json.JSONDecodeError):
        return "not JSON"
    return "not UTF-8 text" if isinstance(error, UnicodeError) else str(error)[:200]


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
