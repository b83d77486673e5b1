"""What a project's files may lead to: no link out of it is followed, no text unfolds without bound, no secret is kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from neatd.config import Settings
from neatd.daemon import open_scene
from neatd.models import GitState, ProcessFact
from neatd.pipeline import paning
from neatd.pipeline.inbox import take_inbox
from neatd.pipeline.loop import Loop
from neatd.pipeline.processes import LONGEST_COMMAND, describe
from neatd.pipeline.scene import LiveRun, Scene
from neatd.place import here
from neatd.read.formats import optuna_journal, trainer_state, wandb
from neatd.read.mlflow_facts import is_deleted, mlflow_facts
from neatd.read.panes import Pane
from neatd.read.runconfig import read_config
from neatd.read.trials import shown_distribution
from neatd.redact import MARK
from neatd.redact_own import compile_patterns
from neatd.store import readings, runs, short
from neatd.store.cleaning import clean_records, clean_told
from neatd.store.connection import transaction
from neatd.watch.observer import Watcher
from tests.cost import at_most
from tests.test_format_tensorboard import field
from tests.test_format_wandb import history, pack

KEY = "sk-proj-" + "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9f"
OWN = "ACME-12345678"
PATTERN = "ACME-[0-9]{8}"


def config_item(name: str, value: object) -> bytes:
    return field(1, field(1, name.encode()) + field(16, json.dumps(value).encode()))


RUN_FILE = pack(
    [field(17, field(4, config_item("lr", 0.1) + config_item("openai_api_key", KEY) + config_item("note", f"in {OWN}"))),
     *(history(step, loss=1 / (step + 1)) for step in range(5))]
)  # fmt: skip
CHOICES = json.dumps({"name": "CategoricalDistribution", "attributes": {"choices": ["plain", KEY, OWN, 3]}})
JOURNAL = [
    {"op_code": 0, "worker_id": "w", "study_name": "s", "directions": [1]},
    {"op_code": 4, "worker_id": "w", "study_id": 0, "datetime_start": "2024-01-01T00:00:00.000000"},
    {
        "op_code": 5,
        "worker_id": "w",
        "trial_id": 0,
        "param_name": "tok",
        "param_value_internal": 1,
        "distribution": CHOICES,
    },
    {
        "op_code": 6,
        "worker_id": "w",
        "trial_id": 0,
        "state": 1,
        "values": [0.5],
        "datetime_complete": "2024-01-01T00:01:00",
    },
]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A daemon's memory with one project, whose neat.yaml names a pattern of its own secrets."""
    root, home = tmp_path / "project", tmp_path / "home"
    root.mkdir()
    home.mkdir()
    (root / "neat.yaml").write_text(f'id: {"a" * 32}\nsecrets: ["{PATTERN}"]\n')
    made = open_scene(home, Settings(sweep_s=0.01))
    with transaction(made.records):
        short.ensure_project(made.records, here(root))
    return made


def turn(scene: Scene, times: int = 6) -> dict[str, LiveRun]:
    """The runs after so many turns of the loop."""
    loop = Loop(scene, Watcher())
    loop.prepare()
    for _ in range(times):
        for project in scene.projects.values():
            project.next_survey = 0
        loop.next_sweep = scene.paused_until = 0
        loop.step([])
    return {live.run.folder: live for _, live in scene.live_runs()}


def root_of(scene: Scene) -> Path:
    return scene.home.parent / "project"


def metrics(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "metrics.jsonl").write_text("".join(f'{{"step": {n}, "loss": {1 / n}}}\n' for n in range(1, 9)))
    return folder


def kept_bytes(scene: Scene) -> bytes:
    """Every value of both databases."""
    found = []
    for store in (scene.records, scene.points):
        for (table,) in store.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE TABLE%'"
        ):
            found += [str(tuple(row)).encode() for row in store.execute(f'SELECT * FROM "{table}"')]
    return b"\n".join(found)


# ---- bounds ----


@pytest.mark.parametrize("name", ["config.yaml", "config.json"])
def test_parameters_that_unfold_into_a_megabyte_of_text_are_none(tmp_path: Path, name: str) -> None:
    """72 kB with one long text that is named 20,000 times became 240 MB."""
    text = 'a: &a "' + "x y" * 20_000 + '"\nb:\n' + "- *a\n" * 2000
    (tmp_path / name).write_text(text)
    with at_most(5):
        assert read_config(tmp_path) == {}


