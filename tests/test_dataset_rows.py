"""Rows counted as the bytes pass by, in pieces of any size; parquet by its footer."""

from __future__ import annotations

import base64
import csv
import gzip
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neatd.read.datarows import CsvRows, counter_for
from neatd.read.parquet import is_parquet, parquet_rows

# Written by pyarrow 26.0.1 without compression: 3 rows of (int64, string); 3 row groups of 70 booleans.
FLAT = (
    "UEFSMRUAFTwVPCwVBhUAFQYVBhwAAAACAAAABgEBAAAAAAAAAAIAAAAAAAAAAwAAAAAAAAAVABUgFSAsFQYVABUGFQYcAAAAAgAAAAMDAQAAAHgB"
    "AAAAeRUEGTw1ABgGc2NoZW1hFQQAFQQlAhgBYQAVDCUCGAFiJQBMHAAAABYGGRwZLCYAHBUEGSUGABkYAWEVABYGFmIWYiYISRwVABUAFQIAPCkG"
    "GSYABgAAACYAHBUMGSUGABkYAWIVABYGFkYWRiZqSRwVABUAFQIAPBYEGQYZJgIEAAAAFqgBFgYmCBaoAQAoIHBhcnF1ZXQtY3BwLWFycm93IHZl"
    "cnNpb24gMjYuMC4xGSwcAAAcAAAAuQAAAFBBUjE="
)
GROUPS = (
    "UEFSMRUAFSAVJCwVjAEVABUGFQYcAAAAEDwDAAAAjAEB//////////8/FQAVIBUkLBWMARUAFQYVBhwAAAAQPAMAAACMAQH//////////z8VABUg"
    "FSQsFYwBFQAVBhUGHAAAABA8AwAAAIwBAf//////////PxUEGSw1ABgGc2NoZW1hFQIAFQAlAhgBYQAWpAMZPBkcJgAcFQAZJQYAGRgBYRUCFowB"
    "FkgWTCYISRwVABUAFQIAPCkGGSYAjAEAAAAWSBaMASYIFkwAGRwmABwVABklBgAZGAFhFQIWjAEWSBZMJlRJHBUAFQAVAgA8KQYZJgCMAQAAABZI"
    "FowBJlQWTAAZHCYAHBUAGSUGABkYAWEVAhaMARZIFkwmoAFJHBUAFQAVAgA8KQYZJgCMAQAAABZIFowBJqABFkwAKCBwYXJxdWV0LWNwcC1hcnJv"
    "dyB2ZXJzaW9uIDI2LjAuMRkcHAAAAPAAAABQQVIx"
)
# The footer of 5 rows of (list of int64, struct of int64 and list of struct of double): lists, unions, deep structs.
NESTED = (
    "FQQZrDUAGAZzY2hlbWEVBAA1AhgBYRUCFQZMPAAAADUEGARsaXN0FQIAFQQlAhgHZWxlbWVudAA1AhgBcxUEABUEJQIYAXgANQIYAXkVAhUGTDwA"
    "AAA1BBgEbGlzdBUCADUCGAdlbGVtZW50FQIAFQolAhgBegAWChkcGTwmABwVBBklBgAZOAFhBGxpc3QHZWxlbWVudBUAFgwWgAEWgAEmCEkcFQAV"
    "ABUCADwpJgoCGUYCAgAIAAAAJgAcFQQZJQYAGSgBcwF4FQAWChaCARaCASaIAUkcFQAVABUCADwpBhk2AAAKAAAAJgAcFQoZJQYAGVgBcwF5BGxp"
    "c3QHZWxlbWVudAF6FQAWChaOARaOASaKAkkcFQAVABUCADwpJgoAGWYAAAAAAAoAAAAWkAMWCiYIFpADACggcGFycXVldC1jcHAtYXJyb3cgdmVy"
    "c2lvbiAyNi4wLjEZPBwAABwAABwAAAA="
)


