"""Runs and sweeps: submit, look, change, cancel."""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection

from sublight.core.arguments import check_all_used, fill_command, script_arguments
from sublight.core.environment import check_environment
from sublight.core.errors import Conflict, InvalidInput, TooLarge
from sublight.core.ids import check_own_id, random_part, separator_of, slug, sweep_of_trial_id
from sublight.core.policies import policy_from_json
from sublight.core.resolution import check_buildable
from sublight.core.run import EndReason, RunKind, RunStatus
from sublight.core.samplers import sampler_from_json
from sublight.core.search_space import SearchSpace
from sublight.messages.definitions import ScriptDefinition, SubmitRequest, SweepDefinition
from sublight.messages.runs import AttemptView, EventView, RunPage, RunUpdate, RunView, SweepProgress
from sublight.server.clock import Clock
from sublight.server.services import attempts, views
from sublight.server.services.clusters import TRIALS_PER_NODE_MAX
from sublight.store import audit, events, idempotency
from sublight.store import clusters as cluster_rows
from sublight.store import experiments as experiment_rows
from sublight.store import runs as run_rows
from sublight.store.database import Database

if TYPE_CHECKING:
    from sublight.server.caller import Caller
    from sublight.server.services.clusters import Clusters
    from sublight.server.services.files import Files

LOCAL_TARGET = "local"
PAGE_MAX = 500
ANNOTATIONS_BYTES_MAX = 256 * 1024
NAME_LENGTH_MAX = 256