def test_merges_upon_merges_are_no_parameters(tmp_path: Path) -> None:
    """Ten lines of them stand for a billion keys; the same in MLflow's file."""
    lines = ["a0: &a0 {k: 1}", *(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 12))]
    for name in ("config.yaml", "meta.yaml"):
        (tmp_path / name).write_text("\n".join(["run_id: abc", *lines]) + "\n")
    assert read_config(tmp_path) == {} and mlflow_facts(tmp_path) == {}


def test_a_state_with_a_number_that_no_int_holds_is_damaged_once_it_is_whole() -> None:
    """Before, it was waited for without end; while it is written it is still waited for."""
    data = b'{"log_history": [{"step": 1, "loss": ' + b"9" * 5000 + b"}]}"
    assert [bad.why for bad in trainer_state.feed(data, {}, 0, "").bad] == ["not JSON"]
    assert not trainer_state.feed(data[:-1], {}, 0, "").bad


def test_a_panes_lines_end_at_a_limit(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in a terminal without end fills no disk; it is said once."""
    metrics(root_of(scene) / "a")
    live = turn(scene)["a"]
    live.place = scene.home / "pane.log"
    live.place.write_text("x" * 100)
    live.pane = Pane("tmux", "/nowhere", "%1")
    monkeypatch.setattr(paning, "MOST_BYTES", 50)
    project = next(iter(scene.projects.values()))
    for _ in range(2):
        paning._read(scene, project, live)
    said = scene.records.execute("SELECT message, severity FROM event WHERE rule = 'pane-full'").fetchall()
    assert len(said) == 1 and said[0]["severity"] == "info" and live.place.stat().st_size == 100


# ---- links ----


def test_parameters_outside_the_project_are_not_read(tmp_path: Path) -> None:
    """A link within the project, and a run folder that is a link, are followed."""
    (tmp_path / "outside.json").write_text('{"login": "bob"}')
    run = tmp_path / "project" / "runs" / "a"
    run.mkdir(parents=True)
    (run / "config.json").symlink_to(tmp_path / "outside.json")
    assert read_config(run, tmp_path / "project") == {}
    (tmp_path / "project" / "shared.yaml").write_text("lr: 1")
    (run / "config.yaml").symlink_to(tmp_path / "project" / "shared.yaml")
    assert read_config(run, tmp_path / "project") == {"lr": 1}
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (scratch / "args.json").write_text('{"lr": 2}')
    (tmp_path / "project" / "linked").symlink_to(scratch)
    assert read_config(tmp_path / "project" / "linked", tmp_path / "project") == {"lr": 2}


def test_no_link_in_a_run_of_mlflows_is_followed(tmp_path: Path) -> None:
    """Its meta.yaml, its folders of parameters and tags."""
    run, outside = tmp_path / "run", tmp_path / "outside"
    run.mkdir()
    outside.mkdir()
    (outside / "mlflow.runName").write_text("hidden")
    (outside / "meta.yaml").write_text("run_id: abc\nlifecycle_stage: deleted\nrun_name: hidden\n")
    (run / "meta.yaml").symlink_to(outside / "meta.yaml")
    assert mlflow_facts(run) == {} and not is_deleted(run)
    (run / "meta.yaml").unlink()
    (run / "meta.yaml").write_text("run_id: abc\n")
    for name in ("params", "tags"):
        (run / name).symlink_to(outside)
    assert mlflow_facts(run) == {"config": {}}


def test_an_inbox_that_leads_out_of_the_project_is_left_alone(scene: Scene) -> None:
    """A record there is not this project's, and would be unlinked."""
    root, outside = root_of(scene), scene.home.parent / "outside"
    inbox = root / ".neat" / "inbox"
    turn(scene)
    project = next(iter(scene.projects.values()))
    outside.mkdir()
    row = short.record_row("note", here(root), {"title": "x"}, "person")
    record = short.leave_in_inbox(root, "note", row)
    kept = outside / "record.json"
    kept.write_bytes(record.read_bytes())
    record.unlink()
    (inbox / "link.json").symlink_to(kept)
    take_inbox(scene, project)
    assert kept.exists() and (inbox / "link.json").is_symlink()
    (inbox / "link.json").unlink()
    inbox.rmdir()
    inbox.symlink_to(outside)
    take_inbox(scene, project)
    take_inbox(scene, project)
    assert kept.exists() and not scene.records.execute("SELECT 1 FROM note").fetchall()
    said = [row[0] for row in scene.records.execute("SELECT message FROM event WHERE rule = 'inbox-mistake'")]
    assert len(said) == 2 and all("leads out of" in one for one in said)


# ---- secrets ----


def test_what_a_parser_keeps_of_a_run_holds_no_secret() -> None:
    """The config of wandb and the choices of Optuna; values that stay are read as before."""
    fed = wandb.feed(RUN_FILE, {}, 0, "")
    assert KEY not in json.dumps(fed.state) and fed.state["config"]["lr"] == 0.1 and len(fed.rows) == 5
    data = "".join(json.dumps(one) + "\n" for one in JOURNAL).encode()
    fed = optuna_journal.feed(data, {}, 0, "")
    assert KEY not in json.dumps(fed.state) and fed.rows[-1].values["params/tok"] == 1.0
    half = optuna_journal.feed(b"".join(data.splitlines(keepends=True)[:3]), {}, 0, "")
    assert KEY not in json.dumps(half.state) and "plain" in json.dumps(half.state)
    assert KEY not in shown_distribution("tok", CHOICES) and "plain" in shown_distribution("tok", CHOICES)


def test_a_projects_own_secrets_are_nowhere_in_the_stores(scene: Scene) -> None:
    """Nor known ones: of parameters, what trackers tell, and what parsers keep."""
    root = root_of(scene)
    (metrics(root / "a") / "config.json").write_text(json.dumps({"password": KEY, "note": f"in {OWN}", "lr": 0.5}))
    for folder, name, data in (
        ("wandb/offline-run-20240101_000000-abcd1234", "run-abcd1234.wandb", RUN_FILE),
        ("o", "journal.log", "".join(json.dumps(one) + "\n" for one in JOURNAL).encode()),
    ):
        (root / folder).mkdir(parents=True)
        (root / folder / name).write_bytes(data)
    found = turn(scene, 8)
    assert len(found) == 3 and found["a"].run.config["lr"] == 0.5
    kept = kept_bytes(scene)
    assert KEY.encode() not in kept and OWN.encode() not in kept and MARK.encode() in kept


def test_a_command_is_cut_behind_its_secrets(scene: Scene) -> None:
    """Half a key at the end of what is kept would be no known shape."""
    metrics(root_of(scene) / "a")
    live = turn(scene)["a"]
    project = next(iter(scene.projects.values()))
    for secret in (KEY, OWN):
        words = "python train.py " + "x" * (LONGEST_COMMAND - 26)
        describe(scene, project, live, ProcessFact(pid=2**22 + 1, started=1.0, command=f"{words} {secret}"))
        assert live.run.process is not None and len(live.run.process.command) <= LONGEST_COMMAND
        assert secret[:6] not in live.run.process.command


def test_what_was_kept_of_runs_before_a_pattern_was_known_is_cleaned(scene: Scene) -> None:
    """Parameters, facts, process; and what sources told."""
    turn(scene)
    project = next(iter(scene.projects.values())).project.id
    run = runs.ensure_run(scene.records, project, str(root_of(scene)), "b", GitState(), datetime.now(UTC))
    fields: dict[str, Any] = {
        "config": {"note": OWN}, "facts": {"told": {"name": OWN}}, "process": ProcessFact(pid=1, started=1.0, command=OWN),
    }  # fmt: skip
    runs.set_run(scene.records, run.id, **fields)
    cursor = readings.cursor(scene.points, run.id, "x.wandb")
    told = {"told": {"config": {"note": OWN}}, "state": {"config": {"note": OWN}, "offset": 7}, "seq": 1}
    with transaction(scene.points):
        readings.save_cursor(scene.points, run.id, "x.wandb", cursor.model_copy(update=told), None, 1.0)
    assert kept_bytes(scene).count(OWN.encode()) >= 5
    patterns = compile_patterns([PATTERN])
    assert clean_records(scene.records, project, patterns) and clean_told(scene.points, [run.id], patterns) == 1
    assert OWN.encode() not in kept_bytes(scene)
    assert readings.cursor(scene.points, run.id, "x.wandb").state == {"config": {"note": MARK}, "offset": 7}
    assert runs.get_run(scene.records, run.id).process == ProcessFact(pid=1, started=1.0, command=MARK)
