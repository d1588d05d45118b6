"""Interactive runs: carried out by a user's own process, which tells by itself what it does and how it ends.

No node is involved, and so no lease: the process ships its journal and logs by offset, as an agent does, and that it is
heard of (a journal without news is a heartbeat) is all that is known of its life.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection

from sublight.core.errors import Conflict, InvalidInput, NotAllowed, TooLarge
from sublight.core.ids import check_own_id, random_part, slug
from sublight.core.run import EndReason, RunKind, RunStatus
from sublight.core.snapshot import check_path
from sublight.messages.definitions import EndRequest, InteractiveRunRequest
from sublight.messages.nodes import AttemptReport, FileBytes
from sublight.messages.runs import RunView, StoredSize
from sublight.server.clock import Clock
from sublight.server.services import attempts, views
from sublight.server.services.ingest import Ingest
from sublight.server.services.runs import LOCAL_TARGET, check_experiment_name, check_id_is_free, check_run_name
from sublight.store import audit, events, idempotency
from sublight.store import experiments as experiment_rows
from sublight.store import logs as log_rows
from sublight.store import runs as run_rows
from sublight.store.database import Database
from sublight.store.runs import RunRow

if TYPE_CHECKING:
    from sublight.server.caller import Caller
    from sublight.server.services.files import Files

_ATTEMPT = 1  # the process itself; it is never tried again
_LOGS_MAX = 100
_OUTCOMES = {
    "completed": (RunStatus.COMPLETED, EndReason.FINISHED, "its process ended it well"),
    "failed": (RunStatus.FAILED, EndReason.ERROR, "its process says that it failed"),
    "canceled": (RunStatus.CANCELED, EndReason.USER, "canceled by its process"),
}


class InteractiveRuns:
    """The verbs of processes on their own runs. Only whoever started a run may report on it."""

    def __init__(self, database: Database, clock: Clock, *, files: Files, ingest: Ingest) -> None:
        self._database = database
        self._clock = clock
        self._files = files
        self._ingest = ingest
        self._lock = threading.Lock()
        self._last_heard: dict[str, float] = {}
        self._started = clock.monotonic()

    def start(self, caller: Caller, request: InteractiveRunRequest, idempotency_key: str | None = None) -> RunView:
        """Begin a run, at once; the same key with the same request gives the same run again."""
        check_experiment_name(request.experiment)
        check_run_name(request.name)
        if request.id is not None:
            check_own_id(request.id)
        if request.snapshot_id is not None:
            self._files.require_complete(request.snapshot_id)
        key = f"{caller.name} {idempotency_key}" if idempotency_key is not None else None
        body_hash = hashlib.sha256(msgspec.json.encode(request)).hexdigest()
        now = self._clock.now()
        with self._database.write() as connection:
            if key is not None:
                earlier = idempotency.find(connection, key, body_hash, time=now)
                if earlier is not None:
                    return views.run_view(connection, run_rows.get(connection, earlier))
            run_id = self._add(connection, caller, request, now)
            if key is not None:
                idempotency.remember(connection, key, body_hash, run_id, time=now)
            detail = {"experiment": request.experiment}
            audit.append(connection, caller, action="start run", subject=f"run:{run_id}", detail=detail, time=now)
            view = views.run_view(connection, run_rows.get(connection, run_id))
        self._heard(run_id)
        return view

    def _add(self, connection: Connection, caller: Caller, request: InteractiveRunRequest, now: float) -> str:
        if request.id is not None:
            check_id_is_free(connection, request.id, is_sweep=False)
        if request.parent_id is not None:
            _check_parent(run_rows.get(connection, request.parent_id), request.experiment)
        run_id = request.id or f"{slug(request.experiment)}-{random_part(6, secrets.choice)}"
        reason = f"runs in a process of {caller.name}"
        row: dict[str, Any] = {
            "id": run_id,
            "kind": RunKind.INTERACTIVE.value,
            "experiment": request.experiment,
            "name": request.name or run_id,
            "description": request.description,
            "target": LOCAL_TARGET,
            "status": RunStatus.RUNNING.value,
            "reason": reason,
            "created_by": caller.name,
            "created": now,
            "started": now,
            "parent_id": request.parent_id,
            "attempt": _ATTEMPT,
            "definition": {"interactive": {"snapshot_id": request.snapshot_id}},
            "tags": request.tags,
            "properties": request.properties,
        }
        experiment_rows.ensure(connection, request.experiment, time=now)
        run_rows.add(connection, self._database, row)
        attempt = {"run_id": run_id, "number": _ATTEMPT, "node_id": "", "status": "running"}
        run_rows.add_attempt(connection, {**attempt, "placed": now, "started": now})
        events.append(connection, time=now, subject=f"run:{run_id}", kind="running", reason=reason)
        return run_id

    # -- what its process reports -------------------------------------------------------------------------------------

    def store_journal(self, caller: Caller, run_id: str, offset: int, data: bytes) -> StoredSize:
        """Store the complete lines of new journal bytes, each once; without bytes it is a sign of life.

        Answers how far the journal is stored; bytes beyond a gap are not taken, and the sender goes back.
        """
        journal = FileBytes(path="journal", offset=_checked_offset(offset), data=data)
        item = AttemptReport(run_id=run_id, attempt=_ATTEMPT, phase="running", journal=journal)
        now = self._clock.now()
        if not data:
            with self._database.read() as connection:
                _own_row(connection, caller, run_id)
                attempt: Any = run_rows.attempt(connection, run_id, _ATTEMPT)
                size = int(attempt.journal_offset)
        else:
            with self._database.write() as connection:
                row = _own_row(connection, caller, run_id)
                attempt = run_rows.attempt(connection, run_id, _ATTEMPT)
                size, _ = self._ingest.store(connection, row, attempt, item, logs={}, now=now)
        self._heard(run_id)
        return StoredSize(size_bytes=size)

    def store_log(self, caller: Caller, run_id: str, path: str, offset: int, data: bytes) -> StoredSize:
        """Store new bytes of a log, each once; answers how far it is stored."""
        check_path(path)
        log = FileBytes(path=path, offset=_checked_offset(offset), data=data)
        item = AttemptReport(run_id=run_id, attempt=_ATTEMPT, phase="running", logs=[log])
        with self._database.read() as connection:
            _own_row(connection, caller, run_id)
            stored = log_rows.sizes(connection, run_id, _ATTEMPT)
        if path not in stored and len(stored) >= _LOGS_MAX:
            raise TooLarge(f"run {run_id} has {len(stored)} logs, which is the limit; write on in one of them")
        reached = self._ingest.write_logs(item)
        with self._database.write() as connection:
            row = _own_row(connection, caller, run_id)
            attempt = run_rows.attempt(connection, run_id, _ATTEMPT)
            _, sizes = self._ingest.store(connection, row, attempt, item, logs=reached, now=self._clock.now())
        self._heard(run_id)
        return StoredSize(size_bytes=sizes[path])

    def end(self, caller: Caller, run_id: str, request: EndRequest) -> RunView:
        """End a run as its process says; saying the same twice is harmless, and another end than the first a Conflict."""
        now = self._clock.now()
        status, end_reason, sentence = _OUTCOMES[request.status]
        with self._database.write() as connection:
            row = _own_row(connection, caller, run_id, may_have_ended=True)
            if row.status == status.value:
                return views.run_view(connection, row)
            if RunStatus(row.status).is_terminal:
                raise Conflict(f"run {run_id} has ended already ({row.status}: {row.reason})")
            reason = request.message.strip() or sentence
            attempts.end_interactive(connection, self._database, row, status, end_reason, now=now, reason=reason)
            view = views.run_view(connection, run_rows.get(connection, run_id))
        self._forget(run_id)
        return view

    # -- liveness -----------------------------------------------------------------------------------------------------

    def fail_silent(self, silence_seconds: float) -> None:
        """Fail the runs whose process has not been heard of for so long; a server that just started waits as long."""
        with self._database.read() as connection:
            rows = run_rows.unfinished_interactive(connection)
        moment = self._clock.monotonic()
        for row in rows:
            if moment - self._last_heard.get(row.id, self._started) < silence_seconds:
                continue
            with self._database.write() as connection:
                fresh = run_rows.get(connection, row.id)
                # It may have reported, or ended, since the list was read.
                heard = self._last_heard.get(row.id, self._started)
                if fresh.status == RunStatus.RUNNING.value and moment - heard >= silence_seconds:
                    reason = f"its process has not been heard of for {_minutes(silence_seconds)}"
                    attempts.end_interactive(
                        connection,
                        self._database,
                        fresh,
                        RunStatus.FAILED,
                        EndReason.ERROR,
                        now=self._clock.now(),
                        reason=reason,
                    )
        unfinished = {row.id for row in rows}
        for gone in set(self._last_heard) - unfinished:
            # Heard of since the list was read, or ended; in the first case the next pass knows it.
            if moment - self._last_heard.get(gone, moment) >= silence_seconds:
                self._forget(gone)

    def _heard(self, run_id: str) -> None:
        with self._lock:
            self._last_heard[run_id] = self._clock.monotonic()

    def _forget(self, run_id: str) -> None:
        with self._lock:
            self._last_heard.pop(run_id, None)


def _own_row(connection: Connection, caller: Caller, run_id: str, *, may_have_ended: bool = False) -> RunRow:
    """The row of an interactive run on which the caller may report."""
    row = run_rows.get(connection, run_id)
    if row.kind != RunKind.INTERACTIVE.value:
        raise InvalidInput(f"run {run_id} is a {row.kind}, and its node reports on it; only interactive runs report so")
    if row.created_by != caller.name:
        raise NotAllowed(f"run {run_id} is in a process of {row.created_by}; only {row.created_by} can report on it")
    if RunStatus(row.status).is_terminal and not may_have_ended:
        raise Conflict(
            f"run {run_id} has ended ({row.status}: {row.reason}), so what its process still reports is not kept; "
            "start a new run"
        )
    return row


def _check_parent(parent: RunRow, experiment: str) -> None:
    if parent.kind == RunKind.SWEEP.value:
        raise InvalidInput(
            f"the children of sweep {parent.id} are its trials; start the run below one of them or alone"
        )
    if parent.experiment != experiment:
        raise InvalidInput(
            f"a run belongs to the experiment of its parent: {parent.id} is of {parent.experiment!r}, not {experiment!r}"
        )


def _checked_offset(offset: int) -> int:
    if offset < 0:
        raise InvalidInput(f"offset must be 0 or more, got {offset}")
    return offset


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 120 else f"{seconds:g} seconds"
