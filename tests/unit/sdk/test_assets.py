"""Assets and datastores through the SDK, against the real server in this process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import sublight as sl
from sublight.messages.assets import AssetResponse, AssetView
from sublight.sdk.assets import Assets
from sublight.sdk.client import Client
from sublight.sdk.endpoint import Endpoint
from sublight.sdk.errors import Conflict, InvalidInput, NameTaken, NotFound
from sublight.sdk.local_files import local_files
from tests.server.harness import Harness
from tests.server.world import TestClient, sha256
from tests.unit.sdk.fake_server import FakeServer

URL = "http://127.0.0.1"


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    harness = Harness(tmp_path_factory.mktemp("assets") / "root")
    yield harness
    harness.close()


@pytest.fixture(scope="module")
def workspace(harness: Harness) -> sl.Workspace:
    token = harness.services.people.ensure_owner(present="")
    http = TestClient(harness.workspace.app, base_url=URL)
    return sl.Workspace(client=Client(Endpoint(URL, token), http=http, sleep=lambda _: None))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with ``a.csv`` and ``deep/b.csv``."""
    (tmp_path / "source/deep").mkdir(parents=True)
    (tmp_path / "source/a.csv").write_text("x\n1\n")
    (tmp_path / "source/deep/b.csv").write_text("x\n2\n")
    return tmp_path / "source"


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name of the test's own, because the workspace is shared."""
    return str(request.node.name)[:60]


def test_files_and_folders_become_a_version_and_come_back(
    workspace: sl.Workspace, source: Path, tmp_path: Path, name: str
) -> None:
    files = {"one.csv": source / "a.csv", "all": source}
    asset = workspace.assets.register(
        "dataset", name, files=files, description="d", tags={"t": "1"}, properties={"p": "2"}, definition={"x": 1}
    )

    assert (asset.kind, asset.name, asset.version, asset.files_count, asset.size_bytes) == ("dataset", name, 1, 3, 12)
    assert (asset.description, asset.tags, asset.properties) == ("d", {"t": "1"}, {"p": "2"})
    assert (asset.definition, asset.created_by, asset.is_archived) == ({"x": 1}, "owner", False)
    assert (asset.run_id, asset.experiment) == (None, None)
    assert asset.modified == asset.created
    assert [file.path for file in asset.files()] == ["all/a.csv", "all/deep/b.csv", "one.csv"]
    written = asset.download(tmp_path / "out")
    assert [file.relative_to(tmp_path / "out").as_posix() for file in written] == [
        "all/a.csv",
        "all/deep/b.csv",
        "one.csv",
    ]
    assert written[1].read_text() == "x\n2\n"
    assert [file.name for file in asset.download(tmp_path / "part", "all/deep")] == ["b.csv"]
    assert asset.read("one.csv") == b"x\n1\n"
    with pytest.raises(NotFound, match=r"version 1 has no 'two\.csv'; it holds all/a\.csv"):
        asset.download(tmp_path, "two.csv")


def test_a_folder_at_the_top_gives_its_files_as_they_are(workspace: sl.Workspace, source: Path, name: str) -> None:
    asset = workspace.assets.register("dataset", name, files={"": source})

    assert [file.path for file in asset.files()] == ["a.csv", "deep/b.csv"]


def test_versions_are_found_again(workspace: sl.Workspace, source: Path, name: str) -> None:
    first = workspace.assets.register("model", name, files={"a": source / "a.csv"}, tags={name: "1"})
    second = workspace.assets.register("model", name, files={"a": source / "a.csv"})

    assert workspace.assets.get("model", name) == second
    assert workspace.assets.get("model", name, 1) == first
    assert workspace.assets.by_id(first.id).version == 1
    assert workspace.assets.list("model", name=name) == [second, first]
    assert workspace.assets.list("model", name=name, is_latest_only=True) == [second]
    assert workspace.assets.list(tag=f"{name}=1") == [first]
    assert len({first, second, workspace.assets.by_id(first.id)}) == 2
    with pytest.raises(NotFound, match="did you mean"):
        workspace.assets.get("model", name + "x")


