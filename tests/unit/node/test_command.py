from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sublight.core.errors import InvalidInput
from sublight.messages.definitions import SnapshotFile
from sublight.node.command import build_command
from tests.unit.node.fakes import an_order, settings_in

FILES = [SnapshotFile(path=path, sha256="0" * 64, size_bytes=1) for path in ("train.py", "src/deep.py")]
ORDER = an_order("run-1", FILES, ["{python}", "train.py", "--rate", "{python}"])


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for file in FILES:
        place = tmp_path / "run" / "work" / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    return tmp_path / "run"


def build(directory: Path, order=ORDER, inherited=None, built=None, **settings):
    inherited = inherited or {"PATH": "/bin"}
    return build_command(order, directory, settings_in(directory.parent, **settings), inherited, built)


def test_the_interpreter_is_filled_in_for_the_first_word_only(directory):
    command = build(directory)

    assert command.argv == [sys.executable, "train.py", "--rate", "{python}"]
    assert command.directory == directory / "work"


def test_a_line_runs_in_a_shell(directory):
    command = build(directory, replace(ORDER, argv=["{shell}", "-c", "echo {shell}"]))

    assert os.path.basename(command.argv[0]) in ("bash", "sh")
    assert command.argv[1:] == ["-c", "echo {shell}"]


def test_the_interpreters_folder_is_first_on_the_path(directory):
    assert build(directory).environment["PATH"] == f"{os.path.dirname(sys.executable)}:/bin"


def test_a_run_gets_its_share_of_threads_unless_the_user_says_otherwise(directory):
    order = replace(ORDER, environment_variables={"MKL_NUM_THREADS": "9"})
    environment = build(directory, order, {"PATH": "/bin", "OMP_NUM_THREADS": "64"}, threads=3).environment

    assert environment["OMP_NUM_THREADS"] == "3"
    assert environment["MKL_NUM_THREADS"] == "9"


@pytest.mark.parametrize(("share", "threads"), [(1, "8"), (2, "4"), (3, "2"), (16, "1")])
def test_runs_that_share_a_node_divide_its_threads(directory, share, threads):
    environment = build(directory, replace(ORDER, share=share), threads=8).environment

    assert environment["OMP_NUM_THREADS"] == threads


def test_nothing_of_the_agents_own_surroundings_is_inherited(directory):
    inherited = {"PATH": "/bin", "SUBLIGHT_TOKEN": "secret", "SUBLIGHT_PARENT_RUN_ID": "other", "HOME": "/home/me"}
    environment = build(directory, inherited=inherited).environment

    assert "secret" not in environment.values()
    assert "SUBLIGHT_PARENT_RUN_ID" not in environment
    assert environment["HOME"] == "/home/me"


def test_the_run_finds_itself_whatever_variables_the_user_sets(directory):
    order = replace(ORDER, parent_id="sweep-1", environment_variables={"SUBLIGHT_RUN_ID": "other"})
    environment = build(directory, order).environment

    assert environment["SUBLIGHT_RUN_ID"] == "run-1"
    assert environment["SUBLIGHT_ATTEMPT"] == "1"
    assert environment["SUBLIGHT_EXPERIMENT"] == "test"
    assert environment["SUBLIGHT_PARENT_RUN_ID"] == "sweep-1"
    assert environment["SUBLIGHT_RUN_DIRECTORY"] == str(directory)


def test_the_mark_names_node_run_and_attempt(directory):
    command = build(directory)

    assert set(command.mark) == {"SUBLIGHT_NODE_ID", "SUBLIGHT_NODE_DIRECTORY", "SUBLIGHT_RUN_ID", "SUBLIGHT_ATTEMPT"}
    assert command.mark.items() <= command.environment.items()


@pytest.mark.parametrize(("gpus", "visible"), [(0, ""), (1, None), (None, None)])
def test_a_node_without_gpus_hides_those_of_its_machine(directory, gpus, visible):
    assert build(directory, gpus=gpus).environment.get("CUDA_VISIBLE_DEVICES") == visible


@pytest.mark.parametrize(
    ("script", "advice"),
    [
        ("trian.py", "did you mean train.py?"),
        ("deep.py", "did you mean src/deep.py?"),
        ("zzz", "holds src/deep.py, train.py"),
    ],
)
def test_a_missing_script_is_named_with_near_ones(directory, script, advice):
    with pytest.raises(InvalidInput) as caught:
        build(directory, replace(ORDER, argv=["{python}", script]))

    assert advice in str(caught.value)


def test_a_module_needs_no_script(directory):
    assert build(directory, replace(ORDER, argv=["{python}", "-m", "pip"])).argv[1:] == ["-m", "pip"]


def test_another_environment_is_refused_by_name(directory):
    with pytest.raises(InvalidInput, match="got 'pytorch'"):
        build(directory, replace(ORDER, environment="pytorch"))


def test_a_run_finds_the_workspace_when_its_order_brings_a_token(directory):
    order = replace(ORDER, run_token="slr_1_r_0", environment_variables={"SUBLIGHT_URL": "http://elsewhere"})
    inherited = {"PATH": "/bin", "SUBLIGHT_TOKEN": "the agent's own"}

    environment = build(directory, order, inherited, url="http://127.0.0.1:8123").environment

    assert environment["SUBLIGHT_URL"] == "http://127.0.0.1:8123"
    assert environment["SUBLIGHT_TOKEN"] == "slr_1_r_0"


def test_a_run_without_a_token_finds_neither_address_nor_token(directory):
    order = replace(ORDER, environment_variables={"SUBLIGHT_URL": "http://elsewhere", "SUBLIGHT_TOKEN": "x"})

    environment = build(directory, order).environment

    assert not {"SUBLIGHT_URL", "SUBLIGHT_TOKEN"} & set(environment)
