"""Scalar metrics, packed into chunks, with totals kept at ingest; and the records of everything else that is logged."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, bindparam, insert, select, update

from sublight.store.database import Database
from sublight.store.tables import metric_chunks, metrics, records, runs

# A chunk is 24 bytes a point; a chunk that is not full yet is rewritten when points are added, so it stays small.
CHUNK_POINTS = 4096
_SMALL_POINTS = 256


@dataclass(slots=True)
class Points:
    """Reports of one metric in order: int64 steps, float64 values, float64 times."""

    steps: array[int]
    values: array[float]
    times: array[float]

    @classmethod
    def empty(cls) -> Points:
        """No points yet."""
        return cls(array("q"), array("d"), array("d"))

    def add_chunk(self, chunk: Any) -> None:
        """Put the points of a stored chunk, a row of ``metric_chunks``, after these."""
        self.steps.frombytes(chunk.steps)
        self.values.frombytes(chunk.points)
        self.times.frombytes(chunk.times)

    def __len__(self) -> int:
        return len(self.values)


def append(
    connection: Connection,
    database: Database,
    run_id: str,
    batches: dict[str, Points],
) -> None:
    """Append points to metrics of a run and bring their totals up to date, inside the caller's transaction."""
    known = {row.name: row for row in summaries(connection, run_id)}
    number = database.next_change()
    for name, points in batches.items():
        before = known.get(name)
        count = before.points_count if before else 0
        _append_chunks(connection, run_id, name, count, points)
        finite = [value for value in points.values if math.isfinite(value)]
        least = _fold(min, before.least if before else None, finite)
        greatest = _fold(max, before.greatest if before else None, finite)
        last = points.values[-1]
        row = {
            "points_count": count + len(points),
            "last_step": points.steps[-1],
            "last": last if math.isfinite(last) else None,
            "least": least,
            "greatest": greatest,
            "change": number,
        }
        if before is None:
            connection.execute(insert(metrics), {"run_id": run_id, "name": name, **row})
        else:
            where = and_(metrics.c.run_id == run_id, metrics.c.name == name)
            connection.execute(update(metrics).where(where).values(**row))


def _fold(choose: Any, before: float | None, values: list[float]) -> float | None:
    if not values:
        return before
    found: float = choose(values)
    return found if before is None else float(choose(before, found))


def _append_chunks(connection: Connection, run_id: str, name: str, count: int, points: Points) -> None:
    start = 0
    if count:
        query = select(metric_chunks).where(metric_chunks.c.run_id == run_id, metric_chunks.c.name == name)
        last = connection.execute(query.order_by(metric_chunks.c.first.desc()).limit(1)).one()
        # Grow the last chunk while it is small; a chunk that is large already is left alone and a new one begun.
        room = _SMALL_POINTS - last.points_count
        if room > 0:
            start = min(room, len(points))
            connection.execute(
                _GROW,
                {
                    "at_run": run_id,
                    "at_name": name,
                    "at_first": last.first,
                    "points_count": last.points_count + start,
                    "steps": last.steps + points.steps[:start].tobytes(),
                    "points": last.points + points.values[:start].tobytes(),
                    "times": last.times + points.times[:start].tobytes(),
                },
            )
    rows = [
        {
            "run_id": run_id,
            "name": name,
            "first": count + first,
            "points_count": min(CHUNK_POINTS, len(points) - first),
            "steps": points.steps[first : first + CHUNK_POINTS].tobytes(),
            "points": points.values[first : first + CHUNK_POINTS].tobytes(),
            "times": points.times[first : first + CHUNK_POINTS].tobytes(),
        }
        for first in range(start, len(points), CHUNK_POINTS)
    ]
    if rows:
        connection.execute(insert(metric_chunks), rows)


_GROW = (
    update(metric_chunks)
    .where(
        metric_chunks.c.run_id == bindparam("at_run"),
        metric_chunks.c.name == bindparam("at_name"),
        metric_chunks.c.first == bindparam("at_first"),
    )
    .values(
        points_count=bindparam("points_count"),
        steps=bindparam("steps"),
        points=bindparam("points"),
        times=bindparam("times"),
    )
)


def summaries(connection: Connection, run_id: str) -> list[Any]:
    """The totals of all scalar metrics of a run, by name."""
    query = select(metrics).where(metrics.c.run_id == run_id).order_by(metrics.c.name)
    return list(connection.execute(query).all())


def names_of(connection: Connection, run_ids: Sequence[str]) -> set[str]:
    """The names of all metrics that these runs reported."""
    query = select(metrics.c.name).where(metrics.c.run_id.in_(list(run_ids))).distinct()
    return set(connection.scalars(query).all())


def counts(connection: Connection, run_ids: Sequence[str], name: str) -> dict[str, int]:
    """How many points each of these runs has of one metric."""
    query = select(metrics.c.run_id, metrics.c.points_count).where(
        metrics.c.run_id.in_(list(run_ids)), metrics.c.name == name
    )
    return {row.run_id: row.points_count for row in connection.execute(query).all()}


def points(connection: Connection, run_id: str, name: str, *, start: int = 0) -> Points:
    """All points of one metric from number ``start`` on."""
    found = Points.empty()
    query = select(metric_chunks).where(metric_chunks.c.run_id == run_id, metric_chunks.c.name == name)
    query = query.where(metric_chunks.c.first + metric_chunks.c.points_count > start).order_by(metric_chunks.c.first)
    for chunk in connection.execute(query):
        skip = max(0, start - chunk.first)
        found.steps.extend(_tail("q", chunk.steps, skip))
        found.values.extend(_tail("d", chunk.points, skip))
        found.times.extend(_tail("d", chunk.times, skip))
    return found


def all_points(connection: Connection, run_id: str) -> dict[str, Points]:
    """All points of all scalar metrics of a run, by name."""
    query = select(metric_chunks).where(metric_chunks.c.run_id == run_id)
    found: dict[str, Points] = {}
    for chunk in connection.execute(query.order_by(metric_chunks.c.name, metric_chunks.c.first)):
        found.setdefault(chunk.name, Points.empty()).add_chunk(chunk)
    return found


def _tail(kind: str, data: bytes, skip: int) -> Any:
    values: Any = array(kind)
    values.frombytes(data)
    return values[skip:]


def add_records(connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
    """Store records (lists, rows, tables, images …) in their order."""
    all_rows = list(rows)
    if all_rows:
        connection.execute(insert(records), all_rows)


def records_of(
    connection: Connection, run_id: str, kind: str | None = None, *, start: int = 0, limit: int
) -> list[Any]:
    """Records of a run in the order in which they were logged, from the ``start``-th on, counted from 0."""
    query = select(records).where(records.c.run_id == run_id)
    if kind is not None:
        query = query.where(records.c.kind == kind)
    return list(connection.execute(query.order_by(records.c.number).limit(limit).offset(start)).all())


def points_of_children(connection: Connection, parent_id: str, name: str) -> dict[str, Points]:
    """All points of one metric of all children of a run, by run id, with one query."""
    query = (
        select(metric_chunks)
        .join(runs, runs.c.id == metric_chunks.c.run_id)
        .where(runs.c.parent_id == parent_id, metric_chunks.c.name == name)
        .order_by(metric_chunks.c.run_id, metric_chunks.c.first)
    )
    found: dict[str, Points] = {}
    for chunk in connection.execute(query):
        found.setdefault(chunk.run_id, Points.empty()).add_chunk(chunk)
    return found
