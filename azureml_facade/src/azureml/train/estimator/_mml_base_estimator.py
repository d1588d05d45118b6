"""What all estimators have in common."""

from __future__ import annotations

import copy
import logging
from abc import ABC
from pathlib import Path
from typing import Any

from azureml._base_sdk_common.abstract_run_config_element import tell_once
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.runconfig import RunConfiguration
from azureml.core.script_run_config import MAX_RUN_DURATION_SECONDS_DEFAULT, ScriptRunConfig, check_arguments
from azureml.exceptions import TrainingException
from azureml.train.estimator._configuration import add_inputs, configure, flattened, set_source_store

_logger = logging.getLogger("azureml.train.estimator")

# What ``Experiment.submit(estimator, …)`` may give anew.
OVERRIDABLE = ("script_params", "inputs", "source_directory_data_store")


class MMLBaseEstimator(ABC):  # noqa: B024  (abstract in name, as in the original)
    """A source folder with a run configuration."""

    def __init__(
        self,
        source_directory: str | Path | None,
        *,
        compute_target: Any,
        estimator_config: RunConfiguration | None = None,
    ) -> None:
        self._source_directory = "." if source_directory is None else source_directory
        self._compute_target = compute_target
        self._estimator_config = RunConfiguration() if estimator_config is None else estimator_config
        self._script_params: dict[str, Any] = {}
        self._resume_from: Any = None

    @property
    def source_directory(self) -> str | Path:
        """The source folder."""
        return self._source_directory

    @property
    def run_config(self) -> RunConfiguration:
        """The run configuration that the estimator made; it may be changed before submitting."""
        return self._estimator_config

    @property
    def conda_dependencies(self) -> CondaDependencies | None:
        """The packages."""
        return self._estimator_config.environment.python.conda_dependencies

    def _build(self, kind: str, settings: dict[str, Any], packages: list[str]) -> None:
        """Set everything from the arguments of a constructor (its ``locals()``)."""
        tell_once(
            _logger,
            f"{kind}: estimators were deprecated already in the SDK v1; a ScriptRunConfig with an Environment replaces them",
        )
        given = {name: value for name, value in settings.items() if name not in ("self", "__class__")}
        check_arguments(flattened(given.get("script_params")))
        config = RunConfiguration()
        configure(config, kind, given, packages)
        MMLBaseEstimator.__init__(
            self, given["source_directory"], compute_target=given.get("compute_target"), estimator_config=config
        )
        self._script_params = dict(given.get("script_params") or {})
        self._resume_from = given.get("resume_from")

    def _to_script_run_config(self, **overrides: Any) -> ScriptRunConfig:
        """The same as a ScriptRunConfig; ``overrides`` are those that ``submit`` may give (see OVERRIDABLE)."""
        config = copy.copy(self._estimator_config)
        config.data = dict(config.data or {})
        config.data_references = dict(config.data_references or {})
        if overrides.get("script_params") is not None:
            config.arguments = flattened({**self._script_params, **overrides["script_params"]})
        add_inputs(config, overrides.get("inputs"))
        set_source_store(config, overrides.get("source_directory_data_store"))
        if config.max_run_duration_seconds is None:
            config.max_run_duration_seconds = MAX_RUN_DURATION_SECONDS_DEFAULT
        if not config.script:
            raise TrainingException("the estimator has no entry_script; name the file in the source folder to run")
        return ScriptRunConfig(
            self._source_directory, config.script, config.arguments, run_config=config, resume_from=self._resume_from
        )


class MMLBaseEstimatorRunConfig(RunConfiguration):
    """A run configuration made from the arguments of an estimator."""

    def __init__(
        self,
        compute_target: Any,
        vm_size: str | None = None,
        vm_priority: str | None = None,
        entry_script: str | None = None,
        script_params: dict[str, Any] | None = None,
        node_count: int | None = None,
        process_count_per_node: int | None = None,
        distributed_backend: str | None = None,
        use_gpu: bool | None = None,
        use_docker: bool | None = None,
        custom_docker_base_image: str | None = None,
        custom_docker_image: str | None = None,
        image_registry_details: Any = None,
        user_managed: bool = False,
        conda_packages: list[str] | None = None,
        pip_packages: list[str] | None = None,
        environment_definition: Any = None,
        inputs: list[Any] | None = None,
        source_directory_data_store: Any = None,
        shm_size: str | None = None,
    ) -> None:
        settings = {name: value for name, value in locals().items() if name not in ("self", "__class__")}
        super().__init__()
        configure(self, "Estimator", settings, [])
