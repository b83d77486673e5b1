"""What protects a run's checkpoints, gathered from the store and the disk: values, pins, links, and who starts from them.

Reads only. Whatever is not understood here protects too much, never too little.
"""

from __future__ import annotations

import math
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from neatd.config import ProjectConfig
from neatd.models import Checkpoint, Event, Goal, Run
from neatd.read.checkpoint import find_checkpoints, named_by_pointers
from neatd.rules.goals import judged_metrics
from neatd.store import checkpoints, events, jobs, points, runs

Values = dict[str, tuple[Goal, Mapping[str, float]]]


def as_on_disk(run: Run, catalogue: Sequence[Checkpoint]) -> list[Checkpoint]:
    """The catalogue as the disk has it now: what is no longer there is gone, what is not as it was is changing."""
    if not any(one.status == "present" for one in catalogue):
        return list(catalogue)
    folder = Path(run.root) / run.folder
    found = {one.path: one for one in find_checkpoints(folder)}
    seen = []
    for one in catalogue:
        now = found.get(one.path)
        if one.status != "present" or (
            now
            and not now.is_short
            and (now.measured[:2], now.parts) == ((one.size_bytes, one.mtime_ns), one.parts)
            and one.inode in (0, now.measured[2])
        ):
            seen.append(one)
        else:
            is_there = now is not None or os.path.lexists(folder / one.path)
            seen.append(one.model_copy(update={"status": "changing" if is_there else "gone"}))
    return seen


# ---- values ----


def values_of(series: sqlite3.Connection, run: Run, config: ProjectConfig, catalogue: Sequence[Checkpoint]) -> Values:
    """Metric -> (its goal, {checkpoint id: value}) for the metrics that checkpoints are judged by."""
    from neatd.store.lastat import last_at  # numpy

    names = [fact.name for fact in points.series_of(series, run.id)]
    steps = [one.step for one in catalogue if one.step is not None]
    return {
        metric: (goal, value_at(last_at(series, run.id, metric, steps), catalogue))
        for metric, goal in wanted_metrics(names, config).items()
    }


def wanted_metrics(names: Sequence[str], config: ProjectConfig) -> dict[str, Goal]:
    """The metrics a checkpoint may be best by, of those that a run has: the judged ones and those of the policy."""
    primary = (config.primary.metric, config.primary.goal) if config.primary else None
    more = {name: goal for name, goal in config.retention.best_metrics.items() if name in names}
    return judged_metrics(names, primary) | more


def best_before(
    series: sqlite3.Connection, run: Run, config: ProjectConfig, catalogue: list[Checkpoint], event: Event
) -> Checkpoint | None:
    """The best checkpoint that there was before an event, by the first metric that judges the run."""
    if event.step is None:
        return None
    latest = latest_step(event)
    earlier = [one for one in catalogue if one.status == "present" and one.step is not None and one.step <= latest]
    for goal, values in values_of(series, run, config, catalogue).values():
        measured = [one for one in earlier if math.isfinite(values.get(one.id, math.nan))]
        if measured:
            sign = 1 if goal == "min" else -1
            return min(measured, key=lambda one: (sign * values[one.id], one.ordinal))
    return None


def value_at(last: Mapping[int, tuple[int, float]], catalogue: Sequence[Checkpoint]) -> dict[str, float]:
    """Checkpoint id -> the metric's last value measured after the checkpoint before it and not after itself, where `last`
    has the metric's last point (step, value) by each checkpoint's step.

    One without such a value has none: an evaluation speaks for the weights it was made with.
    """
    values, before = {}, -1
    for one in sorted((c for c in catalogue if c.step is not None), key=lambda c: (c.step, c.ordinal)):
        assert one.step is not None
        step, value = last.get(one.step, (None, math.nan))
        if step is not None and (step > before or step == one.step):
            values[one.id] = value
        before = one.step
    return values


def latest_step(event: Event) -> int:
    """The last step whose checkpoint is from before the event; for a best value its own: those weights scored it."""
    assert event.step is not None
    begun = event.details.get("since_step")  # before the point at which it was sure
    first = min(event.step, begun) if isinstance(begun, int) else event.step
    return event.step if event.details.get("condition") == "best" else first - 1


def before_event(catalogue: Sequence[Checkpoint], event: Event) -> Checkpoint | None:
    """The last save from before an event; None when there is none."""
    if event.step is None:
        return None
    latest = latest_step(event)
    fitting = [one for one in catalogue if one.status == "present" and one.step is not None and one.step <= latest]
    return max(fitting, key=lambda one: one.ordinal, default=None)


