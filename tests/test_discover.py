"""Runs are found wherever they lie, once each, and what cannot be looked into is said."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from neatd.read import optuna_db
from neatd.read.discover import Survey, is_source, sources_in, survey
from neatd.read.heads import Heads
from neatd.read.listing import MOST_DOUBTFUL
from tests.store_rows import child, output

needs_links = pytest.mark.skipif(os.name == "nt", reason="making links needs a privilege on Windows")


def tree(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return root


def names(root: Path, found: Survey) -> list[str]:
    """The runs that were found, relative to the project."""
    return [run.relative_to(root).as_posix() for run in found.runs]


def test_runs_are_found_at_any_depth(tmp_path: Path) -> None:
    """The project's own folder, nested runs, one with predictions only."""
    tree(tmp_path, "metrics.jsonl", "runs/a/metrics.jsonl", "runs/a/eval/predictions.jsonl", "x/y/z/metrics.jsonl")
    tree(tmp_path, "runs/b/metrics.json", "runs/c/old_metrics.jsonl")
    found = survey(tmp_path)
    assert names(tmp_path, found) == [".", "runs/a", "runs/a/eval", "x/y/z"]
    assert (found.unreadable, found.is_capped) == ((), False)
    assert set(found.folders) == {tmp_path, *(path for path in tmp_path.rglob("*") if path.is_dir())}


def test_a_folder_named_like_a_source_is_no_run(tmp_path: Path) -> None:
    """Only a file is read line by line."""
    (tmp_path / "a" / "metrics.jsonl").mkdir(parents=True)
    assert survey(tmp_path).runs == ()


@pytest.mark.parametrize("folder", [".git", ".venv", "node_modules", "__pycache__", ".neat", "data", "snapshots"])
def test_what_holds_no_runs_is_not_entered(tmp_path: Path, folder: str) -> None:
    """At the top and below, unless the project's own configuration names it."""
    tree(tmp_path, f"{folder}/metrics.jsonl", f"a/{folder}/b/metrics.jsonl", "c/metrics.jsonl")
    assert names(tmp_path, survey(tmp_path)) == ["c"]
    assert names(tmp_path, survey(tmp_path, include=(folder,))) == sorted(
        ["c", folder, f"a/{folder}/b"], key=lambda name: (name.count("/"), name)
    )


def test_a_virtual_environment_is_known_under_any_name(tmp_path: Path) -> None:
    """By its pyvenv.cfg."""
    tree(tmp_path, "torch2/pyvenv.cfg", "torch2/lib/metrics.jsonl", "a/metrics.jsonl")
    assert names(tmp_path, survey(tmp_path)) == ["a"]


@pytest.mark.parametrize(
    ("ignore", "left"),
    [("old", ["new", "new/a"]), ("old/", ["new", "new/a"]), ("new/old", ["new", "new/a", "old"]), ("o*", ["new", "new/a"]),
     ("new/*", ["new", "old"]), ("ne", ["new", "old", "new/a", "new/old"])],
)  # fmt: skip
def test_a_project_may_ignore_folders_by_name_or_path(tmp_path: Path, ignore: str, left: list[str]) -> None:
    """Patterns as in a shell; a slash at the end changes nothing."""
    tree(tmp_path, "new/metrics.jsonl", "new/a/metrics.jsonl", "new/old/metrics.jsonl", "old/metrics.jsonl")
    assert sorted(names(tmp_path, survey(tmp_path, ignore=(ignore,)))) == sorted(left)


def test_the_depth_is_a_cap_that_is_said(tmp_path: Path) -> None:
    """Two levels: a and a/b are looked into, a/b/c is not; where nothing lies deeper, nothing is said."""
    tree(tmp_path, "metrics.jsonl", "a/metrics.jsonl", "a/b/metrics.jsonl", "a/b/c/metrics.jsonl")
    found = survey(tmp_path, depth=2)
    assert (names(tmp_path, found), found.is_capped) == ([".", "a", "a/b"], True)
    assert survey(tmp_path, depth=3).is_capped is False


def test_the_number_of_folders_is_a_cap_that_is_said(tmp_path: Path) -> None:
    """Those nearest to the top come first; exactly as many as allowed are no overflow."""
    tree(tmp_path, *(f"r{n}/metrics.jsonl" for n in range(4)), "r0/deep/metrics.jsonl")
    found = survey(tmp_path, most=3)
    assert (names(tmp_path, found), found.is_capped, len(found.folders)) == (["r0", "r1"], True, 3)
    assert survey(tmp_path, most=6).is_capped is False


