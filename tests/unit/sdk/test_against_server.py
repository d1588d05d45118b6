"""The SDK and the real server in one process: both sides mean the same by every message."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

import sublight as sl
from sublight.core.errors import InvalidInput, NameTaken, NotAuthenticated, NotFound
from sublight.messages.journal import STANDARD_LOG
from sublight.messages.nodes import FileBytes
from sublight.sdk import snapshot
from sublight.sdk.client import Client
from sublight.sdk.endpoint import Endpoint
from tests.server.harness import Harness, scalar
from tests.server.world import TestClient

URL = "http://127.0.0.1"


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    harness = Harness(tmp_path / "root")
    yield harness
    harness.close()


@pytest.fixture
def workspace(harness: Harness) -> sl.Workspace:
    token = harness.services.people.ensure_owner(present="")
    http = TestClient(harness.workspace.app, base_url=URL)
    return sl.Workspace(client=Client(Endpoint(URL, token), http=http, sleep=lambda _: harness.settle()))


@pytest.fixture
def script(tmp_path: Path) -> sl.Script:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/train.py").write_text("print('hello')\n")
    return sl.Script("train.py", source=tmp_path / "source", arguments=["--epochs", 2])


def test_a_sweep_goes_from_submission_to_its_best_trial(
    harness: Harness, workspace: sl.Workspace, script: sl.Script
) -> None:
    cluster = workspace.clusters.create("cpu", size="STANDARD_D3_V2", max_nodes=1)
    sweep = sl.Sweep(
        script, space={"x": sl.choice(1, 2)}, goal=sl.maximize("accuracy"), max_trials=1, sampler=sl.Grid()
    )
    run = workspace.experiment("exp").submit(sweep, on=cluster, tags={"team": "red"})

    harness.settle()
    (agent,) = harness.agents().values()
    harness.settle()
    trial = run.trials()[0]
    log = FileBytes(path=STANDARD_LOG, offset=0, data="epoch 1 ä\n".encode())
    journal = scalar("accuracy", 0.5) + scalar("accuracy", 0.75)
    agent.report(trial.id, journal=journal, logs=[log], started=1.0)
    agent.finish(trial.id)
    harness.settle()

    run.refresh()
    assert (run.status, run.kind, run.tags) == ("completed", "sweep", {"team": "red"})
    assert run.best.id == trial.id
    assert run.best.metrics == {"accuracy": 0.75}
    assert run.best.arguments == ["--epochs", "2", "--x", "1"]
    assert run.best.series("accuracy").values == (0.5, 0.75)
    assert run.best.logs() == "epoch 1 ä\n"
    assert run.best.attempts()[0].exit_code == 0
    assert [one.count for one in run.best.metric_summaries()] == [2]
    assert [one.id for one in workspace.runs(experiment="exp", status="completed", tag="team=red")] == [run.id]
    assert workspace.experiments[0].runs_count == 1
    assert workspace.audit(limit=1)[0].action


def test_a_script_waits_for_its_node_and_can_be_canceled(workspace: sl.Workspace, script: sl.Script) -> None:
    workspace.clusters.create("cpu", size="STANDARD_D3_V2")
    run = workspace.experiment("exp").submit(script, on="cpu")

    run.cancel()

    assert run.wait().status == "canceled"
    assert run.end_reason == "user"
    assert run.cancel().status == "canceled"


def test_contents_are_sent_once(workspace: sl.Workspace, script: sl.Script) -> None:
    packed = snapshot.pack(script.source, shown="src")
    first, second = io.StringIO(), io.StringIO()

    assert snapshot.upload(workspace.client, packed, notice=first) == snapshot.upload(
        workspace.client, packed, notice=second
    )
    assert "(new: 1 file, 15 B)" in first.getvalue()
    assert "(nothing new)" in second.getvalue()


def test_clusters_are_changed_listed_and_deleted(workspace: sl.Workspace) -> None:
    cluster = workspace.clusters.create("cpu", size="STANDARD_D3_V2", tags={"a": "b"})

    assert cluster.update(max_nodes=8, idle_seconds=30).max_nodes == 8
    assert "cpu" in workspace.clusters
    assert cluster.tags == {"a": "b"}
    assert any(size.name == "STANDARD_D3_V2" for size in workspace.clusters.sizes())
    with pytest.raises(NameTaken, match="there is a cluster 'cpu' already"):
        workspace.clusters.create("cpu", size="STANDARD_D3_V2")
    cluster.delete()
    with pytest.raises(NotFound, match="there is no cluster 'gpu'"):
        workspace.clusters.get("gpu")


def test_people_come_with_tokens_and_go_with_them(workspace: sl.Workspace) -> None:
    workspace.people.add("eva", ["reader"])
    token = workspace.tokens.create("eva", label="laptop", days_valid=1)
    http = TestClient(workspace.client._own_http.app, base_url=URL)  # type: ignore[attr-defined]
    eva = sl.Workspace(client=Client(Endpoint(URL, token.secret), http=http))

    assert eva.details.caller == "eva"
    assert "eva" in [person.name for person in workspace.people.list()]
    workspace.people.remove("eva")
    with pytest.raises(NotAuthenticated):
        eva.runs()


def test_a_cluster_that_does_not_exist_is_said_before_anything_is_sent(
    workspace: sl.Workspace, script: sl.Script, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NotFound, match="there is no cluster 'nowhere'"):
        workspace.experiment("exp").submit(script, on="nowhere")
    assert capsys.readouterr().err == ""


def test_a_target_that_is_no_name_is_refused(workspace: sl.Workspace, script: sl.Script) -> None:
    with pytest.raises(InvalidInput, match="on must be a cluster, its name, or 'local', got 4"):
        workspace.experiment("exp").submit(script, on=4)  # type: ignore[arg-type]
