"""APScheduler's ticks: names of what is due, put into a queue for the loop to carry out. Decides nothing."""

from __future__ import annotations

import queue
from datetime import datetime

from apscheduler.schedulers.background import BackgroundScheduler


class Ticks:
    """Puts a job's name into `due` at its interval. Missed ones (a sleeping laptop) come once, not many times."""

    def __init__(self) -> None:
        self.due: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._scheduler = BackgroundScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "misfire_grace_time": None}
        )

    def every(self, hours: float, name: str) -> None:
        """Put `name` every so many hours, counted from now; said again, the newer interval counts."""
        self._scheduler.add_job(self.due.put, "interval", hours=hours, args=[name], id=name, replace_existing=True)

    def at(self, moment: datetime, name: str) -> None:
        """Put `name` once at that moment, an aware one; said again, the newer moment counts."""
        self._scheduler.add_job(
            self.due.put, "date", run_date=moment, args=[name], id=f"{name} next", replace_existing=True
        )

    def start(self) -> None:
        """Begin to tick."""
        self._scheduler.start()

    def stop(self) -> None:
        """No more ticks; returns at once."""
        self._scheduler.remove_all_jobs()  # waits for one that is being run: a stopped scheduler does not find it again
        self._scheduler.shutdown(wait=False)
