"""Facts to text by a template, secrets taken out of the result; and the filters that templates share."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from neatd.assist.claims import claim, is_proven, proof, stated
from neatd.assist.facts import Facts, RunFact
from neatd.assist.foremost import going_on
from neatd.assist.layout import layout_filters
from neatd.assist.markdown import without_controls
from neatd.assist.outline import outline
from neatd.assist.sandbox import opened
from neatd.knowledge import Experiment, Record
from neatd.private import private_text
from neatd.redact import redact
from neatd.redact_own import redactor

# The reasons of `rules/validity.py` that are about where a record was made; the others are about what changed since.
_ELSEWHERE = re.compile(r"^(on unmerged |from (branch |a detached HEAD)|it holds on branch )| is not in this branch$")


def render(name: str, facts: Facts, folders: Sequence[Path], **more: Any) -> str:
    """Template `name` from the first of `folders` that has it, with secrets taken out of the result.

    Raises NeatError naming the template and line when it is wrong.
    """
    with opened(name, folders, filters(facts)) as template:
        text = template.render(facts=facts, **more)
    return redactor(Path(facts.root))(re.sub(r"\n{3,}", "\n\n", without_controls(text)))


def filters(facts: Facts) -> dict[str, Callable[..., Any]]:
    """The filters of templates. `hide` does nothing where addresses may be shown."""
    names = {**facts.shorts, **{run.id: run.name for run in facts.runs}}
    hide: Callable[[str], str] = str if facts.shows_addresses else private_text
    return layout_filters(facts, hide) | {
        "num": number, "size": size, "when": when, "age": lambda moment: age(moment, facts.now), "line": _safe_line,
        "flat": flat, "claim": claim, "stated": stated, "proven": proven, "proof": lambda evidence: proof(evidence, names),
        "short": lambda record_id: facts.shorts.get(record_id, record_id),
        "hide": hide,
        "bytes": lambda text: len(redact(text).encode(errors="replace")), "outline": outline,
        "holding": lambda records, how: [one for one in records if holding(one, facts) == how],
        "having": having, "besides": besides, "going_on": going_on,
        "recent": lambda records, days: [one for one in records if facts.now - one.created_at <= timedelta(days=days)],
    }  # fmt: skip


def holding(record: Record, facts: Facts) -> str:
    """Whether a record holds "here", was made "elsewhere" (on a branch that is not merged), or is "doubtful"."""
    reasons = facts.stale.get(record.id)
    if reasons is None:
        return "here"
    return "elsewhere" if any(_ELSEWHERE.search(reason) for reason in reasons.split("; ")) else "doubtful"


def having(records: Sequence[BaseModel], name: str, value: object = True, is_so: bool = True) -> list[BaseModel]:
    """Those whose field `name` is `value`, a flag's or a text's; the others with `is_so` false. Jinja's own selectattr
    takes seven times as long in a sandbox, and here are ten thousand records."""
    if records and name not in (*type(records[0]).model_fields, "is_closed", "is_deleted"):
        raise ValueError(f"{type(records[0]).__name__} has no field {name!r}")
    return [one for one in records if (getattr(one, name) == value) is is_so]


def proven(experiments: Sequence[Experiment]) -> list[str]:
    """The ids of the experiments whose value their evidence has."""
    return [one.id for one in experiments if one.value is not None and is_proven(one.value, one.evidence)]


def besides(records: Sequence[Record], rows: Sequence[RunFact]) -> list[Record]:
    """The records that are no row of the experiment table."""
    ids = {row.id for row in rows}
    return [one for one in records if one.id not in ids]


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


def flat(text: str) -> str:
    """Text on one line, all of it, without what would tell a terminal what to do."""
    return without_controls(" ".join(text.split()))


def one_line(text: str, most: int = 160) -> str:
    """Text for a table cell: one line, no table bars, cut at `most` characters."""
    plain = flat(text).replace("|", "/")
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def _safe_line(text: str, most: int = 160) -> str:
    """one_line for documents: secrets go before the cut, because half a token is no longer known as one."""
    return one_line(redact(text) if len(text) > most else text, most)
