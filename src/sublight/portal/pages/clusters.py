"""``/clusters`` and ``/clusters/{name}``: the nodes live, and the reason for their number in words."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property

from fastapi import APIRouter, Request, Response

from sublight.messages.clusters import ClusterView, NodeView
from sublight.messages.runs import EventView, RunView
from sublight.portal import charts
from sublight.portal.formats import shell_word
from sublight.portal.page import EXAMPLE_LINES, WAITING, Elsewhere, Page
from sublight.portal.ports import Services
from sublight.portal.rendering import render


def router(services: Services) -> APIRouter:
    """The routes of the clusters' pages."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/clusters", name="portal_clusters")
    def clusters(request: Request) -> Response:
        return render(request, "clusters.html", ClustersPage(services))

    @routes.get("/clusters/{name}", name="portal_cluster")
    def cluster(request: Request, name: str) -> Response:
        return render(request, "cluster.html", ClusterPage(services, services.clusters.get(name)))

    @routes.get("/clusters/{name}/nodes.json", name="portal_cluster_nodes_chart")
    def nodes_chart(name: str) -> Response:
        figure = charts.node_count(services.clusters.events(name), now=time.time())
        return Response(figure.to_json(), media_type="application/json", headers={"Cache-Control": "no-store"})

    return routes


class ClustersPage(Page):
    """The values of the list of clusters."""

    fragments = ("clusters/list",)
    title = "Clusters"
    place = "clusters"
    example_lines = EXAMPLE_LINES

    def __init__(self, services: Services) -> None:
        self._services = services

    @property
    def elsewhere(self) -> Elsewhere:
        return Elsewhere(
            cli="sublight cluster list\nsublight cluster create cpu --size STANDARD_D3_V2 --max-nodes 4",
            sdk=(
                "import sublight as sl\n\nws = sl.Workspace.from_config()\nws.clusters.list()\n"
                'ws.clusters.create("cpu", size="STANDARD_D3_V2", max_nodes=4)'
            ),
        )

    @cached_property
    def clusters(self) -> Sequence[ClusterView]:
        return self._services.clusters.list()


class ClusterPage(Page):
    """The values of one cluster's page."""

    fragments = ("cluster/summary", "cluster/nodes", "cluster/queue", "cluster/events")
    place = "clusters"

    def __init__(self, services: Services, cluster: ClusterView) -> None:
        self._services = services
        self.cluster = cluster
        self.title = cluster.name

    @property
    def elsewhere(self) -> Elsewhere:
        name = self.cluster.name
        return Elsewhere(
            cli=f"sublight cluster show {shell_word(name)}\nsublight cluster update {shell_word(name)} --max-nodes 8",
            sdk=(
                "import sublight as sl\n\nws = sl.Workspace.from_config()\n"
                f"cluster = ws.clusters.get({name!r})\ncluster.update(max_nodes=8)"
            ),
        )

    @cached_property
    def nodes(self) -> list[NodeView]:
        """The nodes that are there, then the few that went last."""
        present = [node for node in self.cluster.nodes if node.state != "gone"]
        gone = sorted(
            (node for node in self.cluster.nodes if node.state == "gone"),
            key=lambda node: node.ended or 0.0,
            reverse=True,
        )
        return sorted(present, key=lambda node: node.started) + gone[:3]

    @property
    def nodes_present(self) -> int:
        return sum(node.state != "gone" for node in self.cluster.nodes)

    @property
    def shared_host(self) -> str | None:
        """The host's name when two or more logical nodes live on it, else None."""
        names = [
            str(node.host["hostname"])
            for node in self.cluster.nodes
            if node.state != "gone" and node.host.get("hostname")
        ]
        return next((name for name in names if names.count(name) > 1), None)

    @cached_property
    def queue(self) -> Sequence[RunView]:
        return self._services.runs.list(target=self.cluster.name, status=WAITING, limit=20).runs

    @cached_property
    def runs(self) -> Sequence[RunView]:
        return self._services.runs.list(target=self.cluster.name, limit=5).runs

    @cached_property
    def events(self) -> Sequence[EventView]:
        return self._services.clusters.events(self.cluster.name)[:-31:-1]
