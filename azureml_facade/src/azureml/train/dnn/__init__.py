"""Estimators for deep learning, and how their processes talk to one another."""

from azureml.train._distributed_training import Gloo, Mpi, Nccl, ParameterServer
from azureml.train.dnn._frameworks import Chainer, PyTorch, TensorFlow

__all__ = ["Chainer", "Gloo", "Mpi", "Nccl", "ParameterServer", "PyTorch", "TensorFlow"]
