import math

import pytest

from sublight.core.errors import InvalidInput
from sublight.core.metric import maximize, minimize
from sublight.core.policies import TruncationSelection, policy_from_json
from tests.contracts.policy_suite import PolicySuite, ended, trials_of

ACCURACY = maximize("accuracy")


class TestTruncationSelection(PolicySuite):
    policies = [  # noqa: RUF012
        TruncationSelection(20),
        TruncationSelection(99),
        TruncationSelection(50, evaluation_interval=2, delay_evaluation=3),
        TruncationSelection(34, delay_evaluation=2),
    ]


def ten_trials_at_interval_5() -> list[list[float]]:
    return [[0.0, 0.0, 0.0, 0.0, rank / 10] for rank in range(10)]


def test_the_worked_example_holds_20_percent_of_10_are_the_2_worst() -> None:
    trials = trials_of(*ten_trials_at_interval_5())
    policy = TruncationSelection(truncation_percentage=20, evaluation_interval=5)

    assert ended(policy, trials, ACCURACY) == [0, 1]
    assert ended(policy, trials, minimize("loss")) == []  # their best so far is 0 for all

    decision = policy.decide(trials[1], trials, ACCURACY)
    assert decision is not None
    assert decision.reason == (
        "best accuracy so far 0.1000 at interval 5 ranks 9 of 10, and the last 2 (20 percent) are ended"
    )
    assert decision.numbers == {"trial_best": 0.1, "rank": 9, "trials_count": 10, "ended_count": 2}


def test_20_percent_of_7_is_1_and_of_4_is_none() -> None:
    seven = trials_of(*([rank / 10] for rank in range(7)))
    four = seven[:4]

    assert ended(TruncationSelection(20), seven, ACCURACY) == [0]
    assert ended(TruncationSelection(20), four, ACCURACY) == []


def test_trials_that_have_not_reached_the_interval_do_not_count() -> None:
    young = [[0.0] * 4 for _ in range(20)]
    trials = trials_of(*ten_trials_at_interval_5(), *young)

    assert ended(TruncationSelection(20, evaluation_interval=5), trials, ACCURACY) == [0, 1]


def test_older_trials_are_compared_at_the_same_interval() -> None:
    trials = trials_of([0.5, 0.99, 0.99], [0.6], [0.7])

    assert ended(TruncationSelection(34), trials[1:] + trials[:1], ACCURACY) == []
    assert TruncationSelection(34).decide(trials_of([0.55])[0], trials_of([0.55], [0.4, 0.9], [0.6]), ACCURACY) is None


def test_of_equals_the_younger_rank_lower_and_the_best_is_kept() -> None:
    trials = trials_of([0.5], [0.5], [0.5], [0.9])
    all_equal = trials_of([0.5], [0.5], [0.5], [0.5])

    assert ended(TruncationSelection(50), trials, ACCURACY) == [1, 2]
    assert ended(TruncationSelection(99), all_equal, ACCURACY) == []


def test_nan_ranks_below_every_number() -> None:
    trials = trials_of([math.nan], [-1e9], [0.1], [-math.inf])

    assert ended(TruncationSelection(25), trials, ACCURACY) == [0]
    assert ended(TruncationSelection(50), trials, ACCURACY) == [0, 3]


def test_where_nobody_has_a_number_nobody_is_ended() -> None:
    assert ended(TruncationSelection(99), trials_of([math.nan], [math.nan], [math.nan]), ACCURACY) == []


@pytest.mark.parametrize("percentage", [0, 100, -5, 20.0, True, "20", None])
def test_a_percentage_that_is_no_whole_number_from_1_to_99_is_refused(percentage: object) -> None:
    with pytest.raises(InvalidInput, match="truncation_percentage must be a whole number from 1 to 99"):
        policy_from_json({"type": "truncation_selection", "truncation_percentage": percentage})


def test_the_percentage_is_required() -> None:
    with pytest.raises(InvalidInput, match="needs a truncation_percentage from 1 to 99, got none"):
        policy_from_json({"type": "truncation_selection"})
