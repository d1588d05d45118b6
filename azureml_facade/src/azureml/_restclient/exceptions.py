"""The error of the original's services."""

from __future__ import annotations

from azureml.exceptions import ServiceException

__all__ = ["ServiceException"]
