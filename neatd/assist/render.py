"""Jinja templates, the project's before the shipped ones, always sandboxed; and the filters they share.

A template may come with a clone: it sees fields of our values and no method of theirs, and reads no file but the
templates beside it.
"""

from __future__ import annotations

import math
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound
from jinja2.bccache import Bucket
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel

from neatd.assist.facts import Facts
from neatd.errors import NeatError
from neatd.files import data_path
from neatd.redact import redact

TEMPLATE_S = 2.0  # for a template of a project's; the shipped ones take milliseconds
_NUMBER = re.compile(r"\d+\.\d+|\d+\s?%")
# What a wrong template raises besides Jinja's own errors: `1/0`, `none + 1`, a filter given the wrong value.
_MISTAKES = (
    TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError, MemoryError,
    TimeoutError,
)  # fmt: skip


class _Sandbox(ImmutableSandboxedEnvironment):
    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Of our values only the fields: pydantic's methods read files (parse_file) and unpickle (parse_raw)."""
        if isinstance(obj, BaseModel):
            return attr in type(obj).model_fields or attr in ("is_closed", "is_deleted")
        return super().is_safe_attribute(obj, attr, value)


class _Loader(FileSystemLoader):
    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """The template's text; a link in a project's folder is refused, since a clone could lead it to any file."""
        found = super().get_source(environment, template)
        folder = next(one for one in map(Path, self.searchpath) if Path(found[1]).is_relative_to(one))
        plain = folder.parent.parent.resolve() / folder.parent.name / folder.name / template
        if folder != data_path("templates") and Path(found[1]).resolve() != plain:
            raise TemplateError(f"{found[1]} is a link")
        return found


class _Compiled(BytecodeCache):
    """Compiled templates by their text: a brief is rendered a dozen times until it fits, compiling costs 40 ms each."""

    def __init__(self) -> None:
        self._codes: dict[str, tuple[str, Any]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = self._codes.get(bucket.key, ("", None))
        bucket.code = code if checksum == bucket.checksum else None

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key] = (bucket.checksum, bucket.code)


_COMPILED = _Compiled()


def render(name: str, facts: Facts, folders: Sequence[Path], **more: Any) -> str:
    """Template `name` from the first of `folders` that has it, with secrets taken out of the result.

    Raises NeatError naming the template and line when it is wrong.
    """
    environment = _Sandbox(
        loader=_Loader([str(folder) for folder in folders]),
        bytecode_cache=_COMPILED,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "num": number, "size": size, "when": when, "age": lambda moment: age(moment, facts.now), "line": _safe_line,
        "claim": claim, "short": lambda record_id: facts.shorts.get(record_id, record_id),
    }  # fmt: skip
    try:
        template = environment.get_template(name)
        is_shipped = Path(template.filename or "").is_relative_to(data_path("templates"))
        with nullcontext() if is_shipped else _deadline(TEMPLATE_S):
            text = template.render(facts=facts, **more)
    except TemplateNotFound as error:
        known = ", ".join(sorted(path.name for folder in folders for path in folder.glob("*.j2")))
        raise NeatError(f"no template {error.name}", f"there are {known}; yours go to .neat/templates/") from error
    except _MISTAKES as error:
        raise NeatError(
            f"template {_place(error, name)}: {error}", "mend it, or remove it to use the shipped one"
        ) from error
    return redact(re.sub(r"\n{3,}", "\n\n", text))


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """End a project's template that takes longer than this: two nested loops are enough to hold a daemon for hours.

    Each line of the template is one line of Python, so a trace of its lines can look at the clock.
    """
    until, before = time.monotonic() + seconds, sys.gettrace()

    def trace(frame: FrameType, event: str, argument: object) -> Callable[..., Any] | None:
        if not frame.f_code.co_filename.endswith(".j2"):
            return None
        if time.monotonic() > until:
            raise TimeoutError(f"it takes longer than {seconds:.0f} s")
        return trace

    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


def _place(error: BaseException, name: str) -> str:
    """file:line of a template's mistake: a syntax error knows, another one has the template's line in its traceback."""
    if getattr(error, "lineno", None):
        return f"{getattr(error, 'filename', None) or name}:{getattr(error, 'lineno', '')}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(".j2")]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else name


def number(value: float | None) -> str:
    """Four significant digits, as people compare losses; a dash for nothing."""
    if value is None:
        return "—"
    if math.isnan(value) or math.isinf(value):
        return str(value)
    return f"{value:.4g}"


def size(count: float) -> str:
    """Bytes for people: 1.4 GB."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def when(moment: datetime) -> str:
    """Local time, to the minute."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def age(moment: datetime, now: datetime) -> str:
    """How long ago, in its largest unit."""
    seconds = max(0.0, (now - moment).total_seconds())
    for name, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {name} ago"
    return "just now"


def one_line(text: str, most: int = 160) -> str:
    """Text for a list item or a table cell: one line, no table bars, cut at `most` characters."""
    flat = " ".join(text.split()).replace("|", "/")
    return flat if len(flat) <= most else flat[: most - 1] + "…"


def _safe_line(text: str, most: int = 160) -> str:
    """one_line for documents: secrets go before the cut, because half a token is no longer known as one."""
    return one_line(redact(text) if len(text) > most else text, most)


def claim(text: str, evidence: Sequence[object]) -> str:
    """A person's statement; a number in it that no run vouches for is marked."""
    return f"{text} (unverified)" if _NUMBER.search(text) and not evidence else text
