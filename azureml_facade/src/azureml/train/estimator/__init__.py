"""Estimators: the earlier way to say what runs where. They make a run configuration, which is submitted as one."""

from azureml.train._distributed_training import Gloo, Mpi, Nccl, ParameterServer
from azureml.train.estimator._estimator import Estimator
from azureml.train.estimator._framework_base_estimator import _FrameworkBaseEstimator
from azureml.train.estimator._mml_base_estimator import MMLBaseEstimator, MMLBaseEstimatorRunConfig

__all__ = [
    "Estimator",
    "Gloo",
    "MMLBaseEstimator",
    "MMLBaseEstimatorRunConfig",
    "Mpi",
    "Nccl",
    "ParameterServer",
    "_FrameworkBaseEstimator",
]