class Runs:
    """The verbs on runs. ``files`` tells whether a snapshot is complete; ``clusters`` opens the ``local`` target."""

    def __init__(self, database: Database, clock: Clock, *, files: Files, clusters: Clusters) -> None:
        self._database = database
        self._clock = clock
        self._files = files
        self._clusters = clusters

    def submit(self, caller: Caller, request: SubmitRequest, idempotency_key: str | None = None) -> RunView:
        """Queue a script or a sweep. The same key with the same request gives the same run again."""
        definition = _checked(request)
        script = definition.trial if isinstance(definition, SweepDefinition) else definition
        self._check_snapshot(script)
        if request.target == LOCAL_TARGET:
            self._clusters.ensure_local(caller)
        # Keys are each person's own: nobody can ask for somebody else's answer by guessing a key.
        key = f"{caller.name} {idempotency_key}" if idempotency_key is not None else None
        body_hash = hashlib.sha256(msgspec.json.encode(request)).hexdigest()
        now = self._clock.now()
        with self._database.write() as connection:
            if key is not None:
                earlier = idempotency.find(connection, key, body_hash, time=now)
                if earlier is not None:
                    return views.run_view(connection, run_rows.get(connection, earlier))
            self._check_target(connection, request.target)
            run_id = self._add(connection, caller, request, definition, now)
            if key is not None:
                idempotency.remember(connection, key, body_hash, run_id, time=now)
            detail = {"experiment": request.experiment, "target": request.target}
            audit.append(connection, caller, action="submit", subject=f"run:{run_id}", detail=detail, time=now)
            return views.run_view(connection, run_rows.get(connection, run_id))

    def _add(
        self,
        connection: Connection,
        caller: Caller,
        request: SubmitRequest,
        definition: ScriptDefinition | SweepDefinition,
        now: float,
    ) -> str:
        cluster = cluster_rows.get(connection, request.target)
        row: dict[str, Any] = {
            "experiment": request.experiment,
            "target": request.target,
            "target_facts": {
                "size": cluster.size["name"],
                "price_per_hour": cluster.size["price_per_hour"],
                "nodes_max": cluster.max_nodes,
            },
            "created_by": caller.name,
            "created": now,
            "tags": request.tags,
            "properties": request.properties,
            "status": RunStatus.QUEUED.value,
            "queued": now,
        }
        if isinstance(definition, SweepDefinition):
            self._check_resume(connection, definition)
            run_id = request.id or f"sweep-{random_part(8, secrets.choice)}"
            space = SearchSpace.from_json(definition.space)
            progress = SweepProgress(
                trials_max=definition.max_trials,
                trials_created=0,
                trials_active=0,
                trials_completed=0,
                trials_stopped_early=0,
                trials_canceled=0,
                trials_failed=0,
                space_size=space.size,
                best=None,
            )
            row |= {
                "kind": RunKind.SWEEP.value,
                "definition": {"sweep": msgspec.to_builtins(definition)},
                "progress": msgspec.to_builtins(progress),
                "trials_per_node": definition.trials_per_node or cluster.trials_per_node,
                "reason": "its first trials are being chosen",
            }
        else:
            run_id = request.id or f"{slug(request.experiment)}-{random_part(6, secrets.choice)}"
            row |= {
                "kind": RunKind.SCRIPT.value,
                "definition": {"script": msgspec.to_builtins(definition)},
                "arguments": script_arguments(definition.arguments, {}) if definition.command is None else [],
                "trials_per_node": cluster.trials_per_node,
                "reason": f"waits for a node of {request.target}",
            }
        if request.id is not None:
            check_id_is_free(connection, request.id, is_sweep=isinstance(definition, SweepDefinition))
        row |= {"id": run_id, "name": request.name or run_id, "description": request.description}
        experiment_rows.ensure(connection, request.experiment, time=now)
        run_rows.add(connection, self._database, row)
        events.append(
            connection, time=now, subject=f"run:{run_id}", kind="queued", reason=f"submitted by {caller.name}"
        )
        return run_id

    def _check_snapshot(self, script: ScriptDefinition) -> None:
        snapshot = self._files.require_complete(script.snapshot_id)
        names = {file.path for file in snapshot.files}
        if script.script is not None and script.script not in names:
            scripts = sorted(name for name in names if name.endswith(".py"))[:8]
            there = f"its Python files are {', '.join(scripts)}" if scripts else "it has no Python file"
            raise InvalidInput(f"the source folder has no script {script.script!r}; {there}")

    @staticmethod
    def _check_target(connection: Connection, target: str) -> None:
        cluster = cluster_rows.get(connection, target)
        if cluster.state != "ready":
            raise Conflict(f"cluster {target} is {cluster.state} and takes no runs: {cluster.reason}")

    @staticmethod
    def _check_resume(connection: Connection, definition: SweepDefinition) -> None:
        for position, earlier_id in enumerate(definition.resume_from):
            if earlier_id in definition.resume_from[:position]:
                raise InvalidInput(f"resume_from names sweep {earlier_id} twice; its trials can count once only")
            earlier = run_rows.get(connection, earlier_id)
            if earlier.kind != RunKind.SWEEP.value:
                raise InvalidInput(f"resume_from takes sweeps, but {earlier_id} is a {earlier.kind}")
            before = views.sweep_of(earlier)
            if (before.metric, before.direction) != (definition.metric, definition.direction):
                raise InvalidInput(
                    f"resume_from needs sweeps with the same goal; {earlier_id} was to {before.direction} "
                    f"{before.metric!r}, this one is to {definition.direction} {definition.metric!r}"
                )
            # What is inherited is fixed from here on: trials of a sweep that has ended never change.
            unfinished = [row.id for row in run_rows.children(connection, earlier_id) if not _has_ended(row)]
            if not _has_ended(earlier) or unfinished:
                what = (
                    f"sweep {earlier_id} is {earlier.status}" if not _has_ended(earlier) else f"{unfinished[0]} has not"
                )
                raise Conflict(f"resume_from takes sweeps that have ended, but {what}; wait for its end, or cancel it")

    # -- reading ------------------------------------------------------------------------------------------------------

    def get(self, run_id: str) -> RunView:
        """One run."""
        with self._database.read() as connection:
            return views.run_view(connection, run_rows.get(connection, run_id))

    def list(
        self,
        *,
        experiment: str | None = None,
        kind: str | None = None,
        status: Sequence[str] | None = None,
        target: str | None = None,
        parent_id: str | None = None,
        search: str | None = None,
        tag: str | None = None,
        end_reason: str | None = None,
        include_children: bool = False,
        before: str | None = None,
        limit: int = 50,
    ) -> RunPage:
        """A page of runs, newest first: those that people submitted, or the trials or children that ``kind`` asks for.

        With ``include_children`` all of them, each at its own place in time.
        """
        statuses = list(status or ())
        unknown = [word for word in statuses if word not in set(RunStatus)]
        if unknown:
            raise InvalidInput(f"{unknown[0]!r} is no status; the statuses are {', '.join(RunStatus)}")
        if end_reason is not None and end_reason not in set(EndReason):
            raise InvalidInput(f"{end_reason!r} is no end_reason; the reasons are {', '.join(EndReason)}")
        if not 1 <= limit <= PAGE_MAX:
            raise InvalidInput(f"limit must be between 1 and {PAGE_MAX}, got {limit}")
        if before is not None and not before.isdigit():
            raise InvalidInput(f"before must be the next_before of an earlier page, got {before!r}")
        with self._database.read() as connection:
            rows = run_rows.page(
                connection,
                experiment=experiment,
                kind=kind,
                statuses=statuses,
                parent_id=parent_id,
                target=target,
                search=search,
                tag=tag,
                end_reason=end_reason,
                include_children=include_children,
                before=int(before) if before else None,
                limit=limit + 1,
            )
            shown = rows[:limit]
            next_before = str(shown[-1].number) if len(rows) > limit else None
            return RunPage(runs=views.run_views(connection, shown), next_before=next_before)

    def trials(self, run_id: str) -> Sequence[RunView]:
        """The children of a run in index order."""
        with self._database.read() as connection:
            run_rows.get(connection, run_id)
            return views.run_views(connection, run_rows.children(connection, run_id))

    def attempts(self, run_id: str) -> Sequence[AttemptView]:
        """The attempts of a run."""
        with self._database.read() as connection:
            run_rows.get(connection, run_id)
            return [views.attempt_view(row) for row in run_rows.attempts_of(connection, run_id)]

    def events(self, subject: str, limit: int = 200) -> Sequence[EventView]:
        """The newest events of a subject (``run:ID``, ``cluster:NAME``), oldest first."""
        with self._database.read() as connection:
            return [views.event_view(row) for row in events.of_subject(connection, subject, limit=limit)]

    # -- changing -----------------------------------------------------------------------------------------------------

    def update(self, caller: Caller, run_id: str, change: RunUpdate) -> RunView:
        """Rename or describe a run, set and remove tags, add properties."""
        check_run_name(change.name)
        with self._database.write() as connection:
            row = run_rows.get(connection, run_id)
            tags = {**row.tags, **change.tags}
            values: dict[str, Any] = {"tags": {key: value for key, value in tags.items() if value is not None}}
            for name, value in change.properties.items():
                if row.properties.get(name, value) != value:
                    raise Conflict(
                        f"property {name!r} of run {run_id} is {row.properties[name]!r} for good and cannot become "
                        f"{value!r}; use a tag for what changes"
                    )
            if change.properties:
                values["properties"] = {**row.properties, **change.properties}
            if change.name is not None:
                values["name"] = change.name
            if change.description is not None:
                values["description"] = change.description
            run_rows.change(connection, self._database, row, **values)
            detail = msgspec.to_builtins(change)
            time = self._clock.now()
            audit.append(connection, caller, action="update", subject=f"run:{run_id}", detail=detail, time=time)
            return views.run_view(connection, run_rows.get(connection, run_id))

    def cancel(self, caller: Caller, run_id: str) -> RunView:
        """Ask a run to end. A waiting run ends at once, a running one when its node has stopped it; twice is harmless."""
        now = self._clock.now()
        with self._database.write() as connection:
            row = run_rows.get(connection, run_id)
            if row.status == RunStatus.CANCELED.value:
                return views.run_view(connection, row)
            if RunStatus(row.status).is_terminal:
                raise Conflict(f"run {run_id} has ended already ({row.status})")
            reason = f"canceled by {caller.name}"
            request_stop(connection, self._database, row, EndReason.USER, reason, now=now)
            audit.append(connection, caller, action="cancel", subject=f"run:{run_id}", detail={}, time=now)
            return views.run_view(connection, run_rows.get(connection, run_id))


