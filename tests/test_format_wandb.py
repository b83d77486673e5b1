"""wandb's run files: written by the real library, growing, torn and damaged."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neatd.read.formats.leveldblog import BLOCK, CHUNK
from neatd.read.formats.wandb import HEADER, feed
from tests.feeding import growing, same, whole
from tests.test_format_tensorboard import field
from tests.written_files import case_id, expected, written

CASES = written("wandb")


def pack(payloads: list[bytes]) -> bytes:
    """A run file of these records, cut into chunks where blocks end."""
    out = bytearray(HEADER)
    for payload in payloads:
        is_first = True
        while is_first or payload:
            left = BLOCK - len(out) % BLOCK
            if left < CHUNK.size:
                out += bytes(left)
                left = BLOCK
            part, payload = payload[: left - CHUNK.size], payload[left - CHUNK.size :]
            kind = (1 if not payload else 2) if is_first else (4 if not payload else 3)
            out += struct.pack("<I", crc32(bytes([kind]) + part)) + struct.pack("<HB", len(part), kind) + part
            is_first = False
    return bytes(out)


def item(name: str, value: object) -> bytes:
    keys = b"".join(field(2, part.encode()) for part in name.split("/"))
    return field(1, keys + field(16, json.dumps(value).encode()))


def history(step: int, **values: object) -> bytes:
    own = item("_step", step) + item("_timestamp", 1.7e9 + step) + item("_runtime", 1.0)
    return field(1, step + 1) + field(2, own + b"".join(item(name, value) for name, value in values.items()))


SMALL = pack([history(step, loss=step / 3, acc=step) for step in range(6)])
# 200 records of some 700 bytes: four blocks, with records across each of their ends.
LONG = pack([history(step, loss=step / 3, note="x" * 600) for step in range(200)])


def read(folder: Path) -> bytes:
    (path,) = expected(folder)
    return (folder / path).read_bytes()


@pytest.mark.parametrize("folder", CASES, ids=case_id)
def test_each_value_is_the_one_logged(folder: Path) -> None:
    """What the library was given is what is read, series by series; the run's facts are those it was told."""
    ((path, logged),) = expected(folder).items()
    reading = whole(feed, (folder / path).read_bytes())
    assert same(reading.series(), logged["series"])
    assert not reading.bad
    assert same({key: reading.told.get(key) for key in logged["told"]}, logged["told"])
    assert ("exit_code" in reading.told) == ("exit_code" in logged["told"])
    if folder.name != "messages":
        assert reading.told["started_at"] > 1.7e9
        assert all(row.time and row.time > reading.told["started_at"] - 5 for row in reading.rows)


@pytest.mark.parametrize("folder", CASES, ids=case_id)
def test_a_real_file_reads_the_same_however_it_grew(folder: Path) -> None:
    """Cut at every byte of its first 3,000 and at many behind, around each block's end too."""
    data = read(folder)
    cuts = [*range(min(len(data), 3000)), *range(3000, len(data), 997), *range(BLOCK - 20, min(BLOCK + 20, len(data)))]
    assert growing(feed, data, cuts).read == whole(feed, data).read


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(st.integers(0, len(LONG)), max_size=20))
def test_any_pieces_give_the_same_rows(cuts: list[int]) -> None:
    reading = growing(feed, LONG, cuts)
    assert reading.series() == {"loss": [(step, step / 3) for step in range(200)]}
    assert reading.seq == 200


def test_a_row_has_the_step_the_time_and_the_label() -> None:
    (row,) = whole(feed, pack([history(7, loss=0.5, none=None, text="hi", flag=True, values=[1, 2])]), "w/").rows
    assert row == (1, 7, 1.7e9 + 7, {"w/loss": 0.5}, False)


def test_nested_values_are_joined_and_media_is_no_metric() -> None:
    nested = history(1, **{"a/b": 1, "deep": {"x": 2, "y": {"z": math.nan}}, "named": "Infinity"})
    media = history(
        2, **{"image/_type": "image-file", "image/size": 5, "loss": 1, "table": {"_type": "table-file", "n": 3}}
    )
    first, second = whole(feed, pack([nested, media])).rows
    assert repr(first.values) == "{'a/b': 1.0, 'deep/x': 2.0, 'deep/y/z': nan, 'named': inf}"
    assert second.values == {"loss": 1.0}


@pytest.mark.parametrize("left", range(9))
def test_the_end_of_a_block_is_padded(left: int) -> None:
    """Too short for a chunk's header it holds zeros; with room for the header alone, a first chunk without data."""
    filled = history(0, loss=0, note="")
    room = BLOCK - len(pack([filled])) - left
    data = pack([history(0, loss=0, note="x" * (room - 6)), history(1, loss=1)])
    assert len(pack([history(0, loss=0, note="x" * (room - 6))])) == BLOCK - left
    assert growing(feed, data, range(BLOCK - 20, len(data))).series() == {"loss": [(0, 0.0), (1, 1.0)]}


def test_typed_values_and_the_step_beside_the_items() -> None:
    """The proto has them besides JSON; here an integer and a double."""
    items = field(1, field(2, b"n") + field(5, 3)) + field(1, field(2, b"x") + b"\x31" + struct.pack("<d", 0.25))
    (row,) = whole(feed, pack([field(2, items + field(2, field(1, 9)))])).rows
    assert (row.step, row.values, row.is_counted) == (9, {"n": -2.0, "x": 0.25}, False)


