from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sublight.core.environment import (
    check_environment,
    environment_id,
    read_conda,
    read_requirements,
)
from sublight.core.errors import InvalidInput


@dataclass(frozen=True)
class Asked:
    name: str = "mine"
    python: str | None = None
    requirements: list[str] = field(default_factory=list)
    companions: list[str] = field(default_factory=list)
    is_relaxed: bool = False


def test_the_id_is_that_of_what_is_asked_for_and_not_of_its_name_or_order() -> None:
    one = environment_id(Asked(name="a", requirements=["numpy==1.2", "pandas"]))

    assert one == environment_id(Asked(name="b", requirements=["pandas", "numpy==1.2"]))
    assert one != environment_id(Asked(requirements=["pandas", "numpy==1.3"]))
    assert one != environment_id(Asked(requirements=["numpy==1.2", "pandas"], is_relaxed=True))
    assert one != environment_id(Asked(requirements=["numpy==1.2", "pandas"]), "another machine")


@given(st.lists(st.sampled_from(["numpy", "pandas==1.0", "scipy>=1", "joblib"]), unique=True).flatmap(st.permutations))
def test_the_order_of_requirements_never_matters(lines: list[str]) -> None:
    assert environment_id(Asked(requirements=lines)) == environment_id(Asked(requirements=sorted(lines)))


def test_requirements_are_read_as_pip_reads_them_and_what_has_no_effect_is_told() -> None:
    packages = read_requirements(
        [
            "# what we need",
            "numpy==1.18.5  # the old one",
            "",
            "--extra-index-url https://elsewhere/simple",
            "pandas==1.0 \\",
            "    --hash=sha256:abc",
            'dataclasses; python_version < "3.7"',
        ]
    )

    assert packages.requirements == ("numpy==1.18.5", "pandas==1.0", 'dataclasses; python_version < "3.7"')
    assert len(packages.notes) == 2
    assert "--extra-index-url" in packages.notes[0]


def test_a_conda_file_becomes_requirements_by_the_names_of_the_package_index() -> None:
    packages = read_conda(
        {
            "name": "project",
            "channels": ["conda-forge"],
            "dependencies": [
                "python=3.6.2",
                "conda-forge::numpy=1.18.5=py36_0",
                "pytorch=1.4",
                "scikit-learn 0.22.*",
                "scipy>=1.0,<2",
                "cudatoolkit=10.1",
                "matplotlib",
                {"pip": ["azureml-defaults", "joblib==0.14"]},
            ],
        }
    )

    assert packages.python == "3.6.2"
    assert packages.requirements == (
        "numpy==1.18.5",
        "torch==1.4.*",
        "scikit-learn==0.22.*",
        "scipy>=1.0,<2",
        "matplotlib",
        "azureml-defaults",
        "joblib==0.14",
    )
    assert any("channels" in note for note in packages.notes)
    assert any("cudatoolkit" in note for note in packages.notes)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (["numpy"], "must hold keys such as 'dependencies'"),
        ({"dependencies": [], "packages": []}, "'packages'"),
        ({"dependencies": [{"npm": ["left-pad"]}]}, "'pip:'"),
        ({"dependencies": ["!!!"]}, "'!!!'"),
    ],
)
def test_a_conda_file_that_is_none_is_refused_with_its_place(document: object, words: str) -> None:
    with pytest.raises(InvalidInput, match=r"conda\.yml") as error:
        read_conda(document, "conda.yml")

    assert words in str(error.value)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Asked(name=" "), "a name"),
        (Asked(python="three"), "a version like '3.11', got 'three'"),
        (Asked(requirements=["numpy==1", "a b c"]), "'a b c'"),
        (Asked(requirements=["git+https://example.org/x"]), "not from files and addresses"),
        (Asked(requirements=["./wheel.whl"]), "not from files and addresses"),
        (Asked(requirements=["-e ."]), "an option of pip"),
        (Asked(requirements=["numpy\nscipy"]), "one line"),
        (Asked(requirements=["numpy"] * 501), "at most 500"),
        (Asked(companions=["a b"], is_relaxed=True), "'a b'"),
    ],
)
def test_an_environment_that_makes_no_sense_is_refused_in_one_sentence(asked: Asked, words: str) -> None:
    with pytest.raises(InvalidInput) as error:
        check_environment(asked)

    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_what_cannot_be_met_is_left_out_later_when_pins_are_relaxed() -> None:
    check_environment(Asked(requirements=["git+https://example.org/x", "-e ."], is_relaxed=True))
