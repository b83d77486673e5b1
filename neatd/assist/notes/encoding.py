"""Bytes of a notes file to text, and text that was encoded twice back to what was written. Pure; never raises.

Double-encoded text is UTF-8 that some program read as Windows-1252 or Windows-1254 and saved as UTF-8 again: a check mark
becomes three Latin letters. It is mended sequence by sequence, and only where no right text looks like it.
"""

from __future__ import annotations

import re

_LOST = (0x81, 0x8D, 0x8E, 0x8F, 0x90, 0x9D, 0x9E)  # undefined in cp1252 or cp1254: programs drop them


def _bytes_of() -> dict[str, int]:
    """Character -> the byte it stands for, in both code pages; where they differ the letters differ too."""
    table = {chr(code): code for code in range(0x80, 0x100)}  # undefined ones are passed through as C1 controls
    for page in ("cp1252", "cp1254"):
        for code in range(0x80, 0x100):
            char = bytes([code]).decode(page, "ignore")
            if char:
                table[char] = code
    return table


_BYTE = _bytes_of()
_HIGH = "".join(sorted(_BYTE))
_CONT = "[" + re.escape("".join(c for c in _HIGH if 0x80 <= _BYTE[c] < 0xC0)) + "]"
_LEAD2 = "[" + re.escape("".join(c for c in _HIGH if 0xC2 <= _BYTE[c] < 0xE0)) + "]"
_LEAD3 = "[" + re.escape("".join(c for c in _HIGH if 0xE0 <= _BYTE[c] < 0xF0)) + "]"
_LEAD4 = "[" + re.escape("".join(c for c in _HIGH if 0xF0 <= _BYTE[c] < 0xF5)) + "]"
_SEQUENCE = re.compile(f"{_LEAD4}{_CONT}{{1,3}}|{_LEAD3}{_CONT}{{1,2}}|{_LEAD2}{_CONT}")
# Nobody writes these by hand: the beginnings of punctuation, arrows, symbols and emoji, and accented letters in a word.
_C1 = "[" + re.escape("".join(c for c in _HIGH if 0x80 <= _BYTE[c] < 0xA0)) + "]"
_UNMISTAKABLE = re.compile(f"â{_C1}{_CONT}|â†|[ðğ]Ÿ|Â[\xa0-¿]|ï»¿|(?:(?<=[a-z])Ã[\xa0-¿]|Ã[\xa0-¿](?=[a-z]))")
# Symbols whose bytes are lost in part are known by what is left; of two with the same remains the first wins.
_SYMBOLS = "←”🎉🎯📝📁🔍🏆🏁❌⏱🎨🏗🎓📍🐍🎮🏃🏠🌍🤝📐➡⬅↔✍☁\ufe0f\u200d"


def _remains() -> dict[bytes, str]:
    """What is left of a symbol's bytes -> the symbol, for those that lose some."""
    found: dict[bytes, str] = {}
    for symbol in _SYMBOLS:
        whole = symbol.encode()
        left = bytes(byte for byte in whole if byte not in _LOST)
        if len(left) < len(whole):
            found.setdefault(left, symbol)
    return found


_REMAINS = _remains()


def repair(data: bytes) -> str:
    """The text of `data`: UTF-8, UTF-16, else Windows-1252 for the bytes that are no UTF-8; double encoding undone."""
    text = _decoded(data)
    for _ in range(2):  # some files went through it twice
        if not _UNMISTAKABLE.search(text):
            break
        text = _mended(text)
    return text.removeprefix("\ufeff").replace("\0", "\ufffd")


_CONTROLS = "".join(chr(code) for code in range(32) if chr(code) not in "\t\n\v\f\r\x1b") + "\x7f\ufffd"
_FEW = 8  # control characters that any text may hold
_LOOKED_AT = 100_000


def is_binary(text: str) -> bool:
    """Whether text that was made of bytes is no text: more than one of twenty characters is a control character."""
    head = text[:_LOOKED_AT]
    found = sum(map(head.count, _CONTROLS))
    return found > _FEW and 20 * found > len(head)


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    head = data[:4000]
    if head and head.count(0) > len(head) // 4:  # UTF-16 without its mark: every other byte of Latin text is zero
        return data.decode("utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be", "replace")
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    return text.translate(_STRAY) if _ESCAPED.search(text) else text


_ESCAPED = re.compile("[\udc80-\udcff]")
_STRAY = {0xDC00 + code: bytes([code]).decode("cp1252", "ignore") or chr(code) for code in range(0x80, 0x100)}


def _mended(text: str) -> str:
    """Every line with its sequences decoded: those on a line with nothing but sequences, and the unmistakable ones."""
    return "\n".join(map(_line, text.split("\n")))


_OTHER = re.compile(r"[^\x00-\x7f]")


def _line(line: str) -> str:
    if line.isascii():
        return line
    is_all = not _OTHER.search(_SEQUENCE.sub("", line))
    return _SEQUENCE.sub(lambda found: _one(found, is_all), line)


def _one(found: re.Match[str], is_all: bool) -> str:
    """The character a sequence stands for; the sequence itself where it may be right as it is."""
    run = found[0]
    if not is_all and not _UNMISTAKABLE.match(found.string, found.start()):
        return run
    for end in range(len(run), 1, -1):  # a lost last byte leaves the next character in the run
        raw = bytes(_BYTE[char] for char in run[:end])
        symbol = _utf8(raw) or _REMAINS.get(raw)
        if symbol:
            return symbol + run[end:]
    return run


def _utf8(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return ""
