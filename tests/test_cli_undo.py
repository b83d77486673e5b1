"""`neat init --undo`: exactly what init put into a project goes, to the byte, whatever was there and whatever came since."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from neatd.actions.changes import Change, carry_out
from tests.cli_place import Cli
from tests.conftest import Neat, until
from tests.mother import run_born

ALL = ("--assistant", "claude-code", "--assistant", "codex", "--assistant", "cursor")
OWN = {
    ".claude/settings.json": json.dumps(
        {"permissions": {"allow": ["Bash(ls:*)"]},
         "hooks": {"SessionStart": [{"matcher": "startup", "hooks": [{"type": "command", "command": "make env"}]}]}},
        indent=4,
    ).encode() + b"\n",
    ".mcp.json": b'{"mcpServers":{"db":{"command":"db-mcp","args":[]}}}',
    "CLAUDE.md": b"# Rules\r\n- be kind\r\n",
    "AGENTS.md": b"# Agents\n\nno last newline",
    ".cursor/rules/mine.mdc": b"---\nalwaysApply: false\n---\nmine\n",
    ".cursor/mcp.json": b'{\n\t"mcpServers": {\n\t}\n}\n',
    ".codex/config.toml": b'model = "x" # mine\n\n[mcp_servers.db]\ncommand = "db"\n',
    ".codex/hooks.json": b'{ "hooks" : {} }',
    ".gitattributes": b"*.pt binary",
    "train.py": b"print(1)\n",
}  # fmt: skip


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(tmp_path, monkeypatch, capsys)


def tree(root: Path) -> dict[str, bytes | str | None]:
    """Every folder, link and file below `root` with its bytes; of git what init touches."""
    found: dict[str, bytes | str | None] = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if name.startswith(".git/") and name not in (".git/config", ".git/hooks/pre-commit"):
            continue
        found[name] = str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else None
    return found


def fill(root: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


@pytest.mark.parametrize("with_git", [True, False], ids=["git", "no git"])
@pytest.mark.parametrize("files", [OWN, {}, dict.fromkeys(OWN, b"")], ids=["own settings", "empty", "empty files"])
def test_undo_leaves_every_byte_as_it_was(cli: Cli, files: dict[str, bytes], with_git: bool) -> None:
    """A repository with settings of its own, one with nothing, one with files that hold nothing; no folder is left."""
    if with_git:
        subprocess.run(["git", "init", "-q"], check=True)
    fill(cli.root, files)
    before = tree(cli.root)
    cli.ok("init", "--yes", *ALL)
    assert len(tree(cli.root)) > len(before)
    cli.ok("init", "--yes", *ALL, "--command", "/opt/neat")
    cli.ok("note", "kept")
    cli.ok("init", "--undo", "--yes")
    assert tree(cli.root) == before
    assert "nothing to undo" in cli.ok("init", "--undo")
    assert tree(cli.root) == before


def test_folders_that_were_there_empty_stay(cli: Cli) -> None:
    """Those of assistants, and .neat itself; a CLAUDE.md without a byte too."""
    for name in (".claude", ".cursor/rules", ".codex", ".neat"):
        (cli.root / name).mkdir(parents=True)
    (cli.root / "CLAUDE.md").touch()
    before = tree(cli.root)
    cli.ok("init", "--yes", *ALL)
    cli.ok("init", "--undo", "--yes")
    assert tree(cli.root) == before


def test_undo_does_not_follow_a_link_out_of_the_project(cli: Cli, tmp_path: Path) -> None:
    """What lies behind it is nobody's business; the rest is taken out."""
    cli.init(is_typed=True)
    (cli.root / ".neat").rename(tmp_path / "outside")
    (cli.root / ".neat").symlink_to(tmp_path / "outside")
    before = tree(tmp_path / "outside")
    cli.ok("init", "--undo", "--yes")
    assert tree(tmp_path / "outside") == before
    assert {name for name, held in tree(cli.root).items() if held is not None} >= {".neat", "CLAUDE.md"}
    assert not (cli.root / "neat.yaml").exists()
    assert "leads out" in cli.refused("init", "--yes") and not (cli.root / "neat.yaml").exists()


