"""`neat verify`: what it re-reads, and what it says of each claim."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from neatd.pipeline.vouching import fix_condition, resolve
from neatd.place import here
from neatd.store import records, runs
from neatd.store.evidence import parse_evidence
from neatd.store.short import add_record
from tests.cli_place import Cli
from tests.sources_made import ran, read, write


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def decide(cli: Cli, *evidence: str | dict[str, Any], **fields: Any) -> str:
    """A decision that rests on this evidence; returns its id."""
    with cli.store() as store, cli.store("points") as series:
        resolved = [
            one if isinstance(one, dict) else resolve(store, series, here().project_id, parse_evidence(one))
            for one in evidence
        ]
    return add_record(cli.home, here(), "decision", {"title": "it helps", "evidence": resolved, **fields}, "person")[0]


def verified(cli: Cli, *ids: str) -> tuple[int, list[tuple[Any, str]]]:
    """(exit code, each claim's holds and reason)."""
    code, out, _ = cli("verify", *ids, "--json")
    answer = json.loads(out)
    assert answer["checked"] == len(answer["findings"])
    return code, [(one["holds"], one["reason"]) for one in answer["findings"]]


def test_what_holds_is_found_to_hold_while_the_file_grows(cli: Cli) -> None:
    """A number, one that is no number, a run, a best; exit code 0."""
    ran(cli, "runs/a", 0.5, math.nan, 0.3)
    decide(cli, "a:val/loss", "a:val/loss@20", "a")
    write(cli.root, "runs/a", {"step": 40, "val/loss": 0.2})
    assert verified(cli) == (0, [(True, "")] * 3)


def test_a_changed_value_is_told_with_old_and_new(cli: Cli) -> None:
    """The file is asked and not the store, which would agree with itself."""
    ran(cli, "runs/a", 0.5, 0.3)
    decide(cli, "a:val/loss@20")
    write(cli.root, "runs/a", {"step": 10, "val/loss": 0.5}, {"step": 20, "val/loss": 0.31}, mode="w")
    code, [(holds, reason)] = verified(cli)
    assert (code, holds, reason) == (1, False, "the value differs: it was 0.3, the file has 0.31")


def test_a_rewritten_file_is_told_although_the_value_is_the_same(cli: Cli) -> None:
    """Something before it was changed: what was true of the run then may not be what it says now."""
    ran(cli, "runs/a", 0.5, 0.3)
    decide(cli, "a:val/loss@20")
    write(cli.root, "runs/a", {"step": 10, "val/loss": 0.9}, {"step": 20, "val/loss": 0.3}, mode="w")
    code, [(holds, reason)] = verified(cli)
    assert (code, holds) == (1, False) and "replaced or rewritten" in reason


def test_what_a_restart_abandoned_no_longer_holds(cli: Cli) -> None:
    """The line is still in the file, and belongs to an attempt that was given up."""
    ran(cli, "runs/a", 0.5, 0.3, 0.2)
    decide(cli, "a:val/loss@30", "a:val/loss@10")
    write(cli.root, "runs/a", {"step": 20, "val/loss": 0.35})
    assert verified(cli) == (1, [(False, "metrics.jsonl has no such number any more"), (True, "")])


def test_a_file_that_is_gone_leaves_what_the_store_says(cli: Cli) -> None:
    """The store cannot vouch for itself, so that is neither; but it can contradict."""
    ran(cli, "runs/a", 0.5, 0.3)
    decide(cli, "a:val/loss@20")
    path = cli.root / "runs/a/metrics.jsonl"
    path.unlink()
    assert verified(cli) == (0, [(None, "source gone, store agrees")])
    write(cli.root, "runs/a", {"step": 20, "val/loss": 0.4})
    read(cli, "runs/a")
    path.unlink()
    code, [(holds, reason)] = verified(cli)
    assert (code, holds) == (1, False) and "the store has 0.4, it was 0.3" in reason


def test_the_evidence_of_a_clone_is_checked_in_its_files(cli: Cli) -> None:
    """Its run is not in this store: the file that came along vouches for it, and without one nothing does."""
    ran(cli, "runs/a", 0.5, 0.3)
    decide(cli, "a:val/loss@20", "a")
    with cli.store() as store:
        store.execute("DELETE FROM run")
    assert verified(cli) == (1, [(True, ""), (False, "run runs/a is not known here")])
    (cli.root / "runs/a/metrics.jsonl").unlink()
    code, [(holds, reason), _] = verified(cli)
    assert (code, holds, reason) == (1, False, "run runs/a is not known here; source gone")


@pytest.mark.parametrize(
    "hostile",
    [
        {"run": "r-x", "metric": "loss", "step": 1, "value": 2, "source": "../outside/metrics.jsonl"},
        {"run": "r-x", "metric": "loss", "step": 1, "value": 2, "source": "/etc/metrics.jsonl"},
        {"run": "r-x", "metric": "loss", "step": 1, "value": 2, "source": "link/metrics.jsonl"},
        {"run": "r-x", "metric": "loss", "step": 1, "value": 2, "source": "nul\0/metrics.jsonl"},
        {"run": ["x"], "metric": {"a": 1}, "step": "1", "value": [], "source": 3, "hash": 4, "size": "x"},
        {"experiment": ["x"], "value": {}},
        {},
    ],
)
def test_evidence_that_somebody_made_up_opens_nothing_outside(cli: Cli, hostile: dict[str, Any]) -> None:
    """It came with a clone: it does not hold, and nothing else happens."""
    outside = cli.root.parent / "outside"
    write(outside.parent, "outside", {"step": 1, "loss": 2})
    (cli.root / "link").symlink_to(outside)
    decide(cli, hostile)
    code, [(holds, _)] = verified(cli)
    assert (code, holds) == (1, False)


def test_a_status_that_changed_no_longer_holds(cli: Cli) -> None:
    """A run that was still running may have ended since: that was to be expected."""
    run = ran(cli, "runs/a", 0.5, status="running")
    decide(cli, "a")
    with cli.store() as store:
        runs.set_run(store, run.id, status="failed")
    decide(cli, "a")
    assert verified(cli) == (0, [(True, ""), (True, "")])
    with cli.store() as store:
        runs.set_run(store, run.id, status="finished")
    assert verified(cli) == (1, [(False, "runs/a was failed, it is finished"), (True, "")])


def test_conditions_are_verified_too(cli: Cli) -> None:
    """Each on its own, with its reason."""
    (cli.root / "train.py").write_text("lr = 1")
    decide(cli, valid_while=[fix_condition("file train.py", cli.root), "until 2000-01-01"])
    (cli.root / "train.py").write_text("lr = 2")
    assert verified(cli) == (1, [(False, "train.py changed since"), (False, "it held until 2000-01-01")])


def test_an_experiments_number_is_verified_in_its_record(cli: Cli) -> None:
    """A verdict that rests on it falls with it."""
    made = add_record(cli.home, here(), "experiment", {"title": "wide", "metric": "dice", "value": 0.3}, "person")[0]
    decide(cli, {"experiment": made, "name": "wide", "metric": "dice", "value": 0.3})
    assert verified(cli) == (0, [(True, "")])
    with cli.store() as store:
        records.change(store, "experiment", made, {"value": 0.2})
    assert verified(cli) == (1, [(False, "the value differs: it was 0.3, the record has 0.2")])
    with cli.store() as store:
        records.delete(store, "experiment", made)
    assert verified(cli) == (1, [(False, "the experiment's record was deleted")])


def test_only_the_records_that_are_named_are_verified(cli: Cli) -> None:
    """By the beginning of an id; a record without a claim claims nothing, and a deleted one is left out."""
    ran(cli, "runs/a", 0.5)
    one, other = decide(cli, "a:val/loss"), decide(cli, "a:val/loss", "a")
    assert len(verified(cli, one[:9])[1]) == 1
    with cli.store() as store:
        records.delete(store, "decision", other)
    assert len(verified(cli)[1]) == 1


def test_a_claim_from_a_sandbox_is_said_to_be_unresolved(cli: Cli) -> None:
    """Its number was never looked up, so it neither holds nor fails."""
    decide(cli, {"claim": "a:val/loss"})
    code, [(holds, reason)] = verified(cli)
    assert (code, holds) == (0, None) and "neat edit" in reason


def test_people_see_what_does_not_hold_and_the_counts(cli: Cli) -> None:
    """What holds is counted and not listed."""
    ran(cli, "runs/a", 0.5, 0.3)
    decide(cli, "a:val/loss@10", "a:val/loss@20")
    write(cli.root, "runs/a", {"step": 10, "val/loss": 0.5}, mode="w")
    code, out, _ = cli("verify")
    assert code == 1 and "runs/a val/loss at step 20 is 0.3" in out and out.endswith("2 do not hold\n")
