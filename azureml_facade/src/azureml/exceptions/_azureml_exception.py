"""The module in which the SDK v1 defined the exceptions; scripts import them from it."""

from __future__ import annotations

from azureml.exceptions import *  # noqa: F403
from azureml.exceptions import __all__ as __all__
