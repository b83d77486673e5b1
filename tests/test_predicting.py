"""Evaluations of predictions, samples of the machine, and stalls judged by a daemon's loop in this process."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil

from neatd.config import Settings
from neatd.daemon import open_scene
from neatd.models import Event, ProcessFact
from neatd.pipeline import sampling, stalling
from neatd.pipeline.facts import set_run
from neatd.pipeline.following import refresh_status
from neatd.pipeline.loop import Loop
from neatd.pipeline.scene import LiveProject, LiveRun, Scene
from neatd.store import events
from neatd.watch.observer import Watcher
from tests.conftest import Neat

UNSURE = """
rule: unsure
metrics: [predictions]
when: {condition: predictions, kind: unsure, loss: 1.5}
severity: info
"""


class Life:
    """A daemon's loop whose clock the test moves."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.now = scene, 1000.0
        scene.clock = lambda: self.now
        self.loop = Loop(scene, Watcher())
        self.loop.prepare()

    def turns(self, count: int = 4, seconds: float = 1.0) -> None:
        """Some turns, so far apart."""
        for _ in range(count):
            self.now += seconds
            for _, live in self.scene.live_runs():
                live.look_by(0.0)
            self.loop.step(())

    @property
    def run(self) -> tuple[LiveProject, LiveRun]:
        return next(iter(self.scene.live_runs()))

    def told(self, rule: str) -> list[Event]:
        """The events of a rule, the oldest first."""
        return [one for one in reversed(events.events(self.scene.records)) if one.rule == rule]


@contextmanager
def life(neat: Neat, **settings: Any) -> Iterator[Life]:
    """A life of the daemon, over the store as it is."""
    known = {"sweep_s": 0.1, "stall_s": 3600.0, "lost_s": 7200.0} | settings
    scene = open_scene(neat.home, Settings.model_validate(known))
    with closing(scene.records), closing(scene.points):
        yield Life(scene)


def this_process() -> ProcessFact:
    """The test's own process, which lives."""
    return ProcessFact(pid=os.getpid(), started=psutil.Process().create_time())


def put_rule(neat: Neat, name: str, text: str) -> None:
    path = neat.root / ".neat" / "rules" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def predict(neat: Neat, step: int, *losses: float, first: int = 0, is_correct: bool = True) -> None:
    """Add answers to the run's predictions."""
    path = neat.root / "runs/a/predictions.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        for number, loss in enumerate(losses, first):
            answer = {"step": step, "id": f"q{number}", "correct": is_correct, "loss": loss}
            file.write(json.dumps(answer | {"expected": "4", "answer": f"4 {'x' * 500}"}) + "\n")


# ---- predictions ----


def test_an_evaluation_is_judged_when_the_next_one_begins(neat: Neat) -> None:
    """Once, with the examples; the answers of one that goes on are not judged yet, over a restart of the daemon too."""
    put_rule(neat, "unsure", UNSURE)
    predict(neat, 10, 0.1, 2.0, 3.0)
    with life(neat) as one:
        one.turns()
        assert one.told("unsure") == []
    with life(neat) as one:
        one.turns()
        assert one.told("unsure") == []
        predict(neat, 20, 0.1, 0.1)
        one.turns()
        (event,) = one.told("unsure")
        assert (event.step, event.metric, event.severity) == (10, "predictions", "info")
        assert event.details["beyond"] == 2 and event.details["right"] == 3
        examples = event.details["examples"]
        assert [(each["id"], each["loss"], each["expected"]) for each in examples] == [
            ("q2", 3.0, "4"),
            ("q1", 2.0, "4"),
        ]
        assert len(examples[0]["answer"]) == 200
    with life(neat) as one:
        predict(neat, 30, 0.1)
        one.turns()
        assert len(one.told("unsure")) == 1


def test_a_file_at_rest_ends_its_evaluation(neat: Neat) -> None:
    """What comes later of the same step is judged with it, and told no second time."""
    put_rule(neat, "unsure", UNSURE)
    predict(neat, 10, 0.1, 2.0)
    with life(neat) as one:
        one.turns()
        assert one.told("unsure") == []
        one.turns(count=3, seconds=30.0)
        assert [each.step for each in one.told("unsure")] == [10]
        predict(neat, 10, 2.0, 2.0, first=5)
        predict(neat, 20, 2.0)
        one.turns()
        one.turns(count=3, seconds=30.0)
        assert [each.step for each in one.told("unsure")] == [10, 20]


def test_the_end_of_a_run_ends_its_last_evaluation(neat: Neat) -> None:
    """Nothing is left over of a run that is lost, and an example that was asked twice counts once."""
    put_rule(neat, "unsure", UNSURE)
    predict(neat, 10, 0.1, 2.0)
    predict(neat, 10, 0.1, 2.5)
    with life(neat) as one:
        one.turns(2)
        _, live = one.run
        set_run(one.scene, live, status="running")
        live.last_line_at = datetime.now(UTC) - timedelta(days=2)
        one.turns()
        assert live.is_ended
        (event,) = one.told("unsure")
        assert event.details["right"] == 2 and event.details["examples"][0]["loss"] == 2.5


