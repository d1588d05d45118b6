"""With AZUREML_FACADE_DRY_RUN a script ends where it would have submitted, and nothing is submitted."""

from __future__ import annotations

from pathlib import Path

import pytest

from azureml.core import Experiment, ScriptRunConfig, Workspace
from azureml.exceptions import UserErrorException
from azureml.train.hyperdrive import HyperDriveConfig, PrimaryMetricGoal, RandomParameterSampling, choice


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScriptRunConfig:
    monkeypatch.setenv("AZUREML_FACADE_DRY_RUN", "1")
    source = tmp_path / "source"
    source.mkdir()
    (source / "train.py").write_text("print(1)\n")
    return ScriptRunConfig(
        source_directory=str(source), script="train.py", arguments=["--a", 1], compute_target="local"
    )


def test_a_script_ends_with_the_line_of_its_submission(
    ws: Workspace, config: ScriptRunConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        Experiment(ws, "first").submit(config)

    assert end.value.code == 0
    assert (
        "azureml dry run: would submit 'train.py --a 1' to 'local', experiment 'first', with 1 file"
        in capsys.readouterr().out
    )
    assert ws._sdk.runs() == []


def test_a_sweep_says_how_many_runs_it_would_start(
    ws: Workspace, config: ScriptRunConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = HyperDriveConfig(
        run_config=config,
        hyperparameter_sampling=RandomParameterSampling({"--b": choice(1, 2, 3)}),
        primary_metric_name="accuracy",
        primary_metric_goal=PrimaryMetricGoal.MAXIMIZE,
        max_total_runs=3,
    )

    with pytest.raises(SystemExit):
        Experiment(ws, "first").submit(sweep)

    assert "would submit a sweep of up to 3 runs of 'train.py --a 1'" in capsys.readouterr().out
    assert ws._sdk.runs() == []


def test_what_is_wrong_with_a_submission_is_said_in_a_dry_run_too(ws: Workspace, config: ScriptRunConfig) -> None:
    config.script = "absent.py"

    with pytest.raises(UserErrorException):
        Experiment(ws, "first").submit(config)


@pytest.mark.parametrize("value", ["", "0", "off"])
def test_switched_off_it_submits(
    ws: Workspace, config: ScriptRunConfig, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("AZUREML_FACADE_DRY_RUN", value)

    assert Experiment(ws, "first").submit(config).id.startswith("first_")
