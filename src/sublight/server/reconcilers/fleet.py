"""The fleet loop: how many nodes each cluster should have, starting and stopping them, and noticing that they are gone."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
from sqlalchemy import Connection

from sublight.core.ids import random_part
from sublight.core.placement import ClusterOutlook, NodeRoom, WaitingRun, nodes_needed, place
from sublight.core.run import RunStatus
from sublight.core.scaling import ClusterLimits, NodeFacts, NodeState, ScalingDecision, scale
from sublight.core.sizes import Size
from sublight.server.clock import Clock
from sublight.server.ports import NodeSupply, NodeTokens, Silence
from sublight.server.services import attempts
from sublight.server.settings import Settings
from sublight.store import clusters as cluster_rows
from sublight.store import events
from sublight.store import runs as run_rows
from sublight.store.clusters import ClusterRow, NodeRow
from sublight.store.database import Database

_log = logging.getLogger("sublight.reconcilers.fleet")

_WORKING = frozenset({NodeState.IDLE.value, NodeState.BUSY.value, NodeState.LOST.value, NodeState.LEAVING.value})
# After this many nodes in a row that did not come up, a cluster waits before it tries again.
_FAILED_STARTS_MAX = 3
_RETRY_SECONDS = 60.0


class Fleet:
    """Keeps nodes as they should be. Calls engines only outside of transactions; each step may run twice."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        settings: Settings,
        supplies: Mapping[str, NodeSupply],
        tokens: NodeTokens,
        silence: Silence,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._supplies = supplies
        self._tokens = tokens
        self._silence = silence
        self._failed_starts: dict[str, tuple[int, float]] = {}
        self._started_at = clock.now()

    def step(self, _hints: set[str] | None) -> None:
        """One pass over all clusters."""
        with self._database.read() as connection:
            clusters = cluster_rows.all_clusters(connection)
            unswept = cluster_rows.nodes_to_sweep(connection)
        for node, engine in unswept:
            self._sweep(node, engine)
        for cluster in clusters:
            self._bury_the_dead(cluster)
            self._scale(cluster)

    # -- noticing that nodes are gone -----------------------------------------------------------------------------------

    def _bury_the_dead(self, cluster: ClusterRow) -> None:
        supply = self._supplies.get(cluster.engine)
        with self._database.read() as connection:
            nodes = cluster_rows.live_nodes(connection, cluster.name)
        handles = {node.id: node.handle for node in nodes if node.handle is not None}
        # Asked also when there is none: an engine collects what has ended on this occasion.
        dead = supply.dead_nodes(handles) if supply is not None else {}
        for node in nodes:
            if node.state in (NodeState.IDLE.value, NodeState.BUSY.value):
                self._forget_failed_starts(cluster.name, node)
            if node.state == NodeState.UNUSABLE.value:
                self._retire_unusable(node)
            elif node.id in dead:
                # The engine says that the process is gone, so its runs may go on elsewhere at once, but only after
                # whatever it left behind is ended.
                if self._stop(cluster.engine, node) or self._silence(node.id) > self._settings.replace_seconds:
                    is_new = node.state == NodeState.STARTING.value
                    self._end_node(node, NodeState.UNUSABLE if is_new else NodeState.GONE, dead[node.id])
                    if is_new:
                        self._count_failed_start(cluster.name)
            elif node.state == NodeState.STARTING.value:
                self._check_start(cluster, node)
            elif node.state in _WORKING:
                self._check_silence(cluster, node)

    def _check_start(self, cluster: ClusterRow, node: NodeRow) -> None:
        waited = self._clock.now() - node.started
        if waited > self._settings.start_seconds or node.handle is None:
            if node.handle is None and waited < 5:
                return  # it is being started right now
            self._stop(cluster.engine, node)
            self._end_node(node, NodeState.UNUSABLE, f"its agent did not come up within {waited:.0f} s")
            self._count_failed_start(cluster.name)

    def _retire_unusable(self, node: NodeRow) -> None:
        """A node that never worked is shown for a while with its reason, then it is history."""
        now = self._clock.now()
        if now - (node.ended or node.started) < _RETRY_SECONDS:
            return
        with self._database.write() as connection:
            cluster_rows.move_node(connection, self._database, node, NodeState.GONE, time=now, reason=node.reason)

    def _check_silence(self, cluster: ClusterRow, node: NodeRow) -> None:
        silent = self._silence(node.id)
        if silent > self._settings.replace_seconds:
            self._stop(cluster.engine, node)
            reason = f"not heard of for {silent:.0f} s; its lease of {self._settings.lease_seconds:.0f} s is over"
            self._end_node(node, NodeState.GONE, reason)
        elif silent > 3 * self._settings.poll_seconds and node.state in (NodeState.IDLE.value, NodeState.BUSY.value):
            reason = f"not heard of for {silent:.0f} s; given up after {self._settings.replace_seconds:.0f} s"
            self._mark_lost(node, reason)
        elif silent < self._settings.poll_seconds and node.state == NodeState.LOST.value:
            self._mark_found(node)

    def _mark_lost(self, node: NodeRow, reason: str) -> None:
        now = self._clock.now()
        with self._database.write() as connection:
            cluster_rows.move_node(connection, self._database, node, NodeState.LOST, time=now, reason=reason)
            for attempt in run_rows.open_attempts(connection, node.id):
                row = run_rows.get(connection, attempt.run_id)
                if row.status in (RunStatus.PREPARING.value, RunStatus.RUNNING.value):
                    sentence = f"node {node.id} is silent: {reason}"
                    run_rows.move(connection, self._database, row, RunStatus.LOST, time=now, reason=sentence)

    def _mark_found(self, node: NodeRow) -> None:
        now = self._clock.now()
        with self._database.write() as connection:
            reason = "heard of again"
            cluster_rows.move_node(connection, self._database, node, NodeState.IDLE, time=now, reason=reason)
            for attempt in run_rows.open_attempts(connection, node.id):
                row = run_rows.get(connection, attempt.run_id)
                if row.status == RunStatus.LOST.value:
                    back = RunStatus.RUNNING if attempt.started else RunStatus.PREPARING
                    sentence = f"node {node.id} is back"
                    run_rows.move(connection, self._database, row, back, time=now, reason=sentence)

    def _end_node(self, node: NodeRow, state: NodeState, reason: str) -> None:
        now = self._clock.now()
        with self._database.write() as connection:
            fresh = cluster_rows.find_node(connection, node.id)
            if fresh is None or fresh.state in (NodeState.GONE.value, NodeState.UNUSABLE.value):
                return
            for attempt in run_rows.open_attempts(connection, node.id):
                row = run_rows.get(connection, attempt.run_id)
                sentence = f"node {node.id} was lost: {reason}"
                # A node that this server process never heard of ended while no server was there.
                is_retry = (fresh.last_heartbeat or 0.0) >= self._started_at or attempt.placed >= self._started_at
                attempts.lose(connection, self._database, row, attempt, now=now, reason=sentence, is_retry=is_retry)
            was_leaving = fresh.state == NodeState.LEAVING.value
            sentence = fresh.reason if was_leaving else reason
            cluster_rows.move_node(
                connection, self._database, fresh, state, time=now, reason=sentence, ended=now, incarnation=None
            )
            self._tokens.revoke_node_tokens(connection, node.id)

    def _stop(self, engine: str, node: NodeRow) -> bool:
        """Have the engine end a node and all that it started; False when it could not (it is tried again later)."""
        supply = self._supplies.get(engine)
        if supply is None:
            return True
        try:
            # Without a handle the server died between the start and the storing of it; the engine looks by the node's id.
            supply.stop_node(node.id, node.handle or {})
        except Exception:
            _log.exception("the engine could not stop node %s", node.id)
            return False
        return True

    def _sweep(self, node: NodeRow, engine: str) -> None:
        """A node that is history may have left something behind; it is looked at until the engine says that nothing is left."""
        if not self._stop(engine, node):
            return
        supply = self._supplies.get(engine)
        words = supply.remove_node(node.id) if supply is not None else ""
        now = self._clock.now()
        with self._database.write() as connection:
            cluster_rows.change_node(connection, node.id, is_swept=True)
            self._tokens.revoke_node_tokens(connection, node.id)
            if words:
                reason = f"{node.id} is removed from disk; the last line of its agent's log: {words}"
                subject, inputs = f"cluster:{node.cluster}", {"node": node.id}
                events.append(connection, time=now, subject=subject, kind="swept", reason=reason, inputs=inputs)

    # -- scaling --------------------------------------------------------------------------------------------------------

    def _scale(self, cluster: ClusterRow) -> None:
        if cluster.state == "unusable":
            return
        now = self._clock.now()
        with self._database.read() as connection:
            if not self._has_work(connection, cluster, now):
                return
        with self._database.write() as connection:
            cluster = cluster_rows.find(connection, cluster.name)
            if cluster is None:
                return
            is_deleting = cluster.state == "deleting"
            nodes = cluster_rows.live_nodes(connection, cluster.name)
            decision = self._decide(connection, cluster, nodes, now, is_deleting=is_deleting)
            if is_deleting and not nodes and not run_rows.unfinished_on_target(connection, cluster.name):
                cluster_rows.remove(connection, self._database, cluster.name)
                return
            by_id = {node.id: node for node in nodes}
            for node_id, reason in decision.leaving:
                cluster_rows.move_node(
                    connection, self._database, by_id[node_id], NodeState.LEAVING, time=now, reason=reason
                )
                self._database.next_change(f"node:{node_id}")
            starting = [self._add_node(connection, cluster, decision, now) for _ in range(decision.start_count)]
            self._note(connection, cluster, decision, now)
        for node_id, token in starting:
            self._start(cluster, node_id, token)

    def _has_work(self, connection: Connection, cluster: ClusterRow, now: float) -> bool:
        """A look without the write lock: most passes find that all is as it should be."""
        if cluster.state == "deleting":
            return True
        nodes = cluster_rows.live_nodes(connection, cluster.name)
        decision = self._decide(connection, cluster, nodes, now, is_deleting=False)
        is_noted = (decision.target, decision.reason) == (cluster.target_nodes, cluster.target_reason)
        return bool(decision.leaving or decision.start_count or not is_noted)

    def _decide(
        self, connection: Connection, cluster: ClusterRow, nodes: list[NodeRow], now: float, *, is_deleting: bool
    ) -> ScalingDecision:
        shares: dict[str, list[int]] = {}
        for node_id, _, share in run_rows.all_open_attempts(connection, [node.id for node in nodes]):
            shares.setdefault(node_id, []).append(share or 1)
        facts = []
        for node in nodes:
            state = NodeState(node.state)
            if state in (NodeState.IDLE, NodeState.BUSY):
                state = NodeState.BUSY if node.id in shares else NodeState.IDLE
            idle = now - (node.idle_since or node.ready or now) if state is NodeState.IDLE else 0.0
            facts.append(NodeFacts(node.id, state, max(0.0, idle)))
        waiting = [WaitingRun(row.id, row.trials_per_node or 1) for row in run_rows.queued(connection, cluster.name)]
        # Whoever finds a place on a node that is busy with others needs no node of its own.
        rooms = [NodeRoom(fact.id, tuple(shares[fact.id])) for fact in facts if fact.state is NodeState.BUSY]
        outlook = ClusterOutlook(cluster.name, cluster.max_nodes, nodes_starting=0, nodes_up=len(rooms))
        fits = {run_id for run_id, _, _ in place(waiting, rooms, outlook).assignments}
        wanted = nodes_needed([run for run in waiting if run.id not in fits])
        idle_room = sum(fact.state in (NodeState.IDLE, NodeState.STARTING) for fact in facts)
        is_resting = self._is_resting(cluster.name, now) and not is_deleting
        min_nodes = 0 if is_resting else cluster.min_nodes
        limits = ClusterLimits(min_nodes, cluster.max_nodes, cluster.idle_seconds)
        nodes_wanted = 0 if is_resting else wanted
        decision = scale(limits, facts, nodes_wanted=nodes_wanted, idle_room=idle_room, is_deleting=is_deleting)
        if is_resting and wanted:
            count = self._failed_starts[cluster.name][0]
            reason = (
                f"{count} nodes in a row did not come up (see their reasons); tried again within {_RETRY_SECONDS:.0f} s"
            )
            return replace(decision, reason=reason)
        return decision

    def _note(self, connection: Connection, cluster: ClusterRow, decision: ScalingDecision, now: float) -> None:
        if decision.target == cluster.target_nodes and decision.reason == cluster.target_reason:
            return
        if decision.target != cluster.target_nodes:
            sentence = f"target {cluster.target_nodes} → {decision.target} nodes: {decision.reason}"
            inputs = {"from": cluster.target_nodes, "to": decision.target}
            subject = f"cluster:{cluster.name}"
            events.append(connection, time=now, subject=subject, kind="scaling", reason=sentence, inputs=inputs)
        values = {"target_nodes": decision.target, "target_reason": decision.reason}
        cluster_rows.change(connection, self._database, cluster.name, **values)

    def _add_node(
        self, connection: Connection, cluster: ClusterRow, decision: ScalingDecision, now: float
    ) -> tuple[str, str]:
        node_id = f"{cluster.name}-{random_part(4, secrets.choice)}"
        row = {
            "id": node_id,
            "cluster": cluster.name,
            "state": NodeState.STARTING.value,
            "reason": decision.reason,
            "started": now,
        }
        cluster_rows.add_node(connection, self._database, row)
        subject = f"cluster:{cluster.name}"
        sentence = f"{node_id} starting: {decision.reason}"
        events.append(connection, time=now, subject=subject, kind="node", reason=sentence, inputs={"node": node_id})
        return node_id, self._tokens.issue_node_token(connection, node_id)

    def _start(self, cluster: ClusterRow, node_id: str, token: str) -> None:
        try:
            handle: dict[str, Any] = self._supplies[cluster.engine].start_node(
                node_id=node_id,
                cluster=cluster.name,
                size=msgspec.convert(cluster.size, Size),
                nodes_max=cluster.max_nodes,
                token=token,
            )
        except Exception as error:
            _log.exception("the engine could not start node %s", node_id)
            with self._database.read() as connection:
                node = cluster_rows.find_node(connection, node_id)
            if node is not None:
                self._end_node(node, NodeState.UNUSABLE, f"the engine could not start it: {error}")
            self._count_failed_start(cluster.name)
            return
        with self._database.write() as connection:
            cluster_rows.change_node(connection, node_id, handle=handle)

    def _count_failed_start(self, cluster: str) -> None:
        count, _ = self._failed_starts.get(cluster, (0, 0.0))
        self._failed_starts[cluster] = (count + 1, self._clock.now())
        if count + 1 == _FAILED_STARTS_MAX:
            _log.warning(
                "cluster %s: %d nodes in a row did not come up; waiting %g s", cluster, count + 1, _RETRY_SECONDS
            )

    def _forget_failed_starts(self, cluster: str, node: NodeRow) -> None:
        """A node that came up ends the row of failures before it."""
        failed = self._failed_starts.get(cluster)
        if failed is not None and node.ready is not None and node.ready > failed[1]:
            del self._failed_starts[cluster]

    def _is_resting(self, cluster: str, now: float) -> bool:
        count, last = self._failed_starts.get(cluster, (0, 0.0))
        if count < _FAILED_STARTS_MAX:
            return False
        if now - last > _RETRY_SECONDS:
            self._failed_starts[cluster] = (_FAILED_STARTS_MAX - 1, last)
            return False
        return True
