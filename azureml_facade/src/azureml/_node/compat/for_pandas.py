"""Old methods, arguments and habits of pandas.

Besides names this brings back two behaviours that changed what scripts compute without telling them: columns of text
have the dtype ``object``, and changing a column that was taken out of a frame changes the frame.
"""

from __future__ import annotations

import functools
import re
import warnings
import weakref
from typing import Any

from azureml._node.compat.announcing import announce
from azureml._node.compat.wrapping import is_called_by_user, version_of, with_old_arguments, with_old_positions

_POSITIONS = {
    "DataFrame": {
        "drop": ("labels", "axis", "index", "columns", "level", "inplace", "errors"),
        "dropna": ("axis", "how", "thresh", "subset", "inplace"),
        "fillna": ("value", "method", "axis", "inplace", "limit"),
        "drop_duplicates": ("subset", "keep", "inplace"),
        "sort_values": ("by", "axis", "ascending", "inplace", "kind", "na_position"),
        "sort_index": ("axis", "level", "ascending", "inplace"),
        "reset_index": ("level", "drop", "inplace", "col_level", "col_fill"),
        "set_index": ("keys", "drop", "append", "inplace"),
        "pivot": ("index", "columns", "values"),
        "to_csv": ("path_or_buf", "sep", "na_rep", "float_format", "columns", "header", "index"),
    },
    "Series": {
        "drop": ("labels", "axis", "index", "columns", "level", "inplace", "errors"),
        "dropna": ("axis", "inplace", "how"),
        "fillna": ("value", "method", "axis", "inplace", "limit"),
        "sort_values": ("axis", "ascending", "inplace", "kind", "na_position"),
        "sort_index": ("axis", "level", "ascending", "inplace"),
        "reset_index": ("level", "drop", "name", "inplace"),
        "to_csv": ("path_or_buf", "sep", "na_rep", "float_format", "columns", "header", "index"),
    },
}
_READ_CSV_DROPPED = ("mangle_dupe_cols", "infer_datetime_format", "tupleize_cols", "verbose", "keep_date_col")
# Methods of a column that change it, and thereby changed its frame.
_CHANGING = ("fillna", "replace", "clip", "mask", "where", "interpolate", "ffill", "bfill", "update")
_NUMBERS_ONLY = ("corr", "cov", "mean", "median", "std", "var", "sem", "skew", "kurt")
_GROUPS_NUMBERS_ONLY = ("mean", "median", "std", "var", "sem")
_FREQUENCIES = {
    "M": "ME",
    "Q": "QE",
    "Y": "YE",
    "A": "YE",
    "BM": "BME",
    "BQ": "BQE",
    "BA": "BYE",
    "BY": "BYE",
    "SM": "SME",
    "H": "h",
    "BH": "bh",
    "T": "min",
    "S": "s",
    "L": "ms",
    "U": "us",
    "N": "ns",
    "AS": "YS",
    "BAS": "BYS",
}
# The first version that knows the new words; before it there are the old ones only.
_FREQUENCIES_SINCE = (2, 2)
_FREQUENCY = re.compile(r"(-?\d*\s*)([A-Z]+)((?:-[A-Z]{3})?)")


