"""Templates: what a project's own may see, whose mistake is named where, and the filters they share."""

from __future__ import annotations

import pickle
from datetime import timedelta
from pathlib import Path

import pytest

from neatd.assist.facts import Facts
from neatd.assist.render import age, number, one_line, render, size
from neatd.errors import NeatError
from neatd.knowledge import Note
from tests.facts_made import NOW, SHIPPED, facts, record


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project's template folder."""
    made = tmp_path / ".neat" / "templates"
    made.mkdir(parents=True)
    return made


def rendered(folder: Path, template: str, of: Facts | None = None) -> str:
    (folder / "x.md.j2").write_text(template)
    return render("x.md.j2", of or facts(), [folder, *SHIPPED])


class Boom:
    """Unpickled, it leaves a file: the mark of code that ran."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (self.path,)


FORBIDDEN = [
    "{{ facts.__class__ }}",
    "{{ ''.__class__.__mro__ }}",
    "{{ facts['__init__'].__globals__ }}",
    "{{ facts | attr('__class__') }}",
    "{{ [facts] | map(attribute='__class__') | join }}",
    "{{ '{0.__class__}'.format(facts) }}",
    "{{ render.__globals__ }}",
    "{{ lipsum.__globals__ }}",
    "{{ facts.model_dump() }}",
    "{{ facts.parse_file('/etc/hostname') }}",
    "{{ facts.git['model_construct']() }}",
    "{{ facts.runs.append(1) }}",
    "{% include '/etc/hostname' %}",
    "{% include '../secret.txt' %}",
    "{% import 'os' as os %}",
]


@pytest.mark.parametrize("template", FORBIDDEN)
def test_a_template_reaches_no_insides_and_no_files(folder: Path, template: str) -> None:
    """Attributes of the language, methods of our values and files outside the folder end in an error, not in text."""
    (folder.parent / "secret.txt").write_text("secret")
    with pytest.raises(NeatError):
        rendered(folder, template)


def test_a_template_cannot_unpickle(folder: Path, tmp_path: Path) -> None:
    """A pydantic value would unpickle what it is given, and so run any code that a clone brings."""
    mark = tmp_path / "ran"
    code = repr(pickle.dumps(Boom(mark), protocol=0).decode("ascii"))
    with pytest.raises(NeatError):
        rendered(folder, "{{ facts.parse_raw(" + code + ", proto='pickle', allow_pickle=True) }}")
    assert not mark.exists()


@pytest.mark.parametrize("is_folder", [False, True])
def test_a_link_in_the_template_folder_is_not_read(tmp_path: Path, is_folder: bool) -> None:
    """A clone can bring a link to a private file, or a whole folder that is one: neither reaches a document."""
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "x.md.j2").write_text("private words")
    folder = tmp_path / "project" / ".neat" / "templates"
    folder.parent.mkdir(parents=True)
    if is_folder:
        folder.symlink_to(tmp_path / "private")
    else:
        folder.mkdir()
        (folder / "x.md.j2").symlink_to(tmp_path / "private" / "x.md.j2")
    with pytest.raises(NeatError, match="is a link"):
        render("x.md.j2", facts(), [folder])


@pytest.mark.parametrize(
    ("mistake", "says"),
    [
        ("{{ facts.nothing }}", "nothing"),
        ("{% if %}", "Expected an expression"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ none + 1 }}", "unsupported operand"),
        ("{{ 'x' | num }}", "must be real number"),
        ("{{ facts.__class__ }}", "unsafe"),
        ("{{ x | nofilter }}", "nofilter"),
        ("{{ facts.runs[3].name }}", "no element 3"),
    ],
)
def test_a_mistake_is_named_by_file_and_line(folder: Path, mistake: str, says: str) -> None:
    """Whatever kind of mistake, the message says file:line, and the hint what to do."""
    with pytest.raises(NeatError) as caught:
        rendered(folder, f"one\n\n{mistake}\n")
    assert f"{folder / 'x.md.j2'}:3: " in caught.value.message
    assert says in caught.value.message
    assert "remove it to use the shipped one" in caught.value.hint


def test_a_mistake_in_an_included_template_names_that_one(folder: Path) -> None:
    """The line is the one to mend, not the one that includes it."""
    (folder / "part.md.j2").write_text("fine\n{{ 1 / 0 }}")
    with pytest.raises(NeatError, match=r"part\.md\.j2:2: division"):
        rendered(folder, "{% include 'part.md.j2' %}")


def test_a_template_that_is_not_utf8_is_named(folder: Path) -> None:
    """Bytes that are no UTF-8 are an error with the template's name."""
    (folder / "x.md.j2").write_bytes(b"caf\xe9")
    with pytest.raises(NeatError, match=r"x\.md\.j2: .*utf-8"):
        render("x.md.j2", facts(), [folder])


