"""The base of the estimators for a framework."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from azureml._base_sdk_common.abstract_run_config_element import tell_once
from azureml.train.estimator._mml_base_estimator import MMLBaseEstimator, _logger


class _FrameworkBaseEstimator(MMLBaseEstimator):
    """A script that uses one framework, in the version that is asked for or the default one."""

    FRAMEWORK_NAME = ""
    DEFAULT_VERSION = ""
    _SUPPORTED_VERSIONS: tuple[str, ...] = ()
    _SUPPORTED_BACKENDS: tuple[str, ...] = ()

    def __init__(
        self,
        source_directory: str | Path | None,
        *,
        compute_target: Any = None,
        vm_size: str | None = None,
        vm_priority: str | None = None,
        entry_script: str | None = None,
        script_params: dict[str, Any] | None = None,
        node_count: int = 1,
        process_count_per_node: int = 1,
        distributed_backend: str | None = None,
        distributed_training: Any = None,
        use_gpu: bool = False,
        use_docker: bool = True,
        custom_docker_base_image: str | None = None,
        custom_docker_image: str | None = None,
        image_registry_details: Any = None,
        user_managed: bool = False,
        conda_packages: list[str] | None = None,
        pip_packages: list[str] | None = None,
        conda_dependencies_file_path: str | None = None,
        pip_requirements_file_path: str | None = None,
        conda_dependencies_file: str | None = None,
        pip_requirements_file: str | None = None,
        environment_variables: dict[str, str] | None = None,
        environment_definition: Any = None,
        inputs: list[Any] | None = None,
        source_directory_data_store: Any = None,
        shm_size: str | None = None,
        resume_from: Any = None,
        max_run_duration_seconds: int | None = None,
        framework_name: str | None = None,
        framework_version: str | None = None,
        _enable_optimized_mode: bool = False,
        _disable_validation: bool = False,
        _show_lint_warnings: bool = False,
        _show_package_warnings: bool = False,
    ) -> None:
        self._version = str(framework_version or self.DEFAULT_VERSION)
        if self._SUPPORTED_VERSIONS and self._version not in self._SUPPORTED_VERSIONS:
            tell_once(
                _logger,
                f"{self.FRAMEWORK_NAME} {self._version} is not among {', '.join(self._SUPPORTED_VERSIONS)}; "
                "the run uses the version that is installed",
            )
        self._build(framework_name or self.FRAMEWORK_NAME, locals(), self._packages(use_gpu))

    @property
    def framework_version(self) -> str:
        """The version of the framework."""
        return self._version

    @classmethod
    def get_supported_versions(cls) -> list[str]:
        """The versions that the estimator was made for."""
        return list(cls._SUPPORTED_VERSIONS)

    def _packages(self, use_gpu: bool) -> list[str]:
        """The pip packages of the framework."""
        return []
