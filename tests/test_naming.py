"""What a file may be is told by its name and its folders' names."""

from __future__ import annotations

import pytest

from neatd.read.naming import by_name, is_barren, named, shared_name, turn

RUN = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("path", "format"),
    [
        ("metrics.jsonl", "jsonl"), ("out/trainer_log.jsonl", "jsonl"), ("predictions.jsonl", "predictions"),
        ("out/checkpoint-500/trainer_state.json", "trainer_state"),
        ("runs/a/events.out.tfevents.1700000000.host.12.0", "tensorboard"),
        ("runs/a/events.out.tfevents.1700000000.host.12.0.v2", "tensorboard"),
        ("wandb/offline-run-20250101_000000-abc/run-abc.wandb", "wandb"),
        ("mlruns/0/anything/metrics/loss", "mlflow"), (f"tracking/7/{RUN}/metrics/train/loss", "mlflow"),
    ],
)  # fmt: skip
def test_some_names_are_proof(path: str, format: str) -> None:
    """Nothing else is called so: their heads are not looked at."""
    *folder, name = path.split("/")
    found = named(tuple(folder), name)
    assert found is not None and (found.formats, found.is_certain) == ((format,), True)


@pytest.mark.parametrize(
    ("path", "formats", "is_usual"),
    [
        ("vis_data/scalars.json", ("jsonl",), True), ("out/metrics.json", ("jsonl",), True),
        ("ray/result.json", ("jsonl",), True), ("20250101_120000.log.json", ("jsonl",), True),
        ("train.jsonl", ("jsonl",), False), ("version_0/metrics.csv", ("csv",), True), ("progress.csv", ("csv",), True),
        ("0.monitor.csv", ("csv",), True), ("labels.csv", ("csv",), False), ("x.tsv", ("csv",), False),
        ("dvclive/plots/metrics/train/loss.tsv", ("csv",), True), ("mlflow.db", ("database",), False),
        ("study.sqlite3", ("database",), False),
    ],
)  # fmt: skip
def test_other_names_are_worth_a_look(path: str, formats: tuple[str, ...], is_usual: bool) -> None:
    """Less is asked of the head of a file whose name trackers use."""
    *folder, name = path.split("/")
    found = named(tuple(folder), name)
    assert found is not None and (found.formats, found.is_certain, found.is_usual) == (formats, False, is_usual)


@pytest.mark.parametrize(
    "name",
    ["train.log", "nohup.out", "slurm-123.out", "log.txt", "log_1700000000.txt", "training_log_2024_1_5_09_03_01.txt",
     "stdout.txt", "output_1.txt", "train_loss.txt", "Train.LOG", "train.log.1", "running_log.log"],
)  # fmt: skip
def test_logs_may_be_several_things(name: str) -> None:
    """Text in the end; a study's journal, lines of JSON or a table by their heads."""
    found = by_name(name)
    assert found is not None and found.formats == ("optuna_journal", "jsonl", "csv", "text")


@pytest.mark.parametrize(
    "path",
    ["metrics.jsonl.tmp", "notes.txt", "requirements.txt", "config.json", "package.json", "train.py", "a.pt", "debug.log",
     "debug-internal.log", "run-abc.json", "abc.wandb", "events.out.tfevents.1.h.profile-empty", "._train.log",
     "mlruns/0/x/metrics/.loss", "mlflow.db-wal", "best.safetensors", "train.log.gz", "a.db.bak", "metrics"],
)  # fmt: skip
def test_all_else_is_not_looked_at(path: str) -> None:
    """Whatever it holds."""
    *folder, name = path.split("/")
    assert named(tuple(folder), name) is None


def test_mlflows_other_folders_are_not_entered() -> None:
    """Parameters, tags and artifacts of its runs, and what it threw away; folders of others are."""
    assert all(is_barren(("mlruns", "0", RUN, name)) for name in ("params", "tags", "artifacts", "outputs"))
    assert is_barren(("x", RUN, "artifacts")) and is_barren(("mlruns", ".trash"))
    assert not is_barren(("mlruns", "0", RUN, "metrics")) and not is_barren(("outputs",))
    assert not is_barren(("exp", "artifacts"))


def test_logs_that_go_on_from_each_other_share_a_name() -> None:
    """Rotated ones, and those that a trainer writes anew with each start."""
    assert {shared_name(one) for one in ("train.log", "train.log.1", "train.log.12")} == {"train.log"}
    assert {shared_name(one) for one in ("log_1700000000.txt", "log_1700000009.txt")} == {"log_*.txt"}
    assert shared_name("training_log_2024_1_5_09_03_01.txt") == "training_log_*.txt"
    assert shared_name("metrics.csv") == "metrics.csv" and shared_name("log_notes.txt") == "log_notes.txt"


@pytest.mark.parametrize(
    "files",
    [
        ("train.log.10", "train.log.2", "train.log.1", "train.log"),
        ("o/checkpoint-500/trainer_state.json", "o/checkpoint-1000/trainer_state.json", "o/trainer_state.json"),
        ("events.out.tfevents.1700000000.h", "events.out.tfevents.1700000001.h"),
        ("training_log_2024_2_5_09_03_01.txt", "training_log_2024_11_5_09_03_01.txt"),
    ],
)
def test_the_files_of_a_stream_have_an_order(files: tuple[str, ...]) -> None:
    """Oldest first: by number, not by letter."""
    mixed = files[1:] + files[:1]
    assert tuple(sorted(mixed, key=turn)) == files
