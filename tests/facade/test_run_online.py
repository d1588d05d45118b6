"""``Run.get_context()`` inside a run: reports go into the journal, without a server."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import azureml.core.run as run_module
from azureml.core import Experiment, Run
from azureml.core.workspace import Workspace
from azureml.exceptions import UserErrorException
from sublight.sdk.training_run import run as sublight_run
from tests.server.harness import Harness


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an attempt; this process is its script."""
    work = tmp_path / "work"
    for folder in (work / "outputs", work / "logs"):
        folder.mkdir(parents=True)
    monkeypatch.chdir(work)
    for name in ("SUBLIGHT_URL", "SUBLIGHT_TOKEN", "SUBLIGHT_PARENT_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SUBLIGHT_RUN_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("SUBLIGHT_RUN_ID", "trying_1_abcd")
    monkeypatch.setenv("SUBLIGHT_ATTEMPT", "1")
    monkeypatch.setenv("SUBLIGHT_EXPERIMENT", "trying")
    monkeypatch.setattr(sublight_run, "_reports", None)
    monkeypatch.setattr(run_module, "_context", {})
    return tmp_path


@pytest.fixture
def run(directory: Path) -> Run:
    return Run.get_context()


class Attached:
    """The run of this process's script is one of a workspace, which it may ask."""

    def __init__(self, run: Run, directory: Path, ws: Workspace, harness: Harness) -> None:
        harness.cluster("cpu")
        self._journal = directory / "journal"
        self._run_id = run._run_id = harness.submit(harness.script()).id
        run._experiment = Experiment(ws, "trying")
        harness.settle()
        harness.agents()
        harness.settle()
        (self._agent,) = [one for one in harness.agents().values() if one.orders()]

    def ship(self) -> None:
        """What the script has reported reaches the server."""
        self._agent.report(self._run_id, journal=self._journal.read_bytes())


@pytest.fixture
def attached(run: Run, directory: Path, ws: Workspace, harness: Harness, monkeypatch: pytest.MonkeyPatch) -> Attached:
    monkeypatch.setenv("SUBLIGHT_URL", ws._sdk.url)
    monkeypatch.setenv("SUBLIGHT_TOKEN", "a token")
    return Attached(run, directory, ws, harness)


def records(directory: Path) -> list[dict[str, Any]]:
    lines = (directory / "journal").read_text().splitlines()
    return [json.loads(line[2:]) for line in lines if line.startswith("r\t")]


def test_it_is_the_same_object_each_time_and_knows_itself_without_a_server(run: Run) -> None:
    assert Run.get_context() is run
    assert run.id == "trying_1_abcd"
    assert repr(run) == "Run(Experiment: trying,\nId: trying_1_abcd,\nType: azureml.scriptrun,\nStatus: Running)"
    assert run.get_status() == "Running"
    assert run.parent is None
    assert hasattr(type(run), "experiment")


def test_without_access_to_the_workspace_asking_for_it_is_refused_in_a_sentence(run: Run) -> None:
    with pytest.raises(UserErrorException, match="without access to its workspace"):
        _ = run.experiment


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (0.5, 0.5),
        (3, 3),
        (True, True),
        ("a text", "a text"),
        (None, None),
        (math.inf, math.inf),
        (np.float32(0.5), 0.5),
        (np.float64(0.25), 0.25),
        (np.int64(7), 7),
        (np.uint8(7), 7),
        (np.bool_(True), True),
        (np.array(0.5), 0.5),
        (np.array([0.5]), 0.5),
        (np.array([1, 2]), "array([1, 2])"),
        ((1, 2), "(1, 2)"),
        ({"a": 1}, "{'a': 1}"),
    ],
)
def test_a_value_comes_back_as_what_it_was(run: Run, value: Any, kept: Any) -> None:
    run.log("metric", value)

    found = run.get_metrics()["metric"]
    assert found == kept
    assert type(found) is type(kept)


def test_nan_is_kept_as_nan(run: Run) -> None:
    run.log("metric", float("nan"))

    assert math.isnan(run.get_metrics()["metric"])


def test_a_list_is_no_single_value(run: Run) -> None:
    with pytest.raises(UserErrorException, match="log_list"):
        run.log("metric", [1, 2])


