"""The launchd agent of the daemon: its property list, and what one that lies there runs. Touches no disk."""

from __future__ import annotations

import plistlib
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

from neatd.service.mark import marked
from neatd.service.program import ARGUMENTS, Program

LABEL = "neat-notebook.neatd"
COMMENT = "<!-- {} -->"
THROTTLE_S = 10


def agent_text(program: Program) -> str:
    """The agent: begun at login and after a failure; its trainings go on when it ends."""
    agent: dict[str, Any] = {
        "Label": LABEL,
        "ProgramArguments": [program.interpreter, *ARGUMENTS],
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": THROTTLE_S,
        "AbandonProcessGroup": True,
        "StandardOutPath": "/dev/null",  # its own log is in NEAT_HOME, and is kept small
        "StandardErrorPath": "/dev/null",
    }
    if program.environment:
        agent["EnvironmentVariables"] = program.environment
    text = plistlib.dumps(agent).decode()
    return marked(text.replace("<plist ", f"{COMMENT.format('MARK')}\n<plist ", 1), COMMENT)


def read_agent(text: str) -> Program:
    """What an agent runs; an interpreter "" when it does not say."""
    try:
        agent = plistlib.loads(text.encode())
    except (plistlib.InvalidFileException, ExpatError, ValueError):
        return Program("")
    environment = agent.get("EnvironmentVariables", {})
    home = environment.get("NEAT_HOME")
    return Program(
        (agent.get("ProgramArguments") or [""])[0], Path(home) if home else None, environment.get("PATH", "")
    )
