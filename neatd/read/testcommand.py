"""Whether a shell command runs tests, and which of its commands does. Pure: it reads the text and runs nothing.

A test run may stand behind `cd x &&`, `VAR=1`, `uv run`, `timeout 60` and the like, or before a pipe; what only
mentions one (`grep pytest`, `pip install tox`) is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

# What no test command is without: looked for in the raw text first, where nothing else is loaded yet.
HINT = re.compile(
    rb"py\.?test|unittest|nose2|\b(?:g?make|just|meson)\b|\b(?:tox|nox)\b|cargo|\bgo test|gotestsum|ctest|\bjest\b|vitest"
    rb"|mocha|\b(?:npm|pnpm|yarn|bun|node)\b|manage\.py"
)
LONGEST = 20_000  # characters of a command that are looked at
_DEEPEST = 3  # bash -c inside of bash -c


class TestCommand(NamedTuple):
    """The command among those of a line that runs tests."""

    words: tuple[str, ...]
    folder: str  # where `cd` led before it, relative to where the line began; "" for there
    is_alone: bool  # the line's exit code is its own: no pipe, no `;` and no `||` after it


def find_test(line: str) -> TestCommand | None:
    """The first test run of a shell line; None when there is none, or when neat itself runs and records it."""
    return _find(line[:LONGEST], 0)


def find_in_words(words: Sequence[str]) -> TestCommand | None:
    """The same for a command that comes as a list of arguments."""
    return _in_segment(list(words), "", True, 0)


def junit_in(words: Sequence[str]) -> str | None:
    """The JUnit file that a pytest command names; None when it names none."""
    for option in ("--junitxml", "--junit-xml"):
        for index, word in enumerate(words):
            if word.startswith(f"{option}="):
                return word.partition("=")[2] or None
            if word == option and index + 1 < len(words):
                return words[index + 1]
    return None


def _find(line: str, depth: int) -> TestCommand | None:
    folder = ""
    for words, after in _segments(line):
        if words[:1] == ["cd"] and len(words) == 2 and not re.search(r"[$`*]", words[1]):
            folder = f"{folder}/{words[1]}" if folder and not words[1].startswith(("/", "~")) else words[1]
        found = _in_segment(words, folder, after in ("", "&&"), depth)
        if found is not None:
            return found if found.words else None
    return None


def _in_segment(words: list[str], folder: str, is_alone: bool, depth: int) -> TestCommand | None:
    """The test run of one command; one without words when it is `neat test`, which records itself."""
    words = _unwrapped(words)
    if not words:
        return None
    name = re.split(r"[/\\]", words[0])[-1].removesuffix(".exe")
    if name in ("neat", "neatd"):
        return TestCommand((), folder, is_alone) if words[1:2] == ["test"] else None
    if name in ("bash", "sh", "zsh", "dash") and depth < _DEEPEST:
        script = next((words[n + 1] for n in range(1, len(words) - 1) if re.fullmatch(r"-\w*c", words[n])), None)
        inner = _find(script, depth + 1) if script else None
        return inner and inner._replace(folder=inner.folder or folder, is_alone=inner.is_alone and is_alone)
    return TestCommand(tuple(words), folder, is_alone) if _is_test([name, *words[1:]]) else None


def _segments(line: str) -> Iterator[tuple[list[str], str]]:
    """Each simple command's words, and the operator after it. What follows a quote that never closes is left out."""
    import shlex  # the hook of every other command does without

    lexer = shlex.shlex(_without_heredocs(line.replace("\\\n", " ")), posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    words: list[str] = []
    is_comment = is_target = False
    try:
        for token in lexer:
            if set(token) <= set("();|&\n"):
                yield words, token.strip("\n() ") or ("" if not token.strip("()") else ";")
                words, is_comment, is_target = [], False, False
            elif set(token) <= set("<>&"):
                is_target = True  # the next word is a file; a number before it is a stream
                words = words[:-1] if words and words[-1].isdigit() else words
            elif is_target:
                is_target = False
            else:
                is_comment = is_comment or token.startswith("#")
                words += [] if is_comment else [token]
    except ValueError:
        return
    yield words, ""


_HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1")


def _without_heredocs(line: str) -> str:
    """The line without the texts that `<<EOF` hands to a command."""
    kept: list[str] = []
    ends: list[str] = []
    for one in line.split("\n"):
        if ends:
            if one.strip() == ends[0]:
                del ends[0]
            continue
        kept.append(_HEREDOC.sub("", one))
        ends += [found[2] for found in _HEREDOC.finditer(one)]
    return "\n".join(kept)


_WORDS = frozenset(
    {"!", "{", "}", "then", "do", "else", "if", "while", "exec", "command", "sudo", "nohup", "time", "env"}
)
# A wrapper, and how many plain words of its own stand before the command.
_WRAPPERS = {"timeout": 1, "nice": 0, "stdbuf": 0, "xvfb-run": 0, "npx": 0, "bunx": 0, "ionice": 0, "gtimeout": 1,
             "srun": 0}  # fmt: skip
_RUNNERS = {
    ("uv", "run"), ("poetry", "run"), ("pdm", "run"), ("hatch", "run"), ("pipenv", "run"), ("rye", "run"),
    ("pixi", "run"), ("conda", "run"), ("mamba", "run"), ("micromamba", "run"), ("coverage", "run"), ("pnpm", "exec"),
    ("yarn", "exec"), ("npm", "exec"), ("yarn", "dlx"), ("pnpm", "dlx"),
}  # fmt: skip
_TAKES_VALUE = re.compile(
    r"-(?:n|p|k|s|u|i|o|e|g|c)|--(?:name|prefix|with|extra|group|python|directory|project|env-file|only-group|package"
    r"|with-requirements|source|omit|include|rcfile|signal|kill-after|adjustment)"
)


def _unwrapped(words: list[str]) -> list[str]:
    """The command without what only prepares it: assignments, `sudo`, `uv run`, `timeout 60`, `coverage run`."""
    for _ in range(20):
        if not words:
            return words
        name = words[0].rpartition("/")[2]
        if re.fullmatch(r"[A-Za-z_]\w*=.*", words[0], re.S):
            words = words[1:]
        elif name in _WORDS:
            words = _past_options(words[1:])
        elif name in _WRAPPERS:
            words = _past_options(words[1:])[_WRAPPERS[name] :]
        elif len(words) > 2 and (name, words[1]) in _RUNNERS:
            words = _past_options(words[2:])
            if name == "coverage" and words[:1] != [] and words[0].endswith(".py"):
                words = ["python", *words]
        elif re.fullmatch(r"python[\d.]*", name) and words[1:4] == ["-m", "coverage", "run"]:
            words = ["coverage", *words[3:]]
        else:
            return words
    return words


def _past_options(words: list[str]) -> list[str]:
    """What follows a wrapper's own options. `-m NAME` is left: it is python's, or coverage's for the same."""
    while words and words[0].startswith("-"):
        if words[0] == "-m":
            return ["python", *words]
        takes_value = _TAKES_VALUE.fullmatch(words[0]) is not None and len(words) > 1
        words = words[2:] if takes_value else words[1:]
    return words


_ALONE = frozenset({"pytest", "py.test", "tox", "nox", "ctest", "jest", "vitest", "mocha", "nose2", "gotestsum"})
_MODULES = frozenset({"pytest", "py.test", "unittest", "tox", "nox", "nose2"})
_ASKS_ONLY = re.compile(
    r"--(?:version|help|collect-only|co|fixtures|markers|list|listtests|showconfig|no-run|setup-plan|dry-run|show-only"
    r"|setup-only|cache-show|notest|list-sessions|listTests)(?:=.*)?|-h"
)
_ASKS_SHORT = {"ctest": "-N", "pytest": "-V", "tox": "-l", "nox": "-l"}  # -V makes ctest talk, -l pytest
_TARGET = re.compile(r"(?:unit-?)?tests?(?:[-_:./]\S*)?|(?:py|unit)test\S*|check")


def _is_test(words: list[str]) -> bool:
    """Whether a bare command runs tests; asking a runner for its version or its list does not."""
    name, rest = words[0], words[1:]
    asks = any(_ASKS_ONLY.fullmatch(word) for word in rest[:20]) or _ASKS_SHORT.get(name) in rest[:20]
    if asks and name not in ("make", "gmake"):
        return False
    plain = [word for word in rest if not word.startswith(("-", "+"))]
    first = plain[0] if plain else ""
    if name in _ALONE:
        return True
    if re.fullmatch(r"(?:python|pypy)[\d.]*|py", name):
        module = next((rest[n + 1] for n in range(len(rest) - 1) if rest[n] == "-m"), "")
        is_django = first.endswith("manage.py") and plain[1:2] == ["test"]
        return module in _MODULES or is_django or (first.endswith("setup.py") and "test" in plain)
    if name in ("make", "gmake", "just"):
        is_dry = any(word in ("-n", "--dry-run", "--just-print", "-q") for word in rest)
        return not is_dry and any(_TARGET.fullmatch(word) for word in plain)
    if name == "cargo":
        return first in ("test", "t") or plain[:2] in (["nextest", "run"], ["nextest", "r"])
    if name in ("go", "meson", "deno"):
        return first == "test"
    if name in ("npm", "pnpm", "yarn", "bun"):
        is_script = first in ("run", "run-script") and any(_TARGET.fullmatch(word) for word in plain[1:2])
        return first in ("test", "t", "tst", "jest", "vitest") or is_script
    if name == "manage.py":
        return first == "test"
    return name == "node" and "--test" in rest
