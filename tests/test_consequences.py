"""What follows from an event besides its line: evidence, a bug, a pause of the queue, snapshots within their budget."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

from neatd.models import Event, GitState, Verdict
from neatd.pipeline import asking, consequences
from neatd.pipeline.acting import _spent
from neatd.pipeline.facts import set_run
from neatd.pipeline.queueing import turn_here
from neatd.pipeline.waiting import why_waiting
from neatd.store import checkpoints, events, jobs, links, pauses, records, requests
from neatd.store.connection import transaction
from tests.conftest import Neat, until
from tests.test_predicting import Life, life, put_rule
from tests.test_retaining import save

RULE = """
rule: non-finite
metrics: [loss]
when: {condition: non_finite}
severity: critical
"""
ALL = RULE + "then: [event, snapshot, bug, pause_queue, stop]\n"


def train(neat: Neat, first: int, *losses: float | None, run: str = "runs/a") -> None:
    """Write lines, None for NaN."""
    for step, loss in enumerate(losses, first):
        neat.metrics(run, f'{{"step": {step}, "time": {time.time()}, "loss": {"NaN" if loss is None else loss}}}')


def good_run(one: Life, neat: Neat, **config: Any) -> None:
    """An earlier run that finished well, with these parameters."""
    folder = neat.root / "runs/good"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config))
    train(neat, 1, 1.0, 0.9, run="runs/good")
    one.turns(2)
    set_run(one.scene, one.run[1], status="finished", reason="exit code 0")


def bugs(one: Life) -> list[Any]:
    return records.list_records(one.scene.records, "bug", one.run[0].project.id)


# ---- the bug ----


def test_one_bug_a_run_and_rule(neat: Neat) -> None:
    """Over several events and lives of the daemon; one that was deleted stays deleted."""
    put_rule(neat, "non-finite", RULE + "then: [bug]\nbudget: {cooldown_points: 1}\n")
    with life(neat) as one:
        train(neat, 1, 1.0, None, 1.0, 1.0, 1.0)
        one.turns()
        (bug,) = bugs(one)
        assert bug.title == "runs/a: non-finite at step 2" and bug.source == "daemon" and "NaN" in bug.body
        (event,) = one.told("non-finite")
        assert event.details["done"] == {"bug": bug.id}
        assert [link[1:] for link in links.links_of(one.scene.records, bug.id)] == [("concerns", event.run_id)]
    with life(neat) as one:
        train(neat, 6, None, 1.0)
        train(neat, 1, 1.0, None, run="runs/b")
        one.turns()
        assert len(one.told("non-finite")) == 3
        assert sorted(one.title for one in bugs(one)) == [
            "runs/a: non-finite at step 2",
            "runs/b: non-finite at step 2",
        ]
        assert neat.ask("neat", "delete", bug.id)[0] == 0
        again = requests.ask(
            one.scene.records, consequences.KIND, None, {"event": one.told("non-finite")[0].id, "then": ["bug"]}
        )
        one.scene.has_orders = True
        one.turns(2)
        assert requests.get_request(one.scene.records, again).status == "done"
        assert [each.title for each in bugs(one)] == ["runs/b: non-finite at step 2"]


def test_the_bug_says_what_is_other_than_in_the_last_good_run(neat: Neat) -> None:
    """Parameters and code, as the event does."""
    put_rule(neat, "non-finite", RULE + "then: [bug]\n")
    with life(neat) as one:
        good_run(one, neat, lr=0.1, depth=2)
        (neat.root / "runs/a").mkdir()
        (neat.root / "runs/a/config.json").write_text('{"lr": 0.3, "depth": 2}')
        train(neat, 1, 1.0, None)
        one.turns(4)
        assert bugs(one)[0].cause == "unknown; against runs/good: lr 0.1 -> 0.3"


def test_a_run_that_was_over_before_it_was_found_holds_up_nobody(neat: Neat) -> None:
    """Neither a bug nor a pause: the history of a project is no news. Its event tells why."""
    put_rule(neat, "non-finite", RULE + "then: [bug, pause_queue]\n")
    train(neat, 1, 1.0, None)
    old = time.time() - 90_000
    os.utime(neat.root / "runs/a/metrics.jsonl", (old, old))
    with life(neat) as one:
        one.turns()
        (event,) = one.told("non-finite")
        assert one.run[1].is_ended and bugs(one) == [] and pauses.paused(one.scene.records) == []
        assert requests.pending(one.scene.records) == []
        assert event.severity == "critical"


# ---- the evidence ----


def told_in_git(neat: Neat, *words: str) -> None:
    names = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    subprocess.run(["git", *names, *words], cwd=neat.root, check=True, capture_output=True)


def test_an_event_keeps_the_difference_to_the_last_good_run(neat: Neat) -> None:
    """Of parameters, of committed code by files, and what is not committed; `neat events` and `neat show` tell of it."""
    put_rule(neat, "non-finite", RULE + "budget: {cooldown_points: 1}\n")
    (neat.root / "train.py").write_text("lr = 1\n")
    told_in_git(neat, "init", "-q")
    told_in_git(neat, "add", "train.py")
    told_in_git(neat, "commit", "-qm", "one")
    with life(neat) as one:
        good_run(one, neat, lr=0.1, api_key="sk-" + "a1B2c3D4" * 5)
        (neat.root / "train.py").write_text("lr = 2\nwd = 1\n")
        told_in_git(neat, "commit", "-qam", "two")
        (neat.root / "train.py").write_text("lr = 3\n")
        (neat.root / "runs/a").mkdir()
        (neat.root / "runs/a/config.json").write_text('{"lr": 0.2}')
        one.now += 10  # git is asked anew
        train(neat, 1, 1.0, None, None, 1.0, 1.0)
        one.turns(4)
        (event,) = one.told("non-finite")
        against = event.details["against"]
        assert (against["name"], against["parameters"]["lr"]) == ("runs/good", [0.1, 0.2])
        assert against["code"] == "1 file, +2 -1: train.py" and against["uncommitted"] == ["train.py"]
        assert "a1B2c3D4" not in json.dumps(event.details)
        (shape,) = [each for each in neat.json("neat", "events") if each["rule"] == "non-finite"]
        assert shape["against"] == against and shape["episode"]["end_step"] == 4
        assert "steps 2-4, peak" in neat.ask("neat", "events")[1]
        shown = neat.ask("neat", "show", event.id)[1]
        assert "against runs/good, the last good run" in shown and "      lr 0.1 -> 0.2\n" in shown
        assert "    code: 1 file, +2 -1: train.py\n    uncommitted\n      train.py\n" in shown
        assert "  episode: steps 2-4" in shown


def test_series_that_say_the_same_join_the_event(neat: Neat) -> None:
    """Their names stand in it, and what follows from it follows once."""
    put_rule(neat, "nan", RULE.replace("[loss]", "['*loss*']") + "then: [bug]\n")
    with life(neat) as one:
        for step, number in enumerate(("1.0", "1.0", "NaN"), 1):
            neat.metrics("runs/a", f'{{"step": {step}, "loss": {number}, "b/loss": {number}, "c/loss": {number}}}')
        one.turns()
        (event,) = one.told("non-finite")
        assert {event.metric, *event.details["also"]["series"]} == {"loss", "b/loss", "c/loss"}
        assert "and 2 other series: " in " ".join(neat.ask("neat", "events")[1].split())
        assert len(bugs(one)) == 1


def test_without_git_no_code_is_called_the_same(neat: Neat) -> None:
    """Nobody knows."""
    put_rule(neat, "non-finite", RULE)
    with life(neat) as one:
        good_run(one, neat, lr=0.1)
        set_run(one.scene, one.run[1], git=GitState())
        train(neat, 1, 1.0, None)
        one.turns(4)
        assert one.told("non-finite")[0].details["against"]["code"] == ""


def test_an_event_keeps_the_last_wrong_answers(neat: Neat) -> None:
    """Up to it, the newest first, without the project's secrets; examples that it has already stay."""
    put_rule(neat, "non-finite", RULE)
    put_rule(
        neat, "sure",
        "rule: sure\nmetrics: [predictions]\nwhen: {condition: predictions, kind: unsure, loss: 1.5}\nseverity: warning\n",
    )  # fmt: skip
    text = (neat.root / "neat.yaml").read_text()
    (neat.root / "neat.yaml").write_text(text + "\nsecrets: ['lab-[0-9]{6}']\n")
    folder = neat.root / "runs/a"
    folder.mkdir(parents=True)
    with (folder / "predictions.jsonl").open("w") as file:
        for step in (1, 2, 9):
            for number in range(4):
                line = {"step": step, "id": f"q{number}", "correct": number > 1, "loss": 2.0, "answer": "lab-123456"}
                file.write(json.dumps(line) + "\n")
    train(neat, 1, 1.0, 1.0, 1.0, None)
    with life(neat) as one:
        one.turns()
        (event,) = one.told("non-finite")
        found = [(each["step"], each["id"]) for each in event.details["examples"]]
        assert found == [(2, "q1"), (2, "q0"), (1, "q1"), (1, "q0")]
        assert "123456" not in json.dumps(event.details["examples"])
        assert {each["id"] for each in one.told("sure")[0].details["examples"]} == {"q2", "q3"}
        assert " 2      q1   2 " in neat.ask("neat", "show", event.id)[1]


