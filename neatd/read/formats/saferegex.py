"""Regular expressions of a project's own, of a kind that cannot run for long on a line. Pure.

The shape is judged by `neatd/redact_own.py`. There an endless repetition stands at the end only; here also where what
follows ends it, as people write patterns of lines, and one that nothing ends counts as a line's length of tries. So does
one that is begun at every place of a line again: `.*\\d+x` took 3.4 s for 1,000 digits, though \\d+ ends in one way.
"""

from __future__ import annotations

import re
import warnings
from functools import cache
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from neatd.errors import ConfigError
from neatd.redact_own import ways_of

LONGEST = 500  # characters of a pattern
LONGEST_LINE = 1000  # characters of a line that a pattern sees
MOST_WAYS = (
    2000  # in which a place of a line can be tried: one `.*`, or two `.{0,40}`; 20 ms for a line at the very worst
)
_FEW_WAYS = 16  # in which what stands before may end: then a repetition is not begun often
_SHORT_LINE = 128  # characters
_DIGIT, _SPACE, _LETTER, _REST = _OTHERS = range(128, 132)  # each stands for all such characters beyond ASCII
_EVERY = frozenset(range(132))
_CATEGORIES = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w", "NOT_DIGIT": r"\D", "NOT_SPACE": r"\S", "NOT_WORD": r"\W"}


@cache
def compiled(text: str) -> re.Pattern[str]:
    """A pattern of the safe kind; raises ConfigError with what is wrong with it."""
    if len(text) > LONGEST:
        raise ConfigError(f"longer than {LONGEST} characters", "divide it into several patterns")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a later Python may read in another way
            pattern = re.compile(text)
            ways = ways_in(text, LONGEST_LINE)
    except (re.error, RecursionError, OverflowError) as error:
        raise ConfigError(f"not a regular expression: {error}", "mend it") from error
    if ways > MOST_WAYS:
        raise ConfigError(
            "its repetitions multiply to more than a line can be tried in",
            "at most one .*, with a plain word behind it, or bounds such as .{0,40}, and behind a number what cannot be"
            " part of it",
        )
    return pattern


def ways_in(text: str, length: int) -> int:
    """In how many ways a place of a line of so many characters can be tried at most. Raises as `re.compile` does."""
    return _ways(text, _SHORT_LINE if length <= _SHORT_LINE else LONGEST_LINE)


@cache
def _ways(text: str, line: int) -> int:
    found = _Bounds(text, line).items(list(parser.parse(text)), frozenset(), _EVERY, 1)[0]
    return ways_of(text, found, is_last=True)


class _Bounds:
    """Gives each endless repetition the bound of what it costs in a line of `line` characters."""

    def __init__(self, text: str, line: int) -> None:
        self.text, self.line = text, line

    def items(
        self, items: list[Any], after: frozenset[int], before: frozenset[int], ways: int
    ) -> tuple[list[Any], frozenset[int]]:  # fmt: skip
        """(the same items with bounds, the characters they can end with). `before` is what they can stand behind, in
        `ways` ways; `after` is what can begin behind them."""
        found: list[Any] = []
        for at, (code, value) in enumerate(items):
            behind, ends = _first(items[at + 1 :], after), before
            if code is codes.SUBPATTERN:
                inner, ends = self.items(list(value[3]), behind, before, ways)
                value = (*value[:3], inner)
            elif code is codes.BRANCH:
                each = [self.items(list(one), behind, before, ways) for one in value[1]]
                value, ends = (value[0], [one for one, _ in each]), frozenset().union(*(end for _, end in each))
            elif code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
                value, ends = self._repeat(value, behind, before, ways)
            elif code is not codes.AT:
                ends = _taken((code, value))
            found.append((code, value))
            ways *= ways_of(self.text, [found[-1]], is_last=False)
            before = ends
        return found, before

    def _repeat(
        self, repeat: tuple[int, Any, Any], behind: frozenset[int], before: frozenset[int], ways: int
    ) -> tuple[tuple[int, Any, Any], frozenset[int]]:  # fmt: skip
        """One that cannot take what comes behind it, as \\d+ before a blank, ends in one way; another in one for each
        character of a line. So does one that begins in many places of what it takes itself: each time it runs to its end."""
        least, most, repeated = repeat[0], repeat[1], list(repeat[2])
        if len(repeated) != 1 or repeated[0][0] not in (codes.LITERAL, codes.NOT_LITERAL, codes.IN, codes.ANY):
            inner, ends = self.items(repeated, behind | _first(repeated, behind), before, ways)
            return (least, most, inner), ends | before if least == 0 else ends
        taken = _taken(repeated[0])
        ends = taken | before if least == 0 else taken
        if most == codes.MAXREPEAT and least <= 1:
            is_plain = not taken & behind and (ways <= _FEW_WAYS or not taken & before)
            return ((1, 1, repeated) if is_plain else (1, self.line, repeated)), ends
        return (least, most, repeated), ends


