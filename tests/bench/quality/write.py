"""`python -m tests.bench.quality.write FOLDER [--processes N]`: train all runs, and write them with labels.json."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import shutil
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.quality.plan import recipes


def write_all(folder: Path, processes: int = 1, most: int = 0) -> dict[str, Any]:
    """The folder gets runs/ and, at the end, labels.json, which is returned. `most`: only so many runs, spread.

    Each run's label is there as soon as the run is, in labels/; runs that have one are not written again.
    """
    wanted = recipes()
    wanted = wanted[:: max(1, len(wanted) // most)] if most else wanted
    (folder / "labels").mkdir(parents=True, exist_ok=True)
    missing = [one for one in wanted if not _label(folder, one.name).is_file()]
    begun = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(processes, _alone) as pool:
        for _ in pool.imap_unordered(partial(_write, folder), missing):
            pass
    labels = [json.loads(_label(folder, name).read_text()) for name in sorted(one.name for one in wanted)]
    told = {"runs": labels, "seconds": round(time.perf_counter() - begun, 1)}
    (folder / "labels.json").write_text(json.dumps(told, indent=1))
    return told


def _label(folder: Path, name: str) -> Path:
    return folder / "labels" / f"{name}.json"


def _alone() -> None:
    """Each process trains on one thread."""
    import torch

    from tests.bench.quality.written import spare_disk

    torch.set_num_threads(1)
    spare_disk()


def _write(folder: Path, recipe: Any) -> None:
    from tests.bench.quality.written import write_run

    shutil.rmtree(folder / "runs" / recipe.name, ignore_errors=True)
    _label(folder, recipe.name).write_text(json.dumps(write_run(folder, recipe)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--most", type=int, default=0, help="only so many runs")
    given = parser.parse_args()
    told = write_all(given.folder, given.processes, given.most)
    clean = sum(label["steps"] for label in told["runs"] if label["kind"] == "clean")
    kinds = Counter(fault["kind"] for label in told["runs"] for fault in label["faults"])
    print(
        f"{len(told['runs'])} runs in {told['seconds']} s: {clean} clean steps; faults: {kinds.total()} {dict(kinds)}"
    )


if __name__ == "__main__":
    main()
