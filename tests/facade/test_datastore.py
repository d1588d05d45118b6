"""Datastores: folders of the workspace under the names that they had in Azure."""

from __future__ import annotations

import logging
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from azureml.core import Datastore, Workspace
from azureml.data.azure_data_lake_datastore import AzureDataLakeGen2Datastore
from azureml.data.azure_storage_datastore import AzureBlobDatastore, AzureFileDatastore
from azureml.data.data_reference import DataReference
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.exceptions import NotSupportedByFacade, UserErrorException
from tests.facade.data_files import write
from tests.facade.in_process import served_workspace


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with served_workspace(tmp_path_factory.mktemp("served") / "root") as (workspace, _):
        yield workspace


def files_of(datastore: AzureBlobDatastore, prefix: str = "") -> list[str]:
    return [file.path for file in datastore._sdk_datastore.files(prefix)]


def test_the_default_datastore_is_there_from_the_start(ws: Workspace) -> None:
    store = ws.get_default_datastore()

    assert isinstance(store, AzureBlobDatastore)
    assert (store.name, store.datastore_type, store.workspace) == ("workspaceblobstore", "AzureBlob", ws)
    assert store.container_name
    assert store.account_name
    assert Datastore(ws).name == Datastore(ws, "workspaceblobstore").name == store.name
    assert "workspaceblobstore" in ws.datastores


def test_the_file_share_of_every_workspace_is_there_when_it_is_asked_for(ws: Workspace) -> None:
    share = Datastore.get(ws, "workspacefilestore")

    assert (type(share), share.datastore_type) == (AzureFileDatastore, "AzureFile")
    assert Datastore(ws, "workspacefilestore") == share


def test_a_folder_is_uploaded_with_its_folders(ws: Workspace, tmp_path: Path) -> None:
    store = Datastore.get_default(ws)
    write(tmp_path / "data/a.csv", "a")
    write(tmp_path / "data/deep/b.csv", "b")

    reference = store.upload(src_dir=str(tmp_path / "data"), target_path="up", overwrite=True, show_progress=True)

    assert files_of(store, "up/") == ["up/a.csv", "up/deep/b.csv"]
    assert isinstance(reference, DataReference)
    assert reference.path_on_datastore == "up"


