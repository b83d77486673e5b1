"""Trainers as declared in YAML: what loads, what is refused, and the command that comes out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from neatd.errors import ConfigError, NeatError
from neatd.jobs.trainers import TrainerSpec, build_command, load_trainers, missing_needs

GOOD = """\
name: tiny
description: A small one.
command: ["python", "train.py", "--fast"]
parameters:
  steps: {default: 600, type: int, help: "steps to train"}
  lr: {default: 3e-3, type: float, help: "learning rate"}
  device: {default: auto, type: str}
  resume: {default: false, type: bool}
writes: ["metrics.jsonl", "checkpoints/step_*.pt"]
needs: [json]
"""


def make(folder: Path, text: str = GOOD, name: str = "tiny") -> Path:
    """A trainers' folder with one trainer whose program prints its arguments, one a line."""
    home = folder / name
    home.mkdir(parents=True)
    (home / "trainer.yaml").write_text(text)
    (home / "train.py").write_text("import sys\nprint(*sys.argv[1:], sep='\\n')\n")
    return folder


@pytest.fixture
def tiny(tmp_path: Path) -> TrainerSpec:
    return load_trainers(make(tmp_path / "trainers"))["tiny"]


def test_a_trainer_is_read_as_declared(tiny: TrainerSpec) -> None:
    """Every field arrives with its type, also the number that YAML takes for text."""
    assert (tiny.name, tiny.description, tiny.folder.name) == ("tiny", "A small one.", "tiny")
    assert {name: p.default for name, p in tiny.parameters.items()} == {
        "steps": 600,
        "lr": 0.003,
        "device": "auto",
        "resume": False,
    }
    assert tiny.parameters["steps"].help == "steps to train"
    assert tiny.writes == ("metrics.jsonl", "checkpoints/step_*.pt")


def test_trainers_come_by_name(tmp_path: Path) -> None:
    """Each folder with a trainer.yaml is one trainer; other folders and files are none."""
    make(tmp_path, name="b")
    make(tmp_path, GOOD.replace("tiny", "other"), "a")
    (tmp_path / "notes").mkdir()
    (tmp_path / "README.md").touch()
    assert list(load_trainers(tmp_path)) == ["other", "tiny"]


def test_a_folder_without_trainers_has_none(tmp_path: Path) -> None:
    """An empty or missing folder is no error."""
    assert load_trainers(tmp_path / "nowhere") == {}


def test_all_mistakes_of_all_files_are_named_at_once(tmp_path: Path) -> None:
    """Each mistake comes with its file, line, field and value."""
    make(tmp_path, GOOD.replace("default: 600", "default: 0.5").replace("help:", "hlep:", 1), "one")
    make(tmp_path, GOOD.replace("writes:", "wirtes:"), "two")
    make(tmp_path, "name: [", "three")
    with pytest.raises(ConfigError) as caught:
        load_trainers(tmp_path)
    message = caught.value.message
    assert f"{tmp_path}/one/trainer.yaml:5: parameters.steps: '0.5' is not a whole number" in message
    assert f"{tmp_path}/two/trainer.yaml:9: wirtes: unknown field (did you mean writes?)" in message
    assert f"{tmp_path}/three/trainer.yaml" in message
    assert "wirtes" not in caught.value.hint
    assert "writes" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    ["", "- a list", GOOD.replace('["python", "train.py", "--fast"]', "[]"), GOOD.replace("type: int", "type: integer"),
     GOOD + "folder: /tmp\n", GOOD.replace("default: 600, ", ""), "!!python/object/apply:os.getcwd []"],
)  # fmt: skip
def test_what_is_not_a_trainer_is_refused(tmp_path: Path, text: str) -> None:
    """Empty, of another shape, with an unknown type or field, without a default, or asking YAML to run code."""
    with pytest.raises(ConfigError, match=r"trainer\.yaml"):
        load_trainers(make(tmp_path, text))


def test_two_trainers_of_one_name_are_refused(tmp_path: Path) -> None:
    """The message names both files."""
    make(tmp_path, name="one")
    make(tmp_path, name="two")
    with pytest.raises(ConfigError) as caught:
        load_trainers(tmp_path)
    assert str(tmp_path / "one" / "trainer.yaml") in caught.value.message
    assert str(tmp_path / "two" / "trainer.yaml") in caught.value.message


def test_the_command_is_this_interpreter_and_absolute_paths(tiny: TrainerSpec, tmp_path: Path) -> None:
    """`python` is the running interpreter, files of the folder are absolute, words stay as they are."""
    assert build_command(tiny, tmp_path / "out", ["steps=20", "lr=1e-4"]) == (
        sys.executable, str(tiny.folder / "train.py"), "--fast", "--out", str(tmp_path / "out"), "steps=20", "lr=1e-4",
    )  # fmt: skip


