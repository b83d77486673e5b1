"""One parameter of a search: which values it may have, in which order, and how near one is to another. Pure."""

from __future__ import annotations

import math
import re
from functools import cached_property
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from neatd.models import Model

Value = bool | int | float | str
LARGEST = 2**53  # below it a float holds every whole number
_ALMOST = 1e-9  # of a step: (1.0 - 0.1) / 0.1 is not 9
_EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")


class Parameter(Model):
    """A parameter as the file declares it: `{type: float, low: 1e-4, high: 1e-2, log: true}`, or a list of choices."""

    type: Literal["float", "int", "categorical"]
    low: float | None = Field(default=None, allow_inf_nan=False, ge=-LARGEST, le=LARGEST)
    high: float | None = Field(default=None, allow_inf_nan=False, ge=-LARGEST, le=LARGEST)
    log: bool = False  # as likely between 1 and 10 as between 10 and 100
    step: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    choices: tuple[Value, ...] = Field(default=(), max_length=10_000)

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, data: Any) -> Any:
        if isinstance(data, list):
            return {"type": "categorical", "choices": data}
        if isinstance(data, dict) and "choices" in data and "type" not in data:
            return {"type": "categorical", **data}
        return data

    @field_validator("choices", mode="before")
    @classmethod
    def _numbers(cls, value: Any) -> Any:
        """To YAML 1.1 `1e-3` is text."""
        if not isinstance(value, list | tuple):
            return value
        return [float(one) if isinstance(one, str) and _EXPONENT.fullmatch(one) else one for one in value]

    @model_validator(mode="after")
    def _consistent(self) -> Parameter:
        if self.type == "categorical":
            self._check_choices()
        else:
            self._check_range()
        return self

    def _check_choices(self) -> None:
        if not self.choices:
            raise ValueError("needs `choices`, a list of values")
        if self.low is not None or self.high is not None or self.step is not None or self.log:
            raise ValueError("has choices: low, high, step and log are for numbers")
        if len({_key(one) for one in self.choices}) < len(self.choices):
            raise ValueError("names a choice twice")
        if any(isinstance(one, float) and not math.isfinite(one) for one in self.choices):
            raise ValueError("has a choice that is not finite")

    def _check_range(self) -> None:
        if self.choices:
            raise ValueError(f"has choices, which are for type categorical and not for {self.type}")
        if self.low is None or self.high is None:
            raise ValueError("needs `low` and `high`")
        if self.low > self.high:
            raise ValueError(f"low is above high: {self.low:g} > {self.high:g}")
        if self.log and self.low <= 0:
            raise ValueError("low must be above 0 where log is true")
        if self.log and self.step is not None:
            raise ValueError("takes log or step, not both")
        whole = [one for one in (self.low, self.high, self.step) if one is not None]
        if self.type == "int" and not all(float(one).is_integer() for one in whole):
            raise ValueError("low, high and step must be whole numbers where the type is int")

    @property
    def count(self) -> int | None:
        """How many values it has; None for a range without steps, which has no end of them."""
        if self.type == "categorical":
            return len(self.choices)
        if self.type == "float" and self.step is None:
            return 1 if self.low == self.high else None
        return int((self._high - self._low) / (self.step or 1) + _ALMOST) + 1

    def value(self, index: int) -> Value:
        """The value at a place in their order."""
        if self.type == "categorical":
            return self.choices[index]
        if self.type == "int":
            return int(self._low) + index * int(self.step or 1)
        return round(self._low + index * self.step, 12) if self.step else self._low

    def at(self, share: float) -> Value:
        """The value at `share` of the way, 0 <= share < 1: on a log scale where it is one."""
        if self.log:
            low, high = math.log(self._low - self._half), math.log(self._high + self._half)
            return self._bounded(math.exp(low + share * (high - low)))
        if self.count is not None:
            return self.value(min(int(share * self.count), self.count - 1))
        return self._bounded(self._low + share * (self._high - self._low))

    def weight(self, value: Value) -> float:
        """How likely a value is beside the others: equally, or by its width on a log scale."""
        if self.type == "int" and self.log:
            return math.log((float(value) + 0.5) / (float(value) - 0.5))
        return 1.0

    def place(self, value: Value) -> float:
        """Where a value lies between 0 and 1; of a choice its place in their order."""
        if self.type == "categorical":
            return self._order[_key(value)] / max(1, len(self.choices) - 1)
        number = float(value)
        if self._high == self._low:
            return 0.0
        if self.log:
            return math.log(number / self._low) / math.log(self._high / self._low)
        return (number - self._low) / (self._high - self._low)

    def distance(self, one: Value, other: Value) -> float:
        """How far apart two values are, 0 to 1; choices that are no numbers are all equally far from each other."""
        if _key(one) == _key(other):
            return 0.0
        if self.type == "categorical" and not self._is_ordered:
            return 1.0
        return abs(self.place(one) - self.place(other))

    def typed(self, value: Any) -> Value | None:
        """A value, or what a person typed, as one of this parameter's values; None where it is none of them."""
        if self.type == "categorical":
            return next((one for one in self.choices if _key(one) == _key(value) or str(one) == str(value)), None)
        try:
            number = float(value)
        except (TypeError, ValueError):
            return None
        if not self._low <= number <= self._high or (self.type == "int" and not number.is_integer()):
            return None
        if self.step or self.type == "int":
            steps = (number - self._low) / (self.step or 1)
            return self.value(round(steps)) if abs(steps - round(steps)) < _ALMOST * 1e3 else None
        return number

    @property
    def _low(self) -> float:
        return self.low if self.low is not None else 0.0

    @property
    def _high(self) -> float:
        return self.high if self.high is not None else 0.0

    @property
    def _half(self) -> float:
        """Whole numbers are as likely at the ends as in between."""
        return 0.5 if self.type == "int" else 0.0

    def _bounded(self, number: float) -> Value:
        bounded = min(max(number, self._low), self._high)
        return min(max(round(bounded), int(self._low)), int(self._high)) if self.type == "int" else bounded

    @cached_property
    def _order(self) -> dict[tuple[str, Value], int]:
        return {_key(one): place for place, one in enumerate(self.choices)}

    @cached_property
    def _is_ordered(self) -> bool:
        return all(isinstance(one, int | float) and not isinstance(one, bool) for one in self.choices)


def _key(value: Value) -> tuple[str, Value]:
    """What tells 1 from True, and 1 from 1.0 no more than Python does."""
    return ("bool" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"), value
