"""Studies for tests: their files, and spaces with constraints and budgets as hypothesis makes them."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hypothesis import strategies as st

from neatd.pipeline import asker
from neatd.studies.answering import serve
from neatd.studies.spec import StudyFile

PROGRAM = """
import json, sys, time
out, lr, dim, pace_s = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
with open(out + "/ran", "a") as ran:
    ran.write(str(dim) + "\\n")
for step in range(1, 4):
    with open(out + "/metrics.jsonl", "a") as file:
        file.write(json.dumps({"step": step, "val/loss": abs(lr - 0.01) + dim / 1000 + 1 / step}) + "\\n")
    time.sleep(pace_s)
"""


class InThisProcess(asker.Asker):
    """The same questions and answers with the search in a thread: a process of its own takes half a second to begin, which
    tests/test_study_killed.py pays for."""

    def _start(self, home: Path) -> None:
        (asked, asks), (answered, answers) = os.pipe(), os.pipe()
        stdin, stdout = os.fdopen(asks, "w"), os.fdopen(answered)
        theirs = os.fdopen(asked), os.fdopen(answers, "w")

        def search() -> None:
            with theirs[0], theirs[1]:
                serve(home, *theirs)

        searching = threading.Thread(target=search, daemon=True)
        searching.start()
        self._process = SimpleNamespace(stdin=stdin, stdout=stdout, wait=searching.join)  # type: ignore[assignment]
        passing = threading.Thread(
            target=asker.serve, args=(self._process, self._questions, self._answers, home), daemon=True
        )
        passing.start()


def study_file(**changes: Any) -> StudyFile:
    """A small study of a command; `changes` are fields of its file."""
    base: dict[str, Any] = {
        "name": "quick", "command": "python t.py {out} {lr} {dim} 0.05",
        "space": {"lr": {"type": "float", "low": 1e-4, "high": 1e-1, "log": True}, "dim": [8, 16, 32]},
        "goal": {"metric": "val/loss"}, "sampler": {"kind": "sobol", "seed": 3}, "trials": 8, "parallel": 2,
    }  # fmt: skip
    return StudyFile.model_validate(base | changes)


@st.composite
def spaces(draw: st.DrawFn, kind: str) -> StudyFile:
    """A search over a small transformer's shape, with what people demand of one, and a learning rate without an end."""
    step = draw(st.sampled_from([8, 16, 32]))
    heads = draw(st.lists(st.sampled_from([1, 2, 3, 4, 6, 8]), min_size=1, max_size=4, unique=True))
    space: dict[str, Any] = {
        "dim": {"type": "int", "low": step, "high": step * draw(st.integers(1, 8)), "step": step}, "heads": heads,
        "ratio": [2, 4], "layers": {"type": "int", "low": 1, "high": draw(st.integers(1, 24))},
    }  # fmt: skip
    if kind != "grid":
        space["lr"] = {"type": "float", "low": 1e-5, "high": 1e-1, "log": draw(st.booleans())}
    demands = [
        "dim % heads == 0",
        "dim / heads >= 8",
        "dim * ratio <= 512",
        "layers % 2 == 0",
        "heads > 1 or ratio == 2",
    ]
    if kind != "grid":
        demands.append("lr * dim < 1.5")
    budget = {
        "parameters": draw(st.sampled_from(["20K", "100K", 400_000, "1.5M"])), "tolerance": draw(st.sampled_from(["5%", 0.4])),
        "count": "layers * (4 + 2 * ratio) * dim * dim + 256 * dim", "by": draw(st.sampled_from([None, "layers"])),
    }  # fmt: skip
    return study_file(
        command=None, trainer="lm", space=space, derived={"d_ff": "ratio * dim"}, trials=20,
        constraints=draw(st.lists(st.sampled_from(demands), max_size=3, unique=True)),
        budget=draw(st.sampled_from([None, budget])), sampler={"kind": kind, "seed": draw(st.integers(0, 5))},
    )  # fmt: skip
