"""Datastores: their rows, and their files in plain folders, which people may also fill by hand.

Because somebody else may change a folder at any moment, a path is never handed to the system as a whole: each part is
opened below the one before it, and a link is not followed anywhere.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from sublight.core.errors import Conflict, InvalidInput, NotFound
from sublight.core.snapshot import check_path
from sublight.store.blobs import StorageErrors
from sublight.store.tables import datastores

_INCOMING = ".incoming"  # no name of a datastore begins with a dot
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # a pipe must not make us wait
_LINK_ERRORS = (errno.ELOOP, errno.ENXIO)  # ENXIO: a socket, which cannot be opened either


# -- rows -------------------------------------------------------------------------------------------------------------


def all_rows(connection: Connection) -> list[Row[Any]]:
    """All stored datastores by name."""
    return list(connection.execute(select(datastores).order_by(datastores.c.name)).all())


def put_row(connection: Connection, row: Mapping[str, Any]) -> None:
    """Store a datastore, in the place of one with the same name."""
    connection.execute(delete(datastores).where(datastores.c.name == row["name"]))
    connection.execute(insert(datastores), dict(row))


def set_default(connection: Connection, name: str) -> None:
    """Make this one the default, and no other; with a name that has no row, none is marked."""
    connection.execute(update(datastores).values(is_default=datastores.c.name == name))


def remove_row(connection: Connection, name: str) -> None:
    """Forget a datastore; its files stay."""
    connection.execute(delete(datastores).where(datastores.c.name == name))


# -- files ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of a datastore as it was when it was looked at."""

    path: str
    size_bytes: int
    modified: float