@needs_links
def test_a_link_out_of_the_project_is_followed(tmp_path: Path) -> None:
    """Runs often lie on a scratch disk; a linked metrics file is one, too."""
    project, scratch = tmp_path / "project", tree(tmp_path / "scratch", "a/metrics.jsonl", "file.jsonl")
    tree(project, "own/x.txt")
    (project / "runs").symlink_to(scratch)
    (project / "own" / "metrics.jsonl").symlink_to(scratch / "file.jsonl")
    assert names(project, survey(project)) == ["own", "runs/a"]


@needs_links
def test_loops_and_links_into_the_project_find_nothing_twice(tmp_path: Path) -> None:
    """Links to the project, to a folder around it, to one in it, to themselves, to nowhere."""
    project = tree(tmp_path / "project", "a/metrics.jsonl")
    for name, target in (("self", project), ("around", tmp_path), ("root", Path("/")), ("inner", project / "a"),
                         ("loop", project / "loop"), ("nowhere", tmp_path / "gone")):  # fmt: skip
        (project / name).symlink_to(target)
    (project / "a" / "back").symlink_to(project)
    assert names(project, survey(project)) == ["a"]


@needs_links
def test_a_folder_behind_several_links_is_entered_once(tmp_path: Path) -> None:
    """Links to the same place, to one around it, to one in it, and a link back within it."""
    project = tree(tmp_path / "project", "x.txt")
    scratch = tree(tmp_path / "scratch", "runs/a/metrics.jsonl", "b/metrics.jsonl")
    (scratch / "runs" / "up").symlink_to(scratch)
    for name, target in (
        ("l1", scratch / "runs"),
        ("l2", scratch),
        ("l3", scratch / "runs"),
        ("l4", scratch / "runs" / "a"),
    ):
        (project / name).symlink_to(target)
    real = [run.resolve() for run in survey(project).runs]
    assert sorted(real) == [scratch / "b", scratch / "runs" / "a"]


SURVEY = """
import sys
from pathlib import Path
from neatd.read.discover import survey
found = survey(Path(sys.argv[1]))
print([path.name for path in found.runs], [path.name for path in found.unreadable])
"""


@pytest.mark.skipif(os.name == "nt", reason="permission bits of POSIX")
def test_a_folder_that_cannot_be_entered_is_said_and_the_others_are_found(tmp_path: Path) -> None:
    """Neither one that cannot be listed nor one whose files can only be named."""
    tree(tmp_path, "closed/metrics.jsonl", "open/metrics.jsonl", "unsearchable/metrics.jsonl")
    (tmp_path / "closed").chmod(0)
    (tmp_path / "unsearchable").chmod(0o600)
    try:
        told = output(child(SURVEY, tmp_path, is_bound=True))
    finally:
        (tmp_path / "closed").chmod(0o700)
        (tmp_path / "unsearchable").chmod(0o700)
    assert told == "['open'] ['closed', 'unsearchable']\n"


@pytest.mark.skipif(os.name == "nt", reason="file names of Windows are Unicode")
def test_a_folder_whose_name_is_not_utf8_is_said(tmp_path: Path) -> None:
    """The store cannot hold its name; what is said can be kept."""
    tree(tmp_path, "open/metrics.jsonl", os.fsdecode(b"bad\xff/metrics.jsonl"))
    found = survey(tmp_path)
    assert names(tmp_path, found) == ["open"]
    assert found.unreadable == (tmp_path / "bad?",)


def test_a_missing_project_holds_nothing(tmp_path: Path) -> None:
    """Nor is it an error: the caller says that it is gone."""
    assert survey(tmp_path / "gone") == Survey((), (), (), False)


def test_sources_are_known_by_name() -> None:
    """What the watcher wakes the reader for."""
    assert [is_source(Path(name)) for name in ("a/metrics.jsonl", "predictions.jsonl")] == [True, True]
    assert is_source(Path("/p/mlruns/0/x/metrics/loss")) and is_source(Path("/p/a") / EVENTS)
    assert not is_source(Path("metrics.jsonl.tmp")) and not is_source(Path("model.pt"))


# ---- every usual tracker ----

EVENTS = "events.out.tfevents.1700000000.host.12.0"
CSV = "epoch,step,loss\n0,1,2.5\n"
LINE = '{"step": 1, "loss": 2.5}\n'
LOG = "".join(f"step {n} loss {2.5 - n / 50}\n" for n in range(30))


