"""Scaling: how many nodes a cluster should have now, and why. Grows at once when runs wait, shrinks after idleness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class NodeState(StrEnum):
    """What a node is doing. ``lost``: silent, may come back; ``unusable``: never came up; ``gone``: history."""

    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    LEAVING = "leaving"
    LOST = "lost"
    UNUSABLE = "unusable"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """A node as scaling sees it; ``idle_seconds`` is how long it has had nothing to do (0 when it has)."""

    id: str
    state: NodeState
    idle_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ClusterLimits:
    """The limits a person set for a cluster; ``idle_seconds`` is how long a node may idle before it leaves."""

    min_nodes: int
    max_nodes: int
    idle_seconds: float


@dataclass(frozen=True, slots=True)
class ScalingDecision:
    """How many nodes there should be, in words why, how many to start now, and which nodes leave and why."""

    target: int
    reason: str
    start_count: int
    leaving: tuple[tuple[str, str], ...]


_COUNTED = frozenset({NodeState.STARTING, NodeState.IDLE, NodeState.BUSY, NodeState.LOST})


def scale(
    limits: ClusterLimits, nodes: Sequence[NodeFacts], *, nodes_wanted: int, idle_room: int, is_deleting: bool = False
) -> ScalingDecision:
    """Decide on the number of nodes.

    ``nodes_wanted``: empty nodes that waiting runs would fill. ``idle_room``: nodes that are idle or starting and will
    take them. A lost node counts until its lease is over, so that a short cut does not double the cluster.
    """
    counted = [node for node in nodes if node.state in _COUNTED]
    if is_deleting:
        leaving = tuple((node.id, "the cluster is being deleted") for node in counted)
        return ScalingDecision(0, "the cluster is being deleted", 0, leaving)

    missing = max(0, nodes_wanted - idle_room)
    wanted = len(counted) + missing
    floor_gap = max(0, limits.min_nodes - wanted)
    target = min(wanted + floor_gap, limits.max_nodes) if len(counted) <= limits.max_nodes else len(counted)
    start_count = max(0, target - len(counted))

    removable = max(0, len(counted) - limits.min_nodes)
    leaving_list: list[tuple[str, str]] = []
    idle = sorted((n for n in counted if n.state is NodeState.IDLE), key=lambda n: -n.idle_seconds)
    over = len(counted) - limits.max_nodes
    for node in idle:
        if removable == 0:
            break
        if over > 0:
            leaving_list.append((node.id, f"max_nodes is {limits.max_nodes}, {len(counted)} nodes are up"))
            over -= 1
        elif nodes_wanted == 0 and node.idle_seconds >= limits.idle_seconds:
            reason = f"idle for {node.idle_seconds:.0f} s, the limit is {limits.idle_seconds:.0f} s"
            leaving_list.append((node.id, reason))
        else:
            continue
        removable -= 1
    target -= len(leaving_list)
    return ScalingDecision(
        target, _why(limits, counted, target, missing, leaving_list), start_count, tuple(leaving_list)
    )


def _why(
    limits: ClusterLimits,
    counted: Sequence[NodeFacts],
    target: int,
    missing: int,
    leaving: Sequence[tuple[str, str]],
) -> str:
    busy = sum(node.state is NodeState.BUSY for node in counted)
    idle = sum(node.state is NodeState.IDLE for node in counted)
    if leaving:
        return f"{len(leaving)} leaving: {leaving[0][1]}"
    if missing and target > len(counted):
        return f"waiting runs need {missing} more; max_nodes is {limits.max_nodes}"
    if missing:
        return f"waiting runs could use {missing} more, but max_nodes is {limits.max_nodes}"
    if target == 0:
        return "no run needs a node"
    if target == limits.min_nodes and not busy:
        return f"min_nodes is {limits.min_nodes}"
    if idle and not busy:
        return f"{idle} idle, kept until idle for {limits.idle_seconds:.0f} s"
    starting = sum(node.state is NodeState.STARTING for node in counted)
    parts = [f"{busy} busy"] * bool(busy) + [f"{idle} idle"] * bool(idle) + [f"{starting} starting"] * bool(starting)
    return ", ".join(parts) or "nodes are silent; waiting for their lease to end"
