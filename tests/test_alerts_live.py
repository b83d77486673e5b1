"""An alert from a line in a file to the message that arrives, through the daemon's own loop."""

from __future__ import annotations

from contextlib import closing

from neatd.config import Settings
from neatd.pipeline.loop import Loop
from neatd.pipeline.scene import Scene
from neatd.read.checkpoint import RestWatch
from neatd.store.opening import connect
from neatd.watch.observer import Watcher
from tests.alerts_made import hooked, settings
from tests.conftest import Neat, until


def test_the_daemons_loop_sends_what_a_rule_alerts(neat: Neat) -> None:
    """From a line in a file to the message, through reading and judging."""
    with hooked() as hook:
        settings(neat.home, f'name: team, url: "{hook.url()}"')
        rules = neat.root / ".neat" / "rules"
        rules.mkdir(parents=True)
        rules.joinpath("mine.yaml").write_text(  # in the place of the shipped one
            "rule: non-finite\nmetrics: [loss]\nwhen: {condition: non_finite}\nseverity: critical\nthen: [alert]\n"
        )
        neat.metrics("runs/a", {"step": 1, "loss": 1.0}, '{"step": 2, "loss": NaN}')
        scene = Scene(neat.home, Settings(), connect(neat.home, "neat"), connect(neat.home, "points"), RestWatch(1.0))
        with closing(scene.records), closing(scene.points):
            loop = Loop(scene, Watcher())
            loop.prepare()
            until(lambda: loop.step(()) is not None and hook.got, "the message")
            loop.alerts.finish(20.0)
        assert [one["title"] for one in hook.got] == ["critical non-finite in runs/a (project)"]
