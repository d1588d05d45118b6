"""``Run.get_context()`` in a script that runs by itself."""

from __future__ import annotations

import pytest

from azureml.core import Run
from azureml.exceptions import RunEnvironmentException


@pytest.fixture(autouse=True)
def no_run_around(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUBLIGHT_RUN_DIRECTORY", raising=False)


def test_its_id_says_that_it_is_offline() -> None:
    assert Run.get_context().id.startswith("OfflineRun_")
    assert Run.get_context().id != Run.get_context().id


def test_a_metric_is_printed_with_its_name_and_value_and_a_step_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    Run.get_context().log("accuracy", 0.75, step=3)

    notice, value = capsys.readouterr().out.splitlines()
    assert "scalar accuracy" in notice
    assert value == "0.75"


def test_log_takes_a_list_offline(capsys: pytest.CaptureFixture[str]) -> None:
    Run.get_context().log("losses", [0.5, 0.25])

    assert "[0.5, 0.25]" in capsys.readouterr().out


def test_every_report_is_printed_and_nothing_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run.get_context()

    run.log_list("list", [1])
    run.log_row("row", x=1)
    run.log_table("table", {"x": [1]})
    run.log_image("image", path="no-such-file.png")
    run.log_confusion_matrix("matrix", {})
    run.log_accuracy_table("accuracies", {})
    run.log_residuals("residuals", {})
    run.log_predictions("predictions", {})
    run.tag("key", "value")
    run.set_tags({"key": "value"})
    run.add_properties({"key": "value"})
    run.upload_file("name", "no-such-file")
    run.upload_files(["name"], ["no-such-file"])
    run.upload_folder("name", "no-such-folder")
    run.flush()
    run.fail("something")

    printed = capsys.readouterr().out
    assert printed.count("Offline run, not kept") == 16


@pytest.mark.parametrize(
    "name",
    [
        "experiment",
        "parent",
        "status",
        "tags",
        "input_datasets",
        "get_metrics",
        "get_details",
        "register_model",
        "number",
    ],
)
def test_it_lacks_what_scripts_tell_an_offline_run_by(name: str) -> None:
    assert not hasattr(Run.get_context(), name)


def test_a_child_is_named_after_its_parent() -> None:
    run = Run.get_context()

    assert run.child_run("fold").id == f"{run.id}.fold"
    assert run.child_run().id.startswith(f"{run.id}.")


def test_it_ends_in_silence_and_tells_when_a_block_begins_and_ends(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run.get_context()
    run.complete()
    run.cancel()
    assert capsys.readouterr().out == ""

    with run:
        pass

    assert len(capsys.readouterr().out.splitlines()) == 2


def test_a_script_that_insists_on_a_run_gets_an_exception() -> None:
    with pytest.raises(RunEnvironmentException, match=r"Run\.get_context"):
        Run.get_context(allow_offline=False)
