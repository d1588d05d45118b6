"""Clusters: create, look, change, delete."""

from __future__ import annotations

import hashlib
import math
import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import psutil
from sqlalchemy import Connection

from sublight.core.amounts import counted, seconds_in_words
from sublight.core.errors import Conflict, InvalidInput, NameTaken
from sublight.core.scaling import NodeState
from sublight.core.sizes import Size, all_sizes, find_size, host_size, nearest_size, without_gpus
from sublight.messages.clusters import ClusterRequest, ClusterUpdate, ClusterView, NodeView, SizeView
from sublight.messages.runs import EventView
from sublight.server.clock import Clock
from sublight.server.ports import NodeSupply
from sublight.server.services import views
from sublight.store import audit, events, idempotency
from sublight.store import clusters as cluster_rows
from sublight.store import runs as run_rows
from sublight.store.database import Database

if TYPE_CHECKING:
    from sublight.server.caller import Caller

LOCAL_NAME = "local"
LOCAL_IDLE_SECONDS = 300.0
NODES_MAX = 1000
TRIALS_PER_NODE_MAX = 1000
_WAITING = "its nodes start when runs wait"
_RESERVED = frozenset({LOCAL_NAME, "amlcompute", "containerinstance"})
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,23}\Z")


class Clusters:
    """The verbs on clusters. ``supplies`` are the engines by name; ``sizes`` are the workspace's own sizes."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        supplies: Mapping[str, NodeSupply],
        sizes: tuple[Size, ...] = (),
    ) -> None:
        self._database = database
        self._clock = clock
        self._supplies = supplies
        self._sizes = sizes

    def create(self, caller: Caller, request: ClusterRequest, idempotency_key: str | None = None) -> ClusterView:
        """Make a cluster. A size that the engine can never supply makes it ``unusable``, with the reason.

        The same key with the same request gives the same cluster again, instead of NameTaken.
        """
        if not _NAME.match(request.name) or request.name in _RESERVED:
            raise InvalidInput(
                f"a cluster's name has 2 to 24 letters, digits and hyphens and begins with a letter; {LOCAL_NAME!r} is "
                f"taken by this machine itself; got {request.name!r}"
            )
        size = (nearest_size if request.size_may_differ else find_size)(request.size, self._sizes)
        supply = self._supplies.get(request.engine)
        if supply is None:
            known = ", ".join(sorted(self._supplies))
            raise InvalidInput(f"there is no engine {request.engine!r}; this server has {known}")
        _check_limits(request.min_nodes, request.max_nodes, request.idle_seconds, request.trials_per_node)
        problem = supply.check_size(size)
        reason = _WAITING
        if problem is not None and size.gpus and request.size_may_differ:
            reason = f"{problem}: its nodes have {counted(size.cores, 'core')} and no GPU, and start when runs wait"
            size = without_gpus(size)
            problem = supply.check_size(size)
        state = "ready" if problem is None else "unusable"
        now = self._clock.now()
        key = f"{caller.name} {idempotency_key}" if idempotency_key is not None else None
        body_hash = hashlib.sha256(msgspec.json.encode(request)).hexdigest()
        with self._database.write() as connection:
            if key is not None and idempotency.find(connection, key, body_hash, time=now) is not None:
                return self._view(connection, cluster_rows.get(connection, request.name))
            present = cluster_rows.find(connection, request.name)
            if present is not None and present.state == "deleting":
                raise NameTaken(
                    f"the cluster {request.name!r} is being deleted, and its name is free once its nodes are gone; wait a "
                    "moment, or choose another name"
                )
            if present is not None:
                raise NameTaken(
                    f"there is a cluster {request.name!r} already; use it as it is (ws.clusters.get({request.name!r})), "
                    "change its limits with `sublight cluster update`, or choose another name"
                )
            self._add(connection, caller, request, size, state, problem or reason, now)
            if key is not None:
                idempotency.remember(connection, key, body_hash, f"cluster:{request.name}", time=now)
            detail = msgspec.to_builtins(request)
            audit.append(
                connection, caller, action="create cluster", subject=f"cluster:{request.name}", detail=detail, time=now
            )
            return self._view(connection, cluster_rows.get(connection, request.name))

    def _add(
        self,
        connection: Connection,
        caller: Caller,
        request: ClusterRequest,
        size: Size,
        state: str,
        reason: str,
        now: float,
    ) -> None:
        row: dict[str, Any] = {
            "name": request.name,
            "engine": request.engine,
            "size": msgspec.to_builtins(size),
            "min_nodes": request.min_nodes,
            "max_nodes": request.max_nodes,
            "idle_seconds": request.idle_seconds,
            "trials_per_node": request.trials_per_node,
            "state": state,
            "reason": reason,
            "target_nodes": 0,
            "target_reason": "no run needs a node",
            "description": request.description,
            "tags": request.tags,
            "created": now,
            "created_by": caller.name,
        }
        cluster_rows.add(connection, self._database, row)
        subject = f"cluster:{request.name}"
        events.append(connection, time=now, subject=subject, kind=state, reason=f"created by {caller.name}: {reason}")

    def ensure_local(self, caller: Caller) -> None:
        """Make the ``local`` target when it is used for the first time: this host as one node, shared by its runs.

        A GPU that has come or gone since then is noted.
        """
        cores = os.cpu_count() or 1
        supply = self._supplies.get("local")
        gpus = supply.host_gpus() if supply is not None else 0
        size = host_size(cores, psutil.virtual_memory().total, gpus)
        with self._database.read() as connection:
            present = cluster_rows.find(connection, LOCAL_NAME)
        if present is not None and present.size["gpus"] == gpus:
            return
        request = ClusterRequest(
            name=LOCAL_NAME,
            size=size.name,
            max_nodes=1,
            idle_seconds=LOCAL_IDLE_SECONDS,
            trials_per_node=cores,
            description="this machine itself",
        )
        with self._database.write() as connection:
            if cluster_rows.find(connection, LOCAL_NAME) is None:
                self._add(connection, caller, request, size, "ready", _WAITING, self._clock.now())
            else:
                cluster_rows.change(connection, self._database, LOCAL_NAME, size=msgspec.to_builtins(size))

    def list(self) -> Sequence[ClusterView]:
        """All clusters by name."""
        with self._database.read() as connection:
            return [self._view(connection, row) for row in cluster_rows.all_clusters(connection)]

    def get(self, name: str) -> ClusterView:
        """One cluster with its live nodes."""
        with self._database.read() as connection:
            return self._view(connection, cluster_rows.get(connection, name))

    def events(self, name: str, limit: int = 200) -> Sequence[EventView]:
        """The newest events of a cluster, oldest first."""
        with self._database.read() as connection:
            cluster_rows.get(connection, name)
            return [views.event_view(row) for row in events.of_subject(connection, f"cluster:{name}", limit=limit)]

    def sizes(self) -> Sequence[SizeView]:
        """The sizes a cluster may have: the workspace's own, then the catalogue."""
        return [size_view(size) for size in all_sizes(self._sizes)]

    def update(self, caller: Caller, name: str, change: ClusterUpdate) -> ClusterView:
        """Change a cluster's limits; nodes beyond them leave as soon as they are idle."""
        _check_not_local(name, "changed")
        now = self._clock.now()
        with self._database.write() as connection:
            row = cluster_rows.get(connection, name)
            values = {key: value for key, value in msgspec.to_builtins(change).items() if value is not None}
            limits = {key: values.get(key, getattr(row, key)) for key in _LIMITS}
            _check_limits(**limits)
            cluster_rows.change(connection, self._database, name, **values)
            sentence = ", ".join(f"{key} {getattr(row, key):g} → {value:g}" for key, value in values.items())
            reason = f"changed by {caller.name}: {sentence or 'nothing'}"
            events.append(connection, time=now, subject=f"cluster:{name}", kind="updated", reason=reason)
            audit.append(
                connection, caller, action="update cluster", subject=f"cluster:{name}", detail=values, time=now
            )
            return self._view(connection, cluster_rows.get(connection, name))

    def delete(self, caller: Caller, name: str, *, force: bool = False) -> ClusterView:
        """Delete a cluster: its nodes leave, then it is gone. Refused while runs wait for it or are on it, unless forced.

        With ``force`` its runs are canceled first.
        """
        from sublight.core.run import EndReason
        from sublight.server.services.runs import request_stop

        _check_not_local(name, "deleted")
        now = self._clock.now()
        with self._database.write() as connection:
            row = cluster_rows.get(connection, name)
            waiting, active = run_rows.counts_by_target(connection).get(name, (0, 0))
            sweeps = [sweep for sweep in run_rows.unfinished_sweeps(connection) if sweep.target == name]
            if (waiting or active or sweeps) and not force:
                raise Conflict(
                    f"cluster {name} has {active} runs on its nodes and {waiting} waiting; cancel them first, or delete "
                    "it with --force, which cancels them"
                )
            reason = f"its cluster {name} is deleted by {caller.name}"
            for sweep in sweeps:
                request_stop(connection, self._database, sweep, EndReason.USER, reason, now=now)
            for run in run_rows.unfinished_on_target(connection, name):
                request_stop(connection, self._database, run, EndReason.USER, reason, now=now)
            sentence = f"deleted by {caller.name}"
            cluster_rows.change(connection, self._database, name, state="deleting", reason=sentence)
            events.append(connection, time=now, subject=f"cluster:{name}", kind="deleting", reason=sentence)
            detail = {"force": force}
            audit.append(
                connection, caller, action="delete cluster", subject=f"cluster:{name}", detail=detail, time=now
            )
            return self._view(connection, cluster_rows.get(connection, row.name))

    def _view(self, connection: Connection, row: cluster_rows.ClusterRow) -> ClusterView:
        nodes = cluster_rows.live_nodes(connection, row.name)
        on_nodes: dict[str, list[str]] = {}
        for node_id, run_id, _share in run_rows.all_open_attempts(connection, [node.id for node in nodes]):
            on_nodes.setdefault(node_id, []).append(run_id)
        waiting, active = run_rows.counts_by_target(connection).get(row.name, (0, 0))
        return ClusterView(
            name=row.name,
            engine=row.engine,
            size=msgspec.convert({key: row.size[key] for key in SizeView.__dataclass_fields__}, SizeView),
            min_nodes=row.min_nodes,
            max_nodes=row.max_nodes,
            idle_seconds=row.idle_seconds,
            trials_per_node=row.trials_per_node,
            state=row.state,
            reason=row.reason,
            target_nodes=row.target_nodes,
            target_reason=row.target_reason,
            queued_runs=waiting,
            active_runs=active,
            nodes=[_node_view(node, on_nodes.get(node.id, []), row, self._clock.now()) for node in nodes],
            created=row.created,
            created_by=row.created_by,
            description=row.description,
            tags=row.tags,
            change=row.change,
        )


