"""The sweep loop: load what is recorded, ask ``core.sweep.decide``, store what it says."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from sqlalchemy import Connection

from sublight.core.arguments import script_arguments
from sublight.core.errors import InvalidInput, NotSupported, SublightError
from sublight.core.ids import trial_id
from sublight.core.policies import policy_from_json
from sublight.core.policies.base import TrialReports
from sublight.core.run import EndReason, RunKind, RunStatus
from sublight.core.samplers import sampler_from_json
from sublight.core.samplers.base import Observation
from sublight.core.search_space import SearchSpace
from sublight.core.sweep import (
    CreateTrial,
    EndSweep,
    StopTrial,
    SweepDecision,
    SweepPlan,
    TrialState,
    best_trial,
    decide,
    silence_warning,
)
from sublight.messages.definitions import SweepDefinition
from sublight.messages.runs import BestTrial, SweepProgress
from sublight.server.clock import Clock
from sublight.server.services import views
from sublight.server.services.runs import request_stop
from sublight.store import clusters as cluster_rows
from sublight.store import events
from sublight.store import metrics as metric_rows
from sublight.store import runs as run_rows
from sublight.store.database import Database
from sublight.store.runs import RunRow

_log = logging.getLogger("sublight.reconcilers.sweeps")
_SILENCE = "silence"  # the kind of the event that warns of a metric that nobody reports


@dataclass
class _Memory:
    """What the loop remembers of a sweep between passes; all of it can be loaded again."""

    definition: SweepDefinition
    plan: SweepPlan
    trials: list[TrialState] = field(default_factory=list)
    change: int = 0
    has_warned: bool = False


class Sweeps:
    """Advances every unfinished sweep. Only this loop creates and stops trials, so its picture is never behind itself."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._memories: dict[str, _Memory] = {}

    def step(self, hints: set[str] | None) -> None:
        """One pass: the sweeps that are hinted at, or all of them."""
        with self._database.read() as connection:
            rows = run_rows.unfinished_sweeps(connection)
        passing: SublightError | None = None
        for row in rows:
            if hints is None or f"run:{row.id}" in hints:
                try:
                    self._advance(row)
                except (InvalidInput, NotSupported) as error:
                    self._give_up(row, str(error))
                except SublightError as error:
                    # A full disk, a locked database, a lost race: it passes, and the sweep must outlive it.
                    _log.warning("sweep %s could not be advanced and is tried again: %s", row.id, error)
                    passing = error
        for gone in set(self._memories) - {row.id for row in rows}:
            del self._memories[gone]
        if passing is not None:
            raise passing  # the loop then tries again soon, with everything

    def _advance(self, row: RunRow) -> None:
        memory = self._memories.get(row.id)
        if memory is None:
            memory = self._memories[row.id] = self._load(row)
        with self._database.read() as connection:
            # Read again: the row that the pass began with may be older than the trials read now.
            row = run_rows.get(connection, row.id)
            if RunStatus(row.status).is_terminal:
                return
            self._refresh(connection, row.id, memory)
            others = self._other_metrics(connection, row.id, memory)
            cluster = cluster_rows.find(connection, row.target)
        plan = memory.plan
        if memory.definition.max_concurrent is None and cluster is not None:
            # As many as the target takes now: what is chosen later is chosen with more results behind it.
            places = max(1, cluster.max_nodes * (row.trials_per_node or 1))
            plan = replace(plan, max_concurrent=min(places, plan.max_trials))
        now = self._clock.now()
        decision = decide(
            plan,
            memory.trials,
            elapsed_seconds=now - row.created,
            is_cancel_requested=row.status == RunStatus.STOPPING.value and row.stop_end_reason == EndReason.USER.value,
            other_metrics=others,
        )
        self._store(row, memory, decision, now)
        self._warn_of_silence(row, memory, others, now)

    def _warn_of_silence(self, row: RunRow, memory: _Memory, others: list[str], now: float) -> None:
        """Say once, in an event, that the metric never comes, where the sweep was told to go on without it."""
        if memory.has_warned:
            return
        warning = silence_warning(memory.plan, memory.trials, others)
        if warning is None:
            return
        memory.has_warned = True
        subject = f"run:{row.id}"
        with self._database.write() as connection:
            # The server may have been started anew since it was said.
            if not events.has_kind(connection, subject, _SILENCE):
                events.append(connection, time=now, subject=subject, kind=_SILENCE, reason=warning)
                self._database.next_change(subject)

    # -- loading ------------------------------------------------------------------------------------------------------

    def _load(self, row: RunRow) -> _Memory:
        definition = views.sweep_of(row)
        inherited, reports = self._inherited(definition)
        plan = SweepPlan(
            space=SearchSpace.from_json(definition.space),
            sampler=sampler_from_json(definition.sampler),
            policy=policy_from_json(definition.policy),
            goal=views.goal_of(definition),
            max_trials=definition.max_trials,
            max_concurrent=definition.max_concurrent or definition.max_trials,
            max_seconds=None if definition.max_minutes is None else definition.max_minutes * 60,
            gives_up_when_silent=definition.gives_up_when_silent,
            inherited=inherited,
            inherited_reports=reports,
        )
        return _Memory(definition, plan)

    def _inherited(self, definition: SweepDefinition) -> tuple[tuple[Observation, ...], tuple[TrialReports, ...]]:
        """Ended trials of the sweeps that this one resumes from, numbered -1, -2, …"""
        observations: list[Observation] = []
        reports: list[TrialReports] = []
        with self._database.read() as connection:
            for sweep_id in definition.resume_from:
                points = metric_rows.points_of_children(connection, sweep_id, definition.metric)
                for trial in run_rows.children(connection, sweep_id):
                    if not RunStatus(trial.status).is_terminal:
                        continue
                    index = -1 - len(observations)
                    is_failed = trial.status == RunStatus.FAILED.value or trial.best_value is None
                    observations.append(Observation(index, trial.parameters, trial.best_value, True, is_failed))
                    if trial.id in points:
                        reports.append(TrialReports(index, tuple(points[trial.id].values)))
        return tuple(observations), tuple(reports)

    def _refresh(self, connection: Connection, sweep_id: str, memory: _Memory) -> None:
        for row in run_rows.children(connection, sweep_id, after_change=memory.change):
            memory.change = max(memory.change, row.change)
            index = row.trial_index
            before = memory.trials[index] if index < len(memory.trials) else None
            state = self._trial_state(connection, row, before, memory.definition.metric)
            if before is None:
                assert index == len(memory.trials), "trials are created in index order, without gaps"
                memory.trials.append(state)
            else:
                memory.trials[index] = state

    def _trial_state(self, connection: Connection, row: RunRow, before: TrialState | None, metric: str) -> TrialState:
        known = before.values if before is not None else ()
        count = metric_rows.counts(connection, [row.id], metric).get(row.id, 0)
        if count < len(known):
            known = ()  # the attempt that reported them was lost; the next one reports from the start
        fresh = metric_rows.points(connection, row.id, metric, start=len(known)).values if count > len(known) else ()
        return TrialState(
            index=row.trial_index,
            parameters=row.parameters,
            status=RunStatus(row.status),
            end_reason=EndReason(row.end_reason) if row.end_reason else None,
            values=(*known, *fresh),
            best=row.best_value,
            reason=row.reason,
        )

    def _other_metrics(self, connection: Connection, sweep_id: str, memory: _Memory) -> list[str]:
        """The names that trials reported; asked for only while the primary metric has not been seen."""
        if any(trial.values for trial in memory.trials) or all(trial.is_active for trial in memory.trials):
            return []
        ids = [trial_id(sweep_id, trial.index) for trial in memory.trials if not trial.is_active][:10]
        return sorted(metric_rows.names_of(connection, ids))

    # -- storing ------------------------------------------------------------------------------------------------------

    def _store(self, row: RunRow, memory: _Memory, decision: SweepDecision, now: float) -> None:
        created = [action for action in decision.actions if isinstance(action, CreateTrial)]
        progress = _progress(row, memory, decision, created)
        is_new_progress = progress != row.progress
        starts = row.status == RunStatus.QUEUED.value and any(
            trial.status not in (RunStatus.QUEUED, RunStatus.CREATED) for trial in memory.trials
        )
        if not decision.actions and not is_new_progress and not starts:
            return
        with self._database.write() as connection:
            fresh = run_rows.get(connection, row.id)
            if fresh.status != row.status:
                return  # canceled in between; the next pass decides with that in mind
            for action in decision.actions:
                if isinstance(action, CreateTrial):
                    self._create(connection, row, memory, action, now)
                elif isinstance(action, StopTrial):
                    self._stop(connection, row, action, now)
            if starts:
                reason = "its trials are under way"
                run_rows.move(
                    connection, self._database, fresh, RunStatus.RUNNING, time=now, reason=reason, started=now
                )
                fresh = run_rows.get(connection, row.id)
            used = {"progress": progress, **self._cost(connection, row.id)}
            ends = [action for action in decision.actions if isinstance(action, EndSweep)]
            if ends:
                self._end(connection, fresh, ends[0], now, used)
            elif is_new_progress:
                run_rows.change(connection, self._database, fresh, **used)

    def _create(self, connection: Connection, row: RunRow, memory: _Memory, action: CreateTrial, now: float) -> None:
        run_id = trial_id(row.id, action.index)
        parameters = dict(action.parameters)
        script = memory.definition.trial
        trial = {
            "id": run_id,
            "kind": RunKind.TRIAL.value,
            "experiment": row.experiment,
            "name": f"trial {action.index}",
            "target": row.target,
            "target_facts": row.target_facts,
            "status": RunStatus.QUEUED.value,
            "reason": f"waits for a node of {row.target}",
            "created_by": row.created_by,
            "created": now,
            "queued": now,
            "parent_id": row.id,
            "trial_index": action.index,
            "parameters": parameters,
            "arguments": script_arguments(script.arguments, parameters) if script.command is None else [],
            "trials_per_node": row.trials_per_node,
        }
        run_rows.add(connection, self._database, trial)
        events.append(
            connection, time=now, subject=f"run:{run_id}", kind="queued", reason=action.reason, inputs=parameters
        )

    def _stop(self, connection: Connection, row: RunRow, action: StopTrial, now: float) -> None:
        trial = run_rows.get(connection, trial_id(row.id, action.index))
        inputs = dict(action.numbers)
        request_stop(connection, self._database, trial, action.end_reason, action.reason, now=now, inputs=inputs)
        if action.end_reason is EndReason.POLICY:
            reason = f"trial {action.index} is ended early: {action.reason}"
            events.append(connection, time=now, subject=f"run:{row.id}", kind="policy", reason=reason, inputs=inputs)

    def _end(self, connection: Connection, row: RunRow, end: EndSweep, now: float, used: dict[str, Any]) -> None:
        reason = row.reason if row.status == RunStatus.STOPPING.value and row.reason else end.reason
        values = {"end_reason": end.end_reason.value, **used}
        run_rows.move(connection, self._database, row, end.status, time=now, reason=reason, **values)

    @staticmethod
    def _cost(connection: Connection, sweep_id: str) -> dict[str, Any]:
        seconds, price = run_rows.cost_of_children(connection, sweep_id)
        return {"node_seconds": seconds, "price": price}

    def _give_up(self, row: RunRow, sentence: str) -> None:
        """A sweep whose record cannot be carried on (a sampler that cannot work here) ends with the sentence."""
        now = self._clock.now()
        _log.warning("sweep %s ends: %s", row.id, sentence)
        with self._database.write() as connection:
            for trial in run_rows.children(connection, row.id):
                request_stop(connection, self._database, trial, EndReason.ERROR, f"the sweep ends: {sentence}", now=now)
            fresh = run_rows.get(connection, row.id)
            values: dict[str, Any] = {"end_reason": EndReason.ERROR.value}
            run_rows.move(connection, self._database, fresh, RunStatus.FAILED, time=now, reason=sentence, **values)


def _progress(row: RunRow, memory: _Memory, decision: SweepDecision, created: list[CreateTrial]) -> dict[str, Any]:
    trials = memory.trials
    best = best_trial(memory.plan.goal, trials)
    ended_by_policy = sum(trial.end_reason is EndReason.POLICY for trial in trials)
    canceled = sum(trial.status is RunStatus.CANCELED for trial in trials)
    progress = SweepProgress(
        trials_max=memory.plan.max_trials,
        trials_created=len(trials) + len(created),
        trials_active=sum(trial.is_active for trial in trials) + len(created),
        trials_completed=sum(trial.status is RunStatus.COMPLETED for trial in trials),
        trials_stopped_early=ended_by_policy,
        trials_canceled=canceled - ended_by_policy,
        trials_failed=sum(trial.status is RunStatus.FAILED for trial in trials),
        space_size=memory.plan.space.size,
        best=None
        if best is None or best.best is None
        else BestTrial(
            run_id=trial_id(row.id, best.index), index=best.index, value=best.best, parameters=dict(best.parameters)
        ),
        waiting=decision.waiting,
    )
    plain: dict[str, Any] = msgspec.to_builtins(progress)
    return plain
