"""The figures as JSON, fetched by the pages' script after the page itself is there."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Query, Response

from sublight.core.errors import InvalidInput, NotFound
from sublight.core.metric import Goal
from sublight.messages.runs import RunView
from sublight.portal import charts
from sublight.portal.ports import Services
from sublight.server.protection import FILE_HEADERS

POINTS_OF_A_CHART = 40_000
POINTS_OF_A_METRIC = 2_000


def router(services: Services) -> APIRouter:
    """The routes of the figures."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/portal/charts/{run_id}/best.json", name="portal_chart_best")
    def best(run_id: str, over: str = "time") -> Response:
        run, goal = _sweep(services, run_id)
        curves = services.metrics.curves(run_id, _points_of_a_trial(run))
        origin = run.started if run.started is not None else run.created
        return _figure(charts.best_so_far(curves, goal, over=over, origin=origin))

    @routes.get("/portal/charts/{run_id}/curves.json", name="portal_chart_curves")
    def curves(run_id: str) -> Response:
        run, goal = _sweep(services, run_id)
        return _figure(charts.primary_metric_curves(services.metrics.curves(run_id, _points_of_a_trial(run)), goal))

    @routes.get("/portal/charts/{run_id}/parallel.json", name="portal_chart_parallel")
    def parallel(run_id: str) -> Response:
        _, goal = _sweep(services, run_id)
        return _figure(charts.parallel_coordinates(services.runs.trials(run_id), goal))

    @routes.get("/portal/charts/{run_id}/metric.json", name="portal_chart_metric")
    def metric(run_id: str, name: str, over: str = "step") -> Response:
        series = services.metrics.series(run_id, name, POINTS_OF_A_METRIC)
        return _figure(charts.metric_chart([series], over=over))

    @routes.get("/portal/charts/{run_id}/record.json", name="portal_chart_record")
    def record(run_id: str, number: int = Query(ge=0)) -> Response:
        records = services.metrics.records(run_id)
        if number >= len(records):
            raise NotFound(f"run {run_id!r} logged {len(records)} records, there is no number {number}")
        chosen = records[number]
        if chosen.kind == "confusion_matrix":
            return _figure(charts.confusion_matrix(chosen))
        if chosen.kind == "list" and isinstance(chosen.content, list):
            return _figure(charts.values_chart(chosen.name, chosen.content))
        raise InvalidInput(f"a {chosen.kind} is not shown as a chart; read it on the run's page")

    return routes


def _sweep(services: Services, run_id: str) -> tuple[RunView, Goal]:
    run = services.runs.get(run_id)
    goal = charts.goal_of(run)
    if goal is None:
        raise InvalidInput(f"{run_id!r} is a {run.kind}, and this chart is one of a sweep")
    return run, goal


def _points_of_a_trial(run: RunView) -> int:
    """Points per curve such that a sweep of any size stays quick to send and to draw."""
    trials = run.progress.trials_created if run.progress is not None else 1
    return max(20, min(500, POINTS_OF_A_CHART // max(trials, 1)))


def _figure(figure: Any) -> Response:
    # no-cache with the browser's own copy would be wrong here: points arrive while the address stays the same.
    return Response(
        figure.to_json(), media_type="application/json", headers={**FILE_HEADERS, "Cache-Control": "no-store"}
    )
