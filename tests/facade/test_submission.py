"""From a configuration to a run in the workspace: arguments, data, targets, properties, notes, refusals."""

from __future__ import annotations

import logging
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from azureml._git import git_properties, without_credentials
from azureml._installed_packages import notes_on_packages
from azureml._submission import Prepared, new_run_id, prepare
from azureml.core import Environment, Experiment, RunConfiguration, ScriptRunConfig, Workspace
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.runconfig import (
    DataReferenceConfiguration,
    MpiConfiguration,
    OutputData,
    ParallelTaskConfiguration,
    PyTorchConfiguration,
    TensorflowConfiguration,
)
from azureml.exceptions import (
    ExperimentExecutionException,
    SnapshotException,
    TrainingException,
    UserErrorException,
)
from azureml.train.dnn import PyTorch
from azureml.train.estimator import Estimator, Mpi, Nccl

KEYS = [
    "script",
    "command",
    "useAbsolutePath",
    "arguments",
    "sourceDirectoryDataStore",
    "framework",
    "communicator",
    "target",
    "dataReferences",
    "data",
    "outputData",
    "datacaches",
    "jobName",
    "maxRunDurationSeconds",
    "nodeCount",
    "priority",
    "credentialPassthrough",
    "identity",
    "environment",
    "history",
    "spark",
    "parallelTask",
    "amlCompute",
    "aiSuperComputer",
    "tensorflow",
    "mpi",
    "pyTorch",
    "hdi",
    "containerInstance",
    "exposedPorts",
    "docker",
    "cmk8sCompute",
    "commandReturnCodeConfig",
    "environmentVariables",
    "applicationEndpoints",
]


class Input:
    """As a DatasetConsumptionConfig looks from here."""

    name = "train"

    def __init__(self, dataset_id: str = "d1") -> None:
        self.dataset_id = dataset_id

    def _to_input(self, workspace: Any = None) -> dict[str, Any]:
        dataset = {"id": self.dataset_id, "name": "wine", "version": 1, "type": "file"}
        return {"name": "train", "mode": "mount", "dataset": dataset, "path_on_compute": None}


class Output:
    """As an OutputFileDatasetConfig looks from here."""

    def _to_output(self) -> dict[str, Any]:
        return {"name": "made", "mode": "upload"}


class Reference:
    """As a DataReference looks from here."""

    def _to_reference(self) -> dict[str, Any]:
        return {"name": "raw", "datastore": "store", "path": "a", "mode": "mount", "path_on_compute": None}


@pytest.fixture
def workspace(ws: Workspace) -> Workspace:
    return ws


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "code").mkdir(parents=True)
    (folder / "train.py").write_text("print('hello')\n")
    (folder / "code/deep.py").write_text("print('deep')\n")
    return folder


def prepared(workspace: Workspace, source: Path, **arguments: Any) -> Prepared:
    return prepare(ScriptRunConfig(source, **{"script": "train.py", **arguments}), workspace, "exp")


def annotations(of: Prepared) -> dict[str, Any]:
    found: dict[str, Any] = dict(of.script.annotations)["azureml"]  # type: ignore[assignment]
    return found


def test_a_submitted_script_is_a_run_with_its_own_id(workspace: Workspace, source: Path) -> None:
    experiment = Experiment(workspace, "exp")
    config = ScriptRunConfig(source, script="train.py", arguments=["--alpha", 0.10, "--n", 1.0, True])
    run = experiment.submit(config, tags={"team": "red", "number": 5}, show_output=True)

    assert re.fullmatch(r"exp_\d{10}_[0-9a-f]{8}", run.id)
    view = workspace._sdk.run(run.id).view
    assert view.target == "local"
    assert view.script is not None
    assert (view.script.script, view.script.arguments) == ("train.py", ["--alpha", "0.1", "--n", "1.0", "True"])
    assert view.script.interpreter_arguments == ["-m", "azureml._node"]
    assert view.script.needs_workspace_access is True
    assert view.script.max_run_seconds == 2592000
    assert view.tags == {"team": "red", "number": "5"}


