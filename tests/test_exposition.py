"""Prometheus' text format: names, types, escapes and numbers, read by a parser that is strict."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neatd.pipeline.exposition import Family, exposition, lines_of
from tests.cli_place import Cli
from tests.reading_made import reading

NOW = datetime(2026, 3, 2, tzinfo=UTC)
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|\})')
_UNESCAPED = {"\\\\": "\\", "\\n": "\n", '\\"': '"'}
Samples = dict[tuple[tuple[str, str], ...], float]


def parsed(text: str) -> dict[str, tuple[str, Samples]]:
    """Name -> (type, labels -> value). Raises AssertionError for what the format does not allow."""
    assert text.endswith("\n")
    found: dict[str, tuple[str, Samples]] = {}
    helped = current = ""
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            helped = line.split(" ", 3)[2]
            assert helped not in found, "a name has one place"
            continue
        if line.startswith("# TYPE "):
            _, _, current, kind = line.split(" ")
            assert current == helped and kind in ("gauge", "counter") and _NAME.fullmatch(current)
            found[current] = (kind, {})
            continue
        name, labels, rest = _sample(line)
        assert name == current and labels not in found[name][1], line
        assert re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?|NaN|[+-]Inf", rest), rest
        found[name][1][labels] = float(rest)
    return found


def _sample(line: str) -> tuple[str, tuple[tuple[str, str], ...], str]:
    name = _NAME.match(line)
    assert name, line
    at, labels = name.end(), []
    if line[at] == "{":
        at += 1
        while True:
            told = _LABEL.match(line, at)
            assert told, line
            labels.append((told[1], re.sub(r'\\[\\n"]', lambda one: _UNESCAPED[one[0]], told[2])))
            at = told.end()
            if told[3] == "}":
                break
    assert line[at] == " "
    return name[0], tuple(labels), line[at + 1 :]


@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=30), value=st.floats())
def test_any_text_is_a_label_and_any_number_a_value(text: str, value: float) -> None:
    """What is read back is what was written, but for carriage returns and half pairs, which are no text."""
    (_, samples) = parsed("".join(lines_of(Family("a_b", "c\nd\\", [({"x": text}, value)]))))["a_b"]
    ((labels, read),) = samples.items()
    assert labels == (("x", text.encode("utf-8", "replace").decode().replace("\r", " ")),)
    assert read == value or (math.isnan(read) and math.isnan(value))


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def test_the_page_tells_of_runs_queue_events_and_the_machine(cli: Cli) -> None:
    """A run's name is a label whatever is in it; a loss that is not a number is NaN; what is not known has no family."""
    made = cli.add_run('runs/"a"\\b', {"train/loss": [2.0, float("nan")], "val/loss": [3.0, 2.5], "acc": [0.1, 0.2]},
                       status="running", planned_steps=10)  # fmt: skip
    cli.add_run("runs/b", {"loss": [1.0]})
    cli.add_event(made, "spike", 2, 3.0, severity="critical")
    with reading(cli) as (records, points, project, _):
        found = parsed(
            exposition(records, points, cli.home, NOW, [Family("neat_page_requests_total", "x", [({}, 3)], "counter")])
        )
    labels = (("run", made.name), ("run_id", made.id), ("project", project.name))
    assert found["neat_runs"][1][(("project", project.name), ("status", "finished"))] == 1
    assert found["neat_run_step"][1] == {labels: 2} and found["neat_run_planned_steps"][1] == {labels: 10}
    losses = found["neat_run_loss"][1]
    assert losses[(*labels, ("series", "val/loss"))] == 2.5 and math.isnan(losses[(*labels, ("series", "train/loss"))])
    assert len(losses) == 2 and "neat_run_rss_bytes" not in found
    assert found["neat_events_total"] == (
        "counter", {(("severity", "info"),): 0, (("severity", "warning"),): 0, (("severity", "critical"),): 1}
    )  # fmt: skip
    assert found["neat_daemon_up"][1] == {(): 0} and "neat_backup_age_seconds" not in found
    assert found["neat_jobs"][1][(("status", "queued"),)] == 0 and found["neat_queue_paused"][1] == {(): 0}
    assert found["neat_memory_total_bytes"][1][()] > found["neat_memory_available_bytes"][1][()] > 0
    assert set(found["neat_disk_free_bytes"][1]) == {(("root", str(cli.home)),), (("root", str(cli.root)),)}
    assert found["neat_store_bytes"][1][(("database", "neat"),)] > 0 and found["neat_page_requests_total"][1] == {(): 3}
