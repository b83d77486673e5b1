"""The risk that memory runs out, LOW, MEDIUM or HIGH, with the reason. Pure: looks and the time in, judgements out.

Raised at once; lowered when it was lower for 30 s. A share in use that is crossed is told once, and again only after it was
clearly lower for minutes. Below half of a limit nothing is a risk, and below the warning's share pace alone is no HIGH: a
model that is loaded, and the first tooth of a loader's saw, grow as fast as what ends in a kill, and then stop.
"""

from __future__ import annotations

from collections import deque
from typing import Literal, NamedTuple

from neatd.rules.headroom import HOST, Growth, MemoryLook, Room, amount, span

Risk = Literal["LOW", "MEDIUM", "HIGH"]
RISKS: tuple[Risk, ...] = ("LOW", "MEDIUM", "HIGH")
LOW, MEDIUM, HIGH = range(3)
COUNTS_FROM = 0.5  # of a limit: below it neither pace nor waiting counts
SWAP_FULL = 0.9  # in use, as systemd-oomd has it
SWAP_FREE = 0.1  # of the host's memory: so much free swap takes what does not fit for a while
QUIET_FULL = 1.0  # percent of the last 10 s: below it swapping holds nobody up
REARM_POINTS, REARM_S = 0.05, 300.0  # below a crossed share, and for how long, until it is told anew


class Thresholds(NamedTuple):
    """What makes a risk. Shares of a limit in use, seconds, percent of 10 seconds."""

    warning: float = 0.70
    critical: float = 0.85
    high_s: float = 60.0  # to the limit
    medium_s: float = 600.0
    stalled_full: float = 10.0  # all programs waited for memory
    stalled_some: float = 10.0
    calm_s: float = 30.0  # lower for so long, before the risk is lowered


class Judgement(NamedTuple):
    """The risk at one moment, and the limit it comes from."""

    risk: Risk
    reason: str
    room: Room
    headroom_bytes: int
    seconds_to_limit: float | None = None

    def shape(self) -> dict[str, object]:
        """As other programs read it."""
        left = self.seconds_to_limit
        return {
            "risk": self.risk, "reason": self.reason, "used_percent": round(100 * self.room.used_share, 1),
            "available_bytes": self.room.available_bytes, "limit": self.room.name,
            "limit_bytes": self.room.limit_bytes, "headroom_bytes": self.headroom_bytes,
            "seconds_to_limit": None if left is None else round(left, 1),
        }  # fmt: skip


class Crossing(NamedTuple):
    """A share in use that was crossed on the way up."""

    severity: Literal["warning", "critical"]
    share: float
    room: Room


class Seen(NamedTuple):
    """What one look says. `judgement` is None where no limit is known."""

    judgement: Judgement | None = None
    crossed: Crossing | None = None
    is_changed: bool = False  # the risk is another one than before


