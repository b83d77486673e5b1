"""Parameters from one file of any of the usual formats: JSON, YAML, TOML. Safe loaders only; bounded whatever it holds."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from neatd.files import read_small

LARGEST = 1 << 20  # bytes; a larger file is data, not parameters
MOST_MERGED = 20_000
SUFFIXES = (".json", ".yaml", ".yml", ".toml")
_LOADERS: dict[str, Callable[[str], Any]] = {".json": json.loads, ".toml": tomllib.loads}  # others are YAML


class _Loader(yaml.SafeLoader):
    """The safe loader with bounded merges: ten lines of `<<: [*a, *a]` upon each other stand for a billion keys."""

    merged = 0

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        super().flatten_mapping(node)
        self.merged += len(node.value)
        if self.merged > MOST_MERGED:
            raise ValueError(f"more than {MOST_MERGED} merged keys")


def load_yaml(text: str) -> Any:
    """What a YAML text of anybody's holds. Raises ValueError, LookupError, AttributeError, TypeError, RecursionError and
    yaml.YAMLError. Parts may be shared, so that it unfolds into far more than the text: walk it with a bound."""
    return yaml.load(text, Loader=_Loader)


def read_parameters(path: Path) -> dict[str, Any]:
    """What a parameter file holds; {} when it is none, cannot be read, or is no mapping. Parts may be shared: walk it
    with a bound (`flat`)."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        return {}
    try:
        text = read_small(path, LARGEST).decode("utf-8-sig")
        data = _LOADERS.get(suffix, load_yaml)(text)
    except (OSError, ValueError, LookupError, AttributeError, TypeError, RecursionError, yaml.YAMLError):
        return {}  # LookupError and AttributeError are PyYAML's own, for a value that its tag does not fit
    return data if isinstance(data, dict) else {}
