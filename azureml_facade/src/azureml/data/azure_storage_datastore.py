"""Datastores of files. What was a blob container or file share in Azure is here a folder of the workspace."""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from azureml._translation import translated
from azureml.data.abstract_datastore import AbstractDatastore
from azureml.exceptions import UserErrorException


class AbstractAzureStorageDatastore(AbstractDatastore):
    """A datastore whose files can be uploaded, downloaded and given to runs."""

    def __init__(
        self,
        workspace: Any,
        name: str,
        datastore_type: str,
        container_name: str,
        account_name: str,
        sas_token: str | None = None,
        account_key: str | None = None,
        protocol: str | None = None,
        endpoint: str | None = None,
    ) -> None:
        super().__init__(workspace, name, datastore_type)
        self.container_name = container_name
        self.account_name = account_name
        self.sas_token = sas_token
        self.account_key = account_key
        self.protocol = protocol or "https"
        self.endpoint = endpoint or "core.windows.net"

    @property
    def is_sas(self) -> bool:
        """True when it was registered with a shared access signature."""
        return self.sas_token is not None

    def upload(
        self, src_dir: str, target_path: str | None = None, overwrite: bool = False, show_progress: bool = True
    ) -> Any:
        """Upload a folder's files to below ``target_path``; a file that is there stays unless ``overwrite``.

        Returns a DataReference to ``target_path``.
        """
        folder = Path(src_dir)
        if not folder.is_dir():
            raise UserErrorException(f"src_dir must be a folder on this machine, got {src_dir}")
        files = [str(file) for file in sorted(folder.rglob("*")) if file.is_file()]
        return self.upload_files(files, str(folder), target_path, overwrite, show_progress)

    @translated()
    def upload_files(
        self,
        files: Sequence[str],
        relative_root: str | None = None,
        target_path: str | None = None,
        overwrite: bool = False,
        show_progress: bool = True,
    ) -> Any:
        """Upload files to ``target_path``, with their folders below ``relative_root`` (default: the folder they share).

        Returns a DataReference to ``target_path``.
        """
        given = [files] if isinstance(files, str) else list(files)
        places = [Path(file).absolute() for file in given]
        missing = [str(place) for place in places if not place.is_file()]
        if missing:
            raise UserErrorException(f"upload_files needs files of this machine, but {missing[0]} is not one")
        root = Path(relative_root).absolute() if relative_root else _shared_folder(places)
        datastore = self._sdk_datastore
        stored = skipped = 0
        for place in places:
            if not place.is_relative_to(root):
                raise UserErrorException(f"{place} does not lie below relative_root {root}")
            path = "/".join(filter(None, [_inside(target_path), place.relative_to(root).as_posix()]))
            if datastore.upload(place, path, overwrite=overwrite):
                stored += 1
            else:
                skipped += 1
                if show_progress:
                    print(f"{path} is in {self.name} already; it stays (overwrite=True replaces it)")
        if show_progress:
            print(f"Uploaded {stored} of {stored + skipped} files to {self.name}/{_inside(target_path)}")
        return self.path(target_path) if target_path else self.path()

    @translated()
    def download(
        self, target_path: str, prefix: str | None = None, overwrite: bool = False, show_progress: bool = True
    ) -> int:
        """Copy the files (those whose path begins with ``prefix``) to below ``target_path``; how many were copied.

        A file that is there stays unless ``overwrite``.
        """
        datastore = self._sdk_datastore
        folder = Path(target_path)
        count = 0
        for file in datastore.files(prefix=_inside(prefix)):
            if (folder / file.path).exists() and not overwrite:
                if show_progress:
                    print(f"{folder / file.path} exists already; it stays (overwrite=True replaces it)")
                continue
            datastore.fetch_file(file, folder, file.path)
            count += 1
        if show_progress:
            print(f"Downloaded {count} files from {self.name}")
        return count

    def path(self, path: str | None = None, data_reference_name: str | None = None) -> Any:
        """A reference to ``path`` in it, for ``from_files`` and as an input of runs.

        Without a name, one to the whole datastore is called after it, and one to a path has a name that nothing else has,
        so that a run can take several.
        """
        from azureml.data.data_reference import DataReference

        inside = _inside(path) or None
        if inside is not None and data_reference_name is None:
            data_reference_name = uuid.uuid4().hex
        return DataReference(self, data_reference_name, inside)

    def as_mount(self) -> Any:
        """A reference to all of it, as a folder on the node."""
        return self.path().as_mount()

    def as_download(self, path_on_compute: str | None = None) -> Any:
        """A reference to all of it, as copies on the node."""
        return self.path().as_download(path_on_compute)

    def as_upload(self, path_on_compute: str | None = None) -> Any:
        """A reference to it that takes a folder of the node in when the run has ended."""
        return self.path().as_upload(path_on_compute)


class AzureBlobDatastore(AbstractAzureStorageDatastore):
    """What was a blob container."""

    def __init__(
        self,
        workspace: Any,
        name: str,
        container_name: str,
        account_name: str,
        sas_token: str | None = None,
        account_key: str | None = None,
        protocol: str | None = None,
        endpoint: str | None = None,
        request_session: Any = None,
        workspace_msi_has_access: bool = False,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        service_data_access_auth_identity: Any = None,
    ) -> None:
        super().__init__(
            workspace, name, "AzureBlob", container_name, account_name, sas_token, account_key, protocol, endpoint
        )
        self.workspace_msi_has_access = workspace_msi_has_access
        self.subscription_id = subscription_id
        self.resource_group = resource_group


class AzureFileDatastore(AbstractAzureStorageDatastore):
    """What was a file share."""

    def __init__(
        self,
        workspace: Any,
        name: str,
        container_name: str,
        account_name: str,
        sas_token: str | None = None,
        account_key: str | None = None,
        protocol: str | None = None,
        endpoint: str = "core.windows.net",
        request_session: Any = None,
    ) -> None:
        super().__init__(
            workspace, name, "AzureFile", container_name, account_name, sas_token, account_key, protocol, endpoint
        )


def _shared_folder(places: Sequence[Path]) -> Path:
    if not places:
        return Path.cwd()
    return Path(os.path.commonpath([place.parent for place in places]))


def _inside(path: str | None) -> str:
    """A path in the datastore as it is kept: with forward slashes, none at its ends."""
    cleaned = str(path or "").replace("\\", "/").removeprefix("./").strip("/")
    return "" if cleaned == "." else cleaned
