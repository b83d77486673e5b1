"""What a file that is dropped into an inbox may say: a job of its own, or how the data files beside it are trained.

YAML or JSON. Must not look at a trainer, a project or the store. Invariant: every mistake of a file is told at once, with
its line, and what is loaded asks for one thing: a command, or a trainer.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints, field_validator, model_validator

from neatd.config import load_yaml
from neatd.models import Model

JOB_SUFFIXES = (".yaml", ".yml", ".json")
INBOX_FILE = ".neat-inbox.yaml"  # in the folder itself: which trainer its data files are for
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", re.I)
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _bytes(value: Any) -> Any:
    """`8G` as bytes, by powers of 1024."""
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if isinstance(value, str) and not found:
        raise ValueError("is no size: write for example 8G or 500M")
    return int(float(found[1]) * 1024 ** _POWERS[found[2].upper()]) if found else value


def _text(value: Any) -> Any:
    """What YAML takes for a number is not turned back: 1_0 and 012 would become other words."""
    if not isinstance(value, str):
        raise ValueError("is not text to YAML: put it in quotes")
    return value


def _listed(value: Any) -> Any:
    """One word as a list of one."""
    return [value] if isinstance(value, str) else value


Word = Annotated[str, BeforeValidator(_text), StringConstraints(max_length=10_000)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Value = int | float | str | bool
Words = Annotated[tuple[Name, ...], BeforeValidator(_listed)]


class Asked(Model):
    """What any job may ask for."""

    name: str = Field(default="", max_length=200)  # of a trainer's also the run's: it goes to runs/NAME
    group: Name = "default"
    priority: int = Field(default=0, ge=-1_000_000, le=1_000_000)
    gpus: int = Field(default=0, ge=0, le=1024)
    memory: Annotated[Annotated[int, Field(gt=0)] | None, BeforeValidator(_bytes)] = None
    retries: int = Field(default=0, ge=0, le=100)
    why: str = ""
    env: dict[str, Annotated[str, BeforeValidator(_text)]] = Field(default_factory=dict)
    params: dict[str, Value] = Field(default_factory=dict)  # of a trainer

    @field_validator("env")
    @classmethod
    def _variables(cls, value: dict[str, str]) -> dict[str, str]:
        wrong = next((name for name in value if not _VARIABLE.fullmatch(name)), None)
        if wrong is not None:
            raise ValueError(f"{wrong[:60]!r} is no name of a variable")
        if any("\0" in text for text in value.values()):
            raise ValueError("a value holds a NUL, which no environment can")
        return value

    @field_validator("group")
    @classmethod
    def _group(cls, value: str) -> str:
        if value.strip() in ("", "*") or len(value) > 60:
            raise ValueError("not a group's name: use letters, digits, - and _ (60 at most)")
        return value.strip()


class JobFile(Asked):
    """A job as a file asks for it."""

    command: tuple[Word, ...] = ()
    trainer: Name | None = None
    after: Words = ()
    after_any: Words = ()

    @model_validator(mode="after")
    def _one_thing(self) -> JobFile:
        if bool(self.command) == (self.trainer is not None):
            raise ValueError("write one of the two: `command: [python, train.py]`, or `trainer: NAME`")
        if self.command and self.params:
            raise ValueError("`params` are of a trainer: a command has its words")
        return self


class InboxFile(Asked):
    """How the data files of a folder are trained: by which trainer, in which run, with what besides."""

    trainer: Name


def load_job(path: Path) -> JobFile:
    """A job file; raises ConfigError with all of its mistakes."""
    return load_yaml(path, JobFile)


def load_inbox(folder: Path) -> InboxFile | None:
    """What the folder says of its data files; None where it says nothing. Raises ConfigError with all mistakes."""
    path = folder / INBOX_FILE
    return load_yaml(path, InboxFile) if path.is_file() and not path.is_symlink() else None
