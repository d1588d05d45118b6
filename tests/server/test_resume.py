"""Sweeps that learn from earlier sweeps: what they inherit, and that it stays the same whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sublight.core.errors import Conflict, InvalidInput
from sublight.messages.definitions import SubmitRequest
from sublight.messages.runs import RunView
from tests.server.harness import OWNER, Harness, scalar

SPACE = {"x": {"type": "choice", "values": [1, 2, 3, 4, 5, 6]}}
TPE = {"type": "bayesian", "seed": 2, "startup_trials": 1}


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    made = Harness(tmp_path / ".sublight")
    made.cluster()
    yield made
    made.close()


def work_off(harness: Harness, values: tuple[float, ...] = (0.5,)) -> None:
    """Every agent runs everything that it is told to, each trial with these reports."""
    harness.settle()
    for agent in harness.agents().values():
        agent.nodes = harness.services.nodes
        harness.settle()
        for order in agent.orders():
            if order.action == "stop":
                agent.finish(order.run_id, order.attempt, end="stopped", exit_code=None)
                continue
            journal = b"".join(scalar("accuracy", value) for value in values)
            agent.report(order.run_id, order.attempt, started=harness.clock.now(), journal=journal)
            agent.finish(order.run_id, order.attempt)
    harness.settle()


def ended_sweep(harness: Harness, *, experiment: str = "earlier", **values: Any) -> RunView:
    definition = harness.sweep(**{"space": SPACE, "max_trials": 2, **values})
    sweep = harness.services.runs.submit(OWNER, SubmitRequest(experiment=experiment, target="cpu", sweep=definition))
    for _ in range(6):
        work_off(harness)
    assert harness.run(sweep.id).status == "completed"
    return sweep


def reasons(harness: Harness, sweep_id: str) -> list[str]:
    """The sampler's sentence about each trial."""
    trials = harness.trials(sweep_id)
    return [harness.services.runs.events(f"run:{trial.id}")[0].reason for trial in trials]


def test_the_first_trial_of_a_resumed_sweep_is_chosen_over_the_inherited_results(harness: Harness) -> None:
    earlier = [ended_sweep(harness), ended_sweep(harness, sampler={"type": "random", "seed": 9})]

    fresh = harness.submit(harness.sweep(sampler=TPE, max_concurrent=1))
    resumed = harness.submit(harness.sweep(sampler=TPE, max_concurrent=1, resume_from=[one.id for one in earlier]))
    harness.settle()

    assert reasons(harness, fresh.id) == ["startup: random point 1 of 1"]
    assert reasons(harness, resumed.id) == ["TPE over 4 finished and 0 pending trials"]


def test_a_resumed_sweep_avoids_the_points_that_were_tried(harness: Harness) -> None:
    earlier = ended_sweep(harness, max_trials=5, max_concurrent=2)
    tried = {trial.parameters["x"] for trial in harness.trials(earlier.id)}

    resumed = harness.submit(harness.sweep(sampler=TPE, max_trials=1, resume_from=[earlier.id]))
    harness.settle()

    assert {trial.parameters["x"] for trial in harness.trials(resumed.id)} == {1, 2, 3, 4, 5, 6} - tried


def test_a_policy_judges_by_the_inherited_reports_too(harness: Harness) -> None:
    earlier = ended_sweep(harness)
    bandit = {"type": "bandit", "slack_factor": 0.1, "evaluation_interval": 1}
    resumed = harness.submit(harness.sweep(policy=bandit, max_trials=1, max_concurrent=1, resume_from=[earlier.id]))
    harness.settle()
    harness.agents()
    harness.settle()
    (trial,) = harness.trials(resumed.id)
    agent = next(agent for agent in harness.agents().values() if agent.orders())

    agent.report(trial.id, started=harness.clock.now(), journal=scalar("accuracy", 0.1))
    harness.workspace.sweeps.step(None)

    assert harness.run(trial.id).status == "stopping"


def test_a_resumed_sweep_goes_on_with_the_same_points_after_restarts(tmp_path: Path) -> None:
    points = []
    for restarts in (False, True):
        harness = Harness(tmp_path / str(restarts) / ".sublight")
        harness.cluster()
        earlier = ended_sweep(harness)
        resumed = harness.submit(harness.sweep(sampler=TPE, max_concurrent=1, max_trials=3, resume_from=[earlier.id]))
        for _ in range(6):
            work_off(harness)
            if restarts:
                harness.restart()
        expected = [f"TPE over {count} finished and 0 pending trials" for count in (2, 3, 4)]
        assert reasons(harness, resumed.id) == expected
        points.append([trial.parameters["x"] for trial in harness.trials(resumed.id)])
        harness.close()

    assert points[0] == points[1]


def test_a_sweep_that_has_not_ended_cannot_be_resumed_from(harness: Harness) -> None:
    running = harness.submit(harness.sweep())
    harness.settle()

    with pytest.raises(Conflict, match=f"sweeps that have ended, but sweep {running.id} is queued"):
        harness.submit(harness.sweep(resume_from=[running.id]))


def test_a_sweep_whose_trials_are_still_ending_cannot_be_resumed_from(harness: Harness) -> None:
    """A sweep that was given up is over before its trials are."""
    running = harness.submit(harness.sweep(max_trials=1))
    harness.settle()
    harness.agents()
    harness.settle()
    with harness.services.database.read() as connection:
        from sublight.store import runs as run_rows

        row = run_rows.get(connection, running.id)
    harness.workspace.sweeps._give_up(row, "its sampler cannot work here")

    with pytest.raises(Conflict, match=f"but {running.id}-0 has not"):
        harness.submit(harness.sweep(resume_from=[running.id]))
    work_off(harness)
    assert harness.submit(harness.sweep(resume_from=[running.id])).status == "queued"


def test_a_sweep_named_twice_is_refused(harness: Harness) -> None:
    earlier = ended_sweep(harness)

    with pytest.raises(InvalidInput, match=f"names sweep {earlier.id} twice"):
        harness.submit(harness.sweep(resume_from=[earlier.id, earlier.id]))


def test_what_an_unfinished_sweep_inherits_cannot_be_deleted(harness: Harness) -> None:
    earlier = ended_sweep(harness, experiment="earlier")
    resumed = harness.submit(harness.sweep(resume_from=[earlier.id]))

    with pytest.raises(Conflict, match=f"sweep {resumed.id} has not ended and learns from sweep {earlier.id}"):
        harness.services.experimenting.delete(OWNER, "earlier")
    for _ in range(6):
        work_off(harness)
    harness.services.experimenting.delete(OWNER, "earlier")

    assert harness.run(resumed.id).status == "completed"
