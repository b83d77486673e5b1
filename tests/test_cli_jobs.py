"""Jobs that are there: ended, tried again, gone on with, shown, read; by the beginning of an id, a name, or a run."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from neatd.cli.joboptions import Memory, complete_jobs
from neatd.cli.jobs import stop
from neatd.config import ProjectConfig
from neatd.files import data_path
from neatd.jobs import shim
from neatd.jobs.interpreter import own_interpreter
from neatd.jobs.trainers import build_command, load_trainers
from neatd.models import ProcessFact, Project
from neatd.pipeline.enqueueing import Wanted, enqueue
from neatd.pipeline.jobnames import find_id
from neatd.place import here
from neatd.store import jobs
from tests import queue_made
from tests.cli_place import BEGAN, Cli
from tests.conftest import Neat, until
from tests.queue_made import set_up

WAITS = "import signal, sys, time; open('ready', 'w').close(); time.sleep(300)"
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """A project whose queue is paused: nothing begins."""
    return set_up(Cli(tmp_path, monkeypatch, capsys))


def launch(cli: Cli, *words: str) -> str:
    return str(queue_made.launch(cli, *words)["job"])


def end(cli: Cli, job_id: str, status: str = "failed", reason: str = "exit code 1") -> None:
    """As the daemon writes it."""
    with cli.store() as store:
        jobs.set_job(store, job_id, status=status, reason=reason, exit_code=1, started_at=BEGAN, ended_at=BEGAN)


def train(cli: Cli, *parameters: str) -> str:
    """As `neat train lm --name a` queues it, without asking a Python for torch."""
    spec, place = load_trainers(data_path("trainers"))["lm"], here()
    command = build_command(spec, cli.root / "runs" / "a", parameters)
    project = Project(id=place.project_id, name="project", root=str(cli.root))
    asked = Wanted(command, "runs/a", run_folder="runs/a", kind="train", interpreter=own_interpreter())
    with cli.store() as store:
        return enqueue(store, cli.home, cli.root, project, asked, ProjectConfig(id=place.project_id)).id


def trained(cli: Cli, status: str = "failed", **series: list[float]) -> str:
    """A trainer's job that ended, with its run and two checkpoints; the job's id."""
    job_id = train(cli, "steps=9", "lr=0.1")
    run = cli.add_run("runs/a", series or {"loss": [3.0, 2.0, 1.0]}, job_id=job_id, status=status)
    for step in (1, 3):
        cli.add_save(run, step)
    (cli.root / "runs" / "a" / "metrics.jsonl").write_text("{}\n")
    end(cli, job_id, status)
    return job_id


# ---- names ----


def test_a_job_is_found_by_its_id_its_name_and_its_folders_last_part(cli: Cli) -> None:
    """Of several of one name the newest; an id that begins several is not guessed."""
    old, new = (
        launch(cli, "--name", "runs/a", "--", sys.executable, "x"),
        launch(cli, "--name", "runs/a", "--", sys.executable, "x"),
    )
    with cli.store() as store:
        assert find_id(store, "runs/a") == find_id(store, "a") == new != old
        assert find_id(store, old[:10]) == old
        with pytest.raises(Exception, match="begins several"):
            find_id(store, "j-")
        with pytest.raises(Exception, match="no job 'b'"):
            find_id(store, "b")


def test_a_shell_completes_ids_and_names(cli: Cli) -> None:
    """Those that wait or run first."""
    ended, waits = (
        launch(cli, "--name", "wide", "--", sys.executable, "x"),
        launch(cli, "--name", "wild", "--", sys.executable, "x"),
    )
    end(cli, ended)
    context = click.Context(stop)
    assert [one.value for one in complete_jobs(context, stop.params[0], "j-")] == [waits, ended]
    assert [one.value for one in complete_jobs(context, stop.params[0], "wi")] == ["wild", "wide"]
    assert [one.value for one in complete_jobs(context, stop.params[0], "wide%")] == []


@pytest.mark.parametrize(
    ("text", "count"),
    [("8G", 8 << 30), ("8GiB", 8 << 30), ("8GB", 8 * 10**9), ("1.5g", 3 << 29), ("500M", 500 << 20), ("7", 7),
     ("2 TiB", 2 << 40)],
)  # fmt: skip
def test_sizes_are_read_as_people_write_them(text: str, count: int) -> None:
    """Powers of two, but where the unit says B alone."""
    assert Memory().convert(text, None, None) == count


# ---- stop ----


def test_a_job_that_waits_is_cancelled_at_once(cli: Cli) -> None:
    """Without a daemon; a second time it has ended."""
    job_id = launch(cli, "--name", "wide", "--", sys.executable, "x")
    answer = cli.json("stop", "wide")
    assert (answer["job"], answer["status"], answer["outcome"]) == (job_id, "cancelled", "cancelled before it began")
    shown = cli.json("show", job_id)
    assert (shown["status"], shown["reason"]) == ("cancelled", "cancelled by a person") and shown["ended_at"]
    assert "has ended: cancelled" in cli.refused("stop", job_id[:9])


@posix
def test_a_job_that_runs_is_ended_without_a_daemon(cli: Cli) -> None:
    """By INT, as a person would; it says which signal it was."""
    cli.ok("queue", "go-on")
    job_id = launch(cli, "--", sys.executable, "-c", WAITS)
    until((cli.root / "ready").exists, "the job")
    answer = cli.json("stop", job_id)
    assert (answer["outcome"], answer["status"]) == ("ended by INT", "killed")
    assert answer["reason"].startswith("stopped by a person: ")


def test_a_run_that_neat_did_not_start_is_not_ended(cli: Cli) -> None:
    """It says what would: by hand, or a rule that the user allowed."""
    process = ProcessFact(pid=4242, started=1.0, command="python x")
    cli.add_run("runs/own", {"loss": [1.0]}, process=process.model_dump(), status="running")
    said = cli.refused("stop", "runs/own")
    assert "runs/own was not started by neat" in said and "neat allow stop" in said and "kill -INT 4242" in said


# ---- retry ----


def test_a_job_is_tried_again_from_what_was_frozen(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Command, folder and environment are those of the first time; the two name each other."""
    monkeypatch.setenv("SEED", "1")
    job_id = launch(cli, "--name", "wide", "--why", "width", "--", sys.executable, "x")
    assert "is queued" in cli.refused("retry", "wide")
    end(cli, job_id)
    monkeypatch.setenv("SEED", "2")
    again = cli.json("retry", "wide")["job"]
    first, second = (json.loads((cli.home / "jobs" / one / "frozen.json").read_text()) for one in (job_id, again))
    assert first == second and first["env"]["SEED"] == "1"
    shown = cli.json("show", again)
    assert (shown["retry_of"], shown["why"], shown["name"], shown["status"]) == (job_id, "width", "wide", "queued")
    tries = [(one["id"], one["status"]) for one in cli.json("show", job_id)["tries"]]
    assert tries == [(job_id, "failed"), (again, "queued")]
    assert f"try {job_id[:9]}: failed, exit code 1" in cli.ok("show", again)


