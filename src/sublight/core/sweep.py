"""The logic of a sweep: from what is recorded to what happens next, as a pure function.

The server loads the plan and the trials, asks ``decide``, and stores the actions. Whatever was killed in between, asking
again with the same record gives the same answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sublight.core.amounts import counted
from sublight.core.metric import Goal
from sublight.core.policies.base import Policy, TrialReports
from sublight.core.run import EndReason, RunStatus
from sublight.core.samplers.base import Observation, Sampler
from sublight.core.search_space import Point, SearchSpace

# As many trials must have failed, and none succeeded, before the sweep gives up (as the original service did).
FAILURES_TO_GIVE_UP = 3
# As many trials must have ended without the primary metric, and none reported it, before the sweep gives up.
SILENT_TRIALS_TO_GIVE_UP = 3

_ENDING = frozenset({RunStatus.STOPPING, RunStatus.FINISHING})


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """What the user asked for. ``inherited`` are trials of earlier sweeps (negative indexes), known from the start.

    ``gives_up_when_silent`` False: trials that never report the metric are no reason to end the sweep.
    """

    space: SearchSpace
    sampler: Sampler
    policy: Policy
    goal: Goal
    max_trials: int
    max_concurrent: int
    max_seconds: float | None = None
    gives_up_when_silent: bool = True
    inherited: tuple[Observation, ...] = ()
    inherited_reports: tuple[TrialReports, ...] = ()


@dataclass(frozen=True, slots=True)
class TrialState:
    """A recorded trial; ``values`` are its reports of the primary metric in order, ``best`` the best of them."""

    index: int
    parameters: Point
    status: RunStatus
    end_reason: EndReason | None = None
    values: tuple[float, ...] = ()
    best: float | None = None
    reason: str = ""

    @property
    def is_active(self) -> bool:
        """True while the trial may still change."""
        return not self.status.is_terminal


@dataclass(frozen=True, slots=True)
class CreateTrial:
    """Create trial ``index`` with these parameters."""

    index: int
    parameters: Point
    reason: str


@dataclass(frozen=True, slots=True)
class StopTrial:
    """End trial ``index`` early."""

    index: int
    end_reason: EndReason
    reason: str
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EndSweep:
    """The sweep is over."""

    status: RunStatus
    end_reason: EndReason
    reason: str


@dataclass(frozen=True, slots=True)
class SweepDecision:
    """The actions, in order, and in words what the sweep waits for when it is not over."""

    actions: tuple[CreateTrial | StopTrial | EndSweep, ...]
    waiting: str = ""


def decide(
    plan: SweepPlan,
    trials: Sequence[TrialState],
    *,
    elapsed_seconds: float,
    is_cancel_requested: bool = False,
    other_metrics: Sequence[str] = (),
) -> SweepDecision:
    """What happens next in a sweep.

    ``trials`` in index order, all that were ever created. ``elapsed_seconds`` since the sweep was queued.
    ``other_metrics``: names that its trials did report, for the sentence when the primary metric never came.
    """
    active = [trial for trial in trials if trial.is_active]
    verdict = _reason_to_end(plan, trials, elapsed_seconds, is_cancel_requested, other_metrics)
    if verdict is not None:
        if not active:
            return SweepDecision((verdict,))
        stops = tuple(
            StopTrial(trial.index, verdict.end_reason, f"the sweep ends: {verdict.reason}")
            for trial in active
            if trial.status not in _ENDING
        )
        return SweepDecision(stops, f"ending; {len(active)} trials are being stopped")

    actions: list[CreateTrial | StopTrial | EndSweep] = list(_early_stops(plan, trials))
    created, is_used_up = _new_trials(plan, trials, places=plan.max_concurrent - len(active))
    actions += created
    if not active and not created:
        return SweepDecision((*actions, _ended(plan, trials, other_metrics, is_used_up)))
    return SweepDecision(
        tuple(actions), _waiting(plan, len(trials) + len(created), len(active) + len(created), is_used_up)
    )


def _reason_to_end(
    plan: SweepPlan,
    trials: Sequence[TrialState],
    elapsed_seconds: float,
    is_cancel_requested: bool,
    other_metrics: Sequence[str],
) -> EndSweep | None:
    if is_cancel_requested:
        return EndSweep(RunStatus.CANCELED, EndReason.USER, "canceled by request")
    if plan.max_seconds is not None and elapsed_seconds >= plan.max_seconds:
        sentence = f"its time of {plan.max_seconds / 60:g} minutes is over after {len(trials)} trials"
        return EndSweep(RunStatus.COMPLETED, EndReason.TIMEOUT, sentence)
    # Once a sweep has given up it stays with that: the trials that it then stopped must not change the verdict.
    given_up = [trial for trial in trials if _was_given_up(trial)]
    ended = [trial for trial in trials if not trial.is_active and trial not in given_up]
    failed = [trial for trial in ended if trial.status is RunStatus.FAILED]
    if len(failed) >= min(FAILURES_TO_GIVE_UP, plan.max_trials) and (given_up or len(failed) == len(ended)):
        first = f"; trial {failed[0].index}: {failed[0].reason}" if failed[0].reason else ""
        return EndSweep(RunStatus.FAILED, EndReason.ERROR, f"all of the first {len(failed)} trials failed{first}")
    silent = [trial for trial in ended if trial.status is RunStatus.COMPLETED]
    is_silent = given_up or not any(trial.values for trial in trials)
    is_enough = len(silent) >= min(SILENT_TRIALS_TO_GIVE_UP, plan.max_trials)
    if plan.gives_up_when_silent and is_enough and is_silent:
        return EndSweep(RunStatus.FAILED, EndReason.ERROR, _silence(plan, len(silent), other_metrics))
    return None


def silence_warning(plan: SweepPlan, trials: Sequence[TrialState], other_metrics: Sequence[str]) -> str | None:
    """What to say of a sweep that goes on although no trial has reported the metric; None while that may still come."""
    if plan.gives_up_when_silent or any(trial.values for trial in trials):
        return None
    silent = sum(trial.status is RunStatus.COMPLETED for trial in trials)
    is_enough = silent >= min(SILENT_TRIALS_TO_GIVE_UP, plan.max_trials)
    return _silence(plan, silent, other_metrics) if is_enough else None


def _silence(plan: SweepPlan, silent: int, other_metrics: Sequence[str]) -> str:
    others = f"; it reported {', '.join(sorted(other_metrics))}" if other_metrics else "; it reported no metric at all"
    return (
        f"the script never reported the primary metric {plan.goal.metric!r} in {counted(silent, 'finished trial')}{others}; "
        f'call run.log("{plan.goal.metric}", value) in the script or name another primary metric'
    )


def _was_given_up(trial: TrialState) -> bool:
    """True for a trial that was stopped because its sweep gave up."""
    return trial.status is RunStatus.CANCELED and trial.end_reason is EndReason.ERROR


def _early_stops(plan: SweepPlan, trials: Sequence[TrialState]) -> list[StopTrial]:
    # A trial whose process has ended costs nothing any more; stopping it now would only throw its files away.
    judged = [t for t in trials if t.is_active and t.values and t.status not in _ENDING]
    if not judged:
        return []
    reports = [TrialReports(t.index, t.values) for t in trials if t.values]
    everyone = [*plan.inherited_reports, *reports]
    stops = []
    for trial in judged:
        decision = plan.policy.decide(TrialReports(trial.index, trial.values), everyone, plan.goal)
        if decision is not None:
            numbers = {"interval": float(decision.interval), **decision.numbers}
            stops.append(StopTrial(trial.index, EndReason.POLICY, decision.reason, numbers))
    return stops


def _new_trials(plan: SweepPlan, trials: Sequence[TrialState], *, places: int) -> tuple[list[CreateTrial], bool]:
    """The trials that may start now, and whether the space has no untried point left."""
    count = min(places, plan.max_trials - len(trials))
    if count <= 0:
        return [], False
    history = [*plan.inherited, *(_observation(trial) for trial in trials)]
    created: list[CreateTrial] = []
    for index in range(len(trials), len(trials) + count):
        suggestion = plan.sampler.suggest(plan.space, history, index=index, goal=plan.goal)
        if suggestion is None:
            return created, True
        created.append(CreateTrial(index, suggestion.parameters, suggestion.reason))
        history.append(Observation(index, suggestion.parameters, None, is_finished=False))
    return created, False


def _observation(trial: TrialState) -> Observation:
    return Observation(
        index=trial.index,
        parameters=trial.parameters,
        value=trial.best,
        is_finished=not trial.is_active,
        is_failed=trial.status is RunStatus.FAILED or (not trial.is_active and trial.best is None),
    )


def best_trial(goal: Goal, trials: Sequence[TrialState]) -> TrialState | None:
    """The trial with the best value of the primary metric so far; the earlier one of equals; None without any value."""
    best: TrialState | None = None
    for trial in trials:
        if trial.best is not None and goal.is_better(trial.best, best.best if best else None):
            best = trial
    return best


def _ended(plan: SweepPlan, trials: Sequence[TrialState], other_metrics: Sequence[str], is_used_up: bool) -> EndSweep:
    """The end of a sweep with nothing left to try: completed, unless not one trial gave a result."""
    failed = [trial for trial in trials if trial.status is RunStatus.FAILED]
    completed = [trial for trial in trials if trial.status is RunStatus.COMPLETED]
    if failed and not completed and not any(trial.values for trial in trials):
        first = f"; trial {failed[0].index}: {failed[0].reason}" if failed[0].reason else ""
        what = f"all {len(trials)} trials" if len(failed) == len(trials) else f"{len(failed)} of {len(trials)} trials"
        return EndSweep(RunStatus.FAILED, EndReason.ERROR, f"{what} failed and none reported the metric{first}")
    late = [trial for trial in trials if trial.end_reason is EndReason.TIMEOUT]
    if late and not completed and not any(trial.values for trial in trials):
        what = f"all {len(trials)} trials" if len(late) == len(trials) else f"{len(late)} of {len(trials)} trials"
        reason = f"{what} came to their time limit before they reported {plan.goal.metric!r}; give them more time"
        return EndSweep(RunStatus.FAILED, EndReason.TIMEOUT, reason)
    if completed and plan.gives_up_when_silent and not any(trial.values for trial in trials):
        return EndSweep(RunStatus.FAILED, EndReason.ERROR, _silence(plan, len(completed), other_metrics))
    why = (
        f"all {len(trials)} points of the search space were tried" if is_used_up else f"all {len(trials)} trials ended"
    )
    best = best_trial(plan.goal, trials)
    if best is not None:
        why += f"; best {plan.goal.metric} {best.best:.6g} in trial {best.index}"
    elif any(trial.values for trial in trials):
        why += f"; there is no best one: every value of {plan.goal.metric} was NaN or infinite"
    return EndSweep(RunStatus.COMPLETED, EndReason.FINISHED, why)


def _waiting(plan: SweepPlan, created: int, active: int, is_used_up: bool) -> str:
    if created >= plan.max_trials:
        return f"{_still_running(active)}; all {plan.max_trials} were created"
    if is_used_up:
        return f"{_still_running(active)}; the search space has no untried point left"
    return f"{active} of at most {counted(plan.max_concurrent, 'trial')} at once under way"


def _still_running(active: int) -> str:
    return f"{counted(active, 'trial')} still {'runs' if active == 1 else 'run'}"