def request_stop(
    connection: Connection,
    database: Database,
    row: run_rows.RunRow,
    end_reason: EndReason,
    reason: str,
    *,
    now: float,
    inputs: dict[str, Any] | None = None,
) -> None:
    """End a run that has not ended: at once when no node has it, else by asking its node to stop it.

    A sweep is moved to ``stopping``; its reconciler stops the trials and ends it. An interactive run has no node that
    could stop its process; that hears of it with its next report.
    """
    status = RunStatus(row.status)
    if status.is_terminal or status is RunStatus.STOPPING:
        return
    if row.kind == RunKind.INTERACTIVE.value:
        attempts.end_interactive(connection, database, row, RunStatus.CANCELED, end_reason, now=now, reason=reason)
        return
    if row.kind == RunKind.SWEEP.value:
        values: dict[str, Any] = {"stop_end_reason": end_reason.value}
        run_rows.move(connection, database, row, RunStatus.STOPPING, time=now, reason=reason, **values)
        return
    if status in (RunStatus.CREATED, RunStatus.QUEUED) or row.kind == RunKind.CHILD.value:
        values = {"end_reason": end_reason.value}
        run_rows.move(connection, database, row, RunStatus.CANCELED, time=now, reason=reason, inputs=inputs, **values)
        return
    run_rows.move(
        connection,
        database,
        row,
        RunStatus.STOPPING,
        time=now,
        reason=reason,
        inputs=inputs,
        stop_end_reason=end_reason.value,
    )


