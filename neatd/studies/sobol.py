"""Sobol's sequence: points that fill a unit cube evenly, the n-th at once and for itself. Pure.

Direction numbers: S. Joe, F. Y. Kuo, new-joe-kuo-6 (2008), the first 21 dimensions. A seed shifts all points by one
random vector, bit by bit (Cranley, Patterson, digital), which keeps what makes the sequence even.
Invariant: the n-th point depends on the seed and on n alone, whatever was asked before.
"""

from __future__ import annotations

import hashlib
from functools import cache

MOST_DIMENSIONS = 21
_BITS = 30
# (primitive polynomial, first direction numbers) of each dimension.
_TABLE: tuple[tuple[int, tuple[int, ...]], ...] = (
    (1, (1,)), (3, (1,)), (7, (1, 3)), (11, (1, 3, 1)), (13, (1, 1, 1)), (19, (1, 1, 3, 3)), (25, (1, 3, 5, 13)),
    (37, (1, 1, 5, 5, 17)), (41, (1, 1, 5, 5, 5)), (47, (1, 1, 7, 11, 19)), (55, (1, 1, 5, 1, 1)),
    (59, (1, 1, 1, 3, 11)), (61, (1, 3, 5, 5, 31)), (67, (1, 3, 3, 9, 7, 49)), (91, (1, 1, 1, 15, 21, 21)),
    (97, (1, 3, 1, 13, 27, 49)), (103, (1, 1, 1, 15, 7, 5)), (109, (1, 3, 1, 15, 13, 25)), (115, (1, 1, 5, 5, 19, 61)),
    (131, (1, 3, 7, 11, 23, 15, 103)), (137, (1, 3, 7, 13, 13, 15, 69)),
)  # fmt: skip


def sobol(index: int, dimensions: int, seed: int | None = None) -> tuple[float, ...]:
    """The point at `index` (from 0) in the unit cube of so many dimensions; without a seed the sequence as published."""
    gray = index ^ (index >> 1)
    found = []
    for dimension in range(dimensions):
        bits = 0 if seed is None else _shift(seed, dimension)
        for place, direction in enumerate(_directions(dimension)):
            if gray >> place & 1:
                bits ^= direction
        found.append(bits / 2**_BITS)
    return tuple(found)


@cache
def _directions(dimension: int) -> tuple[int, ...]:
    polynomial, first = _TABLE[dimension]
    degree = polynomial.bit_length() - 1
    if degree == 0:
        return tuple(1 << (_BITS - 1 - place) for place in range(_BITS))
    numbers = [one << (_BITS - 1 - place) for place, one in enumerate(first)]
    for place in range(degree, _BITS):
        number = numbers[place - degree] ^ (numbers[place - degree] >> degree)
        for back in range(1, degree):
            if polynomial >> (degree - back) & 1:
                number ^= numbers[place - back]
        numbers.append(number)
    return tuple(numbers)


@cache
def _shift(seed: int, dimension: int) -> int:
    digest = hashlib.sha256(f"{seed}:{dimension}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - _BITS)
