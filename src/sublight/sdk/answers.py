"""What an answer of the server means: a message, an error of ours, or the page of some proxy in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from sublight.core.errors import NotAuthenticated, ServerUnavailable, SublightError, error_class_of
from sublight.messages.people import ErrorBody

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

# "Ask again": ours while starting or stopping (503), and what a proxy says when it cannot reach us.
_RETRIED_STATUSES = frozenset({502, 503, 504})


def is_worth_a_retry(answer: httpx.Response) -> bool:
    """True when the same request may succeed a moment later."""
    return answer.status_code in _RETRIED_STATUSES


def checked_answer(answer: httpx.Response, *, wants_json: bool) -> httpx.Response:
    """The answer itself when it is a success of ours; otherwise its error, as the class that the server meant."""
    content_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not answer.is_success:
        raise _error_of(answer, content_type)
    if answer.status_code == 204:
        return answer
    if content_type == "text/html" or (wants_json and content_type != "application/json"):
        raise ServerUnavailable(
            f"what answers at {answer.request.url.copy_with(query=None)} is not a Sublight server: "
            f"expected JSON, got {content_type or 'an answer without a type'}; check the address"
        )
    return answer


def decode(answer: httpx.Response, wanted: type[T]) -> T:
    """The body as a message; an empty answer (204) decodes to None."""
    content = answer.content if answer.status_code != 204 else b"null"
    try:
        return msgspec.json.decode(content, type=wanted)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise SublightError(
            f"the answer to {answer.request.method} {answer.request.url.path} could not be read ({error}); "
            "do the server and this client have the same version of Sublight?"
        ) from error


def _error_of(answer: httpx.Response, content_type: str) -> SublightError:
    if content_type == "application/json":
        try:
            body = msgspec.json.decode(answer.content, type=ErrorBody)
        except msgspec.DecodeError:
            pass
        else:
            return error_class_of(body.code)(body.message)
    where = f"{answer.request.method} {answer.request.url.copy_with(query=None)}"
    if answer.status_code == 401:
        return NotAuthenticated(f"the server refused the token of this request ({where}); make a new one")
    return ServerUnavailable(
        f"{where} was answered with status {answer.status_code} by something that is not a Sublight server "
        f"({content_type or 'no content type'}); check the address, or try again later"
    )
