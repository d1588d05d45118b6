"""The contract of an engine, and the values that it is given and gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sublight.core.errors import SublightError

# How an engine finds its node again: plain data that JSON can carry. Only the engine that made it reads it.
Handle = dict[str, Any]


class EngineFailure(SublightError):
    """The engine could not do what it was asked; a later try may succeed. The sentence is shown beside the node."""

    code = "engine_failure"


class NodeSize(Protocol):
    """What a size says that an engine needs; ``core.sizes.Size`` and ``messages.clusters.SizeView`` are such."""

    @property
    def name(self) -> str: ...
    @property
    def cores(self) -> int: ...
    @property
    def memory_bytes(self) -> int: ...
    @property
    def gpus(self) -> int: ...


@dataclass(frozen=True, kw_only=True)
class NodeRequest:
    """A node to start.

    ``directory`` is the node's own folder, which need not exist yet. The agent finds the server by ``server_file``
    (read again whenever it cannot connect) or, where that is None, by ``url``; ``token`` is its own and no other's.
    ``nodes_max`` says how many nodes the cluster may have: an engine whose nodes share a machine divides it by them.
    ``threads`` of the node override that division; its runs share them (``messages.nodes.Order.share``).
    """

    node_id: str
    cluster: str
    size: NodeSize
    directory: Path
    token: str
    url: str
    server_file: Path | None = None
    nodes_max: int = 1
    threads: int | None = None


@dataclass(frozen=True)
class NodeLiveness:
    """Whether a node is there, as far as the engine can tell, and a sentence when there is something to say.

    ``is_alive`` is True from the start on, also while a machine for the node is still being found, until its agent has
    ended. Whether the agent has reached the server, the server knows better.
    """

    is_alive: bool
    note: str = ""


class Engine(Protocol):
    """Supplies nodes.

    Called by the server's cluster reconciler only, from worker threads, one call per node at a time; never inside a
    database transaction. The server may be killed at any instant, also between a call and the storing of its result,
    and a later server process goes on with the stored handles. So no method may rely on what an object remembers.
    """

    def check_size(self, size: NodeSize) -> str | None:
        """A sentence when this engine can never supply nodes of that size, else None. Quick; called at any time."""

    def start_node(self, request: NodeRequest) -> Handle:
        """Start the node's agent and return its handle at once; the agent reports to the server by itself.

        Called a second time for the same ``node_id`` (after a server died before it could store the handle), it ends
        what the first call started and starts anew: one node never has two agents. Raises EngineFailure.
        """

    def list_nodes(self, handles: Mapping[str, Handle]) -> dict[str, NodeLiveness]:
        """For each node id its liveness now. Called every few seconds.

        A node that has vanished is answered with ``is_alive=False``, also when the handle is of an earlier boot or
        makes no sense; nothing is raised for it. Raises EngineFailure only when nothing can be said of any node.
        """

    def stop_node(self, node_id: str, handle: Handle) -> None:
        """End the node: its agent and every process of its runs, wherever they have gone; returns when all are gone.

        Takes some seconds, because the agent is asked politely first. Called for every node that ends, also for one
        whose agent has left by itself or was found dead, and possibly twice: what is gone is passed over silently.
        Raises EngineFailure when something survived; the server calls again later.
        """
