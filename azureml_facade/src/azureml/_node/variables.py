"""The environment variables that v1 set around a script.

Readable by Python 3.8, standard library only.
"""

from __future__ import annotations

import json
import os
import pathlib
import socket
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# Nothing of Sublight ends with this; scripts and libraries that look at the time of expiry must find one.
_TOKEN_SECONDS = 30 * 24 * 3600
_MPI = ("mpi", "openmpi", "intelmpi")
_PYTORCH = ("nccl", "gloo")


def v1_variables(annotations: dict[str, Any], environment: Mapping[str, str]) -> dict[str, str]:
    """What a script of this run finds beside what is there already, by Azure's names."""
    workspace = annotations.get("workspace") or {}
    definition = annotations.get("run_definition") or {}
    run_id = environment.get("SUBLIGHT_RUN_ID", "")
    experiment = environment.get("SUBLIGHT_EXPERIMENT", "")
    address = environment.get("SUBLIGHT_URL", "")
    work = os.getcwd()
    found = {
        "AZUREML_RUN_ID": run_id,
        "AZUREML_ROOT_RUN_ID": environment.get("SUBLIGHT_PARENT_RUN_ID") or run_id,
        "AZUREML_RUN_TOKEN": environment.get("SUBLIGHT_TOKEN", ""),
        "AZUREML_RUN_TOKEN_EXPIRY": str(int(time.time()) + _TOKEN_SECONDS),
        "AZUREML_ARM_SUBSCRIPTION": workspace.get("subscription_id") or "",
        "AZUREML_ARM_RESOURCEGROUP": workspace.get("resource_group") or "",
        "AZUREML_ARM_WORKSPACE_NAME": workspace.get("name") or "",
        "AZUREML_ARM_PROJECT_NAME": experiment,
        "AZUREML_EXPERIMENT_ID": experiment,
        "AZUREML_WORKSPACE_ID": workspace.get("name") or "",
        "AZUREML_WORKSPACE_SCOPE": _scope(workspace),
        "AZUREML_EXPERIMENT_SCOPE": f"{_scope(workspace)}/experiments/{experiment}",
        "AZUREML_SERVICE_ENDPOINT": address,
        "AZUREML_DISCOVERY_SERVICE_ENDPOINT": address,
        "AZUREML_TARGET_TYPE": "local" if definition.get("target") == "local" else "batchai",
        "AZUREML_FRAMEWORK": str(definition.get("framework") or "Python"),
        "AZUREML_COMMUNICATOR": str(definition.get("communicator") or "None"),
        "AZUREML_OUTPUT_DIRECTORY": os.path.join(work, "outputs"),
        "AZUREML_LOGDIRECTORY_PATH": os.path.join(work, "logs"),
        "AZUREML_LOG_LEVEL": "30",
        "AZUREML_RUN_KILL_SIGNAL_TIMEOUT_SEC": "300",
        # Not the working directory's ./mlruns, which nobody keeps.
        "MLFLOW_TRACKING_URI": pathlib.Path(work, "outputs", "mlruns").as_uri(),
        "AZUREML_NODE_COUNT": "1",
        "AZ_BATCHAI_JOB_TEMP": environment.get("SUBLIGHT_RUN_DIRECTORY", work),
        "AZ_BATCHAI_GPU_COUNT": str(_gpu_count(environment)),
        "AZ_BATCHAI_GPU_COUNT_NEED": str(_gpu_count(environment)),
        "AZ_BATCHAI_TASK_TYPE": "worker",
        "AZ_BATCHAI_TASK_INDEX": "0",
        "AZ_BATCH_HOST_LIST": "localhost",
        "AZ_BATCH_NODE_LIST": "localhost",
        "AZ_BATCH_IS_CURRENT_NODE_MASTER": "true",
    }
    found.update(_distributed_variables(definition))
    return found


def _scope(workspace: dict[str, Any]) -> str:
    return (
        f"/subscriptions/{workspace.get('subscription_id') or ''}/resourceGroups/{workspace.get('resource_group') or ''}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{workspace.get('name') or ''}"
    )


def rank_variables(definition: dict[str, Any], rank: int, size: int) -> dict[str, str]:
    """What says to one of ``size`` processes on this node which it is; empty when they have nothing to do together."""
    communicator = str(definition.get("communicator") or "").lower()
    if communicator in _MPI:
        return {
            "OMPI_COMM_WORLD_RANK": str(rank),
            "OMPI_COMM_WORLD_SIZE": str(size),
            "OMPI_COMM_WORLD_LOCAL_RANK": str(rank),
            "OMPI_COMM_WORLD_LOCAL_SIZE": str(size),
        }
    if communicator in _PYTORCH:
        return {
            "RANK": str(rank),
            "LOCAL_RANK": str(rank),
            "GLOBAL_RANK": str(rank),
            "WORLD_SIZE": str(size),
            "LOCAL_WORLD_SIZE": str(size),
            "NODE_RANK": "0",
        }
    return {}


def _distributed_variables(definition: dict[str, Any]) -> dict[str, str]:
    """What the launchers of v1 set, for the only process of a run; `rank_variables` tells several apart."""
    framework = str(definition.get("framework") or "").lower()
    communicator = str(definition.get("communicator") or "").lower()
    found = rank_variables(definition, 0, 1)
    if communicator in _MPI:
        return {
            **found,
            "AZ_BATCHAI_MPI_MASTER_NODE": "127.0.0.1",
            "AZ_BATCH_MASTER_NODE": f"127.0.0.1:{_free_port()}",
        }
    if communicator in _PYTORCH:
        return {
            **found,
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_IP": "127.0.0.1",
            "MASTER_PORT": str(_free_port()),
        }
    if framework == "tensorflow" and communicator == "parameterserver":
        cluster = {"worker": ["localhost:2222"]}
        return {
            "TF_CONFIG": json.dumps(
                {"cluster": cluster, "task": {"type": "worker", "index": 0}, "environment": "cloud"}
            )
        }
    return {}


def _free_port() -> int:
    """A port that nobody listens on: other runs may share the machine, so it cannot be the same for all."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _gpu_count(environment: Mapping[str, str]) -> int:
    visible = environment.get("CUDA_VISIBLE_DEVICES", "")
    return len([one for one in visible.split(",") if one.strip() not in ("", "-1")])
