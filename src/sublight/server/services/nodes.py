"""The server's side of the talk with agents: hello, orders, report (protocol: messages/nodes)."""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from sublight.core.arguments import script_arguments
from sublight.core.errors import Conflict, NotFound
from sublight.core.run import EndReason, RunStatus
from sublight.core.scaling import NodeState
from sublight.core.search_space import SearchSpace
from sublight.messages.definitions import ScriptDefinition, SnapshotFile
from sublight.messages.nodes import (
    AttemptReport,
    Hello,
    Order,
    Orders,
    Report,
    ReportAnswer,
    StoredOffsets,
    Welcome,
)
from sublight.server.changes import NodeSignals
from sublight.server.clock import Clock
from sublight.server.run_tokens import RunTokens
from sublight.server.services import attempts, views
from sublight.server.services.clusters import LOCAL_NAME
from sublight.server.services.ingest import Ingest
from sublight.server.settings import Settings
from sublight.store import clusters as cluster_rows
from sublight.store import runs as run_rows
from sublight.store.database import Database
from sublight.store.runs import RunRow

if TYPE_CHECKING:
    from sublight.server.services.files import Files

_HEARTBEAT_STORED_SECONDS = 5.0


@dataclass(frozen=True)
class _Accepted:
    run: RunRow
    attempt: Any


