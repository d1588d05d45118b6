"""The workspace, its clusters and experiments."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import sublight as sl
from sublight.core.errors import Conflict, InvalidInput, NameTaken, NotFound
from sublight.messages.clusters import NodeView
from sublight.messages.definitions import SnapshotResponse
from sublight.messages.people import LoginCode, WorkspaceView
from sublight.messages.runs import Comparison
from sublight.sdk.cluster import Cluster
from sublight.sdk.workspace import Workspace
from tests.unit.sdk.fake_server import URL, Clock, FakeServer, a_cluster, a_page, a_run, a_sweep, error

CLUSTERS = "/api/v1/clusters"


@pytest.fixture
def workspace(server: FakeServer) -> Workspace:
    return Workspace(client=server.client())


@pytest.fixture
def script(tmp_path: Path) -> sl.Script:
    (tmp_path / "train.py").write_text("print(1)")
    return sl.Script("train.py", source=tmp_path)


def node(state: str) -> NodeView:
    return NodeView(
        id=f"cpu-{state}",
        cluster="cpu",
        state=state,
        reason="",
        run_ids=[],
        started=1.0,
        ready=None,
        idle_since=None,
        last_heartbeat=None,
    )


def test_a_workspace_needs_an_address_and_a_token() -> None:
    with pytest.raises(InvalidInput, match=r"needs the url and the token .*from_config\(\) finds them"):
        Workspace("http://127.0.0.1:9")


def test_the_name_is_read_once(server: FakeServer, workspace: Workspace) -> None:
    view = WorkspaceView(id="w", name="lab", version="0.1.0", caller="owner", roles=["owner"], started=1.0)
    server.on("GET", "/api/v1/workspace", view)

    assert (workspace.name, workspace.name, workspace.url) == ("lab", "lab", URL)
    assert len(server.requests) == 1


def test_the_portal_link_holds_a_fresh_code(server: FakeServer, workspace: Workspace) -> None:
    server.on("POST", "/api/v1/login-codes", LoginCode(path="/login?code=abc", seconds_valid=60))

    assert workspace.portal_url() == f"{URL}/login?code=abc"


def test_a_cluster_is_created_with_what_was_asked_for(server: FakeServer, workspace: Workspace) -> None:
    server.on("POST", CLUSTERS, a_cluster())

    cluster = workspace.clusters.create("cpu", size="STANDARD_D3_V2", max_nodes=4)

    assert repr(cluster) == "Cluster('cpu', STANDARD_D3_V2, 0 to 4 nodes, ready)"
    assert server.bodies("POST", CLUSTERS)[0]["max_nodes"] == 4
    assert server.bodies("POST", CLUSTERS)[0]["idle_seconds"] == 1800


def test_a_name_that_is_taken_is_said(server: FakeServer, workspace: Workspace) -> None:
    server.on("POST", CLUSTERS, error(409, "name_taken", "there is a cluster cpu already"))

    with pytest.raises(NameTaken, match=r"there is a cluster cpu already"):
        workspace.clusters.create("cpu", size="STANDARD_D3_V2")


def test_clusters_behave_like_a_mapping(server: FakeServer, workspace: Workspace) -> None:
    server.on("GET", f"{CLUSTERS}/cpu", a_cluster()).on("GET", CLUSTERS, [a_cluster()])

    assert "cpu" in workspace.clusters
    assert "gpu" not in workspace.clusters
    assert 5 not in workspace.clusters
    assert workspace.clusters["cpu"].name == "cpu"
    assert [cluster.name for cluster in workspace.clusters] == ["cpu"]
    assert len(workspace.clusters) == 1
    with pytest.raises(NotFound):
        _ = workspace.clusters["gpu"]


def test_only_the_given_limits_are_changed(server: FakeServer, workspace: Workspace) -> None:
    server.on("PATCH", f"{CLUSTERS}/cpu", a_cluster(max_nodes=8))
    cluster = Cluster(server.client(), a_cluster())

    assert cluster.update(max_nodes=8).max_nodes == 8
    assert server.bodies("PATCH", f"{CLUSTERS}/cpu") == [
        {"min_nodes": None, "max_nodes": 8, "idle_seconds": None, "trials_per_node": None}
    ]


def test_a_cluster_is_deleted_by_force_only_on_demand(server: FakeServer) -> None:
    server.on("DELETE", f"{CLUSTERS}/cpu", a_cluster(state="deleting"))
    cluster = Cluster(server.client(), a_cluster())

    cluster.delete()
    cluster.delete(force=True)

    assert [request.url.query for request in server.requests] == [b"", b"force=true"]


def test_waiting_for_nodes_ends_when_enough_are_ready(server: FakeServer) -> None:
    coming = a_cluster(min_nodes=2, nodes=[node("idle"), node("starting")])
    server.on("GET", f"{CLUSTERS}/cpu", coming, replace(coming, nodes=[node("idle"), node("busy"), node("gone")]))

    cluster = Cluster(server.client(), a_cluster()).wait(sleep=lambda _: None)

    assert [one.state for one in cluster.nodes] == ["idle", "busy"]


def test_waiting_for_an_unusable_cluster_ends_with_its_reason(server: FakeServer) -> None:
    server.on("GET", f"{CLUSTERS}/cpu", a_cluster(state="unusable", reason="this host has no GPU"))

    with pytest.raises(Conflict, match=r"cluster cpu is unusable: this host has no GPU"):
        Cluster(server.client(), a_cluster()).wait(1)


def test_waiting_for_nodes_gives_up_in_time(server: FakeServer) -> None:
    server.on("GET", f"{CLUSTERS}/cpu", a_cluster())
    clock = Clock()

    with pytest.raises(TimeoutError, match=r"0 of 1 nodes ready after 10 seconds"):
        Cluster(server.client(), a_cluster()).wait(1, timeout=10, sleep=clock.sleep, clock=clock)


def submission(server: FakeServer) -> None:
    server.on("POST", "/api/v1/snapshots", SnapshotResponse(id="snap", missing=[]))
    server.on("POST", "/api/v1/runs", a_run())


def test_a_script_is_submitted_with_its_snapshot(server: FakeServer, workspace: Workspace, script: sl.Script) -> None:
    submission(server)
    cluster = Cluster(server.client(), a_cluster())

    run = workspace.experiment("exp").submit(script, on=cluster, name="first", tags={"team": "red"})

    assert run.id == "exp-abc123"
    body = server.bodies("POST", "/api/v1/runs")[0]
    assert (body["experiment"], body["target"], body["name"], body["tags"]) == ("exp", "cpu", "first", {"team": "red"})
    assert body["script"]["snapshot_id"] == "snap"
    assert body["sweep"] is None


def test_a_sweep_is_submitted_to_this_machine_by_default(
    server: FakeServer, workspace: Workspace, script: sl.Script
) -> None:
    submission(server)
    sweep = sl.Sweep(script, space={"x": sl.uniform(0, 1)}, goal=sl.minimize("loss"), max_trials=3)

    workspace.experiment("exp").submit(sweep)

    body = server.bodies("POST", "/api/v1/runs")[0]
    assert body["target"] == "local"
    assert body["sweep"]["trial"]["snapshot_id"] == "snap"
    assert body["script"] is None


def test_nothing_is_sent_when_the_submission_is_wrong(
    server: FakeServer, workspace: Workspace, script: sl.Script
) -> None:
    with pytest.raises(InvalidInput, match=r"takes a Script or a Sweep, got 'train.py'"):
        workspace.experiment("exp").submit("train.py")  # type: ignore[arg-type]
    command = sl.Script(command="python train.py ${{search_space.x}}", source=script.source)
    with pytest.raises(InvalidInput, match=r"search_space.x"):
        workspace.experiment("exp").submit(command)
    with pytest.raises(InvalidInput, match=r"needs a name"):
        workspace.experiment(" ")

    assert server.requests == []


def test_runs_are_listed_page_by_page(server: FakeServer, workspace: Workspace) -> None:
    server.on("GET", "/api/v1/runs", a_page(a_run("a"), next_before="7"), a_page(a_sweep()))

    runs = workspace.runs(limit=None, status="running", experiment="exp")

    assert [run.id for run in runs] == ["a", "sweep-ab"]
    assert "before=7" in str(server.requests[1].url)
    assert "status=running" in str(server.requests[0].url)


def test_a_limit_is_kept(server: FakeServer, workspace: Workspace) -> None:
    server.on("GET", "/api/v1/runs", a_page(a_run("a"), next_before="7"))

    assert len(workspace.runs(limit=1)) == 1
    assert "limit=1" in str(server.requests[0].url)


def test_a_filter_that_does_not_exist_is_named(workspace: Workspace) -> None:
    with pytest.raises(InvalidInput, match=r"can be filtered by .*, got 'statuss'"):
        workspace.experiment("exp").runs(statuss="running")


def test_an_id_from_outside_stays_one_part_of_the_address(server: FakeServer, workspace: Workspace) -> None:
    with pytest.raises(NotFound):
        workspace.run("../clusters/cpu")
    assert server.requests[0].url.raw_path == b"/api/v1/runs/..%2Fclusters%2Fcpu"


def test_a_comparison_needs_two(server: FakeServer, workspace: Workspace) -> None:
    answer = Comparison(metric=None, direction=None, common_value=None, columns=[], verdict="even")
    server.on("GET", "/api/v1/compare", answer)

    assert workspace.compare("a", "b") == answer
    assert server.requests[0].url.query == b"run=a&run=b"
    with pytest.raises(InvalidInput, match=r"two runs or more, got 1"):
        workspace.compare("a")


def test_a_role_that_does_not_exist_is_refused_before_asking(server: FakeServer, workspace: Workspace) -> None:
    with pytest.raises(
        InvalidInput, match=r"a role is one of reader, data scientist, compute operator, owner, got 'boss'"
    ):
        workspace.people.add("eva", ["boss"])
    assert server.requests == []


def test_a_person_is_removed_without_an_answer_to_read(server: FakeServer, workspace: Workspace) -> None:
    server.on("DELETE", "/api/v1/people/eva", None)

    workspace.people.remove("eva")

    assert len(server.requests) == 1


def test_a_cluster_that_is_there_is_taken_as_it_is_when_that_is_allowed(server: FakeServer) -> None:
    taken = "there is a cluster 'cpu' already"
    server.on("POST", "/api/v1/clusters", error(409, "name_taken", taken)).on(
        "GET", "/api/v1/clusters/cpu", a_cluster()
    )
    clusters = Workspace(client=server.client()).clusters

    assert clusters.create("cpu", size="standard_d3_v2", exist_ok=True).name == "cpu"
    with pytest.raises(NameTaken, match="already"):
        clusters.create("cpu", size="STANDARD_D3_V2")
    with pytest.raises(NameTaken, match="of size STANDARD_D3_V2 and not STANDARD_NC6"):
        clusters.create("cpu", size="STANDARD_NC6", exist_ok=True)
