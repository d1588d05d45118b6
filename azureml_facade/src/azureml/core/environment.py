"""Environments: what a run's Python would hold. They are described, registered and looked up as ever.

Runs use the Python that is there (Sublight's environment ``current``), and the log of a run names the packages that its
description asks for and that are missing; or a node builds what is described, as the workspace's setting
``environments`` says (see ``azureml._environment_choice``).
"""

from __future__ import annotations

import copy
import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azureml._base_sdk_common.abstract_run_config_element import Field, _AbstractRunConfigElement, tell_once
from azureml._refusal import refuse
from azureml._translation import translated
from azureml.core.conda_dependencies import CondaDependencies, package_name
from azureml.core.container_registry import ContainerRegistry
from azureml.core.databricks import DatabricksSection
from azureml.exceptions import UserErrorException

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace

_logger = logging.getLogger("azureml.core.environment")

DEFAULT_CPU_IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04"
DEFAULT_GPU_IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-cuda11.8-cudnn8-ubuntu22.04"
DEFAULT_MMLSPARK_CPU_IMAGE = "mcr.microsoft.com/mmlspark/release:0.12"

ENVIRONMENT_KIND = "environment"
_ENVIRONMENT_FILE = "azureml_environment.json"
_CONDA_FILE = "conda_dependencies.yml"
_DOCKERFILE = "BaseDockerfile"
_LABEL_TAG = "label."
_CONTEXT_FILES_MAX = 100
_CONTEXT_BYTES_MAX = 1_000_000

# Names that scripts ask for most; every other name of the form AzureML-… is answered the same way.
_CURATED = (
    "AzureML-Minimal",
    "AzureML-Tutorial",
    "AzureML-AutoML",
    "AzureML-Scikit-learn-0.20.3",
    "AzureML-sklearn-0.24-ubuntu18.04-py37-cpu",
    "AzureML-sklearn-1.0-ubuntu20.04-py38-cpu",
    "AzureML-sklearn-1.5",
    "AzureML-PyTorch-1.6-GPU",
    "AzureML-TensorFlow-1.13-GPU",
    "AzureML-TensorFlow-2.0-GPU",
    "AzureML-TensorFlow-2.3-GPU",
)
_CURATED_PREFIX = "azureml-"


class PythonSection(_AbstractRunConfigElement):
    """The Python of an environment: its packages, or that the caller cares for them."""

    _fields = (
        Field("user_managed_dependencies", "userManagedDependencies"),
        Field("interpreter_path", "interpreterPath"),
        Field("_conda_dependencies_file", "condaDependenciesFile"),
        Field("_base_conda_environment", "baseCondaEnvironment"),
        Field("conda_dependencies", "condaDependencies"),
    )

    def __init__(self, **kwargs: Any) -> None:
        self.interpreter_path: str | None = "python"
        self.user_managed_dependencies = False
        self._conda_dependencies_file: str | None = None
        self._base_conda_environment: str | None = None
        self.conda_dependencies: CondaDependencies | None = (
            None if kwargs.get("_skip_defaults") else CondaDependencies()
        )
        self._initialized = True

    @property
    def conda_dependencies_file(self) -> str | None:
        """The file that the packages stand in, as a run configuration file names it."""
        return self._conda_dependencies_file

    @conda_dependencies_file.setter
    def conda_dependencies_file(self, path: str | None) -> None:
        self._conda_dependencies_file = path
        if path is not None and Path(path).is_file():
            self.conda_dependencies = CondaDependencies(path)

    def _set_field(self, field: Field, value: Any) -> None:
        if field.attribute == "conda_dependencies":
            if value is not None:
                self.conda_dependencies = CondaDependencies(_underlying_structure=copy.deepcopy(dict(value)))
        else:
            super()._set_field(field, value)


class DockerImagePlatform(_AbstractRunConfigElement):
    """What an image is built for."""

    _fields = (Field("os", "os"), Field("architecture", "architecture"))

    def __init__(self) -> None:
        self.os = "Linux"
        self.architecture = "amd64"
        self._initialized = True


