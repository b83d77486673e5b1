"""The studies' turn in the test's own process: jobs end as the test says, and their trials by what is in the store."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
import yaml

from neatd.jobs import shim
from neatd.models import Job, Trial
from neatd.pipeline import asker, facts, finding, studying, trials
from neatd.pipeline.scene import LiveRun, Scene
from neatd.store import jobs, requests, runs, studies
from neatd.store.connection import transaction
from neatd.store.moments import utc_now
from tests.cli_place import Cli
from tests.conftest import until
from tests.studies_made import InThisProcess
from tests.upkeep_made import scene_of, set_up

SPEC: dict[str, Any] = {
    "name": "quick", "command": "python t.py {out} {lr} {dim}", "space": {"lr": [0.1, 0.2, 0.3], "dim": [8, 16]},
    "goal": {"metric": "val/loss", "steps": 2}, "sampler": {"kind": "grid"}, "trials": 4, "parallel": 2,
}  # fmt: skip


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return set_up(Cli(tmp_path, monkeypatch, capsys))


class Search:
    """A study and the daemon's part of it."""

    def __init__(self, cli: Cli, scene: Scene) -> None:
        self.cli, self.scene = cli, scene
        self.id = cli.json("study", "status")["id"]

    def turn(self) -> list[Trial]:
        """One look at the studies, and all trials after it."""
        self.scene.searches.next_look = 0.0
        studying.turn(self.scene)
        return studies.trials(self.scene.records, self.id)

    def turns(self, statuses: str) -> list[Trial]:
        """Looks until the trials stand so: a letter each, as `ffq` for two finished (or failed) and a queued one."""
        found: list[Trial] = []

        def is_so() -> bool:
            found[:] = self.turn()
            return "".join(one.status[0] for one in found) == statuses

        until(is_so, f"trials {statuses}, not {[one.status for one in found]}")
        return found

    def job(self, number: int) -> Job:
        return jobs.get_job(self.scene.records, trials.trial_job_id(self.id, number))

    def end(self, number: int, losses: list[float], status: str = "finished", reason: str = "exit code 0") -> None:
        """A trial's job ends so, its run having written these losses."""
        job = self.job(number)
        self.cli.add_run(job.run_folder, {"val/loss": losses} if losses else {})
        jobs.set_job(self.scene.records, job.id, status=status, reason=reason, started_at=utc_now(), ended_at=utc_now())

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.cli.json("study", "status")
        return found


@contextmanager
def search(cli: Cli, **changes: Any) -> Iterator[Search]:
    """A study as the file says, created; the daemon's part of it, in this process."""
    (cli.root / "s.yaml").write_text(yaml.safe_dump(SPEC | changes))
    cli.ok("study", "create", "s.yaml")
    with scene_of(cli) as scene:
        scene.searches.asker = InThisProcess()
        yield Search(cli, scene)
        scene.searches.asker.rest()


def test_trials_are_jobs_of_a_group_with_what_they_run_with(cli: Cli) -> None:
    """Two at a time; each job named by its trial, its environment in a file of its own that nobody else reads."""
    with search(cli) as one:
        found = one.turns("qq")
        job = one.job(1)
        out = str(cli.root / "runs/quick/trial-0001")
        params = found[0].params
        assert job.command[-3:] == (out, str(params["lr"]), str(params["dim"])) and job.kind == "command"
        assert (job.group_name, job.study_id, job.trial) == ("study:quick", one.id, 1)
        assert jobs.groups(one.scene.records)["study:quick"].parallel == 2
        frozen = cli.home / "jobs" / job.id / "frozen.json"
        assert frozen.stat().st_mode & 0o077 == 0 and "PATH" in frozen.read_text()
        one.end(1, [3.0, 1.0, 2.0])
        one.end(2, [3.0, 2.0, 2.5])
        found = one.turns("ffqq")
        assert [(t.value, t.value_step, t.last_step) for t in found[:2]] == [(1.0, 2, 3), (2.0, 2, 3)]
        one.end(3, [0.5, 0.75])
        one.end(4, [3.0, 3.0])
        one.turns("ffff")
        until(lambda: one.turn() and one.status()["status"] == "finished", "its end")
        assert one.status()["best"]["trial"] == 3 and one.status()["reason"] == "4 of 4 trials ended with a value"


