"""Evidence: how it is written, what it means, what is kept of it."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import pytest

from neatd.config import Primary
from neatd.errors import NeatError
from neatd.pipeline.vouching import resolve, settle_claims
from neatd.place import here
from neatd.store import records
from neatd.store.evidence import EvidenceSpec, parse_evidence, prefix_hash
from neatd.store.short import add_record
from tests.cli_place import Cli
from tests.sources_made import ran, read, write


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def found(cli: Cli, text: str, primary: Primary | None = None) -> dict[str, Any]:
    """The evidence as it would be stored."""
    with cli.store() as store, cli.store("points") as series:
        return resolve(store, series, here().project_id, parse_evidence(text), primary)


def refused(cli: Cli, text: str) -> NeatError:
    with pytest.raises(NeatError) as caught:
        found(cli, text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("runs/a", ("runs/a", "", "")),
        ("runs/a:val/loss", ("runs/a", "val/loss", "")),
        ("runs/a:val/loss@300", ("runs/a", "val/loss", 300)),
        ("r-7k2q:loss@-1", ("r-7k2q", "loss", -1)),
        ("runs/a:loss@last", ("runs/a", "loss", "last")),
        ("runs/a:loss@best", ("runs/a", "loss", "best")),
        ("runs/a:acc@1@300", ("runs/a", "acc@1", 300)),
        ("runs/2026-01-02T03:04:val/loss", ("runs/2026-01-02T03:04", "val/loss", "")),
        ("runs/a@300", ("runs/a@300", "", "")),
        (" runs/a : val loss@3 ", ("runs/a", "val loss", 3)),
    ],
)
def test_the_last_colon_divides_run_and_metric(text: str, expected: tuple[Any, ...]) -> None:
    """Names of runs and metrics hold slashes; the last @ with a number, `last` or `best` says where."""
    assert parse_evidence(text) == EvidenceSpec(*expected, text=text.strip())


@pytest.mark.parametrize("text", ["", " ", ":", "runs/a:", ":loss", "runs/a: "])
def test_what_names_no_run_or_no_metric_is_refused(text: str) -> None:
    """The hint shows the forms."""
    with pytest.raises(NeatError) as caught:
        parse_evidence(text)
    assert "RUN:METRIC@STEP" in caught.value.hint


def test_a_number_is_kept_with_run_step_source_and_hash(cli: Cli) -> None:
    """The hash is of the bytes that were there, and says how many."""
    run = ran(cli, "runs/a", 0.5, 0.3, 0.4)
    content = (cli.root / "runs/a/metrics.jsonl").read_bytes()
    kept = found(cli, "a:val/loss@30")
    assert kept.pop("at")
    assert kept == {
        "run": run.id, "run_name": "runs/a", "metric": "val/loss", "step": 30, "value": 0.4,
        "source": "runs/a/metrics.jsonl", "hash": f"sha256:{hashlib.sha256(content).hexdigest()}", "size": len(content),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "step", "value"),
    [("a:val/loss", 20, 0.3), ("a:val/loss@best", 20, 0.3), ("a:val/loss@last", 30, 0.4), ("a:val/loss@10", 10, 0.5)],
)
def test_without_a_step_the_best_is_meant(cli: Cli, text: str, step: int, value: float) -> None:
    """Of a loss the lowest."""
    ran(cli, "runs/a", 0.5, 0.3, 0.4)
    kept = found(cli, text)
    assert (kept["step"], kept["value"]) == (step, value)


def test_a_metric_whose_goal_is_not_known_is_taken_last(cli: Cli) -> None:
    """`@best` of it is refused, unless neat.yaml says which way is good."""
    ran(cli, "runs/a", 0.5, 0.9, 0.4, metric="grad_norm")
    assert found(cli, "a:grad_norm")["value"] == 0.4
    assert "primary" in refused(cli, "a:grad_norm@best").hint
    assert found(cli, "a:grad_norm@best", Primary(metric="grad_norm", goal="max"))["value"] == 0.9


def test_a_run_alone_is_kept_with_its_status_and_step(cli: Cli) -> None:
    """For a claim about how it ended."""
    run = ran(cli, "runs/a", 0.5, 0.3, status="failed")
    kept = found(cli, "runs/a")
    assert kept.pop("at")
    assert kept == {"run": run.id, "run_name": "runs/a", "status": "failed", "step": 20}


def test_only_the_current_attempt_counts(cli: Cli) -> None:
    """The tail that a restart abandoned is no evidence."""
    ran(cli, "runs/a", 0.5, 0.3, 0.2)
    write(cli.root, "runs/a", {"step": 20, "val/loss": 0.35})
    read(cli, "runs/a")
    assert found(cli, "a:val/loss@20")["value"] == 0.35
    assert "no val/loss at step 30" in refused(cli, "a:val/loss@30").message


def test_names_with_colons_and_ats_are_found_as_they_are(cli: Cli) -> None:
    """What is there decides how an ambiguous text is read."""
    ran(cli, "runs/at-03:04", 0.5, 0.3, metric="acc@5")
    ran(cli, "runs/b", 0.5, 0.3, metric="loss:val")
    assert found(cli, "runs/at-03:04")["run_name"] == "runs/at-03:04"
    assert found(cli, "runs/at-03:04:acc@5")["metric"] == "acc@5"
    assert found(cli, "runs/at-03:04:acc@5@10")["value"] == 0.5
    assert found(cli, "b:loss:val@20")["value"] == 0.3


def test_a_value_that_is_no_number_can_be_evidence(cli: Cli) -> None:
    """That a run diverged is what many decisions rest on; JSON gets it as text."""
    ran(cli, "runs/a", 0.5, math.nan)
    assert found(cli, "a:val/loss@20")["value"] == "NaN"
    assert found(cli, "a:val/loss@last")["value"] == "NaN"


def test_what_is_not_there_is_told_with_what_is_near(cli: Cli) -> None:
    """No run, no metric, no step; and a name that fits several."""
    ran(cli, "runs/baseline", 0.5, 0.3)
    ran(cli, "experiments/2026/march/topology-loss", 0.5)
    ran(cli, "runs/x/one", 0.5)
    ran(cli, "runs/y/one", 0.5)
    assert "did you mean runs/baseline?" in refused(cli, "basline:val/loss").hint
    assert "did you mean experiments/2026/march/topology-loss?" in refused(cli, "topologyloss:val/loss").hint
    assert "did you mean val/loss?" in refused(cli, "baseline:val/los").hint
    assert "the nearest steps are 10 and 20" in refused(cli, "baseline:val/loss@14").hint
    assert "the nearest steps are 20;" in refused(cli, "baseline:val/loss@99").hint
    assert "fits several runs" in refused(cli, "one:val/loss").message


def test_the_hash_holds_while_the_file_grows_and_only_then(tmp_path: Path) -> None:
    """As many bytes are hashed again as there were; fewer, or others, are not the same."""
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b"one\n")
    digest, size = prefix_hash(path)
    path.write_bytes(b"one\ntwo\n")
    assert prefix_hash(path, size) == (digest, 4)
    for content in (b"eno\ntwo\n", b"on", b""):
        path.write_bytes(content)
        assert prefix_hash(path, size)[0] != digest
    path.unlink()
    assert prefix_hash(path, size) == ("", 0)


def test_evidence_without_its_file_is_kept_from_the_store(cli: Cli) -> None:
    """The number is known; that nothing backs it up is seen by its empty hash."""
    ran(cli, "runs/a", 0.5)
    (cli.root / "runs/a/metrics.jsonl").unlink()
    kept = found(cli, "a:val/loss")
    assert (kept["value"], kept["hash"], kept["size"]) == (0.5, "", 0)


def test_a_claim_from_a_sandbox_is_looked_up_when_it_can_be(cli: Cli) -> None:
    """Once, by the daemon, with the old text in history; one that names nothing yet waits."""
    claim, vague = {"claim": "a:val/loss@20"}, {"claim": "later:val/loss"}
    made = add_record(cli.home, here(), "note", {"title": "good", "evidence": [claim, vague]}, "person")[0]
    run = ran(cli, "runs/a", 0.5, 0.3)
    with cli.store() as store, cli.store("points") as series:
        assert settle_claims(store, series, here().project_id) == 1
        assert settle_claims(store, series, here().project_id) == 0
        evidence = records.get(store, "note", made).evidence
        assert [change.who for change in records.history(store, made) if change.field == "evidence"] == ["daemon"]
    assert (evidence[0]["run"], evidence[0]["value"], evidence[1]) == (run.id, 0.3, vague)
