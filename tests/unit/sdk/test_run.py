"""A run from outside: look, wait, read, download."""

from __future__ import annotations

import hashlib
import io
import math
from pathlib import Path

import httpx
import pytest

from sublight.core.errors import InvalidInput, NotFound, ServerUnavailable
from sublight.messages.runs import RECORDS_PAGE, ArtifactView, BestTrial, MetricSeries, RecordView
from sublight.sdk.logs import follow_log
from sublight.sdk.run import Run
from sublight.sdk.waiting import watch
from tests.unit.sdk.fake_server import (
    Clock,
    FakeServer,
    a_cluster,
    a_page,
    a_run,
    a_sweep,
    a_trial,
    error,
)

RUN = "/api/v1/runs/exp-abc123"
SWEEP = "/api/v1/runs/sweep-ab"


class Recorder:
    """A display that remembers what it was shown."""

    def __init__(self) -> None:
        self.statuses: list[str] = []
        self.said: list[str] = []
        self.closed = 0

    def show(self, picture: object) -> None:
        self.statuses.append(picture.run.status)  # type: ignore[attr-defined]

    def say(self, sentence: str) -> None:
        self.said.append(sentence)

    def close(self) -> None:
        self.closed += 1


def test_a_run_is_one_line_without_asking_the_server(server: FakeServer) -> None:
    assert repr(Run(server.client(), a_run())) == "Run('exp-abc123', script of 'exp' on 'cpu', queued)"
    assert server.requests == []


def test_a_run_that_has_ended_is_not_read_again(server: FakeServer) -> None:
    run = Run(server.client(), a_run(status="completed", metrics={"loss": 0.5, "odd": None}))

    assert run.status == "completed"
    assert run.is_finished
    assert run.metrics["loss"] == 0.5
    assert math.isnan(run.metrics["odd"])
    assert server.requests == []


def test_waiting_comes_back_with_the_run_as_it_ended(server: FakeServer) -> None:
    server.on("GET", RUN, a_run(status="failed", reason="exit code 1"))
    run = Run(server.client(), a_run())

    assert run.wait() is run
    assert (run.status, run.reason) == ("failed", "exit code 1")


def test_the_best_trial_is_a_run_with_its_values(server: FakeServer) -> None:
    best = BestTrial(run_id="sweep-ab-3", index=3, value=0.9, parameters={"lr": 0.375})
    trial = a_trial(3, metrics={"accuracy": 0.9}, arguments=["--lr", "0.375"])
    server.on("GET", f"{SWEEP}-3", trial)

    run = Run(server.client(), a_sweep(best=best, status="completed"))

    assert run.best.id == "sweep-ab-3"
    assert run.best.metrics["accuracy"] == 0.9
    assert run.best.arguments == ["--lr", "0.375"]
    assert run.best.parameters == {"lr": 0.375}


def test_a_sweep_without_reports_says_why_it_has_no_best_trial(server: FakeServer) -> None:
    run = Run(server.client(), a_sweep(status="failed", reason="the script never reported"))

    with pytest.raises(NotFound, match="none of its 4 trials has reported a number as the primary metric 'accuracy'"):
        _ = run.best


def test_a_script_has_no_best_trial(server: FakeServer) -> None:
    with pytest.raises(InvalidInput, match="only a sweep has a best trial"):
        _ = Run(server.client(), a_run(status="completed")).best


def test_all_trials_come_in_one_request(server: FakeServer) -> None:
    server.on("GET", f"{SWEEP}/trials", [a_trial(0), a_trial(1)])

    trials = Run(server.client(), a_sweep()).trials()

    assert [trial.index for trial in trials] == [0, 1]
    assert len(server.requests) == 1


def test_a_series_has_floats_for_what_json_cannot_say(server: FakeServer) -> None:
    points = MetricSeries(
        run_id="x", name="loss", count=3, steps=[0, 1, 2], values=[1.5, None, "-inf"], times=[1, 2, 3]
    )
    server.on("GET", f"{RUN}/series", points)

    series = Run(server.client(), a_run()).series("loss")

    assert series.values[0] == 1.5
    assert math.isnan(series.values[1])
    assert series.values[2] == -math.inf
    assert len(series) == 3


def test_tags_are_set_and_removed(server: FakeServer) -> None:
    server.on("PATCH", RUN, a_run(tags={"a": "1"}))

    run = Run(server.client(), a_run()).tag(a="1", b=None)

    assert run.tags == {"a": "1"}
    assert server.bodies("PATCH", RUN) == [
        {"name": None, "description": None, "tags": {"a": "1", "b": None}, "properties": {}}
    ]


