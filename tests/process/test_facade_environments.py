"""Scripts for Azure ML with the packages of their time, as near as the package index here has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from azureml.core import Dataset, Environment, Experiment, ScriptRunConfig
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.workspace import _Identity, _standing_for
from tests.process.project import Project

pytestmark = pytest.mark.process

TRAINING = """
import numpy as np
import pandas as pd
from azureml.core import Run
from sklearn.externals import joblib
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

run = Run.get_context()
frame = run.input_datasets["table"].to_pandas_dataframe()
frame = frame.append({"a": 3, "b": "z"}, ignore_index=True)
assert OneHotEncoder(sparse=False).fit_transform(frame[["b"]]).shape == (3, 3)
assert list(frame.drop("b", 1).columns) == ["a"]
LogisticRegression(penalty="none").fit(frame[["a"]], frame["b"])
print(run.experiment.workspace.name, np.__version__, pd.__version__)
run.log("rows", np.float(len(frame)))
joblib.dump(frame, "outputs/frame.pkl")
"""


def test_a_script_of_2020_runs_with_the_nearest_packages_and_its_log_says_what_they_are(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZUREML_FACADE_ENVIRONMENTS", "relax")
    ws = _standing_for(project.workspace, _Identity("sub-1", "group-1", "old-workspace"))
    project.write("training.py", TRAINING)
    (tmp_path / "table.csv").write_text("a,b\n1,x\n2,y\n")
    store = ws.get_default_datastore()
    store.upload_files([str(tmp_path / "table.csv")], target_path="tables")
    table = Dataset.Tabular.from_delimited_files((store, "tables/table.csv"))
    environment = Environment("of-2020")
    environment.python.conda_dependencies = CondaDependencies.create(
        conda_packages=["scikit-learn=0.22.2", "cudatoolkit=10.1"],
        pip_packages=["azureml-defaults", "numpy==1.18.5", "pandas==1.0.3"],
        python_version="3.6.2",
    )
    config = ScriptRunConfig(
        str(project.source), "training.py", arguments=[table.as_named_input("table")], environment=environment
    )

    run = Experiment(ws, "old-scripts").submit(config)
    run.wait_for_completion(raise_on_error=False)

    log = run._sdk_run.logs()
    assert run.get_status() == "Completed", log
    assert run.get_metrics() == {"rows": 3}
    for change in (
        "takes the place of 3.6.2",
        "numpy 1.18.5 has no wheel for Python 3.11; 1.23.2, the nearest later version",
        "pandas 1.0.3 has no wheel for Python 3.11; 1.5.0, the nearest later version",
        "scikit-learn 0.22.2 has no wheel for Python 3.11; 1.1.3, the nearest later version",
    ):
        assert change in log
    assert "old-workspace 1.23.2 1.5.0" in log
    assert "azureml-logs/20_image_build_log.txt" in run.get_file_names()
    assert "cudatoolkit" in run._sdk_run.logs("environment_log.txt")
