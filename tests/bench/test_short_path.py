"""How long the short commands take, against the least that any command made with click takes, in the same minute."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

REPEATS = 15
NEAT = Path(sys.executable).with_name("neat")


@pytest.mark.bench
@pytest.mark.parametrize(
    ("words", "most"), [(["note", "a thought"], 3.0), (["search", "thought"], 2.5)], ids=["note", "search"]
)
def test_a_short_command_costs_a_few_imports_of_click(tmp_path: Path, words: list[str], most: float) -> None:
    """A whole process of `neat note` (`neat search`) under 3 (2.5) times `python -c "import click"`, by medians."""
    env = os.environ | {"NEAT_HOME": str(tmp_path / "home")}
    project = tmp_path / "project"
    project.mkdir()

    def seconds(*command: str) -> float:
        begun = time.perf_counter()
        subprocess.run(command, cwd=project, env=env, check=True, capture_output=True)
        return time.perf_counter() - begun

    seconds(str(NEAT), "init", "--yes")
    seconds(str(NEAT), "note", "the first thought")
    taken: dict[str, list[float]] = {"click": [], "neat": []}
    for _ in range(REPEATS):  # in turn, so that whatever else the machine does slows both
        taken["click"].append(seconds(sys.executable, "-c", "import click"))
        taken["neat"].append(seconds(str(NEAT), *words))
    click, neat = statistics.median(taken["click"]), statistics.median(taken["neat"])
    print(f"\nneat {words[0]}: {neat * 1000:.0f} ms; import click: {click * 1000:.0f} ms; ratio {neat / click:.2f}")
    assert neat / click < most
