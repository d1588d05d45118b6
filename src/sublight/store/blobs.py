"""File contents, each stored once under the SHA-256 of its bytes.

A blob is there whole or not at all: it is written under a temporary name, synced, and then renamed into place. Access
goes through fsspec's interface, so that another file system can stand in.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, cast

import fsspec

from sublight.core.amounts import bytes_in_words
from sublight.core.errors import InvalidInput, NotFound, StorageFull, TooLarge

CHUNK_BYTES = 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class BlobStore:
    """Blobs below one folder, ``root/ab/abcdef…``; readable by the owner alone. Safe to use from several threads.

    Only one store may write below a root at a time (the server holds a lock on its workspace): half-written files that
    a killed server left behind are removed when the store is opened.
    """

    def __init__(self, root: Path, files: Any = None) -> None:
        self._root = root
        self._incoming = root / ".incoming"
        self._files = files if files is not None else fsspec.filesystem("file")
        for folder in (self._root, self._incoming):
            self._files.makedirs(str(folder), exist_ok=True)
            os.chmod(folder, 0o700)
        for left_over in self._files.ls(str(self._incoming), detail=False):
            self._files.rm_file(left_over)

    def put(self, chunks: Iterable[bytes], sha256: str, *, bytes_max: int | None = None) -> int:
        """Store the bytes under their hash and give their number; harmless when they are stored already.

        Raises InvalidInput when the bytes have another hash, TooLarge above ``bytes_max``, StorageFull when the disk is
        full. After an error nothing is visible and nothing is left behind.
        """
        writer = self.writer(sha256, bytes_max=bytes_max)
        try:
            for chunk in chunks:
                writer.write(chunk)
            return writer.commit()
        finally:
            writer.close()

    def writer(self, sha256: str, *, bytes_max: int | None = None) -> BlobWriter:
        """A blob to be written piece by piece; its caller must ``close`` it, whatever happens."""
        target = self.path(sha256)
        return BlobWriter(self._files, self._incoming, target, sha256, bytes_max)

    def has(self, sha256: str) -> bool:
        """True when the whole blob is there."""
        return bool(self._files.exists(str(self.path(sha256))))

    def size(self, sha256: str) -> int | None:
        """The number of bytes of a blob, None when it is not there."""
        try:
            return int(self._files.size(str(self.path(sha256))))
        except FileNotFoundError:
            return None

    def path(self, sha256: str) -> Path:
        """Where a blob of this hash lies, or would lie; InvalidInput for anything that is not a SHA-256."""
        if not _SHA256.fullmatch(sha256):
            raise InvalidInput(f"a sha256 has 64 lower-case hexadecimal digits, got {sha256[:80]!r}")
        return self._root / sha256[:2] / sha256

    def open(self, sha256: str) -> IO[bytes]:
        """The blob for reading; NotFound when it is not there."""
        try:
            return cast("IO[bytes]", self._files.open(str(self.path(sha256)), "rb"))
        except FileNotFoundError as error:
            raise NotFound(f"there is no content with the sha256 {sha256} in this workspace") from error

    def delete(self, sha256: str) -> None:
        """Remove a blob; silent when it is not there."""
        try:
            self._files.rm_file(str(self.path(sha256)))
        except FileNotFoundError:
            pass


class BlobWriter:
    """One blob on its way in. It becomes visible by ``commit`` only; ``close`` removes whatever was not committed."""

    def __init__(self, files: Any, incoming: Path, target: Path, sha256: str, bytes_max: int | None) -> None:
        self._files = files
        self._target = target
        self._sha256 = sha256
        self._bytes_max = bytes_max
        self._digest = hashlib.sha256()
        self._temporary: Path | None = incoming / secrets.token_hex(16)
        self._size = 0
        with StorageErrors():
            self._file: Any = files.open(str(self._temporary), "wb")
            os.chmod(self._temporary, 0o600)

    @property
    def size_bytes(self) -> int:
        """How many bytes were written so far."""
        return self._size

    def write(self, chunk: bytes) -> None:
        """Add bytes; TooLarge when there are more than was allowed, StorageFull when the disk is full."""
        self._size += len(chunk)
        if self._bytes_max is not None and self._size > self._bytes_max:
            raise TooLarge(f"the content is larger than the {bytes_in_words(self._bytes_max)} that are allowed for it")
        self._digest.update(chunk)
        with StorageErrors():
            self._file.write(chunk)

    def commit(self) -> int:
        """Check the hash, sync the bytes to the disk and make the blob visible; gives its size."""
        assert self._temporary is not None, "a blob is committed once"
        found = self._digest.hexdigest()
        if found != self._sha256:
            raise InvalidInput(
                f"the content has the sha256 {found}, but {self._sha256} was announced; it changed on its way, "
                "so send it again"
            )
        with StorageErrors():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._files.makedirs(str(self._target.parent), exist_ok=True)
            os.chmod(self._target.parent, 0o700)
            self._files.mv(str(self._temporary), str(self._target))
            # The rename itself must survive a power cut, and so must a new folder's own entry.
            _sync_folder(self._target.parent)
            _sync_folder(self._target.parent.parent)
        self._temporary = None
        return self._size

    def close(self) -> None:
        """Forget what was not committed; harmless after ``commit`` and when called twice."""
        temporary, self._temporary = self._temporary, None
        if temporary is None:
            return
        try:
            self._file.close()
        except OSError:
            pass  # a full disk shows again here, and the file goes away anyway
        try:
            self._files.rm_file(str(temporary))
        except FileNotFoundError:
            pass


class StorageErrors:
    """Turns "no space left" into StorageFull, whoever meets it."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, OSError) and error.errno in _NO_SPACE:
            raise StorageFull(
                "the disk that holds the workspace is full, so the file was not stored; free some space and try again"
            ) from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
