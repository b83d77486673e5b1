"""The one error a user sees. It holds what happened, where, and what to do next; never a traceback."""

from __future__ import annotations


class NeatError(Exception):
    """A mistake or condition a person can mend: `message` says what and where, `hint` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message


class StoreError(NeatError):
    """The store cannot be opened or read. The program stops; the file is never replaced."""


class ConfigError(NeatError):
    """A YAML file of the user's is wrong: the message names file, line, field and value, all mistakes at once."""
