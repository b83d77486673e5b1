"""A trial as the sampler and the pruner are told of it. Pure."""

from __future__ import annotations

from typing import Any, NamedTuple

Report = tuple[int, float]  # step, value of the goal's metric


class Told(NamedTuple):
    """What the store knows of a trial, and of its values along the way what was not told before."""

    number: int
    params: dict[str, Any]
    derived: dict[str, Any]
    state: str  # open, complete, pruned or failed
    value: float | None = None
    reports: tuple[Report, ...] = ()
    is_outside: bool = False  # a person's, outside of the space

    @classmethod
    def of(cls, data: dict[str, Any]) -> Told:
        """As it came as JSON."""
        return cls(**{**data, "reports": tuple((int(step), float(value)) for step, value in data.get("reports", ()))})
