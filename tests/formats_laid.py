"""The committed files of each library laid out as the library lays them out, and written as it writes them: appended in
random pieces, or one whole file after the other. What a case came to stands in its expected.json."""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.databases_made import database
from tests.written_files import case_id, expected, written

LIBRARIES = (
    "torch", "tensorboardX", "tensorboard", "lightning", "keras", "stable-baselines3", "transformers", "wandb", "mlflow",
    "optuna", "mmengine", "log-keras", "log-lightning", "log-torchtune", "log-tqdm", "log-transformers",
)  # fmt: skip
PIECES = 6
MADE_UP = {"epoch"}  # what a reader may add to a case's series: Lightning and logs say it beside each row
Series = dict[str, list[list[float]]]
Script = Iterator[Path | None]
"""Writes a little more at each step, and gives the file that has to be read before the next step; None: no need."""


class Wanted(NamedTuple):
    """What neat has to say of one run."""

    folder: str  # relative to the project
    series: Series
    told: dict[str, Any]
    is_printed: bool = False  # read from text, with the digits that were printed
    status: str = ""  # "": nothing tells of an end
    reason: str = ""  # a part of it
    attempts: int = 1


class Laid(NamedTuple):
    """A case in a project: what writes it, and what comes of it."""

    scripts: list[Script]
    wanted: list[Wanted]


def lay_out(root: Path, seed: int = 0) -> list[Laid]:
    """Every committed case, and the fresh ones where NEAT_WRITTEN names them, each in a folder of its own."""
    chance = random.Random(seed)
    return [
        _LAYOUTS[library.partition("-")[0] if library.startswith("log-") else library](case, root, chance)
        for library in LIBRARIES
        for case in written(library)
    ]


def written_in_turns(scripts: list[Script], until_read: Callable[[list[Path]], None], seed: int = 0) -> None:
    """Bring all scripts to their ends, a step of each in every round, in an order of chance."""
    chance, going = random.Random(seed), list(scripts)
    while going:
        chance.shuffle(going)
        waits: list[Path] = []
        for script in list(going):
            try:
                waits += filter(None, [next(script)])
            except StopIteration:
                going.remove(script)
        until_read(waits)


def appended(path: Path, data: bytes, chance: random.Random, pieces: int = PIECES) -> Script:
    """The file in pieces of random sizes; the first makes it and may be empty."""
    cuts = sorted(chance.randrange(len(data) + 1) for _ in range(pieces - 1)) if data else []
    path.parent.mkdir(parents=True, exist_ok=True)
    for begin, end in itertools.pairwise([0, *cuts, len(data)]):
        with path.open("ab") as file:
            file.write(data[begin:end])
        yield None


def rewritten(*states: tuple[Path, bytes]) -> Script:
    """Each file opened with "w" and written whole, once the one before was read."""
    for path, data in states:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        yield path


# ---- each library's own places ----


def _torch(case: Path, root: Path, chance: random.Random) -> Laid:
    """SummaryWriter: one folder, with one of add_hparams (a unix time) and those of add_scalars in it."""
    run = f"{case_id(case)}/runs/exp1"
    scripts, series, told = [], Series(), dict[str, Any]()
    for path, one in expected(case).items():
        place = root / run / path.replace("session/", "1700000000.1234567/")
        scripts.append(appended(place, (case / path).read_bytes(), chance))
        label = f"{path.split('/')[0]}/" if path.startswith("loss_") else ""
        series |= {label + name: points for name, points in one["series"].items()}
        told |= one["told"]
    return Laid(scripts, [Wanted(run, series, told)])


def _lightning(case: Path, root: Path, chance: random.Random) -> Laid:
    """CSVLogger: the whole file anew at each flush that has a new key; here at each that was kept."""
    scripts, wanted = [], []
    for path, one in expected(case).items():
        place = root / case_id(case) / path
        states = [*sorted((case / path).parent.glob("metrics-*.csv")), case / path]
        scripts.append(rewritten(*((place, state.read_bytes()) for state in states)))
        place.parent.mkdir(parents=True, exist_ok=True)
        (place.parent / "hparams.yaml").write_text("lr: 0.1\nmax_steps: 64\n")
        told = {"config": {"lr": 0.1, "max_steps": 64}, "planned_steps": 64}
        wanted.append(Wanted(f"{case_id(case)}/{Path(path).parent}", one["series"], told))
    return Laid(scripts, wanted)


