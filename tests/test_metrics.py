"""Lines of metrics: what they say in numbers, what of them is unreadable, and where a new attempt begins."""

from __future__ import annotations

import json
import math

import pytest

from neatd.models import AttemptStart
from neatd.read.metrics import LARGEST_STEP, Parsed, mark_attempts, parse_metrics


def one(raw: bytes | str) -> Parsed:
    """The one readable line that `raw` is, as the seventh of its file."""
    good, bad = parse_metrics([(7, raw if isinstance(raw, bytes) else raw.encode())])
    assert not bad
    return good[0]


def why(raw: bytes | str) -> str:
    """Why `raw` cannot be read."""
    good, bad = parse_metrics([(7, raw if isinstance(raw, bytes) else raw.encode())])
    assert not good and bad[0].seq == 7
    return bad[0].why


@pytest.mark.parametrize("text", ["NaN", '"NaN"', '"nan"'])
def test_nan_is_a_number(text: str) -> None:
    """Bare, as Python writes it, or spelt out, as strict writers do."""
    assert math.isnan(one(f'{{"step": 1, "loss": {text}}}').values["loss"])


@pytest.mark.parametrize(
    ("text", "value"),
    [("Infinity", math.inf), ("-Infinity", -math.inf), ('"Infinity"', math.inf), ('"-inf"', -math.inf), ("1e999", math.inf)],
)  # fmt: skip
def test_infinities_are_numbers(text: str, value: float) -> None:
    """Bare, spelt out, and too large for a float."""
    assert one(f'{{"step": 1, "loss": {text}}}').values == {"loss": value}


@pytest.mark.parametrize(("text", "value"), [("1" + "0" * 400, math.inf), ("-1" + "0" * 400, -math.inf)])
def test_an_integer_too_large_for_a_float_is_infinite(text: str, value: float) -> None:
    """Python reads integers of any length; a float holds up to 1e308."""
    assert one(f'{{"step": 1, "tokens": {text}}}').values == {"tokens": value}


def test_nested_names_are_joined_by_slashes() -> None:
    """However deep, and beside a name that is written with a slash already."""
    line = one('{"step": 1, "train": {"loss": 1, "lr": {"head": 2}}, "val/loss": 3}')
    assert line.values == {"train/loss": 1.0, "train/lr/head": 2.0, "val/loss": 3.0}


def test_what_is_not_a_number_is_no_metric() -> None:
    """Booleans, texts, lists and null are passed over; the line's numbers stay."""
    line = one('{"step": 1, "ok": true, "name": "a", "shape": [1, 2], "none": null, "loss": 0.5}')
    assert line.values == {"loss": 0.5}


def test_step_and_time_are_no_metrics_but_are_inside_a_nested_name() -> None:
    """Only the line's own step and time are taken out."""
    line = one('{"global_step": 3, "timestamp": 5.0, "epoch": 1, "timer": {"step": 0.2}}')
    assert (line.step, line.time, line.values) == (3, 5.0, {"epoch": 1.0, "timer/step": 0.2})


def test_a_prefix_goes_before_every_name() -> None:
    """A reader of another file may keep its names apart."""
    good, _ = parse_metrics([(1, b'{"step": 1, "loss": 2, "a": {"b": 3}}')], prefix="eval/")
    assert good[0].values == {"eval/loss": 2.0, "eval/a/b": 3.0}


def test_a_line_without_any_step_has_its_number_as_step() -> None:
    """The seventh line of a file that counts no steps is step 7."""
    assert one('{"loss": 1}').step == 7


def test_a_whole_float_is_a_step() -> None:
    """pandas and numpy write 100.0."""
    assert one('{"step": 100.0, "loss": 1}').step == 100


@pytest.mark.parametrize(
    "step", ["1.5", "true", "null", '"ten"', "[1]", "NaN", "Infinity", "1e300", str(LARGEST_STEP + 1)]
)
def test_a_step_that_is_no_whole_number_of_64_bits_makes_a_bad_line(step: str) -> None:
    """Such a line is counted, since its points cannot be placed."""
    assert why(f'{{"step": {step}, "loss": 1}}') == "its step is not a whole number"


def test_the_largest_step_is_read() -> None:
    """What SQLite holds, to the last one."""
    assert one(f'{{"step": {LARGEST_STEP}, "loss": 1}}').step == LARGEST_STEP


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1767323045.5", 1767323045.5), ("1767323045500", 1767323045.5), ("12", 12.0), ("true", None), ('"now"', None),
     ("NaN", None), ("1e30", None), ("Infinity", None)],
)  # fmt: skip
def test_time_is_in_seconds(text: str, seconds: float | None) -> None:
    """Milliseconds are told by their size; what is no time is none."""
    assert one(f'{{"step": 1, "time": {text}, "loss": 1}}').time == seconds


@pytest.mark.parametrize(
    "raw", [b"", b"{", b'{"a": 1} x', b"\0\0\0", b"step,loss", b'{"a": "\xff"}', b'{"a": "\xed\xa0\x80"}']
)
def test_what_is_no_json_is_a_bad_line(raw: bytes) -> None:
    """Also bytes that are not UTF-8, and halves of surrogate pairs as bytes."""
    assert why(raw) == "not JSON"


@pytest.mark.parametrize("raw", [b"[1]", b"1", b"null", b'"a"', b"NaN"])
def test_what_is_no_object_is_a_bad_line(raw: bytes) -> None:
    """A list of numbers has no names."""
    assert why(raw) == "not a JSON object"


def test_an_integer_of_ten_thousand_digits_is_a_bad_line() -> None:
    """Python refuses to read those, which must not stop the reader."""
    assert why('{"step": 1, "loss": ' + "1" * 10_000 + "}") == "not JSON"


