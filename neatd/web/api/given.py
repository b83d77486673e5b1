"""What the API is given: words, numbers, projects, with the limits that keep a request small."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator, StringConstraints

MANY = 200  # values of one parameter
STEP = 2**62  # beyond any step


def _plain(text: str) -> str:
    if any(ord(one) < 32 or 0xD800 <= ord(one) < 0xE000 for one in text):
        raise ValueError("control characters are not taken")
    return text


Word = Annotated[str, StringConstraints(max_length=400), AfterValidator(_plain)]
Words = tuple[Word, ...]
# As a trainer wrote them: whatever the store holds can be asked for, or one odd name would take its charts with it.
Names = tuple[Annotated[str, StringConstraints(max_length=4000)], ...]
Id = Annotated[Word, Path(description="an id, its beginning, or a run's name")]
Project = Annotated[Word | None, Query(description="an id or a name; without it all, or the only one")]
Step = Annotated[int | None, Query(ge=-STEP, le=STEP)]