def _keras(case: Path, root: Path, chance: random.Random) -> Laid:
    """CSVLogger: where the user says; each in a folder of its own here."""
    scripts, wanted = [], []
    for number, (path, one) in enumerate(expected(case).items()):
        run = f"{case_id(case)}/model{number}"
        scripts.append(appended(root / run / path, (case / path).read_bytes(), chance))
        wanted.append(Wanted(run, one["series"], one["told"]))
    return Laid(scripts, wanted)


def _stable_baselines(case: Path, root: Path, chance: random.Random) -> Laid:
    """progress.csv, written anew when a key comes, and monitor.csv beside it: one run."""
    run, every = case_id(case), expected(case)
    states = [*sorted(case.glob("progress-*.csv")), case / "progress.csv"]
    scripts = [
        rewritten(*((root / run / "progress.csv", one.read_bytes()) for one in states)),
        appended(root / run / "monitor.csv", (case / "monitor.csv").read_bytes(), chance),
    ]
    series = {name: points for one in every.values() for name, points in one["series"].items()}
    return Laid(scripts, [Wanted(run, series, every["monitor.csv"]["told"])])


def _transformers(case: Path, root: Path, chance: random.Random) -> Laid:
    """Trainer: three checkpoints and the end; then on from the first one, over the others. The last history counts."""
    run, every = f"{case_id(case)}/out", expected(case)
    states = [
        (root / run / path.partition("-")[2].removeprefix("out/"), (case / path).read_bytes()) for path in sorted(every)
    ]
    last = every[max(every)]
    wanted = Wanted(run, last["series"], last["told"], status="finished", reason="reached step 9 of 9", attempts=2)
    return Laid([rewritten(*states)], [wanted])


def _wandb(case: Path, root: Path, chance: random.Random) -> Laid:
    """An offline run's folder, with the logs and files that are about wandb itself."""
    ((path, one),) = expected(case).items()
    name = Path(path).stem.removeprefix("run-")
    run = f"{case_id(case)}/wandb/offline-run-20260101_000000-{name}"
    for beside in ("logs/debug-internal.log", "logs/debug.log", "files/requirements.txt"):
        (root / run / beside).parent.mkdir(parents=True, exist_ok=True)
        (root / run / beside).write_text("step 1 loss 0.5\n")
    data = (case / path).read_bytes()
    first = rewritten((root / run / path, data[:7]))  # the header is all for up to fifteen seconds
    rest = appended(root / run / path, data[7:], chance)
    told = {key: value for key, value in one["told"].items() if key != "name"}
    status = {0: "finished", -9: "killed", None: ""}.get(told.get("exit_code"), "failed")
    reason = f"its tracker wrote exit code {told['exit_code']}" if "exit_code" in told else ""
    wanted = Wanted(run, one["series"], told, status=status, reason=reason)
    return Laid([itertools.chain((None for _ in first), rest)], [wanted])


def _mlflow(case: Path, root: Path, chance: random.Random) -> Laid:
    return _mlruns(case, root, chance) if case.name == "files" else _mlflow_db(case, root)


def _mlruns(case: Path, root: Path, chance: random.Random) -> Laid:
    """The file store: parameters and tags are there before the metrics; one of the runs was deleted in it."""
    home, every = root / case_id(case), expected(case)
    scripts = []
    for path in sorted(one for one in case.rglob("*") if one.is_file() and one.name != "expected.json"):
        place = home / path.relative_to(case)
        if "metrics" in path.parts:
            is_over = b"end_time: null" not in _meta(path).read_bytes()
            scripts.append(put_old(place, path.read_bytes()) if is_over else appended(place, path.read_bytes(), chance))
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
    wanted = []
    for meta in (one for one in every if one.endswith("meta.yaml")):
        run = meta.rpartition("/")[0]
        files = [one["series"] for at, one in every.items() if at.startswith(f"{run}/metrics/")]
        series = {name: current(points) for one in files for name, points in one.items()}
        is_again = any(current(points) != points for one in files for points in one.values())
        wanted.append(_of_mlflow(f"{case_id(case)}/{run}", series, every[meta]["told"], 2 if is_again else 1))
    return Laid(scripts, wanted)


