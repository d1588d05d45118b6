"""What the server needs from outside its own room; ``wiring`` hands in the real thing, tests a fake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from sqlalchemy import Connection

from sublight.core.sizes import Size


class NodeSupply(Protocol):
    """An engine as the server uses it (the full contract stands in ``engines/base.py``)."""

    def check_size(self, size: Size) -> str | None:
        """A sentence when this engine can never supply nodes of that size, else None."""

    def host_gpus(self) -> int:
        """How many GPUs the server's own machine has."""

    def start_node(self, *, node_id: str, cluster: str, size: Size, nodes_max: int, token: str) -> dict[str, Any]:
        """Start an agent; returns its handle, plain data that outlives the server."""

    def dead_nodes(self, handles: Mapping[str, Mapping[str, Any]]) -> Mapping[str, str]:
        """Of these nodes, those whose agent is surely gone, with a note each."""

    def stop_node(self, node_id: str, handle: Mapping[str, Any]) -> None:
        """End the agent and everything that it started; silent when it is gone already."""

    def remove_node(self, node_id: str) -> str:
        """Remove what is kept on disk of a node that was stopped; returns the last line of its agent's log."""


class Silence(Protocol):
    """For how many seconds a node has not been heard of."""

    def __call__(self, node_id: str) -> float: ...


class NodeTokens(Protocol):
    """The tokens by which agents are known."""

    def issue_node_token(self, connection: Connection, node_id: str) -> str:
        """A fresh token of a node; only its hash is stored, in the caller's transaction."""

    def revoke_node_tokens(self, connection: Connection, node_id: str) -> None:
        """End all tokens of a node."""
