"""Loading rules: each kind of mistake is named with file, line, field and value, and hides nothing else."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from neatd.errors import ConfigError
from neatd.rules.load import LARGEST_FILE, load_rule, load_rules

GOOD = """\
rule: spike
description: A loss far above its own recent history.
metrics: ["loss", "*/loss"]
exclude: ["val/*"]
when:
  condition: spike
  k: 6
severity: critical
then: [snapshot]
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def mistakes(path: Path) -> list[str]:
    """The lines of the error, without the folder."""
    with pytest.raises(ConfigError) as caught:
        load_rule(path)
    assert caught.value.hint
    return [line.removeprefix(f"{path.parent}/") for line in caught.value.message.splitlines()]


def test_a_good_file_is_a_rule(tmp_path: Path):
    """Fields are taken over, defaults filled in, and an event is always a consequence."""
    one = load_rule(write(tmp_path, "spike.yaml", GOOD))
    assert (one.rule, one.metrics, one.exclude, one.severity) == ("spike", ("loss", "*/loss"), ("val/*",), "critical")
    assert one.when.model_dump() == {
        "condition": "spike", "estimator": "robust", "k": 6.0, "window": 100, "min_points": 30, "min_rise": 0.1,
        "cooldown_points": 25, "direction": "up", "log_k": 0.0, "record": 0.0, "flagged": 1, "of": 1,
    }  # fmt: skip
    assert (one.then, one.wants_snapshot, one.enabled) == (("event", "snapshot"), True, True)


def test_zscore_has_the_defaults_people_mean(tmp_path: Path):
    """Three deviations and no guard; what the file sets wins."""
    text = GOOD.replace("  k: 6\n", "  estimator: zscore\n")
    when = load_rule(write(tmp_path, "a.yaml", text)).when.model_dump()
    assert (when["k"], when["min_rise"]) == (3.0, 0.0)
    text = GOOD.replace("  k: 6\n", "  estimator: zscore\n  k: 4\n  min_rise: 0.5\n")
    when = load_rule(write(tmp_path, "b.yaml", text)).when.model_dump()
    assert (when["k"], when["min_rise"]) == (4.0, 0.5)


def test_numbers_may_be_written_with_an_exponent(tmp_path: Path):
    """YAML 1.1 takes 1e-3 for text; here it is the number everybody means."""
    text = GOOD.replace("k: 6", "k: 1.5e1\n  min_rise: 1e-3")
    when = load_rule(write(tmp_path, "a.yaml", text)).when.model_dump()
    assert (when["k"], when["min_rise"]) == (15.0, 0.001)


