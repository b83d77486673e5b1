"""Which numbers of a text are claims that need a run behind them."""

from __future__ import annotations

import pytest

from neatd.assist.claims import claim, is_claim, is_proven, proof
from tests.cost import at_most


@pytest.mark.parametrize(
    "text",
    ["dice rose to 0.3081", "dice .. 0.31.", "(0.31)", "loss=0.31", "loss:0.31", "-0.31", "~0.5", "0.31-0.35",
     "from 0.1 to 0.2",
     "50GB", "15G", "50 GB", "1.5 GiB", "1,250.5 ms", "12 GB/s", "70%", "70 %",
     "a third is 33 %", "12 percent",
     "lr 1e-4 gave 0.31", "val/loss=0.31", "dice=31%", "peak_mem=15.2",
     "reached 1e-4", "dropout 0.1: loss 0.31", "2x faster", "2× faster", "2.5x", "in 28 minutes", "300 s", "40 min an epoch",
     "1200 tokens/s", "300 W",
     "41 of 64 correct", "9/12 seeds", "improved by 3 points", "+0.085", "patches 0.31, dropout 0.1", "losses of 1.5e-3",
     "PyTorch 2.3 gave 0.31", "2026-03-01: dice 0.31", "3. dice 0.31"],
)  # fmt: skip
def test_a_number_that_looks_measured_is_a_claim(text: str) -> None:
    """Decimals, exponents, shares and percentages, units of size, time, rate and power, factors."""
    assert is_claim(text)


@pytest.mark.parametrize(
    "text",
    ["", "no number", "batch 64", "use patches of 128 cubed", "step 4000", "3 seeds", "seed 42", "64x64 crops", "128³",
     "on 2026-03-01", "at 12:30", "2026-03-01 12:30:05", "01.03.2026", "v1.2", "1.4.2", "1.4.2. write it",
     "PyTorch 2.3", "python3.11",
     "Python >= 3.11", "torch>=2.0", "torch==2.3", "medicai==0.4", "CUDA 12.4", "driver 550.90", "Ubuntu 22.04", "phase 2.1",
     "section 3.2", "Phases 2.1", "task 1.2", "3.2. do this", "4) then that", "d-7k2q", "r-1e44", "1e10abc",
     "c0ffee12", "exp-0.5",
     "runs/0.3/a", "mAP@0.5", "recall@10", "#12", "A100", "RTX 4090", "24-48 h", "3D", "2D conv", "x2", "x86", "fp16", "int8",
     "file.0.31.pt", "lr0.3", "model_0.5",
     "lr 1e-4", "lr=3E-05", "eps=1e-6", "lr 3e-4", "d=768", "dropout of 0.1", "lr 1e-4 -> 3e-4", "--drop 0.1", "noise=0.05",
     "learning rate: 0.003", "beta2 0.95", "warmup 5%", "12.7M parameters", "a 7B model", "35M",
     "the 2M sweep", "step_000100", "see 3/4/2026"],
)  # fmt: skip
def test_a_number_that_names_or_counts_is_none(text: str) -> None:
    """Plain integers, dates, versions, ids, commits, branches, paths, list numbers, ranges of time."""
    assert not is_claim(text)


def test_the_mark_comes_once_and_evidence_takes_it_away() -> None:
    """Behind the text, whatever numbers it holds."""
    assert claim("0.5 and 0.6", ()) == "0.5 and 0.6 (unverified)"
    assert claim("0.5", ({"run": "r-1", "value": 0.5},)) == "0.5" and claim("batch 64", ()) == "batch 64"


