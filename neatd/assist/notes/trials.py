"""Tables of numbers as files: CSV, and JSON with a list of trials. Pure; broken files are left to the caller."""

from __future__ import annotations

import csv
import json
import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any

from neatd.assist.notes.cells import COLUMNS_MAX, is_not_finite, number_in, params_in, state_in, trial_state, value_of
from neatd.assist.notes.fields import is_metric
from neatd.assist.notes.plain import cut
from neatd.assist.notes.record import Draft, draft
from neatd.assist.notes.said import date_in_row

_NAME = re.compile(
    r"^(?:experiment|exp|run|name|model|config|variant|method|trial|id|study|title|description|tag"
    r"|commit)s?(?:[ _-]?(?:id|name))?$",
    re.I,
)
_TEXT = re.compile(r"^(?:title|text|note|notes|description|name|task|decision|summary)$", re.I)
_STATES = {
    "complete": "done",
    "completed": "done",
    "finished": "done",
    "done": "done",
    "keep": "done",
    "running": "running",
    "fail": "failed",
    "failed": "failed",
    "crash": "failed",
    "pruned": "dropped",
    "discard": "dropped",
    "waiting": "planned",
    "queued": "planned",
}


_STATE_HEADS = ("status", "state", "outcome", "verdict")


def from_csv(source: Sequence[str], ending: str, is_queue: bool = False) -> list[Draft] | None:
    """An experiment a row where a column is a metric, else a note a row. None when it is no table.

    `is_queue`: the file is a plan by its name.
    """
    head_line = source[0] if source else ""
    mark = (
        "\t"
        if ending == "tsv" or head_line.count("\t") > head_line.count(",")
        else ";"
        if head_line.count(";") > head_line.count(",")
        else ","
    )
    rows = _csv_rows(source, mark)
    if not rows or len(rows) < 2:
        return None
    head = [cell.strip() or f"column {at + 1}" for at, cell in enumerate(rows[0][1][:COLUMNS_MAX])]
    metric = _metric(head, [row for _, row in rows[1:]])
    name = next((at for at, one in enumerate(head) if at != metric and _NAME.match(one)), None)
    found = [_row(head, row, lines, metric, name, is_queue) for lines, row in rows[1:]]
    found[0].lines = [*rows[0][0], *found[0].lines]
    return found


def _csv_rows(source: Sequence[str], mark: str) -> list[tuple[list[int], list[str]]] | None:
    """Each row with its lines; a quoted cell may run over several. None where the file is broken."""
    reader = csv.reader((f"{row}\n" for row in source), delimiter=mark)
    rows: list[tuple[list[int], list[str]]] = []
    before = 0
    try:
        for row in reader:
            lines = list(range(before + 1, reader.line_num + 1))
            before = reader.line_num
            if len(lines) > 200:  # a quote that is never closed
                return None
            if any(cell.strip() for cell in row):
                rows.append((lines, row))
    except csv.Error:
        return None
    return rows


def _metric(head: Sequence[str], rows: Sequence[Sequence[str]]) -> int | None:
    """The column runs are compared by: a metric's name, numbers below it; validation first."""
    found = []
    for at, one in enumerate(head):
        cells = [row[at] for row in rows[:200] if at < len(row) and row[at].strip() and not is_not_finite(row[at])]
        if is_metric(one) and cells and sum(number_in(cell) is not None for cell in cells) * 2 > len(cells):
            found.append((0 if re.search(r"best|val|dev|eval", one, re.I) else 2 if "train" in one.lower() else 1, at))
    return min(found)[1] if found else None


def _row(
    head: Sequence[str], row: Sequence[str], lines: list[int], metric: int | None, name: int | None, is_queue: bool
) -> Draft:
    cells = {one: cell.strip() for one, cell in zip(head, row, strict=False) if cell.strip()}
    extra = [cell.strip() for cell in row[len(head) :] if cell.strip()]
    whole = "; ".join([*(f"{one}: {cell}" for one, cell in cells.items()), *extra])
    if metric is None:
        text = next((at for at, one in enumerate(head) if _TEXT.match(one) and at < len(row) and row[at].strip()), None)
        return draft("note", cut(row[text].strip() if text is not None else whole), whole, lines)
    value = number_in(row[metric]) if metric < len(row) else None
    title = cells.get(head[name], "") if name is not None else ""
    params: dict[str, object] = {
        one: value_of(cell)
        for one, cell in cells.items()
        if (one != head[metric] or value is None) and (name is None or one != head[name])
    }
    for cell in cells.values():
        params.update({key: one for key, one in params_in(cell).items() if key not in params})
    if extra:
        params["more"] = "; ".join(extra)
    stated = next((cell.lower() for one, cell in cells.items() if one.lower() in _STATE_HEADS), "")
    is_lost = value is None and is_not_finite(cells.get(head[metric], ""))
    made = draft(
        "experiment",
        cut(title or whole),
        "",
        lines,
        metric=head[metric] if value is not None else None,
        value=value,
        params=params,
        status=_stated(stated, is_lost) or trial_state([*cells.values(), *extra], value, is_lost, is_queue),
    )
    made.said_at = date_in_row(head, row)
    return made


def _stated(words: str, is_lost: bool) -> str:
    """The state that a column names; one that is done with nan for its result diverged."""
    state = _STATES.get(words) or state_in(words) or words[:40]
    return "diverged" if is_lost and state == "done" else state


