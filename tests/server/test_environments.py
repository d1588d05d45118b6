"""Runs with environments of their own, as the server sees them: checked, handed to the node, told of while built."""

from __future__ import annotations

from pathlib import Path

import pytest

from sublight.core.errors import InvalidInput
from sublight.messages.definitions import EnvironmentSpec
from sublight.messages.nodes import FileBytes
from tests.server.harness import Harness

SPEC = EnvironmentSpec(name="old", python="3.11", requirements=["joblib==1.3.2"])


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    return Harness(tmp_path / ".sublight")


def test_a_node_is_told_what_to_build_and_its_word_is_the_runs_reason(harness: Harness) -> None:
    harness.cluster()
    run_id = harness.submit(harness.script(environment="built", environment_spec=SPEC)).id
    harness.settle()
    agent = next(iter(harness.agents().values()))
    harness.settle()

    (order,) = agent.orders()
    assert (order.environment, order.environment_spec) == ("built", SPEC)

    sentence = "building environment old: installing 1 package"
    log = FileBytes(path="environment_log.txt", offset=0, data=b"environment old\n")
    agent.report(run_id, phase="preparing", message=sentence, logs=[log])
    assert (harness.run(run_id).status, harness.run(run_id).reason) == ("preparing", sentence)

    agent.report(run_id, phase="running")
    assert "runs on node" in harness.run(run_id).reason


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"environment": "conda"}, "got 'conda'"),
        ({"environment": "built"}, "go together"),
        ({"environment_spec": SPEC}, "go together"),
        ({"environment": "built", "environment_spec": EnvironmentSpec(name="", requirements=[])}, "needs a name"),
        ({"environment": "built", "environment_spec": EnvironmentSpec(name="x", python="2.7")}, "3.8 or newer"),
        (
            {"environment": "built", "environment_spec": EnvironmentSpec(name="x", requirements=["a b"])},
            "the requirement 'a b' cannot be met here",
        ),
    ],
)
def test_an_environment_that_makes_no_sense_is_refused_at_submission(
    harness: Harness, values: dict[str, object], words: str
) -> None:
    harness.cluster()

    with pytest.raises(InvalidInput) as error:
        harness.submit(harness.script(**values))

    assert words in str(error.value)
