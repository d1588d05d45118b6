from __future__ import annotations

from typing import Any

import pytest

from sublight.engines.base import Engine, EngineFailure, Handle, NodeRequest
from sublight.engines.fake import FakeEngine
from tests.contracts.engine_suite import EngineSuite, a_request


class TestFakeEngine(EngineSuite):
    @pytest.fixture
    def engine(self) -> FakeEngine:
        return FakeEngine()

    def wait_until_up(self, engine: Engine, request: NodeRequest, handle: Handle) -> None:
        """It is up at once."""

    def kill_agent(self, engine: FakeEngine, request: NodeRequest, handle: Handle) -> None:
        engine.kill_node(request.node_id)

    def leftovers(self, engine: FakeEngine, request: NodeRequest) -> list[Any]:
        return [node_id for node_id in engine.running if node_id == request.node_id]

    def another(self, engine: Engine) -> Engine:
        return engine


def test_a_node_comes_up_after_the_looks_that_the_test_wants(tmp_path):
    up: list[str] = []
    engine = FakeEngine(looks_before_up=2, on_up=lambda request: up.append(request.node_id))
    request = a_request(tmp_path)
    handle = engine.start_node(request)

    first = engine.list_nodes({request.node_id: handle})[request.node_id]
    assert (first.is_alive, first.note, up) == (True, "still starting", [])

    second = engine.list_nodes({request.node_id: handle})[request.node_id]
    assert (second.is_alive, second.note, up) == (True, "", [request.node_id])


def test_a_failure_is_raised_until_the_test_takes_it_back(tmp_path):
    engine = FakeEngine()
    engine.failure = "no machine is free"
    with pytest.raises(EngineFailure, match="no machine is free"):
        engine.start_node(a_request(tmp_path))

    engine.failure = None
    engine.start_node(a_request(tmp_path))
    assert engine.running == ["pool-ab12"]
    assert engine.calls == [("start_node", "pool-ab12"), ("start_node", "pool-ab12")]
