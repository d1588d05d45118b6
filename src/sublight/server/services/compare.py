"""Runs and sweeps side by side: time, cost, and how soon each reached what all of them reached."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from sublight.core.comparison import Side, common_value, first_reached, verdict
from sublight.core.errors import InvalidInput
from sublight.core.metric import Direction, Goal
from sublight.messages.runs import CompareColumn, Comparison
from sublight.server.clock import Clock
from sublight.server.services import views
from sublight.store import metrics as metric_rows
from sublight.store import runs as run_rows
from sublight.store.database import Database
from sublight.store.runs import RunRow


@dataclass
class _Loaded:
    row: RunRow
    trials: list[RunRow]
    reports: list[tuple[float, float]]
    bests: Mapping[str, float]
    facts: Mapping[str, Any]


class Compare:
    """``compare(run_ids)`` with two or more ids."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def __call__(
        self, run_ids: Sequence[str], *, metric: str | None = None, direction: str | None = None
    ) -> Comparison:
        """The comparison of these runs; InvalidInput for fewer than two.

        Compared is the primary metric of the sweeps among them, or the ``metric`` named, which counts as better when it
        is larger unless ``direction`` is ``minimize``. Any run that logged the metric takes part.
        """
        if len(run_ids) < 2:
            raise InvalidInput(f"a comparison needs two or more runs, got {len(run_ids)}")
        with self._database.read() as connection:
            rows = [run_rows.get(connection, run_id) for run_id in run_ids]
            goal = self._goal(connection, rows, metric, direction)
            loaded = [self._load(connection, row, goal) for row in rows]
        common = common_value(goal, [[value for _, value in one.reports] for one in loaded]) if goal else None
        columns = [self._column(one, goal, common) for one in loaded]
        sides = [
            Side(
                name=f"{column.run_id} on {column.target}",
                wall_seconds=column.wall_seconds,
                price=column.price,
                seconds_to_common=column.seconds_to_common_value,
                price_to_common=column.price_to_common_value,
                best=column.best_value,
            )
            for column in columns
        ]
        return Comparison(
            metric=goal.metric if goal else None,
            direction=goal.direction.value if goal else None,
            common_value=common,
            columns=columns,
            verdict=verdict(goal, common, sides),
        )

    def _goal(
        self, connection: Connection, rows: Sequence[RunRow], metric: str | None, direction: str | None
    ) -> Goal | None:
        """What to compare by: what was asked for, else the one goal of the sweeps among the runs, else nothing."""
        if direction is not None and direction not in set(Direction):
            raise InvalidInput(f"the direction is maximize or minimize, got {direction!r}")
        goals = set()
        for row in rows:
            owner = run_rows.get(connection, row.parent_id) if row.kind == "trial" else row
            if owner.kind == "sweep":
                goals.add(views.goal_of(views.sweep_of(owner)))
        if metric is None:
            return goals.pop() if len(goals) == 1 else None
        known = {goal.direction for goal in goals if goal.metric == metric}
        fallback = known.pop() if len(known) == 1 else Direction.MAXIMIZE
        return Goal(metric, fallback if direction is None else Direction(direction))

    def _load(self, connection: Connection, row: RunRow, goal: Goal | None) -> _Loaded:
        trials = run_rows.children(connection, row.id) if row.kind == "sweep" else []
        reports: list[tuple[float, float]] = []
        bests: dict[str, float] = {}
        if goal is not None:
            if row.kind == "sweep":
                series = metric_rows.points_of_children(connection, row.id, goal.metric)
            else:
                series = {row.id: metric_rows.points(connection, row.id, goal.metric)}
            reports = sorted(
                (t, v) for points in series.values() for t, v in zip(points.times, points.values, strict=True)
            )
            for run_id, points in series.items():
                # Infinities are no result, as nowhere else.
                best = goal.best(value for value in points.values if math.isfinite(value))
                if best is not None:
                    bests[run_id] = best
        return _Loaded(row=row, trials=trials, reports=reports, bests=bests, facts=row.target_facts)

    def _column(self, one: _Loaded, goal: Goal | None, common: float | None) -> CompareColumn:
        row = one.row
        price_per_hour = one.facts.get("price_per_hour")
        begin = row.queued or row.created
        end = row.ended or self._clock.now()
        ended = [trial for trial in one.trials if trial.ended is not None]
        ran = [trial.ended - trial.started for trial in ended if trial.started is not None]
        best_id = min(one.bests, key=lambda run_id: goal.sort_key(one.bests[run_id]), default=None) if goal else None
        reached = first_reached(goal, one.reports, common) if goal and common is not None else None
        seconds_to_common = None if reached is None else max(0.0, reached - begin)
        now = self._clock.now()
        node_seconds = sum(_node_seconds(run, now) for run in one.trials or [row])
        price = None if price_per_hour is None else node_seconds * price_per_hour / 3600
        used_to_common = None if reached is None else _node_seconds_until(one, reached, now)
        return CompareColumn(
            run_id=row.id,
            kind=row.kind,
            experiment=row.experiment,
            target=row.target,
            size=one.facts.get("size", ""),
            nodes_max=one.facts.get("nodes_max", 0),
            status=row.status,
            wall_seconds=end - begin,
            node_seconds=node_seconds,
            price=price,
            trials_count=len(one.trials),
            trials_stopped_early=sum(trial.end_reason == "policy" for trial in one.trials),
            seconds_per_trial=sum(ran) / len(ran) if ran else None,
            startup_share=_startup_share(row, ran, node_seconds),
            metric=goal.metric if goal else None,
            best_value=None if best_id is None else one.bests[best_id],
            best_run_id=best_id if one.trials else None,
            seconds_to_common_value=seconds_to_common,
            price_to_common_value=None
            if used_to_common is None or price_per_hour is None
            else used_to_common * price_per_hour / 3600,
        )


def _startup_share(row: RunRow, ran: Sequence[float], node_seconds: float) -> float | None:
    """The share of the node time in which no script ran; trials that share a node share its time."""
    if not ran or node_seconds <= 0:
        return None
    return max(0.0, 1 - sum(ran) / max(1, row.trials_per_node or 1) / node_seconds)


def _node_seconds(run: RunRow, now: float) -> float:
    """The node time of a run, with what an attempt that still goes on has used so far."""
    if run.started is None or run.ended is not None:
        return float(run.node_seconds)
    since = max(0.0, now - float(run.started)) / max(1, run.trials_per_node or 1)
    return float(run.node_seconds) + since


def _node_seconds_until(one: _Loaded, moment: float, now: float) -> float:
    """Node time used before a moment; a trial's node time is spread evenly over the time that it ran."""
    total = 0.0
    for trial in one.trials or [one.row]:
        start, end = trial.started, trial.ended or now
        if start is None or start >= moment:
            continue
        used = _node_seconds(trial, now)
        total += used if end <= moment or end <= start else used * (moment - start) / (end - start)
    return total
