"""The exceptions that scripts catch, with the bases they had.

Standard library only, and readable by Python 3.8: training scripts import it on the way to ``Run``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from azureml._common.exceptions import AzureMLException

__all__ = [
    "ActivityFailedException",
    "AuthenticationException",
    "AzureMLAggregatedException",
    "AzureMLException",
    "ComputeTargetException",
    "DatasetTimestampMissingError",
    "DiscoveryUrlNotFoundException",
    "ExperimentExecutionException",
    "ModelNotFoundException",
    "ModelPathNotFoundException",
    "NotSupportedByFacade",
    "ParallelRunException",
    "ProjectSystemException",
    "RunConfigurationException",
    "RunEnvironmentException",
    "ServiceException",
    "SnapshotException",
    "TrainingException",
    "UserErrorException",
    "WebserviceException",
    "WorkspaceException",
    "WorkspacePrivateEndpointException",
]


class UserErrorException(AzureMLException):
    """The caller asked for something that cannot be."""

    _error_code = "UserError"

    def __init__(self, exception_message: str, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)


class NotSupportedByFacade(UserErrorException, NotImplementedError):
    """A name of the SDK v1 that can be imported but is not supported."""


class ActivityFailedException(AzureMLException):
    """A run has failed; ``message`` says why."""

    def __init__(self, error_details: Any, **kwargs: Any) -> None:
        super().__init__(error_details, **kwargs)


class AuthenticationException(UserErrorException):
    """The caller could not be let in."""


class AzureMLAggregatedException(AzureMLException):
    """Several exceptions at once; ``exceptions_list`` holds them."""

    def __init__(self, exceptions_list: Iterable[BaseException], **kwargs: Any) -> None:
        self.exceptions_list = list(exceptions_list)
        super().__init__("; ".join(str(one) for one in self.exceptions_list), **kwargs)
        self.args = (self.exceptions_list,)


class ComputeTargetException(AzureMLException):
    """There is no such compute target, or it cannot be made as asked."""

    def __init__(self, exception_message: str, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)


class DatasetTimestampMissingError(AzureMLException):
    """A filter by time was asked of a dataset without a time column."""

    def __init__(self, error_details: Any, **kwargs: Any) -> None:
        super().__init__(error_details, **kwargs)


class DiscoveryUrlNotFoundException(AzureMLException):
    """An address that the service should have told is not known."""

    def __init__(self, discovery_key: str, **kwargs: Any) -> None:
        super().__init__(f"no address is known for {discovery_key}", **kwargs)
        self.args = (discovery_key,)


class ExperimentExecutionException(AzureMLException):
    """Watching or starting a run was interrupted."""

    def __init__(self, exception_message: str, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)


class ModelNotFoundException(AzureMLException):
    """There is no such model."""

    def __init__(self, exception_message: str, logger: Any = None, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)
        _tell(logger, exception_message)


class ModelPathNotFoundException(AzureMLException):
    """There is no such file or folder to make a model of."""

    def __init__(self, exception_message: str, logger: Any = None, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)
        _tell(logger, exception_message)


class ParallelRunException(AzureMLException):
    """A parallel run step went wrong; ``delay_seconds`` is how long it may be retried after."""

    def __init__(self, exception_message: str, code: Any = None, delay_seconds: float = 0, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)
        self.code = code
        self.delay_seconds = delay_seconds


class ProjectSystemException(AzureMLException):
    """The service refused what was asked of a workspace."""

    def __init__(self, exception_message: str, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)


class RunConfigurationException(AzureMLException):
    """A run configuration contradicts itself."""

    def __init__(self, exception_message: str, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)


class RunEnvironmentException(AzureMLException):
    """The program does not run inside a run, and insisted on it."""

    def __init__(self, **kwargs: Any) -> None:
        message = kwargs.pop("exception_message", None)
        super().__init__(
            message
            or "this program does not run inside a run of a workspace; submit it, or call "
            "Run.get_context() without allow_offline=False",
            **kwargs,
        )
        self.args = ()


class SnapshotException(AzureMLException):
    """The source folder cannot be sent."""

    def __init__(self, exception_message: str, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)


class TrainingException(AzureMLException):
    """An estimator or a sweep is not set up as it must be."""

    def __init__(self, exception_message: str, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)


class WebserviceException(AzureMLException):
    """A model's name or a web service is not as it must be; ``status_code`` is what the service answered, if it did."""

    def __init__(
        self, exception_message: str, status_code: int | None = None, logger: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(exception_message, **kwargs)
        self.status_code = status_code
        _tell(logger, exception_message)


class WorkspaceException(AzureMLException):
    """A workspace exists already, or several match; ``found_multiple`` tells the latter."""

    def __init__(self, exception_message: str, found_multiple: bool = False, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)
        self.found_multiple = found_multiple


class WorkspacePrivateEndpointException(AzureMLException):
    """A private end point is not as it must be."""

    def __init__(self, exception_message: str, found_multiple: bool = False, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)
        self.found_multiple = found_multiple


class ServiceException(Exception):
    """The service answered with an error; as in the original this is no AzureMLException."""

    def __init__(self, exception_message: str = "", status_code: int | None = None, **kwargs: Any) -> None:
        super().__init__(exception_message)
        self.message = exception_message
        self.status_code = status_code
        self.error = kwargs.get("error")


def _tell(logger: Any, message: str) -> None:
    """The original wrote these to the logger it was given."""
    if logger is not None:
        logger.error(message)
