"""How fast a run goes whose lines tell no times: by when they arrive, as the daemon sees its files grow.

Kept among the run's facts as `pace`, so that other processes can tell it. A file that is written in blocks arrives in
blocks: the pace is their mean.
"""

from __future__ import annotations

from neatd.pipeline.facts import set_run
from neatd.pipeline.scene import LiveRun, Scene, Source
from neatd.rules.eta import last_gap
from neatd.rules.timing import pace_of

EVERY_S = 10.0  # the store is written for a run no more often
LEAST = 3  # arrivals: two gaps, as the first may hold what was there before


def note_arrival(scene: Scene, live: LiveRun, source: Source, written: float, is_anew: bool) -> None:
    """A source grew to the run's step at this moment (unix seconds)."""
    if source.is_timed or live.last_step is None:
        return
    arrivals = source.arrivals
    if is_anew or (arrivals and live.last_step < arrivals[-1][0]):
        arrivals.clear()
        if "pace" in live.run.facts:
            set_run(scene, live, facts={name: one for name, one in live.run.facts.items() if name != "pace"})
    if not arrivals or live.last_step > arrivals[-1][0]:
        arrivals.append((live.last_step, written))
    keep_pace(scene, live, source)


def keep_pace(scene: Scene, live: LiveRun, source: Source) -> None:
    """Write the pace down where it is known and the last one is not of just now."""
    now = scene.clock()
    pace = pace_of(source.arrivals) if len(source.arrivals) >= LEAST and now >= live.next_pace else None
    if pace is None:
        return
    live.next_pace = now + EVERY_S
    found = {
        "step_s": pace.step_s, "last_step_s": pace.last_step_s, "pause_s": pace.pause_s, "at_step": int(pace.last_step),
        "at_time": pace.last_time, "gap": last_gap(source.arrivals),
    }  # fmt: skip
    set_run(scene, live, facts={**live.run.facts, "pace": found})
