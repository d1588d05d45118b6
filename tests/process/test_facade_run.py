"""A training script of v1 in a real run: what it asks its workspace for, what it leaves, how it is told of."""

from __future__ import annotations

from pathlib import Path

import pytest

from azureml.core import Dataset, Experiment, Model, ScriptRunConfig
from azureml.core.run import Run
from azureml.core.runconfig import MpiConfiguration, PyTorchConfiguration
from azureml.core.workspace import Workspace, _Identity, _standing_for
from azureml.data import OutputFileDatasetConfig
from tests.process.project import Project, wait_until

pytestmark = pytest.mark.process

TRAINING = """
import argparse
import os
import sys

import numpy as np
from azureml.core import Dataset, Run

parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=np.float)
parser.add_argument("--table")
parser.add_argument("--out")
arguments = parser.parse_args()

run = Run.get_context()
workspace = run.experiment.workspace
frame = run.input_datasets["table"].to_pandas_dataframe()
assert Dataset.get_by_id(workspace, arguments.table).to_pandas_dataframe().equals(frame)
for step in range(3):
    run.log("accuracy", arguments.rate * step)
run.log("rows", np.int64(len(frame)))
with run.child_run("fold") as fold:
    fold.log("accuracy", 0.5)
with open("outputs/model.pkl", "w") as file:
    file.write("model")
model = run.register_model("from-inside", "outputs/model.pkl")
print("registered", model.name, model.version, run.experiment.name, file=sys.stderr)
with open(os.path.join(arguments.out, "result.txt"), "w") as file:
    file.write("result")
run.complete()
"""


@pytest.fixture
def ws(project: Project) -> Workspace:
    return _standing_for(project.workspace, _Identity("sub-1", "group-1", "old-workspace"))


def test_a_script_reads_registers_and_reports_through_its_run(project: Project, ws: Workspace, tmp_path: Path) -> None:
    project.write("training.py", TRAINING)
    (tmp_path / "table.csv").write_text("a,b\n1,x\n2,y\n")
    store = ws.get_default_datastore()
    store.upload_files([str(tmp_path / "table.csv")], target_path="tables")
    table = Dataset.Tabular.from_delimited_files((store, "tables/table.csv")).register(ws, "table")
    output = OutputFileDatasetConfig("result", destination=(store, "results")).register_on_complete("results")
    config = ScriptRunConfig(
        str(project.source),
        "training.py",
        arguments=["--rate", 0.25, "--table", table.as_named_input("table"), "--out", output],
    )

    run = Experiment(ws, "old-scripts").submit(config)
    details = run.wait_for_completion()

    assert details["status"] == "Completed"
    assert details["runDefinition"]["arguments"][:2] == ["--rate", "0.25"]
    assert run.get_metrics() == {"accuracy": [0.0, 0.25, 0.5], "rows": 2}
    assert [child.get_metrics() for child in run.get_children()] == [{"accuracy": 0.5}]
    log = run._sdk_run.logs()
    assert "np.float was removed in NumPy 1.24" in log
    assert "registered from-inside 1 old-scripts" in log
    assert Path(Model(ws, "from-inside").download(str(tmp_path / "got"))).read_text() == "model"
    assert [Path(path).name for path in Dataset.get_by_name(ws, "results").to_path()] == ["result.txt"]


def test_two_processes_of_one_run_meet_and_report_each_its_own(project: Project, ws: Workspace) -> None:
    project.write(
        "distributed.py",
        """
import os
import socket
from azureml.core import Run

rank, place = int(os.environ["RANK"]), (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
if rank == 0:
    with socket.create_server(place) as server:
        told = server.accept()[0].recv(100).decode()
else:
    while True:
        try:
            other = socket.create_connection(place)
            break
        except ConnectionRefusedError:
            pass
    other.sendall(b"gradients")
    told = "nothing"
run = Run.get_context()
for step in range(3):
    run.log(f"loss of rank {rank}", rank + step)
run.upload_file(f"ranks/{rank}.txt", "distributed.py")
print("rank", rank, "was told", told)
""",
    )
    config = ScriptRunConfig(
        str(project.source), "distributed.py", distributed_job_config=PyTorchConfiguration("Gloo", process_count=2)
    )

    run = Experiment(ws, "distributed").submit(config)
    run.wait_for_completion()

    assert run.get_metrics() == {"loss of rank 0": [0, 1, 2], "loss of rank 1": [1, 2, 3]}
    assert {"ranks/0.txt", "ranks/1.txt"} <= set(run.get_file_names())
    log = run._sdk_run.logs().splitlines()
    assert "rank 0 was told gradients" in log
    assert "[rank 1] rank 1 was told nothing" in log


def test_a_run_of_several_processes_fails_with_the_one_that_failed_and_is_canceled_as_a_whole(
    project: Project, ws: Workspace
) -> None:
    project.write(
        "distributed.py",
        "import os, sys, time\n"
        "rank = os.environ['OMPI_COMM_WORLD_RANK']\n"
        "if rank == '1' and sys.argv[1] == 'fail': raise SystemExit('no labels')\n"
        "print('ready')\n"
        "time.sleep(1000)\n",
    )

    def submitted(word: str) -> Run:
        config = ScriptRunConfig(
            str(project.source), "distributed.py", [word], distributed_job_config=MpiConfiguration(2)
        )
        return Experiment(ws, "distributed").submit(config)

    failed, canceled = submitted("fail"), submitted("wait")
    assert failed.wait_for_completion(raise_on_error=False)["status"] == "Failed"
    assert (
        "rank 1 failed with exit code 1, which ended the others: no labels" in failed.get_detailed_status()["details"]
    )
    wait_until(lambda: "[rank 1] ready" in canceled._sdk_run.logs(), "the second process has not started")
    canceled.cancel()
    assert canceled.wait_for_completion(raise_on_error=False)["status"] == "Canceled"


def test_a_child_of_a_program_that_is_a_run_is_seen_by_everybody(ws: Workspace) -> None:
    run = Experiment(ws, "by-hand").start_logging(snapshot_directory=None)
    child = run.child_run("fold")
    child.log("accuracy", 1)
    child.complete()
    run.complete()

    assert Run.get(ws, child.id).get_metrics() == {"accuracy": 1}
    assert Run.get(ws, run.id).get_status() == "Completed"
