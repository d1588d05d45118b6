"""A run as v1 described it: status, properties, details with the run definition, lists of runs, the log of a sweep."""

from __future__ import annotations

import json
import logging
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from azureml._annotations import annotations_of

module_logger = logging.getLogger(__name__)

STATUSES = {
    "created": "NotStarted",
    "queued": "Queued",
    "preparing": "Preparing",
    "running": "Running",
    "finishing": "Finalizing",
    "stopping": "CancelRequested",
    "completed": "Completed",
    "failed": "Failed",
    "canceled": "Canceled",
    "lost": "NotResponding",
}
TERMINAL_STATUSES = ("Completed", "Failed", "Canceled")

# A run submitted by another run is a run of its own in Sublight; this tag, which only the facade sees, ties the two.
PARENT_TAG = "azureml.parent"

_INPUT_TYPES = {"tabular": "TabularDataset", "file": "FileDataset"}


def v1_status(view: Any) -> str:
    """The status of a run in the words of v1."""
    if view.status in ("stopping", "canceled") and _failed_from_outside(view) is not None:
        return "Failed"
    return STATUSES.get(view.status, str(view.status))


def v1_tags(run: Any) -> dict[str, str]:
    """The tags of a run, without those that the facade keeps for itself and with those that the service kept."""
    tags = {key: value for key, value in run._view().tags.items() if key != PARENT_TAG}
    return {**tags, **run._system_tags()}


def v1_properties(run: Any) -> dict[str, str]:
    """The properties of a run, with those that the service set by itself."""
    from azureml.core.run import is_hidden_property

    view = run._view()
    properties = {key: value for key, value in view.properties.items() if not is_hidden_property(key)}
    if view.kind in ("script", "trial"):
        properties.setdefault("_azureml.ComputeTargetType", "local" if view.target == "local" else "amlcompute")
        properties.setdefault("ProcessInfoFile", "azureml-logs/process_info.json")
        properties.setdefault("ProcessStatusFile", "azureml-logs/process_status.json")
    if view.snapshot_id:
        properties.setdefault("ContentSnapshotId", view.snapshot_id)
    return {**properties, **run._system_properties()}


def details_of(run: Any, *, with_logs: bool = False) -> dict[str, Any]:
    """The dict of ``Run.get_details``; the values of ``logFiles`` are addresses, or the texts of the logs."""
    from azureml._run_files import log_names, log_text

    view = run._view()
    annotations = annotations_of(view)
    details: dict[str, Any] = {"runId": view.id, "target": view.target, "status": v1_status(view)}
    if view.started is not None:
        details["startTimeUtc"] = _utc(view.started)
    if view.ended is not None:
        details["endTimeUtc"] = _utc(view.ended)
    details["services"] = {}
    if details["status"] == "Failed":
        details["error"] = _error_of(view)
    notes = annotations.get("notes", [])
    if notes:
        details["warnings"] = [{"source": None, "message": note} for note in notes]
    details["properties"] = v1_properties(run)
    details["inputDatasets"] = [_input_of(one) for one in annotations.get("inputs", [])]
    details["outputDatasets"] = [_output_of(one) for one in annotations.get("outputs", [])]
    if view.kind in ("script", "trial"):
        details["runDefinition"] = run_definition_of(view)
    names = log_names(run)
    page = f"{run.experiment.workspace._sdk.url}/runs/{view.id}"
    details["logFiles"] = {
        shown: log_text(run, shown) if with_logs else f"{page}/log?path={quote(stored)}" if stored else page
        for shown, stored in names.items()
    }
    details["submittedBy"] = view.created_by
    return details


def run_definition_of(view: Any) -> dict[str, Any]:
    """The run definition as it was submitted, with the arguments that the script really got."""
    definition = dict(annotations_of(view).get("run_definition", {}))
    script = view.script
    if script is not None:
        definition.setdefault("script", script.script)
        definition.setdefault("command", script.command or "")
        definition.setdefault("environmentVariables", dict(script.environment_variables))
    definition.setdefault("useAbsolutePath", False)
    definition.setdefault("framework", "Python")
    definition.setdefault("communicator", "None")
    definition.setdefault("dataReferences", {})
    definition.setdefault("data", {})
    definition.setdefault("outputData", {})
    definition.setdefault("nodeCount", 1)
    definition["target"] = view.target
    definition["arguments"] = list(view.arguments or (script.arguments if script is not None else []))
    return definition


