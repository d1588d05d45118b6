"""Routes of clusters."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Request

from sublight.messages.clusters import ClusterRequest, ClusterUpdate, ClusterView
from sublight.messages.runs import EventView
from sublight.server.exact_json import ExactJson
from sublight.server.services.clusters import Clusters


def clusters_router(clusters: Clusters) -> APIRouter:
    """The routes under ``/api/v1/clusters``."""
    router = APIRouter(prefix="/api/v1", tags=["clusters"], route_class=ExactJson)

    @router.post("/clusters", status_code=201)
    def create_cluster(
        request: Request, cluster: ClusterRequest, idempotency_key: Annotated[str | None, Header()] = None
    ) -> ClusterView:
        return clusters.create(request.state.caller, cluster, idempotency_key)

    @router.get("/clusters")
    def list_clusters() -> list[ClusterView]:
        return list(clusters.list())

    @router.get("/clusters/{name}")
    def get_cluster(name: str) -> ClusterView:
        return clusters.get(name)

    @router.patch("/clusters/{name}")
    def update_cluster(request: Request, name: str, change: ClusterUpdate) -> ClusterView:
        return clusters.update(request.state.caller, name, change)

    @router.delete("/clusters/{name}", status_code=202)
    def delete_cluster(request: Request, name: str, force: bool = False) -> ClusterView:
        return clusters.delete(request.state.caller, name, force=force)

    @router.get("/clusters/{name}/events")
    def list_cluster_events(name: str, limit: int = 200) -> list[EventView]:
        return list(clusters.events(name, limit))

    return router
