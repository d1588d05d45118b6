"""The object ``run`` of a training script, inside a run and by itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import sublight
from sublight.core.errors import InvalidInput
from sublight.core.snapshot import check_path
from sublight.sdk import training_run
from sublight.sdk.staged_files import checked_upload_name
from sublight.sdk.training_run import ChildRun, TrainingRun


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The attempt's own folder, with the environment that an executor sets; the working directory is elsewhere."""
    folder = tmp_path / "run"
    (folder / "work").mkdir(parents=True)
    monkeypatch.setenv("SUBLIGHT_RUN_ID", "sweep-abc-3")
    monkeypatch.setenv("SUBLIGHT_ATTEMPT", "2")
    monkeypatch.setenv("SUBLIGHT_EXPERIMENT", "newsgroups")
    monkeypatch.setenv("SUBLIGHT_PARENT_RUN_ID", "sweep-abc")
    monkeypatch.setenv("SUBLIGHT_RUN_DIRECTORY", str(folder))
    monkeypatch.chdir(folder / "work")
    return folder


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrainingRun:
    for variable in [name for name in os.environ if name.startswith("SUBLIGHT_")]:
        monkeypatch.delenv(variable)
    monkeypatch.chdir(tmp_path)
    return TrainingRun()


def records(directory: Path) -> list[dict[str, Any]]:
    lines = (directory / "journal").read_text(encoding="utf-8").splitlines()
    return [json.loads(line[2:]) for line in lines if line.startswith("r\t")]


def scalars(directory: Path) -> list[tuple[str, str, str]]:
    lines = (directory / "journal").read_text(encoding="utf-8").splitlines()
    return [tuple(line.split("\t")[1:4]) for line in lines if line.startswith("m\t")]  # type: ignore[misc]


# ---- who it is -------------------------------------------------------------------------------------------------------


def test_run_is_a_name_of_the_public_door() -> None:
    assert sublight.run is training_run.run


def test_inside_a_run_it_knows_its_place(directory: Path) -> None:
    run = TrainingRun()

    assert (run.id, run.attempt, run.experiment, run.parent_id) == ("sweep-abc-3", 2, "newsgroups", "sweep-abc")
    assert not run.is_offline


def test_by_itself_it_has_an_id_of_its_own(offline: TrainingRun) -> None:
    assert offline.is_offline
    assert offline.id.startswith("offline-")
    assert offline.id == offline.id
    assert (offline.attempt, offline.experiment, offline.parent_id) == (0, None, None)


def test_importing_it_loads_the_standard_library_only_and_little_of_that() -> None:
    code = "import sys; before = set(sys.modules)\nfrom sublight import run\nprint(*sorted(set(sys.modules) - before))"
    # -S keeps the site-packages out, whose .pth files may load things of their own.
    source = str(Path(sublight.__file__).parents[1])
    result = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={**os.environ, "PYTHONPATH": source},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    loaded = set(result.stdout.split())

    ours = {name for name in loaded if name.partition(".")[0] == "sublight"}
    assert ours == {
        "sublight",
        "sublight.sdk",
        "sublight.sdk.journal",
        "sublight.sdk.logged_values",
        "sublight.sdk.staged_files",
        "sublight.sdk.training_run",
    }
    assert {name.partition(".")[0] for name in loaded - ours} <= sys.stdlib_module_names
    assert not loaded & {"json", "typing", "dataclasses", "re", "logging", "shutil", "uuid"}


# ---- numbers ---------------------------------------------------------------------------------------------------------


def test_a_metric_is_written_with_its_step(directory: Path) -> None:
    run = TrainingRun()

    run.log("accuracy", 0.8125, step=3)
    run.log("accuracy", 0.9)

    assert scalars(directory) == [("accuracy", "3", "0.8125"), ("accuracy", "", "0.9")]


class OneElement:
    """What tensors of any library have in common: ``item`` gives a Python number."""

    def __init__(self, value: object) -> None:
        self.value = value

    def item(self) -> object:
        return self.value


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (5, "5.0"),
        (True, "1.0"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (Decimal("0.5"), "0.5"),
        (OneElement(0.25), "0.25"),
        (OneElement(7), "7.0"),
    ],
)
def test_whatever_is_one_number_becomes_a_scalar(directory: Path, value: object, written: str) -> None:
    TrainingRun().log("value", value)

    assert scalars(directory) == [("value", "", written)]


