"""The service under a real systemd: installed, killed, stopped, started, taken out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from neatd.starts import NO_WORD
from tests.service_scene import SYSTEMD

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `tests/service_scene.py` saw; it is acted once."""
    if not (hasattr(os, "getuid") and os.getuid() == 0 and SYSTEMD.is_file() and shutil.which("unshare")):
        pytest.skip("a systemd of the test's own needs root, unshare and systemd (Debian: apt-get install systemd)")
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", sys.executable, "-m", "tests.service_scene",
         str(tmp_path_factory.mktemp("service"))],
        cwd=ROOT, capture_output=True, text=True, timeout=110,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    if "cannot" in found:
        pytest.skip(f"no systemd can be started on this machine: {found['cannot']}")
    return found


def test_it_takes_over_from_a_daemon_started_by_hand(seen: dict[str, Any]) -> None:
    """One daemon, the service's, which is enabled and tells systemd what it does; linger is explained."""
    code, out = seen["install"]
    assert code == 0 and "systemctl --user enable neatd.service" in out and "loginctl enable-linger" in out
    assert seen["handed_over"] is True
    service = seen["installed"]["service"]
    assert service["kind"] == "systemd" and service["installed"] and service["enabled"] and service["active"]
    assert service["linger"] is False and "StatusText=watching" in seen["text"]


def test_awkward_paths_arrive_as_they_are(seen: dict[str, Any]) -> None:
    """Spaces, quotes and % in NEAT_HOME, and systemd has nothing to say of the unit."""
    assert seen["installed"]["home"].endswith('it\'s "neat" %h')
    assert seen["verify"][0] == 0 and "neatd.service" not in seen["verify"][2]


def test_a_second_install_changes_nothing(seen: dict[str, Any]) -> None:
    """The daemon is the same process."""
    assert seen["again"][0] == 0 and "as it should be" in seen["again"][1] and seen["same"] is True


def test_a_killed_daemon_comes_back_and_its_trainings_went_on(seen: dict[str, Any]) -> None:
    """What lies in its unit is left alone, by each end of the daemon; the reason is kept."""
    assert seen["killed"]["comes_back"] is True and seen["killed"]["crash"]["reason"] == NO_WORD
    assert seen["killed"]["job"] is None and seen["job_after_all"] is None


def test_stop_is_final_and_start_goes_by_the_service(seen: dict[str, Any]) -> None:
    """systemd does not begin it again after `neatd stop`; `neatd start` and `restart` give systemd's own process."""
    assert seen["restart"] == [0, True]
    assert seen["stop"] == [0, ["inactive", "dead"]]
    assert seen["start"] == [0, True]


def test_uninstall_leaves_nothing_but_the_home(seen: dict[str, Any]) -> None:
    """No unit, no link, nothing that systemd knows, no process; again it says that there is nothing."""
    assert seen["uninstall"][0] == 0 and "stays as it is" in seen["uninstall"][1]
    assert seen["left"] == [] and seen["known"] == "not-found" and seen["runs_after"] is False
    assert seen["home_stays"] is True and seen["none"][0] == 0 and "no service is installed" in seen["none"][1]