def test_a_lost_trial_is_tried_once_more_and_a_failed_one_is_not(cli: Cli) -> None:
    """Lost, interrupted, killed from outside: a new trial that is linked. What the program itself said stays."""
    with search(cli, trials=3, parallel=3, goal={"metric": "val/loss", "steps": 4}) as one:
        one.turns("qqq")
        one.end(1, [], "lost", "the process is gone and left no exit code")
        one.end(2, [3.0, math.nan], "failed", "exit code 1")
        one.end(3, [3.0, 2.0])
        found = one.turns("fffq")
        assert found[0].reason.startswith("lost: ") and (found[3].retry_of, found[3].params) == (1, found[0].params)
        assert found[1].diverged and found[1].reason == "failed: exit code 1; it had diverged"
        assert found[2].reason == "ended at step 2 of at least 4"
        one.end(4, [], "killed", "killed by SIGKILL")
        found = one.turns("ffff")
        until(lambda: one.turn() and one.status()["status"] == "finished", "its end: once more, and no more")
        assert one.status()["trials"] == 3 and one.status()["diverged"] == [2]


def test_the_run_of_a_trial_has_its_parameters_where_its_own_files_do_not_say_otherwise(cli: Cli) -> None:
    """Before its job is tied to it, by its folder; elsewhere by its job. A name in its own files is theirs."""
    with search(cli, trials=2, command="python t.py out={out} lr={lr} dim={dim}") as one:
        params = one.turns("qq")[0].params
        project = one.scene.projects[str(cli.root)]

        def met(folder: str, job_id: str | None = None) -> LiveRun:
            live = finding.follow(one.scene, project, cli.root / folder)
            facts.set_run(one.scene, live, job_id=job_id)
            facts.refresh_facts(one.scene, project, live)
            return live

        live = met("runs/quick/trial-0001")
        assert live.run.job_id is None and live.run.config == params
        found = cli.json("runs", f"cfg.dim:{params['dim']} trial-0001")
        assert [shape["id"] for shape in found] == [live.run.id]
        (cli.root / "runs/quick/trial-0001/config.json").write_text('{"optim": {"lr": 0.5}, "seed": 1}')
        met("runs/quick/trial-0001")
        assert live.run.config == {"optim": {"lr": 0.5}, "seed": 1, "dim": params["dim"]}
        assert met("elsewhere").run.config == {} and cli.json("run", "show", "elsewhere")["study"] is None
        assert met("elsewhere", job_id=one.job(1).id).run.config == params
        told = {"id": one.id, "name": "quick", "trial": 1, "status": "queued", "reason": ""}
        assert cli.json("run", "show", "trial-0001")["study"] == cli.json("run", "show", "elsewhere")["study"] == told


def test_a_crash_between_any_two_rows_leaves_nothing_doubled(cli: Cli) -> None:
    """A point planned and no job, a job's folder and no row: the next daemon goes on from the rows."""
    with search(cli, trials=2) as one:
        study = studies.get_study(one.scene.records, one.id)
        job_id = trials.trial_job_id(one.id, 1)
        (cli.home / "jobs" / job_id).mkdir(parents=True)
        shim.write_json(cli.home / "jobs" / job_id / "frozen.json", {"command": [], "cwd": "/", "env": {}})
        until(lambda: len(one.turn()) == 2, "the points")
        with scene_of(cli) as other:  # as a daemon that knows nothing
            other.searches.asker = InThisProcess()
            studying.look_at(other, study.id, None)
            studying.look_at(one.scene, study.id, None)
            other.searches.asker.rest()
        assert len(one.turn()) == len(jobs.jobs(one.scene.records)) == 2
        assert str(cli.root) in (cli.home / "jobs" / job_id / "frozen.json").read_text()