# ---- pins ----


def pins_of(records: sqlite3.Connection, run: Run, catalogue: Sequence[Checkpoint]) -> dict[str, tuple[str, ...]]:
    """Checkpoint id -> why it may not go: pins by hand, sources of snapshots, targets of links such as last.ckpt, what a
    trainer's own file calls the latest, and what any run, process or job starts from."""
    found = {name: list(reasons) for name, reasons in checkpoints.pins(records, run.id).items()}
    for snapshot in events.snapshots(records, run_id=run.id, status="pending"):
        wanted = before_event(catalogue, events.get_event(records, snapshot.event_id))
        if wanted:  # it is about to be copied, and may be next in line to go
            found.setdefault(wanted.id, []).append(f"snapshot {snapshot.id} is being taken of it")
    here = [one for one in catalogue if one.status == "present"]
    if here:
        for checkpoint_id, reason in (*_linked(run, here), *_pointed(run, here), *_started(records, run, here)):
            if reason not in found.setdefault(checkpoint_id, []):
                found[checkpoint_id].append(reason)
    return {name: tuple(reasons) for name, reasons in found.items()}


def _places(run: Run, catalogue: Sequence[Checkpoint]) -> set[Path]:
    """The folders in which links and pointers to a run's checkpoints lie: beside them and above, up to the project."""
    root, folder = Path(run.root), Path(run.root) / run.folder
    above = [one for one in (folder, *folder.parents) if one == root or root in one.parents]
    return {*above, *((folder / one.path).parent for one in catalogue)}


def _linked(run: Run, catalogue: Sequence[Checkpoint]) -> Iterator[tuple[str, str]]:
    """(checkpoint id, reason) for links that lead to a checkpoint, to a part of it or into it."""
    folder = Path(run.root) / run.folder
    targets: dict[str, str] = {}
    for one in catalogue:
        main = folder / one.path
        targets |= {os.path.realpath(file): one.id for file in (main, *(main.with_name(name) for name in one.parts))}
    for place in _places(run, catalogue):
        try:
            with os.scandir(place) as entries:
                links = [Path(entry.path) for entry in entries if entry.is_symlink()]
        except OSError:
            continue
        for link in links:
            real = Path(os.path.realpath(link))
            found = next((targets[str(one)] for one in (real, *real.parents) if str(one) in targets), None)
            if found:
                yield found, f"{link.name} is a link to it"


def _pointed(run: Run, catalogue: Sequence[Checkpoint]) -> Iterator[tuple[str, str]]:
    """(checkpoint id, reason) for what a file such as DeepSpeed's `latest` names, beside the checkpoint."""
    folder = Path(run.root) / run.folder
    for place in _places(run, catalogue):
        for text, name in named_by_pointers(place):
            last = text.rsplit("/", 1)[-1]
            for one in catalogue:
                path = folder / one.path
                is_named = last in (path.name, path.stem, *one.parts) or (text.isdecimal() and int(text) == one.step)
                if is_named and path.parent == place:
                    yield one.id, f"{name} names it"


def _started(records: sqlite3.Connection, run: Run, catalogue: Sequence[Checkpoint]) -> Iterator[tuple[str, str]]:
    """(checkpoint id, reason) for what parameters, processes and jobs name: they start from it, or may."""
    before = f"{Path(run.folder).name}/" if run.folder else ""
    texts = [
        (f"start of run {name}", text) for name, told in runs.configs_naming(records, run) for text in _strings(told)
    ]
    texts += [
        (f"named by the process of {name}", text) for name, text in runs.commands_of_open(records, run.project_id)
    ]
    active = jobs.jobs(records, run.project_id, active_only=True)
    texts += [(f"named by job {job.name}", " ".join(job.command)) for job in active]
    texts = [(reason, text.replace("\\", "/")) for reason, text in texts]
    texts = [(reason, text) for reason, text in texts if before in text]
    own = [("named by its own parameters", text.replace("\\", "/")) for text in _strings(run.config)]
    for one in catalogue:
        for known, tail in ((texts, before + one.path), (own, one.path)):
            for reason, text in known:
                if tail in text and re.search(rf"(?:^|[\s=:'\"/,]){re.escape(tail)}(?=$|[\s'\"/,;:])", text):
                    yield one.id, reason


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for one in value.values() for text in _strings(one)]
    if isinstance(value, list):
        return [text for one in value for text in _strings(one)]
    return []
