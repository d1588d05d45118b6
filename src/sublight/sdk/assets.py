"""Assets: datasets, models, environments and mapped addresses, each a name with versions that keep their files."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

from sublight.core.errors import Conflict, InvalidInput, NotFound
from sublight.messages.assets import (
    AssetFile,
    AssetKind,
    AssetPage,
    AssetRequest,
    AssetResponse,
    AssetUpdate,
    AssetView,
    RunFiles,
)
from sublight.sdk.client import API, Client
from sublight.sdk.fetching import fetch
from sublight.sdk.local_files import local_files

__all__ = ["KINDS", "Asset", "AssetFile", "Assets"]

KINDS: tuple[AssetKind, ...] = get_args(AssetKind)
_PAGE_SIZE = 200
_ROUNDS_MAX = 3


class Assets:
    """The versioned things of a workspace: ``register``, ``list``, ``get``, ``by_id``. Made by ``Workspace.assets``.

    A kind is ``dataset``, ``model``, ``environment`` or ``address`` (a public address that stands for a file here).
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def register(
        self,
        kind: str,
        name: str,
        *,
        files: Mapping[str, str | Path] | None = None,
        from_run: tuple[str, str] | None = None,
        description: str = "",
        tags: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
        definition: Mapping[str, Any] | None = None,
        run_id: str | None = None,
    ) -> Asset:
        """A new version of ``name``, numbered one above the last one.

        ``files`` maps a path in the asset to a file or folder of this machine (``""``: the folder's files at the top);
        only contents that the server does not have yet are sent. ``from_run`` names a run and the file or folder that it
        left, which then goes in under its own last name, without a download. ``definition`` is kept as it is.
        """
        if files and from_run is not None:
            raise InvalidInput("register takes either files or from_run; got both")
        chosen = _checked_kind(kind)
        local = local_files(files or {})
        listed = [_described(path, place) for path, place in sorted(local.items())]
        request = AssetRequest(
            kind=chosen,
            name=name,
            files=listed,
            from_run=RunFiles(run_id=from_run[0], path=from_run[1]) if from_run is not None else None,
            description=description or "",
            tags=_texts(tags, "tags"),
            properties=_texts(properties, "properties"),
            definition=dict(definition or {}),
            run_id=run_id,
        )
        # One key for all rounds: whatever gets lost on the way, one version comes out.
        key = str(uuid.uuid4())
        for _ in range(_ROUNDS_MAX):
            answer = self._client.post(f"{API}/assets", AssetResponse, request, key=key)
            if answer.asset is not None:
                return Asset(self._client, answer.asset)
            self._send(answer.missing, listed, local)
        raise Conflict(f"the contents of {kind} {name!r} were removed by somebody while they were sent; register again")

    def list(
        self,
        kind: str | None = None,
        *,
        name: str | None = None,
        tag: str | None = None,
        run_id: str | None = None,
        is_latest_only: bool = False,
        includes_archived: bool = False,
    ) -> list[Asset]:
        """The versions that pass the filters, newest first; ``tag`` is ``key`` or ``key=value``.

        ``is_latest_only`` leaves the newest of each name among them.
        """
        chosen = _checked_kind(kind) if kind is not None else None
        found: list[Asset] = []
        before: str | None = None
        while True:
            page = self._client.get(
                f"{API}/assets",
                AssetPage,
                kind=chosen,
                name=name,
                tag=tag,
                run_id=run_id,
                is_latest_only=is_latest_only,
                includes_archived=includes_archived,
                before=before,
                limit=_PAGE_SIZE,
            )
            found += [Asset(self._client, view) for view in page.assets]
            before = page.next_before
            if before is None:
                return found

    def get(self, kind: str, name: str, version: int | None = None) -> Asset:
        """One version of a name, or its newest one; NotFound says what there is, or which names are near."""
        view = self._client.get(f"{API}/assets/named", AssetView, kind=_checked_kind(kind), name=name, version=version)
        return Asset(self._client, view)

    def by_id(self, asset_id: str) -> Asset:
        """The version of this id."""
        return Asset(self._client, self._client.get(_path(asset_id), AssetView))

    def _send(self, missing: Sequence[str], listed: Sequence[AssetFile], local: Mapping[str, Path]) -> None:
        by_content = {file.sha256: file for file in listed}
        for sha256 in missing:
            file = by_content[sha256]
            place = local[file.path]
            try:
                self._client.put_file(f"{API}/blobs/{sha256}", place, size_bytes=file.size_bytes)
            except (InvalidInput, OSError) as error:
                if _described(file.path, place) != file:
                    raise Conflict(f"{place} was changed while it was being sent; register it again") from error
                raise


