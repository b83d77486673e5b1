"""Files that are no files, names that are no names, documents without end: none of them holds the daemon or leads it out."""

from __future__ import annotations

import copy
import json
import os
import sqlite3
import time
import uuid
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import Neat, until
from tests.daemons_made import limit, own_daemon

posix = pytest.mark.skipif(os.name == "nt", reason="pipes and devices in folders are POSIX")


def line(step: int) -> dict[str, object]:
    return {"step": step, "loss": 1 / step}


def at(neat: Neat, root: Path) -> Neat:
    """The same home, with commands typed in another project."""
    other = copy.copy(neat)
    other.root = root
    return other


def rows(neat: Neat, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(neat.home / "neat.db")) as records:
        return records.execute(sql).fetchall()


def save(neat: Neat, run: str, count: int) -> Path:
    """A run with `count` checkpoints, as torch writes them; returns their folder."""
    folder = neat.root / run / "checkpoints"
    folder.mkdir(parents=True)
    for step in range(100, 100 * count + 1, 100):
        neat.metrics(run, line(step))
        with zipfile.ZipFile(folder / "part", "w") as archive:
            archive.writestr("data", os.urandom(500))
        (folder / "part").rename(folder / f"step_{step:06d}.pt")
    return folder


def goes_on(neat: Neat, run: str) -> None:
    """Two points, the second written when the first is there: a whole turn of the daemon's lies between them."""
    for step in (1, 2):
        neat.metrics(run, line(step))
        neat.wait_for_points(run, "loss", step)


def stops(neat: Neat) -> bool:
    return neat.call("neatd", "stop", check=False).returncode == 0 and not neat.is_alive()


# ---- names and folders ----


def test_a_run_in_a_hidden_folder_is_another_one_than_its_visible_namesake(neat: Neat) -> None:
    """`.runs/a` and `runs/a` have points of their own, before and after a restart."""
    neat.metrics(".runs/a", *map(line, range(1, 6)))
    neat.metrics("runs/a", *map(line, range(1, 4)))
    neat.start()
    assert len(neat.wait_for_points(".runs/a", "loss", 5)) == 5
    assert len(neat.wait_for_points("runs/a", "loss", 3)) == 3
    neat.call("neatd", "restart")
    neat.metrics(".runs/a", line(6))
    neat.metrics("runs/a", line(4), line(5))
    assert [step for step, _ in neat.wait_for_points(".runs/a", "loss", 6)] == [1, 2, 3, 4, 5, 6]
    assert [step for step, _ in neat.wait_for_points("runs/a", "loss", 5)] == [1, 2, 3, 4, 5]
    assert sorted(one["name"] for one in neat.json("neat", "runs")) == [".runs/a", "runs/a"]


@pytest.mark.parametrize("name", ["../x", ".", "a/../b"])
def test_a_training_is_not_named_by_a_way_through_folders(neat: Neat, name: str) -> None:
    """Such a name is refused before there is a job: its folder would be another run's, or none of runs/."""
    failed = neat.call("neat", "train", "lm", "--name", name, "steps=1", check=False)
    assert failed.returncode == 1 and "hint:" in failed.stderr and "Traceback" not in failed.stderr
    assert rows(neat, "SELECT id FROM job UNION SELECT id FROM request") == []
    assert not (neat.root / "runs").exists() and not (neat.root / "x").exists()


def test_a_consent_does_not_reach_into_a_project_inside(neat: Neat) -> None:
    """The inner project's checkpoints stay though the outer one's are thinned, and its run is the inner one's alone."""
    inner = at(neat, neat.root / "inner")
    inner.root.mkdir()
    (inner.root / "neat.yaml").write_text(f'id: "{uuid.uuid4()}"\n')
    inner.call("neat", "runs")
    config = neat.root / "neat.yaml"
    config.write_text(config.read_text() + "retention: {newest: 2, half: 2, every_steps: 1000}\n")
    neat.call("neat", "allow", "retention")
    kept = save(inner, "runs/a", 12)
    neat.start()
    until(lambda: len(inner.json("neat", "checkpoints", "runs/a")) == 12, "the inner project's checkpoints")
    thinned = save(neat, "runs/b", 12)
    until(lambda: len(list(thinned.iterdir())) < 12, "the outer project's thinning")
    assert len(list(kept.iterdir())) == 12
    assert set(rows(neat, "SELECT root, folder FROM run")) == {(str(inner.root), "runs/a"), (str(neat.root), "runs/b")}