def test_undo_after_the_daemon_was_at_work(neat: Neat) -> None:
    """It lets the folder go, writes nothing there any more, and goes on with its other projects."""
    neat.call("neat", "init", "--undo", "--yes")
    assert tree(neat.root) == {}
    fill(neat.root, OWN)
    before = tree(neat.root)
    neat.call("neat", "init", "--yes", *ALL)
    neat.start()
    neat.metrics("runs/a", {"step": 1, "loss": 1.0})
    neat.wait_for_points("runs/a", "loss", 1)
    brief = neat.root / ".neat" / "brief.md"
    until(lambda: brief.exists() and "runs/a" in brief.read_text(), "a brief that names the run")
    neat.call("neat", "init", "--undo", "--yes")
    assert neat.json("neatd", "status")["roots"] == []
    runs = {"runs": None, "runs/a": None, "runs/a/metrics.jsonl": b'{"step": 1, "loss": 1.0}\n'}
    assert tree(neat.root) == before | runs
    neat.metrics("runs/a", {"step": 2, "loss": 0.5})
    neat.call("neat", "init", "--yes", "--assistant", "none")
    neat.wait_for_points("runs/a", "loss", 2)  # the same project again, followed again from where it stood


def test_a_folder_that_is_set_up_again_is_the_same_project(cli: Cli) -> None:
    """Its records are found; what was allowed there has to be allowed anew."""
    cli.init(is_typed=True)
    first = yaml.safe_load((cli.root / "neat.yaml").read_text())["id"]
    cli.ok("note", "kept")
    cli.ok("allow", "retention")
    cli.ok("init", "--undo", "--yes")
    assert "no neat.yaml" in cli.refused("list")
    cli.init(is_typed=True)
    assert yaml.safe_load((cli.root / "neat.yaml").read_text())["id"] == first
    assert [one["title"] for one in cli.json("list", "note")] == ["kept"]
    assert cli.json("allow") == {}


def test_undo_shows_asks_and_no_means_no(cli: Cli) -> None:
    """As init does; a dry run asks nothing and changes nothing."""
    cli.init(is_typed=True)
    before = tree(cli.root)
    program = "from neatd.cli.main import main; main()"
    command = [sys.executable, "-c", program, "init", "--undo"]
    asked = run_born(command, input="n\n", capture_output=True, text=True, timeout=30)
    assert asked.returncode == 130 and "remove: neat.yaml\n" in asked.stderr
    answer = cli("init", "--undo", "--dry-run")
    assert answer.code == 0 and "remove: neat.yaml\n" in answer.err and tree(cli.root) == before


def test_what_is_the_users_stays_and_is_named(cli: Cli) -> None:
    """Records on their way, rules, templates, the trash with what keeps it out of git; a neat.yaml that says more."""
    cli.init(is_typed=True)
    (cli.root / "neat.yaml").write_text((cli.root / "neat.yaml").read_text() + "phase: pilot\n")
    mine = {".neat/knowledge.jsonl": b"", ".neat/rules/r.yaml": b"", ".neat/trash/b/x.pt": b"weights"}
    fill(cli.root, mine)
    (cli.root / ".neat" / "inbox").mkdir()
    answer = cli("init", "--undo", "--yes")
    assert "stays: .neat/.gitignore, .neat/knowledge.jsonl, .neat/rules/, .neat/trash/" in answer.out
    assert "left alone: neat.yaml: " in answer.err and answer.code == 0
    left = [name for name, content in tree(cli.root).items() if content is not None]
    assert sorted(left) == sorted(["neat.yaml", ".neat/.gitignore", *mine])


def test_the_line_that_was_put_before_a_neat_yaml_goes(cli: Cli) -> None:
    """One that was written by hand without an id is as it was."""
    (cli.root / "neat.yaml").write_text("phase: pilot\n")
    cli.init(is_typed=True)
    assert (cli.root / "neat.yaml").read_text().endswith('"\nphase: pilot\n')
    cli.ok("init", "--undo", "--yes")
    assert tree(cli.root) == {"neat.yaml": b"phase: pilot\n"}


