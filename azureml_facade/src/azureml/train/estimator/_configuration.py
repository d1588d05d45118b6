"""From what an estimator was given to a run configuration, with the rules that hold between its arguments."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from azureml._base_sdk_common.abstract_run_config_element import tell_once
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.environment import DEFAULT_CPU_IMAGE, DEFAULT_GPU_IMAGE, Environment, requirement_lines
from azureml.core.runconfig import (
    MpiConfiguration,
    PyTorchConfiguration,
    RunConfiguration,
    TensorflowConfiguration,
)
from azureml.exceptions import TrainingException, UserErrorException
from azureml.train._distributed_training import Gloo, Mpi, Nccl, _DistributedTraining, back_end_of

_logger = logging.getLogger("azureml.train.estimator")

RUN_BASED_TARGET = "amlcompute"
_PYTHON_VERSION = "3.6.2"
_CLUSTER_TYPES = ("amlcompute", "cmaks", "kubernetes", "batchai")


def configure(config: RunConfiguration, kind: str, settings: Mapping[str, Any], packages: list[str]) -> None:
    """Set ``config`` from an estimator's arguments; ``packages`` are those of its framework.

    TrainingException when the arguments do not go together.
    """
    given = _with_older_names(settings)
    _check(given)
    config.script = given.get("entry_script")
    config.arguments = flattened(given.get("script_params"))
    _set_target(config, given)
    _set_distribution(config, kind, given)
    config.environment = given.get("environment_definition") or _environment(kind, given, packages)
    add_inputs(config, given.get("inputs"))
    set_source_store(config, given.get("source_directory_data_store"))
    config.max_run_duration_seconds = given.get("max_run_duration_seconds")
    if config.docker is not None:
        config.docker.use_docker = bool(given.get("use_docker", True))
        if given.get("shm_size"):
            config.docker.shm_size = given["shm_size"]


def flattened(script_params: Mapping[str, Any] | None) -> list[Any]:
    """The arguments of ``script_params``: '' gives a bare flag, a list is spread, None drops the value."""
    if script_params is None:
        return []
    if not isinstance(script_params, Mapping):
        raise TrainingException(f"script_params is a dict of names and values, got {script_params!r}")
    arguments: list[Any] = []
    for name, value in script_params.items():
        arguments.append(name)
        if isinstance(value, list):
            arguments += value
        elif value is not None and not (isinstance(value, str) and value == ""):
            arguments.append(value)
    return arguments


def add_inputs(config: RunConfiguration, inputs: Any) -> None:
    """Put data references and datasets' consumption configurations into ``config`` under their names."""
    for one in inputs or []:
        if hasattr(one, "_to_input"):
            config.data[one.name] = one
        elif hasattr(one, "_to_reference"):
            config.data_references[one._to_reference()["name"]] = one
        else:
            raise TrainingException(
                f"inputs holds DataReference and DatasetConsumptionConfig objects, got {one!r}; "
                "dataset.as_named_input('name') makes one"
            )


def set_source_store(config: RunConfiguration, datastore: Any) -> None:
    """Note the datastore that the source folder would be mounted from; snapshots do that here."""
    if datastore is not None:
        config.source_directory_data_store = datastore if isinstance(datastore, str) else datastore.name


def project_file(source_directory: Any, name: Any) -> Path:
    """A file that an estimator names: relative to the source folder, else to the working directory."""
    for path in (Path(source_directory or ".") / name, Path(name)):
        if path.is_file():
            return path
    raise TrainingException(f"there is no file {name} in {source_directory or '.'}, nor in the working directory")


