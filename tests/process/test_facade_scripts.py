"""Scripts for Azure ML as people wrote them, word for word, one after the other against one real server."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.process.project import PATIENCE_SECONDS, Project

pytestmark = [pytest.mark.process, pytest.mark.slow]

SCRIPTS = Path(__file__).parents[1] / "facade" / "scripts"
BANK_URL = "https://automlsamplenotebookdata.blob.core.windows.net/automl-sample-notebook-data/bankmarketing_train.csv"

# More would wait for each other's processors.
AT_ONCE = 3

# What each script prints near its end, when all of it has worked.
LAST_WORDS = {
    "bank_hyperdrive": "best_hyper_model 1 (120, ",
    "diabetes_estimator_datastore": "['diabetes.csv', 'diabetes2.csv']",
    "diabetes_run_experiments": "- observations 110",
    "diabetes_work_with_data": "{'Accuracy': ",
    "heart_failure_dataset": "heart-hd\t1",
    "iris_hyperdrive": "outputs/model.joblib",
    "manage_runs": "its last line: RuntimeError: no",
    "ridge_within_notebook": "best_ridge_model",
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small files in the shape of the public ones."""
    folder = tmp_path_factory.mktemp("data")
    chance = random.Random(0)
    write_bank(folder / "bankmarketing_train.csv", chance)
    write_diabetes(folder / "diabetes.csv", chance)
    write_diabetes(folder / "diabetes2.csv", chance)
    write_heart(folder / "heart_failure.csv", chance)
    return folder


@pytest.fixture(scope="module")
def scripts_project(shared_project: Project, data: Path) -> Project:
    mapped = shared_project.command("data", "map", BANK_URL, str(data / "bankmarketing_train.csv"))
    assert mapped.returncode == 0, mapped.stderr
    config = shared_project.folder / ".azureml" / "config.json"
    config.parent.mkdir()
    config.write_text(
        json.dumps({"subscription_id": "s", "resource_group": "r", "workspace_name": "quick-starts-ws-135447"})
    )
    return shared_project


def test_there_are_last_words_for_each_script() -> None:
    assert sorted(LAST_WORDS) == sorted(folder.name for folder in SCRIPTS.iterdir() if folder.is_dir())


@pytest.fixture(scope="module")
def ran(scripts_project: Project, data: Path) -> dict[str, subprocess.CompletedProcess[str]]:
    """How each script ended; some of them run at the same time, as those of several people do."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(LAST_WORDS, pool.map(lambda name: run(name, scripts_project, data), LAST_WORDS), strict=True))


def run(name: str, project: Project, data: Path) -> subprocess.CompletedProcess[str]:
    folder = project.folder / name
    shutil.copytree(SCRIPTS / name, folder)
    shutil.copytree(data, folder / "data", ignore=shutil.ignore_patterns("bank*"))
    return subprocess.run(
        [sys.executable, "main.py"],
        cwd=folder,
        env={**os.environ, **project.mark, "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE_SECONDS,
        check=False,
    )


@pytest.mark.parametrize("name", LAST_WORDS)
def test_a_script_of_the_sdk_v1_runs_as_it_stands(name: str, ran: dict[str, subprocess.CompletedProcess[str]]) -> None:
    assert ran[name].returncode == 0, ran[name].stdout[-3000:] + ran[name].stderr[-3000:]
    assert LAST_WORDS[name] in ran[name].stdout


def write(file: Path, rows: list[dict[str, object]]) -> None:
    with file.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_bank(file: Path, chance: random.Random) -> None:
    words = {
        "job": "admin. blue-collar technician",
        "marital": "married single divorced",
        "education": "basic.4y high.school university.degree",
        "default": "no unknown yes",
        "housing": "no yes unknown",
        "loan": "no yes unknown",
        "contact": "cellular telephone",
        "month": "may jun nov",
        "day_of_week": "mon tue wed",
        "poutcome": "failure nonexistent success",
        "y": "no yes",
    }
    numbers = ["age", "duration", "campaign", "pdays", "previous", "emp.var.rate", "euribor3m"]
    write(
        file,
        [
            {
                **{name: chance.choice(choices.split()) for name, choices in words.items()},
                **{name: chance.randint(1, 90) for name in numbers},
            }
            for _ in range(120)
        ],
    )


def write_diabetes(file: Path, chance: random.Random) -> None:
    names = ["PatientID", "Pregnancies", "PlasmaGlucose", "DiastolicBloodPressure", "SerumInsulin", "Age"]
    fractions = ["TricepsThickness", "BMI", "DiabetesPedigree"]
    write(
        file,
        [
            {
                **{name: chance.randint(1, 90) for name in names},
                **{name: chance.uniform(0.1, 50) for name in fractions},
                "Diabetic": place % 2,
            }
            for place in range(110)
        ],
    )


def write_heart(file: Path, chance: random.Random) -> None:
    names = ["age", "ejection_fraction", "serum_sodium", "time"]
    write(
        file,
        [{**{name: chance.randint(1, 90) for name in names}, "DEATH_EVENT": place % 2} for place in range(80)],
    )