def test_what_was_written_since_stays(cli: Cli) -> None:
    """Of files that init made, and of settings that were changed in other places."""
    fill(cli.root, {".claude/settings.json": OWN[".claude/settings.json"]})
    cli.ok("init", "--yes", *ALL)
    path = cli.root / ".claude" / "settings.json"
    path.write_bytes(path.read_bytes().replace(b"Bash(ls:*)", b"Bash(make:*)"))
    for name in ("CLAUDE.md", ".cursor/rules/neat.mdc"):
        (cli.root / name).write_bytes((cli.root / name).read_bytes() + b"mine\n")
    servers = json.loads((cli.root / ".mcp.json").read_text())
    (cli.root / ".mcp.json").write_text(json.dumps(servers | {"a": 1}, indent=4))
    (cli.root / ".codex" / "mine").write_bytes(b"")
    cli.ok("init", "--undo", "--yes")
    found = tree(cli.root)
    assert found[".claude/settings.json"] == OWN[".claude/settings.json"].replace(b"Bash(ls:*)", b"Bash(make:*)")
    assert found["CLAUDE.md"] == b"mine\n" and found[".mcp.json"] == b'{\n    "a": 1\n}'
    assert (cli.root / ".cursor" / "rules" / "neat.mdc").read_text().endswith("---\nmine\n")
    assert set(found) == {
        ".claude", ".claude/settings.json", "CLAUDE.md", ".mcp.json", ".cursor", ".cursor/rules",
        ".cursor/rules/neat.mdc", ".codex", ".codex/mine",
    }  # fmt: skip


def test_in_a_clone_only_what_is_provably_neats_goes(cli: Cli) -> None:
    """Without the manifest nobody knows whose an empty CLAUDE.md was: it stays, without neat's block."""
    subprocess.run(["git", "init", "-q"], check=True)
    cli.ok("init", "--yes", *ALL)
    (cli.root / ".neat" / "init.json").unlink()
    left = {one["path"] for one in cli.json("init", "--undo", "--yes")["left_alone"]}
    files = {
        name: content
        for name, content in tree(cli.root).items()
        if isinstance(content, bytes) and name != ".git/config"
    }
    assert files == {
        "CLAUDE.md": b"", "AGENTS.md": b"", ".claude/settings.json": b"{}\n", ".mcp.json": b"{}\n",
        ".codex/hooks.json": b"{}\n", ".codex/config.toml": b"", ".cursor/mcp.json": b"{}\n",
        ".gitattributes": b"",
    }  # fmt: skip
    assert left == set(files), "each is named, for who knows whether it was there"


@pytest.mark.parametrize("target", ["AGENTS.md", "docs/rules/agents.md"])
@pytest.mark.parametrize("names", [ALL, ALL[:2]], ids=["all", "one"])
def test_what_was_made_behind_a_link_goes(cli: Cli, target: str, names: tuple[str, ...]) -> None:
    """The link led nowhere before, and does so again; one that led to an empty file leads to it still."""
    (cli.root / "CLAUDE.md").symlink_to(target)
    before = tree(cli.root)
    cli.ok("init", "--yes", *names)
    assert (cli.root / target).stat().st_size > 100
    cli.ok("init", "--yes", *names)
    cli.ok("init", "--undo", "--yes")
    assert tree(cli.root) == before
    fill(cli.root, {target: b""})
    before = tree(cli.root)
    cli.ok("init", "--yes", *names)
    cli.ok("init", "--undo", "--yes")
    assert tree(cli.root) == before


def test_a_manifest_removes_no_folder_or_file_that_init_does_not_make(cli: Cli) -> None:
    """Empty ones of git's and of the user's, a package's empty file behind a link: a clone may bring such a manifest."""
    subprocess.run(["git", "init", "-q"], check=True)
    (cli.root / "package").mkdir()
    (cli.root / "package" / "__init__.py").touch()
    (cli.root / "AGENTS.md").symlink_to("package/__init__.py")
    (cli.root / "empty").mkdir()
    cli.ok("init", "--yes", *ALL[:2])
    path = cli.root / ".neat" / "init.json"
    data = json.loads(path.read_text())
    data["folders"] += [".git/refs/tags", ".git/objects/info", "empty", "package", "../", "."]
    data["made"] += ["package/__init__.py", "AGENTS.md"]
    path.write_text(json.dumps({**data, "id_line": (cli.root / "neat.yaml").read_text()[:80]}))
    cli.ok("init", "--undo", "--yes")
    assert all((cli.root / one).is_dir() for one in (".git/refs/tags", ".git/objects/info", "empty"))
    assert (cli.root / "package" / "__init__.py").exists() and not (cli.root / ".claude").exists()


