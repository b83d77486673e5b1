"""The files that real libraries wrote: the committed ones, and fresh ones where NEAT_WRITTEN names their folder."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

COMMITTED = Path(__file__).parent / "written" / "files"


def written(library: str) -> list[Path]:
    """The cases of every version of a library, each a folder with an expected.json; for `parametrize`."""
    fresh = os.environ.get("NEAT_WRITTEN")
    roots = [COMMITTED, *([Path(fresh)] if fresh else [])]
    found = [path.parent for root in roots for path in sorted(root.glob(f"{library}-*/*/expected.json"))]
    assert found, f"no files of {library} in {roots}"
    return found


def case_id(folder: Path) -> str:
    """How a case is called in a test's name: fresh ones are told from the committed."""
    where = "" if folder.is_relative_to(COMMITTED) else "fresh-"
    return f"{where}{folder.parent.name}-{folder.name}"


def expected(folder: Path) -> dict[str, Any]:
    """Path in the case -> {"series": {name: [[step, value], …]}, "told": {…}}."""
    files: dict[str, Any] = json.loads((folder / "expected.json").read_text(encoding="utf-8"))["files"]
    return files
