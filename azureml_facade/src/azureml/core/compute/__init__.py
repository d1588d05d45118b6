"""Compute targets: clusters of the workspace as ``AmlCompute``, and the names of what only Azure has."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "AdlaCompute": "azureml.core.compute.adla",
    "AksCompute": "azureml.core.compute.aks",
    "AmlCompute": "azureml.core.compute.amlcompute",
    "BatchCompute": "azureml.core.compute.batch",
    "ComputeInstance": "azureml.core.compute.computeinstance",
    "ComputeTarget": "azureml.core.compute.compute",
    "DataFactoryCompute": "azureml.core.compute.datafactory",
    "DatabricksCompute": "azureml.core.compute.databricks",
    "DsvmCompute": "azureml.core.compute.dsvm",
    "HDInsightCompute": "azureml.core.compute.hdinsight",
    "KubernetesCompute": "azureml.core.compute.kubernetescompute",
    "KustoCompute": "azureml.core.compute.kusto",
    "RemoteCompute": "azureml.core.compute.remote",
    "SynapseCompute": "azureml.core.compute.synapse",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is not None:
        value = getattr(importlib.import_module(home), name)
        globals()[name] = value
        return value
    if not name.startswith("__"):
        submodule = f"{__name__}.{name}"
        try:
            return importlib.import_module(submodule)
        except ModuleNotFoundError as error:
            if error.name != submodule:
                raise
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
