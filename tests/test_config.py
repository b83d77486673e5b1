"""neat.yaml and the settings: read whole, or every mistake named with its line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from neatd.config import ProjectConfig, Settings, load_project, load_settings, load_yaml
from neatd.errors import ConfigError

FULL = """\
id: 0B1F7C52-9A1E-4A3C-8A57-3F6C2D0E9B11
name: demo
phase: ablation
primary: {metric: val/dice, goal: max}
watch:
  ignore: [scratch, "old/*"]
  include: [data]
  depth: 4
  max_folders: 100
retention: {newest: 5, half: 4, every_steps: 500}
brief: {budget_bytes: 3000}
"""


def project(root: Path, text: str | bytes) -> ProjectConfig:
    (root / "neat.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_project(root)


def mistakes(root: Path, text: str | bytes) -> list[str]:
    """The lines of the error, without the path in front."""
    with pytest.raises(ConfigError) as caught:
        project(root, text)
    lines = caught.value.message.splitlines()
    assert all(line.startswith(f"{root / 'neat.yaml'}:") for line in lines) and caught.value.hint
    return [line.removeprefix(f"{root / 'neat.yaml'}:").strip() for line in lines]


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    """Every section; the id in small letters, as the store has it."""
    found = project(tmp_path, FULL)
    assert found.id == "0b1f7c52-9a1e-4a3c-8a57-3f6c2d0e9b11" and found.primary is not None
    assert (found.name, found.phase, found.primary.metric, found.primary.goal) == (
        "demo",
        "ablation",
        "val/dice",
        "max",
    )
    assert (found.watch.ignore, found.watch.include, found.watch.depth) == (("scratch", "old/*"), ("data",), 4)
    assert (found.retention.newest, found.retention.every_steps, found.brief.budget_bytes) == (5, 500, 3000)


def test_only_the_id_must_be_there(tmp_path: Path) -> None:
    """The rest has defaults; a byte order mark and Windows line ends change nothing."""
    assert project(tmp_path, "id: a") == ProjectConfig(id="a") == project(tmp_path, "\ufeff# mine\r\nid: A\r\n")


def test_all_mistakes_are_named_at_once_with_line_field_and_value(tmp_path: Path) -> None:
    """A misspelt field, a wrong type deep below, a number out of range, a missing field."""
    text = "name: demo\nwatch:\n  depth: 99\n  ignroe: [a]\n\nprimary:\n  metric: loss\n  goal: low\n"
    found = sorted(mistakes(tmp_path, text))
    assert [line.split(": ")[0:2] for line in found] == [
        ["1", "id"], ["3", "watch.depth"], ["4", "watch.ignroe"], ["8", "primary.goal"],
    ]  # fmt: skip
    assert "(value: 99)" in found[1] and "unknown field (did you mean ignore?)" in found[2]
    assert "must be one of: min, max (value: 'low')" in found[3] and "is missing" in found[0]


def test_a_mistake_in_a_list_is_named_by_its_own_line(tmp_path: Path) -> None:
    """The item, not the list."""
    assert mistakes(tmp_path, "id: a\nwatch:\n  ignore:\n    - good\n    - {bad: 1}\n")[0].startswith(
        "5: watch.ignore[1]: "
    )


@pytest.mark.parametrize("field", ["command", "rules", "run", "allow", "jobs", "trash"])
def test_nothing_in_a_repositorys_file_runs_or_allows_anything(tmp_path: Path, field: str) -> None:
    """There are no such fields: they are mistakes."""
    assert f"2: {field}:" in mistakes(tmp_path, f"id: a\n{field}: [rm, -rf, /]\n")[0]


@pytest.mark.parametrize(
    "text",
    ["id: [", "id: a\n\tname: b", "id: a: b", "day: 2024-13-45\nid: a", "id: !!bool maybe", "id: !!int ''",
     "id: !!timestamp soon", "id: " + "[" * 1200, "id: a\n---\nid: b", "id: *nobody", "\0", b"\xff\xfe\x00a",
     "id: !!python/object/apply:os.system ['true']"],
)  # fmt: skip
def test_what_is_no_yaml_is_named_and_nothing_is_run(tmp_path: Path, text: str | bytes) -> None:
    """Whatever PyYAML stumbles over is a mistake of the file, never a crash."""
    assert mistakes(tmp_path, text)


def test_a_mistake_of_syntax_has_its_line(tmp_path: Path) -> None:
    """Where the parser stood."""
    assert mistakes(tmp_path, "id: a\nname: demo\nwatch: [a\nbrief: {}\n")[0].startswith("4: not YAML: ")


@pytest.mark.parametrize("text", ["", "# only a comment\n", "[1, 2]", "just words"])
def test_what_holds_no_fields_says_which_there_are(tmp_path: Path, text: str) -> None:
    """The hint lists them."""
    (tmp_path / "neat.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_project(tmp_path)
    assert "retention" in caught.value.hint


def test_a_missing_or_unreadable_file_is_said(tmp_path: Path) -> None:
    """By its path; a folder in its place is no file."""
    with pytest.raises(ConfigError, match="cannot be read"):
        load_project(tmp_path)
    (tmp_path / "neat.yaml").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        load_project(tmp_path)


def test_settings_are_the_defaults_without_a_file(tmp_path: Path) -> None:
    """And one file may change some of them."""
    assert load_settings(tmp_path) == Settings()
    (tmp_path / "settings.yaml").write_text("sweep_s: 0.5\n")
    assert load_settings(tmp_path) == Settings(sweep_s=0.5)


@pytest.mark.parametrize(
    "line",
    ["sweep_s: 0", "checkpoint_rest_s: 6", "snapshot_gib: -1", "read_bytes: 10", "backups_kept: 0", "sweeps: 1",
     "stall_s: .nan"],
)  # fmt: skip
def test_a_setting_out_of_its_range_is_refused(tmp_path: Path, line: str) -> None:
    """A daemon that never sweeps, or keeps no backup, is no choice."""
    (tmp_path / "settings.yaml").write_text(line + os.linesep)
    with pytest.raises(ConfigError, match=line.split(":")[0]):
        load_yaml(tmp_path / "settings.yaml", Settings)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("plann: PLAN.md", "plann: unknown field (did you mean plan?)"),
        ("brief: {budget_bytes: 100}", "brief.budget_bytes: must be a whole number of at least 500 (value: 100)"),
        ("brief: {budget_bytes: many}", "brief.budget_bytes: must be a whole number of at least 500 (value: 'many')"),
        ("watch: {depth: 99}", "watch.depth: must be a whole number of at least 1 and up to 32 (value: 99)"),
        ("primary: {metric: loss, goal: low}", "primary.goal: must be one of: min, max (value: 'low')"),
        ("notes: NOTES.md", "notes: must be a list (value: 'NOTES.md')"),
        ("notes: [7]", "notes[0]: must be text (value: 7)"),
        ("watch: deep", "watch: must be a mapping with the fields ignore, include, depth, max_folders (value: 'deep')"),
        ("documents: {handoff: [a]}", "documents.handoff: must be text (value: ['a'])"),
        ("documents: here.md", "documents: must be a mapping, `name: value` (value: 'here.md')"),
        ("primary: {goal: min}", "primary.metric: is missing"),
    ],
)
def test_a_mistake_is_said_in_plain_words(tmp_path: Path, line: str, words: str) -> None:
    """What the field takes, and none of the validator's own words."""
    assert mistakes(tmp_path, f"id: a\n{line}\n") == [f"2: {words}"]


