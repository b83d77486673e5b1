"""Words as systemd reads them in a unit: quotes, backslashes, and % for its own names. Pure. See systemd.syntax(7)."""

from __future__ import annotations

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:@/")


def quoted(word: str) -> str:
    """A word of a line such as Environment=; no control characters. `$` is left: ExecStart= is written with `:`."""
    if word and set(word) <= _PLAIN:
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'


def words(line: str) -> list[str]:
    """The words of such a line, as systemd takes them apart."""
    found: list[str] = []
    word: str | None = None
    quote = ""
    letters = iter(line)
    for letter in letters:
        if letter == "\\":
            word = (word or "") + next(letters, "")
        elif quote:
            quote, word = ("", word) if letter == quote else (quote, (word or "") + letter)
        elif letter in "\"'":
            quote, word = letter, word or ""
        elif letter in " \t":
            found, word = ([*found, word], None) if word is not None else (found, None)
        else:
            word = (word or "") + letter
    return [one.replace("%%", "%") for one in ([*found, word] if word is not None else found)]
