"""Markdown in one line of plain words: titles, sentences, names to compare by. Pure; every pattern is linear."""

from __future__ import annotations

import re
from functools import lru_cache

TITLE_MAX = 120  # characters: one line in a brief
_LOOKED_AT = 1500  # a title is taken from this much of a text; a line of megabytes costs no more
_IMAGE = re.compile(r"!\[([^\[\]]{0,200})\]\([^()\s]{0,400}\)")
_LINK = re.compile(
    r"\[([^\[\]]{1,300})\]\([^()\s]{0,400}(?:\([^()\s]{0,100}\))?\)|\[\[([^\[\]|]{1,200})(?:\|[^\[\]]{0,200})?\]\]"
)
_STRONG = re.compile(r"\*\*|~~")
_UNDERLINED = re.compile(r"(?<!\w)__([^_\n]{1,200})__(?!\w)")  # `__init__` is a name: only several words are bold
_EMPHASIS = re.compile(
    r"(?<![\w*\\/])\*(?=[^\s*])([^*\n]{1,300}?)(?<=\S)\*(?![\w*/.])|(?<!\w)_(?=[^\s_])([^_\n]{1,300}?)_(?!\w)"
)
_TAG = re.compile(
    r"</?(?:br|b|i|em|strong|code|sub|sup|kbd|details|summary|span|div|p|a|u|s|center|font|img"
    r"|h[1-6])\b[^<>]{0,200}/?>",
    re.I,
)
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+.!|<>~-])")
_MARKED = re.compile(r"[*_~`\[<\\]")
_SPACE = re.compile(r"\s+")
SYMBOL = "\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u23e9-\u23fa\u231a\u231b\ufe0f\u200d\u20e3\u25a0-\u25ff\u2713-\u2718"
_LEADING = re.compile(rf"^(?:[{SYMBOL}\s]|:[a-z_]{{2,30}}:(?=\s))+")
_TRAILING = re.compile(rf"[{SYMBOL}\s]+$")
_SENTENCE = re.compile(r"(?<=[.!?])[\"')\]]?\s+(?=[A-Z0-9\"'(`\[])")
_ABBREVIATED = re.compile(r"(?:\b(?:e\.g|i\.e|vs|etc|cf|approx|resp|no|fig|eq|dr|mr|st)|\b[A-Z])\.$", re.I)
_NUMBER = re.compile(r"^#?\d{1,3}(?:\.\d{1,3})*[.):]\s+")
_NAMED = re.compile(r"[\W_]+")


def plain(text: str) -> str:
    """`text` without its markup, on one line; what stands in backticks is kept as it is."""
    if len(text) <= 400:  # the same words are asked for by each part that judges them
        return _plain_short(text)
    return _plain(text)


@lru_cache(maxsize=512)
def _plain_short(text: str) -> str:
    return _plain(text)


def _plain(text: str) -> str:
    if not _MARKED.search(text):
        return _SPACE.sub(" ", text).strip()
    parts = text.split("`")
    if len(parts) % 2 == 0:  # an odd backtick marks nothing
        parts[-2:] = [f"{parts[-2]}`{parts[-1]}"]
    out = "\0".join(parts[0::2])
    out = _unmarked(out)
    pieces = out.split("\0")
    codes = parts[1::2]
    if len(pieces) != len(codes) + 1:  # markup swallowed a backtick: keep the words, whatever they mark
        return _SPACE.sub(" ", text.replace("`", "")).strip()
    joined = pieces[0] + "".join(code + rest for code, rest in zip(codes, pieces[1:], strict=True))
    return _SPACE.sub(" ", joined).strip()


def _unmarked(text: str) -> str:
    if "[" in text:
        text = _IMAGE.sub(r"\1", text)
        text = _LINK.sub(lambda found: found[1] or found[2], text)
    if "<" in text:
        text = _TAG.sub(" ", text)
    text = _STRONG.sub("", text)
    if "__" in text:
        text = _UNDERLINED.sub(lambda found: found[1] if " " in found[1] else found[0], text)
    text = _EMPHASIS.sub(lambda found: found[1] or found[2], text)
    return _ESCAPE.sub(r"\1", text)


def bare(text: str) -> str:
    """Plain, without the emoji and marks at its ends."""
    out = plain(text[:_LOOKED_AT])
    return _TRAILING.sub("", _LEADING.sub("", out)) or out


def cut(text: str, size: int = TITLE_MAX) -> str:
    """At most `size` characters, cut at a word, with an ellipsis where something is missing."""
    if len(text) <= size:
        return text
    head = text[: size - 1]
    space = head.rfind(" ", size // 2)
    return (head[:space] if space > 0 else head).rstrip(" ,;:-") + "…"


def first_sentence(text: str) -> str:
    """The first sentence of plain words; a very short one takes the next with it."""
    for found in _SENTENCE.finditer(text):
        head = text[: found.start()]
        if found.start() >= 12 and not _ABBREVIATED.search(head[-12:]):
            return text[: found.end()].strip()
    return text


def title_of(text: str) -> str:
    """A title for `text`: all its words when they are few, else its first sentence."""
    words = bare(text)
    if len(words) <= TITLE_MAX:
        return words.rstrip(":").rstrip() or words
    return cut(first_sentence(words)).rstrip(":")


def says_more(body: str, title: str) -> bool:
    """Whether `body` has words that `title` lacks."""
    return len(body) > _LOOKED_AT or _NAMED.sub("", bare(body)) != _NAMED.sub("", title)


def slug(text: str, size: int = 80) -> str:
    """Words in small letters joined by dashes: what stays the same when markup and punctuation change."""
    return _NAMED.sub("-", text.lower()[: size * 2]).strip("-")[:size]


def unnumbered(heading: str) -> str:
    """A heading without its number: "2. Check the logs" -> "Check the logs"."""
    return _NUMBER.sub("", heading) or heading


def has_words(text: str) -> bool:
    """Whether there is a letter or a digit in it."""
    return any(char.isalnum() for char in text)
