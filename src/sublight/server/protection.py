"""What stands around the app: which hosts it answers to, how large a body may be, what browsers may do with answers.

All of it is plain ASGI without copies of bodies, so that it costs next to nothing per request.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sublight.core.amounts import bytes_in_words
from sublight.core.errors import InvalidInput, TooLarge
from sublight.messages.people import ErrorBody
from sublight.server.auth import Authentication
from sublight.server.caller import Callers
from sublight.server.errors import UnexpectedErrors, error_response, response_to

BODY_BYTES_MAX = 8_000_000
NODE_BODY_BYTES_MAX = 16_000_000
_ARTIFACTS = re.compile(r"/api/v1/runs/[^/]+/artifacts")
_UPLOADS = ("/api/v1/blobs/", "/api/v1/datastores/")

CONTENT_SECURITY_POLICY = (
    # Plotly writes styles into elements, so styles are allowed inline; scripts never are.
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# For files of users: nothing in them runs or loads anything, even when someone opens their address directly.
FILE_HEADERS = {"Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "private, no-cache"}
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def protect(app: FastAPI, callers: Callers, *, cookie: str, hosts: Iterable[str] = ()) -> None:
    """Put all protections around the app; ``hosts`` are names it is reached by besides this machine's loopback, and
    ``cookie`` is the name of its session cookie.

    The order from outside in: headers go on every answer, even of what follows; a foreign host is refused before
    anything is looked at; then the net for unexpected errors, the size of the body, and who it is.
    """
    app.add_middleware(Authentication, callers=callers, cookie=cookie)
    app.add_middleware(BodyLimit)
    app.add_middleware(UnexpectedErrors)
    app.add_middleware(HostCheck, hosts=frozenset(host.lower() for host in hosts))
    app.add_middleware(SecurityHeaders)


class SecurityHeaders:
    """Gives every answer the headers that keep a browser strict, unless the route has set its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app and complete the head of its answer."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)


class HostCheck:
    """Answers only requests that name this server: a page whose own name was re-bound to our address is refused (421).

    Loopback addresses always name it; other addresses and names only when they were given. Names are compared as a
    whole, never by pattern.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts | {"localhost"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through when its one Host header names this server."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).getlist("host")
        if len(given) == 1 and self._is_ours(given[0]):
            await self._app(scope, receive, send)
            return
        message = "this server does not answer to that host name; use the address that `sublight up` prints"
        await error_response(421, ErrorBody(code=InvalidInput.code, message=message))(scope, receive, send)

    def _is_ours(self, host: str) -> bool:
        name = _without_port(host.lower())
        if name in self._hosts:
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False


class BodyLimit:
    """Refuses bodies above the limit (413), by their announced length at once, else as soon as they pass it.

    Uploads of files are not limited here: they are never held in memory, and their routes know how much is allowed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what comes in."""
        limit = _body_limit(scope)
        if limit is None:
            await self._app(scope, receive, send)
            return
        sentence = f"the request's body is larger than the {bytes_in_words(limit)} that are allowed here"
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced) > limit:
            await response_to(TooLarge(sentence))(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                # The framework's own class, because it passes through the reading of bodies unchanged.
                raise HTTPException(413, sentence)
            return message

        await self._app(scope, counted, send)


def _body_limit(scope: Scope) -> int | None:
    if scope["type"] != "http":
        return None
    is_node = scope["path"].startswith("/api/v1/nodes/")
    is_upload = scope["path"].startswith(_UPLOADS) or _ARTIFACTS.fullmatch(scope["path"])
    if scope["method"] == "PUT" and (is_node or is_upload):
        return None
    return NODE_BODY_BYTES_MAX if is_node else BODY_BYTES_MAX


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() else host
