"""What a script reports arrives where people look for it: sentences, files of child runs, torn and removed bytes."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sublight.messages.journal import STANDARD_LOG
from sublight.messages.nodes import FileBytes
from tests.server.harness import FakeAgent, Harness, scalar


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    made = Harness(tmp_path / ".sublight")
    made.cluster()
    yield made
    made.close()


@pytest.fixture
def agent(harness: Harness) -> FakeAgent:
    """The agent of the node on which a script run has just been placed."""
    harness.submit(harness.script())
    harness.settle()
    harness.agents()
    harness.settle()
    (agent,) = harness.agents().values()
    return agent


def record(kind: str, content: Any, *, child: str | None = None, name: str = "") -> bytes:
    line: dict[str, Any] = {"kind": kind, "name": name, "step": None, "time": 1.0, "content": content}
    if child is not None:
        line["child"] = child
    return b"r\t" + json.dumps(line).encode() + b"\n"


def run_of(agent: FakeAgent) -> str:
    (order,) = agent.orders()
    return order.run_id


def put_file(harness: Harness, run_id: str, path: str, data: bytes) -> None:
    harness.services.files.put_artifact(run_id, 1, path, hashlib.sha256(data).hexdigest(), [data])


@pytest.mark.parametrize("exit_code", [0, 1])
def test_the_sentence_of_run_fail_is_the_reason_whatever_the_exit_code(
    harness: Harness, agent: FakeAgent, exit_code: int
) -> None:
    run_id = run_of(agent)
    agent.report(run_id, journal=(first := record("fail", {"message": "the data has no labels"})))

    agent.finish(run_id, exit_code=exit_code, journal=b"", offset=len(first))

    ended = harness.run(run_id)
    assert ended.status == "failed"
    assert ended.reason.startswith("the script called run.fail: the data has no labels")
    assert harness.services.runs.attempts(run_id)[0].reason == ended.reason


def test_a_failed_exit_keeps_the_sentence_of_run_fail_and_the_last_words(harness: Harness, agent: FakeAgent) -> None:
    run_id = run_of(agent)

    agent.finish(run_id, exit_code=1, message="exit code 1: ValueError: y", journal=record("fail", {"message": "no y"}))

    assert harness.run(run_id).reason == "the script called run.fail: no y; exit code 1: ValueError: y"


def test_what_the_node_has_to_say_of_a_good_end_is_shown(harness: Harness, agent: FakeAgent) -> None:
    run_id = run_of(agent)

    agent.finish(run_id, message="what the script reported from there on was not kept")

    ended = harness.run(run_id)
    assert ended.status == "completed"
    assert ended.reason == "the script ended well; what the script reported from there on was not kept"


def test_a_failed_child_run_shows_its_sentence(harness: Harness, agent: FakeAgent) -> None:
    run_id = run_of(agent)
    journal = (
        record("child", {"child": "c1", "name": "fold 1"})
        + record("fail", {"message": "the fold has one class only"}, child="c1")
        + record("child_end", {"child": "c1", "status": "failed"})
        + record("child", {"child": "c2", "name": "fold 2"})
        + record("child_end", {"child": "c2", "status": "failed"})
    )

    agent.report(run_id, journal=journal)

    assert [(child.status, child.reason) for child in harness.trials(run_id)] == [
        ("failed", "the fold has one class only"),
        ("failed", "ended by the script"),
    ]


@pytest.mark.parametrize("torn", [b"m\tacc\t3\t0.91\t1764", b"r\t{", scalar("acc", 0.5).rstrip(b"\n")])
def test_a_torn_last_line_of_a_journal_is_counted_and_makes_no_point(
    harness: Harness, agent: FakeAgent, torn: bytes
) -> None:
    run_id = run_of(agent)
    whole = scalar("acc", 0.7)

    answer = agent.report(
        run_id, phase="finished", end="exited", exit_code=1, journal=whole + torn, started=harness.clock.now()
    )

    assert answer.attempts[0].journal == len(whole + torn)
    assert harness.run(run_id).metrics == {"acc": 0.7}
    reasons = [event.reason for event in harness.services.runs.events(f"run:{run_id}")]
    assert "1 line of its journal could not be read and was left out" in reasons


def test_files_and_images_of_a_child_run_are_its_own(harness: Harness, agent: FakeAgent) -> None:
    run_id = run_of(agent)
    files = harness.services.files
    # Files may come before the journal that speaks of the child.
    put_file(harness, run_id, "children/c1/images/loss.png", b"picture")
    put_file(harness, run_id, "children/c_/model", b"another's")
    put_file(harness, run_id, "outputs/model", b"weights")
    journal = record("child", {"child": "c1", "name": "fold"}) + record(
        "image", {"path": "children/c1/images/loss.png"}, child="c1", name="loss"
    )

    agent.report(run_id, journal=journal)

    (child,) = harness.trials(run_id)
    assert [artifact.path for artifact in files.artifacts(child.id)] == ["images/loss.png"]
    (image,) = harness.services.metrics.records(child.id)
    place, artifact = files.open_artifact(child.id, image.content["path"])
    assert (place.read_bytes(), artifact.path) == (b"picture", "images/loss.png")
    assert [artifact.path for artifact in files.artifacts(run_id)] == ["children/c_/model", "outputs/model"]


def test_logs_that_somebody_removed_are_asked_for_again_and_end_no_agent(harness: Harness, agent: FakeAgent) -> None:
    run_id = run_of(agent)
    text = b"first line\nsecond line\nthird line\n"
    agent.report(run_id, logs=[FileBytes(path=STANDARD_LOG, offset=0, data=text[:11])])
    shutil.rmtree(harness.root / "logs")

    end = {"phase": "finished", "end": "exited", "exit_code": 0}
    answer = agent.report(run_id, logs=[FileBytes(path=STANDARD_LOG, offset=11, data=text[11:])], **end)

    assert answer.attempts[0].logs == {STANDARD_LOG: 0}
    assert harness.run(run_id).status != "completed"
    agent.report(run_id, logs=[FileBytes(path=STANDARD_LOG, offset=0, data=text)], **end)
    assert harness.services.files.read_log(run_id, STANDARD_LOG, 0, 1000) == text
    assert harness.run(run_id).status == "completed"
