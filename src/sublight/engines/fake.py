"""An engine for tests: its nodes are entries in a table, and the test says what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock

from sublight.core.amounts import counted
from sublight.engines.base import EngineFailure, Handle, NodeLiveness, NodeRequest, NodeSize


class FakeEngine:
    """Starts nothing, remembers everything.

    ``calls`` lists each start and stop as (method, node id); ``requests`` holds the last request of each node. A node
    is up from the start, or after ``looks_before_up`` calls of `list_nodes`; ``on_up`` is then called with its request,
    so that a test can let an agent say hello. ``failure``, when set to a sentence, is raised by `start_node` and
    `stop_node`. ``gpus`` is what its host has, for `check_size`.
    """

    def __init__(
        self, *, looks_before_up: int = 0, gpus: int = 0, on_up: Callable[[NodeRequest], None] | None = None
    ) -> None:
        self.looks_before_up = looks_before_up
        self.gpus = gpus
        self.failure: str | None = None
        self.calls: list[tuple[str, str]] = []
        self.requests: dict[str, NodeRequest] = {}
        self._on_up = on_up
        self._looks_left: dict[str, int] = {}
        self._notes: dict[str, str] = {}
        self._lock = Lock()

    @property
    def running(self) -> list[str]:
        """The ids of the nodes that were started and have not ended."""
        with self._lock:
            return sorted(self._looks_left)

    def kill_node(self, node_id: str, note: str = "the test ended it") -> None:
        """Let the node's agent be found dead from now on."""
        with self._lock:
            self._looks_left.pop(node_id, None)
            self._notes[node_id] = note

    def check_size(self, size: NodeSize) -> str | None:
        """Refuse sizes with more GPUs than the test gave the host."""
        if size.gpus > self.gpus:
            return f"size {size.name} needs {counted(size.gpus, 'GPU')}, and this host has {self.gpus or 'none'}"
        return None

    def start_node(self, request: NodeRequest) -> Handle:
        """Note the node as started."""
        with self._lock:
            self.calls.append(("start_node", request.node_id))
            self._raise_failure()
            self.requests[request.node_id] = request
            self._looks_left[request.node_id] = self.looks_before_up
        if self.looks_before_up == 0:
            self._come_up(request.node_id)
        return {"fake": request.node_id}

    def list_nodes(self, handles: Mapping[str, Handle]) -> dict[str, NodeLiveness]:
        """Answer from the table; each call is one look."""
        return {node_id: self._look(node_id) for node_id in handles}

    def stop_node(self, node_id: str, handle: Handle) -> None:  # noqa: ARG002  # the table knows without the handle
        """Strike the node from the table."""
        with self._lock:
            self.calls.append(("stop_node", node_id))
            self._raise_failure()
            self._looks_left.pop(node_id, None)

    def _look(self, node_id: str) -> NodeLiveness:
        with self._lock:
            looks_left = self._looks_left.get(node_id)
            if looks_left is None:
                return NodeLiveness(is_alive=False, note=self._notes.get(node_id, "there is no such node"))
            self._looks_left[node_id] = max(0, looks_left - 1)
        if looks_left > 1:
            return NodeLiveness(is_alive=True, note="still starting")
        if looks_left == 1:
            self._come_up(node_id)
        return NodeLiveness(is_alive=True)

    def _come_up(self, node_id: str) -> None:
        if self._on_up is not None:
            self._on_up(self.requests[node_id])

    def _raise_failure(self) -> None:
        if self.failure is not None:
            raise EngineFailure(self.failure)
