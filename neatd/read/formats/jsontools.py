"""JSONL files of known tools, whose keys mean something else than in any other file: read line by line by `jsonnames`. Pure."""

from __future__ import annotations

from typing import Any

from neatd.read.formats.jsonnames import JsonOptions, Within, step_within
from neatd.read.metrics import as_step, as_time, numbers_in, parse_object
from neatd.read.rows import BadLine, Fed, Feed, Parsed, Told, whole_lines


def feeder(options: JsonOptions) -> Feed:
    """The parser of files with these options."""

    def feed(data: bytes, state: dict[str, Any], seq: int, label: str) -> Fed:
        lines, consumed = whole_lines(data)
        reading = _Reading(options, state, label)
        for raw in lines:
            if raw.strip():
                seq += 1
                reading.take(raw, seq)
        return Fed(reading.rows, consumed, seq, reading.state(), reading.bad, reading.told)

    return feed


class _Reading:
    """One feed's work; the state is where the file stands."""

    def __init__(self, options: JsonOptions, state: dict[str, Any], label: str) -> None:
        self.by, self.label = options, label
        self.last: int | None = state.get("last")  # the last step that was named
        self.within = Within(*state.get("within", ()))
        self.is_empty: bool = state.get("is_empty", True)
        self.rows: list[Parsed] = []
        self.bad: list[BadLine] = []
        self.told: Told = {}

    def state(self) -> dict[str, Any]:
        return {"last": self.last, "within": list(self.within), "is_empty": self.is_empty}

    def take(self, raw: bytes, seq: int) -> None:
        said = parse_object(raw)
        if isinstance(said, str):
            self.bad.append(BadLine(seq, said))
            return
        self.told.update({what: said[name] for name, what in self.by.told.items() if name in said})  # type: ignore[typeddict-item]
        key = next((one for one in self.by.step_keys if one in said), None)
        step = self._step(said, key)
        if key is not None and step is None:
            self.bad.append(BadLine(seq, "its step is not a whole number"))
            return
        left_out = {*self.by.told, *self.by.ignored, *self.by.step_keys, *self.by.time_keys}
        kept = {name: value for name, value in said.items() if name not in left_out}
        time = next((at for one in self.by.time_keys if (at := as_time(said.get(one))) is not None), None)
        values = numbers_in(kept, self.label + self._before(said, key))
        if values:
            self.rows.append(Parsed(seq, seq if step is None else step, time, values, is_counted=step is None))
        self.is_empty = False

    def _before(self, said: dict[str, Any], key: str | None) -> str:
        if self.by.mode_key and isinstance(said.get(self.by.mode_key), str):
            return f"{said[self.by.mode_key]}/"
        return "" if key else self.by.unstepped_label

    def _step(self, said: dict[str, Any], key: str | None) -> int | None:
        """Where the line stands; None where its ordinal is all there is."""
        if key is None:
            if self.by.is_unstepped_last and self.last is not None:
                return self.last
            if self.last is not None:
                return None
            names = (*self.by.unstepped_keys, *(("epoch",) if self.by.has_epochs else ()))
            return next((found for one in names if (found := as_step(said.get(one))) is not None), None)
        if self.by.training_modes and said.get(self.by.mode_key) not in self.by.training_modes:
            return self.last if self.last is not None else as_step(said[key])
        step, outer = as_step(said[key]), as_step(said.get(self.by.within)) if self.by.within else None
        if step is not None and outer is not None:
            step, self.within = step_within(self.within, outer, step)
        self.last = step if step is not None else self.last
        return step
