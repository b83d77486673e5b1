"""The rules in force in a project, each with the file it comes from: shipped, the user's, the project's, by name.

Of a file with a mistake the last text without one judges, also after a restart. The daemon and the commands ask here, so what
is listed and tried is what judges. Invariant: what is kept of a file was a rule without a mistake.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

from neatd.config import LARGEST_FILE
from neatd.errors import ConfigError, NeatError
from neatd.files import data_path, read_small, write_atomic
from neatd.rules.load import load_rule, rule_files
from neatd.rules.schema import Rule

Origin = Literal["shipped", "user", "project"]


class Broken(NamedTuple):
    """A file with a mistake. `rule` is what its last good text says, None when none is kept: then nothing of it judges."""

    path: Path
    origin: Origin
    mistake: ConfigError
    since: datetime | None  # when it was written so
    rule: Rule | None = None


class Placed(NamedTuple):
    """A rule, and where it stands. `replaces` names whose rule of the same name it takes the place of, "" for none."""

    rule: Rule
    origin: Origin
    path: Path
    replaces: str = ""
    broken: Broken | None = None  # the file has a mistake, and this is the rule of its last good text
    replaced: Rule | None = None  # the one whose place it takes

    @property
    def state(self) -> str:
        """on, off or broken."""
        return "broken" if self.broken else "on" if self.rule.enabled else "off"


class Ruleset(NamedTuple):
    """All rules by name; the files with a mistake, whether or not a rule of theirs judges; the user's own without one."""

    rules: tuple[Placed, ...]
    broken: tuple[Broken, ...]
    good: tuple[Path, ...]

    @property
    def mistakes(self) -> list[ConfigError]:
        """What is wrong in the files."""
        return [one.mistake for one in self.broken]


def rules_here(home: Path, root: Path | None, project_id: str) -> Ruleset:
    """The rules in force; without a project those that would be in any. Writes nothing, and raises nothing for what a file
    holds."""
    folders: list[tuple[Origin, Path]] = [("shipped", data_path("rules")), ("user", home / "rules")]
    folders += [("project", root / ".neat" / "rules")] if root else []
    found: dict[str, Placed] = {}
    broken: list[Broken] = []
    good: list[Path] = []
    for origin, path in ((origin, path) for origin, folder in folders for path in rule_files(folder)):
        wrong = None
        try:
            rule = _shipped(path) if origin == "shipped" else load_rule(path)
            good += [path] if origin != "shipped" else []
        except ConfigError as error:
            kept = None if origin == "shipped" else _last_good(home, project_id, path)
            wrong = Broken(path, origin, error, _written(path), kept)
            broken.append(wrong)
            if kept is None:
                continue
            rule = kept
        before = found.get(rule.rule)
        found[rule.rule] = Placed(
            rule, origin, path, before.origin if before else "", wrong, before.rule if before else None
        )
    return Ruleset(tuple(found.values()), tuple(broken), tuple(good))


@lru_cache(maxsize=256)
def _shipped(path: Path) -> Rule:
    """What is installed does not change while a program runs, and is asked for each project."""
    return load_rule(path)


def keep_good(home: Path, project_id: str, rules: Ruleset) -> None:
    """Keep the files without a mistake as they are now, for the time when they have one."""
    for path in rules.good:
        try:
            text = read_small(path, LARGEST_FILE)
        except FileNotFoundError:  # taken away in this moment
            continue
        kept = _kept_path(home, project_id, path)
        if not kept.exists() or kept.read_bytes() != text:
            write_atomic(kept, text)


def _last_good(home: Path, project_id: str, path: Path) -> Rule | None:
    try:
        return load_rule(_kept_path(home, project_id, path))
    except ConfigError:  # none is kept, or it is of a version that took other fields
        return None


def _kept_path(home: Path, project_id: str, path: Path) -> Path:
    return home / "good_rules" / project_id / path.parent.parent.name / path.name


def _written(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return None


def rule_of(word: str, known: Ruleset) -> Placed:
    """The rule of a file, or by its name. Raises NeatError for neither, ConfigError for a file with mistakes."""
    path = Path(word)
    if path.suffix in (".yaml", ".yml") or "/" in word:
        return Placed(load_rule(path), "project", path)
    return rule_named(word, known)


def rule_named(name: str, known: Ruleset) -> Placed:
    """The rule of that name. Raises NeatError with the names that there are, ConfigError where only a broken file has it."""
    if one := next((one for one in known.rules if one.rule.rule == name), None):
        return one
    if wrong := next((one for one in known.broken if one.path.stem == name), None):
        raise wrong.mistake
    raise NeatError(f"no rule {name!r}", f"there are {', '.join(one.rule.rule for one in known.rules)}")
