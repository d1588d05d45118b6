"""Making clusters of sizes that this host does not have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sublight.core.errors import NameTaken
from tests.server.harness import OWNER, Harness


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    made = Harness(tmp_path / "root")
    yield made
    made.close()


def test_gpus_that_the_host_lacks_are_left_out_when_the_size_may_differ(harness: Harness) -> None:
    harness.cluster("gpu", size="Standard_NC6", size_may_differ=True)

    view = harness.services.clusters.get("gpu")
    assert (view.state, view.size.name, view.size.cores, view.size.gpus) == ("ready", "STANDARD_NC6", 6, 0)
    assert view.reason == (
        "size STANDARD_NC6 needs a GPU, and this host has none: its nodes have 6 cores and no GPU, and start when runs "
        "wait"
    )
    assert view.size.price_per_hour is None
    run = harness.submit(harness.script(), target="gpu")
    assert run.status == "queued"


def test_an_unknown_size_is_made_after_its_name_when_the_size_may_differ(harness: Harness) -> None:
    harness.cluster("cpu", size="Standard_E8_v9", size_may_differ=True)

    view = harness.services.clusters.get("cpu")
    assert (view.state, view.size.name, view.size.cores) == ("ready", "Standard_E8_v9", 8)


def test_a_size_that_the_host_has_stays_what_it_is(harness: Harness) -> None:
    harness.cluster("cpu", size="d3_v2", size_may_differ=True)

    view = harness.services.clusters.get("cpu")
    assert (view.size.name, view.reason) == ("STANDARD_D3_V2", "its nodes start when runs wait")
    assert view.size.price_per_hour


def test_the_name_of_a_cluster_that_is_being_deleted_is_not_free_yet(harness: Harness) -> None:
    harness.cluster("cpu", min_nodes=1)
    harness.settle()
    harness.agents()
    harness.services.clusters.delete(OWNER, "cpu")

    with pytest.raises(NameTaken, match="is being deleted, and its name is free once its nodes are gone"):
        harness.cluster("cpu")
