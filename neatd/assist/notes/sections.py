"""What a heading says of the words below it: the kind of record, whether it is done, when it is to be done. Pure.

A heading tells something when most of its words are words that headings of that kind are made of: "Key decisions made
this session" is one, "Fixed the decision tree" is not.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from neatd.assist.notes.plain import plain
from neatd.assist.notes.vocabulary import FILLER, RULES


class Meaning(NamedTuple):
    """What a heading tells. `share` is the part of its words that were understood, `is_weak` that a parent knows better."""

    kind: str = ""
    status: str = ""
    share: float = 0.0
    is_weak: bool = False


_PARENS = re.compile(r"\([^()]{0,120}\)|\[[^\[\]]{0,60}\]")
_NUMBERING = re.compile(
    r"^(?:[#§]?\s?(?:\d{1,3}|[a-z]|[ivx]{1,4})(?:\.\d{1,3}){0,3}\s?[.):]\s*|\d{1,2}(?:\.\d{1,2})+\s+"
    r"|\d{1,2}\s+[-–—]\s+|(?:step|part|section|task|item|issue|bug|lesson|decision|finding"
    r"|experiment)\s?#?\d{1,3}\s?[:.)–—-]\s*)"
)
_NOT_WORD = re.compile(r"[^\w\s+'’-]+|(?<=\s)-+(?=\s)|_")
_DIGITS = re.compile(r"(?<![\w])[\d.,:x-]*\d[\w.%-]*")
_VERSION = re.compile(r"^\[?v?\d+\.\d+(?:\.\d+)?[\w.+-]*\]?(?:\([^()]*\))?(?:\s*[-–—:(/|]\s*.*)?$", re.I)


def version_of(heading: str) -> str:
    """The version that a changelog's heading is about: "1.2.0" of "[1.2.0] - 2024-05-01"."""
    found = re.match(r"(?:version |release )?\[?(v?\d+\.\d+(?:\.\d+)?[\w.+-]*|unreleased)\]?", heading.strip(), re.I)
    return found[1] if found and (found[1].lower() == "unreleased" or _VERSION.match(heading.strip())) else ""


def normal(heading: str) -> str:
    """A heading's words in small letters, without emoji, numbering, punctuation and what stands in parentheses."""
    words = plain(heading[:300]).lower().replace("’", "'").replace("'", "").replace("&", " and ")
    words = re.sub(r"^[^\w\[(]+", "", words)
    words = _NUMBERING.sub("", words)
    words = _NOT_WORD.sub(" ", _PARENS.sub(" ", words))
    return " ".join(words.split())


def is_numbered(heading: str) -> bool:
    """Whether a heading has a number or an id of its own: "1. Leak fixed", "ADR-004: …", "BUG-2"."""
    return bool(_ENTITY.match(re.sub(r"^[^\w\[(]+", "", plain(heading[:120])).lower()))


_ENTITY = re.compile(
    r"^(?:\[?(?:adr|bug|exp|issue|dec|decision|hyp|h|task|t|d|b|e|l|lesson|experiment|hypothesis"
    r"|finding|fix|risk|run)[-_ #]{0,2}\d{1,4}\b"
    r"|#?\d{1,3}[.):]\s|\d{4}-\d{2}-\d{2}\b)"
)


@lru_cache(maxsize=4096)
def meaning(heading: str) -> Meaning:
    """What a heading tells, from its words alone."""
    if _VERSION.match(plain(heading[:80]).strip()):
        return Meaning("change", "", 1.0)
    heading = _PARENS.sub("", heading[:300])
    if ":" in heading[:60]:  # "Key result: the small one wins": what stands before the colon says what follows
        head = _told(normal(heading.split(":", 1)[0]))
        if head.kind and head.share >= 1.0:
            return head
    return _told(normal(heading))


def _told(words: str) -> Meaning:
    words = " ".join(_DIGITS.sub(" ", words).split())
    told = [rule for rule in RULES if rule.words.search(words)]
    if not told:
        return Meaning()
    found = next((rule for rule in told if not rule.is_weak), told[0])
    content = FILLER.sub(" ", words).split() or words.split()
    left = words
    for rule in RULES:
        left = rule.words.sub(" ", left)
    share = 1 - min(len(FILLER.sub(" ", left).split()) / len(content), 1.0)
    if len(content) > _LONG and share < _CLEAR:
        return Meaning()
    return Meaning(found.kind, found.status, share, found.is_weak)


