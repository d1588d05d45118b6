"""Rows of runs and of their attempts. Statuses change here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, insert, literal, or_, select, update

from sublight.core.errors import Conflict, NotFound
from sublight.core.run import ON_NODE_STATUSES, TERMINAL_STATUSES, RunStatus, is_legal_move
from sublight.store import events
from sublight.store.database import Database
from sublight.store.tables import artifacts, attempts, logs, metric_chunks, metrics, records, runs, script_children
from sublight.store.tables import events as event_rows

# A row of ``runs``; its columns are attributes. (SQLAlchemy gives rows no static shape.)
RunRow = Any

# Moves after which the node of a run must hear that it should have something else than before.
_CHANGES_ORDERS = TERMINAL_STATUSES | {RunStatus.STOPPING, RunStatus.QUEUED}


def add(connection: Connection, database: Database, row: Mapping[str, Any]) -> None:
    """Store a new run. Missing columns get their empty value."""
    full = {
        "name": row["id"],
        "description": "",
        "reason": "",
        "attempt": 0,
        "parameters": {},
        "arguments": [],
        "target_facts": {},
        "tags": {},
        "properties": {},
        **row,
        "change": database.next_change(*_subjects(row["id"], row.get("parent_id"), row["target"])),
    }
    connection.execute(insert(runs), full)


def get(connection: Connection, run_id: str) -> RunRow:
    """The row of a run; NotFound when there is none."""
    row = connection.execute(select(runs).where(runs.c.id == run_id)).first()
    if row is None:
        raise NotFound(f"there is no run {run_id!r} in this workspace; `sublight run list` shows the runs")
    return row


def exists(connection: Connection, run_id: str) -> bool:
    """True when the run is known."""
    return connection.scalar(select(runs.c.number).where(runs.c.id == run_id)) is not None


def is_sweep(connection: Connection, run_id: str) -> bool:
    """True when there is a sweep of this id."""
    return connection.scalar(select(runs.c.kind).where(runs.c.id == run_id)) == "sweep"


def ids_with_number(connection: Connection, beginning: str) -> list[str]:
    """The ids that begin with this text and then a digit."""
    query = select(runs.c.id).where(runs.c.id >= f"{beginning}0", runs.c.id < f"{beginning}:")  # ':' comes after '9'
    return list(connection.scalars(query).all())


def change(connection: Connection, database: Database, row: RunRow, **values: Any) -> None:
    """Change columns of a run other than its status."""
    assert "status" not in values, "a status changes through move()"
    number = database.next_change(*_subjects(row.id, row.parent_id, row.target))
    connection.execute(update(runs).where(runs.c.id == row.id).values(change=number, **values))


def move(
    connection: Connection,
    database: Database,
    row: RunRow,
    status: RunStatus,
    *,
    time: float,
    reason: str,
    inputs: Mapping[str, Any] | None = None,
    **values: Any,
) -> None:
    """Take a run to ``status``, with the reason; Conflict when that move is not legal from where it is now."""
    before = RunStatus(row.status)
    if not is_legal_move(before, status):
        raise Conflict(f"run {row.id} is {before.value} and cannot become {status.value}")
    number = database.next_change(*_subjects(row.id, row.parent_id, row.target))
    if row.node_id is not None and status in _CHANGES_ORDERS:
        database.next_change(f"node:{row.node_id}")
    if status.is_terminal:
        values.setdefault("ended", time)
    connection.execute(
        update(runs).where(runs.c.id == row.id).values(status=status.value, reason=reason, change=number, **values)
    )
    if before != status:
        events.append(connection, time=time, subject=f"run:{row.id}", kind=status.value, reason=reason, inputs=inputs)


def _subjects(run_id: str, parent_id: str | None, target: str) -> tuple[str, ...]:
    own = (f"run:{run_id}", f"cluster:{target}")
    return (*own, f"run:{parent_id}") if parent_id else own


def page(
    connection: Connection,
    *,
    experiment: str | None = None,
    kind: str | None = None,
    statuses: Sequence[str] = (),
    parent_id: str | None = None,
    target: str | None = None,
    search: str | None = None,
    tag: str | None = None,
    end_reason: str | None = None,
    include_children: bool = False,
    before: int | None = None,
    limit: int = 50,
) -> list[RunRow]:
    """Runs, newest first: without ``parent_id`` those that nobody else started, unless ``kind`` asks for others.

    ``include_children`` lists the others among them.

    A run whose whole id is ``search`` is found, whoever started it. ``tag`` is ``key`` or ``key=value``; ``search`` looks
    for text in id, name and experiment.
    """
    query = select(runs)
    if parent_id:
        query = query.where(runs.c.parent_id == parent_id)
    elif kind not in ("trial", "child") and not include_children:
        query = query.where(or_(runs.c.parent_id.is_(None), runs.c.id == (search or "")))
    if experiment:
        query = query.where(runs.c.experiment == experiment)
    if kind:
        query = query.where(runs.c.kind == kind)
    if statuses:
        query = query.where(runs.c.status.in_(list(statuses)))
    if end_reason:
        query = query.where(runs.c.end_reason == end_reason)
    if target:
        query = query.where(runs.c.target == target)
    if search:
        pattern = "%" + search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        fields = (runs.c.id, runs.c.name, runs.c.experiment)
        query = query.where(or_(*(field.ilike(pattern, escape="\\") for field in fields)))
    if tag:
        key, equals, value = tag.partition("=")
        item = runs.c.tags[key].as_string()
        query = query.where(item == value if equals else item.is_not(None))
    if before is not None:
        query = query.where(runs.c.number < before)
    return list(connection.execute(query.order_by(runs.c.number.desc()).limit(limit)).all())


def children(connection: Connection, parent_id: str, *, after_change: int = -1) -> list[RunRow]:
    """The children of a run in index order, those whose last change is after ``after_change``."""
    query = select(runs).where(runs.c.parent_id == parent_id)
    if after_change >= 0:
        query = query.where(runs.c.change > after_change)
    return list(connection.execute(query.order_by(runs.c.trial_index, runs.c.number)).all())


def of_ids(connection: Connection, ids: Iterable[str]) -> dict[str, RunRow]:
    """Rows by id, for the ids that exist."""
    wanted = list(ids)
    if not wanted:
        return {}
    return {row.id: row for row in connection.execute(select(runs).where(runs.c.id.in_(wanted))).all()}


def unfinished_sweeps(connection: Connection) -> list[RunRow]:
    """Sweeps that have not ended."""
    terminal = [status.value for status in TERMINAL_STATUSES]
    query = select(runs).where(runs.c.kind == "sweep", runs.c.status.not_in(terminal)).order_by(runs.c.number)
    return list(connection.execute(query).all())


def unfinished_interactive(connection: Connection) -> list[RunRow]:
    """Interactive runs whose process has not ended them."""
    where = and_(runs.c.status == RunStatus.RUNNING.value, runs.c.kind == "interactive")
    return list(connection.execute(select(runs).where(where).order_by(runs.c.number)).all())


def unfinished_of_experiment(connection: Connection, experiment: str) -> list[str]:
    """The ids of an experiment's runs that have not ended."""
    terminal = [status.value for status in TERMINAL_STATUSES]
    where = and_(runs.c.experiment == experiment, runs.c.status.not_in(terminal))
    return list(connection.scalars(select(runs.c.id).where(where).order_by(runs.c.number)).all())


