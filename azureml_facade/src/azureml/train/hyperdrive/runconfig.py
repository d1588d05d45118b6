"""HyperDriveConfig: everything a sweep is told (fact sheet §4.1)."""

from __future__ import annotations

import logging
from enum import Enum
from typing import Any

from azureml._refusal import refuse
from azureml.train.hyperdrive._translation import suspicions
from azureml.train.hyperdrive.exceptions import HyperDriveConfigException
from azureml.train.hyperdrive.policy import EarlyTerminationPolicy, NoTerminationPolicy
from azureml.train.hyperdrive.sampling import BayesianParameterSampling, HyperParameterSampling

_log = logging.getLogger("azureml.train.hyperdrive")

DURATION_MINUTES_MAX = 10080
_RUNS_PER_PARAMETER = 20
_CONCURRENT_RUNS_WITH_BAYES = 20
_PARENTS_MAX = 5


class PrimaryMetricGoal(Enum):
    """Whether the primary metric is to be made large or small."""

    MAXIMIZE = "MAXIMIZE"
    MINIMIZE = "MINIMIZE"

    @staticmethod
    def from_str(goal: str) -> PrimaryMetricGoal:
        """The goal of a word, in whatever case."""
        try:
            return PrimaryMetricGoal[goal.upper()]
        except KeyError:
            raise HyperDriveConfigException(f"the goal must be maximize or minimize, got {goal!r}") from None


class HyperDriveConfig:
    """A sweep: a sampler over a space, a metric, limits, a policy, and exactly one of estimator and run_config."""

    def __init__(
        self,
        hyperparameter_sampling: HyperParameterSampling,
        primary_metric_name: str,
        primary_metric_goal: PrimaryMetricGoal,
        max_total_runs: int,
        max_concurrent_runs: int | None = None,
        max_duration_minutes: int = DURATION_MINUTES_MAX,
        policy: EarlyTerminationPolicy | None = None,
        estimator: Any = None,
        run_config: Any = None,
        resume_from: Any = None,
        resume_child_runs: Any = None,
        pipeline: Any = None,
        debug_flag: Any = None,
        custom_run_id: str | None = None,
    ) -> None:
        if pipeline is not None:
            refuse("HyperDriveConfig(pipeline=…)", "sweeps over a pipeline are not supported yet")
        _check_exactly_one(estimator, run_config)
        if hyperparameter_sampling is None:
            raise HyperDriveConfigException("hyperparameter_sampling is needed, got None")
        if not isinstance(hyperparameter_sampling, HyperParameterSampling):
            raise HyperDriveConfigException(
                "hyperparameter_sampling must be RandomParameterSampling, GridParameterSampling or "
                f"BayesianParameterSampling, got {type(hyperparameter_sampling).__name__}"
            )
        self._primary_metric_config = {
            "name": _checked_metric(primary_metric_name),
            "goal": _checked_goal(primary_metric_goal).name.lower(),
        }
        self._max_total_runs = _checked_count("max_total_runs", max_total_runs)
        # None and 0 both mean: as many as there are runs.
        self._max_concurrent_runs = _checked_count("max_concurrent_runs", max_concurrent_runs or self._max_total_runs)
        self._max_duration_minutes = _checked_count("max_duration_minutes", max_duration_minutes)
        if self._max_duration_minutes > DURATION_MINUTES_MAX:
            _log.warning(
                "max_duration_minutes is %s; the original capped it at %s minutes (7 days), here it is kept",
                max_duration_minutes,
                DURATION_MINUTES_MAX,
            )
        self._policy_config = _checked_policy(policy)
        self._hyperparameter_sampling = hyperparameter_sampling
        self._generator_config = hyperparameter_sampling.to_json()
        self._estimator = estimator
        self._run_config = run_config
        self._resume_from = _checked_parents(resume_from)
        if resume_child_runs is not None:
            refuse(
                "HyperDriveConfig(resume_child_runs=…)",
                "going on with single trials from their checkpoints is not supported yet; resume_from takes whole sweeps",
            )
        self._debug_flag = debug_flag
        self._custom_run_id = custom_run_id
        self._platform = "AML"
        self._warn()

    @property
    def estimator(self) -> Any:
        """The estimator of the trials, or None."""
        return self._estimator

    @property
    def run_config(self) -> Any:
        """The ScriptRunConfig of the trials, or None."""
        return self._run_config

    @property
    def pipeline(self) -> Any:
        """Always None: sweeps over pipelines are not supported."""
        return None

    @property
    def source_directory(self) -> str:
        """The folder that is copied to the nodes."""
        config = self._estimator if self._estimator is not None else self._run_config
        return str(config.source_directory)

    def _warn(self) -> None:
        for sentence in suspicions(self._hyperparameter_sampling):
            _log.warning("%s", sentence)
        if isinstance(self._hyperparameter_sampling, BayesianParameterSampling):
            recommended = _RUNS_PER_PARAMETER * len(self._hyperparameter_sampling._parameter_space)
            if self._max_total_runs < recommended:
                _log.warning(
                    "Bayesian sampling learns from what it has seen: %d runs or more are advised for this space, "
                    "max_total_runs is %d",
                    recommended,
                    self._max_total_runs,
                )
            if self._max_concurrent_runs > _CONCURRENT_RUNS_WITH_BAYES:
                _log.warning(
                    "with Bayesian sampling at most %d concurrent runs are advised, max_concurrent_runs is %d",
                    _CONCURRENT_RUNS_WITH_BAYES,
                    self._max_concurrent_runs,
                )


