"""Datastores: named folders of files that everybody in a workspace shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sublight.core.errors import InvalidInput
from sublight.messages.assets import DatastoreRequest, DatastoreView, StoredAnswer, StoredFile, StoredFilePage
from sublight.sdk.client import API, Client
from sublight.sdk.fetching import fetch

__all__ = ["Datastore", "Datastores", "StoredFile"]


class Datastores:
    """The datastores of a workspace: ``list``, ``get``, ``default``, ``create``, ``set_default``.

    ``workspaceblobstore`` is always there, and the default until another one is chosen. Made by
    ``Workspace.datastores``.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self) -> list[Datastore]:
        """All of them by name."""
        return [Datastore(self._client, view) for view in self._client.get(f"{API}/datastores", list[DatastoreView])]

    def get(self, name: str) -> Datastore:
        """The datastore of this name; NotFound names those that there are."""
        return Datastore(self._client, self._client.get(_path(name), DatastoreView))

    def default(self) -> Datastore:
        """The one that is meant where none is named."""
        return next(datastore for datastore in self.list() if datastore.is_default)

    def create(
        self, name: str, kind: str = "folder", definition: Mapping[str, Any] | None = None, replaces: bool = False
    ) -> Datastore:
        """A new datastore, whose files lie in a folder of the server whatever ``kind`` says.

        ``kind`` and ``definition`` are kept for whoever reads them, and must hold no secret. NameTaken when there is one
        of that name; with ``replaces`` it gets the new kind and definition and keeps its files.
        """
        request = DatastoreRequest(name=name, kind=kind, definition=dict(definition or {}), replaces=replaces)
        return Datastore(self._client, self._client.post(f"{API}/datastores", DatastoreView, request))

    def set_default(self, name: str) -> Datastore:
        """Make this one the default."""
        return Datastore(self._client, self._client.post(f"{_path(name)}/make-default", DatastoreView))


class Datastore:
    """A named folder of shared files."""

    def __init__(self, client: Client, view: DatastoreView) -> None:
        self._client = client
        self._view = view

    @property
    def view(self) -> DatastoreView:
        """Everything the server says of it, as it was last read."""
        return self._view

    @property
    def name(self) -> str:
        """Its name."""
        return self._view.name

    @property
    def kind(self) -> str:
        """What its maker called it; ``folder`` unless told otherwise."""
        return self._view.kind

    @property
    def definition(self) -> dict[str, Any]:
        """What its maker wrote down about it."""
        return dict(self._view.definition)

    @property
    def is_default(self) -> bool:
        """True for the one that is meant where none is named."""
        return self._view.is_default

    @property
    def location(self) -> str:
        """Its folder on the server's machine; what is put there by hand is in the datastore."""
        return self._view.location

    def files(self, prefix: str = "") -> list[StoredFile]:
        """The files whose path begins with ``prefix``, by path."""
        return list(self._files(prefix))

    def upload(self, local_file: str | Path, path: str, overwrite: bool = False) -> bool:
        """Store a file of this machine under ``path``; False when one is there and is not to be replaced."""
        place = Path(local_file).expanduser()
        if not place.is_file():
            raise InvalidInput(f"upload takes a file of this machine, and {place} is not one")
        answer = self._client.send_file(
            f"{_path(self.name)}/files",
            place,
            StoredAnswer,
            path=path,
            overwrites=overwrite,
            size_bytes=place.stat().st_size,
        )
        return answer.is_stored

    def read(self, path: str) -> bytes:
        """The content of a file."""
        return self._client.get_bytes(f"{_path(self.name)}/files/content", path=path)

    def download(self, dest: str | Path, prefix: str = "") -> list[Path]:
        """Fetch the files whose path begins with ``prefix`` to below ``dest``, under their whole paths.

        Gives their places, and an empty list when there are no such files. Files of the same name are replaced.
        """
        destination = Path(dest)
        destination.mkdir(parents=True, exist_ok=True)
        return [self.fetch_file(file, destination, file.path) for file in self._files(prefix)]

    def fetch_file(self, file: StoredFile, destination: Path, path: str) -> Path:
        """Fetch one of its files to ``path`` below ``destination``."""
        return fetch(
            self._client,
            f"{_path(self.name)}/files/content",
            destination,
            path,
            shown=f"{file.path} of datastore {self.name}",
            path=file.path,
        )

    def remove(self, path: str) -> None:
        """Remove a file from it."""
        self._client.delete(f"{_path(self.name)}/files", object, path=path)

    def delete(self) -> None:
        """Take it out of the workspace; its folder stays on the server. The default one is refused."""
        self._client.delete(_path(self.name), object)

    def __repr__(self) -> str:
        return f"Datastore({self.name!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Datastore) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def _files(self, prefix: str) -> Iterator[StoredFile]:
        after: str | None = None
        while True:
            page = self._client.get(f"{_path(self.name)}/files", StoredFilePage, prefix=prefix, after=after)
            yield from page.files
            after = page.next_after
            if after is None:
                return


def _path(name: str) -> str:
    return f"{API}/datastores/{quote(name, safe='')}"
