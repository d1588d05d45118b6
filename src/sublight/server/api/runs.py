"""Routes of runs, sweeps, their metrics and events."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request

from sublight.messages.definitions import SubmitRequest
from sublight.messages.runs import (
    AttemptView,
    ChildMetricsPage,
    Comparison,
    EventView,
    MetricSeries,
    MetricSummary,
    RecordView,
    RunPage,
    RunUpdate,
    RunView,
    TrialCurve,
)
from sublight.server.exact_json import ExactJson
from sublight.server.services.compare import Compare
from sublight.server.services.metrics import Metrics
from sublight.server.services.runs import Runs


def runs_router(runs: Runs, metrics: Metrics, compare: Compare) -> APIRouter:
    """The routes under ``/api/v1/runs`` and the comparison."""
    router = APIRouter(prefix="/api/v1", tags=["runs"], route_class=ExactJson)

    @router.post("/runs", status_code=201)
    def submit(
        request: Request,
        submission: SubmitRequest,
        idempotency_key: Annotated[str | None, Header()] = None,
    ) -> RunView:
        return runs.submit(request.state.caller, submission, idempotency_key)

    @router.get("/runs")
    def list_runs(
        experiment: str | None = None,
        kind: Literal["script", "sweep", "trial", "child", "interactive"] | None = None,
        status: Annotated[list[str] | None, Query()] = None,
        parent_id: str | None = None,
        target: str | None = None,
        search: str | None = None,
        tag: str | None = None,
        end_reason: str | None = None,
        include_children: bool = False,
        before: str | None = None,
        limit: int = 50,
    ) -> RunPage:
        return runs.list(
            experiment=experiment,
            kind=kind,
            status=status or (),
            parent_id=parent_id,
            target=target,
            search=search,
            tag=tag,
            end_reason=end_reason,
            include_children=include_children,
            before=before,
            limit=limit,
        )

    @router.get("/runs/{run_id}")
    def get_run(run_id: str) -> RunView:
        return runs.get(run_id)

    @router.patch("/runs/{run_id}")
    def update_run(request: Request, run_id: str, change: RunUpdate) -> RunView:
        return runs.update(request.state.caller, run_id, change)

    @router.post("/runs/{run_id}/cancel")
    def cancel_run(request: Request, run_id: str) -> RunView:
        return runs.cancel(request.state.caller, run_id)

    @router.get("/runs/{run_id}/trials")
    def list_trials(run_id: str) -> list[RunView]:
        return list(runs.trials(run_id))

    @router.get("/runs/{run_id}/curves")
    def list_curves(run_id: str, max_points: int = 200) -> list[TrialCurve]:
        return metrics.curves(run_id, max_points)

    @router.get("/runs/{run_id}/children-metrics")
    def list_children_metrics(run_id: str, start: int = Query(0, ge=0, lt=2**31)) -> ChildMetricsPage:
        """Everything that the children have logged; ``start`` of the next page is the answer's ``next_start``."""
        return metrics.of_children(run_id, start)

    @router.get("/runs/{run_id}/metrics")
    def list_metrics(run_id: str) -> list[MetricSummary]:
        return metrics.summaries(run_id)

    @router.get("/runs/{run_id}/series")
    def get_series(run_id: str, name: str, max_points: int = 2000) -> MetricSeries:
        return metrics.series(run_id, name, max_points)

    @router.get("/runs/{run_id}/records")
    def list_records(run_id: str, kind: str | None = None, start: int = Query(0, ge=0, lt=2**62)) -> list[RecordView]:
        """A page of at most 10,000; ``start`` of the next one is how many were read so far."""
        return metrics.records(run_id, kind, start)

    @router.get("/runs/{run_id}/attempts")
    def list_attempts(run_id: str) -> list[AttemptView]:
        return list(runs.attempts(run_id))

    @router.get("/runs/{run_id}/events")
    def list_events(run_id: str, limit: int = 200) -> list[EventView]:
        return list(runs.events(f"run:{run_id}", limit))

    @router.get("/compare")
    def compare_runs(
        run: Annotated[list[str], Query()], metric: str | None = None, direction: str | None = None
    ) -> Comparison:
        return compare(run, metric=metric, direction=direction)

    return router
