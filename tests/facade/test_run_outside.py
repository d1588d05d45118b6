"""Runs as a notebook sees them: submitted, looked up, started by the program itself."""

from __future__ import annotations

import json
import pickle
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from azureml.core import Experiment, Model, ScriptRunConfig
from azureml.core.run import Run, ScriptRun, get_run
from azureml.core.workspace import Workspace
from azureml.exceptions import (
    ActivityFailedException,
    ExperimentExecutionException,
    ModelPathNotFoundException,
    ServiceException,
    UserErrorException,
    WebserviceException,
)
from sublight.messages.nodes import FileBytes
from sublight.sdk.errors import ServerUnavailable
from tests.server.harness import FakeAgent, Harness

JOURNAL = (
    b"m\taccuracy\t\t0.5\t1.0\n"
    b"m\taccuracy\t\t0.75\t2.0\n"
    b"m\tepochs\t\t3.0\t2.5\n"
    b'r\t{"kind":"property","name":"azureml.metric_type.epochs","step":null,"time":2,"content":"int"}\n'
    b'r\t{"kind":"row","name":"row","step":null,"time":3,"content":{"x":1}}\n'
    b'r\t{"kind":"tag","name":"data","step":null,"time":4,"content":"generated"}\n'
    b'r\t{"kind":"child","name":"fold","step":null,"time":5,"content":{"child":"ab12","name":"fold"}}\n'
    b"c\tab12\tm\taccuracy\t\t0.25\t6.0\n"
)
LOG = "user_logs/std_log.txt"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "train.py").write_text("print('hello')\n")
    return folder


@pytest.fixture
def experiment(ws: Workspace, harness: Harness) -> Experiment:
    harness.cluster("cpu")
    return Experiment(ws, "trying")


@pytest.fixture
def run(experiment: Experiment, source: Path) -> Run:
    return submit(experiment, source)


def submit(experiment: Experiment, source: Path, **values: Any) -> Run:
    config = ScriptRunConfig(str(source), "train.py", arguments=["--rate", 1.0], compute_target="cpu")
    submitted: Run = experiment.submit(config, **values)
    return submitted


def agent_of(harness: Harness, run: Run) -> FakeAgent:
    harness.settle()
    harness.agents()  # they say that they are up
    harness.settle()
    return next(agent for agent in harness.agents().values() if any(order.run_id == run.id for order in agent.orders()))


def end(harness: Harness, run: Run, *, journal: bytes = JOURNAL, log: bytes = b"printed\n", **values: Any) -> None:
    agent = agent_of(harness, run)
    agent.report(run.id, journal=journal, logs=[FileBytes(path=LOG, offset=0, data=log)])
    agent.finish(run.id, **values)
    harness.settle()
    run._sdk_run.refresh()


def keep(run: Run, tmp_path: Path, name: str, content: str) -> None:
    file = tmp_path / "to-keep"
    file.write_text(content)
    run.upload_file(name, str(file))


def test_a_submitted_run_shows_itself_as_it_did(run: Run, harness: Harness) -> None:
    assert isinstance(run, ScriptRun)
    assert repr(run).replace(run.id, "ID") == (
        "Run(Experiment: trying,\nId: ID,\nType: azureml.scriptrun,\nStatus: Queued)"
    )
    assert "<table" in run._repr_html_()
    assert run.get_portal_url().endswith(f"/runs/{run.id}")
    assert run.number == 1


def test_its_status_goes_through_the_words_of_v1(run: Run, harness: Harness) -> None:
    agent = agent_of(harness, run)
    agent.report(run.id)
    run._sdk_run.refresh()
    assert run.get_status() == run.status == "Running"
    assert run.get_detailed_status()["status"] == "Running"

    run.cancel()
    assert run._sdk_run.refresh().view.status == "stopping"
    assert run.get_status() == "CancelRequested"


