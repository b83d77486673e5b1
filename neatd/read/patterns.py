"""A project's and a user's patterns of log lines, from their YAML files. Reads only; a bad file never hides a good one."""

from __future__ import annotations

from pathlib import Path

from neatd.config import load_yaml
from neatd.errors import ConfigError
from neatd.files import is_inside
from neatd.read.formats.patterns import Pattern, PatternFile

FOLDER = "patterns"  # in the project's .neat and in NEAT_HOME
MOST_FILES = 20  # of a folder


def load_patterns(root: Path, home: Path) -> tuple[tuple[Pattern, ...], tuple[ConfigError, ...]]:
    """(patterns, mistakes): those of the project in `root` first, then the user's, each file in the order of its name.

    A link out of the project is passed over with a mistake. Never raises for what a file holds.
    """
    project, own = root / ".neat" / FOLDER, home / FOLDER
    found: list[Pattern] = []
    mistakes: list[ConfigError] = []
    for path in [*_files(project), *_files(own)]:
        try:
            if path.parent == project and not is_inside(path, root):
                raise ConfigError(f"{path}: leads out of the project", "copy the file into the project")
            found += load_yaml(path, PatternFile).patterns
        except ConfigError as error:
            mistakes.append(error)
    return tuple(found), tuple(mistakes)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.y*ml"))[:MOST_FILES]
