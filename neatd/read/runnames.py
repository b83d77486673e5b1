"""Names of runs inside a database, made like folders' names: no way out of a folder, no two alike. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import count

_LONGEST = 100  # letters of one part
_UNFIT = re.compile(r'[/\\\x00-\x1f\x7f:*?"<>|]+')


@lru_cache(maxsize=1024)  # the experiment of 30,000 runs is one
def folder_part(text: str) -> str:
    """`text` as the name of one folder, on any system."""
    name = _UNFIT.sub("-", text).strip(" .")[:_LONGEST].strip(" .")
    return name or "unnamed"


def unique_names(wished: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Key -> name, from (key, wished name) in the order in which the runs were made.

    The first has the plain name and keeps it when others come; the others have the head of their key behind it.
    """
    taken: set[str] = set()
    names: dict[str, str] = {}
    for key, name in wished:
        folded = name.casefold()  # two names that differ in case only are one folder on some systems
        if folded in taken:
            name = next(one for one in _attempts(name, folder_part(key)) if one.casefold() not in taken)
            folded = name.casefold()
        taken.add(folded)
        names[key] = name
    return names


def _attempts(wish: str, tail: str) -> Iterator[str]:
    yield f"{wish}-{tail[:8]}"
    yield f"{wish}-{tail}"
    yield from (f"{wish}-{tail}-{number}" for number in count(2))
