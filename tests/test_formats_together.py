"""Several files and trackers of one run, and files among others, through the real daemon."""

from __future__ import annotations

import json
import math
import random
import sqlite3
import time
from collections.abc import Iterator

import pytest

from tests.conftest import Neat, until
from tests.databases_made import MLFLOW_SQL, add_metric, add_run, empty
from tests.feeding import same
from tests.formats_read import folders, points_of, put, settled, started, until_read
from tests.test_format_tensorboard import event, record, scalar

VERSION = record(b"\x09" + bytes(8) + b"\x1a\x0dbrain.Event:2")  # what each event file begins with


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neat]:
    """One daemon for the module; each test has folders of its own."""
    with started(tmp_path_factory.mktemp("together"), "watch:\n  ignore: [skipped, old/*]\n") as neat:
        yield neat


def events(first: int, last: int, scale: float = 1.0, *, odd: int | None = None) -> bytes:
    """An event file as a new writer makes it: its version, then a loss a step."""
    values = {step: math.nan if step == odd else scale / 2**step for step in range(first, last + 1)}
    return VERSION + b"".join(record(event(step, scalar("loss", value))) for step, value in values.items())


def losses(first: int, last: int, scale: float = 1.0) -> list[list[float]]:
    return [[step, scale / 2**step] for step in range(first, last + 1)]


@pytest.mark.parametrize(("first", "name"), [(6, "earlier"), (10, "same"), (11, "next")])
def test_a_second_event_file_goes_on_or_begins_anew(live: Neat, first: int, name: str) -> None:
    """From an earlier step, or the same one, it is a new attempt, and the old tail is abandoned; else it goes on."""
    folder = live.root / "twice" / name
    put(folder / "events.out.tfevents.1700000000.host.1.0", events(1, 10))
    live.wait_for_points(f"twice/{name}", "loss", 10)
    second = events(first, 12, 3.0)
    path = put(folder / "events.out.tfevents.1700000100.host.2.0", VERSION)  # so it stands until the first flush
    until_read(live, path)
    put(path, second.removeprefix(VERSION))
    wanted = losses(1, first - 1) + losses(first, 12, 3.0)
    assert settled(lambda: not same(points_of(live, f"twice/{name}", "loss"), wanted)) is False
    assert live.show(f"twice/{name}")["attempt"] == (1 if first > 10 else 2)


def test_a_step_back_within_an_event_file_is_no_restart(live: Neat) -> None:
    """A batch's number that begins again at each epoch, beside a loss that goes on."""
    steps = [(epoch * 3 + batch, batch) for epoch in range(3) for batch in range(3)]
    data = b"".join(
        record(event(step, scalar("loss", float(step)))) + record(event(batch, scalar("batch", float(step))))
        for step, batch in steps
    )
    put(live.root / "epochs" / "events.out.tfevents.1700000000.host.1.0", data)
    live.wait_for_points("epochs", "batch", 9)
    assert points_of(live, "epochs", "loss") == [[step, float(step)] for step, _ in steps]
    assert points_of(live, "epochs", "batch") == [[batch, float(step)] for step, batch in steps]


def test_two_trackers_of_one_run_are_judged_once(live: Neat) -> None:
    """Of metrics.jsonl and event files in it, one is what `loss` means; a NaN in both is one event."""
    lines = [json.dumps({"step": step, "loss": value if step != 15 else math.nan}) for step, value in losses(1, 20)]
    whole = events(1, 20, odd=15)
    plain = put(live.root / "both" / "metrics.jsonl", "\n".join(lines[:5]) + "\n")
    binary = put(live.root / "both" / "tb" / "events.out.tfevents.1700000000.host.1.0", whole[:300])
    put(live.root / "both" / "checkpoints" / "step_20.pt", b"weights")
    live.wait_for_points("both", "loss", 5)
    until(lambda: len(live.show("both")["series"]) == 2, "the series of both", 15)
    put(binary, whole[300:])
    until_read(live, binary)
    put(plain, "\n".join(lines[5:]) + "\n")
    live.wait_for_points("both", "loss", 20)
    until(lambda: live.show("both")["checkpoints"], "the checkpoint", 15)
    found = until(lambda: [one for one in live.show("both")["events"] if one["rule"] == "non-finite"], "an event", 15)
    assert [(one["metric"], one["step"]) for one in found] == [("loss", 15)]
    assert [one for one in folders(live) if one.startswith("both")] == ["both"]


