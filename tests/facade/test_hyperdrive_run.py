"""Sweeps in v1's words over a real server: what is submitted, what children get, and what is told afterwards."""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from azureml.core import Experiment, ScriptRunConfig, Workspace
from azureml.core.compute import AmlCompute, ComputeTarget
from azureml.exceptions import ActivityFailedException, ServiceException
from azureml.train.hyperdrive import (
    BanditPolicy,
    BayesianParameterSampling,
    GridParameterSampling,
    HyperDriveConfig,
    HyperDriveConfigException,
    HyperDriveNotImplementedException,
    HyperDriveRun,
    HyperDriveRunConfig,
    NoTerminationPolicy,
    PrimaryMetricGoal,
    RandomParameterSampling,
    choice,
    uniform,
)
from azureml.train.sklearn import SKLearn
from azureml.widgets import RunDetails, run_details
from azureml.widgets.run_details import widget_data
from sublight.core.errors import ServerUnavailable
from tests.server.harness import FakeAgent, Harness, scalar

SPACE = {"--lr": choice(0.5, 1.0), "depth": choice(1, 2)}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "train.py").write_text("print(1)")
    return folder


@pytest.fixture
def experiment(ws: Workspace) -> Experiment:
    ComputeTarget.create(ws, "cpu-cluster", AmlCompute.provisioning_configuration("STANDARD_D2_V2", max_nodes=2))
    return Experiment(ws, "hunt")


def config(source: Path, sampling: Any = None, **options: Any) -> HyperDriveConfig:
    defaults: dict[str, Any] = {
        "run_config": ScriptRunConfig(str(source), "train.py", ["--data", "d"], compute_target="cpu-cluster"),
        "hyperparameter_sampling": sampling or GridParameterSampling(SPACE),
        "primary_metric_name": "Accuracy",
        "primary_metric_goal": PrimaryMetricGoal.MAXIMIZE,
        "max_total_runs": 4,
        "max_concurrent_runs": 2,
    }
    return HyperDriveConfig(**{**defaults, **options})


def work_off(harness: Harness, report: Any) -> dict[str, list[str]]:
    """Agents run all that they are told to; ``report(index)`` gives journal and exit code. Arguments by run id."""
    arguments: dict[str, list[str]] = {}
    for _ in range(12):
        harness.settle()
        for agent in harness.agents().values():
            harness.settle()
            for order in agent.orders():
                _finish(harness, agent, order, report, arguments)
    harness.settle()
    return arguments


def _finish(harness: Harness, agent: FakeAgent, order: Any, report: Any, arguments: dict[str, list[str]]) -> None:
    if order.action == "stop":
        agent.finish(order.run_id, order.attempt, end="stopped", exit_code=None)
        return
    arguments[order.run_id] = order.argv[order.argv.index("train.py") + 1 :]
    journal, exit_code = report(int(order.run_id.rpartition("_")[2]))
    agent.report(order.run_id, order.attempt, started=harness.clock.now(), journal=journal)
    agent.finish(order.run_id, order.attempt, exit_code=exit_code)


def accuracies(*values: float) -> Any:
    return lambda index: (scalar("Accuracy", values[index % len(values)]), 0)


def test_children_get_the_fixed_arguments_and_then_their_own_as_text(
    harness: Harness, experiment: Experiment, source: Path
) -> None:
    run = experiment.submit(config(source), tags={"team": "red"})
    arguments = work_off(harness, accuracies(0.1, 0.9, 0.5, 0.7))

    assert isinstance(run, HyperDriveRun)
    assert re.fullmatch(r"HD_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", run.id)
    assert run.type == "hyperdrive"
    assert arguments == {
        f"{run.id}_0": ["--data", "d", "--lr", "0.5", "--depth", "1"],
        f"{run.id}_1": ["--data", "d", "--lr", "0.5", "--depth", "2"],
        f"{run.id}_2": ["--data", "d", "--lr", "1", "--depth", "1"],
        f"{run.id}_3": ["--data", "d", "--lr", "1", "--depth", "2"],
    }
    assert run.get_status() == "Completed"
    assert run.get_tags()["team"] == "red"


def test_random_arguments_come_in_alphabetical_order_without_repetition(
    harness: Harness, experiment: Experiment, source: Path
) -> None:
    sampling = RandomParameterSampling({"z": choice(1, 2, 2), "a": choice(3, 4)}, {"seed": 5})
    run = experiment.submit(config(source, sampling, max_total_runs=100))
    arguments = work_off(harness, accuracies(0.5))

    assert len(arguments) == 4  # the size of the space
    assert len({tuple(each) for each in arguments.values()}) == 4
    assert all(each[2] == "--a" for each in arguments.values())
    assert run.get_properties()["space_size"] == "4"