class DockerBuildContext(_AbstractRunConfigElement):
    """A folder from which an image would be built. Kept with the environment; nothing is built here."""

    _fields = (
        Field("location_type", "locationType"),
        Field("location", "location"),
        Field("dockerfile_path", "dockerfilePath"),
    )

    def __init__(
        self, location_type: str | None = None, location: str | None = None, dockerfile_path: str = "Dockerfile"
    ) -> None:
        self.location_type = location_type
        self.location = location
        self.dockerfile_path = dockerfile_path
        self._initialized = True

    @staticmethod
    def from_local_directory(
        workspace: Workspace,
        path: str | Path,
        dockerfile_path: str = "Dockerfile",
    ) -> DockerBuildContext:
        """The build context in a folder of at most 100 files and 1 MB."""
        folder = Path(path).resolve()
        if not folder.is_dir():
            raise UserErrorException(f"a build context is a folder, and there is no folder {path}")
        if not (folder / dockerfile_path).is_file():
            raise UserErrorException(f"the build context {path} holds no {dockerfile_path}")
        sizes = [file.stat().st_size for file in folder.rglob("*") if file.is_file()]
        if len(sizes) > _CONTEXT_FILES_MAX or sum(sizes) > _CONTEXT_BYTES_MAX:
            raise UserErrorException(
                f"a build context holds at most {_CONTEXT_FILES_MAX} files and 1 MB, and {path} has {len(sizes)} files "
                f"with {sum(sizes):,} bytes"
            )
        return DockerBuildContext("local", str(folder), dockerfile_path)


class DockerSection(_AbstractRunConfigElement):
    """The container image of an environment. It is kept, and runs use none.

    ``base_image``, ``base_dockerfile`` and ``build_context`` exclude one another: setting one clears the others.
    """

    _fields = (
        Field("_enabled", "enabled"),
        Field("_base_image", "baseImage"),
        Field("_base_dockerfile", "baseDockerfile"),
        Field("_build_context", "buildContext", DockerBuildContext),
        Field("_shared_volumes", "sharedVolumes"),
        Field("_shm_size", "shmSize"),
        Field("_arguments", "arguments"),
        Field("base_image_registry", "baseImageRegistry", ContainerRegistry),
        Field("platform", "platform", DockerImagePlatform),
    )

    def __init__(self, **kwargs: Any) -> None:
        self._enabled = False
        self._base_image: str | None = None if kwargs.get("_skip_defaults") else DEFAULT_CPU_IMAGE
        self._base_dockerfile: str | None = None
        self._build_context: DockerBuildContext | None = None
        self._shared_volumes: bool | None = True
        self._gpu_support: bool | None = None
        self._shm_size: str | None = "2g"
        self._arguments: list[str] = []
        self.base_image_registry = ContainerRegistry()
        self.platform = DockerImagePlatform()
        self._initialized = True

    @property
    def enabled(self) -> bool:
        """Whether a container was asked for; ``DockerConfiguration(use_docker=…)`` is the newer way to ask."""
        return self._enabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        self._enabled = enabled

    @property
    def base_image(self) -> str | None:
        """The image."""
        return self._base_image

    @base_image.setter
    def base_image(self, image: str | None) -> None:
        self._base_image = image
        if image is not None:
            self._clear("base_image", "_base_dockerfile", "_build_context")

    @property
    def base_dockerfile(self) -> str | None:
        """The text of a Dockerfile, or the path of one."""
        return self._base_dockerfile

    @base_dockerfile.setter
    def base_dockerfile(self, dockerfile: str | None) -> None:
        self._base_dockerfile = None if dockerfile is None else str(dockerfile)
        if dockerfile is not None:
            self._clear("base_dockerfile", "_base_image", "_build_context")

    @property
    def build_context(self) -> DockerBuildContext | None:
        """The folder with the Dockerfile."""
        return self._build_context

    @build_context.setter
    def build_context(self, context: DockerBuildContext | None) -> None:
        self._build_context = context
        if context is not None:
            self._clear("build_context", "_base_image", "_base_dockerfile")

    @property
    def shared_volumes(self) -> bool | None:
        """Accepted and kept."""
        return self._shared_volumes

    @shared_volumes.setter
    def shared_volumes(self, shared: bool | None) -> None:
        self._shared_volumes = shared

    @property
    def gpu_support(self) -> bool | None:
        """Accepted and kept; a run sees the GPUs of its node."""
        return self._gpu_support

    @gpu_support.setter
    def gpu_support(self, gpu_support: bool | None) -> None:
        self._gpu_support = gpu_support

    @property
    def shm_size(self) -> str | None:
        """Accepted and kept."""
        return self._shm_size

    @shm_size.setter
    def shm_size(self, size: str | None) -> None:
        self._shm_size = size

    @property
    def arguments(self) -> list[str]:
        """Accepted and kept."""
        return self._arguments

    @arguments.setter
    def arguments(self, arguments: list[str] | None) -> None:
        self._arguments = list(arguments or [])

    def _clear(self, kept: str, *others: str) -> None:
        """Forget the other sources of an image; told, unless only the default image goes."""
        for other in others:
            value = getattr(self, other)
            if value is not None and value != DEFAULT_CPU_IMAGE:
                _logger.warning("docker.%s is set, so docker.%s is cleared", kept, other.lstrip("_"))
            setattr(self, other, None)


