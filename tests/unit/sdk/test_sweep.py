"""A Sweep is checked when it is made."""

from __future__ import annotations

from pathlib import Path

import pytest

import sublight as sl
from sublight.core.errors import InvalidInput
from sublight.core.policies import policy_from_json
from sublight.core.samplers import sampler_from_json
from sublight.core.search_space import SearchSpace
from sublight.sdk.script import Script
from sublight.sdk.sweep import Sweep
from tests.unit.sdk.fake_server import FakeServer, a_sweep

SPACE = {"learning_rate": sl.loguniform(1e-5, 1.0), "num_epochs": sl.choice(5, 10, 15)}


@pytest.fixture
def script(tmp_path: Path) -> Script:
    (tmp_path / "train.py").write_text("")
    return Script("train.py", source=tmp_path, arguments=["--seed", 1])


def sweep(script: Script, **arguments: object) -> Sweep:
    defaults: dict[str, object] = {"space": SPACE, "goal": sl.maximize("accuracy"), "max_trials": 8}
    return Sweep(script, **{**defaults, **arguments})  # type: ignore[arg-type]


def test_a_sweep_becomes_a_message_from_which_the_server_makes_it_again(script: Script) -> None:
    sampler = sl.Bayesian(seed=7)
    policy = sl.Bandit(slack_factor=0.1, evaluation_interval=1, delay_evaluation=2)

    message = sweep(script, sampler=sampler, policy=policy, max_concurrent=4, max_minutes=60).definition("snap")

    assert message.trial == script.definition("snap")
    assert SearchSpace.from_json(message.space) == SearchSpace.from_json(SPACE)
    assert sampler_from_json(message.sampler) == sampler
    assert policy_from_json(message.policy) == policy
    assert (message.metric, message.direction, message.max_trials) == ("accuracy", "maximize", 8)
    assert (message.max_concurrent, message.max_minutes) == (4, 60.0)


def test_without_sampler_and_policy_points_are_random_and_no_trial_is_ended(script: Script) -> None:
    message = sweep(script).definition("snap")

    assert message.sampler["type"] == "random"
    assert message.policy == {"type": "no_termination"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"space": {}}, "at least one parameter"),
        ({"space": {"x": 5}}, "parameter 'x' needs a distribution, got 5"),
        ({"goal": "accuracy"}, r"goal must be maximize\('metric'\) or minimize\('metric'\), got 'accuracy'"),
        ({"max_trials": 0}, "max_trials must be a whole number of 1 or more, got 0"),
        ({"max_trials": 2.5}, "max_trials"),
        ({"max_trials": True}, "max_trials"),
        ({"max_concurrent": 0}, "max_concurrent must be a whole number of 1 or more"),
        ({"trials_per_node": 0}, "trials_per_node must be a whole number"),
        ({"max_minutes": 0}, "max_minutes must be a number of minutes above 0"),
        ({"sampler": sl.Bayesian}, r"sampler must be Random\(\), Grid\(\)"),
        ({"sampler": "random"}, "sampler must be"),
        ({"sampler": sl.Grid()}, "grid"),
        ({"policy": "bandit"}, "policy must be Bandit"),
        ({"resume_from": [5]}, "resume_from takes sweeps or their ids, got 5"),
    ],
)
def test_a_wrong_sweep_is_refused_in_a_sentence(script: Script, arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        sweep(script, **arguments)


def test_a_sweep_needs_a_script() -> None:
    with pytest.raises(InvalidInput, match=r"needs a Script, got 'train.py'; write Sweep\(Script\('train.py'\)"):
        sweep("train.py")  # type: ignore[arg-type]


def test_a_command_may_use_the_tuned_names_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("")

    sweep(
        Script(command="python train.py ${{search_space.learning_rate}} ${{search_space.num_epochs}}", source=tmp_path)
    )
    with pytest.raises(InvalidInput, match=r"search_space\.rate"):
        sweep(Script(command="python train.py ${{search_space.rate}}", source=tmp_path))


def test_a_name_that_is_fixed_and_tuned_warns_that_the_tuned_value_wins(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("")
    script = Script("train.py", source=tmp_path, arguments=["--num_epochs=5"])

    with pytest.warns(
        UserWarning, match="--num_epochs is among the fixed arguments .* tuned value comes last and wins"
    ):
        sweep(script)


def test_a_sweep_may_go_on_from_runs_and_from_ids(script: Script, server: FakeServer) -> None:
    from sublight.sdk.run import Run

    run = Run(server.client(), a_sweep())

    assert sweep(script, resume_from=run).resume_from == ("sweep-ab",)
    assert sweep(script, resume_from=[run, "sweep-cd"]).resume_from == ("sweep-ab", "sweep-cd")
    assert sweep(script, resume_from="sweep-cd").resume_from == ("sweep-cd",)
