"""Rows of experiments."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from sublight.core.errors import NotFound
from sublight.store.tables import experiments, runs


def ensure(connection: Connection, name: str, *, time: float) -> None:
    """Make sure that the experiment is listed."""
    if connection.scalar(select(experiments.c.name).where(experiments.c.name == name)) is None:
        row = {"name": name, "created": time, "id": str(uuid.uuid4()), "tags": {}, "is_archived": False}
        connection.execute(insert(experiments), row)


def get(connection: Connection, name: str) -> Any:
    """The row of an experiment, with the number of its top-level runs; NotFound when there is none."""
    row = connection.execute(_WITH_RUNS.where(experiments.c.name == name)).first()
    if row is None:
        raise NotFound(f"there is no experiment {name[:200]!r} in this workspace")
    return row


def all_experiments(connection: Connection) -> list[Any]:
    """Experiments with their number of top-level runs and the time of the newest, newest first."""
    return list(connection.execute(_WITH_RUNS.order_by(func.max(runs.c.created).desc())).all())


def change(connection: Connection, name: str, **values: Any) -> None:
    """Change columns of an experiment."""
    connection.execute(update(experiments).where(experiments.c.name == name).values(**values))


def remove(connection: Connection, name: str) -> None:
    """Forget an experiment; its runs are removed by ``store.runs.remove_all``."""
    connection.execute(delete(experiments).where(experiments.c.name == name))


_WITH_RUNS = (
    select(experiments, func.count(runs.c.number).label("runs_count"), func.max(runs.c.created).label("last_run"))
    .select_from(experiments.outerjoin(runs, and_(runs.c.experiment == experiments.c.name, runs.c.parent_id.is_(None))))
    .group_by(experiments.c.name)
)
