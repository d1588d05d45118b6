"""``ScriptRunConfig``: a script or command with its source folder and everything else about its run."""

from __future__ import annotations

import copy
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azureml._base_sdk_common.abstract_run_config_element import tell_once
from azureml.core.runconfig import DockerConfiguration, RunConfiguration
from azureml.exceptions import UserErrorException

if TYPE_CHECKING:
    from azureml.core.environment import Environment
    from azureml.core.run import Run
    from azureml.core.workspace import Workspace

_logger = logging.getLogger("azureml.core.script_run_config")

MAX_RUN_DURATION_SECONDS_DEFAULT = 30 * 24 * 60 * 60


class ScriptRunConfig:
    """What to run, from which folder, and where.

    ``arguments`` is a list; its items may be datasets' consumption configurations, outputs and data references, which
    become paths on the node. With ``run_config`` the arguments that speak of the same things (target, environment,
    distribution, time, container) are ignored, and a warning says so; ``script``, ``arguments`` and ``command`` win.
    """

    def __init__(
        self,
        source_directory: str | Path,
        script: str | None = None,
        arguments: list[Any] | None = None,
        run_config: RunConfiguration | str | None = None,
        _telemetry_values: dict[str, Any] | None = None,
        compute_target: Any = None,
        environment: Environment | None = None,
        distributed_job_config: Any = None,
        resume_from: Any = None,
        max_run_duration_seconds: int | None = MAX_RUN_DURATION_SECONDS_DEFAULT,
        command: str | list[Any] | None = None,
        docker_runtime_config: DockerConfiguration | None = None,
    ) -> None:
        check_arguments(arguments)
        check_arguments(command)
        self.source_directory = "." if source_directory is None else source_directory
        self._telemetry_values = _telemetry_values
        self.resume_from = _checked_resume(resume_from)
        if run_config is None:
            self.run_config = RunConfiguration()
            self._configure(
                compute_target, environment, distributed_job_config, max_run_duration_seconds, docker_runtime_config
            )
        else:
            self.run_config = RunConfiguration._get_run_config_object(self.source_directory, run_config)
            _tell_of_ignored(
                compute_target=compute_target,
                environment=environment,
                distributed_job_config=distributed_job_config,
                docker_runtime_config=docker_runtime_config,
                max_run_duration_seconds=(
                    None if max_run_duration_seconds == MAX_RUN_DURATION_SECONDS_DEFAULT else max_run_duration_seconds
                ),
            )
        self.script = script if script is not None else (None if command else self.run_config.script)
        self.arguments = arguments if arguments is not None else self.run_config.arguments
        self.command = command if command is not None else (None if script is not None else self.run_config.command)

    @property
    def identity(self) -> str:
        """Its name, for logs."""
        return "ScriptRunConfig"

    @property
    def max_run_duration_seconds(self) -> int | None:
        """How long the run may take."""
        return self.run_config.max_run_duration_seconds

    @max_run_duration_seconds.setter
    def max_run_duration_seconds(self, seconds: int | None) -> None:
        self.run_config.max_run_duration_seconds = seconds

    def _configure(
        self,
        compute_target: Any,
        environment: Environment | None,
        distribution: Any,
        max_seconds: int | None,
        docker: DockerConfiguration | None,
    ) -> None:
        from azureml.core.environment import Environment

        config = self.run_config
        config.target = compute_target
        config.max_run_duration_seconds = max_seconds
        if environment is not None:
            if not isinstance(environment, Environment):
                raise UserErrorException(
                    f"environment is an Environment, got {environment!r}; Environment.get(workspace, name) finds one"
                )
            config.environment = environment
        if distribution is not None:
            config._use_distribution(distribution)
        if docker is not None:
            config.docker = docker

    def __repr__(self) -> str:
        what = f"command={self.command!r}" if self.command else f"script={self.script!r}"
        return f"ScriptRunConfig(source_directory={str(self.source_directory)!r}, {what}, target={self.run_config.target!r})"


def submit(
    script_run_config: ScriptRunConfig,
    workspace: Workspace,
    experiment_name: str,
    run_id: str | None = None,
    _parent_run_id: str | None = None,
    credential_passthrough: bool = False,
) -> Run:
    """Submit to the experiment of this name; ``Experiment.submit`` is the usual way."""
    from azureml._run_details import PARENT_TAG
    from azureml._submission import submit as submit_to
    from azureml.core.experiment import Experiment

    tags = {} if _parent_run_id is None else {PARENT_TAG: _parent_run_id}
    experiment = Experiment(workspace, experiment_name)
    return submit_to(experiment, script_run_config, tags, run_id=run_id, credential_passthrough=credential_passthrough)


def get_run_config_from_script_run(script_run_config: ScriptRunConfig) -> RunConfiguration:
    """A run configuration of its own with the script, arguments and command of ``script_run_config``."""
    original = RunConfiguration._get_run_config_object(script_run_config.source_directory, script_run_config.run_config)
    config = copy.copy(original)
    config.environment = copy.deepcopy(original.environment)
    for name in ("data", "data_references", "output_data", "_environment_variables"):
        setattr(config, name, dict(getattr(original, name) or {}))
    arguments = script_run_config.arguments
    config.arguments = list(arguments) if isinstance(arguments, (list, tuple)) else arguments
    config.command = script_run_config.command or ""
    config.script = script_run_config.script
    return config


def check_arguments(arguments: Any) -> None:
    """Raise UserErrorException for a Dataset among the arguments, which has no text of its own."""
    for argument in arguments if isinstance(arguments, (list, tuple)) else [arguments]:
        if hasattr(argument, "as_named_input") and not hasattr(argument, "_to_input"):
            raise UserErrorException(
                f"an argument cannot be a {type(argument).__name__} itself; pass dataset.as_named_input('name'), with "
                ".as_mount() or .as_download() for the files of a FileDataset"
            )


def _checked_resume(resume_from: Any) -> Any:
    """What ``resume_from`` must be: a DataPath."""
    if resume_from is not None and type(resume_from).__name__ != "DataPath":
        raise UserErrorException(f"resume_from is a DataPath, got {resume_from!r}")
    return resume_from


def _tell_of_ignored(**given: Any) -> None:
    for name, value in given.items():
        if value is not None:
            tell_once(_logger, f"{name} is ignored, because run_config is given; set it there")
