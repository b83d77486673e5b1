"""A study as its YAML file declares it: what is searched, for which goal, how, and how much.

Must not look at a trainer, a project or the store. Invariant: what is loaded is consistent in itself: every name that an
expression or the command asks for is there, and every mistake of the file is told at once, with its line.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from neatd.config import load_yaml
from neatd.expressions import Expression
from neatd.models import Goal, Model
from neatd.studies.parameters import Parameter, Value
from neatd.yamlplaces import Place

COUNT = "parameters"  # what a budget limits: the size of the model
OWN = ("out", "trial", "study")  # what a command may ask for besides the parameters
MOST_TRIALS = 100_000
_SIZES = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9, "T": 1e12}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGBT]?)", re.I)
_BYTES = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_WORD = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,59}")
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,49}")


def _size(value: Any) -> Any:
    """`200M` as 200,000,000."""
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    return float(found[1]) * _SIZES[found[2].upper()] if found else value


def _bytes(value: Any) -> Any:
    """`8G` as bytes, by powers of 1024."""
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    return int(float(found[1]) * _BYTES[found[2].upper()]) if found and found[2].upper() in _BYTES else value


def _share(value: Any) -> Any:
    """`10%` as 0.1."""
    text = value.strip() if isinstance(value, str) else ""
    return float(text[:-1]) / 100 if re.fullmatch(r"\d+(\.\d+)?%", text) else value


def _words(value: Any) -> Any:
    """A command line as its words."""
    return shlex.split(value) if isinstance(value, str) else value


def _as_word(value: str) -> str:
    if not _WORD.fullmatch(value):
        raise ValueError(f"{value[:60]!r} is no name: letters, digits and _ (60 at most), no digit first")
    return value


def _as_label(value: str) -> str:
    if not _LABEL.fullmatch(value) or ".." in value:
        raise ValueError("may hold letters, digits, single dots, - and _ (50 at most), the first a letter or digit")
    return value


Name = Annotated[str, AfterValidator(_as_word)]
Label = Annotated[str, AfterValidator(_as_label)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class Objective(Model):
    """What makes a trial better: a metric of its run, at its best or at its end, not before so many steps."""

    metric: Text
    goal: Goal = "min"
    value: Literal["best", "last"] = "best"
    steps: int = Field(default=0, ge=0)  # a trial that ends before it has failed


class Budget(Model):
    """How large a model may be. `by` names the whole-number parameter that is chosen so that it is met."""

    parameters: Annotated[float, BeforeValidator(_size), Field(gt=0)]
    count: Text = COUNT  # how many a point has: an expression, or the derived value of that name
    tolerance: Annotated[float, BeforeValidator(_share), Field(ge=0, lt=1)] = 0.1
    by: Name | None = None


class Sampler(Model):
    """How the next point is chosen. `grid` goes through all feasible points, in an order that the seed decides."""

    kind: Literal["tpe", "random", "sobol", "grid"] = "tpe"
    seed: int = Field(default=0, ge=0)
    startup: int = Field(default=10, ge=1)  # of tpe: so many points are random


class Pruner(Model):
    """What ends a trial early, by the values of the goal's metric that the others had."""

    kind: Literal["none", "median", "hyperband"] = "none"
    startup: int = Field(default=5, ge=0)  # of median: so many trials end before any is stopped
    warmup: int = Field(default=0, ge=0)  # steps of a trial before it is looked at
    interval: int = Field(default=1, ge=1)  # steps between looks
    least: int = Field(default=1, ge=1)  # of hyperband: steps that each trial gets
    most: int | None = Field(default=None, ge=1)  # and the steps of a whole one; none: as many as the first ones took
    factor: int = Field(default=3, ge=2)


class Repeats(Model):
    """Each point is tried once for each value of a parameter that is no part of the search, as of a seed."""

    parameter: Name = "seed"
    values: tuple[Value, ...] = Field(min_length=1, max_length=100)


