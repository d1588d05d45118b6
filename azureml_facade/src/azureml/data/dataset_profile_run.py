"""Runs that make profiles of datasets: can be named, refuse to be used."""

from __future__ import annotations

from azureml._refusal import Refused
from azureml.data import _refused_names


class DatasetProfileRun(Refused):
    """Refused; see ``_why``."""

    _why = _refused_names.PROFILE
