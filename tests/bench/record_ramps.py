"""Record what programs of known shapes take of a control group with a limit, until the kernel kills them or they end:

    python -m tests.bench.record_ramps tests/data/memory_ramps.json

All shapes run at once, each in a group of 300 MB of its own; twice a second what the kernel says is written down. Needs a
machine on which groups may be made (root, or a delegated subtree). Takes five minutes.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from neatd.read.cgroups import limits_of
from tests.memory_groups import LIMIT, MB, SHAPES, made_group

EVERY_S = 0.5


def record(name: str, program: str, found: dict[str, Any]) -> None:
    """One shape: seconds since its start, bytes in use, and of these what the kernel would give back."""
    with made_group(LIMIT) as group, tempfile.NamedTemporaryFile() as file:
        assert group is not None, "no control group may be made here"
        file.write(bytes(MB) * (400 if "sys.argv" in program else 1))
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # what is read again is the group's own cache
        process = group.run(program, file.name)
        begun, points = time.monotonic(), []
        while process.poll() is None:
            assert group.holds(process.pid) or process.poll() is not None, f"{name}: somebody moved it to another group"
            for one in limits_of([group.folder]):
                points.append([round(time.monotonic() - begun, 2), one.used_bytes, one.reclaimable_bytes])
            time.sleep(EVERY_S)
        ended = round(time.monotonic() - begun, 2)
        found[name] = {"is_killed": process.returncode == -9, "ended_s": ended, "points": points}


def main(path: Path) -> None:
    found: dict[str, Any] = {}
    threads = [threading.Thread(target=record, args=(*shape, found)) for shape in SHAPES.items()]  # all at once
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    how = f"python -m tests.bench.record_ramps, Linux {platform.release()}, {LIMIT // MB} MB a group, {EVERY_S} s apart"
    shapes = {name: found[name] for name in SHAPES}
    data = {
        "how": how,
        "columns": ["seconds", "used_bytes", "reclaimable_bytes"],
        "limit_bytes": LIMIT,
        "shapes": shapes,
    }
    text = json.dumps(data).replace('"is_killed"', '\n"is_killed"').replace("], [", "],\n[")
    path.write_text(text.replace("],\n[", "], [") + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
