"""Written runs as the daemon sees them: their lines by the daemon's own parser, in file order, and their labels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from neatd.models import Line, Sample, Stretch
from neatd.read.attempts import mark, rows_of
from neatd.read.formats.table import feed_of
from tests.bench.quality.faults import Fault

HIT_STEPS = 200  # an event so long after the onset is a hit
FORGIVEN = 600  # steps after a fault's end whose events are its own


class Labelled(NamedTuple):
    """A run's folder and what is known of it."""

    folder: Path
    name: str
    split: str
    is_clean: bool
    steps: int
    faults: tuple[Fault, ...]
    overfit_from: int | None
    series: dict[str, Any]  # "loss", "norm", "lr", "memory" … -> the run's own names
    label: dict[str, Any]

    def is_own(self, step: int) -> bool:
        """Whether an event in this step belongs to a fault."""
        return any(one.onset <= step <= one.end + FORGIVEN for one in self.faults)

    @property
    def clean_steps(self) -> int:
        """Steps in which every event is a false one."""
        return self.steps if self.is_clean else sum(not self.is_own(step) for step in range(1, self.steps + 1))


def labelled(folder: Path, split: str = "") -> list[Labelled]:
    """All runs of a folder, or of a half of it; those that are written so far, while it is still being written."""
    if (folder / "labels.json").is_file():
        labels = json.loads((folder / "labels.json").read_text())["runs"]
    else:
        labels = [json.loads(path.read_text()) for path in sorted((folder / "labels").glob("*.json"))]
    return [_labelled(folder, one) for one in labels if split in ("", one["split"])]


def _labelled(folder: Path, label: dict[str, Any]) -> Labelled:
    faults = tuple(Fault(**one) for one in label["faults"])
    return Labelled(
        folder / "runs" / label["run"], label["run"], label["split"], label["kind"] == "clean", label["steps"], faults,
        label["overfit_from"], label["series"], label,
    )  # fmt: skip


def lines(run: Labelled) -> list[Line]:
    """The lines of metrics.jsonl with their attempts."""
    fed = feed_of("jsonl")((run.folder / "metrics.jsonl").read_bytes(), {}, 0, "")
    rows = [row for one in fed.rows for row in (rows_of(one) if isinstance(one, Stretch) else [one])]
    marked, _, _ = mark(rows, {}, 1, False, True)
    return [one for one in marked if isinstance(one, Line)]


def samples(run: Labelled) -> Iterator[tuple[str, Sample]]:
    """(series, sample) in the order in which the daemon judges them: by line, then by name."""
    for line in lines(run):
        for name in sorted(line.values):
            yield name, Sample(line.seq, line.attempt, line.step, line.values[name], line.time)