def from_json(text: str, source: Sequence[str], is_queue: bool = False) -> list[Draft] | None:
    """The trials of a list, of {"trials": [...]} or of one object a line; what else is there as one note. None when it
    is none of these or broken."""
    starts = _starts(source)
    elements = list(_elements(text))
    if not elements:
        return None
    found = [
        made
        for value, begin, end in elements
        if (made := _trial(value, _line(starts, begin), _line(starts, end - 1), is_queue))
    ]
    if not found or len(found) * 2 < len(elements):
        return None
    covered = {line for one in found for line in one.lines}
    seen: set[int] = set()
    for one in found:  # several on one line: the first accounts for it, all cite it
        one.cites = tuple(one.lines)
        one.lines = [line for line in one.lines if line not in seen]
        seen.update(one.lines)
    left = [number for number, row in enumerate(source, 1) if number not in covered and any(map(str.isalnum, row))]
    if left:
        body = "\n".join(source[number - 1].strip().rstrip(",") for number in left)
        found.append(draft("note", cut("; ".join(body.split("\n"))), body, left))
    return found


def _starts(source: Sequence[str]) -> list[int]:
    """Where each line begins, in the text joined by single newlines."""
    starts, at = [], 0
    for row in source:
        starts.append(at)
        at += len(row) + 1
    return starts


def _line(starts: Sequence[int], at: int) -> int:
    return bisect_right(starts, at)


def _elements(text: str) -> Iterator[tuple[Any, int, int]]:
    """Every element with where it begins and ends: of the list, of the list under "trials" or the like, or a line each."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    decoder = json.JSONDecoder()
    at = re.search(r"\S", text)
    begin = at.start() if at else 0
    if text[begin : begin + 1] == "{":
        named = re.search(r'"(?:trials|experiments|runs|results|studies)"\s{0,40}:\s{0,40}\[', text)
        if named and _is_json(text):
            begin = named.end() - 1
    if text[begin : begin + 1] == "[":
        begin += 1
    while True:
        gap = re.compile(r"[\s,]*").match(text, begin)
        begin = gap.end() if gap else begin
        if begin >= len(text) or text[begin] == "]":
            return
        try:
            value, end = decoder.raw_decode(text, begin)
        except (ValueError, RecursionError):
            return
        yield value, begin, end
        begin = end


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _trial(value: object, first: int, last: int, is_queue: bool) -> Draft | None:
    """A trial: its parameters, its value, its state."""
    if not isinstance(value, dict) or not value:
        return None
    params = next(
        (
            value[key]
            for key in ("params", "parameters", "config", "hyperparameters")
            if isinstance(value.get(key), dict)
        ),
        None,
    )
    metric, number = _value_of(value)
    without = [key for key, one in value.items() if is_metric(str(key)) and (one is None or _is_lost(one))]
    if params is None and metric is None and not without:
        return None
    rest = {
        key: one
        for key, one in value.items()
        if key not in ("params", "parameters", "config", "hyperparameters", metric, "values")
    }
    kept: dict[str, object] = {
        str(key): _scalar(one) for key, one in {**(params or {}), **rest}.items() if one is not None
    }
    named = next(
        (
            str(value[key])
            for key in ("name", "title", "run_name", "run", "experiment", "trial_id", "number", "id", "trial")
            if isinstance(value.get(key), str | int)
        ),
        "",
    )
    state = str(value.get("state", value.get("status", ""))).rsplit(".", 1)[-1].lower()
    title = (
        f"trial {named}" if named.isdigit() else named or cut(", ".join(f"{key}={one}" for key, one in kept.items()))
    )
    is_lost = number is None and any(_is_lost(value[key]) for key in without)
    texts = [one for one in kept.values() if isinstance(one, str)]
    return draft(
        "experiment",
        cut(title),
        "",
        range(first, last + 1),
        metric=metric,
        value=number,
        params=kept,
        status=_stated(state, is_lost) or trial_state(texts, number, is_lost, is_queue),
    )


def _is_lost(value: object) -> bool:
    """Whether a metric's value is what a broken training leaves."""
    return is_not_finite(value) if isinstance(value, str) else isinstance(value, float) and not math.isfinite(value)


def _value_of(value: dict[str, Any]) -> tuple[str | None, float | None]:
    """(name of the metric, its number)."""
    names = ["value", *(key for key in value if isinstance(key, str) and is_metric(key))]
    for source in (value, value.get("metrics"), value.get("results")):
        if not isinstance(source, dict):
            continue
        for key in sorted(
            dict.fromkeys([*names, *(one for one in source if isinstance(one, str) and is_metric(one))]),
            key=lambda one: 0 if re.search("best|val", one) else 1,
        ):
            number = source.get(key)
            if (
                isinstance(number, int | float)
                and not isinstance(number, bool)
                and math.isfinite(number)
                and abs(number) < 1e300
            ):
                return key, float(number)
    values = value.get("values")
    if isinstance(values, list) and values and isinstance(values[0], int | float) and math.isfinite(values[0]):
        return "value", float(values[0])
    return None, None


def _scalar(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**60:
        return str(value)[:80]
    return value if isinstance(value, str | int | float | bool) else json.dumps(value)[:2000]
