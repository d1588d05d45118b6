"""Scaling: grows at once when runs wait, shrinks after idleness, stays within its limits, says why."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sublight.core.scaling import ClusterLimits, NodeFacts, NodeState, scale

LIMITS = ClusterLimits(min_nodes=0, max_nodes=4, idle_seconds=30)


def node(name: str, state: NodeState = NodeState.IDLE, idle_seconds: float = 0.0) -> NodeFacts:
    return NodeFacts(name, state, idle_seconds)


def test_waiting_runs_start_nodes_up_to_the_limit() -> None:
    decision = scale(LIMITS, [], nodes_wanted=9, idle_room=0)

    assert (decision.target, decision.start_count) == (4, 4)
    assert "max_nodes is 4" in decision.reason


def test_nodes_that_are_starting_are_not_asked_for_twice() -> None:
    nodes = [node("a", NodeState.STARTING), node("b", NodeState.STARTING)]

    assert scale(LIMITS, nodes, nodes_wanted=2, idle_room=2).start_count == 0


def test_a_node_leaves_after_its_idle_time_and_not_before() -> None:
    early = scale(LIMITS, [node("a", idle_seconds=29)], nodes_wanted=0, idle_room=1)
    late = scale(LIMITS, [node("a", idle_seconds=30)], nodes_wanted=0, idle_room=1)

    assert early.leaving == ()
    assert late.leaving == (("a", "idle for 30 s, the limit is 30 s"),)
    assert late.target == 0


def test_min_nodes_are_kept_and_started_without_any_run() -> None:
    limits = ClusterLimits(min_nodes=2, max_nodes=4, idle_seconds=30)

    assert scale(limits, [], nodes_wanted=0, idle_room=0).start_count == 2
    kept = scale(limits, [node("a", idle_seconds=99), node("b", idle_seconds=99)], nodes_wanted=0, idle_room=2)
    assert kept.leaving == ()
    assert kept.reason == "min_nodes is 2"


def test_a_lowered_limit_lets_idle_nodes_go_at_once_but_never_busy_ones() -> None:
    limits = ClusterLimits(min_nodes=0, max_nodes=1, idle_seconds=1000)
    nodes = [node("a", NodeState.BUSY), node("b", NodeState.BUSY), node("c")]

    assert [name for name, _ in scale(limits, nodes, nodes_wanted=0, idle_room=1).leaving] == ["c"]


def test_deleting_sends_everybody_away() -> None:
    nodes = [node("a", NodeState.BUSY), node("b")]

    decision = scale(LIMITS, nodes, nodes_wanted=3, idle_room=0, is_deleting=True)

    assert (decision.target, decision.start_count) == (0, 0)
    assert {name for name, _ in decision.leaving} == {"a", "b"}


facts = st.lists(st.tuples(st.sampled_from(sorted(NodeState)), st.floats(0, 100)), max_size=8)


@given(facts, st.integers(0, 20), st.integers(0, 4), st.integers(0, 4))
def test_limits_hold_and_work_is_never_sent_away(
    states: list[tuple[NodeState, float]], wanted: int, low: int, extra: int
) -> None:
    limits = ClusterLimits(min_nodes=low, max_nodes=low + extra, idle_seconds=30)
    nodes = [NodeFacts(str(i), state, idle) for i, (state, idle) in enumerate(states)]
    room = sum(n.state in (NodeState.IDLE, NodeState.STARTING) for n in nodes)

    decision = scale(limits, nodes, nodes_wanted=wanted, idle_room=room)

    counted = sum(n.state not in (NodeState.LEAVING, NodeState.UNUSABLE, NodeState.GONE) for n in nodes)
    assert counted + decision.start_count <= max(limits.max_nodes, counted)
    assert all(nodes[int(name)].state is NodeState.IDLE for name, _ in decision.leaving)
    assert counted - len(decision.leaving) >= min(limits.min_nodes, counted)
    assert decision.reason
