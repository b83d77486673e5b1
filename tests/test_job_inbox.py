"""Jobs by file: dropped into an inbox they are queued once, whoever dies in between, and never from a repository."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from neatd.actions import dropped
from neatd.errors import NeatError
from neatd.jobs.folder import job_folder
from neatd.models import Job
from neatd.pipeline import inboxfolders, jobinbox
from neatd.pipeline.configuring import reload_config
from neatd.pipeline.enqueueing import read_frozen
from neatd.pipeline.finding import refresh_projects
from neatd.store import events, jobs
from tests.cli_place import Cli
from tests.queue_lives import PROJECT, Queue
from tests.queue_made import set_up

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="jobs here are shell commands")


class Desk(Queue):
    """A project with an inbox; each `look` is a sweep so long after the last one that what lies still is whole."""

    def __init__(self, base: Path) -> None:
        super().__init__(base)
        self.inbox = self.home / "inbox" / PROJECT
        self.inbox.mkdir(parents=True)

    def look(self, times: int = 2) -> list[Job]:
        """Sweeps; all jobs, the oldest first."""
        refresh_projects(self.scene)
        for project in self.scene.projects.values():
            reload_config(self.scene, project)
        for _ in range(times):
            jobinbox.turn(self.scene, (), is_sweep=True)
            self.later_s += 10
        return jobs.jobs(self.scene.records)[::-1]

    def drop(self, name: str, text: str | bytes | dict[str, object], folder: Path | None = None) -> Path:
        path = (folder or self.inbox) / name
        data = json.dumps(text).encode() if isinstance(text, dict) else text.encode() if isinstance(text, str) else text
        path.write_bytes(data)
        return path

    def names(self, folder: str) -> list[str]:
        place = self.inbox / folder
        return sorted(one.name for one in place.iterdir()) if place.is_dir() else []

    def reason(self, name: str) -> str:
        """Why a file was not queued."""
        assert name in self.names("failed") and not (self.inbox / name).exists()
        return (self.inbox / "failed" / f"{name}.reason.txt").read_text()

    def said(self) -> list[str]:
        return [one.message for one in events.events(self.scene.records) if one.rule == "inbox-mistake"]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    with made.life():
        yield made
    made.close()


# ---- job files ----


def test_a_job_file_is_queued_with_all_it_asks_for_and_moved_to_done(desk: Desk) -> None:
    """YAML: command, order, devices and variables; the job's id is in the file's new name."""
    first = desk.add("true")
    desk.drop("first.yaml", f"""\
command: [sh, -c, echo $SEED > out]
name: seeds
group: sweeps
priority: 7
memory: 1M
after_any: {first}
retries: 2
why: is it luck?
env: {{SEED: "3"}}
""")  # fmt: skip
    job = desk.look()[-1]
    assert (job.name, job.group_name, job.priority, job.memory_bytes) == ("seeds", "sweeps", 7, 1 << 20)
    assert (job.after, job.retries, job.why, job.who) == ((f"any:{first}",), 2, "is it luck?", "inbox")
    assert read_frozen(desk.home, job.id).env["SEED"] == "3" and job.cwd == job.root == str(desk.root)
    assert desk.names("done") == [f"{job.id}-first.yaml"] and not (desk.inbox / "first.yaml").exists()
    desk.end(first, job.id)
    assert desk.lines() == ["3"]


def test_json_does_as_well_and_a_project_may_be_called_by_its_name(desk: Desk) -> None:
    """Tabs and all; the inbox of the project's name is its inbox, too."""
    named = desk.home / "inbox" / desk.root.name
    named.mkdir()
    desk.drop("one.json", '{\n\t"command": ["true"],\n\t"name": "a b"\n}', named)
    assert [job.command for job in desk.look()] == [("true",)]


def test_what_is_still_being_written_is_not_taken(desk: Desk) -> None:
    """Neither by its name, nor while its size and time change."""
    for name in (".hidden.yaml", "part.yaml.part", "part.yaml.tmp", "backup.yaml~"):
        desk.drop(name, {"command": ["true"]})
    path = desk.drop("grows.yaml", "command: [s")
    assert desk.look(1) == []
    path.write_text("command: [sh, --now]")
    assert desk.look(1) == [] and desk.scene.drops.is_waiting
    assert [job.command for job in desk.look(1)] == [("sh", "--now")]
    assert len(list(desk.inbox.glob("*part*"))) == 2 and desk.names("failed") == []