def test_its_metrics_have_the_shapes_of_v1(run: Run, harness: Harness) -> None:
    end(harness, run)

    assert run.get_metrics() == {"accuracy": [0.5, 0.75], "epochs": 3, "row": {"x": 1}}
    assert type(run.get_metrics()["epochs"]) is int
    assert run.get_metrics(name="epochs") == {"epochs": 3}
    (child,) = run.get_children()
    assert child.type is None
    assert child.parent == run
    assert run.get_metrics(recursive=True)[child.id] == {"accuracy": 0.25}


def test_its_details_hold_what_retraining_needs(run: Run, harness: Harness) -> None:
    end(harness, run)

    details = run.get_details()
    assert details["runId"] == run.id
    assert details["target"] == "cpu"
    assert details["status"] == "Completed"
    assert details["runDefinition"]["script"] == "train.py"
    assert details["runDefinition"]["arguments"] == ["--rate", "1.0"]
    assert details["properties"]["_azureml.ComputeTargetType"] == "amlcompute"
    assert details["properties"]["ContentSnapshotId"] == run.get_snapshot_id()
    assert details["startTimeUtc"].endswith("Z")
    assert set(details["logFiles"]) == {LOG, "azureml-logs/70_driver_log.txt"}
    assert run.get_details_with_logs()["logFiles"]["azureml-logs/70_driver_log.txt"] == "printed\n"
    assert run.get_environment().name


def test_its_log_goes_by_both_names(run: Run, harness: Harness, tmp_path: Path) -> None:
    end(harness, run)
    keep(run, tmp_path, "outputs/model.pkl", "model")

    assert run.get_file_names() == ["azureml-logs/70_driver_log.txt", LOG, "outputs/model.pkl"]
    for name in (LOG, "azureml-logs/70_driver_log.txt"):
        run.download_file(name, str(tmp_path / "log.txt"))
        assert (tmp_path / "log.txt").read_text() == "printed\n"
    logs = run.get_all_logs(str(tmp_path / "logs"))
    assert [Path(log).read_text() for log in logs] == ["printed\n", "printed\n"]