def test_a_list_goes_through_all_pages(workspace: sl.Workspace, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sublight.sdk.assets._PAGE_SIZE", 2)
    for _ in range(5):
        workspace.assets.register("environment", name)

    assert [one.version for one in workspace.assets.list("environment", name=name)] == [5, 4, 3, 2, 1]


def test_what_is_said_can_be_changed_and_a_version_archived_and_deleted(workspace: sl.Workspace, name: str) -> None:
    asset = workspace.assets.register("environment", name, tags={"a": "1"}, properties={"p": "1"})

    asset.update(description="new", tags={"a": None, "b": "2"}, properties={"q": "2"}, definition={"y": 2})
    assert (asset.description, asset.tags, asset.definition) == ("new", {"b": "2"}, {"y": 2})
    assert asset.properties == {"p": "1", "q": "2"}
    with pytest.raises(Conflict, match="cannot be changed"):
        asset.update(properties={"p": "2"})
    assert asset.archive().is_archived
    assert workspace.assets.list("environment", name=name) == []
    assert workspace.assets.list("environment", name=name, includes_archived=True) == [asset]
    assert not asset.restore().is_archived
    asset.delete()
    with pytest.raises(NotFound):
        workspace.assets.by_id(asset.id)


def test_what_a_run_left_is_registered_by_its_path(
    harness: Harness, workspace: sl.Workspace, source: Path, name: str
) -> None:
    script = sl.Script("a.csv", source=source)
    run = workspace.experiment("exp").submit(script)
    harness.services.files.put_artifact(run.id, 1, "outputs/model/m.bin", sha256(b"weights"), [b"weights"])

    asset = workspace.assets.register("model", name, from_run=(run.id, "outputs/model"))

    assert [file.path for file in asset.files()] == ["model/m.bin"]
    assert (asset.run_id, asset.experiment) == (run.id, "exp")
    assert asset.read("model/m.bin") == b"weights"
    assert workspace.assets.list(run_id=run.id) == [asset]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"kind": "picture"}, "the kind of an asset is one of dataset, model, environment, address, got 'picture'"),
        ({"files": {"a": "x"}, "from_run": ("r", "p")}, "either files or from_run"),
        ({"files": {"a": "nowhere"}}, "there is no file or folder nowhere"),
        ({"tags": {"a": 1}}, "tags must map text to text, got 'a': 1"),
        ({"properties": {"a": None}}, "properties must map text to text"),
    ],
)
def test_a_wrong_call_is_refused_before_anything_is_sent(
    server: FakeServer, arguments: dict[str, object], sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        Assets(server.client()).register(**{"kind": "dataset", "name": "n", **arguments})  # type: ignore[arg-type]
    assert server.requests == []


def test_only_missing_contents_are_sent_and_all_rounds_have_one_key(server: FakeServer, source: Path) -> None:
    missing = sha256(b"x\n2\n")
    view = AssetView(
        id="i", kind="dataset", name="n", version=1, description="", tags={}, properties={}, definition={},
        size_bytes=8, files_count=2, created=1.0, modified=1.0, created_by="owner", run_id=None, experiment=None,
        is_archived=False,
    )  # fmt: skip
    server.on("POST", "/api/v1/assets", AssetResponse(asset=None, missing=[missing]), AssetResponse(asset=view))
    server.on("PUT", f"/api/v1/blobs/{missing}", None)

    assert Assets(server.client()).register("dataset", "n", files={"": source}).version == 1
    first, put, second = server.requests
    assert (put.method, put.content, put.url.params["size_bytes"]) == ("PUT", b"x\n2\n", "4")
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]


