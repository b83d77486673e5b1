"""The arrows of the architecture, read from every import in neatd/, those inside functions too."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import NamedTuple

import pytest

from neatd.cli.main import NEAT, NEATD

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "neatd"
BASE = {
    "errors",
    "models",
    "policy",
    "kinds",
    "knowledge",
    "config",
    "expressions",
    "files",
    "heap",
    "place",
    "who",
    "lineage",
    "lifesign",
    "now",
    "locks",
    "notify",
    "starts",
    "redact",
    "private",
    "redact_names",
    "redact_shapes",
    "redact_own",
    "redact_values",
    "wording",
    "yamlplaces",
}
STAGES = {"watch", "read", "store", "rules", "actions", "jobs", "studies", "assist"}
JOINED = BASE | STAGES | {"pipeline"}
# Who may import whom, by the first name below neatd. A new name has to be placed here.
MAY_IMPORT = {
    **dict.fromkeys(BASE, BASE),
    **{name: BASE | {name} for name in STAGES},
    "pipeline": JOINED,
    "control": BASE,
    "service": BASE | {"control", "service"},
    "doors": BASE | {"doors"},
    "daemon": JOINED | {"control", "doors"},
    "served": BASE | {"daemon"},
    "demo": JOINED | {"control", "daemon"},
    "mcp": JOINED | {"mcp"},
    "web": JOINED | {"control", "doors", "service", "web"},
    "cli": JOINED | {"control", "doors", "service", "daemon", "served", "demo", "mcp", "cli"},
    "__main__": {"cli"},
}
# Each of these costs tens of milliseconds or more, so it is loaded by one file and those that need that file.
ONE_FILE = {
    "torch",
    "optuna",
    "mcp",
    "pynvml",
    "git",
    "apscheduler",
    "detect_secrets",
    "apprise",
    "watchdog",
}
# These serve the page: its process loads them, and no other part of neatd.
ONLY_THE_PAGE = {"fastapi", "starlette", "uvicorn", "anyio"}
# A module that calls itself pure has its values and its time from its arguments.
IMPURE = {
    "os",
    "pathlib",
    "time",
    "sqlite3",
    "subprocess",
    "io",
    "shutil",
    "socket",
    "random",
    "secrets",
    "tempfile",
    "threading",
}


class Import(NamedTuple):
    """One imported name: `from module import name`, or `import module` with an empty name."""

    by: str
    module: str
    name: str
    line: int


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def sources() -> dict[str, ast.Module]:
    """Module name -> its parsed source."""
    return {module_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def packages() -> set[str]:
    return {module_name(path) for path in PACKAGE.rglob("__init__.py")}


def imports_in(by: str, tree: ast.Module) -> Iterator[Import]:
    """Every import statement at any depth; relative ones as errors, since nobody here needs them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(by, one.name, "", node.lineno) for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{by}:{node.lineno}: a relative import"
            yield from (Import(by, node.module or "", one.name, node.lineno) for one in node.names)


@cache
def everything() -> tuple[Import, ...]:
    """Every import in neatd."""
    return tuple(one for by, tree in sources().items() for one in imports_in(by, tree))


def ours() -> list[Import]:
    """The imports of neatd by neatd."""
    return [one for one in everything() if one.module.split(".")[0] == "neatd"]


def target(one: Import) -> str:
    """The module that is loaded: `from neatd.store import runs` means neatd.store.runs."""
    full = f"{one.module}.{one.name}"
    return full if full in sources() else one.module


def edges() -> set[tuple[str, str]]:
    """(importer, imported); the commands that main.py loads by the names in its tables among them."""
    lazy = {("neatd.cli.main", f"neatd.cli.{module}") for table in (NEAT, NEATD) for module, _, _ in table.values()}
    return {(one.by, target(one)) for one in ours()} | lazy


def layer(module: str) -> str:
    """The first name below neatd; "" for neatd itself, which holds the version and imports nothing."""
    return [*module.split("."), ""][1]


def test_the_walk_sees_imports_at_every_depth() -> None:
    """A check of the check: top-level, inside a function, and a submodule taken from its package."""
    inner = "    from neatd.store import runs\n    class C:\n        from neatd.errors import NeatError\n"
    source = f"import a.b\ndef f():\n{inner}"
    found = list(imports_in("x", ast.parse(source)))
    assert [(one.module, one.name) for one in found] == [
        ("a.b", ""), ("neatd.store", "runs"), ("neatd.errors", "NeatError"),
    ]  # fmt: skip
    assert target(found[1]) == "neatd.store.runs" and target(found[2]) == "neatd.errors"


def test_every_module_has_its_place() -> None:
    """Whoever adds a file or a folder below neatd says in MAY_IMPORT what it may know."""
    assert {layer(module) for module in sources()} - {""} == set(MAY_IMPORT)