def heirs_elsewhere(connection: Connection, experiment: str) -> list[tuple[str, str]]:
    """Unfinished sweeps of other experiments that learn from a sweep of this one: (their id, the sweep's id)."""
    own = set(
        connection.scalars(select(runs.c.id).where(runs.c.experiment == experiment, runs.c.kind == "sweep")).all()
    )
    return [
        (sweep.id, earlier)
        for sweep in unfinished_sweeps(connection)
        if sweep.experiment != experiment
        for earlier in sweep.definition["sweep"]["resume_from"]
        if earlier in own
    ]


def remove_all(connection: Connection, database: Database, experiment: str) -> tuple[list[str], set[str]]:
    """Forget the runs of an experiment with everything that is kept of them.

    Returns their ids, whose log files are the caller's to remove, and the hashes of their artifacts, whose contents
    others may need.
    """
    chosen = select(runs.c.id).where(runs.c.experiment == experiment)
    rows = connection.execute(select(runs.c.id, runs.c.parent_id, runs.c.target).where(runs.c.experiment == experiment))
    ids = []
    for row in rows.all():
        ids.append(row.id)
        database.next_change(*_subjects(row.id, row.parent_id, row.target))
    hashes = set(connection.scalars(select(artifacts.c.sha256).where(artifacts.c.run_id.in_(chosen))).all())
    for table in (attempts, metrics, metric_chunks, records, artifacts, logs, script_children):
        connection.execute(delete(table).where(table.c.run_id.in_(chosen)))
    subjects = select(literal("run:").concat(runs.c.id)).where(runs.c.experiment == experiment)
    connection.execute(delete(event_rows).where(event_rows.c.subject.in_(subjects)))
    connection.execute(delete(runs).where(runs.c.experiment == experiment))
    return ids, hashes


def queued(connection: Connection, target: str | None = None) -> list[RunRow]:
    """Runs that wait for a node, in the order in which they were queued."""
    query = select(runs).where(runs.c.status == RunStatus.QUEUED.value, runs.c.kind.in_(("script", "trial")))
    if target is not None:
        query = query.where(runs.c.target == target)
    return list(connection.execute(query.order_by(runs.c.queued, runs.c.number)).all())


