"""What a run's own files say of its end, gathered for its status: a traceback, or a word that it came to its end.

Asked only of runs whose process is gone, or that are silent: logs beside the run are read then, and no earlier.
"""

from __future__ import annotations

from datetime import UTC, datetime

from neatd.models import Run
from neatd.pipeline.oom import with_memory
from neatd.pipeline.scene import LiveRun, Scene, Source
from neatd.read.lastwords import LastWords, last_words
from neatd.rules.status import RunFacts
from neatd.store import requests, tails

SLACK_S = 60.0  # a log and the other files of a run are written last within this
LOOK_S = 10.0
_RUN_TIME = "train_runtime"  # what transformers' Trainer logs once, behind all the rest


def with_ending(scene: Scene, live: LiveRun, facts: RunFacts) -> RunFacts:
    """The facts with what the run's files say of its end."""
    is_there = facts.is_alive or facts.job_status in ("queued", "running")
    silence_s = (datetime.now(UTC) - facts.last_line_at).total_seconds()
    if is_there or (facts.pid is None and silence_s <= scene.settings.stall_s):
        return facts
    words = _of_sources(live) or _of_folder(scene, live)
    if not words.traceback and not words.done and live.run.job_id:
        words = last_words(scene.home / "jobs" / live.run.job_id)  # its output
    well = f"{words.log} ends with {words.done!r}" if words.done else _told_well(scene, live, facts)
    facts = facts._replace(
        has_traceback=bool(words.traceback), traceback=words.traceback, traceback_log=words.log, ended_well=well
    )
    return with_memory(scene, live, facts._replace(stopped=requests.stopped_by(scene.records, live.run.id)))


def traceback_of(live: LiveRun) -> str:
    """The last line of a traceback that one of the run's own logs ends with."""
    words = _of_sources(live)
    return words.traceback if words else ""


def was_seen(live: LiveRun, run: Run, patience_s: float) -> bool:
    """Whether a line came, or a process was there, since neat knew the run."""
    return run.process is not None or (run.created_at - live.last_line_at).total_seconds() <= patience_s


def _of_sources(live: LiveRun) -> LastWords | None:
    """By the logs that are read for the run, but for one that was left behind by those written after it."""
    newest = max(map(_written, live.sources.values()), default=0.0)
    done = None
    for name, source in live.sources.items():
        if source.placed.format != "text" or _written(source) < newest - SLACK_S:
            continue
        state = source.cursor.state
        if state.get("traceback"):
            return LastWords(state["traceback"], "", name)
        if state.get("done") and source.cursor.seq:
            done = LastWords("", state["done"], name)
    return done


def _written(source: Source) -> float:
    return source.stamp[1] / 1e9 if source.stamp else 0.0


def _of_folder(scene: Scene, live: LiveRun) -> LastWords:
    """By logs beside, that are no sources."""
    if live.place != live.folder:
        return LastWords()
    if live.last_words is None or scene.clock() >= live.last_words[0]:
        known = {source.path for source in live.sources.values()}
        since = live.last_line_at.timestamp() - SLACK_S
        live.last_words = scene.clock() + LOOK_S, last_words(live.folder, since, known)
    return live.last_words[1]


def _told_well(scene: Scene, live: LiveRun, facts: RunFacts) -> str:
    """By what a trainer writes at its end only, or by a study's trials."""
    step = tails.last_step_named(scene.points, live.run.id, _RUN_TIME)
    if step is not None and facts.last_step is not None and step >= facts.last_step:
        return f"its trainer wrote {_RUN_TIME}, which it does at its end"
    planned, counts = (live.run.facts.get("told") or {}).get("planned_trials"), live.run.config.get("trials")
    if not isinstance(planned, int) or not isinstance(counts, dict):
        return ""
    ended = sum(one for name in ("complete", "pruned", "failed") if isinstance(one := counts.get(name), int))
    return f"all {planned} planned trials have ended" if ended >= planned > 0 and not counts.get("running") else ""
