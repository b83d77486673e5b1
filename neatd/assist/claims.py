"""Numbers that somebody states: which of them need a run behind them, and how that run is shown. Pure.

A number is a claim when it looks measured: a decimal (0.3081), an exponent (1e-4), a percentage, a share (41 of 64,
9/12), a number with a unit of size, time, rate or power (50 GB, 28 minutes), a factor (2x).
None of these is: a plain integer, small or large ("batch 64", "step 4000", "3 seeds": it names or counts what was set
up), a size by one letter ("32M parameters", "a 7B model", "the 2M sweep"), a setting ("lr 3e-4", "eps=1e-6", "--drop 0.1";
but "loss=0.31" is measured), a date or time of day, a version ("v1.2", "1.4.2", "PyTorch 2.3"), an id or commit, a part of
a name or path ("exp-0.5", "runs/0.3/a", "mAP@0.5"), a number of a list, section, phase, step or figure, a range of time
("24-48 h").
A claim is vouched for when a value of the evidence, or its step, is that number at the precision in which it is written:
1.12431 vouches for "1.124" and not for "0.9", 0.3081 for "31 %". What is planned (a task, a goal, a phase), wanted (a
preference) or typed (a command) claims nothing: the templates do not ask here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

UNVERIFIED = "(unverified)"
_NAMED = (
    r"section|chapter|table|figure|fig\.?|appendix|step|phase|stage|task|item|issue|version|ver\.?|release|milestone|"
    r"python|pytorch|torch\w*|cuda|cudnn|nccl|rocm|driver|numpy|scipy|pandas|jax|flax|keras|tensorflow|triton|"
    r"transformers|datasets|lightning|optuna|ubuntu|debian|macos|linux|kernel|windows|node|gcc|clang|cmake|uv|pip"
)
_SETTINGS = (  # what a person sets, whatever number stands behind it
    r"lr|learning[ -]rate|eps|epsilon|weight[ -]decay|wd|drop(?:out|path)?|momentum|betas?[12]?|alpha|gamma|lambda|tau|ema|"
    r"temperature|top[-_]p|label[ -]smoothing|warm[ -]?up|grad(?:ient)?[ -]clip(?:ping)?|clip(?:ping)?|threshold|patience|"
    r"batch(?:[ -]size)?|seq(?:uence)?[ -]len(?:gth)?|width|depth|hidden"
)
_MEASURED = (  # words in the names of what is measured: NAME=VALUE is a setting without one of them
    r"loss|acc|dice|iou|f1|auc|auroc|ppl|perplex|bleu|rouge|err|mse|mae|rmse|nll|bpb|bpc|score|recall|precision|map|psnr|"
    r"ssim|fid|wer|cer|time|sec|min|hour|mem|gb|mb|rate/|speed|throughput|util|val|test|eval|reward|return|hausdorff|hd95"
)
_VALUE = r"[-+]?\d[\d,]{0,20}(?:\.\d{1,20})?(?:[eE][-+]?\d{1,4})?(?:\s?%)?"
_SETTING = re.compile(
    rf"(?i:(?<![\w/.-])(?:{_SETTINGS})(?: (?:of|at|to|from|is|was))?[ =:]{{1,3}}{_VALUE}"
    rf"(?:\s?(?:->|→|\bto\b|\bor\b|\bvs\b|/|–)\s?{_VALUE}){{0,8}}(?![\w.]\w))"
    rf"|(?<!\w)--[A-Za-z][\w-]{{0,40}}[ =]{_VALUE}(?![\w.]\w)"
    rf"|(?<![\w/.@-])(?i:(?![\w./@-]{{0,40}}(?:{_MEASURED})))[A-Za-z][\w.-]{{0,40}}=(?!=){_VALUE}(?![\w.]\w)"
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
    r"hours?\b|k?W\b|[MG]Hz\b|fps\b|(?:it|tokens|samples|steps)/s(?:ec)?\b|dB\b|points?\b)|[GT]\b|[x×](?![\w×]))"
)
_NUMBER = re.compile(
    r"(?<![\w./#@\\-])[-+]?(?:"
    rf"\d[\d,]{{0,20}}\.\d+(?:[eE][-+]?\d+)?{_UNIT}?"
    r"|\d+[eE][-+]?\d+"
    rf"|\d[\d,]{{0,20}}{_UNIT}"
    r"|\d+(?: of |/)\d+(?!/)"
    r")(?!\w|\.\d|-[A-Za-z])"
)


_FACTOR = {"k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}
_PARTS = re.compile(
    r"(?P<mantissa>[-+]?[\d,]+(?:\.(?P<decimals>\d+))?)(?:[eE](?P<exponent>[-+]?\d+))?\s?(?P<unit>.*)", re.S
)
_SHARE = re.compile(r"[-+]?(\d+)(?: of |/)(\d+)")


def is_claim(text: str) -> bool:
    """Whether a number in `text` needs evidence, as the module says."""
    return next(_claims(text), None) is not None


def claim(text: str, evidence: Sequence[object]) -> str:
    """A person's statement; where a number in it is none that the evidence has, it is marked."""
    pieces = [dict(piece) for piece in evidence if isinstance(piece, Mapping)]
    return text if all(_is_vouched(number, pieces) for number in _claims(text)) else f"{text} {UNVERIFIED}"


