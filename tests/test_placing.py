"""Which run a file belongs to: the rules that `neatd/read/placing.py` lists, one by one."""

from __future__ import annotations

import pytest

from neatd.read.placing import Held, Parts, Source, Spot, are_needed, place, writer

METRICS, CONFIG, SAVES = Held(has_metrics=True, has_more=True), Held(has_config=True), Held(has_checkpoints=True)
EVENTS = "events.out.tfevents.1700000000.host.12.0"
RUN = "0123456789abcdef0123456789abcdef"


def parts(path: str) -> Parts:
    return tuple(one for one in path.split("/") if one)


def placed(path: str, format: str = "tensorboard", **held: Held) -> tuple[str, str, str]:
    """(run, stream, label) of a file; `held` by folder, "__" for "/", "root" for the project's own."""
    known = {parts(name.replace("__", "/")) if name != "root" else (): what for name, what in held.items()}
    *folder, name = path.split("/")
    spot = place(tuple(folder), name, format, lambda folder: known.get(folder, Held()))
    return "/".join(spot.run), spot.stream, spot.label


def events(name: str = EVENTS) -> Held:
    return Held(has_metrics=True, writers=frozenset({writer(name)}))


@pytest.mark.parametrize(
    ("path", "format", "run", "stream"),
    [
        ("metrics.jsonl", "jsonl", "", "metrics.jsonl"), ("runs/a/metrics.jsonl", "jsonl", "runs/a", "metrics.jsonl"),
        ("runs/a/eval/predictions.jsonl", "predictions", "runs/a/eval", "predictions.jsonl"),
        ("lightning_logs/version_0/metrics.csv", "csv", "lightning_logs/version_0", "metrics.csv"),
        (f"runs/exp1/{EVENTS}", "tensorboard", "runs/exp1", "tensorboard"),
        (f"tb_logs/exp1/{EVENTS}", "tensorboard", "tb_logs/exp1", "tensorboard"),
        (f"logs/a/b/{EVENTS}", "tensorboard", "logs/a/b", "tensorboard"),
        (f"tb_logs/net/version_3/{EVENTS}", "tensorboard", "tb_logs/net/version_3", "tensorboard"),
        ("wandb/offline-run-A/run-A.wandb", "wandb", "wandb/offline-run-A", "run-A.wandb"),
        (f"runs/Aug05_12-34-56_host/{EVENTS}", "tensorboard", "runs/Aug05_12-34-56_host", "tensorboard"),
        ("logs/train.log", "text", "logs", "train.log"), ("fold_0/log_1700.txt", "text", "fold_0", "log_*.txt"),
        ("a/train.log.2", "text", "a", "train.log"), ("study/journal.log", "optuna_journal", "study", "journal.log"),
    ],
)  # fmt: skip
def test_a_run_is_the_folder_that_holds_the_metrics(path: str, format: str, run: str, stream: str) -> None:
    """Where nothing around it is an anchor, a tracker's folder is a run, too: two runs never become one."""
    assert placed(path, format) == (run, stream, "")


@pytest.mark.parametrize("held", [METRICS, CONFIG, SAVES], ids=["metrics", "config", "checkpoints"])
@pytest.mark.parametrize(
    ("below", "format"),
    [
        (f"tb/{EVENTS}", "tensorboard"), (f"tensorboard/{EVENTS}", "tensorboard"), (f"logs/{EVENTS}", "tensorboard"),
        ("wandb/run-20250101_0-a/run-a.wandb", "wandb"), ("wandb/offline-run-A/files/output.log", "text"),
        ("wandb/offline-run-A/logs/x.log", "text"), ("logs/metrics.csv", "csv"), ("log/train.log", "text"),
        (f"logs/tb/{EVENTS}", "tensorboard"), (f"TB/{EVENTS}", "tensorboard"),
        (f"runs/Aug05_12-34-56_host/{EVENTS}", "tensorboard"),
    ],
)  # fmt: skip
def test_trackers_nested_in_a_run_are_that_run(below: str, format: str, held: Held) -> None:
    """Where the folder around them holds metrics, a configuration or checkpoints; the stream is named by its place."""
    run, stream, label = placed(f"out/a/{below}", format, out__a=held)
    folder = below.rpartition("/")[0]
    assert (run, stream, label) == ("out/a", folder if format == "tensorboard" else below, "")


