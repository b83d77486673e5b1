"""Rules whose file breaks are listed, tried and shown as they judge; a rule is shown with where it is from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from neatd.errors import ConfigError
from neatd.files import data_path
from neatd.pipeline.configuring import reload_config
from neatd.pipeline.ruleset import rules_here
from neatd.pipeline.scene import Scene
from neatd.rules.load import load_rule, rule_files
from tests.cli_place import Cli
from tests.upkeep_made import scene_of, set_up

MINE = 'rule: mine\nmetrics: ["loss"]\nwhen: {condition: above, limit: 10}\n'
SPIKE = '# of the project\nrule: spike\nmetrics: ["*loss*"]\nwhen: {condition: spike, k: 9}\nseverity: critical\n'
OLD = 1_750_000_000.0  # long at rest


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return set_up(Cli(tmp_path, monkeypatch, capsys))


def save(cli: Cli, text: str, name: str = "mine.yaml", after_s: float = 0.0) -> Path:
    """A rule of the project's, saved long ago."""
    path = cli.root / ".neat" / "rules" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    os.utime(path, (OLD + after_s, OLD + after_s))
    return path


def seen_by_daemon(scene: Scene) -> dict[str, float | None]:
    """Rule -> its limit, as the daemon judges by it after it has looked."""
    (project,) = scene.projects.values()
    reload_config(scene, project)
    return {one.rule: getattr(one.when, "limit", None) for one in project.rules}


def listed(cli: Cli) -> dict[str, dict[str, object]]:
    return {one["rule"]: one for one in cli.json("rules", "list")}


def test_a_rule_whose_file_broke_is_listed_as_broken_and_as_it_judges(cli: Cli) -> None:
    """Since when, what is wrong, and the last good version, which is what the daemon has; mended it is on again."""
    save(cli, MINE)
    with scene_of(cli) as scene:
        assert seen_by_daemon(scene)["mine"] == 10
        path = save(cli, MINE.replace("above", "abov"), after_s=60)
        assert seen_by_daemon(scene)["mine"] == 10
        one = listed(cli)["mine"]
        assert (one["state"], one["when"]["limit"], one["enabled"]) == ("broken", 10, True)  # type: ignore[index]
        assert one["broken"]["since"] == "2025-06-15T15:07:40+00:00" and one["broken"]["judges"] == "last good"  # type: ignore[index]
        assert f"{path}:3: when.condition" in one["broken"]["mistake"]  # type: ignore[index]
        out = " ".join(cli.ok("rules", "list").split())
        assert "broken since 2025-06-15" in out and "the last good version judges" in out
        save(cli, MINE.replace("10", "20"), after_s=120)
        assert seen_by_daemon(scene)["mine"] == 20 and listed(cli)["mine"]["state"] == "on"


def test_a_file_that_was_never_good_is_listed_and_judges_nothing(cli: Cli) -> None:
    """Under the name of the file: a shipped rule of that name goes on."""
    save(cli, "rule: [\n", "spike.yaml")
    rules = listed(cli)
    assert rules["spike"]["from"] == "shipped" and rules["spike"]["state"] == "on"
    assert rules["spike.yaml"]["state"] == "broken" and rules["spike.yaml"]["broken"]["judges"] == "nothing"  # type: ignore[index]
    assert "nothing of it judges" in " ".join(cli.ok("rules", "list").split())


def test_a_broken_rule_is_tried_as_it_judges_and_that_is_said(cli: Cli) -> None:
    """By its name; by its file it is a mistake. One that was never good is the mistake, too."""
    cli.add_run("runs/a", {"loss": [1.0, 15.0, 1.0]})
    save(cli, MINE)
    with scene_of(cli) as scene:
        seen_by_daemon(scene)
        path = save(cli, MINE.replace("limit", "limt"))
    answer = cli("rules", "test", "mine", "--run", "runs/a", "--json")
    assert '"state": "broken"' in answer.out and '"count": 1' in answer.out
    assert "the last good version judges, and is tried here" in answer.err
    assert f"{path}:3" in cli.refused("rules", "test", str(path), "--run", "runs/a")
    save(cli, "rule: [\n", "other.yaml")
    assert "other.yaml:" in cli.refused("rules", "test", "other", "--run", "runs/a")
    doctor = cli("doctor").out
    assert "limt: is no known key; did you mean 'limit'?" in doctor and "the last good version judges" in doctor


def test_a_last_good_version_that_no_longer_fits_does_not_keep_the_others_away(cli: Cli) -> None:
    """A copy of a neat that took other fields is none."""
    save(cli, MINE)
    with scene_of(cli) as scene:
        seen_by_daemon(scene)
        (kept,) = (cli.home / "good_rules").glob("*/.neat/mine.yaml")
        kept.write_text("rule: mine\nof_another_version: 1\n")
        save(cli, "rule: [\n", after_s=60)
        assert "mine" not in (judged := seen_by_daemon(scene)) and "spike" in judged


