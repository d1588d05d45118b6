"""The first scripts of the lab, as programs of their own: a cluster is made, found again, and works without a GPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import sublight as sl
from tests.process.project import PATIENCE_SECONDS, Project

pytestmark = pytest.mark.process

CREATE = """
import sys
from azureml.core import Workspace
from azureml.core.authentication import AzureCliAuthentication
from azureml.core.compute import AmlCompute, ComputeTarget
from azureml.core.compute_target import ComputeTargetException

workspace = Workspace.from_config(auth=AzureCliAuthentication())
name, size, min_nodes = sys.argv[1:]
try:
    cluster = ComputeTarget(workspace=workspace, name=name)
    print("found it")
except ComputeTargetException:
    print("making it")
    configuration = AmlCompute.provisioning_configuration(vm_size=size, min_nodes=int(min_nodes), max_nodes=2)
    cluster = ComputeTarget.create(workspace, name, configuration)
cluster.wait_for_completion(show_output=True)
print(workspace.name, sorted(workspace.compute_targets), cluster.get_status().serialize()["nodeStateCounts"])
"""


def create(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "create_compute.py", *arguments],
        cwd=project.source,
        env={**os.environ, **project.mark},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def test_a_cluster_is_made_by_the_first_program_and_found_by_the_second(project: Project) -> None:
    project.write("create_compute.py", CREATE)
    downloaded = {"subscription_id": "s", "resource_group": "r", "workspace_name": "years-ago"}
    project.write(".azureml/config.json", json.dumps(downloaded))

    first = create(project, "hypercomputecpu", "STANDARD_D3_V2", "1")
    second = create(project, "hypercomputecpu", "STANDARD_D3_V2", "1")

    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("making it\n")
    assert "Succeeded: 1 of 1 nodes are up\nThe cluster hypercomputecpu is ready\n" in first.stdout
    assert "years-ago ['hypercomputecpu']" in first.stdout
    assert "'idleNodeCount': 1" in first.stdout
    assert "the workspace years-ago is here the Sublight workspace" in first.stderr
    assert second.stdout.startswith("found it\n")


def test_a_gpu_size_gives_nodes_that_work_on_this_host(project: Project) -> None:
    project.write("create_compute.py", CREATE)
    project.write("hello.py", "print('worked')\n")

    made = create(project, "hypercomputegpu", "Standard_NC6", "0")

    assert made.returncode == 0, made.stderr
    run = project.workspace.experiment("trying").submit(
        sl.Script("hello.py", source=project.source), on="hypercomputegpu"
    )
    assert run.wait(timeout=PATIENCE_SECONDS).status == "completed"
    assert run.logs() == "worked\n"
