"""The parts of the trainer `lm`: its model, its text, its schedule, how it scores, and what its command line takes."""

from __future__ import annotations

import gzip
import importlib.util
import json
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.trainer_lm_made import FOLDER, SHORT, TINY, read_lines, run_here, torch, train

pytestmark = pytest.mark.timeout(300)  # loading torch takes a minute where others are at work too


# ---- the model ----


@pytest.mark.slow
def test_later_bytes_do_not_change_earlier_logits() -> None:
    """No position sees a byte after itself, whatever follows."""
    model = train.GPT(train.Parameters(dim=32, heads=2, layers=2, context=16))
    ids = torch.arange(16)[None]
    changed = ids.clone()
    changed[:, 9:] += 100
    with torch.no_grad():
        before, after = model(ids), model(changed)
    torch.testing.assert_close(before[:, :9], after[:, :9], rtol=0, atol=1e-6)
    assert not torch.allclose(before[:, 9:], after[:, 9:])


def test_earlier_bytes_change_later_logits() -> None:
    """The last position sees the first byte, as far as the context reaches."""
    model = train.GPT(train.Parameters(dim=32, heads=2, layers=2, context=16))
    ids = torch.arange(16)[None]
    changed = ids.clone()
    changed[:, 0] += 100
    with torch.no_grad():
        assert not torch.allclose(model(ids)[:, -1], model(changed)[:, -1], atol=1e-6)


def test_a_sound_learning_rate_rises_and_falls() -> None:
    """The schedule climbs to lr at the end of the warm-up and comes down to a tenth at the last step."""
    p = train.Parameters(steps=100, warmup=10, lr=1.0)
    rates = [train.learning_rate(step, p) for step in range(1, 101)]
    assert (rates[0], rates[9], rates[99]) == pytest.approx((0.1, 1.0, 0.1))
    assert rates[:10] == sorted(rates[:10]) and rates[9:] == sorted(rates[9:], reverse=True)


# ---- the text ----


def test_validation_files_are_unseen() -> None:
    """No file and no package of the validation text is in the training text, nor is a piece of its bytes."""
    text, val = train.read_corpus(train.Parameters(data_mb=2.0))
    packages = [{name.split("/")[0] for name in part.names} for part in (text, val)]
    assert len(packages[0]) > 20 and len(packages[1]) > 3
    assert not packages[0] & packages[1]
    seen, middle = text.data.tobytes(), len(val.data) // 2
    assert val.data[middle : middle + 400].tobytes() not in seen
    assert len(text.data) + len(val.data) <= 2_000_000


def test_tests_and_installed_packages_are_not_read() -> None:
    """Nothing of site-packages or of the standard library's tests is in the text."""
    names = train.find_files(Path(sysconfig.get_path("stdlib")))
    assert "argparse.py" in names and "json/decoder.py" in names
    assert not [name for name in names if {"test", "tests", "site-packages"} & set(name.split("/"))]


# ---- saving and scoring ----


def test_a_failed_save_leaves_the_old_file(tmp_path: Path) -> None:
    """When writing breaks off, the name still holds the former content."""
    path = tmp_path / "step_000001.pt"
    path.write_bytes(b"old")

    def break_off(file: Any) -> None:
        file.write(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        train.write_atomically(path, break_off)
    assert path.read_bytes() == b"old"


@pytest.mark.slow
def test_correct_means_that_greedy_completion_is_right(tmp_path: Path) -> None:
    """`correct` is what completing the prompt byte by byte gives, for right and for wrong examples."""
    p = train.Parameters(dim=32, layers=1, context=32, data_mb=0.5, eval_windows=64, steps=40, warmup=4, lr=0.01)
    one = train.Run(tmp_path, p)
    for _ in range(p.steps):
        one.train_step()
    _, predictions = train.evaluate(one.model, one.val, one.val_data, p)
    for line in predictions:
        name, offset = line["id"].split("@")
        start = one.val.starts[one.val.names.index(name)] + int(offset)
        ids = one.val_data[start : start + p.context + 1].long()[None]
        text = ids[:, : -train.ANSWER]
        for _ in range(train.ANSWER):
            text = torch.cat((text, one.model(text)[:, -1:].argmax(-1)), dim=1)
        assert line["correct"] == torch.equal(text, ids)
    assert {line["correct"] for line in predictions} == {True, False}


def test_all_three_scores_are_of_the_same_bytes() -> None:
    """A model that knows nothing scores 8 bits; gzip's score is that of the whole windows of the chosen pieces."""
    p = train.Parameters(data_mb=0.5, dim=32, layers=1, context=64)
    _, val = train.read_corpus(p)
    model = train.GPT(p)
    torch.nn.init.zeros_(model.embed.weight)  # even logits
    pieces = val.data[: len(val.data) // train.PIECE * train.PIECE]
    plain = pieces[: (len(pieces) - 1) // 64 * 64 + 1].tobytes()
    score = train.final_score(model, torch.from_numpy(val.data), p)
    assert score.startswith(f"ours 8.00 | gzip {8 * len(gzip.compress(plain, 9)) / len(plain):.2f} | xz ")


# ---- the command line ----


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["bacth=3"], ["unknown parameter bacth", "did you mean batch?"]),
        (["--learning-rat", "3"], ["unknown parameter learning-rat"]),
        (["steps=many"], ["steps=many", "int"]),
        (["steps=0"], ["steps=0", "range"]),
        (["lr=nan"], ["lr=nan", "range"]),
        (["resume=perhaps"], ["resume=perhaps", "bool"]),
        (["dim=30"], ["dim=30", "heads=4"]),
        (["context=4"], ["context=4"]),
        (["device=abacus"], ["device=abacus", "cpu"]),
        (["dtype=int3"], ["dtype=int3", "bfloat16"]),
        (["data_mb=0.001"], ["data_mb=0.001"]),
    ],
)
def test_a_mistake_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], parts: list[str]
) -> None:
    """A wrong word ends with exit code 2, an error that names it and a hint, before anything is written."""
    with pytest.raises(SystemExit) as end:
        train.main(["--out", str(tmp_path / "run"), *words])
    message = capsys.readouterr().err
    assert end.value.code == 2
    assert message.startswith("error: ") and "\nhint: " in message
    assert [part for part in parts if part not in message] == []
    assert not (tmp_path / "run").exists()