class SparkPackage(_AbstractRunConfigElement):
    """A package of Spark."""

    _fields = (Field("group", "group"), Field("artifact", "artifact"), Field("version", "version"))

    def __init__(self, group: str | None = None, artifact: str | None = None, version: str | None = None) -> None:
        self.group = group
        self.artifact = artifact
        self.version = version
        self._initialized = True


class SparkSection(_AbstractRunConfigElement):
    """Settings of Spark. Kept, without effect: there is no Spark."""

    _fields = (
        Field("repositories", "repositories"),
        Field("packages", "packages", SparkPackage, "list"),
        Field("precache_packages", "precachePackages"),
    )

    def __init__(self, **kwargs: Any) -> None:
        self.repositories: list[str] = []
        self.packages: list[SparkPackage] = []
        self.precache_packages = True
        self._initialized = True


class RCranPackage(_AbstractRunConfigElement):
    """A package of CRAN."""

    _fields = (Field("name", "name"), Field("version", "version"), Field("repository", "repository"))

    def __init__(self) -> None:
        self.name: str | None = None
        self.version: str | None = None
        self.repository: str | None = None
        self._initialized = True


class RGitHubPackage(_AbstractRunConfigElement):
    """A package of R on GitHub."""

    _fields = (Field("repository", "repository"), Field("auth_token", "authToken"))

    def __init__(self) -> None:
        self.repository: str | None = None
        self.auth_token: str | None = None
        self._initialized = True


class RSection(_AbstractRunConfigElement):
    """Settings of R. Kept, without effect."""

    _fields = (
        Field("r_version", "rVersion"),
        Field("user_managed", "userManaged"),
        Field("rscript_path", "rscriptPath"),
        Field("snapshot_date", "snapshotDate"),
        Field("cran_packages", "cranPackages", RCranPackage, "list"),
        Field("git_hub_packages", "gitHubPackages", RGitHubPackage, "list"),
        Field("custom_url_packages", "customUrlPackages"),
        Field("bioconductor_packages", "bioConductorPackages"),
    )

    def __init__(self) -> None:
        self.r_version: str | None = None
        self.user_managed = False
        self.rscript_path: str | None = None
        self.snapshot_date: str | None = None
        self.cran_packages: list[RCranPackage] | None = None
        self.git_hub_packages: list[RGitHubPackage] | None = None
        self.custom_url_packages: list[str] | None = None
        self.bioconductor_packages: list[str] | None = None
        self._initialized = True


class ImageBuildDetails:
    """What ``Environment.build`` returns: there is no image to wait for."""

    def __init__(self, environment_client: Any, location: Any) -> None:
        self._environment_client = environment_client
        self._name = str(location)

    @property
    def status(self) -> str:
        """Always ``Succeeded``."""
        return "Succeeded"

    def get_log(self) -> str:
        """The sentence that says so."""
        return (
            f"no image is needed for the environment {self._name!r}: runs use the Python that is there (current), or their "
            "nodes build its packages, as the workspace's setting 'environments' says"
        )

    def wait_for_completion(self, show_output: bool = True) -> None:
        """Return at once; with ``show_output`` the sentence is printed."""
        if show_output:
            print(self.get_log())


