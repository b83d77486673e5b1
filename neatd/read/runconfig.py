"""The parameters a trainer leaves beside its metrics, and how many steps they plan."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from neatd.files import is_inside, read_small
from neatd.read.parameters import load_yaml

NAMES = ("config.json", "config.yaml", "config.yml", "args.json", "args.yaml", "hparams.yaml", "params.json")
LARGEST = 1 << 20  # bytes; a larger file is data, not parameters
MOST_VALUES = 20_000
MOST_CHARACTERS = 1 << 20  # of all texts and names together, as they unfold
_TRAINING = (
    "train",
    "optim",
    "schedule",
    "solver",
    "run",
)  # parts whose steps are the run's: not those of an evaluation
_EPOCHS = ("epochs", "max_epochs", "num_epochs", "num_train_epochs", "n_epochs", "total_epochs")
_PLANNED = ("max_steps", "total_steps", "num_steps", "train_steps", "max_iters", "iterations", "n_steps", "steps")


def read_config(folder: Path, root: Path | None = None) -> dict[str, Any]:
    """The run's parameters from the first config file that is there and whole; {} otherwise. A link is followed within the
    run's folder and the project's `root` only."""
    for name in NAMES:
        path = folder / name
        if not any(is_inside(path, home) for home in (folder, root or folder)):
            continue
        try:
            text = read_small(path, LARGEST).decode("utf-8")
            data = json.loads(text) if name.endswith(".json") else load_yaml(text)
            if isinstance(data, dict):
                return dict(_plain(data, _Left()))
        except (OSError, ValueError, LookupError, AttributeError, TypeError, RecursionError, yaml.YAMLError):
            continue  # LookupError and AttributeError are PyYAML's own, for a value that its tag does not fit
    return {}


class _Left:
    """What parameters may still unfold into: YAML may name a part many times over, so that a hundred bytes, or one long
    text, become more than any memory holds."""

    def __init__(self) -> None:
        self.values, self.characters = MOST_VALUES, MOST_CHARACTERS

    def take(self, values: int, characters: int) -> None:
        """Raises ValueError when nothing is left."""
        self.values -= values
        self.characters -= characters
        if min(self.values, self.characters) < 0:
            raise ValueError(f"more than {MOST_VALUES} values or {MOST_CHARACTERS} characters")

    def text(self, value: str) -> str:
        """Text as the store can hold it: half of a surrogate pair, which JSON and YAML can spell, becomes "?"."""
        self.take(0, len(value))
        return value.encode("utf-8", "replace").decode()


def _plain(value: Any, left: _Left) -> Any:
    """JSON's types only: YAML also makes dates and sets. Raises ValueError when `left` runs out."""
    left.take(1, 0)
    if isinstance(value, dict):
        return {left.text(str(key)): _plain(one, left) for key, one in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(one, left) for one in value]
    if isinstance(value, int) and value.bit_length() > 63:
        return f"{float(value):.6g}" if value.bit_length() < 1000 else "(a number too long to keep)"
    if value is None or isinstance(value, int | float | bool):
        return value
    return left.text(str(value))


def planned_steps(config: dict[str, Any]) -> int | None:
    """How many steps the parameters plan, looked for at the top and one level below; None when they do not say."""
    found = _first(config, _PLANNED, int)
    return None if found is None else int(found)


def planned_epochs(config: dict[str, Any]) -> float | None:
    """How many epochs the parameters plan; None when they do not say."""
    return _first(config, _EPOCHS, int | float)


def _first(config: dict[str, Any], names: tuple[str, ...], kinds: Any) -> float | None:
    below = (one for key, one in config.items() if isinstance(one, dict) and key.lower().startswith(_TRAINING))
    for level in (config, *below):
        for name in names:
            value = level.get(name)
            if isinstance(value, kinds) and not isinstance(value, bool) and 0 < value < 1e15:
                return float(value)
    return None
