"""Which commands call neat and nothing else."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neatd.assist.calling import calls_neat, words_of
from neatd.assist.entries import is_our_hook

OURS = [
    "neat", "neat.exe", "/opt/my (tools)/neat", "R&D/neat", "uv run neat", "uv --directory /a run --quiet neat",
    "uvx --from x neat", "conda run -n train neat", "conda run --no-capture-output -n train neat", "env A=b neat",
    "uv run -- neat", "python -m neatd.cli.main", "/v/bin/python3.12 -I -m neatd.cli.main", "python3 /v/bin/neat",
    "uv run python -m neatd.cli.main", "pipx run neat",
]  # fmt: skip
THEIRS = [
    "", "neatly", "neatd", "neat-dev", "/neat/x", "./mine.sh neat", "sh neat", "uv neat", "conda neat",
    "uv run mine.py neat", "env A=b mine.sh neat", "python mine.py neat", "python -m neat.other", "neat neat", "uv run",
    "python", "uv " + "-a " * 5000 + "run neat",
]  # fmt: skip


def words(call: str) -> list[str]:
    return [call] if call in ("/opt/my (tools)/neat", "R&D/neat") else call.split()


@pytest.mark.parametrize("call", OURS)
def test_a_call_of_neat_is_known_in_every_form(call: str) -> None:
    """As words, and as the string that they are written as."""
    assert calls_neat(words(call))
    assert is_our_hook({"command": words(call)[0], "args": [*words(call)[1:], "hook", "stop"]})
    assert is_our_hook({"command": shlex.join([*words(call), "hook", "stop"])})


@pytest.mark.parametrize("call", THEIRS, ids=lambda call: call[:20])
def test_what_calls_neat_among_other_things_is_somebodys(call: str) -> None:
    """Programs of other names, scripts that are given neat as a word, options without end."""
    assert not calls_neat(words(call))


@given(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=4))
def test_words_that_were_quoted_come_back(call: list[str]) -> None:
    """Whatever a path holds: what neat writes as one string it reads as the same words."""
    assert words_of({"command": shlex.join(call)}) == tuple(call)


@given(
    st.sampled_from(";&|<>$`()\n\r"), st.sampled_from(["{} neat hook stop", "x{}neat hook stop", "neat hook stop {}"])
)
def test_what_a_shell_would_take_apart_is_no_words(sign: str, command: str) -> None:
    """Not one sign of the shell's outside of quotes."""
    assert words_of({"command": command.format(sign)}) == ()