def test_all_mistakes_of_a_file_are_told_beside_it_and_the_others_go_on(desk: Desk) -> None:
    """Each with its line; the reason is a file of its own, and an event."""
    desk.drop("a.yaml", "comand: [true]\npriority: high\nenv: {2X: a}\n")
    desk.drop("b.json", "{not json")
    desk.drop("n.yaml", "command: [train, --lr, 0.01]\nmemory: lots\nenv: {SEED: 3}\n")
    desk.drop("c.yaml", {"command": ["no-such-program-here"]})
    desk.drop("d.yaml", {"command": ["true"], "after": ["j-nowhere"]})
    desk.drop("e.yaml", {"command": ["true"], "trainer": "lm"})
    desk.drop("f.yaml", {"trainer": "lm", "params": {"stpes": 3}})
    desk.drop("g.csv", "a,b\n")
    desk.drop("h.yaml", {"trainer": "lm", "name": "../out"})
    desk.drop("ok.yaml", {"command": ["true"]})
    assert [job.command for job in desk.look(3)] == [("true",)]
    text = desk.reason("a.yaml")
    assert ":1: comand: unknown field (did you mean command?)" in text and ":2: priority" in text and "'2X'" in text
    assert desk.reason("n.yaml").count("put it in quotes") == 2 and "3: env.SEED" in desk.reason("n.yaml")
    parts = {"b.json": "not YAML", "c.yaml": "no-such-program-here", "d.yaml": "j-nowhere", "e.yaml": "one of the two",
             "f.yaml": "did you mean 'steps'?", "g.csv": "trainer: NAME", "h.yaml": "not a name for a run"}  # fmt: skip
    assert [name for name, part in parts.items() if part not in desk.reason(name)] == []
    assert "memory: is no size" in desk.reason("n.yaml") and len(desk.said()) == 9
    assert list(job_folder(desk.home, "").glob("j-*")) == [job_folder(desk.home, desk.look()[0].id)]


def test_links_pipes_and_folders_are_not_taken(desk: Desk, tmp_path: Path) -> None:
    """What a link leads to is not read; a pipe is not waited for; a folder is left where it lies."""
    outside = tmp_path / "outside.yaml"
    outside.write_text("command: [true]")
    (desk.inbox / "link.yaml").symlink_to(outside)
    os.mkfifo(desk.inbox / "pipe.yaml")
    (desk.inbox / "folder.yaml").mkdir()
    (desk.inbox / "huge.yaml").write_text("#" * 70_000)
    assert desk.look() == [] and outside.exists()
    assert "is a link" in desk.reason("link.yaml") and "no plain file" in desk.reason("pipe.yaml")
    assert "larger than" in desk.reason("huge.yaml") and (desk.inbox / "folder.yaml").is_dir()


def test_done_may_not_lead_elsewhere(desk: Desk, tmp_path: Path) -> None:
    """A link of that name takes nothing out; it is said, and nothing is queued twice."""
    (tmp_path / "elsewhere").mkdir()
    (desk.inbox / "done").symlink_to(tmp_path / "elsewhere")
    desk.drop("a.yaml", {"command": ["true"]})
    assert len(desk.look(4)) == 1 and list((tmp_path / "elsewhere").iterdir()) == []
    assert "cannot be moved" in desk.said()[0]


# ---- once ----


def test_a_daemon_that_dies_at_any_step_queues_a_file_once(desk: Desk) -> None:
    """Before the row, after it, before the move: what each death leaves, the next daemon makes good."""
    path = desk.drop("a.yaml", {"command": ["true"]})
    (drop,) = dropped.drops_in(desk.inbox)
    job_id = dropped.job_id(drop)
    frozen = job_folder(desk.home, job_id) / "frozen.json"
    frozen.parent.mkdir(parents=True)
    frozen.write_text("{torn")
    (job,) = desk.look()
    assert job.id == job_id and read_frozen(desk.home, job.id).command == ("true",)
    (desk.inbox / "done" / f"{job.id}-a.yaml").rename(path)
    assert len(desk.look()) == 1 and desk.names("done") == [f"{job.id}-a.yaml"] and not path.exists()


def test_a_data_file_is_where_its_job_looks_before_the_job_is_there(desk: Desk) -> None:
    """A death before the row leaves it under both names, a death after the row too: it is moved, and queued once."""
    desk.drop(".neat-inbox.yaml", "trainer: lm\n")
    path = desk.drop("a.txt", "text")
    (drop,) = dropped.drops_in(desk.inbox)
    job_id = dropped.job_id(drop)
    dropped.offer(drop, job_id)
    for _ in range(2):
        (job,) = desk.look()
        assert job.id == job_id and desk.names("done") == [f"{job_id}-a.txt"] and not path.exists()
        path.hardlink_to(desk.inbox / "done" / f"{job_id}-a.txt")


def test_the_same_file_again_is_not_run_again_and_a_new_one_of_its_name_is(desk: Desk) -> None:
    """As a sync that brings it back does; touched, it is another."""
    path = desk.drop("a.yaml", {"command": ["true"]})
    at = path.stat().st_mtime_ns
    (job,) = desk.look()
    os.utime(desk.drop("a.yaml", {"command": ["true"]}), ns=(at, at))
    assert len(desk.look(3)) == 1 and job.id[:9] in desk.reason("a.yaml")
    os.utime(desk.drop("a.yaml", {"command": ["true"]}), ns=(at + 5, at + 5))
    assert len(desk.look(3)) == 2 and len(desk.names("done")) == 2


