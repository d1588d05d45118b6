"""Which environment a submission asks for: the workspace's setting, the variable, what the description says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from azureml._submission import Prepared, prepare
from azureml.core import Environment, ScriptRunConfig, Workspace
from azureml.core.conda_dependencies import CondaDependencies
from azureml.exceptions import UserErrorException

OLD = {"pip_packages": ["azureml-defaults", "joblib==0.14"], "conda_packages": ["scikit-learn=0.22.2", "cudatoolkit"]}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "train.py").write_text("print('hello')\n")
    return tmp_path / "source"


def described(**packages: Any) -> Environment:
    environment = Environment("old")
    environment.python.conda_dependencies = CondaDependencies.create(**packages)
    return environment


def set_to(workspace: Workspace, setting: str) -> None:
    workspace._sdk._view = replace(workspace._sdk.details, environments=setting)


def prepared(workspace: Workspace, source: Path, environment: Environment | None) -> Prepared:
    return prepare(ScriptRunConfig(source, "train.py", environment=environment), workspace, "exp")


def notes(ready: Prepared) -> list[str]:
    return list(ready.script.annotations["azureml"]["notes"])


def test_a_new_workspace_runs_everything_with_the_python_that_is_there(ws: Workspace, source: Path) -> None:
    ready = prepared(ws, source, described(**OLD))

    assert ws._sdk.details.environments == "current"
    assert ready.script.environment is None
    assert "environment 'current'" in notes(ready)[0]


@pytest.mark.parametrize(("setting", "is_relaxed"), [("build", False), ("relax", True)])
def test_a_setting_lets_the_environment_be_built(ws: Workspace, source: Path, setting: str, is_relaxed: bool) -> None:
    set_to(ws, setting)
    ready = prepared(ws, source, described(**OLD, python_version="3.11"))

    assert ready.script.environment is not None
    spec = ready.script.environment.spec
    assert (spec.name, spec.python, spec.is_relaxed) == ("old", "3.11", is_relaxed)
    assert spec.requirements == ["azureml-defaults", "joblib==0.14", "scikit-learn==0.22.2"]
    assert "pandas" in spec.companions
    assert notes(ready)[0].startswith("This run has the environment 'old', built on its node")
    assert ready.warnings == []


def test_the_default_python_of_the_sdk_is_no_wish(ws: Workspace, source: Path) -> None:
    set_to(ws, "build")
    ready = prepared(ws, source, described(**OLD))

    assert ready.script.environment is not None
    assert ready.script.environment.spec.python is None
    assert any("was the default of the SDK" in note for note in notes(ready))


def test_a_variable_decides_for_the_submissions_of_a_program(
    ws: Workspace, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZUREML_FACADE_ENVIRONMENTS", "relax")
    assert prepared(ws, source, described(**OLD)).script.environment is not None

    set_to(ws, "build")
    monkeypatch.setenv("AZUREML_FACADE_ENVIRONMENTS", "current")
    assert prepared(ws, source, described(**OLD)).script.environment is None

    monkeypatch.setenv("AZUREML_FACADE_ENVIRONMENTS", "docker")
    with pytest.raises(UserErrorException, match="must be current, build or relax, got 'docker'"):
        prepared(ws, source, described(**OLD))


def test_what_names_no_packages_is_not_built(ws: Workspace, source: Path) -> None:
    set_to(ws, "build")
    image = Environment.from_docker_image("mine", "image:1")
    curated = Environment.get(ws, "AzureML-sklearn-0.24-ubuntu18.04-py37-cpu")

    for environment in (None, image, curated):
        ready = prepared(ws, source, environment)
        assert ready.script.environment is None
        assert "names no packages" in notes(ready)[0]


def test_a_list_that_cannot_be_built_is_a_user_error(ws: Workspace, source: Path) -> None:
    set_to(ws, "build")

    with pytest.raises(UserErrorException, match="not from files and addresses"):
        prepared(ws, source, described(pip_packages=["git+https://example.org/x"]))