def test_several_reports_of_a_name_are_a_list_in_their_order(run: Run) -> None:
    for value in (0.5, 0.25, 0.75):
        run.log("accuracy", value, step=1)
    run.log("once", 1.0)
    run.log_list("sizes", [10, 20])
    run.log_list("single", [10])
    run.log_list("nothing", [])

    assert run.get_metrics() == {"accuracy": [0.5, 0.25, 0.75], "once": 1.0, "sizes": [10, 20], "single": 10}
    assert run.get_metrics(name="once") == {"once": 1.0}
    assert run.get_metrics(name="unknown") == {}


def test_rows_and_tables_come_back_by_column(run: Run) -> None:
    run.log_row("one", x=1, y="a")
    run.log_row("two", x=np.int64(1))
    run.log_row("two", x=2)
    run.log_table("table", {"x": [1, 2], "y": [3.0, 4.0]})

    assert run.get_metrics() == {
        "one": {"x": 1, "y": "a"},
        "two": {"x": [1, 2]},
        "table": {"x": [1, 2], "y": [3.0, 4.0]},
    }


def test_what_fits_no_table_is_refused(run: Run) -> None:
    with pytest.raises(UserErrorException, match="single value"):
        run.log_row("row", x=[1, 2])
    with pytest.raises(UserErrorException, match="one length"):
        run.log_table("table", {"x": [1], "y": [1, 2]})
    with pytest.raises(UserErrorException, match="single values"):
        run.log_list("list", [[1], [2]])


def test_documents_and_images_come_back_as_references(run: Run, directory: Path) -> None:
    document = {"schema_type": "confusion_matrix", "data": {"class_labels": ["a"], "matrix": [[1]]}}
    run.log_confusion_matrix("matrix", json.dumps(document))
    Path("picture.png").write_bytes(b"picture")
    run.log_image("picture", path="picture.png")

    metrics = run.get_metrics()
    assert metrics["matrix"].startswith("aml://artifactId/ExperimentRun/dcid.trying_1_abcd/")
    assert metrics["picture"].endswith("images/picture.png")
    assert json.loads(run.get_metrics(name="matrix", populate=True)["matrix"])["data"]["matrix"] == [[1]]
    assert (directory / "uploads/images/picture.png").read_bytes() == b"picture"


def test_an_image_needs_exactly_one_source(run: Run) -> None:
    with pytest.raises(UserErrorException, match="either path or plot"):
        run.log_image("picture")


def test_tags_and_properties_are_there_at_once(run: Run) -> None:
    run.tag("flag")
    run.set_tags({"data": "generated", "size": 5})
    run.add_properties({"model": "mlp"})

    assert run.get_tags() == {"flag": "", "data": "generated", "size": "5"}
    assert run.tags == run.get_tags()
    assert run.get_properties() == {"model": "mlp"}


def test_uploads_take_files_streams_links_and_folders(run: Run, directory: Path) -> None:
    Path("file.txt").write_text("file")
    Path("link.txt").symlink_to("file.txt")
    Path("folder/below").mkdir(parents=True)
    Path("folder/below/inner.txt").write_text("inner")

    answer = run.upload_file("./reports/file.txt", "file.txt")
    run.upload_file("stream.txt", io.BytesIO(b"stream"))
    run.upload_files(["one.txt", "link.txt"], ["file.txt", "link.txt"])
    run.upload_folder("kept", "folder")

    kept = {
        str(path.relative_to(directory / "uploads")): path.read_text()
        for path in (directory / "uploads").rglob("*.txt")
    }
    assert kept == {
        "reports/file.txt": "file",
        "stream.txt": "stream",
        "one.txt": "file",
        "link.txt": "file",
        "kept/below/inner.txt": "inner",
    }
    assert list(answer.artifacts) == ["reports/file.txt"]


def test_what_cannot_be_uploaded_is_refused(run: Run) -> None:
    with pytest.raises(UserErrorException, match="does not exist"):
        run.upload_file("name", "no-such-file")
    with pytest.raises(UserErrorException, match="upload_folder"):
        run.upload_file("name", "outputs")
    with pytest.raises(UserErrorException, match="needs a folder"):
        run.upload_folder("name", "no-such-folder")
    with pytest.raises(UserErrorException, match="as many names as paths"):
        run.upload_files(["a", "b"], ["c"])


