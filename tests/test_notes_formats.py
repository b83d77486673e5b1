"""Tables in CSV, lists of trials in JSON, the memory of an MCP server; and the broken ones."""

from __future__ import annotations

import json

import pytest

from neatd.assist.notes.parse import parse, repair


def test_rows_of_a_csv_with_a_metric_are_experiments() -> None:
    """Validation before training, every other column a parameter, a parameter in a cell as a number."""
    text = (
        "run,lr,train_loss,best_val_loss,status,note\nbase,0.001,0.5,0.41,keep,\n"
        'wide,0.001,0.4,0.39,discard,"d=768, L=2"\nlater,0.1,,,,\n'
    )
    base, wide, later = parse(text, "results.csv").records
    assert (base.kind, base.fields["title"], base.fields["metric"], base.fields["value"]) == (
        "experiment",
        "base",
        "best_val_loss",
        0.41,
    )
    assert base.fields["params"] == {"lr": 0.001, "train_loss": 0.5, "status": "keep"} and base.lines == (1, 2)
    assert [one.fields["status"] for one in (base, wide, later)] == ["done", "dropped", "open"]
    assert wide.fields["params"]["d"] == 768  # type: ignore[index]


def test_rows_of_a_csv_without_a_metric_are_notes() -> None:
    """A table of anything."""
    assert [one.kind for one in parse("name,colour\na,red\nb,blue\n", "x.csv").records] == ["note", "note"]


def test_trials_of_a_study_are_experiments_that_cite_their_lines() -> None:
    """A list, or one under "trials"; what stands beside it is a note."""
    study = {
        "study": "search",
        "trials": [
            {"number": 0, "value": 0.3, "params": {"lr": 0.1}, "state": "COMPLETE"},
            {"number": 1, "params": {"lr": 1}, "state": "FAIL"},
        ],
    }
    first, second, rest = sorted(parse(json.dumps(study, indent=1), "trials.json").records, key=lambda one: one.kind)
    assert (first.fields["title"], first.fields["value"], first.fields["status"]) == ("trial 0", 0.3, "done")
    assert second.fields["status"] == "failed" and second.fields["params"] == {"lr": 1, "number": 1, "state": "FAIL"}
    assert first.lines == (4, *range(5, 12)) and rest.kind == "note"


def test_trials_on_one_line_count_it_once_and_all_cite_it() -> None:
    """A line belongs to one record."""
    first, second = parse('[{"name": "a", "val_loss": 0.1}, {"name": "b", "val_loss": 0.2}]', "t.json").records
    assert (first.lines, second.lines, second.cites) == ((1,), (), (1,))


MEMORY = [
    {
        "type": "entity",
        "name": "Phase6A_Status",
        "entityType": "experiment_status",
        "observations": ["all done", "best 0.3081"],
    },
    {"type": "entity", "name": "Task_Saving", "entityType": "task", "observations": ["keep the best checkpoint"]},
    {"type": "entity", "name": "Odd", "entityType": "thing", "observations": []},
    {"type": "relation", "from": "Task_Saving", "to": "Phase6A_Status", "relationType": "belongs to"},
]


@pytest.mark.parametrize("shape", ["lines", "one object"])
def test_entities_of_a_memory_are_records_and_relations_are_their_words(shape: str) -> None:
    """The kind by the entity's type, an insight where it names none."""
    whole = {"entities": MEMORY[:3], "relations": MEMORY[3:]}
    text = "\n".join(map(json.dumps, MEMORY)) if shape == "lines" else json.dumps(whole, indent=1)
    notes = parse(text, "memory.jsonl" if shape == "lines" else "memory.json")
    assert [one.kind for one in notes.records] == ["experiment", "task", "insight"]
    study, task, _ = notes.records
    assert "best 0.3081" in str(study.fields["body"]) and study.fields["tags"] == ("experiment_status",)
    assert "Task_Saving belongs to Phase6A_Status" in str(task.fields["body"])
    assert sum(len(one.lines) for one in notes.records) == notes.lines and not notes.unplaced


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('[{"name": "a", "val_loss": 0.1}, {"name":', "t.json"),
        ("{not json}", "a.json"),
        ('a,val_loss\n"never closed\n' * 300, "a.csv"),
        ("[" * 5000, "a.json"),
        ('{"type":"entity"}\nnot json\n', "m.jsonl"),
        ('{"entities": [1, null]}', "m.json"),
        ("[1, 2]", "a.json"),
        ('[{"value": NaN, "params": {"a": 1e999}}]', "t.json"),
    ],
)
def test_a_broken_file_is_read_as_lines_and_loses_none(text: str, name: str) -> None:
    """Nothing raises, every line is somewhere."""
    notes = parse(text, name)
    assert sum(len(one.lines) for one in notes.records) + len(notes.unplaced) == notes.lines


ENTITY = {"type": "entity", "entityType": "fact", "observations": ["the cache is rebuilt at night"]}


def test_half_a_line_at_the_end_of_json_lines_costs_only_itself() -> None:
    """A memory that its server is writing, and trials: the whole lines are records, the broken one is unplaced."""
    memory = "\n".join(json.dumps({"name": name, **ENTITY}) for name in "ab")
    found = parse(f'{memory}\n{{"type": "entity", "na', "memory.json")
    assert [one.fields["component"] for one in found.records] == ["a", "b"]
    assert found.unplaced == ((3, '{"type": "entity", "na'),)
    found = parse('{"name": "a", "val_loss": 0.1}\n{"name": "b", "v\n{"name": "c", "val_loss": 0.2}\n', "t.jsonl")
    assert [one.fields["title"] for one in found.records] == ["a", "c"] and found.unplaced == ((2, '{"name": "b", "v'),)


def test_json_over_several_lines_is_no_json_lines() -> None:
    """Its lines are no objects, which breaks nothing."""
    found = parse(json.dumps([{"name": "a", "val_loss": 0.1}], indent=1), "t.json")
    assert [one.kind for one in found.records] == ["experiment"] and not found.unplaced


def test_bytes_that_are_no_text_become_nothing() -> None:
    """Every line of an archive is unplaced; a few control characters in words are not enough."""
    data = b"PK\x03\x04" + bytes(range(256)) * 8
    found = parse(repair(data), "NOTES.md")
    assert not found.records and len(found.unplaced) == found.lines > 0
    assert parse("# Bugs\n\n- the bell \x07 rings twice when the loader stalls\n", "NOTES.md").records
