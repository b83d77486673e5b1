"""Which job wrote a run whose process nobody saw: told from times, and from the words of the jobs' commands. Pure.

Invariant: a run that may as well be another job's, or a person's own, is nobody's. A run that a command names is its job's; one
that no command names only where a single job ran, that has no other run, and whose process could not have been seen.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from typing import NamedTuple

SLACK_S = 2.0  # clocks of files, of processes and of shims
UNSEEN_S = 30.0  # a process that lives longer is found by then
_OPTIONS = frozenset(
    {
        "name", "run-name", "exp-name", "experiment", "experiment-name", "exp", "out", "out-dir", "output", "output-dir",
        "outdir", "log-dir", "logdir", "logging-dir", "save-dir", "run-dir", "workdir", "work-dir", "save-path", "dir",
    }
)  # fmt: skip


class Span(NamedTuple):
    """A job that ran. Times in unix seconds; `ended` None while it runs."""

    id: str
    name: str
    command: tuple[str, ...]
    place: str  # the folder it worked in, relative to the project's
    started: float
    ended: float | None
    is_taken: bool  # another run is known to be its own


class Trace(NamedTuple):
    """A run without a process. Times in unix seconds."""

    folder: str  # relative to the project's
    name: str
    began: float
    written: float  # its last line
    met: float  # when neat saw it first
    is_alone: bool  # no other run without a job was written in that time


def job_of(trace: Trace, spans: Iterable[Span]) -> str:
    """The job that wrote the run and has ended; "" where that is not sure."""
    able = [one for one in spans if _could_write(one, trace)]
    naming = [one for one in able if names(one, trace)]
    if len(naming) > 1:  # one after the other, as a run that is gone on with
        naming = [one for one in naming if _could_write(one, trace, 0.0)]
    one = naming[0] if len(naming) == 1 else able[0] if len(able) == 1 else None
    if one is None or one.ended is None:
        return ""
    return one.id if naming or _is_surely(one, one.ended, trace) else ""


def names(span: Span, trace: Trace) -> bool:
    """Whether a job's name or its command names a run: its folder, one that it lies in, or the last words of its folder."""
    return any(_is_named(word, span.place, trace) for word in (span.name, *_values(span.command)))


def _could_write(span: Span, trace: Trace, slack_s: float = SLACK_S) -> bool:
    """Whether it ran when the last line was written: a run that is gone on with began before its job."""
    is_after = span.started - slack_s <= trace.written
    return is_after and (span.ended is None or trace.written <= span.ended + slack_s)


def _is_surely(span: Span, ended: float, trace: Trace) -> bool:
    """Whether nobody else comes into question, though no command names the run."""
    if span.started - SLACK_S > trace.began or span.is_taken or not trace.is_alone or _names_another(span):
        return False
    return ended - trace.began <= UNSEEN_S or trace.met >= ended


def _is_named(word: str, place: str, trace: Trace) -> bool:
    word = word.rstrip("/")
    if not word or word in (".", "..") or not trace.folder:
        return False
    path = posixpath.normpath(posixpath.join(place, word))
    if path == trace.folder or ("/" in path and trace.folder.startswith(path + "/")):
        return True
    is_telling = not word.isdigit() and not word.startswith((".", "-"))
    return is_telling and (word == trace.name or trace.folder.endswith("/" + word))


def _values(command: Sequence[str]) -> list[str]:
    """The words behind the program, each also without `--name=` or `name=` before it."""
    return [part for word in command[1:] for part in dict.fromkeys((word, word.rpartition("=")[2]))]


def _names_another(span: Span) -> bool:
    """Whether the command says how its run is called or where it lies: a run that fits it not is another's."""
    options = [word.partition("=")[0].lstrip("-").replace("_", "-").lower() for word in span.command[1:]]
    return any(one in _OPTIONS for one in options)
