"""The types that the columns of a delimited file get."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from azureml.core import Dataset
from azureml.data.dataset_error_handling import DatasetExecutionError, DatasetValidationError
from azureml.data.dataset_factory import DataType
from tests.facade.data_files import write


def column(tmp_path: Path, *values: str, **settings: Any) -> pd.Series:
    # A column of numbers beside it, so that a line without a value is still a line.
    lines = ["x,n", *(f"{value},{number}" for number, value in enumerate(values))]
    file = write(tmp_path / "data.csv", "\n".join(lines) + "\n")
    return Dataset.Tabular.from_delimited_files(str(file), **settings).to_pandas_dataframe()["x"]


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        (["1", "-2", "+3"], "int64", [1, -2, 3]),
        (["1", "", "3"], "float64", [1.0, np.nan, 3.0]),
        (["1", "2.5", "1e3"], "float64", [1.0, 2.5, 1000.0]),
        (["1", "NA", "3"], "float64", [1.0, np.nan, 3.0]),
        (["007", "8"], "int64", [7, 8]),
        (["12345678901234567890", "1"], "float64", [12345678901234567890.0, 1.0]),
        (["True", "false", "TRUE"], "bool", [True, False, True]),
        (["true", "", "false"], "object", [True, None, False]),
        (["2021-05-31", "2021/06/01"], "datetime64[ns]", ["2021-05-31", "2021-06-01"]),
        (["2021-05-31 08:15:00", "2021-05-31T09:15:00.5"], "datetime64[ns]", ["2021-05-31 08:15", "2021-05-31 09:15:00.5"]),
        (["2021-05-31T08:00:00Z", "2021-05-31T08:00:00+02:00"], "datetime64[ns]", ["2021-05-31 08:00", "2021-05-31 06:00"]),
        (["2021-05-31", ""], "datetime64[ns]", ["2021-05-31", None]),
    ],
)  # fmt: skip
def test_a_column_of_one_kind_gets_its_type(tmp_path: Path, values: list[str], dtype: str, expected: list[Any]) -> None:
    read = column(tmp_path, *values)

    assert str(read.dtype) == dtype
    if dtype == "object":
        assert list(read) == expected
    else:
        pd.testing.assert_series_equal(read, pd.Series(expected, name="x", dtype=dtype))


@pytest.mark.parametrize(
    "values",
    [
        ["yes", "no"],
        ["Y", "N"],
        ["1", "two"],
        ["NA", "text"],
        ["true", "maybe"],
        ["2021-13-45", "2021-05-31"],
        ["31.05.2021", "01.06.2021"],
        ["5/31/2021", "6/1/2021"],
        ["1 2", "3 4"],
    ],
)
def test_everything_else_stays_text_in_an_object_column(tmp_path: Path, values: list[str]) -> None:
    read = column(tmp_path, *values)

    assert read.dtype == object
    assert list(read) == values


def test_missing_text_is_none(tmp_path: Path) -> None:
    assert list(column(tmp_path, "a", "", '""', "b")) == ["a", None, None, "b"]


def test_empty_fields_stay_empty_text_when_asked(tmp_path: Path) -> None:
    assert list(column(tmp_path, "a", "", empty_as_string=True)) == ["a", ""]


def test_an_empty_column_is_none_throughout(tmp_path: Path) -> None:
    read = column(tmp_path, "", "")

    assert read.dtype == object
    assert list(read) == [None, None]


def test_a_late_value_counts_as_much_as_an_early_one(tmp_path: Path) -> None:
    read = column(tmp_path, *(["1"] * 1000), "end")

    assert read.dtype == object
    assert read.iloc[0] == "1"


def test_nothing_is_inferred_when_asked_not_to(tmp_path: Path) -> None:
    assert list(column(tmp_path, "1", "true", infer_column_types=False)) == ["1", "true"]


def test_the_switch_of_a_dataset_makes_yes_and_no_booleans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBLIGHT_TRUE_FALSE", "yes-no")

    read = column(tmp_path, "Yes", "no", "YES")

    assert read.dtype == bool
    assert list(read) == [True, False, True]


def test_the_switch_can_leave_true_and_false_as_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBLIGHT_TRUE_FALSE", "none")

    assert list(column(tmp_path, "true", "false")) == ["true", "false"]


def test_an_unknown_position_of_the_switch_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBLIGHT_TRUE_FALSE", "on")

    with pytest.raises(DatasetValidationError, match="words, yes-no, none"):
        column(tmp_path, "true")


@pytest.mark.parametrize(
    ("wanted", "values", "expected"),
    [
        (DataType.to_bool(), ["Yes", "n", "0", ""], [True, False, False, None]),
        (DataType.to_string(), ["1", "02", ""], ["1", "02", None]),
        (DataType.to_long(), ["1", "2"], [1, 2]),
        (DataType.to_float(decimal_mark=","), ['"1.000,5"', '"2,25"'], [1000.5, 2.25]),
        (
            DataType.to_datetime(["%d.%m.%Y", "%Y"]),
            ["31.05.2021", "2020"],
            [pd.Timestamp("2021-05-31"), pd.Timestamp("2020-01-01")],
        ),
    ],
)
def test_a_type_that_is_asked_for_is_given(
    tmp_path: Path, wanted: DataType, values: list[str], expected: list[Any]
) -> None:
    assert list(column(tmp_path, *values, set_column_types={"x": wanted})) == expected


def test_values_that_are_not_of_the_type_are_missing_or_an_error(tmp_path: Path) -> None:
    file = write(tmp_path / "data.csv", "x\n1\ntwo\n")
    dataset = Dataset.Tabular.from_delimited_files(str(file), set_column_types={"x": DataType.to_float()})

    assert dataset.to_pandas_dataframe()["x"].isna().tolist() == [False, True]
    with pytest.raises(DatasetExecutionError, match="'two' in row 1"):
        dataset.to_pandas_dataframe(on_error="fail")
