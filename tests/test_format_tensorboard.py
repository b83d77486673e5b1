"""TensorBoard event files: written by the real libraries, growing, torn and damaged."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import google_crc32c
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neatd.read.formats.protobuf import Malformed, signed, zigzag
from neatd.read.formats.tbtensor import number
from neatd.read.formats.tensorboard import feed
from neatd.read.formats.tfrecord import masked
from neatd.read.rows import Parsed, Stretch
from tests.feeding import growing, same, whole
from tests.written_files import case_id, expected, written

CASES = [*written("torch"), *written("tensorboardX"), *written("tensorboard")]


def varint(value: int) -> bytes:
    value &= 2**64 - 1
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number: int, content: bytes | int) -> bytes:
    """A field of a protobuf message: a number as varint, bytes with their length."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def record(payload: bytes) -> bytes:
    length = struct.pack("<Q", len(payload))
    return length + struct.pack("<I", masked(length)) + payload + struct.pack("<I", masked(payload))


def event(step: int, *values: bytes) -> bytes:
    summary = b"".join(field(1, value) for value in values)
    return b"\x09" + struct.pack("<d", 1.7e9 + 1) + field(2, step) + field(5, summary)


def scalar(tag: str, value: float) -> bytes:
    return field(1, tag.encode()) + b"\x15" + struct.pack("<f", value)


def image(size: int) -> bytes:
    return field(1, b"image") + field(4, b"\xff" * size)


FILE = b"".join(record(event(step, scalar("loss", step / 2), scalar("acc", step))) for step in range(4))

MANY = b"".join(
    record(event(number % 3, scalar("batch", number)))
    + record(event(number, scalar("loss", number / 2), scalar("acc", number)))
    + record(event(number * 10**6, scalar("lr", number) if number % 8 else scalar("rare", number)))
    for number in range(40)
)


@pytest.mark.parametrize("folder", CASES, ids=case_id)
def test_each_value_is_the_one_logged(folder: Path) -> None:
    """What the library was given is what is read, series by series, value by value."""
    for path, logged in expected(folder).items():
        reading = whole(feed, (folder / path).read_bytes())
        assert same(reading.series(), logged["series"])
        assert not reading.bad and not reading.is_stuck
        assert reading.told == logged["told"]


@pytest.mark.parametrize("folder", CASES, ids=case_id)
def test_a_real_file_reads_the_same_however_it_grew(folder: Path) -> None:
    """Cut at every byte of its first 3,000 and at many behind, rows and ordinals stay."""
    for path in expected(folder):
        data = (folder / path).read_bytes()
        cuts = [*range(min(len(data), 3000)), *range(3000, len(data), 997)]
        assert growing(feed, data, cuts).read == whole(feed, data).read


@settings(deadline=None)
@given(st.lists(st.integers(0, len(FILE)), max_size=20))
def test_any_pieces_give_the_same_rows(cuts: list[int]) -> None:
    assert growing(feed, FILE, cuts).read == whole(feed, FILE).read


def test_many_scalars_of_a_tag_are_columns() -> None:
    """Of each set of names at least 16 rows, wherever the others lie; fewer stay rows. By the ordinals they begin with."""
    fed = feed(MANY, {}, 0, "tb/")
    columns = {tuple(one.columns): one for one in fed.rows if isinstance(one, Stretch)}
    assert list(columns) == [("tb/batch",), ("tb/loss", "tb/acc"), ("tb/lr",)]
    assert {tuple(one.values) for one in fed.rows if isinstance(one, Parsed)} == {("tb/rare",)}
    assert [one.seq for one in fed.rows] == sorted(one.seq for one in fed.rows)
    batch = columns[("tb/batch",)]
    assert list(batch.seqs[:3]) == [1, 4, 7] and list(batch.steps[:5]) == [0, 1, 2, 0, 1]
    assert set(batch.times) == {1.7e9 + 1} and list(batch.columns["tb/batch"]) == [float(n) for n in range(40)]


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(st.integers(0, len(MANY)), max_size=8), st.binary(max_size=30))
def test_where_columns_are_cut_changes_nothing(cuts: list[int], odd: bytes) -> None:
    """Images, events of two numbers, a damaged record and one that is no event lie among the scalars."""
    damaged = bytearray(record(event(3, scalar("batch", 1.0))))
    damaged[20] ^= 1
    data = MANY + bytes(damaged) + record(odd) + record(event(1, image(9000))) + MANY
    assert growing(feed, data, [one * 3 for one in cuts]).read == whole(feed, data).read


def test_a_step_that_never_ends_is_one_bad_record() -> None:
    """Also of a tag that was read before."""
    payload = b"\x09" + struct.pack("<d", 1.0) + b"\x10" + b"\xff" * 40
    reading = whole(feed, MANY + record(payload) + FILE)
    assert [one.why for one in reading.bad] == ["not an event"]
    assert [row.step for row in reading.rows][-4:] == [0, 1, 2, 3]


def test_a_row_has_the_step_the_time_and_the_label() -> None:
    (row,) = whole(feed, record(event(2**40, scalar("loss", 0.5))), "tb/").rows
    assert row == (1, 2**40, 1.7e9 + 1, {"tb/loss": 0.5}, False)


