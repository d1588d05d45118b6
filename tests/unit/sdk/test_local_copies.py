"""Copies on the machine of a run: fetched once, shared by processes, never half there."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest

import sublight as sl
from sublight.sdk.client import Client
from sublight.sdk.endpoint import Endpoint
from sublight.sdk.errors import Conflict, InvalidInput, StorageFull
from sublight.sdk.local_copies import LocalCopies, default_folder
from tests.server.harness import Harness
from tests.server.world import TestClient

URL = "http://127.0.0.1"


class CountingClient(Client):
    """Counts the files that it fetches; ``before`` runs ahead of each."""

    fetched: list[str]
    before: Callable[[], None]

    def get_file(self, path: str, sink: IO[bytes], /, **query: object) -> None:
        self.fetched.append(str(query["path"]))
        self.before()
        super().get_file(path, sink, **query)


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    harness = Harness(tmp_path_factory.mktemp("copies") / "root")
    yield harness
    harness.close()


@pytest.fixture
def workspace(harness: Harness) -> Iterator[sl.Workspace]:
    token = harness.services.people.ensure_owner(present="")
    http = TestClient(harness.workspace.app, base_url=URL)
    client = CountingClient(Endpoint(URL, token), http=http, sleep=lambda _: None)
    client.fetched, client.before = [], lambda: None
    workspace = sl.Workspace(client=client)
    yield workspace
    folder = Path(workspace.datastores.default().location)
    shutil.rmtree(folder)
    folder.mkdir()


@pytest.fixture
def client(workspace: sl.Workspace) -> CountingClient:
    assert isinstance(workspace.client, CountingClient)
    return workspace.client


@pytest.fixture
def copies(workspace: sl.Workspace, tmp_path: Path) -> LocalCopies:
    return LocalCopies(workspace.client, tmp_path / "copies")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "source/deep").mkdir(parents=True)
    (tmp_path / "source/a.txt").write_text("first")
    (tmp_path / "source/deep/b.txt").write_text("second")
    return tmp_path / "source"


def contents(folder: Path) -> dict[str, str]:
    return {file.relative_to(folder).as_posix(): file.read_text() for file in folder.rglob("*") if file.is_file()}


def test_an_asset_is_fetched_once(
    workspace: sl.Workspace, client: CountingClient, copies: LocalCopies, source: Path, tmp_path: Path
) -> None:
    asset = workspace.assets.register("dataset", "d", files={"": source})

    folder = copies.of_asset(asset)
    again = LocalCopies(workspace.client, tmp_path / "copies").of_asset(workspace.assets.by_id(asset.id))

    assert contents(folder) == {"a.txt": "first", "deep/b.txt": "second"}
    assert again == folder
    assert client.fetched == ["a.txt", "deep/b.txt"]


def test_contents_are_shared_between_versions(
    workspace: sl.Workspace, client: CountingClient, copies: LocalCopies, source: Path
) -> None:
    copies.of_asset(workspace.assets.register("dataset", "d", files={"": source}))
    (source / "a.txt").write_text("changed")

    folder = copies.of_asset(workspace.assets.register("dataset", "d", files={"": source}))

    assert contents(folder) == {"a.txt": "changed", "deep/b.txt": "second"}
    assert client.fetched == ["a.txt", "deep/b.txt", "a.txt"]


def test_files_of_a_datastore_keep_their_whole_paths(
    workspace: sl.Workspace, client: CountingClient, copies: LocalCopies
) -> None:
    store = workspace.datastores.default()
    for path in ("raw/2020/a.txt", "raw/2021/b.txt", "other.txt"):
        place = Path(store.location) / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(path)

    assert contents(copies.of_datastore(store, "raw/2020")) == {"raw/2020/a.txt": "raw/2020/a.txt"}
    assert set(contents(copies.of_datastore(store))) == {"raw/2020/a.txt", "raw/2021/b.txt", "other.txt"}
    assert sorted(client.fetched) == ["other.txt", "raw/2020/a.txt", "raw/2021/b.txt"]


def test_a_file_that_was_changed_in_the_datastore_is_fetched_anew(
    workspace: sl.Workspace, client: CountingClient, copies: LocalCopies
) -> None:
    store = workspace.datastores.default()
    place = Path(store.location) / "a.txt"
    place.write_text("old")
    before = copies.of_datastore(store)
    place.write_text("new")
    os.utime(place, (1_600_000_000, 1_600_000_000))

    after = copies.of_datastore(store)

    assert (contents(before), contents(after)) == ({"a.txt": "old"}, {"a.txt": "new"})
    assert copies.of_datastore(store) == after
    assert len(client.fetched) == 2


def test_a_file_that_changes_while_it_is_fetched_is_said(
    workspace: sl.Workspace, client: CountingClient, copies: LocalCopies, tmp_path: Path
) -> None:
    store = workspace.datastores.default()
    place = Path(store.location) / "a.txt"
    place.write_text("old")
    client.before = lambda: void(place.write_text("longer than before"))

    with pytest.raises(Conflict, match="was changed while it was being fetched"):
        copies.of_datastore(store)
    assert list((tmp_path / "copies/trees").iterdir()) == []


def test_many_who_need_the_same_files_at_once_fetch_them_once(
    workspace: sl.Workspace, client: CountingClient, source: Path, tmp_path: Path
) -> None:
    asset = workspace.assets.register("dataset", "d", files={"": source})
    found: list[dict[str, str]] = []

    def use() -> None:
        found.append(contents(LocalCopies(client, tmp_path / "copies").of_asset(asset)))

    threads = [threading.Thread(target=use) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [{"a.txt": "first", "deep/b.txt": "second"}] * 6
    assert sorted(client.fetched) == ["a.txt", "deep/b.txt"]


def test_the_copies_are_not_writable(workspace: sl.Workspace, copies: LocalCopies, source: Path) -> None:
    folder = copies.of_asset(workspace.assets.register("dataset", "d", files={"": source}))

    assert {file.stat().st_mode & 0o777 for file in folder.rglob("*") if file.is_file()} == {0o444}


def test_a_damaged_folder_is_made_anew(
    workspace: sl.Workspace, client: CountingClient, copies: LocalCopies, source: Path
) -> None:
    asset = workspace.assets.register("dataset", "d", files={"": source})
    folder = copies.of_asset(asset)
    (folder / "a.txt").unlink()

    assert contents(copies.of_asset(asset)) == {"a.txt": "first", "deep/b.txt": "second"}
    assert len(client.fetched) == 2


def test_a_disk_without_hard_links_gets_copies(
    workspace: sl.Workspace, copies: LocalCopies, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)

    folder = copies.of_asset(workspace.assets.register("dataset", "d", files={"": source}))

    assert contents(folder) == {"a.txt": "first", "deep/b.txt": "second"}


def test_a_lost_connection_leaves_nothing_behind(
    workspace: sl.Workspace, client: CountingClient, copies: LocalCopies, source: Path, tmp_path: Path
) -> None:
    asset = workspace.assets.register("dataset", "d", files={"": source})

    def fail() -> None:
        raise Conflict("gone")

    client.before = fail
    with pytest.raises(Conflict):
        copies.of_asset(asset)
    left = [
        file for part in ("contents", "trees") for file in (tmp_path / "copies" / part).rglob("*") if file.is_file()
    ]
    assert left == []
    client.before = lambda: None
    assert set(contents(copies.of_asset(asset))) == {"a.txt", "deep/b.txt"}


@pytest.mark.parametrize(
    ("number", "error", "sentence"),
    [
        (errno.ENOSPC, StorageFull, "where copies of files are kept on this machine, is full"),
        (errno.EROFS, InvalidInput, "cannot be written"),
    ],
)
def test_what_the_disk_refuses_is_said(
    workspace: sl.Workspace,
    copies: LocalCopies,
    source: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    error: type[Exception],
    sentence: str,
) -> None:
    asset = workspace.assets.register("dataset", "d", files={"": source})

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("sublight.sdk.local_copies.tempfile.mkdtemp", refuse)

    with pytest.raises(error, match=sentence):
        copies.of_asset(asset)


def test_the_folder_is_named_by_a_variable_or_lies_in_the_users_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() == tmp_path / ".cache/sublight/copies"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert default_folder() == tmp_path / "cache/sublight/copies"
    monkeypatch.setenv("SUBLIGHT_COPIES", str(tmp_path / "own"))
    assert default_folder() == tmp_path / "own"


def void(_: object) -> None:
    """For a lambda that must give nothing."""
