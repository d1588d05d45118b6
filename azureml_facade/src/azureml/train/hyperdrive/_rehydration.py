"""A HyperDriveConfig made again from what is stored of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azureml.train.hyperdrive.exceptions import HyperDriveRehydrateException
from azureml.train.hyperdrive.policy import (
    BanditPolicy,
    EarlyTerminationPolicy,
    MedianStoppingPolicy,
    NoTerminationPolicy,
    TruncationSelectionPolicy,
)
from azureml.train.hyperdrive.runconfig import HyperDriveConfig
from azureml.train.hyperdrive.sampling import (
    BayesianParameterSampling,
    GridParameterSampling,
    HyperParameterSampling,
    RandomParameterSampling,
)

if TYPE_CHECKING:
    from azureml.train.hyperdrive.run import HyperDriveRun

_SAMPLINGS = {
    sampling.SAMPLING_METHOD_NAME.upper(): sampling
    for sampling in (RandomParameterSampling, GridParameterSampling, BayesianParameterSampling)
}
_POLICIES = {
    policy.POLICY_NAME: policy
    for policy in (BanditPolicy, MedianStoppingPolicy, TruncationSelectionPolicy, NoTerminationPolicy)
}


def config_of(run: HyperDriveRun) -> HyperDriveConfig:
    """The configuration of a sweep that was submitted through these names; else HyperDriveRehydrateException.

    It has no estimator or run_config: those were objects of the program that submitted it.
    """
    declared = run._declaration()
    if "generator_config" not in declared:
        raise HyperDriveRehydrateException(
            f"sweep {run.id} was not submitted as a HyperDriveConfig; `sublight run show {run.id}` tells what it is"
        )
    config = _bare()
    config._hyperparameter_sampling = sampling_of(declared["generator_config"])
    config._generator_config = declared["generator_config"]
    config._primary_metric_config = declared["primary_metric_config"]
    config._policy_config = policy_of(declared["policy_config"])
    config._max_total_runs = declared["max_total_jobs"]
    config._max_concurrent_runs = declared["max_concurrent_jobs"]
    config._max_duration_minutes = declared["max_duration_minutes"]
    return config


def sampling_of(document: dict[str, Any]) -> HyperParameterSampling:
    """A sampler from its ``to_json`` form."""
    sampling = _SAMPLINGS[document["name"].upper()]
    return sampling(document["parameter_space"], properties=document.get("properties"))


def policy_of(document: dict[str, Any]) -> EarlyTerminationPolicy:
    """A policy from its ``to_json`` form."""
    return _POLICIES[document["name"]](**document.get("properties", {}))


def _bare() -> HyperDriveConfig:
    config = HyperDriveConfig.__new__(HyperDriveConfig)
    config._estimator = None
    config._run_config = None
    config._resume_from = []
    config._debug_flag = None
    config._custom_run_id = None
    config._platform = "AML"
    return config
