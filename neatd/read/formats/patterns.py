"""A project's own patterns of log lines, and the readers that come with neat, in the order they are asked. Pure.

A pattern comes with a repository, which may be anybody's: it is of a kind that cannot run for long, and sees no more
than the first 1,000 characters of a line.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from pydantic import Field, field_validator, model_validator

from neatd.errors import ConfigError
from neatd.models import Model
from neatd.read.formats.logbars import of_keras, of_rich, of_tqdm
from neatd.read.formats.logdicts import of_object
from neatd.read.formats.logepochs import nnunet, yolo
from neatd.read.formats.logfamilies import FAMILIES
from neatd.read.formats.loggeneric import generic
from neatd.read.formats.lognumbers import spelled, whole
from neatd.read.formats.logsteps import Found, Memory
from neatd.read.formats.saferegex import LONGEST_LINE, compiled, ways_in

MOST = 50  # patterns of a file
MOST_TRIES = 50_000_000  # ways times characters of a head, half a second at the very worst


class Pattern(Model):
    """One kind of line: what it looks like, and which of its named groups are the step, the time and the numbers."""

    name: str = Field(min_length=1, max_length=80)
    files: tuple[str, ...] = ("*",)  # globs of the log's name or of its path in the project
    regex: str
    step: str = "step"  # the group that holds the step; a line without it is counted
    time: str = ""  # the group that holds unix seconds
    values: dict[str, str] = Field(default_factory=dict)  # series -> group; none: every other group is a series

    @field_validator("regex")
    @classmethod
    def _safe(cls, value: str) -> str:
        try:
            compiled(value)
        except ConfigError as error:
            raise ValueError(f"{error.message.removeprefix('secrets: ')} ({error.hint})") from error
        return value

    @model_validator(mode="after")
    def _groups_are_there(self) -> Pattern:
        groups = set(compiled(self.regex).groupindex)
        asked = {*self.values.values(), *([self.time] if self.time else [])}
        asked |= {self.step} if self.step != "step" else set()
        if asked - groups:
            raise ValueError(f"regex has no group named {', '.join(sorted(asked - groups))}: write (?P<name>...)")
        if not groups - {self.step, self.time}:
            raise ValueError("regex has no named group for a number: write (?P<loss>[0-9.]+)")
        return self


class PatternFile(Model):
    """A file of patterns."""

    patterns: tuple[Pattern, ...] = Field(max_length=MOST)


def chosen(patterns: tuple[Pattern, ...], path: str) -> tuple[Pattern, ...]:
    """The patterns that are for the log at `path` (relative to the project, with `/`)."""
    name = path.rsplit("/", 1)[-1]
    return tuple(one for one in patterns if any(fnmatchcase(name, g) or fnmatchcase(path, g) for g in one.files))


def fits(patterns: tuple[Pattern, ...], path: str, head: bytes) -> bool:
    """Whether a line of a log's head is one that a pattern for it reads. What is looked at is bounded by what it costs."""
    wanted = chosen(patterns, path)
    left = MOST_TRIES
    for line in head.decode("utf-8", "replace").splitlines() if wanted else ():
        for one in wanted:
            length = min(len(line), LONGEST_LINE)
            left -= length * ways_in(one.regex, length)
            if left < 0:
                return False
            if of_pattern(one, line) is not None:
                return True
    return False


def of_pattern(pattern: Pattern, line: str) -> Found | None:
    """The row that the user's pattern finds in a line."""
    match = compiled(pattern.regex).search(line[:LONGEST_LINE])
    if match is None:
        return None
    groups = match.groupdict()
    named = pattern.values or {name: name for name in groups if name not in (pattern.step, pattern.time)}
    read = {series: spelled(groups[group] or "") for series, group in named.items()}
    values = {series: one for series, one in read.items() if one is not None}
    step = whole(groups.get(pattern.step) or "")
    seconds = spelled(groups.get(pattern.time) or "") if pattern.time else None
    return Found(values, step, time=seconds) if values else None


def of_built_in(line: str, memory: Memory, is_piece: bool) -> Found | None:
    """The first of neat's own readers that knows the line."""
    found = _of_bars(line, memory, is_piece)
    if found is not None:
        return found
    low = line.lower()
    if "{" in line and (found := of_object(line, memory)):
        return found
    for family in FAMILIES:
        if family.token in low and (found := family.read(line, memory)):
            return found
    if line[:2] == "20" and (found := nnunet(line, memory)):
        return found
    return generic(line, memory)


def _of_bars(line: str, memory: Memory, is_piece: bool) -> Found | None:
    """What is a bar, or a bar with a dict glued to it; a table's row is told by its bar."""
    if "%|" in line or ("yolo" in memory or "GPU_mem" in line):
        found = yolo(line, memory)
        if found is None and "%|" in line:
            bar, brace, rest = line.partition("]{")
            found = of_tqdm(bar + brace[:1], memory)
            if brace:
                found = of_object("{" + rest, memory) or found
        if found is not None:
            return found
    if "━" in line and (found := of_rich(line, memory)):
        return found
    return of_keras(line, memory, is_piece) if "Epoch" in line or "keras" in memory else None
