"""Rules from YAML files. Every mistake of a file is told at once, each with file, line, field and value.

The only file of this stage that touches the disk. Rule files come from repositories: the safe constructor is used,
and nothing in a file can run or make the reader run away. Invariant: a bad file never hides a good one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import yaml
from pydantic import ValidationError

from neatd.config import LARGEST_FILE, YamlLoader
from neatd.errors import ConfigError
from neatd.files import data_path, read_small
from neatd.rules.mistakes import explain
from neatd.rules.schema import Rule
from neatd.yamlplaces import Mistake, Places, dotted

NO_RULES = frozenset({"maintenance.yaml"})
_NAME_LINE = re.compile(r"^rule[ \t]*:", re.M)
HINT = "mend the lines named; a rule needs `rule`, `metrics` and `when`, and `when` needs a `condition`"


class _Loader(YamlLoader):
    """Also reads `1e-3` as a number (YAML 1.1 wants a dot and a sign there)."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+$"), list("-+.0123456789")
)


def load_rule(path: Path) -> Rule:
    """The rule in `path`. Raises ConfigError with a line `file:line: field: mistake` for each mistake."""
    text = _read(path)
    try:
        node = yaml.compose(text, Loader=_Loader)
        if node is None:
            raise ConfigError(f"{path}:1: the file holds no rule", HINT)
        places = Places(node)
        if places.unreadable:
            raise _as_error(path, places.unreadable + places.doubled)
        data = yaml.constructor.SafeConstructor().construct_document(node)
    except yaml.YAMLError as error:
        raise _as_error(path, [_syntax_mistake(error, text)]) from error
    except RecursionError as error:
        raise ConfigError(f"{path}:1: nested too deeply", HINT) from error
    return _validated(path, data, places)


def load_rules(folders: Sequence[Path]) -> tuple[tuple[Rule, ...], tuple[ConfigError, ...]]:
    """(rules, mistakes) of all *.yaml and *.yml in `folders`; a later folder replaces rules of the same name.

    Disabled rules are in the list. A folder that is missing has no rules. Never raises for what a file holds.
    """
    rules: dict[str, Rule] = {}
    errors: list[ConfigError] = []
    for folder in folders:
        origin: dict[str, Path] = {}
        for path in rule_files(folder):
            try:
                rule = load_rule(path)
                if rule.rule in origin:
                    raise ConfigError(f"{path}:1: rule: {rule.rule!r} is already in {origin[rule.rule]}", HINT)
            except ConfigError as error:
                errors.append(error)
                continue
            origin[rule.rule] = path
            rules[rule.rule] = rule
    return tuple(rules.values()), tuple(errors)


def rule_line(path: Path) -> int:
    """The 1-based line in which a file names its rule; 1 where it does not, or cannot be read."""
    try:
        found = _NAME_LINE.search(_read(path))
    except ConfigError:
        return 1
    return found.string.count("\n", 0, found.start()) + 1 if found else 1


def rule_files(folder: Path) -> list[Path]:
    """The files of rules in `folder`, by name. Beside the shipped ones lies the schedule of maintenance, which is no rule."""
    others = NO_RULES if folder == data_path("rules") else frozenset()
    return [path for path in sorted(folder.glob("*.y*ml")) if path.name not in others]


def _validated(path: Path, data: object, places: Places) -> Rule:
    try:
        rule = Rule.model_validate(data)
    except ValidationError as error:
        found = [explain(one) for one in error.errors()]
        mistakes = [(places.line(place), f"{dotted(place)}: {what}") for place, what in found]
        raise _as_error(path, mistakes + places.doubled) from error
    if places.doubled:
        raise _as_error(path, places.doubled)
    return rule


def _read(path: Path) -> str:
    try:
        raw = read_small(path, LARGEST_FILE)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}", "check the file and its permissions") from error
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        what = f"byte 0x{raw[error.start]:02x} is not UTF-8"
        raise ConfigError(f"{path}:{line}: {what}", "save the file as UTF-8") from error


def _syntax_mistake(error: yaml.YAMLError, text: str) -> Mistake:
    if isinstance(error, yaml.MarkedYAMLError):
        mark, begun = error.problem_mark or error.context_mark, error.context_mark
        since = f" begun in line {begun.line + 1}" if begun and mark and begun.line != mark.line else ""
        what = ", ".join(part for part in (f"{error.context or ''}{since}", error.problem) if part)
        return (mark.line + 1 if mark else 1), f"not YAML: {what}"
    position = getattr(error, "position", 0)  # ReaderError: a character that YAML forbids
    return text.count("\n", 0, position) + 1, f"not YAML: {getattr(error, 'reason', error)}"


def _as_error(path: Path, mistakes: Sequence[Mistake]) -> ConfigError:
    return ConfigError("\n".join(f"{path}:{line}: {what}" for line, what in sorted(mistakes)), HINT)