def test_a_study_whose_trials_all_fail_is_ended(cli: Cli) -> None:
    """A mistake in the command is not tried fifty times; it says what it was, and can go on once it is mended."""
    with search(cli, trials=6, parallel=6) as one:
        one.turns("qqqqqq")
        for number in range(1, 7):
            one.end(number, [], "failed", "exit code 2")
        one.turns("ffffff")
        until(lambda: one.turn() and one.status()["status"] == "failed", "its end")
        assert "trials failed: failed: exit code 2" in one.status()["reason"]
        assert "0 cancelled" not in cli.ok("study", "resume", "quick", "--trials", "6")


def test_a_hopeless_trial_is_stopped_by_the_daemon(cli: Cli) -> None:
    """The pruner is fed by the points in the store; its word is kept with the request that ends the job."""
    pruner = {"kind": "median", "startup": 1, "warmup": 2}
    with search(cli, trials=2, pruner=pruner) as one:
        one.turns("qq")
        one.end(1, [1.0, 1.0, 1.0])
        one.turns("fq")
        job = one.job(2)
        jobs.set_job(one.scene.records, job.id, status="running", started_at=utc_now())
        made = cli.add_run(job.run_folder, {"val/loss": [9.0, 9.0, 9.0]}, status="running", ended_at=None)

        def is_pruned() -> bool:
            one.scene.searches.live[one.id].next_report = 0.0
            return one.turn()[1].pruned_step is not None

        until(is_pruned, "the pruner's word")
        assert [ask.payload["job"] for ask in requests.pending_of(one.scene.records, "stop-job")] == [job.id]
        fields = {
            "status": "killed",
            "reason": "stopped by the study's pruner: killed by SIGINT",
            "ended_at": utc_now(),
        }
        jobs.set_job(one.scene.records, job.id, **fields)
        assert one.turn()[1].status == "running", "its last lines may be on their way"
        runs.set_run(one.scene.records, made.id, status="killed", reason="killed by SIGINT")
        last = one.turns("fp")[1]
        assert (last.value, last.value_step, last.reason) == (9.0, 2, "pruned at step 2")
        until(lambda: one.turn() and one.status()["status"] == "finished", "its end")


def test_a_person_adds_stops_and_goes_on(cli: Cli) -> None:
    """`enqueue` beside the search, a point that was tried is not tried again; `stop` and `resume` lose none."""
    with search(cli, trials=2, repeats={"values": [1]}, command="python t.py {out} {lr} {dim} {seed}") as one:
        added = cli.json("study", "enqueue", "quick", "lr=0.3", "dim=16", "--why", "the corner")["trials"]
        assert added == [1]
        assert "trial 1 tried that point" in cli.refused("study", "enqueue", "quick", "lr=0.3", "dim=16")
        assert "outside of the study's space" in cli.refused("study", "enqueue", "quick", "lr=0.5", "dim=16")
        assert "no value for dim" in cli.refused("study", "enqueue", "quick", "lr=0.1")
        found = one.turns("qq")
        assert (found[0].chosen_by, found[0].why, found[0].params["seed"]) == ("person", "the corner", 1)
        assert one.job(1).why == "the corner" and one.status()["trials"] == 3
        jobs.set_job(one.scene.records, one.job(2).id, status="running", started_at=utc_now())
        assert "1 that waited cancelled, 1 that run are ended" in cli.ok("study", "stop", "quick")
        assert one.status()["status"] == "cancelled"
        one.end(2, [], "killed", "stopped by a person: killed by SIGINT")
        one.turns("cc")
        assert "2 cancelled trials are tried again" in cli.ok("study", "resume", "quick")
        found = one.turns("ccqq")
        assert [t.retry_of for t in found] == [None, None, 1, 2]
        assert cli.json("study", "list")[0]["planned"] == 0


