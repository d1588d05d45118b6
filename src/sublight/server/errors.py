"""From an error to an HTTP answer, in one place: a status per class, one sentence for people, nothing of our inside."""

from __future__ import annotations

import logging
import math
import secrets
from collections.abc import Callable

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sublight.core import errors
from sublight.core.errors import SublightError
from sublight.messages.people import ErrorBody
from sublight.server.request_faults import sentence_about

# The first class that fits decides.
STATUS_OF_ERROR: dict[type[SublightError], int] = {
    errors.InvalidInput: 400,
    errors.NotSupported: 400,
    errors.NotAuthenticated: 401,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.NameTaken: 409,
    errors.Conflict: 409,
    errors.WorkspaceBusy: 409,
    errors.TooLarge: 413,
    errors.TooManyRequests: 429,
    errors.ServerUnavailable: 503,
    errors.StorageDamaged: 500,
    errors.StorageFull: 507,
}
_RETRY_SOON_SECONDS = 1

# Makes the page that a browser gets instead of JSON; the portal hands one in.
ErrorPage = Callable[[Request, int, ErrorBody], Response]

log = logging.getLogger("sublight.server")


def status_of(error: SublightError) -> int:
    """The HTTP status that a class of error travels under."""
    return next((status for cls, status in STATUS_OF_ERROR.items() if isinstance(error, cls)), 500)


def install_error_handlers(app: FastAPI, page: ErrorPage | None = None) -> None:
    """Let the app answer every error with an ``ErrorBody``, or with ``page`` where a browser asked for a page."""

    def answer(request: Request, status: int, body: ErrorBody, headers: dict[str, str]) -> Response:
        if page is not None and wants_page(request.scope):
            response = page(request, status, body)
            response.headers.update(headers)
            return response
        return error_response(status, body, headers)

    async def on_sublight_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, SublightError)
        return answer(request, status_of(error), ErrorBody(code=error.code, message=str(error)), _headers_of(error))

    async def on_invalid_request(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        body = ErrorBody(code=errors.InvalidInput.code, message=sentence_about(request, error))
        return answer(request, 400, body, {})

    async def on_http_exception(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return answer(request, *_from_framework(request, error), dict(error.headers or {}))

    app.add_exception_handler(SublightError, on_sublight_error)
    app.add_exception_handler(RequestValidationError, on_invalid_request)
    app.add_exception_handler(HTTPException, on_http_exception)


def error_response(status: int, body: ErrorBody, headers: dict[str, str] | None = None) -> Response:
    """The answer in JSON; also for middleware, which no exception handler covers."""
    return Response(msgspec.json.encode(body), status, headers=headers, media_type="application/json")


def response_to(error: SublightError) -> Response:
    """The answer in JSON to an error that is met before the app's own handlers are in reach."""
    return error_response(status_of(error), ErrorBody(code=error.code, message=str(error)), _headers_of(error))


def wants_page(scope: Scope) -> bool:
    """True for a browser that opens an address, false for every program (and for all of the API)."""
    if scope.get("method") not in ("GET", "HEAD", "POST") or scope["path"].startswith("/api/"):
        return False
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])


class UnexpectedErrors:
    """The last net: an exception that nobody expected becomes a 500 with an id; the traceback goes to the log only."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app; answer for it when it raises before it has begun its own answer."""
        has_started = False

        async def watch(message: Message) -> None:
            nonlocal has_started
            has_started = has_started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except ClientDisconnect:
            return  # nobody is there to answer to, and nothing of ours went wrong
        except Exception:
            if scope["type"] != "http":
                raise
            reference = secrets.token_hex(4)
            log.exception("unexpected error %s in %s %s", reference, scope["method"], _path_of_route(scope))
            if has_started:
                raise  # half an answer is out; only breaking the connection tells the client that it is not whole
            message = f"the server met an error that it did not expect; its log says more under {reference}"
            await error_response(500, ErrorBody(code=SublightError.code, message=message))(scope, receive, send)


def _headers_of(error: SublightError) -> dict[str, str]:
    if isinstance(error, errors.NotAuthenticated):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, errors.TooManyRequests):
        return {"Retry-After": str(max(1, math.ceil(error.retry_after_seconds)))}
    if isinstance(error, errors.ServerUnavailable):
        return {"Retry-After": str(_RETRY_SOON_SECONDS)}
    return {}


def _from_framework(request: Request, error: HTTPException) -> tuple[int, ErrorBody]:
    if error.status_code == 404:
        return 404, ErrorBody(code=errors.NotFound.code, message="there is nothing at this address")
    if error.status_code == 405:
        return 405, ErrorBody(code=errors.InvalidInput.code, message=f"this address does not take {request.method}")
    if error.status_code == 413:
        return 413, ErrorBody(code=errors.TooLarge.code, message=str(error.detail))
    code = errors.InvalidInput.code if error.status_code < 500 else SublightError.code
    return error.status_code, ErrorBody(code=code, message=str(error.detail))


def _path_of_route(scope: Scope) -> str:
    # The template, because the address itself may hold what does not belong into a log.
    return str(getattr(scope.get("route"), "path", "an unknown address"))