ONE_MISTAKE = {
    "not a number": ("k: 6", "k: six", "7: when.k: 'six' is not a number"),
    "a number in quotes": ("k: 6", "k: '6'", "7: when.k: '6' is not a number"),
    "true for a number": ("k: 6", "k: true", "7: when.k: True is not a number"),
    "not finite": ("k: 6", "k: .inf", "7: when.k: inf is not a finite number"),
    "out of range": ("k: 6", "k: -1", "7: when.k: -1 should be greater than 0"),
    "not whole": ("k: 6", "window: 6.5", "7: when.window: 6.5 is not a whole number"),
    "too large": ("k: 6", "window: 20000", "7: when.window: 20000 should be less than or equal to 10000"),
    "number too long": ("k: 6", "k: 0x" + "f" * 9000, "7: when.k: cannot be read: the number is too long"),
    "unknown key": ("k: 6", "windw: 6", "7: when.windw: is no known key; did you mean 'window'?"),
    "unknown key above": ("exclude", "excludes", "4: excludes: is no known key; did you mean 'exclude'?"),
    "unknown choice": (
        "severity: critical",
        "severity: warn",
        "8: severity: 'warn' is not one of info, warning, critical; did you mean 'warning'?",
    ),
    "unknown condition": (
        "condition: spike",
        "condition: spikes",
        "6: when.condition: 'spikes' is not one of non_finite, spike, best, drop, diverging, shift, jump, above, below,"
        " exact_zero, stalled, plateau, growth, gap, relation, vanished, expression, predictions; did you mean 'spike'?",
    ),
    "no condition": ("  condition: spike\n", "", "5: when.condition: is missing"),
    "no name": ("rule: spike\n", "", "1: rule: is missing"),
    "bad name": ("rule: spike", "rule: My Spike", "1: rule: 'My Spike' may hold only a to z, 0 to 9 and -"),
    "no patterns": ('["loss", "*/loss"]', "[]", "3: metrics: needs at least one pattern"),
    "a pattern that is no text": ('["loss", "*/loss"]', "\n- loss\n- 3", "5: metrics[1]: 3 is not text"),
    "text for a list": ('["loss", "*/loss"]', "loss", "3: metrics: 'loss' is not a list"),
    "a list for a mapping": (
        "when:\n  condition: spike\n  k: 6",
        "when: [spike]",
        "5: when: ['spike'] is not a mapping of keys to values",
    ),
    "unknown consequence": (
        "[snapshot]",
        "[snapshots]",
        "9: then[0]: 'snapshots' is not one of event, snapshot, alert, bug, pause_queue, stop; did you mean 'snapshot'?",
    ),
    "never judges": ("k: 6", "window: 20", "5: when: min_points 30 is more than the window of 20 ever holds"),
    "a key set twice": ("k: 6", "k: 6\n  k: 7", "8: when.k: is already set in line 7"),
    "a key that is a number": (
        "k: 6",
        "7: 6",
        "7: when.7: is no known key; known here: condition, estimator, k, window, min_points, min_rise, cooldown_points,"
        " direction, log_k, record, flagged, of",
    ),
    "an unreadable value": (
        "k: 6",
        "k: !!int six",
        "7: when.k: cannot be read: invalid literal for int() with base 10: 'six'",
    ),
    "a tag that would run": (
        "k: 6",
        "k: !!python/object/apply:os.getcwd []",
        "7: not YAML: could not determine a constructor for the tag 'tag:yaml.org,2002:python/object/apply:os.getcwd'",
    ),
    "an alias": ("k: 6", "k: &x 6\n  window: *x", "8: not YAML: aliases are not supported; write the value out"),
    "a syntax error": (
        "k: 6",
        "k: [6",
        "8: not YAML: while parsing a flow sequence begun in line 7, expected ',' or ']', but got ':'",
    ),
    "a tab": (
        "  k: 6",
        "\tk: 6",
        "7: not YAML: while scanning for the next token, found character '\\t' that cannot start any token",
    ),
    "a control character": ("k: 6", "k: \x01", "7: not YAML: special characters are not allowed"),
    "a list for a key": (
        "k: 6",
        "? [a]\n  : 6",
        "7: not YAML: while constructing a mapping begun in line 6, found unhashable key",
    ),
    "two documents": (
        "then:",
        "---\nthen:",
        "9: not YAML: expected a single document in the stream begun in line 1, but found another document",
    ),
}


@pytest.mark.parametrize("kind", ONE_MISTAKE)
def test_a_mistake_is_named_with_line_field_and_value(tmp_path: Path, kind: str):
    """Each kind of mistake gives one line that a person can act on."""
    old, new, said = ONE_MISTAKE[kind]
    assert GOOD.count(old) == 1 or kind == "unknown key above"
    found = mistakes(write(tmp_path, "bad.yaml", GOOD.replace(old, new, 1)))
    assert [line for line in found if line == f"bad.yaml:{said}"], found


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path: Path):
    """In the order of their lines, a doubled key among them."""
    text = GOOD.replace("k: 6", "k: six\n  k: seven").replace("critical", "bad").replace("exclude", "exclud")
    assert mistakes(write(tmp_path, "bad.yaml", text)) == [
        "bad.yaml:4: exclud: is no known key; did you mean 'exclude'?",
        "bad.yaml:8: when.k: 'seven' is not a number",
        "bad.yaml:8: when.k: is already set in line 7",
        "bad.yaml:9: severity: 'bad' is not one of info, warning, critical; known here: info, warning, critical",
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing but words\n"])
def test_an_empty_file_is_a_mistake(tmp_path: Path, text: str):
    """A rule that is not there must not pass for one that never fires."""
    assert mistakes(write(tmp_path, "empty.yaml", text)) == ["empty.yaml:1: the file holds no rule"]


@pytest.mark.parametrize("text", ["- spike\n", "spike\n"])
def test_a_file_that_is_no_mapping_is_a_mistake(tmp_path: Path, text: str):
    """A list or a word holds no rule."""
    (line,) = mistakes(write(tmp_path, "a.yaml", text))
    assert line.startswith("a.yaml:1: the document: ") and line.endswith("is not a mapping of keys to values")


def test_bytes_that_are_not_utf8_are_named(tmp_path: Path):
    """With the line and the byte."""
    path = tmp_path / "a.yaml"
    path.write_bytes(GOOD.encode().replace(b"far above", b"far \xe9bove"))
    assert mistakes(path) == ["a.yaml:2: byte 0xe9 is not UTF-8"]


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path):
    """Some editors write one."""
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_rule(path).rule == "spike"


