"""The time that a project's own patterns take of a log, and which of them take too much. Pure: the clock is handed in.

A pattern comes with a repository, which may be anybody's: what it may cost grows with the log, and a slow one is left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neatd.read.formats.logsteps import Found
from neatd.read.formats.patterns import Pattern, of_pattern

MOST_S = 0.25  # that the patterns of a log may take beyond what its length allows them
_S_PER_CHARACTER = MOST_S / (1 << 20)  # a plain pattern takes a tenth of it
Clock = Callable[[], float]  # seconds, of this thread's own work: a busy machine makes no pattern slow


class Spent:
    """What the patterns of one log have taken so far; kept as long as its parser, and not in the state."""

    def __init__(self, patterns: tuple[Pattern, ...], clock: Clock | None) -> None:
        self._patterns, self._clock = patterns, clock
        self._taken_s = dict.fromkeys((one.regex for one in patterns), 0.0)

    def wanted(self, state: dict[str, Any]) -> tuple[Pattern, ...]:
        """The patterns that were not switched off; a mended one is another pattern."""
        return tuple(one for one in self._patterns if one.regex not in state.get("patterns_off", ()))

    def find(self, patterns: tuple[Pattern, ...], line: str) -> tuple[Found | None, list[Pattern]]:
        """(what the first pattern that fits finds in the line, the patterns that are too slow by now)."""
        if self._clock is None:
            return next((one for pattern in patterns if (one := of_pattern(pattern, line))), None), []
        allowed, found, before = len(line) * _S_PER_CHARACTER, None, self._clock()
        for pattern in patterns:
            found = of_pattern(pattern, line)
            now = self._clock()
            taken = self._taken_s[pattern.regex] + now - before
            self._taken_s[pattern.regex], before = max(0.0, taken - allowed / len(patterns)), now
            if found:
                break
        return found, self._too_slow(patterns)

    def _too_slow(self, patterns: tuple[Pattern, ...]) -> list[Pattern]:
        """Once all have taken too much: the slowest, until the others have taken half of it."""
        left_s = sum(self._taken_s[one.regex] for one in patterns)
        slow: list[Pattern] = []
        for one in sorted(patterns, key=lambda one: -self._taken_s[one.regex]) if left_s > MOST_S else ():
            if left_s > MOST_S / 2:
                slow.append(one)
                left_s -= self._taken_s[one.regex]
        return slow
