"""Trainers as their folders declare them: `trainer.yaml` -> spec -> the command that runs one.

Must not import a trainer or what it needs (torch would cost seconds), and must not be given a folder that a repository
brought: what is declared here is run. Invariant: a command built here holds only parameters that the trainer declares,
each of its declared type.
"""

from __future__ import annotations

import difflib
import importlib.util
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from neatd.config import load_yaml
from neatd.errors import ConfigError, NeatError
from neatd.models import Model

SPEC_FILE = "trainer.yaml"
Name = Annotated[str, StringConstraints(min_length=1)]
Value = int | float | str | bool
_KINDS = {"int": "a whole number", "float": "a number", "str": "text", "bool": "true or false"}


class Parameter(Model):
    """One `k=v` a trainer takes. `default` is of that type whatever YAML made of it (to YAML `3e-3` is text). A number may
    have bounds: `min` and `max` belong to what is taken, `above` does not."""

    type: Literal["int", "float", "str", "bool"]
    default: Value
    help: str = ""
    min: float | None = Field(default=None, allow_inf_nan=False)
    max: float | None = Field(default=None, allow_inf_nan=False)
    above: float | None = Field(default=None, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _typed(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("type") in _KINDS and isinstance(data.get("default"), Value):
            return {**data, "default": parse_value(data["type"], str(data["default"]))}
        return data

    @model_validator(mode="after")
    def _is_within(self) -> Parameter:
        if self.bounds and self.type not in ("int", "float"):
            raise ValueError(f"min, max and above are for numbers, not for {self.type}")
        if wrong := self.why_not(self.default):
            raise ValueError(f"default: {wrong}")
        return self

    @property
    def bounds(self) -> str:
        """What numbers it takes, in words; "" where all."""
        said = (("at least", self.min), ("more than", self.above), ("at most", self.max))
        return " and ".join(f"{words} {bound:g}" for words, bound in said if bound is not None)

    def why_not(self, value: Value) -> str:
        """Why a number is none that it takes; "" where it is, and for what has no bounds."""
        if not self.bounds or isinstance(value, str | bool):
            return ""
        is_low = (self.min is not None and value < self.min) or (self.above is not None and value <= self.above)
        is_high = self.max is not None and value > self.max
        return f"{value} is not {self.bounds}" if is_low or is_high or not math.isfinite(value) else ""


class Side(Model):
    """A program besides training: `eval` is called with `--checkpoint PATH NAME=VALUE…`, `profile` with `NAME=VALUE…` (it takes
    the trainer's parameters too). The last line of its output that is a JSON object of numbers is its result."""

    command: tuple[Name, ...] = Field(min_length=1)
    parameters: dict[str, Parameter] = Field(default_factory=dict)


class Data(Model):
    """Data files that the trainer learns from: `parameter` is given the path; `params` what else it is told then."""

    parameter: Name
    types: tuple[Name, ...] = Field(min_length=1)  # what their names end in, without the dot
    params: dict[str, Value] = Field(default_factory=dict)

    @field_validator("types")
    @classmethod
    def _are_types(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := next((one for one in value if not one.isalnum() or one in ("yaml", "yml", "json")), None):
            raise ValueError(f"{wrong!r} is no type of data: write `jsonl`; yaml and json are those of job files")
        return tuple(one.lower() for one in value)


class TrainerFile(Model):
    """What stands in trainer.yaml. `writes` are patterns below --out, `needs` the modules it imports."""

    name: Name
    description: str = ""
    command: tuple[Name, ...] = Field(min_length=1)
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    writes: tuple[str, ...] = ()
    needs: tuple[Name, ...] = ()
    distributed: bool = False  # it can train on several GPUs, a process for each under torchrun
    eval: Side | None = None
    profile: Side | None = None
    data: Data | None = None

    @model_validator(mode="after")
    def _knows_what_it_names(self) -> TrainerFile:
        if self.data is None:
            return self
        declared = self.parameters.get(self.data.parameter)
        if declared is None or declared.type != "str":
            raise ValueError(f"data.parameter: {self.data.parameter!r} is no parameter of type str")
        if "resume" not in self.parameters or self.parameters["resume"].type != "bool":
            raise ValueError("data: a trainer that goes on with each file needs the parameter `resume` of type bool")
        if wrong := next((name for name in self.data.params if name not in self.parameters), None):
            raise ValueError(f"data.params: no parameter {wrong!r}")
        return self


class TrainerSpec(TrainerFile):
    """A trainer and the folder that its command's files are in."""

    folder: Path


def load_trainers(folder: Path) -> dict[str, TrainerSpec]:
    """The trainers in the folders below `folder`, by name, in the order of their folders; empty if there are none.

    Raises ConfigError with all mistakes of all files, each with file, line, field and value.
    """
    found: dict[str, TrainerSpec] = {}
    mistakes: list[str] = []
    for path in sorted(folder.glob(f"*/{SPEC_FILE}")):
        try:
            file = load_yaml(path, TrainerFile)
        except ConfigError as error:
            mistakes.append(error.message)
            continue
        if file.name in found:
            mistakes.append(f"{path}: name: {file.name!r} is the name of {found[file.name].folder / SPEC_FILE} too")
        found[file.name] = TrainerSpec(**dict(file), folder=path.parent.absolute())
    if mistakes:
        raise ConfigError("\n".join(mistakes), f"fields of a trainer: {', '.join(TrainerFile.model_fields)}")
    return found


def build_command(spec: TrainerSpec, out: Path, params: Sequence[str]) -> tuple[str, ...]:
    """The command that trains into `out` with `params` ("steps=200"), runnable from anywhere; of equals the last wins.

    `python` becomes this interpreter and a file of the trainer's folder its absolute path. Raises NeatError naming a
    parameter that is unknown, with the closest known one, or whose value is not of the declared type.
    """
    values = checked(spec.name, spec.parameters, params)
    words = _program(spec, spec.command)
    return (*words, "--out", str(out.absolute()), *(f"{name}={value}" for name, value in values.items()))


def eval_command(spec: TrainerSpec, checkpoint: Path, params: Sequence[str]) -> tuple[str, ...]:
    """The command that scores a checkpoint. Raises NeatError when the trainer declares none, or as `build_command` does."""
    if spec.eval is None:
        raise NeatError(f"{spec.name} declares no `eval`", f"name the command in {spec.folder / SPEC_FILE}")
    values = checked(f"`neat eval` of {spec.name}", spec.eval.parameters, params)
    words = _program(spec, spec.eval.command)
    return (*words, "--checkpoint", str(checkpoint), *(f"{name}={value}" for name, value in values.items()))


def profile_command(spec: TrainerSpec, params: Sequence[str]) -> tuple[str, ...]:
    """The command that measures where the time of a few steps goes; raises NeatError likewise."""
    if spec.profile is None:
        raise NeatError(f"{spec.name} declares no `profile`", f"name the command in {spec.folder / SPEC_FILE}")
    known = {**spec.parameters, **spec.profile.parameters}
    values = checked(f"`neat profile` of {spec.name}", known, params)
    return (*_program(spec, spec.profile.command), *(f"{name}={value}" for name, value in values.items()))


def _program(spec: TrainerSpec, command: Sequence[str]) -> tuple[str, ...]:
    first, *rest = command
    program = sys.executable if first == "python" else _absolute(spec.folder, first)
    return (program, *(_absolute(spec.folder, part) for part in rest))


def missing_needs(spec: TrainerSpec) -> tuple[str, ...]:
    """The modules the trainer needs that are not installed here. Looks for them without importing any."""
    # A dotted name is asked for by its package: find_spec would import the parents to look inside.
    return tuple(n for n in spec.needs if importlib.util.find_spec(n.partition(".")[0]) is None)


def parse_value(kind: str, text: str) -> Value:
    """`text` as `kind` (int, float, str, or bool: true or false in any case). Raises ValueError if it is not one."""
    try:
        if kind == "bool":
            return {"true": True, "false": False}[text.lower()]
        return {"int": int, "float": float, "str": str}[kind](text)
    except (KeyError, ValueError):
        raise ValueError(f"{text!r} is not {_KINDS[kind]}") from None


def checked(whose: str, known: Mapping[str, Parameter], params: Sequence[str]) -> dict[str, str]:
    """Name -> value as the program gets it, of "name=value"s; of equals the last wins."""
    return dict(_checked(whose, known, param) for param in params)


def _checked(whose: str, known: Mapping[str, Parameter], param: str) -> tuple[str, str]:
    name, equals, text = param.partition("=")
    declared = known.get(name)
    if declared is None:
        raise NeatError(f"{whose} has no parameter {name!r}", _suggestion(whose, known, name))
    example = f"write for example {name}={_written(declared.default)}, the default"
    if not equals:
        raise NeatError(f"parameter {name!r} has no value", example)
    try:
        value = parse_value(declared.type, text)
    except ValueError as error:
        raise NeatError(f"parameter {name!r}: {error}", example) from error
    if wrong := declared.why_not(value):
        raise NeatError(f"parameter {name!r}: {wrong}", example)
    return name, _written(value) if declared.type == "bool" else text


def _suggestion(whose: str, known: Mapping[str, Parameter], name: str) -> str:
    closest = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
    if not closest:
        return f"{whose} takes no parameters"
    return f"did you mean {closest[0]!r}? {whose} takes {', '.join(known)}"


def as_words(params: Mapping[str, Value]) -> tuple[str, ...]:
    """Parameters as they are written on a command line."""
    return tuple(f"{name}={_written(value)}" for name, value in params.items())


def _written(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _absolute(folder: Path, part: str) -> str:
    return str(folder / part) if (folder / part).is_file() else part
