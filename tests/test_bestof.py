"""Which checkpoint of a run is the best, who keeps it, and the line that loads it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from neatd.assist.loading import how_to_load
from neatd.pipeline.bestof import best_checkpoints
from tests.retention_day import Day, Trainer, day
from tests.test_vault import Overwriting, Run


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Day]:
    with day(tmp_path, 1, [Trainer("a", 1, 100, "file")]) as found:
        yield found


def best_of(made: Day) -> list[dict[str, object]]:
    run = made.live(made.trainers[0]).run
    return best_checkpoints(made.records, made.points, run, made.project.config)


def test_the_trainers_own_save_is_named_where_it_is_there(made: Day) -> None:
    """Nothing rotates: the file lies where the trainer wrote it."""
    run = Run(made, keeps=100)
    for loss in (0.9, 0.4, 0.5):
        run.save(loss)
    (best,) = best_of(made)
    assert (best["metric"], best["value"], best["step"], best["kept_by"], best["is_best"]) == (
        "val/loss", 0.4, 200, "trainer", True,
    )  # fmt: skip
    assert (made.root / str(best["path"])).read_bytes() == b"weights of 200"
    assert best["load"] == f'torch.load({best["path"]!r}, map_location="cpu", weights_only=True)'


def test_neats_copy_is_named_where_the_trainer_removed_it(made: Day) -> None:
    """By its rotation, or by writing over it."""
    run = Run(made, keeps=1)
    for loss in (0.9, 0.4, 0.5, 0.6):
        run.save(loss)
    (best,) = best_of(made)
    assert (best["step"], best["kept_by"]) == (200, "neat")
    assert (made.root / str(best["path"])).read_bytes() == b"weights of 200"


def test_one_file_that_is_written_over(made: Day) -> None:
    """The step is the evaluation's."""
    run = Overwriting(made, saves_first=False)
    for loss in (0.9, 0.4, 0.5):
        run.train(loss)
    (best,) = best_of(made)
    assert (best["step"], best["value"], best["kept_by"]) == (2, 0.4, "neat")
    assert (made.root / str(best["path"])).read_bytes() == b"weights of 2"


def test_a_best_value_without_weights_is_said(made: Day) -> None:
    """The next best is shown, and that it is not the best."""
    run = Run(made, keeps=100)
    run.save(0.9)
    made.measured(run.trainer, 150, {"val/loss": 0.1})
    run.save(0.8)
    (best,) = best_of(made)
    assert (best["value"], best["is_best"], best["best_value"]) == (0.8, False, 0.1)


@pytest.mark.parametrize(
    ("path", "names", "line"),
    [
        ("a.safetensors", (), "safetensors.torch.load_file('a.safetensors')"),
        ("a/ckpt", ("config.json", "model.safetensors"), "transformers.AutoModel.from_pretrained('a/ckpt')"),
        ("a", ("adapter_config.json", "adapter_model.safetensors"), "peft.AutoPeftModel.from_pretrained('a')"),
        ("a", (".metadata", "__0_0.distcp"), "torch.distributed.checkpoint.load(state_dict, checkpoint_id='a')"),
        ("a.unknown", (), ""),
    ],
)
def test_how_it_is_loaded_is_told_by_what_it_is(path: str, names: tuple[str, ...], line: str) -> None:
    """Never by a pickle that runs code."""
    assert how_to_load(path, names) == line
