"""A Script is checked when it is made, in sentences that say what is there."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from sublight.core.errors import InvalidInput
from sublight.messages.definitions import ScriptDefinition
from sublight.sdk.environment import Environment
from sublight.sdk.script import Script
from sublight.sdk.snapshot import pack


@pytest.fixture(autouse=True)
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "examples"
    (folder / "sub").mkdir(parents=True)
    (folder / "train.py").write_text("")
    (folder / "other.py").write_text("")
    (folder / "sub" / "deep.py").write_text("")
    monkeypatch.chdir(tmp_path)
    return folder


def test_a_script_becomes_its_message() -> None:
    script = Script("train.py", source="examples", arguments=["--epochs", 10, "--rate", 0.5, True], max_run_seconds=60)

    assert script.definition("snap") == ScriptDefinition(
        snapshot_id="snap",
        script="train.py",
        arguments=["--epochs", "10", "--rate", "0.5", "True"],
        max_run_seconds=60.0,
    )


def test_a_script_may_lie_deeper_in_its_source() -> None:
    assert Script("sub/deep.py", source="examples").script == "sub/deep.py"


def test_a_single_file_is_its_own_script() -> None:
    assert Script(source="examples/train.py").script == "train.py"


def test_a_command_takes_the_place_of_a_script() -> None:
    script = Script(command="python train.py --data ${{inputs.data}}", source="examples", inputs={"data": 3})

    script.check_placeholders()
    assert script.definition("s").inputs == {"data": "3"}


def test_a_script_remembers_its_source_when_the_working_directory_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = Script("train.py", source="examples")
    monkeypatch.chdir("/")

    assert pack(script.source).holds("train.py")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"source": "exmaples"}, r"there is no source 'exmaples' .*holds examples; did you mean 'examples'\?"),
        ({"script": "trian.py"}, r"there is no 'trian.py' in examples .*other.py, train.py; did you mean 'train.py'\?"),
        ({"script": "../x.py"}, "must lie inside the source folder examples"),
        ({"script": "/x.py"}, "must lie inside the source folder examples"),
        ({"script": 3}, "must be the path of a file"),
        ({"script": "other.py", "source": "examples/train.py"}, "is a single file, so the script is 'train.py'"),
        ({"script": None}, "either a script or a command, got neither"),
        ({"command": "x"}, "either a script or a command, got both"),
        ({"arguments": "--epochs 10"}, "arguments must be a list"),
        ({"arguments": ["--x", [1]]}, r"got \[1\] at position 1"),
        ({"arguments": ["--x", None]}, "got None at position 1"),
        ({"environment_variables": {"A-B": "1"}}, "letters, digits and '_' only, got 'A-B'"),
        ({"environment_variables": {"SUBLIGHT_RUN_ID": "1"}}, "belong to Sublight"),
        ({"max_run_seconds": 0}, "max_run_seconds must be a number of seconds above 0, got 0"),
        ({"max_run_seconds": math.nan}, "max_run_seconds"),
        ({"retries_max": -1}, "retries_max must be a whole number of 0 or more, got -1"),
    ],
)
def test_a_wrong_script_is_refused_in_a_sentence(arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        Script(**{"script": "train.py", "source": "examples", **arguments})  # type: ignore[arg-type]


def test_an_environment_that_is_no_file_is_refused_with_what_to_write() -> None:
    with pytest.raises(InvalidInput, match=r"'current' .* a requirements file .*got 'azureml:sklearn@latest'"):
        Script("train.py", source="examples", environment="azureml:sklearn@latest")


def test_a_script_takes_an_environment_or_the_file_of_one(source: Path) -> None:
    (source / "requirements.txt").write_text("numpy==1.23.5\n")
    from_file = Script("train.py", source="examples", environment=source / "requirements.txt").definition("s")
    given = Script("train.py", source="examples", environment=Environment(["numpy==1.23.5"], python="3.11"))

    assert (from_file.environment, from_file.environment_spec.requirements) == ("built", ["numpy==1.23.5"])
    assert given.definition("s").environment_spec.python == "3.11"
    assert Script("train.py", source="examples").definition("s").environment_spec is None


def test_a_placeholder_without_value_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"no such value; known are inputs.data"):
        Script(command="python train.py ${{inputs.dta}}", source="examples", inputs={"data": 1}).check_placeholders()


def test_a_script_that_the_ignore_rules_leave_out_is_named(source: Path) -> None:
    (source / ".amlignore").write_text("train.py\n")
    script = Script("train.py", source="examples")

    with pytest.raises(InvalidInput, match=r"ignore rules leave it out .*!/train.py"):
        script.check_packed(pack(script.source))


def test_what_the_interpreter_gets_and_what_is_kept_go_into_the_message() -> None:
    notes = {"lab": {"ids": (1, 2), "path": None}}
    script = Script(
        "train.py", source="examples", interpreter_arguments=["-m", "wrapper"], needs_workspace_access=True,
        annotations=notes,
    )  # fmt: skip
    notes["lab"]["ids"] = ()

    message = script.definition("snap")

    assert message.interpreter_arguments == ["-m", "wrapper"]
    assert message.needs_workspace_access
    assert message.annotations == {"lab": {"ids": [1, 2], "path": None}}


def test_arguments_of_the_interpreter_go_with_a_script() -> None:
    with pytest.raises(InvalidInput, match="interpreter_arguments go with a script"):
        Script(command="echo", source="examples", interpreter_arguments=["-u"])
    with pytest.raises(InvalidInput, match="interpreter_arguments must be a list"):
        Script("train.py", source="examples", interpreter_arguments="-u")


@pytest.mark.parametrize("annotations", [{"a": object()}, {"a": {1, 2}.__iter__}, {"a": "x" * 300_000}])
def test_annotations_are_what_json_can_hold_and_not_too_much(annotations: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match=r"annotations (must map names|may have 262,144 bytes)"):
        Script("train.py", source="examples", annotations=annotations)