def test_numbers_arrays_and_steps_of_numpy_are_taken(directory: Path) -> None:
    numpy = pytest.importorskip("numpy")
    run = TrainingRun()

    run.log("float64", numpy.float64(0.1), step=numpy.int64(4))
    run.log("float32", numpy.float32(0.5))
    run.log("int64", numpy.int64(3))
    run.log("bool", numpy.bool_(True))
    run.log("one element", numpy.array([[2.5]]))
    run.log("array", numpy.array([1.0, numpy.nan]))
    run.log_row("row", best=numpy.float32(0.5), last=numpy.array([1]))

    assert scalars(directory) == [
        ("float64", "4", "0.1"),
        ("float32", "", "0.5"),
        ("int64", "", "3.0"),
        ("bool", "", "1.0"),
        ("one element", "", "2.5"),
    ]
    assert [(record["kind"], record["content"]) for record in records(directory)] == [
        ("list", [1.0, "nan"]),
        ("row", {"best": 0.5, "last": 1}),
    ]


@pytest.mark.parametrize(
    ("value", "step", "sentence"),
    [
        ({"a": 1}, None, r"the value of 'x' must be a number, a text or a list, got dict; use log_row or log_table"),
        (None, None, r"the value of 'x' must be a number, a text or a list, got NoneType"),
        (1j, None, r"the value of 'x' must be a number, a text or a list, got complex"),
        (0.5, 1.5, r"step must be a whole number or None, got 1\.5"),
        (0.5, "3", r"step must be a whole number or None, got '3'"),
    ],
)
def test_what_is_no_metric_is_refused_in_one_sentence(directory: Path, value: object, step: Any, sentence: str) -> None:
    with pytest.raises(TypeError, match=sentence):
        TrainingRun().log("x", value, step=step)


@pytest.mark.parametrize(
    ("value", "step", "sentence"),
    [
        (10**400, None, "the value of 'x' must fit into a float"),
        (0.5, 2**63, "step must fit into 64 bits"),
    ],
)
def test_numbers_too_large_to_store_are_refused(directory: Path, value: Any, step: int | None, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        TrainingRun().log("x", value, step=step)


# ---- everything else -------------------------------------------------------------------------------------------------


def test_texts_and_lists_given_to_log_are_kept_as_lists(directory: Path) -> None:
    run = TrainingRun()

    run.log("note", "warm-up done", step=2)
    run.log("sizes", [100, 100, 4])

    assert [(record["kind"], record["content"], record["step"]) for record in records(directory)] == [
        ("list", ["warm-up done"], 2),
        ("list", [100, 100, 4], None),
    ]


def test_rows_and_tables_are_kept(directory: Path) -> None:
    run = TrainingRun()

    run.log_row("per class", label="sci.space", recall=0.88)
    run.log_table("all", {"label": ["a", "b"], "recall": (0.5, float("inf"))})

    assert [(record["kind"], record["name"], record["content"]) for record in records(directory)] == [
        ("row", "per class", {"label": "sci.space", "recall": 0.88}),
        ("table", "all", {"label": ["a", "b"], "recall": [0.5, "inf"]}),
    ]


V1_MATRIX = {
    "schema_type": "confusion_matrix",
    "schema_version": "1.0.0",
    "data": {"class_labels": ["a", "b"], "matrix": [[5, 1], [2, 7]]},
}


@pytest.mark.parametrize(
    ("value", "labels"), [(V1_MATRIX, None), (json.dumps(V1_MATRIX), None), ([[5, 1], [2, 7]], ["a", "b"])]
)
def test_a_confusion_matrix_is_kept_as_the_v1_document(directory: Path, value: object, labels: object) -> None:
    TrainingRun().log_confusion_matrix("test", value, labels)

    assert [record["content"] for record in records(directory)] == [V1_MATRIX]


def test_the_other_v1_documents_are_kept(directory: Path) -> None:
    run = TrainingRun()
    residuals = {"bin_edges": [-1, 0, 1], "bin_counts": [12, 9]}
    predictions = {"bin_averages": [0.4], "bin_errors": [0.1], "bin_counts": [7], "bin_edges": [0, 1]}
    keys = ["probability_tables", "percentile_tables", "probability_thresholds", "percentile_thresholds"]
    accuracy = {**{key: [] for key in keys}, "class_labels": ["a"]}

    run.log_residuals("r", {"schema_type": "residuals", "data": residuals})
    run.log_predictions("p", {"data": predictions})
    run.log_accuracy_table("a", {"data": accuracy})

    assert [(record["kind"], record["content"]["data"]) for record in records(directory)] == [
        ("residuals", residuals),
        ("predictions", predictions),
        ("accuracy_table", accuracy),
    ]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda run: run.log_list("x", [[1]]), "the list 'x' must hold single values"),
        (lambda run: run.log_list("x", 3), "'x' must be a list, got int"),
        (lambda run: run.log_row("x"), "the row 'x' has no columns"),
        (lambda run: run.log_row("x", a=[1, 2]), "column 'a' of the row 'x' must be a single value"),
        (lambda run: run.log_table("x", [1]), "the table 'x' must be a dict of lists, got list"),
        (lambda run: run.log_table("x", {"a": [1], "b": [1, 2]}), "must have columns of one length"),
        (lambda run: run.log_table("x", {}), "must have columns of one length, at least one, got none"),
        (lambda run: run.log_confusion_matrix("x", [[1, 2]], ["a", "b"]), "a row and a column for each"),
        (lambda run: run.log_confusion_matrix("x", "{"), "given as text, but that is not JSON"),
        (lambda run: run.log_confusion_matrix("x", [[1]]), "'x' must be a dict like"),
        (lambda run: run.log_residuals("x", {"schema_type": "predictions", "data": {}}), "must be 'residuals'"),
        (lambda run: run.log_residuals("x", {"data": {"bin_edges": []}}), "bin_counts is missing"),
        (lambda run: run.log_list("x", [object()]), "must be made of numbers, texts, lists and dicts, got object"),
        (lambda run: run.tag("x", [1]), "the tag 'x' must be a single value, got list"),
        (lambda run: run.tag("", 1), "a tag must have 1 to 256 characters"),
    ],
)
def test_wrong_content_is_refused_in_one_sentence(directory: Path, call: Any, sentence: str) -> None:
    with pytest.raises((TypeError, ValueError), match=sentence):
        call(TrainingRun())


