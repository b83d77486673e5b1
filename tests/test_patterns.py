"""A user's own patterns of log lines: how they are written, what is refused, and that they come before neat's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from neatd.read.formats.patterns import Pattern, chosen
from neatd.read.formats.saferegex import LONGEST, compiled
from neatd.read.formats.textlog import feeder
from neatd.read.patterns import load_patterns
from tests.cost import at_most

GOOD = [
    r"step (?P<step>\d+): loss (?P<loss>[-+.\deE]+)",
    r"^\[(?P<step>\d+)\]\s+energy=(?P<energy>\S+)",
    r"(?P<step>\d+),(?P<a>[^,]+),(?P<b>[^,]+)$",
    r"gen (?P<step>\d+), .*best (?P<best>[\d.]+)",
    r"gen (?P<step>\d+)\b[ ,]*(?:fit|fitness)[:=]\s*(?P<fitness>[\d.]+)(?: ±\s?(?P<spread>[\d.]+))?",
    r"it (?P<step>\d+)\D{0,40}E = (?P<e>[-\d.]+), F = (?P<f>[-\d.]+)",
]
BAD = {
    r"((?P<x>a+)+)b": "a group is repeated",
    r"(?P<x>(?:a|aa)*)$": "a group is repeated",
    r".*a.*(?P<x>b).*c": "multiply",
    r"\w*\d*\w*(?P<x>x)y": "multiply",
    r"(?P<x>a)(?=b)": "assert",
    r"(?P<x>a)(?P=x)": "groupref",
    r"(?P<x>a": "not a regular expression",
    "(?P<x>" + "a" * LONGEST + ")": f"longer than {LONGEST}",
}


def pattern(regex: str, **more: Any) -> Pattern:
    return Pattern(name="mine", regex=regex, **more)


def rows(given: Pattern, *lines: str) -> list[tuple[int, dict[str, float], bool]]:
    fed = feeder((given,))("".join(f"{line}\n" for line in lines).encode(), {}, 0, "")
    return [(one.step, one.values, one.is_counted) for one in fed.rows]


@pytest.mark.parametrize("regex", GOOD)
def test_a_pattern_as_people_write_it_is_taken(regex: str) -> None:
    """Endless repetitions are allowed where what follows ends them, and one that nothing ends."""
    assert pattern(regex).regex == regex


@pytest.mark.parametrize(("regex", "why"), BAD.items())
def test_a_pattern_that_could_run_long_is_refused_with_the_reason(regex: str, why: str) -> None:
    """It comes with a repository, which may be anybody's."""
    with pytest.raises(ValidationError, match=why):
        pattern(regex)


@pytest.mark.parametrize("regex", [GOOD[3], r"(?P<x>a).*bc", r".{0,40}(?P<x>a).{0,40}bc"])
def test_the_worst_line_for_an_allowed_pattern_takes_under_a_second(regex: str) -> None:
    """The line is the longest that a pattern sees, made of what the pattern wants."""
    found = compiled(regex)
    with at_most(1):
        for line in ("ab" * 500, "gen 1, best " * 83, "a" * 1000, "1" * 1000):
            found.search(line)


def test_named_groups_are_the_series() -> None:
    """Every group but the step's, numbers in all their spellings; a group that took no number is none."""
    mine = pattern(r"gen (?P<step>[\d,]+) fit (?P<fitness>\S+) div (?P<diversity>\S+)")
    assert rows(mine, "gen 1,200 fit 0.5 div 90%", "gen 3 fit inf div -") == [
        (1200, {"fitness": 0.5, "diversity": 90.0}, False),
        (3, {"fitness": float("inf")}, False),
    ]


def test_values_time_and_step_name_their_groups() -> None:
    """A series may have another name than its group; seconds are the row's time."""
    mine = pattern(r"(?P<t>[\d.]+) n=(?P<n>\d+) e=(?P<e>\S+)", step="n", time="t", values={"val/energy": "e"})
    fed = feeder((mine,))(b"1700000000.5 n=7 e=-1.5\n", {}, 0, "node0/")
    assert [tuple(row) for row in fed.rows] == [(1, 7, 1700000000.5, {"node0/val/energy": -1.5}, False)]


