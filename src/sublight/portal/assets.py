"""The portal's own scripts and styles, and Plotly's script from the installed package; nothing comes from elsewhere.

Addresses carry a hash of the contents, so that browsers may keep a file for a year and never show an old one.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
from importlib import metadata
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, Request, Response

from sublight.core.errors import NotFound

_FOLDER = Path(__file__).parent / "static"
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
_PLOTLY = "plotly.min.js"


def asset_path(name: str) -> str:
    """The address of one of the portal's own files, for example ``portal.css``."""
    return f"/static/{_version()}/{name}"


def plotly_path() -> str:
    """The address of Plotly's script; it changes only with the installed version of plotly."""
    return f"/static/plotly-{metadata.version('plotly')}/{_PLOTLY}"


def router() -> APIRouter:
    """The one public route besides the login page: files that ship with Sublight and say nothing about a workspace."""
    routes = APIRouter()

    @routes.get("/static/{version}/{name}", include_in_schema=False, name="portal_static")
    def static(request: Request, version: str, name: str) -> Response:
        content, packed, kind = _file(name)
        is_current = version in (_version(), plotly_path().split("/")[2])
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable" if is_current else "no-cache",
            "X-Content-Type-Options": "nosniff",
            "Vary": "Accept-Encoding",
        }
        if packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(packed, media_type=kind, headers={**headers, "Content-Encoding": "gzip"})
        return Response(content, media_type=kind, headers=headers)

    return routes


@functools.cache
def _version() -> str:
    digest = hashlib.sha256()
    for file in sorted(_FOLDER.iterdir()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


@functools.cache
def _known() -> frozenset[str]:
    return frozenset(file.name for file in _FOLDER.iterdir() if file.is_file())


def _file(name: str) -> tuple[bytes, bytes | None, str]:
    # Only names that lie in the folder are looked up (and kept), so no path and no flood of names can reach the cache.
    if name != _PLOTLY and name not in _known():
        raise NotFound(f"the portal has no file named {name!r}")
    return _read(name)


@functools.cache
def _read(name: str) -> tuple[bytes, bytes | None, str]:
    """A file's bytes, its gzip form (a third of the size for Plotly, made once), and its media type."""
    path = files("plotly") / "package_data" / _PLOTLY if name == _PLOTLY else _FOLDER / name
    content = path.read_bytes()
    packed = gzip.compress(content, 6) if len(content) > 1000 else None
    return content, packed, _TYPES.get(Path(name).suffix, "application/octet-stream")
