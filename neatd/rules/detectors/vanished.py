"""The condition `vanished`: of the series of one line, one that comes no more while the others go on; told once. Pure.

What a series is missed by is a set of names: those of its last line. A later line counts for the set when it holds no
other names and at least half of these. So an evaluation, a line of another phase or a network of its own says nothing; and
a series that leaves lines out, as one that is logged once an epoch, is given three times as many as it ever left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from neatd.rules.conditions import Vanished

# Sets that are remembered. Where lines differ more than that nothing is regular, so a series whose set was forgotten has
# to come min_points times again.
SETS_KEPT = 8
LONGER = 3  # times the most lines that the series left out before


class Missing(NamedTuple):
    """A series that comes no more."""

    name: str
    lines: int  # in which those beside it went on
    siblings: int  # that stood in the last of them


class _Set:
    """The names of a line, and which of them were seen in no other line since."""

    def __init__(self, names: frozenset[str], lines: int = 0) -> None:
        self.names, self.lines = names, lines  # lines that counted for it
        self.waiting: set[str] = set()


class _Member:
    """One series."""

    def __init__(self) -> None:
        self.points = self.longest = 0  # lines that it left out at most
        self.set: _Set | None = None  # of its last line
        self.mark = 0  # the set's lines then
        self.is_told = False


class VanishedDetector:
    """Takes lines: the names of the series that have a point in it, ascending."""

    def __init__(self, when: Vanished) -> None:
        self._when = when
        self.restart()

    def restart(self) -> None:
        """The run began anew."""
        self._sets: dict[frozenset[str], _Set] = {}  # the last used one is the last
        self._members: dict[str, _Member] = {}

    def feed(self, names: Sequence[str]) -> list[Missing]:
        """Take the next line in; the series that are missing by now, by name."""
        here = self._set_of(frozenset(names))
        for name in names:
            self._come(self._members.setdefault(name, _Member()))
        missing: list[Missing] = []
        for one in self._sets.values():
            if one is here or self._goes_on(one, here):
                one.lines += 1
                missing += self._overdue(one, here) if one is not here else ()
        for name in names:
            self._stand(name, here)
        return sorted(missing)

    def pass_alike(self, names: Sequence[str], count: int) -> bool:
        """Take `count` lines of the same names in, if they change nothing but counts; whether they were taken."""
        every = frozenset(names)
        if not self._is_steady(every):
            return False
        here = self._set_of(every)
        for one in self._sets.values():
            one.lines += count if one is here or self._goes_on(one, here) else 0
        for name in names:
            member = self._members[name]
            member.points, member.mark, member.is_told = member.points + count, here.lines, False
        return True

    def wait_for(self, name: str) -> None:
        """A series that is missing was not told of: it is missing in the next line too."""
        self._members[name].is_told = False

    def _is_steady(self, names: frozenset[str]) -> bool:
        """Whether a line of these names changes nothing but counts."""
        here = self._sets.get(names)
        if here is None or here.waiting != names:
            return False
        others = [one for one in self._sets.values() if one is not here and self._goes_on(one, here)]
        return not any(self._is_waited_for(name) for one in others for name in one.waiting)

    def _set_of(self, names: frozenset[str]) -> _Set:
        """The set of a line, which becomes the last used one; the least used one is forgotten for a new one."""
        one = self._sets.pop(names, None) or _Set(names)
        if len(self._sets) == SETS_KEPT:
            forgotten = self._sets.pop(next(iter(self._sets)))
            for name in forgotten.waiting:
                self._members[name].set, self._members[name].points = None, 0
        self._sets[names] = one
        return one

    def _goes_on(self, one: _Set, here: _Set) -> bool:
        """Whether a line counts for another set than its own."""
        enough = max(self._when.siblings, -(-len(one.names) // 2))
        return len(here.names) >= enough and here.names < one.names

    def _come(self, member: _Member) -> None:
        """A series has a point in this line: what it left out is known."""
        member.points += 1
        member.is_told = False
        if member.set is not None:
            member.longest = max(member.longest, member.set.lines - member.mark)

    def _stand(self, name: str, here: _Set) -> None:
        member = self._members[name]
        if member.set is not here:
            if member.set is not None:
                member.set.waiting.discard(name)
            member.set = here
            here.waiting.add(name)
        member.mark = here.lines

    def _is_waited_for(self, name: str) -> bool:
        member = self._members[name]
        return not member.is_told and member.points >= self._when.min_points

    def _overdue(self, one: _Set, here: _Set) -> list[Missing]:
        """Those of a set that are missing by now, while the series of this line go on."""
        found = []
        for name in one.waiting - here.names:
            member = self._members[name]
            lines = one.lines - member.mark
            if self._is_waited_for(name) and lines >= max(self._when.points, LONGER * member.longest):
                member.is_told = True
                found.append(Missing(name, lines, len(here.names)))
        return found

    def dump(self) -> dict[str, Any]:
        """The state as plain JSON values."""
        order = {id(one): place for place, one in enumerate(self._sets.values())}
        members = {
            name: [one.points, one.longest, -1 if one.set is None else order[id(one.set)], one.mark, one.is_told]
            for name, one in sorted(self._members.items())
        }
        return {"sets": [[sorted(one.names), one.lines] for one in self._sets.values()], "members": members}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up the state that `dump` gave."""
        sets = [_Set(frozenset(names), lines) for names, lines in state["sets"]]
        self._sets = {one.names: one for one in sets}
        for name, (points, longest, place, mark, is_told) in state["members"].items():
            member = self._members[name] = _Member()
            member.points, member.longest, member.mark, member.is_told = points, longest, mark, is_told
            if place >= 0:
                member.set = sets[place]
                sets[place].waiting.add(name)
