"""Which commands call neat and nothing else: so neat knows its own entries in others' settings again. Pure.

A script of somebody's that calls neat among other things is theirs, and so is whatever a shell would have to take apart.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Any

_PROGRAMS = ("neat", "neat.exe")
_MODULE = "neatd.cli.main"  # after `python -m`
_PYTHON = re.compile(r"python[\d.]*(\.exe)?")
_LAUNCHERS = {
    "uv": "run", "uvx": "", "pipx": "run", "pipenv": "run", "poetry": "run", "pdm": "run", "rye": "run", "pixi": "run",
    "hatch": "run", "conda": "run", "mamba": "run", "micromamba": "run", "env": "",
}  # fmt: skip  # what starts another program as it is -> its own word for that
_SHELL = re.compile(r"[;&|<>$`()\n\r]")
_FILE_NAME = re.compile(r"[^/\\]*\Z")
_MOST_WORDS = 16  # the way past a launcher's options is tried with and without a value for each


def calls_neat(words: Sequence[str]) -> bool:
    """Whether these words, with neat's own after them, call neat: by whatever path, behind a known launcher."""
    if not words or len(words) > _MOST_WORDS:
        return False
    name, rest = _name(words[0]), words[1:]
    if not rest:
        return name in _PROGRAMS or words[0] == _MODULE
    if _PYTHON.fullmatch(name):
        *options, last = rest
        is_known = last == _MODULE if options[-1:] == ["-m"] else _name(last) in _PROGRAMS
        return is_known and all(one.startswith("-") for one in options)
    return name in _LAUNCHERS and _is_behind(rest, _LAUNCHERS[name])


def _is_behind(words: Sequence[str], own: str) -> bool:
    """Whether what comes after a launcher is its own word, if it has one, options and variables, then a call of neat."""
    if own and words and words[0] == own:
        return _is_behind(words[1:], "")
    if not own and calls_neat(words):
        return True
    first = words[0] if words else ""
    if first.startswith("-") and "=" not in first and _is_behind(words[2:], own):  # an option with its value
        return True
    return (first.startswith("-") or "=" in first) and _is_behind(words[1:], own)


def words_of(entry: Any) -> tuple[str, ...]:
    """The words that a hook or a server is called by, given as command and args or as one string; none where a shell
    would make more of it than words."""
    if not isinstance(entry, dict) or not isinstance(entry.get("command"), str):
        return ()
    command, arguments = entry["command"], entry.get("args")
    if arguments is None:
        return _split(command)
    if not isinstance(arguments, list) or not all(isinstance(one, str) for one in arguments):
        return ()
    return (command, *arguments)


def _split(command: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(command))
    except ValueError:  # a quote without its other
        return ()
    is_plain = not _SHELL.search(command) or shlex.join(words) == command  # signs of the shell's, unless we quoted them
    return words if is_plain else ()


def _name(word: str) -> str:
    found = _FILE_NAME.search(word)
    return found[0] if found else ""