def test_the_command_runs_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative folders for trainers and output are fixed when the command is built, spaces and all."""
    make(tmp_path / "my trainers")
    monkeypatch.chdir(tmp_path)
    spec = load_trainers(Path("my trainers"))["tiny"]
    command = build_command(spec, Path("runs/a b"), ["device=cuda:0 x"])
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["--fast", "--out", str(tmp_path / "runs/a b"), "device=cuda:0 x"]


def test_the_last_of_equal_parameters_wins(tiny: TrainerSpec, tmp_path: Path) -> None:
    """Each name is handed on once."""
    assert build_command(tiny, tmp_path, ["steps=1", "steps=2"])[-2:] == (str(tmp_path), "steps=2")


def test_a_value_may_hold_equals_signs(tiny: TrainerSpec, tmp_path: Path) -> None:
    """Only the first sign separates."""
    assert build_command(tiny, tmp_path, ["device=a=b"])[-1] == "device=a=b"


def test_an_unknown_parameter_names_the_closest(tiny: TrainerSpec, tmp_path: Path) -> None:
    """A slip of the key is answered with the parameter that was meant, and with all there are."""
    with pytest.raises(NeatError) as caught:
        build_command(tiny, tmp_path, ["stpes=20"])
    assert caught.value.message == "tiny has no parameter 'stpes'"
    assert caught.value.hint == "did you mean 'steps'? tiny takes steps, lr, device, resume"


@pytest.mark.parametrize(
    ("param", "message"),
    [
        ("steps=1.5", "parameter 'steps': '1.5' is not a whole number"),
        ("steps=", "parameter 'steps': '' is not a whole number"),
        ("lr=fast", "parameter 'lr': 'fast' is not a number"),
        ("resume=1", "parameter 'resume': '1' is not true or false"),
        ("resume", "parameter 'resume' has no value"),
    ],
)
def test_a_value_of_another_type_is_refused(tiny: TrainerSpec, tmp_path: Path, param: str, message: str) -> None:
    """The message names parameter, value and type; the hint shows the default as it is written."""
    with pytest.raises(NeatError) as caught:
        build_command(tiny, tmp_path, [param])
    assert caught.value.message == message
    default = {"steps": "steps=600", "lr": "lr=0.003", "resume": "resume=false"}[param.partition("=")[0]]
    assert default in caught.value.hint


def test_a_truth_value_is_handed_on_in_lower_case(tiny: TrainerSpec, tmp_path: Path) -> None:
    """`True` from a Python habit reaches the trainer as `true`."""
    assert build_command(tiny, tmp_path, ["resume=True"])[-1] == "resume=true"


def test_missing_needs_are_named_and_nothing_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that is there is found without running it, a missing one is named, a submodule by its package."""
    (tmp_path / "booby").mkdir()
    (tmp_path / "booby" / "__init__.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    needs = "needs: [booby, booby.trap, json, no_such_module_here, no_such.part]"
    spec = load_trainers(make(tmp_path / "trainers", GOOD.replace("needs: [json]", needs)))["tiny"]
    assert missing_needs(spec) == ("no_such_module_here", "no_such.part")
    assert "booby" not in sys.modules


def test_a_number_outside_of_its_bounds_is_refused(tmp_path: Path) -> None:
    """`min` and `max` are taken, `above` is not; NaN is within no bounds; the default has to be within them."""
    text = GOOD.replace("type: int,", "type: int, min: 1, max: 900,").replace("type: float,", "type: float, above: 0,")
    spec = load_trainers(make(tmp_path / "a", text))["tiny"]
    for word, told in (
        ("steps=0", "parameter 'steps': 0 is not at least 1 and at most 900"),
        ("steps=901", "901 is not at least"),
        ("lr=0", "parameter 'lr': 0.0 is not more than 0"),
        ("lr=nan", "nan is not more than 0"),
        ("lr=inf", "inf is not more than 0"),
    ):
        with pytest.raises(NeatError) as caught:
            build_command(spec, tmp_path, [word])
        assert told in caught.value.message
    assert build_command(spec, tmp_path, ["steps=1", "lr=1e-9"])[-2:] == ("steps=1", "lr=1e-9")
    for wrong in (GOOD.replace("type: int,", "type: int, min: 601,"), GOOD.replace("type: str}", "type: str, min: 1}")):
        with pytest.raises(ConfigError, match=r"trainer\.yaml"):
            load_trainers(make(tmp_path / str(len(wrong)), wrong))