def test_a_refused_pattern_is_said_without_the_validators_words(tmp_path: Path) -> None:
    """Its own reason begins the line."""
    (found,) = mistakes(tmp_path, 'id: a\nsecrets: ["(a+)+"]\n')
    assert found.startswith("2: secrets: the pattern '(a+)+' is refused: ")


def test_known_fields_are_named_where_a_field_is_unknown(tmp_path: Path) -> None:
    """Those of its own section; for a wrong value they are no help."""
    for text, words in (
        ("id: a\nwatch: {ignroe: []}\n", "known fields of watch: ignore, include, depth, max_folders"),
        ("id: a\nwatch: {depth: 0}\n", "mend the values named"),
    ):
        (tmp_path / "neat.yaml").write_text(text)
        with pytest.raises(ConfigError) as caught:
            load_project(tmp_path)
        assert caught.value.hint == words


def test_a_key_that_stands_twice_is_named_with_both_lines(tmp_path: Path) -> None:
    """Which of the two was meant is not guessed; the same in the settings."""
    assert mistakes(tmp_path, "id: a\nwatch:\n  depth: 2\n  depth: 3\nid: b\n") == [
        "4: watch.depth: is already set in line 3", "5: id: is already set in line 1",
    ]  # fmt: skip
    (tmp_path / "settings.yaml").write_text("stall_s: 5\nstall_s: 6\n")
    with pytest.raises(ConfigError, match=r"settings\.yaml:2: stall_s: is already set in line 1"):
        load_settings(tmp_path)