# ---- data files ----


def test_data_files_train_one_after_the_other_from_the_checkpoint_that_the_last_one_left(desk: Desk) -> None:
    """By the trainer that the folder names, with the parameters that it names; each file is where its job looks for it."""
    desk.drop(".neat-inbox.yaml", "trainer: lm\nname: daily\nparams: {more: 20, layers: 2}\n")
    for number, name in enumerate(("one.txt", "two.jsonl", "no.mp3")):
        path = desk.drop(name, "text " * 100)
        os.utime(path, (number, number))
    first, second = desk.look(3)
    assert (first.kind, first.run_folder, first.why) == ("train", "runs/daily", "learns from one.txt")
    assert first.after == () and second.after == (f"any:{first.id}",)
    for job in (first, second):
        (data,) = (word.removeprefix("data=") for word in job.command if word.startswith("data="))
        assert Path(data).parent == desk.inbox / "done" and Path(data).read_text().startswith("text")
        assert {"resume=true", "more=20", "layers=2"} < set(job.command) and "more" in job.params
    assert "takes no such file" in desk.reason("no.mp3") and len(desk.names("done")) == 2


def test_a_mistake_in_the_folders_own_file_holds_the_data_and_no_job(desk: Desk) -> None:
    """The data lies where it is until that is mended."""
    desk.drop(".neat-inbox.yaml", "trainr: lm\n")
    desk.drop("one.txt", "text")
    desk.drop("job.yaml", {"command": ["true"]})
    assert [job.kind for job in desk.look(3)] == ["command"] and (desk.inbox / "one.txt").exists()
    assert "trainr: unknown field" in desk.said()[0]
    desk.drop(".neat-inbox.yaml", "trainer: lm\n")
    assert [job.kind for job in desk.look(3)] == ["command", "train"]


# ---- which folders ----


def test_only_a_folder_that_nobody_else_fills_is_allowed(desk: Desk, tmp_path: Path) -> None:
    """Not the project, nor what is in it, nor another repository, a link, a folder for all, NEAT_HOME."""
    made = {name: tmp_path / name for name in ("free", "wide", "repo")}
    for folder in (*made.values(), desk.root / "drop"):
        folder.mkdir()
    made["wide"].chmod(0o777)
    (made["repo"] / ".git").mkdir()
    (tmp_path / "link").symlink_to(made["free"])
    records = desk.scene.records
    for folder, part in (
        (desk.root, "is not run"), (desk.root / "drop", "is not run"), (made["repo"], "git repository"),
        (made["wide"], "everybody"), (tmp_path / "link", "a link"), (desk.inbox, "neat's own"), (tmp_path / "no", "No such"),
    ):  # fmt: skip
        with pytest.raises(NeatError, match=part):
            inboxfolders.allow(records, desk.home, desk.root, folder)
    inboxfolders.allow(records, desk.home, desk.root, made["free"])
    desk.drop("a.yaml", {"command": ["true"]}, made["free"])
    assert len(desk.look()) == 1 and jobinbox.watched(desk.scene)[-1] == made["free"]
    (made["free"] / ".git").mkdir()  # it became a repository since
    desk.drop("b.yaml", {"command": ["true"]}, made["free"])
    assert len(desk.look(3)) == 1 and "is not run" in desk.said()[0]


def test_a_folder_is_allowed_shown_and_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the command; the project's own folder is refused with the reason."""
    cli, folder = set_up(Cli(tmp_path, monkeypatch, capsys)), tmp_path / "drop"
    folder.mkdir()
    assert f"jobs from {folder}" in cli.ok("allow", "jobs", "--folder", str(folder))
    assert list(cli.json("allow")) == [f"jobs:{folder}"]
    assert "what a repository brings is not run" in cli.refused("allow", "jobs", "--folder", str(cli.root))
    assert "--folder DIR" in cli.refused("allow", "jobs") and "--folder DIR" in cli.refused(
        "allow", "stop", "--folder", "x"
    )
    assert cli.json("allow", "jobs", "--folder", str(folder), "--revoke") == {}
    assert "neat allow" in cli.refused("allow", "jobs", "--folder", str(folder), "--revoke")


def test_an_inbox_at_rest_costs_next_to_nothing(desk: Desk) -> None:
    """Between sweeps, without a hint, no folder is looked into."""
    desk.look()
    desk.drop("a.yaml", {"command": ["true"]})
    assert not jobinbox.turn(desk.scene, (), is_sweep=False) and not desk.scene.drops.is_waiting
    jobinbox.turn(desk.scene, (desk.inbox / "a.yaml",), is_sweep=False)
    assert desk.scene.drops.is_waiting and dropped.drops_in(desk.inbox)[0].name == "a.yaml"
