"""What every early-termination policy promises. A test class inherits ``PolicySuite`` and lists its policies."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import ClassVar

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sublight.core.metric import Direction, Goal, maximize, minimize
from sublight.core.policies import Policy, TrialReports, policy_from_json, policy_to_json
from sublight.core.policies.base import due_interval

GOALS = [maximize("score"), minimize("score")]
# Few different values, so that ties are frequent; of both signs, with zero, and with what a script may report in error.
VALUES = st.sampled_from([0.0, 0.5, 0.8, 0.81, 1.0, 1.2, 5.0, -0.5, -0.6, -1.0, -5.0, math.inf, -math.inf, math.nan])
VALUES_OR_ANY = VALUES | st.floats(-1e6, 1e6)

# The executors differ because several classes inherit the suite.
many = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.differing_executors])


def trials_of(*series: Sequence[float]) -> list[TrialReports]:
    return [TrialReports(index, tuple(values)) for index, values in enumerate(series)]


trial_lists = st.lists(st.lists(VALUES_OR_ANY, max_size=6), min_size=1, max_size=8).map(lambda x: trials_of(*x))


def mirrored(trials: Sequence[TrialReports]) -> list[TrialReports]:
    return [TrialReports(trial.index, tuple(-value for value in trial.values)) for trial in trials]


def ended(policy: Policy, trials: Sequence[TrialReports], goal: Goal) -> list[int]:
    """The indexes of the trials that the policy would end."""
    return [trial.index for trial in trials if policy.decide(trial, trials, goal)]


class PolicySuite:
    """Inherit, and override ``policies``."""

    policies: ClassVar[list[Policy]] = []

    @many
    @given(trials=trial_lists, data=st.data())
    def test_the_best_trial_at_an_interval_is_never_ended(
        self, trials: list[TrialReports], data: st.DataObject
    ) -> None:
        policy, goal = data.draw(st.sampled_from(self.policies)), data.draw(st.sampled_from(GOALS))
        for trial in trials:
            decision = policy.decide(trial, trials, goal)
            if decision is None:
                continue
            there = [other for other in trials if len(other.values) >= decision.interval]
            good = math.inf if goal.direction is Direction.MAXIMIZE else -math.inf  # diverged, so no result
            value_there = goal.best(
                other.values[decision.interval - 1] for other in there if other.values[decision.interval - 1] != good
            )
            best_so_far = goal.best(
                value for other in there for value in other.values[: decision.interval] if value != good
            )

            assert trial.values[decision.interval - 1] != value_there
            assert best_so_far is not None
            assert best_so_far not in trial.values[: decision.interval]

    @many
    @given(trials=trial_lists, data=st.data())
    def test_the_mirror_image_of_a_metric_gets_the_same_decisions(
        self, trials: list[TrialReports], data: st.DataObject
    ) -> None:
        policy = data.draw(st.sampled_from(self.policies))

        assert ended(policy, trials, maximize("score")) == ended(policy, mirrored(trials), minimize("score"))

    @many
    @given(trials=trial_lists, data=st.data())
    def test_the_order_in_which_trials_are_given_does_not_matter(
        self, trials: list[TrialReports], data: st.DataObject
    ) -> None:
        policy, goal = data.draw(st.sampled_from(self.policies)), data.draw(st.sampled_from(GOALS))
        shuffled = data.draw(st.permutations(trials))

        for trial in trials:
            assert policy.decide(trial, trials, goal) == policy.decide(trial, shuffled, goal)

    @many
    @given(trials=trial_lists, data=st.data())
    def test_reports_of_others_after_the_interval_do_not_count(
        self, trials: list[TrialReports], data: st.DataObject
    ) -> None:
        policy, goal = data.draw(st.sampled_from(self.policies)), data.draw(st.sampled_from(GOALS))
        trial = data.draw(st.sampled_from(trials))
        cut = [TrialReports(other.index, other.values[: len(trial.values)]) for other in trials]

        assert policy.decide(trial, trials, goal) == policy.decide(trial, cut, goal)

    @many
    @given(trials=trial_lists, data=st.data())
    def test_it_acts_at_due_intervals_only_and_says_why_in_one_sentence(
        self, trials: list[TrialReports], data: st.DataObject
    ) -> None:
        policy, goal = data.draw(st.sampled_from(self.policies)), data.draw(st.sampled_from(GOALS))
        for trial in trials:
            decision = policy.decide(trial, trials, goal)
            due = due_interval(
                len(trial.values),
                evaluation_interval=policy.evaluation_interval,
                delay_evaluation=policy.delay_evaluation,
            )
            if decision is None:
                continue

            assert decision.interval == due
            assert "score" in decision.reason
            assert f"interval {due}" in decision.reason
            assert "\n" not in decision.reason
            json.dumps(dict(decision.numbers), allow_nan=False)

    @many
    @given(trials=trial_lists, data=st.data())
    def test_a_trial_is_never_ended_because_another_reports_nothing_but_nan(
        self, trials: list[TrialReports], data: st.DataObject
    ) -> None:
        policy, goal = data.draw(st.sampled_from(self.policies)), data.draw(st.sampled_from(GOALS))
        trial = data.draw(st.sampled_from(trials))
        assume(not all(math.isnan(value) for value in trial.values))

        only_nan = [TrialReports(100 + number, (math.nan,) * 6) for number in range(5)]

        assert policy.decide(trial, [trial, *only_nan], goal) is None

    @many
    @given(trials=trial_lists, data=st.data())
    def test_a_trial_is_never_ended_because_another_diverged_to_infinitely_good(
        self, trials: list[TrialReports], data: st.DataObject
    ) -> None:
        policy, goal = data.draw(st.sampled_from(self.policies)), data.draw(st.sampled_from(GOALS))
        good = math.inf if goal.direction is Direction.MAXIMIZE else -math.inf
        trial = data.draw(st.sampled_from(trials))
        assume(any(math.isfinite(value) for value in trial.values))
        diverged = [TrialReports(100 + number, (good,) * 6) for number in range(5)]

        assert policy.decide(trial, [trial, *diverged], goal) is None

    @many
    @given(values=st.lists(VALUES, max_size=6), data=st.data())
    def test_a_trial_alone_is_never_ended(self, values: list[float], data: st.DataObject) -> None:
        policy, goal = data.draw(st.sampled_from(self.policies)), data.draw(st.sampled_from(GOALS))
        (trial,) = trials_of(values)

        assert policy.decide(trial, [trial], goal) is None

    def test_a_trial_that_has_not_reported_is_never_ended(self) -> None:
        trials = trials_of([], [1.0, 2.0, 3.0], [2.0, 3.0, 4.0])

        for policy in self.policies:
            for goal in GOALS:
                assert policy.decide(trials[0], trials, goal) is None

    def test_it_travels_as_json(self) -> None:
        for policy in self.policies:
            assert policy_from_json(json.loads(json.dumps(policy_to_json(policy)))) == policy