@pytest.mark.parametrize("name", sorted(MAY_IMPORT))
def test_imports_go_one_way(name: str) -> None:
    """Base knows base, a stage knows base and itself, the pipeline joins stages, daemon and command line stand above."""
    allowed = MAY_IMPORT[name] | {""}
    wrong = [f"{one.by}:{one.line} imports {target(one)}" for one in ours() if layer(one.by) == name
             and layer(target(one)) not in allowed]  # fmt: skip
    assert wrong == []


def test_no_module_is_above_itself() -> None:
    """No cycle, not even one that an import inside a function hides."""
    after: dict[str, set[str]] = {module: set() for module in sources()}
    for by, what in edges():
        after[by].add(what)
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join([*path[path.index(module) :], module])
        if module not in done:
            for one in sorted(after[module]):
                visit(one, (*path, module))
            done.add(module)

    for module in after:
        visit(module, ())


def test_nothing_is_imported_from_a_package() -> None:
    """A name comes from the module that defines it; only the version stands in an __init__."""
    wrong = [one for one in ours() if target(one) in packages() and (one.module, one.name) != ("neatd", "__version__")]
    assert wrong == []


def test_packages_are_empty() -> None:
    """An __init__ with code would run, and import, for each of its modules."""
    for name in packages() - {"neatd"}:
        assert sources()[name].body == [], name
    assert not list(imports_in("neatd", sources()["neatd"]))


def test_every_command_in_the_table_is_a_module() -> None:
    """The names that main.py loads when they are called exist."""
    assert edges() <= {(by, what) for by in sources() for what in sources()}


@pytest.mark.parametrize("heavy", sorted(ONE_FILE))
def test_a_heavy_library_is_imported_in_one_file(heavy: str) -> None:
    """Whoever wants to know what it costs, or to replace it, looks in one place."""
    users = {one.by for one in everything() if one.module.split(".")[0] == heavy}
    assert len(users) <= 1


def test_what_serves_the_page_is_loaded_by_the_page_alone() -> None:
    """The daemon and the commands cost what they did before there was a page."""
    users = {layer(one.by) for one in everything() if one.module.split(".")[0] in ONLY_THE_PAGE}
    assert users == {"web"}


def pure() -> list[str]:
    """The modules whose docstring says that they are pure."""
    texts = {module_name(path): path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))}
    # Asked while the tests are collected, by every process of tests: what does not have the word is not parsed for it.
    return [
        name for name, text in texts.items() if "Pure" in text and "Pure" in (ast.get_docstring(ast.parse(text)) or "")
    ]


@pytest.mark.parametrize("name", pure())
def test_what_calls_itself_pure_touches_no_disk_and_no_clock(name: str) -> None:
    """No module for files, processes or time, no open(), no now(): the same values give the same answer."""
    tree = sources()[name]
    assert not {one.module.split(".")[0] for one in imports_in(name, tree)} & IMPURE
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    called = {f.id if isinstance(f, ast.Name) else f.attr for f in calls if isinstance(f, ast.Name | ast.Attribute)}
    assert not called & {"open", "now", "utcnow", "today", "read_text", "print", "input"}


def test_judging_and_retention_are_pure() -> None:
    """The parts whose mistakes cost data or trust say so, and are therefore checked."""
    assert {"neatd.rules.judge", "neatd.rules.status", "neatd.rules.hypothesis", "neatd.actions.retention"} <= set(
        pure()
    )


def test_errors_are_swallowed_in_one_place() -> None:
    """`except Exception` is the step guard of the pipeline, which keeps what it caught; a bare except is nowhere."""
    found = []
    for name, tree in sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler):
                assert node.type is not None, f"{name}:{node.lineno}: a bare except"
                if isinstance(node.type, ast.Name) and node.type.id == "Exception":
                    found.append(name)
    assert found == ["neatd.pipeline.loop"]


def test_trainers_know_nothing_of_neatd() -> None:
    """The contract is the files they write."""
    for path in (ROOT / "trainers").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert "neatd" not in {one.module.split(".")[0] for one in imports_in(path.name, tree)}, path


def test_every_import_from_outside_is_declared() -> None:
    """What neatd imports is Python's own or a dependency that pyproject.toml names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["studies"]
    declared = {re.split(r"[<>=\[]", one)[0].lower() for one in wanted}
    used = {one.module.split(".")[0] for one in everything()}
    outside = used - set(sys.stdlib_module_names) - {"neatd", "pydantic_core"}  # the core comes with pydantic, always
    owners = packages_distributions()
    wrong = {name for name in outside if not {owner.lower() for owner in owners.get(name, [])} & declared}
    assert wrong == set()
