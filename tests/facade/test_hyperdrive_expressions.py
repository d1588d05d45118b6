"""The distributions, samplers and policies of v1: what they are on the wire, what they refuse, what they become."""

from __future__ import annotations

import math
from typing import Any

import pytest

import sublight
from azureml.train.hyperdrive import (
    BanditPolicy,
    BayesianParameterSampling,
    GridParameterSampling,
    HyperDriveConfigException,
    MedianStoppingPolicy,
    NoTerminationPolicy,
    RandomParameterSampling,
    TruncationSelectionPolicy,
    choice,
    lognormal,
    loguniform,
    normal,
    qlognormal,
    qloguniform,
    qnormal,
    quniform,
    randint,
    uniform,
)
from azureml.train.hyperdrive._translation import policy_of, sampler_of, space_of, suspicions


@pytest.mark.parametrize(
    ("expression", "wire"),
    [
        (choice(1, 2), ["choice", [[1, 2]]]),
        (choice([1, 2]), ["choice", [[1, 2]]]),
        (choice(range(1, 4)), ["choice", [[1, 2, 3]]]),
        (choice((1, 2)), ["choice", [[(1, 2)]]]),
        (choice(True, "a"), ["choice", [[True, "a"]]]),
        (randint(5), ["randint", [5]]),
        (randint(True), ["randint", [True]]),
        (uniform(0, 1), ["uniform", [0, 1]]),
        (quniform(1, 10, 2.0), ["quniform", [1, 10, 2.0]]),
        (quniform(1, 10, -1), ["quniform", [1, 10, -1]]),
        (loguniform(-6, -6), ["loguniform", [-6, -6]]),
        (qloguniform(1, 3, 1), ["qloguniform", [1, 3, 1]]),
        (normal(10, 0), ["normal", [10, 0]]),
        (qnormal(10, 3, 1), ["qnormal", [10, 3, 1]]),
        (lognormal(0, 1), ["lognormal", [0, 1]]),
        (qlognormal(0, 1, 1), ["qlognormal", [0, 1, 1]]),
    ],
)
def test_an_expression_is_a_list_of_its_name_and_arguments(expression: Any, wire: Any) -> None:
    assert expression == wire


@pytest.mark.parametrize(
    "make",
    [
        lambda: choice(),
        lambda: choice([]),
        lambda: choice([1], [2]),
        lambda: randint(0),
        lambda: randint(2.0),
        lambda: uniform(1, 1),
        lambda: uniform("a", 1),
        lambda: quniform(1, 10, 0.5),
        lambda: loguniform(2, 1),
        lambda: normal(0, -1),
        lambda: qlognormal(0, 1, 0.5),
    ],
)
def test_what_the_client_of_v1_refused_is_refused(make: Any) -> None:
    with pytest.raises(HyperDriveConfigException):
        make()


def test_bayesian_sampling_takes_three_distributions_and_uniform_options() -> None:
    assert (
        BayesianParameterSampling({"a": choice(1, 2.5), "b": quniform(1, 9, 2), "c": uniform(0, 1)}).to_json()["name"]
        == "BayesianOptimization"
    )
    for space in ({"a": normal(0, 1)}, {"a": choice(1, "x")}, {"a": choice(True)}, {"a": quniform(1, 9, 2.0)}, None):
        with pytest.raises(HyperDriveConfigException):
            BayesianParameterSampling(space)  # type: ignore[arg-type]


def test_grid_sampling_takes_choices_only() -> None:
    with pytest.raises(HyperDriveConfigException, match="'a' is 'uniform'"):
        GridParameterSampling({"a": uniform(0, 1)})


def test_a_sampler_goes_to_json_with_its_properties_when_it_has_any() -> None:
    assert RandomParameterSampling({"a": choice(1)}).to_json() == {
        "name": "RANDOM",
        "parameter_space": {"a": ["choice", [[1]]]},
    }
    assert RandomParameterSampling({}, {"seed": 3}).to_json()["properties"] == {"seed": 3}
    assert sampler_of(RandomParameterSampling({"a": choice(1)}, {"seed": 3})) == sublight.Random(seed=3)
    assert RandomParameterSampling({"a": choice(1)}) == RandomParameterSampling({"a": choice(1)})