def test_the_last_anchor_on_the_way_up_is_the_run() -> None:
    """And an anchor behind a folder that is no tracker's is none."""
    held = {"out": METRICS, "out__tb": METRICS, "out__tb__logs": METRICS}
    assert placed(f"out/tb/logs/{EVENTS}", **held)[0] == "out"
    assert placed(f"out/tb/exp/logs/{EVENTS}", out=METRICS)[0] == "out/tb/exp/logs"


def test_the_projects_own_folder_is_a_run_only_with_metrics() -> None:
    """A repository has a configuration and weights."""
    repository = Held(has_config=True, has_checkpoints=True)
    assert placed("wandb/offline-run-B/run-B.wandb", "wandb", root=repository)[0] == "wandb/offline-run-B"
    assert placed(f"tb/{EVENTS}", root=METRICS) == ("", "tb", "")


def test_a_configuration_beside_programs_is_no_anchor() -> None:
    """A folder of code whose runs lie below; with checkpoints it is one."""
    code = Held(has_config=True, has_programs=True)
    assert placed("exp/wandb/run-A/run-A.wandb", "wandb", exp=code)[0] == "exp/wandb/run-A"
    assert placed("exp/wandb/run-A/run-A.wandb", "wandb", exp=code._replace(has_checkpoints=True))[0] == "exp"


def test_an_output_folder_of_hugging_face_is_known_before_its_first_checkpoint() -> None:
    """`runs/<date>_<host>` in a folder without programs; with programs it is SummaryWriter's default there."""
    path = f"out/runs/Aug05_12-34-56_host/{EVENTS}"
    assert placed(path) == ("out", "runs/Aug05_12-34-56_host", "")
    assert placed(path, out=Held(has_programs=True))[0] == "out/runs/Aug05_12-34-56_host"


@pytest.mark.parametrize(
    ("path", "format", "run", "stream"),
    [
        ("out/checkpoint-500/trainer_state.json", "trainer_state", "out", "trainer_state.json"),
        ("checkpoint-500/trainer_state.json", "trainer_state", "", "trainer_state.json"),
        ("out/trainer_state.json", "trainer_state", "out", "trainer_state.json"),
        ("w/20250101/vis_data/scalars.json", "jsonl", "w/20250101", "vis_data/scalars.json"),
        (f"w/20250101/vis_data/{EVENTS}", "tensorboard", "w/20250101", "vis_data"),
        ("vis_data/scalars.json", "jsonl", "vis_data", "scalars.json"),
    ],
)
def test_parts_of_a_run_are_always_taken_off(path: str, format: str, run: str, stream: str) -> None:
    """All trainer_state.json of a run are one stream."""
    assert placed(path, format) == (run, stream, "")


@pytest.mark.parametrize(
    ("path", "run", "label"),
    [
        ("mlruns/0/abc/metrics/loss", "mlruns/0/abc", "loss"), (f"x/7/{RUN}/metrics/train/acc", f"x/7/{RUN}", "train/acc"),
        (f"mlruns/0/{RUN}/metrics/metrics/a", f"mlruns/0/{RUN}", "metrics/a"),
    ],
)  # fmt: skip
def test_an_mlflow_run_is_one_whose_files_are_its_metrics(path: str, run: str, label: str) -> None:
    """All in one stream, each labelled with the metric's whole name."""
    assert placed(path, "mlflow") == (run, "mlflow", label)


def test_dvclive_names_its_metrics_by_folders() -> None:
    """A table per metric; its folder joins the run around it."""
    path = "dvclive/plots/metrics/train/loss.tsv"
    assert placed(path, "csv") == ("dvclive", "plots/metrics/train/loss.tsv", "train/")
    assert placed(f"out/{path}", "csv", out=CONFIG) == ("out", path, "train/")


@pytest.mark.parametrize("name", ["train", "validation", "Test", "eval"])
def test_a_split_is_a_label(name: str) -> None:
    """As Keras writes; a run around a tracker's folder still counts."""
    assert placed(f"logs/fit/2025/{name}/{EVENTS}") == ("logs/fit/2025", name, f"{name}/")
    assert placed(f"out/logs/{name}/{EVENTS}", out=SAVES) == ("out", f"logs/{name}", f"{name}/")


@pytest.mark.parametrize(
    ("path", "held"),
    [
        ("runs/detect/train", {"runs__detect__train": Held(True, True, True)}),
        ("runs/detect/train", {"runs__detect__train": events()._replace(has_config=True)}),
        ("train", {}),
        ("train", {"root": CONFIG}),
        ("runs/test", {"runs": Held(splits=1)}),
    ],
)
def test_a_run_may_be_called_like_a_split(path: str, held: dict[str, Held]) -> None:
    """With more than event files in it, in the project's own folder, or alone in a collection."""
    assert placed(f"{path}/{EVENTS}", **held) == (path, "tensorboard", "")