def test_tags_properties_and_a_failure_are_noted(directory: Path) -> None:
    run = TrainingRun()

    run.set_tags({"data": "generated", "features": 5000})
    run.add_properties({"model": "mlp"})
    run.fail("the data has no labels")
    run.flush()

    assert [(record["kind"], record["name"], record["content"]) for record in records(directory)] == [
        ("tag", "data", "generated"),
        ("tag", "features", "5000"),
        ("property", "model", "mlp"),
        ("fail", "", {"message": "the data has no labels"}),
    ]


# ---- files -----------------------------------------------------------------------------------------------------------


def test_an_uploaded_file_is_a_copy_of_its_own(directory: Path) -> None:
    Path("summary.txt").write_text("first")

    TrainingRun().upload_file("reports/summary.txt", "summary.txt")
    Path("summary.txt").write_text("later")

    assert (directory / "uploads/reports/summary.txt").read_text() == "first"
    assert [(record["kind"], record["content"]) for record in records(directory)] == [
        ("artifact", {"path": "reports/summary.txt"})
    ]


def test_a_second_upload_of_a_name_replaces_the_first(directory: Path) -> None:
    run = TrainingRun()
    for text in ("first", "second"):
        Path("file").write_text(text)
        run.upload_file("file", Path("file"))

    assert (directory / "uploads/file").read_text() == "second"
    assert list((directory / "staging").iterdir()) == []


def test_a_folder_is_uploaded_with_everything_below(directory: Path) -> None:
    Path("checkpoints/deep").mkdir(parents=True)
    Path("checkpoints/one").write_text("1")
    Path("checkpoints/deep/two").write_text("2")

    TrainingRun().upload_folder("kept", "checkpoints")

    assert (directory / "uploads/kept/one").read_text() == "1"
    assert (directory / "uploads/kept/deep/two").read_text() == "2"
    assert [record["name"] for record in records(directory)] == ["kept/deep/two", "kept/one"]


