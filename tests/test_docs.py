"""README and CLAUDE.md are true: commands, paths, YAML."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from neatd.actions.channels import AlertSettings
from neatd.cli.main import NEAT, NEATD
from neatd.config import ProjectConfig, Settings
from neatd.jobs.jobfile import JobFile
from neatd.read.formats.patterns import PatternFile
from neatd.rules.maintenance import ScheduleFile
from neatd.rules.schema import Rule
from neatd.studies.spec import StudyFile

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CLAUDE = (ROOT / "CLAUDE.md").read_text(encoding="utf-8")


def test_every_command_stands_in_the_readme_with_the_help_it_prints() -> None:
    """The table of commands is the one that `--help` prints."""
    for program, table in (("neat", NEAT), ("neatd", NEATD)):
        for name, (_, _, text) in table.items():
            assert f"| `{program} {name}` | {text} |" in README


def test_the_two_commands_stand_at_the_top() -> None:
    """Nothing but the title comes before `make demo` and `make test`."""
    first = [line for line in README.splitlines() if line.strip()][:4]
    assert first[2].startswith("make demo") and first[3].startswith("make test")


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", README, re.S))
def test_every_yaml_block_in_the_readme_loads(block: str) -> None:
    """Whatever file of neat it is: without a mistake."""
    data = yaml.safe_load(block)
    models = {
        "id": ProjectConfig,
        "rule": Rule,
        "patterns": PatternFile,
        "channels": AlertSettings,
        "jobs": ScheduleFile,
        "space": StudyFile,
        "command": JobFile,
    }
    model = next((one for key, one in models.items() if key in data), Settings)
    model.model_validate(data)


def test_every_path_named_in_the_documents_exists() -> None:
    """Paths in backticks with a slash or a known ending are those of this repository, or of a user's project."""
    users = (
        "metrics.jsonl",
        "predictions.jsonl",
        "config.",
        "checkpoint",
        "neat.yaml",
        ".neat",
        ".claude/",
        ".codex/",
        ".cursor/",
        "neat.db",
        "points.db",
        "settings.yaml",
        "maintenance.yaml",
        "alerts.yaml",
        "trainer_state.json",
        "hparams.yaml",
        "args.yaml",
        "mlruns/",
        "patterns/",
        "runs/a",
        "system/",
    )
    for text in (README, CLAUDE):
        for named in re.findall(r"`([\w./-]+/[\w./-]*|[\w-]+\.(?:py|md|yaml|txt))`", text):
            if named.startswith(users) or named in (
                "backups/",
                "rules/",
                "brief.md.j2",
                "handoff.md.j2",
                "neatd/_data/",
            ):
                continue
            places = [ROOT / named, ROOT / "neatd" / named]
            assert any(place.exists() for place in places), named


def test_claude_md_stays_short() -> None:
    """It is read at the start of every session."""
    assert len(CLAUDE.splitlines()) < 80