_LIMITS = ("min_nodes", "max_nodes", "idle_seconds", "trials_per_node")


def _why_up(row: cluster_rows.NodeRow, run_ids: list[str], cluster: cluster_rows.ClusterRow, now: float) -> str:
    """Why a node that works is there: what it runs, or how long it is still kept. Told fresh, because it changes by itself."""
    if run_ids:
        more = f" and {counted(len(run_ids) - 2, 'other run')}" if len(run_ids) > 2 else ""
        return f"runs {', '.join(run_ids[:2])}{more}"
    idle = max(0.0, now - (row.idle_since or row.ready or now))
    if idle < cluster.idle_seconds:
        return f"idle for {seconds_in_words(idle)}; leaves when idle for {seconds_in_words(cluster.idle_seconds)}"
    return f"idle for {seconds_in_words(idle)}; kept because min_nodes is {cluster.min_nodes}"


def _check_not_local(name: str, what: str) -> None:
    if name == LOCAL_NAME:
        raise InvalidInput(
            f"{LOCAL_NAME!r} is this machine itself and cannot be {what}; create a cluster for limits of your own: "
            "`sublight cluster create NAME --size SIZE`"
        )


def _check_limits(min_nodes: int, max_nodes: int, idle_seconds: float, trials_per_node: int) -> None:
    if not 0 <= min_nodes <= max_nodes:
        raise InvalidInput(f"min_nodes must be between 0 and max_nodes; got {min_nodes} and {max_nodes}")
    if max_nodes > NODES_MAX:
        raise InvalidInput(f"max_nodes must be at most {NODES_MAX}, got {max_nodes}")
    if not 0 <= idle_seconds < math.inf:
        raise InvalidInput(f"idle_seconds must be a number of seconds from 0 on, got {idle_seconds:g}")
    if not 1 <= trials_per_node <= TRIALS_PER_NODE_MAX:
        raise InvalidInput(f"trials_per_node must be between 1 and {TRIALS_PER_NODE_MAX}, got {trials_per_node}")


def size_view(size: Size) -> SizeView:
    """A size as the API shows it."""
    return SizeView(
        name=size.name,
        cores=size.cores,
        memory_bytes=size.memory_bytes,
        gpus=size.gpus,
        gpu_name=size.gpu_name,
        price_per_hour=size.price_per_hour,
        disk_bytes=size.disk_bytes,
    )


def _node_view(row: cluster_rows.NodeRow, run_ids: list[str], cluster: cluster_rows.ClusterRow, now: float) -> NodeView:
    state, reason = row.state, row.reason
    if state in (NodeState.IDLE, NodeState.BUSY):
        state = NodeState.BUSY if run_ids else NodeState.IDLE
        reason = _why_up(row, run_ids, cluster, now)
    return NodeView(
        id=row.id,
        cluster=row.cluster,
        state=str(state),
        reason=reason,
        run_ids=run_ids,
        started=row.started,
        ready=row.ready,
        idle_since=row.idle_since if not run_ids else None,
        last_heartbeat=row.last_heartbeat,
        ended=row.ended,
        host=row.host,
    )
