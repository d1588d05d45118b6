"""Datasets: made, read, transformed, registered; on this machine's files and in a real workspace within this process."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest

from azureml.core import Dataset, Workspace
from azureml.data import FileDataset, TabularDataset
from azureml.data.datapath import DataPath
from azureml.data.dataset_error_handling import DatasetExecutionError, DatasetValidationError
from azureml.data.dataset_factory import FileDatasetFactory, TabularDatasetFactory
from azureml.data.dataset_type_definitions import PromoteHeadersBehavior
from azureml.exceptions import AzureMLException, DatasetTimestampMissingError, NotSupportedByFacade, UserErrorException
from tests.facade.data_files import BANK, write
from tests.facade.in_process import served_workspace
from tests.facade.surface import names, problems, surface

URL = "https://automlsamplenotebookdata.example.invalid/bankmarketing_train.csv"


@pytest.fixture(autouse=True)
def _own_caches(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.mktemp("caches")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    monkeypatch.setenv("SUBLIGHT_COPIES", str(folder / "copies"))


@pytest.fixture(scope="module")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with served_workspace(tmp_path_factory.mktemp("served") / "root") as (workspace, _):
        yield workspace


@pytest.fixture
def ws(_served: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setattr("azureml.data._workspaces.find_sdk", lambda: _served._sdk)
    return _served


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []

    def stream(method: str, url: str, **settings: Any) -> Any:
        asked.append(url)
        raise httpx.ConnectError("no route to host")

    monkeypatch.setattr(httpx, "stream", stream)
    return asked


@pytest.fixture
def no_workspace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azureml.data._workspaces.find_sdk", lambda: None)


def numbers(tmp_path: Path, count: int = 100) -> TabularDataset:
    file = write(tmp_path / "numbers.csv", "n,half\n" + "".join(f"{n},{n / 2}\n" for n in range(count)))
    return Dataset.Tabular.from_delimited_files(str(file))


class TestReading:
    def test_rows_come_as_the_original_gave_them(self, tmp_path: Path) -> None:
        frame = Dataset.Tabular.from_delimited_files(str(write(tmp_path / "bank.csv", BANK))).to_pandas_dataframe()

        assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
            "age": "int64",
            "job": "object",
            "default": "object",
            "y": "object",
            "balance": "float64",
            "since": "datetime64[ns]",
        }
        assert frame["job"].tolist() == ["admin.", None, "technician"]
        assert frame["default"].apply(lambda word: 1 if word == "yes" else 0).tolist() == [0, 1, 0]
        assert frame.isna().sum().sum() == 2

    def test_nothing_is_read_before_it_is_needed(self, tmp_path: Path) -> None:
        dataset = TabularDatasetFactory.from_delimited_files(str(tmp_path / "later.csv"), validate=False)
        write(tmp_path / "later.csv", "a\n1\n")

        assert dataset.to_pandas_dataframe()["a"].tolist() == [1]

    def test_a_file_that_is_not_there_is_told_at_once(self, tmp_path: Path) -> None:
        with pytest.raises(DatasetValidationError, match="no file at"):
            Dataset.Tabular.from_delimited_files(str(tmp_path / "none.csv"))

    def test_names_of_columns_without_a_header(self, tmp_path: Path) -> None:
        file = str(write(tmp_path / "plain.csv", "1,a\n2,b\n"))

        frame = Dataset.Tabular.from_delimited_files(file, header=False).to_pandas_dataframe()

        assert frame.columns.tolist() == ["Column1", "Column2"]
        assert frame["Column1"].tolist() == [1, 2]

    def test_columns_without_a_name_and_with_the_same_name(self, tmp_path: Path) -> None:
        file = str(write(tmp_path / "odd.csv", ",a,a, b \n0,1,2,3\n"))

        assert Dataset.Tabular.from_delimited_files(file).to_pandas_dataframe().columns.tolist() == [
            "Column1", "a", "a_1", "b",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("header", "columns", "rows"),
        [
            (PromoteHeadersBehavior.ALL_FILES_HAVE_SAME_HEADERS, ["a", "b"], 2),
            (PromoteHeadersBehavior.ONLY_FIRST_FILE_HAS_HEADERS, ["a", "b"], 3),
            (PromoteHeadersBehavior.COMBINE_ALL_FILES_HEADERS, ["a", "b", "c"], 2),
            (PromoteHeadersBehavior.NO_HEADERS, ["Column1", "Column2"], 4),
        ],
    )
    def test_headers_of_several_files(
        self, tmp_path: Path, header: PromoteHeadersBehavior, columns: list[str], rows: int
    ) -> None:
        write(tmp_path / "1.csv", "a,b\n1,2\n")
        write(tmp_path / "2.csv", "a,c\n3,4\n")

        frame = Dataset.Tabular.from_delimited_files(str(tmp_path / "*.csv"), header=header).to_pandas_dataframe()

        assert frame.columns.tolist() == columns
        assert len(frame) == rows

    def test_separator_encoding_and_quoted_line_breaks(self, tmp_path: Path) -> None:
        file = tmp_path / "odd.csv"
        file.write_bytes('name;text\nMüller;"one\ntwo"\n'.encode("latin-1"))

        frame = Dataset.Tabular.from_delimited_files(
            str(file), separator=";", encoding="latin1", support_multi_line=True
        ).to_pandas_dataframe()

        assert frame.to_dict("records") == [{"name": "Müller", "text": "one\ntwo"}]

    def test_a_wrong_encoding_is_told_in_a_sentence(self, tmp_path: Path) -> None:
        (tmp_path / "latin.csv").write_bytes("name\nMüller\n".encode("latin-1"))

        with pytest.raises(DatasetExecutionError, match="encoding="):
            Dataset.Tabular.from_delimited_files(str(tmp_path / "latin.csv")).to_pandas_dataframe()
        with pytest.raises(DatasetValidationError, match="utf7"):
            Dataset.Tabular.from_delimited_files(str(tmp_path / "latin.csv"), encoding="utf7")

    def test_rows_of_another_length_are_cut_or_filled_up(self, tmp_path: Path) -> None:
        file = str(write(tmp_path / "ragged.csv", "a,b\n1,2,3\n4\n5,6\n7,8,9,10\n"))

        frame = Dataset.Tabular.from_delimited_files(file).to_pandas_dataframe()

        assert frame["a"].tolist() == [1, 4, 5, 7]
        assert frame["b"].tolist()[2:] == [6, 8]
        assert np.isnan(frame["b"][1])

    @pytest.mark.parametrize(
        ("values", "dtype", "expected"),
        [
            (["1", "2.5"], "float64", [1.0, 2.5]),
            (["1", "two"], "object", ["1", "two"]),
            (["", "2"], "float64", [None, 2.0]),
            (["true", "7"], "object", ["true", "7"]),
            (["true", ""], "object", [True, None]),
            (["2021-05-31", ""], "datetime64[ns]", [pd.Timestamp("2021-05-31"), pd.NaT]),
        ],
    )
    def test_a_type_is_that_of_all_files_together(
        self, tmp_path: Path, values: list[str], dtype: str, expected: list[Any]
    ) -> None:
        for number, value in enumerate(values):
            write(tmp_path / f"{number}.csv", f"x,n\n{value},0\n")

        column = Dataset.Tabular.from_delimited_files(str(tmp_path / "*.csv")).to_pandas_dataframe()["x"]

        assert str(column.dtype) == dtype
        assert [None if value != value else value for value in column] == [
            None if value != value else value for value in expected
        ]

    def test_an_empty_file_has_no_rows(self, tmp_path: Path) -> None:
        (tmp_path / "empty.csv").write_text("")

        assert len(Dataset.Tabular.from_delimited_files(str(tmp_path / "empty.csv")).to_pandas_dataframe()) == 0

    def test_a_byte_order_mark_is_no_part_of_a_name(self, tmp_path: Path) -> None:
        (tmp_path / "bom.csv").write_bytes("a,b\n1,2\n".encode("utf-8-sig"))

        frame = Dataset.Tabular.from_delimited_files(str(tmp_path / "bom.csv")).to_pandas_dataframe()
        assert list(frame.columns) == ["a", "b"]

    def test_paths_and_partitions_become_columns(self, tmp_path: Path) -> None:
        write(tmp_path / "data/France/2021/05/sales.csv", "amount\n1\n2\n")
        write(tmp_path / "data/Spain/2021/06/sales.csv", "amount\n3\n")
        write(tmp_path / "data/readme.csv", "amount\n99\n")

        dataset = Dataset.Tabular.from_delimited_files(
            str(tmp_path / "data/**/*.csv"), include_path=True, partition_format="/{country}/{day:yyyy/MM}/sales.csv"
        )
        frame = dataset.to_pandas_dataframe()

        assert frame.columns.tolist() == ["Path", "country", "day", "amount"]
        assert frame["country"].tolist() == ["France", "France", "Spain"]
        assert frame["day"].tolist() == [pd.Timestamp("2021-05-01")] * 2 + [pd.Timestamp("2021-06-01")]
        assert frame["Path"][2].endswith("/data/Spain/2021/06/sales.csv")
        assert dataset.partition_keys == ["country", "day"]
        assert [one["country"] for one in dataset.get_partition_key_values(["country"])] == ["France", "Spain"]

    def test_parquet_files_have_the_types_of_the_original(self, tmp_path: Path) -> None:
        frame = pd.DataFrame(
            {
                "small": np.array([1, 2], dtype="int16"),
                "single": np.array([0.5, 1.5], dtype="float32"),
                "text": ["a", None],
                "kind": pd.Categorical(["x", "y"]),
                "when": pd.to_datetime(["2021-01-01", "2021-01-02"]),
                "is": [True, False],
            }
        )
        frame.to_parquet(tmp_path / "data.parquet")

        read = Dataset.Tabular.from_parquet_files(str(tmp_path / "data.parquet")).to_pandas_dataframe()

        kinds = ["int64", "float64", "object", "object", "datetime64[ns]", "bool"]
        assert [str(kind) for kind in read.dtypes] == kinds
        assert read["text"].tolist() == ["a", None]

    def test_json_lines_are_rows(self, tmp_path: Path) -> None:
        file = str(write(tmp_path / "data.jsonl", '{"a": 1, "b": "x"}\n\n{"a": 2.5, "c": [1]}\n'))

        frame = Dataset.Tabular.from_json_lines_files(file).to_pandas_dataframe()

        assert frame["a"].tolist() == [1.0, 2.5]
        assert frame["b"].tolist() == ["x", None]
        assert frame["c"].tolist() == [None, [1]]

    def test_lines_that_are_no_json_are_an_error_or_left_out(self, tmp_path: Path) -> None:
        file = str(write(tmp_path / "data.jsonl", '{"a": 1}\nnonsense\n'))

        with pytest.raises(DatasetExecutionError, match="line 2"):
            Dataset.Tabular.from_json_lines_files(file).to_pandas_dataframe()
        dropped = Dataset.Tabular.from_json_lines_files(file, invalid_lines="drop").to_pandas_dataframe()
        assert len(dropped) == 1


class TestTransformations:
    def test_take_skip_and_columns(self, tmp_path: Path) -> None:
        dataset = numbers(tmp_path)

        assert dataset.skip(2).take(3).to_pandas_dataframe()["n"].tolist() == [2, 3, 4]
        assert dataset.keep_columns(["half", "n"]).take(1).to_pandas_dataframe().columns.tolist() == ["half", "n"]
        assert dataset.drop_columns("half").take(1).to_pandas_dataframe().columns.tolist() == ["n"]
        assert dataset.skip(98).to_pandas_dataframe().index.tolist() == [0, 1]
        assert len(dataset.to_pandas_dataframe()) == 100, "a transformation gives a new dataset"

    def test_unknown_columns_are_told_when_they_are_read(self, tmp_path: Path) -> None:
        dataset = numbers(tmp_path)

        dataset.keep_columns("third")
        with pytest.raises(DatasetExecutionError, match="'third'"):
            dataset.keep_columns("third", validate=True)

    def test_both_parts_of_a_split_are_the_whole(self, tmp_path: Path) -> None:
        first, second = numbers(tmp_path, 1000).random_split(0.8, seed=223)
        again, _ = numbers(tmp_path, 1000).random_split(0.8, seed=223)
        ours, others = first.to_pandas_dataframe()["n"], second.to_pandas_dataframe()["n"]

        assert sorted([*ours, *others]) == list(range(1000))
        assert 720 < len(ours) < 880
        assert ours.tolist() == again.to_pandas_dataframe()["n"].tolist()

    def test_a_split_without_a_seed_stays_the_same_at_every_reading(self, tmp_path: Path) -> None:
        first, second = numbers(tmp_path).random_split(0.5)

        assert first.to_pandas_dataframe().equals(first.to_pandas_dataframe())
        assert len(first.to_pandas_dataframe()) + len(second.to_pandas_dataframe()) == 100

    def test_a_sample_is_part_of_the_rows(self, tmp_path: Path) -> None:
        sample = numbers(tmp_path, 1000).take_sample(0.1, seed=1).to_pandas_dataframe()

        assert 50 < len(sample) < 160

    def test_conditions_choose_rows(self, tmp_path: Path) -> None:
        dataset = Dataset.Tabular.from_delimited_files(str(write(tmp_path / "bank.csv", BANK)))

        def ages(condition: Any) -> list[int]:
            return dataset.filter(condition).to_pandas_dataframe()["age"].tolist()

        assert ages(dataset["age"] > 40) == [41, 52]
        assert ages((dataset["age"] > 40) & (dataset["y"] == "no") & ~dataset["job"].is_null()) == [52]
        assert ages((dataset["age"] == 30) | dataset["balance"].is_null()) == [30, 52]
        assert ages(dataset["since"] >= datetime(2020, 2, 5)) == [41, 52]
        assert ages(dataset["job"].starts_with("tech")) == [52]

    def test_conditions_are_not_joined_by_words(self, tmp_path: Path) -> None:
        dataset = numbers(tmp_path)

        with pytest.raises(UserErrorException, match="joined by &"):
            dataset.filter(dataset["n"] > 1 and dataset["n"] < 3)
        with pytest.raises(UserErrorException, match="needs a condition"):
            dataset.filter("n > 1")
        with pytest.raises(UserErrorException, match="'m'"):
            dataset.filter(dataset["m"] > 1).to_pandas_dataframe()

    def test_time_filters_need_a_timestamp_column(self, tmp_path: Path) -> None:
        lines = "".join(f"{day}/1/2021,{day}\n" for day in range(1, 13))
        dataset = Dataset.Tabular.from_delimited_files(str(write(tmp_path / "days.csv", "day,n\n" + lines)))

        with pytest.raises(DatasetTimestampMissingError):
            dataset.time_before(datetime(2021, 3, 1))
        timed = dataset.with_timestamp_columns("day")
        assert timed.timestamp_columns == ("day", None)
        assert timed.time_before(datetime(2021, 3, 1)).to_pandas_dataframe()["n"].tolist() == [1, 2, 3]
        assert timed.time_after(datetime(2021, 11, 1), include_boundary=False).to_pandas_dataframe()["n"].tolist() == [
            12
        ]
        between = timed.time_between(datetime(2021, 3, 1), datetime(2021, 4, 1))
        assert between.to_pandas_dataframe()["n"].tolist() == [3, 4]
        assert len(timed.time_recent(timedelta(days=1)).to_pandas_dataframe()) == 0

    def test_rows_become_files(self, tmp_path: Path) -> None:
        files = numbers(tmp_path, 3).to_csv_files()

        (copy,) = files.download(str(tmp_path / "out"))

        assert Path(copy).read_text() == "n,half\n0,0.0\n1,0.5\n2,1.0\n"
        (parquet,) = numbers(tmp_path, 3).to_parquet_files().download(str(tmp_path / "out"))
        assert len(pd.read_parquet(parquet)) == 3

    def test_what_is_not_supported_refuses_in_a_sentence(self, tmp_path: Path) -> None:
        dataset = numbers(tmp_path)

        for call in (dataset.to_spark_dataframe, dataset.get_profile, lambda: dataset.download("path")):
            with pytest.raises(NotSupportedByFacade):
                call()
        with pytest.raises(NotSupportedByFacade, match="from_delimited_files"):
            Dataset.Tabular.from_sql_query(None)
        with pytest.raises(UserErrorException, match=r"Dataset\.Tabular"):
            TabularDataset()


class TestRegistration:
    def test_a_registered_dataset_is_found_by_name_and_id(self, ws: Workspace, tmp_path: Path) -> None:
        dataset = numbers(tmp_path).keep_columns("n")

        registered = dataset.register(ws, "by-name", description="numbers", tags={"kind": "test"})
        (tmp_path / "numbers.csv").unlink()

        assert (registered.name, registered.version) == ("by-name", 1)
        assert (registered.description, registered.tags) == ("numbers", {"kind": "test"})
        found = Dataset.get_by_name(ws, "by-name")
        assert isinstance(found, TabularDataset)
        assert found.to_pandas_dataframe().columns.tolist() == ["n"]
        assert len(found.to_pandas_dataframe()) == 100
        assert Dataset.get_by_id(ws, registered.id).name == "by-name"
        assert "by-name" in ws.datasets
        assert ws.datasets["by-name"].to_pandas_dataframe()["n"].sum() == 4950

    def test_versions_count_up_when_asked_for(self, ws: Workspace, tmp_path: Path) -> None:
        numbers(tmp_path, 3).register(ws, "versions")

        assert numbers(tmp_path, 3).register(ws, "versions").version == 1, "the same dataset is the same version"
        with pytest.raises(AzureMLException, match="create_new_version=True"):
            numbers(tmp_path, 4).register(ws, "versions")
        assert numbers(tmp_path, 4).register(ws, "versions", create_new_version=True).version == 2
        assert len(Dataset.get_by_name(ws, "versions").to_pandas_dataframe()) == 4
        assert len(Dataset.get_by_name(ws, "versions", version=1).to_pandas_dataframe()) == 3
        assert Dataset.get_by_name(ws, "versions", version="latest").version == 2

    def test_a_name_that_is_not_there(self, ws: Workspace) -> None:
        with pytest.raises(UserErrorException, match="no dataset 'nothing'"):
            Dataset.get_by_name(ws, "nothing")
        with pytest.raises(UserErrorException, match="no dataset has the id"):
            Dataset.get_by_id(ws, "nothing")
        with pytest.raises(KeyError):
            ws.datasets["nothing"]

    def test_tags_and_description_change(self, ws: Workspace, tmp_path: Path) -> None:
        dataset = numbers(tmp_path).register(ws, "changes", tags={"a": "1"})

        dataset.add_tags({"b": "2"})
        dataset.remove_tags(["a"])
        dataset.update(description="new")

        found = Dataset.get_by_name(ws, "changes")
        assert (found.tags, found.description) == ({"b": "2"}, "new")
        assert found.update(tags={"c": "3"}).tags == {"c": "3"}
        with pytest.raises(UserErrorException, match="not registered"):
            numbers(tmp_path).add_tags({"a": "b"})

    def test_an_unregistered_name_is_gone(self, ws: Workspace, tmp_path: Path) -> None:
        dataset = numbers(tmp_path).register(ws, "gone")
        id = dataset.id

        dataset.unregister_all_versions()

        assert "gone" not in Dataset.get_all(ws)
        with pytest.raises(UserErrorException):
            Dataset.get_by_name(ws, "gone")
        assert Dataset.get_by_id(ws, id).version == 1
        assert numbers(tmp_path).register(ws, "gone").name == "gone"

    def test_frames_are_registered(self, ws: Workspace) -> None:
        frame = pd.DataFrame({"x": [1, 2], "y": ["a", None], 3: [0.5, 1.5]})

        first = TabularDatasetFactory.register_pandas_dataframe(frame, ws.get_default_datastore(), "frame")
        second = Dataset.Tabular.register_pandas_dataframe(
            dataframe=frame, target=(ws.get_default_datastore(), "frames"), name="frame", show_progress=False
        )

        assert (first.version, second.version) == (1, 2)
        read = Dataset.get_by_name(ws, "frame").to_pandas_dataframe()
        assert read["y"].tolist() == ["a", None]
        assert read.columns.tolist() == ["x", "y", "3"]

    def test_a_column_of_several_types_is_registered_as_texts(
        self, ws: Workspace, caplog: pytest.LogCaptureFixture
    ) -> None:
        frame = pd.DataFrame({"mixed": [1, "x", None], "huge": [2**70, 1, 2], "fine": [1, 2, 3]})

        dataset = Dataset.Tabular.register_pandas_dataframe(frame, ws.get_default_datastore(), "mixed")

        read = dataset.to_pandas_dataframe()
        assert read["mixed"].tolist() == ["1", "x", None]
        assert read["huge"].tolist()[0] == str(2**70)
        assert read["fine"].tolist() == [1, 2, 3]
        assert "'mixed', 'huge'" in caplog.text
        twice = pd.DataFrame([[1, 2]], columns=["a", "a"])
        with pytest.raises(UserErrorException, match="name of its own"):
            Dataset.Tabular.register_pandas_dataframe(twice, ws.get_default_datastore(), "twice")

    def test_rows_are_partitioned_into_a_datastore(self, ws: Workspace, tmp_path: Path) -> None:
        dataset = Dataset.Tabular.from_delimited_files(str(write(tmp_path / "bank.csv", BANK)))

        parts = dataset.partition_by(["y"], (ws.get_default_datastore(), "parts"), name="parts", show_progress=False)

        assert parts.partition_keys == ["y"]
        frame = parts.to_pandas_dataframe()
        assert sorted(zip(frame["y"], frame["age"], strict=True)) == [("no", 41), ("no", 52), ("yes", 30)]

    def test_what_it_prints_says_where_it_comes_from(self, ws: Workspace, tmp_path: Path) -> None:
        shown = repr(numbers(tmp_path).take(3).register(ws, "printed"))

        assert shown.startswith("TabularDataset\n{")
        assert '"name": "printed"' in shown


class TestDatastores:
    def test_paths_in_a_datastore_are_files_folders_and_patterns(self, ws: Workspace, tmp_path: Path) -> None:
        store = ws.get_default_datastore()
        write(tmp_path / "up/a/1.csv", "x\n1\n")
        write(tmp_path / "up/a/2.csv", "x\n2\n")
        write(tmp_path / "up/a/deep/3.csv", "x\n3\n")
        write(tmp_path / "up/ab/4.csv", "x\n4\n")
        store.upload(str(tmp_path / "up"), target_path="paths", show_progress=False)

        def values(path: Any) -> list[int]:
            return Dataset.Tabular.from_delimited_files(path).to_pandas_dataframe()["x"].tolist()

        assert values((store, "paths/a/1.csv")) == [1]
        assert values((store, "paths/a/*.csv")) == [1, 2]
        assert values((store, "paths/a/**")) == [1, 2, 3]
        assert values((store, "paths/a")) == [1, 2, 3]
        assert values([(store, "paths/a/2.csv"), DataPath(store, "paths/ab/")]) == [2, 4]
        assert values(store.path("paths/a/1.csv")) == [1]
        with pytest.raises(DatasetValidationError, match="no file matches"):
            values((store, "paths/b/*.csv"))

    def test_files_of_a_datastore(self, ws: Workspace, tmp_path: Path) -> None:
        store = ws.get_default_datastore()
        for name in ("train/a.txt", "train/deep/b.txt", "other/c.txt"):
            write(tmp_path / "up" / name, name)
        store.upload(str(tmp_path / "up"), target_path="files", show_progress=False)
        dataset = Dataset.File.from_files((store, "files/train/**"))

        assert dataset.to_path() == ["/a.txt", "/deep/b.txt"]
        copies = dataset.download(str(tmp_path / "down"))
        assert [Path(copy).read_text() for copy in copies] == ["train/a.txt", "train/deep/b.txt"]
        with pytest.raises(UserErrorException, match="overwrite=True"):
            dataset.download(str(tmp_path / "down"))
        assert len(dataset.download(str(tmp_path / "down"), overwrite=True)) == 2
        with dataset.mount() as mounted:
            assert (Path(mounted.mount_point) / "deep/b.txt").read_text() == "train/deep/b.txt"
        assert not Path(mounted.mount_point).exists()
        both = Dataset.File.from_files([(store, "files/train/a.txt"), (store, "files/other/c.txt")])
        assert both.to_path() == ["/train/a.txt", "/other/c.txt"]

    def test_files_are_chosen_like_rows(self, ws: Workspace, tmp_path: Path) -> None:
        for number in range(10):
            write(tmp_path / f"{number}.{'txt' if number % 2 else 'md'}", "x" * (number + 1))
        dataset = Dataset.File.from_files(str(tmp_path))

        assert dataset.skip(1).take(2).to_path() == ["/1.txt", "/2.md"]
        first, second = dataset.random_split(0.5, seed=3)
        assert sorted(first.to_path() + second.to_path()) == sorted(dataset.to_path())
        assert dataset.filter(dataset.file_metadata("Size") > 8).to_path() == ["/8.md", "/9.txt"]
        assert len(dataset.filter(dataset.file_metadata("Extension") == ".txt").to_path()) == 5

    def test_a_folder_is_uploaded_and_made_a_dataset(self, ws: Workspace, tmp_path: Path) -> None:
        write(tmp_path / "up/a.csv", "x\n1\n")
        write(tmp_path / "up/b.txt", "b")

        dataset = FileDatasetFactory.upload_directory(
            str(tmp_path / "up"),
            DataPath(ws.get_default_datastore(), "directory"),
            pattern="*.csv",
            show_progress=False,
        )

        assert isinstance(dataset, FileDataset)
        assert dataset.to_path() == ["/a.csv"]
        registered = dataset.register(ws, "uploaded", create_new_version=True)
        assert Dataset.get_by_name(ws, "uploaded").to_path() == registered.to_path()

    def test_registering_local_files_keeps_them_in_the_workspace(self, ws: Workspace, tmp_path: Path) -> None:
        write(tmp_path / "mine/a.txt", "a")
        write(tmp_path / "mine/deep/b.txt", "b")

        dataset = Dataset.File.from_files(str(tmp_path / "mine")).register(ws, "local-files")
        for file in ("a.txt", "deep/b.txt"):
            (tmp_path / "mine" / file).unlink()

        assert dataset.to_path() == ["/a.txt", "/deep/b.txt"]
        assert dataset.take(1).register(ws, "first-of-them").to_path() == ["/a.txt"]


class TestAddresses:
    def map_address(self, ws: Workspace, file: Path, url: str = URL, **definition: Any) -> None:
        ws._sdk.assets.register("address", url, files={file.name: file}, definition=definition)

    def test_a_mapped_address_is_read_without_a_network(
        self, ws: Workspace, no_network: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.map_address(ws, write(tmp_path / "copy.csv", BANK))

        with caplog.at_level(logging.WARNING, logger="azureml.data"):
            dataset = TabularDatasetFactory.from_delimited_files(URL)
            frame = dataset.to_pandas_dataframe()

        assert frame["y"].tolist() == ["yes", "no", "no"]
        assert no_network == []
        assert sum(URL in message for message in caplog.messages) == 1

    def test_the_map_says_how_true_and_false_are_written(
        self, ws: Workspace, no_network: list[str], tmp_path: Path
    ) -> None:
        url = "https://example.invalid/yesno.csv"
        self.map_address(ws, write(tmp_path / "yesno.csv", "a\nYes\nNo\n"), url, options={"true_false": "yes-no"})

        assert TabularDatasetFactory.from_delimited_files(url).to_pandas_dataframe()["a"].tolist() == [True, False]

    def test_a_signature_in_an_address_is_told_nobody(self, ws: Workspace, no_network: list[str]) -> None:
        with pytest.raises(DatasetValidationError) as caught:
            FileDatasetFactory.from_files("https://me:secret@example.invalid/a.csv?sv=2019&sig=hidden%3D&se=2030")

        assert "https://…@example.invalid/a.csv?sv=2019&sig=…&se=2030 cannot be read" in str(caught.value)
        assert "hidden" not in str(caught.value)

    def test_an_address_that_cannot_be_reached_says_how_to_map_it(self, ws: Workspace, no_network: list[str]) -> None:
        url = "https://example.invalid/missing.csv"

        with pytest.raises(DatasetValidationError, match=f"sublight data map {url} FILE"):
            TabularDatasetFactory.from_delimited_files(url)
        late = TabularDatasetFactory.from_delimited_files(path=[url], validate=False)
        with pytest.raises(DatasetValidationError, match="no route to host"):
            late.to_pandas_dataframe()
        assert len(no_network) == 2

    def test_addresses_of_azure_need_a_map(self, ws: Workspace, no_network: list[str]) -> None:
        with pytest.raises(DatasetValidationError, match="sublight data map"):
            Dataset.File.from_files("wasbs://images@account.blob.core.windows.net/all")

    def test_a_fetched_address_serves_when_it_cannot_be_reached_any_more(
        self, no_workspace: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        answers = [httpx.Response(200, text="x\n1\n", headers={"etag": "one"}), httpx.Response(304), None]
        sent: list[dict[str, str]] = []

        class Stream:
            def __init__(self, method: str, url: str, headers: dict[str, str], **settings: Any) -> None:
                sent.append(headers)
                self.answer = answers.pop(0)
                if self.answer is None:
                    raise httpx.ConnectTimeout("no answer within 10 seconds")
                self.answer.request = httpx.Request(method, url)

            def __enter__(self) -> Any:
                return self.answer

            def __exit__(self, *exception: object) -> None: ...

        monkeypatch.setattr(httpx, "stream", Stream)
        dataset = TabularDatasetFactory.from_delimited_files("https://example.invalid/x.csv", validate=False)

        assert [dataset.to_pandas_dataframe()["x"].tolist() for _ in range(3)] == [[1], [1], [1]]
        assert [headers.get("If-None-Match") for headers in sent] == [None, "one", "one"]

    def test_an_answer_that_is_no_file_is_told(self, no_workspace: None, monkeypatch: pytest.MonkeyPatch) -> None:
        transport = httpx.MockTransport(lambda request: httpx.Response(404))
        monkeypatch.setattr(httpx, "stream", httpx.Client(transport=transport).stream)

        with pytest.raises(DatasetValidationError, match="answered 404"):
            TabularDatasetFactory.from_delimited_files("https://example.invalid/x.csv")

    def test_files_from_the_web_lie_in_the_folders_of_the_original(
        self, ws: Workspace, no_network: list[str], tmp_path: Path
    ) -> None:
        urls = [f"https://example.invalid/mnist/{name}.gz" for name in ("images", "labels")]
        for url in urls:
            self.map_address(ws, write(tmp_path / "some.gz", url), url)

        dataset = Dataset.File.from_files(urls)

        folder = "/https%3A/%2Fexample.invalid/mnist"
        assert dataset.to_path() == [f"{folder}/images.gz", f"{folder}/labels.gz"]
        assert Dataset.File.from_files("https://example.invalid/mnist/*.gz").to_path() == dataset.to_path()


SURFACE = [
    *names(*(module for module in surface() if module.startswith("azureml.data"))),
    *names("azureml.core.model"),
    ("azureml.core", "Datastore"),
    ("azureml.core", "Model"),
]


@pytest.mark.parametrize(("module", "name"), SURFACE)
def test_signatures_are_those_of_the_original(module: str, name: str) -> None:
    assert problems(module, name) == []
