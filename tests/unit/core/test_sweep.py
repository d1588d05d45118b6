"""The sweep's decisions: what happens next, as a function of what is recorded."""

from __future__ import annotations

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sublight.core.metric import maximize
from sublight.core.policies import Bandit, NoTermination
from sublight.core.run import EndReason, RunStatus
from sublight.core.samplers import Grid, Random
from sublight.core.search_space import SearchSpace
from sublight.core.sweep import CreateTrial, EndSweep, StopTrial, SweepPlan, TrialState, best_trial, decide

SPACE = SearchSpace.from_json({"x": {"type": "choice", "values": list(range(50))}})
PLAN = SweepPlan(
    space=SPACE, sampler=Random(seed=3), policy=NoTermination(), goal=maximize("acc"), max_trials=6, max_concurrent=2
)


def trial(index: int, status: RunStatus = RunStatus.COMPLETED, *values: float, **other: object) -> TrialState:
    best = maximize("acc").best(values)
    state = TrialState(index, {"x": index}, status, values=values, best=best)
    return replace(state, **other)  # type: ignore[arg-type]


def test_as_many_trials_start_as_may_run_at_once() -> None:
    decision = decide(PLAN, [], elapsed_seconds=0)

    assert [action.index for action in decision.actions if isinstance(action, CreateTrial)] == [0, 1]
    assert decision.waiting == "2 of at most 2 trials at once under way"


def test_a_finished_trial_makes_room_for_the_next() -> None:
    decision = decide(PLAN, [trial(0, RunStatus.COMPLETED, 0.5), trial(1, RunStatus.RUNNING)], elapsed_seconds=0)

    assert [action.index for action in decision.actions if isinstance(action, CreateTrial)] == [2]


def test_the_sweep_ends_after_its_last_trial_and_names_the_best() -> None:
    trials = [trial(i, RunStatus.COMPLETED, i / 10) for i in range(6)]

    (end,) = decide(PLAN, trials, elapsed_seconds=0).actions

    assert isinstance(end, EndSweep)
    assert (end.status, end.end_reason) == (RunStatus.COMPLETED, EndReason.FINISHED)
    assert "best acc 0.5 in trial 5" in end.reason


def test_the_sweep_ends_when_a_small_space_is_used_up() -> None:
    space = SearchSpace.from_json({"x": {"type": "choice", "values": [1, 2]}})
    plan = replace(PLAN, space=space, sampler=Grid())

    (end,) = decide(
        plan, [trial(0, RunStatus.COMPLETED, 0.1), trial(1, RunStatus.COMPLETED, 0.1)], elapsed_seconds=0
    ).actions

    assert isinstance(end, EndSweep)
    assert end.reason.startswith("all 2 points of the search space were tried")


def test_when_its_time_is_over_running_trials_are_stopped_first() -> None:
    plan = replace(PLAN, max_seconds=60)
    running = [trial(0, RunStatus.COMPLETED, 0.2), trial(1, RunStatus.RUNNING)]

    stops = decide(plan, running, elapsed_seconds=60).actions
    end = decide(plan, [running[0], trial(1, RunStatus.CANCELED)], elapsed_seconds=61).actions

    assert [(a.index, a.end_reason) for a in stops if isinstance(a, StopTrial)] == [(1, EndReason.TIMEOUT)]
    assert isinstance(end[0], EndSweep)
    assert end[0].end_reason is EndReason.TIMEOUT


def test_a_trial_that_is_being_stopped_is_not_stopped_again() -> None:
    decision = decide(PLAN, [trial(0, RunStatus.STOPPING)], elapsed_seconds=0, is_cancel_requested=True)

    assert decision.actions == ()


def test_a_canceled_sweep_ends_canceled_when_its_trials_have() -> None:
    (end,) = decide(PLAN, [trial(0, RunStatus.CANCELED)], elapsed_seconds=0, is_cancel_requested=True).actions

    assert isinstance(end, EndSweep)
    assert end.status is RunStatus.CANCELED


def test_the_sweep_gives_up_when_the_first_trials_all_fail_and_says_how() -> None:
    trials = [trial(i, RunStatus.FAILED, reason="exit code 1: no module named foo") for i in range(3)]

    (end,) = decide(PLAN, trials, elapsed_seconds=0).actions

    assert isinstance(end, EndSweep)
    assert end.status is RunStatus.FAILED
    assert "all of the first 3 trials failed" in end.reason
    assert "no module named foo" in end.reason


def test_one_success_keeps_a_sweep_going_however_many_trials_fail() -> None:
    trials = [trial(0, RunStatus.COMPLETED, 0.1), *(trial(i, RunStatus.FAILED) for i in range(1, 5))]

    assert not any(isinstance(action, EndSweep) for action in decide(PLAN, trials, elapsed_seconds=0).actions)


def test_a_script_that_never_reports_the_primary_metric_ends_the_sweep_with_the_names_it_did_report() -> None:
    trials = [trial(i) for i in range(3)]

    (end,) = decide(PLAN, trials, elapsed_seconds=0, other_metrics=["accuracy", "loss"]).actions

    assert isinstance(end, EndSweep)
    assert "never reported the primary metric 'acc'" in end.reason
    assert "accuracy, loss" in end.reason


