"""From a v1 configuration to a Sublight submission.

A script run becomes ``python -m azureml._node SCRIPT ARGUMENTS``; what the node needs to know of it travels as
annotations. A command becomes ``python -m azureml._node --shell LINE``.
"""

from __future__ import annotations

import logging
import os
import re
import shlex
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from azureml._base_sdk_common.abstract_run_config_element import tell_once
from azureml._dry_run import stop_if_dry
from azureml._environment_choice import choose_environment
from azureml._refusal import refuse
from azureml.core.runconfig import Data, DataReferenceConfiguration, RunConfiguration
from azureml.core.script_run_config import ScriptRunConfig, check_arguments, get_run_config_from_script_run
from azureml.exceptions import (
    AuthenticationException,
    AzureMLException,
    ExperimentExecutionException,
    SnapshotException,
    TrainingException,
    UserErrorException,
)

if TYPE_CHECKING:
    from azureml.core.experiment import Experiment
    from azureml.core.run import Run
    from azureml.core.workspace import Workspace
    from sublight import Script

_logger = logging.getLogger("azureml.core.experiment")

LOCAL_TARGET = "local"
RUN_BASED_TARGET = "amlcompute"
# "off" here, or in a run's environment variables, leaves names that NumPy and kin have removed removed.
COMPAT_VARIABLE = "AZUREML_FACADE_COMPAT"
RESUME_NAME = "MODEL_LOCATION"

