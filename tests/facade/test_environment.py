"""Environments: how they are described, kept in folders and registered in a workspace."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from azureml.core import Environment, Workspace
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.container_registry import ContainerRegistry
from azureml.core.environment import (
    DEFAULT_CPU_IMAGE,
    DockerBuildContext,
    EnvironmentReference,
    packages_of,
)
from azureml.exceptions import UserErrorException
from sublight.sdk.errors import ServerUnavailable


@pytest.fixture
def workspace(ws: Workspace) -> Workspace:
    return ws


def pip_packages(environment: Environment) -> list[str]:
    assert environment.python.conda_dependencies is not None
    return environment.python.conda_dependencies.pip_packages


def test_a_new_environment_has_the_defaults_of_the_original() -> None:
    environment = Environment("mine")

    assert environment.version is None
    assert environment.docker.base_image == DEFAULT_CPU_IMAGE
    assert environment.environment_variables == {"EXAMPLE_ENV_VAR": "EXAMPLE_VALUE"}
    assert environment.python.conda_dependencies == CondaDependencies()
    with pytest.raises(TypeError):
        Environment(5)  # type: ignore[arg-type]


def test_files_of_conda_and_pip_give_the_packages(tmp_path: Path) -> None:
    (tmp_path / "env.yml").write_text("dependencies:\n- python=3.6\n- pip:\n  - numpy\n")
    (tmp_path / "requirements.txt").write_text("# ours\npandas==1.0  # old\n\nscipy\n")

    conda = Environment.from_conda_specification("a", tmp_path / "env.yml")
    pip = Environment.from_pip_requirements("b", tmp_path / "requirements.txt", pip_version="20.1")

    assert pip_packages(conda) == ["numpy"]
    assert pip_packages(pip) == ["pandas==1.0", "scipy"]
    assert packages_of(pip) == ["python=3.10.18", "pip=20.1", "pandas==1.0", "scipy"]
    with pytest.raises(FileNotFoundError):
        Environment.from_conda_specification("c", tmp_path / "none.yml")


def test_an_image_without_packages_is_the_users_own_matter(tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text("numpy\n")
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")

    bare = Environment.from_docker_image("a", "ours:1", container_registry=ContainerRegistry())
    filled = Environment.from_docker_image("b", "ours:1", pip_requirements=tmp_path / "r.txt")
    file = Environment.from_dockerfile("c", tmp_path / "Dockerfile")

    assert bare.python.user_managed_dependencies is True
    assert packages_of(bare) == []
    assert filled.python.user_managed_dependencies is False
    assert file.docker.base_dockerfile == "FROM scratch\n"
    assert file.docker.base_image is None
    with pytest.raises(UserErrorException, match="not both"):
        Environment.from_docker_image("d", "ours:1", conda_specification="x", pip_requirements="y")


def test_the_sources_of_an_image_exclude_one_another(caplog: pytest.LogCaptureFixture) -> None:
    environment = Environment("a")
    with caplog.at_level(logging.WARNING, "azureml"):
        environment.docker.base_image = "ours:1"
        environment.docker.base_dockerfile = "FROM scratch\nRUN true"
        environment.docker.build_context = DockerBuildContext("local", "/x")

    assert [record.message for record in caplog.records] == [
        "docker.base_dockerfile is set, so docker.base_image is cleared",
        "docker.build_context is set, so docker.base_dockerfile is cleared",
    ]
    assert (environment.docker.base_image, environment.docker.base_dockerfile) == (None, None)
    environment.docker.base_image = None
    assert environment.docker.build_context is not None


def test_a_build_context_is_a_small_folder_with_a_dockerfile(tmp_path: Path) -> None:
    with pytest.raises(UserErrorException, match="no folder"):
        DockerBuildContext.from_local_directory(None, tmp_path / "none")  # type: ignore[arg-type]
    with pytest.raises(UserErrorException, match="holds no Dockerfile"):
        DockerBuildContext.from_local_directory(None, tmp_path)  # type: ignore[arg-type]
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    context = DockerBuildContext.from_local_directory(None, tmp_path)  # type: ignore[arg-type]
    assert Environment.from_docker_build_context("a", context).docker.build_context is context
    (tmp_path / "large").write_bytes(bytes(1_100_000))
    with pytest.raises(UserErrorException, match="at most 100 files and 1 MB"):
        DockerBuildContext.from_local_directory(None, tmp_path)  # type: ignore[arg-type]


def test_a_clone_is_a_thing_of_its_own() -> None:
    environment = Environment("a")
    environment.version = "3"
    clone = environment.clone("b")
    assert clone.python.conda_dependencies is not None
    clone.python.conda_dependencies.add_pip_package("numpy")

    assert (clone.name, clone.version) == ("b", None)
    assert pip_packages(environment) == ["azureml-defaults"]


def test_a_folder_holds_an_environment(tmp_path: Path) -> None:
    environment = Environment("a")
    environment.docker.base_dockerfile = "FROM scratch\nRUN true\n"
    environment.environment_variables = {"A": "1"}
    environment.inferencing_stack_version = "latest"
    environment.save_to_directory(tmp_path / "env")
    loaded = Environment.load_from_directory(tmp_path / "env")

    assert sorted(file.name for file in (tmp_path / "env").iterdir()) == [
        "BaseDockerfile",
        "azureml_environment.json",
        "conda_dependencies.yml",
    ]
    assert repr(loaded) == repr(environment)
    with pytest.raises(UserErrorException, match="overwrite=True"):
        environment.save_to_directory(tmp_path / "env")
    environment.save_to_directory(tmp_path / "env", overwrite=True)
    with pytest.raises(UserErrorException, match=r"no azureml_environment\.json"):
        Environment.load_from_directory(tmp_path)


def test_registering_gives_versions_and_an_equal_one_is_no_new_version(workspace: Workspace) -> None:
    environment = Environment("mine")
    environment.docker.base_image_registry.password = "secret"
    first = environment.register(workspace)
    again = environment.register(workspace)
    assert environment.python.conda_dependencies is not None
    environment.python.conda_dependencies.add_pip_package("numpy")
    second = environment.register(workspace)

    assert [first.version, again.version, second.version, environment.version] == ["1", "1", "2", "2"]
    assert pip_packages(Environment.get(workspace, "mine")) == ["azureml-defaults", "numpy"]
    assert pip_packages(Environment.get(workspace, name="mine", version="1")) == ["azureml-defaults"]
    assert "secret" not in repr(Environment.get(workspace, "mine"))
    assert EnvironmentReference("mine", "1").get_environment(workspace).version == "1"


def test_what_is_not_there_is_said(workspace: Workspace) -> None:
    Environment("mine").register(workspace)

    with pytest.raises(UserErrorException, match="no environment 'yours'"):
        Environment.get(workspace, "yours")
    with pytest.raises(UserErrorException, match="environment 'mine' has no version 7"):
        Environment.get(workspace, "mine", version="7")
    with pytest.raises(UserErrorException, match="whole number"):
        Environment.get(workspace, "mine", version="Autosave_x")
    with pytest.raises(UserErrorException, match="not both"):
        Environment.get(workspace, "mine", version="1", label="a")


def test_the_list_has_the_newest_versions_and_the_curated_names(workspace: Workspace) -> None:
    Environment("mine").register(workspace)
    environments = Environment.list(workspace)

    assert environments["mine"].version == "1"
    assert "AzureML-Tutorial" in environments
    assert environments["azureml-acpt-pytorch-2.2-cuda12.1"].name == "azureml-acpt-pytorch-2.2-cuda12.1"
    with pytest.raises(KeyError):
        environments["yours"]


def test_a_list_of_environments_says_nothing_about_each(workspace: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    Environment.list(workspace)
    assert caplog.text == ""


def test_a_curated_environment_can_be_asked_for_and_cloned(workspace: Workspace) -> None:
    curated = Environment.get(workspace, "AzureML-sklearn-0.24-ubuntu18.04-py37-cpu")

    assert curated.version == "1"
    assert curated.clone("ours").register(workspace).version == "1"


def test_a_label_belongs_to_one_version(workspace: Workspace) -> None:
    environment = Environment("mine")
    environment.register(workspace)
    environment.inferencing_stack_version = "latest"
    environment.register(workspace)
    Environment.label(workspace, "mine", "1", ["good"])
    Environment.label(workspace, "mine", "2", ["good"])

    assert Environment.get(workspace, "mine", label="good").version == "2"
    assert Environment.get(workspace, "mine", label="Latest").version == "2"
    with pytest.raises(UserErrorException, match="no version of the environment 'mine' has the label 'bad'"):
        Environment.get(workspace, "mine", label="bad")


def test_building_says_that_nothing_is_built(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    build = Environment("mine").build(workspace)
    build.wait_for_completion(show_output=True)

    assert build.status == "Succeeded"
    assert capsys.readouterr().out == (
        "no image is needed for the environment 'mine': runs use the Python that is there (current), or their nodes build "
        "its packages, as the workspace's setting 'environments' says\n"
    )
    assert Environment("mine").get_image_details(workspace).image_exist is False
    with pytest.raises(UserErrorException, match="add_private_pip_wheel"):
        Environment.add_private_pip_wheel(workspace, "x.whl")


def test_a_server_that_is_away_is_told_in_the_words_of_v1(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise ServerUnavailable("the server does not answer")

    monkeypatch.setattr(workspace._sdk.client, "get", away)
    for ask in (
        lambda: workspace.environments,
        lambda: Environment.get(workspace, "mine"),
        lambda: Environment("mine").register(workspace),
    ):
        with pytest.raises(UserErrorException, match="does not answer"):
            ask()
