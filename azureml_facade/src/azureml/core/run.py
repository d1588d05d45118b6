"""``Run``: what a training script reports to, and what a notebook asks about a run.

``Run.get_context()`` gives one of three things: inside a run the run itself (reports go into its journal, without a
network), outside the offline run of the original (reports are printed), and everything that was submitted or looked up
is a ``Run`` that asks the server.

Training scripts import this module under the Python that they bring: standard library only, readable from Python 3.8,
and whatever costs time to load is loaded in the method that needs it.
"""

from __future__ import annotations

import os

from azureml._offline_run import _OfflineRun
from azureml._run_reporting import METRIC_TYPE_PROPERTY, Reporting, error_text, user_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

_RUN_DIRECTORY = "SUBLIGHT_RUN_DIRECTORY"
_RUN_ID = "SUBLIGHT_RUN_ID"
_EXPERIMENT = "SUBLIGHT_EXPERIMENT"
_PARENT_RUN_ID = "SUBLIGHT_PARENT_RUN_ID"

SCRIPT_RUN_TYPE = "azureml.scriptrun"
SWEEP_RUN_TYPE = "hyperdrive"

# A property for each metric that another program reported on a run (see `azureml._outside_reports`).
REPORT_PROPERTY = "azureml.report."
# A property of a run that another program ended with ``fail()``: why.
FAILED_PROPERTY = "azureml.failed"

_CHILDREN_MAX = 100
# Where a script's uploads wait for its node, below the run's folder; those of its children in ``children/<id>`` there.
_UPLOADS = "uploads"

_factories: dict[str, Callable[..., Any]] = {}
_context: dict[str, Run] = {}


