"""Turning what scripts log into plain data: numbers of any library, lists, tables, the four kinds of documents.

Runs inside the user's script: standard library only, from Python 3.8. Arrays and tensors are recognised by what they
can do (``item``, ``tolist``), so that no library has to be loaded to ask for its classes.
"""

from __future__ import annotations

from math import isfinite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LEAST_STEP, _GREATEST_STEP = -(2**63), 2**63 - 1

# The documents as the Azure ML v1 SDK takes them: the version of the schema and what must be in ``data``.
_DOCUMENTS = {
    "confusion_matrix": ("1.0.0", ("class_labels", "matrix")),
    "accuracy_table": (
        "1.0.1",
        (
            "probability_tables",
            "percentile_tables",
            "probability_thresholds",
            "percentile_thresholds",
            "class_labels",
        ),
    ),
    "residuals": ("1.0.0", ("bin_edges", "bin_counts")),
    "predictions": ("1.0.0", ("bin_averages", "bin_errors", "bin_counts", "bin_edges")),
}


def as_number(name: str, value: Any) -> float | None:
    """The float that ``value`` stands for, or None when it is not a single number.

    Takes Python's numbers and whatever has ``item`` (scalars and one-element arrays of NumPy, tensors of PyTorch on any
    device) or ``__float__`` (decimals, fractions).
    """
    if not isinstance(value, (int, float)):
        if isinstance(value, (str, bytes, list, tuple, dict)):
            return None
        if hasattr(value, "item"):
            try:
                value = value.item()
            except (TypeError, ValueError, RuntimeError):  # it has several elements
                return None
        if not hasattr(type(value), "__float__"):
            return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
    except OverflowError:
        raise ValueError(f"the value of {name!r} must fit into a float, got a number beyond 1e308") from None


def as_step(step: Any) -> int:
    """``step`` as a Python int; TypeError for what is no whole number, ValueError beyond 64 bits."""
    try:
        number = int(step.__index__())
    except (AttributeError, TypeError):
        raise TypeError(f"step must be a whole number or None, got {step!r}") from None
    if not _LEAST_STEP <= number <= _GREATEST_STEP:
        raise ValueError(f"step must fit into 64 bits, got {number}")
    return number


def as_list(name: str, value: Any) -> list[Any]:
    """``value`` as a flat list of numbers, texts, truth values and None."""
    plain = as_plain(name, value)
    if not isinstance(plain, list):
        raise TypeError(f"{name!r} must be a list, got {type(value).__name__}")
    for item in plain:
        if isinstance(item, (list, dict)):
            raise TypeError(f"the list {name!r} must hold single values, got {item!r}; use log_table for columns")
    return plain


def as_row(name: str, columns: dict[str, Any]) -> dict[str, Any]:
    """One row of a growing table: a single value for each column, at least one column."""
    if not columns:
        raise ValueError(f"the row {name!r} has no columns; give them by name: run.log_row({name!r}, x=1, y=2)")
    row = {}
    for column, value in columns.items():
        plain = as_plain(name, value)
        if isinstance(plain, list) and len(plain) == 1 and not isinstance(value, (list, tuple)):
            plain = plain[0]  # an array or tensor of one element counts as its element
        if isinstance(plain, (list, dict)):
            raise TypeError(f"column {column!r} of the row {name!r} must be a single value, got {plain!r}")
        row[column] = plain
    return row


def as_table(name: str, value: Any) -> dict[str, list[Any]]:
    """A table: columns of equal length, by name."""
    if not isinstance(value, dict):
        raise TypeError(f"the table {name!r} must be a dict of lists, got {type(value).__name__}")
    table = {str(column): as_list(str(column), values) for column, values in value.items()}
    lengths = {column: len(values) for column, values in table.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"the table {name!r} must have columns of one length, at least one, got {lengths or 'none'}")
    return table


def as_confusion_matrix(name: str, value: Any, labels: Any) -> dict[str, Any]:
    """A confusion matrix as a document: from one, or from a square matrix and the labels of its classes."""
    if labels is None:
        document = as_document(name, "confusion_matrix", value)
    else:
        document = _document("confusion_matrix", {"class_labels": labels, "matrix": value}, name)
    data = document["data"]
    classes, matrix = data["class_labels"], data["matrix"]
    is_square = (
        isinstance(classes, list)
        and isinstance(matrix, list)
        and len(matrix) == len(classes)
        and all(isinstance(row, list) and len(row) == len(classes) for row in matrix)
    )
    if not is_square:
        raise ValueError(f"the confusion matrix {name!r} must have a row and a column for each of its class labels")
    return document


def as_document(name: str, kind: str, value: Any) -> dict[str, Any]:
    """A document of ``kind`` (confusion_matrix, accuracy_table, residuals, predictions) from a dict or JSON text."""
    if isinstance(value, str):
        import json  # inside, because a script that logs numbers only need not wait for it

        try:
            value = json.loads(value)
        except ValueError as error:
            raise ValueError(f"{name!r} was given as text, but that is not JSON: {error}") from None
    keys = _DOCUMENTS[kind][1]
    expected = f'{{"schema_type": "{kind}", "data": {{{", ".join(keys)}}}}}'
    if not isinstance(value, dict) or not isinstance(value.get("data"), dict):
        raise TypeError(f"{name!r} must be a dict like {expected}, got {type(value).__name__}")
    if value.get("schema_type", kind) != kind:
        raise ValueError(f"schema_type of {name!r} must be {kind!r}, got {value['schema_type']!r}")
    missing = [key for key in keys if key not in value["data"]]
    if missing:
        raise ValueError(f"the data of {name!r} must have {', '.join(keys)}, but {', '.join(missing)} is missing")
    return _document(kind, value["data"], name, str(value.get("schema_version", _DOCUMENTS[kind][0])))


def as_plain(name: str, value: Any) -> Any:
    """``value`` as data that JSON can carry; NaN and the infinities become the texts nan, inf and -inf."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)  # NumPy's own strings, too, become plain ones
    if isinstance(value, float):
        number = float(value)
        return number if isfinite(number) else repr(number)
    if isinstance(value, int):
        if not _LEAST_STEP <= value <= _GREATEST_STEP:
            raise ValueError(f"whole numbers in {name!r} must fit into 64 bits, got {value}")
        return int(value)
    if isinstance(value, (list, tuple)):
        return [as_plain(name, item) for item in value]
    if isinstance(value, dict):
        return {str(key): as_plain(name, item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        listed = value.tolist()
        if type(listed) is not type(value):  # some types give themselves back, for ever
            return as_plain(name, listed)
    number_or_none = as_number(name, value)
    if number_or_none is None:
        raise TypeError(f"{name!r} must be made of numbers, texts, lists and dicts, got {type(value).__name__}")
    return as_plain(name, number_or_none)


def _document(kind: str, data: dict[str, Any], name: str, version: str | None = None) -> dict[str, Any]:
    return {
        "schema_type": kind,
        "schema_version": version or _DOCUMENTS[kind][0],
        "data": as_plain(name, data),
    }
