"""Every import path of the SDK v1 that people use resolves; what was never one does not."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import azureml.core
from sublight.core.snapshot import SnapshotLimits

pytestmark = pytest.mark.slow  # some two thousand names

PATHS = Path(__file__).with_name("imports.txt").read_text().split()


def resolved(path: str) -> Any:
    """What ``from … import …`` gives, or ``import path`` where that is a package."""
    module, _, name = path.rpartition(".")
    if not module:
        return importlib.import_module(path)
    namespace: dict[str, Any] = {}
    exec(f"from {module} import {name} as found", namespace)
    return namespace["found"]


@pytest.mark.parametrize("path", PATHS)
def test_an_import_path_of_the_sdk_v1_resolves(path: str) -> None:
    assert resolved(path) is not None


@pytest.mark.parametrize("path", [path for path in PATHS if path.rpartition(".")[2].islower()])
def test_a_module_is_imported_by_its_whole_name_too(path: str) -> None:
    found = resolved(path)
    if isinstance(found, ModuleType):
        assert importlib.import_module(path) is found


@pytest.mark.parametrize(
    "statement",
    [
        "import azureml.core.experimnet",
        "from azureml.core import Wrokspace",
        "from azureml.core.run import Runn",
        "import azureml.trian",
        "from azureml.train.hyperdrive import RandomSampling",
        "import azureml.train.hyperdrive.samplers",
        "import azureml.pipelines",
        "from azureml.data import TabularDatset",
    ],
)
def test_a_misspelt_import_still_fails(statement: str) -> None:
    with pytest.raises(ImportError):
        exec(statement, {})


def test_the_version_can_be_printed() -> None:
    assert azureml.core.VERSION == azureml.core.__version__ == "1.61.0.post4"


def test_a_package_out_of_scope_is_reached_by_its_attributes_too() -> None:
    import azureml.pipeline.core
    import azureml.train.automl

    assert isinstance(azureml.train.automl.constants, ModuleType)
    assert isinstance(azureml.pipeline.core.Pipeline, type)


def test_everything_known_of_a_package_out_of_scope_comes_with_a_star() -> None:
    names: dict[str, Any] = {}

    exec("from azureml.pipeline.steps import *", names)

    assert {"PythonScriptStep", "HyperDriveStep", "ParallelRunStep"} <= set(names)


def test_run_is_imported_without_the_packages_out_of_scope_or_any_big_library() -> None:
    listed = subprocess.run(
        [sys.executable, "-c", "import sys; from azureml.core import Run; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert not {"azureml._out_of_scope", "numpy", "pandas", "httpx", "sublight.sdk"} & set(listed)


def test_the_limit_of_a_source_folder_is_raised_by_the_assignment_that_scripts_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SUBLIGHT_SNAPSHOT_LIMIT_MB", "300")
    import azureml._restclient.snapshots_client

    azureml._restclient.snapshots_client.SNAPSHOT_MAX_SIZE_BYTES = 1_000_000_000

    assert SnapshotLimits.from_environment(os.environ).bytes_max == 1_000_000_000
    assert azureml._restclient.snapshots_client.SNAPSHOT_MAX_SIZE_BYTES == 1_000_000_000
