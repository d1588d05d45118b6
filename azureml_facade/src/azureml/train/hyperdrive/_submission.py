"""Submitting a HyperDriveConfig: what ``Experiment.submit`` does with one."""

from __future__ import annotations

import logging
import re
import uuid
import warnings
from typing import TYPE_CHECKING, Any

from azureml.train.hyperdrive._translation import policy_of, sampler_of, space_of
from azureml.train.hyperdrive.exceptions import HyperDriveConfigException
from azureml.train.hyperdrive.runconfig import HyperDriveConfig

if TYPE_CHECKING:
    from azureml.train.hyperdrive.run import HyperDriveRun

_log = logging.getLogger("azureml.train.hyperdrive")

# What a trial's annotations hold of its sweep, under "azureml".
HYPERDRIVE = "hyperdrive"
_CUSTOM_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,55}")


def submit(
    experiment: Any,
    config: HyperDriveConfig,
    tags: dict[str, str] | None = None,
    **kwargs: Any,  # display_name and properties count; show_output and the like were accepted and did nothing
) -> HyperDriveRun:
    """Start the sweep and return its run at once."""
    from azureml._dry_run import stop_if_dry
    from azureml._submission import prepare, submission_errors
    from azureml.train.hyperdrive.run import HyperDriveRun
    from sublight import SublightError, Sweep, maximize, minimize
    from sublight.sdk.errors import InvalidInput

    template = config.estimator if config.estimator is not None else config.run_config
    space = space_of(config._hyperparameter_sampling)
    prepared = prepare(
        template,
        experiment.workspace,
        experiment.name,
        tuned=list(space),
        concurrent_runs=min(config._max_concurrent_runs, config._max_total_runs),
    )
    for sentence in prepared.warnings:
        _log.warning("%s", sentence)
    script = prepared.script
    if config.estimator is not None:
        script.arguments = _without(script.arguments, space)
    script.annotations = {
        **script.annotations,
        "azureml": {**script.annotations.get("azureml", {}), HYPERDRIVE: declaration(config)},
    }
    metric = config._primary_metric_config["name"]
    goal = maximize(metric) if config._primary_metric_config["goal"] == "maximize" else minimize(metric)
    try:
        with warnings.catch_warnings():
            # A name that is fixed and tuned: v1 said nothing for a ScriptRunConfig and took out an estimator's.
            warnings.simplefilter("ignore", UserWarning)
            sweep = Sweep(
                script,
                space=space,
                goal=goal,
                max_trials=config._max_total_runs,
                sampler=sampler_of(config._hyperparameter_sampling),
                policy=policy_of(config._policy_config),
                max_concurrent=min(config._max_concurrent_runs, config._max_total_runs),
                max_minutes=config._max_duration_minutes,
                resume_from=[parent.id for parent in config._resume_from],
                gives_up_when_silent=False,
            )
        stop_if_dry(sweep, prepared.target, experiment.name)
        sdk_run = experiment._sdk.submit(
            sweep,
            on=prepared.target,
            name=kwargs.get("display_name"),
            tags={**prepared.tags, **(tags or {})},
            properties={**prepared.properties, **(kwargs.get("properties") or {})},
            run_id=_run_id(config),
        )
    except InvalidInput as error:
        raise HyperDriveConfigException(str(error)) from None
    except SublightError as error:
        # Not the configuration's fault: the server is away, the caller may not, the folder is too large.
        with submission_errors():
            raise error
    return HyperDriveRun(experiment, sdk_run.id, hyperdrive_config=config, _sdk_run=sdk_run)


def declaration(config: HyperDriveConfig) -> dict[str, Any]:
    """What v1 kept of a sweep in the tags of its parent run."""
    return {
        "generator_config": _plain(config._generator_config),
        "primary_metric_config": dict(config._primary_metric_config),
        "policy_config": _plain(config._policy_config.to_json()),
        "platform": config._platform,
        "max_total_jobs": config._max_total_runs,
        "max_concurrent_jobs": config._max_concurrent_runs,
        "max_duration_minutes": config._max_duration_minutes,
        "resume_from": [parent.id for parent in config._resume_from] or None,
    }


def _run_id(config: HyperDriveConfig) -> str:
    if config._custom_run_id is None:
        return f"HD_{uuid.uuid4()}"
    if not _CUSTOM_ID.fullmatch(config._custom_run_id):
        raise HyperDriveConfigException(
            "custom_run_id takes at most 56 letters, digits, '-', '_' and '.', and begins with a letter or digit, "
            f"got {config._custom_run_id!r}"
        )
    return config._custom_run_id


def _without(arguments: Any, space: dict[str, Any]) -> tuple[str, ...]:
    """The fixed arguments of an estimator without those that are tuned, too."""
    tuned = {name if name.startswith("-") else f"--{name}" for name in space}
    kept: list[str] = []
    dropped: list[str] = []
    position, items = 0, list(arguments)
    while position < len(items):
        item = items[position]
        position += 1
        if item not in tuned:
            kept.append(item)
            continue
        dropped.append(item)
        while position < len(items) and not _is_option(items[position]):
            position += 1
    if dropped:
        _log.warning(
            "%s %s both in script_params and in the parameter space; the tuned values are used",
            ", ".join(dropped),
            "stand" if len(dropped) > 1 else "stands",
        )
    return tuple(kept)


def _is_option(text: str) -> bool:
    return re.fullmatch(r"-{1,2}[A-Za-z].*", text) is not None


def _plain(value: Any) -> Any:
    """The same as JSON can hold it: NumPy values plain, everything else as its text."""
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [_plain(inner) for inner in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)