def test_two_splits_in_a_collection_are_one_run() -> None:
    """`runs/train` and `runs/val`, and no more than one split is taken off."""
    assert placed(f"runs/train/{EVENTS}", runs=Held(splits=2)) == ("runs", "train", "train/")
    assert placed(f"a/test/train/{EVENTS}") == ("a/test", "train", "train/")


def test_hyperparameters_lie_in_a_folder_named_by_time() -> None:
    """Without a label, next to event files; elsewhere such a folder is a run."""
    assert placed(f"runs/a/1700000000.5/{EVENTS}", runs__a=events()) == ("runs/a", "1700000000.5", "")
    assert placed(f"runs/1700000000.5/{EVENTS}") == ("runs/1700000000.5", "tensorboard", "")


def test_add_scalars_writes_folders_next_to_its_event_file() -> None:
    """Labelled with their names; from the same process, named by a metric, not an experiment's number."""
    other = "events.out.tfevents.1700000099.host.99.0"
    assert placed(f"runs/a/loss_train/{EVENTS}", runs__a=events()) == ("runs/a", "loss_train", "loss_train/")
    assert placed(f"runs/loss_train/{EVENTS}", runs=events(other))[0] == "runs/loss_train"
    assert placed(f"runs/lr_0.1/{EVENTS}", runs=events())[0] == "runs/lr_0.1"
    assert placed(f"runs/exp_b/{EVENTS}", runs=events())[0] == "runs/exp_b"
    assert placed(f"runs/loss_train/{EVENTS}")[0] == "runs/loss_train"


def test_add_scalars_may_be_called_anything_in_a_run() -> None:
    """Of the same process, with nothing but event files in it; with more it is a run of its own."""
    assert placed(f"runs/a/pair_b/{EVENTS}", runs__a=events()) == ("runs/a", "pair_b", "pair_b/")
    assert placed(f"runs/a/pair_b/{EVENTS}", runs__a=events(), runs__a__pair_b=METRICS)[0] == "runs/a/pair_b"
    assert (
        placed(f"runs/a/pair_b/{EVENTS}", runs__a=events("events.out.tfevents.1700000000.host"))[0] == "runs/a/pair_b"
    )


@pytest.mark.parametrize(
    ("name", "by"),
    [(EVENTS, "host|12"), (f"{EVENTS}.v2", "host|12"), ("events.out.tfevents.1700000000.host", "host|"),
     ("events.out.tfevents.1700000000.a.b-c.org.7.1", "a.b-c.org|7"), ("tfevents", "")],
)  # fmt: skip
def test_an_event_file_names_its_writer(name: str, by: str) -> None:
    """Host and process; tensorboardX names no process."""
    assert writer(name) == by


def test_a_database_is_the_place_of_its_runs() -> None:
    """They lie in no folder."""
    assert placed("a/mlflow.db", "database") == ("a/mlflow.db", "mlflow.db", "")


# ---- text logs ----


def needed(*files: tuple[str, bool, float]) -> list[bool]:
    """Of (run, is text, when written)."""
    found = [Source(Spot(parts(run), "x"), is_text) for run, is_text, _ in files]
    return are_needed(found, lambda n: files[n][2])


def test_a_text_log_is_a_source_where_nothing_else_is() -> None:
    """Neither in its run nor in one below it."""
    assert needed(("a", True, 0), ("a", True, 9)) == [True, True]
    assert needed(("a", True, 0), ("a", False, 9)) == [False, True]
    assert needed(("a", True, 0), ("a/lightning_logs/version_0", False, 9_000)) == [False, True]
    assert needed(("a", True, 0), ("ab", False, 0), ("b", True, 0)) == [True, True, True]


@pytest.mark.parametrize("folder", ["", "logs", "slurm"])
def test_a_log_in_the_projects_folder_may_be_a_console(folder: str) -> None:
    """When something else was written within a quarter of an hour; else it is the only trace of a training."""
    assert needed((folder, True, 5000), ("runs/a", False, 4500)) == [False, True]
    assert needed((folder, True, 5000), ("runs/a", False, 100)) == [True, True]
    assert needed((folder, True, 5000), ("runs/a", False, 100), (folder, True, 200)) == [True, True, False]
