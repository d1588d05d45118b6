"""What the Sublight SDK raises, told as the exceptions that scripts written for the SDK v1 catch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from azureml._common.exceptions import AzureMLException
from azureml.exceptions import AuthenticationException, UserErrorException


@contextmanager
def translated(
    missing: type[AzureMLException] = UserErrorException, refused: type[AzureMLException] = UserErrorException
) -> Iterator[None]:
    """Inside, NotFound becomes ``missing``, and every other error of Sublight ``refused`` with the same sentence.

    A caller who is not let in becomes AuthenticationException, as with the original. The error itself is the
    ``inner_exception``; its frames, which tell a user nothing, are not shown.
    """
    from sublight.sdk.errors import NotAuthenticated, NotFound, SublightError

    try:
        yield
    except NotFound as error:
        raise missing(str(error), inner_exception=error) from None
    except NotAuthenticated as error:
        raise AuthenticationException(str(error), inner_exception=error) from None
    except SublightError as error:
        raise refused(str(error), inner_exception=error) from None
