"""Run configurations: everything about a run but its source folder, and the sections that they consist of.

Sections for services that are not here (Spark, HDInsight, Kubernetes, the container) are kept, saved and shown; what
becomes of the others is decided by ``azureml._submission``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from azureml import _run_configuration_file
from azureml._base_sdk_common.abstract_run_config_element import Field, _AbstractRunConfigElement, tell_once
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.container_registry import ContainerRegistry, RegistryIdentity
from azureml.core.databricks import DatabricksCluster, DatabricksEnvironment, DatabricksSection
from azureml.core.environment import (
    DEFAULT_CPU_IMAGE,
    DEFAULT_GPU_IMAGE,
    DEFAULT_MMLSPARK_CPU_IMAGE,
    DockerBuildContext,
    DockerEnvironment,
    DockerSection,
    Environment,
    EnvironmentReference,
    PythonEnvironment,
    PythonSection,
    RSection,
    SparkEnvironment,
    SparkPackage,
    SparkSection,
)
from azureml.exceptions import RunConfigurationException, UserErrorException

__all__ = [
    "LOCAL_TARGET",
    "AmlComputeConfiguration",
    "ApplicationEndpointConfiguration",
    "AzureContainerRegistry",
    "CondaDependencies",
    "ContainerRegistry",
    "DEFAULT_CPU_IMAGE",
    "DEFAULT_GPU_IMAGE",
    "DEFAULT_MMLSPARK_CPU_IMAGE",
    "Data",
    "DataLocation",
    "DataPath",
    "DataReferenceConfiguration",
    "DatabricksCluster",
    "DatabricksEnvironment",
    "DatabricksSection",
    "DatacacheConfiguration",
    "Dataset",
    "DatasetRegistrationOptions",
    "DockerBuildContext",
    "DockerConfiguration",
    "DockerEnvironment",
    "DockerSection",
    "Environment",
    "EnvironmentDefinition",
    "EnvironmentReference",
    "GlobsOptions",
    "HdiConfiguration",
    "HistoryConfiguration",
    "KubernetesComputeConfiguration",
    "MountOptions",
    "MpiConfiguration",
    "OutputData",
    "OutputOptions",
    "ParallelTaskConfiguration",
    "PyTorchConfiguration",
    "PythonEnvironment",
    "PythonSection",
    "RSection",
    "RegistrationOptions",
    "RegistryIdentity",
    "RunConfiguration",
    "SparkConfiguration",
    "SparkEnvironment",
    "SparkPackage",
    "SparkSection",
    "TensorflowConfiguration",
    "UploadOptions",
    "Uri",
]

_logger = logging.getLogger("azureml.core.runconfig")

LOCAL_TARGET = "local"
SUPPORTED_DATAREF_MODES = ("mount", "download", "upload")
_FRAMEWORKS = ("Python", "PySpark", "CNTK", "TensorFlow", "PyTorch")
_COMMUNICATORS = ("None", "ParameterServer", "OpenMpi", "IntelMpi", "Mpi", "Nccl", "Gloo", "ParallelTask")
_DEFAULT_SCRIPT = "train.py"


class AzureContainerRegistry(ContainerRegistry):
    """A container registry of Azure."""


class HdiConfiguration(_AbstractRunConfigElement):
    """HDInsight. Kept, without effect."""

    _fields = (Field("yarn_deploy_mode", "yarnDeployMode"),)

    def __init__(self) -> None:
        self.yarn_deploy_mode = "cluster"
        self._initialized = True


class TensorflowConfiguration(_AbstractRunConfigElement):
    """A distributed TensorFlow run: ``worker_count`` workers and ``parameter_server_count`` parameter servers."""

    _fields = (Field("worker_count", "workerCount"), Field("parameter_server_count", "parameterServerCount"))

    def __init__(self, worker_count: int = 1, parameter_server_count: int = 1) -> None:
        self.worker_count = worker_count
        self.parameter_server_count = parameter_server_count
        self._initialized = True


class MpiConfiguration(_AbstractRunConfigElement):
    """An MPI run: ``process_count_per_node`` processes on each of ``node_count`` nodes."""

    _fields = (Field("process_count_per_node", "processCountPerNode"), Field("node_count", "nodeCount"))

    def __init__(self, process_count_per_node: int = 1, node_count: int = 1) -> None:
        self.process_count_per_node = process_count_per_node
        self.node_count = node_count
        self._initialized = True


class PyTorchConfiguration(_AbstractRunConfigElement):
    """A distributed PyTorch run; ``process_count`` is that of all nodes together (None: one a node)."""

    _fields = (
        Field("communication_backend", "communicationBackend"),
        Field("process_count", "processCount"),
        Field("node_count", "nodeCount"),
    )

    def __init__(
        self, communication_backend: str = "Nccl", process_count: int | None = None, node_count: int = 1
    ) -> None:
        self.communication_backend = communication_backend
        self.process_count = process_count
        self.node_count = node_count
        self._initialized = True


class ParallelTaskConfiguration(_AbstractRunConfigElement):
    """Work in tasks: ``worker_count_per_node`` of them at once, each tried ``max_retries_per_worker`` times more."""

    _fields = (
        Field("max_retries_per_worker", "maxRetriesPerWorker"),
        Field("worker_count_per_node", "workerCountPerNode"),
        Field("terminal_exit_codes", "terminalExitCodes"),
    )

    def __init__(
        self,
        max_retries_per_worker: int = 0,
        worker_count_per_node: int = 1,
        terminal_exit_codes: list[int] | None = None,
    ) -> None:
        self.max_retries_per_worker = max_retries_per_worker
        self.worker_count_per_node = worker_count_per_node
        self.terminal_exit_codes = terminal_exit_codes
        self._initialized = True


class ApplicationEndpointConfiguration(_AbstractRunConfigElement):
    """A service beside the run, such as Jupyter or TensorBoard. Kept, without effect."""

    _fields = (Field("type", "type"), Field("port", "port"), Field("properties", "properties"))

    def __init__(
        self, type: str | None = None, port: int | None = None, properties: dict[str, str] | None = None
    ) -> None:
        self.type = type
        self.port = port
        self.properties = properties
        self._initialized = True


class AmlComputeConfiguration(_AbstractRunConfigElement):
    """The cluster that a run with the target ``amlcompute`` asks for by its size."""

    _fields = (
        Field("vm_size", "vmSize"),
        Field("vm_priority", "vmPriority"),
        Field("_retain_cluster", "retainCluster"),
        Field("_name", "name"),
        Field("_cluster_max_node_count", "clusterMaxNodeCount"),
    )

    def __init__(self) -> None:
        self.vm_size: str | None = None
        self.vm_priority: str | None = None
        self._retain_cluster = False
        self._name: str | None = None
        self._cluster_max_node_count: int | None = None
        self._initialized = True


class KubernetesComputeConfiguration(_AbstractRunConfigElement):
    """Kubernetes. Kept, without effect."""

    _fields = (Field("instance_type", "instanceType"),)

    def __init__(self) -> None:
        self.instance_type: str | None = None
        self._initialized = True


class EnvironmentDefinition(Environment):
    """The earlier name of Environment, whose name could be left out."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__("default-environment" if name is None else name)


