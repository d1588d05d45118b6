"""Ids that the submitter chooses, descriptions, properties, annotations: what a submission can say besides its script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sublight.core.errors import Conflict, InvalidInput, TooLarge
from sublight.core.ids import sweep_of_trial_id, trial_id
from sublight.messages.definitions import SubmitRequest
from sublight.messages.runs import RunUpdate, RunView
from tests.server.harness import OWNER, Harness, scalar


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    made = Harness(tmp_path / ".sublight")
    made.cluster()
    yield made
    made.close()


def submit_script(harness: Harness, run_id: str | None = None, **values: Any) -> RunView:
    request = SubmitRequest(experiment="trying", target="cpu", id=run_id, script=harness.script(), **values)
    return harness.services.runs.submit(OWNER, request)


def submit_sweep(harness: Harness, run_id: str | None = None, **values: Any) -> RunView:
    request = SubmitRequest(experiment="trying", target="cpu", id=run_id, sweep=harness.sweep(**values))
    return harness.services.runs.submit(OWNER, request)


def test_a_run_gets_the_id_and_the_description_that_were_asked_for(harness: Harness) -> None:
    run = submit_script(harness, "trying_1700000000_0a1b2c3d", description="the first one")

    assert (run.id, run.name, run.description) == ("trying_1700000000_0a1b2c3d", run.id, "the first one")
    assert harness.run(run.id).description == "the first one"


@pytest.mark.parametrize("run_id", ["", "-a", "_a", ".", "..", "a/b", "a b", "ä", "a" * 57, "a\n"])
def test_an_id_that_is_no_plain_name_is_refused(harness: Harness, run_id: str) -> None:
    with pytest.raises(InvalidInput, match="a run's id must have 1 to 56 letters"):
        submit_script(harness, run_id)


def test_an_id_is_given_once(harness: Harness) -> None:
    submit_script(harness, "mine")

    with pytest.raises(Conflict, match="there is a run 'mine' already"):
        submit_script(harness, "mine")
    with pytest.raises(Conflict, match="there is a run 'mine' already"):
        submit_sweep(harness, "mine")


def test_a_repeated_submission_with_its_key_gives_the_same_run(harness: Harness) -> None:
    request = SubmitRequest(experiment="trying", target="cpu", id="mine", script=harness.script())

    first = harness.services.runs.submit(OWNER, request, "key")
    second = harness.services.runs.submit(OWNER, request, "key")

    assert first.id == second.id == "mine"


@pytest.mark.parametrize(
    ("sweep_id", "trial"),
    [("HD_1f0c", "HD_1f0c_0"), ("sweep-ab", "sweep-ab-0"), ("plain", "plain-0"), ("a-b_c", "a-b_c_0")],
)
def test_the_ids_of_trials_go_on_in_the_style_of_their_sweeps(harness: Harness, sweep_id: str, trial: str) -> None:
    submit_sweep(harness, sweep_id)
    harness.settle()

    assert harness.trials(sweep_id)[0].id == trial == trial_id(sweep_id, 0)
    assert sweep_of_trial_id(trial) == sweep_id
    assert harness.services.runs.get(sweep_id).progress is not None


def test_the_best_trial_of_a_sweep_with_an_own_id_is_found(harness: Harness) -> None:
    submit_sweep(harness, "HD_1f0c", max_trials=1)
    harness.settle()
    harness.agents()
    harness.settle()
    (agent,) = harness.agents().values()
    agent.report("HD_1f0c_0", journal=scalar("accuracy", 0.5), started=1.0)
    agent.finish("HD_1f0c_0")
    harness.settle()

    progress = harness.run("HD_1f0c").progress
    assert progress is not None
    assert progress.best is not None
    assert progress.best.run_id == "HD_1f0c_0"


def test_nobody_takes_the_id_of_a_trial_to_come(harness: Harness) -> None:
    submit_sweep(harness, "HD_1f0c", max_trials=6)
    harness.settle()

    with pytest.raises(Conflict, match="belongs to a trial of the sweep HD_1f0c"):
        submit_script(harness, "HD_1f0c_5")
    assert submit_script(harness, "HD_1f0c-5").id == "HD_1f0c-5"


def test_a_sweep_does_not_begin_where_its_trials_would_meet_a_run(harness: Harness) -> None:
    submit_script(harness, "HD_1f0c_3")
    submit_script(harness, "other-3x")

    with pytest.raises(Conflict, match="run HD_1f0c_3 has the id that a trial of a sweep 'HD_1f0c' would get"):
        submit_sweep(harness, "HD_1f0c")
    assert submit_sweep(harness, "other").id == "other"


def test_the_children_of_a_script_go_on_in_the_style_of_its_id(harness: Harness) -> None:
    long = "n" * 50 + "_12345"
    ids = {}
    for run_id in ("fold_1", "fold-1", long):
        submit_script(harness, run_id)
        harness.settle()
        harness.agents()
        harness.settle()
        agent = next(one for one in harness.agents().values() if run_id in [order.run_id for order in one.orders()])
        line = b'r\t{"kind":"child","name":"c","step":null,"time":1.0,"content":{"child":"0a1b2c3d","name":"c"}}\n'
        agent.report(run_id, journal=line, started=1.0)
        ids[run_id] = harness.trials(run_id)[0].id
        agent.finish(run_id)

    assert (ids["fold_1"], ids["fold-1"]) == ("fold_1_0a1b2c3d", "fold-1-0a1b2c3d")
    assert ids[long].startswith(long + "_")
    assert len(ids[long]) <= 64


def test_properties_are_added_and_never_changed(harness: Harness) -> None:
    run = submit_script(harness, properties={"a": "1"})

    harness.services.runs.update(OWNER, run.id, RunUpdate(properties={"b": "2", "a": "1"}, description="why"))

    assert harness.run(run.id).properties == {"a": "1", "b": "2"}
    assert harness.run(run.id).description == "why"
    with pytest.raises(Conflict, match=r"property 'a' of run .* is '1' for good and cannot become '3'"):
        harness.services.runs.update(OWNER, run.id, RunUpdate(properties={"a": "3", "c": "4"}))
    assert harness.run(run.id).properties == {"a": "1", "b": "2"}


def test_arguments_of_the_interpreter_stand_before_the_script(harness: Harness) -> None:
    script = harness.script(interpreter_arguments=["-m", "wrapper"], arguments=["--epochs", "2"])
    harness.submit(harness.sweep(trial=script, max_trials=1))
    harness.settle()
    harness.agents()
    harness.settle()

    (order,) = [order for agent in harness.agents().values() for order in agent.orders()]
    assert order.argv[:6] == ["{python}", "-m", "wrapper", "train.py", "--epochs", "2"]
    assert harness.run(order.run_id).arguments[:2] == ["--epochs", "2"]


def test_arguments_of_the_interpreter_do_not_go_with_a_command(harness: Harness) -> None:
    with pytest.raises(InvalidInput, match="interpreter_arguments go with a script"):
        harness.submit(harness.script(script=None, command="echo", interpreter_arguments=["-u"]))


def test_annotations_travel_with_a_sweep_to_the_orders_of_its_trials(harness: Harness) -> None:
    notes = {"lab": {"run_definition": {"script": "train.py"}, "ids": [1, 2.5, None]}}
    harness.submit(harness.sweep(trial=harness.script(annotations=notes), max_trials=1))
    harness.settle()
    harness.agents()
    harness.settle()

    (order,) = [order for agent in harness.agents().values() for order in agent.orders()]
    script = harness.run(order.run_id).script
    assert script is not None
    assert order.annotations == script.annotations == notes


def test_annotations_have_a_limit(harness: Harness) -> None:
    with pytest.raises(TooLarge, match="annotations may have 262,144 bytes as JSON, got 300,"):
        harness.submit(harness.script(annotations={"text": "x" * 300_000}))


# -- sweeps that hear nothing of their metric ------------------------------------------------------------------------


def finish_all(harness: Harness) -> None:
    for _ in range(12):
        harness.settle()
        for agent in harness.agents().values():
            for order in agent.orders():
                agent.report(order.run_id, order.attempt, journal=scalar("Accuracy", 0.5), started=1.0)
                agent.finish(order.run_id, order.attempt)
    harness.settle()


def test_a_sweep_that_was_told_so_goes_on_without_its_metric_and_warns_once(harness: Harness) -> None:
    sweep = harness.submit(harness.sweep(max_trials=5, gives_up_when_silent=False))

    finish_all(harness)
    harness.restart()
    harness.settle()

    ended = harness.run(sweep.id)
    assert (ended.status, len(harness.trials(sweep.id))) == ("completed", 5)
    warnings = [event for event in harness.services.runs.events(f"run:{sweep.id}") if event.kind == "silence"]
    assert len(warnings) == 1
    assert (
        "never reported the primary metric 'accuracy' in 4 finished trials; it reported Accuracy" in warnings[0].reason
    )


def test_other_sweeps_give_up_without_their_metric(harness: Harness) -> None:
    sweep = harness.submit(harness.sweep(max_trials=5))

    finish_all(harness)

    assert harness.run(sweep.id).status == "failed"
    assert len(harness.trials(sweep.id)) < 5