def test_a_rule_is_shown_as_it_judges_and_where_it_is_from(cli: Cli) -> None:
    """The project's in the place of the shipped one, with what it changes; all defaults; a state."""
    path = save(cli, SPIKE, "strict.yaml")
    head = cli.ok("rules", "show", "spike").splitlines()[:3]
    assert head[0] == "# spike: on" and head[1].endswith("strict.yaml:2 (project)")
    assert "(shipped)" in head[2] and "when.k 9.0 (not 6.0)" in head[2] and "severity critical" in head[2]
    shape = cli.json("rules", "show", "spike")
    assert (shape["file"], shape["line"], shape["from"], shape["state"]) == (str(path), 2, "project", "on")
    assert shape["changed"]["when.k"] == [6.0, 9.0] and shape["when"]["window"] == 100 and shape["broken"] is None
    with scene_of(cli) as scene:
        seen_by_daemon(scene)
    save(cli, SPIKE.replace("k: 9", "kk: 9"), "strict.yaml")
    out = cli.ok("rules", "show", "spike")
    assert "broken since" in out and "mistake: " in out and "strict.yaml:4: when.kk" in out and "k: 9.0" in out
    assert "there are " in cli.refused("rules", "show", "spikes")


def test_the_file_of_the_user_is_named_outside_of_a_project_too(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would judge in any project."""
    (cli.home / "rules").mkdir(parents=True)
    (cli.home / "rules" / "spike.yaml").write_text(SPIKE + "enabled: false\n")
    monkeypatch.chdir(cli.home)
    assert cli.ok("rules", "show", "spike").startswith("# spike: off\n# from ")
    assert cli.json("rules", "show", "spike")["from"] == "user"


@pytest.mark.parametrize("path", rule_files(data_path("rules")), ids=lambda path: path.stem)
def test_what_is_shown_is_the_file_of_the_same_rule(cli: Cli, tmp_path: Path, path: Path) -> None:
    """Read as a file it is what judges; --shipped is the shipped file to the letter."""
    rule = load_rule(path)
    copy = tmp_path / "copy.yaml"
    copy.write_text(cli.ok("rules", "show", rule.rule))
    assert load_rule(copy) == rule
    assert cli.ok("rules", "show", path.stem, "--shipped") == path.read_text()


def test_a_rule_shown_into_its_own_new_file_is_the_rule_from_before(cli: Cli) -> None:
    """The shell makes the file empty first; neither a mistake nor a word of one gets into it."""
    save(cli, SPIKE, "spike.yaml")
    with scene_of(cli) as scene:
        seen_by_daemon(scene)
    path = save(cli, "", "spike.yaml")
    path.write_text(cli.ok("rules", "show", "spike"))
    assert "broken" not in path.read_text() and load_rule(path).severity == "critical"
    save(cli, "", "best-loss.yaml")
    assert "(shipped)" in cli.ok("rules", "show", "best-loss")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("desc: x\n", "4: desc: is no known key; did you mean 'description'?"),
        ("Metric: [x]\n", "4: Metric: is no known key; did you mean 'metrics'?"),
        ("conditon: above\n", "4: conditon: is no known key; did you mean 'when.condition'?"),
        ("warmup_step: 3\n", "4: warmup_step: is no known key; did you mean 'guard.warmup_steps'?"),
        ("guard: {warmup: 3}\n", "4: guard.warmup: is no known key; did you mean 'warmup_steps'?"),
    ],
)
def test_a_misspelt_key_says_what_was_meant(tmp_path: Path, text: str, said: str) -> None:
    """Also the beginning of a word, another case, and a key of another part of the rule."""
    path = tmp_path / "a.yaml"
    path.write_text(MINE + text)
    with pytest.raises(ConfigError) as caught:
        load_rule(path)
    assert caught.value.message == f"{path}:{said}"


def test_a_misspelt_condition_is_named_where_it_is_missing(tmp_path: Path) -> None:
    """Not only that there is none."""
    path = tmp_path / "a.yaml"
    path.write_text(MINE.replace("condition", "conditon"))
    with pytest.raises(ConfigError, match=r"when\.condition: is missing; is 'conditon' meant for it"):
        load_rule(path)


def test_what_is_listed_is_what_the_daemon_has(cli: Cli) -> None:
    """By one function, whatever the files hold."""
    save(cli, SPIKE, "spike.yaml")
    save(cli, MINE)
    with scene_of(cli) as scene:
        seen_by_daemon(scene)
        save(cli, "rule: [\n", after_s=60)
        save(cli, "metrics: 3\n", "never.yaml")
        judged = seen_by_daemon(scene)
        (project,) = scene.projects.values()
        known = rules_here(cli.home, cli.root, project.project.id)
    assert sorted(judged) == sorted(one.rule.rule for one in known.rules) and len(known.broken) == 2