class SparkConfiguration(_AbstractRunConfigElement):
    """Settings of Spark. Kept, without effect."""

    _fields = (Field("configuration", "configuration"),)

    def __init__(self) -> None:
        self.configuration: dict[str, Any] = {
            "spark.app.name": "Azure ML Experiment",
            "spark.yarn.maxAppAttempts": 1,
        }
        self._initialized = True


class HistoryConfiguration(_AbstractRunConfigElement):
    """What is kept of a run. Outputs, logs and the snapshot are always kept here."""

    _fields = (
        Field("output_collection", "outputCollection"),
        Field("directories_to_watch", "directoriesToWatch"),
        Field("snapshot_project", "snapshotProject"),
    )

    def __init__(self) -> None:
        self.output_collection = True
        self.snapshot_project = True
        self.directories_to_watch = ["logs"]
        self._initialized = True


class DataReferenceConfiguration(_AbstractRunConfigElement):
    """A folder or file of a datastore that a run reads (``mount``, ``download``) or writes (``upload``)."""

    _fields = (
        Field("datastore_name", "dataStoreName"),
        Field("mode", "mode"),
        Field("path_on_datastore", "pathOnDataStore"),
        Field("path_on_compute", "pathOnCompute"),
        Field("overwrite", "overwrite"),
    )

    def __init__(
        self,
        datastore_name: str | None = None,
        mode: str = "mount",
        path_on_datastore: str | None = None,
        path_on_compute: str | None = None,
        overwrite: bool = False,
    ) -> None:
        if str(mode).lower() not in SUPPORTED_DATAREF_MODES:
            raise UserErrorException(f"the mode of a data reference is one of {SUPPORTED_DATAREF_MODES}, got {mode!r}")
        self.datastore_name = datastore_name
        self.mode = str(mode).lower()
        self.path_on_datastore = path_on_datastore
        self.path_on_compute = path_on_compute
        self.overwrite = overwrite
        self._initialized = True


