"""Which type a column of text has.

The rule, for a column of a delimited file (all rows are looked at, not the first few hundred):

1. An empty field is missing.
2. Only whole numbers -> int64 (float64 when some are missing); only numbers -> float64. In a column that is numbers
   otherwise, NA, N/A, NaN and null count as missing; in a column of text they stay what they are.
3. Only ``true`` and ``false`` in any case -> bool (object with None when some are missing). ``yes``/``no`` and ``y``/``n``
   stay text, unless the dataset's switch ``true_false`` says otherwise (below).
4. Only dates such as 2021-05-31, 2021/05/31, 2021-05-31 08:15:00 and 2021-05-31T08:15:00Z -> datetime64[ns], in UTC.
5. Everything else stays text: an object column of str, missing values as None.

The switch per dataset stands in ``definition["options"]["true_false"]``: ``"words"`` (the rule above, and the default),
``"yes-no"`` (yes/no and y/n as well), ``"none"`` (true and false stay text too).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from azureml.data.dataset_error_handling import DatasetExecutionError

TRUE_FALSE_CHOICES = ("words", "yes-no", "none")

_TRUE_FALSE: Mapping[str, tuple[dict[str, bool], ...]] = {
    "words": ({"true": True, "false": False},),
    "yes-no": ({"true": True, "false": False}, {"yes": True, "no": False}, {"y": True, "n": False}),
    "none": (),
}
_MISSING_NUMBERS = frozenset({"na", "n/a", "nan", "null"})
_DATE = r"\d{4}([-/])\d{1,2}\1\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?\s*(?:Z|[+-]\d{2}:?\d{2})?)?"
_DATE_LIKE = re.compile(_DATE)
_AS_BOOL = {
    "true": True,
    "false": False,
    "yes": True,
    "no": False,
    "y": True,
    "n": False,
    "t": True,
    "f": False,
    "1": True,
    "0": False,
}


def infer(column: Any, true_false: str = "words") -> Any:
    """The column (a pandas Series of objects) in the type that the rule gives."""
    present = column.dropna()
    if len(present) == 0:
        return column
    first = present.iloc[0]
    if not isinstance(first, str):
        return column  # true and false with some of them missing: they were found already
    if _is_number(first) or first.strip().lower() in _MISSING_NUMBERS:
        numbers = _as_numbers(column, present)
        if numbers is not None:
            return numbers
    if _DATE_LIKE.fullmatch(first):
        dates = _as_dates(column, present)
        if dates is not None:
            return dates
    words = _TRUE_FALSE[true_false]
    if any(first.strip().lower() in pair for pair in words):
        return _as_bools(column, present, words)
    return column


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def _as_numbers(column: Any, present: Any) -> Any:
    import numpy as np
    import pandas as pd

    numbers = pd.to_numeric(present, errors="coerce")
    lost = present[numbers.isna()]
    if len(lost) and not lost.str.strip().str.lower().isin(_MISSING_NUMBERS).all():
        return None
    if len(lost) == len(present):
        return None
    if numbers.dtype == np.int64 and len(present) == len(column):
        return numbers
    return numbers.astype(np.float64).reindex(column.index)


def _as_dates(column: Any, present: Any) -> Any:
    import pandas as pd

    if not all(map(_DATE_LIKE.fullmatch, pd.unique(present))):
        return None
    dates = pd.to_datetime(present, format="ISO8601", utc=True, errors="coerce")
    if dates.isna().any():
        # Slashes, or days and months of one digit: dates all the same, and slower to read.
        dates = pd.to_datetime(present.str.replace("/", "-", regex=False), format="mixed", utc=True, errors="coerce")
    if dates.isna().any():
        return None
    return _nanoseconds(dates).reindex(column.index)


def _nanoseconds(dates: Any) -> Any:
    return dates.dt.tz_localize(None).astype("datetime64[ns]")


def _as_bools(column: Any, present: Any, words: tuple[dict[str, bool], ...]) -> Any:
    import pandas as pd

    lowered = present.str.strip().str.lower()
    seen = set(pd.unique(lowered))
    for pair in words:
        if seen <= set(pair):
            bools = lowered.map(pair)
            if len(present) == len(column):
                return bools.astype(bool)
            return bools.astype(object).reindex(column.index).where(column.notna(), None)
    return column


def convert(column: Any, wanted: Mapping[str, Any], name: str, on_error: str = "null") -> Any:
    """The column in the type that ``set_column_types`` asked for.

    A value that is not of that type becomes missing, or DatasetExecutionError with ``on_error="fail"``.
    """
    kind = wanted["type"]
    if kind in ("string", "stream"):
        return _objects(map(_as_text, column), column)
    if kind == "boolean":
        converted = _to_bool(column)
    elif kind == "datetime":
        converted = to_dates(column, wanted.get("formats"))
    else:
        converted = _to_number(column, kind, str(wanted.get("decimal_mark") or "."))
    if on_error == "fail":
        lost = column[column.notna() & converted.isna()]
        if len(lost):
            raise DatasetExecutionError(
                f"the column {name!r} was to be {kind}, but {lost.iloc[0]!r} in row {lost.index[0]} is not"
            )
    return converted


def to_dates(column: Any, formats: list[str] | None = None) -> Any:
    """The column as dates in UTC; each value by the first of the formats that fits it, NaT where none does."""
    import pandas as pd

    if str(column.dtype).startswith("datetime64"):
        return _nanoseconds(pd.to_datetime(column, utc=True))
    found = None
    for form in formats or ["mixed"]:
        dates = pd.to_datetime(column, format=form, utc=True, errors="coerce")
        found = dates if found is None else found.fillna(dates)
    return _nanoseconds(found)


def _to_bool(column: Any) -> Any:
    if column.dtype == bool:
        return column
    bools = _objects((None if value is None else _AS_BOOL.get(str(value).strip().lower()) for value in column), column)
    return bools.astype(bool) if bools.notna().all() else bools


def _to_number(column: Any, kind: str, decimal_mark: str) -> Any:
    import numpy as np
    import pandas as pd

    if column.dtype == object and decimal_mark != ".":
        column = _objects((_with_point(value, decimal_mark) for value in column), column)
    numbers = pd.to_numeric(column, errors="coerce")
    if kind == "long":
        whole = numbers.where((numbers % 1 == 0) | numbers.isna())
        return whole.astype(np.int64) if whole.notna().all() else whole.astype(np.float64)
    return numbers.astype(np.float64)


def _objects(values: Iterable[Any], like: Any) -> Any:
    """An object column; pandas would choose a type of its own for text."""
    import pandas as pd

    return pd.Series(list(values), index=like.index, name=like.name, dtype=object)


def _with_point(value: Any, decimal_mark: str) -> Any:
    return value.replace(".", "").replace(decimal_mark, ".") if isinstance(value, str) else value


def _as_text(value: Any) -> Any:
    if value is None or value != value:
        return None
    return value if isinstance(value, str) else str(value)
