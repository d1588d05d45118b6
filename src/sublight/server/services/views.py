"""From rows to messages: what the API, the portal and the SDK see of a run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from sublight.core.arguments import fill_command
from sublight.core.metric import Direction, Goal
from sublight.core.search_space import SearchSpace
from sublight.messages.definitions import ScriptDefinition, SweepDefinition
from sublight.messages.runs import AttemptView, EventView, RunView, SweepProgress
from sublight.store import runs as run_rows
from sublight.store.runs import RunRow


def run_views(connection: Connection, rows: Sequence[RunRow]) -> list[RunView]:
    """Views of several runs, with one query for all their metrics and one for their parents' definitions."""
    metrics = run_rows.metric_values(connection, [row.id for row in rows])
    parents = run_rows.of_ids(connection, {row.parent_id for row in rows if row.kind == "trial"})
    sweeps = {parent.id: sweep_of(parent) for parent in parents.values()}
    scripts = {id: sweep.trial for id, sweep in sweeps.items()}
    # The names of all tuned parameters, which only commands need.
    names = {id: SearchSpace.from_json(sweep.space).names for id, sweep in sweeps.items() if sweep.trial.command}
    return [_run_view(row, metrics[row.id], scripts.get(row.parent_id), names.get(row.parent_id, ())) for row in rows]


def run_view(connection: Connection, row: RunRow) -> RunView:
    """The view of one run."""
    return run_views(connection, [row])[0]


def _run_view(
    row: RunRow, metrics: Mapping[str, float | None], trial_script: ScriptDefinition | None, names: Sequence[str]
) -> RunView:
    script = script_of(row) if row.kind == "script" else trial_script
    return RunView(
        id=row.id,
        kind=row.kind,
        experiment=row.experiment,
        name=row.name,
        target=row.target,
        status=row.status,
        reason=row.reason,
        end_reason=row.end_reason,
        created_by=row.created_by,
        created=row.created,
        queued=row.queued,
        started=row.started,
        ended=row.ended,
        parent_id=row.parent_id,
        index=row.trial_index,
        node_id=row.node_id,
        attempt=row.attempt,
        exit_code=row.exit_code,
        parameters=row.parameters,
        arguments=row.arguments,
        command=None if script is None else command_line(script, row.parameters, names),
        metrics=dict(metrics),
        best_value=row.best_value,
        tags=row.tags,
        properties=row.properties,
        script=script,
        sweep=sweep_of(row) if row.kind == "sweep" else None,
        progress=progress_of(row) if row.kind == "sweep" else None,
        node_seconds=row.node_seconds,
        price=row.price,
        change=row.change,
        description=row.description,
        snapshot_id=_snapshot_of(row, trial_script),
    )


def command_line(script: ScriptDefinition, parameters: Mapping[str, Any], names: Sequence[str]) -> str | None:
    """The shell line of a run with its values filled in; None when it runs a script. ``names`` are all tuned ones."""
    if script.command is None:
        return None
    return fill_command(script.command, parameters=parameters, inputs=script.inputs, names=names)


def _snapshot_of(row: RunRow, trial_script: ScriptDefinition | None) -> str | None:
    if row.kind == "interactive":
        snapshot_id: str | None = row.definition["interactive"]["snapshot_id"]
        return snapshot_id
    if row.kind == "sweep":
        return str(row.definition["sweep"]["trial"]["snapshot_id"])
    if row.kind == "script":
        return str(row.definition["script"]["snapshot_id"])
    return None if trial_script is None else trial_script.snapshot_id


def script_of(row: RunRow) -> ScriptDefinition:
    """The definition of a script run."""
    return msgspec.convert(row.definition["script"], ScriptDefinition)


def sweep_of(row: RunRow) -> SweepDefinition:
    """The definition of a sweep."""
    return msgspec.convert(row.definition["sweep"], SweepDefinition)


def progress_of(row: RunRow) -> SweepProgress:
    """The stored progress of a sweep."""
    return msgspec.convert(row.progress, SweepProgress)


def goal_of(definition: SweepDefinition) -> Goal:
    """The goal of a sweep."""
    return Goal(definition.metric, Direction(definition.direction))


def event_view(row: Any) -> EventView:
    """An event as the API shows it."""
    return EventView(
        number=row.number, time=row.time, subject=row.subject, kind=row.kind, reason=row.reason, inputs=row.inputs
    )


def attempt_view(row: Any) -> AttemptView:
    """An attempt as the API shows it."""
    return AttemptView(
        number=row.number,
        node_id=row.node_id,
        status=row.status,
        started=row.started or row.placed,
        ended=row.ended,
        exit_code=row.exit_code,
        reason=row.reason,
    )


def plain_number(value: float) -> float | None:
    """A number for charts: None where JSON has none (NaN, infinities)."""
    return value if math.isfinite(value) else None


def exact_number(value: float) -> float | str | None:
    """A number that keeps infinities as text; None for NaN."""
    if math.isfinite(value):
        return value
    return None if math.isnan(value) else ("inf" if value > 0 else "-inf")
