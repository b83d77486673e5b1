"""Write every library's files anew: `python tests/written/everything.py OUT`, by an environment of their own.

It lies in `.venv-written/` and is made again when the requirements change. Standard library only.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def environment() -> Path:
    """The interpreter of an environment that has the requirements."""
    requirements, folder = HERE / "requirements.txt", ROOT / ".venv-written"
    stamp, wanted = folder / "installed.txt", requirements.read_text(encoding="utf-8")
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        # torch first and alone: others ask for any torch, and the newest one is gigabytes.
        torch = [line for line in wanted.splitlines() if line.startswith("torch==")]
        subprocess.run([*install, *torch], check=True)
        subprocess.run([*install, "--requirement", str(requirements)], check=True)
        stamp.write_text(wanted, encoding="utf-8")
    return python


def main(words: list[str]) -> int:
    if len(words) != 1:
        print(__doc__)
        return 2
    command = [str(environment()), "-m", "tests.written.regenerate", words[0]]
    return subprocess.run(command, cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
