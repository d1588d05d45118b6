"""``/``: what runs, what waits and why, the clusters at a glance, the latest sweeps, what needs a person."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property

from fastapi import APIRouter, Request, Response

from sublight.messages.clusters import ClusterView
from sublight.messages.runs import RunView
from sublight.portal.page import ACTIVE, EXAMPLE_LINES, WAITING, Elsewhere, Page
from sublight.portal.ports import Services
from sublight.portal.rendering import render


def router(services: Services) -> APIRouter:
    """The route of the home page."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/", name="portal_home")
    def home(request: Request) -> Response:
        return render(request, "home.html", HomePage(services))

    return routes


class HomePage(Page):
    """The values of the home page."""

    fragments = ("home/needs", "home/running", "home/waiting", "home/clusters", "home/sweeps")
    title = "Home"
    place = "home"
    example_lines = EXAMPLE_LINES

    def __init__(self, services: Services) -> None:
        self._services = services

    @property
    def elsewhere(self) -> Elsewhere:
        return Elsewhere(
            cli="sublight watch\nsublight run list\nsublight cluster list",
            sdk="import sublight as sl\n\nws = sl.Workspace.from_config()\nws.runs()\nws.clusters.list()",
        )

    @cached_property
    def running(self) -> Sequence[RunView]:
        return self._services.runs.list(status=ACTIVE, limit=20).runs

    @cached_property
    def waiting(self) -> Sequence[RunView]:
        return self._services.runs.list(status=WAITING, limit=20).runs

    @cached_property
    def clusters(self) -> Sequence[ClusterView]:
        return self._services.clusters.list()

    @cached_property
    def sweeps(self) -> Sequence[RunView]:
        return self._services.runs.list(kind="sweep", limit=8).runs

    @cached_property
    def failed(self) -> Sequence[RunView]:
        """Runs that failed within the last day; older ones have been seen, or are past mending."""
        day_ago = time.time() - 86_400
        found = self._services.runs.list(status=("failed",), limit=3).runs
        return [run for run in found if run.ended is not None and run.ended > day_ago]

    @cached_property
    def needs(self) -> list[tuple[str, str, str]]:
        """(address, name, sentence) of each thing that will not get well by itself."""
        found = [
            (f"/clusters/{cluster.name}", cluster.name, cluster.reason)
            for cluster in self.clusters
            if cluster.state == "unusable"
        ]
        for cluster in self.clusters:
            lost = sum(node.state in ("lost", "unusable") for node in cluster.nodes)
            if lost and cluster.state != "unusable":
                noun = "node is" if lost == 1 else "nodes are"
                found.append((f"/clusters/{cluster.name}", cluster.name, f"{lost} {noun} lost or unusable"))
        found += [(f"/runs/{run.id}", run.id, f"failed: {run.reason}") for run in self.failed]
        return found

    @cached_property
    def is_empty(self) -> bool:
        return not self.clusters and not self._services.runs.list(limit=1).runs
