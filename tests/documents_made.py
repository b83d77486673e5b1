"""For the tests of the documents: a notebook in a place of its own, filled quickly, and a document's sections."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

from neatd.assist.facts import Facts
from neatd.config import ProjectConfig, load_project
from neatd.models import Project
from neatd.pipeline.documents import Made, keep_handoff, write_documents
from neatd.pipeline.gathering import gather
from neatd.place import here
from neatd.store.short import add_record
from tests.cli_place import Cli


def git(*words: str) -> str:
    """Run git in the working folder, as somebody."""
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *identity, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def keep(cli: Cli, kind: str, title: str, **fields: Any) -> str:
    """A record, as its command writes it; returns its id."""
    return add_record(cli.home, here(), kind, {"title": title, **fields}, "person")[0]


class Here(NamedTuple):
    """The store and the project around, as the daemon has them."""

    records: sqlite3.Connection
    points: sqlite3.Connection
    project: Project
    config: ProjectConfig

    def facts(self, now: datetime | None = None) -> Facts:
        """What the documents say now, as if it were `now`."""
        found = gather(self.records, self.points, self.project, self.config)
        return found.model_copy(update={"now": now}) if now else found

    def write(self, now: datetime | None = None) -> list[str]:
        """Write the documents; the names of those that were."""
        done = write_documents(self.records, self.points, self.project, self.config, self.facts(now))
        return [path.relative_to(self.project.root).as_posix() for path in done]

    def keep(self, now: datetime | None = None) -> Made:
        """Keep the handoff."""
        return keep_handoff(self.records, self.facts(now), self.project, self.config, here(), "person")


@contextmanager
def opened(cli: Cli) -> Iterator[Here]:
    """The project of the working folder."""
    place = here()
    with cli.store() as records, cli.store("points") as points:
        project = Project(id=place.project_id, name="project", root=str(cli.root))
        yield Here(records, points, project, load_project(cli.root))


def document(cli: Cli, template: str) -> str:
    """A document as it would be now; nothing is kept."""
    return cli.ok("handoff", "--template", template, "--no-keep")


def section(text: str, heading: str) -> str:
    """What stands under a heading (given with its marks), up to the next one of its level or above."""
    level = len(heading) - len(heading.lstrip("#"))
    lines = text.splitlines()
    places = [n for n, line in enumerate(lines) if line == heading]
    assert len(places) == 1, f"{heading!r} stands {len(places)} times in:\n{text}"
    rest = lines[places[0] + 1 :]
    in_code = [sum(line.lstrip().startswith("```") for line in rest[:n]) % 2 for n in range(len(rest))]
    ends = [n for n, line in enumerate(rest) if not in_code[n] and 0 < _level(line) <= level]
    return "\n".join(rest[: ends[0]] if ends else rest).strip("\n")


def headings(text: str) -> list[str]:
    """The headings of the second level, in order."""
    return [line for line in text.splitlines() if line.startswith("## ")]


def cells(table: str, row: int) -> list[str]:
    """The cells of a row of the first table in a text; row 0 holds the names of the columns."""
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [cell.strip() for cell in lines[row if row == 0 else row + 1].strip("|").split(" | ")]


def today() -> str:
    return f"{datetime.now(UTC).astimezone():%Y-%m-%d}"


def _level(line: str) -> int:
    marks = len(line) - len(line.lstrip("#"))
    return marks if line[marks : marks + 1] == " " else 0
