"""How an attempt ends, whoever notices it: the agent that reports it, or the loop that finds its node gone."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, func, select

from sublight.core.run import EndReason, RunKind, RunStatus
from sublight.messages.definitions import ScriptDefinition
from sublight.server.services import views
from sublight.store import clusters as cluster_rows
from sublight.store import runs as run_rows
from sublight.store import tables
from sublight.store.database import Database
from sublight.store.runs import RunRow

# The status of an attempt that ended because the server was away. It counts as no retry.
INTERRUPTED = "interrupted"


def definition_of(connection: Connection, row: RunRow) -> ScriptDefinition:
    """The script that a run executes; a trial's stands in its sweep."""
    if row.kind == "trial":
        return views.sweep_of(run_rows.get(connection, row.parent_id)).trial
    return views.script_of(row)


def close(
    connection: Connection,
    database: Database,
    row: RunRow,
    attempt: Any,
    *,
    status: str,
    now: float,
    reason: str,
    exit_code: int | None = None,
) -> dict[str, Any]:
    """Close an attempt and free its place on the node; returns the run's columns for the time and price it used."""
    run_rows.change_attempt(
        connection,
        row.id,
        attempt.number,
        is_open=False,
        status=status,
        ended=now,
        exit_code=exit_code,
        reason=reason,
    )
    still_open = connection.scalar(
        select(func.count())
        .select_from(tables.attempts)
        .where(tables.attempts.c.node_id == attempt.node_id, tables.attempts.c.is_open.is_(True))
    )
    if not still_open:
        cluster_rows.change_node(connection, attempt.node_id, idle_since=now)
    database.next_change(f"node:{attempt.node_id}", f"cluster:{row.target}")
    seconds = row.node_seconds + max(0.0, now - attempt.placed) / max(1, row.trials_per_node or 1)
    price = row.target_facts.get("price_per_hour")
    return {"node_seconds": seconds, "price": None if price is None else seconds * float(price) / 3600}


def lose(
    connection: Connection,
    database: Database,
    row: RunRow,
    attempt: Any,
    *,
    now: float,
    reason: str,
    is_retry: bool = True,
) -> None:
    """The node of an attempt is gone: the run waits again, or ends when it was to be stopped or has no retry left.

    What the lost attempt had reported is dropped, because the next attempt reports from the start. ``is_retry`` False:
    the server was away, not the node, so starting again uses up none of the run's retries.
    """
    status = "lost" if is_retry else INTERRUPTED
    used = close(connection, database, row, attempt, status=status, now=now, reason=reason)
    if row.status == RunStatus.STOPPING.value:
        end_reason = row.stop_end_reason or EndReason.USER.value
        run_rows.move(
            connection, database, row, RunStatus.CANCELED, time=now, reason=row.reason, end_reason=end_reason, **used
        )
        return
    earlier = run_rows.attempts_of(connection, row.id)
    attempts_max = 1 + definition_of(connection, row).retries_max + sum(one.status == INTERRUPTED for one in earlier)
    if attempt.number >= attempts_max:
        sentence = f"{reason}; attempt {attempt.number} was the last of {attempts_max}"
        end_reason = EndReason.NODE_LOST.value
        run_rows.move(
            connection, database, row, RunStatus.FAILED, time=now, reason=sentence, end_reason=end_reason, **used
        )
        return
    end_children(connection, database, row, RunStatus.CANCELED, EndReason.NODE_LOST, now=now)
    forget_reports(connection, row.id)
    sentence = f"{reason}; waits for attempt {attempt.number + 1} of at most {attempts_max}"
    inputs = {"attempt": attempt.number, "node": attempt.node_id}
    run_rows.move(
        connection,
        database,
        row,
        RunStatus.QUEUED,
        time=now,
        reason=sentence,
        inputs=inputs,
        node_id=None,
        started=None,
        best_value=None,
        **used,
    )


def end_children(
    connection: Connection, database: Database, row: RunRow, status: RunStatus, end_reason: EndReason, *, now: float
) -> None:
    """End the child runs that a script made and did not end itself, as the script ended.

    An interactive run below it has a process of its own, and so its own end.
    """
    if row.kind == RunKind.SWEEP.value:
        return
    for child in run_rows.children(connection, row.id):
        if child.kind == RunKind.CHILD.value and not RunStatus(child.status).is_terminal:
            reason = f"its script, run {row.id}, ended"
            values: dict[str, Any] = {"end_reason": end_reason.value}
            run_rows.move(connection, database, child, status, time=now, reason=reason, **values)


def end_interactive(
    connection: Connection,
    database: Database,
    row: RunRow,
    status: RunStatus,
    end_reason: EndReason,
    *,
    now: float,
    reason: str,
) -> None:
    """End an interactive run with its children; no node is involved."""
    run_rows.change_attempt(
        connection, row.id, row.attempt, is_open=False, status=status.value, ended=now, reason=reason
    )
    end_children(connection, database, row, status, end_reason, now=now)
    values: dict[str, Any] = {"end_reason": end_reason.value}
    run_rows.move(connection, database, row, status, time=now, reason=reason, **values)


def forget_reports(connection: Connection, run_id: str) -> None:
    """Drop all metrics, records and artifacts of a run, and its script's names for child runs."""
    for table in (tables.metrics, tables.metric_chunks, tables.records, tables.artifacts, tables.script_children):
        connection.execute(delete(table).where(table.c.run_id == run_id))