class FewReads(Heads):
    """Heads with a budget of two reads."""

    def begin(self, reads: int = 2, seconds: float = 60.0) -> None:
        super().begin(reads, seconds)


def write(root: Path, files: dict[str, str]) -> Path:
    tree(root, *files)
    for path, text in files.items():
        (root / path).write_text(text)
    return root


def told(root: Path, found: Survey) -> dict[str, tuple[str, str, str, str]]:
    """Path -> (run, stream, format, label) of each source."""
    return {
        one.path.relative_to(root).as_posix(): (
            one.folder.relative_to(root).as_posix(),
            one.stream,
            one.format,
            one.label,
        )
        for one in found.sources
    }


def test_each_tracker_is_found_in_its_own_layout(tmp_path: Path) -> None:
    """Lightning, Ultralytics, Stable-Baselines, detectron2, MMEngine, wandb, MLflow, torchtune, torch's SummaryWriter."""
    run = "0123456789abcdef0123456789abcdef"
    write(tmp_path, {
        "lightning_logs/version_0/metrics.csv": CSV, "lightning_logs/version_0/hparams.yaml": "lr: 1\n",
        "runs/detect/train/results.csv": "  epoch, train/box_loss\n  1, 0.5\n", "runs/detect/train/args.yaml": "",
        f"runs/detect/train/{EVENTS}": "x", "sb3/progress.csv": "time/total_timesteps,rollout/ep_rew_mean\n8,1.5\n",
        "det/metrics.json": '{"iteration": 19, "total_loss": 1.5}\n', "det/log.txt": LOG,
        "work/2025/vis_data/scalars.json": LINE, "work/2025/2025.log": LOG, "wandb/offline-run-A/run-a.wandb": "x",
        "wandb/offline-run-B/run-b.wandb": "x", "wandb/offline-run-B/files/output.log": LOG,
        f"mlruns/0/{run}/metrics/train/loss": "1 2 3\n", f"mlruns/0/{run}/metrics/lr": "1 2 3\n",
        f"mlruns/0/{run}/params/lr": "1", f"mlruns/0/{run}/artifacts/metrics.csv": CSV, "tune/log_1700000000.txt": LOG,
        f"tb/exp1/{EVENTS}": "x", f"tb/exp2/{EVENTS}": "x", f"tb/exp2/loss_train/{EVENTS}": "x",
    })  # fmt: skip
    found = survey(tmp_path)
    assert told(tmp_path, found) == {
        "lightning_logs/version_0/metrics.csv": ("lightning_logs/version_0", "metrics.csv", "csv", ""),
        "runs/detect/train/results.csv": ("runs/detect/train", "results.csv", "csv", ""),
        f"runs/detect/train/{EVENTS}": ("runs/detect/train", "tensorboard", "tensorboard", ""),
        "sb3/progress.csv": ("sb3", "progress.csv", "csv", ""), "det/metrics.json": ("det", "metrics.json", "jsonl", ""),
        "work/2025/vis_data/scalars.json": ("work/2025", "vis_data/scalars.json", "jsonl", ""),
        "wandb/offline-run-A/run-a.wandb": ("wandb/offline-run-A", "run-a.wandb", "wandb", ""),
        "wandb/offline-run-B/run-b.wandb": ("wandb/offline-run-B", "run-b.wandb", "wandb", ""),
        f"mlruns/0/{run}/metrics/train/loss": (f"mlruns/0/{run}", "mlflow", "mlflow", "train/loss"),
        f"mlruns/0/{run}/metrics/lr": (f"mlruns/0/{run}", "mlflow", "mlflow", "lr"),
        "tune/log_1700000000.txt": ("tune", "log_*.txt", "text", ""),
        f"tb/exp1/{EVENTS}": ("tb/exp1", "tensorboard", "tensorboard", ""),
        f"tb/exp2/{EVENTS}": ("tb/exp2", "tensorboard", "tensorboard", ""),
        f"tb/exp2/loss_train/{EVENTS}": ("tb/exp2", "loss_train", "tensorboard", "loss_train/"),
    }  # fmt: skip
    assert names(tmp_path, found) == [
        "det", "sb3", "tune", "lightning_logs/version_0", "tb/exp1", "tb/exp2", "wandb/offline-run-A",
        "wandb/offline-run-B", "work/2025", f"mlruns/0/{run}", "runs/detect/train",
    ]  # fmt: skip
    assert (found.notes, found.is_unfinished) == ((), False)


