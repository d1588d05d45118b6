"""The file system of Databricks: can be named, refuses to be used."""

from __future__ import annotations

from azureml._refusal import Refused
from azureml.data import _refused_names


class DBFSDatastore(Refused):
    """Refused; see ``_why``."""

    _why = _refused_names.HADOOP
