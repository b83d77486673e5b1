"""A project's own patterns of secrets, the list `secrets:` in its neat.yaml: regular expressions of a safe kind.

The list comes with a repository, which may be anybody's: a pattern that could run for minutes, or that takes plain
words away, is refused with the reason. Stdlib only until such a list is there.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from neatd.errors import ConfigError
from neatd.place import PROJECT_FILE
from neatd.redact import MARK, redact, redact_value

LONGEST = 200  # characters of a pattern
MOST = 50  # patterns of a project
MOST_WAYS = 1000  # in which one place of a text can be tried: keeps 100 kB under a second
_FILE_BYTES = 64 * 1024
_LINE = re.compile(r"^secrets[ \t]*:", re.M)
_PLAIN = "the loss of run 3 went down to 0.25 at step 1000 on branch main, see notes.md and val/dice: 12 GB in 4 h"
_RULES = "allowed are letters, classes, groups, | and ?; * and + only at the end, elsewhere a bound such as {1,60}"
Patterns = tuple[re.Pattern[str], ...]


def compile_patterns(texts: Iterable[str]) -> Patterns:
    """The patterns of a list; raises ConfigError naming the pattern and what is wrong with it."""
    given = tuple(texts)
    if len(given) > MOST:
        raise ConfigError(f"secrets: {len(given)} patterns", f"at most {MOST}: join some with |")
    return tuple(_compiled(text) for text in given)


def redact_with(patterns: Patterns, text: str) -> str:
    """`text` without known secrets and without what the project's patterns match."""
    text = redact(text)
    for pattern in patterns:
        text = MARK.join(pattern.sub(MARK, part) for part in text.split(MARK))
    return text


def redactor(root: Path) -> Callable[[str], str]:
    """What takes the known secrets and those of the project in `root` out of a text; one look at neat.yaml for many
    texts. Raises ConfigError as `patterns_of` does."""
    patterns = patterns_of(root)
    return partial(redact_with, patterns) if patterns else redact


def redact_value_with(patterns: Patterns, value: Any) -> Any:
    """`redact_value` with the project's patterns."""
    clean = redact_value(value)
    return _each(lambda text: redact_with(patterns, text), clean) if patterns else clean


def patterns_of(root: Path) -> Patterns:
    """The patterns of the project in `root`; () when its neat.yaml names none. Raises ConfigError for a wrong one.

    Costs one small read where there is no list: what the short commands can pay.
    """
    try:
        text = (root / PROJECT_FILE).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ()  # whoever reads the configuration says so
    return _in_file(text, str(root / PROJECT_FILE)) if _LINE.search(text) else ()


@cache
def _in_file(text: str, path: str) -> Patterns:
    import yaml

    if len(text) > _FILE_BYTES:
        raise ConfigError(f"{path}: larger than {_FILE_BYTES} bytes", "shorten it")
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML, so its list of secrets is not known", "mend the YAML") from error
    found = [value for key, value in getattr(node, "value", ()) if getattr(key, "value", None) == "secrets"]
    if not found:
        return ()
    items = found[-1].value if isinstance(found[-1], yaml.SequenceNode) else [found[-1]]
    wrong = next((one for one in items if not isinstance(one, yaml.ScalarNode)), None)
    if wrong is not None or not isinstance(found[-1], yaml.SequenceNode):
        line = (wrong or found[-1]).start_mark.line + 1
        raise ConfigError(f"{path}:{line}: secrets is a list of patterns", 'secrets: ["internal-[0-9]{6}"]')
    return compile_patterns(one.value for one in items)


def _each(clean: Callable[[str], str], value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_each(clean, one) for one in value]
    if isinstance(value, dict):
        return {clean(str(name)): _each(clean, one) for name, one in value.items()}
    return value


@cache
def _compiled(text: str) -> re.Pattern[str]:
    """One pattern, when it is of the safe kind."""
    if len(text) > LONGEST:
        raise _refused(text, f"longer than {LONGEST} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a later Python may read in another way
            pattern, tree = re.compile(text), parser.parse(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise _refused(text, str(error)) from error
    ways = ways_of(text, list(tree), is_last=True)
    if ways > MOST_WAYS:
        raise _refused(text, "its repetitions multiply to more than a text can be tried in")
    if pattern.search("") or pattern.search(_PLAIN):
        raise _refused(text, "it takes plain words and numbers away")
    return pattern


def ways_of(text: str, items: list[Any], is_last: bool) -> int:
    """In how many ways the items can match at one place. Raises ConfigError for what is not of the safe kind."""
    ways = 1
    for at, (code, value) in enumerate(items):
        ends = is_last and at == len(items) - 1
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            ways *= _ways_of_repeat(text, value, ends)
        elif code is codes.SUBPATTERN:
            ways *= ways_of(text, list(value[3]), ends)
        elif code is codes.BRANCH:
            ways *= sum(ways_of(text, list(one), ends) for one in value[1])
        elif code not in (codes.LITERAL, codes.NOT_LITERAL, codes.IN, codes.ANY, codes.AT):
            raise _refused(text, f"{str(code).lower().replace('_', ' ')} is not allowed")
    return ways


def _ways_of_repeat(text: str, repeat: tuple[int, int, Any], is_last: bool) -> int:
    least, most, repeated = repeat[0], repeat[1], list(repeat[2])
    if least > MOST_WAYS:
        raise _refused(text, f"{least} times is more than {MOST_WAYS}")
    if len(repeated) != 1 or repeated[0][0] not in (codes.LITERAL, codes.NOT_LITERAL, codes.IN, codes.ANY):
        if (least, most) != (0, 1):
            raise _refused(text, "a group is repeated")
        return 1 + ways_of(text, repeated, is_last)
    if is_last:
        return 1  # nothing follows that could fail, so nothing is tried again
    if most == codes.MAXREPEAT:
        raise _refused(text, "* or + stands before its end")
    return int(most) - int(least) + 1


def _refused(text: str, why: str) -> ConfigError:
    shown = text if len(text) <= 60 else text[:59] + "…"
    return ConfigError(f"secrets: the pattern {shown!r} is refused: {why}", _RULES)
