"""CSV of metrics: files of the real libraries and of documented layouts, cut anywhere, and what is not regular in them."""

from __future__ import annotations

import csv
import io
import math
import random
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from neatd.read.formats import csvrecords
from neatd.read.formats.csvlog import feed
from tests.fed_pieces import fed, text_of
from tests.written_files import case_id, expected, written

LIBRARIES = ("lightning", "keras", "stable-baselines3")
CASES = [folder for library in LIBRARIES for folder in written(library)]
YOLO_PADDED = b"""                  epoch,         train/box_loss,   metrics/mAP50-95(B),                 lr/pg0
                      1,                 1.5012,                0.01234,              0.0001
                      2,                    nan,                    inf,              0.0002
"""
YOLO = b"""epoch,time,train/box_loss,val/box_loss,lr/pg0
1,3.51,1.50,1.61,0.1
2,6.93,1.4,inf,0.09
"""


def real_files() -> list[Path]:
    """Every file that a library wrote and whose content is known."""
    return [folder / path for folder in CASES for path in expected(folder)]


def real_id(path: Path) -> str:
    """Its case and its name."""
    return "/".join(path.parts[-4:])


@pytest.mark.parametrize("folder", CASES, ids=case_id)
def test_every_value_that_was_logged_is_read(folder: Path) -> None:
    """From each file of a real library, by name, step and value, in order."""
    for path, content in expected(folder).items():
        found = fed(feed, (folder / path).read_bytes())
        logged = {name: [tuple(point) for point in points] for name, points in content["series"].items()}
        assert not found.bad
        assert set(found.series()) - set(logged) <= {"epoch"}
        assert {name: repr(found.series()[name]) for name in logged} == {name: repr(of) for name, of in logged.items()}
        assert found.told == content["told"]


@pytest.mark.slow
@pytest.mark.parametrize("path", real_files(), ids=real_id)
def test_a_real_file_cut_at_every_byte_gives_the_same(path: Path) -> None:
    """Rows, ordinals, state and what was consumed."""
    data = path.read_bytes()
    whole = text_of(fed(feed, data))
    assert all(text_of(fed(feed, data, [cut])) == whole for cut in range(len(data)))
    assert text_of(fed(feed, data, range(len(data)))) == whole


CELLS = st.one_of(
    st.floats().map(str),
    st.integers(-5, 2000).map(str),
    st.sampled_from(
        ["", " ", "NA", "nan", "-inf", "a_1", "1_0", '"', '""', '"a\nb"', '"1.5"', 'x"y', '"1""2"', "\ufeff", "\x00"]
    ),
    st.text(max_size=4),
)
ROWS = st.lists(
    st.one_of(
        st.lists(CELLS, max_size=5).map(",".join),
        st.sampled_from(["step,loss", '#{"t_start": 1.5e9}', "r,l,t", "epoch;x"]),
    )
)


@settings(deadline=None, max_examples=80)
@for_all(ROWS, st.sampled_from(["\n", "\r\n"]), st.lists(st.integers(0, 300)))
def test_pieces_of_any_file_give_the_same(rows: list[str], newline: str, cuts: list[int]) -> None:
    """However odd its cells are and wherever it is cut; the first one is as odd, half of the time."""
    data = newline.join([*(["step,loss,x"] if len(rows) % 2 else []), *rows, ""]).encode("utf-8", "surrogatepass")
    assert text_of(fed(feed, data, [cut % (len(data) + 1) for cut in cuts])) == text_of(fed(feed, data))


@settings(deadline=None, max_examples=100)
@for_all(st.binary(max_size=200), st.lists(st.integers(0, 200)))
def test_pieces_of_any_bytes_give_the_same(body: bytes, cuts: list[int]) -> None:
    """Bytes that are no text at all."""
    data = b"step,loss\n" + body
    assert text_of(fed(feed, data, [cut % (len(data) + 1) for cut in cuts])) == text_of(fed(feed, data))