def test_watching_shows_every_state_until_the_end(server: FakeServer) -> None:
    server.on("GET", SWEEP, a_sweep(), a_sweep(status="completed"))
    server.on("GET", "/api/v1/clusters/cpu", a_cluster())
    server.on("GET", "/api/v1/runs", a_page(a_trial(1), a_trial(0)))
    display = Recorder()

    picture = watch(server.client(), "sweep-ab", display, sleep=lambda _: None)

    assert display.statuses == ["running", "completed"]
    assert display.closed == 1
    assert picture.is_finished
    assert [trial.index for trial in picture.trials] == [1, 0]


def test_a_cluster_that_is_gone_does_not_end_the_watching(server: FakeServer) -> None:
    server.on("GET", RUN, a_run(status="completed"))
    server.on("GET", "/api/v1/clusters/cpu", error(404, "not_found", "no such cluster"))

    assert watch(server.client(), "exp-abc123", Recorder(), sleep=lambda _: None).cluster is None


def test_waiting_gives_up_after_its_time_and_the_run_goes_on(server: FakeServer) -> None:
    server.on("GET", RUN, a_run(status="running"))
    clock = Clock()

    with pytest.raises(TimeoutError, match="exp-abc123 is running after 30 seconds of waiting; it goes on"):
        watch(
            server.client(),
            "exp-abc123",
            Recorder(),
            timeout_seconds=30,
            reads_all=False,
            sleep=clock.sleep,
            clock=clock,
        )
    assert 1030 <= clock.now < 1031