def rows(name: str, data: bytes, piece: int = 7) -> int | None:
    counter = counter_for(name)
    assert counter is not None
    for start in range(0, len(data), piece):
        counter.feed(data[start : start + piece])
    return counter.rows()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("a,b\n", 0),
        ("a,b\n1,2\n3,4", 2),
        ("a,b\r\n1,2\r\n\r\n3,4\r\n", 2),
        ("a\r1\r2\r", 2),
        ('a,b\n1,"two\nlines"\n3,4\n', 2),
        ('a,b\n1,"a ""quoted""\nword"\n', 1),
        ('a,b\n5" pipe,x\n6" pipe,y\n7,z\n', 3),
        ('a;b\n1;"x\ny"\n', 1),
        ('\ufeff"a\nname",b\n1,2\n', 1),
        ('a,b\n1,"never closed\n2,3\n', 1),
    ],
)
@pytest.mark.parametrize("piece", [1, 3, 1000])
def test_csv_rows_are_those_of_a_reader(text: str, expected: int, piece: int) -> None:
    """Without the header; newlines in quotes, doubled quotes, quotes inside a word, all line ends, wherever it is cut."""
    assert rows("t.csv", text.encode(), piece) == expected


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='",\na\r', max_size=60), st.integers(1, 9))
def test_any_csv_counts_as_pythons_reader_counts(text: str, piece: int) -> None:
    """Whatever stands in it, in pieces of any size."""
    data = f"a,b\n{text}"
    expected = sum(1 for row in csv.reader(io.StringIO(data, newline="")) if row) - 1
    counter = CsvRows()
    counter.feed(data[:4].encode())
    for start in range(4, len(data), piece):
        counter.feed(data[start : start + piece].encode())
    assert counter.rows() == expected


def test_what_is_no_utf8_text_has_no_rows_to_tell() -> None:
    """UTF-16 is told by its first bytes."""
    assert rows("t.csv", "a,b\n1,2\n".encode("utf-16")) is None


@pytest.mark.parametrize("piece", [1, 4, 1000])
def test_jsonl_rows_are_lines_with_something_on_them(piece: int) -> None:
    """Empty and blank lines are none; the last line needs no end."""
    assert rows("t.jsonl", b'{"a":1}\n\n  \r\n{"b":2}\r\n{"c":3}', piece) == 3
    assert rows("t.NDJSON", b"\n\n", piece) == 0


def test_packed_files_are_counted_unpacked() -> None:
    """Also several packed files appended to each other; a damaged or cut one tells nothing."""
    data = gzip.compress(b"a\n1\n2\n") + gzip.compress(b"3\n")
    assert rows("t.csv.gz", data) == rows("t.csv.gz", data, 100_000) == 3
    assert rows("t.jsonl.gz", data[:-5]) is None
    assert rows("t.jsonl.gz", b"not packed at all") is None


def test_a_bomb_is_left_before_it_unfolds() -> None:
    """40 MB of one line packed to 40 kB are no data that somebody trains on."""
    assert rows("t.csv.gz", gzip.compress(b"x\n" * 20_000_000), 1 << 20) is None


def test_other_files_have_no_rows() -> None:
    """An image, a packed archive, a name that is nothing but an ending."""
    assert [counter_for(name) for name in ("a.png", "a.tar.gz", "gz", "csv", "a.parquet")] == [None] * 5
    assert is_parquet("x/a.PARQUET") and is_parquet("a.pq") and not is_parquet("a.parquet.md5")


@pytest.mark.parametrize(("text", "expected"), [(FLAT, 3), (GROUPS, 210)])
def test_parquet_rows_are_the_footers(text: str, expected: int) -> None:
    """Over all row groups, without reading one."""
    data = base64.b64decode(text)
    assert parquet_rows(io.BytesIO(data), len(data)) == expected


def test_a_nested_schema_is_stepped_over() -> None:
    """Lists, unions and structs in structs stand before the number."""
    footer = base64.b64decode(NESTED)
    data = b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1"
    assert parquet_rows(io.BytesIO(data), len(data)) == 5


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 160), st.integers(0, 255)), max_size=5), st.integers(0, 300))
def test_a_damaged_footer_is_no_error(changes: list[tuple[int, int]], cut: int) -> None:
    """Bytes changed anywhere in it, or the file cut off: a number or None, and soon."""
    data = bytearray(base64.b64decode(FLAT))
    for back, value in changes:
        data[-9 - back] = value
    short = bytes(data[: len(data) - cut]) if cut < 200 else bytes(data)
    found = parquet_rows(io.BytesIO(short), len(short))
    assert found is None or found >= 0
