"""``sublight azureml check --run``: scripts go up to their submission, and leave nothing behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from azureml._check.report import check
from azureml._check.trying import try_submissions

pytestmark = pytest.mark.process

COMPUTE = """\
from azureml.core import Workspace
from azureml.core.compute import AmlCompute, ComputeTarget
ws = Workspace.from_config()
made = ComputeTarget.create(ws, "cpu", AmlCompute.provisioning_configuration(vm_size="STANDARD_D2_V2", max_nodes=2))
made.wait_for_completion(show_output=True)
"""
SUBMIT = """\
from azureml.core import Experiment, ScriptRunConfig, Workspace
ws = Workspace.from_config()
config = ScriptRunConfig(".", script="train.py", arguments=["--a", 1.0], compute_target=ws.compute_targets["cpu"])
run = Experiment(ws, "first").submit(config)
run.wait_for_completion()
open("never", "w").close()
"""
CELLS = [
    "%pip install azureml-sdk",
    "%%writefile written.py\nprint('hello')\n",
    "from azureml.core import Experiment, ScriptRunConfig, Workspace",
    "run = Experiment(Workspace.from_config(), 'book').submit(ScriptRunConfig('.', script='written.py'))\nrun",
]


def test_each_file_that_submits_is_run_up_to_its_submission(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    (folder / ".azureml").mkdir(parents=True)
    names = {"subscription_id": "s", "resource_group": "g", "workspace_name": "w"}
    (folder / ".azureml" / "config.json").write_text(json.dumps(names))
    (folder / "train.py").write_text("print(1)\n")
    (folder / "z_compute.py").write_text(COMPUTE)
    (folder / "submit.py").write_text(SUBMIT)
    (folder / "broken.py").write_text(SUBMIT.replace('"train.py"', '"absent.py"'))
    notebook = {"cells": [{"cell_type": "code", "source": source} for source in CELLS]}
    (folder / "book.ipynb").write_text(json.dumps(notebook))
    before = sorted(folder.rglob("*"))
    report = check(folder)

    try_submissions(folder, report)

    said = {file.shown: file.submission for file in report.files if file.submission}
    assert said["submit.py"].startswith("would submit 'train.py --a 1.0' to 'cpu', experiment 'first'")
    assert said["book.ipynb"].startswith("would submit 'written.py' to 'local', experiment 'book'")
    assert said["broken.py"].startswith("failed before the submission: ")
    assert "absent.py" in said["broken.py"]
    assert "(line 4)" in said["broken.py"]
    assert set(said) == {"submit.py", "book.ipynb", "broken.py"}
    assert sorted(folder.rglob("*")) == before