def test_a_file_that_changes_while_it_is_sent_is_said(server: FakeServer, source: Path) -> None:
    missing = sha256(b"x\n1\n")
    server.on("POST", "/api/v1/assets", AssetResponse(asset=None, missing=[missing]))

    def refuse(_: httpx.Request) -> httpx.Response:
        (source / "a.csv").write_text("something else")
        body = {"code": "invalid_input", "message": "the content has another sha256"}
        return httpx.Response(400, json=body)

    server.on("PUT", f"/api/v1/blobs/{missing}", refuse)

    with pytest.raises(Conflict, match=r"a\.csv was changed while it was being sent"):
        Assets(server.client()).register("dataset", "n", files={"a.csv": source / "a.csv"})


# -- which files ------------------------------------------------------------------------------------------------------


def test_a_link_counts_as_the_file_that_it_leads_to(source: Path) -> None:
    (source / "link.csv").symlink_to("a.csv")

    assert set(local_files({"": source})) == {"a.csv", "deep/b.csv", "link.csv"}


def test_what_cannot_be_sent_is_refused(source: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput, match="empty holds no files"):
        local_files({"": tmp_path / "empty"})
    with pytest.raises(InvalidInput, match=r"a\.csv is a file and needs a name"):
        local_files({"": source / "a.csv"})
    with pytest.raises(InvalidInput, match=r"'a\.csv' would come from both"):
        local_files({"": source, "a.csv": source / "a.csv"})
    (source / "loop").symlink_to(source)
    with pytest.raises(InvalidInput, match="is a link to a folder"):
        local_files({"": source})
    (source / "loop").unlink()
    os.mkfifo(source / "pipe")
    with pytest.raises(InvalidInput, match="is no plain file"):
        local_files({"": source})


# -- datastores -------------------------------------------------------------------------------------------------------


def test_a_datastore_is_filled_and_read(workspace: sl.Workspace, source: Path, tmp_path: Path, name: str) -> None:
    store = workspace.datastores.create("raw", "AzureBlob", {"container": "c"})

    assert (store.name, store.kind, store.definition, store.is_default) == (
        "raw",
        "AzureBlob",
        {"container": "c"},
        False,
    )
    assert store.upload(source / "a.csv", "in/ä b.csv")
    assert not store.upload(source / "deep/b.csv", "in/ä b.csv")
    assert store.read("in/ä b.csv") == b"x\n1\n"
    assert store.upload(source / "deep/b.csv", "in/ä b.csv", overwrite=True)
    (Path(store.location) / "by hand.txt").write_text("hello")
    assert [file.path for file in store.files()] == ["by hand.txt", "in/ä b.csv"]
    assert [file.size_bytes for file in store.files("in/")] == [4]
    assert [file.read_text() for file in store.download(tmp_path / "out")] == ["hello", "x\n2\n"]
    assert (tmp_path / "out/in/ä b.csv").is_file()
    assert store.download(tmp_path / "out", "nothing") == []
    store.remove("in/ä b.csv")
    assert [file.path for file in store.files()] == ["by hand.txt"]
    with pytest.raises(InvalidInput, match="upload takes a file of this machine"):
        store.upload(source, "x")


def test_datastores_are_listed_chosen_and_taken_out(workspace: sl.Workspace) -> None:
    first = workspace.datastores.default()
    assert first.name == "workspaceblobstore"
    other = workspace.datastores.create("other")
    assert other in workspace.datastores.list()
    with pytest.raises(NameTaken):
        workspace.datastores.create("other")
    assert workspace.datastores.create("other", "again", replaces=True).kind == "again"

    assert workspace.datastores.set_default("other") == workspace.datastores.default()
    with pytest.raises(Conflict, match="is the default one"):
        workspace.datastores.get("other").delete()
    workspace.datastores.set_default(first.name)
    other.delete()
    with pytest.raises(NotFound, match="there is no datastore 'other'"):
        workspace.datastores.get("other")


def test_many_files_come_page_by_page(workspace: sl.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sublight.server.services.datastores.PAGE_SIZE_MAX", 3)
    store = workspace.datastores.create("many")
    for number in range(10):
        (Path(store.location) / f"{number}.txt").write_text("")

    assert [file.path for file in store.files()] == [f"{number}.txt" for number in range(10)]