class DockerImageDetails(dict[str, Any]):
    """Details of an environment's image, by the names of the attributes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    @property
    def dockerfile(self) -> Any:
        """The Dockerfile, or None."""
        return self.get("dockerfile")

    @property
    def environment_path(self) -> Any:
        """Where the environment lies in the image, or None."""
        return (self.get("pythonEnvironment") or {}).get("condaEnvironmentPath")

    @property
    def interpreter_path(self) -> Any:
        """The interpreter."""
        return (self.get("pythonEnvironment") or {}).get("interpreterPath")

    @property
    def image(self) -> Any:
        """The image, or None."""
        return (self.get("dockerImage") or {}).get("name")

    @property
    def registry(self) -> Any:
        """The image's registry, or None."""
        return (self.get("dockerImage") or {}).get("registry")

    @property
    def repository(self) -> Any:
        """The image's repository, or None."""
        return (self.get("dockerImage") or {}).get("name")

    @property
    def image_exist(self) -> bool:
        """Whether an image was built."""
        return bool(self.get("imageExistsInRegistry"))


class Environment(_AbstractRunConfigElement):
    """A named description of Python packages, an image and environment variables; ``version`` is set by registering.

    A name that is no text raises TypeError.
    """

    _fields = (
        Field("name", "name"),
        Field("version", "version"),
        Field("asset_id", "assetId"),
        Field("_environment_variables", "environmentVariables"),
        Field("python", "python", PythonSection),
        Field("docker", "docker", DockerSection),
        Field("spark", "spark", SparkSection),
        Field("databricks", "databricks", DatabricksSection),
        Field("r", "r", RSection),
        Field("inferencing_stack_version", "inferencingStackVersion"),
    )

    def __init__(self, name: str, **kwargs: Any) -> None:
        if not isinstance(name, str):
            raise TypeError(f"the name of an environment is text, got {name!r}")
        skip_defaults = bool(kwargs.get("_skip_defaults", False))
        self.name = name
        self.version: str | None = None
        self.asset_id: str | None = None
        self._environment_variables: dict[str, str] = {"EXAMPLE_ENV_VAR": "EXAMPLE_VALUE"}
        self.python = PythonSection(_skip_defaults=skip_defaults)
        self.docker = DockerSection(_skip_defaults=skip_defaults)
        self.spark = SparkSection()
        self.databricks = DatabricksSection(_skip_defaults=skip_defaults)
        self.r: RSection | None = None
        self.inferencing_stack_version: str | None = None
        self._initialized = True

    @classmethod
    def _blank(cls) -> Environment:
        return cls("default-environment")

    @staticmethod
    def _deserialize_and_add_to_object(serialized: Mapping[str, Any]) -> Environment:
        """The environment that a run definition or a registered description holds."""
        return Environment._from_dict(serialized)

    @property
    def environment_variables(self) -> dict[str, str]:
        """Variables that runs in this environment get; ``RunConfiguration.environment_variables`` wins over them."""
        return self._environment_variables

    @environment_variables.setter
    def environment_variables(self, variables: dict[str, str] | None) -> None:
        self._environment_variables = dict(variables or {})

    @staticmethod
    def from_conda_specification(name: str, file_path: str | Path) -> Environment:
        """An environment with the packages of a conda file."""
        environment = Environment(name)
        environment.python.conda_dependencies = _conda_file(file_path)
        return environment

    @staticmethod
    def from_pip_requirements(name: str, file_path: str | Path, pip_version: str | None = None) -> Environment:
        """An environment with the packages of a pip requirements file."""
        environment = Environment(name)
        environment.python.conda_dependencies = _pip_file(file_path, pip_version)
        return environment

    @staticmethod
    def from_docker_image(
        name: str,
        image: str,
        container_registry: ContainerRegistry | None = None,
        conda_specification: str | Path | None = None,
        pip_requirements: str | Path | None = None,
    ) -> Environment:
        """An environment of an image, with packages or (without either file) those of the image itself."""
        environment = Environment(name)
        environment.docker.base_image = image
        if container_registry is not None:
            environment.docker.base_image_registry = container_registry
        _add_packages(environment, conda_specification, pip_requirements)
        return environment

    @staticmethod
    def from_dockerfile(
        name: str,
        dockerfile: str | Path,
        conda_specification: str | Path | None = None,
        pip_requirements: str | Path | None = None,
    ) -> Environment:
        """An environment of a Dockerfile (its text or its path), with packages or those of the image itself."""
        environment = Environment(name)
        environment.docker.base_dockerfile = _dockerfile_text(str(dockerfile))
        _add_packages(environment, conda_specification, pip_requirements)
        return environment

    @staticmethod
    def from_docker_build_context(name: str, docker_build_context: DockerBuildContext) -> Environment:
        """An environment of a folder with a Dockerfile."""
        if not isinstance(docker_build_context, DockerBuildContext):
            raise UserErrorException(f"docker_build_context is a DockerBuildContext, got {docker_build_context!r}")
        environment = Environment(name)
        environment.docker.build_context = docker_build_context
        environment.python.user_managed_dependencies = True
        return environment

    @staticmethod
    def from_existing_conda_environment(name: str, conda_environment_name: str) -> Environment:
        """An environment with the packages of a conda environment on this machine."""
        import subprocess

        from ruamel.yaml import YAML

        conda = shutil.which("conda")
        if conda is None:
            raise UserErrorException(
                f"the packages of the conda environment {conda_environment_name!r} are asked of the program conda, "
                "and there is none here; write them into a file and use Environment.from_conda_specification"
            )
        exported = subprocess.run(
            [conda, "env", "export", "--no-builds", "--name", conda_environment_name], capture_output=True, text=True
        )
        if exported.returncode != 0:
            raise UserErrorException(
                f"conda has no environment {conda_environment_name!r}: {exported.stderr.strip()[:300]}"
            )
        environment = Environment(name)
        environment.python.conda_dependencies = CondaDependencies(_underlying_structure=YAML().load(exported.stdout))
        return environment

    @staticmethod
    def load_from_directory(path: str | Path) -> Environment:
        """The environment that ``save_to_directory`` wrote there."""
        folder = Path(path)
        file = folder / _ENVIRONMENT_FILE
        if not file.is_file():
            raise UserErrorException(
                f"there is no {_ENVIRONMENT_FILE} in {path}; Environment.save_to_directory writes it"
            )
        environment = Environment._from_dict(json.loads(file.read_text(encoding="utf-8")))
        if (folder / _CONDA_FILE).is_file():
            environment.python.conda_dependencies = CondaDependencies(folder / _CONDA_FILE)
        if (folder / _DOCKERFILE).is_file():
            environment.docker.base_dockerfile = (folder / _DOCKERFILE).read_text(encoding="utf-8")
        return environment

    def save_to_directory(self, path: str | Path, overwrite: bool = False) -> None:
        """Write the description into a folder of its own, to be read, changed and loaded again."""
        folder = Path(path)
        if folder.exists() and not overwrite:
            raise UserErrorException(f"{path} exists; say overwrite=True, or choose another folder")
        folder.mkdir(parents=True, exist_ok=True)
        values = self._to_dict()
        values["python"].pop("condaDependencies")
        dockerfile = values["docker"].pop("baseDockerfile")
        (folder / _ENVIRONMENT_FILE).write_text(json.dumps(values, indent=4), encoding="utf-8")
        if self.python.conda_dependencies is not None:
            self.python.conda_dependencies.save(folder / _CONDA_FILE)
        if dockerfile is not None:
            (folder / _DOCKERFILE).write_text(_dockerfile_text(dockerfile), encoding="utf-8")

    def clone(self, new_name: str) -> Environment:
        """A copy under another name, not registered."""
        if not isinstance(new_name, str):
            raise TypeError(f"the name of an environment is text, got {new_name!r}")
        copied = copy.deepcopy(self)
        copied.name = new_name
        copied.version = None
        copied.asset_id = None
        return copied

    @translated()
    def register(self, workspace: Workspace) -> Environment:
        """Keep the description in the workspace and return it with its version.

        The version is the next one; a description equal to the newest version is that version again.
        """
        from sublight.sdk.errors import NotFound

        definition = self._definition()
        assets = workspace._sdk.assets
        try:
            asset = assets.get(ENVIRONMENT_KIND, self.name)
        except NotFound:
            asset = None
        if asset is None or asset.definition != definition:
            asset = assets.register(ENVIRONMENT_KIND, self.name, definition=definition)
        self.version = str(asset.version)
        return _of_asset(asset)

    @staticmethod
    @translated()
    def get(workspace: Workspace, name: str, version: str | int | None = None, label: str | None = None) -> Environment:
        """A registered environment: the newest version, a given one, or the one that has the label.

        Names of the form ``AzureML-…``, the curated environments of the service, give a plain description.
        """
        from sublight.sdk.errors import NotFound

        if version is not None and label is not None:
            raise UserErrorException("Environment.get takes a version or a label, not both")
        assets = workspace._sdk.assets
        try:
            if label is not None and label.lower() != "latest":
                return _of_asset(_labelled(assets, name, label))
            return _of_asset(assets.get(ENVIRONMENT_KIND, name, None if version is None else _number(name, version)))
        except NotFound as error:
            if _is_curated(name):
                return _curated(name, version)
            raise UserErrorException(str(error)) from None

    @staticmethod
    @translated()
    def list(workspace: Workspace) -> dict[str, Environment]:
        """The environments by their names, each in its newest version; some curated names are among them."""
        found = _Environments()
        for asset in workspace._sdk.assets.list(ENVIRONMENT_KIND, is_latest_only=True):
            found[asset.name] = _of_asset(asset)
        for name in _CURATED:
            if name not in found:
                found[name] = _curated(name, None, is_asked_for=False)
        return found

    @staticmethod
    @translated()
    def label(workspace: Workspace, name: str, version: str, labels: Sequence[str]) -> None:
        """Give a version labels; a label that another version has moves."""
        from sublight.sdk.errors import NotFound

        assets = workspace._sdk.assets
        try:
            asset = assets.get(ENVIRONMENT_KIND, name, _number(name, version))
        except NotFound as error:
            raise UserErrorException(f"there is no version {version} of the environment {name!r}: {error}") from None
        for label in [labels] if isinstance(labels, str) else labels:
            for other in assets.list(ENVIRONMENT_KIND, name=name):
                if other.version != asset.version and _LABEL_TAG + label in other.tags:
                    other.update(tags={_LABEL_TAG + label: None})
            asset.update(tags={_LABEL_TAG + label: "true"})

    def build(self, workspace: Workspace, image_build_compute: str | None = None) -> ImageBuildDetails:
        """Nothing is built; what is returned says so and has always succeeded."""
        return ImageBuildDetails(None, self.name)

    def build_local(self, workspace: Workspace, platform: str | None = None, **kwargs: Any) -> None:
        """Nothing is built; a line says so."""
        print(ImageBuildDetails(None, self.name).get_log())

    def get_image_details(self, workspace: Workspace) -> DockerImageDetails:
        """The details of the image, which say that there is none."""
        return DockerImageDetails(
            imageExistsInRegistry=False,
            dockerfile=self.docker.base_dockerfile,
            dockerImage={"name": self.docker.base_image, "registry": None},
            pythonEnvironment={"interpreterPath": self.python.interpreter_path, "condaEnvironmentPath": None},
        )

    @staticmethod
    def add_private_pip_wheel(workspace: Workspace, file_path: str, exist_ok: bool = False) -> str:
        """Refused: nothing is installed for a run."""
        refuse(
            "Environment.add_private_pip_wheel",
            "packages are not installed for a run; `pip install` the wheel where Sublight is installed",
        )

    def _definition(self) -> dict[str, Any]:
        """What is registered: everything but the version, without the registry's password."""
        values = self._to_dict()
        values.pop("version")
        values.pop("assetId")
        values["docker"]["baseImageRegistry"]["password"] = None
        if self.docker.base_dockerfile is not None:
            values["docker"]["baseDockerfile"] = _dockerfile_text(self.docker.base_dockerfile)
        return values


