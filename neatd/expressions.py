"""Expressions that a file brings: read once, held to a list of plain parts, evaluated by simpleeval. Pure.

A file may come from anywhere. Invariant: a tree that was checked holds no attributes, no brackets, nothing that calls
but what is listed, and whatever it is given its evaluation ends at once: powers are of floats and the depth is bounded.
"""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simpleeval import SimpleEval

Plain = int | float | str | bool
DEEPEST = 60  # nested parts: evaluating is a few calls for each
LARGEST_EXACT = 2**53  # below it a float holds every whole number
PLAIN = (
    ast.Name, ast.Call, ast.Constant, ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare, ast.IfExp, ast.Load, ast.And,
    ast.Or, ast.Not, ast.USub, ast.UAdd, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.Eq,
    ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Is, ast.IsNot,
)  # fmt: skip
OPERATORS = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: math.pow, ast.Eq: operator.eq,
    ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Not: operator.not_, ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}  # fmt: skip
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs, "min": min, "max": max, "log": math.log, "log2": math.log2, "exp": math.exp, "sqrt": math.sqrt,
    "floor": math.floor, "ceil": math.ceil, "round": round,
}  # fmt: skip


class Expression:
    """An expression over named values, such as `4 * dim` or `dim % heads == 0`. `names`: what it asks for."""

    def __init__(self, text: str, known: Collection[str]) -> None:
        """Raises ValueError with what is wrong, as a mistake of the file reads it."""
        self.text, self._tree = text, parsed(text)
        check_depth(self._tree, DEEPEST)
        called = {id(node.func) for node in ast.walk(self._tree) if isinstance(node, ast.Call)}
        found = [one for one in ast.walk(self._tree) if isinstance(one, ast.Name) and id(one) not in called]
        self.names = frozenset(one.id for one in found)
        for node in ast.walk(self._tree):
            _check(node)
        unknown = sorted(self.names - set(known))
        if unknown:
            raise ValueError(f"names {unknown[0]!r}, which is not known; known are {', '.join(known)}")
        self._evaluator: SimpleEval | None = None

    def value(self, names: Mapping[str, Plain]) -> Plain | None:
        """What it comes to; a whole float as a whole number. None where it cannot be told, as after a division by zero."""
        import simpleeval

        if self._evaluator is None:
            self._evaluator = simpleeval.SimpleEval(operators=_OF_NUMBERS, functions=_FUNCTIONS, names={})
        self._evaluator.names = names
        try:
            found = self._evaluator.eval(self.text, previously_parsed=self._tree)
        except (ArithmeticError, ValueError, TypeError, simpleeval.InvalidExpression):
            return None
        if isinstance(found, float):
            if not math.isfinite(found):
                return None
            return int(found) if found.is_integer() and abs(found) < LARGEST_EXACT else found
        return found if isinstance(found, bool | int | str) else None


def parsed(text: str) -> ast.expr:
    """The tree of one expression; raises ValueError for what is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is odd but allowed, such as `1is 1`
        try:
            return ast.parse(" ".join(text.split("\n")).strip(), mode="eval").body  # YAML's may go over several lines
        except SyntaxError as error:
            raise ValueError(f"is no expression: {error.msg}") from error
        except (ValueError, RecursionError, MemoryError) as error:
            raise ValueError("is no expression") from error


def check_depth(node: ast.AST, left: int) -> None:
    """Raise ValueError when the tree goes deeper than `left`."""
    if not left:
        raise ValueError(f"is nested more than {DEEPEST} deep")
    for child in ast.iter_child_nodes(node):
        check_depth(child, left - 1)


def check_plain(node: ast.AST) -> None:
    """Raise ValueError for a part that no expression may hold."""
    if not isinstance(node, PLAIN):
        raise ValueError(f"holds what no expression may: {_word(node)}")
    if isinstance(node, ast.Constant) and not isinstance(node.value, str | int | float | None):
        raise ValueError(f"holds {node.value!r}, which is no number")


def _check(node: ast.AST) -> None:
    check_plain(node)
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in _FUNCTIONS:
            known = ", ".join(_FUNCTIONS)
            raise ValueError(f"calls {name or 'something'!r}, which is no function; known are {known}")
        if node.keywords:
            raise ValueError(f"gives {name} a named value, which it does not take")
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) > 200:
        raise ValueError("holds a text of more than 200 letters")


def _of_numbers(count: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A text times a number would be as long as the number says, and a text's `%` as long as the text says."""

    def counted(one: Any, other: Any) -> Any:
        if isinstance(one, str) or isinstance(other, str):
            raise TypeError("a text can only be compared")
        return count(one, other)

    return counted


_OF_NUMBERS = {**OPERATORS, ast.Mult: _of_numbers(operator.mul), ast.Mod: _of_numbers(operator.mod)}


def _word(node: ast.AST) -> str:
    return {"Attribute": "a dot", "Subscript": "brackets", "Tuple": "a comma", "Lambda": "lambda"}.get(
        type(node).__name__, type(node).__name__.lower()
    )
