from __future__ import annotations

from pathlib import Path

import pytest

from sublight import Environment
from sublight.core.errors import InvalidInput
from sublight.sdk.environment import environment_of


def test_a_requirements_file_is_read_with_the_files_that_it_includes(tmp_path: Path) -> None:
    (tmp_path / "base.txt").write_text("numpy==1.23.5\n")
    (tmp_path / "requirements.txt").write_text("-r base.txt\npandas  # for tables\n--pre\n")

    environment = Environment.from_file(tmp_path / "requirements.txt")

    assert environment.spec.requirements == ["numpy==1.23.5", "pandas"]
    assert (environment.name, environment.spec.is_relaxed) == ("requirements", False)
    assert "--pre" in environment.spec.notes[0]


def test_a_conda_file_gives_its_name_python_and_packages(tmp_path: Path) -> None:
    file = tmp_path / "conda.yml"
    file.write_text("name: old\ndependencies:\n- python=3.8\n- pytorch=1.4\n- pip:\n  - joblib==0.14\n")

    environment = Environment.from_file(file, relax_pins=True)

    assert (environment.name, environment.spec.python) == ("old", "3.8")
    assert environment.spec.requirements == ["torch==1.4.*", "joblib==0.14"]
    assert environment.spec.is_relaxed


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"requirement.txt": ""}, "did you mean 'requirement.txt'"),
        ({"requirements.txt": "-r more.txt"}, "a file that is not there: -r more.txt"),
        ({"requirements.txt": "-r requirements.txt"}, "includes itself"),
        ({"requirements.txt": "-c limits.txt"}, "constraints"),
        ({"requirements.txt": "a b c"}, "'a b c'"),
        ({"requirements.txt": "-e ."}, "an option of pip"),
    ],
)
def test_a_wrong_file_is_refused_in_a_sentence(tmp_path: Path, files: dict[str, str], words: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    with pytest.raises(InvalidInput) as error:
        Environment.from_file(tmp_path / "requirements.txt")

    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"requirements": "numpy"}, "a list like"),
        ({"requirements": [1]}, "a list like"),
        ({"python": 3.11}, "in quotes"),
        ({"python": "three"}, "a version like '3.11'"),
        ({"python": "3.6"}, "need 3.8 or newer"),
        ({"name": ""}, "needs a name"),
    ],
)
def test_a_wrong_environment_is_refused_in_a_sentence(values: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        Environment(**values)  # type: ignore[arg-type]


def test_a_file_that_is_no_conda_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "conda.yml").write_text("dependencies: [")

    with pytest.raises(InvalidInput, match=r"conda\.yml cannot be read as a conda file"):
        Environment.from_file(tmp_path / "conda.yml")


def test_relaxing_the_current_environment_is_refused() -> None:
    with pytest.raises(InvalidInput, match="goes with an environment to build"):
        environment_of("current", relax_pins=True)


def test_relaxing_keeps_the_rest() -> None:
    relaxed = environment_of(
        Environment(["numpy==1"], python="3.11", name="mine", companions=["msgspec"]), relax_pins=True
    )

    assert relaxed is not None
    assert (relaxed.spec.requirements, relaxed.spec.python, relaxed.name) == (["numpy==1"], "3.11", "mine")
    assert relaxed.spec.is_relaxed