class DockerConfiguration(_AbstractRunConfigElement):
    """Whether the run is put into a container. Kept, without effect: runs use the Python that is there."""

    _fields = (
        Field("use_docker", "useDocker"),
        Field("shared_volumes", "sharedVolumes"),
        Field("arguments", "arguments"),
        Field("shm_size", "shmSize"),
    )

    def __init__(
        self,
        use_docker: bool = False,
        shared_volumes: bool = True,
        arguments: list[str] = [],  # noqa: B006  (the default that the original shows; it is copied)
        shm_size: str = "2g",
    ) -> None:
        self.use_docker = use_docker
        self.shared_volumes = shared_volumes
        self.arguments = list(arguments or [])
        self.shm_size = shm_size
        self._initialized = True


class DataPath(_AbstractRunConfigElement):
    """A place in a datastore."""

    _fields = (Field("datastore_name", "datastoreName"), Field("relative_path", "relativePath"))

    def __init__(self, datastore_name: str | None = None, relative_path: str | None = None) -> None:
        self.datastore_name = datastore_name
        self.relative_path = relative_path
        self._initialized = True


class Dataset(_AbstractRunConfigElement):
    """A dataset by its id, or by name and version."""

    _fields = (
        Field("dataset_id", "datasetId"),
        Field("dataset_name", "datasetName"),
        Field("dataset_version", "datasetVersion"),
    )

    def __init__(
        self, dataset_id: str | None = None, dataset_name: str | None = None, dataset_version: str | None = None
    ) -> None:
        self.dataset_id = dataset_id
        self.dataset_name = dataset_name
        self.dataset_version = dataset_version
        self._initialized = True


class Uri(_AbstractRunConfigElement):
    """An address of data."""

    _fields = (Field("path", "path"), Field("is_file", "isFile"))

    def __init__(self, path: str | None = None, is_file: bool = False) -> None:
        self.path = path
        self.is_file = is_file
        self._initialized = True


class DataLocation(_AbstractRunConfigElement):
    """Where data are: a dataset, a place in a datastore, or an address."""

    _fields = (
        Field("dataset", "dataset", Dataset),
        Field("data_path", "dataPath", DataPath),
        Field("uri", "uri", Uri),
    )

    def __init__(
        self, dataset: Dataset | None = None, data_path: DataPath | None = None, uri: Uri | None = None
    ) -> None:
        self.dataset = dataset
        self.data_path = data_path
        self.uri = uri
        self._initialized = True


class Data(_AbstractRunConfigElement):
    """One input of a run."""

    _fields = (
        Field("data_location", "dataLocation", DataLocation),
        Field("create_output_directories", "createOutputDirectories"),
        Field("mechanism", "mechanism"),
        Field("environment_variable_name", "environmentVariableName"),
        Field("path_on_compute", "pathOnCompute"),
        Field("overwrite", "overwrite"),
        Field("options", "options"),
    )

    def __init__(
        self,
        data_location: DataLocation | None = None,
        create_output_directories: bool | None = None,
        mechanism: str = "direct",
        environment_variable_name: str | None = None,
        path_on_compute: str | None = None,
        overwrite: bool = False,
        options: dict[str, Any] | None = None,
    ) -> None:
        self.data_location = data_location
        self.create_output_directories = bool(create_output_directories)
        self.mechanism = str(mechanism).lower()
        self.environment_variable_name = environment_variable_name
        self.path_on_compute = path_on_compute
        self.overwrite = overwrite
        self.options = options
        self._initialized = True

    @staticmethod
    def create(data: Any) -> Data:
        """The Data of a DatasetConsumptionConfig, of a mapping with its keys, or itself."""
        if isinstance(data, Data):
            return data
        if isinstance(data, Mapping):
            return Data._from_dict(data)
        if hasattr(data, "_to_input"):
            given = data._to_input()
            dataset = given.get("dataset") or {}
            version = dataset.get("version")
            location = Dataset(dataset.get("id"), dataset.get("name"), None if version is None else str(version))
            return Data(
                DataLocation(dataset=location),
                mechanism=given.get("mode") or "direct",
                environment_variable_name=given.get("name"),
                path_on_compute=given.get("path_on_compute"),
            )
        raise UserErrorException(f"an input of a run is a DatasetConsumptionConfig or a Data, got {data!r}")


