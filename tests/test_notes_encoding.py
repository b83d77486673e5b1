"""Bytes to text, and text that was encoded twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neatd.assist.notes.parse import repair

RIGHT = "Über naïve cafés — “quoted”, ½ of 10 °C, 日本語, Привет, ✅ done → next ← back, 🎉🔧"


def doubled(text: str, page: str) -> bytes:
    """What a program makes of UTF-8 that it takes for `page`: undefined bytes are dropped."""
    return text.encode().decode(page, "ignore").encode()


def test_utf8_with_and_without_its_mark_is_itself() -> None:
    """A byte order mark is no text."""
    assert repair(RIGHT.encode()) == RIGHT == repair(b"\xef\xbb\xbf" + RIGHT.encode())


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_read_with_and_without_its_mark(codec: str) -> None:
    """Windows writes notes so."""
    assert repair(("Plain words first. " * 3 + RIGHT).encode(codec)).endswith(RIGHT)


def test_windows_bytes_in_a_file_that_is_no_utf8_are_read_as_windows_1252() -> None:
    """One wrong byte does not spoil the rest of the file."""
    assert repair(b"caf\xe9 \x96 \xe2\x9c\x85") == "café – ✅"


@pytest.mark.parametrize("page", ["cp1252", "cp1254"])
@pytest.mark.parametrize(
    "text",
    [
        "✅ What was done",
        "loss 0.3 → 0.2 — it’s “fine”",
        "naïve café crème",
        "├─ daemon",
        "📊 Impact",
        "128³ voxels, 10 °C",
    ],
)
def test_text_encoded_twice_is_repaired(text: str, page: str) -> None:
    """Western and Turkish code pages are both seen in the wild."""
    assert repair(doubled(text, page)) == text


@pytest.mark.parametrize("text", ["🎉 Upgrade", "🎯 Goals", "← NEW", "🏆 Results", "🔍 Search"])
def test_a_symbol_that_lost_a_byte_is_known_by_the_rest(text: str) -> None:
    """Bytes that the code page leaves undefined are dropped by the program that doubled the text."""
    assert repair(doubled(text, "cp1254")) == text


def test_right_text_beside_doubled_text_stays_right() -> None:
    """People paste: one line is doubled, the next is not."""
    mixed = doubled("it’s ✅", "cp1252").decode() + "\nÜbung “macht” den Café-Meister — ğüş é…”\n"
    assert repair(mixed.encode()) == "it’s ✅\nÜbung “macht” den Café-Meister — ğüş é…”\n"


@given(st.text(alphabet="abc ÀÉÖßäéñøüğşıŁłćž“”‘’«»–—…€£°±²µ·→✅日本語Привет\n", max_size=80))
def test_right_text_is_never_harmed(text: str) -> None:
    """What people write in their languages comes back as it was."""
    assert repair(text.encode()) == text


@given(st.binary(max_size=300))
def test_any_bytes_give_text(data: bytes) -> None:
    """No bytes raise, and the text can be stored."""
    repair(data).encode()