class EnvironmentReference(_AbstractRunConfigElement):
    """The name and version of a registered environment."""

    _fields = (Field("name", "name"), Field("version", "version"))

    def __init__(self, name: str, version: str | None = None) -> None:
        self.name = name
        self.version = version
        self._initialized = True

    def get_environment(self, workspace: Workspace) -> Environment:
        """The environment itself."""
        return Environment.get(workspace, self.name, self.version)


class _Environments(dict[str, Environment]):
    """Environments by name; a curated name that is not listed is answered, too."""

    def __missing__(self, name: str) -> Environment:
        if isinstance(name, str) and _is_curated(name):
            return _curated(name, None)
        raise KeyError(name)


PythonEnvironment = PythonSection
DockerEnvironment = DockerSection
SparkEnvironment = SparkSection


def _is_curated(name: str) -> bool:
    return name.lower().startswith(_CURATED_PREFIX)


def _curated(name: str, version: str | int | None, *, is_asked_for: bool = True) -> Environment:
    if is_asked_for:  # and not one of a list, of which nobody wants a line each
        tell_once(
            _logger,
            f"{name} was an environment that Azure kept ready; here it is a plain description, and runs use the "
            "Python that is there",
        )
    environment = Environment(name)
    environment.version = "1" if version is None else str(version)
    return environment


