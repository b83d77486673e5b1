"""The command line from outside: every command explains itself, and every mistake ends in words."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import click
import pytest

from neatd.cli.main import NEAT, NEATD, neat, neatd
from neatd.store.opening import connect
from tests.cli_place import Cli


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(tmp_path, monkeypatch, capsys)


def commands(group: click.Group, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], click.Command]]:
    """Every command below a group, with the words that lead to it."""
    found: list[tuple[tuple[str, ...], click.Command]] = []
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        found.append(((*path, name), command))
        if isinstance(command, click.Group):
            found += commands(command, (*path, name))
    return found


ALL = [*commands(neat, ("neat",)), *commands(neatd, ("neatd",))]
LEAVES = [(words, command) for words, command in ALL if not isinstance(command, click.Group)]
IDS = [" ".join(words) for words, _ in ALL]


@pytest.mark.parametrize(("words", "command"), ALL, ids=IDS)
def test_every_command_helps(cli: Cli, words: tuple[str, ...], command: click.Command) -> None:
    """--help works in any folder, touches nothing, and begins with what to type."""
    program = [] if words[0] == "neat" else ["neatd"]
    text = cli.ok(*program, *words[1:], "--help")
    assert text.startswith(f"Usage: {' '.join(words)} [OPTIONS]")
    assert not cli.home.exists() and list(cli.root.iterdir()) == []


@pytest.mark.parametrize(("words", "command"), LEAVES, ids=[" ".join(words) for words, _ in LEAVES])
def test_every_command_shows_an_example(words: tuple[str, ...], command: click.Command) -> None:
    """The help holds at least one line that can be typed as it stands, and it is of this very command."""
    assert re.search(rf"(?m)^\s*(?:\S.* && )?{' '.join(words)}\b", command.help or "")


@pytest.mark.parametrize(("words", "command"), LEAVES, ids=[" ".join(words) for words, _ in LEAVES])
def test_examples_use_options_that_exist(words: tuple[str, ...], command: click.Command) -> None:
    """Every option in an example is one of the command's."""
    known = {option for parameter in command.params for option in parameter.opts}
    # What follows a bare `--` is another program's.
    lines = [line.partition(" -- ")[0] for line in (command.help or "").splitlines() if " ".join(words) in line]
    bare = re.sub(r"\"[^\"]*\"|'[^']*'", "", "\n".join(lines))
    assert set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", bare)) <= known


@pytest.mark.parametrize(("table", "group"), [(NEAT, neat), (NEATD, neatd)], ids=["neat", "neatd"])
def test_the_table_says_what_the_commands_say(table: dict[str, tuple[str, str, str]], group: click.Group) -> None:
    """The one-line help in the table, which `neat --help` prints without loading a command, is its docstring's first line."""
    for name, (_, _, text) in table.items():
        command = group.get_command(click.Context(group), name)
        assert command is not None and command.help is not None
        assert command.help.splitlines()[0] == text, name


@pytest.mark.parametrize("program", ["neat", "neatd"])
def test_the_help_lists_every_command(cli: Cli, program: str) -> None:
    """Each name stands in the list with its help."""
    text = " ".join(cli.ok(*([] if program == "neat" else ["neatd"]), "--help").split())
    for name, (_, _, line) in (NEAT if program == "neat" else NEATD).items():
        assert f" {name} {line}" in text


def test_an_unknown_command_is_usage_and_the_nearest_is_offered(cli: Cli) -> None:
    """Exit code 2, and a word on what was probably meant."""
    answer = cli("hypotesis", "x")
    assert answer.code == 2 and "Did you mean 'hypothesis'?" in answer.err


@pytest.mark.parametrize(
    "words",
    [("note",), ("show",), ("series", "x"), ("task", "x", "--top", "--after", "t-1"), ("brief", "--budget", "few"),
     ("search", "x", "--limit", "0"), ("search", "x", "--limit", "9" * 30), ("neatd", "logs", "-n", "-1"), ("note", "--no"),
     ("completion", "csh"), ("rules", "chek"), ("neatd", "begin")],
)  # fmt: skip
def test_wrong_usage_is_exit_2(cli: Cli, words: tuple[str, ...]) -> None:
    """A missing word, an unknown option or a value out of range: the usage, exit 2, no traceback."""
    answer = cli(*words)
    assert answer.code == 2 and "Usage:" in answer.err and "Traceback" not in answer.err


