"""The placement loop: waiting runs meet nodes with room."""

from __future__ import annotations

from sublight.core.placement import ClusterOutlook, NodeRoom, WaitingRun, place
from sublight.core.run import RunStatus
from sublight.core.scaling import NodeState
from sublight.server.clock import Clock
from sublight.server.ports import Silence
from sublight.store import clusters as cluster_rows
from sublight.store import runs as run_rows
from sublight.store.database import Database

_UP = frozenset({NodeState.IDLE.value, NodeState.BUSY.value})


class Placing:
    """Gives queued runs to nodes, cluster by cluster. A node that has been silent for a while gets nothing new."""

    def __init__(self, database: Database, clock: Clock, silence: Silence, *, quiet_seconds: float) -> None:
        self._database = database
        self._clock = clock
        self._silence = silence
        self._quiet_seconds = quiet_seconds
        self._told: dict[str, str] = {}

    def step(self, hints: set[str] | None) -> None:
        """One pass over the clusters for which runs wait."""
        with self._database.read() as connection:
            waiting = run_rows.queued(connection)
        targets = {row.target for row in waiting}
        self._told = {row.id: self._told[row.id] for row in waiting if row.id in self._told}
        if hints is not None:
            targets &= {hint.removeprefix("cluster:") for hint in hints if hint.startswith("cluster:")}
        for target in sorted(targets):
            self._place(target)

    def _place(self, target: str) -> None:
        now = self._clock.now()
        with self._database.write() as connection:
            cluster = cluster_rows.find(connection, target)
            if cluster is None:
                return
            nodes = cluster_rows.live_nodes(connection, target)
            ready = [node for node in nodes if node.state in _UP and self._silence(node.id) < self._quiet_seconds]
            shares: dict[str, list[int]] = {node.id: [] for node in ready}
            for node_id, _run_id, share in run_rows.all_open_attempts(connection, list(shares)):
                shares[node_id].append(share or 1)
            waiting = run_rows.queued(connection, target)
            rooms = [NodeRoom(node.id, tuple(shares[node.id])) for node in ready]
            outlook = ClusterOutlook(
                name=target,
                max_nodes=cluster.max_nodes,
                nodes_starting=sum(node.state == NodeState.STARTING.value for node in nodes),
                nodes_up=len(ready),
            )
            placement = place([WaitingRun(row.id, row.trials_per_node or 1) for row in waiting], rooms, outlook)
            rows = {row.id: row for row in waiting}
            incarnations = {node.id: node.incarnation for node in ready}
            for run_id, node_id, reason in placement.assignments:
                row = rows[run_id]
                number = row.attempt + 1
                run_rows.add_attempt(
                    connection,
                    {
                        "run_id": run_id,
                        "number": number,
                        "node_id": node_id,
                        "incarnation": incarnations[node_id],
                        "status": "placed",
                        "placed": now,
                    },
                )
                cluster_rows.change_node(connection, node_id, idle_since=None)
                run_rows.move(
                    connection,
                    self._database,
                    row,
                    RunStatus.PREPARING,
                    time=now,
                    reason=reason,
                    attempt=number,
                    node_id=node_id,
                )
                self._database.next_change(f"node:{node_id}")
                self._told.pop(run_id, None)
            for run_id, reason in placement.waiting.items():
                if self._told.get(run_id) != reason and rows[run_id].reason != reason:
                    run_rows.change(connection, self._database, rows[run_id], reason=reason)
                self._told[run_id] = reason