class MemoryWatch:
    """Judges look after look."""

    def __init__(self, thresholds: Thresholds | None = None) -> None:
        self.set_thresholds(thresholds or Thresholds())
        self._growth: dict[str, Growth] = {}
        self._recent: deque[tuple[float, int, Judgement]] = deque()
        self._crossed: dict[tuple[str, str], float] = {}  # (limit, severity) -> when it was last at or near the share
        self._risk: Risk = "LOW"

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Judge by others from now on; what was seen so far counts on."""
        self._thresholds = thresholds
        self._shares: tuple[tuple[Literal["warning", "critical"], float], ...] = (
            ("critical", thresholds.critical),
            ("warning", thresholds.warning),
        )

    def feed(self, look: MemoryLook, now: float) -> Seen:
        """One look at `now` seconds; `now` never falls."""
        if not look.rooms:
            return Seen()
        self._growth = {room.key: self._growth.get(room.key, Growth()) for room in look.rooms}  # others are gone
        found = []
        for room in look.rooms:
            self._growth[room.key].add(now, room.used_bytes)
            left_s = self._growth[room.key].seconds_to(room.limit_bytes)
            found.append((*judge(room, left_s, look, self._thresholds), room, left_s))
        level, why, room, left_s = max(found, key=lambda one: (one[0], one[2].used_share))
        now_so = Judgement(RISKS[level], why, room, min(one.available_bytes for one in look.rooms), left_s)
        shown = self._held(now, level, now_so)
        is_changed, self._risk = shown.risk != self._risk, shown.risk
        return Seen(shown, self._crossing(look, now), is_changed)

    def _held(self, now: float, level: int, now_so: Judgement) -> Judgement:
        """The gravest of the last 30 s, with the numbers of now."""
        self._recent.append((now, level, now_so))
        while self._recent[0][0] < now - self._thresholds.calm_s:
            self._recent.popleft()
        _, highest, then = max(reversed(self._recent), key=lambda one: one[1])
        if highest == level:
            return now_so
        why = f"{then.reason}; lower since, lowered after {self._thresholds.calm_s:g} s (now {now_so.reason})"
        return now_so._replace(risk=RISKS[highest], reason=why)

    def _crossing(self, look: MemoryLook, now: float) -> Crossing | None:
        """The gravest share that was just crossed; of several limits that of the one with the least left."""
        new: list[Crossing] = []
        for room in look.rooms:
            for severity, share in self._shares:
                key = (room.key, severity)
                if room.used_share >= share and key not in self._crossed:
                    new.append(Crossing(severity, share, room))
                if room.used_share >= share or (key in self._crossed and room.used_share > share - REARM_POINTS):
                    self._crossed[key] = now
        self._crossed = {key: at for key, at in self._crossed.items() if now - at < REARM_S}
        return min(new, key=lambda one: (one.severity != "critical", one.room.available_bytes), default=None)


def judge(room: Room, left_s: float | None, look: MemoryLook, limits: Thresholds) -> tuple[int, str]:
    """(level, reason) of one limit now."""
    share, is_host = room.used_share, room.key == HOST
    level, also = HIGH if share >= limits.critical else MEDIUM if share >= limits.warning else LOW, ""
    if left_s is not None and share >= COUNTS_FROM:
        by_pace = HIGH if left_s < limits.high_s and share >= limits.warning else MEDIUM
        level = max(level, by_pace if left_s < max(limits.high_s, limits.medium_s) else LOW)
    if is_host and level == HIGH and _has_swap(room, look):
        level, also = MEDIUM, f"; {amount(look.swap_total_bytes - look.swap_used_bytes)} of swap are free and quiet"
    if is_host and level == MEDIUM and look.swap_used_bytes >= SWAP_FULL * look.swap_total_bytes > 0:
        level, also = HIGH, f"; swap is {100 * look.swap_used_bytes / look.swap_total_bytes:.0f} % used"
    stalled = _stalled(room, limits) if share >= COUNTS_FROM else (LOW, "")
    pace = f"; at this pace full in {span(left_s)}" if left_s is not None else ""
    left = f"{100 * share:.0f} % of {amount(room.limit_bytes)} used, {amount(room.available_bytes)} left"
    return max(level, stalled[0]), f"{room.name}: {left}{pace}{also}{stalled[1]}"


def _has_swap(room: Room, look: MemoryLook) -> bool:
    """Whether swap takes what does not fit, and nobody waits for it. Not known is no."""
    free = look.swap_total_bytes - look.swap_used_bytes
    return room.full is not None and room.full < QUIET_FULL and free >= SWAP_FREE * room.limit_bytes


def _stalled(room: Room, limits: Thresholds) -> tuple[int, str]:
    for level, percent, least, who in (
        (HIGH, room.full, limits.stalled_full, "all programs"),
        (MEDIUM, room.some, limits.stalled_some, "some programs"),
    ):
        if percent is not None and percent >= least:
            return level, f"; {who} waited for memory {percent:.0f} % of the last 10 s"
    return LOW, ""


def reason_to_wait(judgement: Judgement | None) -> str:
    """Why nothing may be started now; "" where it may. What runs goes on: nothing is asked to end."""
    if judgement is None or judgement.risk != "HIGH":
        return ""
    return f"the risk that memory runs out is HIGH: {judgement.reason}"
