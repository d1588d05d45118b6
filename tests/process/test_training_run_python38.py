"""``from sublight import run`` under other Pythons than the server's: scripts may bring their own, from 3.8 on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

import pytest

import sublight

pytestmark = pytest.mark.process

VERSIONS = ["3.8", "3.9", "3.10", "3.12", "3.13"]

SCRIPT = """
import os
from sublight import run

run.log("accuracy", 0.8125, step=3)
run.log("loss", float("nan"))
run.log("note", "text")
run.log_list("sizes", [1, 2])
run.log_row("row", a=1)
run.log_table("table", {"a": [1, 2]})
run.log_confusion_matrix("test", [[5, 1], [2, 7]], ["a", "b"])
run.log_residuals("residuals", {"data": {"bin_edges": [0, 1], "bin_counts": [3]}})
with open("report.txt", "w") as file:
    file.write("x")
run.upload_file("reports/report.txt", "report.txt")
run.log_image("picture", path="report.txt")
run.set_tags({"data": "generated"})
run.set_property("model", "mlp")
with run.child("fold") as fold:
    fold.log("accuracy", 1, step=0)
try:
    run.log("wrong", {})
except TypeError as error:
    print(error)
run.fail("no labels")
print(run.id, run.attempt, run.is_offline)
"""


@lru_cache
def interpreter(version: str) -> str | None:
    """A Python of this version that really runs; a version manager's stand-in on the PATH may not."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which(f"python{version}"), *sorted(map(str, versions.glob(f"{version}.*/bin/python")))]
    for candidate in filter(None, candidates):
        answer = subprocess.run(
            [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True
        )
        if answer.returncode == 0 and answer.stdout.strip() == version:
            return candidate
    return None


@pytest.fixture(params=VERSIONS)
def python(request: pytest.FixtureRequest) -> str:
    found = interpreter(request.param)
    if found is None:
        pytest.skip(f"there is no Python {request.param} on this machine")
    return found


def run_script(python: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SUBLIGHT_", "PYTHON"))}
    environment["PYTHONPATH"] = str(Path(sublight.__file__).parents[1])
    (folder / "script.py").write_text(SCRIPT)
    # -B, because the sources may belong to somebody else; -W error, because nothing here may be on its way out.
    command = [python, "-B", "-W", "error", "-X", "dev", "script.py"]
    return subprocess.run(
        command, cwd=folder, env={**environment, **variables}, capture_output=True, text=True, timeout=60
    )


def test_a_script_inside_a_run_can_report_everything(python: str, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()

    result = run_script(python, work, SUBLIGHT_RUN_ID="r-1", SUBLIGHT_ATTEMPT="1", SUBLIGHT_RUN_DIRECTORY=str(tmp_path))

    assert result.stderr == ""
    assert result.stdout.splitlines()[-1] == "r-1 1 False"
    lines = (tmp_path / "journal").read_text().splitlines()
    kinds = [json.loads(line[2:])["kind"] if line.startswith("r\t") else line[0] for line in lines]
    assert kinds == [
        *["m", "m", "list", "list", "row", "table", "confusion_matrix", "residuals", "artifact", "artifact", "image"],
        *["tag", "property", "child", "c", "child_end", "fail"],
    ]
    assert (tmp_path / "uploads/reports/report.txt").read_text() == "x"


def test_a_script_by_itself_prints_its_reports(python: str, tmp_path: Path) -> None:
    result = run_script(python, tmp_path)

    assert result.stderr == ""
    assert "accuracy = 0.8125 (step 3)" in result.stdout.splitlines()
