"""What the process behind a run tells of itself: where it works, on which host, its interpreter, the names of its environment's
variables, who started it, the torch it loaded and the kind of accelerator it holds open. Reads only.

Of the environment only names are kept, and the values of a short list that decide how a training runs; they are those the
process began with, because what it sets later is not visible. Secrets are taken out of whatever is text. 1 to 2 ms for a
torch process, most of it the list of its mapped files: asked once, when a run's process is found.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import psutil

from neatd.files import read_small
from neatd.models import ProcessFact
from neatd.read.proctable import PROC, ancestors_of, boot_id, read_row
from neatd.redact import redact, redact_value

JOB_VARIABLE = "NEAT_JOB_ID"
KEPT = frozenset(
    {
        "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "RANK",
        "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", JOB_VARIABLE, "SLURM_JOB_ID", "SLURM_ARRAY_TASK_ID",
        "OMP_NUM_THREADS", "CUBLAS_WORKSPACE_CONFIG",
    }
)  # fmt: skip
KEPT_PREFIXES = ("PYTORCH_", "NCCL_")
KEPT_BASES = ("VIRTUAL_ENV", "CONDA_DEFAULT_ENV")  # of a path the last part
_LONGEST = 200  # characters of a value
_MOST_NAMES = 500
_ENVIRON_BYTES = 1 << 20
_MAPS_BYTES = 8 << 20
_TORCH = re.compile(rb"(/[^\n]*/torch)/lib/[^/\n]+\.(?:so|dylib)[^/\n]*$", re.M)
_VERSION = re.compile(r"^(__version__|cuda|hip)\s*(?::[^=\n]*)?=\s*['\"]([^'\"\n]{1,60})['\"]", re.M)
# The first that fits, of the nearest ancestor that fits any.
_STARTERS = (
    ("tmux", re.compile(r"tmux(: |$)")),
    ("screen", re.compile(r"screen$", re.I)),
    ("slurm", re.compile(r"slurm(stepd|d)\b|srun$")),
    ("ssh", re.compile(r"sshd")),
    ("jupyter", re.compile(r"jupyter|ipykernel")),
    ("cron", re.compile(r"cron|atd$|anacron")),
    ("terminal", re.compile(r"gnome-terminal|konsole|xterm|x?fce4-term|alacritty|kitty|wezterm|ghostty|foot$|tilix|terminator"
                            r"|Terminal$|iTerm|WindowsTerminal|code$|code-|cursor", re.I)),
)  # fmt: skip


def described(fact: ProcessFact, proc: Path = PROC) -> ProcessFact:
    """`fact` with all that its process tells. The same fact when the process is gone; its command is left as it is."""
    row = read_row(fact.pid, proc)
    if row is None or (fact.start_ticks is not None and row.start_ticks != fact.start_ticks):
        return fact
    environment = environment_of(fact.pid, proc)
    libraries, device = libraries_of(fact.pid, proc)
    names = [one.name for one in ancestors_of(fact.pid, proc)]
    return fact.model_copy(
        update={
            **identity(fact.pid, proc),
            "cwd": redact(_link(fact.pid, "cwd", proc)),
            "host": platform.node(),
            "interpreter": redact(_link(fact.pid, "exe", proc)),
            "started_by": started_by(names, environment, _unit(fact.pid, proc), row.terminal != 0),
            "env_names": tuple(redact(name) for name in sorted(environment)[:_MOST_NAMES]),
            "env": kept_values(environment),
            "libraries": libraries,
            "device": device,
        }
    )


def identity(pid: int, proc: Path = PROC) -> dict[str, object]:
    """`start_ticks` and `boot_id` of a process, which setting the clock does not change; {} where the system has none."""
    boot, row = boot_id(proc), read_row(pid, proc)
    return {"start_ticks": row.start_ticks, "boot_id": boot} if boot and row else {}


def environment_of(pid: int, proc: Path = PROC) -> dict[str, str]:
    """The environment a process of the same user began with; {} for another user's."""
    try:
        data = read_small(proc / str(pid) / "environ", _ENVIRON_BYTES)
    except OSError:
        return _asked_environment(pid) if proc == PROC and not sys.platform.startswith("linux") else {}
    pairs = (entry.decode("utf-8", "replace").partition("=") for entry in data.split(b"\0") if b"=" in entry)
    return {name: value for name, _, value in pairs if name}


