"""Contents by their hash: there whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import threading
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileSystem

from sublight.core.errors import InvalidInput, NotFound, StorageFull, TooLarge
from sublight.store.blobs import BlobStore

DATA = b"some content"
HASH = hashlib.sha256(DATA).hexdigest()


def files_below(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


class FullDisk(LocalFileSystem):  # type: ignore[misc]
    """A file system on which the first write after opening finds no space."""

    cachable = False

    def open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        file = super().open(path, mode, **options)
        if "w" in mode:
            file.write = self._no_space
        return file

    def _no_space(self, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


def test_what_is_put_can_be_opened(blobs: BlobStore) -> None:
    assert blobs.put([b"some ", b"content"], HASH) == len(DATA)

    with blobs.open(HASH) as file:
        assert file.read() == DATA
    assert blobs.has(HASH)
    assert blobs.size(HASH) == len(DATA)


def test_it_lies_in_a_folder_of_its_first_letters_for_the_owner_alone(blobs: BlobStore, tmp_path: Path) -> None:
    blobs.put([DATA], HASH)

    path = tmp_path / "blobs" / HASH[:2] / HASH
    assert blobs.path(HASH) == path
    assert path.stat().st_mode & 0o777 == 0o600
    assert {folder.stat().st_mode & 0o777 for folder in (tmp_path / "blobs", path.parent)} == {0o700}


def test_putting_it_twice_changes_nothing(blobs: BlobStore, tmp_path: Path) -> None:
    blobs.put([DATA], HASH)
    blobs.put([DATA], HASH)

    assert files_below(tmp_path) == [blobs.path(HASH)]


def test_another_content_than_announced_is_refused_and_leaves_nothing(blobs: BlobStore, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=f"but {HASH} was announced"):
        blobs.put([b"other"], HASH)

    assert files_below(tmp_path) == []


def test_a_content_that_stops_half_way_leaves_nothing(blobs: BlobStore, tmp_path: Path) -> None:
    def broken() -> Any:
        yield b"some "
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        blobs.put(broken(), HASH)

    assert files_below(tmp_path) == []


def test_a_content_above_its_limit_is_refused_and_leaves_nothing(blobs: BlobStore, tmp_path: Path) -> None:
    with pytest.raises(TooLarge):
        blobs.put([DATA], HASH, bytes_max=3)

    assert files_below(tmp_path) == []


def test_a_full_disk_is_said_in_words_and_leaves_nothing(tmp_path: Path) -> None:
    full = BlobStore(tmp_path / "blobs", files=FullDisk())

    with pytest.raises(StorageFull, match="the disk that holds the workspace is full"):
        full.put([DATA], HASH)

    assert files_below(tmp_path) == []
    assert not full.has(HASH)


def test_nothing_is_visible_before_it_is_committed(blobs: BlobStore) -> None:
    writer = blobs.writer(HASH)
    writer.write(DATA)
    before = blobs.has(HASH)
    writer.commit()
    writer.close()

    assert (before, blobs.has(HASH)) == (False, True)


def test_what_a_killed_server_left_half_written_is_removed_at_the_next_start(tmp_path: Path) -> None:
    writer = BlobStore(tmp_path / "blobs").writer(HASH)
    writer.write(DATA)
    before = len(files_below(tmp_path))

    BlobStore(tmp_path / "blobs")

    assert (before, files_below(tmp_path)) == (1, [])


def test_deleting_is_silent_when_there_is_nothing(blobs: BlobStore) -> None:
    blobs.put([DATA], HASH)

    blobs.delete(HASH)
    blobs.delete(HASH)

    assert not blobs.has(HASH)
    assert blobs.size(HASH) is None
    with pytest.raises(NotFound):
        blobs.open(HASH)


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "a" * 63, "A" * 64, "a" * 64 + "\n", "/" + "a" * 63])
def test_only_a_hash_names_a_blob(blobs: BlobStore, name: str) -> None:
    for use in (blobs.path, blobs.has, blobs.open, blobs.delete, blobs.writer):
        with pytest.raises(InvalidInput, match="64 lower-case hexadecimal digits"):
            use(name)


def test_one_content_may_come_from_many_at_once(blobs: BlobStore, tmp_path: Path) -> None:
    threads = [threading.Thread(target=blobs.put, args=([DATA] * 1, HASH)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert files_below(tmp_path) == [blobs.path(HASH)]
    assert blobs.path(HASH).read_bytes() == DATA
