import math

import pytest

from sublight.core.errors import InvalidInput
from sublight.core.metric import maximize, minimize
from sublight.core.policies import MedianStopping
from tests.contracts.policy_suite import PolicySuite, ended, trials_of

ACCURACY = maximize("accuracy")
WORKED = trials_of([0.50, 0.60, 0.70], [0.40, 0.50, 0.60], [0.30, 0.45, 0.44])


class TestMedianStopping(PolicySuite):
    policies = [  # noqa: RUF012
        MedianStopping(),
        MedianStopping(evaluation_interval=2),
        MedianStopping(evaluation_interval=1, delay_evaluation=5),
    ]


def test_the_worked_example_holds() -> None:
    policy = MedianStopping(evaluation_interval=3)

    assert ended(policy, WORKED, ACCURACY) == [2]

    decision = policy.decide(WORKED[2], WORKED, ACCURACY)
    assert decision is not None
    assert decision.reason == (
        "best accuracy so far 0.4500 at interval 3 is below 0.5000 = median of the means of 3 trials"
    )
    assert decision.numbers == pytest.approx({"trial_best": 0.45, "median": 0.5, "trials_count": 3})


def test_minimising_is_the_mirror_image() -> None:
    trials = trials_of([0.3, 0.2], [0.4, 0.3], [0.9, 0.8])

    decision = MedianStopping().decide(trials[2], trials, minimize("loss"))

    assert decision is not None
    assert decision.reason == "best loss so far 0.8000 at interval 2 is above 0.3500 = median of the means of 3 trials"


def test_of_an_even_number_of_means_the_middle_two_are_averaged() -> None:
    trials = trials_of([0.9], [0.7], [0.59], [0.1])

    assert ended(MedianStopping(), trials, ACCURACY) == [2, 3]
    assert MedianStopping().decide(trials[2], trials, ACCURACY).numbers["median"] == pytest.approx(0.645)  # type: ignore[union-attr]


def test_shorter_trials_count_with_what_they_have() -> None:
    trials = trials_of([0.9], [0.2, 0.2], [0.5, 0.6], [0.8])

    assert ended(MedianStopping(evaluation_interval=2), trials, ACCURACY) == [1]


def test_shorter_trials_alone_do_not_end_the_best_at_an_interval() -> None:
    trials = trials_of([0.9], [0.9], [0.9], [0.5, 0.6])

    assert ended(MedianStopping(evaluation_interval=2), trials, ACCURACY) == []


def test_nothing_but_nan_is_kept_where_nobody_has_a_number() -> None:
    trials = trials_of([math.nan, math.nan], [math.nan, math.nan], [0.5])

    assert ended(MedianStopping(evaluation_interval=2), trials, ACCURACY) == []


def test_rounding_in_the_mean_of_a_constant_metric_ends_nobody() -> None:
    trials = trials_of([0.9] * 3, [0.1] * 3, [0.1] * 3, [0.1] * 3)

    assert ended(MedianStopping(), trials, ACCURACY) == []


def test_nan_is_left_out_of_means() -> None:
    trials = trials_of([math.nan, 0.6], [0.5, 0.5], [math.nan, math.nan], [0.1, 0.45])

    assert ended(MedianStopping(evaluation_interval=2), trials, ACCURACY) == [2, 3]


def test_wrong_settings_are_refused_with_a_sentence() -> None:
    with pytest.raises(InvalidInput, match="evaluation_interval must be a whole number of at least 1, got -1"):
        MedianStopping(evaluation_interval=-1)
    with pytest.raises(InvalidInput, match=r"delay_evaluation must be a whole number of at least 0, got 0\.5"):
        MedianStopping(delay_evaluation=0.5)  # type: ignore[arg-type]