def test_random_arguments_come_in_alphabetical_order_and_the_others_as_declared() -> None:
    declared = {"--z": choice(1, 2), "a": choice(3), "m": uniform(0, 1)}

    assert list(space_of(RandomParameterSampling(declared))) == ["--z", "a", "m"]
    assert list(space_of(RandomParameterSampling({"b": choice(1), "a": choice(2)}))) == ["a", "b"]
    assert list(space_of(BayesianParameterSampling({"b": choice(1), "a": choice(2)}))) == ["b", "a"]
    assert list(space_of(GridParameterSampling({"b": choice(1), "a": choice(2)}))) == ["b", "a"]


def test_numbers_lose_their_point_nought_and_repeated_options_count_once() -> None:
    space = space_of(GridParameterSampling({"C": choice(0.5, 1.0, 1.0, 10)}))

    assert space["C"].to_json() == {"type": "choice", "values": [0.5, 1, 10]}


def test_the_bounds_of_loguniform_are_exponents() -> None:
    space = space_of(RandomParameterSampling({"lr": loguniform(-6, -1), "one": loguniform(2, 2)}))

    assert space["lr"] == sublight.loguniform(math.exp(-6), math.exp(-1))
    assert space["one"] == sublight.choice(math.exp(2))
    with pytest.raises(HyperDriveConfigException, match="exponents of e"):
        space_of(RandomParameterSampling({"n": loguniform(1, 100_000)}))


def test_bare_lists_and_single_values_count_as_choices() -> None:
    space = space_of(RandomParameterSampling({"a": [1, 2], "b": "x"}))

    assert space["a"] == sublight.choice(1, 2)
    assert space["b"] == sublight.choice("x")


def test_bounds_that_look_like_values_are_suspicious_and_exponents_are_not() -> None:
    def of(expression: Any) -> list[str]:
        return list(suspicions(RandomParameterSampling({"lr": expression})))

    assert "look like values" in of(loguniform(0.0001, 0.1))[0]
    assert "exponents" in of(loguniform(1, 1000))[0]
    assert of(loguniform(-6, -1)) == []
    assert of(loguniform(math.log(1e-5), math.log(1))) == []


def test_policies_become_sublights() -> None:
    assert policy_of(BanditPolicy(slack_factor=0.1, evaluation_interval=2, delay_evaluation=5)) == sublight.Bandit(
        slack_factor=0.1, evaluation_interval=2, delay_evaluation=5
    )
    assert policy_of(BanditPolicy(2, None, 0.2)) == sublight.Bandit(slack_amount=0.2, evaluation_interval=2)
    assert policy_of(MedianStoppingPolicy(delay_evaluation=5)) == sublight.MedianStopping(delay_evaluation=5)
    assert policy_of(TruncationSelectionPolicy(20, 2)) == sublight.TruncationSelection(20, evaluation_interval=2)
    assert policy_of(NoTerminationPolicy()) == sublight.NoTermination()
    assert policy_of(BanditPolicy(-3, 0.1, delay_evaluation=-1)).evaluation_interval == 1
    assert policy_of(BanditPolicy(slack_factor=0)).slack_amount > 0


def test_the_traps_of_the_bandit_are_the_originals() -> None:
    assert BanditPolicy(slack_factor=0, slack_amount=0.1).to_json()["properties"]["slack_amount"] == 0.1
    assert BanditPolicy(slack_factor=0.1).slack_factor == 0.1
    assert not hasattr(BanditPolicy(slack_amount=0.1), "slack_amount")
    for wrong in ({}, {"slack_factor": 0.1, "slack_amount": 0.1}, {"slack_factor": 0.1, "evaluation_interval": 1.0}):
        with pytest.raises(HyperDriveConfigException):
            BanditPolicy(**wrong)  # type: ignore[arg-type]
    with pytest.raises(HyperDriveConfigException):
        TruncationSelectionPolicy(0)
    assert NoTerminationPolicy().to_json() == {"name": "Default"}
