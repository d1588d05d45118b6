"""Every request's way in: who is it, may they do this, and did their own browser page really send it?

Two steps, both closed by default. ``Authentication`` stands in front of the whole app (routes, documents, mounted
things, addresses that do not exist) and lets nobody in without a valid secret, except to the public addresses of the
permission table. ``Gate.authorize`` is a dependency of every route and asks the table by the route's own template.
"""

from __future__ import annotations

import hmac
import re
from urllib.parse import quote, urlsplit

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from sublight.core.errors import NotAllowed, NotAuthenticated
from sublight.server.caller import Caller, Callers
from sublight.server.errors import response_to, wants_page
from sublight.server.permissions import Permission, check_permission, public_shapes, rule_of
from sublight.store.people import TokenKind

__all__ = ["Authentication", "Caller", "Gate", "current_caller", "is_from_another_site", "safe_next", "session_cookie"]

CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
_NODE_ADDRESSES = re.compile(r"/api/v1/nodes/[^/]+/.+")


def session_cookie(workspace_id: str) -> str:
    """The name of a workspace's session cookie. Cookies know no ports, so two servers on a machine need two names."""
    return f"sublight_session_{workspace_id[:8]}"


class Authentication:
    """Puts the caller into ``request.state.caller``, or answers 401 (a browser is sent to the login page).

    Secrets come in the ``Authorization: Bearer`` header or in the session cookie, never in an address. Pure ASGI, and
    without a query for a caller who was seen in the last two seconds.
    """

    def __init__(self, app: ASGIApp, callers: Callers, cookie: str) -> None:
        self._app = app
        self._callers = callers
        self._cookie = cookie
        self._public = public_shapes()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Authenticate a request; events of the server's own life pass through."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            # There are no WebSockets here; a new kind of connection must not slip past the checks below.
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = Headers(scope=scope)
        caller = await self._caller(headers)
        if caller is None and not self._is_public(scope):
            await _refusal(scope)(scope, receive, send)
            return
        if caller is not None and caller.node_id is not None and not _NODE_ADDRESSES.fullmatch(scope["path"]):
            error = NotAllowed("a node's token opens nothing but the calls of its node")
            await response_to(error)(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = caller
        await self._app(scope, receive, send)

    async def _caller(self, headers: Headers) -> Caller | None:
        authorization = headers.get("authorization")
        if authorization is not None:
            scheme, _, secret = authorization.partition(" ")
            # A wrong header is not made good by a cookie: the request says itself by which right it comes.
            if not _is_bearer(scheme):
                return None
            return await self._find(secret.strip(), TokenKind.ACCESS, TokenKind.NODE, TokenKind.RUN)
        cookie = cookie_parser(headers.get("cookie", "")).get(self._cookie)
        return await self._find(cookie, TokenKind.SESSION) if cookie else None

    async def _find(self, secret: str, *kinds: TokenKind) -> Caller | None:
        return self._callers.cached(secret, *kinds) or await run_in_threadpool(self._callers.find, secret, *kinds)

    def _is_public(self, scope: Scope) -> bool:
        # The very text that the router matches, as a whole; a pattern that it does not match lets nobody in.
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        return any(method == allowed and shape.fullmatch(scope["path"]) for allowed, shape in self._public)


class Gate:
    """Decides about a request once its route is known: ``FastAPI(dependencies=[Depends(gate.authorize)])``."""

    async def authorize(self, request: Request) -> None:
        """Raise NotAuthenticated or NotAllowed unless the permission table lets the caller use this route."""
        caller: Caller | None = getattr(request.state, "caller", None)
        route = request.scope["route"]
        rule = rule_of(request.method, route.path)
        if rule is None:
            raise NotAllowed("this address is not in the table of permissions, so nobody may use it")
        if rule.permission is Permission.PUBLIC:
            if request.method not in _SAFE_METHODS:
                check_same_origin(request)
            return
        if caller is None:
            raise NotAuthenticated("this needs a token: send it as `Authorization: Bearer TOKEN`")
        if rule.permission is Permission.NODE:
            _check_node(caller, request)
            return
        if caller.node_id is not None:
            raise NotAllowed("a node's token opens nothing but the calls of its node")
        if caller.csrf and request.method not in _SAFE_METHODS:
            check_same_origin(request)
            await _check_csrf(caller, request)
        check_permission(caller, rule)


async def current_caller(request: Request) -> Caller:
    """The caller of this request, for routes: ``caller: Caller = Depends(current_caller)``."""
    # Async, although it waits for nothing: a plain function would be sent to a thread for every request.
    caller = request.state.caller
    if caller is None:
        raise NotAuthenticated("this needs a token: send it as `Authorization: Bearer TOKEN`")
    assert isinstance(caller, Caller)
    return caller


def check_same_origin(request: Request) -> None:
    """Raise NotAllowed when a browser says that another site's page sent this request.

    A browser sends ``Sec-Fetch-Site`` (no page can forge it) or at least ``Origin`` with every request that changes
    something; programs send neither, and hold no cookie that could be abused.
    """
    if is_from_another_site(request):
        raise NotAllowed("this request came from a page of another site, so it was refused; use the portal itself")


def is_from_another_site(request: Request) -> bool:
    """True when a browser says that a page of another site led here."""
    site = request.headers.get("sec-fetch-site", "none")
    if site == "same-origin":
        return False  # settles it: ``Origin`` may be "null" even then, where a page sends no referrer
    origin = request.headers.get("origin")
    is_foreign = origin is not None and urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower()
    return site != "none" or is_foreign


def safe_next(address: str) -> str:
    """``address`` when it is a path of this server, else ``/``: a login must not send people to another site."""
    is_path = address.startswith("/") and not address.startswith("//")
    is_clean = not any(ord(character) < 33 or character == "\\" for character in address)
    return address if is_path and is_clean else "/"


async def _check_csrf(caller: Caller, request: Request) -> None:
    given = request.headers.get(CSRF_HEADER, "")
    if not given and request.headers.get("content-type", "").startswith(_FORM_TYPES):
        # Starlette keeps the form with the request, so the route reads the same one again.
        value = (await request.form()).get(CSRF_FIELD)
        given = value if isinstance(value, str) else ""
    if not hmac.compare_digest(given.encode(), caller.csrf.encode()):
        raise NotAllowed(
            "this change did not come with the token of your session's pages; reload the page and try again "
            "(programs use `Authorization: Bearer TOKEN`)"
        )


def _check_node(caller: Caller, request: Request) -> None:
    # The node's id is the first parameter of every node route's template, whatever its name there is.
    parameter = re.search(r"\{(\w+)", request.scope["route"].path)
    assert parameter is not None, "a node route has the node's id in its path"
    if caller.node_id is None or request.path_params[parameter.group(1)] != caller.node_id:
        raise NotAllowed("this is for the node itself, with the token that the server gave it")


def _is_bearer(scheme: str) -> bool:
    return scheme.lower() == "bearer"


def _refusal(scope: Scope) -> Response:
    if scope["method"] in ("GET", "HEAD") and wants_page(scope):
        query = scope.get("query_string", b"").decode("latin-1")
        wanted = safe_next(scope["path"] + (f"?{query}" if query else ""))
        return RedirectResponse(f"/login?next={quote(wanted, safe='')}", status_code=303)
    return response_to(
        NotAuthenticated(
            "this needs a valid token or session: programs send `Authorization: Bearer TOKEN`, "
            "people open the link that `sublight up` prints"
        )
    )
