"""Conditions on columns: ``dataset.filter((dataset["age"] > 30) & dataset["city"].is_null())``, kept as plain data."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, NoReturn

from azureml.exceptions import UserErrorException


class Expression:
    """A value per record, or a condition on it. Built by the operators; computed when the dataset is read."""

    __hash__ = None  # type: ignore[assignment]  # == builds a condition, so it cannot serve as equality

    def __init__(self, tree: Mapping[str, Any]) -> None:
        self._tree = tree

    def _with(self, operation: str, other: Any) -> Expression:
        return Expression({"op": operation, "left": self._tree, "right": _tree_of(other)})

    def __gt__(self, other: Any) -> Expression:
        return self._with("gt", other)

    def __ge__(self, other: Any) -> Expression:
        return self._with("ge", other)

    def __lt__(self, other: Any) -> Expression:
        return self._with("lt", other)

    def __le__(self, other: Any) -> Expression:
        return self._with("le", other)

    def __eq__(self, other: object) -> Expression:  # type: ignore[override]  # a condition, as v1 had it
        return self._with("eq", other)

    def __ne__(self, other: object) -> Expression:  # type: ignore[override]
        return self._with("ne", other)

    def __and__(self, other: Any) -> Expression:
        return self._with("and", other)

    def __or__(self, other: Any) -> Expression:
        return self._with("or", other)

    def __invert__(self) -> Expression:
        return Expression({"op": "not", "of": self._tree})

    def __add__(self, other: Any) -> Expression:
        return self._with("add", other)

    def __sub__(self, other: Any) -> Expression:
        return self._with("sub", other)

    def __mul__(self, other: Any) -> Expression:
        return self._with("mul", other)

    def __truediv__(self, other: Any) -> Expression:
        return self._with("div", other)

    def starts_with(self, value: str) -> Expression:
        """True where the text begins with ``value``."""
        return self._with("starts_with", value)

    def ends_with(self, value: str) -> Expression:
        """True where the text ends with ``value``."""
        return self._with("ends_with", value)

    def contains(self, value: str) -> Expression:
        """True where the text contains ``value``."""
        return self._with("contains", value)

    def is_null(self) -> Expression:
        """True where the value is missing."""
        return Expression({"op": "is_null", "of": self._tree})

    def __bool__(self) -> NoReturn:
        raise UserErrorException("a condition on a dataset is joined by &, | and ~, not by and, or and not")

    def __repr__(self) -> str:
        return f"Expression({dict(self._tree)!r})"


def column(name: str) -> Expression:
    """The column called ``name``."""
    return Expression({"column": name})


def tree_of_condition(expression: Any) -> Mapping[str, Any]:
    """The plain form of what ``filter`` was given."""
    if not isinstance(expression, Expression):
        raise UserErrorException(
            "filter needs a condition such as dataset['column'] > 3, got " + type(expression).__name__
        )
    return expression._tree


def _tree_of(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Expression):
        return value._tree
    if isinstance(value, datetime):
        return {"date": value.isoformat()}
    if isinstance(value, date):
        return {"date": datetime(value.year, value.month, value.day).isoformat()}
    if hasattr(value, "item"):  # a number of NumPy
        value = value.item()
    if value is None or isinstance(value, (str, int, float, bool)):
        return {"value": value}
    raise UserErrorException(f"a condition compares with text, a number, a bool or a date, got {type(value).__name__}")


_TWO_SIDED: Mapping[str, Callable[[Any, Any], Any]] = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
    "eq": operator.eq,
    "ne": operator.ne,
    "and": lambda left, right: left.astype(bool) & right.astype(bool),
    "or": lambda left, right: left.astype(bool) | right.astype(bool),
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "starts_with": lambda left, right: left.astype(str).str.startswith(right),
    "ends_with": lambda left, right: left.astype(str).str.endswith(right),
    "contains": lambda left, right: left.astype(str).str.contains(right, regex=False),
}


def compute(tree: Mapping[str, Any], frame: Any) -> Any:
    """The values of the expression for the rows of ``frame`` (a pandas DataFrame)."""
    if "column" in tree:
        if tree["column"] not in frame.columns:
            raise UserErrorException(
                f"filter names the column {tree['column']!r}, but the dataset has {', '.join(map(str, frame.columns))}"
            )
        return frame[tree["column"]]
    if "date" in tree:
        return datetime.fromisoformat(tree["date"]).replace(tzinfo=None)
    if "value" in tree:
        return tree["value"]
    if tree["op"] == "not":
        return ~compute(tree["of"], frame).astype(bool)
    if tree["op"] == "is_null":
        return compute(tree["of"], frame).isna()
    left, right = compute(tree["left"], frame), compute(tree["right"], frame)
    try:
        return _TWO_SIDED[tree["op"]](left, right)
    except TypeError as error:
        raise UserErrorException(f"filter compares values of different kinds: {error}") from error
