"""What a ScriptRunConfig takes, what it ignores, and what it refuses."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace

import pytest

from azureml.core import Environment, RunConfiguration, ScriptRunConfig
from azureml.core.runconfig import DockerConfiguration, MpiConfiguration
from azureml.core.script_run_config import get_run_config_from_script_run
from azureml.exceptions import RunConfigurationException, UserErrorException


class Dataset:
    """As the checks see a dataset: it can be named, and is no input yet."""

    def as_named_input(self, name: str) -> None: ...


def test_everything_but_the_source_goes_into_its_run_configuration() -> None:
    environment = Environment("mine")
    config = ScriptRunConfig(
        source_directory="src",
        script="train.py",
        arguments=["--alpha", 0.5],
        compute_target=SimpleNamespace(name="cpu"),
        environment=environment,
        distributed_job_config=MpiConfiguration(),
        docker_runtime_config=DockerConfiguration(use_docker=True),
        max_run_duration_seconds=60,
    )

    assert (config.source_directory, config.script, config.arguments) == ("src", "train.py", ["--alpha", 0.5])
    assert config.run_config.target == "cpu"
    assert config.run_config.environment is environment
    assert config.run_config.communicator == "IntelMpi"
    assert config.run_config.docker is not None
    assert config.run_config.docker.use_docker is True
    assert config.run_config.max_run_duration_seconds == 60


def test_the_defaults_are_local_and_thirty_days() -> None:
    config = ScriptRunConfig(".")

    assert config.run_config.target == "local"
    assert config.run_config.max_run_duration_seconds == 2592000
    assert config.run_config.environment.name == "default-environment"
    assert config.script == "train.py"
    assert config.arguments == []


def test_a_run_configuration_wins_over_what_it_speaks_of(caplog: pytest.LogCaptureFixture) -> None:
    run_config = RunConfiguration(script="one.py", arguments=["a"])
    run_config.target = "gpu"
    with caplog.at_level(logging.WARNING, "azureml"):
        config = ScriptRunConfig(".", script="two.py", run_config=run_config, compute_target="cpu")

    assert config.run_config is run_config
    assert config.run_config.target == "gpu"
    assert (config.script, config.arguments) == ("two.py", ["a"])
    assert [record.message for record in caplog.records] == [
        "compute_target is ignored, because run_config is given; set it there"
    ]


def test_the_run_configuration_of_a_submission_is_a_copy() -> None:
    config = ScriptRunConfig(".", script="two.py", arguments=["x"])
    copied = get_run_config_from_script_run(config)
    copied.arguments.append("y")
    copied.environment.name = "other"

    assert (copied.script, copied.arguments) == ("two.py", ["x", "y"])
    assert config.arguments == ["x"]
    assert config.run_config.environment.name == "default-environment"


def test_a_dataset_itself_is_no_argument() -> None:
    for arguments in (["--data", Dataset()], Dataset()):
        with pytest.raises(UserErrorException, match="as_named_input"):
            ScriptRunConfig(".", arguments=arguments)  # type: ignore[arg-type]


def test_wrong_parts_are_refused() -> None:
    with pytest.raises(UserErrorException, match="environment is an Environment, got 'mine'"):
        ScriptRunConfig(".", environment="mine")  # type: ignore[arg-type]
    with pytest.raises(RunConfigurationException):
        ScriptRunConfig(".", distributed_job_config="mpi")
    with pytest.raises(UserErrorException, match="resume_from is a DataPath"):
        ScriptRunConfig(".", resume_from="outputs")
    with pytest.raises(TypeError):
        ScriptRunConfig(".", arguements=["--alpha"])  # type: ignore[call-arg]


def test_a_run_configuration_may_be_named(tmp_path: Path) -> None:
    saved = RunConfiguration(script="go.py")
    saved.target = "cpu"
    saved.save(tmp_path, "mine")

    config = ScriptRunConfig(tmp_path, run_config="mine")
    assert (config.script, config.run_config.target) == ("go.py", "cpu")
