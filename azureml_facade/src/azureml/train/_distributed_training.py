"""How an estimator's processes talk to one another."""

from __future__ import annotations

from typing import Any

from azureml.core.runconfig import MpiConfiguration, TensorflowConfiguration
from azureml.exceptions import TrainingException


class _DistributedTraining:
    """Base of the back ends."""

    _estimators: tuple[str, ...] = ()

    def validate(self, estimator_name: str) -> None:
        """Raise TrainingException when an estimator of this name does not know the back end."""
        if estimator_name not in self._estimators:
            raise TrainingException(
                f"{type(self).__name__} goes with {' and '.join(self._estimators)}, not with {estimator_name}"
            )


class Mpi(MpiConfiguration, _DistributedTraining):
    """MPI, with so many processes on each node."""

    _estimators = ("Estimator", "PyTorch", "TensorFlow", "Chainer", "GenericEstimator")

    def __init__(self, process_count_per_node: int = 1) -> None:
        super().__init__(process_count_per_node=process_count_per_node)


class Gloo(_DistributedTraining):
    """Gloo, for PyTorch."""

    _estimators = ("PyTorch",)


class Nccl(_DistributedTraining):
    """NCCL, for PyTorch."""

    _estimators = ("PyTorch",)


class ParameterServer(TensorflowConfiguration, _DistributedTraining):
    """Workers and parameter servers, for TensorFlow."""

    _estimators = ("TensorFlow",)

    def __init__(self, worker_count: int = 1, parameter_server_count: int = 1) -> None:
        super().__init__(worker_count=worker_count, parameter_server_count=parameter_server_count)


def back_end_of(name: str) -> Any:
    """The back end that the older ``distributed_backend`` names: mpi, gloo, nccl or ps."""
    known = {"mpi": Mpi, "gloo": Gloo, "nccl": Nccl, "ps": ParameterServer}
    if name.lower() not in known:
        raise TrainingException(f"distributed_backend is one of {', '.join(known)}, got {name!r}")
    return known[name.lower()]()