class Nodes:
    """The verbs of agents. ``last_heard`` (monotonic seconds by node) is what leases are judged by."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        settings: Settings,
        signals: NodeSignals,
        files: Files,
        ingest: Ingest,
        run_tokens: RunTokens,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._signals = signals
        self._files = files
        self._ingest = ingest
        self._run_tokens = run_tokens
        self._lock = threading.Lock()
        self._last_heard: dict[str, float] = {}
        self._stored_heartbeat: dict[str, float] = {}
        self._started = clock.monotonic()
        self._started_at = clock.now()
        self._definition_of_sweep = functools.lru_cache(maxsize=256)(self._load_sweep_definition)
        self._names_of_sweep = functools.lru_cache(maxsize=256)(self._load_names)
        self._snapshot_files = functools.lru_cache(maxsize=64)(self._load_snapshot_files)

    def last_heard(self, node_id: str) -> float:
        """When the node was last heard of (monotonic); a server that just started gives everyone its own start."""
        return max(self._last_heard.get(node_id, self._started), self._started)

    def hello(self, node_id: str, hello: Hello) -> Welcome:
        """An agent begins a life on its node. Attempts of an earlier life there are lost."""
        # Before the node shows as idle: a fleet pass in between must not find it silent.
        self._heard(node_id)
        now = self._clock.now()
        with self._database.write() as connection:
            node = cluster_rows.find_node(connection, node_id)
            if node is None:
                raise NotFound(f"there is no node {node_id!r}; it was removed")
            if node.state in (NodeState.GONE.value, NodeState.UNUSABLE.value):
                raise Conflict(f"node {node_id} is {node.state} and takes no agent any more: {node.reason}")
            if node.incarnation != hello.incarnation:
                for attempt in run_rows.open_attempts(connection, node_id):
                    row = run_rows.get(connection, attempt.run_id)
                    reason = f"the agent of node {node_id} was restarted"
                    attempts.lose(connection, self._database, row, attempt, now=now, reason=reason)
            if node.state == NodeState.LEAVING.value:
                cluster_rows.change_node(connection, node_id, incarnation=hello.incarnation, host=hello.host)
            else:
                cluster_rows.move_node(
                    connection,
                    self._database,
                    node,
                    NodeState.IDLE,
                    time=now,
                    reason="its agent is up",
                    incarnation=hello.incarnation,
                    host=hello.host,
                    ready=node.ready or now,
                    idle_since=now,
                    last_heartbeat=now,
                )
        return Welcome(
            lease_seconds=self._settings.lease_seconds,
            stop_grace_seconds=self._settings.stop_grace_seconds,
            poll_seconds=self._settings.poll_seconds,
            environments_limit_mb=self._settings.environments_limit_mb,
        )

    def goodbye(self, node_id: str, incarnation: str) -> None:
        """An agent ends its life; what it still had is lost."""
        now = self._clock.now()
        with self._database.write() as connection:
            node = self._own_node(connection, node_id, incarnation)
            for attempt in run_rows.open_attempts(connection, node_id):
                row = run_rows.get(connection, attempt.run_id)
                reason = f"the agent of node {node_id} has left"
                attempts.lose(connection, self._database, row, attempt, now=now, reason=reason)
            reason = node.reason if node.state == NodeState.LEAVING.value else "its agent has left"
            cluster_rows.move_node(connection, self._database, node, NodeState.GONE, time=now, reason=reason, ended=now)

    # -- orders -------------------------------------------------------------------------------------------------------

    async def wait_for_orders(self, node_id: str, version: int, wait_seconds: float) -> None:
        """Return when the node's orders are newer than ``version``, or after the time."""
        if version == self._signals.version(node_id):
            await self._signals.wait(node_id, version, min(wait_seconds, 60.0))

    def orders(self, node_id: str, incarnation: str) -> Orders:
        """Everything that the node should have now."""
        version = self._signals.version(node_id)
        with self._database.read() as connection:
            node = self._own_node(connection, node_id, incarnation)
            present = run_rows.open_attempts(connection, node_id)
            orders = [
                self._order(connection, attempt, runs_now=len(present))
                for attempt in present
                if attempt.incarnation == incarnation
            ]
        self._heard(node_id)
        return Orders(version=version, leave=node.state == NodeState.LEAVING.value, orders=orders)

    def _order(self, connection: Connection, attempt: Any, *, runs_now: int) -> Order:
        row = run_rows.get(connection, attempt.run_id)
        script = self._definition_of_sweep(row.parent_id) if row.kind == "trial" else views.script_of(row)
        names = self._names_of_sweep(row.parent_id) if row.kind == "trial" and script.command else ()
        line = views.command_line(script, row.parameters, names)
        if line is not None:
            argv = ["{shell}", "-c", line]
        else:
            assert script.script is not None
            words = script_arguments(script.arguments, row.parameters)
            argv = ["{python}", *script.interpreter_arguments, script.script, *words]
        is_stopping = row.status == RunStatus.STOPPING.value
        return Order(
            run_id=row.id,
            attempt=attempt.number,
            action="stop" if is_stopping else "run",
            stop_reason=row.reason if is_stopping else "",
            snapshot_id=script.snapshot_id,
            snapshot_files=self._snapshot_files(script.snapshot_id),
            argv=argv,
            environment=script.environment,
            environment_spec=script.environment_spec,
            environment_variables={**self._settings.environment, **script.environment_variables},
            max_run_seconds=script.max_run_seconds,
            experiment=row.experiment,
            parent_id=row.parent_id,
            # The local target may be shared by many runs, and mostly is not: those that are there divide it.
            share=runs_now if row.target == LOCAL_NAME else row.trials_per_node or 1,
            run_token=self._run_tokens.issue(row.id, attempt.number, attempt.placed)
            if script.needs_workspace_access
            else "",
            annotations=script.annotations,
        )

    def forget_definitions(self) -> None:
        """Remember no sweep's definition: sweeps were deleted, and their ids may come again with another one."""
        self._definition_of_sweep.cache_clear()
        self._names_of_sweep.cache_clear()

    def _load_sweep_definition(self, sweep_id: str) -> ScriptDefinition:
        with self._database.read() as connection:
            return views.sweep_of(run_rows.get(connection, sweep_id)).trial

    def _load_names(self, sweep_id: str) -> tuple[str, ...]:
        with self._database.read() as connection:
            return SearchSpace.from_json(views.sweep_of(run_rows.get(connection, sweep_id)).space).names

    def _load_snapshot_files(self, snapshot_id: str) -> list[SnapshotFile]:
        return self._files.snapshot(snapshot_id).files

    # -- report -------------------------------------------------------------------------------------------------------

    def report(self, node_id: str, report: Report) -> ReportAnswer:
        """Store what is new on a node, all of it in one transaction; stale facts change nothing."""
        answers: list[StoredOffsets] = []
        now = self._clock.now()
        if not report.attempts:
            with self._database.read() as connection:
                self._own_node(connection, node_id, report.incarnation)
        else:
            logs = self._write_logs(node_id, report)
            with self._database.write() as connection:
                self._own_node(connection, node_id, report.incarnation)
                for item in report.attempts:
                    reached = logs.get((item.run_id, item.attempt), {})
                    answers.append(self._store(connection, node_id, report.incarnation, item, reached, now))
        self._heard(node_id)
        self._store_heartbeat(node_id, now)
        return ReportAnswer(attempts=answers)

    def check_attempt(self, connection: Connection, node_id: str, incarnation: str, run_id: str, number: int) -> None:
        """Conflict unless this attempt is the one that counts and is on this node in this life (for artifacts)."""
        self._own_node(connection, node_id, incarnation)
        if self._accepted(connection, node_id, incarnation, run_id, number) is None:
            raise Conflict(f"attempt {number} of run {run_id} does not count any more")

    def _accepted(
        self, connection: Connection, node_id: str, incarnation: str, run_id: str, number: int
    ) -> _Accepted | None:
        attempt = run_rows.attempt(connection, run_id, number)
        if attempt is None or not attempt.is_open:
            return None
        if attempt.node_id != node_id or attempt.incarnation != incarnation:
            return None
        row = run_rows.get(connection, run_id)
        return _Accepted(row, attempt) if row.attempt == number else None

    def _write_logs(self, node_id: str, report: Report) -> dict[tuple[str, int], dict[str, int]]:
        with self._database.read() as connection:
            self._own_node(connection, node_id, report.incarnation)
            counting = [
                item
                for item in report.attempts
                if item.logs
                and self._accepted(connection, node_id, report.incarnation, item.run_id, item.attempt) is not None
            ]
        return {(item.run_id, item.attempt): self._ingest.write_logs(item) for item in counting}

    def _store(
        self,
        connection: Connection,
        node_id: str,
        incarnation: str,
        item: AttemptReport,
        logs: dict[str, int],
        now: float,
    ) -> StoredOffsets:
        accepted = self._accepted(connection, node_id, incarnation, item.run_id, item.attempt)
        if accepted is None:
            return StoredOffsets(run_id=item.run_id, attempt=item.attempt, superseded=True, journal=0, logs={})
        journal, sizes = self._ingest.store(connection, accepted.run, accepted.attempt, item, logs=logs, now=now)
        # The end waits for the bytes that are not here: the agent goes back to where this answer says, and says it again.
        if item.phase != "finished" or all(sizes.get(log.path, 0) >= log.offset + len(log.data) for log in item.logs):
            self._move(connection, accepted, item, now)
        return StoredOffsets(run_id=item.run_id, attempt=item.attempt, superseded=False, journal=journal, logs=sizes)

    def _move(self, connection: Connection, accepted: _Accepted, item: AttemptReport, now: float) -> None:
        row, attempt = accepted.run, accepted.attempt
        status = RunStatus(row.status)
        if item.phase == "finished":
            # The ingest may have noted run.fail() on the attempt in this very report.
            attempt = run_rows.attempt(connection, row.id, attempt.number)
            self._finish(connection, row, attempt, item, now)
        elif item.phase == "finishing" and status in (RunStatus.PREPARING, RunStatus.RUNNING, RunStatus.LOST):
            reason = "its process has ended; its files are on their way"
            values: dict[str, Any] = {"started": row.started or item.started}
            run_rows.move(connection, self._database, row, RunStatus.FINISHING, time=now, reason=reason, **values)
        elif item.phase == "preparing" and item.message and status is RunStatus.PREPARING:
            run_rows.change(connection, self._database, row, reason=item.message)
        elif item.phase == "running" and status in (RunStatus.PREPARING, RunStatus.LOST):
            started = item.started or now
            run_rows.change_attempt(connection, row.id, attempt.number, status="running", started=started)
            reason = f"runs on node {attempt.node_id}"
            run_rows.move(connection, self._database, row, RunStatus.RUNNING, time=now, reason=reason, started=started)

    def _finish(self, connection: Connection, row: RunRow, attempt: Any, item: AttemptReport, now: float) -> None:
        if item.end == "stopped" and row.status != RunStatus.STOPPING.value:
            # The node stopped it by itself (its lease lapsed, or it was told to go): nothing is wrong with the run.
            reason = item.message or f"node {attempt.node_id} stopped it"
            is_retry = not self._is_from_before(attempt, item.ended or now)
            attempts.lose(connection, self._database, row, attempt, now=now, reason=reason, is_retry=is_retry)
            return
        status, end_reason, reason = _outcome(row, attempt, item)
        used = attempts.close(
            connection,
            self._database,
            row,
            attempt,
            status=status.value,
            now=now,
            reason=reason,
            exit_code=item.exit_code,
        )
        started = row.started or item.started
        run_rows.change_attempt(connection, row.id, attempt.number, started=attempt.started or started)
        attempts.end_children(connection, self._database, row, status, end_reason, now=now)
        run_rows.move(
            connection,
            self._database,
            row,
            status,
            time=now,
            reason=reason,
            end_reason=end_reason.value,
            exit_code=item.exit_code,
            started=started,
            ended=item.ended or now,
            **used,
        )

    def _is_from_before(self, attempt: Any, ended: float) -> bool:
        """True when the node let go of an attempt for lack of a server: its lease was the last server process's."""
        return bool(attempt.placed < self._started_at and ended < self._started_at + self._settings.lease_seconds)

    # -- liveness -----------------------------------------------------------------------------------------------------

    def _own_node(self, connection: Connection, node_id: str, incarnation: str) -> cluster_rows.NodeRow:
        node = cluster_rows.find_node(connection, node_id)
        if node is None or node.incarnation != incarnation or node.state == NodeState.GONE.value:
            raise Conflict(f"another life of node {node_id} has begun, or it was removed; this agent must end")
        return node

    def _heard(self, node_id: str) -> None:
        with self._lock:
            self._last_heard[node_id] = self._clock.monotonic()

    def _store_heartbeat(self, node_id: str, now: float) -> None:
        if now - self._stored_heartbeat.get(node_id, 0.0) < _HEARTBEAT_STORED_SECONDS:
            return
        self._stored_heartbeat[node_id] = now
        with self._database.write() as connection:
            cluster_rows.change_node(connection, node_id, last_heartbeat=now)