def test_a_job_whose_frozen_state_is_gone_is_not_guessed(cli: Cli) -> None:
    """Its folder was removed, or it is of an older neat."""
    job_id = launch(cli, "--", sys.executable, "x")
    end(cli, job_id)
    (cli.home / "jobs" / job_id / "frozen.json").unlink()
    assert "is not there" in cli.refused("retry", job_id)
    assert len(cli.json("queue", "--all")) == 1


def test_a_trial_is_its_studys(cli: Cli) -> None:
    """It counts them, so none is tried again or gone on with behind its back."""
    job_id = launch(cli, "--", sys.executable, "x")
    with cli.store() as store:
        jobs.set_job(store, job_id, study_id="y-1", trial=3, status="failed")
    assert "is trial 3 of a study" in cli.refused("retry", job_id)
    assert "is trial 3 of a study" in cli.refused("resume", job_id)


def test_a_trainers_folder_is_not_begun_anew(cli: Cli) -> None:
    """It would refuse; the hint is to go on."""
    assert "neat resume" in cli.refused("retry", trained(cli))


# ---- resume ----


def test_a_trainer_goes_on_by_itself(cli: Cli) -> None:
    """With resume=true, and with what is said anew."""
    job_id = trained(cli)
    asked = cli.json("resume", "runs/a")
    assert asked["folder"] == "runs/a" and asked["command"][-3:] == ["steps=9", "lr=0.1", "resume=true"]
    shown = cli.json("show", asked["job"])
    assert (shown["retry_of"], shown["why"]) == (job_id, f"goes on with {job_id[:9]} after step 3")
    assert "goes on as job" in cli.refused("resume", job_id)
    cli.ok("stop", asked["job"])
    with_more = json.loads(cli.ok("resume", job_id, "--json", "--", "steps=20"))
    assert with_more["command"][-3:] == ["lr=0.1", "steps=20", "resume=true"]
    cli.ok("stop", with_more["job"])
    assert "has no parameter 'x=1'" in cli.refused("resume", job_id, "--", "x=1")


