"""``/login`` and ``/logout``: a token or a one-time code becomes a session cookie that scripts cannot read."""

from __future__ import annotations

import time

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from sublight.core.errors import NotAuthenticated
from sublight.portal.page import Elsewhere, Page
from sublight.portal.ports import Services
from sublight.portal.rendering import render
from sublight.server.auth import is_from_another_site, safe_next, session_cookie


def router(services: Services) -> APIRouter:
    """The routes by which people come in and leave."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/login", name="portal_login")
    def login_page(request: Request, code: str = "", next: str = "/") -> Response:
        if not code:
            return render(request, "login.html", LoginPage(next))
        if is_from_another_site(request):
            # Else any page could sign its visitors in as somebody else; a click of their own settles it.
            return render(request, "login.html", LoginPage(next, code=code))
        return _log_in(services, request, code, next)

    @routes.post("/login", name="portal_login_with_token")
    def login(request: Request, token: str = Form(""), next: str = Form("/")) -> Response:
        return _log_in(services, request, token.strip(), next)

    @routes.post("/logout", name="portal_logout")
    def logout(request: Request) -> Response:
        cookie = session_cookie(services.workspace_id)
        secret = request.cookies.get(cookie)
        if secret:
            services.people.logout(secret)
        response = RedirectResponse("/login", status_code=303)
        response.delete_cookie(cookie, path="/")
        return response

    return routes


class LoginPage(Page):
    """The values of the login page; ``refused`` is the sentence about a token that did not fit.

    With ``code``, a link to sign in was followed from another site, and the page asks whether that was meant.
    """

    title = "Sign in"

    def __init__(self, next_address: str, refused: str = "", *, code: str = "") -> None:
        self.next_address = safe_next(next_address)
        self.refused = refused
        self.code = code

    @property
    def elsewhere(self) -> Elsewhere | None:
        return None


def _log_in(services: Services, request: Request, code_or_token: str, next_address: str) -> Response:
    try:
        if not code_or_token:
            raise NotAuthenticated("a token is needed, got nothing; paste the one you were given")
        secret, expires = services.people.login(code_or_token)
    except NotAuthenticated as error:
        return render(request, "login.html", LoginPage(next_address, str(error)), status=401)
    response = RedirectResponse(safe_next(next_address), status_code=303)
    response.set_cookie(
        session_cookie(services.workspace_id),
        secret,
        max_age=max(0, int(expires - time.time())),
        path="/",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response