@pytest.mark.parametrize(
    "words",
    [("note", "x"), ("list",), ("runs",), ("search", "x"), ("brief",), ("handoff",), ("allow",), ("table",), ("events",),
     ("show", "n-1"), ("retention", "plan"), ("baseline", "x"), ("train", "lm")],
)  # fmt: skip
def test_outside_of_a_project_the_hint_is_init(cli: Cli, words: tuple[str, ...]) -> None:
    """Each command says where it looked and what to type."""
    error = cli.refused(*words)
    if "needs torch" not in error:  # without torch the trainer says so first
        assert f"no neat.yaml in {cli.root}" in error and "`neat init`" in error


def test_a_broken_store_is_said_in_two_lines_and_left_alone(cli: Cli) -> None:
    """Error, hint, exit 1; the broken file keeps its bytes."""
    cli.init()
    connect(cli.home).close()
    store = cli.home / "neat.db"
    store.write_bytes(b"not a database, but long enough to look like one" * 100)
    before = store.read_bytes()
    for words in (("note", "x"), ("list",), ("search", "x"), ("brief",)):
        assert str(store) in cli.refused(*words)
    assert store.read_bytes() == before


def test_a_locked_store_is_an_error_not_a_traceback(cli: Cli) -> None:
    """What SQLite says is passed on with what to do."""
    cli.init()
    with cli.store() as store:
        store.execute("DROP TABLE note")
    assert "no such table" in cli.refused("note", "x")


def test_a_mistake_in_neat_yaml_is_named_by_line(cli: Cli) -> None:
    """Reading commands refuse a project file that is wrong, with file, line and field."""
    cli.init()
    with (cli.root / "neat.yaml").open("a") as file:
        file.write("primry: {metric: loss}\n")
    line = len((cli.root / "neat.yaml").read_text().splitlines())
    assert f"{cli.root / 'neat.yaml'}:{line}: primry" in cli.refused("runs")


def test_text_that_is_no_unicode_is_kept_with_a_question_mark(cli: Cli) -> None:
    """An argument with stray bytes reaches Python as a lone surrogate, which no store can hold."""
    cli.init()
    decision = cli.keep("decide", "x")
    cli.ok("edit", decision, "why=caf\udce9")
    assert cli.json("list", "decision")[0]["why"] == "caf?"


@pytest.mark.skipif(sys.platform == "win32", reason="a closed pipe is told otherwise there")
def test_a_closed_pipe_ends_in_silence(cli: Cli) -> None:
    """`neat list | head` prints no traceback, whether the pipe closes before or during the output."""
    cli.init()
    with cli.store() as store:
        columns = "id, project_id, title, created_at, updated_at"
        store.executemany(
            f"INSERT INTO note ({columns}) SELECT ?, id, ?, created_at, created_at FROM project",
            [(f"n-{number:016d}", "word " * 50) for number in range(150)],
        )
    program = "from neatd.cli.main import main; main()"
    for words in (["list", "note"], ["--help"]):
        child = subprocess.Popen(
            [sys.executable, "-c", program, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert child.stdout is not None and child.stderr is not None
        child.stdout.close()
        assert child.stderr.read() == ""
        child.stderr.close()
        child.wait(timeout=30)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_line_for_both_commands(cli: Cli, shell: str) -> None:
    """The line sets click's own completion up for neat and neatd."""
    text = cli.ok("completion", shell)
    assert f"_NEAT_COMPLETE={shell}_source neat" in text and f"_NEATD_COMPLETE={shell}_source neatd" in text


def test_completion_completes_commands() -> None:
    """The shell's question for `neat hy` is answered from the table."""
    found = neat.shell_complete(click.Context(neat), "hy")
    assert [one.value for one in found] == ["hypothesis"]


def test_the_sqlite_here_can_search() -> None:
    """Full-text search and upserts need SQLite 3.24 with FTS5."""
    assert sqlite3.sqlite_version_info >= (3, 24)
    sqlite3.connect(":memory:").execute("CREATE VIRTUAL TABLE t USING fts5 (x)")