def stated(text: str, evidence: Sequence[object]) -> str:
    """What is expected or computed: with evidence it stands as it is, since its thresholds are nobody's measurement."""
    return text if evidence or not is_claim(text) else f"{text} {UNVERIFIED}"


def is_proven(value: float, evidence: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the evidence has this value, at the precision in which somebody gave it."""
    return _is_vouched(f"{value:.10g}", [dict(piece) for piece in evidence])


def _claims(text: str) -> Iterator[str]:
    """The numbers of a text that need a run behind them, as they are written."""
    if not any(mark.isdigit() for mark in text):
        return
    for found in _NUMBER.finditer(_SETTING.sub(" ", _EXEMPT.sub(" ", text))):
        yield found[0]


def _is_vouched(number: str, evidence: Sequence[Mapping[str, Any]]) -> bool:
    known = [value for piece in evidence for value in _values(piece)]
    if not known:
        return False
    share = _SHARE.fullmatch(number)
    if share and int(share[2]):
        return any(math.isclose(int(share[1]) / int(share[2]), value, rel_tol=1e-3) for value in known)
    return any(abs(said - value) <= half * (1 + 1e-9) for said, half in _readings(number) for value in known)


def _values(piece: Mapping[str, Any]) -> Iterator[float]:
    """The finite numbers of a piece of evidence, which may have come with a clone."""
    for name in ("value", "step"):
        try:
            value = float(piece.get(name))  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            continue
        if math.isfinite(value):
            yield value


def _readings(number: str) -> Iterator[tuple[float, float]]:
    """(value, half of its last digit) of what a written number may mean: 31 % is 31 or 0.31, 15 GB is 15 or 15e9."""
    parts = _PARTS.fullmatch(number)
    if parts is None or len(number) > 60:
        return
    power = 10.0 ** min(300, max(-300, int((parts["exponent"] or "0")[:5])))
    said = float(parts["mantissa"].replace(",", "") or "nan") * power
    half = 0.5 * 10.0 ** -len(parts["decimals"] or "") * power
    unit = parts["unit"].lower()
    scale = (
        0.01 if unit.startswith(("%", "per")) else _FACTOR.get(unit[:1], 1.0) if unit[1:2] in ("", "b", "i") else 1.0
    )
    yield said, half
    if scale != 1:
        yield said * scale, half * scale


def proof(evidence: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> str:
    """The evidence of a record as "[run:metric@step = value]", each run by its name in `names`; "" without any. The
    baseline's number, which a verdict's reason names, is not told again."""
    told = [dict(piece) for piece in evidence]
    others = [piece for piece in told if piece.get("role") != "baseline"]
    return " ".join(f"[{text}]" for text in dict.fromkeys(_one(piece, names) for piece in others or told))


def _one(piece: dict[str, Any], names: Mapping[str, str]) -> str:
    metric, step, value = (piece.get(name) for name in ("metric", "step", "value"))
    text = _who(piece, names)
    text += f":{metric}" if metric else ""
    text += f"@{step}" if step not in (None, "") else ""
    return f"{text} = {value:.6g}" if isinstance(value, float) else f"{text} = {value}" if value is not None else text


def _who(piece: dict[str, Any], names: Mapping[str, str]) -> str:
    """The run or the recorded experiment by its name; what a sandbox could only leave as typed, so."""
    run = piece.get("run")
    if run:
        return names.get(str(run), str(piece.get("run_name") or run))
    said = piece.get("name") or piece.get("experiment") or piece.get("claim")
    return " ".join(str(said).split()) if said else "?"
