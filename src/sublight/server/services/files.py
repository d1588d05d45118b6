"""Files: the code that comes in as snapshots, the artifacts that runs leave, and their logs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, Row

from sublight.core.errors import Conflict, InvalidInput, NotFound
from sublight.core.run import RunKind
from sublight.core.snapshot import SnapshotLimits, check_files, check_limits, check_path, snapshot_id
from sublight.messages.definitions import SnapshotFile, SnapshotRequest, SnapshotResponse, SnapshotView
from sublight.messages.runs import ArtifactView, LogFile
from sublight.server.caller import Caller
from sublight.server.clock import Clock
from sublight.store import artifacts as artifact_rows
from sublight.store import audit
from sublight.store import logs as log_rows
from sublight.store import runs as run_rows
from sublight.store import snapshots as snapshot_rows
from sublight.store.blobs import BlobStore, BlobWriter
from sublight.store.database import Database
from sublight.store.logs import LogFiles

LOG_READ_BYTES_MAX = 8 * 1024 * 1024
_COMPLETE_REMEMBERED = 1_000

# Raises inside the transaction that would store a file when the attempt it came from does not count (any more).
AttemptCheck = Callable[[Connection], None]


class Files:
    """The verbs on files. What a path names is looked up in the database; no path of a user ever touches the disk."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        blobs: BlobStore,
        log_files: LogFiles,
        limits: SnapshotLimits | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._blobs = blobs
        self._log_files = log_files
        self._limits = limits or SnapshotLimits()
        self._complete: set[str] = set()
        self._lock = threading.Lock()

    # -- snapshots ----------------------------------------------------------------------------------------------------

    def create_snapshot(self, caller: Caller, request: SnapshotRequest) -> SnapshotResponse:
        """Store the list of a source folder's files; the answer names the contents that must still be sent.

        Equal lists give the same snapshot. Raises TooLarge, naming the limit, and InvalidInput for a path that is not
        safe on every system or a list that cannot be unpacked.
        """
        check_limits([(file.path, file.size_bytes) for file in request.files], self._limits, source="this folder")
        check_files(request.files)
        _check_letter_case(request.files)
        new_id = snapshot_id(request.files)
        files = sorted(request.files, key=lambda file: file.path)
        size = sum(file.size_bytes for file in files)
        now = self._clock.now()
        with self._database.write() as connection:
            if snapshot_rows.find(connection, new_id) is None:
                snapshot_rows.add(connection, new_id, [msgspec.to_builtins(file) for file in files], size, now)
                detail = {"files": len(files), "size_bytes": size}
                audit.append(
                    connection, caller, action="upload snapshot", subject=f"snapshot:{new_id}", detail=detail, time=now
                )
        return SnapshotResponse(id=new_id, missing=self._missing(files))

    def snapshot(self, snapshot_id: str) -> SnapshotView:
        """A stored snapshot, complete or not."""
        with self._database.read() as connection:
            row = snapshot_rows.find(connection, snapshot_id)
        if row is None:
            raise NotFound(f"there is no snapshot {snapshot_id[:64]!r} in this workspace")
        files = msgspec.convert(row.files, list[SnapshotFile])
        return SnapshotView(id=row.id, files=files, size_bytes=row.size_bytes)

    def require_complete(self, snapshot_id: str) -> SnapshotView:
        """The snapshot, once all its contents are here in the announced sizes; Conflict while some are missing."""
        snapshot = self.snapshot(snapshot_id)
        if snapshot_id in self._complete:
            return snapshot
        missing = self._missing(snapshot.files)
        if missing:
            raise Conflict(
                f"the snapshot is not complete: {len(missing)} of its contents are missing; send them and submit again"
            )
        for file in snapshot.files:
            size = self._blobs.size(file.sha256)
            if size != file.size_bytes:
                raise InvalidInput(
                    f"{file.path!r} has {size} bytes, but its snapshot says {file.size_bytes}; make the snapshot anew"
                )
        with self._lock:
            if len(self._complete) >= _COMPLETE_REMEMBERED:
                self._complete.clear()
            self._complete.add(snapshot_id)
        return snapshot

    def snapshot_file(self, snapshot_id: str, path: str) -> Path:
        """Where the content of one file of a snapshot lies."""
        for file in self.snapshot(snapshot_id).files:
            if file.path == path:
                return self._present(file.sha256, path)
        raise NotFound(f"the snapshot has no file {path[:200]!r}")

    def snapshot_blob(self, snapshot_id: str, sha256: str) -> Path:
        """Where a content of a snapshot lies, for nodes; other contents of the workspace are not theirs to see."""
        for file in self.snapshot(snapshot_id).files:
            if file.sha256 == sha256:
                return self._present(sha256, file.path)
        raise NotFound(f"the snapshot has no content with the sha256 {sha256[:64]!r}")

    def blob_writer(self, sha256: str, *, bytes_max: int | None = None) -> BlobWriter:
        """A content on its way in, piece by piece; at most as large as a snapshot may be, unless told otherwise."""
        return self._blobs.writer(sha256, bytes_max=self._limits.bytes_max if bytes_max is None else bytes_max)

    def put_blob(self, sha256: str, chunks: Iterable[bytes]) -> int:
        """Store a content of a snapshot and give its size; see ``BlobStore.put`` for what it raises."""
        return self._blobs.put(chunks, sha256, bytes_max=self._limits.bytes_max)

    def _missing(self, files: Sequence[SnapshotFile]) -> list[str]:
        return sorted({file.sha256 for file in files if not self._blobs.has(file.sha256)})

    def _present(self, sha256: str, path: str) -> Path:
        file = self._blobs.path(sha256)
        if not file.is_file():
            raise NotFound(f"the content of {path[:200]!r} is not in this workspace (any more)")
        return file

    # -- artifacts ----------------------------------------------------------------------------------------------------

    def artifacts(self, run_id: str) -> list[ArtifactView]:
        """What a run left behind, by path."""
        with self._database.read() as connection:
            _check_run(connection, run_id)
            return [_artifact_view(row) for row in artifact_rows.of_run(connection, run_id)]

    def open_artifact(self, run_id: str, path: str) -> tuple[Path, ArtifactView]:
        """Where the content of an artifact lies, and what is known of it."""
        with self._database.read() as connection:
            _check_run(connection, run_id)
            row = artifact_rows.find(connection, run_id, path)
        if row is None:
            raise NotFound(f"run {run_id} has no artifact {path[:200]!r}; its list of artifacts shows what there is")
        return self._present(row.sha256, path), _artifact_view(row)

    def put_artifact(
        self,
        run_id: str,
        attempt: int,
        path: str,
        sha256: str,
        chunks: Iterable[bytes],
        *,
        check: AttemptCheck | None = None,
    ) -> None:
        """Store a file that an attempt of a run left; see ``record_artifact``."""
        check_path(path)
        self._blobs.put(chunks, sha256)
        self.record_artifact(run_id, attempt, path, sha256, check=check)

    def keep_artifact(self, caller: Caller, run_id: str, path: str, sha256: str) -> None:
        """Give a content that is stored already to a run, under ``path``, for a person; see ``record_artifact``."""
        now = self._clock.now()
        with self._database.write() as connection:
            row = run_rows.get(connection, run_id)
            self.record_artifact(run_id, row.attempt, path, sha256)
            if row.kind != RunKind.INTERACTIVE.value or row.created_by != caller.name:
                detail = {"path": path}
                audit.append(
                    connection, caller, action="store artifact", subject=f"run:{run_id}", detail=detail, time=now
                )

    def check_run(self, run_id: str) -> None:
        """Raise NotFound when there is no such run."""
        with self._database.read() as connection:
            _check_run(connection, run_id)

    def remove_logs(self, run_ids: Iterable[str]) -> None:
        """Remove the log files of runs that are no more."""
        for run_id in run_ids:
            self._log_files.remove(run_id)

    def record_artifact(
        self, run_id: str, attempt: int, path: str, sha256: str, *, check: AttemptCheck | None = None
    ) -> None:
        """Give a content that is stored already to a run, under ``path``.

        ``check`` runs in the same transaction and raises when the attempt does not count any more; a file of a newer
        attempt is never replaced (Conflict). Doing it twice changes nothing.
        """
        check_path(path)
        now = self._clock.now()
        with self._database.write() as connection:
            # Asked inside the transaction: contents that nobody needs are removed in a transaction, too.
            size = self._blobs.size(sha256)
            if size is None:
                raise Conflict(f"the content of {path!r} is not here; send it first")
            _check_run(connection, run_id)
            if check is not None:
                check(connection)
            is_stored = artifact_rows.put(
                connection, run_id=run_id, path=path, sha256=sha256, size_bytes=size, attempt=attempt, now=now
            )
            if not is_stored:
                raise Conflict(f"a newer attempt of run {run_id} has left {path!r}; attempt {attempt} is superseded")
            self._database.next_change(f"run:{run_id}")

    # -- logs ---------------------------------------------------------------------------------------------------------

    def logs(self, run_id: str) -> list[LogFile]:
        """All logs of all attempts of a run, oldest attempt first."""
        with self._database.read() as connection:
            _check_run(connection, run_id)
            return [
                LogFile(path=row.path, size_bytes=row.size_bytes, attempt=row.attempt)
                for row in log_rows.of_run(connection, run_id)
            ]

    def read_log(self, run_id: str, path: str, offset: int, limit: int, attempt: int | None = None) -> bytes:
        """Up to ``limit`` bytes of a log from ``offset`` (8 MiB at most), of its last attempt unless one is named.

        Empty at the end; NotFound when no attempt has such a log.
        """
        if offset < 0 or limit < 0:
            raise InvalidInput(f"offset and limit of a log must be 0 or more, got {offset} and {limit}")
        log = self.log_file(run_id, path, attempt)
        # Bytes beyond the stored size may be there already, but they are not promised yet.
        count = min(limit, LOG_READ_BYTES_MAX, max(0, log.size_bytes - offset))
        return self._log_files.read(run_id, log.attempt, path, offset, count) if count else b""

    def log_file(self, run_id: str, path: str, attempt: int | None = None) -> LogFile:
        """A log by its path, of the last attempt that wrote it unless one is named; NotFound when there is none."""
        found = [log for log in self.logs(run_id) if log.path == path and attempt in (None, log.attempt)]
        if not found:
            raise NotFound(f"run {run_id} has no log {path[:200]!r} (yet)")
        return found[-1]


def _check_run(connection: Connection, run_id: str) -> None:
    if not run_rows.exists(connection, run_id):
        raise NotFound(f"there is no run {run_id[:64]!r} in this workspace; `sublight run list` shows the runs")


def _check_letter_case(files: Sequence[SnapshotFile]) -> None:
    seen: dict[str, str] = {}
    for file in files:
        other = seen.setdefault(file.path.casefold(), file.path)
        if other != file.path:
            raise InvalidInput(
                f"{other!r} and {file.path!r} differ only in upper and lower case, which is one file on some nodes; "
                "rename one of them or list it in .amlignore"
            )


def _artifact_view(row: Row[Any]) -> ArtifactView:
    return ArtifactView(path=row.path, size_bytes=row.size_bytes, sha256=row.sha256, created=row.created)
