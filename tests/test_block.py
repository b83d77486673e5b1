"""neat's block in CLAUDE.md: every byte that is not the block's stays as it was."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from neatd.assist.block import BEGIN, END, with_block, without_block, write_block
from neatd.errors import NeatError

BODY = "what stands here\n\n- a line"
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
    assume(BEGIN not in content and END not in content)
    assert without_block(with_block(content, BODY)) == content


def test_text_added_after_the_block_stays_when_it_is_taken_out() -> None:
    """Only the block's own lines go."""
    content = with_block(b"before\n", BODY) + b"after\n"
    assert without_block(content) == b"before\n\nafter\n"


DAMAGED = {
    "no end": b"x\n" + BEGIN + b"\ny\n",
    "no begin": b"x\n" + END + b"\ny\n",
    "two begins": BEGIN + b"\n" + BEGIN + b"\ny\n" + END,
    "two blocks": (BEGIN + b"\ny\n" + END + b"\n") * 2,
    "wrong order": END + b"\ny\n" + BEGIN + b"\n",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_damaged_markers_are_an_error_and_the_file_stays(tmp_path: Path, content: bytes) -> None:
    """neat does not guess where a half block ends: it names the file and changes nothing."""
    path = tmp_path / "CLAUDE.md"
    path.write_bytes(content)
    with pytest.raises(NeatError, match=r"CLAUDE\.md.*damaged"):
        write_block(path, BODY)
    assert path.read_bytes() == content


def test_a_missing_file_is_made_and_a_current_one_not_touched(tmp_path: Path) -> None:
    """The answer says whether a byte changed; a file that needs no change keeps its time of change."""
    path = tmp_path / "CLAUDE.md"
    assert write_block(path, BODY) is True
    stamp = path.stat().st_mtime_ns
    assert write_block(path, BODY) is False
    assert path.stat().st_mtime_ns == stamp


def test_a_link_inside_the_project_is_followed(tmp_path: Path) -> None:
    """CLAUDE.md that is a link to AGENTS.md stays a link, and AGENTS.md gains the block."""
    (tmp_path / "AGENTS.md").write_bytes(b"rules\n")
    (tmp_path / "CLAUDE.md").symlink_to("AGENTS.md")
    assert write_block(tmp_path / "CLAUDE.md", BODY)
    assert (tmp_path / "CLAUDE.md").is_symlink()
    assert BEGIN in (tmp_path / "AGENTS.md").read_bytes()


def test_a_link_out_of_the_project_is_refused(tmp_path: Path) -> None:
    """A clone whose CLAUDE.md leads to a file elsewhere does not make neat write there."""
    outside = tmp_path / "profile"
    outside.write_bytes(b"mine\n")
    project = tmp_path / "project"
    project.mkdir()
    (project / "CLAUDE.md").symlink_to(outside)
    with pytest.raises(NeatError, match="is a link to"):
        write_block(project / "CLAUDE.md", BODY)
    assert outside.read_bytes() == b"mine\n"


def test_utf16_is_refused(tmp_path: Path) -> None:
    """A file that old Windows shells write would become unreadable with ASCII bytes in it."""
    path = tmp_path / "CLAUDE.md"
    path.write_bytes("rules\n".encode("utf-16"))
    with pytest.raises(NeatError, match="UTF-16"):
        write_block(path, BODY)
