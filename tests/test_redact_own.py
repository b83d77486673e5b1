"""The patterns of secrets that neat.yaml names: what they take out, and which are refused because they could do harm."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from neatd.errors import ConfigError
from neatd.redact import MARK, redact
from neatd.redact_own import LONGEST, MOST, compile_patterns, patterns_of, redact_value_with, redact_with, redactor
from tests.cost import at_most

GOOD = [r"acme-[a-z0-9]{8}", r"PRJ_[A-Z0-9]+", r"(?i)bluebird", r"\b10\.\d{1,3}\.\d{1,3}\.\d{1,3}\b",
        r"[a-z]{1,60}\.corp\.acme", r"[[a]x{4}",
        r"(?:foo|bar)-\d+", r"case(?:-\d{4})?/x+", r"Straße\d*", r"x{500}", r"^customer \d+"]  # fmt: skip
BAD = {
    "(a+)+b": "a group is repeated",
    "(a|aa)*$": "a group is repeated",
    "(?:ab){2,9}": "a group is repeated",
    "a*b": "* or + stands before its end",
    "(?:x+|y)z": "* or + stands before its end",
    r"(x)\1": "groupref",
    "(?=x)y": "assert",
    "(?<!x)y": "assert",
    "(?>x+)y": "atomic group",
    "[a-z]{1,60}[a-z]{1,60}x": "multiply",
    "z?" * 12 + "q": "multiply",
    "a{5000}": "5000 times",
    ".*": "plain words",
    r"\w{4}": "plain words",
    "e": "plain words",
    "": "plain words",
    "(": "unterminated",
    "x" * (LONGEST + 1): "longer than 200",
}


@pytest.mark.parametrize("pattern", GOOD)
def test_a_pattern_of_the_safe_kind_is_taken(pattern: str) -> None:
    """Literals, classes, groups, alternatives, bounded repetitions, and an unbounded one at the end."""
    assert compile_patterns([pattern])[0].pattern == pattern


@pytest.mark.parametrize(("pattern", "why"), BAD.items())
def test_a_pattern_that_could_harm_is_refused_with_the_reason(pattern: str, why: str) -> None:
    """What could run for minutes, and what takes plain words away; the hint says what is allowed."""
    with pytest.raises(ConfigError, match="secrets: the pattern") as caught:
        compile_patterns([pattern])
    assert why in caught.value.message and "elsewhere a bound" in (caught.value.hint or "")


def test_more_patterns_than_a_project_needs_are_refused() -> None:
    """Each costs a look at every text."""
    with pytest.raises(ConfigError, match="at most 50"):
        compile_patterns([f"acme-{n}" for n in range(MOST + 1)])


def test_own_patterns_come_after_the_known_secrets() -> None:
    """Both go; a pattern that a mark would fit leaves the mark whole, and twice changes nothing more."""
    patterns = compile_patterns(["internal-[0-9]{6}", "secret", "removed"])
    text = "internal-123456 at postgres://me:pa55word@db, the secret is out"
    once = redact_with(patterns, text)
    assert once == f"{MARK} at postgres://me:{MARK}@db, the {MARK} is out"
    assert redact_with(patterns, once) == once
    assert redact_with((), text) == redact(text)


def test_a_redactor_knows_the_project_it_was_made_for(tmp_path: Path) -> None:
    """Without a list of its own it is the plain one."""
    (tmp_path / "neat.yaml").write_text("id: x\n")
    assert redactor(tmp_path) is redact
    (tmp_path / "neat.yaml").write_text("id: x\nsecrets: [bluebird]\n")
    assert redactor(tmp_path)("bluebird, password: hunter22") == f"{MARK}, password: {MARK}"


def test_own_patterns_reach_into_objects() -> None:
    """Names and values, lists in lists; numbers stay numbers."""
    patterns = compile_patterns(["internal-[0-9]{6}"])
    value = {"internal-123456": ["see internal-654321", 1, None, {"password": "hunter22"}]}
    assert redact_value_with(patterns, value) == {MARK: [f"see {MARK}", 1, None, {"password": MARK}]}
    assert redact_value_with((), {"a": (1, "b")}) == {"a": [1, "b"]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('id: x\nsecrets: ["acme-[0-9]+", bluebird]\n', ["acme-[0-9]+", "bluebird"]),
        ("id: x\nsecrets:\n  - 'acme-[0-9]+'  # ours\n  - bluebird\nname: y\n", ["acme-[0-9]+", "bluebird"]),
        ("id: x\nsecrets: []\n", []),
        ("id: x\nname: y\n", []),
        ("id: x\nnotes: |\n  secrets: [a]\n", []),
    ],
)
def test_the_list_is_read_from_neat_yaml(tmp_path: Path, text: str, expected: list[str]) -> None:
    """In both notations of YAML; without one there are none, and no file is no mistake here."""
    assert patterns_of(tmp_path) == ()
    (tmp_path / "neat.yaml").write_text(text)
    assert [one.pattern for one in patterns_of(tmp_path)] == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("id: x\nsecrets: acme\n", "neat.yaml:2: secrets is a list"),
        ("id: x\nsecrets: [[a]]\n", "neat.yaml:2: secrets is a list"),
        ("id: x\nsecrets: [a\n", "not YAML"),
        ("id: x\nsecrets: ['(a+)+b']\n", "a group is repeated"),
        ("id: x\nsecrets: [a]\nname: " + "y" * 70_000, "larger than"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused(tmp_path: Path, text: str, why: str) -> None:
    """Rather than to let through what it meant to keep in."""
    (tmp_path / "neat.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"secrets|neat\.yaml") as caught:
        patterns_of(tmp_path)
    assert why in caught.value.message


def test_a_file_that_unfolds_without_end_is_read_at_once(tmp_path: Path) -> None:
    """Merged aliases of aliases stand for gigabytes; only the list is looked at."""
    bomb = "a0: &a0 {k: v}\n" + "".join(
        f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 30)
    )
    (tmp_path / "neat.yaml").write_text(bomb + "secrets: [bluebird]\n")
    with at_most(2.0):
        assert len(patterns_of(tmp_path)) == 1


@pytest.mark.parametrize("pattern", ["[a-z]{1,60}\\.corp", "a{1,30}a{1,30}q", "(?:a?b?)a{0,99}q", "a{1,999}q"])
def test_the_slowest_pattern_of_the_safe_kind_is_fast_enough(pattern: str) -> None:
    """On the text it likes least, of the size of a long document."""
    patterns = compile_patterns([pattern])
    with at_most(3.0):
        redact_with(patterns, "a" * 100_000)


def test_yaml_is_loaded_only_for_a_list(tmp_path: Path) -> None:
    """A project without one pays a small read."""
    program = "import sys; from pathlib import Path; from neatd.redact_own import patterns_of; patterns_of(Path(sys.argv[1]))\n"
    program += "sys.exit('yaml' in sys.modules or 'pydantic' in sys.modules)"
    (tmp_path / "neat.yaml").write_text("id: x\n")
    assert subprocess.run([sys.executable, "-c", program, str(tmp_path)], timeout=60).returncode == 0
    (tmp_path / "neat.yaml").write_text("id: x\nsecrets: [bluebird]\n")
    assert subprocess.run([sys.executable, "-c", program, str(tmp_path)], timeout=60).returncode == 1
