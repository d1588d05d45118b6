"""Storing what a script wrote: journal and logs by byte offset, in the transaction of the report that carried them."""

from __future__ import annotations

import functools
import math
import re
import secrets
from typing import Any

from sqlalchemy import Connection

from sublight.core.amounts import counted
from sublight.core.ids import ID_LENGTH_MAX, child_id, random_part
from sublight.core.metric import Goal
from sublight.core.run import EndReason, RunKind, RunStatus
from sublight.messages.nodes import AttemptReport, FileBytes
from sublight.server.services import views
from sublight.server.services.journal import Entries, read_entries
from sublight.store import events
from sublight.store import logs as log_rows
from sublight.store import metrics as metric_rows
from sublight.store import runs as run_rows
from sublight.store.artifacts import child_folder
from sublight.store.database import Database
from sublight.store.logs import LogFiles
from sublight.store.runs import RunRow

_LOCAL_ID = re.compile(r"[a-z0-9]{1,16}")
_CHILD_STATUSES = {
    "completed": (RunStatus.COMPLETED, EndReason.FINISHED),
    "failed": (RunStatus.FAILED, EndReason.ERROR),
    "canceled": (RunStatus.CANCELED, EndReason.USER),
}


class Ingest:
    """Journal and log bytes become points, records, notes and log files, each byte exactly once."""

    def __init__(self, database: Database, log_files: LogFiles) -> None:
        self._database = database
        self._log_files = log_files
        self._goal_of_sweep = functools.lru_cache(maxsize=256)(self._load_goal)

    def store(
        self,
        connection: Connection,
        row: RunRow,
        attempt: Any,
        item: AttemptReport,
        *,
        logs: dict[str, int],
        now: float,
    ) -> tuple[int, dict[str, int]]:
        """Store the new bytes of an attempt; ``logs`` is what ``write_logs`` said.

        Returns how far its journal and each of its logs are stored now.
        """
        journal = attempt.journal_offset
        if item.journal is not None:
            data = _unseen(item.journal, journal)
            complete = data[: data.rfind(b"\n") + 1]
            # A last line that was cut off (the disk was full, the script was killed) holds half a record.
            is_torn = item.phase == "finished" and len(complete) < len(data)
            if complete or is_torn:
                self._store_journal(connection, row, attempt, complete, now, torn_lines=int(is_torn))
                journal += len(data) if is_torn else len(complete)
                run_rows.change_attempt(connection, row.id, attempt.number, journal_offset=journal)
        for path, size in logs.items():
            log_rows.store_size(connection, row.id, attempt.number, path, size)
        if item.logs and item.journal is None:
            self._database.next_change(f"run:{row.id}")
        return journal, logs

    def write_logs(self, item: AttemptReport) -> dict[str, int]:
        """Write the new log bytes of an attempt to their files; returns how far each reaches.

        Done before the report's transaction, which then stores the sizes: the sync of a file on a slow disk must not hold
        up every other writer. Writing is by offset, so bytes written twice, or before a crash, do no harm. A log whose
        file is shorter than was stored (somebody removed it) is asked for again from there.
        """
        reached: dict[str, int] = {}
        if not item.logs:
            return reached
        with self._database.read() as connection:
            stored = log_rows.sizes(connection, item.run_id, item.attempt)
        for log in item.logs:
            size = min(stored.get(log.path, 0), self._log_files.size(item.run_id, item.attempt, log.path))
            data = _unseen(log, size)
            if data:
                self._log_files.write_at(item.run_id, item.attempt, log.path, size, data)
            reached[log.path] = size + len(data)
        return reached

    def _store_journal(
        self, connection: Connection, row: RunRow, attempt: Any, data: bytes, now: float, *, torn_lines: int
    ) -> None:
        children: dict[str, RunRow | None] = {}

        def count_before(child: str | None, name: str) -> int:
            target = row if child is None else self._child(connection, row, child, children)
            if target is None:
                return 0
            return metric_rows.counts(connection, [target.id], name).get(target.id, 0)

        entries = read_entries(data, count_before)
        for note in entries.notes:
            self._store_note(connection, row, attempt, note, children, now)
        for child, batches in entries.points.items():
            target = row if child is None else self._child(connection, row, child, children)
            if target is not None and batches:
                metric_rows.append(connection, self._database, target.id, batches)
        self._store_records(connection, row, entries, children)
        unreadable = entries.unreadable_lines + torn_lines
        if unreadable:
            were = "was" if unreadable == 1 else "were"
            reason = f"{counted(unreadable, 'line')} of its journal could not be read and {were} left out"
            events.append(connection, time=now, subject=f"run:{row.id}", kind="journal", reason=reason)
        self._touch(connection, row, entries)

    def _touch(self, connection: Connection, row: RunRow, entries: Entries) -> None:
        """Announce the run's news; keep the best value of a trial's primary metric."""
        values: dict[str, Any] = {}
        own = entries.points.get(None, {})
        goal = self._goal_of_sweep(row.parent_id) if row.kind == RunKind.TRIAL.value else None
        if goal is not None and goal.metric in own:
            # Infinities are kept as points but are no result: a diverged trial must not win.
            best = goal.best(value for value in own[goal.metric].values if math.isfinite(value))
            if best is not None and goal.is_better(best, row.best_value):
                values["best_value"] = best
        run_rows.change(connection, self._database, row, **values)

    def _store_records(
        self, connection: Connection, row: RunRow, entries: Entries, children: dict[str, RunRow | None]
    ) -> None:
        rows = []
        for record in entries.records:
            child = record.pop("child")
            target = row if child is None else self._child(connection, row, child, children)
            if target is not None:
                if child is not None and record["kind"] == "image":
                    record["content"] = _below_child(record["content"], child)
                rows.append({"run_id": target.id, **record})
        metric_rows.add_records(connection, rows)

    def _store_note(
        self,
        connection: Connection,
        row: RunRow,
        attempt: Any,
        note: dict[str, Any],
        children: dict[str, RunRow | None],
        now: float,
    ) -> None:
        kind, name, content = note.get("kind"), str(note.get("name", "")), note.get("content")
        local = note.get("child")
        target = row if local is None or kind == "child" else self._child(connection, row, str(local), children)
        if target is None:
            return
        target = run_rows.get(connection, target.id)
        if kind == "tag":
            run_rows.change(connection, self._database, target, tags={**target.tags, name: str(content)})
        elif kind == "property":
            # A property is a fact: its first value stays.
            run_rows.change(connection, self._database, target, properties={name: str(content), **target.properties})
        elif kind == "fail":
            message = str((content or {}).get("message", "no message"))
            if target.id == row.id:
                run_rows.change_attempt(connection, row.id, attempt.number, reason=message)
            elif not RunStatus(target.status).is_terminal:
                run_rows.change(connection, self._database, target, reason=message)
        elif kind == "child" and isinstance(content, dict):
            self._start_child(connection, row, content, now)
        elif kind == "child_end" and isinstance(content, dict):
            ended = self._child(connection, row, str(content.get("child")), children)
            outcome = _CHILD_STATUSES.get(str(content.get("status")))
            if ended is not None and outcome is not None and not RunStatus(ended.status).is_terminal:
                status, end_reason = outcome
                ended = run_rows.get(connection, ended.id)
                said = ended.reason if ended.reason != _child_start(row.id) else ""
                reason = str(content.get("message") or said or "ended by the script")
                values: dict[str, Any] = {"end_reason": end_reason.value}
                run_rows.move(connection, self._database, ended, status, time=now, reason=reason, **values)
                children.pop(str(content.get("child")), None)

    def _start_child(self, connection: Connection, row: RunRow, content: dict[str, Any], now: float) -> None:
        local = str(content.get("child"))[:64]
        if run_rows.script_child(connection, row.id, local) is not None:
            return
        new_id = child_id(row.id, local)
        if not _LOCAL_ID.fullmatch(local) or len(new_id) > ID_LENGTH_MAX or run_rows.exists(connection, new_id):
            new_id = child_id(row.id, f"c{random_part(6, secrets.choice)}")
        child = {
            "id": new_id,
            "kind": RunKind.CHILD.value,
            "experiment": row.experiment,
            "name": str(content.get("name") or new_id)[:200],
            "target": row.target,
            "status": RunStatus.RUNNING.value,
            "reason": _child_start(row.id),
            "created_by": row.created_by,
            "created": now,
            "started": now,
            "parent_id": row.id,
        }
        run_rows.add(connection, self._database, child)
        run_rows.add_script_child(connection, row.id, local, new_id)

    def _child(
        self, connection: Connection, row: RunRow, local: str, children: dict[str, RunRow | None]
    ) -> RunRow | None:
        if children.get(local) is None:
            known_id = run_rows.script_child(connection, row.id, local)
            children[local] = run_rows.get(connection, known_id) if known_id is not None else None
        return children[local]

    def forget_goals(self) -> None:
        """Remember no sweep's goal: sweeps were deleted, and their ids may come again with another one."""
        self._goal_of_sweep.cache_clear()

    def _load_goal(self, sweep_id: str) -> Goal:
        with self._database.read() as connection:
            return views.goal_of(views.sweep_of(run_rows.get(connection, sweep_id)))


def _child_start(run_id: str) -> str:
    return f"started by the script of {run_id}"


def _below_child(content: Any, child: str) -> Any:
    """The content of a child's image with its path among the child's own files (see ``store/artifacts``)."""
    if not isinstance(content, dict) or not isinstance(content.get("path"), str):
        return content
    return {**content, "path": content["path"].removeprefix(child_folder(child))}


def _unseen(file: FileBytes, stored: int) -> bytes:
    """The part of the bytes that is not stored yet; nothing when there is a gap before them (the sender goes back)."""
    return file.data[stored - file.offset :] if file.offset <= stored else b""
