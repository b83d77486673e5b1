"""Jinja templates, the project's before the shipped ones, always sandboxed; their mistakes become NeatErrors.

A template may come with a clone: it sees fields of our values and no method of theirs, reads no file but the templates
beside it, and ends after `TEMPLATE_S`.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import Any

from jinja2 import (
    BytecodeCache,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateNotFound,
)  # fmt: skip
from jinja2.bccache import Bucket
from jinja2.debug import rewrite_traceback_stack
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel

from neatd.errors import NeatError
from neatd.files import data_path

TEMPLATE_S = 2.0  # for a template of a project's; the shipped ones take milliseconds
# What a wrong template raises besides Jinja's own errors: `1/0`, `none + 1`, a filter given the wrong value.
_MISTAKES = (
    TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError, MemoryError,
    TimeoutError,
)  # fmt: skip


@contextmanager
def opened(name: str, folders: Sequence[Path], filters: Mapping[str, Callable[..., Any]]) -> Iterator[Template]:
    """Template `name` from the first of `folders` that has it. What it does in the block is bounded in time, and its
    mistakes there are NeatErrors that name the template and line."""
    environment = _Sandbox(
        loader=_Loader([str(folder) for folder in folders]),
        bytecode_cache=_COMPILED,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= filters
    try:
        template = environment.get_template(name)
        is_shipped = Path(template.filename or "").is_relative_to(data_path("templates"))
        with nullcontext() if is_shipped else _deadline(TEMPLATE_S):
            yield template
    except TemplateNotFound as error:
        known = ", ".join(sorted(path.name for folder in folders for path in folder.glob("*.j2")))
        raise NeatError(f"no template {error.name}", f"there are {known}; yours go to .neat/templates/") from error
    except _MISTAKES as error:
        raise NeatError(
            f"template {_place(error, name)}: {error}", "mend it, or remove it to use the shipped one"
        ) from error


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
    """Compiled templates by their text: compiling costs 40 ms each, and the daemon renders all day."""

    def __init__(self) -> None:
        self._codes: dict[str, tuple[str, Any]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = self._codes.get(bucket.key, ("", None))
        bucket.code = code if checksum == bucket.checksum else None

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key] = (bucket.checksum, bucket.code)


_COMPILED = _Compiled()


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
    # Jinja does this in `render` only: the lines of compiled code become those of the template.
    known = rewrite_traceback_stack().__traceback__
    frames = [frame for frame in traceback.extract_tb(known) if frame.filename.endswith(".j2")]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else name