def _first(items: list[Any], after: frozenset[int]) -> frozenset[int]:
    """The characters that `items`, and what comes behind them, can begin with."""
    found: frozenset[int] = frozenset()
    for code, value in items:
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            found |= _first(list(value[2]), frozenset())
            if value[0] == 0:
                continue
            return found
        if code is codes.AT:
            continue
        if code is codes.SUBPATTERN:
            inner = _first([*value[3], (codes.FAILURE, None)], frozenset())
            found |= inner - {-1}
            if -1 in inner:
                continue
            return found
        if code is codes.BRANCH:
            each = [_first([*one, (codes.FAILURE, None)], frozenset()) for one in value[1]]
            found |= frozenset().union(*each) - {-1}
            if any(-1 in one for one in each):
                continue
            return found
        return found | (frozenset({-1}) if code is codes.FAILURE else _taken((code, value)))
    return found | after


@cache
def _of_category(name: str) -> frozenset[int]:
    one = re.compile(_CATEGORIES[name])
    samples = {_DIGIT: "\u0663", _SPACE: "\u2003", _LETTER: "\u00e9", _REST: "\u2588"}
    return frozenset(n for n in _EVERY if one.match(samples.get(n) or chr(n)))


def _of_letter(value: int) -> int:
    if value < _DIGIT:
        return value
    one = chr(value)
    kinds = {_DIGIT: one.isdecimal(), _SPACE: one.isspace(), _LETTER: one.isalnum()}
    return next((kind for kind, fits in kinds.items() if fits), _REST)


def _taken(item: tuple[Any, Any]) -> frozenset[int]:
    """The characters one item takes, small letters and capitals alike, as (?i) may stand somewhere; what is not known
    takes all."""
    code, value = item
    if code is codes.LITERAL:
        return _either_case({_of_letter(value)})
    if code is codes.NOT_LITERAL:
        return _EVERY - {value}
    if code is not codes.IN:
        return _EVERY
    found: set[int] = set()
    categories: set[int] = set()
    for kind, one in value:
        if kind is codes.LITERAL:
            found.add(_of_letter(one))
        elif kind is codes.RANGE:
            found |= {*range(one[0], min(one[1] + 1, _DIGIT)), *(_OTHERS if one[1] >= _DIGIT else ())}
        elif kind is codes.CATEGORY:
            categories |= _of_category(str(one).removeprefix("CATEGORY_"))
    if value[0][0] is codes.NEGATE:
        return _EVERY - categories - {one for one in found if one < _DIGIT}
    return _either_case(found) | categories


def _either_case(found: set[int]) -> frozenset[int]:
    letters = {chr(one) for one in found if one < _DIGIT}
    both = {ord(one) for letter in letters for one in (letter.lower(), letter.upper())}
    folded = {_LETTER} if letters & set("kKsSiI") else set()  # of which there are others beyond ASCII
    return frozenset(found | both | folded)