def test_a_sweep_that_gave_up_stays_with_that_when_the_trials_it_stopped_have_ended() -> None:
    failed = [trial(i, RunStatus.FAILED, reason="exit code 1") for i in range(3)]
    stopped = trial(3, RunStatus.CANCELED, end_reason=EndReason.ERROR)
    finished_all_the_same = trial(4, RunStatus.COMPLETED, 0.5)

    (end,) = decide(PLAN, [*failed, stopped, finished_all_the_same], elapsed_seconds=0).actions

    assert isinstance(end, EndSweep)
    assert end.status is RunStatus.FAILED
    assert "all of the first 3 trials failed" in end.reason


def test_a_sweep_without_the_primary_metric_stays_failed_when_a_stopped_trial_had_just_reported_it() -> None:
    silent = [trial(i) for i in range(3)]
    stopped = trial(3, RunStatus.CANCELED, 0.5, end_reason=EndReason.ERROR)

    (end,) = decide(PLAN, [*silent, stopped], elapsed_seconds=0).actions

    assert isinstance(end, EndSweep)
    assert end.status is RunStatus.FAILED
    assert "never reported the primary metric" in end.reason


def test_the_policy_ends_a_bad_running_trial_with_its_numbers() -> None:
    plan = replace(PLAN, policy=Bandit(slack_factor=0.1))
    trials = [trial(0, RunStatus.COMPLETED, 0.8), trial(1, RunStatus.RUNNING, 0.5)]

    stops = [action for action in decide(plan, trials, elapsed_seconds=0).actions if isinstance(action, StopTrial)]

    assert [(stop.index, stop.end_reason) for stop in stops] == [(1, EndReason.POLICY)]
    assert stops[0].numbers["interval"] == 1
    assert stops[0].reason


def test_nan_is_never_the_best_trial() -> None:
    trials = [trial(0, RunStatus.COMPLETED, math.nan), trial(1, RunStatus.COMPLETED, 0.1)]

    found = best_trial(maximize("acc"), trials)

    assert found is not None
    assert found.index == 1


@given(st.integers(0, 6), st.lists(st.floats(0, 1), min_size=6, max_size=6), st.integers(1, 6))
def test_a_sweep_cut_off_anywhere_goes_on_with_the_same_points(cut: int, values: list[float], concurrent: int) -> None:
    """Asking twice gives the same answer, and what was decided before a crash is what would be decided after it."""
    plan = replace(PLAN, max_concurrent=concurrent)
    trials = [trial(i, RunStatus.COMPLETED, value) for i, value in enumerate(values[:cut])]

    first = decide(plan, trials, elapsed_seconds=0)
    again = decide(replace(plan, sampler=Random(seed=3)), list(trials), elapsed_seconds=0)

    assert first == again
    points = [action.parameters for action in first.actions if isinstance(action, CreateTrial)]
    one_by_one = [plan.sampler.suggest(SPACE, [], index=cut + i, goal=plan.goal) for i in range(len(points))]
    assert points == [suggestion.parameters for suggestion in one_by_one if suggestion is not None]


def test_a_trial_whose_process_has_ended_is_not_stopped_any_more() -> None:
    plan = replace(PLAN, policy=Bandit(slack_factor=0.1), max_seconds=60.0)
    trials = [trial(0, RunStatus.COMPLETED, 0.9), trial(1, RunStatus.FINISHING, 0.1)]

    during = decide(plan, trials, elapsed_seconds=0).actions
    after = decide(plan, trials, elapsed_seconds=61).actions

    assert not [action for action in (*during, *after) if isinstance(action, StopTrial | EndSweep)]


def test_a_small_space_that_is_used_up_without_a_result_fails_with_the_reason() -> None:
    space = SearchSpace.from_json({"x": {"type": "choice", "values": [1, 2]}})
    plan = replace(PLAN, space=space, sampler=Grid())

    (silent,) = decide(plan, [trial(0), trial(1)], elapsed_seconds=0, other_metrics=["Acc"]).actions
    failed = [trial(index, RunStatus.FAILED, reason="exit code 1") for index in range(2)]
    (crashed,) = decide(plan, failed, elapsed_seconds=0).actions

    assert isinstance(silent, EndSweep)
    assert silent.status is RunStatus.FAILED
    assert "never reported the primary metric 'acc' in 2 finished trials; it reported Acc" in silent.reason
    assert isinstance(crashed, EndSweep)
    assert crashed.status is RunStatus.FAILED
    assert "all 2 trials failed" in crashed.reason
    assert "exit code 1" in crashed.reason


def test_a_sweep_that_may_be_silent_completes() -> None:
    plan = replace(PLAN, gives_up_when_silent=False, max_trials=4)

    (end,) = decide(plan, [trial(index) for index in range(4)], elapsed_seconds=0).actions

    assert isinstance(end, EndSweep)
    assert end.status is RunStatus.COMPLETED


def test_a_sweep_whose_trials_all_came_to_their_time_limit_fails_with_that_sentence() -> None:
    trials = [trial(index, RunStatus.CANCELED, end_reason=EndReason.TIMEOUT) for index in range(6)]

    (end,) = decide(PLAN, trials, elapsed_seconds=0).actions

    assert isinstance(end, EndSweep)
    assert (end.status, end.end_reason) == (RunStatus.FAILED, EndReason.TIMEOUT)
    assert "all 6 trials came to their time limit before they reported 'acc'" in end.reason


def test_a_sweep_that_reported_nothing_but_nan_says_why_there_is_no_best_trial() -> None:
    trials = [trial(index, RunStatus.COMPLETED, math.nan, best=None) for index in range(6)]

    (end,) = decide(PLAN, trials, elapsed_seconds=0).actions

    assert isinstance(end, EndSweep)
    assert "every value of acc was NaN or infinite" in end.reason
