"""What goes wrong with datasets: it cannot be what was asked for, or it cannot be read now."""

from __future__ import annotations

from typing import Any

from azureml.exceptions import AzureMLException, UserErrorException


class DatasetValidationError(UserErrorException):
    """The dataset's files are not there or cannot be what was said of them."""

    def __init__(self, message: str, exception: BaseException | None = None, **kwargs: Any) -> None:
        super().__init__(message, inner_exception=exception, **kwargs)


class DatasetExecutionError(AzureMLException):
    """Reading the dataset failed."""

    def __init__(self, message: str, exception: BaseException | None = None, **kwargs: Any) -> None:
        super().__init__(message, inner_exception=exception, **kwargs)