class DatastoreFiles:
    """The files of all datastores: ``root/<name>/<path>``. Safe to use from several threads.

    Names must be checked by the caller; paths are checked here. A file is there whole or not at all: it is written
    beside the datastores and renamed into its place.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / _INCOMING
        self._lock = threading.Lock()
        for folder in (root, self._incoming):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left_over in self._incoming.iterdir():
            left_over.unlink()

    def location(self, name: str) -> Path:
        """The folder of a datastore."""
        return self._root / name

    def make(self, name: str) -> None:
        """Make the folder of a datastore; one that is there already is kept with its files."""
        with StorageErrors():
            try:
                self.location(name).mkdir(mode=0o700, exist_ok=True)
            except FileExistsError as error:
                raise Conflict(
                    f"{self.location(name)} is a file where the datastore's folder belongs; move it"
                ) from error

    def list(self, name: str, prefix: str = "", *, after: str = "") -> Iterator[FoundFile]:
        """The files whose path begins with ``prefix`` and comes after ``after``, by path.

        Links and whatever is no plain file are left out, and so are files whose names no other system could hold.
        """
        if prefix:
            check_path(prefix.rstrip("/"))
        try:
            folder = os.open(self.location(name), _FOLDER_FLAGS)
        except FileNotFoundError:
            return
        except OSError as error:
            raise Conflict(
                f"the folder of datastore {name!r} cannot be listed ({error.strerror}); it must be a plain folder of the "
                "server's own, and no link"
            ) from error
        try:
            yield from _below(folder, "", prefix, after)
        finally:
            os.close(folder)

    def open(self, name: str, path: str) -> tuple[IO[bytes], FoundFile]:
        """A file for reading, and its facts; NotFound when there is none, Conflict when it is a link or no file."""
        check_path(path)
        *folders, last = path.split("/")
        with _plain_errors(path), self._folder(name, folders) as folder:
            descriptor = os.open(last, _FILE_FLAGS, dir_fd=folder)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                kind = "a folder" if stat.S_ISDIR(status.st_mode) else "no plain file"
                raise Conflict(f"{path!r} is {kind} in this datastore; name a file of it")
            return os.fdopen(descriptor, "rb"), FoundFile(path, status.st_size, status.st_mtime)
        except BaseException:
            os.close(descriptor)
            raise

    def writer(self, name: str, path: str) -> DatastoreWriter:
        """A file to be written piece by piece; its caller must ``close`` it, whatever happens."""
        return DatastoreWriter(self, self._incoming / secrets.token_hex(16), name, check_path(path))

    def remove(self, name: str, path: str) -> None:
        """Remove a file, and the folders that are empty without it; NotFound when there is none."""
        check_path(path)
        folders = path.split("/")
        last = folders.pop()
        with self._lock:
            with _plain_errors(path), self._folder(name, folders) as folder:
                if stat.S_ISDIR(os.stat(last, dir_fd=folder, follow_symlinks=False).st_mode):
                    raise Conflict(f"{path!r} is a folder in this datastore; remove its files one by one")
                os.unlink(last, dir_fd=folder)
            while folders:
                emptied = folders.pop()
                try:
                    with self._folder(name, folders) as folder:
                        os.rmdir(emptied, dir_fd=folder)
                except OSError:
                    break  # there is more in it

    def place(self, temporary: Path, name: str, path: str, *, overwrites: bool) -> bool:
        """Give a written file its place; False when there is one already that may not be replaced."""
        *folders, last = path.split("/")
        with self._lock, _plain_errors(path), StorageErrors():
            self.make(name)
            with self._folder(name, folders, makes=True) as folder:
                try:
                    there = os.stat(last, dir_fd=folder, follow_symlinks=False)
                except FileNotFoundError:
                    there = None
                if there is not None and stat.S_ISDIR(there.st_mode):
                    raise Conflict(f"{path!r} is a folder in this datastore, so no file can be stored under that name")
                if there is not None and not overwrites:
                    return False
                os.rename(temporary, last, dst_dir_fd=folder)
                os.fsync(folder)
        return True

    @contextmanager
    def _folder(self, name: str, folders: Sequence[str], *, makes: bool = False) -> Iterator[int]:
        """The folder below a datastore, opened part by part; ``makes`` makes what is not there."""
        descriptor = os.open(self.location(name), _FOLDER_FLAGS)
        try:
            for part in folders:
                if makes:
                    try:
                        os.mkdir(part, mode=0o700, dir_fd=descriptor)
                    except FileExistsError:
                        pass
                below = os.open(part, _FOLDER_FLAGS, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = below
            yield descriptor
        finally:
            os.close(descriptor)


class DatastoreWriter:
    """One file on its way in: ``write`` its pieces, ``complete`` it, and ``place`` it where it becomes visible.

    ``close`` removes whatever has no place yet.
    """

    def __init__(self, files: DatastoreFiles, temporary: Path, name: str, path: str) -> None:
        self._files = files
        self._temporary = temporary
        self._name = name
        self._path = path
        self._size = 0
        with StorageErrors():
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(descriptor, "wb")

    @property
    def size_bytes(self) -> int:
        """How many bytes were written so far."""
        return self._size

    def write(self, chunk: bytes) -> None:
        """Add bytes; StorageFull when the disk is full."""
        self._size += len(chunk)
        with StorageErrors():
            self._file.write(chunk)

    def complete(self) -> None:
        """Sync the bytes to the disk; this may take a while, so never do it inside a transaction."""
        with StorageErrors():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def place(self, *, overwrites: bool) -> bool:
        """Give the completed file its place; False when there is one already that may not be replaced."""
        return self._files.place(self._temporary, self._name, self._path, overwrites=overwrites)

    def close(self) -> None:
        """Forget what has no place yet; harmless after ``place`` and when called twice."""
        try:
            self._file.close()
        except OSError:
            pass  # a full disk shows again here, and the file goes away anyway
        self._temporary.unlink(missing_ok=True)


def _below(folder: int, path: str, prefix: str, after: str) -> Iterator[FoundFile]:
    """The files below an open folder in the order of their paths; a folder sorts as its name with a slash."""
    with os.scandir(folder) as listing:
        entries = sorted(
            (entry.name + ("/" if entry.is_dir(follow_symlinks=False) else ""), entry) for entry in listing
        )
    for name, entry in entries:
        full = path + name
        is_folder = name.endswith("/")
        could_match = full.startswith(prefix) or (is_folder and prefix.startswith(full))
        is_past = full < after and not (is_folder and after.startswith(full))
        if not could_match or is_past or (full == after) or not _is_portable(full.rstrip("/")):
            continue
        try:
            if is_folder:
                below = os.open(entry.name, _FOLDER_FLAGS, dir_fd=folder)
                try:
                    yield from _below(below, full, prefix, after)
                finally:
                    os.close(below)
            else:
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    yield FoundFile(full, status.st_size, status.st_mtime)
        except OSError:
            continue  # it went away meanwhile, or is not ours to read


def _is_portable(path: str) -> bool:
    try:
        check_path(path)
    except InvalidInput:
        return False
    return True


@contextmanager
def _plain_errors(path: str) -> Iterator[None]:
    """What the system says about a path, in sentences about the datastore."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {path!r} in this datastore; its list of files shows what there is") from error
    except NotADirectoryError as error:
        # Also what Linux says of a link that was to be opened as a folder.
        raise Conflict(
            f"a part of {path!r} is a file or a link in this datastore, not a folder; links are not followed there"
        ) from error
    except PermissionError as error:
        raise Conflict(f"the server may not use {path!r} in this datastore; change the file's permissions") from error
    except OSError as error:
        if error.errno in _LINK_ERRORS:
            raise Conflict(
                f"{path!r} is a link in this datastore, and links are not followed; copy what it points to"
            ) from error
        raise
