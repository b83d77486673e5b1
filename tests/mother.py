"""Daemons born of one process of a test's that has loaded their code: loading it takes longer than most of their lives.

Each is what `neatd start` makes: an orphan that leads a session, in its home, with that environment, its output the log.
"""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from neatd.control import log_path

# What a daemon loads in its life is loaded before; a child goes on behind the loop and ends as any program does.
MOTHER = """
import json, os, sys
import apscheduler.triggers.date, apscheduler.triggers.interval, concurrent.futures.thread, watchdog.observers
from neatd import daemon
from neatd.pipeline import rendering
from neatd.read.formats import jsonl

for line in sys.stdin:
    asked = json.loads(line)
    child = os.fork()
    if child == 0:
        os.setsid()
        born = os.fork()
        if born == 0:
            break
        print(born, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
else:
    sys.exit()
log = os.open(asked["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
for number, file in enumerate((os.open(os.devnull, os.O_RDONLY), log, log)):
    os.dup2(file, number)
os.closerange(3, 256)
os.chdir(asked["home"])
os.environ.clear()
os.environ.update(asked["env"])
daemon.main()
"""


def bear(home: Path, env: Mapping[str, str]) -> int:
    """Begin a daemon of `home`; returns its pid."""
    log_path(home).parent.mkdir(parents=True, exist_ok=True)
    mother = _mother()
    assert mother.stdin is not None and mother.stdout is not None
    asked = {"home": str(home), "log": str(log_path(home)), "env": dict(env)}
    mother.stdin.write(json.dumps(asked) + "\n")
    mother.stdin.flush()
    return int(mother.stdout.readline())


@cache
def _mother() -> subprocess.Popen[str]:
    made = subprocess.Popen([sys.executable, "-c", MOTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(made.communicate)
    return made
