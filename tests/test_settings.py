"""settings.yaml with a mistake: the daemon begins and goes on with the last good one, says so, and takes the mended one."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from neatd.config import Settings
from neatd.daemon import Daemon
from neatd.pipeline.settingsfile import LOOK_S, SettingsFile, in_force
from neatd.starts import MACHINE_OFF, Start, Starts
from tests.cli_place import Cli
from tests.stores_made import put_store

NOW = 1_800_000_000.0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    put_store(tmp_path)
    put_store(tmp_path, "points")
    return tmp_path


def save(home: Path, text: str) -> Path:
    """The file as it was saved a minute ago: it is at rest. Each text has a time of its own."""
    path = home / "settings.yaml"
    path.write_text(text)
    save.count += 1  # type: ignore[attr-defined]
    moment = time.time() - 3600 + save.count  # type: ignore[attr-defined]
    os.utime(path, (moment, moment))
    return path


save.count = 0  # type: ignore[attr-defined]


@contextmanager
def daemon(home: Path) -> Iterator[Daemon]:
    """A daemon as it stands after its start; its clock is moved by hand."""
    made = Daemon(home)
    made.scene.clock = lambda: 0.0
    made._take_settings()
    try:
        yield made
    finally:
        made.page.close()
        made.door.close()
        made.scene.records.close()
        made.scene.points.close()


def later(made: Daemon) -> None:
    """The daemon's next look at the file."""
    moment = made.scene.clock() + LOOK_S
    made.scene.clock = lambda: moment
    made._take_settings()


def told(made: Daemon) -> list[tuple[str, str]]:
    """(severity, message) of what was told of the settings."""
    return made.scene.records.execute(
        "SELECT severity, message FROM event WHERE rule = 'settings-mistake' ORDER BY rowid"
    ).fetchall()


def test_a_typo_does_not_stop_a_restart(home: Path) -> None:
    """The last good settings hold, a warning names file, line and field and what was meant, once over two starts."""
    save(home, "sweep_s: 7\nstall_s: 99\n")
    with daemon(home) as made:
        assert made.settings.stall_s == 99 and told(made) == []
    path = save(home, "sweep_s: 7\nstal_s: 30\n")
    for _ in range(2):
        with daemon(home) as made:
            assert made.scene.settings == Settings(sweep_s=7, stall_s=99)
            ((severity, message),) = told(made)
            made._publish()
            assert made.status()["settings_mistake"].endswith("the last good settings hold")
    assert severity == "warning" and "the last good settings hold" in message
    assert f"{path}:2: stal_s: unknown field (did you mean stall_s?)" in message


def test_a_mended_file_is_taken_when_it_is_saved(home: Path) -> None:
    """By the daemon that runs, in all that depends on it; a mistake made meanwhile leaves in force what was."""
    save(home, "sweep_s: x\n")
    with daemon(home) as made:
        assert made.settings == Settings() and "the defaults hold" in told(made)[0][1]
        save(home, "sweep_s: 7\ncheckpoint_rest_s: 1\nbackup_every_h: 5\n")
        later(made)
        assert made.scene.settings.sweep_s == 7 and made.scene.rest.rest_s == 1 and made.settings.backup_every_h == 5
        assert made.settings_file.found.told == ""
        save(home, "- no\n")
        later(made)
        assert made.scene.settings.sweep_s == 7 and "the last good settings hold" in told(made)[1][1]
        (home / "settings.yaml").unlink()
        later(made)
        assert made.scene.settings == Settings() and made.settings_file.found.mistake is None
    save(home, "sweep_s: x\n")
    assert in_force(home).settings == Settings()  # a file that was taken away is no last good one


def test_a_file_that_is_being_written_is_not_told_of_yet(home: Path) -> None:
    """Half of a text is a mistake; it is told once it rests."""
    path = save(home, "sweep_s: 7\n")
    with daemon(home) as made:
        path.write_text("sweep_s: 7\nstall")
        ahead = time.time() + 0.9  # as of a moment ago for whoever takes a while to look
        os.utime(path, (ahead - 0.9, ahead - 0.9))
        later(made)
        assert made.scene.settings.sweep_s == 7
        os.utime(path, (ahead - 60, ahead - 60))
        later(made)
        assert len(told(made)) == 1


def test_a_copy_that_no_longer_fits_leaves_the_defaults(home: Path) -> None:
    """Whatever lies there, the daemon begins."""
    save(home, "sweep_s: 7\n")
    SettingsFile(home)
    (home / "good_rules" / "settings.yaml").write_text("of_another_version: 1\n")
    save(home, "sweep_s: [\n")
    assert in_force(home).settings == Settings() and "the defaults hold" in in_force(home).told


def test_status_and_doctor_say_it_with_file_and_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where no daemon runs: then it is what a start will take."""
    cli = Cli(tmp_path, monkeypatch, capsys)
    cli.home.mkdir()
    path = save(cli.home, "\nsweeps: 2\n")
    answer = cli("neatd", "status")
    assert answer.code == 3 and f"settings: {path}:2: sweeps: unknown field" in answer.out
    assert f"{path}:2: sweeps" in cli.json("neatd", "status")["settings_mistake"]
    (found,) = [one for one in json.loads(cli("doctor", "--json").out) if one["what"] == "settings"]
    assert found["state"] == "bad" and f"{path}:2" in found["text"] and "the defaults hold" in found["text"]
    path.write_text("sweep_s: 2\n")
    assert "settings:" not in cli("neatd", "status").out


def life(begun_s: float, ended_s: float | None, reason: str = "") -> Start:
    """A life by how long ago it began and ended."""
    return Start(NOW - begun_s, 1, "1", False, None if ended_s is None else NOW - ended_s, reason)


def test_a_start_that_failed_is_told_until_a_later_one_has_held() -> None:
    """A minute, or to an end that it was told to; a crash of a life of use is told for a day."""
    failed, crashed = life(200, 199, "ConfigError: no"), life(8000, 200, "OSError: no")
    assert Starts((failed,)).told_crash(NOW) == failed
    assert Starts((failed, life(30, None))).told_crash(NOW) == failed
    assert Starts((failed, life(90, None))).told_crash(NOW) is None
    assert Starts((failed, life(90, None))).crash_shape(NOW) is None
    assert Starts((failed, life(90, 80))).told_crash(NOW) is None
    assert Starts((failed, life(90, 80, MACHINE_OFF))).told_crash(NOW) == failed
    assert Starts((crashed, life(90, None))).told_crash(NOW) == crashed
    assert Starts((crashed, life(90, None))).told_crash(NOW + 90_000) is None
    assert Starts().told_crash(NOW) is None