LOW = {"run": "r-1", "run_name": "low", "metric": "val/loss", "step": 300, "value": 1.12431}


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.124", 1.12431), ("loss 1.1 at step 300", 1.12431), ("31 %", 0.3081), ("31%", 30.81), ("30.8 percent", 0.3081),
     ("+0.31", 0.3081), ("-0.31", -0.3081), ("41 of 64", 0.640625), ("15 GB", 15.2), ("15 GB", 15_100_000_000),
     ("1.1e-4", 0.000112), ("step 300.0", 1.12431), ("28 minutes", 28.3), ("lr 3e-4 gave 1.12", 1.12431)],
)  # fmt: skip
def test_evidence_vouches_for_its_number_at_the_precision_written(text: str, value: float) -> None:
    """Rounded, as a share of 1 or in percent, with the letter of its unit; the step too."""
    assert claim(text, ({**LOW, "value": value},)) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [("val/loss was 0.9 for low", 1.12431), ("1.125", 1.12431), ("from 1.3 to 1.124", 1.12431), ("32 %", 0.3081),
     ("9/12", 0.5), ("15 GB", 50.0), ("0.31", "NaN"), ("0.31", None), ("0.31", [0.31]), ("-0.31", 0.3081)],
)  # fmt: skip
def test_a_number_that_the_evidence_does_not_have_is_marked(text: str, value: object) -> None:
    """Each claimed number is asked for; evidence of another one says nothing of it."""
    assert claim(text, ({**LOW, "value": value},)) == f"{text} (unverified)"


def test_a_run_alone_vouches_for_no_number() -> None:
    """It says that the run is there; so does a claim that a sandbox could not look up."""
    assert claim("dice 0.31", ({"run": "r-1", "status": "finished", "step": 300},)) == "dice 0.31 (unverified)"
    assert claim("dice 0.31", ({"claim": "low:val/dice"},)) == "dice 0.31 (unverified)"


def test_a_stated_value_is_proven_by_the_same_value() -> None:
    """As a person gave it: 1.124 is 1.12431, 0.9 is not."""
    assert is_proven(1.124, [LOW]) and not is_proven(0.9, [LOW]) and not is_proven(1.124, [])


def test_evidence_is_shown_as_far_as_it_goes() -> None:
    """Run by name, metric, step, value; what is missing is left out."""
    whole = {"run": "r-1", "metric": "val/dice", "step": 400, "value": 0.30811234567, "hash": "x"}
    assert proof([whole], {"r-1": "runs/wide"}) == "[runs/wide:val/dice@400 = 0.308112]"
    assert proof([{"run": "r-2"}, {"metric": "loss", "step": 0, "value": "NaN"}], {}) == "[r-2] [?:loss@0 = NaN]"
    assert proof([], {}) == ""


def test_a_recorded_experiment_is_shown_by_its_name() -> None:
    """A run that is not here by the name that the evidence kept, an unsettled claim as it was typed."""
    experiment = {"experiment": "w-1", "name": "by hand", "metric": "val/loss", "value": 1.4}
    assert proof([experiment], {}) == "[by hand:val/loss = 1.4]"
    assert proof([LOW], {}) == "[low:val/loss@300 = 1.12431]" and proof([{"claim": "a:b"}], {}) == "[a:b]"


def test_the_baseline_of_a_verdict_is_not_told_twice() -> None:
    """The reason has its number; alone it stands."""
    base = {"run": "r-2", "metric": "val/loss", "step": 300, "value": 1.3, "role": "baseline"}
    assert proof([LOW, base], {"r-1": "low"}) == "[low:val/loss@300 = 1.12431]"
    assert proof([base], {"r-2": "base"}) == "[base:val/loss@300 = 1.3]"


@pytest.mark.parametrize(
    "text",
    ["1," * 50_000, "1." * 50_000, "a1-" * 40_000, "9" * 100_000, "abcdef0" * 15_000, "torch " * 20_000,
     "lr " * 30_000, "a" * 100_000, "a=" * 50_000],
)  # fmt: skip
def test_a_long_text_costs_little(text: str) -> None:
    """A hundred thousand characters of nearly a number take no quadratic time."""
    with at_most(1.0):
        is_claim(text)