def environment_of(run: Any) -> Any:
    """The ``Environment`` of a run, as it was submitted."""
    from azureml.core.environment import Environment

    section = run_definition_of(run._view()).get("environment") or {}
    name = section.get("name") or "current"
    make = getattr(Environment, "_deserialize_and_add_to_object", None)
    environment = make(section) if make is not None and section else Environment(name)
    environment.name = name
    return environment


def number_of(run: Any) -> int:
    """The place of a run among those of its experiment, in the order they were made."""
    view = run._view()
    runs = run.experiment.workspace._sdk.runs(experiment=view.experiment, parent_id=view.parent_id, limit=None)
    return sum(1 for other in runs if (other.view.created, other.id) <= (view.created, view.id))


def list_runs(
    workspace: Any,
    *,
    experiment: Any = None,
    target: str | None = None,
    type: str | None = None,
    tags: Any = None,
    properties: Any = None,
    status: str | None = None,
    include_children: bool = False,
) -> Iterator[Any]:
    """Runs that pass all filters, newest first; read page by page, as far as the caller looks."""
    from azureml.core.run import _v1_errors, _wrap
    from sublight.sdk.runs import iter_runs

    name = None if experiment is None else experiment.name
    with _v1_errors():
        for sdk_run in iter_runs(
            workspace._sdk.client, experiment=name, target=target, include_children=include_children or None
        ):
            run = _wrap(workspace, sdk_run, experiment=experiment)
            is_child = PARENT_TAG in sdk_run.view.tags
            if (include_children or not is_child) and matches(
                run, tags=tags, properties=properties, type=type, status=status
            ):
                yield run


def end_from_outside(run: Any, how: str, message: str = "") -> None:
    """``complete()`` or ``fail()`` on a run that this program did not begin.

    A run of another program's own is ended; that of a script is ended well by the script, and a failure stops it.
    """
    from azureml.core.run import FAILED_PROPERTY, _v1_errors

    view = run._view()
    if v1_status(view) in TERMINAL_STATUSES:
        module_logger.info("run %s has ended already; %s() changes nothing", run.id, how)
    elif view.kind == "interactive":
        with _v1_errors():
            _end_interactive(run, "completed" if how == "complete" else "failed", message)
    elif how == "fail":
        with _v1_errors():
            run._sdk_run.update(properties={FAILED_PROPERTY: message or "another program said that it failed"})
        run.cancel()
    else:
        module_logger.warning(
            "run %s is completed by its script when that ends, so that complete() changes nothing here", run.id
        )


def child_from_outside(parent: Any, name: str | None, run_id: str | None) -> Any:
    """Reports of a new run of this program below ``parent``, whoever began that."""
    view = parent._view()
    # What stands below a sweep are its trials; a run that was begun by hand is tied to it as a submitted child is.
    place = {"tags": {PARENT_TAG: parent.id}} if view.kind == "sweep" else {"parent_id": parent.id}
    return parent.experiment._sdk.start_run(name, run_id=run_id or f"{uuid.uuid4()}", **place)


def _end_interactive(run: Any, status: str, message: str) -> None:
    run._sdk_run.end(status, message)


def _failed_from_outside(view: Any) -> str | None:
    from azureml.core.run import FAILED_PROPERTY

    reason: str | None = view.properties.get(FAILED_PROPERTY)
    return reason


def matches(
    run: Any, *, tags: Any = None, properties: Any = None, type: str | None = None, status: str | None = None
) -> bool:
    """Whether a run passes the filters of v1: all that are given must hold."""
    if type is not None and run.type != type:
        return False
    if status is not None and v1_status(run._sdk_run.view) != status:
        return False
    return _has(run.get_tags, tags) and _has(run.get_properties, properties)


def submit_child(run: Any, config: Any, tags: dict[str, str] | None = None, **kwargs: Any) -> Any:
    """Submit ``config`` as a run below ``run``."""
    return run.experiment.submit(config, tags={**(tags or {}), PARENT_TAG: run.id}, **kwargs)


def submitted_children(run: Any) -> list[Any]:
    """The Sublight runs that were submitted below ``run``."""
    found: list[Any] = run.experiment.workspace._sdk.runs(tag=f"{PARENT_TAG}={run.id}", limit=None)
    return found