def _with_older_names(settings: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(settings)
    for name, older in (
        ("conda_dependencies_file", "conda_dependencies_file_path"),
        ("pip_requirements_file", "pip_requirements_file_path"),
        ("custom_docker_image", "custom_docker_base_image"),
    ):
        if given.get(older) is not None:
            tell_once(_logger, f"{older} is the older name of {name}")
            given[name] = given.get(name) or given[older]
    if given.get("distributed_training") is None and given.get("distributed_backend"):
        given["distributed_training"] = given["distributed_backend"]
    given["node_count"] = 1 if given.get("node_count") is None else given["node_count"]
    given["process_count_per_node"] = (
        1 if given.get("process_count_per_node") is None else given["process_count_per_node"]
    )
    return given


def _check(given: dict[str, Any]) -> None:
    if given.get("compute_target") is None and given.get("vm_size") is None:
        raise TrainingException("an estimator needs a compute_target, or a vm_size")
    for name in ("node_count", "process_count_per_node"):
        count = given[name]
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise TrainingException(f"{name} is a whole number of 1 or more, got {count!r}")
    if (given["node_count"] > 1 or given["process_count_per_node"] > 1) and not given.get("distributed_training"):
        raise TrainingException("several nodes or processes need a back end; give distributed_training, such as Mpi()")
    if given["node_count"] > 1 and not _is_cluster(given.get("compute_target")):
        raise TrainingException("node_count above 1 needs a cluster, and the compute target is none")
    _exclude(given, "environment_definition", _PACKAGES, _IMAGE, ("use_gpu", "shm_size", "environment_variables"))
    _exclude(given, "conda_dependencies_file", ("conda_packages", "pip_packages"))
    if given.get("user_managed"):
        _exclude(given, "user_managed", _PACKAGES)
    if given.get("use_docker") is False and given.get("custom_docker_image"):
        raise TrainingException("use_docker=False and custom_docker_image exclude each other")


_PACKAGES = ("conda_packages", "pip_packages", "conda_dependencies_file", "pip_requirements_file")
_IMAGE = ("custom_docker_image", "image_registry_details")


def _exclude(given: dict[str, Any], name: str, *others: tuple[str, ...]) -> None:
    if given.get(name):
        for other in (other for group in others for other in group):
            if given.get(other):
                raise TrainingException(f"{name} and {other} exclude each other")


def _is_cluster(target: Any) -> bool:
    if target is None or isinstance(target, str):
        return target != "local"
    return str(getattr(target, "type", "AmlCompute")).lower() in _CLUSTER_TYPES


def _set_target(config: RunConfiguration, given: dict[str, Any]) -> None:
    if given.get("compute_target") is not None:
        try:
            config.target = given["compute_target"]
        except UserErrorException as error:
            raise TrainingException(error.message) from None
        return
    tell_once(_logger, "vm_size without a compute_target makes a cluster for this size; name one with compute_target")
    config.target = RUN_BASED_TARGET
    config.amlcompute.vm_size = given["vm_size"]
    config.amlcompute.vm_priority = given.get("vm_priority")
    config.amlcompute._cluster_max_node_count = given["node_count"]


def _set_distribution(config: RunConfiguration, kind: str, given: dict[str, Any]) -> None:
    back_end = given.get("distributed_training")
    config.node_count = given["node_count"]
    is_named = isinstance(back_end, str)
    if not back_end:
        return
    if is_named:
        back_end = back_end_of(back_end)
    if isinstance(back_end, _DistributedTraining):
        back_end.validate(kind)
    if isinstance(back_end, TensorflowConfiguration):
        config.framework, config.communicator = "TensorFlow", "ParameterServer"
        config.tensorflow = back_end
        if is_named:
            back_end.worker_count = given.get("worker_count") or 1
            back_end.parameter_server_count = given.get("parameter_server_count") or 1
        config.node_count = max(given["node_count"], back_end.worker_count)
    elif isinstance(back_end, MpiConfiguration):
        # The class and the word "mpi" were told differently by the original.
        by_class = isinstance(back_end, Mpi) and not is_named
        config.framework, config.communicator = ("python", "Mpi") if by_class else ("Python", "IntelMpi")
        config.mpi = MpiConfiguration(
            process_count_per_node=max(back_end.process_count_per_node, given["process_count_per_node"]),
            node_count=given["node_count"],
        )
    elif isinstance(back_end, (Gloo, Nccl)):
        config.framework, config.communicator = "PyTorch", type(back_end).__name__
        config.pytorch = PyTorchConfiguration(
            type(back_end).__name__, given["node_count"] * given["process_count_per_node"], given["node_count"]
        )
    elif isinstance(back_end, PyTorchConfiguration):
        config._use_distribution(back_end)
    else:
        raise TrainingException(
            f"distributed_training is Mpi, ParameterServer, Gloo or Nccl of azureml.train.estimator, got {back_end!r}"
        )


def _environment(kind: str, given: dict[str, Any], packages: list[str]) -> Environment:
    environment = Environment("estimator" if kind == "Estimator" else f"{kind.lower()}-estimator")
    environment.python.user_managed_dependencies = bool(given.get("user_managed"))
    environment.python.conda_dependencies = _dependencies(given, packages)
    environment.docker.enabled = bool(given.get("use_docker", True))
    default_image = DEFAULT_GPU_IMAGE if given.get("use_gpu") else DEFAULT_CPU_IMAGE
    environment.docker.base_image = given.get("custom_docker_image") or default_image
    if given.get("image_registry_details") is not None:
        environment.docker.base_image_registry = given["image_registry_details"]
    if given.get("shm_size"):
        environment.docker.shm_size = given["shm_size"]
    variables = given.get("environment_variables") or {}
    environment.environment_variables = {**environment.environment_variables, **variables}
    if kind == "PyTorch":
        environment.environment_variables.setdefault("NCCL_TREE_THRESHOLD", "0")
    return environment


def _dependencies(given: dict[str, Any], packages: list[str]) -> CondaDependencies:
    source = given.get("source_directory")
    if given.get("conda_dependencies_file"):
        dependencies = CondaDependencies(project_file(source, given["conda_dependencies_file"]))
        packages = []
    else:
        dependencies = CondaDependencies.create(python_version=_PYTHON_VERSION)
    if given.get("pip_requirements_file"):
        packages = packages + requirement_lines(project_file(source, given["pip_requirements_file"]))
    for package in [*packages, *_listed(given.get("pip_packages"))]:
        dependencies.add_pip_package(package)
    for package in _listed(given.get("conda_packages")):
        dependencies.add_conda_package(package)
    return dependencies


def _listed(packages: Any) -> list[str]:
    if packages is None:
        return []
    return [packages] if isinstance(packages, str) else list(packages)