@pytest.mark.parametrize("step", [0, 2**53, 2**53 + 1, 2**63 - 1, -1])
def test_every_step_of_64_bits_is_read(step: int) -> None:
    assert [row.step for row in whole(feed, pack([history(step, a=1), history(step, a=1)])).rows] == [step, step]


def test_an_item_that_ends_in_the_middle_is_no_row() -> None:
    """The key is known by then, so only its first bytes are looked at."""
    cut = field(2, field(1, field(2, b"loss") + b"\x82\x01"))
    reading = whole(feed, pack([history(1, loss=1), cut, history(2, loss=2)]))
    assert [one.seq for one in reading.bad] == [2] and [row.step for row in reading.rows] == [1, 2]


def test_a_row_without_a_step_and_with_no_time_is_counted() -> None:
    items = field(1, field(2, b"a") + field(16, b"1")) + field(1, field(2, b"_timestamp") + field(16, b"NaN"))
    (row,) = whole(feed, pack([field(2, items)])).rows
    assert row == (1, 1, None, {"a": 1.0}, True)


@pytest.mark.parametrize("length", [1, 127, 128, 129, 130, 300])
def test_a_key_of_any_length_is_read(length: int) -> None:
    """A length of 130 looks like the tag of the value."""
    name = "k" * length
    reading = whole(feed, pack([history(step, **{name: step}) for step in range(3)]))
    assert reading.series() == {name: [(0, 0.0), (1, 1.0), (2, 2.0)]}


def test_system_metrics_have_a_time_and_no_step() -> None:
    stamp = field(1, 1_700_000_000) + field(2, 500_000_000)
    stats = field(7, field(2, stamp) + field(3, field(1, b"gpu.0.gpu") + field(16, b"97.5")))
    (row,) = whole(feed, pack([stats])).rows
    assert row == (1, 1, 1.7e9 + 0.5, {"system/gpu.0.gpu": 97.5}, True)


def test_what_a_run_tells() -> None:
    """Config is brought forward record by record; git and the program come from the environment."""
    config = field(1, field(1, b"lr") + field(16, b"0.1")) + field(1, field(1, b"_wandb") + field(16, b"{}"))
    run = field(17, field(4, config) + field(8, b"name") + field(13, b"host") + field(17, field(1, 1_700_000_000)))
    program = field(26, field(5, b"--lr") + field(5, b"a b") + field(6, b"train.py") + field(9, field(2, b"abc123")))
    more = field(5, field(1, field(2, b"opt") + field(2, b"eps") + field(16, b"1e-8")) + field(2, field(1, b"lr")))
    reading = whole(feed, pack([run, program, more, field(18, field(1, 2**64 - 9))]))
    assert reading.told == {
        "config": {"opt": {"eps": 1e-8}}, "name": "name", "host": "host", "started_at": 1.7e9, "commit": "abc123",
        "command": "train.py --lr 'a b'", "exit_code": -9, "status": "failed",
    }  # fmt: skip


def test_the_state_is_json_and_is_not_changed_in_place() -> None:
    config = field(17, field(4, field(1, field(1, b"lr") + field(16, b"0.1"))))
    first = feed(pack([config]), {}, 0, "")
    kept = json.dumps(first.state)
    more = pack([config, field(5, field(1, field(1, b"lr") + field(16, b"0.2")))])[first.consumed :]
    assert feed(more, first.state, 1, "").told == {"config": {"lr": 0.2}}
    assert json.dumps(first.state) == kept


def test_a_tail_of_zeros_is_not_yet_written() -> None:
    """Wherever the zeros begin."""
    for written_bytes in range(len(SMALL)):
        reading = whole(feed, SMALL[:written_bytes] + bytes(len(SMALL) - written_bytes) + bytes(5000))
        assert not reading.bad and not reading.is_stuck, written_bytes
        reading.see(SMALL + bytes(5000))
        assert reading.read == whole(feed, SMALL).read, written_bytes


def test_what_is_no_run_file_is_said_once() -> None:
    reading = whole(feed, b"not a run file")
    assert reading.is_stuck and len(reading.bad) == 1
    reading.see(b"not a run file, and longer")
    assert reading.is_stuck and len(reading.bad) == 1


def test_behind_a_damaged_chunk_the_next_block_is_read() -> None:
    """One unreadable record, the rest of its block lost, nothing doubled; the same when cut anywhere."""
    data = bytearray(LONG)
    data[1000] ^= 1
    reading = whole(feed, bytes(data))
    steps = [row.step for row in reading.rows]
    assert len(reading.bad) == 1 and steps == sorted(set(steps)) and steps[0] == 0 and steps[-1] == 199
    assert 140 < len(steps) < 160
    assert growing(feed, bytes(data), range(0, len(data), 1013)).read == reading.read


@pytest.mark.slow
@settings(deadline=None)
@given(st.data())
def test_a_flipped_bit_never_gives_a_wrong_value(data: st.DataObject) -> None:
    """Each row read from a damaged file has the values of a true one, and pieces read as the whole does."""
    damaged = bytearray(LONG)
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, len(LONG) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    reading = whole(feed, bytes(damaged))
    assert all(row.values == {"loss": row.step / 3} for row in reading.rows)
    cuts = data.draw(st.lists(st.integers(0, len(LONG)), max_size=5))
    assert growing(feed, bytes(damaged), cuts).read == reading.read


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_in_a_true_record_are_read_or_named(payload: bytes) -> None:
    reading = whole(feed, pack([payload, history(1, loss=2)]))
    assert reading.seq == 2 and reading.rows[-1].values == {"loss": 2.0}


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_at_all_do_not_raise(data: bytes) -> None:
    whole(feed, HEADER + data)
