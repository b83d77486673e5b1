"""Handoffs as records, each linked to the one before; and the files that neat.yaml names, written only where neat may."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from neatd.store.records import take_from_inbox
from tests.cli_place import Cli
from tests.documents_made import document, git, keep, opened, section

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def name_documents(cli: Cli, **paths: str) -> None:
    """Write `documents:` into neat.yaml."""
    lines = [f"  {template}: {path}" for template, path in paths.items()]
    with (cli.root / "neat.yaml").open("a") as file:
        file.write("\n".join(["documents:", *lines, ""]))


# ---- kept as records ----


def test_a_handoff_is_kept_with_its_text_and_the_records_of_its_session(cli: Cli) -> None:
    """The text that is printed is the record's body."""
    task = keep(cli, "task", "run the sweep")
    found = cli.json("handoff")
    kept = cli.json("show", found["id"])
    assert kept["body"] == found["text"] and kept["template"] == "handoff" and found["previous"] is None
    assert kept["records"] == [task] and kept["title"].startswith("Session handoff 2")


def test_the_second_handoff_names_the_first_and_only_what_came_after_it(cli: Cli) -> None:
    """In its text and as a record."""
    keep(cli, "note", "seen first")
    first = cli.json("handoff")["id"]
    new = keep(cli, "note", "seen then")
    second = cli.json("handoff")
    assert second["previous"] == first and f"Follows the handoff {first}" in second["text"]
    told = section(second["text"], "## Records created and changed this session (memory entities updated)")
    assert "seen then" in told and "seen first" not in told
    assert cli.json("show", second["id"])["records"] == [new]
    assert [one["id"] for one in cli.json("handoff", "--list")] == [second["id"], first]


def test_nothing_new_keeps_nothing_new(cli: Cli) -> None:
    """The same id and the same bytes come back, however much later."""
    keep(cli, "note", "seen")
    with opened(cli) as here:
        first = here.keep(LONG_AGO)
        second = here.keep()
    assert first.is_new and not second.is_new
    assert (second.id, second.text, second.previous) == (first.id, first.text, None)
    assert f"project, {LONG_AGO.astimezone():%Y-%m-%d %H:%M}" in second.text


def test_the_command_says_when_nothing_is_new(cli: Cli) -> None:
    """On stderr, with the id; what it prints is the handoff that was kept."""
    keep(cli, "note", "seen")
    first = cli.json("handoff")
    answer = cli("handoff")
    assert f"nothing has changed since {first['id']}" in answer.err and answer.out == first["text"]
    assert len(cli.json("handoff", "--list")) == 1


def test_what_changed_without_a_record_is_kept_and_stays_the_same_session(cli: Cli) -> None:
    """As when a run goes on: the record is new, linked, and still tells what was done in the session."""
    keep(cli, "task", "done today", status="done")
    first = cli.json("handoff")["id"]
    cli.add_run("runs/a", {"loss": [1.0]})
    second = cli.json("handoff")
    assert second["previous"] == first and f"Follows the handoff {first}" in second["text"]
    assert "1. done today (t-" in section(second["text"], "## Completed this session")
    assert cli.json("handoff")["id"] == second["id"]
    keep(cli, "task", "done then", status="done")
    assert "done today" not in cli.json("handoff")["text"]


def test_what_only_git_says_makes_no_new_handoff(cli: Cli) -> None:
    """The file of the handoff itself, a change, a commit: the one before comes again; printing only tells how it is."""
    git("init", "-q", "-b", "main")
    keep(cli, "task", "done today", status="done")
    keep(cli, "test", "1 failed", command="make test", failed=1, tree="another")
    first = cli.json("handoff")
    (cli.root / "new.py").touch()
    answer = cli("handoff")
    assert answer.out == first["text"] and f"nothing has changed since {first['id']}" in answer.err
    git("add", "new.py")
    git("commit", "-qm", "begin")
    assert cli.json("handoff")["id"] == first["id"] and len(cli.json("handoff", "--list")) == 1
    assert "begin" in cli.ok("handoff", "--no-keep")


def test_each_template_has_a_chain_of_its_own(cli: Cli) -> None:
    """A report in between does not cut the handoff's session."""
    keep(cli, "task", "done today", status="done")
    report = cli.json("handoff", "--template", "report")
    found = cli.json("handoff")
    assert report["previous"] is None and found["previous"] is None and "1. done today (t-" in found["text"]


def test_printing_only_keeps_nothing_and_writes_nothing(cli: Cli) -> None:
    """--no-keep."""
    name_documents(cli, handoff="HANDOFF.md")
    keep(cli, "note", "seen")
    found = cli.json("handoff", "--no-keep")
    assert (found["id"], found["previous"]) == (None, None) and "seen" in found["text"]
    assert cli.json("handoff", "--list") == [] and not (cli.root / "HANDOFF.md").exists()


