"""A study of sixty real trials of the lm trainer, two at a time, whose daemon is killed twice: sixty, none doubled, and the
points that an uninterrupted study has."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from neatd.studies.sampling import Sequence
from neatd.studies.space import Space, fingerprint
from neatd.studies.spec import load_study
from tests.conftest import Neat, until
from tests.test_study_killed import count, kill, rows

pytest.importorskip("torch")
pytestmark = pytest.mark.bench

TRIALS = 60
SPEC = {
    "name": "tiny", "trainer": "lm",
    "set": {"steps": 6, "batch": 2, "context": 64, "eval_every": 3, "eval_windows": 4, "save_every": 0, "warmup": 1,
            "data_mb": 0.5, "threads": 1},
    "space": {"lr": {"type": "float", "low": 1e-4, "high": 1e-2, "log": True},
              "dim": {"type": "int", "low": 8, "high": 32, "step": 8}, "heads": [1, 2, 4],
              "layers": {"type": "int", "low": 1, "high": 8}},
    "constraints": ["dim % (2 * heads) == 0"],
    "budget": {"parameters": "12K", "count": "12 * layers * dim * dim + 256 * dim", "tolerance": "40%", "by": "layers"},
    "goal": {"metric": "val/loss", "steps": 6}, "sampler": {"kind": "sobol", "seed": 1}, "trials": TRIALS, "parallel": 2,
}  # fmt: skip


@pytest.mark.timeout(1800)
def test_sixty_real_trials_survive_two_kills(neat: Neat) -> None:
    """Each ran once: one job, one run, one attempt of it; each met the budget; together they are Sobol's first sixty."""
    path: Path = neat.root / "s.yaml"
    path.write_text(yaml.safe_dump(SPEC))
    neat.start()
    neat.json("neat", "study", "create", "s.yaml")
    for done in (TRIALS // 4, TRIALS // 2):
        until(lambda done=done: count(neat, "finished") >= done and count(neat, "running") >= 1, f"{done} ended", 900)
        kill(neat)
        neat.start()
    until(lambda: rows(neat.home, "SELECT status FROM study")[0][0] != "running", "the end of the study", 1200)

    found = neat.json("neat", "study", "status", "tiny")
    assert (found["status"], found["finished"], found["failed"]) == ("finished", TRIALS, 0), found
    tried = rows(neat.home, "SELECT fingerprint, job_id, run_id, json_extract(derived, '$.parameters') FROM trial")
    wanted = Sequence(Space(load_study(path))).next_points((), TRIALS)
    assert {one[0] for one in tried} == {fingerprint(one.params) for one in wanted}
    assert len(tried) == len({one[1] for one in tried}) == len({one[2] for one in tried}) == TRIALS
    assert len(rows(neat.home, "SELECT id FROM job")) == TRIALS
    assert all(abs(size - 12_000) <= 4_800 for *_, size in tried)
    for folder in (neat.root / "runs/tiny").glob("trial-*"):
        steps = [line for line in (folder / "metrics.jsonl").read_text().splitlines() if '"val/loss"' in line]
        assert len(steps) == len(set(steps)) >= 2, folder