class DatacacheConfiguration(_AbstractRunConfigElement):
    """A cache of data. Kept, without effect: what a node has fetched it keeps anyway."""

    _fields = (
        Field("dataset_id", "datasetId"),
        Field("datacache_store", "datacacheStore"),
        Field("datacache_id", "datacacheId"),
        Field("mode", "mode"),
        Field("path_on_compute", "pathOnCompute"),
        Field("replica", "replica"),
        Field("failure_fallback", "failureFallback"),
    )

    def __init__(
        self,
        dataset_id: str | None = None,
        datacache_store: str | None = None,
        datacache_id: str | None = None,
        mode: str = "mount",
        path_on_compute: str | None = None,
        replica: Any = None,
        failure_fallback: bool = False,
    ) -> None:
        self.dataset_id = dataset_id
        self.datacache_store = datacache_store
        self.datacache_id = datacache_id
        self.mode = mode
        self.path_on_compute = path_on_compute
        self.replica = replica
        self.failure_fallback = failure_fallback
        self._initialized = True

    @staticmethod
    def create(data: Any) -> DatacacheConfiguration:
        """The configuration itself, or that of a mapping with its keys."""
        if isinstance(data, DatacacheConfiguration):
            return data
        if isinstance(data, Mapping):
            return DatacacheConfiguration._from_dict(data)
        raise UserErrorException(f"a data cache is described by a DatacacheConfiguration, got {data!r}")


class DatasetRegistrationOptions(_AbstractRunConfigElement):
    """What is done to an output before it is registered."""

    _fields = (Field("additional_transformations", "additionalTransformations"),)

    def __init__(self, additional_transformations: str | None = None) -> None:
        self.additional_transformations = additional_transformations
        self._initialized = True


class RegistrationOptions(_AbstractRunConfigElement):
    """The name under which an output is registered."""

    _fields = (
        Field("name", "name"),
        Field("description", "description"),
        Field("tags", "tags"),
        Field("dataset_registration_options", "datasetRegistrationOptions", DatasetRegistrationOptions),
    )

    def __init__(
        self,
        name: str | None = None,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        dataset_registration_options: DatasetRegistrationOptions | None = None,
    ) -> None:
        self.name = name
        self.description = description
        self.tags = tags
        self.dataset_registration_options = dataset_registration_options
        self._initialized = True


class GlobsOptions(_AbstractRunConfigElement):
    """Patterns of files."""

    _fields = (Field("patterns", "patterns"),)

    def __init__(self, patterns: list[str] | None = None) -> None:
        self.patterns = patterns
        self._initialized = True


class UploadOptions(_AbstractRunConfigElement):
    """How an output is uploaded."""

    _fields = (Field("overwrite", "overwrite"), Field("source_globs", "sourceGlobs", GlobsOptions))

    def __init__(self, overwrite: bool = False, source_globs: GlobsOptions | None = None) -> None:
        self.overwrite = overwrite
        self.source_globs = source_globs
        self._initialized = True


class MountOptions(_AbstractRunConfigElement):
    """How an output is mounted."""

    _fields = (Field("disable_metadata_cache", "disableMetadataCache"),)

    def __init__(self, disable_metadata_cache: bool = False) -> None:
        self.disable_metadata_cache = disable_metadata_cache
        self._initialized = True


class OutputOptions(_AbstractRunConfigElement):
    """The details of an output."""

    _fields = (
        Field("path_on_compute", "pathOnCompute"),
        Field("registration_options", "registrationOptions", RegistrationOptions),
        Field("upload_options", "uploadOptions", UploadOptions),
        Field("mount_options", "mountOptions", MountOptions),
    )

    def __init__(
        self,
        path_on_compute: str | None = None,
        registration_options: RegistrationOptions | None = None,
        upload_options: UploadOptions | None = None,
        mount_options: MountOptions | None = None,
    ) -> None:
        self.path_on_compute = path_on_compute
        self.registration_options = registration_options
        self.upload_options = upload_options
        self.mount_options = mount_options
        self._initialized = True