def test_three_spellings_mean_the_same() -> None:
    """key=value, --key=value and --key value are one; a folder's name may hold an equals sign."""
    spellings = (["lr=0.1", "resume=true"], ["--lr=0.1", "--resume=true"], ["--lr", "0.1", "--resume", "True"])
    expected = train.Parameters(lr=0.1, resume=True)
    assert [train.parse(["--out", "a=b", *words]) for words in spellings] == [(Path("a=b"), expected)] * 3


def test_trainer_yaml_says_what_the_program_has() -> None:
    """Each parameter has the same default and type in trainer.yaml as in the program, in the same order, and help."""
    spec = yaml.safe_load((FOLDER / "trainer.yaml").read_text(encoding="utf-8"))
    program = {name: field.default for name, field in train.Parameters.__dataclass_fields__.items()}
    declared = spec["parameters"]
    assert [(n, p["default"], p["type"]) for n, p in declared.items()] == [
        (n, default, type(default).__name__) for n, default in program.items()
    ]
    assert all(p["help"] for p in declared.values())
    assert (spec["name"], spec["command"], spec["needs"]) == ("lm", ["python", "train.py"], ["torch", "numpy"])


# ---- scores of a checkpoint, times of a step ----


def program(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Another program of the trainer, over the same train.py."""
    monkeypatch.setitem(sys.modules, "train", train)
    spec = importlib.util.spec_from_file_location(f"lm_{name}", FOLDER / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_checkpoint_scores_what_the_run_measured_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last line is what metrics.jsonl has at that step, though the training text is gone; other files are refused."""
    text = tmp_path / "text.txt"
    text.write_text("to be or not to be " * 99)
    out, evaluation = tmp_path / "run", program("eval", monkeypatch)
    words = [*SHORT, "steps=10", "save_every=10", f"data={text}"]
    assert run_here(out, *words)[0] == 0
    assert run_here(out, *words, "resume=true", "more=5")[0] == 0
    text.unlink()
    capsys.readouterr()
    saves = out / "checkpoints"
    assert evaluation.main(["--checkpoint", str(saves / "step_000015.pt"), "windows=16", "device=cpu"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    measured = [line for line in read_lines(out / "metrics.jsonl") if "val/loss" in line][-1]
    assert found["step"] == measured["step"] == 15 and found["windows"] == 16
    for name in ("val/loss", "val/bits_per_byte", "val/accuracy"):
        assert found[name] == pytest.approx(measured[name], rel=1e-6)
    text.write_bytes(b"PK no weights")
    for wrong in (["--checkpoint", str(text)], ["--checkpoint", str(tmp_path / "no.pt")], ["window=3"]):
        with pytest.raises(SystemExit):
            evaluation.main(wrong)
    assert capsys.readouterr().err.count("error: ") == 3


@pytest.mark.slow
def test_a_profile_names_the_costliest_operations_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table, then tokens a second; in the folder it was started in nothing is left."""
    profiler = program("profile_steps", monkeypatch)
    monkeypatch.chdir(tmp_path)
    assert profiler.main(["profile_steps=2", *TINY]) == 0
    text = capsys.readouterr().out
    found = json.loads(text.splitlines()[-1])
    assert "aten::" in text and found["tokens_per_s"] > 0 and 0 < found["top_share"] < 1
    assert found["profile_steps"] == 2 and list(tmp_path.iterdir()) == []
