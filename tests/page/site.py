"""A real notebook to look at: a project with runs of several kinds, what was decided, jobs, a study, and a daemon that made
what it made of them. `NEAT_HOME=… python -m tests.page.site FOLDER` builds one and prints the page's address."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

TRIAL = """
import json, pathlib, sys
out, lr, dim = pathlib.Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
with (out / "metrics.jsonl").open("a") as file:
    for step in range(1, 41):
        file.write(json.dumps({"step": step, "val/loss": abs(lr - 0.01) * 20 + 8 / dim + 1 / step}) + "\\n")
"""
STUDY = """
name: width
command: python trial.py {out} {lr} {dim}
space:
  lr: {type: float, low: 0.0001, high: 0.1, log: true}
  dim: [8, 16, 32]
goal: {metric: val/loss}
sampler: {kind: sobol, seed: 3}
trials: 8
parallel: 2
"""
STEPS = 240
PLANNED = 400


def lines(seed: int, steps: int, began: float, spike_at: int | None = None, gap_s: float = 1.0) -> list[dict[str, Any]]:
    """Metrics of a small training: losses, accuracy, a rate and a norm; one with a spike and a NaN where asked."""
    noise = random.Random(seed)
    found = []
    for step in range(1, steps + 1):
        loss = 2.5 / math.sqrt(step) + 0.2 + noise.gauss(0, 0.01)
        line: dict[str, Any] = {
            "step": step, "time": began + gap_s * step, "train/loss": loss, "lr": 1e-3 * min(1.0, step / 40),
            "grad_norm": 1.0 + noise.random(),
        }  # fmt: skip
        if step % 10 == 0:
            line |= {"val/loss": loss + 0.05, "val/accuracy": min(0.95, 0.3 + step / 500 + noise.gauss(0, 0.005))}
        if spike_at and spike_at <= step < spike_at + 3:
            line["train/loss"] = 40.0 if step < spike_at + 2 else math.nan
        found.append(line)
    return found


def predictions(seed: int, at: list[int]) -> list[dict[str, Any]]:
    """Evaluations of twelve questions, better each time; one right answer with a high loss, one wrong with a low one."""
    noise = random.Random(seed)
    found: list[dict[str, Any]] = []
    for count, step in enumerate(at, 1):
        for number in range(12):
            is_correct = noise.random() < 0.3 + 0.5 * count / len(at) or number == 0
            loss = 2.4 if number == 0 else 0.05 if number == 1 else 0.4 if is_correct else 1.6
            found.append(
                {"step": step, "id": f"q{number}", "correct": is_correct and number != 1, "loss": loss,
                 "prompt": f"what is {number} + {number}?", "expected": str(2 * number),
                 "answer": str(2 * number + (number == 1))}
            )  # fmt: skip
    return found


class Site:
    """A project below `base`, its daemon's home, and what is in it."""

    def __init__(self, base: Path) -> None:
        self.root, self.home = base / "speech", base / "home"
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("CLAUDE", "NEAT_"))}
        self.env |= {"NEAT_HOME": str(self.home), "HOME": str(base), "COLUMNS": "160", "GIT_CONFIG_GLOBAL": os.devnull}

    def call(self, *words: str) -> str:
        """`neat …` or `neatd …` in the project, as a person types it."""
        program = f"from neatd.cli.main import {'neatd_main' if words[0] == 'neatd' else 'main'} as run; run()"
        done = subprocess.run(
            [sys.executable, "-c", program, *words[1:]],
            cwd=self.root,
            env=self.env,
            text=True,
            capture_output=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def json(self, *words: str) -> Any:
        """What a command prints with --json."""
        return json.loads(self.call(*words, "--json"))

    @property
    def url(self) -> str:
        """The page's address."""
        return str(json.loads((self.home / "neatd.json").read_text())["url"])

    def run_id(self, name: str) -> str:
        """The id of a run by its name."""
        return str(self.json("neat", "run", "show", name)["id"])

    def write(self, run: str, name: str, rows: list[dict[str, Any]]) -> None:
        """Append lines to a file of a run, as its training would."""
        path = self.root / "runs" / run / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)

    def config(self, run: str, **values: Any) -> None:
        """The parameters of a run."""
        folder = self.root / "runs" / run
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(values))

    def save(self, run: str, step: int, size: int = 20_000) -> None:
        """A checkpoint."""
        folder = self.root / "runs" / run / "checkpoints"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"step_{step:06d}.pt").write_bytes(random.Random(step).randbytes(size))

    def git(self, *words: str) -> None:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *words], cwd=self.root, env=self.env, check=True, capture_output=True)

    def until(self, is_true: Any, what: str, wait_s: float = 60.0) -> Any:
        """The first true answer."""
        deadline = time.monotonic() + wait_s
        while not (found := is_true()):
            assert time.monotonic() < deadline, f"waited {wait_s} s in vain for {what}"
            time.sleep(0.1)
        return found