_NODE_MODULE = "azureml._node"
_ID_CHARACTERS_MAX = 56
_CLUSTER_NAME_MAX = 16
_OFF = ("0", "false", "no", "off")
_MPI = ("mpi", "openmpi", "intelmpi")
_PYTORCH = ("nccl", "gloo")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A submission that is ready to go: the script, where to, and what is told about it."""

    script: Script
    target: str
    run_definition: dict[str, Any]
    inputs: list[dict[str, Any]]
    tags: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def submit(experiment: Experiment, config: Any, tags: Mapping[str, Any] | None = None, **kwargs: Any) -> Run:
    """What ``Experiment.submit`` does: start a run of ``config`` and return it at once.

    Of ``kwargs``, ``display_name`` (and ``script_params``, ``inputs``, ``source_directory_data_store`` for an estimator)
    have an effect; the others were accepted by the original and are by this.
    """
    if hasattr(config, "_refuse_submit"):
        config._refuse_submit()
    if _is_sweep(config):
        from azureml.train.hyperdrive import _submission as sweeps

        return sweeps.submit(experiment, config, _texts(tags), **kwargs)

    from azureml.core.run import _wrap

    prepared = prepare(config, experiment.workspace, experiment.name, **_overrides(config, kwargs))
    for warning in prepared.warnings:
        tell_once(_logger, warning)
    with submission_errors():
        stop_if_dry(prepared.script, prepared.target, experiment.name)
        sdk_run = experiment._sdk.submit(
            prepared.script,
            on=prepared.target,
            name=kwargs.get("display_name"),
            tags={**prepared.tags, **_texts(tags)},
            properties={**prepared.properties, **_texts(kwargs.get("properties"))},
            run_id=kwargs.get("run_id") or new_run_id(experiment.name),
        )
    return _wrap(experiment.workspace, sdk_run)


def prepare(
    config: Any,
    workspace: Workspace,
    experiment_name: str,
    script_params: Mapping[str, Any] | None = None,
    *,
    concurrent_runs: int = 1,
    tuned: Sequence[str] = (),
    **overrides: Any,
) -> Prepared:
    """Check ``config`` (a ScriptRunConfig, an estimator, a RunConfiguration) and make the Sublight script of it.

    ``concurrent_runs`` is how many nodes a cluster needs that has to be made for this submission. ``tuned`` are the
    parameters of a sweep, which a command gets at its end (a script gets them as Sublight's trials do).
    Raises the exceptions of the original: UserErrorException, or TrainingException for an estimator.
    """
    from sublight import Script

    source_config, missing = _as_script_run_config(config, script_params, overrides)
    run_config = get_run_config_from_script_run(source_config)
    _check_framework(run_config)
    source = _existing_source(source_config.source_directory, missing)
    collected = _Collected(workspace)
    collected.add_sections(run_config)
    arguments = collected.texts(run_config.arguments)
    arguments += collected.resume(source_config.resume_from)
    line = _command_line(run_config.command, collected)
    chosen = choose_environment(run_config.environment, workspace)
    variables = _variables(run_config)
    target = resolve_target(run_config, workspace, concurrent_runs)
    script_path = None if line else _existing_script(run_config.script, source, missing)
    definition = run_definition_of(run_config, script_path, line, arguments, target, variables, collected)
    annotations = {
        "azureml": {
            "run_definition": definition,
            "inputs": collected.inputs,
            "outputs": collected.outputs,
            "references": collected.references,
            "compat": _is_compatible(variables),
            "workspace": {
                "subscription_id": workspace.subscription_id,
                "resource_group": workspace.resource_group,
                "name": workspace.name,
            },
            "process_count": _extent(run_config)[1],
            "notes": _notes(run_config, chosen.notes),
        }
    }
    what: dict[str, Any]
    if line:
        extra = "".join(f" {shlex.quote(argument)}" for argument in arguments)
        what = {"command": f"python -m {_NODE_MODULE} --shell {shlex.quote(line + extra)}{_placeholders(tuned)}"}
    else:
        what = {"script": script_path, "arguments": arguments, "interpreter_arguments": ["-m", _NODE_MODULE]}
    with submission_errors():
        script = Script(
            source=source_config.source_directory,
            environment=chosen.environment or "current",
            environment_variables=variables,
            max_run_seconds=run_config.max_run_duration_seconds or None,
            needs_workspace_access=True,
            annotations=annotations,
            **what,
        )
    return Prepared(
        script,
        target,
        definition,
        collected.inputs,
        properties=_git_properties(source),
        warnings=chosen.warnings,
    )


def new_run_id(experiment_name: str) -> str:
    """``<experiment>_<unix seconds>_<8 hex digits>``, with the experiment's name cut so that the id is not too long."""
    tail = f"_{int(time.time())}_{uuid.uuid4().hex[:8]}"
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", experiment_name).lstrip("_.-") or "run"
    return name[: _ID_CHARACTERS_MAX - len(tail)] + tail


def resolve_target(config: RunConfiguration, workspace: Workspace, concurrent_runs: int = 1) -> str:
    """The name of the Sublight target.

    ``amlcompute`` with a size means a cluster of its own, which is made (``vm-<size>``) when it is not there yet. A name
    that there is no target of raises ExperimentExecutionException, as submitting did.
    """
    name = config.target
    if name.lower() == LOCAL_TARGET:
        return LOCAL_TARGET
    if name.lower() == RUN_BASED_TARGET:
        return _run_based_cluster(config, workspace, concurrent_runs)
    with submission_errors():
        return str(workspace._sdk.clusters.get(name).name)


@contextmanager
def submission_errors() -> Iterator[None]:
    """Inside, errors of Sublight become what submitting raised in the original."""
    from sublight.sdk.errors import InvalidInput, NotAuthenticated, SublightError, TooLarge

    try:
        yield
    except TooLarge as error:
        raise SnapshotException(str(error), inner_exception=error) from None
    except InvalidInput as error:
        raise UserErrorException(str(error), inner_exception=error) from None
    except NotAuthenticated as error:
        raise AuthenticationException(str(error), inner_exception=error) from None
    except SublightError as error:
        raise ExperimentExecutionException(str(error), inner_exception=error) from None


class _Collected:
    """The data that a configuration speaks of, in its sections and among its arguments, by name."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.inputs: list[dict[str, Any]] = []
        self.outputs: list[dict[str, Any]] = []
        self.references: list[dict[str, Any]] = []

    def add_sections(self, config: RunConfiguration) -> None:
        """What stands in ``data``, ``data_references`` and ``output_data``."""
        for name, value in (config.data or {}).items():
            _add(self.inputs, {**self._input_of(value), "name": str(name)}, "input")
        for name, value in (config.data_references or {}).items():
            _add(self.references, {**_reference_of(value), "name": str(name)}, "data reference")
        for name, value in (config.output_data or {}).items():
            if not hasattr(value, "_to_output"):
                refuse("RunConfiguration.output_data", "outputs are given as OutputFileDatasetConfig objects")
            _add(self.outputs, {**value._to_output(), "name": str(name)}, "output")

    def texts(self, arguments: Any) -> list[str]:
        """Each argument as the text that stands for it on the command line; a plain text is one argument."""
        check_arguments(arguments)
        if arguments is None:
            return []
        items = arguments if isinstance(arguments, (list, tuple)) else [arguments]
        return [self.text(item) for item in items]

    def text(self, argument: Any) -> str:
        """The text of one argument; data become placeholders, which the node replaces by paths."""
        if isinstance(argument, type):
            return str(argument)
        if hasattr(argument, "_to_input"):
            given = argument._to_input(self._workspace)
            _add(self.inputs, given, "input")
            return f"DatasetConsumptionConfig:{given['name']}"
        if hasattr(argument, "_to_output"):
            given = argument._to_output()
            _add(self.outputs, given, "output")
            return f"DatasetOutputConfig:{given['name']}"
        if hasattr(argument, "_to_reference"):
            given = argument._to_reference()
            _add(self.references, given, "data reference")
            return f"$AZUREML_DATAREFERENCE_{given['name']}"
        return str(argument)

    def resume(self, datapath: Any) -> list[str]:
        """The arguments for ``resume_from``: an earlier run's files, mounted under a fixed name."""
        if datapath is None:
            return []
        reference = datapath.create_data_reference(RESUME_NAME)
        return ["--resume-from", self.text(reference)]

    def _input_of(self, value: Any) -> dict[str, Any]:
        """An input that stands in ``data``; one that is not registered yet is stored, so that the node finds it."""
        if hasattr(value, "_to_input"):
            return dict(value._to_input(self._workspace))
        data = Data.create(value)
        dataset = None if data.data_location is None else data.data_location.dataset
        if dataset is None:
            refuse("RunConfiguration.data", "inputs are datasets; give a DatasetConsumptionConfig")
        return {
            "mode": data.mechanism,
            "dataset": {
                "id": dataset.dataset_id,
                "name": dataset.dataset_name,
                "version": dataset.dataset_version,
                "type": None,
            },
            "path_on_compute": data.path_on_compute,
        }


def _add(known: list[dict[str, Any]], new: dict[str, Any], what: str) -> None:
    """Note ``new`` unless it is there; another thing of the same name is an error."""
    for other in known:
        if other["name"] == new["name"]:
            if other != new:
                raise UserErrorException(f"two different things are given as the {what} {new['name']!r}; rename one")
            return
    known.append(new)


def _reference_of(value: Any) -> dict[str, Any]:
    if hasattr(value, "_to_reference"):
        return dict(value._to_reference())
    if not isinstance(value, DataReferenceConfiguration):
        raise UserErrorException(f"data_references holds DataReferenceConfiguration objects, got {value!r}")
    return {
        "datastore": value.datastore_name,
        "path": value.path_on_datastore,
        "mode": value.mode,
        "path_on_compute": value.path_on_compute,
        "overwrite": value.overwrite,
    }


def _is_sweep(config: Any) -> bool:
    """By name, because asking by class would load the sweeps for every script."""
    return any(kind.__name__ == "HyperDriveConfig" for kind in type(config).__mro__)


def _overrides(config: Any, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    from azureml.train.estimator._mml_base_estimator import OVERRIDABLE, MMLBaseEstimator

    if not isinstance(config, MMLBaseEstimator):
        return {}
    return {name: kwargs[name] for name in OVERRIDABLE if name in kwargs}


def _as_script_run_config(
    config: Any, script_params: Mapping[str, Any] | None, overrides: Mapping[str, Any]
) -> tuple[ScriptRunConfig, type[AzureMLException]]:
    """The configuration as a ScriptRunConfig, and what is raised when its script is missing."""
    from azureml.train.estimator._mml_base_estimator import MMLBaseEstimator

    if isinstance(config, MMLBaseEstimator):
        return config._to_script_run_config(script_params=script_params, **overrides), TrainingException
    if isinstance(config, ScriptRunConfig):
        return config, UserErrorException
    if isinstance(config, RunConfiguration):
        return ScriptRunConfig(config._path or ".", run_config=config), UserErrorException
    raise UserErrorException(
        f"a ScriptRunConfig, an estimator, a RunConfiguration or a HyperDriveConfig can be submitted, got {config!r}"
    )


def _check_framework(config: RunConfiguration) -> None:
    """Refuse what a run cannot be here: Spark, a notebook, several nodes."""
    if config.framework.lower() == "pyspark":
        refuse("RunConfiguration(framework='PySpark')", "there is no Spark")
    if str(config.script or "").lower().endswith(".ipynb"):
        refuse("ScriptRunConfig", "notebooks are not run as scripts; convert it with `jupyter nbconvert --to script`")
    nodes, processes = _extent(config)
    if nodes > 1:
        refuse(
            "Experiment.submit",
            f"several nodes for one run are not supported yet, and {nodes} are asked for; several processes on one node are",
        )
    if processes > 1 and config.communicator.lower() == "paralleltask":
        refuse("ParallelTaskConfiguration", f"work in tasks runs in one process, and {processes} workers are asked for")


def _extent(config: RunConfiguration) -> tuple[int, int]:
    """How many nodes, and processes on a node, a run asks for."""
    nodes = config.node_count or 1
    communicator = config.communicator.lower()
    if communicator in _MPI:
        return max(nodes, config.mpi.node_count or 1), config.mpi.process_count_per_node or 1
    if communicator in _PYTORCH:
        return max(nodes, config.pytorch.node_count or 1), config.pytorch.process_count or 1
    if communicator == "parameterserver":
        # One worker holds its variables itself, whatever number of servers is asked for.
        return max(nodes, config.tensorflow.worker_count or 1), 1
    if communicator == "paralleltask":
        return nodes, config.paralleltask.worker_count_per_node or 1
    return nodes, 1


def _existing_source(source: str | Path, missing: type[AzureMLException]) -> Path:
    path = Path(source).expanduser().resolve()
    if not path.is_dir():
        raise missing(f"the source_directory must be a folder, and there is none at {source} ({path})")
    return path


def _existing_script(script: Any, source: Path, missing: type[AzureMLException]) -> str:
    """The script's path inside the source folder, with forward slashes; an absolute one may lie in it, too."""
    if not script:
        raise missing("the script to run must be named; give script= (entry_script= for an estimator)")
    for path in (Path(script), Path(PureWindowsPath(str(script)).as_posix())):
        absolute = (source / path).resolve()
        if absolute.is_file() and absolute.is_relative_to(source):
            return str(PurePosixPath(absolute.relative_to(source).as_posix()))
    if (source / Path(script)).resolve().is_file():
        raise missing(f"the script {script} must lie in the source_directory {source}, which is what a run gets")
    there = ", ".join(sorted(file.name for file in source.glob("*.py"))[:8]) or "no Python file"
    raise missing(f"there is no script {script} in the source_directory {source}, which holds {there}")


def _command_line(command: Any, collected: _Collected) -> str:
    """The shell line of a command: a list is joined by spaces, as it stands."""
    if not command:
        return ""
    if isinstance(command, (list, tuple)):
        return " ".join(collected.texts(command)).strip()
    return collected.text(command).strip()


def _placeholders(tuned: Sequence[str]) -> str:
    """`` --name value`` for each tuned parameter, as more of the same shell word: the values are filled in by Sublight."""
    options = (name if name.startswith("-") else f"--{name}" for name in tuned)
    return "".join(f"' {option} '${{{{search_space.{name}}}}}" for option, name in zip(options, tuned, strict=True))


def _notes(config: RunConfiguration, environment_notes: Sequence[str]) -> list[str]:
    """What the run's log says first: which Python it is, and what of the configuration had no effect."""
    notes = list(environment_notes)
    communicator = config.communicator.lower()
    processes = _extent(config)[1]
    if processes > 1:
        variable = "OMPI_COMM_WORLD_RANK" if communicator in _MPI else "RANK"
        notes.append(
            f"The run is {processes} processes on one node; each finds its number in {variable}, and what all but "
            "the first print begins with it, as in [rank 1]."
        )
    if processes > 1 and communicator in _MPI:
        notes.append("MPI itself is not started: for mpi4py and Horovod each of the processes is alone.")
    if processes == 1 and communicator != "none":
        notes.append(f"The run is one process on one node, so {config.communicator} is not started.")
    return notes


def _variables(config: RunConfiguration) -> dict[str, str]:
    """The variables of the environment, and over them those of the run."""
    variables = {**(config.environment.environment_variables or {}), **(config.environment_variables or {})}
    return {str(name): str(value) for name, value in variables.items()}


def _is_compatible(variables: Mapping[str, str]) -> bool:
    setting = variables.get(COMPAT_VARIABLE, os.environ.get(COMPAT_VARIABLE, "1"))
    return setting.strip().lower() not in _OFF


def _git_properties(source: Path) -> dict[str, str]:
    from azureml._git import git_properties

    return git_properties(source)


def run_definition_of(
    config: RunConfiguration,
    script: str | None,
    line: str,
    arguments: Sequence[str],
    target: str,
    variables: Mapping[str, str],
    collected: _Collected,
) -> dict[str, Any]:
    """The run definition of a submission."""
    from azureml._run_definition import run_definition

    return run_definition(
        config,
        script=script,
        command=line,
        arguments=arguments,
        target=target,
        variables=variables,
        inputs=collected.inputs,
        outputs=collected.outputs,
        references=collected.references,
    )


def _run_based_cluster(config: RunConfiguration, workspace: Workspace, concurrent_runs: int) -> str:
    """The cluster for a size alone; it stays, so that the next run finds it."""
    from azureml.core.compute import AmlCompute, ComputeTarget
    from sublight.sdk.errors import NotFound

    size = config.amlcompute.vm_size
    if not size:
        raise UserErrorException(f"the compute target {RUN_BASED_TARGET!r} needs run_config.amlcompute.vm_size")
    bare = re.sub(r"^standard_", "", size.strip().lower())
    name = re.sub(r"[^a-z0-9]+", "-", f"vm-{bare}")[:_CLUSTER_NAME_MAX].strip("-")
    try:
        return str(workspace._sdk.clusters.get(name).name)
    except NotFound:
        pass
    nodes = config.amlcompute._cluster_max_node_count or (config.node_count or 1) * max(1, concurrent_runs)
    _logger.warning(
        "no compute target is named, only the size %s: the cluster %s with up to %d nodes is made for it",
        size,
        name,
        nodes,
    )
    ComputeTarget.create(workspace, name, AmlCompute.provisioning_configuration(vm_size=size, max_nodes=nodes))
    return name


def _texts(pairs: Mapping[str, Any] | None) -> dict[str, str]:
    return {str(name): "" if value is None else str(value) for name, value in (pairs or {}).items()}