class Asset:
    """One version of a dataset, model, environment or address. Its files never change; what is said about it may."""

    def __init__(self, client: Client, view: AssetView) -> None:
        self._client = client
        self._view = view

    @property
    def view(self) -> AssetView:
        """Everything the server says of it, as it was last read."""
        return self._view

    @property
    def id(self) -> str:
        """What names exactly this version, for ever."""
        return self._view.id

    @property
    def kind(self) -> str:
        """``dataset``, ``model``, ``environment`` or ``address``."""
        return self._view.kind

    @property
    def name(self) -> str:
        """The name that all its versions share; of an address, the address."""
        return self._view.name

    @property
    def version(self) -> int:
        """Its number among the versions of its name, from 1; no number is given twice."""
        return self._view.version

    @property
    def description(self) -> str:
        """A text for people."""
        return self._view.description

    @property
    def tags(self) -> dict[str, str]:
        """Its tags."""
        return dict(self._view.tags)

    @property
    def properties(self) -> dict[str, str]:
        """Its properties; unlike tags they are set once."""
        return dict(self._view.properties)

    @property
    def definition(self) -> dict[str, Any]:
        """What its maker wrote down about it, not interpreted by the server."""
        return dict(self._view.definition)

    @property
    def size_bytes(self) -> int:
        """The size of all its files together."""
        return self._view.size_bytes

    @property
    def files_count(self) -> int:
        """How many files it has."""
        return self._view.files_count

    @property
    def created(self) -> float:
        """When it was registered, in seconds since 1970."""
        return self._view.created

    @property
    def modified(self) -> float:
        """When something that is said about it was last changed, in seconds since 1970."""
        return self._view.modified

    @property
    def created_by(self) -> str:
        """Who registered it."""
        return self._view.created_by

    @property
    def run_id(self) -> str | None:
        """The run that made it, if one did."""
        return self._view.run_id

    @property
    def experiment(self) -> str | None:
        """The experiment of the run that made it."""
        return self._view.experiment

    @property
    def is_archived(self) -> bool:
        """True when it is left out of lists; it can still be used."""
        return self._view.is_archived

    def files(self) -> list[AssetFile]:
        """Its files by path, each with its size and SHA-256."""
        return self._client.get(f"{_path(self.id)}/files", list[AssetFile])

    def download(self, dest: str | Path = ".", path: str | None = None) -> list[Path]:
        """Fetch its files, or the file or folder ``path`` of them, to below the folder ``dest``; gives their places.

        Each comes whole or not at all; files of the same name are replaced.
        """
        destination = Path(dest)
        destination.mkdir(parents=True, exist_ok=True)
        return [self.fetch_file(file, destination, file.path) for file in self._chosen(path)]

    def read(self, path: str) -> bytes:
        """The content of one of its files."""
        return self._client.get_bytes(f"{_path(self.id)}/content", path=path)

    def fetch_file(self, file: AssetFile, destination: Path, path: str) -> Path:
        """Fetch one of its files to ``path`` below ``destination``, checked against its SHA-256."""
        return fetch(
            self._client,
            f"{_path(self.id)}/content",
            destination,
            path,
            sha256=file.sha256,
            shown=f"{file.path} of {self.kind} {self.name!r}",
            path=file.path,
        )

    def update(
        self,
        description: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        properties: Mapping[str, str] | None = None,
        definition: Mapping[str, Any] | None = None,
    ) -> Asset:
        """Change what is said about it. A tag given as None is removed; a property can be added, never changed."""
        change = AssetUpdate(
            description=description,
            tags=dict(tags or {}),
            properties=_texts(properties, "properties"),
            definition=dict(definition) if definition is not None else None,
        )
        return self._change(change)

    def archive(self) -> Asset:
        """Leave it out of lists; it can still be used."""
        return self._change(AssetUpdate(is_archived=True))

    def restore(self) -> Asset:
        """Take it back into lists."""
        return self._change(AssetUpdate(is_archived=False))

    def delete(self) -> None:
        """Remove this version for good. Contents that something else needs stay."""
        self._client.delete(_path(self.id), object)

    def __repr__(self) -> str:
        return f"Asset({self.kind} {self.name!r}, version {self.version})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Asset) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def _change(self, change: AssetUpdate) -> Asset:
        self._view = self._client.patch(_path(self.id), AssetView, change)
        return self

    def _chosen(self, path: str | None) -> Sequence[AssetFile]:
        everything = self.files()
        if path is None:
            return everything
        wanted = path.strip("/")
        chosen = [one for one in everything if one.path == wanted or one.path.startswith(wanted + "/")]
        if not chosen:
            there = ", ".join(one.path for one in everything[:8]) or "nothing"
            raise NotFound(f"{self.kind} {self.name!r} version {self.version} has no {path!r}; it holds {there}")
        return chosen


def _path(asset_id: str) -> str:
    return f"{API}/assets/{quote(asset_id, safe='')}"


def _checked_kind(kind: str) -> AssetKind:
    if kind not in KINDS:
        raise InvalidInput(f"the kind of an asset is one of {', '.join(KINDS)}, got {kind!r}")
    return kind


def _described(path: str, place: Path) -> AssetFile:
    try:
        with place.open("rb") as content:
            sha256 = hashlib.file_digest(content, "sha256").hexdigest()
            return AssetFile(path=path, sha256=sha256, size_bytes=content.tell())
    except OSError as error:
        raise InvalidInput(f"{place} cannot be read ({error.strerror}); make it readable") from error


def _texts(pairs: Mapping[str, str] | None, what: str) -> dict[str, str]:
    for name, value in (pairs or {}).items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise InvalidInput(f"{what} must map text to text, got {name!r}: {value!r}")
    return dict(pairs or {})
