"""Runs and sweeps side by side, by the sweeps' own metric or by one that is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sublight.core.errors import InvalidInput
from tests.server.harness import FakeAgent, Harness


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    harness = Harness(tmp_path / ".sublight")
    harness.cluster()
    yield harness
    harness.close()


def start(harness: Harness, run_id: str) -> FakeAgent:
    """The run's process begins; the agent that has it."""
    harness.settle()
    harness.agents()
    harness.settle()
    agent = next(agent for agent in harness.agents().values() if run_id in [order.run_id for order in agent.orders()])
    agent.report(run_id, started=harness.clock.now())
    return agent


def a_run_that_logs(harness: Harness, value: float, *, seconds: float) -> str:
    """A script run that reports ``accuracy`` once after ``seconds`` and ends; its id."""
    run = harness.submit(harness.script())
    agent = start(harness, run.id)
    harness.clock.advance(seconds)
    agent.report(run.id, journal=f"m\taccuracy\t0\t{value}\t{harness.clock.now()}\n".encode())
    agent.finish(run.id, ended=harness.clock.now())
    harness.settle()
    return run.id


def test_plain_runs_are_compared_by_a_metric_that_is_named(harness: Harness) -> None:
    slow, fast = a_run_that_logs(harness, 0.9, seconds=40), a_run_that_logs(harness, 0.8, seconds=10)

    comparison = harness.services.comparing([slow, fast], metric="accuracy")

    assert (comparison.metric, comparison.direction, comparison.common_value) == ("accuracy", "maximize", 0.8)
    assert [column.best_value for column in comparison.columns] == [0.9, 0.8]
    assert f"{fast} on cpu reached accuracy 0.8 in 0.25 of the time" in comparison.verdict
    without = harness.services.comparing([slow, fast])
    assert (without.metric, without.common_value) == (None, None)


def test_less_may_be_better(harness: Harness) -> None:
    one, other = a_run_that_logs(harness, 0.9, seconds=5), a_run_that_logs(harness, 0.8, seconds=5)

    assert harness.services.comparing([one, other], metric="accuracy", direction="minimize").common_value == 0.9
    with pytest.raises(InvalidInput, match="maximize or minimize, got 'up'"):
        harness.services.comparing([one, other], metric="accuracy", direction="up")


def test_a_run_that_still_goes_on_counts_with_what_it_has_used(harness: Harness) -> None:
    ended = a_run_that_logs(harness, 0.9, seconds=40)
    run = harness.submit(harness.script())
    start(harness, run.id)
    harness.clock.advance(25)

    columns = harness.services.comparing([ended, run.id]).columns

    assert [round(column.node_seconds) for column in columns] == [40, 25]
