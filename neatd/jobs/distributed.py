"""A Python program on several GPUs: the command that runs one process for each, under torchrun. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from neatd.jobs.interpreter import is_python

RUN = "torch.distributed.run"
_FLAG = re.compile(r"-[bBdEiIOPqsSuvx]+")  # Python's own options, which may stand before the program
_WITH_VALUE = ("-W", "-X")
_UNBUFFERED = ("-u",)  # which torchrun gives its workers by itself; of all others it knows nothing
_LAUNCHERS = re.compile(
    r"torch\.distributed\.(?:run|launch)|(?:accelerate|deepspeed|horovod|torchx|lightning)(?:\..*)?"
)
_PROGRAMS = re.compile(r"(?:.*[/\\])?(?:torchrun|accelerate|deepspeed|horovodrun|mpirun|torchx)(?:\.py|\.exe)?")


def python_words(asked: Sequence[str], command: Sequence[str]) -> int:
    """How many words of `command`, which `asked` was resolved to, start the interpreter; 0 for what is no Python program."""
    if is_python(re.split(r"[/\\]", asked[0])[-1]):
        return len(command) - len(asked) + 1
    return 3 if tuple(asked[:2]) == ("uv", "run") and len(asked) > 3 and is_python(asked[2]) else 0


def on_gpus(words: tuple[str, ...], python: int, gpus: int) -> tuple[str, ...]:
    """`words`, of which the first `python` start the interpreter, for so many GPUs. As they are for one GPU, for what is no
    Python program, for a text (`-c`), and for a program that is started by a launcher already.

    Options of Python itself are the workers' too.
    """
    begin = _program(words, python)
    rest = words[begin:]
    is_module = rest[:1] == ("-m",) and len(rest) > 1
    if gpus < 2 or not python or not (is_module or (rest and not rest[0].startswith("-"))):
        return words
    if (is_module and _LAUNCHERS.fullmatch(rest[1])) or _PROGRAMS.fullmatch(rest[0]):
        return words
    run = ("-m", RUN, "--standalone", f"--nproc-per-node={gpus}")
    if words[python:begin] in ((), _UNBUFFERED):
        return (*words[:begin], *run, *rest)
    return (*words[:python], *run, "--no-python", *words)


def _program(words: tuple[str, ...], begin: int) -> int:
    """Where the program stands, after Python's options."""
    while begin < len(words) and (words[begin] in _WITH_VALUE or _FLAG.fullmatch(words[begin])):
        begin += 2 if words[begin] in _WITH_VALUE else 1
    return begin
