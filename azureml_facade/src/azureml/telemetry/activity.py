"""Measured activities: they are run, and nobody is told."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class ActivityType:
    """Kinds of activities."""

    PUBLICAPI = "PublicApi"
    INTERNALCALL = "InternalCall"
    CLIENTPROXY = "ClientProxy"


class ActivityLoggerAdapter(logging.LoggerAdapter[logging.Logger]):
    """A logger with further facts."""

    def __init__(self, logger: logging.Logger, activity_info: dict[str, Any] | None = None) -> None:
        super().__init__(logger, activity_info or {})

    @property
    def activity_info(self) -> dict[str, Any]:
        """The facts."""
        return dict(self.extra or {})


@contextmanager
def log_activity(
    logger: logging.Logger,
    activity_name: str,
    activity_type: str = ActivityType.INTERNALCALL,
    custom_dimensions: dict[str, Any] | None = None,
) -> Iterator[ActivityLoggerAdapter]:
    """Around an activity; gives a logger."""
    yield ActivityLoggerAdapter(logger, custom_dimensions)


def monitor_with_activity(
    logger: logging.Logger,
    activity_name: str,
    activity_type: str = ActivityType.INTERNALCALL,
    custom_dimensions: dict[str, Any] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Over a function that is an activity."""

    def over(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return call

    return over