@pytest.mark.parametrize("depth", [400, 900, 950, 1000, 3000, 100_000])
def test_deep_nesting_is_a_bad_line_or_a_number_and_nothing_else(depth: int) -> None:
    """Neither the JSON parser's limit nor Python's own ends the program, and the lines around are read."""
    deep = b'{"a":' * depth + b"1" + b"}" * depth
    good, bad = parse_metrics([(1, b'{"loss": 1}'), (2, deep), (3, b'{"loss": 2}')])
    assert len(good) + len(bad) == 3
    assert [line.seq for line in good if "loss" in line.values] == [1, 3]


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    """PowerShell and Excel write one."""
    assert one(b'\xef\xbb\xbf{"step": 1, "loss": 2}').values == {"loss": 2.0}


def test_half_of_a_surrogate_pair_in_a_name_becomes_a_question_mark() -> None:
    """JSON can spell what UTF-8, and so SQLite, refuses; a whole pair stays the character it is."""
    assert one(r'{"step": 1, "a\ud800": 1, "\ud83d\ude00": 2}').values == {"a?": 1.0, "\U0001f600": 2.0}
    assert one(r'{"step": 1, "b": {"\uDFFF": 3}}').values == {"b/?": 3.0}


def marked(*steps: int, last: dict[str, int] | None = None, is_new: bool = False) -> list[int]:
    """The attempts of lines of one series at these steps."""
    parsed = [Parsed(seq, step, None, {"loss": 0.0}) for seq, step in enumerate(steps, start=1)]
    return [line.attempt for line in mark_attempts(parsed, {} if last is None else last, 1, is_new)[0]]


def test_an_earlier_step_begins_a_new_attempt() -> None:
    """The start says which line and which step, and what each series stands at is kept in the caller's mapping."""
    parsed = [Parsed(seq, step, None, {"loss": 0.0}) for seq, step in enumerate((10, 20, 30, 20, 30, 5), start=1)]
    last: dict[str, int] = {}
    lines, starts = mark_attempts(parsed, last, 1, False)
    assert [line.attempt for line in lines] == [1, 1, 1, 2, 2, 3]
    assert starts == [AttemptStart(2, 4, 20), AttemptStart(3, 6, 5)]
    assert last == {"loss": 5}


def test_an_equal_step_is_no_restart() -> None:
    """Trainers log the same step twice, for training and for evaluation."""
    assert marked(1, 1, 2, 2) == [1, 1, 1, 1]


def test_an_equal_step_is_a_restart_as_the_first_line_of_a_replaced_file() -> None:
    """A trainer that dies after its first step and is started again writes that step again."""
    assert marked(0, 0, 1, last={"loss": 0}, is_new=True) == [2, 2, 2]


def test_a_replaced_file_that_goes_on_is_no_restart() -> None:
    """A log that was rotated goes on at the step after."""
    assert marked(31, 32, last={"loss": 30}, is_new=True) == [1, 1]


def test_a_step_is_earlier_only_within_its_own_series() -> None:
    """An evaluation that is logged late does not restart the training's series."""
    parsed = [Parsed(1, 10, None, {"loss": 0.0}), Parsed(2, 8, None, {"val": 0.0}), Parsed(3, 11, None, {"loss": 0.0})]
    assert mark_attempts(parsed, {}, 1, False)[1] == []


def test_a_restart_brings_every_series_back() -> None:
    """A series that stood later than the restart may go on from there without a second restart."""
    parsed = [Parsed(1, 5, None, {"loss": 0.0}), Parsed(2, 5, None, {"val": 0.0}), Parsed(3, 6, None, {"loss": 0.0})]
    last = {"loss": 30, "val": 20}
    assert mark_attempts(parsed, last, 3, False)[1] == [AttemptStart(4, 1, 5)]
    assert last == {"loss": 6, "val": 5}


def test_a_line_without_numbers_begins_nothing() -> None:
    """A line of texts only says nothing of any series."""
    assert mark_attempts([Parsed(1, 0, None, {})], {"loss": 9}, 1, True)[1] == []


def test_json_as_python_writes_it_comes_back() -> None:
    """What `json.dumps` makes of odd floats is read as it was."""
    values = {"a": 5e-324, "b": -0.0, "c": 1.7976931348623157e308, "d": 0.1}
    assert one(json.dumps({"step": 1, **values})).values == values


def test_a_line_without_a_step_belongs_to_the_step_its_series_stands_at() -> None:
    """A summary at the end, whose ordinal is far below the steps before it, is no restart."""
    lines = [b'{"step": 500, "loss": 2.0}', b'{"step": 1000, "loss": 1.0}', b'{"loss": 0.9, "hours": 3.5}']
    parsed, _ = parse_metrics(list(enumerate(lines, start=1)))
    marked, starts = mark_attempts(parsed, {}, 1, False)
    assert [line.step for line in marked] == [500, 1000, 1000] and starts == []
    later, starts = mark_attempts(parsed[2:], {"loss": 1000}, 1, False, has_steps=True)
    assert [line.step for line in later] == [1000] and starts == []


def test_a_file_without_any_step_counts_its_lines() -> None:
    """The ordinal is the step, also when the turn was cut between the lines."""
    parsed, _ = parse_metrics([(1, b'{"loss": 2.0}'), (2, b'{"loss": 1.0}')])
    assert [line.step for line in mark_attempts(parsed, {}, 1, False)[0]] == [1, 2]
    assert [line.step for line in mark_attempts(parsed[1:], {"loss": 1}, 1, False)[0]] == [2]
