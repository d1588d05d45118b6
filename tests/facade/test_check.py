"""What ``sublight azureml check`` says of scripts and notebooks."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from pathlib import Path

import pytest

from azureml._check.report import FileReport, Report, check
from azureml._check.sources import without_magics
from azureml._features.table import Status


def script(folder: Path, text: str, name: str = "submit.py") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return path


def notebook(folder: Path, *cells: str, name: str = "book.ipynb") -> Path:
    path = folder / name
    content = [{"cell_type": "markdown", "source": ["# Title"]}]
    content += [
        {"cell_type": "code", "source": textwrap.dedent(cell).strip("\n").splitlines(keepends=True)} for cell in cells
    ]
    path.write_text(json.dumps({"cells": content, "nbformat": 4}))
    return path


def checked(path: Path) -> FileReport:
    report = check(path)
    assert len(report.files) == 1
    return report.files[0]


def found(path: Path) -> list[tuple[str, str, Status]]:
    """(place, name, status) of every use but imports."""
    file = checked(path)
    return [
        (file.source.place(use.line), use.feature.name, use.feature.status)
        for use in file.uses
        if not use.feature.name.startswith("azureml.") or use.feature.status is not Status.WORKS
    ]


def names(path: Path) -> set[str]:
    return {name for _, name, _ in found(path)}


SWEEP = """\
from azureml.core import Experiment, ScriptRunConfig, Workspace
from azureml.train.hyperdrive import BanditPolicy, HyperDriveConfig, PrimaryMetricGoal, RandomParameterSampling, choice

ws = Workspace.from_config()
experiment = Experiment(ws, "sweep")
source = ScriptRunConfig(source_directory=".", script="train.py", compute_target=ws.compute_targets["cpu"])
config = HyperDriveConfig(
    run_config=source,
    hyperparameter_sampling=RandomParameterSampling({"--a": choice(1, 2)}),
    policy=BanditPolicy(slack_factor=0.1),
    primary_metric_name="accuracy",
    primary_metric_goal=PrimaryMetricGoal.MAXIMIZE,
    max_total_runs=4,
)
run = experiment.submit(config)
best = run.get_best_run_by_primary_metric()
print(best.get_metrics()["accuracy"])
for child in run.get_children():
    print(child.id)
