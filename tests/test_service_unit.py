"""The unit, the agent and the task: read by the parsers of those they are for."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neatd.service.agent import COMMENT as XML_COMMENT
from neatd.service.agent import agent_text, read_agent
from neatd.service.mark import is_as_written
from neatd.service.program import ARGUMENTS, Program
from neatd.service.quoting import quoted, words
from neatd.service.task import read_task, task_text
from neatd.service.unit import COMMENT, read_unit, unit_text

SPACE = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
AWKWARD = '/o pt/100% "sure"/it\'s $HOME/ü\\n/{MARK}/<&>/\u2028'
# Everything that a path may hold but control characters, which are refused before.
TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\0"), min_size=1, max_size=30)
PATHS = st.one_of(st.just(AWKWARD), TEXT.map(lambda text: "/" + text))
PROGRAMS = st.builds(Program, PATHS, st.one_of(st.none(), PATHS.map(Path)), st.one_of(st.just(""), PATHS))
VERIFY = shutil.which("systemd-analyze")


def unit(text: str) -> RawConfigParser:
    """A unit as an INI file, for values that stand once."""
    found = RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",))
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read_string(text)
    return found


def test_the_unit_says_what_a_notebook_needs() -> None:
    """Ready when it watches, watched for a hang, begun again after failures, and trainings stay when it ends."""
    service = unit(unit_text(Program("/v/bin/python"), is_system=False))["Service"]
    assert service["ExecStart"] == ":/v/bin/python -P -m neatd start --service"
    expected = {
        "Type": "notify", "Restart": "on-failure", "RestartSec": "5", "WatchdogSec": "10min", "KillMode": "process",
        "OOMPolicy": "continue", "TasksMax": "infinity", "NoNewPrivileges": "yes",
    }  # fmt: skip
    assert {name: service[name] for name in expected} == expected
    assert "Environment" not in service and "User" not in service


def test_nothing_in_the_unit_hides_folders_or_hinders_trainings() -> None:
    """Watched folders lie in homes and anywhere; trainings inherit what the unit sets."""
    for is_system in (False, True):
        found = unit(unit_text(Program("/v/python"), is_system))
        names = {name for section in found.sections() for name in found[section]}
        hinders = (
            "Protect",
            "Private",
            "ReadOnly",
            "Inaccessible",
            "Memory",
            "Limit",
            "Restrict",
            "Temporary",
            "CPU",
            "Nice",
        )
        assert not [name for name in names if name.startswith(hinders)], names


def test_the_machines_unit_is_roots_and_begins_with_the_machine() -> None:
    """User= is named so that HOME is set; the user's unit begins with the login."""
    system = unit(unit_text(Program("/v/python", Path("/root/neat")), is_system=True))
    assert system["Service"]["User"] == "root" and system["Install"]["WantedBy"] == "multi-user.target"
    assert system["Service"]["Environment"] == "NEAT_HOME=/root/neat"
    assert unit(unit_text(Program("/v/python"), is_system=False))["Install"]["WantedBy"] == "default.target"


@settings(max_examples=50, deadline=None)
@given(st.lists(TEXT | st.just(AWKWARD), max_size=4))
def test_words_are_read_as_they_were_written(given: list[str]) -> None:
    """Spaces, quotes, backslashes and % come back."""
    assert words(" ".join(map(quoted, given))) == given


@settings(max_examples=50, deadline=None)
@given(PROGRAMS)
def test_each_form_gives_its_program_back_and_knows_itself(program: Program) -> None:
    """Whatever the paths hold; and one more character shows."""
    text = unit_text(program, is_system=False)
    assert read_unit(text) == program and is_as_written(text, COMMENT)
    assert not is_as_written(text + "x", COMMENT) and not is_as_written("", COMMENT)


XML_TEXT = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_categories=("Cc",)), min_size=1, max_size=20
)


@settings(max_examples=30, deadline=None)
@given(XML_TEXT, XML_TEXT)
def test_the_agent_gives_its_program_back(interpreter: str, home: str) -> None:
    """By launchd's own format."""
    program = Program("/" + interpreter, Path("/" + home))
    text = agent_text(program)
    assert read_agent(text) == program and is_as_written(text, XML_COMMENT)
    assert not is_as_written(text.replace("RunAtLoad", "RunAtload"), XML_COMMENT)


def test_the_agent_is_kept_alive_after_failures_only() -> None:
    """Told to end it ends; its trainings stay."""
    found = plistlib.loads(agent_text(Program("/v/python", Path("/a b"), "/opt/bin:/bin")).encode())
    assert found["ProgramArguments"] == ["/v/python", *ARGUMENTS] and found["KeepAlive"] == {"SuccessfulExit": False}
    assert found["AbandonProcessGroup"] is True and found["RunAtLoad"] is True and found["ThrottleInterval"] >= 10
    assert found["EnvironmentVariables"] == {"NEAT_HOME": "/a b", "PATH": "/opt/bin:/bin"}


@pytest.mark.parametrize("home", [None, Path("C:/Users/Ä & Co/it's <neat>")])
def test_the_task_begins_at_logon_and_again_after_a_failure(home: Path | None) -> None:
    """As XML that Windows reads: UTF-16, no limit of time, on batteries too."""
    program = Program("C:\\Program Files\\Python\\python.exe", home)
    text = task_text(program, "LAB & CO\\müller")
    task = ElementTree.fromstring(text.encode("utf-16"))
    found = {one.tag.removeprefix(SPACE): one.text for one in task.iter()}
    assert found["UserId"] == "LAB & CO\\müller" and found["Command"] == program.interpreter
    assert found["ExecutionTimeLimit"] == "PT0S" and found["DisallowStartIfOnBatteries"] == "false"
    assert found["Interval"] == "PT1M" and "-m neatd start --service" in (found["Arguments"] or "")
    assert task.find(f"{SPACE}Triggers/{SPACE}LogonTrigger") is not None
    assert read_task(text) == program and is_as_written(text, XML_COMMENT)


@pytest.mark.skipif(VERIFY is None, reason="systemd-analyze is not installed (Debian: apt-get install systemd)")
@pytest.mark.parametrize("is_system", [False, True])
@pytest.mark.parametrize("folder", ["plain", "a b/100%/$HOME", 'it\'s "quoted" \\ ü'])
def test_systemd_itself_finds_nothing_to_say_of_the_unit(tmp_path: Path, folder: str, is_system: bool) -> None:
    """`systemd-analyze verify`, which also looks whether the program is there."""
    python = tmp_path / folder / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    path = tmp_path / "neatd.service"
    path.write_text(unit_text(Program(str(python), tmp_path / "a% \"b\" 'c' \\"), is_system))
    assert VERIFY
    scope = () if is_system else ("--user",)
    runtime = {"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [VERIFY, *scope, "verify", str(path)], env=runtime, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0 and "neatd.service" not in done.stderr, done.stderr
