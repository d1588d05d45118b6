"""``Run.register_model``: files of a run become the next version of a model."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-._]{0,254}")


def register_model(
    run: Any,
    model_name: str,
    model_path: str | None,
    *,
    tags: dict[str, str] | None,
    properties: dict[str, str] | None,
    model_framework: str | None,
    model_framework_version: str | None,
    description: str | None,
    datasets: Any,
    sample_input_dataset: Any,
    sample_output_dataset: Any,
    resource_configuration: Any,
) -> Any:
    """The ``Model`` that was registered. ``model_path`` names a file or folder among the run's artifacts.

    WebserviceException for an impossible name, ModelPathNotFoundException when the run has no such file.
    """
    from azureml._run_files import _normalized
    from azureml.core.model import Model
    from azureml.exceptions import WebserviceException

    if not isinstance(model_name, str) or not _NAME.fullmatch(model_name):
        raise WebserviceException(
            f"the name of a model has at most 255 letters, digits, '-', '.' and '_' and begins with a letter or digit, "
            f"got {model_name!r}"
        )
    workspace = run.experiment.workspace
    path = _normalized(model_path or model_name)
    definition: dict[str, Any] = {
        "framework": model_framework,
        "framework_version": model_framework_version,
        "datasets": [_dataset_of(one) for one in datasets or []],
        "sample_input_dataset": getattr(sample_input_dataset, "id", None),
        "sample_output_dataset": getattr(sample_output_dataset, "id", None),
        "resource_configuration": _resources_of(resource_configuration),
    }
    asset = workspace._sdk.assets.register(
        "model",
        model_name,
        **_content(run, path),
        description=description or "",
        tags=_texts(tags),
        properties=_texts(properties),
        definition={key: value for key, value in definition.items() if value not in (None, [], {})},
        run_id=run.id,
    )
    return Model._of_asset(workspace, asset)


def _content(run: Any, path: str) -> dict[str, Any]:
    """Where the model's files are.

    What the run was given as artifacts counts: what this script has uploaded a moment ago and may be on its way, then
    what is stored. Only a run without such a file gets it from this program's disk.
    """
    from azureml._run_files import ended_by_waiting
    from azureml.exceptions import ModelPathNotFoundException

    name = path.rsplit("/", 1)[-1]
    work = _file_at_work(run, path)
    staged = Path(run._staged_files() or os.devnull) / path
    if staged.is_file() or (staged.is_dir() and work is None):
        return {"files": {name: staged}}
    if work is None or not _is_script(run):
        run._view()  # waits for what this program has just reported
        names = _left_by(run)
        if work is None and not _is_among(path, names) and ended_by_waiting(run, path):
            names = _left_by(run)
        if _is_among(path, names):
            return {"from_run": (run.id, path)}
        if work is None:
            there = ", ".join(names[:12]) or "none"
            raise ModelPathNotFoundException(
                f"run {run.id} has no file or folder {path!r} to make a model of; its files are {there}"
            )
    if work.is_dir():
        run.upload_folder(path, str(work))
    else:
        run.upload_file(path, str(work))
    return {"files": {name: work}}


def _left_by(run: Any) -> list[str]:
    return [artifact.path for artifact in run._sdk_run.artifacts()]


def _is_among(path: str, names: list[str]) -> bool:
    return any(name == path or name.startswith(path + "/") for name in names)


def _file_at_work(run: Any, path: str) -> Path | None:
    """The file or folder below ``outputs`` of this program's own run, which becomes an artifact when the run ends."""
    place = None
    if _is_script(run):
        if path.split("/")[0] in ("outputs", "logs"):
            place = Path(os.environ["SUBLIGHT_RUN_DIRECTORY"]) / "work" / path
    elif run._reports is not None and path.split("/")[0] == "outputs":
        place = Path.cwd() / path
    return place if place is not None and place.exists() else None


def _is_script(run: Any) -> bool:
    from azureml.core.run import _SubmittedRun

    return isinstance(run, _SubmittedRun) and "SUBLIGHT_RUN_DIRECTORY" in os.environ


def _dataset_of(one: Any) -> list[Any]:
    """``datasets`` holds pairs of a scenario and a dataset."""
    scenario, dataset = one
    return [str(getattr(scenario, "value", scenario)), getattr(dataset, "id", None)]


def _resources_of(configuration: Any) -> dict[str, Any] | None:
    if configuration is None:
        return None
    return {name: getattr(configuration, name, None) for name in ("cpu", "memory_in_gb", "gpu")}


def _texts(pairs: dict[str, Any] | None) -> dict[str, str]:
    return {str(key): str(value) for key, value in (pairs or {}).items()}
