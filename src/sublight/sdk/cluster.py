"""Clusters: named pools of equal nodes that grow while runs wait and shrink when idle."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote

from sublight.core.errors import Conflict, InvalidInput, NameTaken, NotFound
from sublight.messages.clusters import ClusterRequest, ClusterUpdate, ClusterView, NodeView, SizeView
from sublight.messages.runs import EventView
from sublight.sdk.client import API, Client

__all__ = ["Cluster", "ClusterView", "Clusters", "NodeView"]

_FRESH_SECONDS = 0.5
_POLL_SECONDS = 0.5
_READY_STATES = frozenset({"idle", "busy"})


class Cluster:
    """A cluster; its attributes are read from the server when they are asked for, at most twice a second."""

    def __init__(self, client: Client, view: ClusterView) -> None:
        self._client = client
        self._view = view
        self._read_at = time.monotonic()

    @property
    def name(self) -> str:
        """Its name, which is also the name of the compute target."""
        return self._view.name

    @property
    def size(self) -> SizeView:
        """What each of its nodes has: cores, memory, GPUs, price."""
        return self._view.size

    @property
    def min_nodes(self) -> int:
        """How many nodes it keeps even when idle."""
        return self._current().min_nodes

    @property
    def max_nodes(self) -> int:
        """How many nodes it grows to."""
        return self._current().max_nodes

    @property
    def idle_seconds(self) -> float:
        """How long a node may be idle before it leaves."""
        return self._current().idle_seconds

    @property
    def trials_per_node(self) -> int:
        """How many runs may share a node."""
        return self._current().trials_per_node

    @property
    def state(self) -> str:
        """``ready``, ``unusable`` or ``deleting``; ``reason`` says why."""
        return self._current().state

    @property
    def reason(self) -> str:
        """The sentence behind the state."""
        return self._current().reason

    @property
    def nodes(self) -> list[NodeView]:
        """Its nodes, with their states and what runs on them."""
        return [node for node in self._current().nodes if node.state != "gone"]

    @property
    def tags(self) -> dict[str, str]:
        """Its tags."""
        return dict(self._view.tags)

    @property
    def view(self) -> ClusterView:
        """Everything the server says of it, as it was last read."""
        return self._view

    def refresh(self) -> Cluster:
        """Read it anew from the server, now."""
        return self._with(self._client.get(_path(self.name), ClusterView))

    def update(
        self,
        *,
        min_nodes: int | None = None,
        max_nodes: int | None = None,
        idle_seconds: float | None = None,
        trials_per_node: int | None = None,
    ) -> Cluster:
        """Change its limits; what is None stays as it is."""
        change = ClusterUpdate(
            min_nodes=min_nodes, max_nodes=max_nodes, idle_seconds=idle_seconds, trials_per_node=trials_per_node
        )
        return self._with(self._client.patch(_path(self.name), ClusterView, change))

    def delete(self, force: bool = False) -> None:
        """Remove it; refused while runs are on it or wait for it, unless ``force`` ends them."""
        self._client.delete(_path(self.name), ClusterView | None, force=force or None)  # type: ignore[arg-type]

    def wait(
        self,
        nodes: int | None = None,
        timeout: float | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> Cluster:
        """Come back when ``nodes`` of its nodes (``min_nodes``) are ready to work.

        Conflict, with its reason, when it is not usable; TimeoutError after ``timeout`` seconds.
        """
        started = clock()
        while True:
            view = self.refresh().view
            if view.state != "ready":
                raise Conflict(f"cluster {self.name} is {view.state}: {view.reason}")
            wanted = view.min_nodes if nodes is None else nodes
            if wanted > view.max_nodes:
                raise InvalidInput(f"cluster {self.name} has {view.max_nodes} nodes at most, cannot wait for {wanted}")
            ready = sum(node.state in _READY_STATES for node in view.nodes)
            if ready >= wanted:
                return self
            if timeout is not None and clock() - started >= timeout:
                raise TimeoutError(
                    f"cluster {self.name} has {ready} of {wanted} nodes ready after {timeout:g} seconds "
                    f"({view.target_reason})"
                )
            sleep(_POLL_SECONDS)

    def events(self) -> list[EventView]:
        """What was decided about it, and why."""
        return self._client.get(f"{_path(self.name)}/events", list[EventView])

    def __repr__(self) -> str:
        view = self._view
        return f"Cluster({view.name!r}, {view.size.name}, {view.min_nodes} to {view.max_nodes} nodes, {view.state})"

    def _with(self, view: ClusterView) -> Cluster:
        self._view = view
        self._read_at = time.monotonic()
        return self

    def _current(self) -> ClusterView:
        if time.monotonic() - self._read_at > _FRESH_SECONDS:
            self.refresh()
        return self._view


class Clusters:
    """The clusters of a workspace: ``create``, ``get``, ``list``, ``delete``, ``name in clusters``, ``clusters[name]``."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def create(
        self,
        name: str,
        *,
        size: str,
        min_nodes: int = 0,
        max_nodes: int = 4,
        idle_seconds: float = 1800,
        trials_per_node: int = 1,
        engine: str = "local",
        description: str = "",
        tags: Mapping[str, str] | None = None,
        size_may_differ: bool = False,
        exist_ok: bool = False,
    ) -> Cluster:
        """Make a cluster; it starts with ``min_nodes`` nodes and grows when runs wait.

        NameTaken when there is one of this name; with ``exist_ok`` that one is taken as it is, so that a script may run
        twice, unless it has another size.

        With ``size_may_differ``, a size that the server does not know becomes one made after its name, and GPUs that
        its host lacks are left out; ``size`` and ``reason`` of the cluster say what it became.
        """
        request = ClusterRequest(
            name=name,
            size=size,
            min_nodes=min_nodes,
            max_nodes=max_nodes,
            idle_seconds=idle_seconds,
            trials_per_node=trials_per_node,
            engine=engine,
            description=description,
            tags=dict(tags or {}),
            size_may_differ=size_may_differ,
        )
        try:
            return Cluster(self._client, self._client.post(f"{API}/clusters", ClusterView, request))
        except NameTaken:
            if not exist_ok:
                raise
        cluster = self.get(name)
        if cluster.view.size.name.casefold() != size.casefold():
            raise NameTaken(
                f"there is a cluster {name!r} already, of size {cluster.view.size.name} and not {size}; choose another "
                "name, or delete that one first"
            )
        return cluster

    def get(self, name: str) -> Cluster:
        """The cluster of this name; NotFound when there is none."""
        return Cluster(self._client, self._client.get(_path(name), ClusterView))

    def list(self) -> list[Cluster]:
        """All clusters."""
        return [Cluster(self._client, view) for view in self._client.get(f"{API}/clusters", list[ClusterView])]

    def delete(self, name: str, force: bool = False) -> None:
        """Remove a cluster; refused while runs are on it or wait for it, unless ``force`` ends them."""
        self.get(name).delete(force)

    def sizes(self) -> tuple[SizeView, ...]:
        """The sizes that a cluster can have."""
        return tuple(self._client.get(f"{API}/sizes", list[SizeView]))

    def __getitem__(self, name: str) -> Cluster:
        return self.get(name)

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str) or not name:
            return False
        try:
            self.get(name)
        except NotFound:
            return False
        return True

    def __iter__(self) -> Iterator[Cluster]:
        return iter(self.list())

    def __len__(self) -> int:
        return len(self.list())


def _path(name: str) -> str:
    return f"{API}/clusters/{quote(name, safe='')}"