def experiment_inside(name: str) -> Any:
    """The experiment of the run around this script, in the workspace that it was submitted to."""
    from azureml.core.experiment import Experiment
    from azureml.core.workspace import Workspace
    from azureml.exceptions import UserErrorException

    if not (os.environ.get("SUBLIGHT_URL") and os.environ.get("SUBLIGHT_TOKEN")):
        raise UserErrorException(
            "this run was submitted without access to its workspace, so that run.experiment cannot be asked; submit it "
            "through azureml, or with Script(..., needs_workspace_access=True)"
        )
    workspace = Workspace(
        os.environ.get("AZUREML_ARM_SUBSCRIPTION", ""),
        os.environ.get("AZUREML_ARM_RESOURCEGROUP", ""),
        os.environ.get("AZUREML_ARM_WORKSPACE_NAME", ""),
        _disable_service_check=True,
    )
    return Experiment(workspace, name, _skip_name_validation=True, _create_in_cloud=False)


def hyperdrive_log(sdk_run: Any) -> str:
    """The text of ``azureml-logs/hyperdrive.txt``: what was decided about a sweep and its runs, a record for each."""
    records = [(event.time, _component(event.kind), _level(event.kind), event.reason) for event in sdk_run.events()]
    for trial in sdk_run.trials():
        view = trial.view
        parameters = json.dumps(dict(view.parameters))
        records.append((view.created, "GENERATOR", "INFO", f"sampled {parameters} for run {view.id}"))
        if view.started is not None:
            records.append((view.started, "SCHEDULER", "INFO", f"run {view.id} is running"))
        if view.ended is not None:
            level = "ERROR" if view.status == "failed" else "INFO"
            records.append((view.ended, "SCHEDULER", level, f"run {view.id} is {view.status}: {view.reason}"))
    records.sort(key=lambda record: record[0])
    return "".join(f"<START>[{_stamp(at)}][{part}][{level}]{text}<END>\n" for at, part, level, text in records)


def _component(kind: str) -> str:
    """Which part of the original's service told such things."""
    return "API" if kind in ("submitted", "queued", "created") else "CONTROLLER"


def _level(kind: str) -> str:
    return "WARNING" if "warn" in kind or "silent" in kind else "INFO"


def _has(read: Any, wanted: Any) -> bool:
    """``wanted`` is a key, a list of keys, or a dict of values; None asks for nothing."""
    if wanted is None:
        return True
    there = read()
    if isinstance(wanted, str):
        return wanted in there
    if isinstance(wanted, dict):
        return all(there.get(key) == (value if value is None else str(value)) for key, value in wanted.items())
    return all(_has(lambda: there, one) for one in wanted)


def _error_of(view: Any) -> dict[str, Any]:
    told = _failed_from_outside(view)
    reason = view.reason if told is None else told
    return {
        "error": {
            "code": "UserError" if view.exit_code or told is not None else "ServiceError",
            "message": reason,
            "messageFormat": "{Message}",
            "messageParameters": {"Message": reason},
            "details": [],
        },
        "time": "0001-01-01T00:00:00.000Z" if view.ended is None else _utc(view.ended),
    }


def _input_of(one: dict[str, Any]) -> dict[str, Any]:
    dataset = one.get("dataset") or {}
    shown: dict[str, Any] = {
        "dataset": {"id": dataset.get("id"), "name": dataset.get("name"), "version": dataset.get("version")},
        "consumptionDetails": {
            "type": "RunInput",
            "inputName": one.get("name"),
            "mechanism": str(one.get("mode", "direct")).capitalize(),
        },
    }
    if dataset.get("type") in _INPUT_TYPES:
        shown["dataset"]["type"] = _INPUT_TYPES[dataset["type"]]
    if one.get("path_on_compute"):
        shown["consumptionDetails"]["pathOnCompute"] = one["path_on_compute"]
    return shown


def _output_of(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "identifier": {"savedId": None},
        "outputType": "RunOutput",
        "outputDetails": {"outputName": one.get("name")},
    }


def _utc(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _stamp(moment: float) -> str:
    return _utc(moment).rstrip("Z")


def as_json(error: Any) -> str:
    """A dict as people read it in a message."""
    return json.dumps(error, indent=4)
