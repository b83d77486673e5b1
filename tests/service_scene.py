"""A life of the service under a real systemd, in a mount namespace of its own: run by `tests/test_service_live.py` as
`unshare --mount python service_scene.py FOLDER`. Prints one JSON object: what was seen, or why there can be no systemd."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from neatd.cli import main
from neatd.service.calling import call

SYSTEMD = Path("/usr/lib/systemd/systemd")
GROUPS = Path("/sys/fs/cgroup")


def ask(*words: str) -> tuple[int, str]:
    """Exit code and all output of `neatd …`, in this process."""
    out = StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        code = main.run(main.neatd, words)
    return code, out.getvalue()


def status() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ask("status", "--json")[1])
    return found


def systemctl(*words: str) -> str:
    return call(("systemctl", "--user", *words)).out.strip()


def main_pid() -> int:
    return int(systemctl("show", "--property=MainPID", "--value", "neatd") or 0)


def until(is_true: Callable[[], Any], what: str, wait_s: float = 45.0) -> Any:
    deadline = time.monotonic() + wait_s
    while not (found := is_true()):
        if time.monotonic() > deadline:
            raise SystemExit(f"waited in vain for {what}")
        time.sleep(0.1)
    return found


def begin_systemd(group: Path) -> subprocess.Popen[bytes] | None:
    """A user's manager, alone in a /run and a control group of its own; None where the machine does not let it live."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    runtime = Path("/run/user/0")
    for folder in (Path("/run/systemd/system"), runtime, group):
        folder.mkdir(parents=True)
    (group / "cgroup.procs").write_text(str(os.getpid()))
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    with Path(os.environ["HOME"], "systemd.log").open("wb") as log:
        manager = subprocess.Popen([SYSTEMD, "--user", "--log-target=console"], stdout=log, stderr=log)
    try:
        until(
            lambda: manager.poll() is not None or systemctl("is-system-running") in ("running", "degraded"), "systemd"
        )
    except SystemExit:
        manager.kill()
        manager.wait()
    return manager if manager.poll() is None else None


def live(job: subprocess.Popen[bytes]) -> dict[str, Any]:
    """From a daemon started by hand to nothing left. `job` is put where a training that the daemon began would be."""
    seen: dict[str, Any] = {}
    ask("start")
    by_hand = status()["pid"]
    seen["install"] = ask("install")
    seen["installed"] = status()
    seen["handed_over"] = by_hand != main_pid() == seen["installed"]["pid"]
    unit = seen["installed"]["service"]["path"]
    seen["verify"] = call(("systemd-analyze", "--user", "verify", unit))
    seen["again"] = ask("install")
    seen["same"] = main_pid() == seen["installed"]["pid"]
    seen["text"] = systemctl("show", "--property=StatusText,Environment", "neatd")

    lines = Path(f"/proc/{main_pid()}/cgroup").read_text().splitlines()
    inside = next((one.rpartition(":")[2] for one in lines if ":name=systemd:" in one), lines[-1].rpartition(":")[2])
    base = GROUPS / "systemd" if (GROUPS / "systemd").is_dir() else GROUPS
    (base / inside.lstrip("/") / "cgroup.procs").write_text(str(job.pid))
    before = main_pid()
    os.kill(before, signal.SIGKILL)
    after = until(lambda: status()["running"] and main_pid() not in (0, before) and main_pid(), "the next life")
    seen["killed"] = {"comes_back": after != before, "crash": status()["crash"], "job": job.poll()}
    seen["restart"] = (ask("restart")[0], main_pid() not in (0, after))
    seen["stop"] = (ask("stop")[0], systemctl("show", "--property=ActiveState,SubState", "--value", "neatd").split())
    seen["start"] = (ask("start")[0], status()["pid"] == main_pid() != 0)
    seen["uninstall"] = ask("uninstall")
    seen["job_after_all"] = job.poll()
    seen["left"] = [str(one) for one in Path(unit).parents[2].rglob("*neatd*")]
    seen["known"] = systemctl("show", "--property=LoadState", "--value", "neatd")
    seen["home_stays"] = (Path(status()["home"]) / "neat.db").is_file()
    seen["runs_after"] = status()["running"]
    seen["none"] = ask("uninstall")
    return seen


def scene(base: Path) -> dict[str, Any]:
    """The scene in awkward folders; systemd ends with it, and so does its control group."""
    home = base / "h ome 100% $X"
    home.mkdir()
    os.environ.update(HOME=str(home), NEAT_HOME=str(base / 'it\'s "neat" %h'))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "SUDO_USER"):
        os.environ.pop(name, None)
    base_group = GROUPS / "systemd" if (GROUPS / "systemd").is_dir() else GROUPS
    group, own = base_group / f"neat-test-{os.getpid()}", _own_group(base_group)
    try:
        manager = begin_systemd(group)
    except (OSError, subprocess.CalledProcessError) as error:
        return {"cannot": f"{error}"}
    job = subprocess.Popen(["sleep", "600"], start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        return live(job) if manager else {"cannot": "systemd ends at once here"}
    finally:
        job.kill()
        job.wait()
        ask("stop")
        if manager:
            manager.send_signal(signal.SIGRTMIN + 24)
            manager.wait(timeout=30)
        (own / "cgroup.procs").write_text(str(os.getpid()))
        for folder in sorted((one for one in group.rglob("*") if one.is_dir()), reverse=True):
            folder.rmdir()
        group.rmdir()


def _own_group(base: Path) -> Path:
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    inside = next((one for one in lines if ":name=systemd:" in one), lines[-1]).rpartition(":")[2]
    return base / inside.lstrip("/")


if __name__ == "__main__":
    print(json.dumps(scene(Path(sys.argv[1]))))
