"""``azureml.core`` as a package: lazy, with submodules as attributes."""

from __future__ import annotations

import subprocess
import sys

import pytest

import azureml.core
import azureml.core.compute


def test_the_version_is_that_of_the_sdk_whose_names_these_are() -> None:
    assert azureml.core.VERSION.startswith("1.61")
    assert azureml.core.__version__ == azureml.core.VERSION


def test_submodules_are_attributes_without_an_import_of_their_own() -> None:
    assert azureml.core.authentication.AzureCliAuthentication
    assert azureml.core.compute.amlcompute.AmlCompute is azureml.core.compute.AmlCompute
    assert azureml.core.compute_target.AmlCompute is azureml.core.compute.AmlCompute


@pytest.mark.parametrize("package", ["azureml.core", "azureml.core.compute"])
def test_a_name_that_is_not_there_is_an_attribute_error(package: str) -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = sys.modules[package].nonsense  # type: ignore[attr-defined]
    assert set(sys.modules[package].__all__) <= set(dir(sys.modules[package]))


def test_a_training_script_loads_little_for_run() -> None:
    code = (
        "import sys; before = set(sys.modules)\n"
        "from azureml.core import Run\n"
        "print(sorted(name for name in set(sys.modules) - before if not name.startswith('azureml')))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert "sublight" not in loaded
    assert "typing" not in loaded
