"""Lines that are no training: pip, tracebacks, prose, options, timings, servers, builds. None is a row."""

from __future__ import annotations

import pytest

from neatd.read.formats.textlog import feed, looks_like_training
from tests.cost import at_most
from tests.textlog_noise import NOISE


def test_there_are_enough_of_them() -> None:
    """Each kind of noise that was thought of."""
    assert len(NOISE) >= 200


@pytest.mark.parametrize("line", NOISE)
def test_noise_is_no_row_and_tells_nothing(line: str) -> None:
    """By itself, with nothing before it. `Epoch 4/10` alone tells how many are planned."""
    fed = feed(f"{line}\n".encode(), {}, 0, "")
    assert (fed.rows, fed.bad) == ([], [])
    assert dict(fed.told) == ({"planned_epochs": 10.0} if line == "Epoch 4/10" else {})


def test_noise_amid_training_is_none_either() -> None:
    """What is remembered of training lines makes no row of what comes behind them."""
    training = ["step 1 loss 0.5", "Epoch [1/3], Step [5/9], Loss: 0.5", "2024-05-01 12:00:00.1: Epoch 3"]
    text = "\n".join([*training, *NOISE, ""])
    assert [row.seq for row in feed(text.encode(), {}, 0, "").rows] == [1, 2]


def test_noise_does_not_look_like_training() -> None:
    """A server's, a build's and a package manager's log is no run."""
    for at in range(0, len(NOISE), 40):
        assert not looks_like_training("\n".join(NOISE[at : at + 120]).encode())
    assert not looks_like_training(b"")
    assert not looks_like_training(bytes(range(256)) * 64)


def test_lines_of_a_server_pass_at_a_hundred_thousand_a_second() -> None:
    """Measured in the time of this process: others on the machine do not count."""
    line = "2024-05-01 12:00:00,123 INFO root: request {} served from cache in 12 ms to 10.0.0.1\n"
    data = "".join(line.format(n) for n in range(20_000)).encode()
    feed(data, {}, 0, "")
    with at_most(20_000 / 100_000):
        fed = feed(data, {}, 0, "")
    assert fed.consumed == len(data) and fed.rows == []
