"""Secrets are taken out of whatever is kept, shown or logged: known shapes of keys, and values whose name says what they are.

No entropy guesses: commit hashes and record ids would be their first victims. Cheap where there is nothing to find: a
text without any of the words that a secret needs beside it or in it is returned as it is, and only what such words ask
for is compiled. The tables are in `redact_shapes.py`, names and their values in `redact_names.py`.
"""

from __future__ import annotations

import re
from typing import Any

from neatd import redact_shapes as shapes
from neatd.redact_shapes import HOLE, LEAST, aligned_lower, compiled

MARK = "[secret removed]"
LONGEST_NAME = 200  # of an object's field, as it is judged
_MOST_NESTED = 8  # passes over a text


def might_hold_secret(text: str) -> bool:
    """False only for a text that `redact` leaves as it is."""
    return len(text) >= LEAST and (_has_literal(text) or _might_name(text))


def redact(text: str) -> str:
    """`text` with secrets replaced by a mark. Time grows with the length of the text, whatever it holds."""
    for _ in range(_MOST_NESTED):  # A_TOKEN=B_KEY=… is one secret in another: what stands is nothing but marks
        once = _redacted(text)
        if once == text:
            break
        text = once
    return text


def _redacted(text: str) -> str:
    if len(text) < LEAST:
        return text
    has_literal, might_name = _has_literal(text), _might_name(text)
    if not has_literal and not might_name:
        return text
    whole = text
    # A mark that is there already is one character meanwhile, which no pattern takes for a name or a part of a value.
    text = text.replace(HOLE, "\ufffd").replace(MARK, HOLE)
    if has_literal:
        text = _without_shapes(text)
    if might_name:
        from neatd.redact_names import redact_named

        text = redact_named(text)
    return text.replace(HOLE, MARK) if HOLE in text else whole


def redact_value(value: Any, name: str = "") -> Any:
    """Text, lists and objects without secrets; an object's value is judged by its name too. Tuples become lists."""
    if isinstance(value, str):
        return _named(name, value)
    if isinstance(value, list | tuple):
        return _in_list(value, name)
    if isinstance(value, dict):
        return _in_object(value, name)
    if name and isinstance(value, int) and not isinstance(value, bool):
        return MARK if _named(name, str(value)) != str(value) else value
    return value


def _in_list(values: list[Any] | tuple[Any, ...], name: str) -> list[Any]:
    """Each by the list's name; the word after an option, as in an argument list, by the option."""
    result: list[Any] = []
    for value in values:
        before = result[-1] if result and isinstance(result[-1], str) else ""
        is_option = before.startswith("-") and "=" not in before and isinstance(value, str)
        result.append(redact_value(value, before.lstrip("-") if is_option and not value.startswith("-") else name))
    return result


def _in_object(value: dict[Any, Any], name: str) -> dict[str, Any]:
    """Each value by its name, which the names around it complete: {"wandb": {"key": …}}, {"name": "API_KEY", "value": …}."""
    said = value.get("name", value.get("key"))
    result = {}
    for one, inner in value.items():
        own = f"{name}.{one}"[-LONGEST_NAME:] if name else str(one)
        if one == "value" and isinstance(said, str):
            own = said[-LONGEST_NAME:]
        if one == "key" and "username" in value:  # kaggle.json
            own = "kaggle_key"
        result[redact(str(one))] = redact_value(inner, own)
    return result


def _named(name: str, value: str) -> str:
    """A value with its name before it, as a person would have written it: `api_key=…`."""
    clean = redact(value)
    if not name or clean != value or len(name) + len(value) < LEAST or not _might_name(name + "="):
        return clean
    from neatd.redact_names import is_secret_value

    return MARK if is_secret_value(name, value) else value


def _has_literal(text: str) -> bool:
    """Whether something that a known shape begins with is in the text."""
    low = text.lower()
    letters, low_letters = set(text), set(low)
    return _has_long_word(text) or any(
        its <= (low_letters if is_low else letters) and one in (low if is_low else text)
        for one, its, is_low in shapes.LITERALS
    )


def _has_long_word(text: str) -> bool:
    return ("." in text or ":" in text) and any(len(word) >= shapes.LONG_WORD for word in text.split())


def _might_name(text: str) -> bool:
    """Whether a name that says secret may be in the text."""
    low = text.lower()
    return any(word in low for word in shapes.NAME_WORDS)


def _without_shapes(text: str) -> str:
    """The known shapes, each tried where its anchor stands: no pattern runs over the whole text but for long words."""
    if any(one in text for one in shapes.KEY_MARKS):
        text = _without_key_blocks(text)
    letters = set(text) | set(text.lower())  # to know at a glance what cannot be in it
    for anchor, its, pattern, is_low in shapes.ANCHORED:
        if its <= letters:
            where = aligned_lower(text) if is_low else text
            if anchor in where:
                text = _cut(text, where, compiled(pattern, anchor))
    if _has_long_word(text):
        text = compiled(shapes.LONG).sub(HOLE, text)
    for needs, detector in shapes.THEIRS:
        if any(need in text for need in needs):
            for theirs in shapes.patterns_of(detector):
                text = theirs.sub(HOLE, text)
    return text


def _cut(text: str, where: str, pattern: re.Pattern[str]) -> str:
    """`text` without what `pattern` matches in `where`, which is the same in small letters: the group `s`, or all of it."""
    kept, end = [], 0
    for found in pattern.finditer(where):
        groups = found.groupdict()
        if groups.get("tail") is None or shapes.is_random(text[slice(*found.span("tail"))]):
            start, stop = found.span("s" if "s" in groups else 0)
            kept += [text[end:start], HOLE]
            end = stop
    return "".join([*kept, text[end:]]) if kept else text


def _without_key_blocks(text: str) -> str:
    """Private keys go from their first to their last line; of one that is cut off, what is there of it."""
    begin, finish, body = (compiled(one) for one in (shapes.KEY_BEGIN, shapes.KEY_END, shapes.KEY_BODY))
    kept, end = [], 0
    for found in begin.finditer(text):
        if found.start() < end:
            continue
        following = text.find("BEGIN ", found.end())
        limit = min(found.end() + shapes.LONGEST_KEY, following if following >= 0 else len(text))
        closing = finish.search(text, found.end(), limit)
        kept += [_without_key_end(text[end : found.start()]), HOLE]
        if closing and not shapes.is_key_body(text[found.end() : closing.start()]):
            closing = None  # two mentions with prose between them
        rest = closing or body.match(text, found.end())
        end = rest.end() if rest else found.end()
    return "".join([*kept, _without_key_end(text[end:])])


def _without_key_end(text: str) -> str:
    """A key whose beginning is cut off: the lines of base64 before its END."""
    kept, end = [], 0
    for found in compiled(shapes.KEY_END).finditer(text):
        lines = text[max(end, found.start() - shapes.LONGEST_KEY) : found.start()].split("\n")
        count = next((n for n, line in enumerate(reversed(lines)) if not shapes.is_key_line(line)), len(lines))
        start = found.start() - sum(len(line) + 1 for line in lines[len(lines) - count :]) + (count > 0)
        kept += [text[end : max(start, end)], HOLE]
        end = found.end()
    return "".join([*kept, text[end:]])