def test_a_storm_of_events_is_followed_up_a_part_a_turn(neat: Neat) -> None:
    """So that nothing else waits long; in the end all are done."""
    train(neat, 1, 1.0)
    with life(neat) as one:
        one.turns(2)
        run = one.run[1].run
        with transaction(one.scene.records):
            for step in range(60):
                verdict = Verdict(
                    rule="non-finite", condition="non_finite", metric="loss", seq=step, attempt=1, step=step, time=None,
                    value=float("nan"), message="NaN", then=("event", "bug"),
                )  # fmt: skip
                events._add_verdict(one.scene.records, run, "metrics.jsonl", verdict, run.started_at)
        job = requests.ask(one.scene.records, "retention-undo", None, {})
        one.scene.has_orders = True
        one.loop._take_orders()
        assert len(requests.pending_of(one.scene.records, consequences.KIND)) == 60 - asking.MOST_CONSEQUENCES
        assert requests.get_request(one.scene.records, job).status != "pending"
        one.loop._take_orders()
        one.loop._take_orders()
        assert requests.pending(one.scene.records) == [] and len(bugs(one)) == 1


# ---- the queue ----


def test_a_pause_holds_up_the_jobs_of_its_project(neat: Neat) -> None:
    """Until the user lets them go on, and over a restart; the same event pauses once, the next one anew."""
    put_rule(neat, "non-finite", RULE + "then: [pause_queue]\nbudget: {cooldown_points: 1}\n")
    train(neat, 1, 1.0, None, 1.0, 1.0)
    with life(neat) as one:
        one.turns()
        project = one.run[0].project.id
        assert pauses.why_paused(one.scene.records, project).startswith("non-finite in runs/a: loss NaN at step 2")
        assert pauses.why_paused(one.scene.records, "another") == ""
        mark = neat.root / "mark"
        command = [sys.executable, "-c", f"open({str(mark)!r}, 'w')"]
        job = jobs.add(one.scene.records, project, "job", command, str(neat.root), "")
        asked = requests.ask(one.scene.records, "launch", project, {"job_id": job.id, "root": str(neat.root)})
    with life(neat) as one:
        one.turns()
        assert (
            requests.get_request(one.scene.records, asked).status == "done"
        )  # as an older neat asked: it is in the queue
        waits = why_waiting(one.scene.records, neat.home)[job.id]
        assert waits.lease is None and waits.reason.startswith("paused by a rule: non-finite in runs/a")
        assert "`neat rules go-on`" in waits.until
        assert "waits: paused" in jobs.get_job(one.scene.records, job.id).reason
        assert one.scene.paused[0]["rule"] == "non-finite"
        brief = neat.ask("neat", "brief")[1]
        assert "**Paused:** no job begins until `neat rules go-on`: non-finite in runs/a" in brief
        code, out, _ = neat.ask("neat", "rules", "go-on")
        assert code == 0 and "non-finite in runs/a: loss NaN at step 2" in out and "begin again" in out
        one.turns(2)
        assert jobs.get_job(one.scene.records, job.id).status in ("running", "finished") and one.scene.paused == ()
        until(mark.exists, "the job to run")
        assert "nothing was paused" in neat.ask("neat", "rules", "go-on")[1]
        event = one.told("non-finite")[0]
        requests.ask(one.scene.records, consequences.KIND, project, {"event": event.id, "then": ["pause_queue"]})
        one.scene.has_orders = True
        one.turns(2)
        assert pauses.paused(one.scene.records) == []  # it was let go on
        train(neat, 5, None)
        one.turns(3)
        assert len(pauses.paused(one.scene.records)) == 1


