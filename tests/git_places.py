"""Working trees with real git, and `neat` in them: whose NEAT_HOME it is goes with the tree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from neatd.cli.main import neat, run
from neatd.kinds import KINDS
from neatd.store.sync import KNOWLEDGE
from tests.cli_place import user_home

WHO = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}


class Place:
    """A working tree and the NEAT_HOME of whoever works in it; `neat` runs in this process, git and its driver do not."""

    def __init__(self, root: Path, home: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self.root, self.home, self._patch, self._capture = root, home, patch, capture

    def neat(self, *words: str) -> Any:
        """The JSON that a command prints; it must end well."""
        self._patch.chdir(self.root)
        self._patch.setenv("NEAT_HOME", str(self.home))
        self._capture.readouterr()
        code = run(neat, [*words, "--json"])
        out, err = self._capture.readouterr()
        assert code == 0, err
        return json.loads(out)

    def keep(self, *words: str) -> str:
        return str(self.neat(*words)["id"])

    def git(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"NEAT_HOME": str(self.home)}
        done = subprocess.run(
            ["git", *words], cwd=self.root, env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0 or not check, f"{words}: {done.stdout}{done.stderr}"
        return done

    def commit(self, message: str) -> None:
        self.neat("sync")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    @property
    def text(self) -> str:
        return (self.root / KNOWLEDGE).read_text(encoding="utf-8")

    def records(self) -> dict[str, Any]:
        """Every record as `neat show` has it, but for where it was made and the line that tells of its making."""
        found = {}
        for kind in KINDS:
            for one in self.neat("list", kind):
                shown = self.neat("show", one["id"])
                shown["history"] = [change for change in shown["history"] if change["field"] != "created"]
                del shown["worktree"]
                found[one["id"]] = shown
        return found


class Places:
    """Makes places below a test's folder. git knows nobody's settings there, and finds `neat`."""

    def __init__(self, base: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self.base, self._patch, self._capture = base, patch, capture
        program = base / "bin" / "neat"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "from neatd.cli.main import main; main()" "$@"\n')
        program.chmod(0o755)
        for name, value in {**WHO, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}.items():
            patch.setenv(name, value)
        patch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
        patch.setenv("HOME", str(user_home(base)))
        patch.delenv("CLAUDECODE", raising=False)

    def __call__(self, folder: str, home: str = "home") -> Place:
        (self.base / folder).mkdir(exist_ok=True)
        return Place(self.base / folder, self.base / home, self._patch, self._capture)

    def repo(self) -> Place:
        """A repository with a project in it."""
        one = self("one")
        one.git("init", "-q", "-b", "main")
        one.neat("init", "--yes")
        return one
