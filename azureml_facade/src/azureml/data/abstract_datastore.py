"""What all datastores have in common."""

from __future__ import annotations

from typing import Any

from azureml._translation import translated


class AbstractDatastore:
    """A named place for files in a workspace."""

    def __init__(self, workspace: Any, name: str, datastore_type: str) -> None:
        self._workspace = workspace
        self._name = name
        self._datastore_type = datastore_type

    @property
    def workspace(self) -> Any:
        """The workspace it belongs to."""
        return self._workspace

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    @property
    def datastore_type(self) -> str:
        """What it was registered as: ``AzureBlob``, ``AzureFile``, ..."""
        return self._datastore_type

    @translated()
    def set_as_default(self) -> None:
        """Make it the workspace's default datastore."""
        self._sdk_datastores.set_default(self._name)

    @translated()
    def unregister(self) -> None:
        """Forget it; its files stay on the server's disk. UserErrorException for the default one."""
        self._sdk_datastore.delete()

    @property
    def _sdk_datastores(self) -> Any:
        from azureml.data._workspaces import sdk_of

        return sdk_of(self._workspace).datastores

    @property
    def _sdk_datastore(self) -> Any:
        return self._sdk_datastores.get(self._name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AbstractDatastore) and other._name == self._name and type(other) is type(self)

    def __hash__(self) -> int:
        return hash((type(self), self._name))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self._name!r})"
