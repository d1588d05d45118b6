"""Sublight: remote compute and hyperparameter sweeps on machines you own.

Everything a user needs is a name of this module; each is loaded when it is first used, so that ``import sublight``
costs next to nothing and ``from sublight import run`` inside a training script needs the standard library only.
This file and the two modules behind ``run`` therefore stay readable by Python 3.8.
"""

import importlib

__version__ = "0.1.0"

# Public name -> the module that holds it. The public-door test compares this table with docs and reality.
_HOMES = {
    # inside a training script
    "run": "sublight.sdk.training_run",
    # the workspace and what is in it
    "Workspace": "sublight.sdk.workspace",
    "Cluster": "sublight.sdk.cluster",
    "Run": "sublight.sdk.run",
    "Script": "sublight.sdk.script",
    "Sweep": "sublight.sdk.sweep",
    "Environment": "sublight.sdk.environment",
    # search spaces
    "choice": "sublight.sdk.space",
    "randint": "sublight.sdk.space",
    "uniform": "sublight.sdk.space",
    "quniform": "sublight.sdk.space",
    "loguniform": "sublight.sdk.space",
    "qloguniform": "sublight.sdk.space",
    "normal": "sublight.sdk.space",
    "qnormal": "sublight.sdk.space",
    "lognormal": "sublight.sdk.space",
    "qlognormal": "sublight.sdk.space",
    # samplers
    "Random": "sublight.core.samplers",
    "Grid": "sublight.core.samplers",
    "Sobol": "sublight.core.samplers",
    "Bayesian": "sublight.core.samplers",
    # early-termination policies
    "Bandit": "sublight.core.policies",
    "MedianStopping": "sublight.core.policies",
    "TruncationSelection": "sublight.core.policies",
    "NoTermination": "sublight.core.policies",
    # goals
    "maximize": "sublight.core.metric",
    "minimize": "sublight.core.metric",
    # errors
    "SublightError": "sublight.core.errors",
    "InvalidInput": "sublight.core.errors",
    "NotFound": "sublight.core.errors",
    "NameTaken": "sublight.core.errors",
    "Conflict": "sublight.core.errors",
    "NotAllowed": "sublight.core.errors",
    "NotAuthenticated": "sublight.core.errors",
    "TooLarge": "sublight.core.errors",
    "ServerUnavailable": "sublight.core.errors",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name):  # type: ignore[no-untyped-def]  # Python 3.8 inside training scripts
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError("module 'sublight' has no attribute %r" % name)
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__():  # type: ignore[no-untyped-def]
    return sorted(set(globals()) | set(__all__))
