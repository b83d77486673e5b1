"""The one table of formats: how each is read, and which of two sources of the same numbers is meant.

Parsers load with the first file of their kind: a daemon that meets no event files pays nothing for reading them.
"""

from __future__ import annotations

from importlib import import_module
from typing import Literal, NamedTuple

from neatd.read.rows import Feed

Framing = Literal["lines", "bytes", "whole", "database", "predictions"]


class Format(NamedTuple):
    """How files of one kind are read."""

    module: str  # below neatd.read.formats; its `feed` is the parser
    framing: Framing
    rank: int  # of two streams with the same series the lower one is meant, and judged
    is_rewritten: bool = False  # the writer writes the whole file anew now and then: what it repeats is no new row
    is_unordered: bool = False  # rows come in any order: a step back is no restart
    is_file_a_life: bool = False  # a restarted writer begins a new file: a step back within one is no restart
    is_judged: bool = True


FORMATS: dict[str, Format] = {
    "jsonl": Format("jsonl", "lines", 0),
    "csv": Format("csvlog", "lines", 1, is_rewritten=True),
    "tensorboard": Format("tensorboard", "bytes", 2, is_file_a_life=True),
    "wandb": Format("wandb", "bytes", 3),
    "mlflow": Format("mlflow_files", "lines", 4),
    "database": Format("", "database", 5, is_unordered=True),
    "optuna_journal": Format("optuna_journal", "lines", 5, is_unordered=True, is_judged=False),
    "trainer_state": Format("trainer_state", "whole", 6),
    "text": Format("textlog", "lines", 7),
    "predictions": Format("", "predictions", 8),
    "system": Format("", "predictions", 9),  # what neat samples itself: no file
}


def feed_of(name: str) -> Feed:
    """The parser of a format."""
    feed: Feed = import_module(f"neatd.read.formats.{FORMATS[name].module}").feed
    return feed
