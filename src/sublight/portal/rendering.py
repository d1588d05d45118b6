"""From a page's values to HTML: templates, and fragments of a page for live updates.

The headers that keep a browser strict come from ``server/protection.py``, which stands around the whole app.
"""

from __future__ import annotations

import functools
import time
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from sublight.messages.people import ErrorBody
from sublight.portal import access, formats
from sublight.portal.assets import asset_path, plotly_path
from sublight.portal.page import Page

_FILTERS = (
    formats.number, formats.duration, formats.size, formats.memory, formats.price, formats.moment, formats.elapsed,
    formats.status_word, formats.status_class, formats.end_word, formats.value, formats.parameters, formats.json_text,
    formats.shell_word,
)  # fmt: skip

# With "no-referrer", browsers send "Origin: null" with a form, and the server could not tell our own pages from others.
# "same-origin" tells other sites just as little.
_HEADERS = {"Referrer-Policy": "same-origin"}


def render(request: Request, template: str, page: Any, *, status: int = 200) -> HTMLResponse:
    """The whole page, or, when the address asks ``?fragment=a&fragment=b``, only those parts of it.

    A template may be asked only for the fragments that the page names in ``fragments``; their values are computed when
    a template reads them, so a fragment costs what it shows.
    """
    wanted = request.query_params.getlist("fragment")
    context = {
        "page": page,
        "request_path": request.url.path,
        "query": request.query_params,
        "viewer": getattr(request.state, "caller", None),
        "now": time.time(),
        "access": access,
    }
    if wanted:
        context["names"] = [name for name in wanted if name in page.fragments]
        template = "fragments.html"
    html = _environment().get_template(template).render(context)
    return HTMLResponse(html, status_code=status, headers=_HEADERS)


def error_page(request: Request, status: int, body: ErrorBody) -> Response:
    """The page that a browser gets for an error: its sentence, and a way on."""
    return render(request, "error.html", _ErrorPage(body.message, status), status=status)


class _ErrorPage(Page):
    title = "Not possible"

    def __init__(self, sentence: str, status: int) -> None:
        self.sentence = sentence
        self.status = status


@functools.cache
def _environment() -> Environment:
    """The template environment, built once; undefined names are errors rather than silent gaps."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update({written.__name__: written for written in _FILTERS})
    environment.globals["asset"] = asset_path
    environment.globals["plotly_path"] = plotly_path
    return environment