def test_a_command_without_a_daemon_says_what_holds_its_job_up(neat: Neat) -> None:
    """And what to type."""
    put_rule(neat, "non-finite", RULE + "then: [pause_queue]\n")
    train(neat, 1, 1.0, None)
    with life(neat) as one:
        one.turns()
        one.scene.is_lasting = False
        project = one.run[0].project.id
        job = jobs.add(one.scene.records, project, "job", ["true"], str(neat.root), "")
        turn_here(one.scene)
        found = jobs.get_job(one.scene.records, job.id)
        assert found.status == "queued" and found.reason.startswith("waits: paused by a rule")


# ---- snapshots ----


def with_saves(neat: Neat, one: Life, bad: tuple[int, ...], last: int) -> list[Event]:
    """A run with a checkpoint each second step, and a NaN at each of these steps."""
    folder = neat.root / "runs/a"
    folder.mkdir(parents=True, exist_ok=True)
    for step in range(1, last + 1):
        train(neat, step, None if step in bad else 1.0)
        if step % 2 == 0:
            save(folder, step)
    for _, live in one.scene.live_runs():
        live.saves_due = True
    one.turns(3)
    return one.told("non-finite")


BUDGET = RULE + "then: [snapshot]\nbudget: {cooldown_points: 1, snapshots_per_hour: 2}\n"


