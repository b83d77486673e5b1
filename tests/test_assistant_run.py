"""The whole way of an assistant through a project: set up, every hook as its settings call it, the server of tools, a daemon
in between, and all of it taken out again, to the byte."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters

from neatd import control
from tests.conftest import Neat, until
from tests.hooks_made import claude
from tests.test_cli_undo import ALL, OWN, fill, tree

EVENTS = ("session-start", "user-prompt", "post-tool", "pre-compact", "stop", "session-end")


class Assisted(Neat):
    """A repository that neat does not know, and its one command on a PATH of its own."""

    def __init__(self, base: Path, files: dict[str, bytes]) -> None:
        super().__init__(base)
        self.bin = base / "bin"
        self.bin.mkdir()
        script = self.bin / "neat"
        script.write_text(f"#!{sys.executable}\nfrom neatd.cli.main import main\nmain()\n")
        script.chmod(0o755)
        fill(self.root, files)
        subprocess.run(["git", "init", "-q"], cwd=self.root, check=True)

    @property
    def env(self) -> dict[str, str]:
        return super().env | {"PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}", "HOME": str(self.root.parent)}

    def run_as_told(self, command: str, arguments: list[str], payload: Any) -> str:
        """What the settings say, as an assistant runs it: no shell, the event on stdin. It says nothing on stderr."""
        done = subprocess.run(
            [str(self.bin / command), *arguments], cwd=self.root, env=self.env, input=json.dumps(payload), text=True,
            capture_output=True, timeout=60,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout

    def handlers(self, event: str) -> list[dict[str, Any]]:
        """The handlers of ours in Claude Code's settings that call `neat hook EVENT`."""
        hooks = json.loads((self.root / ".claude" / "settings.json").read_text())["hooks"]
        found = [one for groups in hooks.values() for group in groups for one in group["hooks"]]
        return [one for one in found if one.get("args") == ["hook", event]]


@pytest.fixture(params=[OWN, {}], ids=["own settings", "empty"])
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Assisted]:
    made = Assisted(tmp_path, request.param)
    made.settings(sweep_s=0.2)
    yield made
    control.stop(made.home)


def test_an_assistant_comes_and_goes_and_leaves_no_byte(there: Assisted) -> None:
    """It is told of the run that goes on; its hooks answer what is documented; its tools answer; undo takes all out."""
    before = tree(there.root)
    there.call("neat", "init", "--yes", *ALL)
    there.call("neatd", "start")
    there.metrics("runs/first", {"step": 1, "val/loss": 0.75}, {"step": 2, "val/loss": 0.5})
    there.wait_for_points("runs/first", "val/loss", 2)
    there.call("neat", "task", "measure the second seed")
    said = {event: _tell(there, event) for event in EVENTS}
    context = json.loads(said["session-start"])["hookSpecificOutput"]["additionalContext"]
    for words in ("runs/first", "running", "val/loss 0.5 at step 2", "measure the second seed"):
        assert words in context
    assert [said[event] for event in EVENTS[3:]] == ["", "", ""]
    assert "runs/first" in anyio.run(_ask_tools, there)
    (session,) = [one for one in there.json("neat", "list", "session") if one["source"] == "claude-code"]
    assert session["status"] == "done" and session["started"] <= session["ended"]
    there.call("neat", "init", "--undo", "--yes")
    until(lambda: not there.json("neatd", "status")["roots"], "the daemon to let the folder go")
    (there.root / "runs" / "first" / "metrics.jsonl").unlink()
    for folder in ("runs/first/snapshots", "runs/first", "runs"):
        _remove(there.root / folder)
    assert tree(there.root) == before


def _tell(there: Assisted, event: str) -> str:
    handlers = there.handlers(event)
    assert handlers and all(one["type"] == "command" for one in handlers)
    payload = claude(event, there.root)
    return there.run_as_told(handlers[0]["command"], handlers[0]["args"], payload)


async def _ask_tools(there: Assisted) -> str:
    entry = json.loads((there.root / ".mcp.json").read_text())["mcpServers"]["neat"]
    server = StdioServerParameters(
        command=str(there.bin / entry["command"]), args=entry["args"], env=there.env, cwd=there.root
    )
    async with Client(server) as client:
        listed = await client.list_tools()
        assert len(listed.tools) == 8
        answer = await client.call_tool("runs", {})
        return str(answer.content[0].text)


def _remove(folder: Path) -> None:
    """A folder of the training's, whatever neat put into it."""
    if folder.is_dir():
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        folder.rmdir()