def check_id_is_free(connection: Connection, run_id: str, *, is_sweep: bool) -> None:
    """Raise Conflict when a run has this id, or when it and the trials of a sweep would get into each other's way."""
    if run_rows.exists(connection, run_id):
        raise Conflict(f"there is a run {run_id!r} already; choose another id, or leave it out")
    sweep_id = sweep_of_trial_id(run_id)
    if sweep_id is not None and run_rows.is_sweep(connection, sweep_id):
        raise Conflict(f"the id {run_id!r} belongs to a trial of the sweep {sweep_id}; choose another one")
    if is_sweep:
        beginning = f"{run_id}{separator_of(run_id)}"
        for other in run_rows.ids_with_number(connection, beginning):
            if other.removeprefix(beginning).isdecimal():
                raise Conflict(
                    f"run {other} has the id that a trial of a sweep {run_id!r} would get; choose another id"
                )


def check_experiment_name(name: str) -> None:
    """Raise InvalidInput for a name that no experiment can have."""
    if not name.strip() or len(name) > 255:
        raise InvalidInput("an experiment needs a name of 1 to 255 characters")


def _has_ended(row: run_rows.RunRow) -> bool:
    return RunStatus(row.status).is_terminal


def check_run_name(name: str | None) -> None:
    """Raise InvalidInput for a name that no run can have."""
    if name is not None and len(name) > NAME_LENGTH_MAX:
        raise InvalidInput(f"a run's name has at most {NAME_LENGTH_MAX} characters, got {len(name):,}")


