"""Clusters, their nodes and the sizes they come in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class SizeView:
    """A size of node from the catalogue."""

    name: str
    cores: int
    memory_bytes: int
    gpus: int
    gpu_name: str
    price_per_hour: float | None
    disk_bytes: int = 0


@dataclass(frozen=True, kw_only=True)
class ClusterRequest:
    """A cluster to create. ``trials_per_node`` is how many runs may share a node (1: whole nodes).

    ``size_may_differ``: instead of a refusal, a size that is not known becomes one made after its name, and GPUs that
    the engine cannot supply are left out; the view's ``size`` and ``reason`` tell it.
    """

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    name: str
    size: str
    min_nodes: int = 0
    max_nodes: int = 4
    idle_seconds: float = 1800
    trials_per_node: int = 1
    engine: str = "local"
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    size_may_differ: bool = False


@dataclass(frozen=True, kw_only=True)
class ClusterUpdate:
    """Changes to a cluster's limits; None leaves a value as it is."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    min_nodes: int | None = None
    max_nodes: int | None = None
    idle_seconds: float | None = None
    trials_per_node: int | None = None


@dataclass(frozen=True, kw_only=True)
class NodeView:
    """A node. ``state`` is starting, idle, busy, leaving, lost, unusable or gone; ``reason`` says why it is up.

    ``host`` holds what the agent told of its machine: hostname, cores, threads, memory_bytes, gpus, note.
    """

    id: str
    cluster: str
    state: str
    reason: str
    run_ids: list[str]
    started: float
    ready: float | None
    idle_since: float | None
    last_heartbeat: float | None
    ended: float | None = None
    host: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ClusterView:
    """A cluster with its nodes. ``state`` is ready, unusable or deleting; ``reason`` belongs to the state.

    ``target_nodes`` and ``target_reason`` are the last scaling decision. ``queued_runs`` counts runs that wait for it.
    """

    name: str
    engine: str
    size: SizeView
    min_nodes: int
    max_nodes: int
    idle_seconds: float
    trials_per_node: int
    state: str
    reason: str
    target_nodes: int
    target_reason: str
    queued_runs: int
    active_runs: int
    nodes: list[NodeView]
    created: float
    created_by: str
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    change: int = 0
