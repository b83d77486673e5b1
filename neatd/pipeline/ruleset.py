"""The rules in force in a project, each with the file it comes from: shipped, the user's, the project's, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

from neatd.errors import ConfigError, NeatError
from neatd.files import data_path
from neatd.rules.load import load_rule, rule_files
from neatd.rules.schema import Rule

Origin = Literal["shipped", "user", "project"]


class Placed(NamedTuple):
    """A rule, and where it stands. `replaces` names whose rule of the same name it takes the place of, "" for none."""

    rule: Rule
    origin: Origin
    path: Path
    replaces: str = ""


def rules_here(home: Path, root: Path) -> tuple[list[Placed], list[ConfigError]]:
    """(the rules by name, mistakes of files). A file with a mistake replaces nothing; the daemon takes its last good text."""
    folders: tuple[tuple[Origin, Path], ...] = (
        ("shipped", data_path("rules")), ("user", home / "rules"), ("project", root / ".neat" / "rules"),
    )  # fmt: skip
    found: dict[str, Placed] = {}
    mistakes: list[ConfigError] = []
    for origin, folder in folders:
        for path in rule_files(folder):
            try:
                rule = load_rule(path)
            except ConfigError as error:
                mistakes.append(error)
                continue
            before = found.get(rule.rule)
            found[rule.rule] = Placed(rule, origin, path, before.origin if before else "")
    return list(found.values()), mistakes


def rule_named(word: str, home: Path, root: Path) -> Placed:
    """The rule of a file, or by its name. Raises NeatError for neither, ConfigError for a file with mistakes."""
    path = Path(word)
    if path.suffix in (".yaml", ".yml") or "/" in word:
        return Placed(load_rule(path), "project", path)
    found, _ = rules_here(home, root)
    one = next((one for one in found if one.rule.rule == word), None)
    if one is None:
        known = ", ".join(one.rule.rule for one in found)
        raise NeatError(f"no rule {word!r}", f"name a file, or one of {known}")
    return one