def patch_pandas(pandas: Any) -> None:
    """Everything that this version does not have any more, after ``import pandas``."""
    _text_is_object(pandas)
    version = version_of(pandas)
    frame, series = pandas.DataFrame, pandas.Series
    for cls in (frame, series):
        if version >= (2, 0):
            positions = _POSITIONS[cls.__name__]
            for method in positions:
                setattr(
                    cls, method, with_old_positions(getattr(cls, method), f"{cls.__name__}.{method}", positions[method])
                )
            _patch_fillna(cls)
        if version >= _FREQUENCIES_SINCE:
            _patch_frequencies(cls)
        _set_missing(cls, "iteritems", lambda self: self.items(), "pandas 2.0", "items")
        _set_missing(cls, "pad", lambda self, **kw: self.ffill(**kw), "pandas 3.0", "ffill")
        _set_missing(cls, "backfill", lambda self, **kw: self.bfill(**kw), "pandas 3.0", "bfill")
        _set_missing(cls, "as_matrix", lambda self, columns=None: _values(self, columns), "pandas 1.0", "values")
        _set_missing(cls, "mad", _mad, "pandas 2.0", "the mean absolute deviation")
        _set_missing_property(cls, "ix", _Ix, "pandas 1.0", "loc and iloc")
        if version >= (2, 0):
            cls.to_csv = with_old_arguments(
                cls.to_csv,
                f"{cls.__name__}.to_csv",
                {
                    "line_terminator": (
                        _renamed("lineterminator"),
                        "is called lineterminator since pandas 1.5; put back",
                    )
                },
            )
    _set_missing(frame, "append", _append_to_frame, "pandas 2.0", "concat")
    _set_missing(series, "append", _append_to_series, "pandas 2.0", "concat")
    _set_missing(frame, "applymap", lambda self, func, **kw: self.map(func, **kw), "pandas 3.0", "DataFrame.map")
    _set_missing(frame, "lookup", _lookup, "pandas 2.0", "a search by labels")
    _set_missing(frame, "get_value", lambda self, i, c: self.at[i, c], "pandas 1.0", "at")
    for cls in (series, pandas.Index):
        _set_missing_property(cls, "is_monotonic", _is_monotonic, "pandas 2.0", "is_monotonic_increasing")
    _patch_weeks(pandas)
    if version >= (2, 0):
        _patch_numbers_only(pandas)
        _patch_readers(pandas)
    if version >= _FREQUENCIES_SINCE:
        pandas.date_range = _with_old_frequencies(pandas.date_range, method=False)
    if version >= (3, 0):
        _patch_columns(frame, series)


def _patch_weeks(pandas: Any) -> None:
    """``series.dt.weekofyear`` and ``index.week``: the number of the week by ISO 8601."""
    from pandas.core.indexes.accessors import DatetimeProperties

    for name in ("week", "weekofyear"):
        _set_missing_property(DatetimeProperties, name, _weeks, "pandas 2.0", "isocalendar().week")
        _set_missing_property(
            pandas.DatetimeIndex, name, lambda index: pandas.Index(_weeks(index)), "pandas 2.0", "isocalendar().week"
        )


def _weeks(dates: Any) -> Any:
    weeks = dates.isocalendar().week
    return weeks.astype("float64" if weeks.hasnans else "int64")


def value_counts(values: Any, **kwargs: Any) -> Any:
    """How often each value occurs."""
    import pandas

    return pandas.Series(values).value_counts(**kwargs)


def _text_is_object(pandas: Any) -> None:
    if int(pandas.__version__.split(".")[0]) < 3:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            pandas.set_option("future.infer_string", False)
        except (KeyError, AttributeError):  # pandas 4 has the new dtype only
            return
    announce("columns of text have the dtype 'str' since pandas 3.0; they are 'object' again")


def _set_missing(cls: Any, name: str, function: Any, removed: str, shown: str) -> None:
    if hasattr(cls, name):
        return

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        announce(f"{cls.__name__}.{name} was removed in {removed}; put back with {shown}")
        return function(self, *args, **kwargs)

    method.__name__ = name
    setattr(cls, name, method)


def _set_missing_property(cls: Any, name: str, function: Any, removed: str, shown: str) -> None:
    if hasattr(cls, name):
        return

    def read(self: Any) -> Any:
        announce(f"{cls.__name__}.{name} was removed in {removed}; put back with {shown}")
        return function(self)

    setattr(cls, name, property(read))


