"""Answers as the commands print them with --json."""

from __future__ import annotations

import math
from typing import Any

import orjson
from fastapi.responses import JSONResponse

from neatd.pipeline.showing import json_text
from neatd.store.rows import float_text


class Plain(JSONResponse):
    """JSON as the commands print it: times as UTC text, non-finite numbers as strings."""

    def render(self, content: Any) -> bytes:
        return json_text(content).encode("utf-8", "replace")


def points_json(rows: list[Any]) -> orjson.Fragment:
    """Points as JSON at a tenth of the time: hundreds of thousands of them are one answer."""
    if all(math.isfinite(row[1]) for row in rows):
        return orjson.Fragment(orjson.dumps(rows))
    told = [row if math.isfinite(row[1]) else (row[0], float_text(row[1]), row[2]) for row in rows]
    return orjson.Fragment(orjson.dumps(told))