def test_a_deleted_record_is_named_by_its_id_alone(cli: Cli) -> None:
    """What it said was not to be seen any more."""
    keep(cli, "note", "stays")
    cli.ok("handoff")
    gone = keep(cli, "note", "not to be seen")
    cli.ok("delete", gone)
    text = cli.json("handoff")["text"]
    assert gone in text and "| note | deleted by person | — |" in text and "not to be seen" not in text


def test_the_list_of_records_names_no_address(cli: Cli) -> None:
    """A host may have a name of any shape, and be the title."""
    keep(cli, "machine", "the box at gpu-box-7", host="gpu-box-7")
    text = cli.json("handoff")["text"]
    assert "| machine | created by person | the box at [address hidden] |" in text and "gpu-box-7" not in text


def test_the_handoffs_of_another_project_are_not_in_the_chain(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor are its records."""
    keep(cli, "note", "of the first")
    cli.ok("handoff")
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    cli.init()
    keep(cli, "note", "of the second")
    found = cli.json("handoff")
    assert found["previous"] is None and "of the second" in found["text"] and "of the first" not in found["text"]


def test_a_handoff_that_cannot_be_kept_waits_in_the_inbox(cli: Cli) -> None:
    """As in a sandbox; taken in from there it is a record like any other."""
    keep(cli, "note", "seen")
    with opened(cli) as here:
        here.records.execute("PRAGMA query_only = ON")
        made = here.keep()
        assert made.inbox and made.inbox.parent == cli.root / ".neat" / "inbox"
        here.records.execute("PRAGMA query_only = OFF")
        assert take_from_inbox(here.records, made.inbox, here.project.id)
        again = here.keep()
    assert (again.id, again.is_new, again.text) == (made.id, False, made.text)


# ---- written as files ----


def test_documents_are_written_where_neat_yaml_says(cli: Cli) -> None:
    """Folders are made on the way, and the last line says whose the file is."""
    name_documents(cli, handoff=".claude/context/session.md", notes="NOTES.md")
    keep(cli, "task", "run the sweep")
    answer = cli("handoff")
    assert answer.code == 0 and "written: " in answer.err
    text = (cli.root / ".claude" / "context" / "session.md").read_text()
    assert "1. run the sweep (t-" in text
    last = text.splitlines()[-1]
    assert last.startswith("<!-- written by neat from handoff.md.j2 for 2") and last.endswith("overwritten -->")
    assert (cli.root / "NOTES.md").read_text().startswith("# Notes: project\n")


def test_a_document_is_written_anew_only_when_it_says_something_else(cli: Cli) -> None:
    """Its bytes and its time stay when only the clock went on."""
    name_documents(cli, handoff="H.md", claude="docs/C.md")
    keep(cli, "preference", "tests first")
    paths = [cli.root / "H.md", cli.root / "docs" / "C.md"]
    with opened(cli) as here:
        assert here.write(LONG_AGO) == ["H.md", "docs/C.md"]
        before = [path.read_bytes() for path in paths]
        assert here.write() == [] and [path.read_bytes() for path in paths] == before
        assert all(b"for 2026-01-01T00:00:00Z: changes above" in data for data in before)
        keep(cli, "preference", "then code")
        assert here.write() == ["H.md", "docs/C.md"]
    assert all(b"2026-01-01T00" not in path.read_bytes() and b"- then code" in path.read_bytes() for path in paths)


def test_a_document_stays_what_it_was_when_it_was_handed_over(cli: Cli) -> None:
    """Keeping the handoff does not take "completed this session" out of the file; the next session's first record does."""
    name_documents(cli, handoff="H.md")
    keep(cli, "task", "done today", status="done")
    with opened(cli) as here:
        here.write(LONG_AGO)
        before = (cli.root / "H.md").read_text()
        kept = here.keep()
        assert "1. done today (t-" in before and here.write() == []
        keep(cli, "note", "a new day")
        assert here.write() == ["H.md"]
    told = (cli.root / "H.md").read_text()
    assert "done today" not in told and str(kept.id) in told


def test_somebodys_file_is_never_overwritten(cli: Cli) -> None:
    """The command prints the handoff, writes the other documents, and says what to do."""
    name_documents(cli, handoff="CLAUDE.md", notes="docs/notes.md")
    (cli.root / "CLAUDE.md").write_text("mine\n")
    keep(cli, "note", "seen")
    answer = cli("handoff")
    assert answer.code == 1 and "seen" in answer.out
    assert f"error: {cli.root / 'CLAUDE.md'} was not written by neat, and is left as it is" in answer.err
    assert "hint: name another path in `documents:`" in answer.err
    assert (cli.root / "CLAUDE.md").read_text() == "mine\n" and (cli.root / "docs" / "notes.md").exists()


def test_what_stands_below_neats_line_stays(cli: Cli) -> None:
    """What was changed above it is overwritten, as the line says. The block of `neat init` alone is no person's file."""
    name_documents(cli, claude="CLAUDE.md")
    block = "<!-- neat:begin -->\n@.neat/brief.md\n<!-- neat:end -->\n"
    path = cli.root / "CLAUDE.md"
    path.write_text(block)
    keep(cli, "preference", "tests first")
    with opened(cli) as here:
        assert here.write() == ["CLAUDE.md"]
        assert path.read_text().startswith("# project\n") and path.read_text().endswith(f" -->\n{block}")
        path.write_text(path.read_text().replace("- tests first", "- edited") + "mine\n")
        assert here.write() == ["CLAUDE.md"] and here.write() == []
    assert "- tests first" in path.read_text() and path.read_text().endswith(f" -->\n{block}mine\n")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../out.md", "leads out of"),
        ("/tmp/out.md", "leads out of"),
        ("link/out.md", "leads out of"),
        (".git/hooks/x.md", "git's own folder"),
        ("sitecustomize.py", "is no document by its ending"),
        ("docs/report.rst", "is no document by its ending"),
        ("Makefile", "is no document by its ending"),
        ("venv/x.dist-info/entry_points.txt", "is no document by its ending"),
        (".neat/brief.md", "keeps its own files"),
        (".neat/templates/handoff.md", "keeps its own files"),
        ("folder.md", "cannot be read"),
    ],
)
def test_a_document_goes_nowhere_else(cli: Cli, tmp_path: Path, name: str, why: str) -> None:
    """A clone names the path: neither out of the project, nor what a program would run, nor what neat reads itself."""
    (tmp_path / "outside").mkdir()
    (cli.root / "link").symlink_to(tmp_path / "outside")
    (cli.root / "folder.md").mkdir()
    name_documents(cli, handoff=name)
    answer = cli("handoff")
    assert answer.code == 1 and why in answer.err and "hint: " in answer.err and "Traceback" not in answer.err
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_link_inside_the_project_is_followed(cli: Cli) -> None:
    """AGENTS.md as a link to CLAUDE.md stays a link."""
    (cli.root / "real.md").touch()
    (cli.root / "AGENTS.md").symlink_to("real.md")
    name_documents(cli, notes="AGENTS.md")
    cli.ok("handoff")
    assert (cli.root / "AGENTS.md").is_symlink() and "# Notes: project" in (cli.root / "real.md").read_text()


