"""A place in a datastore, and how it is bound to a run."""

from __future__ import annotations

from typing import Any

from azureml.exceptions import UserErrorException


class DataPath:
    """A datastore with a path in it."""

    def __init__(self, datastore: Any = None, path_on_datastore: str | None = None, name: str | None = None) -> None:
        if datastore is None:
            raise UserErrorException("a DataPath needs a datastore")
        self._datastore = datastore
        self._path_on_datastore = path_on_datastore
        self._name = name

    @property
    def datastore_name(self) -> str:
        """The datastore's name."""
        return str(self._datastore.name)

    @property
    def path_on_datastore(self) -> str | None:
        """The path in it."""
        return self._path_on_datastore

    @property
    def name(self) -> str | None:
        """The name that was given to this place."""
        return self._name

    @staticmethod
    def create_from_data_reference(data_reference: Any) -> DataPath:
        """The place of a DataReference."""
        return DataPath(data_reference.datastore, data_reference.path_on_datastore, data_reference.data_reference_name)

    def create_data_reference(
        self, data_reference_name: str | None = None, datapath_compute_binding: DataPathComputeBinding | None = None
    ) -> Any:
        """A DataReference to this place."""
        return (datapath_compute_binding or DataPathComputeBinding()).create_data_reference(
            data_reference_name or self._name, self
        )

    def __repr__(self) -> str:
        return f"DataPath(datastore={self.datastore_name!r}, path_on_datastore={self._path_on_datastore!r})"


class DataPathComputeBinding:
    """How the files of a DataPath come to a run: mount, download or upload."""

    def __init__(self, mode: str = "mount", path_on_compute: str | None = None, overwrite: bool = False) -> None:
        if mode not in ("mount", "download", "upload"):
            raise UserErrorException(f"mode is mount, download or upload, got {mode!r}")
        self.mode = mode
        self.path_on_compute = path_on_compute
        self.overwrite = overwrite

    @staticmethod
    def create_from_data_reference(data_reference: Any) -> DataPathComputeBinding:
        """The binding of a DataReference."""
        return DataPathComputeBinding(data_reference.mode, data_reference.path_on_compute, data_reference.overwrite)

    def create_data_reference(self, data_reference_name: str | None = None, datapath: DataPath | None = None) -> Any:
        """A DataReference to ``datapath`` that is bound in this way."""
        from azureml.data.data_reference import DataReference

        return DataReference.create(data_reference_name, datapath, self)
