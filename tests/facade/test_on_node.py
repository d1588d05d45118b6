"""Inputs and outputs of a run on its node."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from azureml.core import Dataset, Workspace
from azureml.data import (
    LinkFileOutputDatasetConfig,
    OutputFileDatasetConfig,
    TabularDataset,
    _chosen_folders,
    _on_node,
)
from azureml.data.dataset_consumption_config import DatasetConsumptionConfig
from azureml.exceptions import NotSupportedByFacade, UserErrorException
from tests.facade.data_files import write
from tests.facade.in_process import served_workspace

RUN = SimpleNamespace(id="exp_1_ab")


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with served_workspace(tmp_path_factory.mktemp("served") / "root") as (workspace, _):
        yield workspace


@pytest.fixture(autouse=True)
def _run_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBLIGHT_RUN_DIRECTORY", str(tmp_path / "run"))
    monkeypatch.setenv("SUBLIGHT_COPIES", str(tmp_path / "copies"))


def files_in(ws: Workspace, tmp_path: Path, folder: str, *names: str) -> Any:
    """The default datastore, with such files below ``folder``."""
    for name in names:
        write(tmp_path / "up" / name, name)
    store = ws.get_default_datastore()
    store.upload(str(tmp_path / "up"), folder, show_progress=False)
    return store


def end_of_process() -> None:
    """What the system does for the folders that a process used."""
    for descriptor, _ in _chosen_folders._held.values():
        os.close(descriptor)
    _chosen_folders._held.clear()


def stored(ws: Workspace, prefix: str) -> list[str]:
    return [file.path for file in ws._sdk.datastores.default().files(prefix)]


class TestInputs:
    def test_files_are_mounted_as_a_folder(self, ws: Workspace, tmp_path: Path) -> None:
        store = files_in(ws, tmp_path, "mounted", "a.txt", "deep/b.txt")
        given = Dataset.File.from_files((store, "mounted/**")).as_named_input("images").as_mount()

        folder = Path(_on_node.provide(given._to_input(), ws))

        assert str(given) == "DatasetConsumptionConfig:images"
        assert (folder / "deep/b.txt").read_text() == "deep/b.txt"
        assert folder.is_relative_to(tmp_path / "run")

    def test_a_dataset_of_one_file_is_that_file(self, ws: Workspace, tmp_path: Path) -> None:
        store = files_in(ws, tmp_path, "single", "a.txt")

        one = _on_node.provide(Dataset.File.from_files((store, "single/a.txt")).as_mount()._to_input(), ws)
        folder = _on_node.provide(Dataset.File.from_files((store, "single/*")).as_mount()._to_input(), ws)

        assert Path(one).read_text() == "a.txt"
        assert (Path(folder) / "a.txt").is_file()

    def test_downloads_are_copies_of_the_runs_own(self, ws: Workspace, tmp_path: Path) -> None:
        store = files_in(ws, tmp_path, "downloaded", "a.txt")
        given = Dataset.File.from_files((store, "downloaded/")).as_download(str(tmp_path / "there"))

        folder = Path(_on_node.provide(given._to_input(), ws))
        (folder / "a.txt").write_text("changed")

        assert folder == tmp_path / "there"
        again = _on_node.provide(Dataset.File.from_files((store, "downloaded/")).as_download()._to_input(), ws)
        assert (Path(again) / "a.txt").read_text() == "a.txt"

    @pytest.mark.parametrize("way", ["as_mount", "as_download"])
    def test_a_chosen_folder_holds_what_its_run_was_given(
        self, ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
    ) -> None:
        store = files_in(ws, tmp_path, "first", "a.txt", "only-first.txt")
        write(tmp_path / "up" / "a.txt", "another")
        (tmp_path / "up" / "only-first.txt").unlink()
        store.upload(str(tmp_path / "up"), "second", show_progress=False)
        place = tmp_path / "chosen"
        first, second = (
            getattr(Dataset.File.from_files((store, f"{name}/**")), way)(str(place))._to_input()
            for name in ("first", "second")
        )

        assert _on_node.provide(first, ws) == str(place)
        (place / "left by the script.txt").write_text("left")
        with pytest.raises(UserErrorException, match="two inputs"):
            _on_node.provide(second, ws)
        with monkeypatch.context() as other_process:
            other_process.setattr(_chosen_folders, "_held", {})
            _on_node.provide(first, ws)  # a run of the same sweep, for instance
            end_of_process()
            with pytest.raises(UserErrorException, match="another run on this machine"):
                _on_node.provide(second, ws)
        end_of_process()
        _on_node.provide(second, ws)

        assert {file.name: file.read_text() for file in place.iterdir()} == {"a.txt": "another"}
        end_of_process()

    def test_files_that_somebody_keeps_are_neither_read_nor_written_over(self, ws: Workspace, tmp_path: Path) -> None:
        store = files_in(ws, tmp_path, "wanted", "a.txt")
        kept = write(tmp_path / "kept" / "a.txt", "somebody's")
        for given in (
            Dataset.File.from_files((store, "wanted/**")).as_mount(str(tmp_path / "kept")),
            Dataset.File.from_files((store, "wanted/**")).as_download(str(tmp_path / "kept")),
        ):
            with pytest.raises(UserErrorException, match="another file"):
                _on_node.provide(given._to_input(), ws)

        assert kept.read_text() == "somebody's"

    def test_a_table_is_given_by_its_id(self, ws: Workspace, tmp_path: Path) -> None:
        dataset = Dataset.Tabular.from_delimited_files(str(write(tmp_path / "d.csv", "a\n1\n"))).register(ws, "table")
        given = dataset.as_named_input("train")._to_input()

        text = _on_node.provide(given, ws)

        assert text == dataset.id
        assert Dataset.get_by_id(ws, text).to_pandas_dataframe()["a"].tolist() == [1]
        assert isinstance(_on_node.dataset_of(given, ws), TabularDataset)
        assert given["dataset"] == {"id": dataset.id, "name": "table", "version": 1, "type": "tabular"}

    def test_a_dataset_that_is_not_registered_travels_whole(self, ws: Workspace, tmp_path: Path) -> None:
        store = files_in(ws, tmp_path, "whole", "d.csv")
        dataset = Dataset.Tabular.from_delimited_files((store, "whole/d.csv"), header=False).take(1)
        given = dataset.as_named_input("train")._to_input()

        assert "definition" in given["dataset"]
        text = _on_node.provide(given, ws)

        assert Dataset.get_by_id(ws, text).to_pandas_dataframe()["Column1"].tolist() == ["d.csv"]
        assert _on_node.provide(given, ws) == text, "it is saved once"
        assert not [name for name in Dataset.get_all(ws) if name.startswith("unregistered")]
        assert Dataset.get_by_id(ws, text).name is None

    def test_local_files_come_along_when_the_workspace_is_known(self, ws: Workspace, tmp_path: Path) -> None:
        file = write(tmp_path / "mine.csv", "a\n1\n")
        given = Dataset.Tabular.from_delimited_files(str(file)).as_named_input("train")._to_input(ws)
        again = Dataset.Tabular.from_delimited_files(str(file)).as_named_input("train")._to_input(ws)
        file.unlink()

        assert _on_node.dataset_of(given, ws).to_pandas_dataframe()["a"].tolist() == [1]
        assert again["dataset"]["id"] == given["dataset"]["id"], "the same files are stored once"

    def test_what_cannot_be_an_input(self, ws: Workspace, tmp_path: Path) -> None:
        dataset = Dataset.Tabular.from_delimited_files(str(write(tmp_path / "d.csv", "a\n1\n")))

        with pytest.raises(UserErrorException, match="letters, digits"):
            dataset.as_named_input("my input")
        with pytest.raises(UserErrorException, match="TabularDataset"):
            dataset.as_named_input("train").as_mount()
        with pytest.raises(UserErrorException, match="mode"):
            DatasetConsumptionConfig("train", dataset, mode="stream")
        with pytest.raises(NotSupportedByFacade, match="HDFS"):
            dataset.as_named_input("train").as_hdfs()


class TestReferences:
    def test_a_folder_is_read_and_what_is_written_to_it_goes_back(self, ws: Workspace, tmp_path: Path) -> None:
        store = files_in(ws, tmp_path, "referenced", "a.txt", "deep/b.txt")
        reference = store.path("referenced").as_mount()._to_reference()

        folder = Path(_on_node.provide(reference, ws))
        assert (folder / "deep/b.txt").read_text() == "deep/b.txt"
        write(folder / "new.txt", "new")
        write(folder / "a.txt", "changed")
        _on_node.collect(reference, folder, ws, RUN)

        assert stored(ws, "referenced/") == ["referenced/a.txt", "referenced/deep/b.txt", "referenced/new.txt"]
        assert ws._sdk.datastores.default().read("referenced/a.txt") == b"changed"

    def test_a_reference_to_a_file_is_the_file(self, ws: Workspace, tmp_path: Path) -> None:
        store = files_in(ws, tmp_path, "one", "a.txt")

        path = Path(_on_node.provide(store.path("one/a.txt").as_download()._to_reference(), ws))

        assert path.read_text() == "a.txt"

    def test_a_chosen_folder_of_references_is_not_shared_between_places(self, ws: Workspace, tmp_path: Path) -> None:
        store = files_in(ws, tmp_path, "left", "a.txt")
        write(tmp_path / "up" / "a.txt", "another")
        store.upload(str(tmp_path / "up"), "right", show_progress=False)
        left, right = (store.path(name).as_mount()._to_reference() for name in ("left", "right"))
        for reference in (left, right):
            reference["path_on_compute"] = str(tmp_path / "chosen")

        write(Path(_on_node.provide(left, ws)) / "new.txt", "new")
        _on_node.collect(left, tmp_path / "chosen", ws, RUN)
        end_of_process()
        folder = Path(_on_node.provide(right, ws))
        assert (folder / "a.txt").read_text() == "another"
        _on_node.collect(right, folder, ws, RUN)
        end_of_process()

        assert stored(ws, "left/") == ["left/a.txt", "left/new.txt"]
        assert stored(ws, "right/") == ["right/a.txt"]
        ws._sdk.datastores.default()
        write(tmp_path / "up" / "a.txt", "newer")
        store.upload(str(tmp_path / "up"), "right", overwrite=True, show_progress=False)
        assert (Path(_on_node.provide(right, ws)) / "a.txt").read_text() == "newer"
        end_of_process()

    def test_an_upload_is_taken_in_at_the_end(self, ws: Workspace, tmp_path: Path) -> None:
        reference = ws.get_default_datastore().path("taken").as_upload("results")._to_reference()
        reference["path_on_compute"] = str(tmp_path / "results")

        folder = Path(_on_node.provide(reference, ws))
        assert list(folder.iterdir()) == []
        write(folder / "x/1.txt", "1")
        _on_node.collect(reference, folder, ws, RUN)

        assert stored(ws, "taken/") == ["taken/x/1.txt"]

    def test_a_download_does_not_go_back(self, ws: Workspace, tmp_path: Path) -> None:
        reference = files_in(ws, tmp_path, "kept", "a.txt").path("kept").as_download()._to_reference()

        folder = Path(_on_node.provide(reference, ws))
        write(folder / "new.txt", "new")
        _on_node.collect(reference, folder, ws, RUN)

        assert stored(ws, "kept/") == ["kept/a.txt"]


class TestOutputs:
    def test_an_output_is_uploaded_and_registered(self, ws: Workspace, tmp_path: Path) -> None:
        output = OutputFileDatasetConfig(name="prepared").register_on_complete("prepared-set", "made", {"a": "b"})
        write(tmp_path / "out/train/a.txt", "a")

        dataset = _on_node.collect(output._to_output(), tmp_path / "out", ws, RUN)

        assert str(output) == "DatasetOutputConfig:prepared"
        assert stored(ws, "dataset/exp_1_ab/prepared/") == ["dataset/exp_1_ab/prepared/train/a.txt"]
        assert dataset.to_path() == ["/train/a.txt"]
        found = Dataset.get_by_name(ws, "prepared-set")
        assert (found.description, found.tags, found.version) == ("made", {"a": "b"}, 1)

    def test_the_place_and_files_of_an_output_can_be_chosen(self, ws: Workspace, tmp_path: Path) -> None:
        output = OutputFileDatasetConfig("chosen", (ws.get_default_datastore(), "to/{run-id}/{output-name}"))
        write(tmp_path / "out/a.csv", "a")
        write(tmp_path / "out/a.tmp", "a")

        plain = output.as_upload(overwrite=True, source_globs="*.csv")._to_output()
        _on_node.collect(plain, tmp_path / "out", ws, RUN)

        assert stored(ws, "to/") == ["to/exp_1_ab/chosen/a.csv"]

    def test_an_output_can_be_read_as_rows(self, ws: Workspace, tmp_path: Path) -> None:
        output = (
            OutputFileDatasetConfig("rows").read_delimited_files().drop_columns("b").register_on_complete("rows-set")
        )
        write(tmp_path / "out/a.csv", "a,b\n1,2\n")

        _on_node.collect(output._to_output(), tmp_path / "out", ws, RUN)

        assert Dataset.get_by_name(ws, "rows-set").to_pandas_dataframe().to_dict("list") == {"a": [1]}

    def test_nothing_written_is_no_dataset(self, ws: Workspace, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()

        assert _on_node.collect(OutputFileDatasetConfig("empty")._to_output(), tmp_path / "out", ws, RUN) is None
        assert LinkFileOutputDatasetConfig("linked")._to_output()["mode"] == "link"

    def test_pipelines_are_refused_in_a_sentence(self) -> None:
        with pytest.raises(NotSupportedByFacade, match="pipelines"):
            OutputFileDatasetConfig("out").as_input()
