"""TensorBoard's event files: our parser by itself, the daemon from the file's rename until its points are visible, and
the readers that others use."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import pytest

from neatd.config import Settings
from neatd.models import Cursor, Stretch
from neatd.read.formats.table import feed_of
from neatd.read.tail import take
from tests.bench import peers_made, raw
from tests.bench.daemons import committed, life
from tests.bench.table import Row, keep, scaled

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]
REPEATS = 3


def parsed(path: Path) -> tuple[float, int]:
    """(seconds, points) of reading a file as the daemon does, turn by turn, keeping nothing."""
    budget, feed, cursor, count, has_more = Settings().read_bytes, feed_of("tensorboard"), Cursor(), 0, True
    begun = time.perf_counter()
    while has_more:
        taken = take(path, cursor, budget, feed, "bytes", cursor.seq)
        for row in taken.fed.rows:
            count += sum(map(len, row.columns.values())) if isinstance(row, Stretch) else len(row.values)
        cursor, has_more = taken.cursor, taken.has_more
    return time.perf_counter() - begun, count


def followed(path: Path, base: Path) -> float:
    """Seconds from the rename of a copy into a run's folder until a query sees its last point."""
    ready, size = base.with_suffix(".ready"), path.stat().st_size
    ready.write_bytes(path.read_bytes())
    with life(base) as neat, committed(neat) as points:
        place = neat.root / "runs" / "a" / path.name
        place.parent.mkdir(parents=True)
        begun = time.monotonic()
        ready.rename(place)
        return points.when('SELECT max("offset") FROM reading', lambda at: (at or 0) >= size, "all events") - begun


@pytest.mark.parametrize(
    ("name", "measured", "images", "scalars", "aim_s"),
    [
        ("images", "event file with 200 images (39 MB) and 200 scalars", 200, 200, 0.5),
        ("scalars", "200,000 scalars in an event file", 0, 200_000, 2.0),
    ],
    ids=["images", "scalars"],
)
def test_an_event_file(
    tmp_path: Path, name: str, measured: str, images: int, scalars: int, aim_s: float
) -> None:  # fmt: skip
    """Written by torch's SummaryWriter; every reader finds all of its scalars."""
    images, scalars = images and scaled(images), scaled(scalars)
    folder = tmp_path / "written"
    path = Path(peers_made.run("write_events", folder, images, scalars, folder=tmp_path / "home"))
    found = {
        one: peers_made.run("read_events", one, folder, folder=tmp_path / "home") for one in ("tensorboard", "tbparse")
    }
    theirs = {one: told["seconds"] for one, told in found.items()}
    parses = [parsed(path) for _ in range(REPEATS)]
    assert {count for _, count in parses} == {one["points"] for one in found.values()} == {scalars}
    limit = {"crc + struct + executemany": min(raw.events_limit(path, tmp_path / "raw.db") for _ in range(REPEATS))}
    whole = statistics.median(followed(path, tmp_path / f"life{number}") for number in range(REPEATS))
    size = f"{path.stat().st_size / 1e6:.1f} MB"
    parse_s = statistics.median(seconds for seconds, _ in parses)
    keep(Row(f"events/{name}/parser", f"{measured}: parser", parse_s, "s", aim_s, theirs, limit, note=size))
    keep(Row(f"events/{name}/daemon", f"{measured}: rename to visible", whole, "s", aim_s, theirs, limit, note=size))