def test_files_are_downloaded_to_where_v1_put_them(
    run: Run, harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end(harness, run)
    keep(run, tmp_path, "outputs/model.pkl", "model")
    keep(run, tmp_path, "outputs/deep/notes.txt", "notes")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    run.download_file("./outputs/model.pkl")
    run.download_file("outputs/model.pkl", "folder/")
    run.download_file("outputs/model.pkl", output_file_path="named/as.pkl")
    run.download_files(prefix="outputs/deep", output_directory="some")
    run.download_files(prefix="outputs/deep", output_directory="bare", append_prefix=False)
    run.download_files(prefix="outputs/model", output_paths=["given.pkl"])

    found = sorted(str(path.relative_to(".")) for path in Path().rglob("*") if path.is_file())
    assert found == [
        "bare/notes.txt",
        "folder/model.pkl",
        "given.pkl",
        "model.pkl",
        "named/as.pkl",
        "some/outputs/deep/notes.txt",
    ]
    with pytest.raises(UserErrorException, match=r"outputs/model\.pkl"):
        run.download_file("outputs/other.pkl")


def test_waiting_gives_the_details_and_tells_of_failure(
    experiment: Experiment, source: Path, harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = submit(experiment, source), submit(experiment, source)
    end(harness, good)
    end(harness, bad, exit_code=1, message="the data has no labels")

    assert good.wait_for_completion(show_output=True)["status"] == "Completed"
    assert "printed\n" in capsys.readouterr().out
    assert bad.wait_for_completion(raise_on_error=False)["status"] == "Failed"
    with pytest.raises(ActivityFailedException) as caught:
        bad.wait_for_completion()
    assert json.loads(str(caught.value.message))["error"]["message"] == bad._sdk_run.reason


def test_a_canceled_run_never_raises(run: Run, harness: Harness) -> None:
    run.cancel()
    harness.settle()

    assert run.wait_for_completion()["status"] == "Canceled"


def test_breaking_off_the_output_leaves_the_run_going(
    run: Run, harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(run._sdk_run), "stream_logs", interrupted)
    with pytest.raises(ExperimentExecutionException, match="goes on"):
        run.wait_for_completion(show_output=True)
    assert run.get_status() == "Queued"


def test_runs_are_found_again_by_id_and_by_filters(experiment: Experiment, source: Path, harness: Harness) -> None:
    ws = experiment.workspace
    first, second = submit(experiment, source), submit(experiment, source, tags={"best": "yes"})
    end(harness, second)

    assert Run.get(ws, first.id) == get_run(experiment, first.id) == first
    assert {found.id for found in Run.list(experiment)} == {first.id, second.id}
    assert [found.id for found in Run.list(experiment, status="Completed")] == [second.id]
    assert [found.id for found in Run.list(experiment, tags="best")] == [second.id]
    assert [found.id for found in Run.list(experiment, tags={"best": "no"})] == []
    assert [found.id for found in Run.list(experiment, tags=["best", {"data": "generated"}])] == [second.id]
    assert list(Run.list(experiment, type="hyperdrive")) == []
    assert len(list(experiment.get_runs(include_children=True))) == 3
    assert len(list(Run.list_by_compute(ws.compute_targets["cpu"]))) == 3
    with pytest.raises(ServiceException):
        Run.get(ws, "no-such-run")


def test_tags_properties_and_names_can_be_changed_from_outside(run: Run) -> None:
    run.tag("a", 1)
    run.set_tags({"b": "2", "c": "3"})
    run.remove_tags(["b"])
    run.add_properties({"kept": "for ever"})
    run.display_name = "the good one"
    run.description = "why it is good"

    assert run.get_tags() == {"a": "1", "c": "3"}
    assert run.get_properties()["kept"] == "for ever"
    with pytest.raises(UserErrorException):
        run.add_properties({"kept": "not really"})
    assert (run.name, run.display_name, run.description) == ("the good one", "the good one", "why it is good")


def test_others_may_report_metrics_on_a_run(run: Run, harness: Harness) -> None:
    run.log("from outside", 0.5)
    run.log("from outside", 0.75)
    run.log_row("row from outside", x=1)

    assert run.get_metrics() == {"from outside": [0.5, 0.75], "row from outside": {"x": 1}}
    assert not [name for name in run.get_properties() if name.startswith("azureml.report")]


def test_any_run_can_be_given_children(run: Run, experiment: Experiment, harness: Harness) -> None:
    end(harness, run)
    looked_up = Run.get(experiment.workspace, run.id)
    with looked_up.child_run("by hand", run_id="my-own-id") as child:
        child.log("accuracy", 0.5)
        with child.child_run() as grandchild:
            grandchild.log("accuracy", 0.25)

    found = {child.id: child for child in looked_up.get_children(recursive=True)}
    assert (child.id, child.parent) == ("my-own-id", run)
    assert found[child.id].get_metrics() == {"accuracy": 0.5}
    assert found[grandchild.id].status == "Completed"
    assert [found.id for found in Run.list(experiment)] == [run.id]


def test_a_sweep_can_be_given_a_child_that_is_no_trial(experiment: Experiment, harness: Harness) -> None:
    sweep = Run.get(experiment.workspace, harness.submit(harness.sweep()).id)
    with sweep.child_run("summary") as child:
        child.log("accuracy", 0.5)

    assert child in list(sweep.get_children())
    assert child.parent == sweep


def test_a_child_of_the_program_itself_may_have_an_id_of_its_own(experiment: Experiment) -> None:
    with experiment.start_logging(snapshot_directory=None) as run, run.child_run(run_id="my-own-id") as child:
        assert child.id == "my-own-id"
    assert [one.id for one in run.get_children()] == ["my-own-id"]


def test_ending_a_run_of_another_program_never_raises(
    run: Run, experiment: Experiment, harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    run.complete()
    assert run.get_status() == "Queued"
    assert "completed by its script" in caplog.text
    end(harness, run)
    run.complete()
    run.fail("too late")
    assert run.cancel() is False
    assert run.get_status() == "Completed"

    begun = experiment.start_logging(snapshot_directory=None)
    Run(experiment, begun.id).complete()
    assert begun.get_status() == "Completed"
    begun.complete()  # it was ended from elsewhere meanwhile
    assert begun.cancel() is True or begun.get_status() == "Completed"


def test_a_block_whose_run_was_canceled_elsewhere_ends_in_a_warning(
    experiment: Experiment, caplog: pytest.LogCaptureFixture
) -> None:
    with experiment.start_logging(snapshot_directory=None) as run:
        assert Run(experiment, run.id).cancel() is True

    assert run.get_status() == "Canceled"
    assert "complete() changes nothing" in caplog.text


def test_a_run_submitted_below_another_one_is_its_child(run: Run, source: Path) -> None:
    config = ScriptRunConfig(str(source), "train.py", compute_target="cpu")
    child = run.submit_child(config, tags={"part": "1"})

    assert child.parent == run
    assert [found.id for found in run.get_children()] == [child.id]
    assert child.get_tags() == {"part": "1"}
    assert [found.id for found in Run.list(run.experiment)] == [run.id]


def test_a_model_is_registered_from_the_files_of_a_run(run: Run, harness: Harness, tmp_path: Path) -> None:
    end(harness, run)
    keep(run, tmp_path, "outputs/model.pkl", "model")

    model = run.register_model("my-model", "outputs/model.pkl", tags={"a": "b"}, model_framework="ScikitLearn")
    again = run.register_model("my-model", model_path="outputs")

    assert (model.name, model.version, again.version) == ("my-model", 1, 2)
    assert (model.run_id, model.tags, model.model_framework) == (run.id, {"a": "b"}, "ScikitLearn")
    fetched = Model(run.experiment.workspace, "my-model", version=1).download(str(tmp_path / "got"))
    assert Path(fetched).read_text() == "model"
    with pytest.raises(ModelPathNotFoundException, match=r"outputs/model\.pkl"):
        run.register_model("my-model", "outputs/other.pkl")
    with pytest.raises(WebserviceException, match="letters"):
        run.register_model("my model", "outputs/model.pkl")


def test_a_model_is_made_of_what_the_run_was_given_not_of_an_older_file_here(
    experiment: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "model.pkl").write_text("stale")
    run = experiment.start_logging(snapshot_directory=None)
    keep(run, tmp_path, "outputs/model.pkl", "fresh")
    child = run.child_run("fold")
    keep(child, tmp_path, "outputs/model.pkl", "of the fold")
    models = [run.register_model("mine", "outputs/model.pkl"), child.register_model("fold", "outputs/model.pkl")]
    run.complete()
    models.append(run.register_model("late", "outputs/model.pkl"))

    texts = [Path(model.download(str(tmp_path / f"got-{model.name}"))).read_text() for model in models]
    assert texts == ["fresh", "of the fold", "fresh"]
    other = experiment.start_logging(snapshot_directory=None)
    model = other.register_model("here", "outputs/model.pkl")
    assert Path(model.download(str(tmp_path / "got-here"))).read_text() == "stale"
    other.complete()


def test_a_run_that_was_completed_takes_reports_on(experiment: Experiment, tmp_path: Path) -> None:
    run = experiment.start_logging(snapshot_directory=None)
    run.log("accuracy", 1)
    run.complete()
    run.log("accuracy", 2)
    run.log("accuracy", True)
    run.log("accuracy", 0.5)
    run.tag("late", "yes")
    run.add_properties({"kept": "too"})
    keep(run, tmp_path, "outputs/late.txt", "late")
    with run.child_run("late") as child:
        child.log("accuracy", 3)

    assert run.get_metrics() == {"accuracy": [1, 2, True, 0.5]}
    assert [type(value) for value in run.get_metrics()["accuracy"]] == [int, int, bool, float]
    assert (run.get_tags()["late"], run.get_properties()["kept"]) == ("yes", "too")
    assert run.get_file_names() == ["outputs/late.txt"]
    assert list(run.get_children()) == [child]


def test_a_run_that_has_ended_can_be_given_several_children_at_once(experiment: Experiment) -> None:
    run = experiment.start_logging(snapshot_directory=None)
    run.complete()

    children = run.create_children(tag_key="fold", tag_values=["a", "b"])
    for number, child in enumerate(children):
        child.log("accuracy", number)
        child.complete()

    assert {child.get_tags()["fold"] for child in run.get_children()} == {"a", "b"}
    assert [child.get_metrics() for child in children] == [{"accuracy": 0}, {"accuracy": 1}]


def test_a_metric_may_be_now_a_truth_value_and_now_a_number(experiment: Experiment) -> None:
    with experiment.start_logging(snapshot_directory=None) as run:
        for value in (True, 0.25, False):
            run.log("mixed", value)

    assert run.get_metrics() == {"mixed": [True, 0.25, False]}
    assert type(run.get_metrics()["mixed"][0]) is bool


def test_a_step_may_be_a_float_that_is_whole(experiment: Experiment) -> None:
    with experiment.start_logging(snapshot_directory=None) as run:
        run.log("loss", 0.5, step=3.0)
        run.log("loss", 0.25, step=np.float64(4))
        with pytest.raises(UserErrorException, match="whole number"):
            run.log("loss", 0.125, step=4.5)

    assert run._sdk_run.series("loss").steps == (3, 4)


def test_runs_are_listed_page_by_page_and_with_their_children_at_once(
    experiment: Experiment, harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        with experiment.start_logging(snapshot_directory=None) as run, run.child_run(f"fold {number}"):
            pass
    client = experiment.workspace._sdk.client
    asked: list[str] = []
    get = client.get
    monkeypatch.setattr(
        client, "get", lambda path, *answer, **query: (asked.append(path), get(path, *answer, **query))[1]
    )
    monkeypatch.setattr("sublight.sdk.runs._FIRST_PAGE", 1)

    assert next(iter(experiment.get_runs())) == run
    assert len(asked) == 1
    asked.clear()
    everything = list(experiment.get_runs(include_children=True))
    assert (len(everything), len(asked)) == (6, 2)
    assert len([found for found in everything if found.parent is None]) == 3


def test_files_are_listed_once_however_many_are_fetched(
    run: Run, harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end(harness, run)
    for number in range(5):
        keep(run, tmp_path, f"outputs/{number}.txt", str(number))
    client = run.experiment.workspace._sdk.client
    asked: list[str] = []
    get = client.get
    monkeypatch.setattr(
        client, "get", lambda path, *answer, **query: (asked.append(path), get(path, *answer, **query))[1]
    )

    run.download_files("outputs", str(tmp_path / "got"))
    assert len(asked) == 2
    assert len(list((tmp_path / "got" / "outputs").iterdir())) == 5


@pytest.mark.parametrize(
    "ask",
    [
        lambda run: list(run.experiment.get_runs()),
        lambda run: list(Run.list_by_compute(run.experiment.workspace.compute_targets["cpu"])),
        lambda run: list(run.get_children()),
        lambda run: run.number,
        lambda run: run.get_environment(),
        lambda run: run.get_tags(),
        lambda run: run.get_properties(),
        lambda run: run.display_name,
        lambda run: run.get_details(),
        lambda run: run.complete(),
    ],
)
def test_a_server_that_is_away_is_told_in_the_words_of_v1(run: Run, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    targets = run.experiment.workspace.compute_targets
    monkeypatch.setattr(type(run.experiment.workspace), "compute_targets", targets)

    def away(*_: object, **__: object) -> None:
        raise ServerUnavailable("the server does not answer")

    client = run.experiment.workspace._sdk.client
    run._sdk_run._read_at = -1e9
    for verb in ("get", "post", "patch"):
        monkeypatch.setattr(client, verb, away)
    with pytest.raises(ServiceException) as caught:
        ask(run)
    assert caught.value.__suppress_context__


def test_workspaces_experiments_and_runs_go_to_other_processes(
    run: Run, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiment.workspace._sdk.client, "_sleep", time.sleep)  # the test's own cannot go anywhere
    own = experiment.start_logging(snapshot_directory=None)
    for original in (run, own):
        copied = pickle.loads(pickle.dumps(original))
        assert copied == original
        assert copied.experiment.workspace._sdk.url == experiment.workspace._sdk.url
    own.complete()


def test_the_code_of_a_run_can_be_had_again(run: Run, tmp_path: Path) -> None:
    archive = run.restore_snapshot(path=str(tmp_path / "restored"))

    with zipfile.ZipFile(archive) as opened:
        assert opened.read("train.py") == b"print('hello')\n"


def test_a_program_can_be_a_run_itself(experiment: Experiment, tmp_path: Path) -> None:
    run = experiment.start_logging(snapshot_directory=None, display_name="by hand")
    run.log("accuracy", 1)
    run.log("accuracy", 2)
    run.tag("data", "generated")
    keep(run, tmp_path, "outputs/model.pkl", "model")

    assert (run.type, run.get_status(), run.display_name) == (None, "Running", "by hand")
    assert run.get_metrics() == {"accuracy": [1, 2]}
    assert run.get_tags() == {"data": "generated"}
    with run.child_run("fold") as fold:
        fold.log("accuracy", 0.5)
    assert [child.get_metrics() for child in run.get_children()] == [{"accuracy": 0.5}]
    run.complete()
    assert run.get_status() == "Completed"
    assert run.get_file_names() == ["outputs/model.pkl"]
    assert run.get_details()["target"] == "local"


def test_a_block_that_raises_fails_the_run_of_the_program(experiment: Experiment) -> None:
    with pytest.raises(ValueError, match="wrong"), experiment.start_logging(snapshot_directory=None) as run:
        raise ValueError("wrong")

    assert run.get_status() == "Failed"
    assert "ValueError: wrong" in run.get_details()["error"]["error"]["message"]


def test_a_sweep_tells_its_course_in_hyperdrive_txt(experiment: Experiment, harness: Harness, tmp_path: Path) -> None:
    view = harness.submit(harness.sweep())
    harness.settle()
    sweep = Run.get(experiment.workspace, view.id)

    assert sweep.type == "hyperdrive"
    assert sweep.get_file_names() == ["azureml-logs/hyperdrive.txt"]
    sweep.download_file("azureml-logs/hyperdrive.txt", str(tmp_path / "log.txt"))
    lines = (tmp_path / "log.txt").read_text().splitlines()
    assert all(line.startswith("<START>[") and line.endswith("<END>") for line in lines)
    assert [line for line in lines if "[GENERATOR]" in line and f"{view.id}-0" in line]


def test_a_provider_makes_the_runs_of_its_type(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Own(Run):
        pass

    monkeypatch.setattr("azureml.core.run._factories", {})
    Run.add_type_provider("azureml.scriptrun", lambda experiment, run_dto, **_: Own(experiment, run_dto.run_id))

    assert type(Run.get(run.experiment.workspace, run.id)) is Own


def test_children_that_were_begun_at_once_are_told_newest_first(run: Run, harness: Harness) -> None:
    line = 'r\t{"kind":"child","name":"k%d","step":null,"time":5,"content":{"child":"c%d","name":"k%d"}}\n'
    end(harness, run, journal="".join(line % (n, n, n) for n in range(5)).encode())

    assert [child.display_name for child in run.get_children()] == ["k4", "k3", "k2", "k1", "k0"]
