"""What every engine must do. An engine's tests inherit `EngineSuite` and say how its nodes are looked at."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sublight.engines.base import Engine, Handle, NodeLiveness, NodeRequest


@dataclass(frozen=True)
class ASize:
    """A size of node, for requests."""

    name: str = "STANDARD_D3_V2"
    cores: int = 4
    memory_bytes: int = 14 * 2**30
    gpus: int = 0


def a_request(directory: Path, node_id: str = "pool-ab12", **values: Any) -> NodeRequest:
    """A request with the usual values."""
    usual: dict[str, Any] = {
        "node_id": node_id,
        "cluster": "pool",
        "size": ASize(),
        "directory": directory / "nodes" / node_id,
        "token": "node-token",
        "url": "http://127.0.0.1:1",
        "nodes_max": 4,
    }
    return NodeRequest(**(usual | values))


class EngineSuite:
    """Inherit, and provide the fixture ``engine`` and the methods that raise NotImplementedError here."""

    def wait_until_up(self, engine: Engine, request: NodeRequest, handle: Handle) -> None:
        """Return when the node's agent and the processes of its runs are up."""
        raise NotImplementedError

    def kill_agent(self, engine: Engine, request: NodeRequest, handle: Handle) -> None:
        """End the node's agent, and nothing but the agent, behind the engine's back."""
        raise NotImplementedError

    def leftovers(self, engine: Engine, request: NodeRequest) -> list[Any]:
        """What is left of the node: its agent, processes of its runs."""
        raise NotImplementedError

    def another(self, engine: Engine) -> Engine:
        """The engine as a later server process has it: made anew, or the same one where it keeps no nodes."""
        raise NotImplementedError

    def start(self, engine: Engine, request: NodeRequest) -> Handle:
        handle = engine.start_node(request)
        self.wait_until_up(engine, request, handle)
        return handle

    def look(self, engine: Engine, request: NodeRequest, handle: Handle) -> NodeLiveness:
        return engine.list_nodes({request.node_id: handle})[request.node_id]

    def test_a_handle_is_plain_data(self, engine: Engine, tmp_path: Path) -> None:
        handle = self.start(engine, a_request(tmp_path))

        assert json.loads(json.dumps(handle)) == handle

    def test_a_started_node_is_alive_until_it_is_stopped(self, engine: Engine, tmp_path: Path) -> None:
        request = a_request(tmp_path)
        handle = self.start(engine, request)
        assert self.look(engine, request, handle).is_alive

        engine.stop_node(request.node_id, handle)

        assert not self.look(engine, request, handle).is_alive
        assert self.leftovers(engine, request) == []

    def test_each_node_is_answered_by_its_id(self, engine: Engine, tmp_path: Path) -> None:
        first, second = a_request(tmp_path, "pool-aaaa"), a_request(tmp_path, "pool-bbbb")
        handles = {request.node_id: self.start(engine, request) for request in (first, second)}
        engine.stop_node("pool-aaaa", handles["pool-aaaa"])

        found = engine.list_nodes(handles)

        assert {node_id: life.is_alive for node_id, life in found.items()} == {"pool-aaaa": False, "pool-bbbb": True}

    def test_a_node_whose_agent_died_is_found_dead_with_a_sentence(self, engine: Engine, tmp_path: Path) -> None:
        request = a_request(tmp_path)
        handle = self.start(engine, request)
        self.kill_agent(engine, request, handle)

        life = self.look(engine, request, handle)

        assert not life.is_alive
        assert life.note

    def test_stopping_a_node_whose_agent_died_ends_what_it_left(self, engine: Engine, tmp_path: Path) -> None:
        request = a_request(tmp_path)
        handle = self.start(engine, request)
        self.kill_agent(engine, request, handle)
        engine.stop_node(request.node_id, handle)

        assert self.leftovers(engine, request) == []

    def test_stopping_twice_is_silent(self, engine: Engine, tmp_path: Path) -> None:
        request = a_request(tmp_path)
        handle = self.start(engine, request)
        engine.stop_node(request.node_id, handle)
        engine.stop_node(request.node_id, handle)

        assert not self.look(engine, request, handle).is_alive

    @pytest.mark.parametrize("handle", [{}, {"pid": 2**22 + 1, "started": 1.0}, {"pid": "x"}, {"other": [1]}])
    def test_a_handle_that_leads_nowhere_is_a_dead_node_and_no_error(self, engine: Engine, handle: Handle) -> None:
        assert not engine.list_nodes({"pool-zzzz": handle})["pool-zzzz"].is_alive

        engine.stop_node("pool-zzzz", handle)

    def test_a_later_server_process_finds_and_stops_the_node(self, engine: Engine, tmp_path: Path) -> None:
        request = a_request(tmp_path)
        stored = json.dumps(self.start(engine, request))
        later = self.another(engine)

        assert self.look(later, request, json.loads(stored)).is_alive
        later.stop_node(request.node_id, json.loads(stored))
        assert self.leftovers(later, request) == []

    def test_starting_a_node_again_replaces_it(self, engine: Engine, tmp_path: Path) -> None:
        request = a_request(tmp_path)
        self.start(engine, request)
        second = self.start(self.another(engine), request)

        assert self.look(engine, request, second).is_alive
        engine.stop_node(request.node_id, second)
        assert self.leftovers(engine, request) == []

    def test_a_size_without_gpus_is_always_possible(self, engine: Engine) -> None:
        assert engine.check_size(ASize()) is None

    def test_a_size_with_more_gpus_than_there_are_is_refused_in_a_sentence(self, engine: Engine) -> None:
        problem = engine.check_size(ASize(name="STANDARD_NC1000", gpus=1000))

        assert problem is not None
        assert problem.startswith("size STANDARD_NC1000 needs 1,000 GPUs")
