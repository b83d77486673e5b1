"""Which shell lines run tests, where, and whether the line's exit code is theirs."""

from __future__ import annotations

import pytest

from neatd.read.testcommand import HINT, find_in_words, find_test, junit_in

RUNS = [
    "pytest", 'pytest -q tests/test_x.py -k "a and b"', "python -m pytest", "python3.11 -X dev -m unittest discover -s tests",
    "make test", "make -C sub -j4 check", "cd sub && pytest", "uv run --extra dev pytest -q", "poetry run pytest",
    "CUDA_VISIBLE_DEVICES=0 PYTHONPATH=. pytest tests 2>&1 | tail -20", "timeout -k 5 60s make test", ".venv/bin/pytest -x",
    'bash -lc "cd sub && pytest -q"', "cargo test --workspace", "cargo +nightly nextest run", "go test ./... -v", "npm test",
    "npm run test:unit", "pnpm test -- --run", "npx jest", "npx vitest run", "ctest --test-dir build -V", "tox -e py311",
    "nox -s tests", "echo hi; pytest -q", "git status && make test", "coverage run -m pytest tests", "conda run -n env pytest",
    "python -m coverage run -m unittest", "source .venv/bin/activate && pytest", "(cd a && pytest)", "node --test",
    "python manage.py test app", "if pytest; then echo ok; fi", "pytest tests \\\n  -q", "set -e\npytest -q", "srun -N1 pytest",
    "cat > x.py <<'EOF'\nprint()\nEOF\npytest x.py",
]  # fmt: skip
OTHERS = [
    "cat pytest.ini", "pip install pytest", "grep -r pytest .", "which pytest", "pytest --version", "pytest --collect-only -q",
    "make", "make build", "make testdata", "make -n test", "neat test -- pytest", "cd x && uv run neat test -- make test",
    "git commit -m 'make test works'", "cat > x.py <<'EOF'\npytest\nEOF", "echo pytest", "ls tests", "cargo build", "go build",
    "npm install", "# pytest\nls", 'git commit -m "a\npytest\nb"', "vim tests/test_x.py", "", "'pytest",
    "python train.py --test", "cargo test --no-run", "tox -l", "ctest -N", "echo `", "((((", "|| && ;;", "\\",
]  # fmt: skip


@pytest.mark.parametrize("line", RUNS)
def test_a_test_run_is_found_behind_what_prepares_it(line: str) -> None:
    """And the search of the raw text, which comes first, lets it through."""
    assert find_test(line) is not None and HINT.search(line.encode())


@pytest.mark.parametrize("line", OTHERS)
def test_what_only_mentions_tests_is_none(line: str) -> None:
    """Nor does a run by `neat test` count, which keeps its own record."""
    assert find_test(line) is None


@pytest.mark.parametrize(
    ("line", "folder", "is_alone"),
    [
        ("cd sub && pytest", "sub", True), ("cd a && cd b && pytest -q", "a/b", True),
        ("cd a && cd /b && pytest", "/b", True), ("pytest &", "", False),
        ("cd $X && pytest", "", True), ("pytest | tail -3", "", False), ("pytest; echo done", "", False),
        ("pytest || true", "", False), ("pytest && echo ok", "", True), ("pytest > log 2>&1", "", True),
        ("bash -c 'cd sub; pytest | tail'", "sub", False), ("ls; pytest", "", True),
    ],
)  # fmt: skip
def test_a_run_knows_its_folder_and_whose_the_exit_code_is(line: str, folder: str, is_alone: bool) -> None:
    """Behind a pipe, `;` or `||` the line's exit code says nothing of the tests."""
    found = find_test(line)
    assert found is not None and (found.folder, found.is_alone) == (folder, is_alone)


def test_a_list_of_arguments_is_understood_too() -> None:
    """As Codex hands them over."""
    assert find_in_words(["bash", "-lc", "cd sub && pytest"]) == (("pytest",), "sub", True)
    assert find_in_words(["grep", "pytest"]) is None and find_in_words([]) is None


def test_a_long_line_is_looked_at_in_part() -> None:
    """Megabytes of text in quotes cost nothing."""
    assert find_test("pytest; echo " + "x" * 5_000_000) is not None
    assert find_test("echo '" + "(" * 5_000_000 + "'; pytest") is None


@pytest.mark.parametrize(
    ("words", "file"),
    [(["pytest", "--junitxml=a.xml"], "a.xml"), (["pytest", "--junit-xml", "b.xml", "-q"], "b.xml"),
     (["pytest", "--junitxml="], None), (["pytest", "--junitxml"], None), (["make", "test"], None)],
)  # fmt: skip
def test_a_command_names_its_junit_file(words: list[str], file: str | None) -> None:
    """In both spellings of pytest."""
    assert junit_in(words) == file
