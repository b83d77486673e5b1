"""The project's neat.yaml and the user's settings, read once into frozen objects.

Nothing in a repository's file can grant a deletion or name a command to run: there are no such fields. `python` says
only which Python the word stands for in a command that a person types.
All mistakes of a file are reported at once, each with file, line, field and value.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import Field, ValidationError, field_validator
from pydantic_core import ErrorDetails

from neatd.errors import ConfigError
from neatd.files import read_small
from neatd.models import Goal, Model
from neatd.place import PROJECT_FILE, cpu_slots
from neatd.policy import RetentionPolicy
from neatd.redact_own import compile_patterns
from neatd.wording import UNKNOWN, in_words, known_fields
from neatd.yamlplaces import Mistake, Places, dotted

T = TypeVar("T", bound=Model)
_PYTHON = re.compile(r"(?:[^\x00-\x1f]*[/\\])?(?:python|pypy)[\w.-]*")
LARGEST_FILE = 64 * 1024  # bytes of a configuration


class Primary(Model):
    """The metric experiments are compared by."""

    metric: str
    goal: Goal = "min"


class Watch(Model):
    """What is looked at below the project's folder."""

    ignore: tuple[str, ...] = ()  # folder names or globs relative to the project, besides the built-in ones
    include: tuple[str, ...] = ()  # built-in ignored names to look into after all, e.g. `data`
    depth: int = Field(default=8, ge=1, le=32)
    max_folders: int = Field(default=20_000, ge=1)  # beyond it the rest is not watched, and an event says so


class Brief(Model):
    """Limits of the brief. 6,000 bytes: well under the 10,000 characters that assistants take whole."""

    budget_bytes: int = Field(default=6000, ge=500)


class DataFolders(Model):
    """Where the project's data lies, relative to the project, by what was done to it."""

    raw: tuple[str, ...] = ()
    processed: tuple[str, ...] = ()


class ProjectConfig(Model):
    """neat.yaml. Every path in it is relative to the project and must stay inside it (`files.inside`)."""

    id: str
    name: str = ""
    primary: Primary | None = None
    watch: Watch = Watch()
    retention: RetentionPolicy = RetentionPolicy()
    brief: Brief = Brief()
    planned_steps: int | None = Field(default=None, ge=1)  # of each run, where no parameter and no tracker says
    planned_epochs: float | None = Field(default=None, gt=0)
    phase: str = ""
    plan: str = ""  # a markdown file whose checkboxes are tasks
    notes: tuple[str, ...] = ()  # files or globs of notes that become records as they are written
    documents: dict[str, str] = Field(default_factory=dict)  # template name -> the path it is kept current at
    table_csv: str = ""  # the experiment table, kept current for spreadsheets
    data: DataFolders = DataFolders()
    python: str = ""  # a path relative to the project, or a word on PATH: what `python` means in `neat launch`
    secrets: tuple[str, ...] = ()  # patterns of what must not reach a document, besides the known ones

    @field_validator("python")
    @classmethod
    def _is_a_python(cls, value: str) -> str:
        if value and not _PYTHON.fullmatch(value):  # a clone must not make another program of a typed `python`
            raise ValueError("not a Python: write a path whose last part begins with python, or such a word on PATH")
        return value

    @field_validator("secrets")
    @classmethod
    def _safe_patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        try:
            compile_patterns(value)
        except ConfigError as error:
            raise ValueError(f"{error.message.removeprefix('secrets: ')} ({error.hint})") from error
        return value

    @field_validator("id")
    @classmethod
    def _lower(cls, value: str) -> str:
        return value.lower()