def test_a_study_that_is_stopped_while_a_turn_goes_on_begins_nothing_more(cli: Cli) -> None:
    """Neither a job for a trial that the turn took for planned, nor a planned trial that is left open for ever."""
    with search(cli, trials=2) as one:
        until(lambda: len(one.turn()) == 2, "the points")
        study = studies.get_study(one.scene.records, one.id)
        live = one.scene.searches.live[one.id]
        cli.ok("study", "stop", "quick")
        with transaction(one.scene.records):
            trials.put_point(one.scene.records, one.id, live.spec, {"lr": 9.0, "dim": 9}, {})
        planned = studies.trials(one.scene.records, one.id)[2]
        trials.begin(one.scene, study, live.spec, trials.read_template(cli.home, one.id), planned)
        assert len(jobs.jobs(one.scene.records)) == 2
        assert not (cli.home / "jobs" / trials.trial_job_id(one.id, 3)).exists()
        studying._end(one.scene, study, "finished", "all came to their end")
        assert one.turns("ccc")[2].reason == "the study ended" and one.status()["status"] == "cancelled"
        assert studies.active(one.scene.records) == []


def test_a_trial_whose_run_a_rule_ended_is_not_tried_again(cli: Cli) -> None:
    """It would diverge again; its reason says that a rule ended it."""
    with search(cli, trials=1, parallel=1) as one:
        one.turns("q")
        one.end(1, [3.0, 9.0], "killed", "killed by SIGINT")
        run = runs.by_folder(one.scene.records, str(cli.root), one.job(1).run_folder)
        assert run is not None
        asked = requests.ask(one.scene.records, "end-run", run.project_id, {"event": "e", "run": run.id})
        requests.set_request(one.scene.records, asked, "done", {"sent": [["INT", 1.0]]})
        assert one.turns("f")[0].reason == "killed: killed by SIGINT; a rule ended it by INT"


def test_a_search_that_prints_something_else_is_begun_anew(tmp_path: Path) -> None:
    """A line that is no answer ends that process; nobody waits for ever for the right one."""
    words = [sys.executable, "-c", "input(); print('a warning of a library'); input()"]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    questions: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
    answers: SimpleQueue[tuple[str, dict[str, Any] | None]] = SimpleQueue()
    questions.put({"study": "st-a"})
    asker.serve(process, questions, answers, tmp_path)
    assert answers.get_nowait() == ("st-a", None) and process.returncode is not None


def test_a_mistyped_metric_pauses_the_study_after_its_first_trial(cli: Cli) -> None:
    """It is told with the name that was meant, as an event too; with `--metric` the trial gets its value and all goes on."""
    with search(cli, goal={"metric": "val/los"}, parallel=1) as one:
        one.turns("q")
        one.end(1, [3.0, 1.0])
        one.turns("f")
        assert [trial.status for trial in one.turn()] == ["failed"]
        said = cli.ok("study", "status")
        assert "quick  1/4 trials  failed: trial 1's run has no val/los, did you mean val/loss?" in said
        assert "`neat study resume quick --metric val/loss` goes on" in said
        assert [event["rule"] for event in cli.json("events") if event["rule"] == "study-metric"] == ["study-metric"]
        cli.ok("study", "resume", "quick", "--metric", "val/loss")
        found = one.turns("fq")
        assert found[0].value == 1.0 and one.status()["status"] == "running"
        cli.ok("study", "stop", "quick")
        assert "have values of val/loss already" in cli.refused("study", "resume", "quick", "--metric", "loss")


def test_a_metric_that_another_trial_writes_is_no_mistake(cli: Cli) -> None:
    """One that ends before its first evaluation, or crashed, is a failed trial and no more."""
    with search(cli) as one:
        one.turns("qq")
        cli.add_run(one.job(1).run_folder, {"train/loss": [1.0]})
        cli.add_run(one.job(2).run_folder, {"val/loss": [1.0, 2.0]})
        ended = {"status": "finished", "reason": "exit code 0", "started_at": utc_now(), "ended_at": utc_now()}
        jobs.set_job(one.scene.records, one.job(1).id, **ended)
        one.turns("fqq")
        assert one.status()["status"] == "running"