@settings(deadline=None, max_examples=100)
@for_all(st.lists(st.tuples(st.floats(), st.text(max_size=9), st.floats()), max_size=9), st.sampled_from(",;\t|"))
def test_what_the_csv_module_writes_is_read(rows: list[tuple[float, str, float]], delimiter: str) -> None:
    """With texts that hold quotes, delimiters and newlines between the numbers."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(["step", "a", "text", "b"])
    writer.writerows([(at, a, text.replace("\x00", ""), b) for at, (a, text, b) in enumerate(rows)])
    found = fed(feed, out.getvalue().encode("utf-8", "surrogatepass"))
    assert not found.bad and [row.step for row in found.rows] == list(range(len(rows)))
    assert repr([(row.values["a"], row.values["b"]) for row in found.rows]) == repr([(a, b) for a, _, b in rows])


def test_the_padded_layout_of_ultralytics() -> None:
    """Names are stripped; the epoch is the step; NaN and infinity are written out."""
    found = fed(feed, YOLO_PADDED)
    assert [row.step for row in found.rows] == [1, 2]
    assert found.rows[0].values == {"train/box_loss": 1.5012, "metrics/mAP50-95(B)": 0.01234, "lr/pg0": 0.0001}
    assert (
        math.isnan(found.rows[1].values["train/box_loss"]) and found.rows[1].values["metrics/mAP50-95(B)"] == math.inf
    )


def test_elapsed_seconds_are_no_time() -> None:
    """Ultralytics calls them `time`: they are a value."""
    found = fed(feed, YOLO)
    assert [row.values["time"] for row in found.rows] == [3.51, 6.93]
    assert [row.time for row in found.rows] == [None, None]


def test_a_second_header_changes_the_columns() -> None:
    """A second run was appended, of a model with one loss more; the ordinals go on."""
    second = (
        YOLO.replace(b"val/box_loss", b"val/box_loss,val/dfl_loss")
        .replace(b",inf,", b",inf,7,")
        .replace(b"1.61", b"1.61,8")
    )
    found = fed(feed, YOLO + second)
    assert not found.bad and [row.seq for row in found.rows] == [1, 2, 3, 4]
    assert [row.values.get("val/dfl_loss") for row in found.rows] == [None, None, 8.0, 7.0]


def test_a_row_with_more_cells_than_columns_is_named() -> None:
    """Nothing says to which columns its cells belong; it takes an ordinal, and the next row is read."""
    found = fed(feed, b"step,loss\n1,0.5\n2,0.4,0.3\n3,0.2\n")
    assert [(row.seq, row.step) for row in found.rows] == [(1, 1), (3, 3)]
    assert [(one.seq, one.why) for one in found.bad] == [(2, "more cells than columns")]


def test_a_delimiter_at_the_end_is_no_cell_too_many() -> None:
    """Some writers put one behind each value."""
    assert [row.values for row in fed(feed, b"step,loss\n1,0.5,\n").rows] == [{"loss": 0.5}]


def test_a_row_with_fewer_cells_has_what_it_has() -> None:
    """The last columns came later."""
    assert [row.values for row in fed(feed, b"step,loss,acc\n1,0.5\n").rows] == [{"loss": 0.5}]


@pytest.mark.parametrize(
    ("header", "step", "values"),
    [
        (b"epoch,step", 2, {"epoch": 1.0}),
        (b"step,global_step", 1, {"global_step": 2.0}),
        (b"time/total_timesteps,time/iterations", 1, {"time/iterations": 2.0}),
        (b"num_updates,train_step", 2, {"num_updates": 1.0}),
        (b"Epoch,Loss", 1, {"Loss": 2.0}),
        (b"Wall time,Step", 2, {"Wall time": 1.0}),
        (b"iteration,iter", 1, {"iter": 2.0}),
    ],
)
def test_the_step_is_the_first_known_name(header: bytes, step: int, values: dict[str, float]) -> None:
    """A column of another step's name is a value then."""
    (row,) = fed(feed, header + b"\n1,2\n").rows
    assert (row.step, row.values, row.is_counted) == (step, values, False)


def test_without_a_step_rows_are_counted() -> None:
    """By their ordinal in this file, bad ones included."""
    found = fed(feed, b"loss,acc\n1,2\n1,2,3\n3,4\n")
    assert [(row.step, row.is_counted) for row in found.rows] == [(1, True), (3, True)]


