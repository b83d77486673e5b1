"""What git has to know so that `.neat/knowledge.jsonl` merges by record: a merge driver, and a hook for who wants one.

Changes two things of the repository, its configuration and a line of `.gitattributes`, and takes both back. A hook that
is not ours is never touched, nor one that other repositories share.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

from neatd.errors import NeatError
from neatd.files import inside, is_inside, read_small, write_atomic

ATTRIBUTE = b".neat/knowledge.jsonl merge=neat"
DRIVER = {"merge.neat.name": "neat: by record and time", "merge.neat.driver": "neat merge-driver %O %A %B"}
_OURS = "# written by neat (`neat sync --hook`); `neat sync --uninstall` takes it out"
_MOST = 1 << 20
# In a hook git points these at the repository that is committing, which need not be the one asked about here.
_MISLEADING = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_NAMESPACE", "GIT_CONFIG",
               "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT", "GIT_OBJECT_DIRECTORY", "GIT_IMPLICIT_WORK_TREE")  # fmt: skip


def install(root: Path) -> list[str]:
    """Have git merge the knowledge of the project at `root` by record; returns what was changed, [] when nothing was or
    there is no repository."""
    if _git(root, "rev-parse", "--git-dir") is None:
        return []
    path = _attributes(root)
    old = _content(path)
    changed = []
    for name, value in DRIVER.items():
        if _git(root, "config", "--local", "--get", name) != value:
            _must(root, "config", "--local", name, value)
            changed.append(f"git config {name}")
    if ATTRIBUTE not in _lines(old):
        end = b"\r\n" if b"\r\n" in old else b"\n"
        is_open = bool(old) and not old.endswith(b"\n")  # a last line without an end: ours has none either, which tells
        write_atomic(path, old + (end + ATTRIBUTE if is_open else ATTRIBUTE + end))
        changed.append(path.name)
    return changed


def is_installed(root: Path) -> bool:
    """Whether git merges by record here."""
    has_driver = all(_git(root, "config", "--local", "--get", name) == value for name, value in DRIVER.items())
    return has_driver and ATTRIBUTE in _lines(_content(_attributes(root)))


def would_install(root: Path) -> bool:
    """Whether `install` has something to change: there is a repository, and it is not set up."""
    return _git(root, "rev-parse", "--git-dir") is not None and not is_installed(root)


def uninstall(root: Path) -> list[str]:
    """Take out the driver, its line in .gitattributes and the hook, as far as they are ours; returns what was changed."""
    changed = []
    if _git(root, "config", "--local", "--get", "merge.neat.driver") == DRIVER["merge.neat.driver"]:
        _must(root, "config", "--local", "--remove-section", "merge.neat")
        changed.append("git config merge.neat")
    path = _attributes(root)
    old = _content(path)
    kept = _without_attribute(old)
    if kept != old:
        write_atomic(path, kept) if kept else path.unlink()
        changed.append(path.name)
    hook = _hook_path(root)
    if hook and _is_ours(hook):
        hook.unlink()
        changed.append(f"hook {hook.name}")
    return changed


def is_there(root: Path) -> bool:
    """Whether anything of ours is, which `uninstall` would take out."""
    has_driver = _git(root, "config", "--local", "--get", "merge.neat.driver") == DRIVER["merge.neat.driver"]
    hook = _hook_path(root)
    return has_driver or ATTRIBUTE in _lines(_content(_attributes(root))) or bool(hook and _is_ours(hook))


def _without_attribute(old: bytes) -> bytes:
    """Without our line, and without the end that the line before it was given for ours."""
    lines = old.splitlines(keepends=True)
    kept = b"".join(line for line in lines if line.strip() != ATTRIBUTE)
    return kept.removesuffix(b"\n").removesuffix(b"\r") if len(lines) > 1 and lines[-1] == ATTRIBUTE else kept


def install_hook(root: Path) -> Path | None:
    """Have each commit take the current knowledge along; returns the hook, None when it stood so already.

    Raises NeatError when there is a hook already, or the hooks are those of other repositories too.
    """
    hook = _hook_path(root)
    if hook is None:
        raise NeatError(f"{root} is in no git repository", "`git init` makes one")
    common = root / _must(root, "rev-parse", "--git-common-dir")
    top = Path(_must(root, "rev-parse", "--show-toplevel"))
    if not (is_inside(hook, common) or is_inside(hook, top)):
        raise NeatError(f"{hook.parent} holds the hooks of other repositories too", _BY_HAND)
    if os.path.lexists(hook) and not _is_ours(hook):
        raise NeatError(f"there is a hook already: {hook}", _BY_HAND)
    text = _hook(root.resolve().relative_to(top.resolve())).encode()
    if _content(hook) == text:
        return None
    write_atomic(hook, text)
    hook.chmod(0o755)
    return hook


def merge_as_text(base: Path, ours: Path, theirs: Path) -> None:
    """Merge as git does by itself, line by line, with its markers left in `ours`."""
    labels = ("-L", "ours", "-L", "base", "-L", "theirs")
    _run(ours.absolute().parent, "merge-file", *labels, *(str(path.absolute()) for path in (ours, base, theirs)))


_BY_HAND = "put this line into a hook of yours: neat sync && git add .neat/knowledge.jsonl"


def _hook(folder: Path) -> str:
    """The hook: it never stops a commit. Where only named files are committed (git's next-index) it adds nothing, since
    the index proper would then lack what the commit has."""
    return f"""\
#!/bin/sh
{_OURS}
cd -- {shlex.quote(folder.as_posix())} 2>/dev/null && [ -f neat.yaml ] || exit 0
case "$GIT_INDEX_FILE" in *next-index-*) exit 0 ;; esac
neat sync >/dev/null && [ -f .neat/knowledge.jsonl ] && git add -- .neat/knowledge.jsonl
exit 0
"""


def _hook_path(root: Path) -> Path | None:
    folder = _git(root, "rev-parse", "--git-path", "hooks")  # relative to the folder where git is asked
    return root / folder / "pre-commit" if folder else None


def _is_ours(hook: Path) -> bool:
    return not hook.is_symlink() and _OURS.encode() in _lines(_content(hook))


def _attributes(root: Path) -> Path:
    path = inside(root, ".gitattributes")
    if path.is_symlink():
        raise NeatError(f"{path} is a link, which git does not follow", f"make it a file, or add: {ATTRIBUTE.decode()}")
    return path


def _content(path: Path) -> bytes:
    try:
        return read_small(path, _MOST)
    except FileNotFoundError:
        return b""


def _lines(content: bytes) -> list[bytes]:
    return [line.strip() for line in content.splitlines()]


def _must(root: Path, *words: str) -> str:
    done = _run(root, *words)
    if done.returncode:
        raise NeatError(f"git {words[0]} failed in {root}: {done.stderr.strip()}", "mend what git says, and try again")
    return done.stdout.strip()


def _git(root: Path, *words: str) -> str | None:
    """What git answers; None when it has no answer, or is not there."""
    try:
        done = _run(root, *words)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _run(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in _MISLEADING}
    return subprocess.run(
        ["git", *words], cwd=root, env=environment, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
