"""The systemd unit of the daemon: its text, and what a unit that lies there runs. Touches no disk."""

from __future__ import annotations

from pathlib import Path

from neatd.service.mark import marked
from neatd.service.program import ARGUMENTS, Program
from neatd.service.quoting import quoted, words

COMMENT = "# {}"
# Trainings that the daemon starts live in this unit and inherit what is set here: nothing that would hinder them, no private
# /tmp, no read-only system, no limit, and no file system of its own (watched folders lie anywhere).
_TEXT = """\
# MARK
# Changes of yours belong beside it: `{systemctl} edit neatd`. `neatd uninstall` takes it out.
[Unit]
Description=neat, the lab notebook that keeps itself
{after}# It never gives up: after starts that fail the daemon itself waits longer and longer, five minutes at the most.
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart={command}
{settings}# Trainings are not the daemon's: they go on when it ends, and when one of them takes too much memory it goes on.
KillMode=process
OOMPolicy=continue
TasksMax=infinity
Restart=on-failure
RestartSec=5
# A large store takes a while to be checked; a loop that hangs is ended, and its stack is in logs/crash.log.
TimeoutStartSec=30min
TimeoutStopSec=60
WatchdogSec=10min
NoNewPrivileges=yes
LockPersonality=yes

[Install]
WantedBy={target}
"""
_SHELL = ("/bin/sh", "-c", 'exec "$0" "$@"')


def unit_text(program: Program, is_system: bool) -> str:
    """The unit; for `is_system` one of the machine's, which runs as root."""
    user = "User=root\n" if is_system else ""  # named, so that HOME is set
    text = _TEXT.format(
        systemctl="systemctl" if is_system else "systemctl --user",
        after="After=remote-fs.target\n" if is_system else "",
        command=_command(program.interpreter),
        settings=user + "".join(f"Environment={quoted(f'{k}={v}')}\n" for k, v in program.environment.items()),
        target="multi-user.target" if is_system else "default.target",
    )
    return marked(text, COMMENT)


def _command(interpreter: str) -> str:
    """The line for ExecStart=. `:` keeps systemd from looking for variables; a quote in the name of a program it refuses."""
    line = (interpreter, *ARGUMENTS)
    is_taken = not set(interpreter) & set("\"'\\")
    first, *rest = line if is_taken else (*_SHELL, *line)
    return " ".join([quoted(f":{first}"), *map(quoted, rest)])


def read_unit(text: str) -> Program:
    """What a unit runs; an interpreter "" when it does not say."""
    command: list[str] = []
    environment: dict[str, str] = {}
    for line in text.split("\n"):
        key, _, value = line.partition("=")
        if key.strip() == "ExecStart":
            command = words(value)
        elif key.strip() == "Environment":
            environment |= dict(name.split("=", 1) for name in words(value) if "=" in name)
    command = [one.lstrip(":-@+!") if number == 0 else one for number, one in enumerate(command)]
    if tuple(command[:3]) == _SHELL:
        command = command[3:]
    home = environment.get("NEAT_HOME")
    return Program(command[0] if command else "", Path(home) if home else None, environment.get("PATH", ""))