def test_the_best_run_and_the_sorted_children_tell_what_v1_told(
    harness: Harness, experiment: Experiment, source: Path
) -> None:
    run = experiment.submit(config(source))
    work_off(harness, lambda index: (b"" if index == 3 else scalar("Accuracy", [0.1, 0.9, 0.5][index]), 0))

    best = run.get_best_run_by_primary_metric()
    rows = run.get_children_sorted_by_primary_metric()

    assert best is not None
    assert best.id == f"{run.id}_1"
    assert best.get_metrics() == {"Accuracy": 0.9}
    assert best.get_details()["runDefinition"]["arguments"] == ["--data", "d", "--lr", "0.5", "--depth", "2"]
    assert best.parent.id == run.id
    assert [row["run_id"][-1] for row in rows] == ["1", "2", "0", "3"]
    assert rows[0] == {
        "run_id": f"{run.id}_1",
        "hyperparameters": json.dumps({"--lr": 0.5, "depth": 2}),
        "best_primary_metric": 0.9,
        "status": "Completed",
    }
    assert [row["run_id"][-1] for row in run.get_children_sorted_by_primary_metric(reverse=True)] == [
        "0",
        "2",
        "1",
        "3",
    ]
    assert len(run.get_children_sorted_by_primary_metric(top=1)) == 1
    assert len(run.get_children_sorted_by_primary_metric(discard_no_metric=True)) == 3
    assert run.get_metrics() == {f"{run.id}_{i}": {"Accuracy": value} for i, value in enumerate([0.1, 0.9, 0.5])}
    assert run.get_hyperparameters()[f"{run.id}_2"] == '{"--lr": 1.0, "depth": 1}'
    assert [child.id[-1] for child in run.get_children()] == ["3", "2", "1", "0"]
    with pytest.raises(AssertionError):
        run.get_children_sorted_by_primary_metric(top=-1)


def test_a_perfect_loss_of_nought_wins_and_a_minimum_is_best(
    harness: Harness, experiment: Experiment, source: Path
) -> None:
    run = experiment.submit(config(source, primary_metric_goal=PrimaryMetricGoal.MINIMIZE))
    work_off(harness, accuracies(0.3, 0.0, 0.2, 0.1))

    best = run.get_best_run_by_primary_metric()

    assert best is not None
    assert best.id == f"{run.id}_1"


def test_the_parent_keeps_its_declaration_in_tags_and_properties(
    harness: Harness, experiment: Experiment, source: Path, ws: Workspace
) -> None:
    run = experiment.submit(config(source, policy=BanditPolicy(slack_factor=0.1, evaluation_interval=2)))
    work_off(harness, accuracies(0.1, 0.9, 0.5, 0.7))

    tags, properties = run.get_tags(), run.get_properties()
    assert json.loads(tags["_aml_system_generator_config"])["name"] == "GRID"
    assert json.loads(tags["_aml_system_policy_config"])["properties"]["slack_factor"] == 0.1
    assert json.loads(tags["_aml_system_max_total_jobs"]) == 4
    assert json.loads(tags[f"_aml_system_{run.id}_0"]) == {"--lr": 0.5, "depth": 1}
    assert json.loads(properties["primary_metric_config"]) == {"name": "Accuracy", "goal": "maximize"}
    assert properties["best_child_run_id"] == f"{run.id}_1"
    assert float(properties["score"]) == 0.9
    again = ws.get_run(run.id)
    assert isinstance(again, HyperDriveRun)
    assert again.hyperdrive_config._policy_config == BanditPolicy(slack_factor=0.1, evaluation_interval=2)
    assert again.hyperdrive_config._hyperparameter_sampling == GridParameterSampling(SPACE)
    assert "azureml-logs/hyperdrive.txt" in run.get_file_names()


def test_of_an_estimator_what_is_tuned_is_taken_out_of_its_own_arguments(
    harness: Harness, experiment: Experiment, source: Path, caplog: pytest.LogCaptureFixture
) -> None:
    estimator = SKLearn(
        str(source), compute_target="cpu-cluster", entry_script="train.py", script_params={"--lr": 9, "--keep": "-3"}
    )
    with caplog.at_level(logging.WARNING, "azureml"):
        experiment.submit(config(source, run_config=None, estimator=estimator, max_total_runs=1))
    arguments = work_off(harness, accuracies(0.5))

    assert list(arguments.values()) == [["--keep", "-3", "--lr", "0.5", "--depth", "1"]]
    assert "--lr stands both in script_params and in the parameter space" in caplog.text


