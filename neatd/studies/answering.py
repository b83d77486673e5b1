"""The process that the daemon asks for points: the samplers and Optuna live here, so that the daemon's loop never waits.

Run as `python -m neatd.studies.answering HOME`. A request is a line of JSON on stdin, an answer one on stdout; it ends with
its stdin. Optuna costs a second and 45 MB, and is loaded by the first study that needs it. Invariant: one at a time, for
it holds HOME/studies/.lock for life; what a killed daemon's one still writes is waited for.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from neatd.errors import NeatError
from neatd.locks import FileLock
from neatd.studies.sampling import Sequence
from neatd.studies.space import Point, Space, fingerprint
from neatd.studies.spec import StudyFile
from neatd.studies.told import Told

if TYPE_CHECKING:
    from neatd.studies.optimizer import Optimizer

LOCK_WAIT_S = 60.0
HINT = 'pip install "neat-notebook[studies]"'


def studies_folder(home: Path) -> Path:
    """Where journals and what belongs to studies lie."""
    return home / "studies"


def journal_path(home: Path, study_id: str) -> Path:
    """Optuna's journal of a study; optuna-dashboard opens it."""
    return studies_folder(home) / f"{study_id}.journal"


class Answerer:
    """One study: its space, and whoever chooses its points."""

    def __init__(self, spec: StudyFile, journal: Path | None) -> None:
        self.space = Space(spec)
        self.optimizer: Optimizer | None = None
        if spec.needs_optuna:
            self.optimizer = _optimizer(self.space, journal)
        self.sequence = Sequence(self.space) if spec.sampler.kind != "tpe" else None

    def answer(self, trials: list[Told], wanted: int) -> dict[str, Any]:
        """Points for so many more trials, and which of the open ones are to be pruned, with the step that told."""
        tried = {self._key(one) for one in trials}
        pruned: dict[int, int] = {}
        points: list[Point] = []
        if self.optimizer is not None:
            self.optimizer.level([one._replace(reports=()) if one.state == "open" else one for one in trials])
            for one in trials:
                step = self.optimizer.should_prune(one.number, one.reports) if one.state == "open" else None
                if step is not None:
                    pruned[one.number] = step
        if self.sequence is not None:
            points = self.sequence.next_points(tried, wanted)
        elif self.optimizer is not None:
            while len(points) < wanted and (point := self.optimizer.ask(tried)) is not None:
                points.append(point)
                tried.add(fingerprint(point.params))
        return {"points": points, "pruned": pruned, "is_exhausted": len(points) < wanted}

    @property
    def known(self) -> list[int]:
        """The trials whose values along the way need not be told again."""
        return self.optimizer.known if self.optimizer else []

    def _key(self, told: Told) -> str:
        return fingerprint({name: one for name, one in told.params.items() if name in self.space.parameters})


class _Request(NamedTuple):
    """`trials` is None at the first request for a study: it asks what of them is known."""

    study: str
    spec: dict[str, Any]
    trials: list[dict[str, Any]] | None = None
    wanted: int = 0


def serve(home: Path, requests: IO[str], answers: IO[str]) -> None:
    """Answer until there are no more requests. A study's mistake is an answer; what else goes wrong ends the process."""
    answerers: dict[str, Answerer] = {}
    for line in requests:
        request = _Request(**json.loads(line))
        try:
            found = _answer(home, answerers, request)
        except NeatError as error:
            found = {"error": error.message, "hint": error.hint}
        answers.write(json.dumps({"study": request.study, **found}) + "\n")
        answers.flush()


def _answer(home: Path, answerers: dict[str, Answerer], request: _Request) -> dict[str, Any]:
    if request.study not in answerers or request.trials is None:
        spec = StudyFile.model_validate(request.spec)
        answerers[request.study] = Answerer(spec, journal_path(home, request.study))
    answerer = answerers[request.study]
    if request.trials is None:
        return {"known": answerer.known}
    return answerer.answer([Told.of(one) for one in request.trials], request.wanted)


def _optimizer(space: Space, journal: Path | None) -> Optimizer:
    try:
        from neatd.studies.optimizer import Optimizer
    except ImportError as error:
        raise NeatError(f"this search needs {error.name or 'optuna'}, which is not installed", HINT) from error
    return Optimizer(space, journal)


def main() -> None:
    """Take the lock, then answer."""
    home = Path(sys.argv[1])
    lock = FileLock(studies_folder(home) / ".lock")
    lock.acquire(LOCK_WAIT_S, "the search of another daemon")
    answers, sys.stdout = sys.stdout, sys.stderr  # what a library prints is no answer
    serve(home, sys.stdin, answers)


if __name__ == "__main__":
    main()
