"""Which numbers of a text are claims that need a run behind them."""

from __future__ import annotations

import time

import pytest

from neatd.assist.claims import claim, is_claim, proof


@pytest.mark.parametrize(
    "text",
    ["dice rose to 0.3081", "dice .. 0.31.", "(0.31)", "loss=0.31", "loss:0.31", "-0.31", "~0.5", "0.31-0.35",
     "from 0.1 to 0.2",
     "12.7M parameters", "a 7B model", "35M", "50GB", "50 GB", "1.5 GiB", "1,250.5 ms", "12 GB/s", "70%", "70 %",
     "a third is 33 %", "12 percent",
     "lr 1e-4", "lr=3E-05", "2x faster", "2× faster", "2.5x", "in 28 minutes", "300 s", "40 min an epoch",
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
     "file.0.31.pt", "lr0.3", "model_0.5", "step_000100", "see 3/4/2026"],
)  # fmt: skip
def test_a_number_that_names_or_counts_is_none(text: str) -> None:
    """Plain integers, dates, versions, ids, commits, branches, paths, list numbers, ranges of time."""
    assert not is_claim(text)


def test_the_mark_comes_once_and_evidence_takes_it_away() -> None:
    """Behind the text, whatever numbers it holds."""
    assert claim("0.5 and 0.6", ()) == "0.5 and 0.6 (unverified)"
    assert claim("0.5", ({"run": "r-1"},)) == "0.5" and claim("batch 64", ()) == "batch 64"


def test_evidence_is_shown_as_far_as_it_goes() -> None:
    """Run by name, metric, step, value; what is missing is left out."""
    whole = {"run": "r-1", "metric": "val/dice", "step": 400, "value": 0.30811234567, "hash": "x"}
    assert proof([whole], {"r-1": "runs/wide"}) == "[runs/wide:val/dice@400 = 0.308112]"
    assert proof([{"run": "r-2"}, {"metric": "loss", "step": 0, "value": "NaN"}], {}) == "[r-2] [?:loss@0 = NaN]"
    assert proof([], {}) == ""


@pytest.mark.parametrize(
    "text", ["1," * 50_000, "1." * 50_000, "a1-" * 40_000, "9" * 100_000, "abcdef0" * 15_000, "torch " * 20_000]
)
def test_a_long_text_costs_little(text: str) -> None:
    """A hundred thousand characters of nearly a number take no quadratic time."""
    begun = time.process_time()
    is_claim(text)
    assert time.process_time() - begun < 1.0
