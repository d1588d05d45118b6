"""Routes of experiments. Their names are free text, so the address takes whatever follows, slashes included."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from sublight.messages.experiments import ExperimentSummary, ExperimentUpdate
from sublight.server.auth import current_caller
from sublight.server.caller import Caller
from sublight.server.exact_json import ExactJson
from sublight.server.services.experiments import Experiments


def experiments_router(experiments: Experiments) -> APIRouter:
    """The routes under ``/api/v1/experiments``."""
    router = APIRouter(prefix="/api/v1", tags=["experiments"], route_class=ExactJson)

    @router.get("/experiments")
    def list_experiments() -> list[ExperimentSummary]:
        return list(experiments.list())

    @router.get("/experiments/{name:path}")
    def get_experiment(name: str) -> ExperimentSummary:
        return experiments.get(name)

    @router.put("/experiments/{name:path}")
    def ensure_experiment(name: str) -> ExperimentSummary:
        return experiments.ensure(name)

    @router.patch("/experiments/{name:path}")
    def update_experiment(
        name: str, change: ExperimentUpdate, caller: Caller = Depends(current_caller)
    ) -> ExperimentSummary:
        return experiments.update(caller, name, change)

    @router.delete("/experiments/{name:path}", status_code=204)
    def delete_experiment(name: str, caller: Caller = Depends(current_caller)) -> None:
        experiments.delete(caller, name)

    return router
