"""The lab of the original, word for word: its scripts in processes of their own, on a server and nodes that are real.

Only the amount of data is less than in ``examples/azureml_lab``.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.project import Project

pytestmark = pytest.mark.process

LAB = Path(__file__).parents[2] / "examples" / "azureml_lab"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Project]:
    shutil.copytree(LAB, tmp_path / "project", ignore=shutil.ignore_patterns(".sublight", "__pycache__"))
    for name, old, new in (
        ("train_hyper_submit.py", '"--data_subset": 1.0', '"--data_subset": 0.15'),
        ("compare_models.py", "load_posts(1.0)", "load_posts(0.15)"),
    ):
        script = tmp_path / "project" / name
        assert old in script.read_text()
        script.write_text(script.read_text().replace(old, new))
    project = Project(tmp_path / "project")
    yield project
    project.stop()


def run_script(project: Project, *command: str) -> str:
    """Run one of the lab's scripts as its user does; what it printed."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=project.folder,
        env=project._environment(),
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def test_the_lab_runs_word_for_word(lab: Project) -> None:
    created = run_script(lab, "infrastructure/create_cpu_compute.py")
    gpu = run_script(lab, "infrastructure/create_gpu_compute_hyper.py")
    found = run_script(lab, "infrastructure/create_cpu_compute.py")
    assert "'maxNodeCount': 4" in created
    assert "'vmSize': 'STANDARD_NC6'" in gpu
    assert "Found the cluster hypercomputecpu" in found

    swept = run_script(lab, "train_hyper_submit.py", "4")
    best = re.search(r"^Best run: (HD_\S+_\d) \[", swept, re.MULTILINE)
    assert best is not None, swept
    assert "Arguments: ['--data_subset', '0.15', '--learning_rate', '0." in swept

    assert "newsgroups 1 {'accuracy'" in run_script(lab, "train_fullmodel_submit.py")
    models = run_script(lab, "compare_models.py")
    assert len(re.findall(r"^0\.\d{4}  ", models, re.MULTILINE)) == 15

    workspace = lab.connect()
    trial = workspace.run(best.group(1))
    assert {record.kind for record in trial.records()} == {"image"}
    assert {"outputs/model.pkl", "reports/settings.txt"} <= {file.path for file in trial.artifacts()}
    (model,) = workspace.assets.list("model")
    assert [file.path for file in model.files()] == ["model.pkl"]
    (compared,) = workspace.runs(kind="interactive")
    assert (compared.status, len(compared.trials())) == ("completed", 15)
