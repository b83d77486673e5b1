"""Runs of the trainer `lm` through its contract: the files it leaves, the lines it prints, its exit codes. On a CPU, tiny."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml

from tests.conftest import until
from tests.trainer_lm_made import ENDLESS, FOLDER, SHORT, TINY, flat, load, losses, read_lines, run_here, torch, train

np = pytest.importorskip("numpy", reason="the trainers need the extra `trainers`")

pytestmark = pytest.mark.timeout(300)  # loading torch takes a minute where others are at work too


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """(folder, stdout) of one short run that nothing disturbed."""
    out = tmp_path_factory.mktemp("lm") / "run"
    code, said = run_here(out, *SHORT)
    assert code == 0, said
    return out, said


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """(folder, stdout) of a run with a fault planted at step 30, evaluated right before it and at the end."""
    out = tmp_path_factory.mktemp("lm") / "spoilt"
    code, said = run_here(out, *TINY, "steps=50", "seed=3", "fault_at=30", "eval_every=29", "save_every=0")
    assert code == 0, said
    return out, said


# ---- learning ----


def test_loss_falls(done: tuple[Path, str]) -> None:
    """Twenty steps on real text bring the loss well below that of guessing evenly, on seen and on unseen files."""
    of_step = losses(done[0])
    unseen = [line["val/bits_per_byte"] for line in read_lines(done[0] / "metrics.jsonl") if "val/loss" in line]
    assert list(of_step) == list(range(1, 21))
    assert of_step[20] < 0.75 * of_step[1] and of_step[20] < 0.75 * math.log(256)
    assert unseen[-1] < unseen[0] < 8


# ---- the files ----


def test_config_says_what_ran(done: tuple[Path, str]) -> None:
    """config.json holds every parameter as it was used, and what the machine added."""
    config = json.loads((done[0] / "config.json").read_text(encoding="utf-8"))
    assert set(train.Parameters.__dataclass_fields__) < set(config)
    assert (config["max_steps"], config["dim"], config["lr"], config["seed"]) == (20, 32, 0.01, 1)
    assert (config["device"], config["dtype"], config["torch_version"]) == ("cpu", "float32", torch.__version__)
    weights = load(done[0] / "checkpoints" / "step_000020.pt")["model"].values()
    assert config["parameter_count"] == sum(w.numel() for w in weights)


def test_each_step_is_one_whole_line(done: tuple[Path, str]) -> None:
    """A line of metrics has step, time and the four training values; evaluations have lines of their own."""
    lines = read_lines(done[0] / "metrics.jsonl")
    names = {"step", "time", "train/loss", "train/lr", "train/grad_norm", "train/tokens_per_s"}
    assert [set(line) for line in lines if "train/loss" in line] == [names] * 20
    names = {"step", "time", "val/loss", "val/bits_per_byte", "val/accuracy"}
    assert [(line["step"], set(line)) for line in lines if "val/loss" in line] == [(10, names), (20, names)]
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)


def test_checkpoints_are_whole_and_nothing_else_is_left(done: tuple[Path, str]) -> None:
    """Each save is there under its final name, loads without running code, and knows its step."""
    folder = done[0] / "checkpoints"
    steps = {f"step_{step:06d}.pt": step for step in (5, 10, 15, 20)}
    assert {path.name for path in folder.iterdir()} == {*steps, "best.pt"}
    for name, step in steps.items():
        saved = load(folder / name)
        assert set(saved) == {"model", "optimizer", "config", "step", "rng", "best"}
        assert saved["step"] == step


def test_best_is_the_lowest_validation_loss(spoilt: tuple[Path, str]) -> None:
    """best.pt holds the state of the evaluation with the lowest loss, here not the last one."""
    evals = {x["step"]: x["val/loss"] for x in read_lines(spoilt[0] / "metrics.jsonl") if "val/loss" in x}
    assert list(evals) == [29, 50] and evals[29] < evals[50]
    saved = load(spoilt[0] / "checkpoints" / "best.pt")
    assert (saved["step"], saved["best"]) == (29, evals[29])


def test_each_evaluation_writes_the_same_examples(done: tuple[Path, str]) -> None:
    """predictions.jsonl has one line per window at each evaluation, with ids that stay and name their file."""
    lines = read_lines(done[0] / "predictions.jsonl")
    ids = {step: [line["id"] for line in lines if line["step"] == step] for step in (10, 20)}
    assert len(lines) == 32 and len(set(ids[10])) == 16
    assert ids[10] == ids[20]
    assert all(train.is_validation(one.split("@")[0]) for one in ids[10])
    assert {type(line["correct"]) for line in lines} == {bool}
    of_step = {x["step"]: x["val/loss"] for x in read_lines(done[0] / "metrics.jsonl") if "val/loss" in x}
    assert np.mean([x["loss"] for x in lines if x["step"] == 20]) == pytest.approx(of_step[20])


# ---- resuming and stopping ----


def test_a_resumed_run_ends_bit_equal(done: tuple[Path, str], tmp_path: Path) -> None:
    """Ten steps, a checkpoint, another process and ten steps end in the same bytes as twenty steps at once."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    shutil.copy(done[0] / "checkpoints" / "step_000010.pt", folder)
    (folder / ".step_000013.pt.tmp").write_bytes(b"cut off by SIGKILL")
    (tmp_path / "metrics.jsonl").write_text('{"step": 10, "train/loss": 1.5}\n{"step": 11, "tr', encoding="utf-8")
    code, said = run_here(tmp_path, *SHORT, "resume=true")
    assert code == 0, said
    ends = [load(path / "checkpoints" / "step_000020.pt") for path in (done[0], tmp_path)]
    for part in ("model", "optimizer", "rng", "best"):
        assert flat(ends[0][part]) == flat(ends[1][part]), part
    assert not list(folder.glob(".*"))
    first, torn, *rest = (tmp_path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert (first, torn) == ('{"step": 10, "train/loss": 1.5}', '{"step": 11, "tr')
    steps = [json.loads(line)["step"] for line in rest if "train/loss" in line]
    assert steps == list(range(11, 21))
    assert [losses(done[0])[s] for s in steps] == [x["train/loss"] for x in map(json.loads, rest) if "train/loss" in x]


def test_resuming_remembers_the_best(spoilt: tuple[Path, str], tmp_path: Path) -> None:
    """A worse value after resuming does not replace best.pt: the lowest loss so far comes from the checkpoint."""
    shutil.copytree(spoilt[0], tmp_path / "run")
    _, p = train.parse(["--out", "run", *TINY, "steps=50", "resume=true"])
    one = train.Run(tmp_path / "run", p)
    one.open()
    with one.metrics, one.predictions:
        one.evaluate()
    assert one.step == 50
    assert load(tmp_path / "run" / "checkpoints" / "best.pt")["step"] == 29


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
def test_a_signal_ends_the_step_with_a_checkpoint(tmp_path: Path) -> None:
    """SIGTERM lets the step end, leaves a checkpoint of the last step logged, and the process exits with 143."""
    words = ["--out", str(tmp_path), *ENDLESS]
    with subprocess.Popen([sys.executable, str(FOLDER / "train.py"), *words], stdout=subprocess.DEVNULL) as process:
        try:

            def has_begun() -> bool:
                assert process.poll() is None
                return steps_logged(tmp_path) >= 3

            until(has_begun, "three steps")
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 143
        finally:
            process.kill()
    ends_with_a_checkpoint_of_its_last_step(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
def test_ctrl_c_ends_the_step_with_a_checkpoint(tmp_path: Path) -> None:
    """As SIGTERM does, with 130."""

    def press() -> None:
        until(lambda: steps_logged(tmp_path) >= 3, "three steps")
        os.kill(os.getpid(), signal.SIGINT)

    def unheard(*_: object) -> None:
        raise AssertionError("the program does not listen to Ctrl-C")

    person, before = threading.Thread(target=press), signal.signal(signal.SIGINT, unheard)
    person.start()
    try:
        assert run_here(tmp_path, *ENDLESS)[0] == 130
    finally:
        person.join()
        signal.signal(signal.SIGINT, before)
    ends_with_a_checkpoint_of_its_last_step(tmp_path)


def steps_logged(out: Path) -> int:
    log = out / "metrics.jsonl"
    return log.read_bytes().count(b"\n") if log.exists() else 0


def ends_with_a_checkpoint_of_its_last_step(tmp_path: Path) -> None:
    last = max(losses(tmp_path))
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == [f"step_{last:06d}.pt"]
    assert load(tmp_path / "checkpoints" / f"step_{last:06d}.pt")["step"] == last


def test_a_folder_with_a_run_is_not_begun_anew(done: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    """Without resume=true a second run into the same folder is refused, and nothing there changes."""
    before = (done[0] / "metrics.jsonl").read_bytes()
    with pytest.raises(SystemExit) as end:
        train.main(["--out", str(done[0]), *SHORT])
    assert end.value.code == 2
    assert "resume=true" in capsys.readouterr().err
    assert (done[0] / "metrics.jsonl").read_bytes() == before


def test_resuming_with_another_shape_is_refused(done: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    """A model of another width is not loaded: the message names the parameter and the value that fits."""
    with pytest.raises(SystemExit) as end:
        train.main(["--out", str(done[0]), *SHORT, "resume=true", "dim=64"])
    assert end.value.code == 2
    assert "error: dim=64" in (message := capsys.readouterr().err) and "dim=32" in message


# ---- the planted fault ----


def test_the_planted_fault_is_announced_and_seen(spoilt: tuple[Path, str]) -> None:
    """From fault_at on the true learning rate is 30 times as high, lines and stdout say so, and the loss jumps."""
    out, stdout = spoilt
    assert "step 30: planted fault, lr x30 for 5 steps" in stdout
    lines = read_lines(out / "metrics.jsonl")
    assert {line["step"]: line["fault"] for line in lines if "fault" in line} == dict.fromkeys(range(30, 35), 1)
    sound = train.Parameters(steps=50, warmup=4, lr=0.01)
    for line in lines:
        if "train/lr" in line:
            factor = 30 if 30 <= line["step"] < 35 else 1
            assert line["train/lr"] == pytest.approx(factor * train.learning_rate(line["step"], sound))
    of_step = losses(out)
    level = np.median([of_step[step] for step in range(20, 31)])
    assert max(of_step[step] for step in range(31, 41)) > 1.3 * level


# ---- what trainer.yaml and the last line say ----


def test_the_run_writes_what_trainer_yaml_lists(done: tuple[Path, str]) -> None:
    """The folder holds the declared files and no other."""
    spec = yaml.safe_load((FOLDER / "trainer.yaml").read_text(encoding="utf-8"))
    assert {path.name + "/" * path.is_dir() for path in done[0].iterdir()} == set(spec["writes"])


def test_the_last_line_compares_with_gzip_and_xz(done: tuple[Path, str]) -> None:
    """The run ends with one line of three numbers, ours first."""
    pattern = r"bits per byte on unseen files: ours \d\.\d\d \| gzip \d\.\d\d \| xz \d\.\d\d"
    assert re.fullmatch(pattern, done[1].splitlines()[-1])
