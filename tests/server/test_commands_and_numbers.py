"""What a submission may say: numbers that are numbers, names of a sane length, commands that use what is tuned."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sublight.core.errors import InvalidInput
from sublight.messages.definitions import InteractiveRunRequest, ScriptDefinition, SubmitRequest
from sublight.messages.runs import RunUpdate
from tests.server.harness import OWNER, Harness
from tests.server.world import World

_NAN_SENTENCE = "is no number of JSON; give a finite one, or leave the field out"


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    made = Harness(tmp_path / ".sublight")
    made.cluster()
    yield made
    made.close()


def command(harness: Harness, line: str, **inputs: str) -> ScriptDefinition:
    return ScriptDefinition(snapshot_id=harness.snapshot(), command=line, inputs=inputs)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/clusters", '{"name": "cpu", "size": "STANDARD_D3_V2", "idle_seconds": NUMBER}'),
        ("/api/v1/tokens", '{"person": "olga", "days_valid": NUMBER}'),
        (
            "/api/v1/runs",
            '{"experiment": "e", "target": "t", "script": {"snapshot_id": "s", "max_run_seconds": NUMBER}}',
        ),
        (
            "/api/v1/runs",
            '{"experiment": "e", "target": "t", "script": {"snapshot_id": "s", "annotations": {"a": NUMBER}}}',
        ),
    ],
)
def test_numbers_that_json_does_not_know_are_refused_in_one_sentence(
    tmp_path: Path, path: str, body: str, number: str
) -> None:
    world = World(tmp_path)
    headers = {"Content-Type": "application/json"}

    answer = world.client("olga", "owner").post(path, content=body.replace("NUMBER", number), headers=headers)

    world.close()
    assert answer.status_code == 400
    assert answer.json()["message"] == f"the request's body is not valid JSON: {number} {_NAN_SENTENCE}"


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_limits_are_finite_whoever_gives_them(harness: Harness, number: float) -> None:
    with pytest.raises(InvalidInput, match="idle_seconds must be a number of seconds from 0 on"):
        harness.cluster("other", idle_seconds=number)
    with pytest.raises(InvalidInput, match="max_run_seconds must be above 0"):
        harness.submit(harness.script(max_run_seconds=number))
    with pytest.raises(InvalidInput, match="max_minutes must be above 0"):
        harness.submit(harness.sweep(max_minutes=number))


def test_the_name_of_a_run_has_256_characters_at_most(harness: Harness) -> None:
    runs, script = harness.services.runs, harness.script()
    kept = runs.submit(OWNER, SubmitRequest(experiment="e", target="cpu", script=script, name="n" * 256))

    with pytest.raises(InvalidInput, match="at most 256 characters, got 257"):
        runs.submit(OWNER, SubmitRequest(experiment="e", target="cpu", script=script, name="n" * 257))
    with pytest.raises(InvalidInput, match="at most 256 characters, got 3,000"):
        runs.update(OWNER, kept.id, RunUpdate(name="n" * 3000))
    with pytest.raises(InvalidInput, match="at most 256 characters"):
        harness.services.interactive.start(OWNER, InteractiveRunRequest(experiment="e", name="n" * 257))
    assert runs.get(kept.id).name == "n" * 256


def test_a_trial_of_a_command_shows_the_line_that_runs_and_no_arguments(harness: Harness) -> None:
    line = "python train.py --x ${{search_space.x}} --data ${{inputs.data}}"
    sweep = harness.submit(harness.sweep(trial=command(harness, line, data="my data"), max_trials=1))
    harness.settle()
    harness.agents()
    harness.settle()

    (trial,) = harness.trials(sweep.id)
    (order,) = next(iter(harness.agents().values())).orders()

    assert trial.command == f"python train.py --x {trial.parameters['x']} --data 'my data'"
    assert order.argv == ["{shell}", "-c", trial.command]
    assert trial.arguments == []


def test_a_command_run_shows_its_filled_line_and_a_script_run_none(harness: Harness) -> None:
    run = harness.submit(command(harness, "echo ${{inputs.word}}", word="two words"))

    assert (run.command, run.arguments) == ("echo 'two words'", [])
    assert harness.submit(harness.script(arguments=["--a", "1"])).command is None


def test_a_tuned_parameter_that_the_command_leaves_out_is_refused(harness: Harness) -> None:
    with pytest.raises(InvalidInput, match=r"the command does not use \$\{\{search_space.x\}\}"):
        harness.submit(harness.sweep(trial=command(harness, "python train.py")))


def test_arguments_beside_a_command_are_refused(harness: Harness) -> None:
    definition = ScriptDefinition(snapshot_id=harness.snapshot(), command="echo", arguments=["a"])

    with pytest.raises(InvalidInput, match="arguments go with a script"):
        harness.submit(definition)
