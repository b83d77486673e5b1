"""Command lines taken apart into parameters, and configurations made flat, so that they can be compared. Pure.

Nothing is run and no file is opened: which files a command names is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

Value = bool | int | float | str | None
MOST_VALUES = 2000  # of one configuration; more is data
LONGEST_VALUE = 500
_CONFIGS = frozenset({"config", "config_file", "cfg", "config_path", "params", "hparams"})
_NUMBER = re.compile(r"^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$")
_NAME = re.compile(r"^[A-Za-z_][\w./-]*$")
_TORCHRUN = "torch.distributed.run"
_PROGRAM = re.compile(r"\.(?:py|sh|ipynb)$|^-m$")


class Command(NamedTuple):
    """A command line taken apart: the program, what it names with values, and the parameter files it names."""

    program: str = ""  # path of the script, or the module after -m; "" when it cannot be told
    params: Mapping[str, Value] = {}
    files: tuple[str, ...] = ()


def parse_command(words: Sequence[str]) -> Command:
    """`--lr 0.01`, `--lr=0.01`, `lr=0.01`, `-b 8`, `--amp`, `--no-amp`; what stands before the program is left out."""
    start, program = _program(list(words))
    params: dict[str, Value] = {}
    files: list[str] = []
    rest = list(words[start:])
    while rest:
        name, value = _next(rest)
        if name and key_of(name) in _CONFIGS and isinstance(value, str):
            files.append(value)
        elif name:
            params[key_of(name)] = value
        elif isinstance(value, str) and re.search(r"\.(?:ya?ml|json|toml)$", value):
            files.append(value)
    return Command(program, params, tuple(files))


def _program(words: Sequence[str]) -> tuple[int, str]:
    """(where the parameters begin, the program's name)."""
    for index, word in enumerate(words):
        if _PROGRAM.search(word):
            if word == "-m" and words[index + 1 : index + 2] == [_TORCHRUN]:
                continue  # the program comes behind it
            if word == "-m" and index + 1 < len(words):
                return index + 2, words[index + 1]
            return index + 1, _plain(word)
    begin = next((i for i, word in enumerate(words) if "=" not in word), 0)
    return (begin + 1, _plain(words[begin])) if words else (0, "")


def _plain(path: str) -> str:
    return path.replace("\\", "/").removeprefix("./")


def _next(rest: list[str]) -> tuple[str, Value]:
    """Take one parameter off the words: (name, value); ("", word) for a word that is none."""
    word = rest.pop(0)
    name, equals, value = word.partition("=")
    is_option = name.startswith("-") and len(name) > 1 and not _NUMBER.match(name)
    name = name.lstrip("-+~")
    if not is_option:
        return (name, read_value(value)) if equals and _NAME.match(name) else ("", word)
    if not _NAME.match(name):
        return "", None
    if equals:
        return name, read_value(value)
    if rest and (not rest[0].startswith("-") or _NUMBER.match(rest[0])) and not _is_pair(rest[0]):
        return name, read_value(rest.pop(0))
    off = re.match(r"^no[-_](.+)$", name)
    return (off[1], False) if off else (name, True)


def _is_pair(word: str) -> bool:
    name, equals, _ = word.partition("=")
    return bool(equals and _NAME.match(name))


def read_value(text: object) -> Value:
    """A value as it is compared: numbers are numbers however they are written (YAML takes 3e-4 for text)."""
    if text is None or isinstance(text, bool | int | float):
        return text
    word = str(text).strip()[:LONGEST_VALUE]
    if _NUMBER.match(word):
        number = float(word)
        return int(word) if re.fullmatch(r"[-+]?\d{1,15}", word) else number
    return {"true": True, "false": False, "none": None, "null": None}.get(word.lower(), word.strip("'\""))


def key_of(name: str) -> str:
    """A parameter's name as it is compared: `--Learning-Rate` is learning_rate."""
    return name.lstrip("-").replace("-", "_").lower()


def flat(config: Mapping[str, Any]) -> dict[str, Value]:
    """Nested parameters by dotted names, at most 2,000 of them."""
    found: dict[str, Value] = {}
    for name, value in _walk(config, "", iter(range(MOST_VALUES))):
        found[name] = read_value(value)
    return found


def _walk(value: Any, name: str, left: Iterator[int]) -> Iterator[tuple[str, Any]]:
    """Ends without a word when `left` runs out: YAML may name a part so often that it has no end."""
    if next(left, None) is None or name.count(".") > 20:
        return
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _walk(one, f"{name}.{key_of(str(key))}".lstrip("."), left)
    elif isinstance(value, list | tuple) and len(value) <= 8:
        for index, one in enumerate(value):
            yield from _walk(one, f"{name}.{index}", left)
    elif isinstance(value, list | tuple):
        yield name, f"{len(value)} values, from {str(value[0])[:40]}"
    else:
        yield name, value
