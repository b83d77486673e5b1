"""The Windows scheduled task of the daemon: its XML, and what one that lies there runs. Touches no disk.

A task has no environment: the home is an argument.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from neatd.service.mark import marked
from neatd.service.program import ARGUMENTS, Program

COMMENT = "<!-- {} -->"
_SPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
# Begun when its user logs on, whatever feeds the machine; no time limit; begun again after a failure, a minute apart.
_TEXT = """\
<?xml version="1.0" encoding="UTF-16"?>
<!-- MARK -->
<Task version="1.2" xmlns="{space}">
  <RegistrationInfo><Description>neat, the lab notebook that keeps itself</Description></RegistrationInfo>
  <Triggers><LogonTrigger><Enabled>true</Enabled><UserId>{user}</UserId></LogonTrigger></Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>{user}</UserId><LogonType>InteractiveToken</LogonType><RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure><Interval>PT1M</Interval><Count>255</Count></RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec><Command>{command}</Command><Arguments>{arguments}</Arguments></Exec>
  </Actions>
</Task>
"""


def task_text(program: Program, user: str) -> str:
    """The task of `user` (DOMAIN\\name); written as UTF-16, which is what schtasks reads."""
    arguments = [*ARGUMENTS, *(["--home", str(program.home)] if program.home else [])]
    text = _TEXT.format(
        space=_SPACE, user=escape(user), command=escape(program.interpreter),
        arguments=escape(subprocess.list2cmdline(arguments)),
    )  # fmt: skip
    return marked(text, COMMENT)


def read_task(text: str) -> Program:
    """What a task runs; an interpreter "" when it does not say."""
    try:
        found = ElementTree.fromstring(text.partition("?>")[2])
    except ElementTree.ParseError:
        return Program("")
    command = found.findtext(f".//{{{_SPACE}}}Command") or ""
    arguments = found.findtext(f".//{{{_SPACE}}}Arguments") or ""
    home = arguments.partition(" --home ")[2].strip().removeprefix('"').removesuffix('"')
    return Program(command, Path(home) if home else None)
