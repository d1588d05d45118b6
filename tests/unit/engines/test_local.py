from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sublight.engines.base import Engine, EngineFailure, Handle, NodeRequest
from sublight.engines.local import LocalEngine, agent_settings, node_threads
from sublight.host.nodes import node_mark
from sublight.host.processes import kill_until_gone, marked_processes, process_stat
from tests.contracts.engine_suite import ASize, EngineSuite, a_request
from tests.process.scripted_server import eventually

STUB = [sys.executable, str(Path(__file__).with_name("stub_agent.py"))]


class TestLocalEngine(EngineSuite):
    @pytest.fixture
    def engine(self, tmp_path: Path) -> Iterator[LocalEngine]:
        engine = LocalEngine(agent_command=STUB)
        yield engine
        for directory in (tmp_path / "nodes").glob("*"):
            mark = node_mark(directory.name, directory)
            kill_until_gone(lambda mark=mark: marked_processes(mark), 10)
        engine.list_nodes({})

    def wait_until_up(self, engine: Engine, request: NodeRequest, handle: Handle) -> None:
        assert eventually((request.directory / "up").exists)

    def kill_agent(self, engine: Engine, request: NodeRequest, handle: Handle) -> None:
        os.kill(handle["pid"], signal.SIGKILL)
        assert eventually(lambda: not is_alive(handle["pid"]))

    def leftovers(self, engine: Engine, request: NodeRequest) -> list[Any]:
        return marked_processes(node_mark(request.node_id, request.directory))

    def another(self, engine: Engine) -> Engine:
        return LocalEngine(agent_command=STUB)

    def start(self, engine: Engine, request: NodeRequest) -> Handle:
        (request.directory / "up").unlink(missing_ok=True)
        return super().start(engine, request)

    def test_settings_and_folder_are_readable_by_the_user_only(self, engine, tmp_path):
        request = a_request(tmp_path)
        self.start(engine, request)

        assert request.directory.stat().st_mode & 0o777 == 0o700
        assert (request.directory / "agent.json").stat().st_mode & 0o777 == 0o600

    def test_the_agent_gets_no_token_of_the_server_by_its_environment(self, engine, tmp_path, monkeypatch):
        monkeypatch.setenv("SUBLIGHT_TOKEN", "canary")
        request = a_request(tmp_path)
        self.start(engine, request)

        assert (request.directory / "up").read_text().endswith("\nNone")

    def test_an_ended_agent_does_not_stay_a_zombie_and_its_exit_code_is_told(self, engine, tmp_path):
        request = a_request(tmp_path)
        handle = self.start(engine, request)
        self.kill_agent(engine, request, handle)

        note = self.look(engine, request, handle).note

        assert note == f"its agent (process {handle['pid']}) has ended with exit code -9"
        assert process_stat(handle["pid"]) is None

    def test_an_agent_that_ignores_sigterm_is_killed(self, tmp_path):
        engine = LocalEngine(agent_command=[*STUB, "--ignore-sigterm"], stop_seconds=0.2)
        request = a_request(tmp_path)
        handle = self.start(engine, request)
        engine.stop_node(request.node_id, handle)

        assert self.leftovers(engine, request) == []

    def test_another_process_with_the_number_of_the_agent_is_neither_alive_nor_killed(self, engine, tmp_path):
        with subprocess.Popen(["sleep", "300"], stdin=subprocess.DEVNULL) as bystander:
            stat = process_stat(bystander.pid)
            assert stat is not None
            handle = {
                "pid": bystander.pid,
                "started": stat.started - 1,
                "boot": "",
                "directory": str(tmp_path / "gone"),
            }
            assert not engine.list_nodes({"pool-ab12": handle})["pool-ab12"].is_alive
            engine.stop_node("pool-ab12", handle)

            assert bystander.poll() is None
            bystander.kill()

    def test_a_handle_of_an_earlier_boot_is_dead(self, engine, tmp_path):
        request = a_request(tmp_path)
        handle = self.start(engine, request)

        assert not self.look(engine, request, {**handle, "boot": "earlier"}).is_alive


def test_a_command_that_does_not_exist_is_a_failure_with_the_nodes_name(tmp_path):
    engine = LocalEngine(agent_command=["/nowhere/python"])

    with pytest.raises(EngineFailure, match="the agent of node pool-ab12 could not be started"):
        engine.start_node(a_request(tmp_path))


@pytest.mark.parametrize(
    ("cores", "nodes_max", "host_cores", "threads"),
    [
        (4, 4, 2, 1),  # four nodes of four cores on a laptop of two
        (4, 2, 16, 4),  # never more than the node's size
        (4, 4, 8, 2),
        (8, 1, 8, 8),
        (1, 100, 2, 1),
    ],
)
def test_threads_of_a_node_are_a_share_of_the_host(tmp_path, cores, nodes_max, host_cores, threads):
    request = a_request(tmp_path, size=ASize(cores=cores), nodes_max=nodes_max)

    assert node_threads(request, host_cores) == threads


@pytest.mark.parametrize(
    ("nodes_max", "gpus", "note"),
    [
        (4, 0, "4 logical nodes share this host's 2 cores; each has 1 thread for its runs"),
        (4, 1, "4 logical nodes share this host's 2 cores; each has 1 thread for its runs, and all use the same 1 GPU"),
        (1, 1, "a node on this host of 2 cores; its runs share 2 threads"),
    ],
)
def test_the_note_says_honestly_what_is_shared(tmp_path, monkeypatch, nodes_max, gpus, note):
    monkeypatch.setattr("sublight.engines.local.cores_count", lambda: 2)
    monkeypatch.setattr("sublight.engines.local.gpus_count", lambda: 1)
    request = a_request(tmp_path, nodes_max=nodes_max, size=ASize(cores=4, gpus=gpus))

    assert agent_settings(request)["note"] == note


def test_the_settings_are_plain_json(tmp_path):
    settings = agent_settings(a_request(tmp_path, server_file=tmp_path / "server.json"))

    assert json.loads(json.dumps(settings)) == settings
    assert settings["server_file"] == str(tmp_path / "server.json")


def is_alive(pid: int) -> bool:
    stat = process_stat(pid)
    return stat is not None and stat.is_alive