class StudyFile(Model):
    """What stands in a study's file."""

    name: Label
    trainer: Text | None = None
    command: Annotated[tuple[str, ...] | None, BeforeValidator(_words)] = None
    set: dict[Name, Value] = Field(default_factory=dict)  # a trainer's parameters that stay the same
    space: dict[Name, Parameter] = Field(min_length=1, max_length=100)
    derived: dict[Name, Text] = Field(default_factory=dict)
    constraints: tuple[Text, ...] = ()
    budget: Budget | None = None
    goal: Objective
    sampler: Sampler = Sampler()
    pruner: Pruner = Pruner()
    trials: int = Field(ge=1, le=MOST_TRIALS)  # points of the search; those that a person adds are besides
    repeats: Repeats | None = None
    parallel: int = Field(default=1, ge=1, le=1000)
    group: Label | None = None
    priority: int = 0
    gpus: int = Field(default=0, ge=0)
    memory: Annotated[Annotated[int, Field(gt=0)] | None, BeforeValidator(_bytes)] = None
    retries: int = Field(default=1, ge=0, le=10)  # of a trial that was lost, interrupted or killed from outside

    @field_validator("command")
    @classmethod
    def _has_words(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and not value:
            raise ValueError("must not be empty")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> StudyFile:
        found = [*_wrong_names(self), *_wrong_expressions(self), *_wrong_command(self), *_wrong_search(self)]
        if found:
            raise ValidationError.from_exception_data(type(self).__name__, [_detail(*one) for one in found])
        return self

    @property
    def group_name(self) -> str:
        """The group of the queue that its trials are in."""
        return self.group or f"study:{self.name}"

    @property
    def needs_optuna(self) -> bool:
        """Whether the search cannot go on without it."""
        return self.sampler.kind == "tpe" or self.pruner.kind != "none"

    @property
    def expressions(self) -> dict[str, str]:
        """The derived values in their order, the budget's count among them."""
        counted = {COUNT: self.budget.count} if self.budget and self.budget.count != COUNT else {}
        return self.derived | counted


Wrong = tuple[Place, str, Any]


def load_study(path: Path) -> StudyFile:
    """The study that `path` declares. Raises ConfigError with file, line, field and value of each mistake."""
    return load_yaml(path, StudyFile)


def placeholders(word: str) -> list[str]:
    """The names in braces that a word of a command asks for. Raises ValueError for a brace that stands alone."""
    found = [one[1:] for one in Formatter().parse(word) if one[1] is not None]
    if any(form or conversion for _, form, conversion in found):
        raise ValueError("a name in braces takes no format")
    return [str(name) for name, _, _ in found]


def _wrong_names(spec: StudyFile) -> Iterator[Wrong]:
    if (spec.trainer is None) == (spec.command is None):
        yield (), "name either a `trainer` or a `command`", spec.name
    for name in spec.set:
        if name in spec.space:
            yield ("set", name), "is searched in `space` too", spec.set[name]
    for name in spec.derived:
        if name in spec.space or name in spec.set:
            yield ("derived", name), "is the name of a parameter too", spec.derived[name]
    if spec.repeats and (spec.repeats.parameter in spec.space or spec.repeats.parameter in spec.set):
        yield ("repeats", "parameter"), "is set or searched already", spec.repeats.parameter
    if spec.command and spec.set:
        yield ("set",), "is for a trainer: write the values into the command", sorted(spec.set)


def _wrong_expressions(spec: StudyFile) -> Iterator[Wrong]:
    known = [*spec.set, *spec.space]
    for name, text in spec.derived.items():
        yield from _tried(("derived", name), text, known)
        known.append(name)
    if spec.budget:
        yield from _wrong_budget(spec, spec.budget, known)
        known += [COUNT] * (COUNT not in known)
    for index, text in enumerate(spec.constraints):
        yield from _tried(("constraints", index), text, known)


def _wrong_budget(spec: StudyFile, budget: Budget, known: list[str]) -> Iterator[Wrong]:
    if budget.count == COUNT and COUNT not in known:
        yield ("budget", "count"), "is missing: an expression that counts the parameters of a point", budget.count
    elif budget.count != COUNT:
        yield from _tried(("budget", "count"), budget.count, known)
        if COUNT in known:
            yield ("budget", "count"), f"{COUNT!r} is there already", budget.count
    by = spec.space.get(budget.by) if budget.by else None
    if budget.by and (by is None or by.type != "int"):
        yield ("budget", "by"), "must be a parameter of `space` of type int", budget.by


def _tried(place: Place, text: str, known: list[str]) -> Iterator[Wrong]:
    try:
        Expression(text, known)
    except ValueError as error:
        yield place, str(error), text


def _wrong_command(spec: StudyFile) -> Iterator[Wrong]:
    if not spec.command:
        return
    known = {*spec.space, *spec.expressions, *OWN} | ({spec.repeats.parameter} if spec.repeats else set())
    asked: set[str] = set()
    for index, word in enumerate(spec.command):
        try:
            names = placeholders(word)
        except ValueError as error:
            yield ("command", index), f"{error}; write {{{{ for a brace itself", word
            continue
        asked |= set(names)
        for name in names:
            if name not in known:
                yield ("command", index), f"asks for {{{name}}}; known are {', '.join(sorted(known))}", word
    yield from _unused(spec, asked)


def _unused(spec: StudyFile, asked: set[str]) -> Iterator[Wrong]:
    if "out" not in asked:
        yield ("command",), "must say {out}: the folder of its own that a trial writes to", " ".join(spec.command or ())
    used = set(asked)
    for name, text in reversed(spec.expressions.items()):
        if name in used:
            used |= Expression(text, [*spec.space, *spec.expressions]).names
    for name in spec.space:
        if name not in used:
            yield ("space", name), f"the command never asks for {{{name}}}", name
    if spec.repeats and spec.repeats.parameter not in asked:
        name = spec.repeats.parameter
        yield ("repeats", "parameter"), f"the command never asks for {{{name}}}", name


def _wrong_search(spec: StudyFile) -> Iterator[Wrong]:
    if spec.sampler.kind == "grid":
        for name, one in spec.space.items():
            if one.count is None:
                what = "has no end of values, which sampler grid cannot go through: give a step, or choices"
                yield ("space", name), what, one.type


def _detail(place: Place, what: str, value: Any) -> InitErrorDetails:
    kind = PydanticCustomError("value_error", "{error}", {"error": what})
    return InitErrorDetails(type=kind, loc=place, input=value)
