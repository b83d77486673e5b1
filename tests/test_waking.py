"""A daemon that starts where everything was judged before wakes no detector: a thousand old runs cost no memory."""

from __future__ import annotations

from contextlib import closing

from neatd.config import Settings
from neatd.daemon import open_scene
from neatd.pipeline.loop import Loop
from neatd.watch.observer import Watcher
from tests.conftest import Neat, until
from tests.fault_matrix import is_all_judged


def test_what_is_judged_is_looked_up_and_not_judged_again(neat: Neat) -> None:
    """In the process, for nothing outside tells how many detectors are held."""
    neat.metrics("runs/a", *({"step": step, "loss": 1 / step} for step in range(1, 6)))
    neat.start()
    neat.wait_for_points("runs/a", "loss", 5)
    until(lambda: is_all_judged(neat.home), "all of it judged")
    neat.call("neatd", "stop")
    scene = open_scene(neat.home, Settings())
    with closing(scene.records), closing(scene.points):
        loop = Loop(scene, Watcher())
        loop.prepare()
        loop.step(())
        streams = [stream for _, live in scene.live_runs() for stream in live.streams.values()]
    assert [(one.judged_seq, one.judge) for one in streams] == [(5, None)]