@pytest.mark.parametrize("step", [0, 1, 127, 128, 2**14 - 1, 2**14, 2**21 - 1, 2**21, 2**63 - 1, -1, -(2**63)])
def test_every_step_of_64_bits_is_read(step: int) -> None:
    """The same in the usual event and in one of two values."""
    one, two = record(event(step, scalar("a", 1))), record(event(step, scalar("a", 1), scalar("b", 2)))
    assert [row.step for row in whole(feed, one + two).rows] == [step, step]


def test_an_event_without_a_step_stands_at_step_0() -> None:
    payload = b"\x09" + struct.pack("<d", math.nan) + field(5, field(1, scalar("a_longer_tag", math.inf)))
    (row,) = whole(feed, record(payload)).rows
    assert (row.step, row.time, row.values) == (0, None, {"a_longer_tag": math.inf})


def test_a_large_image_is_passed_over_with_its_data_unseen() -> None:
    """Only the headers are in what is fed; consumed reaches to the next record."""
    large = record(event(1, image(10_000_000)))
    fed = feed(large[:100], {}, 0, "")
    assert (fed.consumed, fed.seq, fed.rows, fed.bad) == (len(large), 1, [], [])


def test_scalars_behind_an_image_are_read() -> None:
    """A merged summary waits until it is whole."""
    large = record(event(1, image(100_000), scalar("loss", 3)))
    assert feed(large[:50_000], {}, 0, "").consumed == 0
    assert whole(feed, large).series() == {"loss": [(1, 3.0)]}


def test_a_large_event_of_scalars_is_read() -> None:
    large = record(event(1, *(scalar(f"metric/{number}", number) for number in range(1000))))
    assert len(large) > 4096
    assert len(growing(feed, large, range(0, len(large), 500)).series()) == 1000


def test_a_huge_length_is_not_waited_for() -> None:
    """A true checksum does not make a record of an exabyte: the file is damaged there, and it is said once."""
    length = struct.pack("<Q", 2**60)
    reading = whole(feed, FILE + length + struct.pack("<I", masked(length)) + b"x" * 50)
    assert reading.is_stuck and len(reading.rows) == 4 and [one.seq for one in reading.bad] == [5]
    reading.see(FILE + b"y" * 100)
    assert reading.is_stuck and len(reading.bad) == 1


def test_a_bad_length_checksum_ends_the_reading() -> None:
    data = bytearray(FILE)
    data[8] ^= 1
    reading = whole(feed, bytes(data))
    assert reading.is_stuck and not reading.rows and reading.bad[0].seq == 1


def test_a_bad_data_checksum_costs_one_record() -> None:
    data = bytearray(FILE)
    data[30] ^= 1
    reading = whole(feed, bytes(data))
    assert [row.step for row in reading.rows] == [1, 2, 3]
    assert [one.seq for one in reading.bad] == [1] and [row.seq for row in reading.rows] == [2, 3, 4]


def test_a_tail_of_zeros_is_not_yet_written() -> None:
    """A file whose size runs ahead of its content is read as soon as the content is there, wherever the zeros begin."""
    for written_bytes in range(len(FILE) + 1):
        reading = whole(feed, FILE[:written_bytes] + bytes(len(FILE) - written_bytes) + bytes(5000))
        assert not reading.bad and not reading.is_stuck, written_bytes
        reading.see(FILE + bytes(5000))
        assert reading.read == whole(feed, FILE).read, written_bytes


def test_zeros_with_something_behind_are_damage() -> None:
    assert whole(feed, FILE + bytes(40) + FILE).is_stuck


@settings(deadline=None)
@given(st.data())
def test_a_flipped_bit_never_gives_a_wrong_value(data: st.DataObject) -> None:
    """Each row read from a damaged file is a row of the true one."""
    damaged = bytearray(FILE)
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, len(FILE) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert set(whole(feed, bytes(damaged)).read.rows) <= set(whole(feed, FILE).read.rows)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_in_a_true_record_are_read_or_named(payload: bytes) -> None:
    """What is no event is one unreadable record, and reading goes on behind it."""
    reading = whole(feed, record(payload) + FILE)
    assert [row.step for row in reading.rows][-4:] == [0, 1, 2, 3] and reading.seq == 5


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_at_all_do_not_raise(data: bytes) -> None:
    whole(feed, data)


def test_a_packed_value_and_a_single_one_are_the_same() -> None:
    packed = field(1, 1) + field(5, struct.pack("<f", 0.5))
    single = field(1, 1) + b"\x2d" + struct.pack("<f", 0.5)
    bfloat = field(1, 14) + field(13, 0x3F00)
    shaped = field(1, 1) + field(2, field(2, field(1, 3))) + field(5, struct.pack("<f", 0.5))
    assert [number(one, 0, len(one)) for one in (packed, single, bfloat, shaped)] == [0.5, 0.5, 0.5, None]
    with pytest.raises(Malformed):
        number(broken := field(1, 1) + field(5, b"abc"), 0, len(broken))


def test_signed_numbers_of_both_kinds() -> None:
    assert [signed(2**64 - 1), signed(5), zigzag(3), zigzag(4)] == [-1, 5, -2, 2]


def test_the_checksum_is_computed_in_c() -> None:
    """In Python it would take a thousand times as long."""
    assert google_crc32c.implementation == "c"