def test_a_missing_file_is_a_config_error(tmp_path: Path):
    """Not a traceback."""
    assert mistakes(tmp_path / "gone.yaml") == ["gone.yaml: cannot be read: No such file or directory"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are a POSIX thing")
def test_a_pipe_is_not_waited_on(tmp_path: Path):
    """A pipe in a repository's rules folder would stop the daemon for ever."""
    os.mkfifo(tmp_path / "a.yaml")
    assert mistakes(tmp_path / "a.yaml") == ["a.yaml: cannot be read: not a regular file"]


@pytest.mark.parametrize("text", ["[" * 60_000, "rule: x\n" * 50_000])
def test_a_hostile_file_is_refused_quickly(tmp_path: Path, text: str):
    """Neither depth nor length takes the process down."""
    (line,) = mistakes(write(tmp_path, "a.yaml", text))
    assert line in ("a.yaml:1: nested too deeply", f"a.yaml: cannot be read: larger than {LARGEST_FILE} bytes")


def test_nested_aliases_do_not_fill_the_memory(tmp_path: Path):
    """A kilobyte of aliases that stands for 10^12 values is refused at the first of them."""
    text = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 13))
    begun = time.monotonic()
    (line,) = mistakes(write(tmp_path, "a.yaml", text))
    assert line == "a.yaml:2: not YAML: aliases are not supported; write the value out"
    assert time.monotonic() - begun < 5


# ---- folders ----


def test_a_later_folder_replaces_by_name_and_adds(tmp_path: Path):
    """A project's rule of a shipped name takes its place; another name comes in addition; .yml counts too."""
    write(tmp_path, "shipped/spike.yaml", GOOD)
    write(tmp_path, "shipped/other.yaml", GOOD.replace("rule: spike", "rule: other"))
    write(tmp_path, "project/mine.yml", GOOD.replace("k: 6", "k: 9"))
    write(tmp_path, "project/new.yaml", GOOD.replace("rule: spike", "rule: new"))
    rules, errors = load_rules([tmp_path / "shipped", tmp_path / "project", tmp_path / "missing"])
    assert errors == ()
    assert {one.rule: one.when.model_dump()["k"] for one in rules} == {"spike": 9.0, "other": 6.0, "new": 6.0}


def test_a_bad_file_is_reported_and_hides_no_good_one(tmp_path: Path):
    """The shipped rule stays in force when the project's own file of that name is broken."""
    write(tmp_path, "shipped/spike.yaml", GOOD)
    write(tmp_path, "project/spike.yaml", GOOD.replace("k: 6", "k: six"))
    write(tmp_path, "project/z.yaml", GOOD.replace("rule: spike", "rule: z"))
    rules, errors = load_rules([tmp_path / "shipped", tmp_path / "project"])
    assert {one.rule: one.when.model_dump()["k"] for one in rules} == {"spike": 6.0, "z": 6.0}
    assert [str(tmp_path / "project/spike.yaml:7") in one.message for one in errors] == [True]


def test_one_name_twice_in_a_folder_is_a_mistake(tmp_path: Path):
    """Which of the two is meant cannot be known; the first by file name stays."""
    write(tmp_path, "a.yaml", GOOD)
    write(tmp_path, "b.yaml", GOOD.replace("k: 6", "k: 9"))
    rules, (error,) = load_rules([tmp_path])
    assert [one.when.model_dump()["k"] for one in rules] == [6.0]
    assert error.message == f"{tmp_path}/b.yaml:1: rule: 'spike' is already in {tmp_path}/a.yaml"


def test_a_disabled_rule_stays_in_the_list(tmp_path: Path):
    """So that it can be shown, and so that a project can turn a shipped rule off."""
    write(tmp_path, "shipped/spike.yaml", GOOD)
    write(tmp_path, "project/spike.yaml", GOOD + "enabled: false\n")
    rules, _ = load_rules([tmp_path / "shipped", tmp_path / "project"])
    assert [(one.rule, one.enabled) for one in rules] == [("spike", False)]
