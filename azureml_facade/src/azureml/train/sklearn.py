"""``SKLearn``: the estimator for scikit-learn, on one node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from azureml.train.estimator._framework_base_estimator import _FrameworkBaseEstimator

__all__ = ["SKLearn"]


class SKLearn(_FrameworkBaseEstimator):
    """A script that uses scikit-learn."""

    FRAMEWORK_NAME = "SKLearn"
    DEFAULT_VERSION = "0.20.3"
    _SUPPORTED_VERSIONS = ("0.20.3",)
    _SUPPORTED_BACKENDS = ()

    def __init__(
        self,
        source_directory: str | Path | None,
        *,
        compute_target: Any = None,
        vm_size: str | None = None,
        vm_priority: str | None = None,
        entry_script: str | None = None,
        script_params: dict[str, Any] | None = None,
        use_docker: bool = True,
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
        shm_size: str | None = None,
        resume_from: Any = None,
        max_run_duration_seconds: int | None = None,
        framework_version: str | None = None,
        _enable_optimized_mode: bool = False,
        _disable_validation: bool = True,
        _show_lint_warnings: bool = False,
        _show_package_warnings: bool = False,
    ) -> None:
        super().__init__(
            source_directory,
            compute_target=compute_target,
            vm_size=vm_size,
            vm_priority=vm_priority,
            entry_script=entry_script,
            script_params=script_params,
            use_docker=use_docker,
            custom_docker_image=custom_docker_image,
            image_registry_details=image_registry_details,
            user_managed=user_managed,
            conda_packages=conda_packages,
            pip_packages=pip_packages,
            conda_dependencies_file_path=conda_dependencies_file_path,
            pip_requirements_file_path=pip_requirements_file_path,
            conda_dependencies_file=conda_dependencies_file,
            pip_requirements_file=pip_requirements_file,
            environment_variables=environment_variables,
            environment_definition=environment_definition,
            inputs=inputs,
            shm_size=shm_size,
            resume_from=resume_from,
            max_run_duration_seconds=max_run_duration_seconds,
            framework_version=framework_version,
            _enable_optimized_mode=_enable_optimized_mode,
            _disable_validation=_disable_validation,
            _show_lint_warnings=_show_lint_warnings,
            _show_package_warnings=_show_package_warnings,
        )

    def _packages(self, use_gpu: bool) -> list[str]:
        return [f"scikit-learn=={self._version}", "scipy", "numpy", "joblib"]