@pytest.mark.parametrize(
    "name",
    ["", "/etc/x", "../x", "a/../x", "a//b", "./x", "a\\b", "c:/x", "a\nb", "a\x9fb", "a/" + "x" * 256, "x/" * 600],
)
def test_a_name_that_could_leave_the_folder_is_refused_here_and_by_the_node(directory: Path, name: str) -> None:
    Path("file").write_text("")

    with pytest.raises(ValueError, match="the name of an upload must be a relative path"):
        TrainingRun().upload_file(name, "file")
    with pytest.raises(InvalidInput):
        check_path(name)


@pytest.mark.parametrize("name", ["a", "a/b.txt", ".hidden", "ünï/cøde", "with space", "a:b", "..a"])
def test_a_name_that_is_taken_here_is_taken_by_the_node(name: str) -> None:
    assert check_path(name) == name
    assert checked_upload_name(name) == name


def test_links_are_not_followed(directory: Path) -> None:
    Path("secret").write_text("x")
    Path("folder").mkdir()
    Path("folder/a").write_text("a")
    Path("folder/link").symlink_to("../secret")
    Path("link").symlink_to("secret")
    run = TrainingRun()

    with pytest.raises(ValueError, match="'link' is a link; give the path that it points to"):
        run.upload_file("x", "link")
    with pytest.raises(ValueError, match="upload_folder keeps no links, but 'folder/link' is one"):
        run.upload_folder("x", "folder")
    assert not (directory / "uploads").exists()


def test_a_pipe_or_a_folder_is_no_file_to_upload(directory: Path) -> None:
    os.mkfifo("pipe")
    run = TrainingRun()

    for path in ("pipe", "."):
        with pytest.raises(ValueError, match="only regular files can be kept"):
            run.upload_file("x", path)
    with pytest.raises(FileNotFoundError):
        run.upload_file("x", "missing")
    with pytest.raises(ValueError, match="upload_folder needs a folder"):
        run.upload_folder("x", "missing")


