"""The base of nearly all exceptions of the SDK v1; the others stand in ``azureml.exceptions``.

Standard library only, and readable by Python 3.8: training scripts import it on the way to ``Run``.
"""

from __future__ import annotations

import sys
import traceback
from typing import Any


class AzureMLException(Exception):
    """``message`` is one sentence for people; ``inner_exception`` what lies below it, if anything does.

    The further parameters are those of the original: what it sent to its telemetry. They are kept as attributes with a
    leading underscore and used for nothing.
    """

    _error_code = "Failure"

    def __init__(
        self,
        exception_message: str,
        inner_exception: BaseException | None = None,
        target: str | None = None,
        details: Any = None,
        message_format: str | None = None,
        message_parameters: dict[str, Any] | None = None,
        reference_code: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(exception_message)
        self._message = exception_message
        self._inner_exception = inner_exception
        self._target = target
        self._details = details
        self._message_format = message_format
        self._message_parameters = message_parameters
        self._reference_code = reference_code
        self._properties = kwargs
        if "error_code" in kwargs:
            self._error_code = str(kwargs["error_code"])

    @property
    def message(self) -> str:
        """The sentence."""
        return self._message

    @message.setter
    def message(self, value: str) -> None:
        self._message = value

    @property
    def inner_exception(self) -> BaseException | None:
        """The exception that led to this one."""
        return self._inner_exception

    @inner_exception.setter
    def inner_exception(self, value: BaseException | None) -> None:
        self._inner_exception = value

    @property
    def error_code(self) -> str:
        """The kind of error in one word, such as ``UserError``."""
        return self._error_code

    def print_stacktrace(self) -> None:
        """Print where this was raised, and where the inner exception was."""
        traceback.print_exception(type(self), self, self.__traceback__, file=sys.stdout)

    def __str__(self) -> str:
        return str(self._message)