def counts_by_target(connection: Connection) -> dict[str, tuple[int, int]]:
    """For each target, how many runs wait for it and how many are on its nodes."""
    on_node = [status.value for status in ON_NODE_STATUSES]
    query = (
        select(runs.c.target, runs.c.status, func.count())
        .where(runs.c.status.in_([RunStatus.QUEUED.value, *on_node]), runs.c.kind.in_(("script", "trial")))
        .group_by(runs.c.target, runs.c.status)
    )
    counts: dict[str, tuple[int, int]] = {}
    for target, status, count in connection.execute(query).all():
        waiting, active = counts.get(target, (0, 0))
        is_waiting = status == RunStatus.QUEUED.value
        counts[target] = (waiting + count, active) if is_waiting else (waiting, active + count)
    return counts


def metric_values(connection: Connection, run_ids: Sequence[str]) -> dict[str, dict[str, float | None]]:
    """The last value of each scalar metric of these runs."""
    found: dict[str, dict[str, float | None]] = {run_id: {} for run_id in run_ids}
    columns = (metrics.c.run_id, metrics.c.name, metrics.c.last)
    for start in range(0, len(run_ids), 500):
        query = select(*columns).where(metrics.c.run_id.in_(run_ids[start : start + 500])).order_by(metrics.c.name)
        for run_id, name, last in connection.execute(query).all():
            found[run_id][name] = last
    return found


# -- attempts ---------------------------------------------------------------------------------------------------------


def open_attempts(connection: Connection, node_id: str) -> list[Any]:
    """The attempts that a node should have, each joined with its run."""
    query = (
        select(attempts, runs.c.status.label("run_status"), runs.c.parent_id, runs.c.reason.label("run_reason"))
        .join(runs, runs.c.id == attempts.c.run_id)
        .where(attempts.c.node_id == node_id, attempts.c.is_open.is_(True))
        .order_by(attempts.c.placed)
    )
    return list(connection.execute(query).all())


def all_open_attempts(connection: Connection, cluster_nodes: Sequence[str]) -> list[Any]:
    """(node_id, run_id, share) of all open attempts on these nodes."""
    if not cluster_nodes:
        return []
    query = (
        select(attempts.c.node_id, attempts.c.run_id, runs.c.trials_per_node)
        .join(runs, runs.c.id == attempts.c.run_id)
        .where(attempts.c.is_open.is_(True), attempts.c.node_id.in_(list(cluster_nodes)))
    )
    return list(connection.execute(query).all())


def attempt(connection: Connection, run_id: str, number: int) -> Row[Any] | None:
    """One attempt, or None."""
    where = and_(attempts.c.run_id == run_id, attempts.c.number == number)
    return connection.execute(select(attempts).where(where)).first()


def attempts_of(connection: Connection, run_id: str) -> list[Any]:
    """All attempts of a run in their order."""
    return list(
        connection.execute(select(attempts).where(attempts.c.run_id == run_id).order_by(attempts.c.number)).all()
    )


def add_attempt(connection: Connection, row: Mapping[str, Any]) -> None:
    """Store a new attempt."""
    connection.execute(insert(attempts), {"journal_offset": 0, "is_open": True, "reason": "", **row})


def change_attempt(connection: Connection, run_id: str, number: int, **values: Any) -> None:
    """Change columns of an attempt."""
    where = and_(attempts.c.run_id == run_id, attempts.c.number == number)
    connection.execute(update(attempts).where(where).values(**values))


def script_child(connection: Connection, run_id: str, child: str) -> str | None:
    """The run id of a child that a script made, by the script's own id for it."""
    where = and_(script_children.c.run_id == run_id, script_children.c.child == child)
    return connection.scalar(select(script_children.c.child_run_id).where(where))


def add_script_child(connection: Connection, run_id: str, child: str, child_run_id: str) -> None:
    """Remember which run stands for a script's child."""
    connection.execute(insert(script_children), {"run_id": run_id, "child": child, "child_run_id": child_run_id})


def unfinished_on_target(connection: Connection, target: str) -> list[RunRow]:
    """Script runs and trials that wait for a target or are on its nodes."""
    terminal = [status.value for status in TERMINAL_STATUSES]
    where = and_(runs.c.target == target, runs.c.status.not_in(terminal), runs.c.kind.in_(("script", "trial")))
    return list(connection.execute(select(runs).where(where).order_by(runs.c.number)).all())


def cost_of_children(connection: Connection, parent_id: str) -> tuple[float, float | None]:
    """Node seconds and price of all children of a run together; the price is None when none has one."""
    query = select(func.sum(runs.c.node_seconds), func.sum(runs.c.price)).where(runs.c.parent_id == parent_id)
    seconds, price = connection.execute(query).one()
    return float(seconds or 0.0), None if price is None else float(price)
