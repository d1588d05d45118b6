"""Estimators: what becomes of their arguments, and which of them do not go together."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from azureml._base_sdk_common import abstract_run_config_element
from azureml.core import Environment
from azureml.core.runconfig import MpiConfiguration
from azureml.exceptions import TrainingException
from azureml.train.dnn import Chainer, Gloo, Mpi, Nccl, ParameterServer, PyTorch, TensorFlow
from azureml.train.estimator import Estimator, MMLBaseEstimator, MMLBaseEstimatorRunConfig
from azureml.train.sklearn import SKLearn

CLUSTER = SimpleNamespace(name="cpu", type="AmlCompute")
ALL = (Estimator, PyTorch, TensorFlow, Chainer, SKLearn)


def packages(estimator: MMLBaseEstimator) -> list[str]:
    assert estimator.conda_dependencies is not None
    return estimator.conda_dependencies.pip_packages


@pytest.mark.parametrize("kind", ALL)
def test_an_estimator_makes_a_run_configuration(kind: Any) -> None:
    estimator = kind(source_directory="src", compute_target=CLUSTER, entry_script="train.py", script_params={"--a": 1})

    assert estimator.source_directory == "src"
    assert (estimator.run_config.target, estimator.run_config.script) == ("cpu", "train.py")
    assert estimator.run_config.arguments == ["--a", 1]
    assert "azureml-defaults" in packages(estimator)


def test_script_params_are_flattened_with_their_types() -> None:
    params = {"--data": "x", "--flag": "", "--list": [1, 2.5], "--none": None, "--zero": 0}
    estimator = Estimator(".", compute_target="local", script_params=params)

    assert estimator.run_config.arguments == ["--data", "x", "--flag", "--list", 1, 2.5, "--none", "--zero", 0]
    with pytest.raises(TrainingException, match="script_params is a dict"):
        Estimator(".", compute_target="local", script_params=["--a"])  # type: ignore[arg-type]


def test_frameworks_have_versions_and_packages() -> None:
    assert (PyTorch(".", compute_target=CLUSTER).framework_version, PyTorch.get_supported_versions()[-1]) == (
        "1.4",
        "1.6",
    )
    assert "torch==1.4" in packages(PyTorch(".", compute_target=CLUSTER))
    assert "tensorflow-gpu==2.0" in packages(
        TensorFlow(".", compute_target=CLUSTER, framework_version="2.0", use_gpu=True)
    )
    assert "scikit-learn==0.20.3" in packages(SKLearn(".", compute_target=CLUSTER))
    assert SKLearn.get_supported_versions() == ["0.20.3"]
    assert (
        PyTorch(".", compute_target=CLUSTER).run_config.environment.environment_variables["NCCL_TREE_THRESHOLD"] == "0"
    )


def test_sklearn_knows_no_nodes_and_arguments_are_named() -> None:
    with pytest.raises(TypeError):
        SKLearn(".", compute_target=CLUSTER, node_count=2)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Estimator(".", CLUSTER)  # type: ignore[misc]


def test_packages_come_from_lists_and_files(tmp_path: Path) -> None:
    (tmp_path / "env.yml").write_text("dependencies:\n- pip:\n  - flask\n")
    (tmp_path / "r.txt").write_text("scipy\n")

    listed = PyTorch(
        tmp_path,
        compute_target=CLUSTER,
        pip_packages=["numpy"],
        conda_packages=["pandas"],
        pip_requirements_file="r.txt",
    )
    from_file = PyTorch(tmp_path, compute_target=CLUSTER, conda_dependencies_file_path="env.yml")

    assert {"numpy", "scipy", "torch==1.4"} <= set(packages(listed))
    assert listed.conda_dependencies is not None
    assert listed.conda_dependencies.conda_packages == ["python=3.6.2", "pandas"]
    assert packages(from_file) == ["flask"]
    with pytest.raises(TrainingException, match=r"no file none\.yml"):
        PyTorch(tmp_path, compute_target=CLUSTER, conda_dependencies_file="none.yml")


def test_an_environment_definition_is_used_as_it_is() -> None:
    environment = Environment("mine")
    assert (
        Estimator(".", compute_target=CLUSTER, environment_definition=environment).run_config.environment is environment
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "needs a compute_target, or a vm_size"),
        ({"compute_target": CLUSTER, "node_count": 2}, "several nodes or processes need a back end"),
        ({"compute_target": CLUSTER, "process_count_per_node": 2}, "several nodes or processes need a back end"),
        ({"compute_target": CLUSTER, "node_count": 0}, "node_count is a whole number of 1 or more, got 0"),
        ({"compute_target": "local", "node_count": 2, "distributed_training": Mpi()}, "needs a cluster"),
        (
            {"compute_target": CLUSTER, "environment_definition": Environment("a"), "pip_packages": ["x"]},
            "environment_definition and pip_packages exclude each other",
        ),
        (
            {"compute_target": CLUSTER, "environment_definition": Environment("a"), "use_gpu": True},
            "environment_definition and use_gpu exclude each other",
        ),
        (
            {"compute_target": CLUSTER, "conda_dependencies_file": "x", "conda_packages": ["x"]},
            "conda_dependencies_file and conda_packages exclude each other",
        ),
        (
            {"compute_target": CLUSTER, "user_managed": True, "pip_packages": ["x"]},
            "user_managed and pip_packages exclude each other",
        ),
        (
            {"compute_target": CLUSTER, "use_docker": False, "custom_docker_image": "x"},
            "use_docker=False and custom_docker_image exclude each other",
        ),
        (
            {"compute_target": CLUSTER, "distributed_backend": "ring"},
            "distributed_backend is one of mpi, gloo, nccl, ps",
        ),
        ({"compute_target": CLUSTER, "distributed_training": Gloo()}, "Gloo goes with PyTorch, not with Estimator"),
        ({"compute_target": CLUSTER, "distributed_training": 5}, "distributed_training is Mpi"),
        ({"compute_target": CLUSTER, "inputs": ["data"]}, "inputs holds DataReference"),
        ({"compute_target": 5}, "ComputeTarget or its name"),
    ],
)
def test_arguments_that_do_not_go_together(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(TrainingException, match=sentence):
        Estimator(".", **arguments)


def test_back_ends_set_framework_and_communicator() -> None:
    found = [
        (estimator.run_config.framework, estimator.run_config.communicator, estimator.run_config.node_count)
        for estimator in (
            PyTorch(".", compute_target=CLUSTER, node_count=2, distributed_training=Mpi(process_count_per_node=3)),
            PyTorch(".", compute_target=CLUSTER, distributed_backend="mpi"),
            PyTorch(".", compute_target=CLUSTER, distributed_training=MpiConfiguration()),
            PyTorch(".", compute_target=CLUSTER, node_count=2, distributed_training=Nccl()),
            TensorFlow(".", compute_target=CLUSTER, distributed_training=ParameterServer(worker_count=2)),
        )
    ]

    assert found == [
        ("python", "Mpi", 2),
        ("Python", "IntelMpi", 1),
        ("Python", "IntelMpi", 1),
        ("PyTorch", "Nccl", 2),
        ("TensorFlow", "ParameterServer", 2),
    ]


def test_a_size_alone_means_a_cluster_for_it() -> None:
    config = SKLearn(".", vm_size="Standard_D2_V2", vm_priority="lowpriority").run_config

    assert (config.target, config.amlcompute.vm_size, config.amlcompute.vm_priority) == (
        "amlcompute",
        "Standard_D2_V2",
        "lowpriority",
    )
    assert SKLearn(".", vm_size="Standard_D2_V2", compute_target=CLUSTER).run_config.target == "cpu"


def test_submitting_may_override_three_things() -> None:
    estimator = Estimator(".", compute_target=CLUSTER, entry_script="train.py", script_params={"--a": 1, "--b": 2})

    config = estimator._to_script_run_config(script_params={"--b": 3}, source_directory_data_store="store")
    assert config.arguments == ["--a", 1, "--b", 3]
    assert config.run_config.source_directory_data_store == "store"
    assert config.run_config.max_run_duration_seconds == 2592000
    assert estimator.run_config.arguments == ["--a", 1, "--b", 2]
    with pytest.raises(TrainingException, match="no entry_script"):
        Estimator(".", compute_target=CLUSTER)._to_script_run_config()


def test_each_kind_says_once_that_it_is_deprecated(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(abstract_run_config_element, "_told", set())
    with caplog.at_level(logging.WARNING, "azureml"):
        for _ in range(2):
            Estimator(".", compute_target="local")
        SKLearn(".", compute_target="local", framework_version="0.24")

    assert [record.message.partition(" ")[0] for record in caplog.records] == ["Estimator:", "SKLearn", "SKLearn:"]
    assert "the run uses the version that is installed" in caplog.records[1].message


def test_the_run_configuration_of_an_estimator_can_be_made_alone() -> None:
    config = MMLBaseEstimatorRunConfig(CLUSTER, entry_script="train.py", pip_packages=["numpy"])

    assert (config.target, config.script) == ("cpu", "train.py")
    with pytest.raises(TrainingException):
        MMLBaseEstimatorRunConfig(CLUSTER, node_count=2)