def _meta(metric: Path) -> Path:
    return next(one / "meta.yaml" for one in metric.parents if (one / "meta.yaml").is_file())


def put_old(path: Path, data: bytes) -> Script:
    """A file that was written an hour ago comes into the project."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}")
    beside.write_bytes(data)
    hour_ago = path.parent.stat().st_mtime - 3600
    os.utime(beside, (hour_ago, hour_ago))
    yield None
    beside.rename(path)


def current(points: list[list[float]]) -> list[list[float]]:
    """A series without what a restart from an earlier step abandoned."""
    kept: list[list[float]] = []
    for step, value in points:
        if kept and step < kept[-1][0]:
            kept = [one for one in kept if one[0] < step]
        kept.append([step, value])
    return kept


def _of_mlflow(run: str, series: Series, told: dict[str, Any], attempts: int = 1) -> Wanted:
    if told["status"] == "running":  # says nothing: MLflow leaves it so when a run is killed
        return Wanted(run, series, told, attempts=attempts)
    return Wanted(
        run, series, told, status=told["status"], reason=f"its tracker says {told['status']}", attempts=attempts
    )


def _mlflow_db(case: Path, root: Path) -> Laid:
    """`mlflow.db`, where a program that names no store makes it; its runs are called by experiment and name."""
    (root / case_id(case)).mkdir()
    database(case, "mlflow.db", root / case_id(case))
    wanted = []
    for key, one in expected(case).items():
        uuid = key.partition(":")[2]
        name = one["told"]["name"] + (f"-{uuid[:8]}" if one["told"]["status"] == "failed" else "")
        wanted.append(_of_mlflow(f"{case_id(case)}/mlflow.db/net-small/{name}", one["series"], one["told"]))
    return Laid([], wanted)


def _optuna(case: Path, root: Path, chance: random.Random) -> Laid:
    """A journal, which is one run however many studies are in it; or a database, with a run for each."""
    home, every = root / case_id(case), expected(case)
    if case.name == "journal":
        first, second = every["journal.log:lr search"], every["journal.log:trade/off"]
        series = first["series"] | {f"trade/off/{name}": points for name, points in second["series"].items()}
        script = appended(home / "journal.log", (case / "journal.log").read_bytes(), chance)
        return Laid([script], [Wanted(case_id(case), series, {"name": "lr search"})])
    home.mkdir()
    database(case, "study.db", home)
    names = {"study.db:lr search": "lr search", "study.db:trade/off": "trade-off"}
    wanted = [
        Wanted(f"{case_id(case)}/study.db/{names[key]}", one["series"], {"name": one["told"]["name"]})
        for key, one in every.items()
    ]
    return Laid([], wanted)


def _mmengine(case: Path, root: Path, chance: random.Random) -> Laid:
    """A folder with the time of the start, in which `vis_data` lies."""
    run = f"{case_id(case)}/20260101_000000"
    scripts = [appended(root / run / path, (case / path).read_bytes(), chance) for path in expected(case)]
    ((one),) = expected(case).values()
    return Laid(scripts, [Wanted(run, one["series"], one["told"])])


def _log(case: Path, root: Path, chance: random.Random) -> Laid:
    """What a training printed, into the only file it has."""
    name = "log_1700000000.txt" if "torchtune" in case.parent.name else "out.log"
    one = expected(case)["out.log"]
    script = appended(root / case_id(case) / name, (case / "out.log").read_bytes(), chance)
    return Laid([script], [Wanted(case_id(case), one["series"], one["told"], True)])


_LAYOUTS: dict[str, Callable[[Path, Path, random.Random], Laid]] = {
    "torch": _torch, "tensorboardX": _torch, "tensorboard": _torch, "lightning": _lightning, "keras": _keras,
    "stable-baselines3": _stable_baselines, "transformers": _transformers, "wandb": _wandb, "mlflow": _mlflow,
    "optuna": _optuna, "mmengine": _mmengine, "log": _log,
}  # fmt: skip
