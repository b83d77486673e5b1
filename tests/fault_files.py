"""What trainers write, format by format: files that grow step by step, and the values that follow from each of them.

`FORMATS` holds one writer of each kind; `grow` brings its file to a number of rows as the real library would, and
`expected` says what a store that lost and doubled nothing holds then.
"""

from __future__ import annotations

import json
import math
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

from tests.databases_made import MLFLOW_SQL, add_metric, add_run, empty
from tests.test_format_tensorboard import event, record, scalar

Points = list[tuple[int, float]]  # (step, value) in file order
UUID = "0" * 31 + "a"


def value(name: str, step: int) -> float:
    """What a metric has at a step: noise around a curve, now and then NaN or infinite."""
    salt = sum(name.encode())
    if (step + salt) % 401 == 0:
        return math.nan
    if (step + salt) % 709 == 0:
        return math.inf
    return 1 + 3 * math.exp(-step / 900) + math.sin(step * 12.9898 + salt) / 50


def single(number: float) -> float:
    """As 32 bits keep it."""
    return float(struct.unpack("<f", struct.pack("<f", number))[0])


class Jsonl:
    """Lines alike, short: a backlog of them goes straight to packed columns."""

    run, file = "runs/packed", "metrics.jsonl"
    names: tuple[str, ...] = ("loss",)

    def __init__(self, root: Path) -> None:
        self.root, self.rows = root, 0
        self.path = root / self.run / self.file
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def grow(self, rows: int) -> None:
        """Append what is missing up to `rows` rows."""
        with self.path.open("ab") as file:
            file.write(b"".join(self.row(step) for step in range(self.rows + 1, rows + 1)))
        self.rows = rows

    def at(self, step: int) -> dict[str, float]:
        """What the row of a step holds."""
        return {name: round(value(name, step), 3) for name in self.names}

    def row(self, step: int) -> bytes:
        return (json.dumps({"step": step, **self.at(step)}, separators=(",", ":")) + "\n").encode()

    def expected(self) -> dict[str, Points]:
        """Series -> its points, of the rows that are written."""
        found: dict[str, Points] = {}
        for step in range(1, self.rows + 1):
            for name, number in self.at(step).items():
                found.setdefault(name, []).append((step, number))
        return found


class Narrow(Jsonl):
    """Neighbours unlike each other: they wait in the narrow table until they are sealed."""

    run, names = "runs/narrow", ("loss", "grad_norm", "eval/loss")

    def at(self, step: int) -> dict[str, float]:
        return {name: value(name, step) for n, name in enumerate(self.names) if step % 3 != n}

    def row(self, step: int) -> bytes:
        line = {"step": step, "time": 1.7e9 + step, "phase": "läuft" * 12, **self.at(step)}
        return (json.dumps(line, ensure_ascii=False) + "\n").encode()


class TensorBoard(Jsonl):
    """Framed records with checksums."""

    run, file = "runs/board", "events.out.tfevents.1700000001.host.17.0"
    names = ("train/loss", "train/acc", "lr")

    def at(self, step: int) -> dict[str, float]:
        return {name: single(number) for name, number in super().at(step).items()}

    def row(self, step: int) -> bytes:
        return record(event(step, *(scalar(name, number) for name, number in self.at(step).items())))


class Text(Jsonl):
    """A log for people."""

    run, file, names = "runs/text", "train.log", ("loss", "lr")

    def at(self, step: int) -> dict[str, float]:
        return {"loss": round(value("text", step), 4), "lr": 0.001}

    def row(self, step: int) -> bytes:
        told = " ".join(f"{name} {number}" for name, number in self.at(step).items())
        return f"2026-01-01 00:00:00 INFO trainer: step {step} {told} on a host with a rather long name\n".encode()


class Lightning(Jsonl):
    """CSV, written anew with each key that appears: a third one of the way, the next at two thirds."""

    run, file, names = "runs/csv", "metrics.csv", ("train_loss", "val_loss", "val_acc")

    def __init__(self, root: Path, most: int) -> None:
        super().__init__(root)
        self.begins = {name: 1 + n * most // 3 for n, name in enumerate(self.names)}

    def at(self, step: int) -> dict[str, float]:
        return {
            name: value(name, step) for n, name in enumerate(self.names)
            if step >= self.begins[name] and (n == 0 or step % 7 == n)
        }  # fmt: skip

    def grow(self, rows: int) -> None:
        before = self._columns(self.rows) if self.rows else []
        columns = self._columns(rows)
        begin = self.rows + 1 if columns == before else 1
        text = "" if begin > 1 else ",".join(["epoch", "step", *columns]) + "\n"
        for step in range(begin, rows + 1):
            cells = [str(self.at(step).get(name, "")) for name in columns]
            text += ",".join([str(step // 100), str(step), *cells]) + "\n"
        with self.path.open("a" if begin > 1 else "w") as file:
            file.write(text)
        self.rows = rows

    def _columns(self, rows: int) -> list[str]:
        return [name for name in self.names if any(name in self.at(step) for step in range(1, rows + 1))]

    def expected(self) -> dict[str, Points]:
        return super().expected() | {"epoch": [(step, step // 100) for step in range(1, self.rows + 1)]}


class Mlflow(Jsonl):
    """Rows of a database, a few to a transaction."""

    run, file, names = "mlflow.db/net/base", "", ("loss", "acc")

    def __init__(self, root: Path) -> None:
        self.root, self.rows = root, 0
        self.path = empty(MLFLOW_SQL, root / "mlflow.db")
        with closing(sqlite3.connect(self.path)) as database, database:
            add_run(database, UUID)

    def at(self, step: int) -> dict[str, float]:
        return {name: number for name, number in super().at(step).items() if math.isfinite(number)}

    def grow(self, rows: int) -> None:
        with closing(sqlite3.connect(self.path, timeout=30)) as database:
            for begin in range(self.rows + 1, rows + 1, 100):
                with database:
                    for step in range(begin, min(begin + 100, rows + 1)):
                        for name, number in self.at(step).items():
                            add_metric(database, UUID, step, number, name)
        self.rows = rows


def every_format(root: Path, rows: int) -> list[Jsonl]:
    """A writer of each kind. Those that grow while they are read come to `rows`."""
    return [Jsonl(root), Narrow(root), TensorBoard(root), Text(root), Lightning(root, rows), Mlflow(root)]
