"""The parameters a trainer leaves beside its metrics, and how many steps they plan."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

NAMES = ("config.json", "config.yaml", "config.yml", "args.json", "args.yaml", "hparams.yaml", "params.json")
LARGEST = 1 << 20  # bytes; a larger file is data, not parameters
_PLANNED = ("max_steps", "total_steps", "num_steps", "train_steps", "max_iters", "iterations", "n_steps", "steps")


def read_config(folder: Path) -> dict[str, Any]:
    """The run's parameters from the first config file that is there and whole; {} otherwise."""
    for name in NAMES:
        path = folder / name
        try:
            if path.stat().st_size > LARGEST:
                continue
            text = path.read_text(encoding="utf-8")
            data = json.loads(text) if name.endswith(".json") else yaml.safe_load(text)
        except (OSError, ValueError, RecursionError, yaml.YAMLError):
            continue
        if isinstance(data, dict):
            return {str(key): _plain(value) for key, value in data.items()}
    return {}


def _plain(value: Any) -> Any:
    """JSON's types only: YAML also makes dates and sets."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def planned_steps(config: dict[str, Any]) -> int | None:
    """How many steps the parameters plan, looked for at the top and one level below; None when they do not say."""
    for level in (config, *(one for one in config.values() if isinstance(one, dict))):
        for name in _PLANNED:
            value = level.get(name)
            if isinstance(value, int) and not isinstance(value, bool) and value > 0:
                return value
    return None