def test_files_stay_unless_they_are_to_be_replaced(
    ws: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Datastore.get_default(ws)
    file = write(tmp_path / "a.csv", "old")
    store.upload_files([str(file)], target_path="stay/", show_progress=False)
    assert capsys.readouterr().out == ""
    write(file, "new")

    store.upload_files(files=[str(file)], target_path="stay")
    assert store._sdk_datastore.read("stay/a.csv") == b"old"
    assert "overwrite=True" in capsys.readouterr().out
    store.upload_files(files=[str(file)], target_path="stay", overwrite=True, show_progress=False)
    assert store._sdk_datastore.read("stay/a.csv") == b"new"


def test_files_keep_their_folders_below_the_root(ws: Workspace, tmp_path: Path) -> None:
    store = Datastore.get_default(ws)
    files = [str(write(tmp_path / "x" / name, name)) for name in ("a/1.txt", "b/2.txt")]

    store.upload_files(files, target_path="shared", show_progress=False)
    store.upload_files(files, relative_root=str(tmp_path), target_path="rooted", show_progress=False)

    assert files_of(store, "shared/") == ["shared/a/1.txt", "shared/b/2.txt"]
    assert files_of(store, "rooted/") == ["rooted/x/a/1.txt", "rooted/x/b/2.txt"]
    with pytest.raises(UserErrorException, match="relative_root"):
        store.upload_files(files, relative_root=str(tmp_path / "y"))
    with pytest.raises(UserErrorException, match=r"none\.txt"):
        store.upload_files([str(tmp_path / "none.txt")])
    with pytest.raises(UserErrorException, match="src_dir"):
        store.upload(str(tmp_path / "none"))


def test_files_are_downloaded_by_prefix(ws: Workspace, tmp_path: Path) -> None:
    store = Datastore.get_default(ws)
    write(tmp_path / "up/a.csv", "a")
    write(tmp_path / "up/b.csv", "b")
    store.upload(str(tmp_path / "up"), "down", show_progress=False)

    assert store.download(str(tmp_path / "copy"), prefix="down", show_progress=False) == 2
    assert (tmp_path / "copy/down/a.csv").read_text() == "a"
    assert store.download(str(tmp_path / "copy"), prefix="down", show_progress=False) == 0
    assert store.download(str(tmp_path / "copy"), prefix="down", overwrite=True, show_progress=False) == 2


def test_a_blob_container_becomes_a_folder_and_says_so(ws: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="azureml.core.datastore"):
        store = Datastore.register_azure_blob_container(
            workspace=ws,
            datastore_name="blobs",
            container_name="images",
            account_name="account",
            account_key="secret",
        )

    assert [message for message in caplog.messages if "sublight datastore upload blobs" in message]
    assert (store.name, store.container_name, store.account_name) == ("blobs", "images", "account")
    found = Datastore.get(ws, "blobs")
    assert (type(found), found.container_name, found.account_key) == (AzureBlobDatastore, "images", None)
    assert "secret" not in str(ws._sdk.datastores.get("blobs").definition)


def test_registering_again_is_fine_when_it_is_the_same(ws: Workspace) -> None:
    Datastore.register_azure_file_share(ws, "again", "share", "account")

    assert isinstance(Datastore.register_azure_file_share(ws, "again", "share", "account"), AzureFileDatastore)
    with pytest.raises(UserErrorException, match="overwrite=True"):
        Datastore.register_azure_file_share(ws, "again", "other", "account")
    replaced = Datastore.register_azure_file_share(ws, "again", "other", "account", overwrite=True)
    assert replaced.container_name == "other"


def test_a_data_lake_and_names(ws: Workspace) -> None:
    lake = Datastore.register_azure_data_lake_gen2(
        ws, "lake", "filesystem", "account", tenant_id="t", client_secret="s"
    )

    assert isinstance(lake, AzureDataLakeGen2Datastore)
    assert (lake.container_name, lake.tenant_id) == ("filesystem", "t")
    with pytest.raises(UserErrorException, match="letters, digits and underscores"):
        Datastore.register_azure_blob_container(ws, "my-store", "c", "a")
    with pytest.raises(NotSupportedByFacade, match="databases"):
        Datastore.register_azure_sql_database(ws, "sql", "server", "db")


def test_another_datastore_can_be_the_default_and_one_can_be_forgotten(ws: Workspace) -> None:
    store = Datastore.register_azure_blob_container(ws, "other_default", "c", "a")

    store.set_as_default()
    assert ws.get_default_datastore().name == "other_default"
    with pytest.raises(UserErrorException, match="default"):
        store.unregister()
    ws.set_default_datastore("workspaceblobstore")
    store.unregister()
    with pytest.raises(UserErrorException, match="other_default"):
        Datastore.get(ws, "other_default")


def test_a_script_that_expects_the_error_of_the_http_library_gets_it(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    class HttpOperationError(Exception):
        pass

    module = types.ModuleType("msrest.exceptions")
    module.HttpOperationError = HttpOperationError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "msrest.exceptions", module)

    with pytest.raises(HttpOperationError):
        Datastore.get(ws, "nowhere")
    with pytest.raises(UserErrorException, match="nowhere"):
        Datastore.get(ws, "nowhere")


def test_references_name_places_and_modes(ws: Workspace) -> None:
    store = ws.get_default_datastore()

    reference = store.path("data").path("train", data_reference_name="train")
    assert str(reference) == "$AZUREML_DATAREFERENCE_train"
    assert reference._to_reference() == {
        "name": "train",
        "datastore": "workspaceblobstore",
        "path": "data/train",
        "mode": "mount",
        "path_on_compute": None,
        "overwrite": False,
    }
    assert store.as_mount().mode == "mount"
    assert store.as_download("/tmp/x")._to_reference()["path_on_compute"] == "/tmp/x"
    assert store.path("out").as_upload("out", overwrite=True)._to_reference()["mode"] == "upload"
    config = reference.as_download().to_config()
    assert (config.datastore_name, config.mode, config.path_on_datastore) == (
        "workspaceblobstore",
        "download",
        "data/train",
    )


def test_data_paths_become_references(ws: Workspace) -> None:
    place = DataPath(ws.get_default_datastore(), "data/x", name="x")

    reference = place.create_data_reference(datapath_compute_binding=DataPathComputeBinding("download"))
    assert (reference.data_reference_name, reference.mode, reference.path_on_datastore) == ("x", "download", "data/x")
    assert DataPath.create_from_data_reference(reference).path_on_datastore == "data/x"
    assert DataPathComputeBinding.create_from_data_reference(reference).mode == "download"
    with pytest.raises(UserErrorException, match="mode"):
        DataPathComputeBinding("hdfs")


def test_two_paths_of_a_datastore_can_be_given_to_one_run(ws: Workspace) -> None:
    store = ws.get_default_datastore()

    names = {store.path("in").data_reference_name, store.path("out").data_reference_name}

    assert len(names) == 2
    assert store.as_mount().data_reference_name == "workspaceblobstore"
    assert store.path("in", data_reference_name="mine").data_reference_name == "mine"