def _append_to_frame(
    self: Any, other: Any, ignore_index: bool = False, verify_integrity: bool = False, sort: bool = False
) -> Any:
    import pandas

    if isinstance(other, dict):
        if not ignore_index:
            raise TypeError("a dict can be appended with ignore_index=True only")
        other = pandas.Series(other)
    if isinstance(other, pandas.Series):
        if other.name is None and not ignore_index:
            raise TypeError("a Series without a name can be appended with ignore_index=True only")
        row = other.to_frame().T.infer_objects()
        others = [row]
    elif isinstance(other, list):
        others = [one if isinstance(one, pandas.DataFrame) else pandas.DataFrame([one]) for one in other]
    else:
        others = [other]
    # As it was: empty parts say nothing about the types of columns.
    parts = [part for part in [self, *others] if len(part) or len(part.columns)]
    whole = [part for part in parts if len(part)] or parts
    if not whole:
        return self.copy()
    joined = pandas.concat(whole, ignore_index=ignore_index, verify_integrity=verify_integrity, sort=sort)
    columns = list(dict.fromkeys(column for part in parts for column in part.columns))
    return joined if sort else joined.reindex(columns=columns)


def _append_to_series(self: Any, to_append: Any, ignore_index: bool = False, verify_integrity: bool = False) -> Any:
    import pandas

    others = list(to_append) if isinstance(to_append, (list, tuple)) else [to_append]
    parts = [part for part in [self, *others] if len(part)] or [self]
    return pandas.concat(parts, ignore_index=ignore_index, verify_integrity=verify_integrity)


def _values(self: Any, columns: Any) -> Any:
    return self.values if columns is None else self[columns].values


def _mad(self: Any, axis: Any = 0, **_: Any) -> Any:
    if self.ndim == 1:
        return (self - self.mean()).abs().mean()
    numbers = self.select_dtypes("number")
    return numbers.sub(numbers.mean(axis=axis), axis=1 - axis).abs().mean(axis=axis)


def _lookup(self: Any, row_labels: Any, col_labels: Any) -> Any:
    import numpy

    return numpy.array([self.at[row, column] for row, column in zip(row_labels, col_labels)])


def _is_monotonic(self: Any) -> bool:
    return bool(self.is_monotonic_increasing)


class _Ix:
    """Labels first; positions where the index has no numbers itself."""

    def __init__(self, whole: Any) -> None:
        self._whole = whole

    def __getitem__(self, key: Any) -> Any:
        return self._indexer(key)[0][self._indexer(key)[1]]

    def __setitem__(self, key: Any, value: Any) -> None:
        indexer, known = self._indexer(key)
        indexer[known] = value

    def _indexer(self, key: Any) -> tuple[Any, Any]:
        keys = key if isinstance(key, tuple) else (key,)
        axes = self._whole.axes
        are_positions = [_is_position(part, axis) for part, axis in zip(keys, axes)]
        if all(are_positions):
            return self._whole.iloc, key
        if not any(are_positions):
            return self._whole.loc, key
        labels = tuple(axis[part] if is_one else part for part, axis, is_one in zip(keys, axes, are_positions))
        return self._whole.loc, labels


def _is_position(part: Any, axis: Any) -> bool:
    import pandas

    if pandas.api.types.is_numeric_dtype(axis):
        return False
    if isinstance(part, slice):
        return any(isinstance(end, int) for end in (part.start, part.stop))
    if isinstance(part, (list, tuple)):
        return bool(part) and all(isinstance(one, int) and not isinstance(one, bool) for one in part)
    return isinstance(part, int) and not isinstance(part, bool)


def _patch_fillna(cls: Any) -> None:
    original = cls.fillna

    @functools.wraps(original)
    def fillna(self: Any, value: Any = None, *args: Any, **kwargs: Any) -> Any:
        if isinstance(kwargs.get("method"), str):
            method = kwargs.pop("method")
            announce("fillna(method=) was removed in pandas 3.0; put back with ffill and bfill")
            return (self.ffill if method in ("ffill", "pad") else self.bfill)(**kwargs)
        kwargs.pop("method", None)
        if "downcast" in kwargs:
            kwargs.pop("downcast")
            announce("fillna(downcast=) was removed in pandas 3.0; accepted, types stay")
        return original(self, value, *args, **kwargs)

    cls.fillna = fillna


def _patch_frequencies(cls: Any) -> None:
    for name in ("resample", "asfreq"):
        setattr(cls, name, _with_old_frequencies(getattr(cls, name), method=True))


