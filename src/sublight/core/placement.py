"""Placement: which waiting run goes to which node. First in, first out; a whole node for a run unless shared on purpose.

A run declares ``share``: how many runs of its kind may be on one node at once (1: the node is its own). Two runs meet on
a node only when both allow it, so nobody shares who did not ask to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_PLACES_TOLD = 8


@dataclass(frozen=True, slots=True)
class WaitingRun:
    """A queued run; the sequence handed to ``place`` is in the order in which runs were queued."""

    id: str
    share: int = 1


@dataclass(frozen=True, slots=True)
class NodeRoom:
    """A node that takes work, with the shares of the runs already on it."""

    id: str
    shares: tuple[int, ...] = ()

    def has_room_for(self, share: int) -> bool:
        """True when one more run of this share may start here."""
        return len(self.shares) < min((share, *self.shares))


@dataclass(frozen=True, slots=True)
class Placement:
    """The decision: (run, node, reason) for each run that starts, and why each other run still waits."""

    assignments: tuple[tuple[str, str, str], ...]
    waiting: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClusterOutlook:
    """What the cluster can still become, for the sentences told to runs that wait."""

    name: str
    max_nodes: int
    nodes_starting: int
    nodes_up: int


def place(waiting: Sequence[WaitingRun], nodes: Sequence[NodeRoom], outlook: ClusterOutlook) -> Placement:
    """Assign runs to nodes, oldest run first; shared nodes are filled before empty ones are opened.

    A run that does not fit now has the node with the fewest runs kept free of younger ones, so that it comes to its turn
    when that node empties, unless the cluster can still grow a node for it. Younger runs fill the other nodes meanwhile.
    """
    rooms = {node.id: node for node in nodes}
    assignments: list[tuple[str, str, str]] = []
    reasons: dict[str, str] = {}
    may_grow = outlook.max_nodes - outlook.nodes_up
    for position, run in enumerate(waiting):
        node = _fullest_with_room(rooms.values(), run.share)
        if node is None:
            if may_grow > 0:
                may_grow -= 1
            elif rooms:
                del rooms[min(rooms.values(), key=lambda room: len(room.shares)).id]
            reasons[run.id] = _why_waiting(outlook, position)
            continue
        rooms[node.id] = NodeRoom(node.id, (*node.shares, run.share))
        assignments.append(
            (run.id, node.id, f"node {node.id} had room: {len(node.shares)} of {run.share} places taken")
        )
    return Placement(tuple(assignments), reasons)


def _fullest_with_room(rooms: Iterable[NodeRoom], share: int) -> NodeRoom | None:
    candidates = [room for room in rooms if room.has_room_for(share)]
    return max(candidates, key=lambda room: len(room.shares), default=None)


def _why_waiting(outlook: ClusterOutlook, position: int) -> str:
    # Exact for the first few only: everybody's place changes with each start, and each change is stored.
    ahead_count = f"{position}" if position <= _PLACES_TOLD else f"more than {_PLACES_TOLD}"
    ahead = f"; {ahead_count} ahead of it" if position else ""
    if outlook.max_nodes == 0:
        return f"cluster {outlook.name} has max_nodes 0; raise it to let this run start"
    if outlook.nodes_starting:
        return (
            f"needs 1 node of {outlook.name}; {outlook.nodes_starting} starting, {outlook.nodes_up} of "
            f"{outlook.max_nodes} up{ahead}"
        )
    if outlook.nodes_up < outlook.max_nodes:
        return f"needs 1 node of {outlook.name}; {outlook.nodes_up} of {outlook.max_nodes} up, one more is asked for{ahead}"
    return f"needs 1 idle node of {outlook.name}; all {outlook.max_nodes} are busy{ahead}"


def nodes_needed(waiting: Sequence[WaitingRun]) -> int:
    """How many empty nodes the waiting runs would fill, each shared as far as its runs allow."""
    by_share: dict[int, int] = {}
    for run in waiting:
        by_share[run.share] = by_share.get(run.share, 0) + 1
    return sum(-(-count // share) for share, count in by_share.items())
