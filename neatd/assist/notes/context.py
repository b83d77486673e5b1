"""Where a piece of text stands: what the headings above it tell together. Pure.

The nearest heading that tells something wins. Under a heading that tells, a sub-heading has to be clear to win over it;
one that is numbered or has an id is a thing of the parent's kind and only its words.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from neatd.assist.notes.names import Source
from neatd.assist.notes.outline import Node
from neatd.assist.notes.plain import bare
from neatd.assist.notes.sections import horizon_of, is_numbered, meaning, phase_of, status_of, version_of

_CLEAR = 0.75  # of a sub-heading's words have to be understood where the parent tells something already
_LIKELY = 0.6  # where nothing does
_TO_COME = re.compile(
    r"next|to-?do|pending|remaining|upcoming|immediate|priorit|backlog|roadmap|left|future|later", re.I
)
_POSSIBLE = 0.5
_JUDGED = frozenset({"machine", "command", "test", "document", "experiment", "session", "insight"})
_OWN_RULES = frozenset({"preference", "goal"})  # below these a sub-heading is what they are about


class Here(NamedTuple):
    """What is known of a place. `about` is the nearest heading's own words, `told` the heading that gave the kind."""

    kind: str = ""
    status: str = ""
    horizon: str = ""
    phase: str = ""
    about: str = ""
    told: str = ""
    is_default: bool = True  # the kind comes from the file's name, no heading told it
    source: Source = Source()
    level: int = 0  # of the nearest heading: what stands right below the file's title tells of the file

    def under(self, heading: str, level: int) -> Here:
        """The place below a heading."""
        title = bare(heading)
        here = self._retold(title, level)
        status = status_of(heading)
        return here._replace(
            status=status if status and here.kind in ("task", "", "assessment") else here.status,
            horizon=horizon_of(heading) or here.horizon,
            phase=version_of(title) or phase_of(heading) or here.phase,
            about=title[:200],
            level=min(level, 6) if level < 7 else max(self.level, 1),
        )

    def _retold(self, title: str, level: int) -> Here:
        if self.source.is_changelog or (level <= 1 and self.source.is_instructions):
            return self
        told = meaning(title)
        known = self.kind and not self.is_default
        if not told.kind or (told.is_weak and known) or told.share < (_CLEAR if known else _limit(told.kind)):
            return self
        if known and is_numbered(title) and told.share < 1.0:
            return self
        if known and self.kind in _OWN_RULES and told.kind in ("style", "command", "session", "insight", "document"):
            return self
        if level <= 1 and told.share < 1.0:
            return self
        if known and told.kind == self.kind:  # the parent's heading told it; this one says what about
            is_open = bool(_TO_COME.search(title))
            return self._replace(status=told.status if told.status or is_open else self.status)
        return self._replace(kind=told.kind, status=told.status, told=title[:200], is_default=False)


def _limit(kind: str) -> float:
    """How much has to be understood of a heading with no telling one above: less where the words below are judged too."""
    return _POSSIBLE if kind in _JUDGED else _LIKELY


def place_of(node: Node, source: Source) -> Here:
    """What the headings from the top of the file to `node` tell."""
    here = Here(kind=source.kind, source=source)
    for one in node.path():
        here = here.under(one.text, one.level)
    return here