@pytest.mark.parametrize("manifest", [b"", b"[]", b'{"made": 1}', b'{"made": ["train.py", "../x"], "folders": [".."]}'])
def test_a_manifest_is_never_followed(cli: Cli, manifest: bytes) -> None:
    """One that is damaged, or that names files of others, as a clone might bring."""
    fill(cli.root, {"train.py": b""})
    (cli.root.parent / "x").write_bytes(b"")
    cli.init(is_typed=True)
    (cli.root / ".neat" / "init.json").write_bytes(manifest)
    cli.ok("init", "--undo", "--yes")
    assert (cli.root / "train.py").exists() and (cli.root.parent / "x").exists() and cli.root.is_dir()


def test_settings_that_broke_since_are_left_alone(cli: Cli) -> None:
    """What to take out by hand is said; everything else goes."""
    cli.init(is_typed=True)
    path = cli.root / ".mcp.json"
    path.write_text("// mine\n" + path.read_text())
    (left,) = cli.json("init", "--undo", "--yes")["left_alone"]
    assert left["path"] == ".mcp.json" and "by hand" in left["reason"] and list(tree(cli.root)) == [".mcp.json"]


def test_what_changed_while_somebody_was_asked_is_left_alone(tmp_path: Path) -> None:
    """What was shown is no longer what would be written over."""
    (tmp_path / "a").write_bytes(b"new")
    done, left = carry_out(tmp_path, [Change("a", b"old", b"x"), Change("b", None, b"y")])
    assert done == ["b"] and left[0].path == "a" and "meanwhile" in left[0].reason
    assert (tmp_path / "a").read_bytes() == b"new"


# The child ends itself, as a kill would, right before its n-th change of the project.
KILLED = """
import os, sys
from neatd.cli.main import neat, run
root, left = sys.argv[1], [int(sys.argv[2])]
def look(event, arguments):
    if event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir") and str(arguments[0]).startswith(root):
        left[0] -= 1
        if left[0] < 0:
            os._exit(9)
sys.addaudithook(look)
sys.exit(run(neat, sys.argv[3:]))
"""


COMMANDS = [("init", "--yes"), ("init", "--undo", "--yes")]


@pytest.mark.parametrize("words", COMMANDS, ids=["init", "undo"])
def test_what_was_killed_at_some_point_is_finished_by_the_next(cli: Cli, words: tuple[str, ...]) -> None:
    """Undo leaves the tree as it was, wherever the one before it, or init, was ended: here at every third change."""
    kill_and_finish(cli, words, 3)


def kill_and_finish(cli: Cli, words: tuple[str, ...], every: int) -> None:
    """A command is killed before its first change, and again before each `every`-th one after it."""
    if "--undo" in words:
        subprocess.run(["git", "init", "-q"], check=True)
    fill(cli.root, {name: OWN[name] for name in (".claude/settings.json", "CLAUDE.md", ".gitattributes")})
    before = tree(cli.root)
    killed, point, kills = 9, 0, 0
    while killed == 9:
        if "--undo" in words:
            cli.init(is_typed=True)
        done = run_born(
            [sys.executable, "-c", KILLED, str(cli.root), str(point), *words], capture_output=True, timeout=60
        )
        killed, point, kills = done.returncode, point + every, kills + 1
        if "--undo" not in words and kills % 2:  # every other time init comes again before the undo
            cli.init(is_typed=True)
        cli.ok("init", "--undo", "--yes")
        assert tree(cli.root) == before, f"killed before change {point - every}"
    assert killed == 0 and point > 6
