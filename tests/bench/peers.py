"""Other trackers in an environment of their own, `.venv-peers`: made by `make peers`, or by the first bench that asks.

torch comes first and by its pinned version: whatever else asks for it then finds it there, and no newer one is fetched.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".venv-peers"
REQUIREMENTS = Path(__file__).with_name("requirements-peers.txt")
CONSTRAINTS = ROOT / "constraints.txt"
STAMP = FOLDER / ".installed"


def python() -> Path:
    """The peers' interpreter; the environment is made where it is not there, or of other requirements."""
    if not STAMP.is_file() or STAMP.read_text() != _wanted():
        make()
    return FOLDER / "bin" / "python"


def make() -> None:
    """Make the environment anew. Takes minutes and two gigabytes."""
    print(f"making {FOLDER}", file=sys.stderr, flush=True)
    venv.EnvBuilder(clear=True, symlinks=True, with_pip=True).create(FOLDER)
    (FOLDER / ".gitignore").write_text("*\n")
    _install("--requirement", str(CONSTRAINTS))
    _install("--constraint", str(CONSTRAINTS), "--requirement", str(REQUIREMENTS))
    STAMP.write_text(_wanted())


def _install(*words: str) -> None:
    command = [str(FOLDER / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *words]
    subprocess.run(command, check=True)


def _wanted() -> str:
    return hashlib.sha256(REQUIREMENTS.read_bytes() + CONSTRAINTS.read_bytes()).hexdigest()


if __name__ == "__main__":
    print(python())
