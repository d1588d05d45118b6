"""The run definition: the dict that ``Run.get_details()["runDefinition"]`` shows, under the keys of the service."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from azureml.core.environment import Environment
from azureml.core.runconfig import RunConfiguration


def run_definition(
    config: RunConfiguration,
    *,
    script: str | None,
    command: str,
    arguments: Sequence[str],
    target: str,
    variables: Mapping[str, str],
    inputs: Sequence[Mapping[str, Any]],
    outputs: Sequence[Mapping[str, Any]],
    references: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """What is submitted, in the service's words; ``arguments`` are the fixed ones."""
    plain = config._to_dict()
    return {
        "script": script,
        "command": command,
        "useAbsolutePath": False,
        "arguments": list(arguments),
        "sourceDirectoryDataStore": config.source_directory_data_store,
        "framework": config.framework,
        "communicator": config.communicator,
        "target": target,
        "dataReferences": {one["name"]: _reference(one) for one in references},
        "data": {one["name"]: _input(one) for one in inputs},
        "outputData": {one["name"]: dict(one) for one in outputs},
        "datacaches": plain["datacaches"],
        "jobName": None,
        "maxRunDurationSeconds": config.max_run_duration_seconds,
        "nodeCount": config.node_count or 1,
        "priority": config.priority,
        "credentialPassthrough": bool(config.credential_passthrough),
        "identity": None,
        "environment": _environment(config.environment),
        "history": {
            "outputCollection": config.history.output_collection,
            "directoriesToWatch": list(config.history.directories_to_watch or []),
            "enableMLflowTracking": True,
        },
        "spark": plain["spark"],
        "parallelTask": plain["paralleltask"],
        "amlCompute": plain["amlcompute"],
        "aiSuperComputer": {},
        "tensorflow": plain["tensorflow"],
        "mpi": {"processCountPerNode": config.mpi.process_count_per_node},
        "pyTorch": {
            "communicationBackend": config.pytorch.communication_backend,
            "processCount": config.pytorch.process_count,
        },
        "hdi": plain["hdi"],
        "containerInstance": {"region": None, "cpuCores": 2.0, "memoryGb": 3.5},
        "exposedPorts": None,
        "docker": plain["docker"],
        "cmk8sCompute": {"configuration": {}},
        "commandReturnCodeConfig": {"returnCode": "Zero", "successfulReturnCodes": []},
        "environmentVariables": dict(variables),
        "applicationEndpoints": plain["applicationEndpoints"],
    }


def _environment(environment: Environment) -> dict[str, Any]:
    """The environment, without secrets; one that is not registered shows the version that the service gave such."""
    shown = environment._definition()
    version = environment.version
    if version is None:
        text = json.dumps(shown, sort_keys=True, default=str)
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        version = f"Autosave_{stamp}_{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return {"name": environment.name, "version": version, **{k: v for k, v in shown.items() if k != "name"}}


def _reference(one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "dataStoreName": one.get("datastore"),
        "mode": str(one.get("mode", "mount")).capitalize(),
        "pathOnDataStore": one.get("path"),
        "pathOnCompute": one.get("path_on_compute"),
        "overwrite": bool(one.get("overwrite", False)),
    }


def _input(one: Mapping[str, Any]) -> dict[str, Any]:
    dataset = one.get("dataset") or {}
    return {
        "dataLocation": {
            "dataset": {"id": dataset.get("id"), "name": dataset.get("name"), "version": dataset.get("version")},
            "dataPath": None,
            "uri": None,
        },
        "mechanism": str(one.get("mode", "direct")).capitalize(),
        "environmentVariableName": one.get("name"),
        "pathOnCompute": one.get("path_on_compute"),
        "overwrite": False,
        "options": None,
    }
