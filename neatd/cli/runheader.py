"""The head of `neat run show`: how a run stands, how far it is and how fast, where it runs, from which code. Text only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from neatd.assist.render import number, one_line, size, when
from neatd.models import Run

MOST_FILES = 6
_Shape = Mapping[str, Any]


def header(found: Run, shape: _Shape) -> Iterator[str]:
    """The lines; what is not known has none."""
    yield f"{found.name}  ({found.id})"
    yield f"  status: {found.status}: {found.reason}"
    yield f"  {_progress(shape)}"
    yield f"  began {when(found.started_at)}, last line {when(shape['updated_at'])}"
    yield from (f"  {name}: {text}" for name, text in _told(shape) if text)
    if shape["attempt"] > 1:
        yield f"  attempt {shape['attempt']}: it was restarted from an earlier step; the abandoned points are kept"
    for name, one in shape["unreadable"].items():
        yield f"  {name}: {one['lines']} unreadable, the first is {one['first']}"


def eta(shape: _Shape) -> str:
    """ "about 12 min left, until 18:40"; "" where nobody knows."""
    if shape["eta_s"] is None:
        return ""
    return f"about {span(shape['eta_s'])} left" + (f", until {_clock(shape['ends_at'])}" if shape["ends_at"] else "")


def span(seconds: float) -> str:
    """A time for people, in its two largest units: "3 h 20 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} days {hours % 24} h"


def step_of(shape: _Shape) -> str:
    """ "120 of 300"; with planned epochs or trials, "120, 10 epochs planned"."""
    if shape["step"] is None:
        return "—"
    if shape["planned_steps"]:
        return f"{shape['step']} of {shape['planned_steps']}"
    for name in ("epochs", "trials"):
        if planned := shape[f"planned_{name}"]:
            return f"{shape['step']}, {planned:g} {name} planned"
    return str(shape["step"])


def _progress(shape: _Shape) -> str:
    return "; ".join(part for part in (f"step {step_of(shape)}", eta(shape), _pace(shape)) if part)


def _pace(shape: _Shape) -> str:
    if shape["step_s"] is None:
        return ""
    parts = [f"a step takes {_seconds(shape['step_s'])} (the last one {number(shape['step_ratio'])} times the median)"]
    parts += [f"{number(shape[f'{name}_per_s'])} {name}/s" for name in ("samples", "tokens") if shape[f"{name}_per_s"]]
    return ", ".join(parts)


def _seconds(value: float) -> str:
    return f"{number(value)} s" if value >= 0.1 else f"{number(1000 * value)} ms"


def _told(shape: _Shape) -> Iterator[tuple[str, str]]:
    yield "model", _model(shape)
    yield "process", _process(shape["process"])
    yield "machine", ", ".join(part for part in (shape["host"], shape["device"], _driver(shape)) if part)
    yield "peak memory", _peaks(shape)
    yield "code", _code(shape["start"])


def _model(shape: _Shape) -> str:
    counts = [
        f"{shape[name]:,} {text}" for name, text in (("params", "parameters"), ("samples", "samples")) if shape[name]
    ]
    return ", ".join(counts)


def _driver(shape: _Shape) -> str:
    return f"driver {shape['driver']}" if shape["driver"] else ""


def _process(fact: _Shape | None) -> str:
    if not fact:
        return ""
    by = f", started by {fact['started_by']}" if fact["started_by"] else ""
    libraries = "".join(f", {name} {version}" for name, version in fact["libraries"].items())
    return f"{fact['pid']}{by}{libraries}: {one_line(fact['command'], 120)}"


def _peaks(shape: _Shape) -> str:
    parts = []
    if shape["peak_rss_bytes"] is not None:
        parts.append(size(shape["peak_rss_bytes"]))
    if shape["peak_gpu_memory_bytes"] is not None:
        whose = " (all programs on it)" if shape["peak_gpu_memory_of"] == "gpu" else ""
        parts.append(f"{size(shape['peak_gpu_memory_bytes'])} on a GPU{whose}")
    return ", ".join(parts)


def _code(start: _Shape) -> str:
    text = f"{start['branch'] or '(no branch)'} {start['commit'][:8]}".strip() if start["commit"] else ""
    dirty, untracked = start["dirty"], start["untracked"] or ()
    if dirty:
        more = f" and {len(dirty) - MOST_FILES} more" if len(dirty) > MOST_FILES else ""
        text += f" with {len(dirty)} changed file(s): {one_line(', '.join(dirty[:MOST_FILES]), 120)}{more}"
    if untracked:
        text += f"; {len(untracked)} file(s) that git does not know"
    said = [part for part, is_there in (("the changes", start["diff_bytes"]), ("these names", untracked)) if is_there]
    return text + (f" (`--diff` prints {' and '.join(said)})" if said else "")


def _clock(moment: datetime) -> str:
    local = moment.astimezone()
    return f"{local:%H:%M}" if local.date() == datetime.now().astimezone().date() else f"{local:%Y-%m-%d %H:%M}"