def _asked_environment(pid: int) -> dict[str, str]:
    try:
        return psutil.Process(pid).environ()
    except (psutil.Error, OSError):
        return {}


def kept_values(environment: Mapping[str, str]) -> dict[str, str]:
    """The few values that decide how a training runs, without secrets; of an environment's place its name alone."""
    found = {}
    for name in sorted(environment):
        value = environment[name]
        if name in KEPT_BASES:
            value = re.split(r"[/\\]", value.rstrip("/\\"))[-1]
        elif name not in KEPT and not name.startswith(KEPT_PREFIXES):
            continue
        found[name] = str(redact_value(value[:_LONGEST], name))
    return found


def started_by(names: Iterable[str], environment: Mapping[str, str], unit: str = "", has_terminal: bool = False) -> str:
    """Who started a process, from the names of its ancestors (the nearest first), what it was told, its systemd unit and
    whether it has a terminal. An ancestor says most; what outlived its parent still has its environment."""
    for name in names:
        for starter, pattern in _STARTERS:
            if pattern.match(name):
                return starter
    told = (("TMUX", "tmux"), ("STY", "screen"), ("SLURM_JOB_ID", "slurm"), ("SSH_CONNECTION", "ssh"))
    for variable, starter in told:
        if environment.get(variable):
            return starter
    if unit.endswith(".service") and not unit.startswith("user@"):
        return "systemd"
    return "terminal" if has_terminal else ""


def libraries_of(pid: int, proc: Path = PROC) -> tuple[dict[str, str], str]:
    """(the versions of the torch that is loaded, the accelerator held open), from the mapped files; nothing where they are
    not told."""
    try:
        maps = read_small(proc / str(pid) / "maps", _MAPS_BYTES)
    except OSError:
        return {}, ""
    device = "cuda" if b"/dev/nvidia" in maps else "rocm" if b"/dev/kfd" in maps else ""
    found = _TORCH.search(maps)
    return (_torch_versions(Path(os.fsdecode(found[1]))) if found else {}), device


def _torch_versions(folder: Path) -> dict[str, str]:
    """torch, cuda and hip from the version.py of an installed torch, read as text."""
    try:
        text = read_small(folder / "version.py", 1 << 16).decode("utf-8", "replace")
    except OSError:
        return {}
    return {("torch" if name == "__version__" else name): value for name, value in _VERSION.findall(text)}


def _link(pid: int, name: str, proc: Path) -> str:
    """Where /proc/PID/cwd or exe leads, by psutil elsewhere; "" when it may not be known."""
    try:
        return _text(os.readlink(proc / str(pid) / name))  # noqa: PTH115 - the bytes as they are
    except OSError:
        pass
    if proc != PROC or sys.platform.startswith("linux"):
        return ""
    try:
        process = psutil.Process(pid)
        return _text(process.cwd() if name == "cwd" else process.exe())
    except (psutil.Error, OSError):
        return ""


def _text(path: str) -> str:
    """A path may be any bytes, the store holds UTF-8."""
    return path.encode("utf-8", "replace").decode()


def _unit(pid: int, proc: Path) -> str:
    """The innermost part of the process's control group: the systemd unit, where systemd made it."""
    try:
        text = read_small(proc / str(pid) / "cgroup", 1 << 16).decode("utf-8", "replace")
    except OSError:
        return ""
    paths = [line.split(":", 2)[-1] for line in text.splitlines() if line.startswith(("0::", "1:name=systemd:"))]
    return next((path.rpartition("/")[2] for path in paths if path.strip("/")), "")
