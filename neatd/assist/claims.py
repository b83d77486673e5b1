"""Numbers that somebody states: which of them need a run behind them, and how that run is shown. Pure.

A number is a claim when it looks measured or set: a decimal (0.3081, 12.7M), an exponent (1e-4), a percentage, a share
(41 of 64, 9/12), a number with a unit of size, time, rate or power (50 GB, 28 minutes), a factor (2x).
None of these is: a plain integer, small or large ("batch 64", "step 4000", "3 seeds": it names or counts what was set
up), a date or time of day, a version ("v1.2", "1.4.2", "PyTorch 2.3"), an id or commit, a part of a name or path
("exp-0.5", "runs/0.3/a", "mAP@0.5"), a number of a list, section, phase, step or figure, a range of time ("24-48 h").
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

UNVERIFIED = "(unverified)"
_NAMED = (
    r"section|chapter|table|figure|fig\.?|appendix|step|phase|stage|task|item|issue|version|ver\.?|release|milestone|"
    r"python|pytorch|torch\w*|cuda|cudnn|nccl|rocm|driver|numpy|scipy|pandas|jax|flax|keras|tensorflow|triton|"
    r"transformers|datasets|lightning|optuna|ubuntu|debian|macos|linux|kernel|windows|node|gcc|clang|cmake|uv|pip"
)
_EXEMPT = re.compile(
    r"\b\d{4}-\d{1,2}-\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?Z?)?"  # a date, with its time
    r"|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b"
    r"|\b\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\b"  # a time of day, a duration by colons
    r"|\bv?\d+(?:\.\d+){2,8}[\w.+-]{0,20}|\bv\d+(?:\.\d+)?\b"  # versions
    r"|\b[A-Za-z][\w-]{0,60}==\d+(?:\.\d+){0,8}"  # a pinned package
    rf"|(?i:\b(?:{_NAMED})s?)[ \t]?[ =<>~#]{{0,3}}\d+(?:\.\d+){{0,8}}\b"
    r"|\b(?=[0-9a-f]{0,39}[a-f])(?=[0-9a-f]{0,39}\d)[0-9a-f]{7,40}\b"  # a commit
    r"|^\s{0,20}\d+(?:\.\d+){0,8}[.)]\s"  # the number of a list item
)
_UNIT = (
    r"(?:\s?(?:%|‰|percent\b|per cent\b|[kKMGT]i?B(?:/s)?\b|ms\b|s\b|secs?\b|seconds?\b|mins?\b|minutes?\b|h\b|hrs?\b|"
    r"hours?\b|k?W\b|[MG]Hz\b|fps\b|(?:it|tokens|samples|steps)/s(?:ec)?\b|dB\b|points?\b)|[kKMBGT]\b|[x×](?![\w×]))"
)
_NUMBER = re.compile(
    r"(?<![\w./#@\\-])[-+]?(?:"
    rf"\d[\d,]{{0,20}}\.\d+(?:[eE][-+]?\d+)?{_UNIT}?"
    r"|\d+[eE][-+]?\d+"
    rf"|\d[\d,]{{0,20}}{_UNIT}"
    r"|\d+(?: of |/)\d+(?!/)"
    r")(?!\w|\.\d|-[A-Za-z])"
)


def is_claim(text: str) -> bool:
    """Whether a number in `text` needs evidence, as the module says."""
    return any(mark.isdigit() for mark in text) and _NUMBER.search(_EXEMPT.sub(" ", text)) is not None


def claim(text: str, evidence: Sequence[object]) -> str:
    """A person's statement; a number in it that no run vouches for is marked."""
    return f"{text} {UNVERIFIED}" if not evidence and is_claim(text) else text


def proof(evidence: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> str:
    """The evidence of a record as "[run:metric@step = value]", each run by its name in `names`; "" without any."""
    return " ".join(f"[{_one(dict(piece), names)}]" for piece in evidence)


def _one(piece: dict[str, Any], names: Mapping[str, str]) -> str:
    run, metric, step, value = (piece.get(name) for name in ("run", "metric", "step", "value"))
    text = names.get(str(run), str(run)) if run else "?"
    text += f":{metric}" if metric else ""
    text += f"@{step}" if step not in (None, "") else ""
    return f"{text} = {value:.6g}" if isinstance(value, float) else f"{text} = {value}" if value is not None else text