def test_two_documents_need_two_paths(cli: Cli) -> None:
    """Else each would overwrite the other for ever."""
    name_documents(cli, notes="A.md", handoff="./A.md")
    assert "two are to be written to './A.md'" in cli("handoff").err
    assert (cli.root / "A.md").read_text().startswith("# Notes")


def test_the_brief_and_a_template_of_ones_own_are_documents_too(cli: Cli) -> None:
    """The brief within its budget."""
    (cli.root / ".neat" / "templates").mkdir()
    (cli.root / ".neat" / "templates" / "mine.md.j2").write_text(
        "{{ facts.notes | length }} notes at {{ facts.now | when }}\n"
    )
    name_documents(cli, brief="B.md", mine="M.md")
    keep(cli, "note", "seen")
    cli.ok("handoff")
    assert (cli.root / "M.md").read_text().startswith("1 notes at ") and "seen" in (cli.root / "B.md").read_text()


def test_documents_do_not_make_the_tree_dirty(cli: Cli) -> None:
    """The handoff does not count the files that neat keeps among the uncommitted changes."""
    git("init", "-q", "-b", "main")
    name_documents(cli, handoff=".agent/context/session.md", notes="NOTES.md")
    git("add", "neat.yaml")
    git("commit", "-qm", "begin")
    cli.ok("handoff")
    told = section(document(cli, "handoff"), "### Branch and git")
    assert (cli.root / ".agent" / "context" / "session.md").exists()
    assert ".agent/" not in told and "NOTES.md" not in told
    (cli.root / ".agent" / "mine.md").touch()
    assert "  - `.agent/` NEW (untracked)" in section(document(cli, "handoff"), "### Branch and git")


def test_a_mistake_in_one_template_leaves_the_other_documents_whole(cli: Cli) -> None:
    """It is named by file and line."""
    (cli.root / ".neat" / "templates").mkdir()
    (cli.root / ".neat" / "templates" / "notes.md.j2").write_text("{{ nope }}\n")
    name_documents(cli, notes="N.md", handoff="H.md")
    answer = cli("handoff")
    assert answer.code == 1 and "notes.md.j2:1: " in answer.err and (cli.root / "H.md").exists()