def test_an_output_folder_of_hugging_face_is_one_run(tmp_path: Path) -> None:
    """Its states in order, its event files with those of the hyperparameters, wandb's beside them."""
    dated = "out/runs/Aug05_12-34-56_host"
    write(tmp_path, {
        "out/checkpoint-1000/trainer_state.json": "{}", "out/checkpoint-500/trainer_state.json": "{}",
        "out/trainer_state.json": "{}", f"{dated}/{EVENTS}": "x", f"{dated}/1700000000.5/{EVENTS}": "x",
        "out/wandb/offline-run-A/run-a.wandb": "x", "out/train.log": LOG,
    })  # fmt: skip
    found = survey(tmp_path)
    assert names(tmp_path, found) == ["out"]
    assert [(one.stream, one.path.relative_to(tmp_path / "out").as_posix()) for one in found.sources] == [
        ("runs/Aug05_12-34-56_host", f"runs/Aug05_12-34-56_host/{EVENTS}"),
        ("runs/Aug05_12-34-56_host/1700000000.5", f"runs/Aug05_12-34-56_host/1700000000.5/{EVENTS}"),
        ("trainer_state.json", "checkpoint-500/trainer_state.json"),
        ("trainer_state.json", "checkpoint-1000/trainer_state.json"),
        ("trainer_state.json", "trainer_state.json"),
        ("wandb/offline-run-A/run-a.wandb", "wandb/offline-run-A/run-a.wandb"),
    ]


def test_a_database_is_a_source_and_no_run(tmp_path: Path) -> None:
    """Optuna's; one of another program is neither."""
    for name in ("study.db", "other.db"):
        connection = sqlite3.connect(tmp_path / name)
        for table in optuna_db.TABLES if name == "study.db" else ("plants",):
            connection.execute(f"CREATE TABLE {table} (x)")
        connection.close()
    found = survey(tmp_path)
    assert found.runs == () and told(tmp_path, found) == {"study.db": ("study.db", "study.db", "database", "")}


def test_what_only_looks_like_metrics_is_no_run(tmp_path: Path) -> None:
    """Data sets, results by hand, a server's log, requirements."""
    prompts = '{"prompt": "' + "why " * 100 + '", "answer": "because"}\n'
    write(tmp_path, {
        "sets/train.jsonl": prompts, "sets/labels.csv": "id,label\n1,2\n", "a/results.csv": "lr,seed,accuracy\n1,2,3\n",
        "a/server.log": "GET /index.html 200\n" * 50, "a/metrics.json": '{\n "step": 1,\n "loss": 2\n}\n', "a/x.db": "none",
    })  # fmt: skip
    found = survey(tmp_path)
    assert (found.runs, found.sources, found.notes) == ((), (), ())


@pytest.mark.skipif(os.name == "nt", reason="named pipes of POSIX")
def test_what_is_no_file_is_never_opened(tmp_path: Path) -> None:
    """A pipe would wait for ever, whatever it is called, and behind a link."""
    write(tmp_path, {"a/metrics.jsonl": LINE})
    for name in ("metrics.csv", "train.log", EVENTS):
        os.mkfifo(tmp_path / "a" / name)
    (tmp_path / "a" / "results.csv").symlink_to("/dev/zero")
    assert list(told(tmp_path, survey(tmp_path))) == ["a/metrics.jsonl"]


def test_a_file_becomes_a_source_when_its_head_shows_metrics(tmp_path: Path) -> None:
    """A header alone shows none; what was found stays found while the file grows."""
    heads, path = Heads(), write(tmp_path, {"a/metrics.csv": "step,loss\n"}) / "a" / "metrics.csv"
    assert survey(tmp_path, heads=heads).runs == ()
    for text in ("step,loss\n1,2.5\n", "step,loss\n1,2.5\n2,2.4\n"):
        path.write_text(text)
        assert names(tmp_path, survey(tmp_path, heads=heads)) == ["a"]


def test_a_folder_with_very_many_doubtful_files_is_said_and_its_metrics_are_found(tmp_path: Path) -> None:
    """Names that are proof or usual are always looked at."""
    write(tmp_path, {f"a/x{n:04}.csv": CSV for n in range(MOST_DOUBTFUL + 5)})
    write(tmp_path, {"a/zz.csv": CSV, "a/zz/metrics.csv": CSV, "a/metrics.jsonl": LINE, "a/results.csv": CSV})
    found = survey(tmp_path)
    assert len(found.notes) == 1 and found.notes[0].startswith(f"a holds more than {MOST_DOUBTFUL} files")
    assert {"a/metrics.jsonl", "a/results.csv", "a/zz/metrics.csv"} <= set(told(tmp_path, found))
    assert "a/zz.csv" not in told(tmp_path, found) and len(found.sources) == MOST_DOUBTFUL + 3


