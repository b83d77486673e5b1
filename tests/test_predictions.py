"""Lines of predictions: an example, its answer, and what makes a line unreadable."""

from __future__ import annotations

import math

import pytest

from neatd.models import Prediction
from neatd.read.metrics import BadLine
from neatd.read.predictions import LONGEST_TEXT, parse_predictions


def one(text: str) -> Prediction:
    """The one prediction that `text` is."""
    good, bad = parse_predictions([(3, text.encode())])
    assert not bad
    return good[0]


def test_a_whole_line_is_read() -> None:
    """Every field of the contract arrives."""
    line = '{"step": 5, "id": "q1", "correct": false, "loss": 0.5, "prompt": "2+2", "expected": "4", "answer": "5"}'
    assert one(line) == Prediction(3, 5, "q1", False, 0.5, "2+2", "4", "5")


def test_loss_and_texts_may_be_missing() -> None:
    """No loss is NaN, no text is None."""
    found = one('{"step": 5.0, "id": 17, "correct": 1}')
    assert found[:4] == (3, 5, "17", True) and math.isnan(found.loss) and found[5:] == (None, None, None)


@pytest.mark.parametrize(
    ("text", "loss"), [("1" + "0" * 400, math.inf), ('"Infinity"', math.inf), ("2", 2.0), ("-Infinity", -math.inf)]
)
def test_an_odd_loss_is_a_number(text: str, loss: float) -> None:
    """One that no float holds does not stop the reader."""
    assert one(f'{{"step": 1, "id": 1, "correct": true, "loss": {text}}}').loss == loss


@pytest.mark.parametrize("loss", ["null", '"low"', "[1]", "NaN"])
def test_a_loss_that_is_no_number_is_nan(loss: str) -> None:
    """The example still counts."""
    assert math.isnan(one(f'{{"step": 1, "id": 1, "correct": true, "loss": {loss}}}').loss)


@pytest.mark.parametrize(
    "line",
    ['{"id": 1, "correct": true}', '{"step": 1, "correct": true}', '{"step": 1, "id": 1}',
     '{"step": true, "id": 1, "correct": 1}',
     '{"step": 1.5, "id": 1, "correct": true}', '{"step": 1, "id": 1, "correct": "yes"}',
     '{"step": 99999999999999999999, "id": 1, "correct": true}'],
)  # fmt: skip
def test_a_line_without_step_id_or_correct_is_bad(line: str) -> None:
    """It is named and passed over, also when its step is larger than the store can hold."""
    why = "it lacks step (whole number), id or correct (true or false)"
    assert parse_predictions([(3, line.encode())]) == ([], [BadLine(3, why)])


def test_what_is_no_json_is_bad_and_the_next_line_is_read() -> None:
    """One torn line costs one line."""
    good, bad = parse_predictions([(1, b"{"), (2, b'{"step": 1, "id": 1, "correct": true}')])
    assert ([p.seq for p in good], bad) == ([2], [BadLine(1, "not JSON")])


def test_a_long_text_is_kept_by_its_beginning() -> None:
    """A prompt of a million characters does not fill the store."""
    assert one(f'{{"step": 1, "id": 1, "correct": true, "prompt": "{"x" * 5000}"}}').prompt == "x" * LONGEST_TEXT


def test_half_of_a_surrogate_pair_in_an_answer_becomes_a_question_mark() -> None:
    """A model that writes bytes makes those, and SQLite refuses them."""
    assert one(r'{"step": 1, "id": "\ud800", "correct": true, "answer": "a\udcff"}')[2:8:5] == ("?", "a?")