class HyperDriveRunConfig(HyperDriveConfig):
    """The old name: what it makes is a HyperDriveConfig."""

    def __new__(cls, *args: Any, **kwargs: Any) -> HyperDriveConfig:  # type: ignore[misc]
        _log.warning("HyperDriveRunConfig is the old name of HyperDriveConfig; both do the same")
        return HyperDriveConfig(*args, **kwargs)


def _check_exactly_one(estimator: Any, run_config: Any) -> None:
    given = [name for name, value in (("estimator", estimator), ("run_config", run_config)) if value is not None]
    if len(given) != 1:
        raise HyperDriveConfigException(
            f"a HyperDriveConfig needs exactly one of estimator and run_config, got {' and '.join(given) or 'neither'}"
        )
    if run_config is not None:
        from azureml.core.script_run_config import ScriptRunConfig

        if not isinstance(run_config, ScriptRunConfig):
            raise HyperDriveConfigException(
                f"run_config must be a ScriptRunConfig, got {type(run_config).__name__}; "
                "wrap it: ScriptRunConfig(source_directory, script, run_config=…)"
            )


def _checked_metric(name: object) -> str:
    if not isinstance(name, str) or not name:
        raise HyperDriveConfigException(f"primary_metric_name must be the name of a metric, got {name!r}")
    return name


def _checked_goal(goal: object) -> PrimaryMetricGoal:
    if not isinstance(goal, PrimaryMetricGoal):
        raise HyperDriveConfigException(
            f"primary_metric_goal must be PrimaryMetricGoal.MAXIMIZE or PrimaryMetricGoal.MINIMIZE, got {goal!r}"
        )
    return goal


def _checked_count(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or int(value) != value or value < 1:
        raise HyperDriveConfigException(f"{name} must be a whole number of 1 or more, got {value!r}")
    return int(value)


def _checked_policy(policy: object) -> EarlyTerminationPolicy:
    if policy is None:
        return NoTerminationPolicy()
    if not isinstance(policy, EarlyTerminationPolicy):
        raise HyperDriveConfigException(
            f"policy must be BanditPolicy, MedianStoppingPolicy, TruncationSelectionPolicy or NoTerminationPolicy, "
            f"got {type(policy).__name__}"
        )
    return policy


def _checked_parents(resume_from: Any) -> list[Any]:
    parents = [] if resume_from is None else resume_from if isinstance(resume_from, list) else [resume_from]
    if len(parents) > _PARENTS_MAX:
        raise HyperDriveConfigException(f"resume_from takes at most {_PARENTS_MAX} sweeps, got {len(parents)}")
    ids = [getattr(parent, "id", None) for parent in parents]
    if None in ids or any(getattr(parent, "type", "") != "hyperdrive" for parent in parents):
        raise HyperDriveConfigException("resume_from takes the runs of earlier sweeps (HyperDriveRun)")
    if len(set(ids)) < len(ids):
        raise HyperDriveConfigException("resume_from names a sweep twice; name each once")
    return parents
