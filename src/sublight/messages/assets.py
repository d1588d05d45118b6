"""Versioned things with a name (datasets, models, environments, addresses), and datastores: folders of shared files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

AssetKind = Literal["dataset", "model", "environment", "address"]


@dataclass(frozen=True, kw_only=True)
class AssetFile:
    """A file of an asset; ``path`` is relative with forward slashes."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    path: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class RunFiles:
    """What a run left behind: one artifact, or all of them below a folder (``""``: all of them)."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    run_id: str
    path: str


@dataclass(frozen=True, kw_only=True)
class AssetRequest:
    """A new version of a thing: its files, or those of a run, or none when the definition says everything.

    The name of an ``address`` is the address. ``definition`` is kept and not interpreted. ``run_id`` is the run that
    made it.
    """

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    kind: AssetKind
    name: str
    files: list[AssetFile] = field(default_factory=list)
    from_run: RunFiles | None = None
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    definition: dict[str, Any] = field(default_factory=dict)
    run_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class AssetView:
    """One version of a thing. ``size_bytes`` and ``files_count`` are of all its files together."""

    id: str
    kind: AssetKind
    name: str
    version: int
    description: str
    tags: dict[str, str]
    properties: dict[str, str]
    definition: dict[str, Any]
    size_bytes: int
    files_count: int
    created: float
    modified: float
    created_by: str
    run_id: str | None
    experiment: str | None
    is_archived: bool


@dataclass(frozen=True, kw_only=True)
class AssetResponse:
    """The registered version; or None, and the contents that must be sent before the same request is sent again."""

    asset: AssetView | None
    missing: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class AssetPage:
    """A page of assets, newest first; ``next_before`` goes into the next request, None on the last page."""

    assets: list[AssetView]
    next_before: str | None = None


@dataclass(frozen=True, kw_only=True)
class AssetUpdate:
    """Changes to an asset; what is None stays. Tags are merged and one given as None is removed; properties are added.

    A property that is set cannot be changed. A definition replaces the whole one.
    """

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    description: str | None = None
    tags: dict[str, str | None] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    definition: dict[str, Any] | None = None
    is_archived: bool | None = None


@dataclass(frozen=True, kw_only=True)
class DatastoreRequest:
    """A datastore to make. ``kind`` and ``definition`` are kept for whoever reads them; the files lie in a folder.

    With ``replaces`` a datastore of this name gets the new kind and definition and keeps its files.
    """

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    name: str
    kind: str = "folder"
    definition: dict[str, Any] = field(default_factory=dict)
    replaces: bool = False


@dataclass(frozen=True, kw_only=True)
class DatastoreView:
    """A datastore; ``location`` is its folder on the server's machine, where files may also be put by hand."""

    name: str
    kind: str
    definition: dict[str, Any]
    is_default: bool
    location: str
    created: float | None
    created_by: str


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file in a datastore; ``modified`` in seconds since 1970."""

    path: str
    size_bytes: int
    modified: float


@dataclass(frozen=True, kw_only=True)
class StoredFilePage:
    """Files by path; ``next_after`` goes into the next request, None on the last page."""

    files: list[StoredFile]
    next_after: str | None = None


@dataclass(frozen=True, kw_only=True)
class StoredAnswer:
    """``is_stored`` is False when a file of that path was there and was not to be replaced."""

    is_stored: bool
