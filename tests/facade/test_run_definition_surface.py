"""Everything that describes a run has the names, parameters and defaults of the SDK v1."""

from __future__ import annotations

import pytest

from tests.facade.surface import names, problems

MODULES = (
    "azureml.core.script_run",
    "azureml.core.script_run_config",
    "azureml.core.runconfig",
    "azureml.core.environment",
    "azureml.core.conda_dependencies",
    "azureml.core.container_registry",
    "azureml.core.databricks",
    "azureml.train.estimator",
    "azureml.train.dnn",
    "azureml.train.sklearn",
)


@pytest.mark.parametrize(("module", "name"), names(*MODULES))
def test_a_class_has_the_surface_of_the_original(module: str, name: str) -> None:
    assert problems(module, name) == []
