"""Each command over a scripted server: what it asks for, what it prints, how it ends."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from sublight.cli.output import for_terminal
from sublight.messages.clusters import NodeView
from sublight.messages.definitions import SnapshotResponse
from sublight.messages.people import AuditEntry, LoginCode, PersonView, TokenResponse, TokenView, WorkspaceView
from sublight.messages.runs import (
    ArtifactView,
    BestTrial,
    CompareColumn,
    Comparison,
    EventView,
    LogFile,
    MetricSeries,
    MetricSummary,
    RecordView,
)
from tests.unit.cli.conftest import Sublight
from tests.unit.sdk.fake_server import URL, FakeServer, a_cluster, a_page, a_run, a_sweep, a_trial, as_json, error

RUN = "/api/v1/runs/exp-abc123"
CLUSTER = "/api/v1/clusters/cpu"
WORKSPACE = WorkspaceView(id="w1", name="lab", version="0.1.0", caller="owner", roles=["owner"], started=1.0)
BEST = BestTrial(run_id="sweep-ab-1", index=1, value=0.75, parameters={"lr": 0.125})


def test_up_prints_the_portal_link(server: FakeServer, sublight: Sublight) -> None:
    server.on("GET", "/api/v1/workspace", WORKSPACE)
    server.on("POST", "/api/v1/login-codes", LoginCode(path="/login?code=c", seconds_valid=60))

    assert f"portal: {URL}/login?code=c\n" in sublight("up").out
    assert json.loads(sublight("up", "--json").out)["portal"] == f"{URL}/login?code=c"


@pytest.fixture
def source(tmp_path: Path, server: FakeServer) -> Path:
    (tmp_path / "iris").mkdir()
    (tmp_path / "iris/train.py").write_text("print(1)")
    (tmp_path / "iris/sweep.yml").write_text(
        "type: sweep\ntrial: {command: 'python train.py --x ${{search_space.x}}'}\ncompute: azureml:cpu\n"
        "search_space: {x: {type: uniform, min_value: 0, max_value: 1}}\n"
        "objective: {primary_metric: accuracy, goal: maximize}\nlimits: {max_total_trials: 8}\n"
        "tags: {from: file}\n"
    )
    server.on("POST", "/api/v1/snapshots", SnapshotResponse(id="snap", missing=[]))
    server.on("POST", "/api/v1/runs", a_run()).on("GET", CLUSTER, a_cluster())
    server.on("GET", "/api/v1/clusters/gpu", a_cluster(name="gpu"))
    return tmp_path / "iris"


def test_a_job_file_is_submitted_where_it_says(server: FakeServer, sublight: Sublight, source: Path) -> None:
    outcome = sublight("submit", str(source / "sweep.yml"), "--tag", "team=red")

    assert outcome.code == 0
    assert outcome.out == "submitted exp-abc123 to cpu; watch it with: sublight watch exp-abc123\n"
    assert "snapshot of" in outcome.err
    body = server.bodies("POST", "/api/v1/runs")[0]
    assert (body["experiment"], body["target"]) == ("iris", "cpu")
    assert body["tags"] == {"from": "file", "team": "red"}
    assert body["sweep"]["max_trials"] == 8


def test_the_command_line_wins_over_the_file(server: FakeServer, sublight: Sublight, source: Path) -> None:
    sublight("submit", str(source / "sweep.yml"), "--on", "gpu", "-e", "other", "--name", "mine")

    body = server.bodies("POST", "/api/v1/runs")[0]
    assert (body["experiment"], body["target"], body["name"]) == ("other", "gpu", "mine")


def test_a_script_is_submitted_with_its_arguments(server: FakeServer, sublight: Sublight, source: Path) -> None:
    outcome = sublight("submit", str(source / "train.py"), "--json", "--", "--epochs", "5")

    assert json.loads(outcome.out)["id"] == "exp-abc123"
    body = server.bodies("POST", "/api/v1/runs")[0]
    assert body["target"] == "local"
    assert body["script"]["script"] == "train.py"
    assert body["script"]["arguments"] == ["--epochs", "5"]


def test_waiting_for_a_script_prints_its_log_and_ends_as_it_does(
    server: FakeServer, sublight: Sublight, source: Path
) -> None:
    server.on("GET", RUN, a_run(status="failed", started=1.0, attempt=1, reason="exit code 3"))
    server.on("GET", CLUSTER, a_cluster())
    log = httpx.Response(200, content=b"hello from train.py\n", headers={"Content-Type": "text/plain"})
    server.on("GET", f"{RUN}/logs/content", log)

    outcome = sublight("submit", str(source / "train.py"), "--wait")

    assert outcome.code == 1
    assert "hello from train.py" in outcome.out
    assert "exp-abc123 is failed: exit code 3" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["submit", "missing.yml"], "there is no file missing.yml"),
        (["submit", "data.csv"], "submit takes a job file (.yml) or a script (.py), got data.csv"),
        (["submit", "missing.py"], "there is no 'missing.py' in"),
        (["submit", "{source}/sweep.yml", "--", "--x"], "write them into the command of sweep.yml"),
        (["submit", "{source}/sweep.yml", "--tag", "red"], "--tag takes KEY=VALUE, got 'red'"),
        (["compare", "a"], "compare needs two runs or more, got 1"),
        (["cluster", "update", "cpu"], "nothing to change"),
        (["people", "add", "eva", "--role", "boss"], "a role is one of"),
    ],
)
def test_a_wrong_request_is_one_line_and_exit_code_2(
    sublight: Sublight, server: FakeServer, source: Path, arguments: list[str], sentence: str
) -> None:
    outcome = sublight(*[argument.replace("{source}", str(source)) for argument in arguments])

    assert outcome.code == 2
    assert sentence in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert outcome.err.startswith("sublight: ")
    assert server.bodies("POST", "/api/v1/runs") == []


def test_what_the_server_refuses_is_one_line_and_exit_code_1(server: FakeServer, sublight: Sublight) -> None:
    server.on("DELETE", CLUSTER, error(409, "conflict", "cluster cpu has 3 runs")).on("GET", CLUSTER, a_cluster())

    outcome = sublight("cluster", "delete", "cpu")

    assert (outcome.code, outcome.out, outcome.err) == (1, "", "sublight: cluster cpu has 3 runs\n")


def test_watching_takes_the_newest_run_under_way(server: FakeServer, sublight: Sublight) -> None:
    done = a_run("exp-done", status="completed")
    server.on("GET", "/api/v1/runs", a_page(done, a_sweep()), a_page(a_trial(0)))
    server.on("GET", "/api/v1/runs/sweep-ab", a_sweep(), a_sweep(status="completed", reason="all 8 trials ended"))
    server.on("GET", CLUSTER, a_cluster())

    outcome = sublight("watch")

    assert outcome.code == 0
    assert "sweep-ab is completed: all 8 trials ended" in outcome.out


def test_ctrl_c_while_watching_leaves_the_run_going_with_exit_code_130(server: FakeServer, sublight: Sublight) -> None:
    server.on("GET", CLUSTER, a_cluster()).on("GET", "/api/v1/runs", a_page())

    def interrupted(_: httpx.Request) -> httpx.Response:
        raise KeyboardInterrupt

    server.on("GET", "/api/v1/runs/sweep-ab", a_sweep(), a_sweep(), interrupted)

    outcome = sublight("watch", "sweep-ab")

    assert outcome.code == 130
    assert "sweep-ab goes on; come back with: sublight watch sweep-ab" in outcome.err
    assert {request.method for request in server.requests} == {"GET"}


def test_runs_are_listed_with_their_result(server: FakeServer, sublight: Sublight) -> None:
    script = a_run(status="completed", metrics={"loss": 0.5}, started=100.0, ended=103.0)
    server.on("GET", "/api/v1/runs", a_page(a_sweep(best=BEST), script))

    out = sublight("run", "list", "--status", "running", "--status", "completed", "-n", "5").out

    assert out.splitlines()[0].split() == ["run", "experiment", "on", "status", "result", "submitted", "time"]
    assert "2/8 trials, best accuracy 0.75" in out
    assert "loss 0.5" in out
    assert "3.0 s" in out
    assert "status=running&status=completed" in str(server.requests[0].url)


def test_a_list_in_a_pipe_is_not_cut(server: FakeServer, sublight: Sublight) -> None:
    server.on("GET", "/api/v1/runs", a_page(a_run(experiment="e" * 150)))

    lines = sublight("run", "list").out.splitlines()

    assert "e" * 150 in lines[1]
    assert lines == [line.rstrip() for line in lines]


def test_json_of_a_list_is_what_the_server_said(server: FakeServer, sublight: Sublight) -> None:
    server.on("GET", "/api/v1/runs", a_page(a_run()))

    assert json.loads(sublight("run", "list", "--json").out)[0]["id"] == "exp-abc123"


def test_a_run_is_shown_with_the_reason_for_its_status(server: FakeServer, sublight: Sublight) -> None:
    server.on("GET", RUN, a_run(arguments=["--lr", "0.1", "a b", ""], tags={"team": "red"}, properties={"data": "v2"}))
    record = RecordView(name="per class", kind="table", step=None, time=1.0, content={})
    artifact = ArtifactView(path="outputs/m", size_bytes=7, sha256="0" * 64, created=1.0)
    server.on("GET", f"{RUN}/records", [record]).on("GET", f"{RUN}/artifacts", [artifact])

    out = sublight("run", "show", "exp-abc123").out

    assert "queued" in out
    assert "waits for a node of cpu" in out
    assert "--lr 0.1 'a b' ''" in out
    assert "team=red" in out
    assert "data=v2" in out
    assert "1 table (per class)" in out
    assert "1 file, 7 B" in out


def test_without_an_id_the_newest_run_is_meant(server: FakeServer, sublight: Sublight) -> None:
    server.on("GET", "/api/v1/runs", a_page(a_run()))
    server.on("GET", f"{RUN}/records", []).on("GET", f"{RUN}/artifacts", [])

    assert "exp-abc123" in sublight("run", "show").out


def test_without_any_run_that_is_said(server: FakeServer, sublight: Sublight) -> None:
    server.on("GET", "/api/v1/runs", a_page())

    outcome = sublight("run", "show")

    assert (outcome.code, outcome.err) == (
        1,
        "sublight: there are no runs in this workspace yet; submit one with 'sublight submit FILE'\n",
    )


def test_trials_can_be_sorted_best_first(server: FakeServer, sublight: Sublight) -> None:
    server.on("GET", "/api/v1/runs/sweep-ab", a_sweep(status="completed"))
    trials = [a_trial(0, best_value=0.5), a_trial(1, best_value=None), a_trial(2, best_value=0.9)]
    server.on("GET", "/api/v1/runs/sweep-ab/trials", trials)

    rows = sublight("run", "trials", "sweep-ab", "--best").out.splitlines()[1:]

    assert [row.split()[0] for row in rows] == ["2", "0", "1"]
    assert len(sublight("run", "trials", "sweep-ab", "--best", "-n", "1").out.splitlines()) == 2


def test_logs_are_printed_as_they_are(server: FakeServer, sublight: Sublight) -> None:
    server.on("GET", RUN, a_run(status="completed"))
    log = httpx.Response(200, content=b"a\nb", headers={"Content-Type": "text/plain"})
    server.on("GET", f"{RUN}/logs/content", log)

    assert sublight("run", "logs", "exp-abc123").out == "a\nb"
    assert sublight("run", "logs", "exp-abc123", "-f").out == "a\nb"


def test_metrics_are_summed_up_or_listed_point_by_point(server: FakeServer, sublight: Sublight) -> None:
    server.on("GET", RUN, a_run(status="completed"))
    summary = MetricSummary(name="loss", count=2, last_step=1, last=0.25, least=0.25, greatest=0.5)
    series = MetricSeries(run_id="x", name="loss", count=2, steps=[0, 1], values=[0.5, None], times=[1.0, 2.0])
    server.on("GET", f"{RUN}/metrics", [summary]).on("GET", f"{RUN}/series", series)

    assert sublight("run", "metrics", "exp-abc123").out.splitlines()[1].split() == ["loss", "2", "0.25", "0.25", "0.5"]
    points = sublight("run", "metrics", "exp-abc123", "--name", "loss").out.splitlines()[1:]
    assert [point.split()[:2] for point in points] == [["0", "0.5"], ["1", "nan"]]


def test_several_runs_can_be_canceled_at_once(server: FakeServer, sublight: Sublight) -> None:
    for run_id in ("a", "b"):
        server.on("GET", f"/api/v1/runs/{run_id}", a_run(run_id))
        server.on("POST", f"/api/v1/runs/{run_id}/cancel", a_run(run_id, status="stopping", reason="canceled by owner"))

    assert sublight("run", "cancel", "a", "b").out == (
        "a is stopping: canceled by owner\nb is stopping: canceled by owner\n"
    )


def test_one_run_that_has_ended_does_not_keep_the_others_from_being_canceled(
    server: FakeServer, sublight: Sublight
) -> None:
    for run_id in ("a", "b"):
        server.on("GET", f"/api/v1/runs/{run_id}", a_run(run_id))
    server.on("POST", "/api/v1/runs/a/cancel", error(409, "conflict", "run a has ended already (completed)"))
    server.on("POST", "/api/v1/runs/b/cancel", a_run("b", status="stopping"))

    outcome = sublight("run", "cancel", "a", "b")

    assert outcome.out.startswith("b is stopping")
    assert (outcome.code, outcome.err) == (1, "sublight: run a has ended already (completed)\n")


def test_an_empty_list_says_what_to_do(server: FakeServer, sublight: Sublight) -> None:
    server.on("GET", "/api/v1/runs", a_page()).on("GET", "/api/v1/clusters", [])

    assert "submit one" in sublight("run", "list").err
    assert "leave out a filter" in sublight("run", "list", "--status", "failed").err
    assert "create one" in sublight("cluster", "list").err


def test_files_are_listed_and_downloaded(
    server: FakeServer, sublight: Sublight, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sha256 = "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"
    server.on("GET", RUN, a_run(status="completed"))
    server.on("GET", f"{RUN}/artifacts", [ArtifactView(path="outputs/m", size_bytes=7, sha256=sha256, created=1.0)])
    binary = {"Content-Type": "application/octet-stream"}
    server.on("GET", f"{RUN}/artifacts/content", httpx.Response(200, content=b"content", headers=binary))

    assert "outputs/m" in sublight("run", "download", "exp-abc123", "--list").out
    assert sublight("run", "download", "exp-abc123").out == "1 file written to exp-abc123\n"
    assert (tmp_path / "exp-abc123/outputs/m").read_bytes() == b"content"


def test_tags_are_set_and_removed(server: FakeServer, sublight: Sublight) -> None:
    server.on("GET", RUN, a_run(status="completed")).on("PATCH", RUN, a_run(status="completed", tags={"team": "red"}))

    assert sublight("run", "tag", "exp-abc123", "team=red", "stage=").out == "exp-abc123: team=red\n"
    assert server.bodies("PATCH", RUN)[0]["tags"] == {"team": "red", "stage": None}


def test_decisions_are_listed_with_their_reasons(server: FakeServer, sublight: Sublight) -> None:
    server.on("GET", RUN, a_run(status="completed"))
    event = EventView(number=1, time=1.0, subject="run:x", kind="policy stop", reason="0.5 is below 0.7")
    server.on("GET", f"{RUN}/events", [event])

    assert "0.5 is below 0.7" in sublight("run", "events", "exp-abc123").out


def test_a_cluster_is_created_with_its_limits(server: FakeServer, sublight: Sublight) -> None:
    server.on("POST", "/api/v1/clusters", as_json(a_cluster(), 201))

    outcome = sublight(
        "cluster", "create", "cpu", "--size", "STANDARD_D3_V2", "--max-nodes", "4", "--idle-seconds", "30"
    )

    assert outcome.out == "cluster cpu created: 0 to 4 nodes of STANDARD_D3_V2 (4 cores, 14 GiB)\n"
    body = server.bodies("POST", "/api/v1/clusters")[0]
    assert (body["max_nodes"], body["idle_seconds"], body["min_nodes"]) == (4, 30.0, 0)


def test_a_cluster_may_be_given_a_size_that_differs(server: FakeServer, sublight: Sublight) -> None:
    server.on("POST", "/api/v1/clusters", as_json(a_cluster(), 201))

    sublight("cluster", "create", "gpu", "--size", "NC6", "--size-may-differ")

    assert server.bodies("POST", "/api/v1/clusters")[0]["size_may_differ"] is True


def test_an_unusable_cluster_says_why(server: FakeServer, sublight: Sublight) -> None:
    server.on("POST", "/api/v1/clusters", a_cluster(state="unusable", reason="this host has no GPU"))

    assert "it is unusable: this host has no GPU\n" in sublight("cluster", "create", "gpu", "--size", "NC6").out


def test_a_cluster_is_shown_with_its_nodes(server: FakeServer, sublight: Sublight) -> None:
    node = NodeView(
        id="cpu-aaaa",
        cluster="cpu",
        state="busy",
        reason="",
        run_ids=["sweep-ab-1"],
        started=1.0,
        ready=2.0,
        idle_since=None,
        last_heartbeat=None,
    )
    cluster = a_cluster(
        nodes=[node, replace(node, id="cpu-old", state="gone")], target_nodes=1, target_reason="1 waits"
    )
    server.on("GET", CLUSTER, cluster).on("GET", "/api/v1/clusters", [cluster])

    out = sublight("cluster", "show", "cpu").out

    assert "1 nodes: 1 waits" in out
    assert "cpu-aaaa" in out
    assert "cpu-old" not in out
    assert "1 of 0-4" in sublight("cluster", "list").out


def test_a_cluster_is_changed_and_deleted(server: FakeServer, sublight: Sublight) -> None:
    server.on("GET", CLUSTER, a_cluster()).on("PATCH", CLUSTER, a_cluster(max_nodes=8))
    server.on("DELETE", CLUSTER, as_json(a_cluster(state="deleting"), 202))

    assert "0 to 8 nodes" in sublight("cluster", "update", "cpu", "--max-nodes", "8").out
    assert sublight("cluster", "delete", "cpu", "--force").out == "cluster cpu is being deleted\n"


def test_sizes_are_listed_with_their_price(server: FakeServer, sublight: Sublight) -> None:
    server.on("GET", "/api/v1/sizes", [a_cluster().size])

    assert "STANDARD_D3_V2" in sublight("cluster", "sizes").out
    assert "0.2500" in sublight("cluster", "sizes").out


def column(run_id: str, *, seconds: float, best: float) -> CompareColumn:
    return CompareColumn(
        run_id=run_id,
        kind="sweep",
        experiment="exp",
        target="cpu",
        size="STANDARD_D3_V2",
        nodes_max=4,
        status="completed",
        wall_seconds=seconds,
        node_seconds=4 * seconds,
        price=0.5,
        trials_count=8,
        trials_stopped_early=3,
        seconds_per_trial=seconds / 8,
        startup_share=0.25,
        metric="accuracy",
        best_value=best,
        best_run_id=f"{run_id}-1",
        seconds_to_common_value=None,
        price_to_common_value=0.125,
    )


def test_sweeps_are_compared_side_by_side(server: FakeServer, sublight: Sublight) -> None:
    comparison = Comparison(
        metric="accuracy",
        direction="maximize",
        common_value=0.7,
        columns=[column("sweep-a", seconds=100, best=0.75), column("sweep-b", seconds=50, best=0.8)],
        verdict="sweep-b was 2.0 times as fast",
    )
    server.on("GET", "/api/v1/compare", comparison)

    rows = {line.split("  ")[0]: line for line in sublight("compare", "sweep-a", "sweep-b").out.splitlines() if line}

    assert rows["wall time"].split()[2:] == ["1", "min", "40", "s", "50", "s"]
    assert rows["best accuracy"].split()[2:] == ["0.75", "0.8"]
    assert "8, 3 stopped early" in rows["trials"]
    assert "25%" in rows["spent starting"]
    assert "price to accuracy 0.7" in rows
    assert "time to accuracy 0.7" not in rows  # nobody has a value there
    assert "sweep-b was 2.0 times as fast" in rows


def test_people_and_tokens(server: FakeServer, sublight: Sublight) -> None:
    person = PersonView(name="eva", roles=["data scientist"], created=1.0)
    server.on("POST", "/api/v1/people", person).on("GET", "/api/v1/people", [person])
    server.on("PATCH", "/api/v1/people/eva", person).on("DELETE", "/api/v1/people/eva", None)
    server.on("POST", "/api/v1/tokens", TokenResponse(id="t1", secret="slt_x"))
    token = TokenView(id="t1", person="eva", label="laptop", created=1.0, expires=None)
    server.on("GET", "/api/v1/tokens", [token]).on("DELETE", "/api/v1/tokens/t1", None)

    assert sublight("people", "add", "eva", "--role", "data scientist").out == "eva is now data scientist\n"
    assert "eva" in sublight("people", "list").out
    assert sublight("people", "update", "eva", "--role", "reader").code == 0
    assert sublight("people", "remove", "eva").out == "eva is removed\n"
    assert f"SUBLIGHT_URL={URL}\nSUBLIGHT_TOKEN=slt_x\n" in sublight("token", "create", "eva").out
    assert "laptop" in sublight("token", "list").out
    assert sublight("token", "revoke", "t1").out == "token t1 is no longer valid\n"


def test_the_audit_says_who_did_what(server: FakeServer, sublight: Sublight) -> None:
    entry = AuditEntry(
        number=1, time=1.0, person="eva", roles=["owner"], action="submit", subject="run:x", detail={"target": "cpu"}
    )
    server.on("GET", "/api/v1/audit", [entry])

    row = sublight("audit").out.splitlines()[1]

    assert "eva" in row
    assert "target cpu" in row


def test_a_metric_or_log_that_is_not_there_is_told_with_what_there_is(server: FakeServer, sublight: Sublight) -> None:
    summary = MetricSummary(name="loss", count=2, last_step=1, last=0.25, least=0.25, greatest=0.5)
    nothing = MetricSeries(run_id="x", name="nope", count=0, steps=[], values=[], times=[])
    server.on("GET", RUN, a_run(status="completed")).on("GET", f"{RUN}/metrics", [summary])
    server.on("GET", f"{RUN}/series", nothing).on(
        "GET", f"{RUN}/logs", [LogFile(path="logs/a", size_bytes=1, attempt=1)]
    )

    metrics = sublight("run", "metrics", "exp-abc123", "--name", "nope")
    logs = sublight("run", "logs", "exp-abc123", "--path", "nope")

    assert (metrics.code, metrics.err) == (1, "sublight: run exp-abc123 has no metric 'nope'; it has loss\n")
    assert (logs.code, logs.err) == (1, "sublight: run exp-abc123 has no log 'nope'; it has logs/a\n")


def test_a_log_in_a_terminal_keeps_its_colours_and_nothing_else_that_steers() -> None:
    log = "\x1b[31mred\x1b[0m ok\tx\r\n\x1b]0;title\x07\x1b[2J\x1b[1;1Hhi\x1bcend\x07"

    assert for_terminal(log) == "\x1b[31mred\x1b[0m ok\tx\r\nhiend"
