"""The exceptions that scripts catch, with the bases they had (fact sheet §7.11)."""

from __future__ import annotations


class AzureMLException(Exception):
    """Base of nearly all of them; the text stands in ``message``."""

    def __init__(self, exception_message: str = "", inner_exception: BaseException | None = None, **kwargs: object) -> None:
        super().__init__(exception_message)
        self.message = exception_message
        self.inner_exception = inner_exception


class UserErrorException(AzureMLException):
    """The caller asked for something that cannot be."""


class NotSupportedByFacade(UserErrorException, NotImplementedError):
    """A name of the SDK v1 that can be imported but is not supported."""
