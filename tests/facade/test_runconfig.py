"""Run configurations and their files."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from types import SimpleNamespace

import pytest

from azureml.core import runconfig
from azureml.core.runconfig import (
    CondaDependencies,
    Data,
    DataReferenceConfiguration,
    DockerConfiguration,
    MpiConfiguration,
    PyTorchConfiguration,
    RunConfiguration,
    TensorflowConfiguration,
)
from azureml.exceptions import RunConfigurationException, UserErrorException

KEYS = [
    "script",
    "arguments",
    "target",
    "framework",
    "communicator",
    "maxRunDurationSeconds",
    "nodeCount",
    "priority",
    "environment",
    "history",
    "spark",
    "docker",
    "hdi",
    "tensorflow",
    "mpi",
    "pytorch",
    "paralleltask",
    "dataReferences",
    "data",
    "datacaches",
    "outputData",
    "sourceDirectoryDataStore",
    "amlcompute",
    "autoClusterComputeSpecification",
    "kubernetescompute",
    "credentialPassthrough",
    "command",
    "environmentVariables",
    "applicationEndpoints",
]


def test_a_new_configuration_runs_a_script_locally() -> None:
    config = RunConfiguration()

    assert (config.target, config.framework, config.communicator) == ("local", "Python", "None")
    assert (config.script, config.arguments, config.node_count) == ("train.py", [], 1)
    assert config.environment.name == "default-environment"
    assert config.environment.python.interpreter_path == "python"


def test_framework_and_communicator_are_known_whatever_their_case() -> None:
    config = RunConfiguration(
        framework="pyspark", communicator="intelmpi", conda_dependencies=CondaDependencies.create()
    )

    assert (config.framework, config.communicator) == ("PySpark", "IntelMpi")
    assert config.environment.python.conda_dependencies == CondaDependencies.create()


def test_the_target_is_a_name_or_has_one() -> None:
    config = RunConfiguration()
    config.target = SimpleNamespace(name="cpu-cluster")
    assert config.target == "cpu-cluster"
    config.target = None
    assert config.target == "local"
    with pytest.raises(UserErrorException, match="ComputeTarget or its name"):
        config.target = 5


def test_a_saved_file_has_the_keys_in_their_order_and_makes_its_folder(tmp_path: Path) -> None:
    RunConfiguration().save(tmp_path, "mine")

    text = (tmp_path / ".azureml/mine").read_text()
    assert [line.partition(":")[0] for line in text.splitlines() if line[:1].isalpha()] == KEYS
    assert (tmp_path / ".azureml/conda_dependencies.yml").is_file()
    assert "null" not in text


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    config = RunConfiguration(arguments=["--alpha", 0.1])
    config.target = "cpu"
    config.environment.docker.base_dockerfile = "FROM scratch\nRUN true\n"
    config.environment.python.conda_dependencies = CondaDependencies.create(pip_packages=["numpy"])
    config.environment_variables = {"A": "1"}
    config.data_references = {"data": DataReferenceConfiguration("store", "download", "a/b")}
    config.data = {"d": Data.create({"mechanism": "mount", "dataLocation": {"dataset": {"datasetId": "x"}}})}
    config.mpi.process_count_per_node = 2
    config.amlcompute.vm_size = "Standard_NC6"
    config.save(tmp_path, "mine")

    loaded = RunConfiguration.load(tmp_path, "mine")
    assert loaded.arguments == ["--alpha", 0.1]
    assert loaded.target == "cpu"
    assert loaded.environment.docker.base_dockerfile == "FROM scratch\nRUN true\n"
    assert loaded.environment.docker.base_image is None
    assert loaded.environment.python.conda_dependencies is not None
    assert loaded.environment.python.conda_dependencies.pip_packages == ["numpy"]
    assert loaded.environment_variables == {"A": "1"}
    assert loaded.data_references["data"].path_on_datastore == "a/b"
    assert loaded.data["d"].data_location.dataset.dataset_id == "x"
    assert loaded.mpi.process_count_per_node == 2
    assert loaded.amlcompute.vm_size == "Standard_NC6"


def test_comments_and_unknown_keys_survive_a_round_trip(tmp_path: Path) -> None:
    RunConfiguration().save(tmp_path, "mine")
    file = tmp_path / ".azureml/mine"
    file.write_text("# ours\n" + file.read_text().replace("nodeCount: 1\n", "nodeCount: 1  # one\nourKey: kept\n", 1))

    config = RunConfiguration.load(tmp_path, "mine")
    config.target = "cpu"
    config.environment_variables = {"A": "1"}
    config.save()

    text = file.read_text()
    assert text.startswith("# ours\n")
    assert "nodeCount: 1  # one\n" in text
    assert "ourKey: kept\n" in text
    assert "target: cpu\n" in text
    assert RunConfiguration.load(file).environment_variables == {"A": "1"}


def test_old_files_in_title_case_and_json_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "aml_config"
    folder.mkdir()
    (folder / "conda_dependencies.yml").write_text("dependencies:\n- pip:\n  - pandas\n")
    (folder / "old.runconfig").write_text(
        "Script: score.py\nTarget: docker\nFramework: Python\n"
        "Environment:\n  Python:\n    UserManagedDependencies: true\n"
        "    CondaDependenciesFile: aml_config/conda_dependencies.yml\n  Docker:\n    Enabled: true\n"
    )
    (tmp_path / "new.json").write_text(
        json.dumps({"script": "go.py", "nodeCount": 1, "tensorflow": {"workerCount": 3}})
    )

    old = RunConfiguration.load(tmp_path, "old")
    assert (old.script, old.target) == ("score.py", "docker")
    assert old.environment.python.user_managed_dependencies is True
    assert old.environment.docker.enabled is True
    assert old.environment.python.conda_dependencies is not None
    assert old.environment.python.conda_dependencies.pip_packages == ["pandas"]
    new = RunConfiguration.load(tmp_path / "new.json")
    assert (new.script, new.tensorflow.worker_count) == ("go.py", 3)


def test_an_existing_old_folder_is_used_and_delete_removes_the_file(tmp_path: Path) -> None:
    (tmp_path / "aml_config").mkdir()
    RunConfiguration().save(tmp_path, "mine")

    assert (tmp_path / "aml_config/mine").is_file()
    RunConfiguration.delete(tmp_path, "mine")
    with pytest.raises(UserErrorException, match="there is no run configuration 'mine'"):
        RunConfiguration.load(tmp_path, "mine")


def test_the_environment_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    config = RunConfiguration()
    config.environment.docker.base_image = "ours:1"
    config.save(tmp_path, "mine", separate_environment_yaml=True)

    assert "environment: environment.yml\n" in (tmp_path / ".azureml/mine").read_text()
    assert RunConfiguration.load(tmp_path, "mine").environment.docker.base_image == "ours:1"


def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.runconfig").write_text("- a\n")
    with pytest.raises(UserErrorException, match="must hold the keys"):
        RunConfiguration.load(tmp_path, "x")
    (tmp_path / "x.runconfig").write_text("a: {\n")
    with pytest.raises(UserErrorException, match="neither YAML nor JSON"):
        RunConfiguration.load(tmp_path, "x")
    with pytest.raises(UserErrorException, match="saved under a name"):
        RunConfiguration().save(tmp_path)


def test_distributions_set_framework_communicator_and_nodes() -> None:
    found = []
    for distribution in (
        MpiConfiguration(process_count_per_node=2, node_count=3),
        PyTorchConfiguration("gloo", 4, node_count=2),
        TensorflowConfiguration(worker_count=5),
        runconfig.ParallelTaskConfiguration(worker_count_per_node=2),
    ):
        config = RunConfiguration()
        config._use_distribution(distribution)
        found.append((config.framework, config.communicator, config.node_count))

    assert found == [
        ("Python", "IntelMpi", 3),
        ("PyTorch", "Gloo", 2),
        ("TensorFlow", "ParameterServer", 5),
        ("Python", "ParallelTask", 1),
    ]
    with pytest.raises(RunConfigurationException, match="Nccl and Gloo"):
        RunConfiguration()._use_distribution(PyTorchConfiguration("mpi"))
    with pytest.raises(RunConfigurationException, match="distributed_job_config is a"):
        RunConfiguration()._use_distribution("mpi")


def test_defaults_that_scripts_read() -> None:
    docker = DockerConfiguration()
    assert (docker.use_docker, docker.shared_volumes, docker.arguments, docker.shm_size) == (False, True, [], "2g")
    docker.arguments.append("x")
    assert DockerConfiguration().arguments == []
    history = runconfig.HistoryConfiguration()
    assert (history.output_collection, history.snapshot_project, history.directories_to_watch) == (True, True, ["logs"])
    with pytest.raises(UserErrorException, match="mode of a data reference"):
        DataReferenceConfiguration(mode="copy")


def test_a_setting_that_no_version_knew_is_kept_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "azureml"):
        RunConfiguration().nod_count = 2
        RunConfiguration().nod_count = 3

    assert [record.message for record in caplog.records] == [
        "RunConfiguration has no setting 'nod_count'; it is kept, and has no effect"
    ]


def test_what_is_read_from_a_file_is_of_pythons_own_types(tmp_path: Path) -> None:
    written = RunConfiguration()
    written.max_run_duration_seconds = 600
    written.save(tmp_path, "mine")

    read = RunConfiguration.load(tmp_path, "mine")

    assert type(read.node_count) is int
    assert type(read.max_run_duration_seconds) is int
    assert type(read.environment.python.user_managed_dependencies) is bool
    assert type(read.environment.docker.shm_size) is str
