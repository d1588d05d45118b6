"""Listing runs, page by page."""

from __future__ import annotations

from collections.abc import Iterator

from sublight.core.errors import InvalidInput
from sublight.messages.runs import RunPage, RunView
from sublight.sdk.client import API, Client
from sublight.sdk.run import Run

_PAGE_MAX = 200
# Whoever reads them one by one often wants the newest only.
_FIRST_PAGE = 20
_FILTERS = ("experiment", "kind", "status", "parent_id", "target", "search", "tag", "end_reason", "include_children")


def list_run_views(client: Client, *, limit: int | None, **filters: object) -> list[RunView]:
    """Runs that pass the filters, newest first, at most ``limit`` (None: all of them)."""
    _check(filters)
    views: list[RunView] = []
    before: str | None = None
    while limit is None or len(views) < limit:
        size = _PAGE_MAX if limit is None else min(_PAGE_MAX, limit - len(views))
        page = client.get(f"{API}/runs", RunPage, limit=size, before=before, **filters)
        views += page.runs
        before = page.next_before
        if before is None:
            break
    return views


def iter_runs(client: Client, **filters: object) -> Iterator[Run]:
    """All runs that pass the filters, newest first; a page is read when the caller has come to it."""
    _check(filters)
    before: str | None = None
    size = _FIRST_PAGE
    while True:
        page = client.get(f"{API}/runs", RunPage, limit=size, before=before, **filters)
        for view in page.runs:
            yield Run(client, view)
        before, size = page.next_before, _PAGE_MAX
        if before is None:
            return


def list_runs(client: Client, *, limit: int | None, **filters: object) -> list[Run]:
    """The same as ``Run`` objects."""
    return [Run(client, view) for view in list_run_views(client, limit=limit, **filters)]


def _check(filters: dict[str, object]) -> None:
    unknown = sorted(set(filters) - set(_FILTERS))
    if unknown:
        raise InvalidInput(f"runs can be filtered by {', '.join(_FILTERS)}, got {unknown[0]!r}")