def asked(site: Site, path: str) -> Any:
    """What the API says."""
    with urlopen(f"{site.url}/api/{path}", timeout=60) as answer:
        return json.loads(answer.read())


def build(base: Path) -> Site:
    """A site with everything a view shows, and a daemon that has taken it in."""
    site = Site(base)
    site.root.mkdir(parents=True)
    site.home.mkdir(parents=True, exist_ok=True)
    (site.home / "settings.yaml").write_text("sweep_s: 0.2\nfull_sweep_s: 1.0\ncheckpoint_rest_s: 0.2\nstall_s: 600\n")
    (site.root / "train.py").write_text("print('a training')\n")
    (site.root / "trial.py").write_text(TRIAL)
    (site.root / "study.yaml").write_text(STUDY)
    site.git("init", "-q", "-b", "main", ".")
    site.call("neat", "init", "--yes")
    with (site.root / "neat.yaml").open("a") as file:
        file.write(
            f"primary: {{metric: val/loss, goal: min}}\nplanned_steps: {PLANNED}\n"
            "retention: {newest: 2, half: 0, best_n: 1}\n"
        )
    site.git("add", "-A")
    site.git("commit", "-q", "-m", "a first training")
    _runs(site)
    site.call("neatd", "start")
    _records(site)
    site.until(lambda: site.json("neat", "run", "show", "runs/live")["step"] == 200, "the lines of the live run")
    site.until(lambda: {one["run"] for one in site.json("neat", "events")} - {None}, "an anomaly")
    site.until(lambda: len(site.json("neat", "checkpoints", "runs/baseline")) == 6, "the checkpoints")
    site.until(lambda: site.json("neat", "study", "status", "width")["status"] == "finished", "the study")
    return site


def _runs(site: Site) -> None:
    now = time.time()
    site.config("baseline", lr=1e-3, dim=64, layers=4)
    site.write("baseline", "metrics.jsonl", lines(1, PLANNED, now - 5000))
    site.write("baseline", "predictions.jsonl", predictions(1, list(range(20, PLANNED + 1, 20))))
    for step in range(50, 301, 50):
        site.save("baseline", step)
    site.config("spiky", lr=3e-3, dim=64, layers=4)
    site.write("spiky", "metrics.jsonl", lines(2, STEPS, now - 4000, spike_at=180))
    site.config("live", lr=1e-3, dim=128, layers=4)
    site.write("live", "metrics.jsonl", lines(3, 200, now - 200))
    site.write("live", "predictions.jsonl", predictions(3, [50, 100, 150, 200]))
    site.save("live", 200)
    restarted = lines(4, 120, now - 900)
    site.write("restarted", "metrics.jsonl", [*restarted, *lines(5, 160, now - 700)[80:]])


def _records(site: Site) -> None:
    site.call(
        "neat", "decide", "Warm up for 40 steps", "--why", "the loss spiked without", "--alternative", "clip at 0.5"
    )
    site.call("neat", "hypothesis", "A wider model generalises", "--predict", "val/loss < 0.3", "--run", "runs/live")
    site.call("neat", "bug", "Labels were shifted", "--cause", "off by one in the collator", "--fix", "shift once")
    site.call("neat", "note", "The tokenizer is frozen from now on")
    site.call("neat", "task", "Try dim 256")
    site.call("neat", "baseline", "runs/baseline")
    site.call("neat", "launch", "--name", "short", "--", sys.executable, "-c", "print('done')")
    site.call("neat", "study", "create", "study.yaml")


def end(site: Site) -> None:
    """End its daemon."""
    from neatd import control

    control.stop(site.home)


if __name__ == "__main__":
    print(build(Path(sys.argv[1]).resolve()).url)