def test_what_ended_well_is_gone_on_with_only_if_it_is_said(cli: Cli) -> None:
    """Nothing is left to do, as far as anybody knows."""
    trained(cli, "finished")
    assert "has ended well" in cli.refused("resume", "a")
    assert cli.json("resume", "a", "--yes")["status"] == "queued"


def test_without_a_checkpoint_there_is_nothing_to_go_on_from(cli: Cli) -> None:
    """A trainer's job that failed at once."""
    job_id = train(cli)
    end(cli, job_id)
    assert "has no checkpoint yet" in cli.refused("resume", job_id)


def test_a_checkpoint_from_after_a_nan_is_not_good(cli: Cli) -> None:
    """Where the loss stayed NaN, the last one from before it; a trainer takes its newest, and that is told."""
    trained(cli, loss=[3.0, math.nan, math.nan])
    with cli.store() as store:
        run_id = store.execute("SELECT id FROM run").fetchone()[0]
        values = (here().project_id, run_id)
        store.execute(
            "INSERT INTO event (id, project_id, run_id, rule, metric, step, started_at, created_at, severity, dedupe)"
            " VALUES ('e-1', ?, ?, 'non-finite', 'loss', 2, '2026-03-01', '2026-03-01', 'critical', 'x')",
            values,
        )
    (cli.root / "runs" / "a" / "checkpoints" / "step_000003.pt").touch()
    answer = cli("resume", "a")
    assert answer.code == 0 and "its newest checkpoint, step 3; the last good one is step 1" in answer.err


def test_a_persons_program_is_told_by_its_person(cli: Cli) -> None:
    """The words that follow; {checkpoint} is the path. Without words it is refused, and the path is told."""
    job_id = launch(cli, "--name", "own", "--", sys.executable, "train.py", "--lr", "1")
    run = cli.add_run("out/own", {"loss": [1.0]}, job_id=job_id, status="failed")
    save = cli.add_save(run, 7)
    end(cli, job_id)
    said = cli.refused("resume", "own")
    assert "--resume {checkpoint}" in said and str(save) in said
    asked = json.loads(cli.ok("resume", "own", "--json", "--", "--resume={checkpoint}"))
    assert asked["command"][1:] == ["train.py", "--lr", "1", f"--resume={save}"]
    assert cli.json("show", asked["job"])["why"].endswith("after step 7")


def test_after_a_try_that_failed_at_once_the_name_means_the_one_with_a_run(cli: Cli) -> None:
    """By the name; by the failed job's id it is refused, and the run is named. What ended well is no run to go on with."""
    first = launch(cli, "--name", "own", "--", sys.executable, "train.py")
    save = cli.add_save(cli.add_run("out/own", {"loss": [1.0]}, job_id=first, status="failed"), 7)
    end(cli, first)
    second = json.loads(cli.ok("resume", "own", "--json", "--", "--resume", "x"))["job"]
    end(cli, second)
    assert "`neat resume out/own` goes on with that run" in cli.refused("resume", second, "--", "--resume={checkpoint}")
    asked = json.loads(cli.ok("resume", "own", "--json", "--", "--resume={checkpoint}"))
    assert asked["command"][1:] == ["train.py", f"--resume={save}"]
    assert cli.json("show", asked["job"])["retry_of"] == first
    assert "is queued" in cli.refused("resume", "own", "--", "--resume={checkpoint}")


def test_a_slip_in_the_placeholder_is_refused(cli: Cli) -> None:
    """Nothing is queued; ${…} is for the program, JSON too."""
    job_id = launch(cli, "--name", "own", "--", sys.executable, "train.py")
    save = cli.add_save(cli.add_run("out/own", {"loss": [1.0]}, job_id=job_id, status="failed"), 7)
    end(cli, job_id)
    assert "did you mean {checkpoint}?" in cli.refused("resume", "own", "--", "--resume", "{chekpoint}")
    asked = json.loads(cli.ok("resume", "own", "--json", "--", "{checkpoint}", "out=${dir}", '{"a": 1}'))
    assert asked["command"][2:] == [str(save), "out=${dir}", '{"a": 1}']


def test_from_the_commands_first_word_on_all_options_are_its_own(cli: Cli) -> None:
    """With `--` before it and without."""
    bare = json.loads(cli.ok("launch", "--json", sys.executable, "train.py", "--name", "q", "--json"))
    assert bare["command"][1:] == ["train.py", "--name", "q", "--json"] and bare["name"] != "q"
    end(cli, bare["job"])
    asked = json.loads(cli.ok("resume", "--json", bare["job"], "--yes", "more", "--yes"))
    assert asked["command"][1:] == ["train.py", "--name", "q", "--json", "more", "--yes"]


