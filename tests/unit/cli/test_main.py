"""The command line as a whole: help, exit codes, and a light start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer

from sublight import wiring
from sublight.cli.main import SECTIONS, app
from sublight.messages.people import WorkspaceView
from sublight.sdk.workspace import Workspace
from tests.unit.cli.conftest import Sublight
from tests.unit.sdk.fake_server import FakeServer, a_cluster

COMMANDS: list[tuple[str, ...]] = []


def _collect(group: object, path: tuple[str, ...]) -> None:
    commands = getattr(group, "commands", None)
    if commands is None:
        COMMANDS.append(path)
        return
    for name, command in commands.items():
        _collect(command, (*path, name))


_collect(typer.main.get_command(app), ())


def test_every_command_stands_in_a_section_of_the_help() -> None:
    named = [name for names in SECTIONS.values() for name in names]

    assert sorted(named) == sorted({path[0] for path in COMMANDS})


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(sublight: Sublight, path: tuple[str, ...]) -> None:
    outcome = sublight(*path, "--help")

    assert outcome.code == 0
    assert f"Example:\n    sublight {' '.join(path)}" in outcome.out


@pytest.mark.parametrize("path", [path for path in COMMANDS if path != ("serve",)], ids=" ".join)
def test_every_command_can_print_json(sublight: Sublight, path: tuple[str, ...]) -> None:
    assert "--json" in sublight(*path, "--help").out


def test_without_a_command_the_help_is_shown(sublight: Sublight) -> None:
    outcome = sublight()

    assert "Start and submit:" in outcome.out + outcome.err


def test_a_command_that_does_not_exist_is_refused_with_the_nearest(sublight: Sublight) -> None:
    outcome = sublight("submt")

    assert outcome.code == 2
    assert "submit" in outcome.err


def test_an_option_that_does_not_exist_is_refused(sublight: Sublight) -> None:
    assert sublight("run", "list", "--statuss", "x").code == 2


def test_the_version_is_printed(sublight: Sublight) -> None:
    assert sublight("--version").out.startswith("sublight 0.")


def test_help_loads_nothing_heavy() -> None:
    heavy = ["rich", "httpx", "pydantic", "fastapi", "sqlalchemy", "optuna", "numpy", "yaml", "sublight.sdk.workspace"]
    text = (
        "import sys\nfrom sublight.cli.main import main\nsys.argv = ['sublight', '--help']\ncode = main()\n"
        f"loaded = [name for name in {heavy!r} if name in sys.modules]\nsys.exit(f'loaded {{loaded}}' if loaded else code)"
    )

    outcome = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)

    assert outcome.returncode == 0, outcome.stderr


def test_an_unexpected_error_is_one_line_that_says_how_to_see_more(
    sublight: Sublight, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: object = None) -> Workspace:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(Workspace, "from_config", broken)

    outcome = sublight("run", "list")
    assert (outcome.code, outcome.err) == (
        1,
        "sublight: unexpected ZeroDivisionError: oh (SUBLIGHT_DEBUG=1 shows where)\n",
    )

    monkeypatch.setenv("SUBLIGHT_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        sublight("run", "list")


def test_status_and_stop_of_a_project_without_server_start_none(sublight: Sublight, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()

    status = sublight("-C", str(tmp_path), "status")
    stop = sublight("-C", str(tmp_path), "stop")

    assert (status.code, status.out) == (1, f"no server is running for {tmp_path}; start it with: sublight up\n")
    assert (stop.code, stop.out) == (0, f"no server is running for {tmp_path}\n")
    assert not (tmp_path / ".sublight").exists()


@pytest.mark.parametrize(
    ("active", "sentence"),
    [
        (0, ""),
        (
            1,
            "1 run on its nodes goes on for 1 min 00 s without the server; if it is not back by then, it is stopped, and starts",
        ),
        (
            3,
            "3 runs on its nodes go on for 1 min 00 s without the server; if it is not back by then, they are stopped, and",
        ),
    ],
)
def test_stop_says_for_how_long_runs_go_on_without_the_server(
    server: FakeServer, sublight: Sublight, monkeypatch: pytest.MonkeyPatch, active: int, sentence: str
) -> None:
    workspace = WorkspaceView(id="w", name="lab", version="0", caller="owner", roles=["owner"], started=1.0)
    server.on("GET", "/api/v1/workspace", workspace).on("POST", "/api/v1/shutdown", {"status": "stopping"})
    server.on("GET", "/api/v1/clusters", [a_cluster(active_runs=active)])
    monkeypatch.setattr("sublight.cli.server._written", lambda _context: (Path("/lab"), object()))
    monkeypatch.setattr("sublight.cli.server._is_announced", lambda _project, _server: False)
    monkeypatch.setattr("sublight.sdk.discovery.is_answering", lambda _server: False)

    outcome = sublight("stop")

    first, _, second = outcome.out.partition("\n")
    assert (outcome.code, first) == (0, "the server of /lab has stopped; start it again with: sublight up")
    assert second.startswith(sentence) if sentence else second == ""


def test_stop_leaves_a_server_elsewhere_alone(sublight: Sublight, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBLIGHT_URL", "http://lab:1")
    monkeypatch.setenv("SUBLIGHT_TOKEN", "t")

    outcome = sublight("stop")

    assert outcome.code == 2
    assert "a project's own server only" in outcome.err


def test_serve_runs_the_server_of_the_project(
    sublight: Sublight, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    called: list[tuple[Path, int | None]] = []
    monkeypatch.setattr(wiring, "serve", lambda project, port: called.append((project, port)) or 7)

    assert sublight("-C", str(tmp_path), "serve", "--port", "8712").code == 7
    assert called == [(tmp_path, 8712)]
