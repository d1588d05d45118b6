"""What runs reported, ready for charts and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sublight.core.errors import InvalidInput
from sublight.core.thinning import kept_indexes
from sublight.messages.runs import (
    RECORDS_PAGE,
    ChildMetrics,
    ChildMetricsPage,
    MetricSeries,
    MetricSummary,
    RecordView,
    TrialCurve,
)
from sublight.server.services import views
from sublight.store import metrics as metric_rows
from sublight.store import runs as run_rows
from sublight.store.database import Database

POINTS_MAX = 2000
CHILDREN_PAGE = 100
NUMBERS_PAGE = 1_000_000


class Metrics:
    """Reading metrics and records."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def summaries(self, run_id: str) -> list[MetricSummary]:
        """The totals of a run's scalar metrics."""
        with self._database.read() as connection:
            run_rows.get(connection, run_id)
            return [
                MetricSummary(
                    name=row.name,
                    count=row.points_count,
                    last_step=row.last_step,
                    last=row.last,
                    least=row.least,
                    greatest=row.greatest,
                )
                for row in metric_rows.summaries(connection, run_id)
            ]

    def series(self, run_id: str, name: str, max_points: int = POINTS_MAX) -> MetricSeries:
        """The points of a metric, thinned to about ``max_points`` with the least and greatest of each stretch kept."""
        with self._database.read() as connection:
            run_rows.get(connection, run_id)
            points = metric_rows.points(connection, run_id, name)
        kept = kept_indexes(points.values, max(4, max_points))
        return MetricSeries(
            run_id=run_id,
            name=name,
            count=len(points),
            steps=[points.steps[i] for i in kept],
            values=[views.exact_number(points.values[i]) for i in kept],
            times=[points.times[i] for i in kept],
        )

    def records(self, run_id: str, kind: str | None = None, start: int = 0) -> list[RecordView]:
        """Lists, rows, tables, images and the like, in the order in which they were logged: a page of 10,000 at most.

        A full page may have more behind it; ``start`` is how many were read before.
        """
        if start < 0:
            raise InvalidInput(f"start must be 0 or more, got {start}")
        with self._database.read() as connection:
            run_rows.get(connection, run_id)
            return [
                RecordView(name=row.name, kind=row.kind, step=row.step, time=row.time, content=row.content)
                for row in metric_rows.records_of(connection, run_id, kind, start=start, limit=RECORDS_PAGE)
            ]

    def of_children(self, run_id: str, start: int = 0) -> ChildMetricsPage:
        """All that the children of a run have logged, in a few large answers instead of several for each child.

        A page ends after 100 children or a million numbers, whichever comes first.
        """
        if start < 0:
            raise InvalidInput(f"start must be 0 or more, got {start}")
        with self._database.read() as connection:
            run_rows.get(connection, run_id)
            children = [child.id for child in run_rows.children(connection, run_id)]
            found: list[ChildMetrics] = []
            amount = 0
            for child_id in children[start : start + CHILDREN_PAGE]:
                series = metric_rows.all_points(connection, child_id)
                records = metric_rows.records_of(connection, child_id, limit=RECORDS_PAGE)
                found.append(_child_metrics(child_id, series, records))
                amount += sum(map(len, series.values())) + len(records)
                if amount > NUMBERS_PAGE:
                    break
        end = start + len(found)
        return ChildMetricsPage(children=found, next_start=end if end < len(children) else None)

    def curves(self, sweep_id: str, max_points: int = 200) -> list[TrialCurve]:
        """The primary metric of every trial of a sweep, in index order."""
        with self._database.read() as connection:
            sweep = run_rows.get(connection, sweep_id)
            if sweep.kind != "sweep":
                return []
            metric = views.sweep_of(sweep).metric
            trials = run_rows.children(connection, sweep_id)
            by_run = metric_rows.points_of_children(connection, sweep_id, metric)
            return [self._curve(trial, by_run.get(trial.id), max_points) for trial in trials]

    @staticmethod
    def _curve(trial: Any, points: metric_rows.Points | None, max_points: int) -> TrialCurve:
        found = points or metric_rows.Points.empty()
        kept = kept_indexes(found.values, max(4, max_points))
        return TrialCurve(
            run_id=trial.id,
            index=trial.trial_index or 0,
            status=trial.status,
            end_reason=trial.end_reason,
            steps=[found.steps[i] for i in kept],
            values=[views.plain_number(found.values[i]) for i in kept],
            times=[found.times[i] for i in kept],
        )


def _child_metrics(run_id: str, series: Mapping[str, metric_rows.Points], records: Sequence[Any]) -> ChildMetrics:
    return ChildMetrics(
        run_id=run_id,
        series=[
            MetricSeries(
                run_id=run_id,
                name=name,
                count=len(points),
                steps=list(points.steps),
                values=[views.exact_number(value) for value in points.values],
                times=list(points.times),
            )
            for name, points in series.items()
        ],
        records=[
            RecordView(name=row.name, kind=row.kind, step=row.step, time=row.time, content=row.content)
            for row in records
        ],
    )
