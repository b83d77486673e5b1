"""Run the generators into a folder: `python -m tests.written.regenerate OUT [NAME …]`.

Without names: every generator. Each runs as a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def everyone() -> list[str]:
    """The names of the generators."""
    return [path.stem.removeprefix("write_") for path in sorted(HERE.glob("write_*.py"))]


def run(name: str, out: Path) -> bool:
    """Whether the generator did its work; it says itself what went wrong."""
    module = f"tests.written.write_{name}"
    done = subprocess.run([sys.executable, "-m", module, str(out)], cwd=HERE.parents[1])
    print(f"{name}: {'written' if done.returncode == 0 else f'failed with {done.returncode}'}", flush=True)
    return done.returncode == 0


def main(words: list[str]) -> int:
    if not words:
        print(__doc__)
        return 2
    out = Path(words[0]).resolve()
    out.mkdir(parents=True, exist_ok=True)
    is_done = [run(name, out) for name in words[1:] or everyone()]
    return 0 if all(is_done) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
