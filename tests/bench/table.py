"""What a bench measured, as a row beside its peers and the raw limit: printed at once, kept in one JSON file.

A ratio says how many times better neat is: above 1 it needs less, or does more, than the other. The JSON file holds the
newest row of each name, with the machine's load while it was measured. `python -m tests.bench.table` prints it again.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

SCALE = float(os.environ.get("NEAT_BENCH_SCALE", "1"))  # 0.01 tries a bench with a hundredth of its work
_HERE = Path(__file__).parent / "results" / "bench.json"
_LEAST_RATIO = 10.0  # from here on a ratio is told without decimals


class Row(NamedTuple):
    """One figure. `peers` and `raw` are name -> the same figure of others, on the same bytes unless `note` says what else."""

    name: str  # its key: "backlog/visible"
    measured: str  # in words
    value: float
    unit: str
    aim: float | None = None
    peers: Mapping[str, float] = {}
    raw: Mapping[str, float] = {}
    is_rate: bool = False  # more is better
    note: str = ""

    def ratio(self, other: float) -> float:
        """How many times better than `other`."""
        better, worse = (self.value, other) if self.is_rate else (other, self.value)
        return better / worse if worse else float("inf")

    @property
    def is_reached(self) -> bool | None:
        """None where there is no aim, or the figure is one of a smaller task."""
        return None if self.aim is None or SCALE != 1 else self.ratio(self.aim) >= 1


def scaled(count: int, least: int = 1) -> int:
    """So many of something at this scale."""
    return max(least, round(count * SCALE))


def results_path() -> Path:
    """The JSON file: NEAT_BENCH_OUT, else beside the benches."""
    return Path(os.environ.get("NEAT_BENCH_OUT") or _HERE)


def keep(row: Row) -> None:
    """Print a row and put it into the JSON file."""
    print(f"\n{in_words(row)}", flush=True)
    path = results_path()
    kept = _read(path)
    kept["machine"] = {"system": platform.platform(), "python": platform.python_version(), "cores": os.cpu_count()}
    kept.setdefault("rows", {})[row.name] = _as_json(row)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.beside")
    beside.write_text(json.dumps(kept, indent=1) + "\n")
    beside.replace(path)


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text())) if path.is_file() else {}


def _as_json(row: Row) -> dict[str, Any]:
    ratios = {name: row.ratio(value) for name, value in {**row.peers, **row.raw}.items()}
    load = [round(one, 2) for one in os.getloadavg()]
    told = {"ratios": ratios, "is_reached": row.is_reached, "scale": SCALE, "load": load, "at": time.time()}
    return {**row._asdict(), "peers": dict(row.peers), "raw": dict(row.raw), **told}


def in_words(row: Row) -> str:
    """One line: the figure, its aim, how many times better than each of the others."""
    text = f"{row.measured}: {_figure(row.value)} {row.unit}"
    if row.aim is not None:
        verdict = {True: "reached", False: "NOT REACHED", None: "aim"}[row.is_reached]
        text += f" ({verdict}: {'at least' if row.is_rate else 'at most'} {_figure(row.aim)})"
    others = [f"{name} {_figure(value)}, {_times(row.ratio(value))}" for name, value in row.peers.items()]
    others += [f"raw {name} {_figure(value)}, {_times(row.ratio(value))}" for name, value in row.raw.items()]
    note = f" [{row.note}]" if row.note else ""
    return "; ".join([text, *others]) + note


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _times(ratio: float) -> str:
    return f"x{ratio:,.0f}" if ratio >= _LEAST_RATIO else f"x{ratio:.2g}"


def table(rows: Iterable[Row]) -> str:
    """Rows under headings, as markdown."""
    lines = [
        "| measured | neat | aim | peers: theirs, times better | raw limit: its, times better |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        aim = "" if row.aim is None else f"{_figure(row.aim)}{'' if row.is_reached is not False else ' (missed)'}"
        others = ("; ".join(f"{name} {_figure(v)}, {_times(row.ratio(v))}" for name, v in some.items())
                  for some in (row.peers, row.raw))  # fmt: skip
        lines.append(" | ".join(["| " + row.measured, f"{_figure(row.value)} {row.unit}", aim, *others]) + " |")
    return "\n".join(lines)


def kept_rows(since: float = 0.0) -> list[Row]:
    """The rows of the JSON file that were measured after `since` (unix seconds)."""
    found = _read(results_path()).get("rows", {}).values()
    return [Row(**{name: one[name] for name in Row._fields}) for one in found if one["at"] >= since]


if __name__ == "__main__":
    print(table(kept_rows()))