def test_children_log_for_themselves_and_end(run: Run, directory: Path) -> None:
    with run.child_run("fold 1") as fold:
        fold.log("accuracy", 1)
    with pytest.raises(ValueError, match="wrong"), run.child_run("fold 2"):
        raise ValueError("wrong")

    assert fold.id.startswith("trying_1_abcd_")
    assert fold.parent is run
    assert fold.get_metrics() == {"accuracy": 1}
    assert run.get_metrics() == {}
    ends = [record["content"]["status"] for record in records(directory) if record["kind"] == "child_end"]
    assert ends == ["completed", "failed"]


def test_a_script_sees_the_children_that_it_has_just_begun(run: Run) -> None:
    for accuracy in (0.5, 0.75):
        with run.child_run(f"fold {accuracy}") as fold:
            fold.log("accuracy", accuracy)

    assert [child.get_metrics() for child in run.get_children()] == [{"accuracy": 0.75}, {"accuracy": 0.5}]


def test_many_children_can_be_made_at_once(run: Run, directory: Path) -> None:
    children = run.create_children(tag_key="fold", tag_values=["a", "b"])

    assert len(children) == 2
    assert [record["content"] for record in records(directory) if record["kind"] == "tag"] == ["a", "b"]
    assert len(run.create_children(count=3)) == 3
    with pytest.raises(UserErrorException, match="at most 100"):
        run.create_children(count=101)
    with pytest.raises(UserErrorException, match="count"):
        run.create_children()


def test_the_script_cannot_decide_how_its_run_ends(run: Run, directory: Path) -> None:
    run.complete()
    run.log("after", 1.0)
    run.fail("no labels")

    assert run.get_metrics() == {"after": 1.0}
    assert [record["content"] for record in records(directory) if record["kind"] == "fail"] == [
        {"message": "no labels"}
    ]


def test_the_script_cannot_cancel_its_own_run(run: Run, attached: Attached) -> None:
    with pytest.raises(UserErrorException, match=r"a script cannot cancel its own run .*; end it with sys\.exit"):
        run.cancel()

    assert run.get_status() != "Canceled"


def test_inputs_that_were_mounted_are_paths(run: Run, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = [{"name": "images", "mode": "mount", "dataset": {"id": "1", "type": "file"}}]
    outputs = [{"name": "result"}]
    (directory / "annotations.json").write_text(json.dumps({"azureml": {"inputs": inputs, "outputs": outputs}}))
    monkeypatch.setenv("AZUREML_DATAREFERENCE_images", "/data/images")
    monkeypatch.setenv("AZUREML_DATAREFERENCE_result", "/data/result")

    assert run.input_datasets["images"] == "/data/images"
    assert dict(run.input_datasets.items()) == {"images": "/data/images"}
    assert run.input_datasets.get("other") is None
    with pytest.raises(KeyError):
        run.input_datasets["other"]
    assert run.output_datasets == {"result": "/data/result"}


def test_what_it_uploads_is_there_at_once(run: Run, attached: Attached) -> None:
    child = run.child_run("fold")
    attached.ship()
    child.tag("a", "b")
    child.add_properties({"p": "1"})
    for name, who in (("x/m.pkl", run), ("m.pkl", child)):
        Path("m.pkl").write_text(name)
        who.upload_file(name, "m.pkl")

    assert run.get_file_names() == ["x/m.pkl"]
    run.download_file("x/m.pkl", "got.pkl")
    assert Path("got.pkl").read_text() == "x/m.pkl"
    assert (child.get_tags(), child.get_properties()) == ({"a": "b"}, {"p": "1"})


def test_a_model_is_made_of_what_it_has_just_uploaded(run: Run, attached: Attached) -> None:
    Path("outputs/model.pkl").write_text("an older one")
    Path("m.pkl").write_text("fresh")
    run.upload_file("outputs/model.pkl", "m.pkl")
    child = run.child_run("fold")
    Path("m.pkl").write_text("of the fold")
    attached.ship()
    child.upload_file("model.pkl", "m.pkl")

    models = [run.register_model("mine", "outputs/model.pkl"), child.register_model("fold", "model.pkl")]
    texts = [Path(model.download(f"got-{model.name}")).read_text() for model in models]
    assert texts == ["fresh", "of the fold"]
