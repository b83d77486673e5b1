"""The process that chooses a study's points (`studies/answering.py`), from the daemon's side: asked, and never waited for.

It begins with the first question and ends when no study goes on, or when the daemon does: its stdin closes then.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from neatd.jobs.bell import ring
from neatd.studies.answering import studies_folder

LOG = "answering.log"
BELL = "j-study"  # no job's: it only wakes
AGAIN_S = 30.0  # after it ended by itself
Asked = dict[str, Any] | None
Answered = tuple[str, dict[str, Any] | None]


class Asker:
    """Questions go in by `ask`, answers come out of `take`; one question of a study is on its way at a time."""

    def __init__(self) -> None:
        self.pending: set[str] = set()
        self.not_before = 0.0  # monotonic
        self._process: subprocess.Popen[str] | None = None
        self._questions: SimpleQueue[Asked] = SimpleQueue()
        self._answers: SimpleQueue[Answered] = SimpleQueue()

    @property
    def is_awake(self) -> bool:
        """Whether the process is there."""
        return self._process is not None

    def ask(self, home: Path, study_id: str, question: dict[str, Any]) -> None:
        """Put a question about a study on its way; starts the process if need be. Raises OSError when it cannot start."""
        if self._process is None:
            self._start(home)
        self.pending.add(study_id)
        self._questions.put({"study": study_id, **question})

    def take(self, now: float) -> tuple[dict[str, dict[str, Any]], bool]:
        """(study -> its answer, of those that came; whether the process ended by itself). `now` is monotonic."""
        found: dict[str, dict[str, Any]] = {}
        with suppress(Empty):
            while True:
                study_id, answer = self._answers.get_nowait()
                self.pending.discard(study_id)
                if answer is None:
                    self.rest()
                    self.not_before = now + AGAIN_S
                    return found, True
                found[study_id] = answer
        return found, False

    def rest(self) -> None:
        """Let the process end; the next question starts another."""
        self._questions.put(None)
        self._process = None
        self.pending.clear()
        self._questions, self._answers = SimpleQueue(), SimpleQueue()

    def _start(self, home: Path) -> None:
        folder = studies_folder(home)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        command = [sys.executable, "-m", "neatd.studies.answering", str(home)]
        with (folder / LOG).open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                encoding="utf-8", start_new_session=sys.platform != "win32",
            )  # fmt: skip
        serving = threading.Thread(
            target=serve, args=(self._process, self._questions, self._answers, home), name="studies", daemon=True
        )
        serving.start()


def serve(
    process: subprocess.Popen[str], questions: SimpleQueue[Asked], answers: SimpleQueue[Answered], home: Path
) -> None:  # fmt: skip
    """Pass questions and answers on, until there are no more questions or nobody answers; the bell wakes the daemon."""
    assert process.stdin is not None and process.stdout is not None
    while (question := questions.get()) is not None:
        answer = None
        with suppress(OSError, ValueError):  # a line that is none: a library printed something, or it ended within one
            process.stdin.write(json.dumps(question) + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
        answers.put((question["study"], answer))
        ring(home, BELL)
        if answer is None:
            break
    with suppress(OSError):
        process.stdin.close()
    process.wait()
    process.stdout.close()
