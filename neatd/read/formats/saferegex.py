"""Regular expressions of a project's own, of a kind that cannot run for long on a line. Pure.

The shape is judged by `neatd/redact_own.py`. There an endless repetition stands at the end only; here also where what
follows ends it, as people write patterns of lines, and one that nothing ends counts as a line's length of tries.
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
MOST_WAYS = 100_000  # in which a line can be tried: one `.*` and one `.{0,80}`; under a second at the very worst
_ANY_OTHER = 128  # stands for every character beyond ASCII
_CATEGORIES = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w", "NOT_DIGIT": r"\D", "NOT_SPACE": r"\S", "NOT_WORD": r"\W"}


@cache
def compiled(text: str) -> re.Pattern[str]:
    """A pattern of the safe kind; raises ConfigError with what is wrong with it."""
    if len(text) > LONGEST:
        raise ConfigError(f"longer than {LONGEST} characters", "divide it into several patterns")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a later Python may read in another way
            pattern, tree = re.compile(text), list(parser.parse(text))
    except (re.error, RecursionError, OverflowError) as error:
        raise ConfigError(f"not a regular expression: {error}", "mend it") from error
    if ways_of(text, _bounded(tree, frozenset()), is_last=True) > MOST_WAYS:
        raise ConfigError(
            "its repetitions multiply to more than a line can be tried in",
            "at most one .*, elsewhere a bound such as .{0,80}, and behind a number what cannot be part of it",
        )
    return pattern


def _bounded(items: list[Any], after: frozenset[int]) -> list[Any]:
    """The same items, each endless repetition with the bound of what it costs.

    One that cannot take what comes behind it, as \\d+ before a blank, is tried in one way; another in one for each
    character of a line.
    """
    found: list[Any] = []
    for at, (code, value) in enumerate(items):
        behind = _first(items[at + 1 :], after)
        if code is codes.SUBPATTERN:
            value = (*value[:3], _bounded(list(value[3]), behind))
        elif code is codes.BRANCH:
            value = (value[0], [_bounded(list(one), behind) for one in value[1]])
        elif code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            value = _bounded_repeat(value, behind)
        found.append((code, value))
    return found


def _bounded_repeat(repeat: tuple[int, Any, Any], behind: frozenset[int]) -> tuple[int, Any, Any]:
    least, most, repeated = repeat[0], repeat[1], list(repeat[2])
    if len(repeated) != 1 or repeated[0][0] not in (codes.LITERAL, codes.NOT_LITERAL, codes.IN, codes.ANY):
        return least, most, _bounded(repeated, behind | _first(repeated, behind))
    if most == codes.MAXREPEAT and least <= 1:
        return (1, 1, repeated) if not _taken(repeated[0]) & behind else (1, LONGEST_LINE, repeated)
    return least, most, repeated


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
    return frozenset(n for n in range(_ANY_OTHER) if one.match(chr(n))) | {_ANY_OTHER}


def _taken(item: tuple[Any, Any]) -> frozenset[int]:
    """The characters one item takes, in ASCII; what is not known takes all."""
    code, value = item
    everything = frozenset(range(_ANY_OTHER + 1))
    if code is codes.LITERAL:
        return frozenset({min(value, _ANY_OTHER)})
    if code is codes.NOT_LITERAL:
        return everything - {value}
    if code is not codes.IN:
        return everything
    found: frozenset[int] = frozenset()
    for kind, one in value:
        if kind is codes.LITERAL:
            found |= {min(one, _ANY_OTHER)}
        elif kind is codes.RANGE:
            found |= {min(n, _ANY_OTHER) for n in range(one[0], min(one[1], _ANY_OTHER) + 1)} or {_ANY_OTHER}
        elif kind is codes.CATEGORY:
            found |= _of_category(str(one).removeprefix("CATEGORY_"))
    return everything - (found - {_ANY_OTHER}) if value[0][0] is codes.NEGATE else found
