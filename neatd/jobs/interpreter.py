"""The project's own interpreter: which Python a job's first word `python` means, and where its scripts are found.

Looks at files and at PATH, and asks an interpreter for modules only when told to; runs nothing else.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from neatd.errors import NeatError

UV_RUN = "uv run"  # how it is recorded that uv chooses the interpreter
_PYTHON = re.compile(r"python(?:3(?:\.\d+)?)?(?:\.exe)?")
_FOLDERS = (".venv", "venv")
_BIN = "Scripts" if os.name == "nt" else "bin"
_ASK_S = 30.0  # for an interpreter that a busy disk loads
_ASK = (
    "import importlib.util, sys\n"
    "for n in sys.argv[1:]:\n"
    "    if importlib.util.find_spec(n) is None: print(n)\n"
)  # fmt: skip


class Interpreter(NamedTuple):
    """How a project's Python is started."""

    python: str  # the path, or UV_RUN
    words: tuple[str, ...]  # what a first word `python` becomes
    bin: str = ""  # the folder whose scripts come first on PATH
    said_by: str = "PATH"  # where it was found, for people

    @property
    def is_uv(self) -> bool:
        """Whether uv chooses, and makes the environment if need be."""
        return self.python == UV_RUN


def project_interpreter(root: Path, cwd: Path, told: str, environ: Mapping[str, str]) -> Interpreter:
    """The first that there is: `told` (`python:` of neat.yaml), the active environment, .venv or venv in the project or in
    `cwd`, `uv run` where the project has a uv.lock, the Python on PATH. Raises NeatError when what is told is not there.
    """
    if told:
        return _told(root, told, environ)
    active = environ.get("VIRTUAL_ENV", "")
    if active and (found := _of_environment(Path(active))):
        return _interpreter(found, "VIRTUAL_ENV")
    for folder in dict.fromkeys((cwd, root)):
        for name in _FOLDERS:
            if found := _of_environment(folder / name):
                return _interpreter(found, name)
    for folder in dict.fromkeys((cwd, root)):
        if (folder / "uv.lock").is_file() and (uv := shutil.which("uv", path=environ.get("PATH"))):
            return Interpreter(UV_RUN, (uv, "run", "--project", str(folder), "python"), "", "uv.lock")
    return _on_path("python", environ)


def own_interpreter() -> Interpreter:
    """The Python that neat itself runs on."""
    return _interpreter(Path(sys.executable), "neat's own")


def is_python(word: str) -> bool:
    """Whether a command's first word asks for some Python: then it becomes the project's."""
    return bool(_PYTHON.fullmatch(word))


def resolved(words: Iterable[str], by: Interpreter, environ: Mapping[str, str], cwd: Path) -> tuple[str, ...]:
    """The command as it will be run. Raises NeatError when there is no such program."""
    first, *rest = words
    if is_python(first):
        if by.said_by == "PATH":
            by = _on_path(first, environ)
        return (*by.words, *rest)
    if "/" in first or "\\" in first:
        path = cwd / Path(first).expanduser()
        if not path.is_file() or not os.access(path, os.X_OK):
            raise NeatError(
                f"no program {first} in {cwd}", "name a file that may be run: `chmod +x FILE`, or `bash FILE`"
            )
        return (first, *rest)
    found = shutil.which(first, path=path_with(by, environ))
    if by.is_uv and first != "uv":  # its scripts lie in the environment that uv makes
        return (*by.words[:-1], first, *rest)
    if found is None:
        raise NeatError(
            f"no program {first!r} on PATH", "check its name, or activate the environment it is installed in"
        )
    return (first, *rest)


def with_environment(environ: Mapping[str, str], by: Interpreter) -> dict[str, str]:
    """The variables that a shell would have in which the interpreter's environment is active."""
    if not by.bin:
        return dict(environ)
    env = {**environ, "PATH": path_with(by, environ)}
    folder = Path(by.bin).parent
    if (folder / "pyvenv.cfg").is_file():
        env["VIRTUAL_ENV"] = str(folder)
        env.pop("PYTHONHOME", None)
    return env


def path_with(by: Interpreter, environ: Mapping[str, str]) -> str:
    """PATH, the interpreter's own scripts first."""
    before = environ.get("PATH", os.defpath)
    if not by.bin or before.split(os.pathsep)[0] == by.bin:
        return before
    return os.pathsep.join((by.bin, before))


def missing_modules(names: Iterable[str], by: Interpreter, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Of these modules the ones that the interpreter does not have. Imports none; costs a start of that Python."""
    wanted = tuple(dict.fromkeys(name.partition(".")[0] for name in names))
    if not wanted:
        return ()
    try:
        done = subprocess.run(
            [*by.words, "-c", _ASK, *wanted], capture_output=True, text=True, timeout=_ASK_S, env=dict(environ),
            stdin=subprocess.DEVNULL, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise NeatError(
            f"{' '.join(by.words)} does not start: {error}",
            "mend that environment, or name another: `python:` in neat.yaml",
        ) from error
    return tuple(one for one in done.stdout.split() if one in wanted)


def _told(root: Path, told: str, environ: Mapping[str, str]) -> Interpreter:
    """`python:` of neat.yaml: a path relative to the project, or a word that is on PATH."""
    said = "`python:` in neat.yaml"
    if "/" not in told and "\\" not in told:
        found = shutil.which(told, path=environ.get("PATH"))
        if found is None:
            raise NeatError(f"no {told!r} on PATH, which {said} names", "install it, or name another one there")
        return _interpreter(Path(found), said)
    path = Path(os.path.normpath(root / Path(told).expanduser()))  # links stay: an environment's python is one
    if not path.is_file() or not os.access(path, os.X_OK):
        raise NeatError(f"no program {path}, which {said} names", "make that environment, or name another one there")
    return _interpreter(path, said)


def _of_environment(folder: Path) -> Path | None:
    """The Python of a virtual environment, or of conda's; None where the folder is none."""
    found = folder / _BIN / ("python.exe" if os.name == "nt" else "python")
    return found if found.is_file() and os.access(found, os.X_OK) else None


def _interpreter(path: Path, said_by: str) -> Interpreter:
    return Interpreter(str(path), (str(path),), str(path.parent), said_by)


def _on_path(word: str, environ: Mapping[str, str]) -> Interpreter:
    """What a shell would find, of either name; neat's own where there is none."""
    for name in dict.fromkeys((word, "python", "python3")):
        if found := shutil.which(name, path=environ.get("PATH")):
            return Interpreter(found, (found,))
    return own_interpreter()