def test_when_the_runs_folder_takes_no_file_the_script_is_told_and_goes_on(
    directory: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("file").write_text("x")
    (directory / "uploads").write_text("a file where the folder should be")
    run = TrainingRun()

    run.upload_file("name", "file")
    run.log_image("image", plot=Plot())

    assert capfd.readouterr().err.count("warning: the file 'name' cannot be kept") == 1
    assert records(directory) == []


class Plot:
    """As much of matplotlib as log_image needs."""

    def savefig(self, target: str, format: str) -> None:
        Path(target).write_text(f"a picture as {format}")


def test_a_plot_becomes_an_image_file_and_further_ones_are_numbered(directory: Path) -> None:
    run = TrainingRun()

    run.log_image("loss/epoch 1", plot=Plot())
    run.log_image("loss/epoch 1", plot=Plot())

    assert (directory / "uploads/images/loss_epoch_1.png").read_text() == "a picture as png"
    assert [(record["kind"], record["name"], record["content"]["path"]) for record in records(directory)] == [
        ("artifact", "images/loss_epoch_1.png", "images/loss_epoch_1.png"),
        ("image", "loss/epoch 1", "images/loss_epoch_1.png"),
        ("artifact", "images/loss_epoch_1_1.png", "images/loss_epoch_1_1.png"),
        ("image", "loss/epoch 1", "images/loss_epoch_1_1.png"),
    ]


def test_an_image_file_keeps_its_kind(directory: Path) -> None:
    Path("photo.JPG").write_bytes(b"jpeg")

    TrainingRun().log_image("..", path="photo.JPG")

    assert (directory / "uploads/images/image.jpg").read_bytes() == b"jpeg"


def test_a_file_system_without_hard_links_does_as_well(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    run = TrainingRun()

    run.log_image("loss", plot=Plot())
    run.log_image("loss", plot=Plot())

    assert sorted(os.listdir(directory / "uploads/images")) == ["loss.png", "loss_1.png"]


@pytest.mark.parametrize("arguments", [{}, {"path": "x.png", "plot": Plot()}, {"plot": "no plot"}])
def test_an_image_is_either_a_path_or_a_plot(directory: Path, arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"log_image needs either path= or plot=|plot must be matplotlib"):
        TrainingRun().log_image("x", **arguments)


# ---- child runs ------------------------------------------------------------------------------------------------------


def test_a_child_logs_under_its_own_id_and_ends_with_its_block(directory: Path) -> None:
    with TrainingRun().child("fold 1") as fold:
        fold.log("accuracy", 0.5, step=1)
        fold.log_row("row", a=1)

    start, row, end = records(directory)
    local_id = start["content"]["child"]
    assert (start["kind"], start["content"]["name"], "child" in start) == ("child", "fold 1", False)
    assert (row["kind"], row["child"]) == ("row", local_id)
    assert (end["kind"], end["content"]) == ("child_end", {"child": local_id, "status": "completed"})
    assert f"c\t{local_id}\tm\taccuracy\t1\t0.5\t" in (directory / "journal").read_text()


def test_an_exception_in_the_block_fails_the_child_and_goes_on_up(directory: Path) -> None:
    with pytest.raises(RuntimeError, match="diverged"), TrainingRun().child():
        raise RuntimeError("diverged")

    _, fail, end = records(directory)
    assert (fail["kind"], fail["child"], fail["content"]) == (
        "fail",
        end["content"]["child"],
        {"message": "RuntimeError: diverged"},
    )
    assert end["content"]["status"] == "failed"


def test_ctrl_c_in_the_block_cancels_the_child(directory: Path) -> None:
    with pytest.raises(KeyboardInterrupt), TrainingRun().child():
        raise KeyboardInterrupt

    assert records(directory)[-1]["content"]["status"] == "canceled"


def test_the_first_end_of_a_child_counts(directory: Path) -> None:
    with TrainingRun().child() as fold:
        fold.cancel()
        fold.fail("too late")
        fold.complete()

    assert [record["kind"] for record in records(directory)] == ["child", "child_end"]
    assert records(directory)[-1]["content"]["status"] == "canceled"


def test_children_do_not_share_files(directory: Path) -> None:
    Path("model").write_text("x")
    run = TrainingRun()
    folds = [run.child("fold"), run.child("fold")]

    for fold in folds:
        fold.upload_file("model", "model")
        fold.log_image("loss", plot=Plot())

    kept = {
        str(path.relative_to(directory / "uploads")) for path in (directory / "uploads").rglob("*") if path.is_file()
    }
    assert kept == {f"children/{fold._local_id}/{name}" for fold in folds for name in ("model", "images/loss.png")}


# ---- without a run around it -----------------------------------------------------------------------------------------


def test_by_itself_the_script_prints_what_it_would_have_logged(
    offline: TrainingRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "report.txt").write_text("x")

    offline.log("accuracy", 0.8125, step=3)
    offline.log("epochs", 5)
    offline.log("note", "done")
    offline.log_list("sizes", list(range(25)))
    offline.log_row("row", a=1, b="x")
    offline.log_table("table", {"a": [1, 2]})
    offline.log_confusion_matrix("test", [[5, 1], [2, 7]], ["a", "b"])
    offline.tag("data", "generated")
    offline.log_image("confusion", plot=Plot())
    offline.upload_file("reports/report.txt", "report.txt")
    with offline.child("fold 1") as fold:
        fold.log("accuracy", float("nan"))
    offline.fail("no labels")

    assert capsys.readouterr().out.splitlines() == [
        "accuracy = 0.8125 (step 3)",
        "epochs = 5",
        "note = done",
        "sizes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, … 5 more]",
        "row: a = 1, b = x",
        "table table:",
        "  a: [1, 2]",
        "confusion matrix test, a line for each true class:",
        "  a: 5 1",
        "  b: 2 7",
        "tag data = generated",
        "image confusion would be kept",
        "file report.txt would be kept as reports/report.txt",
        "child run fold 1 starts",
        "[fold 1] accuracy = nan",
        "child run fold 1 is completed",
        "the run reports a failure: no labels",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["report.txt"]


def test_by_itself_wrong_arguments_are_refused_as_inside_a_run(offline: TrainingRun, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ValueError, match="relative path"):
        offline.upload_file("../x", "file")
    with pytest.raises(ValueError, match="1 to 256 characters"):
        offline.log("", 1.0)
    with pytest.raises(ValueError, match="columns of one length"):
        offline.log_table("x", {"a": [1], "b": []})


def test_every_public_method_is_explained_with_an_example() -> None:
    for owner in (TrainingRun, ChildRun):
        for name in dir(owner):
            member = getattr(owner, name)
            if not name.startswith("_"):
                assert member.__doc__, f"{owner.__name__}.{name} has no docstring"
                assert not callable(member) or ">>>" in member.__doc__, f"{owner.__name__}.{name} shows no example"
