"""Cells of a table, and what they hold: numbers, parameters, a state. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from neatd.assist.notes.blocks import Block
from neatd.assist.notes.fields import number_of
from neatd.assist.notes.plain import bare, plain

COLUMNS_MAX = 64  # what lies beyond stays in the last cell
_EMPTY = re.compile(r"^(?:[-–—−.·?*~]*|n/?a|none|null|nan|tbd|tba|todo)$", re.I)
_PARAM = re.compile(
    r"(?<![\w.])([A-Za-z_][\w./-]{0,40}?)\s?=\s?(\"[^\"]{0,60}\"|\[[^\]]{0,60}\]|\([^()]{0,60}\)|[^\s,;|)]{1,60})"
)
_RULE = re.compile(r"^[\s|:-]+$")
_STATES = (
    ("running", re.compile(r"\brunning\b|\bin[- ]progress\b|\btraining\b|🔄|🚧|⏳|🟡|\bongoing\b")),
    ("failed", re.compile(r"\bfail(?:ed|ure)?\b|\bcrashed\b|\bdiverged\b|\boom\b|❌|\berror(?:ed)?\b")),
    (
        "planned",
        re.compile(r"\bplanned\b|\bqueued\b|\bpending\b|\btodo\b|\bnot started\b|\bwaiting\b|\bscheduled\b|⬜|📋"),
    ),
    ("dropped", re.compile(r"\bdropped\b|\babandoned\b|\bcancell?ed\b|\bskipped\b|\bdiscard(?:ed)?\b|\breverted\b")),
    ("done", re.compile(r"\bdone\b|\bcompleted?\b|\bfinished\b|✅|✓|✔|\bsuccess\b|\bkeep\b|\bkept\b")),
)
_NOT_FINITE = re.compile(r"^[-+]?(?:nan|inf(?:inity)?)$", re.I)
_BAD = (
    (
        "diverged",
        r"diverge[ds]?|diverging|(?:loss|to|went|gave|became|is) nan|nan (?:loss|at|after|from)|blew up|exploded",
    ),
    ("failed", r"fail(?:ed|s|ure)?|crash(?:ed|es)?|oom(?:ed)?|out of memory|segfault(?:ed)?|❌"),
)
_BAD_WORD = tuple(
    (name, re.compile(rf"(?<!\bno )(?<!\bnot )(?<!\bnever )(?<!\w)(?:{one})(?!\w)")) for name, one in _BAD
)
_BAD_CELL = tuple((name, re.compile(rf"(?:cuda )?(?:{one})(?:\s?\([^()]{{1,40}}\))?[.! ]*")) for name, one in _BAD)
_BROKE = re.compile(r"\W*(?:crash(?:ed)?|failed|oom(?:ed)?|out of memory)\b")
_PLANNED_WORD = re.compile(
    r"\b(?:planned|queued|todo|to do|to run|pending|not started|not (?:yet )?run|scheduled|waiting)\b|⬜|📋"
)
_OF = re.compile(r"(?<![\d/.])(\d{1,7})\s?/\s?(\d{1,7})(?![\d/.])")


class Table:
    """A table's head, and its rows with their line numbers; cells are as they are written."""

    def __init__(self, block: Block) -> None:
        rows = [(block.lines[0] + at, row) for at, row in enumerate(block.text.split("\n"))]
        self.head = tuple(bare(cell) for cell in split(rows[0][1]))
        self.first_line = block.lines[0]
        self.rows = tuple((line, _fitted(split(row), len(self.head))) for line, row in rows[1:] if not _RULE.match(row))
        self._spread()

    def _spread(self) -> None:
        """A column "Val (loss / acc)" with cells "0.45 / 0.86" as two columns."""
        for at in range(len(self.head) - 1, -1, -1):
            named = re.match(r"^(.{0,40}?)\s?\(([^()]{1,80})\)$", self.head[at])
            names = [one.strip() for one in named[2].split("/")] if named and "/" in named[2] else []
            if len(names) < 2 or len(self.head) + len(names) > COLUMNS_MAX:
                continue
            cells = [[one.strip() for one in plain(row[at]).split("/")] for _, row in self.rows]
            if all(len(one) == len(names) or is_empty("/".join(one)) for one in cells):
                assert named
                self.head = (*self.head[:at], *(f"{named[1]} {one}" for one in names), *self.head[at + 1 :])
                self.rows = tuple(
                    (line, [*row[:at], *(one if len(one) == len(names) else [""] * len(names)), *row[at + 1 :]])
                    for (line, row), one in zip(self.rows, cells, strict=True)
                )

    def column(self, at: int) -> list[str]:
        return [plain(row[at]) for _, row in self.rows]