class Settings(Model):
    """NEAT_HOME/settings.yaml: how the daemon behaves on this machine. Times in seconds."""

    read_bytes: int = Field(default=1 << 20, ge=1024)  # read per source and turn: bounds a transaction and the memory
    judge_lines: int = Field(default=20_000, ge=1)  # judged per source and turn
    sweep_s: float = Field(default=2.0, gt=0)  # active runs and small projects
    full_sweep_s: float = Field(default=60.0, gt=0)  # the longest a folder goes unlooked at
    checkpoint_rest_s: float = Field(default=2.0, gt=0, le=5.0)  # size and time at rest before a checkpoint counts
    stall_s: float = Field(default=60.0, gt=0)  # the least silence called a stall
    lost_s: float = Field(default=1800.0, gt=0)  # silence without any process before a run is called lost
    snapshot_gib: float = Field(default=20.0, ge=0)  # per project; beyond it snapshots pin in place
    backup_every_h: float = Field(default=24.0, gt=0)
    backups_kept: int = Field(default=7, ge=1)
    compact_after_days: float = Field(default=90.0, ge=0, le=36_500)  # since a run's end, for long series; 0: never
    memory_look_s: float = Field(default=2.0, ge=0.5, le=60.0)  # between looks while something runs
    memory_warning_percent: float = Field(default=70.0, gt=0, le=100)  # of a limit in use: a warning, and MEDIUM
    memory_critical_percent: float = Field(default=85.0, gt=0, le=100)  # a critical event, and HIGH
    memory_high_s: float = Field(default=60.0, ge=0)  # to the limit at the present pace: HIGH
    memory_medium_s: float = Field(default=600.0, ge=0)
    memory_stalled_percent: float = Field(default=10.0, gt=0, le=100)  # of 10 s: all wait HIGH, some MEDIUM
    memory_calm_s: float = Field(default=30.0, ge=0)  # lower for so long, before the risk is lowered
    stop_term_s: float = Field(
        default=30.0, ge=0
    )  # from the interrupt of a run that a rule ends to TERM, so it can save
    stop_kill_s: float = Field(default=60.0, ge=0)  # and to KILL
    cpu_slots: int = Field(default_factory=cpu_slots, ge=1)  # jobs without a GPU that run at once; half the cores, or 2
    isolate_gpus: bool = (
        False  # a job that asked for no GPU sees none; else what the environment says it was queued with
    )
    page_address: str = "127.0.0.1"  # where the page listens; any other asks everybody for the token
    page_port: int = Field(default=0, ge=0, le=65535)  # 0: a free one, remembered from then on
    page_hosts: tuple[str, ...] = ()  # names by which the page may be called, besides its address and localhost
    page_ready: bool = True  # its process is started soon after neatd: the first look waits for none
    memory_pauses: bool = True  # HIGH keeps jobs from being started; nothing that runs is ever ended for it


class YamlLoader(yaml.SafeLoader):
    """The safe loader without aliases: a hundred bytes of nested ones stand for a document without end."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.composer.ComposerError(None, None, "aliases are not supported; write the value out", mark)
        return super().compose_node(parent, index)


def load_project(root: Path) -> ProjectConfig:
    """The project's neat.yaml; raises ConfigError naming each mistake."""
    return load_yaml(root / PROJECT_FILE, ProjectConfig)


def settings_path(home: Path) -> Path:
    """Where the user's settings are."""
    return home / "settings.yaml"


def load_settings(home: Path) -> Settings:
    """The user's settings, all defaults when there is no file."""
    path = settings_path(home)
    return load_yaml(path, Settings) if path.exists() else Settings()


def load_yaml(path: Path, model: type[T]) -> T:
    """`path` as `model`. Safe loader only; raises ConfigError with file, line, field and value of every mistake."""
    try:
        text = read_small(path, LARGEST_FILE).decode("utf-8-sig")
        if path.suffix == ".json":
            text = text.replace("\t", " ")  # between the words of JSON, never in its texts; YAML takes none there
        node = yaml.compose(text, Loader=YamlLoader)
        places = Places(node) if node is not None else None
        if places and places.unreadable:
            raise _as_error(path, [*places.unreadable, *places.doubled], "mend the value, or put it in quotes")
        data = None if node is None else yaml.constructor.SafeConstructor().construct_document(node)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8: {error}", "save the file as UTF-8") from error
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read: {error.strerror}", "check that the file exists and is yours"
        ) from error
    except (ValueError, LookupError, AttributeError, RecursionError) as error:
        # PyYAML's own, for a value that its kind does not fit, and for endless nesting.
        raise ConfigError(f"{path}: not YAML: {error}", "mend the value, or put it in quotes") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}{_mark(error)}: not YAML: {_problem(error)}", "mend the YAML at that line") from error
    return _validated(path, model, {} if data is None else data, places)


def _validated(path: Path, model: type[T], data: Any, places: Places | None) -> T:
    doubled = places.doubled if places else []
    try:
        found = model.model_validate(data)
    except ValidationError as error:
        errors = error.errors()
        lines = [
            (places.line(one["loc"]) if places else 1, f"{dotted(one['loc'])}: {in_words(one, model)}")
            for one in errors
        ]
        raise _as_error(path, [*lines, *doubled], _hint(errors, model)) from error
    if doubled:
        raise _as_error(path, doubled, "keep one of the two")
    return found


def _hint(errors: list[ErrorDetails], model: type[Model]) -> str:
    """The fields that there are, where one is not known or none is there; else that the values are to be mended."""
    wrong = next((one for one in errors if one["type"] == UNKNOWN), None)
    names = known_fields(wrong, model) if wrong else []
    if not wrong and all(one["type"] == "missing" or not one["loc"] for one in errors):
        names = list(model.model_fields)
    place = f" of {dotted(wrong['loc'][:-1])}" if wrong and wrong["loc"][:-1] else ""
    return f"known fields{place}: {', '.join(names)}" if names else "mend the values named"


def _as_error(path: Path, mistakes: list[Mistake], hint: str) -> ConfigError:
    return ConfigError("\n".join(f"{path}:{line}: {what}" for line, what in sorted(mistakes)), hint)


def _mark(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f":{mark.line + 1}" if mark else ""


def _problem(error: yaml.YAMLError) -> str:
    return " ".join(str(getattr(error, "problem", None) or error).split())