def test_a_run_configuration_and_an_estimator_can_be_submitted(
    workspace: Workspace, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(source)
    experiment = Experiment(workspace, "exp")
    first = experiment.submit(RunConfiguration(script="train.py", arguments=["a"]))
    estimator = Estimator(source, compute_target="local", entry_script="code/deep.py", script_params={"--a": 1})
    second = experiment.submit(estimator, script_params={"--a": 2})

    views = [workspace._sdk.run(run.id).view.script for run in (first, second)]
    assert [(view.script, view.arguments) for view in views if view] == [
        ("train.py", ["a"]),
        ("code/deep.py", ["--a", "2"]),
    ]


def test_a_plain_text_is_one_argument(workspace: Workspace, source: Path) -> None:
    assert prepared(workspace, source, arguments="--alpha 0.1").script.arguments == ("--alpha 0.1",)


def test_data_among_arguments_become_placeholders(workspace: Workspace, source: Path) -> None:
    ready = prepared(workspace, source, arguments=["--in", Input(), "--out", Output(), "--raw", Reference()])

    assert ready.script.arguments == (
        "--in",
        "DatasetConsumptionConfig:train",
        "--out",
        "DatasetOutputConfig:made",
        "--raw",
        "$AZUREML_DATAREFERENCE_raw",
    )
    assert [one["name"] for one in ready.inputs] == ["train"]
    assert [annotations(ready)[key][0]["name"] for key in ("inputs", "outputs", "references")] == [
        "train",
        "made",
        "raw",
    ]
    definition = ready.run_definition
    assert definition["data"]["train"]["dataLocation"]["dataset"] == {"id": "d1", "name": "wine", "version": 1}
    assert definition["dataReferences"]["raw"]["dataStoreName"] == "store"


def test_data_may_stand_in_the_run_configuration(workspace: Workspace, source: Path) -> None:
    config = RunConfiguration(script="train.py")
    config.data = {"mine": Input()}
    config.data_references = {"ref": DataReferenceConfiguration("store", path_on_datastore="x")}
    config.output_data = {"out": Output()}
    ready = prepare(ScriptRunConfig(source, run_config=config), workspace, "exp")

    assert [one["name"] for one in ready.inputs] == ["mine"]
    assert annotations(ready)["references"] == [
        {
            "datastore": "store",
            "path": "x",
            "mode": "mount",
            "path_on_compute": None,
            "overwrite": False,
            "name": "ref",
        }
    ]
    assert annotations(ready)["outputs"][0]["name"] == "out"
    config.output_data = {"out": OutputData()}
    with pytest.raises(UserErrorException, match="OutputFileDatasetConfig"):
        prepare(ScriptRunConfig(source, run_config=config), workspace, "exp")


def test_one_name_is_one_thing(workspace: Workspace, source: Path) -> None:
    ready = prepared(workspace, source, arguments=[Input(), Input()])
    assert len(ready.inputs) == 1
    with pytest.raises(UserErrorException, match="two different things are given as the input 'train'"):
        prepared(workspace, source, arguments=[Input(), Input("d2")])


def test_a_command_is_a_line_for_a_shell(workspace: Workspace, source: Path) -> None:
    listed = prepared(workspace, source, script=None, command=["python train.py", "--n", 1, Input()])
    text = prepared(workspace, source, script=None, command="echo 'a b' && ls")

    assert listed.script.command == (
        "python -m azureml._node --shell 'python train.py --n 1 DatasetConsumptionConfig:train'"
    )
    assert text.script.command == """python -m azureml._node --shell 'echo '"'"'a b'"'"' && ls'"""
    assert text.script.script is None
    assert text.run_definition["command"] == "echo 'a b' && ls"


def test_a_sweep_puts_its_parameters_behind_a_command(workspace: Workspace, source: Path) -> None:
    config = ScriptRunConfig(source, command="python train.py")
    script = prepare(config, workspace, "exp", tuned=["lr", "--size"]).script

    script.check_placeholders(["lr", "--size"])
    assert script.command == (
        "python -m azureml._node --shell 'python train.py'' --lr '${{search_space.lr}}' --size '${{search_space.--size}}"
    )


def test_the_run_definition_has_the_keys_of_the_service(workspace: Workspace, source: Path) -> None:
    environment = Environment("mine")
    environment.docker.base_image_registry.password = "secret"
    definition = prepared(workspace, source, arguments=["--a", 1], environment=environment).run_definition

    assert list(definition) == KEYS
    assert (definition["script"], definition["arguments"], definition["target"]) == ("train.py", ["--a", "1"], "local")
    assert definition["environment"]["name"] == "mine"
    assert re.fullmatch(r"Autosave_\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ_[0-9a-f]{8}", definition["environment"]["version"])
    assert "secret" not in str(definition)


def test_variables_of_the_run_win_over_those_of_the_environment(workspace: Workspace, source: Path) -> None:
    environment = Environment("mine")
    environment.environment_variables = {"A": "1", "B": 2}  # type: ignore[dict-item]
    config = ScriptRunConfig(source, script="train.py", environment=environment)
    config.run_config.environment_variables = {"A": "3", "AZUREML_FACADE_COMPAT": "off"}
    ready = prepare(config, workspace, "exp")

    assert ready.script.environment_variables == {"A": "3", "B": "2", "AZUREML_FACADE_COMPAT": "off"}
    assert annotations(ready)["compat"] is False
    assert annotations(prepared(workspace, source))["compat"] is True


def test_the_workspace_travels_with_the_run(workspace: Workspace, source: Path) -> None:
    assert annotations(prepared(workspace, source))["workspace"] == {
        "subscription_id": "sub-1",
        "resource_group": "group-1",
        "name": "old-workspace",
    }


def test_a_cluster_is_named_and_must_be_there(workspace: Workspace, source: Path) -> None:
    workspace._sdk.clusters.create("cpu", size="STANDARD_D3_V2", max_nodes=1)
    assert prepared(workspace, source, compute_target="cpu").target == "cpu"
    with pytest.raises(ExperimentExecutionException, match="gpu"):
        Experiment(workspace, "exp").submit(ScriptRunConfig(source, "train.py", compute_target="gpu"))


def test_a_size_alone_makes_a_cluster_once(
    workspace: Workspace, source: Path, caplog: pytest.LogCaptureFixture
) -> None:
    estimator = Estimator(source, vm_size="Standard_D2_V2", entry_script="train.py")
    with caplog.at_level(logging.WARNING, "azureml.core.experiment"):
        targets = [prepare(estimator, workspace, "exp", concurrent_runs=3).target for _ in range(2)]

    assert targets == ["vm-d2-v2", "vm-d2-v2"]
    assert workspace._sdk.clusters.get("vm-d2-v2").max_nodes == 1
    assert len([record for record in caplog.records if "vm-d2-v2" in record.message]) == 1
    with pytest.raises(UserErrorException, match="vm_size"):
        prepared(workspace, source, compute_target="amlcompute")


def test_the_script_must_lie_in_the_source(workspace: Workspace, source: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("")
    assert prepared(workspace, source, script=str(source / "code/deep.py")).script.script == "code/deep.py"
    assert prepared(workspace, source, script=r"code\deep.py").script.script == "code/deep.py"
    assert prepared(workspace, source, script="./train.py").script.script == "train.py"
    with pytest.raises(
        UserErrorException, match=r"no script none\.py in the source_directory .* which holds train\.py"
    ):
        prepared(workspace, source, script="none.py")
    with pytest.raises(UserErrorException, match="must lie in the source_directory"):
        prepared(workspace, source, script="../outside.py")
    with pytest.raises(UserErrorException, match="must be a folder"):
        prepared(workspace, source / "none")
    with pytest.raises(TrainingException, match=r"no script none\.py"):
        prepare(Estimator(source, compute_target="local", entry_script="none.py"), workspace, "exp")


def test_what_cannot_run_here_is_refused_in_one_sentence(workspace: Workspace, source: Path) -> None:
    config = RunConfiguration(script="train.py")
    config.node_count = 2
    spark = RunConfiguration(script="train.py", framework="PySpark")
    for wrong, sentence in (
        (ScriptRunConfig(source, run_config=config), "several nodes for one run are not supported yet"),
        (ScriptRunConfig(source, run_config=spark), "there is no Spark"),
        (ScriptRunConfig(source, "x.ipynb"), "notebooks are not run as scripts"),
        (ScriptRunConfig(source, "train.py", distributed_job_config=MpiConfiguration(2, 2)), "several nodes"),
        (
            ScriptRunConfig(source, "train.py", distributed_job_config=PyTorchConfiguration("Gloo", 4, 2)),
            "several nodes",
        ),
        (
            ScriptRunConfig(
                source, "train.py", distributed_job_config=ParallelTaskConfiguration(worker_count_per_node=2)
            ),
            "work in tasks runs in one process",
        ),
        (
            ScriptRunConfig(source, "train.py", distributed_job_config=TensorflowConfiguration(worker_count=2)),
            "several nodes",
        ),
    ):
        with pytest.raises(UserErrorException, match=sentence):
            prepare(wrong, workspace, "exp")


def test_a_distribution_over_one_process_is_a_plain_run(workspace: Workspace, source: Path) -> None:
    estimator = PyTorch(
        source, compute_target="local", entry_script="train.py", distributed_backend="nccl", node_count=1
    )

    assert annotations(prepare(estimator, workspace, "exp"))["notes"][-1] == (
        "The run is one process on one node, so Nccl is not started."
    )


def test_several_processes_on_one_node_are_asked_of_the_node(workspace: Workspace, source: Path) -> None:
    def distributed(config: Any) -> ScriptRunConfig:
        return ScriptRunConfig(source, "train.py", distributed_job_config=config)

    def estimator(**distribution: Any) -> PyTorch:
        return PyTorch(source, compute_target="local", entry_script="train.py", **distribution)

    for config, count, note in (
        (distributed(PyTorchConfiguration("Gloo", process_count=4)), 4, "in RANK, and"),
        (distributed(MpiConfiguration(process_count_per_node=2)), 2, "MPI itself is not started"),
        (estimator(distributed_training=Mpi(2)), 2, "MPI itself is not started"),
        (estimator(distributed_backend="mpi", process_count_per_node=3), 3, "MPI itself is not started"),
        (estimator(distributed_training=Nccl(), process_count_per_node=2), 2, "in RANK, and"),
        (distributed(TensorflowConfiguration(1, 2)), 1, "one process on one node"),
        (distributed(PyTorchConfiguration()), 1, "one process on one node"),
    ):
        told = annotations(prepare(config, workspace, "exp"))
        assert told["process_count"] == count
        assert note in told["notes"][-1]


def test_other_things_cannot_be_submitted(workspace: Workspace) -> None:
    class Pipeline:
        def _refuse_submit(self) -> None:
            raise UserErrorException("pipelines are not supported yet")

    with pytest.raises(UserErrorException, match=r"can be submitted, got 'train\.py'"):
        Experiment(workspace, "exp").submit("train.py")
    with pytest.raises(UserErrorException, match="pipelines are not supported yet"):
        Experiment(workspace, "exp").submit(Pipeline())


def test_a_source_that_is_too_large_is_a_snapshot_exception(
    workspace: Workspace, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUBLIGHT_SNAPSHOT_LIMIT_FILES", "1")
    with pytest.raises(SnapshotException, match="the limit is 1"):
        Experiment(workspace, "exp").submit(ScriptRunConfig(source, "train.py"))


def test_ids_fit_whatever_the_experiment_is_called() -> None:
    assert len(new_run_id("x" * 200)) == 56
    assert re.fullmatch(r"a-b_\d{10}_[0-9a-f]{8}", new_run_id("_a b"))


def test_the_log_names_packages_that_are_missing_or_of_another_version(workspace: Workspace, source: Path) -> None:
    environment = Environment("mine")
    environment.python.conda_dependencies = CondaDependencies.create(
        pip_packages=["azureml-sdk", "surely-not-there==1"]
    )
    ready = prepared(workspace, source, environment=environment)

    assert ready.warnings == annotations(ready)["notes"][1:]
    assert annotations(ready)["notes"] == [
        "This run uses the Python that is there (environment 'current'); the environment 'mine' is not built.",
        "The environment asks for packages that are not installed here: surely-not-there; install them beside Sublight "
        "(pip install) if the script needs them.",
    ]


def test_packages_are_compared_by_the_names_they_are_installed_under() -> None:
    installed = {"scikit-learn": "1.4.2", "torch": "2.3.0+cpu", "numpy": "1.26.4", "pandas": "2.0.1"}.get
    wanted = ["python=3.6", "cudatoolkit", "sklearn", "pytorch=2.3", "numpy==1.18", "pandas>=1", "opencv", "-e ."]

    assert notes_on_packages(wanted, installed) == [
        "The environment asks for packages that are not installed here: opencv-python; install them beside Sublight "
        "(pip install) if the script needs them.",
        "Other versions are installed than the environment asks for: numpy 1.26.4 instead of 1.18.",
    ]


def test_the_commit_of_a_repository_is_told_without_credentials(
    workspace: Workspace, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert prepared(workspace, source).properties == {}
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
    for command in (
        ["init", "-q", "-b", "main"],
        ["remote", "add", "origin", "https://alice:secret@example.com/team/code.git"],
        ["add", "."],
        [*identity, "commit", "-q", "-m", "first"],
    ):
        subprocess.run(["git", *command], cwd=source, check=True)
    monkeypatch.setenv("BUILD_BUILDID", "7")
    properties = git_properties(source)

    assert re.fullmatch("[0-9a-f]{40}", properties.pop("azureml.git.commit"))
    assert re.fullmatch("[0-9a-f]{40}", properties.pop("mlflow.source.git.commit"))
    assert properties == {
        "azureml.git.repository_uri": "https://example.com/team/code.git",
        "mlflow.source.git.repoURL": "https://example.com/team/code.git",
        "azureml.git.branch": "main",
        "mlflow.source.git.branch": "main",
        "azureml.git.dirty": "False",
        "azureml.git.build_id": "7",
    }
    (source / "train.py").write_text("changed")
    assert git_properties(source / "code")["azureml.git.dirty"] == "False"
    assert git_properties(source)["azureml.git.dirty"] == "True"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://token@example.com/x.git", "https://example.com/x.git"),
        ("git@example.com:team/x.git", "git@example.com:team/x.git"),
        ("ssh://git:pw@example.com:22/x.git", "ssh://example.com:22/x.git"),
    ],
)
def test_addresses_lose_their_credentials(address: str, shown: str) -> None:
    assert without_credentials(address) == shown
