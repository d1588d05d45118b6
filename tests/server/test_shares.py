"""How much of a node a run gets, and what the local target has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sublight.messages.nodes import Order
from tests.server.harness import Harness


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    made = Harness(tmp_path / ".sublight")
    yield made
    made.close()


def orders(harness: Harness) -> list[Order]:
    harness.settle()
    harness.agents()
    harness.settle()
    return [order for agent in harness.agents().values() for order in agent.orders()]


def test_a_trial_gets_its_sweeps_share_of_a_node_whatever_its_cluster_says(harness: Harness) -> None:
    harness.cluster(max_nodes=1)
    harness.submit(harness.sweep(trials_per_node=4, max_concurrent=4))

    assert [order.share for order in orders(harness)] == [4] * 4


def test_a_run_on_a_cluster_of_whole_nodes_has_the_node_to_itself(harness: Harness) -> None:
    harness.cluster(max_nodes=1)
    harness.submit(harness.script())

    assert [order.share for order in orders(harness)] == [1]


def test_a_single_local_run_has_all_threads_and_several_divide_them(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    harness.submit(harness.script(), target="local")
    assert [order.share for order in orders(harness)] == [1]

    harness.submit(harness.sweep(max_concurrent=3), target="local")

    assert {order.share for order in orders(harness) if order.parent_id} == {4}


def test_the_local_target_has_the_gpus_of_this_machine_also_when_they_change(harness: Harness) -> None:
    harness.supply.gpus = 1
    harness.submit(harness.script(), target="local")
    assert harness.services.clusters.get("local").size.gpus == 1

    harness.supply.gpus = 0
    harness.submit(harness.script(), target="local")

    assert harness.services.clusters.get("local").size.gpus == 0