"""


def test_a_sweep_is_followed_from_the_workspace_to_its_children(tmp_path: Path) -> None:
    uses = found(script(tmp_path, SWEEP))

    assert ("4", "Workspace.from_config", Status.DIFFERS) in uses
    assert ("6", "Workspace.compute_targets", Status.WORKS) in uses
    assert ("15", "Experiment.submit", Status.WORKS) in uses
    assert ("16", "HyperDriveRun.get_best_run_by_primary_metric", Status.DIFFERS) in uses
    assert ("17", "Run.get_metrics", Status.WORKS) in uses
    assert ("19", "Run.id", Status.WORKS) in uses
    assert Status.REFUSED not in {status for *_, status in uses}


def test_a_file_of_which_all_works_is_said_to_run(tmp_path: Path) -> None:
    path = script(
        tmp_path,
        """
        from azureml.core import Run
        run = Run.get_context()
        run.log("accuracy", 0.9)
        """,
    )

    assert checked(path).verdict == "runs as it stands"


def test_the_verdict_names_the_first_line_that_is_not_supported(tmp_path: Path) -> None:
    path = script(
        tmp_path,
        """
        from azureml.core import Experiment, Workspace
        from azureml.train.automl import AutoMLConfig
        ws = Workspace.from_config()
        config = AutoMLConfig(task="regression")
        run = Experiment(ws, "e").submit(config)
        run.get_output()
        """,
    )

    file = checked(path)

    assert file.verdict == (
        "runs up to line 5, where azureml.train.automl.AutoMLConfig is not supported: automated machine learning is not "
        "supported yet"
    )
    assert not any(line.startswith("submit.py:3") for line in file.lines(shows_all=False))


@pytest.mark.parametrize(
    ("text", "name", "status"),
    [
        ("ws.sync_keys()", "Workspace.sync_keys", Status.REFUSED),
        ("ws.get_default_datastore().upload(src_dir='.')", "AzureBlobDatastore.upload", Status.WORKS),
        ("ws.datasets['a'].to_pandas_dataframe()", "TabularDataset.to_pandas_dataframe", Status.WORKS),
        ("for name, target in ws.compute_targets.items(): target.get_status()", "AmlCompute.get_status", Status.WORKS),
        ("[target.type for target in ws.compute_targets.values()]", "AmlCompute.type", Status.WORKS),
        ("next(iter_ for iter_ in [1]); next(Experiment(ws, 'e').get_runs()).cancel()", "Run.cancel", Status.WORKS),
        ("with Experiment(ws, 'e').start_logging() as r: r.log('a', 1, description='x')", "Run.log(description)", Status.IGNORED),
        ("a, b = ws, 1; a.write_config()", "Workspace.write_config", Status.WORKS),
        ("azureml.core.Dataset.Tabular.from_delimited_files('x').take(3)", "TabularDataset.take", Status.WORKS),
        ("Dataset.File.from_files('x').as_named_input('a').as_mount()", "DatasetConsumptionConfig.as_mount", Status.DIFFERS),
        ("env = azureml.core.Environment('a'); env.docker.enabled = True", "DockerSection.enabled", Status.IGNORED),
        ("azureml.core.ScriptRunConfig('.', arguements=[])", "ScriptRunConfig(arguements)", Status.REFUSED),
        ("azureml.core.Run.get_context().make_coffee()", "Run.make_coffee", Status.REFUSED),
        ("azureml.core.Model.deploy(ws, 'a', [])", "Model.deploy", Status.REFUSED),
        ("lines = [azureml.core.Workspace.list('a') for x in y if azureml.core.Keyvault(ws)]", "Keyvault", Status.WORKS),
        ("x = ws if y else None; x.get_details()", "Workspace.get_details", Status.DIFFERS),
        ("if (w := Workspace.setup()): w.get_default_keyvault().get_secret('a')", "Keyvault.get_secret", Status.DIFFERS),
    ],
)  # fmt: skip
def test_a_use_is_found_with_what_becomes_of_it(tmp_path: Path, text: str, name: str, status: Status) -> None:
    path = script(
        tmp_path,
        f"import azureml.core\nfrom azureml.core import Dataset, Experiment, Workspace\nws = Workspace.get('a')\n{text}\n",
    )

    assert (name, status) in {(found_name, found_status) for _, found_name, found_status in found(path)}


def test_values_are_followed_into_functions_and_over_self(tmp_path: Path) -> None:
    path = script(
        tmp_path,
        """
        from azureml.core import Run, Workspace
        class Trainer:
            def __init__(self):
                self.context = Run.get_context()
            def fit(self, ws: Workspace):
                self.context.log("a", 1)
                ws.get_default_datastore()
        def main(run):
            run.complete()
        """,
    )

    assert {"Run.log", "Workspace.get_default_datastore", "Run.complete"} <= names(path)


def test_a_name_that_is_only_guessed_is_not_blamed(tmp_path: Path) -> None:
    path = script(
        tmp_path,
        """
        import azureml.core
        def start(run):
            run.start_engine()
            run.log("a", 1)
        """,
    )

    assert names(path) == {"Run.log"}


def test_a_misspelt_import_is_reported(tmp_path: Path) -> None:
    path = script(tmp_path, "from azureml.core import Workspce\nimport azureml.trian\n")

    assert [(place, status) for place, _, status in found(path)] == [("1", Status.REFUSED), ("2", Status.REFUSED)]


def test_a_notebook_is_read_cell_by_cell_without_its_magics(tmp_path: Path) -> None:
    path = notebook(
        tmp_path,
        """
        %matplotlib inline
        !pip install azureml-sdk \\
            --upgrade
        files = !ls
        from azureml.core import Workspace
        """,
        """
        %%bash
        echo "this is no Python ("
        """,
        """
        %%time
        ws = Workspace.from_config()
        ws.sync_keys()
        Workspace.get?
        """,
    )

    file = checked(path)

    assert ("cell 4, line 3", "Workspace.sync_keys", Status.REFUSED) in found(path)
    assert file.source.problems == []
    assert {"cell": 4, "line": 3}.items() <= file.as_json()["uses"][-1].items()
    assert file.verdict.startswith("runs up to cell 4, line 3, where Workspace.sync_keys is not supported")


def test_a_cell_with_wrong_syntax_does_not_hide_the_others(tmp_path: Path) -> None:
    path = notebook(tmp_path, "from azureml.core import Run", "def (", "Run.get_context().complete()")

    file = checked(path)

    assert [file.source.place(line) for line, _ in file.source.problems] == ["cell 3, line 1"]
    assert "Run.complete" in names(path)
    assert file.verdict.startswith("is not run as it stands: the syntax is wrong")


def test_python_2_is_read_and_named(tmp_path: Path) -> None:
    path = script(
        tmp_path,
        """
        from azureml.core import Run
        run = Run.get_context()
        try:
            print "the run is", run.id
        except ValueError, error:
            print error
        """,
    )

    file = checked(path)

    assert file.source.problems == [(5, "this is Python 2, and runs use Python 3")]
    assert "Run.id" in names(path)


def test_a_script_with_wrong_syntax_is_named_with_its_line(tmp_path: Path) -> None:
    path = script(tmp_path, "import azureml.core\nx = (\n")

    assert checked(path).source.problems[0][0] == 2
    assert next(checked(path).lines(shows_all=False)).startswith("submit.py:2: the syntax is wrong")


def test_names_of_other_libraries_that_are_put_back_are_named(tmp_path: Path) -> None:
    path = script(
        tmp_path,
        """
        import numpy as np
        import pandas
        from sklearn.externals import joblib
        from azureml.core import Run
        x = np.zeros(3, dtype=np.float)
        np.float64(1)
        """,
    )

    uses = [(place, name, status) for place, name, status in found(path) if "." in name]

    assert uses == [("4", "sklearn.externals.joblib", Status.DIFFERS), ("6", "numpy.float", Status.DIFFERS)]
    assert any("NumPy 1.24 has dropped it" in line for line in checked(path).lines(shows_all=False))


def test_files_without_the_sdk_are_only_counted(tmp_path: Path) -> None:
    script(tmp_path, "import numpy\nrun = 1\nrun.log('a')\n", "other.py")
    script(tmp_path, "import azureml.core\nazureml.core.Run.get_context()\n", "deep/train.py")
    script(tmp_path, "import azureml.core\n", ".venv/lib/x.py")

    report = check(tmp_path)

    assert [file.shown for file in report.files] == ["deep/train.py"]
    assert report.others == 1


def test_the_summary_counts_uses_and_files(tmp_path: Path) -> None:
    script(tmp_path, SWEEP)
    script(tmp_path, "from azureml.pipeline.core import Pipeline\nPipeline(None, [])\n", "pipeline.py")

    report = check(tmp_path)

    assert report.summary()[0] == (
        "2 files use the SDK v1 (0 others not): 1 run as they stand, 1 up to something that is not supported, 0 cannot be read"
    )
    assert report.counts.total() == sum(len(file.uses) for file in report.files)


def test_the_report_as_data_has_every_use_with_its_place(tmp_path: Path) -> None:
    script(tmp_path, SWEEP)

    data = check(tmp_path).as_json()

    assert data["counts"]["not supported"] == 0
    assert {"line": 15, "name": "Experiment.submit", "status": "works", "how": ""} in data["files"][0]["uses"]


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        (["x = 1", "!ls"], ["x = 1", "pass"]),
        (["if a:", "    %run b.py"], ["if a:", "    pass"]),
        (["out = %sql select 1"], ["out = None"]),
        (["%%writefile train.py", "x = 1"], ["", "x = 1"]),
        (["%%writefile data.csv", "x ="], [""]),
        (["# why?"], ["# why?"]),
        (["x = y % 2"], ["x = y % 2"]),
    ],
)
def test_only_magics_are_taken_out_of_a_cell(lines: Sequence[str], left: Sequence[str]) -> None:
    assert without_magics("\n".join(lines)).splitlines() == list(left)


def test_an_empty_report_says_so() -> None:
    assert Report().summary()[0].startswith("0 files use the SDK v1")


def test_mlflow_is_told_to_reach_the_run_in_part(tmp_path: Path) -> None:
    path = script(tmp_path, "import mlflow\nfrom azureml.core import Run\nmlflow.log_metric('a', 1)\n")

    assert (1, "mlflow", Status.DIFFERS) in {(int(line), name, status) for line, name, status in found(path)}


def test_a_script_that_a_cell_writes_is_looked_at_with_its_lines(tmp_path: Path) -> None:
    notebook(
        tmp_path,
        "%%writefile train.py\nfrom azureml.core import Run\nrun = Run.get_context()\nrun.no_such_method()",
        "%%writefile data.csv\na,b\n1,2",
    )

    (file,) = check(tmp_path).files

    (wrong,) = [use for use in file.uses if use.feature.status is Status.REFUSED]
    assert wrong.feature.name == "Run.no_such_method"
    assert file.source.place(wrong.line) == "cell 2, line 4"


def test_a_notebook_that_is_no_notebook_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.ipynb").write_text("{not json")

    assert [file.shown for file in check(tmp_path).files] == ["broken.ipynb"]


@pytest.mark.parametrize(
    ("kind", "configuring"),
    [
        ("AksCompute", "provisioning_configuration()"),
        ("ComputeInstance", "provisioning_configuration(vm_size='a')"),
        ("RemoteCompute", "attach_configuration(username='a')"),
        ("DatabricksCompute", "attach_configuration(resource_group='a')"),
        ("HDInsightCompute", "attach_configuration(username='a')"),
    ],
)
def test_a_target_that_only_azure_has_is_not_supported_where_it_is_configured(
    tmp_path: Path, kind: str, configuring: str
) -> None:
    path = script(
        tmp_path,
        f"from azureml.core.compute import ComputeTarget, {kind}\nconfiguration = {kind}.{configuring}\n"
        "ComputeTarget.create(ws, 'a', configuration)\n",
    )

    file = checked(path)

    assert file.verdict.startswith(
        f"runs up to line 2, where {kind}.{configuring.partition('(')[0]} is not supported: "
    )
    assert f"{kind} exists in Azure only" in file.verdict


def test_a_cluster_is_configured_as_ever(tmp_path: Path) -> None:
    path = script(
        tmp_path, "from azureml.core.compute import AmlCompute\nAmlCompute.provisioning_configuration(vm_size='a')\n"
    )

    assert found(path) == [("2", "AmlCompute.provisioning_configuration", Status.DIFFERS)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("rc.MpiConfiguration(node_count=4)", "MpiConfiguration(node_count=4)"),
        ("rc.MpiConfiguration(1, 4)", "MpiConfiguration(node_count=4)"),
        ("rc.PyTorchConfiguration(node_count=2)", "PyTorchConfiguration(node_count=2)"),
        ("rc.TensorflowConfiguration(worker_count=2)", "TensorflowConfiguration(worker_count=2)"),
        ("Estimator('.', entry_script='t.py', node_count=2)", "Estimator(node_count=2)"),
        ("PyTorch('.', entry_script='t.py', node_count=2)", "PyTorch(node_count=2)"),
        ("rc.RunConfiguration(framework='PySpark')", "RunConfiguration(framework='PySpark')"),
        ("c = rc.RunConfiguration(); c.framework = 'PySpark'", "RunConfiguration.framework = 'PySpark'"),
        ("c = rc.RunConfiguration(); c.node_count = 3", "RunConfiguration.node_count = 3"),
        ("ScriptRunConfig('.', 'train.ipynb')", "ScriptRunConfig(script='train.ipynb')"),
        ("HyperDriveConfig(resume_child_runs=children)", "HyperDriveConfig(resume_child_runs)"),
    ],
)
def test_a_written_value_that_a_submission_refuses_is_not_supported(tmp_path: Path, text: str, name: str) -> None:
    path = script(
        tmp_path,
        "import azureml.core.runconfig as rc\nfrom azureml.core import ScriptRunConfig\nfrom azureml.train.dnn import PyTorch\n"
        f"from azureml.train.estimator import Estimator\nfrom azureml.train.hyperdrive import HyperDriveConfig\n{text}\n",
    )

    assert [use for use in found(path) if use[2] is Status.REFUSED] == [("6", name, Status.REFUSED)]


@pytest.mark.parametrize(
    "text",
    [
        "rc.MpiConfiguration(4)",
        "rc.MpiConfiguration(node_count=1)",
        "rc.MpiConfiguration(node_count=count)",
        "rc.RunConfiguration(framework='Python')",
    ],
)
def test_a_value_that_may_be_taken_is_not_blamed(tmp_path: Path, text: str) -> None:
    path = script(tmp_path, f"import azureml.core.runconfig as rc\n{text}\n")

    assert Status.REFUSED not in {status for *_, status in found(path)}


def test_a_script_that_python_does_not_decode_does_not_run(tmp_path: Path) -> None:
    path = tmp_path / "latin.py"
    path.write_bytes(b"from azureml.core import Run\n# caf\xe9\nRun.get_context().log('a', 1)\n")

    assert checked(path).verdict == (
        "is not run as it stands: Python cannot decode it: the text is not utf-8; save it as UTF-8 (line 2)"
    )
    assert "Run.log" in names(path)


def test_a_script_with_a_coding_line_is_decoded_as_it_says(tmp_path: Path) -> None:
    path = tmp_path / "latin.py"
    path.write_bytes(b"# coding: latin-1\nfrom azureml.core import Run\n# caf\xe9\nRun.get_context().log('a', 1)\n")

    assert checked(path).verdict == "runs as it stands"


@pytest.mark.parametrize("line", ["return 1", "x = 1\0", "yield 1", "await wait()"])
def test_what_python_refuses_after_reading_does_not_run(tmp_path: Path, line: str) -> None:
    path = script(tmp_path, f"import azureml.core\n{line}\n")

    assert checked(path).verdict.startswith("is not run as it stands: the syntax is wrong")


def test_a_cell_may_wait_outside_of_a_function(tmp_path: Path) -> None:
    path = notebook(tmp_path, "from azureml.core import Run", "await wait()")

    assert checked(path).verdict == "runs as it stands"


def test_modules_that_are_not_installed_are_told_once_each(tmp_path: Path) -> None:
    text = """
    import os, helper, no_such_module_a.part
    from azureml.core import Run
    import skopt_of_nobody
    try:
        import no_such_module_b
    except ImportError:
        pass
    """
    script(tmp_path, text, "a.py")
    script(tmp_path, text, "b.py")
    script(tmp_path, "x = 1\n", "helper.py")

    report = check(tmp_path)

    assert report.summary()[2:] == [
        "no_such_module_a is not installed here (imported by a.py:2): pip install no_such_module_a",
        "skopt_of_nobody is not installed here (imported by a.py:4): pip install skopt_of_nobody",
    ]
    assert report.files[0].verdict == "runs as it stands once no_such_module_a, skopt_of_nobody can be imported"
    assert "2 run as they stand" in report.summary()[0]


def test_what_a_function_of_the_script_gives_is_followed(tmp_path: Path) -> None:
    path = script(
        tmp_path,
        """
        from azureml.core import Experiment, Workspace
        def get(ws):
            return Experiment(ws, "e")
        class Trainer:
            def __init__(self, ws):
                self.exp = get(ws)
            def fit(self):
                run = self.exp.start_logging()
                run.fly()
                best = [r for r in self.exp.get_runs()][0]
                best.skip()
        """,
    )

    assert {"Experiment.start_logging", "Run.fly", "Experiment.get_runs", "Run.skip"} <= names(path)


def test_calls_on_what_nobody_knows_are_counted_as_not_told(tmp_path: Path) -> None:
    path = script(
        tmp_path,
        """
        from azureml.core import Run
        from elsewhere import tracker
        class Trainer:
            def __init__(self, exp):
                self.exp = exp.of()
            def fit(self, thing):
                self.exp.start_logging()
                thing["a"].get_metrics()
                thing.as_named_input("a").as_download()
                thing.fit()
                tracker.get_metrics()
        """,
    )

    report = check(path)

    assert report.files[0].source.unclear == [
        (8, "self.exp.start_logging"),
        (9, "thing['a'].get_metrics"),
        (10, "thing.as_named_input"),
    ]
    assert "submit.py:8: could not tell what self.exp.start_logging is a method of" in list(
        report.files[0].lines(shows_all=False)
    )
    assert "of 3 more calls it could not be told what they belong to" in report.summary()
