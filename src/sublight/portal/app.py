"""The portal as one router: mount it at the root of the server's app, and it answers ``/``, ``/runs``, ``/clusters`` …

Reading is for everyone with a role in the workspace; the server's auth stands in front and puts the caller into
``request.state.caller``. Public are only ``/login`` and ``/static/…``. The portal changes state in three places:
``POST /login``, ``POST /logout`` and ``POST /runs/{id}/cancel``; the latter two carry the caller's CSRF token in the
form field ``csrf``, which the server's auth compares. Give ``error_page`` to the server's error handlers: refusals are
then pages for people.
"""

from __future__ import annotations

from fastapi import APIRouter

from sublight.portal import assets
from sublight.portal.pages import charts, clusters, compare, files, home, login, run, runs
from sublight.portal.ports import Services
from sublight.portal.rendering import error_page

__all__ = ["error_page", "portal_router"]


def portal_router(services: Services) -> APIRouter:
    """All pages of the portal over ``services``."""
    router = APIRouter()
    for page in (home, clusters, runs, run, files, charts, compare, login):
        router.include_router(page.router(services))
    router.include_router(assets.router())
    return router