def test_three_failures_at_the_start_fail_the_sweep_and_are_raised_with_the_cause(
    harness: Harness, experiment: Experiment, source: Path
) -> None:
    run = experiment.submit(config(source))
    work_off(harness, lambda _: (b"", 1))

    assert run.get_status() == "Failed"
    with pytest.raises(ActivityFailedException, match="all of the first 3 trials failed"):
        run.wait_for_completion()
    assert run.wait_for_completion(raise_on_error=False)["status"] == "Failed"
    assert run.get_best_run_by_primary_metric() is None


def test_a_metric_of_another_case_is_warned_of_and_the_sweep_goes_on_to_its_end(
    harness: Harness, experiment: Experiment, source: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = experiment.submit(config(source))
    work_off(harness, lambda index: (scalar("accuracy", index / 10), 0))

    with caplog.at_level(logging.WARNING, "azureml"):
        best = run.get_best_run_by_primary_metric()

    assert best is None
    assert run.get_status() == "Completed"
    assert len(list(run.get_children())) == 4
    assert "'accuracy' was reported, which differs in case" in caplog.text


def test_a_policy_that_could_never_act_is_warned_of(
    harness: Harness, experiment: Experiment, source: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = experiment.submit(config(source, policy=BanditPolicy(slack_factor=0.1, delay_evaluation=5)))
    work_off(harness, accuracies(0.1, 0.2, 0.3, 0.4))

    with caplog.at_level(logging.WARNING, "azureml"):
        run.wait_for_completion()

    assert "the policy Bandit could never act: each run reports 'Accuracy' 1 time" in caplog.text


def test_a_sweep_can_be_canceled_and_a_canceled_one_is_no_error(
    harness: Harness, experiment: Experiment, source: Path
) -> None:
    run = experiment.submit(config(source))
    harness.settle()

    assert run.cancel() is True
    work_off(harness, accuracies(0.5))

    assert run.wait_for_completion()["status"] == "Canceled"
    assert run.cancel() is False


def test_earlier_sweeps_are_known_from_the_start_and_their_best_counts(
    harness: Harness, experiment: Experiment, source: Path
) -> None:
    first = experiment.submit(config(source, BayesianParameterSampling({"x": uniform(0, 1)}), max_total_runs=2))
    work_off(harness, accuracies(0.9, 0.8))
    second = experiment.submit(
        config(source, BayesianParameterSampling({"x": uniform(0, 1)}), max_total_runs=2, resume_from=first)
    )
    work_off(harness, accuracies(0.1, 0.2))

    best, own = (
        second.get_best_run_by_primary_metric(),
        second.get_best_run_by_primary_metric(include_resume_from_runs=False),
    )

    assert best is not None
    assert own is not None
    assert (best.id, own.id) == (f"{first.id}_0", f"{second.id}_1")


def test_what_a_sweep_cannot_be_is_refused_in_one_sentence(experiment: Experiment, source: Path) -> None:
    for wrong in (
        {"run_config": None},
        {"hyperparameter_sampling": None},
        {"primary_metric_goal": "maximize"},
        {"max_total_runs": 0},
        {"run_config": "train.py"},
        {"policy": "bandit"},
        {"resume_from": [object()]},
    ):
        with pytest.raises(HyperDriveConfigException) as refusal:
            config(source, **wrong)
        assert "\n" not in str(refusal.value)
    with pytest.raises(HyperDriveConfigException, match="custom_run_id"):
        experiment.submit(config(source, custom_run_id="../x"))


def test_the_older_names_still_do(experiment: Experiment, source: Path) -> None:
    made = HyperDriveRunConfig(
        estimator=SKLearn(str(source), compute_target="cpu-cluster", entry_script="train.py"),
        hyperparameter_sampling=RandomParameterSampling(SPACE),
        primary_metric_name="Accuracy",
        primary_metric_goal=PrimaryMetricGoal.from_str("minimize"),
        max_total_runs=2,
    )

    assert type(made) is HyperDriveConfig
    assert made.source_directory == str(source)
    assert made._policy_config == NoTerminationPolicy()
    run = experiment.submit(made)
    with pytest.raises(HyperDriveNotImplementedException):
        run.fail()


def test_the_widget_waits_where_nobody_looks_and_its_data_are_those_of_notebooks(
    harness: Harness, experiment: Experiment, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = experiment.submit(config(source))
    work_off(harness, accuracies(0.1, 0.9, 0.5, 0.7))

    RunDetails(run).show()
    data = RunDetails(run).get_widget_data()

    assert run.id in capsys.readouterr().out
    assert data["status"] == "Completed"
    assert {(row["run_number"], row["metric"], row["param_depth"]) for row in data["child_runs"]} == {
        (0, 0.1, 1),
        (1, 0.9, 2),
        (2, 0.5, 1),
        (3, 0.7, 2),
    }


def test_metrics_of_all_children_come_in_one_answer_however_many_they_are(
    harness: Harness, experiment: Experiment, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = experiment.submit(config(source), display_name="the hunt")
    lines = b"".join(scalar("Accuracy", value) for value in (0.25, 0.5)) + scalar("loss", float("nan"))
    work_off(harness, lambda _: (lines, 0))
    asked: list[str] = []
    client = experiment.workspace._sdk.client
    get = client.get
    monkeypatch.setattr(client, "get", lambda path, *rest, **query: (asked.append(path), get(path, *rest, **query))[1])

    metrics = run.get_metrics()

    assert [row["Accuracy"] for row in metrics.values()] == [[0.25, 0.5]] * 4
    assert all(row["loss"] != row["loss"] for row in metrics.values())
    assert sum("metrics" in path for path in asked) == 1
    assert len(asked) <= 3
    assert run.display_name == "the hunt"


def test_a_server_that_is_away_is_told_in_v1s_words(
    experiment: Experiment, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = experiment.submit(config(source))
    run._sdk_run  # noqa: B018  # known before the server goes away

    def away(*_: object, **__: object) -> None:
        raise ServerUnavailable("the server does not answer")

    monkeypatch.setattr(experiment.workspace._sdk.client, "get", away)
    for ask in (run.get_metrics, run.get_hyperparameters, run.get_best_run_by_primary_metric, run.get_tags):
        with pytest.raises(ServiceException):
            ask()


def test_a_program_that_watches_a_sweep_gets_the_best_so_far_without_waiting(
    harness: Harness, experiment: Experiment, source: Path
) -> None:
    run = experiment.submit(config(source))
    harness.settle()
    harness.agents()
    harness.settle()
    agent, order = next((agent, order) for agent in harness.agents().values() for order in agent.orders())
    agent.report(order.run_id, journal=scalar("Accuracy", 0.5), started=harness.clock.now())
    harness.settle()

    run._sdk_run.refresh()
    assert run.get_status() == "Running"
    best = run.get_best_run_by_primary_metric()

    assert best is not None
    assert best.id == order.run_id
    assert run.get_status() == "Running"


def test_asking_each_child_for_its_metrics_reads_them_together(
    harness: Harness, experiment: Experiment, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = experiment.submit(config(source))
    lines = b"".join(scalar("Accuracy", value) for value in (0.25, 0.5))
    work_off(harness, lambda _: (lines, 0))
    children = list(run.get_children())
    asked: list[str] = []
    client = experiment.workspace._sdk.client
    get = client.get
    monkeypatch.setattr(client, "get", lambda path, *rest, **query: (asked.append(path), get(path, *rest, **query))[1])

    assert [child.get_metrics() for child in children] == [{"Accuracy": [0.25, 0.5]}] * 4
    assert [path for path in asked if path.endswith("/children-metrics")] == [f"/api/v1/runs/{run.id}/children-metrics"]
    assert len(asked) == 4  # three for the first child, when nobody knew yet that others would follow


def test_the_display_of_a_notebook_outlives_a_server_that_starts_anew(
    harness: Harness, experiment: Experiment, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = experiment.submit(config(source))
    work_off(harness, accuracies(0.1, 0.9))
    shown: list[str] = []
    ended = threading.Event()
    answers = iter([widget_data(run), ServiceException("starting"), ServiceException("starting"), widget_data(run)])

    def data(_: Any) -> dict[str, Any]:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    class Handle:
        def update(self, html: Any) -> None:
            shown.append(html)
            ended.set()

    display = SimpleNamespace(HTML=str, display=lambda *_, **__: Handle())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(display=display))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    monkeypatch.setattr(run_details, "widget_data", data)
    monkeypatch.setattr(run_details, "_SECONDS_BETWEEN", 0.001)
    run_details._show_live(run)

    assert ended.wait(30)
    assert "Completed" in shown[0]
