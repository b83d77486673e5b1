"""`neatd install` and `uninstall` on machines of all kinds; systemctl is a program that writes down how it was called."""

from __future__ import annotations

import json
import os
import plistlib
import sys
from pathlib import Path

import pytest

from neatd.errors import NeatError
from neatd.service import here, manager
from neatd.service.installing import install, plan_install
from neatd.service.manager import Launchd, Systemd, Task
from neatd.service.program import Program
from tests.cli_place import Cli

# Answers `show` from the file `shows`, fails what `fails` names; what is called is in `called`.
SYSTEMCTL = """#!/bin/sh
cd "$(dirname "$0")"
echo "$(basename "$0") $*" >> called
for word in "$@"; do
  if [ "$word" = show ]; then cat shows; exit $?; fi
  if grep -qx -- "$word" fails 2> /dev/null; then echo "Failed to connect to bus: No medium found" >&2; exit 1; fi
done
"""
ACTIVE = "LoadState=loaded\nUnitFileState=enabled\nActiveState=active\nMainPID=4711\n"
INACTIVE = "LoadState=not-found\nUnitFileState=\nActiveState=inactive\nMainPID=0\n"


class Machine:
    """A Linux with systemd, as far as `neatd install` looks at it."""

    def __init__(self, base: Path, cli: Cli, patch: pytest.MonkeyPatch) -> None:
        self.cli, self.bin = cli, base / "bin"
        self.bin.mkdir()
        for program in ("systemctl", "loginctl"):
            (self.bin / program).write_text(SYSTEMCTL)
            (self.bin / program).chmod(0o755)
        patch.setenv("PATH", f"{self.bin}:{os.environ['PATH']}")
        patch.setattr(here, "BOOTED", self.bin)
        patch.setattr(manager, "SYSTEM_UNITS", base / "etc")
        patch.setattr(manager, "LINGER", base / "linger")
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "SUDO_USER"):
            patch.delenv(name, raising=False)
        self.unit = base / "user" / ".config" / "systemd" / "user" / "neatd.service"
        self.shows(None)

    def shows(self, text: str | None) -> None:
        """What `systemctl show` answers; None: it reaches no manager."""
        (self.bin / "shows").unlink(missing_ok=True)
        if text is not None:
            (self.bin / "shows").write_text(text)

    def fails(self, *words: str) -> None:
        (self.bin / "fails").write_text("".join(f"{word}\n" for word in words))

    def called(self) -> list[str]:
        """What was called since it was asked last, but for questions."""
        path = self.bin / "called"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [line for line in lines if " show " not in line]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(tmp_path, monkeypatch, capsys)


@pytest.fixture
def machine(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, cli, monkeypatch)


def test_print_writes_the_unit_to_stdout_and_nothing_else(machine: Machine) -> None:
    """This interpreter, this home; no file and no call."""
    text = machine.cli.ok("neatd", "install", "--print")
    assert f"ExecStart=:{sys.executable} -P -m neatd start --service" in text
    assert f"NEAT_HOME={machine.cli.home}" in text and text.endswith("WantedBy=default.target\n")
    assert not machine.unit.exists() and machine.called() == [] and not machine.cli.home.exists()


def test_where_no_manager_answers_the_unit_is_written_and_the_commands_are_said(machine: Machine) -> None:
    """As after `su`: no bus of the user's. It begins with the next login, and a second time nothing is written."""
    out = machine.cli.ok("neatd", "install")
    assert machine.unit.is_file() and machine.called() == ["systemctl --user enable neatd.service"]
    assert "does not answer" in out and "\n  systemctl --user enable neatd.service\n" in out and "enable-linger" in out
    written = machine.unit.stat().st_mtime_ns
    assert "as it should be" in machine.cli.ok("neatd", "install") and machine.unit.stat().st_mtime_ns == written
    shape = machine.cli.json("neatd", "install")
    assert (
        shape["changed"] is False and shape["pid"] is None and shape["to_type"][0] == "systemctl --user daemon-reload"
    )
    assert shape["service"]["installed"] is True and shape["service"]["active"] is False