def test_a_fraction_of_an_epoch_is_no_step() -> None:
    """Then the epoch is a value, and the rows are counted."""
    found = fed(feed, b"epoch,loss\n0.25,3\n0.5,2\n1.0,1\n")
    assert [(row.step, row.values["epoch"], row.is_counted) for row in found.rows] == [
        (1, 0.25, True), (2, 0.5, True), (3, 1.0, True),
    ]  # fmt: skip


@pytest.mark.parametrize("cell", ["", "nan", "NA", "None"])
def test_a_row_without_its_step_is_counted(cell: str) -> None:
    """A summary at the end of the file, say."""
    row = fed(feed, f"step,loss\n5,1\n{cell},2\n".encode()).rows[1]
    assert (row.is_counted, row.values) == (True, {"loss": 2.0})


@pytest.mark.parametrize("cell", ["total", "1.5", "1_000", "inf", "9223372036854775808", "1" * 5000])
def test_a_step_that_is_none_is_named(cell: str) -> None:
    """Text, a fraction, and what the store cannot hold."""
    found = fed(feed, f"step,loss\n{cell},2\n3,4\n".encode())
    assert [one.why for one in found.bad] == ["its step is not a whole number"]
    assert [row.step for row in found.rows] == [3]


@pytest.mark.parametrize(
    ("cell", "time", "left"),
    [
        ("1795285434.5", 1795285434.5, {}), ("1795285434500", 1795285434.5, {}),
        ("12.5", None, {"timestamp": 12.5}), ("today", None, {}),
    ],
)  # fmt: skip
def test_a_time_is_one_that_can_be_a_date(cell: str, time: float | None, left: dict[str, float]) -> None:
    """Unix seconds or milliseconds; any other number stays a value."""
    (row,) = fed(feed, f"step,timestamp,loss\n1,{cell},2\n".encode()).rows
    assert (row.time, row.values) == (time, {"loss": 2.0, **left})


def test_text_is_no_metric_and_no_fault() -> None:
    """Not even one that Python would read as a number, nor one that is not UTF-8."""
    found = fed(feed, b"step,name,id,ok,loss\n1,resnet,1_000,True,0.5\n2,\xff\xfe,\xe9,,0.25\n")
    assert [row.values for row in found.rows] == [{"loss": 0.5}, {"loss": 0.25}] and not found.bad


def test_a_name_that_is_not_utf8_is_still_a_name() -> None:
    """The byte that cannot be read is shown as such."""
    assert fed(feed, b"step,l\xffss\n1,2\n").rows[0].values == {"l\ufffdss": 2.0}


def test_two_columns_of_one_name_are_two_series() -> None:
    """As pandas numbers them."""
    assert fed(feed, b"step,loss,loss\n1,2,3\n").rows[0].values == {"loss": 2.0, "loss.1": 3.0}


def test_a_byte_order_mark_and_carriage_returns_are_passed_over() -> None:
    """As spreadsheets write them."""
    assert fed(feed, b"\xef\xbb\xbfstep;loss\r\n1;0.5\r\n").rows[0].values == {"loss": 0.5}


def test_the_label_goes_before_each_name() -> None:
    """Of a monitor file, too."""
    assert fed(feed, b"step,loss\n1,2\n", label="a/").rows[0].values == {"a/loss": 2.0}
    assert fed(feed, b'#{"t_start": 1.5e9}\nr,l,t\n1,2,3\n', label="a/").rows[0].values == {
        "a/monitor/r": 1.0,
        "a/monitor/l": 2.0,
    }


def test_an_episode_of_a_monitor_file_has_its_ordinal_and_its_time() -> None:
    """`t` counts from the start that the first line tells."""
    found = fed(feed, b'#{"t_start": 1700000000.5, "env_id": "CartPole-v1"}\nr,l,t\n9.0,9,1.5\n7.0,7,2\n')
    assert [(row.step, row.time, row.is_counted) for row in found.rows] == [
        (1, 1700000002.0, False), (2, 1700000002.5, False),
    ]  # fmt: skip
    assert found.told == {"started_at": 1700000000.5, "config": {"env_id": "CartPole-v1"}}


