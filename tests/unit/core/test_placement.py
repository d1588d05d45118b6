"""Placement: oldest first, whole nodes unless shared on purpose, always with a reason."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sublight.core.placement import ClusterOutlook, NodeRoom, WaitingRun, nodes_needed, place

FULL = ClusterOutlook(name="cpu", max_nodes=2, nodes_starting=0, nodes_up=2)


def assigned(waiting: list[WaitingRun], nodes: list[NodeRoom]) -> dict[str, str]:
    return {run: node for run, node, _ in place(waiting, nodes, FULL).assignments}


def test_the_oldest_run_gets_the_free_node() -> None:
    placement = place([WaitingRun("old"), WaitingRun("new")], [NodeRoom("n1")], FULL)

    assert [(run, node) for run, node, _ in placement.assignments] == [("old", "n1")]
    assert "all 2 are busy" in placement.waiting["new"]


def test_a_run_that_shares_joins_runs_that_share() -> None:
    nodes = [NodeRoom("empty"), NodeRoom("half", (2,))]

    assert assigned([WaitingRun("a", share=2)], nodes) == {"a": "half"}


def test_a_run_that_does_not_share_never_gets_company() -> None:
    assert assigned([WaitingRun("a", share=4)], [NodeRoom("n1", (1,))]) == {}
    assert assigned([WaitingRun("a", share=1)], [NodeRoom("n1", (4,))]) == {}


def test_younger_runs_do_not_take_the_empty_node_that_an_older_one_could_not_use() -> None:
    waiting = [WaitingRun("a"), WaitingRun("b"), WaitingRun("c", share=2)]
    nodes = [NodeRoom("n1"), NodeRoom("half", (2,))]

    assert assigned(waiting, nodes) == {"a": "n1", "c": "half"}


def test_a_run_that_needs_a_whole_node_is_not_passed_for_ever_by_younger_ones_that_share() -> None:
    nodes = [NodeRoom("n1", (4, 4, 4)), NodeRoom("n2", (4, 4))]
    waiting = [WaitingRun("whole"), *(WaitingRun(f"young{i}", share=4) for i in range(3))]

    assert assigned(waiting, nodes) == {"young0": "n1"}  # n2 empties for "whole"


def test_while_the_cluster_can_grow_a_node_nothing_is_kept_free() -> None:
    outlook = ClusterOutlook(name="cpu", max_nodes=2, nodes_starting=1, nodes_up=1)

    placement = place([WaitingRun("whole"), WaitingRun("young", share=4)], [NodeRoom("n1", (4,))], outlook)

    assert [(run, node) for run, node, _ in placement.assignments] == [("young", "n1")]


def test_the_place_in_the_queue_is_told_exactly_to_the_first_few_only() -> None:
    waiting = [WaitingRun(f"r{i}") for i in range(20)]

    reasons = place(waiting, [], FULL).waiting

    assert "; 3 ahead of it" in reasons["r3"]
    assert reasons["r15"] == reasons["r19"]
    assert "more than 8 ahead of it" in reasons["r19"]


def test_the_reason_says_when_max_nodes_forbids_everything() -> None:
    outlook = ClusterOutlook(name="cpu", max_nodes=0, nodes_starting=0, nodes_up=0)

    assert "max_nodes 0" in place([WaitingRun("a")], [], outlook).waiting["a"]


def test_nodes_needed_counts_shared_runs_together() -> None:
    waiting = [WaitingRun("a"), *(WaitingRun(f"s{i}", share=4) for i in range(5))]

    assert nodes_needed(waiting) == 1 + 2


runs = st.lists(st.integers(1, 4), max_size=12)
rooms = st.lists(st.integers(1, 4).flatmap(lambda s: st.lists(st.just(s), max_size=s)), max_size=6)


@given(runs, rooms)
def test_no_node_ever_holds_more_than_each_of_its_runs_allows(shares: list[int], on_nodes: list[list[int]]) -> None:
    waiting = [WaitingRun(f"r{i}", share) for i, share in enumerate(shares)]
    nodes = [NodeRoom(f"n{i}", tuple(held)) for i, held in enumerate(on_nodes)]

    placement = place(waiting, nodes, FULL)

    held = {node.id: list(node.shares) for node in nodes}
    for run, node, reason in placement.assignments:
        assert reason
        held[node].append(shares[int(run[1:])])
    assert all(len(on) <= min(on) for on in held.values() if on)
    assert {run for run, _, _ in placement.assignments} | set(placement.waiting) == {run.id for run in waiting}