def test_a_folder_of_configuration_that_is_elsewhere_is_respected(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """XDG_CONFIG_HOME; a relative one counts for nothing."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(machine.bin / "config"))
    assert Systemd(is_system=False).path == machine.bin / "config" / "systemd" / "user" / "neatd.service"
    monkeypatch.setenv("XDG_CONFIG_HOME", "config")
    assert Systemd(is_system=False).path == machine.unit


def test_an_edited_unit_is_not_replaced_unasked(machine: Machine) -> None:
    """It takes --yes, and then the edited one lies beside."""
    machine.cli.ok("neatd", "install")
    edited = machine.unit.read_text() + "# mine\n"
    machine.unit.write_text(edited)
    assert "was edited" in machine.cli.refused("neatd", "install") and machine.unit.read_text() == edited
    out = machine.cli.ok("neatd", "install", "--yes")
    assert "# mine" not in machine.unit.read_text() and "neatd.service.bak" in out
    assert machine.unit.with_name("neatd.service.bak").read_text() == edited
    machine.unit.write_text(edited + "# again\n")
    machine.cli.ok("neatd", "install", "--yes")
    assert machine.unit.with_name("neatd.service.bak").read_text() == edited  # the first one stays, too
    assert machine.unit.with_name("neatd.service.bak1").read_text() == edited + "# again\n"


def test_a_unit_of_an_older_neat_is_replaced_without_asking(machine: Machine) -> None:
    """It was written by neat and edited by nobody: another interpreter, say."""
    machine.unit.parent.mkdir(parents=True)
    machine.unit.write_text(Systemd(is_system=False).text(Program("/gone/python", machine.cli.home)))
    assert "replaced" in machine.cli.ok("neatd", "install")
    assert sys.executable in machine.unit.read_text() and not list(machine.unit.parent.glob("*.bak"))


def test_the_service_of_another_home_is_neither_replaced_nor_removed(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One user has one service: whoever plays with a NEAT_HOME of his own does not lose it."""
    machine.cli.ok("neatd", "install")
    before = machine.unit.read_text()
    home = machine.cli.home
    monkeypatch.setenv("NEAT_HOME", str(home.with_name("other")))
    assert str(home) in machine.cli.refused("neatd", "install")
    assert f"NEAT_HOME={home} neatd uninstall" in machine.cli.refused("neatd", "uninstall")
    assert machine.unit.read_text() == before
    assert machine.cli.json("neatd", "status")["service"]["installed"] is False


def test_uninstall_takes_out_the_unit_and_its_links_and_keeps_an_edited_one_beside(machine: Machine) -> None:
    """The manager is told before and after; what does not answer does not matter."""
    machine.cli.ok("neatd", "install")
    machine.unit.write_text(machine.unit.read_text() + "# mine\n")
    link = machine.unit.parent / "default.target.wants" / "neatd.service"
    link.parent.mkdir()
    link.symlink_to(machine.unit)
    machine.shows(INACTIVE)
    machine.called()
    out = machine.cli.ok("neatd", "uninstall")
    assert machine.called() == [
        "systemctl --user disable --now neatd.service", "systemctl --user daemon-reload",
        "systemctl --user reset-failed neatd.service",
    ]  # fmt: skip
    assert not machine.unit.exists() and not link.is_symlink() and "neatd.service.bak" in out
    assert f"{machine.cli.home} stays" in out and machine.cli.home.is_dir()
    assert "no service is installed" in machine.cli.ok("neatd", "uninstall") and machine.called() == []


def test_the_machines_service_is_written_for_root(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the machine's folder, without --user; another than root is refused, and so is sudo."""
    monkeypatch.setattr(os, "getuid", lambda: 0)
    machine.cli.ok("neatd", "install", "--system")
    unit = machine.bin.parent / "etc" / "neatd.service"
    assert "User=root" in unit.read_text() and not machine.unit.exists()
    service = machine.cli.json("neatd", "status")["service"]
    assert service["installed"] is True and service["path"] == str(unit) and service["linger"] is None
    machine.cli.ok("neatd", "uninstall")
    assert not unit.exists()
    monkeypatch.setenv("SUDO_USER", "kim")
    assert "kim" in machine.cli.refused("neatd", "install", "--system")
    assert "kim" in machine.cli.refused("neatd", "install")
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    assert "takes root" in machine.cli.refused("neatd", "install", "--system")


def test_a_command_that_fails_is_named_with_its_reason(machine: Machine) -> None:
    """And what lies there is mended by the next `neatd install`."""
    machine.shows(INACTIVE)
    machine.fails("enable")
    answer = machine.cli("neatd", "install")
    assert answer.code == 1
    assert "`systemctl --user enable neatd.service` failed: Failed to connect to bus" in answer.err
    assert machine.called()[:2] == ["systemctl --user daemon-reload", "systemctl --user enable neatd.service"]


def test_a_python_that_finds_neat_in_this_shell_only_is_refused_before_anything_is_written(machine: Machine) -> None:
    """By PYTHONPATH, or in a clone: a service has neither."""
    program = machine.bin / "python"
    program.write_text("#!/bin/sh\necho 'Traceback' >&2; echo 'No module named neatd' >&2; exit 1\n")
    program.chmod(0o755)
    plan = plan_install(Systemd(is_system=False), Program(str(program)))
    with pytest.raises(NeatError, match="No module named neatd"):
        install(plan)
    assert not machine.unit.exists()


def test_linger_is_switched_on_where_it_is_asked_for_only(machine: Machine) -> None:
    """Said, not done in silence."""
    machine.cli.ok("neatd", "install")
    assert not any("loginctl" in one for one in machine.called())
    machine.cli.ok("neatd", "install", "--linger")
    assert [one.split()[:2] for one in machine.called()][1:] == [["loginctl", "enable-linger"]]
    machine.fails("enable-linger")
    answer = machine.cli("neatd", "install", "--linger")
    assert answer.code == 1 and "sudo" in answer.err


def test_a_container_is_told_the_line_for_its_entry_point(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is installed, so it is an error; --print explains it, as a piece of a shell script with that one command."""
    monkeypatch.setattr(here, "BOOTED", tmp_path / "nothing")
    error = cli.refused("neatd", "install")
    assert "container" in error and "entry point" in error and "`neatd start`" in error
    told = cli.ok("neatd", "install", "--print")
    assert [line for line in told.splitlines() if not line.startswith("#")] == ["neatd start"]
    assert "entry point" in told and '#   exec "$@"' in told and str(cli.home) in told and "--kind systemd" in told
    assert "no service is installed" in cli.ok("neatd", "uninstall")
    shape = cli.json("neatd", "status")["service"]
    assert shape == {
        "kind": "none", "path": None, "installed": False, "enabled": False, "active": False, "linger": None,
    }  # fmt: skip


def test_macs_agent_and_windows_task_say_what_they_call(tmp_path: Path, cli: Cli) -> None:
    """launchctl for the login's own domain; schtasks with an XML file in UTF-16."""
    agent = Launchd(501)
    assert agent.path == Path.home() / "Library" / "LaunchAgents" / "neat-notebook.neatd.plist"
    assert agent.begin[-1] == ("launchctl", "bootstrap", "gui/501", str(agent.path))
    agent.path.parent.mkdir(parents=True)
    agent.path.write_bytes(agent.encoded(agent.text(Program("/v/python", cli.home))))
    assert agent.program() == Program("/v/python", cli.home) and agent.is_as_written()
    assert plistlib.loads(agent.path.read_bytes())["Label"] == "neat-notebook.neatd"
    task = Task(tmp_path, "LAB\\kim")
    task.path.write_bytes(task.encoded(task.text(Program("C:\\python.exe"))))
    assert task.begin == (("schtasks", "/Create", "/TN", "neatd", "/XML", str(task.path), "/F"),)
    assert task.path.read_bytes()[:2] in (b"\xff\xfe", b"\xfe\xff") and task.program().interpreter == "C:\\python.exe"
    assert task.is_as_written()


@pytest.mark.parametrize(
    ("kind", "holds"),
    [("systemd", "WantedBy=default.target"), ("launchd", "<key>ProgramArguments</key>"), ("task", "<LogonTrigger>")],
)
def test_any_kind_is_printed_whole_where_it_cannot_be_installed(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, holds: str
) -> None:
    """For this interpreter and this home; without --print it is refused, and nothing is written."""
    monkeypatch.setattr(here, "BOOTED", tmp_path / "nothing")
    text = cli.ok("neatd", "install", "--print", "--kind", kind)
    assert holds in text and sys.executable in text and str(cli.home) in text
    assert "--kind is for --print" in cli.refused("neatd", "install", "--kind", kind).replace(
        f"--kind {kind}", "--kind"
    )
    assert not cli.home.exists()
    system = cli("neatd", "install", "--print", "--kind", kind, "--system")
    assert system.code == (0 if kind == "systemd" else 1) and ("User=root" in system.out) == (kind == "systemd")


def test_a_machine_with_a_manager_prints_the_line_for_a_container_too(machine: Machine) -> None:
    """Whoever writes an image is on a machine of another kind."""
    assert machine.cli.ok("neatd", "install", "--print", "--kind", "none").endswith("\nneatd start\n")


def findings(cli: Cli) -> dict[str, tuple[str, str, str]]:
    """What `neat doctor` says of the service."""
    found = json.loads(cli("doctor", "--json").out)
    return {one["what"]: (one["state"], one["text"], one["mend"]) for one in found}


def test_doctor_names_each_state_with_a_mend(machine: Machine) -> None:
    """Not there, out of reach, not enabled, not active, and well, with linger off."""
    machine.cli.init()
    assert findings(machine.cli)["service"][::2] == ("note", "`neatd install`")
    machine.cli.ok("neatd", "install")
    assert "does not answer" in findings(machine.cli)["service"][1]
    machine.shows(INACTIVE)
    assert "not enabled" in findings(machine.cli)["service"][1]
    machine.shows(ACTIVE.replace("=active", "=activating"))
    assert "waits to be tried again" in findings(machine.cli)["service"][1]
    machine.shows(ACTIVE)
    found = findings(machine.cli)
    assert found["service"][0] == "ok" and found["linger"][::2] == (
        "note", "`loginctl enable-linger`, or `neatd install --linger`",
    )  # fmt: skip
    assert "service program" not in found


@pytest.mark.parametrize(
    ("interpreter", "state", "words"),
    [("/gone/python", "bad", "is not there"), ("false", "bad", "no neat"), ("other", "note", "has neat 9.9.9")],
)
def test_doctor_looks_at_the_program_that_the_service_runs(
    machine: Machine, interpreter: str, state: str, words: str
) -> None:
    """One that was removed, one without neat, one with another neat."""
    machine.cli.init()
    program = machine.bin / interpreter
    if interpreter in ("false", "other"):
        program.write_text("#!/bin/sh\n" + ("exit 1\n" if interpreter == "false" else "echo neatd, version 9.9.9\n"))
        program.chmod(0o755)
    machine.unit.parent.mkdir(parents=True)
    machine.unit.write_text(Systemd(is_system=False).text(Program(str(program), machine.cli.home)))
    machine.shows(ACTIVE)
    found = findings(machine.cli)["service program"]
    assert found[0] == state and words in found[1] and found[2] == "`neatd install`"
    machine.unit.write_text(Systemd(is_system=False).text(Program(sys.executable, machine.cli.home)) + "# mine\n")
    assert "was edited" in findings(machine.cli)["service program"][1]