def _checked(request: SubmitRequest) -> ScriptDefinition | SweepDefinition:
    """The definition of a request, complete and sensible; InvalidInput in one sentence otherwise."""
    if (request.script is None) == (request.sweep is None):
        raise InvalidInput("a submission holds exactly one of script and sweep; got both or neither")
    check_experiment_name(request.experiment)
    check_run_name(request.name)
    if request.id is not None:
        check_own_id(request.id)
    if request.script is not None:
        _check_script(request.script, parameters={})
        return request.script
    assert request.sweep is not None
    return _checked_sweep(request.sweep)


def _check_script(script: ScriptDefinition, *, parameters: dict[str, Any]) -> None:
    if (script.script is None) == (script.command is None):
        raise InvalidInput("a script needs exactly one of script and command; got both or neither")
    _check_environment(script)
    if script.max_run_seconds is not None and not 0 < script.max_run_seconds < math.inf:
        raise InvalidInput(f"max_run_seconds must be above 0, got {script.max_run_seconds:g}")
    if script.retries_max < 0:
        raise InvalidInput(f"retries_max must be 0 or more, got {script.retries_max}")
    for what in ("interpreter_arguments", "arguments"):
        if getattr(script, what) and script.script is None:
            raise InvalidInput(f"{what} go with a script; write them into the command line instead")
    words = [*script.interpreter_arguments, *script.arguments, *script.environment_variables.values()]
    if any("\0" in text for text in words):
        raise InvalidInput("arguments and environment variables cannot hold a NUL character")
    size = len(msgspec.json.encode(script.annotations))
    if size > ANNOTATIONS_BYTES_MAX:
        raise TooLarge(
            f"annotations may have {ANNOTATIONS_BYTES_MAX:,} bytes as JSON, got {size:,}; "
            "put what is large into a file of the source folder"
        )
    bad = [name for name in script.environment_variables if not name.replace("_", "a").isalnum() or name[0].isdigit()]
    if bad:
        raise InvalidInput(f"{bad[0]!r} is no name for an environment variable; use letters, digits and _")
    if script.command is not None:
        fill_command(script.command, parameters=parameters, inputs=script.inputs)


def _check_environment(script: ScriptDefinition) -> None:
    if script.environment not in ("current", "built"):
        raise InvalidInput(
            "environment must be 'current' (the interpreter of the node) or 'built' (what environment_spec asks for), got "
            f"{script.environment!r}"
        )
    if (script.environment == "built") != (script.environment_spec is not None):
        raise InvalidInput("environment 'built' and environment_spec go together; got one without the other")
    if script.environment_spec is not None:
        check_environment(script.environment_spec)
        check_buildable(script.environment_spec)


def _checked_sweep(sweep: SweepDefinition) -> SweepDefinition:
    space = SearchSpace.from_json(sweep.space)
    sampler = sampler_from_json(sweep.sampler)
    sampler.check(space)
    policy_from_json(sweep.policy)
    views.goal_of(sweep)
    if sweep.max_trials < 1:
        raise InvalidInput(f"max_trials must be 1 or more, got {sweep.max_trials}")
    if sweep.max_concurrent is not None and sweep.max_concurrent < 1:
        raise InvalidInput(f"max_concurrent must be 1 or more, got {sweep.max_concurrent}")
    if sweep.max_minutes is not None and not 0 < sweep.max_minutes < math.inf:
        raise InvalidInput(f"max_minutes must be above 0, got {sweep.max_minutes:g}")
    if sweep.trials_per_node is not None and not 1 <= sweep.trials_per_node <= TRIALS_PER_NODE_MAX:
        raise InvalidInput(
            f"trials_per_node must be 1 or more, got {sweep.trials_per_node}; {TRIALS_PER_NODE_MAX} at most"
        )
    names = dict.fromkeys(space.names, "")
    _check_script(sweep.trial, parameters=names)
    if sweep.trial.command is not None:
        check_all_used(sweep.trial.command, space.names)
    # The seed is part of the record from here on, also when the user gave none.
    return replace(sweep, sampler=dict(sampler.to_json()), space=dict(space.to_json()))