def _with_old_frequencies(original: Any, method: bool) -> Any:
    @functools.wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        first = 1 if method else 0
        args = tuple(_frequency(arg) if method and at == first else arg for at, arg in enumerate(args))
        for name in ("freq", "rule"):
            if name in kwargs:
                kwargs[name] = _frequency(kwargs[name])
        return original(*args, **kwargs)

    return wrapper


def _frequency(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    found = _FREQUENCY.fullmatch(value)
    if found is None or found.group(2) not in _FREQUENCIES:
        return value
    new = f"{found.group(1)}{_FREQUENCIES[found.group(2)]}{found.group(3)}"
    announce(f"the frequency {value!r} was removed in pandas 3.0; put back as {new!r}")
    return new


def _patch_numbers_only(pandas: Any) -> None:
    """Statistics over all columns leave out those that are no numbers, instead of failing."""
    from pandas.core.groupby import DataFrameGroupBy

    for cls, names in ((pandas.DataFrame, _NUMBERS_ONLY), (DataFrameGroupBy, _GROUPS_NUMBERS_ONLY)):
        for name in names:
            if hasattr(cls, name):
                setattr(cls, name, _numbers_only(getattr(cls, name), f"{cls.__name__}.{name}"))


def _numbers_only(original: Any, shown: str) -> Any:
    @functools.wraps(original)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("numeric_only", False) is None:
            kwargs["numeric_only"] = True
        try:
            return original(self, *args, **kwargs)
        except (TypeError, ValueError):
            if "numeric_only" in kwargs or not is_called_by_user():
                raise
            result = original(self, *args, numeric_only=True, **kwargs)
            announce(f"{shown} fails on columns of text since pandas 2.0; it leaves them out again")
            return result

    return wrapper


def _renamed(new: str) -> Any:
    def fix(value: Any, arguments: dict[str, Any]) -> None:
        arguments.setdefault(new, value)

    return fix


def _drop(value: Any, arguments: dict[str, Any]) -> None:
    pass


def _bad_lines(value: Any, arguments: dict[str, Any]) -> None:
    arguments.setdefault("on_bad_lines", "error" if value else "skip")


def _whitespace(value: Any, arguments: dict[str, Any]) -> None:
    if value:
        arguments["sep"] = r"\s+"


def _patch_readers(pandas: Any) -> None:
    gone = "was removed in pandas"
    fixes = {
        "error_bad_lines": (_bad_lines, f"{gone} 2.0; put back with on_bad_lines"),
        "warn_bad_lines": (_drop, f"{gone} 2.0; accepted without effect"),
        "delim_whitespace": (_whitespace, f"{gone} 3.0; put back with sep='\\s+'"),
        **dict.fromkeys(_READ_CSV_DROPPED, (_drop, f"{gone} 2.0; accepted without effect")),
    }
    for name in ("read_csv", "read_table"):
        plain = with_old_arguments(getattr(pandas, name), name, fixes)
        setattr(pandas, name, _reader(plain, name))
    pandas.to_datetime = with_old_arguments(
        pandas.to_datetime, "to_datetime", {"infer_datetime_format": (_drop, f"{gone} 3.0; accepted without effect")}
    )
    pandas.concat = _concat(pandas.concat)
    pandas.get_dummies = _get_dummies(pandas.get_dummies)


def _reader(original: Any, name: str) -> Any:
    @functools.wraps(original)
    def read(filepath_or_buffer: Any, *args: Any, **kwargs: Any) -> Any:
        if args:
            announce(f"{name} takes its separator by name only since pandas 2.0; taken by position again")
            kwargs = {**dict(zip(("sep", "delimiter", "header", "names"), args)), **kwargs}
        squeeze = kwargs.pop("squeeze", False)
        prefix = kwargs.pop("prefix", None)
        result = original(filepath_or_buffer, **kwargs)
        if prefix is not None:
            announce(f"{name}(prefix=) was removed in pandas 2.0; put back")
            result.columns = [f"{prefix}{column}" for column in result.columns]
        if squeeze:
            announce(f"{name}(squeeze=) was removed in pandas 2.0; put back")
            result = result.squeeze("columns")
        return result

    return read


def _concat(original: Any) -> Any:
    @functools.wraps(original)
    def concat(objs: Any, *args: Any, **kwargs: Any) -> Any:
        if args:
            announce("concat takes axis by name only since pandas 2.0; taken by position again")
            kwargs = {**dict(zip(("axis", "join", "ignore_index"), args)), **kwargs}
        kwargs.pop("join_axes", None)
        return original(objs, **kwargs)

    return concat


def _get_dummies(original: Any) -> Any:
    @functools.wraps(original)
    def get_dummies(*args: Any, **kwargs: Any) -> Any:
        if kwargs.get("dtype") is None and len(args) < 8 and is_called_by_user():
            import numpy

            announce("get_dummies gives True and False since pandas 2.0; it gives 1 and 0 again")
            kwargs["dtype"] = numpy.uint8
        return original(*args, **kwargs)

    return get_dummies


def _patch_columns(frame: Any, series: Any) -> None:
    """Changing a column in place changes the frame that the script took it from."""
    get_column = frame.__getitem__

    @functools.wraps(get_column)
    def __getitem__(self: Any, key: Any) -> Any:
        result = get_column(self, key)
        if type(result) is series and is_called_by_user():
            object.__setattr__(result, "_azureml_home", (weakref.ref(self), key))
        return result

    get_attribute = frame.__getattr__

    @functools.wraps(get_attribute)
    def __getattr__(self: Any, name: str) -> Any:
        result = get_attribute(self, name)
        if type(result) is series and is_called_by_user():
            object.__setattr__(result, "_azureml_home", (weakref.ref(self), name))
        return result

    frame.__getitem__ = __getitem__
    frame.__getattr__ = __getattr__
    for name in _CHANGING:
        original = getattr(series, name, None)
        if original is not None:
            setattr(series, name, _changing(original, is_always=name == "update"))
    set_item = series.__setitem__

    @functools.wraps(set_item)
    def __setitem__(self: Any, key: Any, value: Any) -> None:
        home = _home_of(self) if "_azureml_home" in self.__dict__ and is_called_by_user() else None
        set_item(self, key, value)
        if home is not None:
            _write_home(self, home)

    series.__setitem__ = __setitem__
    _patch_indexers(series)


def _patch_indexers(series: Any) -> None:
    from pandas.core.indexing import _LocationIndexer

    original = _LocationIndexer.__setitem__

    @functools.wraps(original)
    def __setitem__(self: Any, key: Any, value: Any) -> None:
        column = self.obj
        is_taken = type(column) is series and "_azureml_home" in column.__dict__ and is_called_by_user()
        home = _home_of(column) if is_taken else None
        original(self, key, value)
        if home is not None:
            _write_home(column, home)

    _LocationIndexer.__setitem__ = __setitem__


def _changing(original: Any, is_always: bool) -> Any:
    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        is_taken = "_azureml_home" in self.__dict__ and (is_always or kwargs.get("inplace")) and is_called_by_user()
        home = _home_of(self) if is_taken else None
        result = original(self, *args, **kwargs)
        if home is not None:
            _write_home(self, home)
        return result

    return method


def _home_of(column: Any) -> tuple[Any, Any] | None:
    """The frame that ``column`` was taken from, and its name there; None when the frame has another column there now."""
    reference, name = column.__dict__["_azureml_home"]
    frame = reference()
    if frame is None or name not in frame.columns:
        return None
    import numpy

    present = frame[name]
    if isinstance(present.values, numpy.ndarray) and isinstance(column.values, numpy.ndarray):
        return (frame, name) if numpy.shares_memory(present.values, column.values) else None
    return (frame, name) if present.equals(column) else None


def _write_home(column: Any, home: tuple[Any, Any]) -> None:
    frame, name = home
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame[name] = column
    announce("changing a column in place leaves its frame as it was since pandas 3.0; it changes the frame again")