class Run(Reporting):
    """A run of an experiment.

    ``Run(experiment, run_id)`` looks at an existing one. The run around a script comes from ``Run.get_context()``.
    """

    RUN_TYPE: str | None = None

    def __init__(self, experiment: Any, run_id: str, outputs: Any = None, **kwargs: Any) -> None:
        self._experiment = experiment
        self._run_id = run_id
        self._outputs = outputs
        self._sdk_run_known: Any = kwargs.pop("_sdk_run", None)
        self._reports: Any = None
        # For a child that was listed after its end: its metrics and those of its siblings, read together.
        self._family: Any = None

    def __getstate__(self) -> dict[str, Any]:
        """For another process, which looks at the run from outside: its reports are this one's."""
        return {**self.__dict__, "_reports": None}

    # what it is -----------------------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The run's id."""
        return self._run_id

    @property
    def run_id(self) -> str:
        """The run's id; the older name."""
        return self._run_id

    @property
    def identity(self) -> str:
        """A name for logs."""
        return self._run_id

    @property
    def experiment(self) -> Any:
        """Its experiment."""
        return self._experiment

    @property
    def workspace(self) -> Any:
        """Its workspace."""
        return self.experiment.workspace

    @property
    def type(self) -> str | None:
        """``azureml.scriptrun``, ``hyperdrive``, or None for runs that a program made itself."""
        return _type_of_kind(self._sdk_run.kind)

    @property
    def status(self) -> str:
        """Where it is, in the words of v1."""
        return self.get_status()

    @property
    def number(self) -> int:
        """Its place in its experiment, from 1."""
        from azureml._run_details import number_of

        with _v1_errors():
            return number_of(self)

    @property
    def display_name(self) -> str:
        """What people call it."""
        return str(self._view().name)

    @display_name.setter
    def display_name(self, value: str) -> None:
        with _v1_errors():
            self._sdk_run.update(name=str(value))

    @property
    def name(self) -> str:
        """The older word for ``display_name``."""
        return self.display_name

    @property
    def description(self) -> str | None:
        """What people wrote about it."""
        return getattr(self._view(), "description", "") or None

    @description.setter
    def description(self, value: str) -> None:
        with _v1_errors():
            self._sdk_run.update(description=str(value))

    @property
    def tags(self) -> dict[str, str]:
        """Its tags."""
        return self.get_tags()

    @property
    def properties(self) -> dict[str, str]:
        """Its properties."""
        return self.get_properties()

    @property
    def parent(self) -> Run | None:
        """The run above it; None at the top."""
        parent_id = self._parent_id()
        return None if parent_id is None else _get(self.experiment.workspace, parent_id)

    @property
    def portal_url(self) -> str:
        """A link to its page."""
        return self.get_portal_url()

    @property
    def input_datasets(self) -> Any:
        """What it was given to read, by name; inside the run only."""
        raise user_error(
            "input_datasets are there inside a run, from Run.get_context(); get_details()['inputDatasets'] lists them"
        )

    @property
    def output_datasets(self) -> Any:
        """Where it is to write, by name; inside the run only."""
        raise user_error(
            "output_datasets are there inside a run, from Run.get_context(); get_details()['outputDatasets'] lists them"
        )

    def get_portal_url(self) -> str:
        """A link to its page in the portal."""
        return _address_of(self.experiment.workspace) + "/runs/" + self._run_id

    def get_status(self) -> str:
        """Where it is, asked anew: NotStarted, Queued, Preparing, Running, Finalizing, Completed, Failed, Canceled, …"""
        from azureml._run_details import v1_status

        return v1_status(self._view())

    def get_detailed_status(self) -> dict[str, Any]:
        """Its status, and the sentence behind it."""
        from azureml._run_details import v1_status

        view = self._view()
        return {"status": v1_status(view), "details": view.reason}

    def get_tags(self) -> dict[str, str]:
        """Its tags, asked anew."""
        from azureml._run_details import v1_tags

        with _v1_errors():
            return v1_tags(self)

    def get_properties(self) -> dict[str, str]:
        """Its properties, with those that the service used to add."""
        from azureml._run_details import v1_properties

        with _v1_errors():
            return v1_properties(self)

    def get_details(self) -> dict[str, Any]:
        """Status, times, properties, run definition and log files, under the keys that v1 used."""
        from azureml._run_details import details_of

        with _v1_errors():
            return details_of(self)

    def get_details_with_logs(self) -> dict[str, Any]:
        """The same with the text of each log instead of its address."""
        from azureml._run_details import details_of

        with _v1_errors():
            return details_of(self, with_logs=True)

    def get_metrics(
        self, name: str | None = None, recursive: bool = False, run_type: str | None = None, populate: bool = False
    ) -> dict[str, Any]:
        """Its metrics: a value for a name logged once, a list for one logged several times."""
        from azureml._run_metrics import metrics_of

        with _v1_errors():
            return metrics_of(self, name=name, recursive=recursive, run_type=run_type, populate=populate)

    def get_environment(self) -> Any:
        """The environment it was asked to run in."""
        from azureml._run_details import environment_of

        with _v1_errors():
            return environment_of(self)

    def get_snapshot_id(self) -> str:
        """The id of the copy of its source folder."""
        snapshot_id = self.get_properties().get("ContentSnapshotId")
        if not snapshot_id:
            raise user_error(f"run {self._run_id} has no snapshot of a source folder")
        return snapshot_id

    def restore_snapshot(self, snapshot_id: str | None = None, path: str | None = None) -> str:
        """Fetch the source folder as it was at submission; the path of the zip file is returned."""
        from azureml._run_files import restore_snapshot

        with _v1_errors():
            return restore_snapshot(self, snapshot_id or self.get_snapshot_id(), path)

    def take_snapshot(self, file_or_folder_path: str) -> str:
        """Store a copy of a file or folder; its id is returned."""
        from azureml._run_files import take_snapshot

        with _v1_errors():
            return take_snapshot(self, file_or_folder_path)

    def get_secret(self, name: str) -> str | None:
        """A secret of the workspace's key vault."""
        return self.get_secrets([name]).get(name)

    def get_secrets(self, secrets: list[str]) -> dict[str, str | None]:
        """Several secrets of the workspace's key vault."""
        found = self.experiment.workspace.get_default_keyvault().get_secrets(secrets)
        return dict(found)

    # the tree -------------------------------------------------------------------------------------------------------

    def child_run(self, name: str | None = None, run_id: str | None = None, outputs: Any = None) -> Run:
        """Start a run below this one."""
        return _child(self, name, run_id)

    def create_children(
        self, count: int | None = None, tag_key: str | None = None, tag_values: list[str] | None = None
    ) -> list[Run]:
        """Start several runs below this one: ``count`` of them, or one for each value of the tag ``tag_key``."""
        if count is None and (tag_key is None or tag_values is None):
            raise user_error("create_children needs a count, or both tag_key and tag_values")
        if count is not None and tag_values is not None:
            raise user_error("create_children takes a count or tag_values, not both")
        values = [None] * int(count or 0) if tag_values is None else list(tag_values)
        if len(values) > _CHILDREN_MAX:
            raise user_error(f"create_children makes at most {_CHILDREN_MAX} runs at once, got {len(values)}")
        children = []
        for value in values:
            child = self.child_run()
            if tag_key is not None and value is not None:
                child.tag(tag_key, value)
            children.append(child)
        return children

    def submit_child(self, config: Any, tags: dict[str, str] | None = None, **kwargs: Any) -> Run:
        """Submit a run, or a sweep, below this one."""
        from azureml._run_details import submit_child

        child: Run = submit_child(self, config, tags, **kwargs)
        return child

    def get_children(
        self,
        recursive: bool = False,
        tags: Any = None,
        properties: Any = None,
        type: str | None = None,
        status: str | None = None,
        _rehydrate_runs: bool = True,
        _with_submitted: bool = True,
    ) -> Iterator[Run]:
        """The runs below this one, newest first."""
        from azureml._run_details import matches, submitted_children
        from azureml._run_metrics import Family

        self._view()  # what this program has just reported counts
        with _v1_errors():
            trials = self._sdk_run.trials()
            found = trials + (submitted_children(self) if _with_submitted else [])
        family = Family(self._sdk_run, {one.id for one in trials if one.view.ended is not None})
        # Children that were begun within one report share its time; the server lists them in the order of their beginning.
        placed = sorted(enumerate(found), key=lambda pair: (pair[1].view.created, pair[0]), reverse=True)
        for _, sdk_run in placed:
            child = _wrap(self.experiment.workspace, sdk_run, experiment=self._experiment)
            child._family = family
            if matches(child, tags=tags, properties=properties, type=type, status=status):
                yield child
            if recursive:
                for below in child.get_children(True, tags, properties, type, status, _with_submitted=_with_submitted):
                    yield below

    # tags, ending ---------------------------------------------------------------------------------------------------

    def remove_tags(self, tags: Any) -> None:
        """Remove tags by name."""
        names = [tags] if isinstance(tags, str) else list(tags)
        with _v1_errors():
            self._sdk_run.tag(**dict.fromkeys(names))

    def start(self) -> None:
        """Mark it as running; a run is from its beginning."""

    def complete(self, _set_status: bool = True) -> None:
        """End it as completed."""
        self._end("complete", _set_status)

    def fail(self, error_details: Any = None, error_code: str | None = None, _set_status: bool = True) -> None:
        """End it as failed, with what went wrong."""
        self._end("fail", _set_status, error_text(error_details))

    def cancel(self) -> bool:
        """Ask it to end; False when it has ended already, which programs that tidy up need not know."""
        with _v1_errors(), _conflicts_told("cancel()") as trouble:
            if self._reports is not None and hasattr(self._reports, "cancel"):
                self._reports.cancel()
            else:
                self._sdk_run.cancel()
        return not trouble.came

    def flush(self, timeout_seconds: int = 300) -> None:
        """Return when all that was reported is kept."""
        if self._reports is not None and not getattr(self._reports, "has_ended", False):
            with _v1_errors():
                self._reports.flush()

    def clean(self) -> list[str]:
        """Remove what it left on the machine it ran on; nodes do that themselves, so that nothing is left to do."""
        return []

    def wait_for_completion(
        self, show_output: bool = False, wait_post_processing: bool = False, raise_on_error: bool = True
    ) -> dict[str, Any]:
        """Come back when it has ended, with ``get_details()``; its log is printed meanwhile when ``show_output``."""
        from azureml._run_waiting import wait_for_completion

        return wait_for_completion(self, show_output, wait_post_processing, raise_on_error)

    def __enter__(self) -> Run:
        return self

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if error is None:
            self.complete()
        else:
            self.fail(f"{type(error).__name__}: {error}")

    # files ----------------------------------------------------------------------------------------------------------

    def get_file_names(self) -> list[str]:
        """The names of its files and logs."""
        from azureml._run_files import file_names

        with _v1_errors():
            return file_names(self)

    def download_file(self, name: str, output_file_path: str | None = None, _validate_checksum: bool = False) -> None:
        """Fetch one file, to the base name in the working directory unless ``output_file_path`` says otherwise."""
        from azureml._run_files import download_file

        with _v1_errors():
            download_file(self, name, output_file_path)

    def download_files(
        self,
        prefix: str | None = None,
        output_directory: str | None = None,
        output_paths: list[str] | None = None,
        batch_size: int = 100,
        append_prefix: bool = True,
        timeout_seconds: int | None = None,
    ) -> None:
        """Fetch all files whose names begin with ``prefix``."""
        from azureml._run_files import download_files

        with _v1_errors():
            download_files(self, prefix, output_directory, output_paths, append_prefix)

    def get_all_logs(self, destination: str | None = None) -> list[str]:
        """Fetch all logs; their paths are returned."""
        from azureml._run_files import download_logs

        with _v1_errors():
            return download_logs(self, destination)

    def register_model(
        self,
        model_name: str,
        model_path: str | None = None,
        tags: dict[str, str] | None = None,
        properties: dict[str, str] | None = None,
        model_framework: str | None = None,
        model_framework_version: str | None = None,
        description: str | None = None,
        datasets: Any = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        resource_configuration: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Register a file or folder of this run as the next version of a model."""
        from azureml._run_models import register_model

        with _v1_errors():
            return register_model(
                self,
                model_name,
                model_path,
                tags=tags,
                properties=properties,
                model_framework=model_framework,
                model_framework_version=model_framework_version,
                description=description,
                datasets=datasets,
                sample_input_dataset=sample_input_dataset,
                sample_output_dataset=sample_output_dataset,
                resource_configuration=resource_configuration,
            )

    # finding runs ---------------------------------------------------------------------------------------------------

    @classmethod
    def get_context(cls, allow_offline: bool = True, used_for_context_manager: bool = False, **kwargs: Any) -> Run:
        """The run around this script; without one a run that prints, or RunEnvironmentException."""
        submitted = _submitted()
        if submitted is not None:
            return submitted
        if allow_offline:
            return _OfflineRun(**kwargs)  # type: ignore[return-value]  # as in the original it shares the methods only
        from azureml.exceptions import RunEnvironmentException

        raise RunEnvironmentException()

    @classmethod
    def get_submitted_run(cls, **kwargs: Any) -> Run:
        """The run around this script; the older name of ``get_context``."""
        return cls.get_context(**kwargs)

    @staticmethod
    def get(workspace: Any, run_id: str) -> Run:
        """The run of this id."""
        return _get(workspace, run_id)

    @staticmethod
    def list(
        experiment: Any,
        type: str | None = None,
        tags: Any = None,
        properties: Any = None,
        status: str | None = None,
        include_children: bool = False,
        _rehydrate_runs: bool = True,
    ) -> Iterator[Run]:
        """The runs of an experiment, newest first."""
        from azureml._run_details import list_runs

        return list_runs(
            experiment.workspace,
            experiment=experiment,
            type=type,
            tags=tags,
            properties=properties,
            status=status,
            include_children=include_children,
        )

    @staticmethod
    def list_by_compute(
        compute: Any, type: str | None = None, tags: Any = None, properties: Any = None, status: str | None = None
    ) -> Iterator[Run]:
        """The runs of a compute target, newest first."""
        from azureml._run_details import list_runs

        return list_runs(
            compute.workspace,
            target=compute.name,
            type=type,
            tags=tags,
            properties=properties,
            status=status,
            include_children=True,
        )

    @staticmethod
    def add_type_provider(runtype: str, run_factory: Callable[..., Any]) -> None:
        """Let ``run_factory(experiment, run_dto)`` make the objects of runs of this type."""
        _factories[runtype] = run_factory

    @classmethod
    def get_docs_url(cls) -> str:
        """Where this class is described."""
        return "https://learn.microsoft.com/python/api/azureml-core/azureml.core.run.run"

    # how it shows ---------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        facts = [f"{name}: {value}" for name, value in self._shown().items()]
        return f"{self._shown_class()}({','.join(facts[:1])},\n" + ",\n".join(facts[1:]) + ")"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        from html import escape

        facts = {**self._shown(), "Details Page": self.get_portal_url()}
        heads = "".join(f"<th>{escape(name)}</th>" for name in facts)
        cells = "".join(f"<td>{escape(str(value))}</td>" for value in facts.values())
        return f'<table style="width:100%"><tr>{heads}</tr><tr>{cells}</tr></table>'

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self._run_id)

    def _shown_class(self) -> str:
        return "Run"

    def _shown(self) -> dict[str, Any]:
        return {"Experiment": self.experiment.name, "Id": self.id, "Type": self.type, "Status": self.status}

    # the Sublight side ----------------------------------------------------------------------------------------------

    @property
    def _sdk_run(self) -> Any:
        """The Sublight SDK's run."""
        if self._sdk_run_known is None:
            with _v1_errors():
                self._sdk_run_known = self._find_sdk_run()
        return self._sdk_run_known

    def _find_sdk_run(self) -> Any:
        sdk = self.experiment.workspace._sdk
        if self._reports is None:
            return sdk.run(self._run_id)
        # A child that this program has just begun: it is in the journal, and soon on the server.
        from azureml._run_waiting import run_that_will_be_there

        return run_that_will_be_there(sdk, self._run_id)

    def _view(self) -> Any:
        """Everything the server says of it, as of now; the last words about it once it has ended."""
        with _v1_errors():
            sdk_run = self._sdk_run
            if self._reports is not None:
                # What this program has just reported counts.
                self.flush()
                sdk_run.refresh()
            elif sdk_run.view.status not in ("completed", "failed", "canceled"):
                # Anew each time, as the original did: what somebody has just changed is read back at once.
                sdk_run.refresh()
            return sdk_run.view

    def _parent_id(self) -> str | None:
        from azureml._run_details import PARENT_TAG

        parent_id: str | None = self._sdk_run.parent_id or self._sdk_run.view.tags.get(PARENT_TAG)
        return parent_id

    def _system_tags(self) -> dict[str, str]:
        """Tags that the service kept by itself; sweeps had some."""
        return {}

    def _system_properties(self) -> dict[str, str]:
        """Properties that the service kept by itself, beyond those of every run; sweeps had some."""
        return {}

    def _reporter(self) -> Any:
        if self._reports is None:
            submitted = _submitted()
            if submitted is not None and submitted.id == self._run_id:
                self._reports = submitted._reporter()
            else:
                return self._reports_from_outside()
        return self._reports_from_outside() if self._has_ended_here() else self._reports

    def _reports_from_outside(self) -> Any:
        from azureml._outside_reports import ReportsFromOutside

        return ReportsFromOutside(self)

    def _staged_files(self) -> str | None:
        """The folder of what this script has uploaded, which may be on its way to the server still."""
        return None

    def _has_ended_here(self) -> bool:
        """True when this program began the run and has ended it; what is tagged or reported now comes from outside."""
        return bool(getattr(self._reports, "has_ended", False))

    def _end(self, how: str, _set_status: bool, *details: str) -> None:
        if not _set_status:
            return
        if self._reports is None or not hasattr(self._reports, how):
            from azureml._run_details import end_from_outside

            end_from_outside(self, how, *details)
            return
        with _v1_errors(), _conflicts_told(f"{how}()"):  # it may have been ended from elsewhere
            getattr(self._reports, how)(*details)


class ScriptRun(Run):
    """A run of a script that was submitted."""

    RUN_TYPE = SCRIPT_RUN_TYPE

    def __init__(
        self, experiment: Any, run_id: str, directory: str | None = None, _run_config: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(experiment, run_id, **kwargs)
        self._directory = directory
        self._run_config_object = _run_config


class _SubmittedRun(Run):
    """The run around this script. Reports need no network; what asks the server does so when it is called."""

    def __init__(self, run_id: str, experiment_name: str) -> None:
        super().__init__(None, run_id)
        self._experiment_name = experiment_name
        self._own_children: list[Run] = []

    @property
    def experiment(self) -> Any:
        """Its experiment, in the workspace that it was submitted to."""
        if self._experiment is None:
            from azureml._run_details import experiment_inside

            self._experiment = experiment_inside(self._experiment_name)
        return self._experiment

    @property
    def type(self) -> str | None:
        """Always the type of script runs."""
        return SCRIPT_RUN_TYPE

    @property
    def input_datasets(self) -> Any:
        """What it was given to read, by name: a dataset, or a path for what was mounted or downloaded."""
        if "_input_datasets" not in self.__dict__:
            from azureml._run_inputs import InputDatasets

            self._input_datasets = InputDatasets(lambda: self.experiment.workspace)
        return self._input_datasets

    @property
    def output_datasets(self) -> Any:
        """Where it is to write, by name: the path of a folder."""
        if "_output_datasets" not in self.__dict__:
            from azureml._run_inputs import OutputDatasets

            self._output_datasets = OutputDatasets(None)
        return self._output_datasets

    def get_children(
        self,
        recursive: bool = False,
        tags: Any = None,
        properties: Any = None,
        type: str | None = None,
        status: str | None = None,
        _rehydrate_runs: bool = True,
        _with_submitted: bool = True,
    ) -> Iterator[Run]:
        """The runs below this one, newest first: those that this process began, of which the server may not know yet,
        then those of other processes of the script."""
        from azureml._run_details import matches

        own = {child.id: child for child in reversed(self._own_children)}
        for child in own.values():
            if matches(child, tags=tags, properties=properties, type=type, status=status):
                yield child
        if _has_server():
            for child in super().get_children(recursive, tags, properties, type, status, True, _with_submitted):
                if child.id not in own:
                    yield child

    def get_status(self) -> str:
        """It is running while its script asks; cancelled from outside it may be ending."""
        if not _has_server():
            return "Running"
        return super().get_status()

    def get_tags(self) -> dict[str, str]:
        """Its tags, with those that the script has just set."""
        from azureml._run_metrics import notes_of_journal

        known = super().get_tags() if _has_server() else {}
        return {**known, **notes_of_journal("tag")}

    def get_properties(self) -> dict[str, str]:
        """Its properties, with those that the script has just set."""
        from azureml._run_details import v1_properties
        from azureml._run_metrics import notes_of_journal

        known = v1_properties(self) if _has_server() else {}
        own = {key: value for key, value in notes_of_journal("property").items() if not is_hidden_property(key)}
        return {**own, **known}

    def remove_tags(self, tags: Any) -> None:
        """Remove tags by name."""
        from azureml._run_metrics import forget_tags

        names = [tags] if isinstance(tags, str) else list(tags)
        super().remove_tags(names)
        forget_tags(names)

    def complete(self, _set_status: bool = True) -> None:
        """Do nothing: the script's end decides, as it did in the original."""

    def fail(self, error_details: Any = None, error_code: str | None = None, _set_status: bool = True) -> None:
        """Note what went wrong; whether the run fails is decided by how the script ends, as in the original."""
        self._reporter().fail(error_text(error_details) or "the script said that it failed")

    def cancel(self) -> bool:
        """Refused, as in the original: a script ends its own run by ending."""
        raise user_error(
            f"a script cannot cancel its own run {self.id}, as it could not in the original; end it with sys.exit(), or "
            "cancel it from another program"
        )

    def flush(self, timeout_seconds: int = 300) -> None:
        """Do nothing: a report is kept when the call that made it returns."""

    def _staged_files(self) -> str | None:
        return os.path.join(os.environ[_RUN_DIRECTORY], _UPLOADS) if os.environ.get(_RUN_DIRECTORY) else None

    def _shown(self) -> dict[str, Any]:
        return {"Experiment": self._experiment_name, "Id": self.id, "Type": self.type, "Status": "Running"}

    def _parent_id(self) -> str | None:
        return os.environ.get(_PARENT_RUN_ID) or (super()._parent_id() if _has_server() else None)

    def _reporter(self) -> Any:
        if self._reports is None:
            from sublight.sdk.training_run import run

            self._reports = run
        return self._reports


def get_run(experiment: Any, run_id: str, rehydrate: bool = True, clean_up: bool = True) -> Run:
    """The run of this id, as the class that fits its kind."""
    return _get(experiment.workspace, run_id)


def _submitted() -> _SubmittedRun | None:
    """The run around this script, the same object each time; None outside of one."""
    if not os.environ.get(_RUN_DIRECTORY):
        return None
    run_id = os.environ.get(_RUN_ID) or os.environ.get("AZUREML_RUN_ID") or ""
    run = _context.get(run_id)
    if not isinstance(run, _SubmittedRun):
        experiment = os.environ.get(_EXPERIMENT) or os.environ.get("AZUREML_ARM_PROJECT_NAME") or ""
        run = _context[run_id] = _SubmittedRun(run_id, experiment)
    return run


def _get(workspace: Any, run_id: str) -> Run:
    with _v1_errors():
        return _wrap(workspace, workspace._sdk.run(run_id))


def _wrap(workspace: Any, sdk_run: Any, experiment: Any = None) -> Run:
    """The v1 object of a Sublight run: by its type ScriptRun, HyperDriveRun, or what a provider makes of it."""
    if experiment is None or experiment.name != sdk_run.experiment:
        from azureml.core.experiment import Experiment

        experiment = Experiment(workspace, sdk_run.experiment, _skip_name_validation=True, _create_in_cloud=False)
    kind = sdk_run.kind
    factory = _factories.get(_type_of_kind(kind) or "")
    run: Run
    if factory is not None:
        from types import SimpleNamespace

        run = factory(experiment, SimpleNamespace(run_id=sdk_run.id, run_type=_type_of_kind(kind)))
    elif kind == "sweep":
        from azureml.train.hyperdrive.run import HyperDriveRun

        run = HyperDriveRun(experiment, sdk_run.id)
    elif kind in ("script", "trial"):
        run = ScriptRun(experiment, sdk_run.id)
    else:
        run = Run(experiment, sdk_run.id)
    run._sdk_run_known = sdk_run
    return run


def _start_logging(
    experiment: Any,
    outputs: Any = None,
    snapshot_directory: str | None = ".",
    display_name: str | None = None,
    run_id: str | None = None,
    **kwargs: Any,
) -> Run:
    """A run of this very program: what ``Experiment.start_logging`` gives. Its folder is copied as it is now."""
    import uuid

    with _v1_errors("SnapshotException"):
        reports = experiment._sdk.start_run(display_name, run_id=run_id or str(uuid.uuid4()), source=snapshot_directory)
    return _of_this_program(experiment, reports, outputs)


def _of_this_program(experiment: Any, reports: Any, outputs: Any = None) -> Run:
    run = Run(experiment, reports.id, outputs=outputs)
    run._reports = reports
    run._sdk_run_known = reports.view_run
    return run


def _child(parent: Run, name: str | None, run_id: str | None) -> Run:
    reporter = parent._reporter()
    if not hasattr(reporter, "child") or (run_id is not None and hasattr(reporter, "view_run")):
        from azureml._run_details import child_from_outside

        with _v1_errors():
            return _of_this_program(parent.experiment, child_from_outside(parent, name, run_id))
    with _v1_errors():
        reports = reporter.child(name)
    child_id = f"{parent.id}{'_' if '_' in parent.id else '-'}{reports._local_id}"
    # The experiment of a script's own run is found at need only: a child that just logs needs no server.
    child = _OwnChild(parent, child_id)
    child._reports = reports
    if isinstance(parent, _SubmittedRun):
        parent._own_children.append(child)
    return child


class _OwnChild(Run):
    """A child that this program began."""

    def __init__(self, parent: Run, run_id: str) -> None:
        super().__init__(None, run_id)
        self._parent = parent

    @property
    def experiment(self) -> Any:
        """The experiment of its parent."""
        return self._parent.experiment

    @property
    def parent(self) -> Run:
        """The run that began it."""
        return self._parent

    @property
    def type(self) -> str | None:
        """Runs that programs begin have no type."""
        return None

    def get_tags(self) -> dict[str, str]:
        """Its tags, with those that the script has just set."""
        return {**(super().get_tags() if self._may_ask() else {}), **self._notes("tag")}

    def get_properties(self) -> dict[str, str]:
        """Its properties, with those that the script has just set."""
        own = {key: value for key, value in self._notes("property").items() if not is_hidden_property(key)}
        return {**own, **(super().get_properties() if self._may_ask() else {})}

    def _notes(self, kind: str) -> dict[str, str]:
        from azureml._run_metrics import notes_of_journal

        return notes_of_journal(kind, self._reports._local_id) if self._staged_files() is not None else {}

    def _may_ask(self) -> bool:
        return self._staged_files() is None or _has_server()

    def _staged_files(self) -> str | None:
        above = self._parent._staged_files()
        return None if above is None else os.path.join(above, "children", self._reports._local_id)

    def _has_ended_here(self) -> bool:
        return self._parent._has_ended_here()  # its news went with those of its parent

    def flush(self, timeout_seconds: int = 300) -> None:
        """Return when all that was reported is kept; a child's news travel with its parent's."""
        self._parent.flush(timeout_seconds)


def _type_of_kind(kind: str) -> str | None:
    return {"script": SCRIPT_RUN_TYPE, "trial": SCRIPT_RUN_TYPE, "sweep": SWEEP_RUN_TYPE}.get(kind)


def is_hidden_property(name: str) -> bool:
    """True for the properties that the facade keeps for itself."""
    return name.startswith((METRIC_TYPE_PROPERTY, REPORT_PROPERTY)) or name == FAILED_PROPERTY


def _has_server() -> bool:
    """True when this script may ask the server: it was submitted with access to the workspace."""
    return bool(os.environ.get("SUBLIGHT_URL") and os.environ.get("SUBLIGHT_TOKEN"))


def _address_of(workspace: Any) -> str:
    address: str = workspace._sdk.url
    return address


class _v1_errors:
    """Turns the errors of the Sublight SDK into those of v1, for the time of a ``with`` block.

    ``too_large`` is the name of what v1 raised for something over a limit.
    """

    def __init__(self, too_large: str = "UserErrorException") -> None:
        self._too_large = too_large

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if _is_of_sublight(error):
            # Without the frames of the SDK, which tell a user nothing; the error is the ``inner_exception``.
            raise _as_v1_error(error, self._too_large) from None


class _conflicts_told:
    """Logs a Conflict instead of letting it out of a ``with`` block: what was asked for changes nothing."""

    def __init__(self, what: str) -> None:
        self._what = what
        self.came = False

    def __enter__(self) -> _conflicts_told:
        return self

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> bool:
        self.came = _is_of_sublight(error) and error.code == "conflict"
        if self.came:
            import logging

            logging.getLogger(__name__).warning("%s changes nothing: %s", self._what, error)
        return self.came


def _is_of_sublight(error: Any) -> bool:
    return error is not None and type(error).__module__ == "sublight.core.errors"


def _as_v1_error(error: Any, too_large: str) -> Exception:
    from azureml import exceptions

    sentence = str(error)
    if error.code == "not_authenticated":
        return exceptions.AuthenticationException(sentence, inner_exception=error)
    if error.code == "not_found":
        return exceptions.ServiceException(sentence, status_code=404)
    if error.code == "server_unavailable":
        return exceptions.ServiceException(sentence, status_code=503)
    if error.code == "too_large":
        return getattr(exceptions, too_large)(sentence, inner_exception=error)  # type: ignore[no-any-return]
    return exceptions.UserErrorException(sentence, inner_exception=error)


def __getattr__(name: str) -> Any:
    """The names of this module that only few need."""
    if name in ("InputDatasets", "OutputDatasets", "LinkOutput"):
        import importlib

        return getattr(importlib.import_module("azureml._run_inputs"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
