"""What the server's own absence costs a run: another attempt, and none of its retries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.harness import FakeAgent, Harness

LAPSED = "the lease lapsed: the node had no word from the server for too long"


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    made = Harness(tmp_path / ".sublight")
    made.cluster(max_nodes=1)
    yield made
    made.close()


def placed(harness: Harness) -> FakeAgent:
    """The agent of the only node, once the run is on it."""
    harness.settle()
    harness.agents()
    harness.settle()
    agent = next(iter(harness.agents().values()))
    agent.nodes = harness.services.nodes
    return agent


def away(harness: Harness, seconds: float = 300.0) -> float:
    """The server is gone for so long; returns when the lease lapsed meanwhile."""
    lapsed = harness.clock.now() + harness.settings.lease_seconds
    harness.clock.advance(seconds)
    harness.restart()
    return lapsed


def test_a_lease_that_lapsed_while_the_server_was_away_costs_no_retry(harness: Harness) -> None:
    run = harness.submit(harness.script(retries_max=0))
    for number in (1, 2, 3):
        agent = placed(harness)
        agent.report(run.id, number, started=harness.clock.now())
        harness.clock.advance(1)
        lapsed = away(harness)
        agent.nodes = harness.services.nodes
        agent.report(run.id, number, "finished", end="stopped", message=LAPSED, ended=lapsed)

    assert harness.run(run.id).status in ("queued", "preparing")
    assert harness.run(run.id).reason == f"{LAPSED}; waits for attempt 4 of at most 4"
    assert [attempt.status for attempt in harness.services.runs.attempts(run.id)] == ["interrupted"] * 3


def test_an_agent_that_ended_while_the_server_was_away_costs_no_retry(harness: Harness) -> None:
    run = harness.submit(harness.script(retries_max=0))
    agent = placed(harness)
    agent.report(run.id, 1, started=harness.clock.now())
    harness.clock.advance(1)

    away(harness, 1000)
    harness.supply.dead[agent.node_id] = "its agent has ended with exit code 4"
    harness.settle()

    assert harness.run(run.id).status in ("queued", "preparing")
    assert harness.services.runs.attempts(run.id)[0].status == "interrupted"


def test_a_lease_that_lapsed_under_this_server_costs_a_retry(harness: Harness) -> None:
    run = harness.submit(harness.script(retries_max=0))
    agent = placed(harness)
    agent.report(run.id, 1, started=harness.clock.now())
    harness.clock.advance(1)
    away(harness, 10)
    agent.nodes = harness.services.nodes
    agent.report(run.id, 1, started=harness.clock.now())
    harness.clock.advance(300)

    agent.report(run.id, 1, "finished", end="stopped", message=LAPSED, ended=harness.clock.now())

    ended = harness.run(run.id)
    assert (ended.status, ended.end_reason) == ("failed", "node_lost")
    assert ended.reason == f"{LAPSED}; attempt 1 was the last of 1"


def test_a_node_that_dies_under_this_server_costs_a_retry(harness: Harness) -> None:
    run = harness.submit(harness.script(retries_max=0))
    agent = placed(harness)
    agent.report(run.id, 1, started=harness.clock.now())
    harness.clock.advance(1)
    away(harness, 10)
    agent.nodes = harness.services.nodes
    agent.beat()

    harness.supply.dead[agent.node_id] = "its agent was killed"
    harness.settle()

    assert (harness.run(run.id).status, harness.run(run.id).end_reason) == ("failed", "node_lost")
