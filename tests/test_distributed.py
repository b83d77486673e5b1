"""Which commands run under torchrun on several GPUs, and with which words."""

from __future__ import annotations

import pytest

from neatd.jobs.distributed import RUN, on_gpus, python_words

TWO = ("-m", RUN, "--standalone", "--nproc-per-node=2")


@pytest.mark.parametrize(
    "words",
    [
        ("py", "-m", "accelerate.commands.launch", "t.py"), ("py", "-m", "deepspeed", "t.py"),
        ("py", "-m", "torch.distributed.launch", "t.py"), ("py", "/env/bin/torchrun", "t.py"),
        ("py", "bin/accelerate", "launch", "t.py"), ("py", "-"), ("py", "-X", "dev"), ("py", "-u", "-c", "pass"),
    ],
)  # fmt: skip
def test_what_a_launcher_starts_and_what_is_no_program_stays(words: tuple[str, ...]) -> None:
    """By module or by script."""
    assert on_gpus(words, 1, 2) == words


@pytest.mark.parametrize("options", [("-X", "dev"), ("-u", "-W", "error"), ("-O",), ("-uB",)])
def test_options_of_python_are_the_workers_too(options: tuple[str, ...]) -> None:
    """torchrun would start them without: it is given the whole interpreter."""
    words = ("uv", "run", "python", *options, "-m", "pkg.train", "--lr", "1")
    assert on_gpus(words, 3, 2) == ("uv", "run", "python", *TWO, "--no-python", *words)


def test_a_program_needs_no_suffix() -> None:
    """A folder or a script by any name."""
    assert on_gpus(("py", "tools/train", "--x"), 1, 2) == ("py", *TWO, "tools/train", "--x")


@pytest.mark.parametrize(
    ("asked", "command", "expected"),
    [
        ("python t.py", "/env/bin/python t.py", 1), ("python3.11 t.py", "uv run --project . python t.py", 5),
        ("../env/bin/python3 t.py", "../env/bin/python3 t.py", 1), (r"env\Scripts\python.exe t.py", "x t.py", 1),
        ("uv run python t.py", "uv run python t.py", 3), ("uv run t.py", "uv run t.py", 0),
        ("bash t.sh", "bash t.sh", 0), ("torchrun t.py", "torchrun t.py", 0), ("python-config x", "python-config x", 0),
    ],
)  # fmt: skip
def test_the_words_of_the_interpreter_are_counted(asked: str, command: str, expected: int) -> None:
    """However it was written and whatever it became."""
    assert python_words(asked.split(), command.split()) == expected