@posix
def test_a_brief_is_not_written_through_a_link_out_of_the_project(neat: Neat, tmp_path: Path) -> None:
    """`.neat` may come with a clone: what it leads to keeps its bytes, and the project's runs are read."""
    outside = tmp_path / "outside"
    (neat.root / ".neat").rename(outside)
    (neat.root / ".neat").symlink_to(outside)
    (outside / "brief.md").write_text("not neat's\n")
    neat.metrics("runs/a", line(1))
    with own_daemon(neat):
        goes_on(neat, "runs/b")
        assert neat.wait_for_points("runs/a", "loss", 1) == [(1, 1.0)]
        assert stops(neat)  # the turn that read the points ends with the briefs
    assert (outside / "brief.md").read_text() == "not neat's\n"


# ---- what is no file ----


@posix
def test_metrics_that_became_a_pipe_hold_up_no_other_run(neat: Neat) -> None:
    """Nobody writes into the pipe; other runs are read and the daemon ends when it is told to."""
    with own_daemon(neat):
        path = neat.metrics("runs/a", line(1))
        neat.wait_for_points("runs/a", "loss", 1)
        path.unlink()
        os.mkfifo(path)
        goes_on(neat, "runs/b")
        assert stops(neat)


@posix
@pytest.mark.parametrize("name", ["brief.md", "inbox/x.json"])
def test_a_pipe_in_neats_own_folder_holds_nothing_up(neat: Neat, name: str) -> None:
    """Runs are read and the daemon ends when it is told to."""
    path = neat.root / ".neat" / name
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    with own_daemon(neat):
        goes_on(neat, "runs/a")
        assert stops(neat)


@posix
def test_parameters_that_lead_to_an_endless_device_are_passed_over(neat: Neat) -> None:
    """Without a byte of it being kept: in 3 GiB of memory no step fails, other runs are read."""
    neat.metrics("runs/a", line(1))
    (neat.root / "runs" / "a" / "config.json").symlink_to("/dev/zero")
    with own_daemon(neat, limit("AS", 3 << 30)):
        goes_on(neat, "runs/b")
        goes_on(neat, "runs/c")
        assert neat.wait_for_points("runs/a", "loss", 1) == [(1, 1.0)]
        assert rows(neat, "SELECT message FROM event WHERE rule = 'step-failed'") == []
        assert stops(neat)


# ---- documents ----


def test_a_configuration_that_unfolds_without_end_is_one_mistake(neat: Neat) -> None:
    """Seven lines that stand for ten million words: the daemon is up in seconds and the event is of a readable size."""
    bomb = ["a0: &a0 [" + ", ".join(["lol"] * 10) + "]"]
    bomb += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 10) + "]" for n in range(1, 7)]
    config = neat.root / "neat.yaml"
    config.write_text(config.read_text() + "\n".join(bomb) + "\n")
    begun = time.monotonic()
    neat.start()
    assert time.monotonic() - begun < 60
    message = neat.wait_for_event_in_store("config-mistake")
    assert str(config) in message and len(message) < 5000


def test_a_template_without_end_is_one_mistake(neat: Neat) -> None:
    """Runs go on being read while the project's own brief would take hours, and the event says which template it is."""
    template = neat.root / ".neat" / "templates" / "brief.md.j2"
    template.parent.mkdir(parents=True)
    loops = "{% for a in range(99999) %}{% for b in range(99999) %}{% set c = b %}{% endfor %}{% endfor %}"
    template.write_text(loops)
    with own_daemon(neat):
        goes_on(neat, "runs/a")
        assert "brief.md.j2" in neat.wait_for_event("template-mistake")["message"]
        goes_on(neat, "runs/b")
        assert stops(neat)


@posix
def test_a_rule_file_whose_name_is_no_text_is_one_mistake(neat: Neat) -> None:
    """The event can be kept and told, and runs are found."""
    folder = neat.root / ".neat" / "rules"
    folder.mkdir(parents=True)
    try:
        path = os.path.join(os.fsencode(folder), b"caf\xe9.yaml")  # noqa: PTH118 - a name of bytes
        with open(path, "w") as file:  # noqa: PTH123
            file.write("rule: too-high\nmetrics: 7\n")
    except OSError:
        pytest.skip("this file system takes only names that are text")
    neat.start()
    goes_on(neat, "runs/a")
    assert "caf" in neat.wait_for_event("rules-mistake")["message"]


def test_a_parameter_too_large_for_the_store_costs_only_itself(neat: Neat) -> None:
    """max_steps of 10^30 fits no column; the other parameters of the run are kept."""
    neat.metrics("runs/a", line(1))
    (neat.root / "runs" / "a" / "config.json").write_text(json.dumps({"max_steps": 10**30, "lr": 0.1}))
    neat.start()
    neat.wait_for_points("runs/a", "loss", 1)
    until(lambda: neat.show("runs/a")["config"].get("lr") == 0.1, "the run's parameters")
