"""The wheel as pip installs it: what it requires is fetched, as on a machine that has nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_wheel import environment, install, run, wheel

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]
__all__ = ["wheel"]  # the fixture


def test_pip_installs_the_wheel_with_what_it_requires(wheel: Path, tmp_path: Path) -> None:
    """Every command's help is printed then, and torch is not there."""
    folder = environment(tmp_path)
    install(folder, wheel)
    assert run(folder / "python", "-c", "import torch", cwd=tmp_path).returncode != 0
    for name in ("neat", "neatd"):
        done = run(folder / name, "--help", cwd=tmp_path)
        assert done.returncode == 0 and "Usage: " in done.stdout, done.stderr
    assert run(folder / "neat", "init", "--yes", cwd=tmp_path, NEAT_HOME=str(tmp_path / "home")).returncode == 0
