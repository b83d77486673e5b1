"""One line of what `neat doctor` says."""

from __future__ import annotations

from typing import Any, NamedTuple


class Finding(NamedTuple):
    """What was looked at, how it stands (ok, note, bad), and the mend; `details` are for other programs."""

    what: str
    state: str
    text: str
    mend: str = ""
    details: dict[str, Any] | None = None

    @property
    def shape(self) -> dict[str, Any]:
        """As JSON has it."""
        found = self._asdict()
        return found if self.details is not None else {name: found[name] for name in found if name != "details"}