def test_a_secret_in_an_answer_is_not_kept(neat: Neat) -> None:
    """Neither a known kind, nor one that the project describes."""
    put_rule(neat, "unsure", UNSURE)
    text = (neat.root / "neat.yaml").read_text()
    (neat.root / "neat.yaml").write_text(text + "\nsecrets: ['lab-[0-9]{6}']\n")
    path = neat.root / "runs/a/predictions.jsonl"
    path.parent.mkdir(parents=True)
    line = {"step": 1, "id": "q", "correct": True, "loss": 9.0, "expected": "lab-123456", "answer": "ghp_" + "a1B2" * 9}
    path.write_text(json.dumps(line) + "\n" + json.dumps(line | {"step": 2}) + "\n")
    with life(neat) as one:
        one.turns()
        kept = json.dumps(one.told("unsure")[0].details)
    assert "123456" not in kept and "a1B2a1B2" not in kept


# ---- samples of the machine ----

MEMORY = """
rule: memory
metrics: ["system/rss_bytes"]
when: {condition: above, limit: 1}
"""
ANY = """
rule: any
metrics: ["*"]
when: {condition: above, limit: 1}
"""


def test_samples_are_judged_a_minute_at_a_time_and_once(neat: Neat) -> None:
    """By rules that name them and no other ones; a restart between two samples changes nothing."""
    put_rule(neat, "memory", MEMORY)
    put_rule(neat, "any", ANY)
    neat.metrics("runs/a", {"step": 1, "loss": 0.5})

    def samples(count: int, ends: bool = False) -> list[Event]:
        with life(neat, stall_s=36000.0) as one:
            one.turns(1)
            _, live = one.run
            set_run(one.scene, live, process=this_process(), status="running")
            one.turns(count=count, seconds=sampling.SAMPLE_S + 0.1)
            if ends:
                set_run(one.scene, live, process=None)
                live.last_line_at = datetime.now(UTC) - timedelta(days=2)
                one.turns()
            assert one.told("any") == []
            return one.told("memory")

    assert samples(4) == []
    (first,) = samples(4)
    assert (first.metric, first.details["condition"]) == ("system/rss_bytes", "above")
    assert samples(1, ends=True) == [first]
    with life(neat) as one:
        one.turns(2)
        _, live = one.run
        stream = live.streams[sampling.STREAM]
        assert (stream.seq, stream.judged_seq, stream.judge) == (11, 11, None)


# ---- stalls ----

STALLED = """
rule: stalled
metrics: ["loss"]
when: {condition: stalled, factor: 5, min_gap_s: 1, min_points: 2}
then: [alert]
"""


def stalled(neat: Neat, rule: str) -> list[Event]:
    """What is told of a run that stands still after 30 steps, that goes on, and that stands still once more."""
    put_rule(neat, "stalled", rule)
    begun = time.time() - 1000
    neat.metrics("runs/a", *({"step": step, "loss": 1.0, "time": begun + step} for step in range(30)))
    with life(neat, stall_s=60.0) as one:
        one.turns(2)
        project, live = one.run
        for at, step in ((500, 30), (900, 31)):
            live.last_line_at = datetime.now(UTC) - timedelta(minutes=5)
            set_run(one.scene, live, process=this_process(), status="running")
            refresh_status(one.scene, project, live)
            refresh_status(one.scene, project, live)
            assert live.run.status == "stalled"
            neat.metrics("runs/a", {"step": step, "loss": 1.0, "time": begun + at})
            one.turns()
        return one.told("stalled")


def test_a_stall_is_told_while_it_lasts_and_once(neat: Neat) -> None:
    """The point after the pause says nothing new; the next pause is another stall."""
    first, second = stalled(neat, STALLED)
    assert (first.metric, first.step, first.severity, first.details["condition"]) == ("", 29, "warning", "stalled")
    assert first.message.startswith("runs/a stands still at step 29: silent since") and "alive" in first.message
    assert (second.metric, second.step) == ("", 30)


def test_a_pause_that_nobody_saw_is_told_by_the_points(neat: Neat) -> None:
    """As after a stop of the daemon."""
    put_rule(neat, "stalled", STALLED)
    neat.metrics("runs/a", *({"step": step, "loss": 1.0, "time": 1e9 + step + 500 * (step > 20)} for step in range(30)))
    with life(neat) as one:
        one.turns(2)
        assert [(each.metric, each.step) for each in one.told("stalled")] == [("loss", 21)]


def test_a_stall_is_not_told_where_its_rule_is_off(neat: Neat) -> None:
    """By the project, whatever is shipped."""
    assert stalled(neat, STALLED + "enabled: false\n") == []


def test_a_silent_run_without_a_process_is_no_stall(neat: Neat) -> None:
    """It may have ended: its status says that it is silent, and no event does."""
    put_rule(neat, "stalled", STALLED)
    neat.metrics("runs/a", {"step": 1, "loss": 1.0})
    with life(neat, stall_s=60.0) as one:
        one.turns(2)
        project, live = one.run
        live.last_line_at = datetime.now(UTC) - timedelta(minutes=5)
        refresh_status(one.scene, project, live)
        assert live.run.status == "stalled" and one.told("stalled") == []
        assert stalling.not_told_yet(one.scene, live, []) == []
