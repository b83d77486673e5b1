"""A million points in one file: from its rename into a run's folder until they are visible, and until they are judged by
the shipped rules; and the bytes that each takes then."""

from __future__ import annotations

import json
import random
import statistics
import struct
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.bench import peers_made, raw
from tests.bench.daemons import committed, life, stored_bytes
from tests.bench.table import Row, keep, scaled

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]
LINES, METRICS, LIVES = scaled(200_000, 300), 5, 3
PEER_LINES = {"trackio": scaled(20_000, 100), "mlflow": scaled(4_000, 100)}  # their rate does not grow with more
NAMES = ("train/lr", "train/grad_norm", "train/acc", "tput")
FLOAT32 = struct.Struct("<f")


def as_item(value: float) -> float:
    """What torch's .item() gives of a float32: its nearest double, with all the digits."""
    return float(FLOAT32.unpack(FLOAT32.pack(value))[0])


KINDS: dict[str, tuple[str, Callable[[float], float]]] = {
    "float64": ("doubles of noise", lambda value: value),
    "float32": ("float32 as .item() gives them", as_item),
    "decimals": ("decimals of four digits", lambda value: round(value, 4)),
}


def write(path: Path, shape: Callable[[float], float]) -> None:
    """A quiet loss and four metrics of noise a line."""
    rng = random.Random(1)
    with path.open("w") as file:
        for step in range(1, LINES + 1):
            values = {name: shape(rng.random()) for name in NAMES}
            file.write(json.dumps({"step": step, "train/loss": shape(1 + rng.gauss(0, 0.01)), **values}) + "\n")


class Life(NamedTuple):
    """Points a second until they were visible and until they were judged, and bytes a point."""

    visible: float
    judged: float
    size: float


def lived(ready: Path, base: Path) -> Life:
    """One life of a daemon that meets a copy of the file."""
    copy = base.with_suffix(".jsonl")
    copy.write_bytes(ready.read_bytes())
    with life(base) as neat:
        place = neat.root / "runs" / "a" / "metrics.jsonl"
        place.parent.mkdir(parents=True)
        size = copy.stat().st_size
        with committed(neat) as points, committed(neat, "neat") as records:
            begun = points.when("SELECT 0", lambda _: True, "the start")
            copy.rename(place)
            visible = (
                points.when('SELECT max("offset") FROM reading', lambda at: (at or 0) >= size, "all lines") - begun
            )
            judged = records.when("SELECT max(seq) FROM judging", lambda at: (at or 0) >= LINES, "all judged") - begun
            count = points.rows("SELECT sum(points) FROM series WHERE source != 'system'")[0][0]
    assert count == METRICS * LINES
    return Life(count / visible, count / judged, stored_bytes(neat.home) / count)


@pytest.mark.parametrize("kind", KINDS)
def test_a_million_points(tmp_path: Path, kind: str) -> None:
    """200,000 lines of five metrics, every setting and rule at its default; the median of three lives."""
    ready, (words, shape) = tmp_path / "ready.jsonl", KINDS[kind]
    write(ready, shape)
    lives = [lived(ready, tmp_path / f"life{number}") for number in range(LIVES)]
    limits = {name: METRICS * LINES / seconds for name, seconds in raw.jsonl_limits(ready, tmp_path).items()}
    narrow = (tmp_path / "json.db").stat().st_size / (METRICS * LINES)
    theirs = {}
    for name, lines in PEER_LINES.items() if kind == "float64" else ():
        told = peers_made.run("take_in", name, lines, folder=tmp_path / name)
        theirs[name] = told["points"] / told["seconds"]
    for field, aim in (("visible", 500_000), ("judged", 100_000)):
        rates = [getattr(one, field) for one in lives]
        note = f"best {max(rates):,.0f}"
        what = f"1M points, {words}: {field}"
        keep(
            Row(f"backlog/{kind}/{field}", what, statistics.median(rates), "points/s", aim, theirs, limits, True, note)
        )
    what = f"1M points, {words}: stored"
    held = {"narrow table": narrow, "JSON itself": ready.stat().st_size / (METRICS * LINES)}
    keep(Row(f"backlog/{kind}/size", what, lives[0].size, "bytes a point", None, {}, held))
