"""Reports of use to Microsoft: accepted and never sent."""

from __future__ import annotations

import logging
from typing import Any

__all__ = [
    "UserType",
    "get_diagnostics_collection_info",
    "get_telemetry_log_handler",
    "is_diagnostics_collection_info_available",
    "set_diagnostics_collection",
]

INSTRUMENTATION_KEY = ""
AML_INTERNAL_LOGGER_NAMESPACE = "azureml.telemetry"


class UserType:
    """Whose use it would have been."""

    Unknown = "Unknown"
    Microsoft = "Microsoft"
    External = "External"


def set_diagnostics_collection(
    send_diagnostics: bool = True, verbosity: int = logging.INFO, reason: str = "", path: Any = None
) -> None:
    """Accepted: nothing is collected, whatever is asked."""


def get_diagnostics_collection_info(component_name: str | None = None, path: Any = None) -> tuple[bool, int]:
    """Whether reports are sent (never), and from which level."""
    return False, logging.NOTSET


def is_diagnostics_collection_info_available() -> bool:
    """Whether somebody was asked: yes, and the answer is no."""
    return True


def get_telemetry_log_handler(*args: Any, **kwargs: Any) -> logging.Handler:
    """A handler that drops everything."""
    return logging.NullHandler()