@pytest.mark.parametrize(
    ("data", "why"), [(b"1,0.5\n2,0.4\n", "no header"), ("step,loss\n1,2\n".encode("utf-16"), "not UTF-8")]
)
def test_a_file_without_a_header_says_so(data: bytes, why: str) -> None:
    """Once; nothing of it is guessed."""
    found = feed(data, {}, 0, "")
    assert found.is_stuck and len(found.bad) == 1 and why in found.bad[0].why
    again = feed(b"step,loss\n1,2\n", found.state, found.seq, "")
    assert (again.rows, again.bad, again.is_stuck) == ([], [], True)


def test_a_remark_before_the_header_is_passed_over() -> None:
    """And the mark of one before the header itself, as numpy writes it."""
    assert fed(feed, b"# made by hand\n# step,loss\n1,2\n").rows[0].values == {"loss": 2.0}


def test_ten_thousand_columns_are_read_in_linear_time() -> None:
    """Full rows and sparse ones, growing line by line; each value in its column."""
    names = [f"layer{at}/weight_norm" for at in range(10_000)]
    lines = [",".join(["step", *names])]
    lines += [
        ",".join([str(step), *(str(step + at) if step % 2 or at % 3 else "" for at in range(10_000))])
        for step in range(20)
    ]
    data = ("\n".join(lines) + "\n").encode()
    ends = [at for at, byte in enumerate(data, start=1) if byte == 10]
    found = fed(feed, data, ends)
    assert [row.step for row in found.rows] == list(range(20))
    assert all(row.values[names[9_998]] == row.step + 9_998 for row in found.rows)
    assert [len(row.values) for row in found.rows] == [6_666, 10_000] * 10


def test_a_quote_that_is_never_closed_hides_a_thousand_lines_at_most() -> None:
    """It costs the line that it stands in; those behind it are read."""
    data = b'step,note,loss\n1,"open,1\n' + b"".join(b"%d,ok,0.5\n" % step for step in range(2, 1002))
    waiting = feed(data[: len(data) // 2], {}, 0, "")
    assert not waiting.rows and not waiting.bad and waiting.consumed == len(b"step,note,loss\n")
    found = fed(feed, data, [len(data) // 2])
    assert [one.why for one in found.bad] == [csvrecords.UNCLOSED]
    assert [row.step for row in found.rows] == list(range(2, 1002))


def test_a_record_that_is_too_long_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a quote that is open or without one, in one piece or many: one bad line, and nothing of it is kept."""
    monkeypatch.setattr(csvrecords, "LONGEST", 64)
    monkeypatch.setattr(csvrecords, "MOST_LINES", 10_000)
    for long in (b"2," + b"7" * 200 + b"\n", b'2,"' + b"7" * 200 + b"\n", b'2,"' + b"7\n" * 20 + b"7" * 90 + b'"\n'):
        data = b"step,loss\n1,0.5\n" + long + b"3,0.25\n" + b"4,0.125\n" * 20
        whole = fed(feed, data)
        assert [row.step for row in whole.rows if row.step < 4 and row.values] == [1, 3] and whole.bad
        assert all(text_of(fed(feed, data, range(0, len(data), by))) == text_of(whole) for by in (1, 7, 65))


def test_an_overlong_line_is_not_kept_in_memory() -> None:
    """It is consumed as it comes, without its end."""
    data = b"step,loss\n" + b"1" * ((16 << 20) + 1)
    found = feed(data, {}, 0, "")
    assert found.consumed == len(data) and len(found.bad) == 1
    rest = feed(b"1" * 100, found.state, found.seq, "")
    assert rest.consumed == 100 and not rest.bad
    assert feed(b"1\n2,3\n", rest.state, rest.seq, "").rows[0].values == {"loss": 3.0}


def test_random_pieces_of_a_long_file_lose_no_row() -> None:
    """Each row once, in order, with ordinals without a gap."""
    chance = random.Random(7)
    data = b"step,loss\n" + b"".join(b"%d,%r\n" % (step, chance.random()) for step in range(5000))
    found = fed(feed, data, [chance.randrange(len(data)) for _ in range(200)])
    assert [row.step for row in found.rows] == list(range(5000))
    assert all(after.seq - before.seq == 1 for before, after in pairwise(found.rows))
