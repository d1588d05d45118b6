"""Logs of runs: bytes in files, sizes in the database.

The order of a write is: the bytes into the file (``LogFiles.write_at``, which syncs them), then the size into the
database (``store_size``, in the caller's transaction). So a stored size never promises bytes that are not there, and
bytes whose size was not committed are simply written again.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Row, select
from sqlalchemy.dialects.sqlite import insert

from sublight.core.errors import Conflict, InvalidInput, StorageFull
from sublight.store.tables import logs

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_NAME_LENGTH_MAX = 200


class LogFiles:
    """The bytes of all logs below one folder: ``root/<run id>/<attempt>/<encoded path>``.

    Only ids become folders and only percent-encoded text becomes a file name, so a log's path cannot leave its run.
    Safe to use from several threads; two writers of one file must send the same bytes for the same offsets, as the
    repeated shipping of an append-only file does.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write_at(self, run_id: str, attempt: int, path: str, offset: int, data: bytes) -> int:
        """Write ``data`` at ``offset``, sync it, and give the offset after it. Writing it again changes nothing.

        Raises Conflict when bytes before ``offset`` are missing, StorageFull when the disk is full.
        """
        if offset < 0:
            raise InvalidInput(f"the offset of a log must be 0 or more, got {offset}")
        if not data:
            return offset
        file = self._path(run_id, attempt, path)
        try:
            descriptor = _open_for_writing(file)
            try:
                present = os.fstat(descriptor).st_size
                if offset > present:
                    raise Conflict(
                        f"log {path!r} of run {run_id} has {present} bytes, so nothing can be written at {offset}; "
                        f"send it from {present} on"
                    )
                _write_all(descriptor, data, offset)
                _sync(descriptor)
            finally:
                os.close(descriptor)
            if present == 0:
                _sync_folder(file.parent)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StorageFull(
                    f"the disk that holds the workspace is full, so log {path!r} of run {run_id} was not stored; "
                    "free some space and it continues"
                ) from error
            raise
        return offset + len(data)

    def size(self, run_id: str, attempt: int, path: str) -> int:
        """How many bytes are there; 0 when there is no such log."""
        try:
            return os.stat(self._path(run_id, attempt, path), follow_symlinks=False).st_size
        except FileNotFoundError:
            return 0

    def read(self, run_id: str, attempt: int, path: str, offset: int, limit: int) -> bytes:
        """Up to ``limit`` bytes from ``offset``; empty at the end and when there is no such log."""
        if offset < 0 or limit < 0:
            raise InvalidInput(f"offset and limit of a log must be 0 or more, got {offset} and {limit}")
        try:
            descriptor = os.open(self._path(run_id, attempt, path), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return b""
        with os.fdopen(descriptor, "rb") as file:
            file.seek(offset)
            return file.read(limit)

    def remove(self, run_id: str) -> None:
        """Remove all logs of a run."""
        if not _RUN_ID.fullmatch(run_id):
            raise InvalidInput(f"{run_id[:80]!r} is not the id of a run")
        shutil.rmtree(self._root / run_id, ignore_errors=True)

    def _path(self, run_id: str, attempt: int, path: str) -> Path:
        if not _RUN_ID.fullmatch(run_id):
            raise InvalidInput(f"{run_id[:80]!r} is not the id of a run")
        return self._root / run_id / str(int(attempt)) / _file_name(path)


def store_size(connection: Connection, run_id: str, attempt: int, path: str, size_bytes: int) -> int:
    """Note that the log is stored up to ``size_bytes`` (never less than before) and give the size that now stands."""
    row = {"run_id": run_id, "attempt": attempt, "path": path, "size_bytes": size_bytes}
    statement = insert(logs)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["run_id", "attempt", "path"],
            set_={"size_bytes": statement.excluded.size_bytes},
            where=logs.c.size_bytes < statement.excluded.size_bytes,
        ),
        row,
    )
    return max(size_bytes, sizes(connection, run_id, attempt)[path])


def sizes(connection: Connection, run_id: str, attempt: int) -> dict[str, int]:
    """How far each log of an attempt is stored."""
    query = select(logs.c.path, logs.c.size_bytes).where(logs.c.run_id == run_id, logs.c.attempt == attempt)
    return {row.path: row.size_bytes for row in connection.execute(query).all()}


def of_run(connection: Connection, run_id: str) -> list[Row[Any]]:
    """All logs of a run, by attempt and path."""
    query = select(logs).where(logs.c.run_id == run_id).order_by(logs.c.attempt, logs.c.path)
    return list(connection.execute(query).all())


def _file_name(path: str) -> str:
    # Encoded names stay readable for whoever looks into the folder; the few that are too long are named by hash.
    name = quote(path, safe="", errors="surrogatepass")
    if name.startswith(".") or not name or len(name) > _NAME_LENGTH_MAX:
        return hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()
    return name


def _open_for_writing(file: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(file, flags, 0o600)
    except FileNotFoundError:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(file, flags, 0o600)


def _write_all(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view = view[written:]
        offset += written


def _sync(descriptor: int) -> None:
    # macOS has no fdatasync.
    (os.fdatasync if hasattr(os, "fdatasync") else os.fsync)(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