def _of_asset(asset: Any) -> Environment:
    environment = Environment._from_dict({**asset.definition, "name": asset.name})
    environment.version = str(asset.version)
    return environment


def _labelled(assets: Any, name: str, label: str) -> Any:
    for asset in assets.list(ENVIRONMENT_KIND, name=name):
        if _LABEL_TAG + label in asset.tags:
            return asset
    raise UserErrorException(f"no version of the environment {name!r} has the label {label!r}")


def _number(name: str, version: str | int) -> int:
    text = str(version).strip()
    if not text.isdecimal():
        raise UserErrorException(f"a version of the environment {name!r} is a whole number, got {version!r}")
    return int(text)


def _add_packages(environment: Environment, conda: str | Path | None, pip: str | Path | None) -> None:
    if conda is not None and pip is not None:
        raise UserErrorException("an environment takes conda_specification or pip_requirements, not both")
    if conda is not None:
        environment.python.conda_dependencies = _conda_file(conda)
    elif pip is not None:
        environment.python.conda_dependencies = _pip_file(pip, None)
    else:
        environment.python.user_managed_dependencies = True


def _conda_file(path: str | Path) -> CondaDependencies:
    return CondaDependencies(path)


def _pip_file(path: str | Path, pip_version: str | None) -> CondaDependencies:
    dependencies = CondaDependencies.create(pip_packages=requirement_lines(path))
    if pip_version is not None:
        dependencies.add_conda_package(f"pip={pip_version}")
    return dependencies


def requirement_lines(path: str | Path) -> list[str]:
    """The requirements in a pip file, without comments; FileNotFoundError when there is none."""
    lines = Path(path).read_text(encoding="utf-8-sig").replace("\\\n", " ").splitlines()
    stripped = [line.partition(" #")[0].strip() for line in lines]
    return [line for line in stripped if line and not line.startswith("#")]


def _dockerfile_text(dockerfile: str) -> str:
    """The text itself, or that of the file that it names."""
    if "\n" in dockerfile:
        return dockerfile
    path = Path(dockerfile)
    return path.read_text(encoding="utf-8") if path.is_file() else dockerfile


def packages_of(environment: Environment | Mapping[str, Any]) -> list[str]:
    """The requirements that an environment asks for: conda's, then pip's; none when the user cares for them."""
    if not isinstance(environment, Environment):
        environment = Environment._from_dict(environment)
    dependencies = environment.python.conda_dependencies
    if environment.python.user_managed_dependencies or dependencies is None:
        return []
    return [item for item in [*dependencies.conda_packages, *dependencies.pip_packages] if package_name(item)]
