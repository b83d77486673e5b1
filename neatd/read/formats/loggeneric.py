"""Any trainer's own lines: a step-like word and a metric with its number on one line. Pure.

Prose, tables of options, tracebacks and timings give nothing: a line needs both, and neither word alone will do.
"""

from __future__ import annotations

import re
from datetime import datetime

from neatd.read.formats.lognumbers import has_metric, pairs, unwrapped, whole
from neatd.read.formats.logsteps import Found, Memory, phase, position, prefixed, standing, with_epoch
from neatd.read.rows import Told

LONGEST = 2000  # characters of a line that is looked at
_EPOCH = re.compile(
    r"(?<![a-z\d_])epoch(?:\(train\))?\s{0,8}[:=#]?\s{0,8}[\[(]?\s{0,8}(\d{1,9})(?:\s{0,4}/\s{0,4}(\d{1,9}))?(?![\d.]*\w)"
)
_STEP = re.compile(
    r"(?<![a-z\d_/])(global[_ ]?step|step|iteration|iter|it|update|num_updates|batch)"
    r"\s{0,8}[:=#]?\s{0,8}[\[(]?\s{0,8}([\d,]{1,16})(?:\s{0,4}(?:/|of)\s{0,4}([\d,]{1,16}))?(?![\d.]*\w)"
)
_BRACKET = re.compile(
    r"(?:^|\s)\[\s{0,8}(?:(\d{1,9})\s{0,2}[,\]]\s{0,8}\[?\s{0,8})?(\d{1,12})(?:\s{0,4}/\s{0,4}(\d{1,12}))?\s{0,2}(?:\([^)]{1,8}\))?\]"
)
_COLUMN = re.compile(r"\|\s{0,8}(\d{1,12})/\s{0,8}(\d{1,12}) batches \|")
_WORD = re.compile(r"[a-z]+")
_STEP_WORDS = frozenset({"batch", "batches", "epoch", "it", "iter", "iteration", "step", "update", "updates"})
_PROSE = frozenset({
    "assert", "assertionerror", "because", "best", "config", "configuration", "diverged", "exception", "expected", "http",
    "if", "improve", "improved", "loaded", "loading", "namespace", "patience", "pip", "restored", "restoring", "resume",
    "resumed", "resuming", "saved", "saving", "should", "stopping", "target", "than", "threshold", "traceback", "until",
    "usage", "warning", "when", "would",
})  # fmt: skip
_CODE = re.compile(r"[a-z_]\(|://|^(?:#|>>>|\$ )")
_HEAD = re.compile(
    r"(?i)^(?:.{0,60}?[\s\]\-|:])?(val|valid|validation|eval|evaluation|test)"
    r"(?=[\s:\]|\-](?!loss|acc|\w{1,12}\s?[:=]))"
)
_STAMP = re.compile(r"(?:^|[\s\[(])(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?\s?(?:Z|[+-]\d\d:?\d\d))(?![\d:])")


def generic(line: str, memory: Memory) -> Found | None:
    """The row of a line of anybody's training loop."""
    if len(line) > LONGEST:
        return None
    low = unwrapped(line).lower()
    words = set(_WORD.findall(low))
    if not (words & _STEP_WORDS or "[" in low) or words & _PROSE or _CODE.search(low):
        return None
    epoch_said = _EPOCH.search(low) if "epoch" in words else None
    step_said = _STEP.search(low) if words & _STEP_WORDS else None
    inner, total, epoch = _where(low, epoch_said, step_said)
    if inner is None and epoch is None:
        return None
    values = pairs(line)
    values.pop("epoch", None)
    if not has_metric(values):
        return None
    part = _part(line)
    told: Told = {}
    if epoch_said and epoch_said[2] and epoch is not None and epoch <= int(epoch_said[2]):
        told["planned_epochs"] = float(epoch_said[2])
    values = with_epoch(prefixed(values, part), epoch)
    if inner is None:
        return Found(values, standing(memory, epoch), told=told, is_epoch=True, is_strong=False)
    if epoch is None and not part and total:
        told["planned_steps"] = total
    is_whole = (epoch is None and not part) or bool(step_said and step_said[1].startswith(("global", "num_up")))
    step = inner if is_whole else position(memory, part, epoch, inner, total)
    return Found(values, step, told=told, is_epoch=bool(part), is_strong=False)


def _part(line: str) -> str:
    """`val` or `test` where the line's head is about them, not one of its metrics."""
    head = _HEAD.match(line)
    return phase(head[1]) if head else ""


def _where(
    line: str, epoch_said: re.Match[str] | None, step_said: re.Match[str] | None
) -> tuple[int | None, int | None, int | None]:
    """(step, of how many, epoch) as the line says them."""
    epoch = whole(epoch_said[1]) if epoch_said else None
    if step_said:
        return whole(step_said[2]), whole(step_said[3]) if step_said[3] else None, epoch
    column = _COLUMN.search(line)
    if column:
        return int(column[1]), int(column[2]), epoch
    bracket = _BRACKET.search(line)
    if bracket and (bracket[1] or bracket[3]):
        if bracket[1] and epoch is None:
            epoch = int(bracket[1])
        return int(bracket[2]), int(bracket[3]) if bracket[3] else None, epoch
    return None, None, epoch


def time_of(line: str) -> float | None:
    """The time a line states with a date and an offset, as unix seconds; without an offset it is not known which."""
    if "T" not in line and ":" not in line:
        return None
    match = _STAMP.search(line[:200])
    if match is None:
        return None
    text = match[1].replace(",", ".")
    text = re.sub(r"\.(\d{6})\d+", r".\1", text)
    try:
        return datetime.fromisoformat(re.sub(r"\s(?=[Z+-]|$)", "", text)).timestamp()
    except ValueError:
        return None
