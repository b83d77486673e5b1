"""What a service manager is to run: which Python, for which home, with which search path."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

from neatd.errors import NeatError
from neatd.files import is_text
from neatd.place import neat_home

NAME = "neatd"
# -P: a folder or a file in the working folder that is called as one of our libraries is not taken for it.
ARGUMENTS = ("-P", "-m", "neatd", "start", "--service")
_USUAL = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_PROGRAMS = ("git", "tmux", "screen", "nvidia-smi")  # that the daemon calls


class Program(NamedTuple):
    """`home` None: the user's own data folder; `path` "": what the manager gives."""

    interpreter: str
    home: Path | None = None
    path: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """The variables that it needs, besides what the manager sets."""
        told = {"NEAT_HOME": str(self.home)} if self.home else {}
        return told | ({"PATH": self.path} if self.path else {})

    @property
    def served_home(self) -> Path:
        """The home that its daemon watches for."""
        return self.home or default_home()


def program_here(is_system: bool = False) -> Program:
    """The neat that runs now, for the home that it has now. Raises NeatError for a path that no manager can hold."""
    is_told = is_system or os.environ.get("NEAT_HOME") or os.environ.get("XDG_DATA_HOME")
    made = Program(sys.executable, neat_home() if is_told else None, search_path())
    for text in (made.interpreter, *made.environment.values()):
        if not is_text(text) or any(letter < " " or letter == "\x7f" for letter in text):
            raise NeatError(f"{text!r} has characters that no service manager takes", "choose another folder")
    return made


def default_home() -> Path:
    """NEAT_HOME where no variable names another: as a service has it, which is not started by a shell."""
    from platformdirs import user_data_path

    if sys.platform.startswith("linux"):
        return Path.home() / ".local" / "share" / "neat"
    return user_data_path("neat", appauthor=False)


def search_path() -> str:
    """PATH where a program of ours lies elsewhere than usual (Homebrew, conda, nix); else ""."""
    found = (shutil.which(program) for program in _PROGRAMS)
    elsewhere = dict.fromkeys(folder for one in found if one and (folder := str(Path(one).parent)) not in _USUAL)
    return ":".join((*elsewhere, *_USUAL)) if elsewhere and os.name == "posix" else ""
