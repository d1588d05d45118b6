"""The server's app: routers over services, protections around them, loops beside them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Depends, FastAPI

from sublight import __version__
from sublight.messages.experiments import ExperimentSummary
from sublight.messages.runs import Comparison
from sublight.server.api.assets import assets_router
from sublight.server.api.changes import changes_router
from sublight.server.api.clusters import clusters_router
from sublight.server.api.datastores import datastores_router
from sublight.server.api.experiments import experiments_router
from sublight.server.api.files import files_router
from sublight.server.api.interactive import interactive_router
from sublight.server.api.nodes import nodes_router
from sublight.server.api.people import people_router
from sublight.server.api.runs import runs_router
from sublight.server.api.workspace import About, workspace_router
from sublight.server.auth import Gate, session_cookie
from sublight.server.caller import Callers
from sublight.server.changes import Changes
from sublight.server.errors import ErrorPage, install_error_handlers
from sublight.server.protection import protect
from sublight.server.reconcilers.loop import Loop
from sublight.server.services.assets import Assets
from sublight.server.services.clusters import Clusters
from sublight.server.services.compare import Compare
from sublight.server.services.datastores import Datastores
from sublight.server.services.experiments import Experiments
from sublight.server.services.files import Files
from sublight.server.services.interactive import InteractiveRuns
from sublight.server.services.metrics import Metrics
from sublight.server.services.nodes import Nodes
from sublight.server.services.people import People
from sublight.server.services.runs import Runs
from sublight.store.database import Database


@dataclass(frozen=True)
class Services:
    """Everything that the API and the portal call."""

    database: Database
    changes: Changes
    callers: Callers
    runs: Runs
    metrics: Metrics
    clusters: Clusters
    nodes: Nodes
    files: Files
    assets: Assets
    datastores: Datastores
    people: People
    comparing: Compare
    experimenting: Experiments
    interactive: InteractiveRuns
    workspace_id: str
    workspace_name: str
    started: float

    def compare(self, run_ids: Sequence[str], *, metric: str | None = None, direction: str | None = None) -> Comparison:
        """Runs side by side."""
        return self.comparing(run_ids, metric=metric, direction=direction)

    def experiments(self) -> Sequence[ExperimentSummary]:
        """All experiments with the number of their runs."""
        return self.experimenting.list()


def make_app(
    services: Services,
    *,
    loops: Sequence[Loop] = (),
    portal: APIRouter | None = None,
    error_page: ErrorPage | None = None,
    request_shutdown: Callable[[], None] = lambda: None,
    hosts: Sequence[str] = (),
    lease_seconds: float = 60.0,
    environments: str = "current",
) -> FastAPI:
    """Build the app. The loops run as long as the app does; ``request_shutdown`` is what POST /shutdown calls."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        for loop in loops:
            loop.start()
        try:
            yield
        finally:
            # First whoever waits is let go, then the loops end their pass; nodes go on without us while their leases last.
            services.changes.close()
            for loop in loops:
                loop.stop()

    gate = Gate()
    app = FastAPI(
        title="Sublight",
        version=__version__,
        description="Remote compute and hyperparameter sweeps on machines you own.",
        dependencies=[Depends(gate.authorize)],
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    about = About(
        workspace_id=services.workspace_id,
        name=services.workspace_name,
        started=services.started,
        lease_seconds=lease_seconds,
        environments=environments,
    )
    app.include_router(
        workspace_router(
            about,
            services.people,
            sizes=services.clusters.sizes,
            shutdown=request_shutdown,
        )
    )
    app.include_router(runs_router(services.runs, services.metrics, services.comparing))
    app.include_router(experiments_router(services.experimenting))
    app.include_router(interactive_router(services.interactive))
    app.include_router(clusters_router(services.clusters))
    app.include_router(files_router(services.files))
    app.include_router(assets_router(services.assets))
    app.include_router(datastores_router(services.datastores))
    app.include_router(people_router(services.people))
    app.include_router(changes_router(services.changes, services.callers))
    app.include_router(nodes_router(services.nodes, services.files, services.database))
    if portal is not None:
        app.include_router(portal)
    install_error_handlers(app, page=error_page)
    protect(app, services.callers, cookie=session_cookie(services.workspace_id), hosts=hosts)
    return app