def test_heads_left_by_one_survey_are_read_by_the_next(tmp_path: Path) -> None:
    """The budget is said, and in the end everything was looked at."""
    write(tmp_path, {f"r{n}/metrics.csv": CSV for n in range(5)})
    heads = FewReads()
    counts = [(len(found.runs), found.is_unfinished) for found in (survey(tmp_path, heads=heads) for _ in range(3))]
    assert counts == [(2, True), (4, True), (5, False)]


@pytest.mark.skipif(os.name == "nt", reason="file names of Windows are Unicode")
def test_a_source_whose_name_is_not_utf8_is_said(tmp_path: Path) -> None:
    """The store cannot hold its name."""
    write(tmp_path, {os.fsdecode(b"a/x\xff.csv"): CSV, os.fsdecode(b"a/x\xff.png"): "", "a/metrics.csv": CSV})
    found = survey(tmp_path)
    assert list(told(tmp_path, found)) == ["a/metrics.csv"]
    assert found.notes == ("a: files whose names are not UTF-8 are not read",)


# ---- a quick look at one run ----


def test_a_quick_look_finds_what_came_to_a_run(tmp_path: Path) -> None:
    """Beside its metrics and in its trackers' folders; not the runs below it, nor a text log."""
    heads, run = Heads(), write(tmp_path, {"out/a/metrics.csv": CSV}) / "out" / "a"
    assert [one.stream for one in sources_in(tmp_path, run, heads)] == ["metrics.csv"]
    write(run, {
        "x.jsonl": LINE, f"tb/{EVENTS}": "x", "checkpoint-5/trainer_state.json": "{}", "wandb/run-1-a/run-a.wandb": "x",
        f"runs/Aug05_12-34-56_h/{EVENTS}": "x", "b/metrics.jsonl": LINE, "train.log": LOG,
    })  # fmt: skip
    expected = [
        "metrics.csv",
        "runs/Aug05_12-34-56_h",
        "tb",
        "trainer_state.json",
        "wandb/run-1-a/run-a.wandb",
        "x.jsonl",
    ]
    assert [one.stream for one in sources_in(tmp_path, run, heads)] == expected
    assert sources_in(tmp_path, run, heads) == tuple(one for one in survey(tmp_path).sources if one.folder == run)
    assert sources_in(tmp_path, tmp_path / "gone", heads) == ()


def test_a_quick_look_at_what_did_not_change_still_sees_what_comes(tmp_path: Path) -> None:
    """It is remembered by the folders' times: a new file and a file that begins to show metrics change it."""
    heads, run = Heads(), write(tmp_path, {"a/metrics.csv": CSV, "a/y.csv": "step,loss\n"}) / "a"
    os.utime(run, (1_700_000_000, 1_700_000_000))
    first = sources_in(tmp_path, run, heads)
    assert sources_in(tmp_path, run, heads) is first
    (run / "y.csv").write_text(CSV)
    assert len(sources_in(tmp_path, run, heads)) == 2
    os.utime(run, (1_700_000_000, 1_700_000_000))
    sources_in(tmp_path, run, heads)
    write(run, {"x.jsonl": LINE})
    assert len(sources_in(tmp_path, run, heads)) == 3


def test_a_quick_look_keeps_what_only_a_survey_can_tell(tmp_path: Path) -> None:
    """A run that was found as a folder of its own stays one, and parts of others are not its."""
    write(tmp_path, {f"logs/fit/train/{EVENTS}": "x", f"logs/fit/validation/{EVENTS}": "x"})
    found = sources_in(tmp_path, tmp_path / "logs" / "fit", Heads())
    assert [(one.stream, one.label) for one in found] == [("train", "train/"), ("validation", "validation/")]


def test_a_log_that_is_taken_for_a_console_is_told_and_can_be_named(tmp_path: Path) -> None:
    """Beside a run that was written at the same time; named in `include` it is a source of its own."""
    write(tmp_path, {"train.log": LOG, "runs/a/metrics.jsonl": LINE})
    found = survey(tmp_path)
    assert (names(tmp_path, found), found.consoles) == (["runs/a"], (("train.log", "runs/a"),))
    found = survey(tmp_path, include=("train.log",))
    assert ({one.path.name for one in found.sources}, found.consoles) == ({"train.log", "metrics.jsonl"}, ())