def split(row: str) -> list[str]:
    """The cells of a row; a `|` in backticks or behind a backslash is text."""
    text = row.strip().removeprefix("|")
    if text.endswith("|") and not text.endswith("\\|"):
        text = text[:-1]
    if "`" in text or "\\|" in text:
        text = re.sub(r"`[^`\n]{0,300}`", lambda found: found[0].replace("|", "\0"), text).replace("\\|", "\0")
    cells = text.split("|", COLUMNS_MAX - 1)
    return [cell.replace("\0", "|").strip() for cell in cells]


def _fitted(cells: list[str], width: int) -> list[str]:
    """As many cells as the head has; what is too much goes into the last."""
    if len(cells) > width:
        cells = [*cells[: width - 1], " | ".join(cells[width - 1 :])]
    return cells + [""] * (width - len(cells))


def is_empty(cell: str) -> bool:
    """Whether a cell says nothing: blank, a dash, n/a."""
    return bool(_EMPTY.match(bare(cell))) if len(cell) < 40 else False


def value_of(cell: str) -> object:
    """A cell as a number when it is one, else its plain words."""
    number = number_of(cell)
    return number if number is not None else plain(cell)


def params_in(cell: str) -> dict[str, object]:
    """The parameters written in a cell: "d=768, L=28" -> {"d": 768, "L": 28}."""
    if "=" not in cell:
        return {}
    return {name: value_of(value.strip("\"'")) for name, value in _PARAM.findall(plain(cell[:2000]))[:60]}


def number_in(cell: str) -> float | None:
    """The number a metric's cell begins with: "0.82 ± 0.01", "**81.2%**", "0.31 (best)"."""
    number = number_of(cell)
    if number is not None:
        return float(number)
    found = re.match(
        r"[~≈]?\s?(-?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?)\s?(?:%|±|\(|\[|@|✅|🏆|⭐|←|\*|$)", bare(cell)[:60], re.I
    )
    return float(found[1].replace(",", "")) if found else None


def state_in(text: str) -> str:
    """done, running, planned, failed or dropped, when words or marks say so; "46/50" is running, "50/50" done."""
    words = plain(text[:400]).lower() if "✅" not in text else text[:400].lower()
    if _BROKE.match(words):  # "crashed (OOM) at 12/50" is not running
        return "failed"
    if counted := _OF.search(words):
        return "done" if int(counted[1]) >= int(counted[2]) > 0 else "running"
    return next((name for name, pattern in _STATES if pattern.search(words)), "")


def is_not_finite(cell: str) -> bool:
    """Whether a cell holds what a broken training leaves where a number was: nan, inf."""
    return len(cell) < 40 and bool(_NOT_FINITE.match(bare(cell)))


def ended_badly(words: str) -> str:
    """diverged or failed when words say so; "" for everything else."""
    lower = plain(words[:400]).lower()
    return next((name for name, pattern in _BAD_WORD if pattern.search(lower)), "")


def trial_state(cells: Iterable[str], value: float | None, is_lost: bool, is_queue: bool) -> str:
    """The state of a row that has no column for it: done, failed, diverged, planned or open.

    `is_lost`: its metric is nan or inf. `is_queue`: what it stands below is a plan. A row with a value is done unless a
    cell says nothing but that it failed; one without is planned only where it says so.
    """
    words = [plain(cell[:400]).lower().strip() for cell in cells]
    if value is not None:
        bad = (name for name, pattern in _BAD_CELL for one in words if pattern.fullmatch(one))
        return next(bad, "done")
    if bad_word := next(filter(None, map(ended_badly, words)), ""):
        return bad_word
    if any(map(_PLANNED_WORD.search, words)):
        return "planned"
    return "diverged" if is_lost else "planned" if is_queue else "open"
