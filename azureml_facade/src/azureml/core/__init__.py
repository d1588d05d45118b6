"""The public names of ``azureml.core``. Nothing is loaded until a name is used: ``from azureml.core import Run`` is cheap.

A name belongs to the module that ``_HOMES`` says. Submodules are attributes too (``azureml.core.compute`` after
``import azureml.core``), because the original loaded all of them and scripts rely on that.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # ``typing`` would cost every training script a third of what importing Run may take
if TYPE_CHECKING:
    from typing import Any

# The version of the SDK whose names and behaviour these modules speak; scripts print it and pin packages to it.
VERSION = "1.61.0.post4"
__version__ = VERSION

_HOMES = {
    "ComputeTarget": "azureml.core.compute.compute",
    "ContainerRegistry": "azureml.core.container_registry",
    "Dataset": "azureml.core.dataset",
    "Datastore": "azureml.core.datastore",
    "Environment": "azureml.core.environment",
    "Experiment": "azureml.core.experiment",
    "Image": "azureml.core.image",
    "Keyvault": "azureml.core.keyvault",
    "LinkedService": "azureml.core.linked_service",
    "Model": "azureml.core.model",
    "PrivateEndPoint": "azureml.core.private_endpoint",
    "PrivateEndPointConfig": "azureml.core.private_endpoint",
    "Run": "azureml.core.run",
    "RunConfiguration": "azureml.core.runconfig",
    "ScriptRun": "azureml.core.script_run",
    "ScriptRunConfig": "azureml.core.script_run_config",
    "SynapseWorkspaceLinkedServiceConfiguration": "azureml.core.linked_service",
    "Webservice": "azureml.core.webservice",
    "Workspace": "azureml.core.workspace",
    "attach_legacy_compute_target": "azureml.core.compute_target",
    "diagnostic_log": "azureml.core.diagnostics",
    "get_run": "azureml.core.run",
    "is_compute_target_prepared": "azureml.core.compute_target",
    "prepare_compute_target": "azureml.core.compute_target",
    "remove_legacy_compute_target": "azureml.core.compute_target",
}

__all__ = ["VERSION", *_HOMES]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is not None:
        value = getattr(_module(home), name)
        globals()[name] = value
        return value
    if not name.startswith("__"):
        submodule = f"{__name__}.{name}"
        try:
            return _module(submodule)
        except ModuleNotFoundError as error:
            if error.name != submodule:
                raise
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _module(name: str) -> Any:
    __import__(name)
    return sys.modules[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
