"""What is written down when a job is queued, `neat launch` and `neat train`, and jobs tried again or gone on with."""

from __future__ import annotations

import json
import os
import stat
import sys
import zlib
from pathlib import Path

import pytest

from neatd.config import ProjectConfig
from neatd.errors import NeatError
from neatd.models import Project
from neatd.pipeline.enqueueing import Wanted, enqueue, read_frozen
from neatd.place import here
from neatd.store import jobs
from tests.cli_place import Cli
from tests.queue_made import launch, set_up
from tests.repos_made import git

SECRET = "sk-proj-" + "a1B2" * 10


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """A project whose queue is paused: nothing begins."""
    return set_up(Cli(tmp_path, monkeypatch, capsys))


def queue_one(cli: Cli, wanted: Wanted) -> str:
    place = here()
    project = Project(id=place.project_id, name="p", root=str(place.root))
    with cli.store() as store:
        return enqueue(store, cli.home, place.root, project, wanted, ProjectConfig(id=place.project_id)).id


# ---- what is frozen ----


def test_the_whole_environment_is_kept_for_its_owner_and_nowhere_else(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables of who queued it and those of --env; what neat sets for its own children is not the job's."""
    monkeypatch.setenv("API_TOKEN", SECRET)
    monkeypatch.setenv("NEAT_JOB_ID", "j-outer")
    asked = launch(cli, "--env", "SEED=2", "--env", "EMPTY=", "--", "python", "train.py", "--api-key", SECRET)
    path = cli.home / "jobs" / asked["job"] / "frozen.json"
    assert os.name == "nt" or stat.S_IMODE(path.stat().st_mode) == 0o600
    frozen = read_frozen(cli.home, asked["job"])
    assert frozen.env["API_TOKEN"] == SECRET and frozen.env["SEED"] == "2" and frozen.env["EMPTY"] == ""
    assert "NEAT_JOB_ID" not in frozen.env and frozen.cwd == str(cli.root)
    assert frozen.command[1:] == ("train.py", "--api-key", SECRET) and Path(frozen.command[0]).is_absolute()
    assert asked["python"] == frozen.command[0] and SECRET not in json.dumps(asked)
    for words in (("queue",), ("queue", "--json"), ("show", asked["job"]), ("show", asked["job"], "--json")):
        assert SECRET not in cli.ok(*words) and "SEED" not in cli.ok(*words)


def test_the_commit_and_what_is_not_committed_are_kept(cli: Cli) -> None:
    """The change against HEAD without secrets, beside; the row counts the files."""
    git(cli.root, "init", "-q", "-b", "trunk")
    (cli.root / "train.py").write_text("lr = 1\n")
    git(cli.root, "add", ".")
    git(cli.root, "commit", "-q", "-m", "first")
    (cli.root / "train.py").write_text(f'lr = 2\nkey = "{SECRET}"\n')
    (cli.root / "new.py").write_text("x = 1\n")
    asked = launch(cli, "--", sys.executable, "train.py")
    shown = cli.json("show", asked["job"])
    assert (shown["branch"], shown["commit_id"], shown["dirty"]) == ("trunk", git(cli.root, "rev-parse", "HEAD"), 2)
    text = zlib.decompress(Path(shown["diff"]).read_bytes()).decode()
    assert "+lr = 2" in text and "+x = 1" in text and SECRET not in text
    git(cli.root, "add", ".")
    git(cli.root, "commit", "-q", "-m", "second")
    clean = cli.json("show", launch(cli, "--", sys.executable, "train.py")["job"])
    assert clean["dirty"] == 0 and clean["diff"] is None


def test_a_job_runs_in_the_folder_where_it_was_queued(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also below the project's own; that is kept too."""
    (cli.root / "sub").mkdir()
    monkeypatch.chdir(cli.root / "sub")
    shown = cli.json("show", launch(cli, "--", sys.executable, "-c", "pass")["job"])
    assert (shown["cwd"], shown["root"]) == (str(cli.root / "sub"), str(cli.root))


def test_a_program_that_is_not_there_is_refused_at_once(cli: Cli) -> None:
    """So is a job that comes after none; nothing is left of either."""
    assert "no program 'no-such-thing'" in cli.refused("launch", "--", "no-such-thing", "x")
    assert "no job 'nobody'" in cli.refused("launch", "--after", "nobody", "--", sys.executable, "-c", "pass")
    with pytest.raises(NeatError, match="no job or study j-gone"):
        queue_one(cli, Wanted((sys.executable, "x.py"), after=("any:j-gone",)))
    with pytest.raises(NeatError, match="no folder"):
        queue_one(cli, Wanted((sys.executable, "x.py"), cwd=cli.root / "none"))
    assert cli.json("queue", "--all") == [] and [one.name for one in (cli.home / "jobs").glob("j-*")] == []


def test_the_repositorys_own_python_is_not_run(cli: Cli) -> None:
    """An environment is made here; one that a clone carries, as a file or as a link, is refused."""
    git(cli.root, "init", "-q")
    python = cli.root / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    assert launch(cli, "--", "python", "a.py")["python"] == str(python)
    git(cli.root, "add", "-f", ".venv")
    assert "is part of the repository" in cli.refused("launch", "--", "python", "a.py")
    git(cli.root, "rm", "-rq", "--cached", ".venv")
    (cli.root / ".venv").rename(cli.root.parent / "elsewhere")
    (cli.root / ".venv").symlink_to(cli.root.parent / "elsewhere")
    git(cli.root, "add", "-f", ".venv")
    assert "is part of the repository" in cli.refused("launch", "--", "python", "a.py")


def test_no_way_around_leads_to_the_repositorys_own_python(cli: Cli) -> None:
    """Not by a path that leads back in by another name, nor as a file of a submodule."""
    git(cli.root, "init", "-q")
    python = cli.root / "tools" / "deep" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    (cli.root.parent / "other").symlink_to(cli.root)
    config = cli.root / "neat.yaml"
    text = config.read_text()
    git(cli.root, "add", "-f", "tools")
    config.write_text(f"{text}python: ../other/tools/deep/bin/python\n")
    assert "is part of the repository" in cli.refused("launch", "--", "python", "a.py")
    git(cli.root, "rm", "-rq", "--cached", "tools")
    git(cli.root / "tools", "init", "-q")
    git(cli.root / "tools", "add", "-f", "deep")
    config.write_text(f"{text}python: tools/deep/bin/python\n")
    assert "is part of the repository" in cli.refused("launch", "--", "python", "a.py")


def test_neat_yaml_names_the_python(cli: Cli) -> None:
    """By a word or a path; what is neither is a mistake of that file."""
    config = cli.root / "neat.yaml"
    text = config.read_text()
    config.write_text(f"{text}python: {sys.executable}\n")
    assert launch(cli, "--", "python3", "a.py")["python"] == sys.executable
    for wrong in ("-c", "rm", "/bin/sh", "a/python/../sh", "envs/python\\n"):
        config.write_text(f'{text}python: "{wrong}"\n')
        assert "python: " in cli.refused("launch", "--", "python", "a.py")


# ---- launch ----


def test_what_is_asked_for_is_in_the_row(cli: Cli) -> None:
    """Each option; an earlier job is named by its name or the beginning of its id."""
    first = launch(cli, "--name", "first", "--", sys.executable, "-c", "pass")
    asked = launch(
        cli, "--name", "wide", "--memory", "8G", "--after", "first", "--after-any", first["job"][:9], "--retry", "2",
        "--priority", "5", "--group", "sweep", "--why", "is width enough?", "--", sys.executable, "-c", "pass",
    )  # fmt: skip
    shown = cli.json("show", asked["job"])
    assert shown["after"] == [first["job"], f"any:{first['job']}"]
    wanted = ("wide", 8 << 30, 2, 5, "sweep", "is width enough?", "queued", "person")
    names = ("name", "memory_bytes", "retries", "priority", "group_name", "why", "status", "who")
    assert tuple(shown[name] for name in names) == wanted
    assert asked["status"] == "queued" and asked["waits"] and asked["name"] == "wide"


def test_a_job_is_named_by_its_program(cli: Cli) -> None:
    """Where nobody names it."""
    assert launch(cli, "--", sys.executable, "src/train.py", "lr=1")["name"] == "train.py"


def test_a_launch_says_why_it_waits_and_what_to_type(cli: Cli) -> None:
    """Without a daemon too."""
    said = cli.ok("launch", "--", sys.executable, "a.py")
    assert "a.py waits as job j-" in said and "the queue is paused: a test" in said and "`neatd start`" in said


@pytest.mark.parametrize(
    "words",
    [("--memory", "lots"), ("--memory", "0"), ("--env", "1X=2"), ("--gpus", "-1"), ("--retry", "many")],
)
def test_wrong_options_are_usage(cli: Cli, words: tuple[str, str]) -> None:
    """Exit code 2; a variable's value is not repeated, as it may be a secret."""
    answer = cli("launch", *words, "--", sys.executable, "a.py")
    assert answer.code == 2 and "1X=2" not in answer.err.partition("Error")[2]


def test_what_has_room_runs_without_a_daemon(cli: Cli) -> None:
    """The command looks at the queue itself; the job has its variables and outlives it."""
    cli.ok("queue", "go-on")
    program = "import os; print(os.environ['SEED'], os.environ['NEAT_JOB_ID'])"
    asked = launch(cli, "--env", "SEED=7", "--", sys.executable, "-c", program)
    assert asked["status"] in ("running", "finished") and "waits" not in asked
    log = cli.home / "jobs" / asked["job"] / "output.log"
    from tests.conftest import until

    assert until(lambda: log.exists() and log.read_text(), "its output") == f"7 {asked['job']}\n"


# ---- train ----


def test_a_trainer_is_queued_with_its_parameters(cli: Cli) -> None:
    """Checked against trainer.yaml; its folder may be taken once. Tries after the first one go on."""
    assert "no parameter 'sped'" in cli.refused("train", "lm", "sped=1")
    assert "is not a whole number" in cli.refused("train", "lm", "steps=many")
    asked = cli.json("train", "lm", "--name", "a", "steps=3", "--why", "small")
    shown = cli.json("show", asked["job"])
    assert asked["folder"] == asked["name"] == "runs/a" and asked["status"] == "queued"
    assert (shown["what"], shown["why"], shown["status"]) == ("train", "small", "queued")
    assert shown["command"][-1] == "steps=3" and shown["command"][1].endswith("train.py")
    assert "is being trained by job" in cli.refused("train", "lm", "--name", "a")
    tried = cli.json("train", "lm", "--name", "b", "steps=3", "--retry", "1")
    assert tried["command"][-1] == "resume=true"
    with cli.store() as store:
        assert jobs.get_job(store, asked["job"]).params == {"steps": "3"}