def test_a_text_log_is_read_only_where_nothing_else_is(live: Neat) -> None:
    """Beside metrics.jsonl it is that training's console; alone it is the run."""
    text = "".join(f"step {step} loss {value}\n" for step, value in losses(1, 6, 7.0))
    put(live.root / "told" / "with" / "metrics.jsonl", '{"step": 1, "other": 2.0}\n')
    put(live.root / "told" / "with" / "train.log", text)
    put(live.root / "told" / "alone" / "train.log", text)
    assert [list(one) for one in live.wait_for_points("told/alone", "loss", 6)] == losses(1, 6, 7.0)
    live.wait_for_points("told/with", "other", 1)
    assert list(live.show("told/with")["series"]) == ["other"]


def test_a_pattern_of_the_users_makes_a_log_a_run(live: Neat) -> None:
    """As soon as it is there; nothing of neat's own knows such lines."""
    put(live.root / "own" / "weird.log", "".join(f"<<{step}>> q={step}!\n" for step in range(1, 6)))
    until_read(live)
    assert "own" not in folders(live)
    regex = r"<<(?P<step>[0-9]+)>> q=(?P<quality>[0-9]+)!"
    text = f"patterns:\n  - name: weird\n    files: ['weird.log']\n    regex: '{regex}'\n"
    put(live.root / ".neat" / "patterns" / "own.yaml", text)
    assert live.wait_for_points("own", "quality", 5) == [(step, float(step)) for step in range(1, 6)]


def test_a_database_that_is_written_is_read_and_left_alone(live: Neat) -> None:
    """Row by row, while its owner holds it open; the owner's own files beside it are all there are."""
    path = empty(MLFLOW_SQL, live.root / "later.db")
    owner = sqlite3.connect(path, isolation_level=None)
    add_run(owner, "a" * 32)
    for step in range(4):
        add_metric(owner, "a" * 32, step, step / 2)
        live.wait_for_points("later.db/net/base", "loss", step + 1)
    owner.close()
    assert sorted(one.name for one in live.root.glob("later.db*")) == ["later.db"]


def test_a_run_in_a_database_is_as_old_as_its_rows(live: Neat) -> None:
    """One whose last value was logged an hour ago is lost, although it was found now; and it comes back."""
    path = empty(MLFLOW_SQL, live.root / "old.db")
    owner = sqlite3.connect(path, isolation_level=None)
    add_run(owner, "b" * 32)

    def log(step: int, age_s: float) -> None:
        at = round((time.time() - age_s) * 1000)
        owner.execute("INSERT INTO metrics VALUES ('loss', 1.5, ?, ?, ?, 0)", (at, "b" * 32, step))

    log(1, 3600.0)
    live.wait_for_points("old.db/net/base", "loss", 1)
    until(lambda: live.show("old.db/net/base")["status"] == "lost", "its end", 15)
    log(2, 0.0)
    until(lambda: live.show("old.db/net/base")["status"] == "running", "its return", 15)
    owner.close()


def test_ignored_folders_hold_no_runs(live: Neat) -> None:
    """By name and by glob; a run beside them is found."""
    for folder in ("skipped", "old/a", "kept/a"):
        put(live.root / folder / "metrics.jsonl", '{"step": 1, "loss": 2.0}\n')
    live.wait_for_points("kept/a", "loss", 1)
    assert not [one for one in folders(live) if one.startswith(("skipped/", "old/"))]


@pytest.mark.parametrize("name", ["run-x.wandb", "events.out.tfevents.1700000000.host.1.0"])
def test_garbage_is_told_and_harms_nobody(live: Neat, name: str) -> None:
    """A file of random bytes under a tracker's name is an event; a run beside it goes on."""
    folder = f"garbage/{name.partition('.')[0]}"
    put(live.root / folder / name, random.Random(1).randbytes(5000))

    def said() -> bool:
        return any(name in one["message"] and one["rule"] == "unreadable-line" for one in live.json("neat", "events"))

    until(said, "an event", 20)
    put(live.root / folder / "metrics.jsonl", '{"step": 1, "loss": 2.0}\n')
    live.wait_for_points(folder, "loss", 1)
    assert live.is_alive()
