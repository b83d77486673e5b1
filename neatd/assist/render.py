"""Jinja templates, the project's before the shipped ones, always sandboxed; and the filters they share."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from neatd.assist.facts import Facts
from neatd.assist.redact import redact
from neatd.errors import NeatError

_NUMBER = re.compile(r"\d+\.\d+|\d+\s?%")


def render(name: str, facts: Facts, folders: Sequence[Path], **more: Any) -> str:
    """Template `name` from the first of `folders` that has it, with secrets taken out of the result.

    Raises NeatError naming the template and line when it is wrong.
    """
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader([str(folder) for folder in folders]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "num": number, "size": size, "when": when, "age": lambda moment: age(moment, facts.now), "line": one_line,
        "claim": claim, "short": lambda record_id: facts.shorts.get(record_id, record_id),
    }  # fmt: skip
    try:
        text = environment.get_template(name).render(facts=facts, **more)
    except TemplateError as error:
        where = f"{getattr(error, 'filename', None) or name}:{getattr(error, 'lineno', None) or '?'}"
        raise NeatError(f"template {where}: {error}", "mend it, or remove it to use the shipped one") from error
    return redact(re.sub(r"\n{3,}", "\n\n", text))


def number(value: float | None) -> str:
    """Four significant digits, as people compare losses; a dash for nothing."""
    if value is None:
        return "—"
    if math.isnan(value) or math.isinf(value):
        return str(value)
    return f"{value:.4g}"


def size(count: float) -> str:
    """Bytes for people: 1.4 GB."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def when(moment: datetime) -> str:
    """Local time, to the minute."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def age(moment: datetime, now: datetime) -> str:
    """How long ago, in its largest unit."""
    seconds = max(0.0, (now - moment).total_seconds())
    for name, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {name} ago"
    return "just now"


def one_line(text: str, most: int = 160) -> str:
    """Text for a list item or a table cell: one line, no table bars, cut at `most` characters."""
    flat = " ".join(text.split()).replace("|", "/")
    return flat if len(flat) <= most else flat[: most - 1] + "…"


def claim(text: str, evidence: Sequence[object]) -> str:
    """A person's statement; a number in it that no run vouches for is marked."""
    return f"{text} (unverified)" if _NUMBER.search(text) and not evidence else text