def snapshots(one: Life) -> list[Any]:
    ours = {each.id for each in one.told("non-finite")}
    return [each for each in reversed(events.snapshots(one.scene.records)) if each.event_id in ours]


def taken(one: Life) -> list[Any]:
    """The snapshots once none waits."""

    def are_done() -> bool:
        for _, live in one.scene.live_runs():
            live.saves_due = True
        one.turns(1)
        found = snapshots(one)
        return bool(found) and all(each.status != "pending" for each in found)

    until(are_done, "the snapshots")
    return snapshots(one)


def test_a_rule_takes_no_more_snapshots_than_its_budget(neat: Neat) -> None:
    """Of one run in an hour; beyond it the checkpoint from before stays where it is, and is not thinned."""
    put_rule(neat, "non-finite", BUDGET)
    with life(neat, checkpoint_rest_s=0.1) as one:
        with_saves(neat, one, (5, 9, 13, 17), 20)
        found = taken(one)
        assert [each.mode for each in found][2:] == ["pin", "pin"] and all(each.path for each in found[:2])
        assert [each.reason for each in found[2:]] == ["2 an hour by this rule's budget"] * 2
        assert found[2].checkpoint_id and not found[2].path
        kept = checkpoints.pins(one.scene.records, one.run[1].run.id)
        assert {found[2].checkpoint_id, found[3].checkpoint_id} <= set(kept)
        code, out, _ = neat.ask("neat", "snapshots")
        assert code == 0 and "2 an hour by this rule's budget" in out
        with transaction(one.scene.records):  # two hours ago
            one.scene.records.execute("UPDATE event SET created_at = '2020-01-01T00:00:00.000000+00:00'")
        with_saves(neat, one, (25,), 26)
        assert taken(one)[-1].path


def test_a_budget_of_none_takes_none(neat: Neat) -> None:
    """0 an hour; of best values too."""
    put_rule(neat, "non-finite", BUDGET.replace("snapshots_per_hour: 2", "snapshots_per_hour: 0"))
    with life(neat, checkpoint_rest_s=0.1) as one:
        with_saves(neat, one, (5,), 6)
        event = one.told("non-finite")[0]
        assert [each.path for each in taken(one)] == [""]
        best = event.model_copy(update={"details": {"condition": "best", "snapshots_per_hour": 0}})
        assert _spent(one.scene, event) == _spent(one.scene, best) == "0 an hour by this rule's budget"


def test_a_snapshot_tells_what_its_event_stands_on(neat: Neat) -> None:
    """metadata.json has the difference to the last good run, and the examples, whichever was done first."""
    put_rule(neat, "non-finite", RULE + "then: [snapshot]\n")
    with life(neat, checkpoint_rest_s=0.1) as one:
        good_run(one, neat, lr=0.1)
        folder = neat.root / "runs/a"
        folder.mkdir(parents=True)
        (folder / "config.json").write_text('{"lr": 0.4}')
        (folder / "predictions.jsonl").write_text('{"step": 1, "id": "q", "correct": false, "loss": 3}\n')
        with_saves(neat, one, (5,), 6)
        (found,) = taken(one)
        told = json.loads((folder / found.path / "metadata.json").read_text())
        assert told["against"]["parameters"] == {"lr": [0.1, 0.4]} and told["examples"][0]["id"] == "q"
