"""The facade inside training scripts under other Pythons than the server's: scripts may bring their own, from 3.8 on."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

import azureml
import sublight
from tests.process.test_training_run_python38 import VERSIONS, interpreter

pytestmark = pytest.mark.process

SCRIPT = """
import collections
import sys
from azureml.core import Run
from azureml.core.run import Run as Same

run = Run.get_context()
run.log("accuracy", 0.8125, step=3)
run.log("epochs", 7)
run.log("note", "text")
run.log_list("sizes", [1, 2])
run.log_row("row", a=1)
run.log_table("table", {"a": [1, 2]})
with open("report.txt", "w") as file:
    file.write("x")
if not run.id.startswith("OfflineRun"):
    run.upload_file("reports/report.txt", "report.txt")
    run.upload_folder("folder", "outputs")
run.tag("data", "generated")
run.add_properties({"model": "mlp"})
with run.child_run("fold") as fold:
    fold.log("accuracy", 1)
if hasattr(run, "get_metrics"):
    assert run.get_metrics()["epochs"] == 7, run.get_metrics()
    assert run.get_tags() == {"data": "generated"}
print(collections.Mapping.__name__, sys.argv[1:])
run.complete()
"""


@pytest.fixture(params=VERSIONS)
def python(request: pytest.FixtureRequest) -> str:
    found = interpreter(request.param)
    if found is None:
        pytest.skip(f"there is no Python {request.param} on this machine")
    return found


def run_script(python: str, work: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("SUBLIGHT_", "PYTHON", "AZUREML_"))
    }
    # As plain folders: what the wheels hold, without the libraries of the server's own environment.
    environment["PYTHONPATH"] = os.pathsep.join(
        str(Path(module.__file__ or "").parents[1]) for module in (azureml, sublight)
    )
    (work / "script.py").write_text(SCRIPT)
    return subprocess.run(
        [python, "-B", "-m", "azureml._node", "script.py", "--rate", "1"],
        cwd=work,
        env={**environment, **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_script_inside_a_run_reports_through_run(python: str, tmp_path: Path) -> None:
    (tmp_path / "work/outputs").mkdir(parents=True)
    (tmp_path / "annotations.json").write_text(json.dumps({"azureml": {"workspace": {"name": "wonderland"}}}))

    result = run_script(
        python, tmp_path / "work", SUBLIGHT_RUN_ID="r_1", SUBLIGHT_ATTEMPT="1", SUBLIGHT_RUN_DIRECTORY=str(tmp_path)
    )

    assert result.returncode == 0, result.stderr
    assert result.stdout == "Mapping ['--rate', '1']\n"
    assert "Traceback" not in result.stderr
    assert (tmp_path / "uploads/reports/report.txt").read_text() == "x"


def test_a_script_by_itself_prints_its_reports(python: str, tmp_path: Path) -> None:
    result = run_script(python, tmp_path)

    assert result.returncode == 0, result.stderr
    assert "0.8125" in result.stdout.splitlines()