class OutputData(_AbstractRunConfigElement):
    """One output of a run."""

    _fields = (
        Field("output_location", "outputLocation", DataLocation),
        Field("mechanism", "mechanism"),
        Field("additional_options", "additionalOptions", OutputOptions),
    )

    def __init__(
        self,
        output_location: DataLocation | None = None,
        mechanism: str = "mount",
        additional_options: OutputOptions | None = None,
    ) -> None:
        self.output_location = output_location
        self.mechanism = mechanism
        self.additional_options = additional_options
        self._initialized = True


class RunConfiguration(_AbstractRunConfigElement):
    """Everything about a run but its source folder."""

    _fields = (
        Field("script", "script"),
        Field("arguments", "arguments"),
        Field("_target", "target"),
        Field("framework", "framework"),
        Field("communicator", "communicator"),
        Field("max_run_duration_seconds", "maxRunDurationSeconds"),
        Field("node_count", "nodeCount"),
        Field("priority", "priority"),
        Field("environment", "environment", Environment),
        Field("history", "history", HistoryConfiguration),
        Field("spark", "spark", SparkConfiguration),
        Field("docker", "docker", DockerConfiguration),
        Field("hdi", "hdi", HdiConfiguration),
        Field("tensorflow", "tensorflow", TensorflowConfiguration),
        Field("mpi", "mpi", MpiConfiguration),
        Field("pytorch", "pytorch", PyTorchConfiguration),
        Field("paralleltask", "paralleltask", ParallelTaskConfiguration),
        Field("data_references", "dataReferences", DataReferenceConfiguration, "dict"),
        Field("data", "data", Data, "dict"),
        Field("datacaches", "datacaches", DatacacheConfiguration, "list"),
        Field("output_data", "outputData", OutputData, "dict"),
        Field("source_directory_data_store", "sourceDirectoryDataStore"),
        Field("amlcompute", "amlcompute", AmlComputeConfiguration),
        Field("auto_cluster_compute_specification", "autoClusterComputeSpecification"),
        Field("kubernetescompute", "kubernetescompute", KubernetesComputeConfiguration),
        Field("credential_passthrough", "credentialPassthrough"),
        Field("command", "command"),
        Field("_environment_variables", "environmentVariables"),
        Field("application_endpoints", "applicationEndpoints", ApplicationEndpointConfiguration, "dict"),
    )

    def __init__(
        self,
        script: str | None = None,
        arguments: list[Any] | None = None,
        framework: str | None = None,
        communicator: str | None = None,
        conda_dependencies: CondaDependencies | None = None,
        _history_enabled: bool | None = None,
        _path: str | Path | None = None,
        _name: str | None = None,
        command: str | list[Any] | None = None,
    ) -> None:
        self.script: str | None = script or _DEFAULT_SCRIPT
        self.arguments: Any = arguments if arguments is not None else []
        self.command: Any = command if command is not None else ""
        self._target = LOCAL_TARGET
        self.framework = _spelled(framework, _FRAMEWORKS, "Python", "framework")
        self.communicator = _spelled(communicator, _COMMUNICATORS, "None", "communicator")
        self.max_run_duration_seconds: int | None = None
        self.node_count: int | None = 1
        self.priority: int | None = None
        self.environment = Environment("default-environment")
        if conda_dependencies is not None:
            self.environment.python.conda_dependencies = conda_dependencies
        self.history = HistoryConfiguration()
        if _history_enabled is not None:
            self.history.output_collection = _history_enabled
        self.spark = SparkConfiguration()
        self.docker: DockerConfiguration | None = DockerConfiguration()
        self.hdi = HdiConfiguration()
        self.tensorflow = TensorflowConfiguration()
        self.mpi = MpiConfiguration()
        self.pytorch = PyTorchConfiguration()
        self.paralleltask = ParallelTaskConfiguration()
        self.data_references: dict[str, Any] = {}
        self.data: dict[str, Any] = {}
        self.datacaches: list[Any] = []
        self.output_data: dict[str, Any] = {}
        self.source_directory_data_store: str | None = None
        self.amlcompute = AmlComputeConfiguration()
        self.auto_cluster_compute_specification: Any = None
        self.kubernetescompute = KubernetesComputeConfiguration()
        self.credential_passthrough = False
        self._environment_variables: dict[str, str] = {}
        self.application_endpoints: dict[str, Any] = {}
        self.identity: Any = None
        self.prepare_environment = True
        self._path = None if _path is None else str(_path)
        self._name = _name
        self._loaded: Any = None
        self._initialized = True

    @property
    def target(self) -> str:
        """The name of the compute target; a ComputeTarget may be assigned."""
        return self._target

    @target.setter
    def target(self, target: Any) -> None:
        if target is None:
            self._target = LOCAL_TARGET
        elif isinstance(target, str):
            self._target = target
        elif isinstance(getattr(target, "name", None), str):
            self._target = target.name
        else:
            raise UserErrorException(f"a compute target is a ComputeTarget or its name, got {target!r}")

    @property
    def auto_prepare_environment(self) -> bool:
        """Accepted and kept; there is nothing to prepare."""
        return self.prepare_environment

    @auto_prepare_environment.setter
    def auto_prepare_environment(self, prepare: bool) -> None:
        self.prepare_environment = prepare

    @property
    def environment_variables(self) -> dict[str, str]:
        """Variables of the run; they win over those of the environment."""
        return self._environment_variables

    @environment_variables.setter
    def environment_variables(self, variables: dict[str, str] | None) -> None:
        self._environment_variables = dict(variables or {})

    @staticmethod
    def load(path: str | Path, name: str | None = None) -> RunConfiguration:
        """Read the configuration ``name`` of the project in the folder ``path``, or the file ``path``; YAML or JSON.

        UserErrorException when there is none.
        """
        return _run_configuration_file.load(RunConfiguration, path, name)

    def save(
        self, path: str | Path | None = None, name: str | None = None, separate_environment_yaml: bool = False
    ) -> None:
        """Write ``<path>/.azureml/<name>``, with the conda packages in a file beside it. The folder is made.

        ``separate_environment_yaml`` puts the whole environment into ``environment.yml``.
        """
        _run_configuration_file.save(self, path, name, separate_environment_yaml)

    @staticmethod
    def delete(path: str | Path, name: str) -> None:
        """Remove the configuration ``name`` of the project in the folder ``path``."""
        _run_configuration_file.delete(path, name)

    def _to_dict(self) -> dict[str, Any]:
        """The settings by their keys; what a script put into ``data`` and ``data_references`` in its file's form."""
        data, references = self.data, self.data_references
        try:
            self.data = {name: Data.create(value) for name, value in (data or {}).items()}
            self.data_references = {
                name: value.to_config() if hasattr(value, "to_config") else value
                for name, value in (references or {}).items()
            }
            return super()._to_dict()
        finally:
            self.data, self.data_references = data, references

    @classmethod
    def _get_run_config_object(cls, path: str | Path, run_config: RunConfiguration | str) -> RunConfiguration:
        """The configuration itself, or the one of this name in the project."""
        if isinstance(run_config, RunConfiguration):
            return run_config
        if isinstance(run_config, str):
            return cls.load(path, run_config)
        raise UserErrorException(f"run_config is a RunConfiguration or the name of one, got {run_config!r}")

    def _use_distribution(self, distribution: Any) -> None:
        """Take over a ``distributed_job_config``; RunConfigurationException for anything else."""
        if isinstance(distribution, MpiConfiguration):
            self.mpi = distribution
            self.framework, self.communicator = "Python", "IntelMpi"
            self.node_count = distribution.node_count
        elif isinstance(distribution, PyTorchConfiguration):
            backend = str(distribution.communication_backend)
            if backend.lower() not in ("nccl", "gloo"):
                raise RunConfigurationException(f"the back ends of PyTorch are Nccl and Gloo, got {backend!r}")
            self.pytorch = distribution
            self.framework, self.communicator = "PyTorch", backend.capitalize()
            self.node_count = distribution.node_count
        elif isinstance(distribution, TensorflowConfiguration):
            self.tensorflow = distribution
            self.framework, self.communicator = "TensorFlow", "ParameterServer"
            self.node_count = distribution.worker_count
        elif isinstance(distribution, ParallelTaskConfiguration):
            self.paralleltask = distribution
            self.communicator = "ParallelTask"
        else:
            raise RunConfigurationException(
                "distributed_job_config is a MpiConfiguration, PyTorchConfiguration, TensorflowConfiguration or "
                f"ParallelTaskConfiguration, got {distribution!r}"
            )


def _spelled(value: str | None, known: tuple[str, ...], default: str, name: str) -> str:
    """The value in the spelling that is known; one that is not is kept, and told."""
    if value is None:
        return default
    for spelling in known:
        if spelling.lower() == str(value).lower():
            return spelling
    tell_once(_logger, f"{name} {value!r} is not among {', '.join(known)}; it is kept, and the run is a plain one")
    return str(value)
