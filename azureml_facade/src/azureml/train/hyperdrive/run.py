"""HyperDriveRun: a sweep as a run (fact sheet §4.2, §4.3)."""

from __future__ import annotations

import json
import logging
import math
import sys
from typing import TYPE_CHECKING, Any

from azureml.core.run import Run, _v1_errors
from azureml.train.hyperdrive._translation import as_declared
from azureml.train.hyperdrive.exceptions import (
    HyperDriveConfigException,
    HyperDriveNotImplementedException,
    HyperDriveRehydrateException,
    HyperDriveServiceException,
)

# Scripts import the goal from here, too.
from azureml.train.hyperdrive.runconfig import HyperDriveConfig, PrimaryMetricGoal

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["HyperDriveRun", "PrimaryMetricGoal"]

_log = logging.getLogger("azureml.train.hyperdrive")

RUN_TYPE = "hyperdrive"
PARENT_LOG = "azureml-logs/hyperdrive.txt"
_TAG_PREFIX = "_aml_system_"


class HyperDriveRun(Run):
    """A sweep: its children, the best of them, and what it was told."""

    RUN_TYPE = RUN_TYPE

    def __init__(
        self, experiment: Any, run_id: str, hyperdrive_config: HyperDriveConfig | None = None, **kwargs: Any
    ) -> None:
        super().__init__(experiment, run_id, **kwargs)
        self._hyperdrive_config = hyperdrive_config
        self._has_warned = False
        self._is_watched = False

    def get_status(self) -> str:
        """Where the sweep is; who asks while it goes on is not made to wait for its best run."""
        status: str = super().get_status()
        self._is_watched = self._is_watched or status not in ("Completed", "Failed", "Canceled")
        return status

    # -- what it was told ---------------------------------------------------------------------------------------------

    @property
    def hyperdrive_config(self) -> HyperDriveConfig:
        """The configuration; made again from what is stored when the run was not submitted by this program."""
        if self._hyperdrive_config is None:
            from azureml.train.hyperdrive._rehydration import config_of

            self._hyperdrive_config = config_of(self)
        return self._hyperdrive_config

    @property
    def _goal_is_maximize(self) -> bool:
        sweep = self._sdk_run.view.sweep
        if sweep is None:
            raise HyperDriveRehydrateException(f"run {self.id} is no sweep, but a {self._sdk_run.kind}")
        return bool(sweep.direction == "maximize")

    @property
    def _metric(self) -> str:
        sweep = self._sdk_run.view.sweep
        return str(sweep.metric) if sweep is not None else ""

    # -- results ------------------------------------------------------------------------------------------------------

    def get_best_run_by_primary_metric(
        self, include_failed: bool = True, include_canceled: bool = True, include_resume_from_runs: bool = True
    ) -> Run | None:
        """The child with the best value of the primary metric over all its reports; None when no child reported it.

        A sweep that still goes on is waited for first: programs written against the widget never waited themselves. A
        program that has asked for the status meanwhile watches the sweep itself, and gets the best so far.
        """
        from azureml.core.run import _wrap

        if not self._is_watched:
            self._await_end()
        candidates = [trial for trial in self._trials() if trial.view.best_value is not None]
        if include_resume_from_runs:
            for parent in self._parents():
                with _v1_errors():
                    candidates += [trial for trial in parent.trials() if trial.view.best_value is not None]
        if not include_failed:
            candidates = [trial for trial in candidates if trial.view.status != "failed"]
        if not include_canceled:
            candidates = [trial for trial in candidates if trial.view.status != "canceled"]
        if self._view().status in ("completed", "failed", "canceled"):
            self._warn_of_silence()
        if not candidates:
            return None
        best = min(candidates, key=lambda trial: self._rank(trial.view.best_value))
        return _wrap(self.experiment.workspace, best)

    def get_children_sorted_by_primary_metric(
        self, top: int = 0, reverse: bool = False, discard_no_metric: bool = False
    ) -> list[dict[str, Any]]:
        """Children as dicts (run_id, hyperparameters as JSON, best_primary_metric, status), best first.

        ``top`` of 0 means all; ``reverse`` turns only those with a metric round; those without come last.
        """
        is_count = isinstance(top, int) and top >= 0
        assert is_count, f"top must be a whole number of 0 or more, got {top!r}"
        assert isinstance(reverse, bool), f"reverse must be True or False, got {reverse!r}"
        assert isinstance(discard_no_metric, bool), (
            f"discard_no_metric must be True or False, got {discard_no_metric!r}"
        )
        from azureml._run_details import v1_status

        trials = self._trials()
        with_metric = [trial for trial in trials if trial.view.best_value is not None]
        with_metric.sort(key=lambda trial: self._rank(trial.view.best_value), reverse=reverse)
        without = [] if discard_no_metric else [trial for trial in trials if trial.view.best_value is None]
        rows = [
            {
                "run_id": trial.id,
                "hyperparameters": self._hyperparameters(trial),
                "best_primary_metric": trial.view.best_value,
                "status": v1_status(trial.view),
            }
            for trial in [*with_metric, *without]
        ]
        return rows[:top] if top else rows

    def get_hyperparameters(self) -> dict[str, str]:
        """The hyperparameters of each child as JSON text, by the child's id."""
        return {trial.id: self._hyperparameters(trial) for trial in self._trials()}

    def get_metrics(self) -> dict[str, dict[str, Any]]:  # type: ignore[override]  # narrower, as it was
        """The metrics of each child that has any, by the child's id."""
        from azureml._run_metrics import metrics_of_children

        with _v1_errors():
            found = metrics_of_children(self._sdk_run, self._trials())
        return {run_id: metrics for run_id, metrics in found.items() if metrics}

    # -- its course ---------------------------------------------------------------------------------------------------

    def cancel(self) -> bool:
        """End the sweep and its children."""
        from sublight import SublightError

        if self.get_status() in ("Completed", "Failed", "Canceled"):
            return False
        try:
            self._sdk_run.cancel()
        except SublightError as error:
            raise HyperDriveServiceException(str(error)) from None
        return True

    def wait_for_completion(
        self,
        show_output: bool = False,
        wait_post_processing: bool = False,  # a sweep has none
        raise_on_error: bool = True,
    ) -> dict[str, Any]:
        """Come back when the sweep has ended; ``show_output`` shows how it goes, never the logs of children.

        Failed → ActivityFailedException unless ``raise_on_error=False``; Canceled never raises.
        """
        from azureml.exceptions import ActivityFailedException, ExperimentExecutionException

        try:
            if show_output:
                print(f"RunId: {self.id}\nWeb View: {self.get_portal_url()}\n", flush=True)
            with _v1_errors():
                self._sdk_run.wait(progress=show_output)
        except KeyboardInterrupt:
            if not show_output:
                raise
            raise ExperimentExecutionException(
                f"the waiting was broken off; sweep {self.id} goes on, and run.cancel() ends it"
            ) from None
        self._warn_of_silence()
        details: dict[str, Any] = self.get_details()
        if show_output:
            print(f"\nRunId: {self.id}\nStatus: {details['status']}", flush=True)
        if raise_on_error and details["status"] == "Failed":
            raise ActivityFailedException(self._sdk_run.reason)
        return details

    def fail(self, error_details: Any = None, error_code: Any = None, _set_status: bool = True) -> None:
        """Refused: a sweep fails or completes by itself."""
        raise HyperDriveNotImplementedException("a sweep cannot be failed by hand; cancel() ends it")

    def get_diagnostics(self) -> None:
        """Refused, as it was."""
        raise HyperDriveNotImplementedException(
            "a sweep has no diagnostics file; `sublight run show` and the portal say why it did what it did"
        )

    # -- tags and properties that v1 kept -----------------------------------------------------------------------------

    def _system_tags(self) -> dict[str, str]:
        declared = self._declaration()
        tags = {
            f"{_TAG_PREFIX}{name}": json.dumps(declared[name])
            for name in (
                "generator_config",
                "primary_metric_config",
                "policy_config",
                "max_total_jobs",
                "max_concurrent_jobs",
                "max_duration_minutes",
            )
            if name in declared
        }
        tags[f"{_TAG_PREFIX}platform_config"] = json.dumps({"Name": declared.get("platform", "AML")})
        tags |= {f"{_TAG_PREFIX}{trial.id}": self._hyperparameters(trial) for trial in self._trials()}
        return tags

    def _system_properties(self) -> dict[str, str]:
        view = self._view()
        progress = view.progress
        properties = {
            "primary_metric_config": json.dumps(self._declaration().get("primary_metric_config")),
            "resume_from": json.dumps(self._declaration().get("resume_from")),
            "runTemplate": "HyperDrive",
            "azureml.runsource": "hyperdrive",
            "platform": "AML",
        }
        if progress is not None and progress.space_size is not None:
            properties["space_size"] = str(progress.space_size)
        if progress is not None and progress.best is not None:
            properties |= {
                "best_child_run_id": progress.best.run_id,
                "score": repr(progress.best.value),
                "best_metric_status": "Succeeded",
                "best_data_container_id": f"dcid.{progress.best.run_id}",
            }
        return properties

    def _declaration(self) -> dict[str, Any]:
        sweep = self._sdk_run.view.sweep
        annotations = sweep.trial.annotations if sweep is not None else {}
        declared: dict[str, Any] = annotations.get("azureml", {}).get("hyperdrive") or {}
        return declared or {
            "primary_metric_config": {
                "name": self._metric,
                "goal": "maximize" if sweep is None or self._goal_is_maximize else "minimize",
            }
        }

    # -- inside -------------------------------------------------------------------------------------------------------

    def _trials(self) -> list[Any]:
        """All children in the order of their index; one request."""
        with _v1_errors():
            trials: list[Any] = self._sdk_run.trials()
        return trials

    def _hyperparameters(self, trial: Any) -> str:
        """A child's hyperparameters as JSON: numbers as they were declared (1.0), although its arguments say "1"."""
        space = self._declaration().get("generator_config", {}).get("parameter_space", {})
        return json.dumps({name: as_declared(value, space.get(name)) for name, value in trial.view.parameters.items()})

    def _parents(self) -> Iterator[Any]:
        from sublight import SublightError

        sweep = self._sdk_run.view.sweep
        for run_id in sweep.resume_from if sweep is not None else ():
            try:
                yield self.experiment.workspace._sdk.run(run_id)
            except SublightError as error:
                _log.warning("the earlier sweep %s cannot be read: %s", run_id, error)

    def _rank(self, value: float) -> float:
        """Smaller is better; what is no number comes last."""
        if math.isnan(value):
            return math.inf
        return -value if self._goal_is_maximize else value

    def _await_end(self) -> None:
        with _v1_errors():
            if self._sdk_run.refresh().view.status in ("completed", "failed", "canceled"):
                return
            _log.warning("sweep %s still goes on; waiting for its end before its best run is told", self.id)
            self._sdk_run.wait(progress=sys.stderr.isatty())

    def _warn_of_silence(self) -> None:
        """Say once what v1 left people to find out: why there is no best run, or why no policy ever acted."""
        if self._has_warned:
            return
        self._has_warned = True
        trials = self._trials()
        ended = [trial for trial in trials if trial.view.status in ("completed", "failed", "canceled")]
        if ended and all(trial.view.best_value is None for trial in trials):
            _log.warning("%s", self._sentence_on_missing_metric(trials))
            return
        declared = self._declaration().get("policy_config", {})
        if declared.get("name", "Default") == "Default":
            return
        properties = declared.get("properties", {})
        first = max(properties.get("evaluation_interval", 1), properties.get("delay_evaluation", 0), 1)
        with _v1_errors():
            summaries = [
                summary.count
                for trial in ended[:3]
                for summary in trial.metric_summaries()
                if summary.name == self._metric
            ]
        if summaries and max(summaries) < first:
            _log.warning(
                "the policy %s could never act: each run reports %r %d time%s, and it looks first at report %d; report "
                "the metric once an epoch, or leave the policy out",
                declared["name"],
                self._metric,
                max(summaries),
                "" if max(summaries) == 1 else "s",
                first,
            )
        elif summaries and max(summaries) == 1:
            _log.warning(
                "each run reports %r only once, at its end, so the policy %s has nothing to save; report the metric once "
                "an epoch, or leave the policy out",
                self._metric,
                declared["name"],
            )

    def _sentence_on_missing_metric(self, trials: list[Any]) -> str:
        names = sorted({name for trial in trials for name in trial.view.metrics})
        failed = [trial for trial in trials if trial.view.status == "failed"]
        if failed and len(failed) == len(trials):
            return (
                f"no run of sweep {self.id} reported {self._metric!r}: all failed; the first says: {failed[0].reason}"
            )
        near = [name for name in names if name.lower() == self._metric.lower()]
        if near:
            return (
                f"no run reported the primary metric {self._metric!r}, but {near[0]!r} was reported, which differs in "
                f"case: name it exactly in HyperDriveConfig or in run.log"
            )
        told = f"they reported {', '.join(map(repr, names))}" if names else "they reported no metric at all"
        return (
            f"no run reported the primary metric {self._metric!r}; {told}; call run.log({self._metric!r}, value) in the "
            "script or name another primary metric"
        )


def _factory(experiment: Any, run_dto: Any, **kwargs: Any) -> HyperDriveRun:
    """For ``Run.add_type_provider``: a sweep from the dict form of its run."""
    run_id = run_dto["runId"] if isinstance(run_dto, dict) else getattr(run_dto, "run_id", None)
    if not isinstance(run_id, str):
        raise HyperDriveConfigException(f"a run's description with its id is needed, got {run_dto!r}")
    return HyperDriveRun(experiment, run_id, **kwargs)
