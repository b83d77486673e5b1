"""Who is told of alerts, and how: NEAT_HOME/alerts.yaml, the user's own. Nothing of it is ever taken from a repository.

Invariant: no address leaves this module but to be sent to. What is shown of one is its scheme and the names of the
environment variables in it; mistakes of the file are told without the values.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints, field_validator, model_validator

from neatd.actions.addresses import SCHEME, VARIABLE, without_values
from neatd.config import load_yaml
from neatd.errors import ConfigError
from neatd.models import Event, Model, Severity

FILE = "alerts.yaml"
BUILT_IN = ("log", "bell")
_GRAVITY: dict[str, int] = {"info": 0, "warning": 1, "critical": 2}
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Channel(Model):
    """Somewhere that alerts are sent to, and which of them."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$", max_length=40)]
    url: Annotated[str, StringConstraints(min_length=1, max_length=4000)] = Field(repr=False)
    severity: Severity = "warning"  # the least
    rules: tuple[Pattern, ...] = ("*",)
    projects: tuple[Pattern, ...] = ()  # names, ids or folders; without any, all
    quiet_s: float = Field(default=600.0, ge=0, le=86_400)  # of one rule in one run there is one message in this time

    @field_validator("name")
    @classmethod
    def _is_free(cls, name: str) -> str:
        if name in BUILT_IN:
            raise ValueError(f"{name} is built in: set `{name}: true` or `{name}: false` at the top of the file")
        return name

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        if "${" in VARIABLE.sub("", url):
            raise ValueError("a variable is written ${NAME}, of letters, digits and _")
        if not SCHEME.match(url) and not VARIABLE.match(url):
            raise ValueError("is no Apprise address, which begins with a service and ://")
        return url

    def wants(self, event: Event, project: tuple[str, ...]) -> bool:
        """Whether an event is told here; `project` is all that its project goes by, () for none."""
        return (
            _GRAVITY[event.severity] >= _GRAVITY[self.severity]
            and _fits(self.rules, (event.rule,))
            and (not self.projects or _fits(self.projects, project))
        )


class AlertSettings(Model):
    """The whole file."""

    log: bool = True  # a line for each alert in logs/alerts.log
    bell: bool = False  # of the terminal, by `neat events --follow` and `neatd start --foreground`
    channels: tuple[Channel, ...] = ()

    @model_validator(mode="after")
    def _names_differ(self) -> AlertSettings:
        names = [one.name for one in self.channels]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ValueError(f"two channels are called {', '.join(doubled)}")
        return self


def alerts_path(home: Path) -> Path:
    """Where the settings are."""
    return home / FILE


def load_alerts(home: Path) -> AlertSettings:
    """The settings, all defaults without a file. Raises ConfigError naming each mistake with its line, and no value."""
    path = alerts_path(home)
    if not path.exists():
        return AlertSettings()
    try:
        return load_yaml(path, AlertSettings)
    except ConfigError as error:
        raise ConfigError(without_values(error.message), error.hint) from None  # its cause shows the values


def _fits(patterns: tuple[str, ...], names: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)
