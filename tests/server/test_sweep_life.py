"""The life of a sweep on a cluster, through the services, with agents on paper and a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sublight.core.errors import Conflict, InvalidInput, NameTaken, NotFound
from sublight.messages.clusters import ClusterRequest
from tests.server.harness import OWNER, FakeAgent, Harness, scalar


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    made = Harness(tmp_path / ".sublight")
    made.cluster()
    yield made
    made.close()


def work_off(harness: Harness, value: float = 0.5) -> None:
    """Every agent runs everything that it is told to."""
    harness.settle()
    for agent in harness.agents().values():
        harness.settle()
        for order in agent.orders():
            if order.action == "stop":
                agent.finish(order.run_id, order.attempt, end="stopped", exit_code=None)
            else:
                line = scalar("accuracy", value + order.attempt / 100)
                agent.report(order.run_id, order.attempt, started=harness.clock.now(), journal=line)
                agent.finish(order.run_id, order.attempt)
    harness.settle()


def started(harness: Harness) -> dict[str, FakeAgent]:
    """Nodes are up and trials placed; returns the agent of each trial that was placed."""
    harness.settle()
    harness.agents()
    harness.settle()
    return {order.run_id: agent for agent in harness.agents().values() for order in agent.orders()}


def test_a_sweep_runs_all_its_trials_and_ends_with_the_best(harness: Harness) -> None:
    sweep = harness.submit(harness.sweep())
    for _ in range(6):
        work_off(harness)

    ended = harness.run(sweep.id)

    assert ended.status == "completed"
    assert ended.progress is not None
    assert ended.progress.trials_completed == 4
    assert ended.progress.best is not None
    assert {trial.status for trial in harness.trials(sweep.id)} == {"completed"}


def test_a_trial_gets_the_fixed_arguments_and_then_its_own(harness: Harness) -> None:
    sweep = harness.submit(harness.sweep(trial=harness.script(arguments=["--data", "d"]), max_trials=1))
    placed = started(harness)

    (order,) = placed[f"{sweep.id}-0"].orders()

    assert order.argv[:4] == ["{python}", "train.py", "--data", "d"]
    assert order.argv[4] == "--x"
    assert harness.trials(sweep.id)[0].arguments == order.argv[2:]


def test_a_server_killed_in_mid_sweep_goes_on_with_exactly_its_trials(harness: Harness) -> None:
    sweep = harness.submit(harness.sweep())
    started(harness)
    before = [(trial.index, trial.parameters) for trial in harness.trials(sweep.id)]

    harness.restart()
    for agent in harness.agents().values():
        agent.nodes = harness.services.nodes
    for _ in range(6):
        work_off(harness)

    trials = harness.trials(sweep.id)
    assert [(trial.index, trial.parameters) for trial in trials][: len(before)] == before
    assert [trial.status for trial in trials] == ["completed"] * 4
    assert [trial.attempt for trial in trials] == [1] * 4


def test_the_same_seed_gives_the_same_points_with_and_without_a_restart(tmp_path: Path) -> None:
    points = []
    for restarts in (False, True):
        harness = Harness(tmp_path / str(restarts) / ".sublight")
        harness.cluster()
        sweep = harness.submit(harness.sweep(sampler={"type": "bayesian", "seed": 5}, max_concurrent=1))
        for _ in range(8):
            work_off(harness)
            if restarts:
                harness.restart()
                for agent in harness.agents().values():
                    agent.nodes = harness.services.nodes
        points.append([trial.parameters for trial in harness.trials(sweep.id)])
        harness.close()

    assert len(points[0]) == 4
    assert points[0] == points[1]


def test_a_dead_node_gives_its_trial_to_another_without_counting_it_twice(harness: Harness) -> None:
    sweep = harness.submit(harness.sweep(max_trials=1, max_concurrent=1))
    ((run_id, agent),) = started(harness).items()
    agent.report(run_id, 1, started=harness.clock.now(), journal=scalar("accuracy", 0.9))

    harness.supply.dead[agent.node_id] = "its process is gone"
    harness.settle()
    assert harness.run(run_id).status in ("queued", "preparing")
    assert harness.run(run_id).metrics == {}
    ((_, other),) = started(harness).items()
    other.report(run_id, 2, started=harness.clock.now(), journal=scalar("accuracy", 0.7))
    other.finish(run_id, 2)
    harness.settle()

    assert other.node_id != agent.node_id
    assert harness.run(run_id).metrics == {"accuracy": 0.7}
    assert harness.run(sweep.id).status == "completed"
    assert [attempt.status for attempt in harness.services.runs.attempts(run_id)] == ["lost", "completed"]
    assert agent.node_id in harness.supply.stopped


def test_facts_of_an_older_attempt_are_refused(harness: Harness) -> None:
    harness.submit(harness.sweep(max_trials=1, max_concurrent=1))
    ((run_id, agent),) = started(harness).items()
    harness.clock.advance(200)
    harness.settle()
    started(harness)

    with pytest.raises(Conflict):
        agent.report(run_id, 1, journal=scalar("accuracy", 0.9))
    assert harness.run(run_id).metrics == {}


def test_a_silent_node_is_lost_and_back_again_within_its_lease(harness: Harness) -> None:
    harness.submit(harness.sweep(max_trials=1, max_concurrent=1))
    ((run_id, agent),) = started(harness).items()
    agent.report(run_id, 1, started=harness.clock.now())

    harness.clock.advance(30)
    harness.settle()
    silent = harness.run(run_id)
    agent.beat()
    harness.settle()

    assert silent.status == "lost"
    assert "silent" in silent.reason
    assert harness.run(run_id).status == "running"
    assert harness.run(run_id).attempt == 1


def test_after_the_last_retry_a_trial_fails_with_the_reason(harness: Harness) -> None:
    run = harness.submit(harness.script(retries_max=0))
    ((run_id, agent),) = started(harness).items()

    harness.supply.dead[agent.node_id] = "its process is gone"
    harness.settle()

    ended = harness.run(run.id)
    assert (run_id, ended.status, ended.end_reason) == (run.id, "failed", "node_lost")
    assert "attempt 1 was the last of 1" in ended.reason


def test_a_restarted_agent_loses_what_it_had(harness: Harness) -> None:
    harness.submit(harness.script())
    ((run_id, agent),) = started(harness).items()

    FakeAgent(harness, agent.node_id, incarnation="second life")

    assert harness.run(run_id).status == "queued"
    with pytest.raises(Conflict, match="another life"):
        agent.beat()


def test_journal_bytes_sent_twice_or_in_pieces_are_stored_once(harness: Harness) -> None:
    run = harness.submit(harness.script())
    ((run_id, agent),) = started(harness).items()
    text = b"".join(scalar("loss", value) for value in (3.0, 2.0, 1.0))

    first = agent.report(run_id, journal=text[:20])
    again = agent.report(run_id, journal=text[:20])
    gap = agent.report(run_id, journal=text[25:], offset=25)
    rest = agent.report(run_id, journal=text)

    line = len(scalar("loss", 3.0))
    assert [answer.attempts[0].journal for answer in (first, again, gap, rest)] == [line, line, line, len(text)]
    series = harness.services.metrics.series(run.id, "loss")
    assert (series.steps, series.values) == ([0, 1, 2], [3.0, 2.0, 1.0])


def test_a_stale_finish_after_the_run_was_canceled_changes_nothing(harness: Harness) -> None:
    run = harness.submit(harness.script())
    ((run_id, agent),) = started(harness).items()
    agent.report(run_id)
    harness.services.runs.cancel(OWNER, run_id)
    (order,) = agent.orders()
    agent.finish(run_id, end="stopped", exit_code=None)

    again = agent.report(run_id, phase="finished", end="exited", exit_code=0)

    assert (order.action, order.stop_reason) == ("stop", "canceled by olga")
    assert again.attempts[0].superseded
    assert (harness.run(run.id).status, harness.run(run.id).end_reason) == ("canceled", "user")


def test_the_policy_stops_a_bad_trial_and_says_why(harness: Harness) -> None:
    policy = {"type": "bandit", "slack_factor": 0.1, "evaluation_interval": 1, "delay_evaluation": 0}
    sweep = harness.submit(harness.sweep(policy=policy, max_trials=2))
    placed = started(harness)
    good, bad = placed[f"{sweep.id}-0"], placed[f"{sweep.id}-1"]
    good.report(f"{sweep.id}-0", journal=scalar("accuracy", 0.9))
    bad.report(f"{sweep.id}-1", journal=scalar("accuracy", 0.2))
    harness.settle()

    (order,) = bad.orders()
    bad.finish(f"{sweep.id}-1", end="stopped", exit_code=None)
    good.finish(f"{sweep.id}-0")
    harness.settle()

    assert order.action == "stop"
    stopped = harness.run(f"{sweep.id}-1")
    assert (stopped.status, stopped.end_reason) == ("canceled", "policy")
    assert "0.2" in stopped.reason
    assert "0.9" in stopped.reason
    ended = harness.run(sweep.id)
    assert ended.progress is not None
    assert ended.progress.trials_stopped_early == 1
    assert ended.status == "completed"


def test_canceling_a_sweep_ends_its_trials_and_then_the_sweep(harness: Harness) -> None:
    sweep = harness.submit(harness.sweep())
    started(harness)

    harness.services.runs.cancel(OWNER, sweep.id)
    for _ in range(3):
        work_off(harness)

    assert (harness.run(sweep.id).status, harness.run(sweep.id).reason) == ("canceled", "canceled by olga")
    assert {trial.status for trial in harness.trials(sweep.id)} == {"canceled"}


def test_a_sweep_canceled_before_any_node_is_up_ends_at_once(harness: Harness) -> None:
    sweep = harness.submit(harness.sweep())
    harness.workspace.sweeps.step(None)

    harness.services.runs.cancel(OWNER, sweep.id)
    harness.settle()
    harness.settle()

    assert harness.run(sweep.id).status == "canceled"


def test_resuming_from_a_sweep_with_another_goal_is_refused(harness: Harness) -> None:
    first = harness.submit(harness.sweep())

    with pytest.raises(InvalidInput, match="same goal"):
        harness.submit(harness.sweep(metric="loss", direction="minimize", resume_from=[first.id]))


def test_the_same_idempotency_key_gives_the_same_run(harness: Harness) -> None:
    definition = harness.script()

    first, again = harness.submit(definition, key="k1"), harness.submit(definition, key="k1")

    assert first.id == again.id
    with pytest.raises((Conflict, InvalidInput)):
        harness.submit(harness.script(arguments=["other"]), key="k1")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"max_trials": 0}, "max_trials must be 1 or more"),
        ({"max_concurrent": 0}, "max_concurrent must be 1 or more"),
        ({"space": {"x": {"type": "uniform", "min_value": 2, "max_value": 1}}}, "x"),
        ({"space": {"x": {"type": "nonsense"}}}, "nonsense"),
        ({"sampler": {"type": "magic"}}, "magic"),
        ({"policy": {"type": "bandit"}}, "slack"),
        ({"sampler": {"type": "grid"}, "space": {"x": {"type": "uniform", "min_value": 0, "max_value": 1}}}, "x"),
    ],
)
def test_a_wrong_sweep_is_refused_with_one_sentence_and_nothing_is_kept(
    harness: Harness, values: dict[str, object], sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence) as refused:
        harness.submit(harness.sweep(**values))

    assert "\n" not in str(refused.value)
    assert harness.services.runs.list().runs == []


def test_a_missing_script_is_refused_with_the_scripts_that_are_there(harness: Harness) -> None:
    with pytest.raises(InvalidInput, match=r"no script 'tran.py'.*train.py"):
        harness.submit(harness.script(script="tran.py"))


def test_an_unknown_cluster_is_refused_with_the_names_that_exist(harness: Harness) -> None:
    with pytest.raises(NotFound, match="the clusters are cpu"):
        harness.submit(harness.script(), target="gpu")


def test_a_cluster_that_this_host_cannot_have_is_unusable_and_takes_no_runs(harness: Harness) -> None:
    harness.cluster("gpu", size="STANDARD_NC6")

    view = harness.services.clusters.get("gpu")
    assert (view.state, view.reason) == ("unusable", "size STANDARD_NC6 needs a GPU, and this host has none")
    with pytest.raises(Conflict, match="needs a GPU"):
        harness.submit(harness.script(), target="gpu")


def test_a_script_without_the_primary_metric_ends_its_sweep_with_the_names_it_reported(harness: Harness) -> None:
    sweep = harness.submit(harness.sweep(metric="acc"))
    for _ in range(6):
        work_off(harness)

    ended = harness.run(sweep.id)
    assert (ended.status, ended.end_reason) == ("failed", "error")
    assert "never reported the primary metric 'acc'" in ended.reason
    assert "accuracy" in ended.reason


def test_a_failing_script_ends_the_sweep_with_its_last_words(harness: Harness) -> None:
    sweep = harness.submit(harness.sweep())
    for _ in range(4):
        harness.settle()
        for agent in harness.agents().values():
            for order in agent.orders():
                agent.finish(order.run_id, order.attempt, exit_code=1, message="exit code 1: NameError: foo")
    harness.settle()

    ended = harness.run(sweep.id)
    assert ended.status == "failed"
    assert "NameError: foo" in ended.reason


def test_several_trials_share_a_node_when_the_sweep_asks_for_it(harness: Harness) -> None:
    sweep = harness.submit(harness.sweep(trials_per_node=2, max_concurrent=4))
    started(harness)

    nodes = [trial.node_id for trial in harness.trials(sweep.id)]
    assert sorted(nodes.count(node) for node in set(nodes)) == [2, 2]


def test_run_fail_turns_a_good_exit_into_a_failure(harness: Harness) -> None:
    run = harness.submit(harness.script())
    ((run_id, agent),) = started(harness).items()
    journal = b'r\t{"kind":"fail","name":"","step":null,"time":1.0,"content":{"message":"diverged"}}\n'

    agent.report(run_id, phase="finished", end="exited", exit_code=0, journal=journal)

    assert (harness.run(run.id).status, harness.run(run.id).reason) == (
        "failed",
        "the script called run.fail: diverged",
    )


def test_a_script_makes_child_runs_with_metrics_of_their_own(harness: Harness) -> None:
    run = harness.submit(harness.script())
    ((run_id, agent),) = started(harness).items()
    journal = (
        b'r\t{"kind":"child","name":"","step":null,"time":1.0,"content":{"child":"c1","name":"fold 1"}}\n'
        b"c\tc1\tm\taccuracy\t\t0.75\t1.0\n"
        b'r\t{"kind":"child_end","name":"","step":null,"time":1.0,"content":{"child":"c1","status":"completed"}}\n'
        b'r\t{"kind":"child","name":"","step":null,"time":1.0,"content":{"child":"c2","name":"fold 2"}}\n'
    )

    agent.report(run_id, journal=journal)
    agent.finish(run_id)

    children = harness.trials(run.id)
    assert [(child.name, child.status, child.metrics) for child in children] == [
        ("fold 1", "completed", {"accuracy": 0.75}),
        ("fold 2", "completed", {}),
    ]


def test_creating_a_cluster_twice_with_one_key_gives_the_same_cluster(harness: Harness) -> None:
    request = ClusterRequest(name="twice", size="STANDARD_D3_V2")

    first = harness.services.clusters.create(OWNER, request, "k")
    again = harness.services.clusters.create(OWNER, request, "k")

    assert first.name == again.name
    with pytest.raises(NameTaken, match="choose another name"):
        harness.services.clusters.create(OWNER, request, "another")


def test_canceling_twice_is_harmless_and_canceling_what_has_ended_is_refused(harness: Harness) -> None:
    waiting = harness.submit(harness.script())

    first = harness.services.runs.cancel(OWNER, waiting.id)
    again = harness.services.runs.cancel(OWNER, waiting.id)

    assert (first.status, again.status) == ("canceled", "canceled")
    done = harness.submit(harness.script())
    work_off(harness)
    with pytest.raises(Conflict, match="has ended already"):
        harness.services.runs.cancel(OWNER, done.id)


def test_a_comparison_outlives_its_clusters(harness: Harness) -> None:
    first, second = harness.submit(harness.sweep()), harness.submit(harness.sweep())
    for _ in range(10):
        harness.clock.advance(1)
        work_off(harness)
    harness.services.clusters.delete(OWNER, "cpu")
    for agent in harness.agents().values():
        harness.services.nodes.goodbye(agent.node_id, agent.incarnation)
    harness.settle()

    comparison = harness.services.compare([first.id, second.id])

    assert [column.size for column in comparison.columns] == ["STANDARD_D3_V2"] * 2
    assert [column.trials_count for column in comparison.columns] == [4, 4]
    assert comparison.common_value is not None
    assert comparison.verdict


def test_a_node_that_never_comes_up_is_unusable_with_its_reason_and_another_is_tried(harness: Harness) -> None:
    harness.submit(harness.script())
    harness.settle()
    (node_id,) = harness.supply.started

    harness.supply.dead[node_id] = "its agent ended with code 1"
    harness.settle()

    nodes = {node.id: node for node in harness.services.clusters.get("cpu").nodes}
    assert (nodes[node_id].state, nodes[node_id].reason) == ("unusable", "its agent ended with code 1")
    assert [node.state for node in nodes.values() if node.id != node_id] == ["starting"]
    harness.clock.advance(61)
    harness.settle()
    assert node_id not in {node.id for node in harness.services.clusters.get("cpu").nodes}


def test_a_cluster_whose_nodes_never_come_up_rests_instead_of_starting_for_ever(harness: Harness) -> None:
    harness.submit(harness.script())
    for _ in range(10):
        harness.settle()
        harness.supply.dead = dict.fromkeys(harness.supply.started, "its agent ended with code 1")
    harness.settle()

    assert len(harness.supply.started) <= 4
    assert "did not come up" in harness.services.clusters.get("cpu").target_reason


def test_deleting_a_cluster_with_runs_is_refused_unless_forced(harness: Harness) -> None:
    sweep = harness.submit(harness.sweep())
    started(harness)

    with pytest.raises(Conflict, match="--force"):
        harness.services.clusters.delete(OWNER, "cpu")
    harness.services.clusters.delete(OWNER, "cpu", force=True)
    for _ in range(3):
        work_off(harness)
        for agent in harness.agents().values():
            if agent.is_asked_to_leave():
                harness.services.nodes.goodbye(agent.node_id, agent.incarnation)
    harness.settle()

    assert harness.run(sweep.id).status == "canceled"
    assert harness.services.clusters.list() == []
