"""Fields as people write them: `**Label**: value`, `Label: value`, dates, files, metrics, before and after. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from neatd.assist.notes.plain import bare, plain

_BOLD = re.compile(
    r"^[^\w*\n`\[]{0,6}(?:\*\*|__)([^*\n]{1,80}?)[ \t]*:?[ \t]*(?:\*\*"
    r"|__)[ \t]*(\([^()\n]{1,60}\))?[ \t]*(:|—|–|-(?=[ \t])|->|→|=(?!=))?[ \t]*"
)
_PLAIN = re.compile(
    r"^[^\w*\n`\[]{0,6}([A-Z][\w./&'()+ -]{0,40}?"
    r"|[a-z][\w-]{1,24}(?: [a-z][\w-]{1,20}){0,2})[ \t]*[:：](?=[ \t]|$)[ \t]*"
)
_COLON_IN_BOLD = re.compile(r"^[^\w*\n`\[]{0,6}(?:\*\*|__)[^*\n]{1,80}:[ \t]*(?:\*\*|__)")
_DATE = re.compile(
    r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2})(?:[ T,]{1,3}~?(?:at )?(\d{1,2}:\d{2}(?::\d{2})?(?:\s?[AP]M)?))?", re.I
)
_MONTH = re.compile(
    r"\b((?:\d{1,2} )?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.? \d{1,2}?(?:st"
    r"|nd|rd|th)?,? ?\d{4})\b",
    re.I,
)
_NUMBER = re.compile(r"^[-+~≈<>]{0,2}\s?(\d[\d_,]*(?:\.\d+)?|\.\d+)(?:e[-+]?\d+)?$", re.I)
_ARROW = re.compile(r"([^\s:(][^:(→\n]{0,60}?)\s*(?:→|⇒|-->|->|=>)\s*([^→\n]{1,60}?)(?=[).,;]?(?:\s*$|[);]|,\s|\. ))")
_FROM_TO = re.compile(
    r"\bfrom (~?\d[^\s,]*(?: ?[A-Za-z%]{1,4})?) (?:down |up )?to (~?\d[^\s,]*(?: ?[A-Za-z%]{1,4})?)\b"
)
_PREDICT = re.compile(
    r"(?<![\w/])([A-Za-z][\w/.@-]{1,40})\s{0,2}(<=|>=|≤|≥|<|>)\s{0,2}(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)(?![\w%.]*\w)"
)
_CODE = re.compile(r"`([^`\n]{1,200})`")
_PATH = re.compile(
    r"(?<![\w/@:.-])(?:@?\.{0,2}/)?(?:[\w.*{}@+-]+/)*[\w*{}+-]+(?:\.[\w*-]+)*\.(?:[a-z][a-z0-9]{0,7}"
    r"|\*)(?![\w/(])|(?<![\w/@:.-])(?:[\w.*-]+/)+(?=[\s,;)]|$)"
)


class Label(NamedTuple):
    """A field: its name without markup, what follows it, and whether the name was in bold."""

    name: str
    value: str
    is_bold: bool


def label_of(text: str) -> Label | None:
    """The field that `text` begins with."""
    head = text[:240]
    found = _BOLD.match(head)
    if found and (found[3] or _COLON_IN_BOLD.match(head)):
        name = bare(found[1]) + (f" {found[2]}" if found[2] else "")
        return Label(name.strip().rstrip(":"), text[found.end() :].strip(), True)
    found = None if found else _PLAIN.match(head)
    if not found or "://" in head[: found.end() + 2]:
        return None
    return Label(found[1].strip(), text[found.end() :].strip(), False)


def date_of(text: str) -> str:
    """The date in `text`, with its time: "2025-12-19 11:00"; a date in words as it is written."""
    head = text[:300]
    if found := _DATE.search(head):
        return f"{found[1]} {found[2]}" if found[2] else found[1]
    worded = _MONTH.search(head)
    return worded[1] if worded else ""


def number_of(text: str) -> int | float | None:
    """The number that `text` is, None when it is anything else."""
    words = plain(text[:60]).strip("* ")
    found = _NUMBER.match(words)
    if not found or words[:1] in "<>":
        return None
    digits = words.lstrip("+~≈ ").replace(",", "").replace("_", "")
    try:
        value = float(digits)
    except ValueError:
        return None
    is_whole = digits.lstrip("-").isdigit() and len(digits) < 16
    return int(digits) if is_whole else value if abs(value) < 1e300 else None


def before_after(text: str) -> tuple[str, str] | None:
    """What was measured before and after: "50GB → 15GB peak"; only where both sides have a number."""
    words = plain(text[:600])
    for found in (_ARROW.search(words), _FROM_TO.search(words)):
        if found and any(map(str.isdigit, found[1])) and any(map(str.isdigit, found[2])):
            return found[1].strip(), found[2].strip()
    return None


def prediction_of(text: str) -> str:
    """`METRIC < NUMBER` when `text` states exactly one; "" otherwise."""
    words = "; ".join(plain(row) for row in text[:2000].split("\n"))
    found = list(_PREDICT.finditer(words))
    if len(found) != 1:
        return ""
    op, number = found[0][2], found[0][3]
    metric = _predicted(words[: found[0].start()], found[0][1])
    return metric and f"{metric} {op.replace('≤', '<=').replace('≥', '>=')} {number}"


def files_of(text: str) -> tuple[str, ...]:
    """Files that `text` names: in backticks, else written as paths; each once."""
    head = text[:4000]
    coded = [one.strip() for one in _CODE.findall(head) if is_path(one.strip())]
    named = coded or [found[0] for found in _PATH.finditer(plain(head)) if is_path(found[0])]
    return tuple(dict.fromkeys(named))[:200]


_NO_ENDING = {"Makefile", "Dockerfile", "LICENSE", "Justfile", "Procfile", "README", "Jenkinsfile"}
_FILE = re.compile(
    r"^@?(?:~|\.{1,2}|[A-Za-z]:)?[\w./*{}@+,\[\]<>-]*(?:\.[A-Za-z][\w*]{0,9}|/)(?::\d+(?:-\d+)?)?$|^\.[a-z][\w.-]+$"
)
_NO_FILE = re.compile(
    r"^(?:e\.g|i\.e|etc|vs|v?\d+(?:\.\d+)*\.?[a-z]?)\.?$|^[A-Za-z]\.[A-Za-z]$|^[\w]+\.(?:com|org|io"
    r"|net|ai|dev)/?$|^\w+/\w+$|^/+$",
    re.I,
)


def is_path(text: str) -> bool:
    """Whether `text` is written as a file or folder."""
    if text in _NO_ENDING:
        return True
    return (
        len(text) <= 200
        and bool(_FILE.match(text))
        and not _NO_FILE.match(text)
        and "://" not in text
        and text.count(".") < 8
    )


_METRIC_WORD = (
    r"loss|dice|acc|accuracy|f1|f1[- ]?score|auc|auroc|roc[- ]?auc|auprc|bleu|rouge(?:-?[l12])?|ppl"
    r"|perplexity|mse|mae|rmse|mape"
    r"|r2|r²|iou|miou|map|map@?\d*|score|reward|return|precision|recall|bpb|bpc|bits[ _]per[ _]\w+|nll"
    r"|elbo|wer|cer|psnr|ssim|lpips|fid"
    r"|sharpe|kl|error|err|win[ _]?rate|pass@?\d+|hit@?\d+|ndcg(?:@?\d+)?|mrr|top-?[15]|spearman"
    r"|pearson|kappa|mcc|value|objective"
)
# Words that a name of several words is made of: "grad norm std", "best val loss".
_OF_NAME = re.compile(
    rf"(?:{_METRIC_WORD}|best|val|valid|validation|test|train|training|eval|final|mean|avg|average|max|min|median|std|var"
    r"|variance|norm|grads?|gradients?|weights?|update|top|cv|dev|oof|gap|ratio|rate|entropy|peak|gpu|ram|memory|step"
    r"|time|throughput|latency|count|topo|class|token|sample)",
    re.I,
)


def _predicted(before: str, last: str) -> str:
    """The whole name of what a prediction is about, whose last word is `last`; "" when it may be only half a name."""
    if re.search(r"[/_.@]", last):
        return last
    words = re.split(r"[.,;:!?()\[\]→](?:\s+|$)|[()\[\]]", before[-120:])[-1].split()
    if not words:
        return last
    name = [last]
    while words and _OF_NAME.fullmatch(words[-1]) and len(name) < 5:
        name.insert(0, words.pop())
    return " ".join(name) if _OF_NAME.fullmatch(last) or is_metric(last) else ""


_METRIC_HEAD = re.compile(rf"(?:^|[\s_/.(@-])(?:{_METRIC_WORD})(?:$|[\s_/.)@%↑↓-])", re.I)
METRIC_VALUE = re.compile(
    rf"(?<![\w])((?:(?:best|val|valid|validation|test|train|training|eval|final|mean|avg|top|cv|dev"
    rf"|oof)[ _/.-]){{0,3}}(?:{_METRIC_WORD})(?:@\d+)?)"
    r"[*`_]{0,3}(?:\s*(?:[:=≈~]|is|of|was|at|reached)\s*|\s+)[*`_~≈]{0,4}(-?\d+\.\d+|\d+%?)(?![\w.]*\d)",
    re.I,
)


_VALUE_METRIC = re.compile(
    r"(?<![\w.])(\d{1,3}(?:\.\d+)?)\s?%\s((?:val(?:idation)? |test |train(?:ing)? )?(?:acc(?:uracy)?"
    r"|precision|recall|f1))\b",
    re.I,
)


_BEST_HEAD = re.compile(
    r"^(?:best|val|valid|validation|test|eval|dev)[ _](?!(?:epochs?|steps?|arch|config|params?|runs?|iter|checkpoint|ckpt|lr"
    r"|model|time|set|split|data|size|trial|id|name|hyper)\w*)[A-Za-z]\w{1,20}$",
    re.I,
)


def is_metric(name: str) -> bool:
    """Whether a column or key by this name holds what runs are compared by."""
    head = name.strip()
    return len(head) <= 60 and bool(_METRIC_HEAD.search(head) or _BEST_HEAD.match(head))


def metric_in(text: str) -> tuple[str, float] | None:
    """The metric with a value that `text` states, validation before training: ("val_loss", 0.3081)."""
    words = plain(text[:3000])
    found = [(_rank(one[1]), at, one[1].strip(), one[2]) for at, one in enumerate(METRIC_VALUE.finditer(words))]
    if not found:
        turned = _VALUE_METRIC.search(words)
        return (turned[2], float(turned[1])) if turned else None
    _, _, name, number = min(found)
    return name, float(number.rstrip("%"))


def _rank(name: str) -> int:
    """Validation before test before the rest; training last."""
    return (
        0
        if re.search(r"val|dev|cv|best", name, re.I)
        else 1
        if "test" in name.lower()
        else 3
        if "train" in name.lower()
        else 2
    )