@pytest.mark.parametrize(
    "name", ["..", "a/../b", "a..b", "/a", "a//b", "./a", "a/", "~x", "a\\b", "a\nb", "\x1b[1m", "-x"]
)
def test_names_that_lead_elsewhere_or_break_a_line_are_refused(cli: Cli, name: str) -> None:
    """Of a command and of a trainer's job; nothing is queued."""
    assert "not a name for a job" in cli.refused("launch", f"--name={name}", "--", sys.executable, "x")
    assert "not a name for a run" in cli.refused("train", "lm", f"--name={name}")
    assert cli.json("queue", "--all") == []


def test_what_neat_did_not_start_is_not_gone_on_with(cli: Cli) -> None:
    """Its command is not known to be all that it takes."""
    cli.add_run("runs/own", {"loss": [1.0]})
    assert "neat launch" in cli.refused("resume", "runs/own")


# ---- show and logs ----


def test_a_job_is_shown_with_all_that_a_person_asks_for(cli: Cli) -> None:
    """As text and as JSON; while it waits with the reason."""
    job_id = launch(cli, "--name", "wide", "--memory", "2G", "--", sys.executable, "x", "--password", "hunter2secret")
    text = cli.ok("show", job_id[:10])
    assert "waits: the queue is paused" in text and "memory: 2.1 GB" in text and "hunter2secret" not in text
    end(cli, job_id, "killed", "killed by SIGKILL")
    with cli.store() as store:
        jobs.set_job(store, job_id, peak_bytes=3 << 20, exit_code=-9)
    text = cli.ok("show", job_id)
    assert "reason: killed by SIGKILL" in text and "exit_code: -9" in text and "peak memory: 3.1 MB" in text
    shown: dict[str, Any] = cli.json("show", job_id)
    assert shown["kind"] == "job" and shown["log"].endswith("output.log") and "frozen" not in shown


def test_the_output_of_a_job_that_never_began_says_how_it_stands(cli: Cli) -> None:
    """And a run of a person's own has none here."""
    job_id = launch(cli, "--name", "wide", "--", sys.executable, "x")
    assert "no output yet" in cli.refused("logs", "wide") and "queued" in cli.refused("logs", job_id)
    own = cli.add_run("runs/own", {"loss": [1.0]})
    assert "was not started by neat" in cli.refused("logs", own.name)


# ---- with a daemon ----


@posix
def test_jobs_of_a_daemon_are_launched_and_ended(neat: Neat) -> None:
    """The answer says that it runs; the end names the signal; a job that ignores signals is killed."""
    neat.settings(sweep_s=0.2, cpu_slots=1, stop_term_s=0.3, stop_kill_s=0.6)
    neat.start()
    deaf = "import signal, time; signal.signal(2, 1); signal.signal(15, 1); open('deaf', 'w').close(); time.sleep(300)"
    code, out, err = neat.ask("neat", "launch", "--name", "deaf", "--", sys.executable, "-c", deaf)
    assert code == 0 and "deaf runs as job j-" in out, err
    until((neat.root / "deaf").exists, "the job")
    code, out, _ = neat.ask("neat", "launch", "--name", "next", "--", sys.executable, "-c", "pass")
    assert "next waits as job" in out and "the CPU slot is taken" in out and "`neat queue`" in out
    answer = neat.json("neat", "stop", "deaf")
    assert (answer["outcome"], answer["status"], answer["exit_code"]) == ("ended by KILL", "killed", -9)
    until(lambda: neat.json("neat", "queue") == [], "the next job's end")
    ended = neat.json("neat", "queue", "--all")
    assert [(one["name"], one["status"]) for one in ended] == [("next", "finished"), ("deaf", "killed")]
    assert (neat.home / "jobs" / ended[0]["id"] / shim.EXIT).exists()


def test_a_word_that_is_no_job_nor_run_is_told_as_such(cli: Cli) -> None:
    """And the beginning of a job's id is enough without its `j-`, for one without a run too."""
    job_id = launch(cli, "--", sys.executable, "-c", "pass")
    for command in ("stop", "retry", "logs"):
        assert "no job or run 'nope'" in cli.refused(command, "nope")
    assert cli.json("show", job_id[2:9])["id"] == job_id and cli.json("show", job_id[:7])["id"] == job_id
    assert cli.json("stop", job_id[2:10])["job"] == job_id
