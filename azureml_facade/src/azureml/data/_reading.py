"""The rows of a tabular dataset as a pandas DataFrame: delimited text, Parquet and JSON lines.

What v1 gave is given: text as ``object`` columns of ``str`` with None where it is missing, whole numbers as int64, others as
float64, dates as datetime64[ns] (see ``_column_types``). Two things differ on purpose: a line break inside quotes is part
of the value with ``support_multi_line=False`` too (v1 cut such rows in two), and a row that is longer or shorter than the
header is cut or filled up with missing values.
"""

from __future__ import annotations

import csv
import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from azureml.data import _column_types, _steps
from azureml.data._definition import Definition
from azureml.data._partition_format import read_partition_format
from azureml.data._sources import SourceFile, Sources
from azureml.data.dataset_error_handling import DatasetExecutionError, DatasetValidationError

PATH_COLUMN = "Path"
_ENCODINGS = {
    "utf8": "utf-8-sig",  # a byte-order mark at the beginning is no part of the first column's name
    "utf8bom": "utf-8-sig",
    "iso88591": "iso-8859-1",
    "latin1": "latin-1",
    "ascii": "ascii",
    "utf16": "utf-16",
    "utf32": "utf-32",
    "windows1252": "cp1252",
}
_HEADERS = ("none", "first", "combine", "same")


def python_encoding(name: str) -> str:
    """Python's name of an encoding as v1 spelled it; DatasetValidationError for one that is not known."""
    found = _ENCODINGS.get(name.lower().replace("-", "").replace("_", ""))
    if found is None:
        raise DatasetValidationError(f"encoding must be one of {', '.join(sorted(_ENCODINGS))}, got {name!r}")
    return found


def read_frame(definition: Definition, sources: Sources, on_error: str = "null") -> Any:
    """All rows, typed, after the dataset's steps."""
    files = with_partitions(definition, sources.files(definition.paths))
    frame = _READERS[definition.format](definition, files)
    for name, wanted in (definition.options.get("column_types") or {}).items():
        if name in frame.columns:
            frame[name] = _column_types.convert(frame[name], wanted, name, on_error)
    return _steps.apply_to_frame(frame, definition.steps)


def with_partitions(definition: Definition, files: Sequence[SourceFile]) -> list[SourceFile]:
    """The files whose paths have the form of ``partition_format``: all of them when there is none."""
    text = definition.options.get("partition_format")
    if not text:
        return list(files)
    form = read_partition_format(text)
    chosen = [file for file in files if form.values(file.origin) is not None]
    if not chosen:
        raise DatasetValidationError(
            f"no path of the dataset has the form {text!r}; the first one is {files[0].origin!r}"
        )
    return chosen


def partition_values(definition: Definition, file: SourceFile) -> dict[str, Any]:
    """The columns that ``partition_format`` takes from the path of a file."""
    text = definition.options.get("partition_format")
    return (read_partition_format(text).values(file.origin) or {}) if text else {}


def _read_delimited(definition: Definition, files: Sequence[SourceFile]) -> Any:
    options = definition.options
    switch = _true_false(options, files)
    infers = options.get("infer_column_types", True)
    asked = set(options.get("column_types") or {})
    # pandas finds numbers and true/false by itself, and quickly; everything that may not be either is read as text.
    as_text: set[str] | None = asked if infers and switch != "none" and not options.get("empty_as_string") else None
    frames = _read_texts(files, options, as_text)
    if as_text is not None:
        torn = _torn_columns(frames)
        if torn:
            frames = _read_texts(files, options, as_text | torn)
    frame = _combined(frames)
    if infers:
        for name in frame.columns:
            if name not in asked and frame[name].dtype == object:
                frame[name] = _column_types.infer(frame[name], switch)
    return _with_path_columns(definition, files, frames, frame)


def _read_texts(files: Sequence[SourceFile], options: Mapping[str, Any], as_text: set[str] | None) -> list[Any]:
    """A frame a file; the columns ``as_text`` (None: all of them) as text."""
    header = str(options.get("header", "same"))
    if header not in _HEADERS:
        raise DatasetValidationError(f"the dataset's header must be one of {', '.join(_HEADERS)}, got {header!r}")
    frames: list[Any] = []
    names: list[str] | None = None
    for number, file in enumerate(files):
        has_header = header in ("combine", "same") or (header == "first" and number == 0)
        read = _read_text(file.local, options, has_header, as_text, names if header != "combine" else None)
        names = names or list(read.columns)
        frames.append(read)
    return frames


