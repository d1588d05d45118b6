from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import BinaryIO

import pytest

from sublight.core.errors import InvalidInput
from sublight.messages.definitions import SnapshotFile
from sublight.node.workspace import BlobCache, Unpacking, attempt_directory, remove_tree, unpack
from tests.unit.node.fakes import an_order


class Store:
    """A server's contents; counts what is fetched."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.fetched: list[str] = []

    def add(self, path: str, content: bytes, *, is_executable: bool = False) -> SnapshotFile:
        sha256 = hashlib.sha256(content).hexdigest()
        self.blobs[sha256] = content
        return SnapshotFile(path=path, sha256=sha256, size_bytes=len(content), is_executable=is_executable)

    def fetch(self, snapshot_id: str, sha256: str, target: BinaryIO) -> None:
        self.fetched.append(sha256)
        target.write(self.blobs[sha256])


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def cache(tmp_path: Path, store: Store) -> BlobCache:
    return BlobCache(tmp_path / "cache", store.fetch)


def unpack_files(directory: Path, cache: BlobCache, *files: SnapshotFile) -> Path:
    unpack(an_order("run-1", list(files)), directory, cache, lambda: False)
    return directory / "work"


def test_a_snapshot_is_unpacked_with_its_folders_and_executable_bits(tmp_path, store, cache):
    files = [store.add("train.py", b"print()"), store.add("bin/tool", b"#!/bin/sh", is_executable=True)]

    work = unpack_files(tmp_path / "run", cache, *files)

    assert (work / "train.py").read_bytes() == b"print()"
    assert os.access(work / "bin/tool", os.X_OK)
    assert not os.access(work / "train.py", os.X_OK)
    assert (work / "outputs").is_dir()
    assert (work / "logs").is_dir()
    assert (tmp_path / "run" / "uploads").is_dir()
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700


def test_a_content_is_fetched_once_however_many_runs_and_files_have_it(tmp_path, store, cache):
    files = [store.add("a.py", b"same"), store.add("b.py", b"same")]

    unpack_files(tmp_path / "run1", cache, *files)
    unpack_files(tmp_path / "run2", cache, *files)

    assert len(store.fetched) == 1


def test_a_script_that_changes_its_files_does_not_change_the_next_run(tmp_path, store, cache):
    file = store.add("a.py", b"original")
    (unpack_files(tmp_path / "run1", cache, file) / "a.py").write_bytes(b"changed!")

    assert (unpack_files(tmp_path / "run2", cache, file) / "a.py").read_bytes() == b"original"


def test_a_damaged_cache_is_mended_and_never_run(tmp_path, store, cache):
    file = store.add("a.py", b"original")
    unpack_files(tmp_path / "run1", cache, file)
    (tmp_path / "cache" / file.sha256).write_bytes(b"damaged!")

    assert (unpack_files(tmp_path / "run2", cache, file) / "a.py").read_bytes() == b"original"


def test_a_content_that_is_not_what_its_hash_says_is_refused(tmp_path, store, cache):
    file = store.add("a.py", b"original")
    store.blobs[file.sha256] = b"other"

    with pytest.raises(InvalidInput, match=r"a\.py does not have the hash"):
        unpack_files(tmp_path / "run", cache, file)
    assert not (tmp_path / "cache" / file.sha256).exists()


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../../x", "a//b", "a\\b", "", "a\0b", ".."])
def test_unsafe_paths_are_refused_before_anything_is_written(tmp_path, store, cache, path):
    with pytest.raises(InvalidInput):
        unpack_files(tmp_path / "run", cache, store.add(path, b"x"))

    assert not (tmp_path / "run").exists()


def test_unpacking_ends_between_two_files_when_the_run_is_stopped(tmp_path, store, cache):
    files = [store.add("a.py", b"1"), store.add("b.py", b"2")]

    with pytest.raises(Unpacking):
        unpack(an_order("run-1", files), tmp_path / "run", cache, lambda: bool(store.fetched))
    assert len(store.fetched) == 1


def test_a_link_in_the_cache_is_not_followed(tmp_path, store, cache):
    file = store.add("a.py", b"secret")
    (tmp_path / "cache").mkdir()
    (tmp_path / "elsewhere").write_bytes(b"secret")
    (tmp_path / "cache" / file.sha256).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError):
        unpack_files(tmp_path / "run", cache, file)


def test_the_cache_keeps_within_its_limit_by_removing_the_oldest(tmp_path, store, cache):
    files = [store.add(f"{number}", bytes([number]) * 100) for number in range(5)]
    unpack_files(tmp_path / "run", cache, *files)
    for number, file in enumerate(files):
        os.utime(tmp_path / "cache" / file.sha256, (number, number))

    cache.tidy(bytes_max=250)

    assert {entry.name for entry in (tmp_path / "cache").iterdir()} == {files[3].sha256, files[4].sha256}


@pytest.mark.parametrize("run_id", ["", "..", "a/b", ".hidden", "a b", "x" * 300])
def test_a_run_id_that_is_no_plain_name_gets_no_folder(tmp_path, run_id):
    with pytest.raises(InvalidInput):
        attempt_directory(tmp_path, run_id, 1)


def test_a_folder_is_removed_whatever_a_script_did_to_its_permissions(tmp_path):
    deep = tmp_path / "run" / "closed" / "deep"
    deep.mkdir(parents=True)
    (deep / "file").write_text("x")
    (tmp_path / "kept").write_text("x")
    (tmp_path / "run" / "link").symlink_to(tmp_path / "kept")
    deep.chmod(0)
    deep.parent.chmod(0)

    remove_tree(tmp_path / "run")
    remove_tree(tmp_path / "run")

    assert not (tmp_path / "run").exists()
    assert (tmp_path / "kept").exists()


def test_annotations_lie_beside_the_journal_and_only_when_there_are_some(tmp_path, store, cache):
    files = [store.add("train.py", b"print()")]
    told = an_order("run-1", files, annotations={"a": {"b": [1, None]}})
    unpack(told, tmp_path / "with", cache, lambda: False)
    unpack_files(tmp_path / "without", cache, *files)

    assert json.loads((tmp_path / "with/annotations.json").read_text()) == {"a": {"b": [1, None]}}
    assert not (tmp_path / "without/annotations.json").exists()
