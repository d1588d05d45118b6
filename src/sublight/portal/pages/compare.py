"""``/compare?run=A&run=B``: runs or sweeps side by side, with the verdict in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from sublight.core.errors import InvalidInput
from sublight.messages.runs import CompareColumn, Comparison, RunView
from sublight.portal import charts
from sublight.portal.formats import NOTHING, duration, number, price, shell_word
from sublight.portal.page import Elsewhere, Page
from sublight.portal.ports import Services
from sublight.portal.rendering import render
from sublight.server.protection import FILE_HEADERS

RUNS_MAX = 8
BARS = {
    "wall_seconds": "wall time, seconds",
    "node_seconds": "node time, seconds",
    "price": "price",
    "best_value": "best value",
}


def router(services: Services) -> APIRouter:
    """The routes of the comparison."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/compare", name="portal_compare")
    def compare(request: Request, run: list[str] = Query([]), metric: str = "", direction: str = "") -> Response:
        return render(request, "compare.html", ComparePage(services, run, metric.strip(), direction))

    @routes.get("/portal/charts/compare-bars.json", name="portal_chart_compare_bars")
    def bars(field: str, run: list[str] = Query([]), metric: str = "", direction: str = "") -> Response:
        if field not in BARS:
            raise InvalidInput(f"a bar chart shows one of {', '.join(BARS)}, got {field!r}")
        found = services.compare(_distinct(run), metric=metric.strip() or None, direction=direction or None)
        figure = charts.compare_bars(found.columns, field, BARS[field])
        return Response(figure.to_json(), media_type="application/json", headers=FILE_HEADERS)

    @routes.get("/portal/charts/compare-best.json", name="portal_chart_compare_best")
    def best(run: list[str] = Query([])) -> Response:
        sweeps = {}
        goal = None
        for one in (services.runs.get(run_id) for run_id in _distinct(run)):
            goal = charts.goal_of(one) or goal
            if one.sweep is not None:
                origin = one.started if one.started is not None else one.created
                sweeps[one.id] = (services.metrics.curves(one.id, 100), origin)
        if goal is None:
            raise InvalidInput("best so far is drawn for sweeps, and none of these runs is one")
        figure = charts.best_over_time(sweeps, goal)
        return Response(figure.to_json(), media_type="application/json", headers=FILE_HEADERS)

    return routes


@dataclass(frozen=True)
class Row:
    """A row of the comparison: a label and one text for each side; ``winner`` is the best side's place, if any is."""

    label: str
    cells: list[str]
    winner: int | None = None


class ComparePage(Page):
    """The values of the comparison's page."""

    title = "Compare"
    place = "compare"
    bars = BARS
    directions = ("maximize", "minimize")

    def __init__(self, services: Services, run_ids: Sequence[str], metric: str = "", direction: str = "") -> None:
        self._services = services
        self.metric = metric
        self.direction = direction
        self.run_ids = _distinct(run_ids)
        if len(self.run_ids) == 1:
            services.runs.get(self.run_ids[0])  # a run that does not exist is told, not passed over

    @property
    def is_ready(self) -> bool:
        return len(self.run_ids) >= 2

    @property
    def query_text(self) -> str:
        chosen = [("metric", self.metric), ("direction", self.direction)]
        return urlencode([*(("run", run_id) for run_id in self.run_ids), *(item for item in chosen if item[1])])

    @property
    def elsewhere(self) -> Elsewhere:
        chosen = self.run_ids if self.is_ready else ["RUN_A", "RUN_B"]
        arguments = ", ".join(repr(run_id) for run_id in chosen)
        options = ""
        if self.metric:
            options += f" --metric {shell_word(self.metric)}"
            arguments += f", metric={self.metric!r}"
        if self.direction:
            options += " --minimize" if self.direction == "minimize" else ""
            arguments += f", direction={self.direction!r}"
        return Elsewhere(
            cli="sublight compare " + " ".join(shell_word(run_id) for run_id in chosen) + options,
            sdk=f"import sublight as sl\n\nws = sl.Workspace.from_config()\nprint(ws.compare({arguments}).verdict)",
        )

    @cached_property
    def recent(self) -> list[RunView]:
        """Runs to choose from: the latest sweeps, then the latest runs of any kind."""
        sweeps = self._services.runs.list(kind="sweep", limit=20).runs
        others = self._services.runs.list(limit=30).runs
        return list({run.id: run for run in [*sweeps, *others]}.values())

    @cached_property
    def comparison(self) -> Comparison:
        return self._services.compare(self.run_ids, metric=self.metric or None, direction=self.direction or None)

    @cached_property
    def metrics(self) -> list[str]:
        """Names of metrics that the chosen runs logged, to choose from."""
        views = [self._services.runs.get(run_id) for run_id in self.run_ids]
        return sorted({name for view in views for name in view.metrics} | {v.sweep.metric for v in views if v.sweep})

    @property
    def has_sweeps(self) -> bool:
        return any(column.kind == "sweep" for column in self.comparison.columns)

    @property
    def shown_bars(self) -> list[str]:
        """Bar charts for which every side has a number."""
        return [name for name in BARS if all(getattr(c, name) is not None for c in self.comparison.columns)]

    @property
    def rows(self) -> list[Row]:
        found = self.comparison
        columns = found.columns
        metric = found.metric or "metric"
        is_more_better = found.direction != "minimize"
        common = f"{metric} {number(found.common_value)}" if found.common_value is not None else "the same value"
        return [
            Row("experiment", [c.experiment for c in columns]),
            Row("compute target", [c.target for c in columns]),
            Row("size", [f"{c.nodes_max} × {c.size}" if c.nodes_max else c.size or NOTHING for c in columns]),
            Row("status", [c.status for c in columns]),
            _least("wall time", columns, "wall_seconds", duration),
            _least("node time", columns, "node_seconds", duration),
            _least("price", columns, "price", price),
            Row("trials", [number(c.trials_count) for c in columns]),
            Row("ended early", [number(c.trials_stopped_early) for c in columns]),
            _least("time per trial", columns, "seconds_per_trial", duration),
            Row("start-up share", [NOTHING if c.startup_share is None else f"{c.startup_share:.0%}" for c in columns]),
            _least(f"best {metric}", columns, "best_value", number, is_more_better=is_more_better),
            _least(f"time to {common}", columns, "seconds_to_common_value", duration),
            _least(f"price to {common}", columns, "price_to_common_value", price),
        ]


def _least(
    label: str, columns: Sequence[CompareColumn], name: str, write: object, *, is_more_better: bool = False
) -> Row:
    values = [getattr(column, name) for column in columns]
    assert callable(write)
    known = [(item, place) for place, item in enumerate(values) if item is not None]
    winner = None
    if len(known) == len(values) and len({item for item, _ in known}) > 1:
        winner = (max if is_more_better else min)(known)[1]
    return Row(label, [write(item) for item in values], winner)


def _distinct(run_ids: Sequence[str]) -> list[str]:
    chosen = list(dict.fromkeys(run_id.strip() for run_id in run_ids if run_id.strip()))
    if len(chosen) > RUNS_MAX:
        raise InvalidInput(f"at most {RUNS_MAX} runs stand side by side, got {len(chosen)}; leave some out")
    return chosen