def test_without_a_step_lines_are_counted() -> None:
    """As in other formats: the ordinal of the row."""
    assert rows(pattern(r"energy (?P<energy>\S+)"), "energy 1.5", "energy 1.25") == [
        (1, {"energy": 1.5}, True),
        (2, {"energy": 1.25}, True),
    ]


def test_a_users_pattern_comes_before_the_built_in_ones() -> None:
    """`step 3 loss 0.5` is known to neat too, under other names."""
    assert rows(pattern(r"step (?P<step>\d+) loss (?P<mine>\S+)"), "step 3 loss 0.5", "step 4, loss 0.25") == [
        (3, {"mine": 0.5}, False),
        (4, {"loss": 0.25}, False),
    ]


def test_a_pattern_is_for_the_files_it_names() -> None:
    """A glob of the name, or of the path in the project."""
    one, two = pattern(r"a(?P<x>\d)", files=("sim_*.log",)), pattern(r"b(?P<x>\d)", files=("runs/*/out.txt",))
    assert chosen((one, two), "runs/a/sim_1.log") == (one,)
    assert chosen((one, two), "runs/a/out.txt") == (two,)
    assert chosen((one, two), "out.txt") == ()


@pytest.mark.parametrize(
    ("more", "why"),
    [({"step": "n"}, "no group named n"), ({"values": {"loss": "l"}}, "no group named l"), ({"time": "t"}, "named t")],
)
def test_a_group_that_is_not_there_is_named(more: dict[str, Any], why: str) -> None:
    """Else no line would ever match it."""
    with pytest.raises(ValidationError, match=why):
        pattern(r"(?P<x>\d)", **more)


def test_a_pattern_without_a_number_is_refused() -> None:
    """A step alone is no row."""
    with pytest.raises(ValidationError, match="no named group for a number"):
        pattern(r"step (?P<step>\d+)")


def test_the_projects_patterns_come_first_and_a_bad_file_hides_no_good_one(tmp_path: Path) -> None:
    """The mistake names file, line and field."""
    project, home = tmp_path / "project" / ".neat" / "patterns", tmp_path / "home" / "patterns"
    for folder in (project, home):
        folder.mkdir(parents=True)
    (home / "a.yaml").write_text("patterns:\n- name: theirs\n  regex: 'b (?P<x>\\d+)'\n")
    (project / "b.yaml").write_text("patterns:\n- name: ours\n  files: ['*.out']\n  regex: 'a (?P<x>\\d+)'\n")
    (project / "c.yml").write_text("patterns:\n- name: bad\n  regex: '(?P<x>(a+)+)b'\n  stepp: n\n")
    found, mistakes = load_patterns(tmp_path / "project", tmp_path / "home")
    assert [one.name for one in found] == ["ours", "theirs"]
    assert "c.yml:3" in mistakes[0].message and "a group is repeated" in mistakes[0].message
    assert "c.yml:4" in mistakes[0].message and "stepp" in mistakes[0].message


def test_a_link_out_of_the_project_is_not_followed(tmp_path: Path) -> None:
    """A repository could point anywhere."""
    project = tmp_path / "project" / ".neat" / "patterns"
    project.mkdir(parents=True)
    (tmp_path / "a.yaml").write_text("patterns:\n- name: theirs\n  regex: 'b (?P<x>\\d+)'\n")
    (project / "a.yaml").symlink_to(tmp_path / "a.yaml")
    found, mistakes = load_patterns(tmp_path / "project", tmp_path / "home")
    assert found == () and "leads out of the project" in mistakes[0].message


def test_no_folder_of_patterns_is_no_mistake(tmp_path: Path) -> None:
    """Most projects have none."""
    assert load_patterns(tmp_path, tmp_path / "home") == ((), ())
