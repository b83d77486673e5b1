"""neat's block in a file of somebody's: every byte that is not the block's stays as it was."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from neatd.assist.block import BEGIN, END, HASH, check_block, with_block, without_block

BODY = "what stands here\n\n- a line"
WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
CONTENTS = {
    "lf": b"# Rules\n\n- be kind\n",
    "crlf": b"# Rules\r\n\r\n- be kind\r\n",
    "mixed line ends": b"# Rules\r\n- be kind\n",
    "no final newline": b"# Rules\n- be kind",
    "crlf, no final newline": b"# Rules\r\n- be kind",
    "bom": codecs.BOM_UTF8 + b"# Rules\n",
    "not utf-8": b"caf\xe9 \xff\xfe\x00\n",
    "lone cr": b"old mac\r",
    "empty": b"",
    "only newlines": b"\n\n",
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_adding_keeps_every_byte_before_the_block(content: bytes) -> None:
    """What stood there is the beginning of what stands there now, to the byte."""
    changed = with_block(content, BODY)
    assert changed.startswith(content)
    assert changed[len(content) :].strip() == changed[changed.index(BEGIN) :].strip()


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_twice_is_harmless(content: bytes) -> None:
    """Putting the same block in again changes no byte."""
    once = with_block(content, BODY)
    assert with_block(once, BODY) == once


def test_a_block_in_the_middle_is_replaced_in_place() -> None:
    """Everything before and after the markers stays, odd bytes included, and no newline comes or goes."""
    before, after = b"top \xff\r\n" + BEGIN, END + b"tail without newline \xe9"
    changed = with_block(before + b"\r\nold\r\n" + after, "new")
    assert changed == before + b"\r\nnew\r\n" + after


def test_line_ends_are_the_files_own() -> None:
    """In a file with CRLF the block's lines end with CRLF, else with LF."""
    assert b"\n" not in with_block(b"a\r\n", BODY).replace(b"\r\n", b"")
    assert b"\r" not in with_block(b"a\n", BODY)


@given(st.binary(max_size=60) | st.lists(st.sampled_from([b"a", b"\n", b"\r\n", b"\r", b"\xef\xbb\xbf"])).map(b"".join))
@example(b"text")
@example(b"text\n")
@example(b"old mac\r")
def test_taking_the_block_out_gives_back_what_was_there(content: bytes) -> None:
    """without_block undoes with_block to the byte, whatever the file held (but for markers of its own)."""
    assume(BEGIN not in content and END not in content and not content.startswith(WIDE))
    assert without_block(with_block(content, BODY)) == content


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_text_added_after_the_block_stays_when_it_is_taken_out(newline: bytes) -> None:
    """Right below what stood there, without the empty line that the block was given; two lines never become one."""
    for before in (b"", b"before" + newline, b"before" + newline * 2, newline):
        assert without_block(with_block(before, BODY) + b"after" + newline) == before + b"after" + newline
    assert without_block(with_block(b"before", BODY) + b"after") == b"before\nafter"


DAMAGED = {
    "no end": b"x\n" + BEGIN + b"\ny\n",
    "no begin": b"x\n" + END + b"\ny\n",
    "two begins": BEGIN + b"\n" + BEGIN + b"\ny\n" + END,
    "two blocks": (BEGIN + b"\ny\n" + END + b"\n") * 2,
    "wrong order": END + b"\ny\n" + BEGIN + b"\n",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_damaged_markers_are_an_error(content: bytes) -> None:
    """neat does not guess where a half block ends, neither to put it in nor to take it out."""
    with pytest.raises(ValueError, match="damaged"):
        with_block(content, BODY)
    with pytest.raises(ValueError, match="damaged"):
        check_block(content)


def test_utf16_is_refused() -> None:
    """A file that old Windows shells write would become unreadable with ASCII bytes in it."""
    with pytest.raises(ValueError, match="UTF-16"):
        with_block("rules\n".encode("utf-16"), BODY)


@given(st.binary(max_size=40))
def test_other_markers_are_other_blocks(content: bytes) -> None:
    """A block of a configuration file goes in and out as one of Markdown does."""
    assume(HASH.begin not in content and HASH.end not in content and not content.startswith(WIDE))
    assert without_block(with_block(content, BODY, HASH), HASH) == content
