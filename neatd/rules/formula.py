"""The expression of a rule: read once and checked, then evaluated at each point by simpleeval. Pure.

A rule file may come from anywhere. Invariant: a Formula that exists names only what is listed here, its result is a
claim and no number, and whatever it is given it ends at once: no attributes, no powers of whole numbers, no text but the
names of series, and a bounded depth.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from neatd.expressions import DEEPEST, OPERATORS, check_depth, check_plain, parsed

if TYPE_CHECKING:
    from simpleeval import SimpleEval

NAMES = (
    "value", "step", "time", "points", "last", "mean", "median", "deviation", "least", "largest", "best",
)  # fmt: skip
# Function -> the least and the most arguments.
FUNCTIONS = {
    "abs": (1, 1), "min": (2, 20), "max": (2, 20), "log": (1, 2), "exp": (1, 1), "sqrt": (1, 1), "isfinite": (1, 1),
    "other": (1, 1),
}  # fmt: skip


class Formula:
    """An expression that was checked. `names` and `others`: what it asks for."""

    def __init__(self, text: str) -> None:
        """Raises ValueError with what is wrong, as a mistake of the rule file reads it."""
        self._text, self._tree = text, parsed(text)
        check_depth(self._tree, DEEPEST)
        for node in ast.walk(self._tree):
            _check(node)
        _check_texts(self._tree)
        if not _is_claim(self._tree):
            raise ValueError("is no claim: it has to compare, as in `value > 2 * median`")
        called = {id(node.func) for node in ast.walk(self._tree) if isinstance(node, ast.Call)}
        found = [one for one in ast.walk(self._tree) if isinstance(one, ast.Name) and id(one) not in called]
        self.names = frozenset(one.id for one in found)
        self.others = frozenset(_others(self._tree))
        self._evaluator: SimpleEval | None = None

    def is_true(self, names: Mapping[str, float | None], other: Callable[[str], float | None]) -> bool:
        """Whether the claim holds. One that cannot be told (a division by zero, something that is not there) does not."""
        import simpleeval

        if self._evaluator is None:
            self._evaluator = simpleeval.SimpleEval(operators=OPERATORS, functions={}, names={})
        self._evaluator.functions = {**_FUNCTIONS, "other": other}
        self._evaluator.names = names
        try:
            return bool(self._evaluator.eval(self._text, previously_parsed=self._tree))
        except (ArithmeticError, ValueError, TypeError, simpleeval.InvalidExpression):
            return False


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs, "min": min, "max": max, "log": math.log, "exp": math.exp, "sqrt": math.sqrt, "isfinite": math.isfinite,
}  # fmt: skip


def _check(node: ast.AST) -> None:
    """Refuse what is not listed."""
    check_plain(node)
    if isinstance(node, ast.Name) and node.id not in NAMES and node.id not in FUNCTIONS:
        raise ValueError(f"names {node.id!r}, which is not known; known are {', '.join((*NAMES, *FUNCTIONS))}")
    if isinstance(node, ast.Call):
        _check_call(node)


def _check_call(node: ast.Call) -> None:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name not in FUNCTIONS:
        raise ValueError(f"calls {name or 'something'!r}, which is no function; known are {', '.join(FUNCTIONS)}")
    least, most = FUNCTIONS[name]
    if node.keywords or not least <= len(node.args) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise ValueError(f"gives {name} {len(node.args)} values where it takes {wanted}")
    if name == "other" and _text_of(node.args[0]) is None:
        raise ValueError('asks for other() without the name of a series in quotes, as in other("train/loss")')


def _check_texts(tree: ast.expr) -> None:
    """A text stands only where a series is named, and a function only where it is called."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = {id(node.args[0]) for node in calls if isinstance(node.func, ast.Name) and node.func.id == "other"}
    called = {id(node.func) for node in calls}
    for node in ast.walk(tree):
        if _text_of(node) is not None and id(node) not in named:
            raise ValueError(f"holds the text {_text_of(node)!r} where no series is named")
        if isinstance(node, ast.Name) and node.id in FUNCTIONS and id(node) not in called:
            raise ValueError(f"names the function {node.id} without calling it")


def _others(tree: ast.expr) -> Iterator[str]:
    for node in ast.walk(tree):
        text = _text_of(node)
        if text is not None:
            yield text


def _text_of(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _is_claim(node: ast.expr) -> bool:
    """Whether the result is true or false, whatever the values are."""
    if isinstance(node, ast.BoolOp):
        return all(map(_is_claim, node.values))
    if isinstance(node, ast.IfExp):
        return _is_claim(node.body) and _is_claim(node.orelse)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "isfinite"
    is_not = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    return is_not or isinstance(node, ast.Compare) or (isinstance(node, ast.Constant) and isinstance(node.value, bool))
