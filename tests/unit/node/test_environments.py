"""Where environments lie, who waits for whom, and what a script sees of them. Nothing is built here."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from sublight.core.resolution import CannotBuild
from sublight.messages.definitions import EnvironmentSpec
from sublight.node import environments
from sublight.node.environment_build import Request
from sublight.node.environment_folder import EnvironmentFolder, Facts, tidy
from sublight.node.environments import BuiltEnvironment, provide
from sublight.node.states import End, Phase
from sublight.node.uv import uv_environment
from sublight.node.workspace import Unpacking
from tests.unit.node.fakes import World, an_order, settings_in
from tests.unit.node.test_command import FILES, ORDER, build, directory  # noqa: F401  # a fixture

SPEC = EnvironmentSpec(name="mine", requirements=["joblib==1.3.2"])
SLEEP = replace(an_order("run-1", [], ["{shell}", "-c", "sleep 1"]), environment="built", environment_spec=SPEC)


def facts(size_bytes: int = 10, changes: tuple[str, ...] = ()) -> Facts:
    packages = {"joblib": "1.3.2"}
    return Facts(
        name="mine",
        python="3.11.7",
        packages=packages,
        changes=list(changes),
        notes=[],
        size_bytes=size_bytes,
        seconds=1.0,
        built=0.0,
    )


def ready(root: Path, key: str, *, size_bytes: int = 10, used: float = 0.0) -> EnvironmentFolder:
    folder = EnvironmentFolder(root, key)
    folder.path.mkdir(parents=True)
    folder.finish(facts(size_bytes))
    os.utime(folder.path / "ready.json", (used, used))
    return folder


def built_in(root: Path) -> BuiltEnvironment:
    folder = ready(root, "a" * 64)
    lock = folder.try_lock(is_exclusive=False)
    assert lock is not None
    return BuiltEnvironment(folder, facts(), root / "packages", lock)


@pytest.fixture
def builder(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """Builds at once, by writing down that it is ready."""
    requests: list[Request] = []

    def pretend(request: Request, _mark: object, progress: object, _is_stopped: object) -> bool:
        requests.append(request)
        progress("building environment mine: installing 1 package")  # type: ignore[operator]
        ready(Path(request.root), request.key)
        return True

    monkeypatch.setattr(environments, "_build", pretend)
    return requests


def provide_in(node: Path, **values: object) -> BuiltEnvironment:
    (node / "run").mkdir(parents=True, exist_ok=True)
    usual = {"needs_client": False, "bytes_max": 1_000_000, "progress": lambda _: None, "is_stopped": lambda: False}
    return provide(SPEC, settings_in(node), node / "run", **{**usual, **values})  # type: ignore[arg-type]


# -- the folder --------------------------------------------------------------------------------------------------------


def test_an_environment_is_not_there_before_it_is_ready(tmp_path: Path) -> None:
    folder = EnvironmentFolder(tmp_path, "a" * 64)
    (folder.path / "bin").mkdir(parents=True)
    assert folder.facts() is None

    folder.finish(facts())
    assert folder.facts() == facts()


def test_what_was_used_longest_ago_is_removed_for_want_of_room(tmp_path: Path) -> None:
    folders = [
        ready(tmp_path, letter * 64, size_bytes=10, used=used) for letter, used in (("a", 3), ("b", 1), ("c", 2))
    ]

    tidy(tmp_path, 15, spare="d" * 64)

    assert [folder.facts() is not None for folder in folders] == [True, False, False]


def test_what_a_script_runs_in_is_never_removed(tmp_path: Path) -> None:
    built = built_in(tmp_path)
    tidy(tmp_path, 0, spare="")
    assert built.folder.facts() is not None

    built.release()
    tidy(tmp_path, 0, spare="")
    assert built.folder.facts() is None


def test_what_was_left_half_built_is_removed(tmp_path: Path) -> None:
    (tmp_path / ("a" * 64) / "bin").mkdir(parents=True)

    tidy(tmp_path, 1_000_000, spare="")

    assert not (tmp_path / ("a" * 64)).exists()


# -- providing ---------------------------------------------------------------------------------------------------------


def test_an_environment_is_built_once_for_all_nodes_of_a_workspace(tmp_path: Path, builder: list[Request]) -> None:
    first = provide_in(tmp_path / "n1")
    second = provide_in(tmp_path / "n2")

    assert len(builder) == 1
    assert first.python == second.python
    log = (tmp_path / "n2" / "run" / "environment_log").read_text()
    assert "used again" in log
    assert "joblib 1.3.2" in log


def test_a_script_that_reaches_the_workspace_has_an_environment_of_its_own(
    tmp_path: Path, builder: list[Request]
) -> None:
    provide_in(tmp_path / "n1")
    provide_in(tmp_path / "n1", needs_client=True)

    assert [request.needs_client for request in builder] == [False, True]


def test_a_stopped_run_does_not_wait_for_the_build_of_another(tmp_path: Path, builder: list[Request]) -> None:
    held = provide_in(tmp_path / "n1")
    held.release()
    lock = held.folder.try_lock(is_exclusive=True)
    assert lock is not None
    said: list[str] = []

    with pytest.raises(Unpacking, match="was stopped"):
        provide_in(tmp_path / "n1", progress=said.append, is_stopped=lambda: bool(said))

    os.close(lock)
    assert said == ["waits for environment mine, which is being built for another run"]


def test_our_packages_and_no_others_lie_in_the_folder_that_scripts_import_from(
    tmp_path: Path, builder: list[Request]
) -> None:
    packages = provide_in(tmp_path / "n1").packages

    assert sorted(entry.name for entry in packages.iterdir()) == ["azureml", "sublight"]
    assert (packages / "sublight" / "__init__.py").is_file()


# -- the attempt -------------------------------------------------------------------------------------------------------


def test_a_run_tells_what_is_built_for_it_and_then_runs_in_it(tmp_path: Path, builder: list[Request]) -> None:
    world = World(tmp_path / "nodes" / "n1")
    seen: list[tuple[Phase, str]] = []
    world.around.changed = lambda: seen.append((attempt().state.phase, attempt().state.message))

    def attempt():
        return world.executor.attempts[("run-1", 1)]

    world.order(SLEEP)

    # With the carrier of these tests, which does its job at once, the word of the build comes last.
    assert (Phase.RUNNING, "") in seen
    assert world.launcher.commands[0].environment["VIRTUAL_ENV"].endswith(builder[0].key)


def test_a_run_whose_environment_cannot_be_built_fails_with_the_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> bool:
        raise CannotBuild("the environment 'mine' cannot be built: joblib 1.3.2 has no wheel")

    monkeypatch.setattr(environments, "_build", refuse)
    world = World(tmp_path / "nodes" / "n1")
    world.order(SLEEP)

    state = world.executor.attempts[("run-1", 1)].state
    assert (state.end, state.message) == (
        End.FAILED_TO_START,
        "the environment 'mine' cannot be built: joblib 1.3.2 has no wheel",
    )


def test_an_environment_is_held_until_its_script_has_ended(tmp_path: Path, builder: list[Request]) -> None:
    world = World(tmp_path / "nodes" / "n1")
    world.order(SLEEP)
    folder = EnvironmentFolder(Path(builder[0].root), builder[0].key)
    assert folder.try_lock(is_exclusive=True) is None

    world.end_main(0)
    lock = folder.try_lock(is_exclusive=True)
    assert lock is not None
    os.close(lock)


# -- what the script sees ----------------------------------------------------------------------------------------------


def test_a_script_in_its_own_environment_sees_nothing_of_the_agents(directory: Path, tmp_path: Path) -> None:  # noqa: F811
    built = built_in(tmp_path / "environments")
    order = replace(ORDER, environment="built", environment_variables={"PYTHONPATH": "/mine"})
    inherited = {"PATH": "/bin", "PYTHONPATH": "/servers", "PYTHONHOME": "/servers", "CONDA_PREFIX": "/c"}
    command = build(directory, order, inherited, built=built)

    assert FILES
    assert command.argv[0] == built.python
    assert command.environment["PYTHONPATH"] == f"{built.packages}:/mine"
    assert command.environment["PATH"].split(":")[0] == os.path.dirname(built.python)
    assert not {"PYTHONHOME", "CONDA_PREFIX"} & set(command.environment)


def test_settings_of_pip_are_told_to_uv_where_it_has_none_of_its_own() -> None:
    environment = uv_environment({"PIP_FIND_LINKS": "/a /b", "PIP_INDEX_URL": "https://x", "VIRTUAL_ENV": "/v"})

    assert environment["UV_FIND_LINKS"] == "/a,/b"
    assert environment["UV_DEFAULT_INDEX"] == "https://x"
    assert "VIRTUAL_ENV" not in environment
    assert (
        uv_environment({"PIP_INDEX_URL": "https://x", "UV_DEFAULT_INDEX": "https://y"})["UV_DEFAULT_INDEX"]
        == "https://y"
    )
