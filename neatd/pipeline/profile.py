"""What is known of a run besides its numbers, as plain values for people and programs: plan, pace, machine, process, code.

Of many runs only series' numbers are asked for; points are touched for runs that go on, and for one run at a time.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from neatd.models import Run
from neatd.pipeline.pace import GOES_ON, NOT_KNOWN, Going, going, planned
from neatd.rules.scale import is_params_series, scale_of
from neatd.store import runs, tabled

RSS = "system/rss_bytes"
PROCESS_MEMORY, GPU_MEMORY = "/process_memory_bytes", "/memory_used_bytes"


class Peaks(NamedTuple):
    """The most memory a run was seen to hold. None where nobody looked."""

    rss_bytes: int | None = None  # of its process tree
    gpu_bytes: int | None = None  # on the GPU where it was most
    gpu_of: str | None = None  # whose: "process", or "gpu" where the driver shows only the whole


def peaks_of(highest: Mapping[str, float]) -> Peaks:
    """From the highest values of a run's system series."""
    own = [value for name, value in highest.items() if name.endswith(PROCESS_MEMORY)]
    every = [value for name, value in highest.items() if name.endswith(GPU_MEMORY)]
    rss = highest.get(RSS)
    gpu = max(own or every, default=None)
    whose = None if gpu is None else "process" if own else "gpu"
    return Peaks(None if rss is None else round(rss), None if gpu is None else round(gpu), whose)


def profiles(
    series: sqlite3.Connection, found: Sequence[Run], now: datetime | None = None
) -> dict[str, dict[str, Any]]:
    """Run id -> the fields in short, of many runs."""
    now = now or datetime.now(UTC)
    ids = [run.id for run in found]
    sizes = [name for name in tabled.series_names(series, ids) if is_params_series(name)]
    last = tabled.series_named(series, ids, sizes) if sizes else {}
    peaks, attempts = tabled.highest_memory(series, ids), tabled.attempts(series)
    return {
        run.id: _profile(
            run, going(series, run, now) if run.status in GOES_ON else NOT_KNOWN, peaks_of(peaks.get(run.id, {})),
            {name: fact.last for name, fact in last.get(run.id, {}).items()}, attempts.get(run.id, 1),
        )
        for run in found
    }  # fmt: skip


def profile_of(series: sqlite3.Connection, run: Run) -> dict[str, Any]:
    """The same fields of one run, with the pace that an ended one had."""
    fields = profiles(series, [run])[run.id]
    return fields if run.status in GOES_ON else fields | _pace_fields(going(series, run, datetime.now(UTC)))


def _profile(
    run: Run, how: Going, peaks: Peaks, sizes: Mapping[str, float | None], attempts: int
) -> dict[str, Any]:  # fmt: skip
    told, machine, process = run.facts.get("told") or {}, run.facts.get("machine") or {}, run.process
    scale = scale_of(run.config, sizes)
    return {
        "planned_steps": run.planned_steps, "planned_epochs": planned(run, "planned_epochs"),
        "planned_trials": planned(run, "planned_trials"), **_pace_fields(how),
        "params": told.get("params") or scale.params, "samples": told.get("samples") or scale.samples,
        "device": told.get("device") or (process.device if process else "") or None,
        "host": (process.host if process else "") or told.get("host") or machine.get("host"),
        "driver": machine.get("driver"), "peak_gpu_memory_bytes": peaks.gpu_bytes, "peak_gpu_memory_of": peaks.gpu_of,
        "peak_rss_bytes": peaks.rss_bytes, "attempts": attempts,
    }  # fmt: skip


def _pace_fields(how: Going) -> dict[str, Any]:
    pace = how.pace
    return {
        "eta_s": how.eta_s, "ends_at": how.ends_at, "step_s": pace.step_s if pace else None,
        "step_ratio": pace.ratio if pace else None, "steps_per_s": pace.steps_per_s if pace else None,
        "samples_per_s": how.samples_per_s, "tokens_per_s": how.tokens_per_s,
    }  # fmt: skip


def start_shape(records: sqlite3.Connection, run: Run) -> dict[str, Any]:
    """The code a run started from. `diff_bytes`, `untracked` and `is_truncated` are None where it was found too late."""
    kept = runs.start_of(records, run.id)
    return {
        "commit": run.git.commit, "branch": run.git.branch, "dirty": list(run.git.dirty),
        "untracked": list(kept.untracked) if kept else None, "diff_bytes": len(_opened(kept.packed)) if kept else None,
        "is_truncated": kept.is_truncated if kept else None,
    }  # fmt: skip


def start_diff_of(records: sqlite3.Connection, run: Run) -> str | None:
    """What was changed against the commit when a run started, "" for nothing; None where it is not kept."""
    kept = runs.start_of(records, run.id)
    return _opened(kept.packed).decode("utf-8", "replace") if kept else None


def _opened(packed: bytes) -> bytes:
    return zlib.decompress(packed) if packed else b""