def _torn_columns(frames: Sequence[Any]) -> set[str]:
    """Columns that are numbers in one file and something else (or empty) in another."""
    kinds: dict[str, set[str]] = {}
    for frame in frames:
        for name in frame.columns:
            if len(frame):
                kind = "number" if frame[name].dtype.kind in "if" else str(frame[name].dtype)
                kinds.setdefault(name, set()).add(kind)
    return {name for name, seen in kinds.items() if len(seen) > 1}


def _true_false(options: Mapping[str, Any], files: Sequence[SourceFile]) -> str:
    choice = options.get("true_false") or next(
        (file.options["true_false"] for file in files if file.options.get("true_false")), "words"
    )
    if choice not in _column_types.TRUE_FALSE_CHOICES:
        raise DatasetValidationError(
            f"the dataset's true_false must be one of {', '.join(_column_types.TRUE_FALSE_CHOICES)}, got {choice!r}"
        )
    return str(choice)


def _read_text(
    file: Path, options: Mapping[str, Any], has_header: bool, as_text: set[str] | None, expected: list[str] | None
) -> Any:
    """One file; columns of text are objects, with None where it is missing.

    ``expected`` are the columns of the first file, which the others have, too, when they are as many.
    """
    import pandas as pd

    encoding = python_encoding(str(options.get("encoding") or "utf8"))
    separator = str(options.get("separator") or ",")
    try:
        names = _first_row(file, encoding, separator)
        if names is None:
            return pd.DataFrame()
        if expected is not None and len(expected) == len(names):
            names = expected
        elif has_header:
            names = _column_names(names)
        else:
            names = [f"Column{number}" for number in range(1, len(names) + 1)]
        frame = _parse(file, encoding, separator, names, 0 if has_header else None, as_text)
    except UnicodeError as error:
        raise DatasetExecutionError(
            f"{file.name} is not written in {options.get('encoding') or 'utf8'} ({error}); name its encoding with encoding="
        ) from error
    if options.get("empty_as_string"):
        return frame.fillna("")
    for name in frame.columns:
        frame[name] = _as_v1_column(frame[name])
    return frame


def _as_v1_column(column: Any) -> Any:
    """What pandas read, in a type that v1 had: its unsigned numbers as float64, an empty column and text as objects."""
    import numpy as np

    if column.dtype == np.uint64:
        return column.astype(np.float64)
    if column.dtype.kind in "ifb" and not (column.dtype.kind == "f" and column.isna().all()):
        return column
    column = column.astype(object)
    return column.where(column.notna(), None)


def _first_row(file: Path, encoding: str, separator: str) -> list[str] | None:
    import io

    from pandas.io.common import get_handle

    with get_handle(file, "r", encoding=encoding, compression="infer") as opened:
        text = opened.handle
        assert isinstance(text, io.TextIOBase)
        return next((row for row in csv.reader(text, delimiter=separator[:1]) if row), None)


def _column_names(row: Sequence[str]) -> list[str]:
    """The header's names; a column without one is called after its place, and the second of a name gets a number."""
    names: list[str] = []
    for number, given in enumerate(row, start=1):
        name = given.strip() or f"Column{number}"
        unique, again = name, 0
        while unique in names:
            again += 1
            unique = f"{name}_{again}"
        names.append(unique)
    return names


def _parse(
    file: Path, encoding: str, separator: str, names: list[str], header: int | None, as_text: set[str] | None
) -> Any:
    import pandas as pd

    settings: dict[str, Any] = {
        "sep": separator,
        "encoding": encoding,
        "header": header,
        "names": names,
        "dtype": object if as_text is None else dict.fromkeys(as_text & set(names), object),
        "keep_default_na": False,
        "na_values": [""],
        "index_col": False,
    }
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", pd.errors.ParserWarning
        )  # rows that are too long are cut, as the docstring says
        try:
            return pd.read_csv(file, low_memory=False, **settings)
        except pd.errors.ParserError:
            cut: Any = lambda row: row[: len(names)]  # noqa: E731
            return pd.read_csv(file, engine="python", on_bad_lines=cut, **settings)


def _read_parquet(definition: Definition, files: Sequence[SourceFile]) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    frames = []
    for file in files:
        try:
            frames.append(_plain(pq.ParquetFile(file.local).read()))
        except pa.ArrowInvalid as error:
            raise DatasetExecutionError(f"{file.shown} is not a Parquet file ({error})") from error
    return _with_path_columns(definition, files, frames, _combined(frames))


