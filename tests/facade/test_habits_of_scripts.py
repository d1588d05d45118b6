"""What public notebooks do with runs that other programs make, in their words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from azureml.core import Experiment, ScriptRunConfig
from azureml.core.run import Run
from azureml.core.workspace import Workspace
from azureml.exceptions import ActivityFailedException, ModelPathNotFoundException, UserErrorException
from sublight.sdk import run as sdk_run
from tests.facade.test_run_outside import LOG, agent_of, end, keep
from tests.server.harness import Harness


@pytest.fixture
def run(ws: Workspace, harness: Harness, tmp_path: Path) -> Run:
    harness.cluster("cpu")
    source = tmp_path / "source"
    source.mkdir()
    (source / "train.py").write_text("print('hello')\n")
    submitted: Run = Experiment(ws, "habits").submit(ScriptRunConfig(str(source), "train.py", compute_target="cpu"))
    return submitted


def test_a_notebook_that_says_fail_about_a_submitted_run_stops_it_and_sees_it_failed(
    run: Run, harness: Harness
) -> None:
    agent = agent_of(harness, run)

    run.fail("the data were wrong")
    assert run.get_status() == "Failed"
    agent.finish(run.id, end="stopped", exit_code=None)
    harness.settle()

    assert Run(run.experiment, run.id).get_status() == "Failed"
    assert run.get_details()["error"]["error"]["message"] == "the data were wrong"
    assert "azureml.failed" not in run.get_properties()
    with pytest.raises(ActivityFailedException, match="the data were wrong"):
        run.wait_for_completion()


def test_a_notebook_that_completes_a_submitted_run_changes_nothing(
    run: Run, harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    run.complete()
    assert run.get_status() == "Queued"
    assert "is completed by its script when that ends" in caplog.text

    end(harness, run)
    run.complete()
    assert run.get_status() == "Completed"


def test_a_run_that_its_notebook_has_completed_is_still_tagged_and_logged_to(ws: Workspace, tmp_path: Path) -> None:
    run = Experiment(ws, "habits").start_logging(snapshot_directory=None)
    child = run.child_run("fold")
    child.log("accuracy", 0.5)
    child.complete()
    run.complete()
    (tmp_path / "late.txt").write_text("late")

    run.tag("quality", "fantastic")
    run.add_properties({"author": "me"})
    run.log("accuracy", 0.75)
    run.upload_file("outputs/late.txt", str(tmp_path / "late.txt"))
    child.tag("fold", "1")

    assert run.get_tags() == {"quality": "fantastic"}
    assert run.get_properties()["author"] == "me"
    assert run.get_metrics() == {"accuracy": 0.75}
    assert run.get_file_names() == ["outputs/late.txt"]
    assert [found.get_tags() for found in run.get_children()] == [{"fold": "1"}]


def test_the_last_file_of_a_run_is_what_its_script_left(run: Run, harness: Harness, tmp_path: Path) -> None:
    end(harness, run)
    keep(run, tmp_path, "outputs/model.joblib", "weights")

    assert run.get_file_names() == ["azureml-logs/70_driver_log.txt", LOG, "outputs/model.joblib"]


@pytest.fixture
def ends_when_waited_for(run: Run, harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run leaves its model and ends as soon as somebody waits for it."""
    agent_of(harness, run)
    waited = sdk_run.Run.wait

    def wait(self: sdk_run.Run, *arguments: Any, **values: Any) -> Any:
        if self.id == run.id and self.refresh().view.ended is None:
            keep(run, tmp_path, "outputs/model.joblib", "weights")
            end(harness, run)
        return waited(self, *arguments, **values)

    monkeypatch.setattr(sdk_run.Run, "wait", wait)


@pytest.mark.usefixtures("ends_when_waited_for")
def test_registering_the_model_of_a_run_that_goes_on_waits_for_it(run: Run) -> None:
    model = run.register_model("mine", "outputs/model.joblib")

    assert (model.name, model.version, run.get_status()) == ("mine", 1, "Completed")
    with pytest.raises(ModelPathNotFoundException):
        run.register_model("mine", "outputs/other.joblib")


@pytest.mark.usefixtures("ends_when_waited_for")
def test_downloading_a_file_that_a_run_has_not_left_yet_waits_for_it(run: Run, tmp_path: Path) -> None:
    run.download_file("outputs/model.joblib", str(tmp_path / "here.joblib"))

    assert (tmp_path / "here.joblib").read_text() == "weights"
    with pytest.raises(UserErrorException, match="has no file"):
        run.download_file("outputs/other.joblib")
