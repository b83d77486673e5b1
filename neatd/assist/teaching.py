"""What the files of assistants say of neat: facts on where things stand and how intent is recorded, in a dozen lines.
Pure: the template's text in, the text out."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, StrictUndefined


@cache
def teaching(template: str, imports: bool) -> str:
    """The block's body; with `imports` for an assistant that reads `@path` as the file's content."""
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)
    return environment.from_string(template).render(imports=imports).strip("\n")