_LONG = 4  # a heading of more words than these is a sentence, in which words of a kind stand by chance
_CLEAR = 0.8


_HORIZONS = (
    (
        "24-48h",
        re.compile(r"24.{0,3}48|\b(?:24|48) ?h|tomorrow|next (?:few )?(?:hours|days?)\b|short[- ]term|next session"),
    ),
    ("week", re.compile(r"this week|next week|\bweek(?:s|ly)?\b|medium[- ]term|mid[- ]term|this sprint|\bp2\b")),
    (
        "now",
        re.compile(
            r"\bimmediate(?:ly)?\b|\bnow\b|\btoday\b|\basap\b|\burgent\b|\bp0\b|\bp1\b|\bcritical\b"
            r"|\bhigh(?:est)?[- ]priority|\bpriority 1\b|\btop priorit"
        ),
    ),
    (
        "later",
        re.compile(
            r"long[- ]term|\blater\b|\bfuture\b|someday|backlog|low[- ]priority|nice to have|eventually"
            r"|deferred|\bp3\b|\bicebox\b|maybe|month|quarter|post-?mvp"
        ),
    ),
)


@lru_cache(maxsize=1024)
def horizon_of(heading: str) -> str:
    """When: now, 24-48h, week, later; "" when it does not say. What stands in parentheses is the more exact."""
    words = plain(heading[:200]).lower()
    inner = " ".join(_PARENS.findall(words))
    for text in (inner, words):
        for name, pattern in _HORIZONS:
            if pattern.search(text) and not (name == "24-48h" and "next session" in text and "24" not in text):
                return name
    return ""


_STATUS = (
    (
        "dropped",
        re.compile(r"\(?\b(?:cancell?ed|dropped|abandoned|wont (?:do|fix)|won't (?:do|fix)|rejected|obsolete)\b\)?"),
    ),
    ("blocked", re.compile(r"⛔|🚫|\bblocked\b")),
    ("in progress", re.compile(r"🔄|🚧|⏳|🟡|\bin[- ]progress\b|\bwip\b|\bongoing\b|\bunderway\b|\bcontinuing\b")),
    ("open", re.compile(r"\b(?:pending|not (?:yet )?(?:started|done)|planned|todo|upcoming|incomplete)\b|⬜|📋")),
    ("done", re.compile(r"✅|✓|✔|☑|\b(?:done|completed?|finished|shipped|implemented)\b")),
)


@lru_cache(maxsize=1024)
def status_of(heading: str) -> str:
    """The state a heading ends with or has in parentheses: "Phase 1: Setup ✅", "Immediate (done)"."""
    words = heading[:300].lower()
    tail = re.split(r"\s[-–—:]\s|:\s", words)[-1] if re.search(r"\s[-–—]\s|:\s", words) else ""
    marks = "".join(re.findall(r"[✅✓✔☑🔄🚧⏳🟡⛔🚫⬜]", words))
    text = " ".join(_PARENS.findall(words)) + " " + (tail if len(tail) < 30 else "") + " " + marks
    return next((name for name, pattern in _STATUS if pattern.search(text)), "")


_PHASE = re.compile(
    r"\b((?:phase|milestone|sprint|stage|iteration|epic|week"
    r"|day)s? \d+[a-z]?(?:\.[\dx]+)*(?:\s*[-–]\s*\d+(?:\.[\dx]+)*)?\b[^()\n]{0,80})",
    re.I,
)
_PHASE_PARENS = re.compile(
    r"\((?:[^()]{0,40}?[\s:])?((?:phases? )?v?\d+(?:\.[\dx]+)+(?:\s*[-–]\s*\d+(?:\.[\dx]+)*)?)\b[^()]{0,60}\)", re.I
)
_PHASE_NUMBER = re.compile(r"\bphases? (\d+(?:\.[\dx]+)*(?:\s*[-–]\s*\d+(?:\.[\dx]+)+)?)", re.I)


@lru_cache(maxsize=1024)
def phase_of(heading: str) -> str:
    """The phase a heading names: "1.4.2" of "(Completed 1.4.2)", "Phase 2: Loader" of itself."""
    words = plain(heading[:200])
    if found := _PHASE_PARENS.search(words):
        return found[1]
    found = _PHASE.match(re.sub(r"^[^\w]+", "", words))
    if found:
        return found[1].strip().rstrip(":-– ")
    numbered = _PHASE_NUMBER.search(words)
    return numbered[1] if numbered else ""