def _plain(table: Any) -> Any:
    """A frame of the few types that v1 had: int64, float64, bool, datetime64[ns], objects."""
    import pyarrow as pa

    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        kind = column.type
        if pa.types.is_dictionary(kind):
            column = column.cast(kind.value_type)
            kind = kind.value_type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            columns[name] = _object_series(column.to_pylist())
            continue
        if pa.types.is_decimal(kind) or pa.types.is_floating(kind):
            column = column.cast(pa.float64())
        elif pa.types.is_integer(kind) and not pa.types.is_uint64(kind):
            column = column.cast(pa.int64())
        elif pa.types.is_date(kind) or pa.types.is_timestamp(kind):
            column = column.cast(pa.timestamp("ns", tz=getattr(kind, "tz", None)))
        series = column.to_pandas()
        if str(series.dtype).startswith("datetime64"):
            series = _column_types.to_dates(series)
        columns[name] = series
    return _frame_of(columns, table.num_rows)


def _frame_of(columns: Mapping[str, Any], count: int) -> Any:
    import pandas as pd

    frame = pd.DataFrame(dict(columns), index=range(count))
    leftover = [name for name in frame.columns if name.startswith("__index_level_")]
    return frame.drop(columns=leftover)


def _object_series(values: Sequence[Any]) -> Any:
    import pandas as pd

    return pd.Series(list(values), dtype=object)


def _read_json_lines(definition: Definition, files: Sequence[SourceFile]) -> Any:
    encoding = python_encoding(str(definition.options.get("encoding") or "utf8"))
    drops_invalid = definition.options.get("invalid_lines") == "drop"
    frames = []
    for file in files:
        rows = []
        with open(file.local, encoding=encoding) as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                    if not isinstance(row, dict):
                        raise ValueError("it is not an object")
                except ValueError as error:
                    if drops_invalid:
                        continue
                    raise DatasetExecutionError(f"line {number} of {file.shown} is no JSON object: {error}") from error
                rows.append(row)
        names = list(dict.fromkeys(name for row in rows for name in row))
        columns = {name: _of_json([row.get(name) for row in rows]) for name in names}
        frames.append(_frame_of(columns, len(rows)))
    return _with_path_columns(definition, files, frames, _combined(frames))


def _of_json(values: list[Any]) -> Any:
    import pandas as pd

    column = _object_series(values)
    present = [value for value in values if value is not None]
    if present and all(type(value) in (int, float) for value in present):
        return pd.to_numeric(column)
    if present and all(type(value) is bool for value in present) and len(present) == len(values):
        return column.astype(bool)
    return column


def _combined(frames: Sequence[Any]) -> Any:
    """The rows of all frames under each other, by column name; text that is missing is None, numbers are NaN."""
    import pandas as pd

    if len(frames) == 1:
        return frames[0].copy()
    filled = [frame for frame in frames if len(frame.columns)]
    if not filled:
        return pd.DataFrame()
    combined = pd.concat([frame for frame in filled if len(frame)] or filled, ignore_index=True)
    for name in combined.columns:
        if combined[name].dtype == object:
            combined[name] = combined[name].where(combined[name].notna(), None)
    return combined


def _with_path_columns(definition: Definition, files: Sequence[SourceFile], frames: Sequence[Any], frame: Any) -> Any:
    """The frame with the columns of ``include_path`` and ``partition_format`` in front."""
    counts = [len(one) for one in frames]
    added: dict[str, Any] = {}
    if definition.options.get("include_path"):
        added[PATH_COLUMN] = _repeated([file.origin for file in files], counts)
    if definition.options.get("partition_format"):
        per_file = [partition_values(definition, file) for file in files]
        for name in per_file[0]:
            column = _repeated([values[name] for values in per_file], counts)
            is_date = not isinstance(per_file[0][name], str)
            added[name] = _column_types.to_dates(column) if is_date else column
    for place, (name, column) in enumerate(added.items()):
        if name in frame.columns:
            frame = frame.drop(columns=name)
        frame.insert(place, name, column)
    return frame


def _repeated(values: Sequence[Any], counts: Sequence[int]) -> Any:
    return _object_series([value for value, count in zip(values, counts, strict=True) for _ in range(count)])


_READERS = {"delimited": _read_delimited, "parquet": _read_parquet, "json": _read_json_lines}
