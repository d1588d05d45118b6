"""Lists of packages: what they start with, how they change, and that their files keep their comments."""

from __future__ import annotations

from pathlib import Path

import pytest

from azureml.core.conda_dependencies import CondaDependencies, package_name
from azureml.exceptions import UserErrorException


def test_the_constructor_and_create_start_with_different_pythons() -> None:
    made, created = CondaDependencies(), CondaDependencies.create()

    assert (made.get_python_version(), created.get_python_version()) == ("3.8.13", "3.10.18")
    assert list(made.pip_packages) == list(created.pip_packages) == ["azureml-defaults"]
    assert made.conda_channels == ["anaconda", "conda-forge"]


def test_create_takes_packages_instead_of_the_defaults() -> None:
    dependencies = CondaDependencies.create(
        pip_packages=["numpy==1.23.5", "azureml-sdk"], conda_packages=["scikit-learn=0.24"], python_version="3.7"
    )

    assert dependencies.pip_packages == ["numpy==1.23.5", "azureml-sdk"]
    assert dependencies.conda_packages == ["python=3.7", "scikit-learn=0.24"]
    assert CondaDependencies.create(pip_packages=[]).pip_packages == []


def test_adding_a_package_replaces_one_of_the_same_name() -> None:
    dependencies = CondaDependencies()
    dependencies.add_pip_package("scikit_learn==0.20")
    dependencies.add_pip_package("scikit-learn>=1")
    dependencies.add_conda_package("numpy=1.18")
    dependencies.add_conda_package("numpy")
    dependencies.add_conda_package("python=3.9")

    assert dependencies.pip_packages == ["azureml-defaults", "scikit-learn>=1"]
    assert dependencies.conda_packages == ["python=3.9", "numpy"]


def test_packages_are_removed_by_name_and_missing_ones_are_no_error() -> None:
    dependencies = CondaDependencies.create(pip_packages=["a==1", "b"], conda_packages=["c=2"])
    dependencies.remove_pip_package("a")
    dependencies.remove_pip_package("nothing")
    dependencies.remove_conda_package("c")

    assert dependencies.pip_packages == ["b"]
    assert dependencies.conda_packages == ["python=3.10.18"]


def test_options_of_pip_are_kept_apart_from_packages() -> None:
    dependencies = CondaDependencies.create(pip_indexurl="https://one.example/simple", pip_packages=["a"])
    dependencies.set_pip_index_url("https://two.example/simple")
    dependencies.set_pip_option("--pre")

    assert dependencies.pip_options == ["--pre", "--index-url https://two.example/simple"]
    assert dependencies.pip_packages == ["a"]
    dependencies.remove_pip_option("--index-url")
    assert dependencies.pip_options == ["--pre"]
    with pytest.raises(UserErrorException, match="begins with '-'"):
        dependencies.set_pip_option("pre")


def test_channels_are_added_once() -> None:
    dependencies = CondaDependencies()
    dependencies.add_channel("pytorch")
    dependencies.add_channel("pytorch")
    dependencies.remove_channel("anaconda")

    assert dependencies.conda_channels == ["conda-forge", "pytorch"]


def test_a_file_keeps_its_comments(tmp_path: Path) -> None:
    file = tmp_path / "env.yml"
    file.write_text("name: mine\n# ours\ndependencies:\n- python=3.6\n- pip:  # from PyPI\n  - numpy\n")

    dependencies = CondaDependencies(file)
    dependencies.add_pip_package("pandas")
    name = dependencies.save_to_file(tmp_path / "new", "copy.yml")

    text = (tmp_path / "new" / name).read_text()
    assert "# ours" in text
    assert "# from PyPI" in text
    assert CondaDependencies(tmp_path / "new/copy.yml").pip_packages == ["numpy", "pandas"]


def test_the_file_has_a_name_of_its_own_unless_one_is_given(tmp_path: Path) -> None:
    dependencies = CondaDependencies.create(conda_packages=["pandas"])

    assert dependencies.save_to_file(tmp_path) == "conda_dependencies.yml"
    assert (tmp_path / "conda_dependencies.yml").read_text() == dependencies.serialize_to_string()


def test_a_file_with_keys_that_are_unknown_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "env.yml"
    file.write_text("packages:\n- numpy\n")

    with pytest.raises(UserErrorException, match=r"env\.yml has the key 'packages'"):
        CondaDependencies(file)
    with pytest.raises(FileNotFoundError):
        CondaDependencies(tmp_path / "none.yml")
    file.write_text("dependencies:\n- a: b: c\n")
    with pytest.raises(UserErrorException, match="line 2"):
        CondaDependencies(file)


def test_the_same_as_a_dict() -> None:
    assert CondaDependencies.create(pip_packages=["a"]).as_dict() == {
        "name": "project_environment",
        "dependencies": ["python=3.10.18", {"pip": ["a"]}],
        "channels": ["anaconda", "conda-forge"],
    }
    assert CondaDependencies() == CondaDependencies()
    assert CondaDependencies().get_default_number_of_packages() == 2


def test_frameworks_have_their_own_methods() -> None:
    dependencies = CondaDependencies()
    dependencies.add_tensorflow_pip_package("gpu", "1.13.1")
    dependencies.add_tensorflow_conda_package(version="2.0")
    dependencies.add_cntk_package()

    assert dependencies.pip_packages == ["azureml-defaults", "tensorflow-gpu==1.13.1", "cntk"]
    assert dependencies.conda_packages[-1] == "tensorflow=2.0"
    with pytest.raises(UserErrorException, match="'cpu' or 'gpu'"):
        dependencies.add_cntk_package("tpu")


def test_requirements_of_one_package_are_merged() -> None:
    assert CondaDependencies.merge_requirements(["a>=1", "b[x]==2", "A<2", "b[x]==2"]) == ["a>=1,<2", "b[x]==2"]


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        ("Scikit_Learn>=0.20", "scikit-learn"),
        ("conda-forge::lightgbm=2.3", "lightgbm"),
        ("pkg[extra]==1", "pkg"),
        ("pkg @ https://example.com/pkg.whl", "pkg"),
        ("git+https://example.com/x.git#egg=thing", "thing"),
        ("https://example.com/pkg-1.0.whl", None),
        ("./wheels/own.whl", None),
        ("--index-url https://example.com", None),
    ],
)
def test_a_requirement_tells_its_package(requirement: str, name: str | None) -> None:
    assert package_name(requirement) == name
