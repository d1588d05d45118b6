import math

import pytest

from sublight.core.errors import InvalidInput
from sublight.core.metric import maximize, minimize
from sublight.core.policies import Bandit, policy_from_json
from tests.contracts.policy_suite import PolicySuite, ended, trials_of

ACCURACY = maximize("accuracy")
LOSS = minimize("loss")
AT_10 = Bandit(slack_factor=0.2, evaluation_interval=10)


class TestBandit(PolicySuite):
    policies = [  # noqa: RUF012
        Bandit(slack_factor=0.2),
        Bandit(slack_amount=0.2),
        Bandit(slack_factor=0.1, evaluation_interval=2, delay_evaluation=3),
        Bandit(slack_amount=1e-9, evaluation_interval=1, delay_evaluation=2),
        Bandit(slack_factor=1000),
    ]


def at_interval_10(value: float) -> list[float]:
    return [*[min(value, 0.1)] * 9, value]


@pytest.mark.parametrize(
    ("policy", "kept", "stopped"),
    [
        (AT_10, [0.67, 0.80], [0.66, 0.5]),
        (Bandit(slack_amount=0.2, evaluation_interval=10), [0.60, 0.61, 0.80], [0.5999, 0.5]),
    ],
)
def test_maximising_the_worked_examples_hold(policy: Bandit, kept: list[float], stopped: list[float]) -> None:
    trials = trials_of(at_interval_10(0.80), *map(at_interval_10, kept), *map(at_interval_10, stopped))
    first_stopped = 1 + len(kept)

    assert ended(policy, trials, ACCURACY) == list(range(first_stopped, first_stopped + len(stopped)))


@pytest.mark.parametrize(
    ("policy", "kept", "stopped"),
    [
        (Bandit(slack_factor=0.2), [0.59, 0.60], [0.61]),
        (Bandit(slack_amount=0.05), [0.54, 0.55], [0.56]),
    ],
)
def test_minimising_the_worked_examples_hold(policy: Bandit, kept: list[float], stopped: list[float]) -> None:
    trials = trials_of([0.50], *([value] for value in kept + stopped))

    assert ended(policy, trials, LOSS) == list(range(1 + len(kept), 1 + len(kept) + len(stopped)))


def test_a_negative_best_has_its_slack_on_the_worse_side_too() -> None:
    below = trials_of([-0.50], [-0.59], [-0.61])
    above = trials_of([-0.80], [-0.67], [-0.66])

    assert ended(Bandit(slack_factor=0.2), below, ACCURACY) == [2]
    assert ended(Bandit(slack_factor=0.2), above, LOSS) == [2]


def test_a_best_of_zero_leaves_no_slack_to_the_factor_but_to_the_amount() -> None:
    trials = trials_of([0.0], [0.0], [-0.001])

    assert ended(Bandit(slack_factor=0.5), trials, ACCURACY) == [2]
    assert ended(Bandit(slack_amount=0.5), trials, ACCURACY) == []


def test_a_trial_counts_by_its_best_value_so_far() -> None:
    trials = trials_of([0.7, 0.1, 0.1], [0.1, 0.1, 0.8])

    assert ended(Bandit(slack_factor=0.2), trials, ACCURACY) == []


def test_the_best_is_looked_for_at_the_same_interval_only() -> None:
    trials = trials_of([0.5, 0.6, 0.99, 0.99], [0.5, 0.55])

    assert ended(Bandit(slack_factor=0.1), trials, ACCURACY) == []


def test_interval_2_and_delay_5_act_first_at_6() -> None:
    policy = Bandit(slack_factor=0.1, evaluation_interval=2, delay_evaluation=5)
    good, bad = [0.9] * 8, [0.1] * 8

    intervals = []
    for count in range(1, 9):
        decision = policy.decide(trials_of(bad[:count])[0], trials_of(bad[:count], good), ACCURACY)
        intervals.append(decision and decision.interval)

    assert intervals == [None, None, None, None, None, 6, 6, 8]


def test_the_reason_carries_the_numbers() -> None:
    trials = trials_of([0.2, 0.4, 0.6, 0.65], [0.5, 0.6, 0.7, 0.8])

    decision = Bandit(slack_factor=0.1).decide(trials[0], trials, ACCURACY)

    assert decision is not None
    assert decision.interval == 4
    assert decision.reason == (
        "best accuracy so far 0.6500 at interval 4 is below 0.7273 = best 0.8000 / (1 + slack factor 0.1)"
    )
    assert decision.numbers == pytest.approx({"trial_best": 0.65, "best": 0.8, "limit": 0.8 / 1.1})


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (Bandit(slack_factor=0.2), "0.6000 = best 0.5000 * (1 + slack factor 0.2)"),
        (Bandit(slack_amount=0.05), "0.5500 = best 0.5000 + slack amount 0.05"),
    ],
)
def test_the_reason_fits_the_direction(policy: Bandit, reason: str) -> None:
    trials = trials_of([0.61], [0.5])

    decision = policy.decide(trials[0], trials, LOSS)

    assert decision is not None
    assert decision.reason == f"best loss so far 0.6100 at interval 1 is above {reason}"


def test_nothing_but_nan_is_ended_once_another_has_a_number() -> None:
    trials = trials_of([math.nan, math.nan], [0.1, 0.1])
    among_nan = trials_of([math.nan], [math.nan])

    decision = Bandit(slack_factor=0.1).decide(trials[0], trials, ACCURACY)

    assert decision is not None
    assert decision.reason.startswith("accuracy up to interval 2 has no number, which is worse than 0.0909")
    assert "trial_best" not in decision.numbers
    assert ended(Bandit(slack_factor=0.1), among_nan, ACCURACY) == []


def test_a_nan_at_the_interval_does_not_hide_earlier_values() -> None:
    trials = trials_of([0.75, math.nan], [0.5, 0.8])

    assert ended(Bandit(slack_factor=0.1), trials, ACCURACY) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "needs exactly one of slack_factor and slack_amount, got none"),
        ({"slack_factor": 0.1, "slack_amount": 0.1}, "got both"),
        ({"slack_factor": 0}, "slack_factor must be a number above 0, got 0"),
        ({"slack_factor": -0.1}, "slack_factor must be a number above 0, got -0.1"),
        ({"slack_amount": math.nan}, "slack_amount must be a number above 0, got nan"),
        ({"slack_amount": "0.1"}, "slack_amount must be a number above 0, got '0.1'"),
        ({"slack_amount": True}, "slack_amount must be a number above 0, got True"),
        (
            {"slack_factor": 1, "evaluation_interval": 0},
            "evaluation_interval must be a whole number of at least 1, got 0",
        ),
        ({"slack_factor": 1, "evaluation_interval": 1.0}, "evaluation_interval must be a whole number of at least 1"),
        ({"slack_factor": 1, "delay_evaluation": -1}, "delay_evaluation must be a whole number of at least 0, got -1"),
        ({"slack_factor": 1, "delay_evaluation": True}, "delay_evaluation must be a whole number of at least 0"),
        (
            {"slack": 1},
            "the bandit policy takes slack_factor, slack_amount, evaluation_interval, delay_evaluation, got slack",
        ),
    ],
)
def test_wrong_settings_are_refused_with_a_sentence(arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        policy_from_json({"type": "bandit", **arguments})

    assert sentence in str(refusal.value)