def test_ctrl_c_leaves_the_run_going_and_says_how_to_come_back(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.on("GET", RUN, a_run(status="running"))
    display = Recorder()

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watch(server.client(), "exp-abc123", display, reads_all=False, sleep=interrupted)

    assert "exp-abc123 goes on; come back with: sublight watch exp-abc123" in capsys.readouterr().err
    assert display.closed
    assert {request.method for request in server.requests} == {"GET"}


def test_a_server_that_restarts_meanwhile_is_waited_for(server: FakeServer) -> None:
    gone = httpx.ConnectError("refused")
    server.on("GET", RUN, a_run(status="running"), *[gone] * 30, a_run(status="completed"))
    clock, display = Clock(), Recorder()
    client = server.client(sleep=clock.sleep, clock=clock, patience_seconds=5)

    picture = watch(client, "exp-abc123", display, reads_all=False, sleep=clock.sleep, clock=clock)

    assert picture.run.status == "completed"
    assert "still waiting for the server" in display.said[0]


def test_a_server_that_does_not_come_back_ends_the_waiting(server: FakeServer) -> None:
    server.on("GET", RUN, httpx.ConnectError("refused"))
    clock = Clock()
    client = server.client(sleep=clock.sleep, clock=clock)

    with pytest.raises(ServerUnavailable, match="does not answer"):
        watch(client, "exp-abc123", Recorder(), reads_all=False, sleep=clock.sleep, clock=clock)


def log_server(server: FakeServer, text: bytes) -> None:
    def content(request: httpx.Request) -> httpx.Response:
        offset, limit = int(request.url.params["offset"]), int(request.url.params["limit"])
        return httpx.Response(200, content=text[offset : offset + limit], headers={"Content-Type": "text/plain"})

    server.on("GET", f"{RUN}/logs/content", content)


def test_a_log_is_read_whole(server: FakeServer) -> None:
    text = ("line ä\n" * 300_000).encode()
    log_server(server, text)

    assert Run(server.client(), a_run()).logs() == text.decode()
    assert len(server.requests) == 3


def test_bytes_that_are_no_text_do_not_stop_a_log(server: FakeServer) -> None:
    log_server(server, b"good\xff\n")

    assert Run(server.client(), a_run()).logs() == "good\ufffd\n"


def test_a_log_that_is_not_there_yet_is_empty(server: FakeServer) -> None:
    server.on("GET", RUN, a_run())

    assert Run(server.client(), a_run()).logs() == ""


def test_a_log_of_a_run_that_does_not_exist_is_not_found(server: FakeServer) -> None:
    with pytest.raises(NotFound):
        Run(server.client(), a_run()).logs()


def test_a_growing_log_is_followed_to_its_end(server: FakeServer) -> None:
    content = {"Content-Type": "text/plain"}
    euro = "€\n".encode()
    pieces = [b"one\n", euro[:1], euro[1:], b"last\n"]
    server.on("GET", f"{RUN}/logs/content", *[httpx.Response(200, content=p, headers=content) for p in pieces])
    running = a_run(status="running", attempt=1)
    server.on("GET", RUN, running, running, running, a_run(status="completed", attempt=1))
    out = io.StringIO()

    view = follow_log(server.client(), "exp-abc123", "std_log.txt", out, sleep=lambda _: None)

    assert out.getvalue() == "one\n€\nlast\n"
    assert view.status == "completed"
    offsets = [r.url.params["offset"] for r in server.requests if r.url.path.endswith("content")]
    assert offsets == ["0", "4", "5", "8"]


def test_a_run_that_starts_again_shows_its_new_log_after_a_line(server: FakeServer) -> None:
    content = {"Content-Type": "text/plain"}
    pieces = [httpx.Response(200, content=text, headers=content) for text in (b"first\n", b"second\n")]
    server.on("GET", f"{RUN}/logs/content", *pieces)
    server.on("GET", RUN, a_run(status="running", attempt=1), a_run(status="completed", attempt=2))
    out = io.StringIO()

    follow_log(server.client(), "exp-abc123", "std_log.txt", out, sleep=lambda _: None)

    assert out.getvalue() == "first\n--- attempt 2: the run was started again ---\nsecond\n"
    read = [
        (r.url.params["attempt"], r.url.params["offset"]) for r in server.requests if r.url.path.endswith("content")
    ]
    assert read == [("1", "0"), ("2", "0")]


def artifact(path: str, content: bytes = b"content") -> ArtifactView:
    sha256 = hashlib.sha256(content).hexdigest()
    return ArtifactView(path=path, size_bytes=len(content), sha256=sha256, created=1.0)


def artifact_server(server: FakeServer, *artifacts: ArtifactView) -> Run:
    server.on("GET", f"{RUN}/artifacts", list(artifacts))
    binary = {"Content-Type": "application/octet-stream"}
    server.on("GET", f"{RUN}/artifacts/content", httpx.Response(200, content=b"content", headers=binary))
    return Run(server.client(), a_run(status="completed"))


def test_everything_is_downloaded_below_the_folder(server: FakeServer, tmp_path: Path) -> None:
    run = artifact_server(server, artifact("outputs/model.pkl"), artifact("outputs/deep/plot.png"))

    files = run.download(tmp_path / "new")

    assert sorted(files) == [tmp_path / "new/outputs/deep/plot.png", tmp_path / "new/outputs/model.pkl"]
    assert all(file.read_bytes() == b"content" for file in files)
    assert sorted(path.name for path in (tmp_path / "new").rglob("*") if path.is_file()) == ["model.pkl", "plot.png"]


def test_a_folder_or_a_file_can_be_chosen(server: FakeServer, tmp_path: Path) -> None:
    run = artifact_server(server, artifact("outputs/a"), artifact("outputs/deep/b"), artifact("outputs2"))

    assert [file.name for file in run.download(tmp_path, "outputs/deep")] == ["b"]
    assert [file.name for file in run.download(tmp_path, "outputs")] == ["a", "b"]
    with pytest.raises(NotFound, match=r"no file or folder 'model'; it left outputs/a, outputs/deep/b, outputs2"):
        run.download(tmp_path, "model")


@pytest.mark.parametrize("path", ["../evil", "/etc/evil", "a/../../evil", "a\\b", "a/\x00b"])
def test_a_path_that_leads_outside_is_refused(server: FakeServer, tmp_path: Path, path: str) -> None:
    run = artifact_server(server, artifact(path))

    with pytest.raises(InvalidInput, match="a path must be relative"):
        run.download(tmp_path / "in")
    assert not (tmp_path / "evil").exists()


def test_a_link_in_the_destination_leads_nowhere(server: FakeServer, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in" / "outputs").symlink_to(tmp_path / "out")
    run = artifact_server(server, artifact("outputs/model.pkl"))

    with pytest.raises(InvalidInput, match="leads outside"):
        run.download(tmp_path / "in")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_damaged_download_leaves_nothing(server: FakeServer, tmp_path: Path) -> None:
    run = artifact_server(server, artifact("model.pkl", b"something else"))

    with pytest.raises(ServerUnavailable, match="arrived damaged"):
        run.download(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_all_records_are_read_page_by_page(server: FakeServer) -> None:
    record = RecordView(name="r", kind="row", step=None, time=1.0, content={"x": 1})
    server.on("GET", "/api/v1/runs/exp-abc123/records", [record] * RECORDS_PAGE, [record] * 3)

    records = Run(server.client(), a_run()).records(kind="row")

    assert len(records) == RECORDS_PAGE + 3
    assert [dict(request.url.params) for request in server.requests] == [
        {"kind": "row"},
        {"kind": "row", "start": str(RECORDS_PAGE)},
    ]