def test_an_unknown_template_lists_the_known(folder: Path) -> None:
    """A typing mistake shows what there is."""
    with pytest.raises(NeatError) as caught:
        render("hand-off.md.j2", facts(), [folder, *SHIPPED])
    assert "hand-off.md.j2" in caught.value.message
    assert "brief.md.j2" in caught.value.hint and "handoff.md.j2" in caught.value.hint


def test_the_projects_template_comes_before_the_shipped_one(folder: Path) -> None:
    """Also one that appears, changes or goes after the shipped one was rendered: nothing waits for a restart."""
    shipped = render("handoff.md.j2", facts(), [folder, *SHIPPED])
    (folder / "handoff.md.j2").write_text("mine: {{ facts.project }}")
    assert render("handoff.md.j2", facts(), [folder, *SHIPPED]) == "mine: segment"
    (folder / "handoff.md.j2").write_text("mine: {{ facts.root }}")
    assert render("handoff.md.j2", facts(), [folder, *SHIPPED]) == "mine: /p"
    (folder / "handoff.md.j2").unlink()
    assert render("handoff.md.j2", facts(), [folder, *SHIPPED]) == shipped


def test_filters_speak_of_the_facts_they_are_given(folder: Path) -> None:
    """A template that is compiled once still uses each rendering's own ids and times."""
    template = "{% for one in facts.notes %}{{ one.id | short }} {{ one.created_at | age }}{% endfor %}"
    notes = (record(Note, 1, "x"),)
    first = rendered(folder, template, facts(notes=notes, shorts={notes[0].id: "n-aa"}))
    later = facts(notes=notes, shorts={notes[0].id: "n-bb"}, now=NOW + timedelta(days=2))
    assert first == "n-aa 1 h ago"
    assert rendered(folder, template, later) == "n-bb 2 d ago"


def test_secrets_are_taken_out_of_the_whole_text(folder: Path) -> None:
    """Also those that the template itself holds."""
    assert "hunter22" not in rendered(folder, "password: hunter22")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        (0.123456, "0.1235"),
        (123456.0, "1.235e+05"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (0, "0"),
    ],
)
def test_numbers_have_four_digits(value: float | None, text: str) -> None:
    """As people compare losses; a dash for nothing, and the names of what is not finite."""
    assert number(value) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1400, "1.4 kB"), (2.5e9, "2.5 GB"), (7e15, "7000.0 TB")]
)
def test_sizes_are_decimal(count: float, text: str) -> None:
    """As disks are sold: a kB is 1000 bytes."""
    assert size(count) == text


def test_ages_are_in_their_largest_unit() -> None:
    """A clock that is behind says just now."""
    ages = [age(NOW - timedelta(seconds=s), NOW) for s in (-5, 59, 60, 3600, 86400, 864000)]
    assert ages == ["just now", "just now", "1 min ago", "1 h ago", "1 d ago", "10 d ago"]


def test_one_line_is_one_cell() -> None:
    """Newlines and table bars go, and what is too long ends with a sign of it."""
    assert one_line("a\n b\t|c") == "a b /c"
    assert one_line("x" * 200, 10) == "x" * 9 + "…"


def test_having_and_holding_keep_what_is_asked_for(folder: Path) -> None:
    """Records by a field, and by whether they hold here; a name that is no field is a mistake."""
    notes = tuple(record(Note, n, f"n{n}", status=status) for n, status in enumerate(("open", "done", "open")))
    of = facts(notes=notes, stale={notes[0].id: "on unmerged branch wide"})
    text = "{{ facts.notes | %s | map(attribute='title') | join(' ') }}"
    assert rendered(folder, text % "having('is_closed')", of) == "n1"
    assert rendered(folder, text % "having('status', 'open')", of) == "n0 n2"
    assert rendered(folder, text % "having('status', 'open', is_so=false)", of) == "n1"
    assert rendered(folder, text % "holding('here')", of) == "n1 n2"
    for name in ("model_dump", "__class__", "nothing"):
        with pytest.raises(NeatError, match="has no field"):
            rendered(folder, text % f"having('{name}')", of)


def test_hide_and_bytes_and_proof(folder: Path) -> None:
    """Addresses are hidden unless they may be shown; bytes are counted as they will be written, without secrets."""
    notes = (record(Note, 1, "root@203.0.113.7"),)
    text = "{{ facts.notes[0].title | hide }}"
    assert rendered(folder, text, facts(notes=notes)) == "[address hidden]"
    assert rendered(folder, text, facts(notes=notes, shows_addresses=True)) == "root@203.0.113.7"
    assert rendered(folder, "{{ 'é' | bytes }} {{ ('gh' ~ 'p_' ~ 'a1B2' * 9) | bytes }}") == "2 16"
    assert (
        rendered(folder, "{{ [{'run': 'r-1', 'metric': 'loss', 'step': 4, 'value': 0.5}] | proof }}")
        == "[r-1:loss@4 = 0.5]"
    )