def _outcome(row: RunRow, attempt: Any, item: AttemptReport) -> tuple[RunStatus, EndReason, str]:
    """What a finished attempt makes of its run."""
    if row.status == RunStatus.STOPPING.value and not (item.end == "exited" and item.exit_code == 0):
        return RunStatus.CANCELED, EndReason(row.stop_end_reason or EndReason.USER), row.reason
    # What the script said of its own failure comes first; what the node has to add stands behind it.
    said = f"the script called run.fail: {attempt.reason}" if attempt.reason else ""
    if item.end == "timeout":
        return RunStatus.CANCELED, EndReason.TIMEOUT, _joined(item.message or "its time limit was over", said)
    if item.end == "exited" and item.exit_code == 0:
        if said:
            return RunStatus.FAILED, EndReason.ERROR, _joined(said, item.message)
        return RunStatus.COMPLETED, EndReason.FINISHED, _joined("the script ended well", item.message)
    if item.end == "exited":
        how = item.message or f"the script ended with exit code {item.exit_code}"
        return RunStatus.FAILED, EndReason.ERROR, _joined(said, how)
    return RunStatus.FAILED, EndReason.ERROR, item.message or "the script could not be started"


def _joined(*sentences: str) -> str:
    return "; ".join(filter(None, sentences))
