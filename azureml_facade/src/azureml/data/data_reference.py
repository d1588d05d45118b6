"""A place in a datastore as an input or output of a run."""

from __future__ import annotations

import re
from typing import Any

from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.exceptions import UserErrorException


class DataReference:
    """A folder or file of a datastore that a run reads (mount, download) or writes (mount, upload).

    In arguments it stands for the path on the node: ``$AZUREML_DATAREFERENCE_<name>``.
    """

    def __init__(
        self,
        datastore: Any,
        data_reference_name: str | None = None,
        path_on_datastore: str | None = None,
        mode: str = "mount",
        path_on_compute: str | None = None,
        overwrite: bool = False,
    ) -> None:
        if not hasattr(datastore, "datastore_type"):
            raise UserErrorException(f"a DataReference needs a datastore, got {type(datastore).__name__}")
        if mode not in ("mount", "download", "upload"):
            raise UserErrorException(f"mode is mount, download or upload, got {mode!r}")
        name = data_reference_name or datastore.name
        if not re.fullmatch(r"\w+", name):
            raise UserErrorException(f"a data reference is named by letters, digits and underscores, got {name!r}")
        self.datastore = datastore
        self.data_reference_name = name
        self.path_on_datastore = path_on_datastore
        self.mode = mode
        self.path_on_compute = path_on_compute
        self.overwrite = overwrite

    @staticmethod
    def create(
        data_reference_name: str | None = None,
        datapath: DataPath | None = None,
        datapath_compute_binding: DataPathComputeBinding | None = None,
    ) -> DataReference:
        """A reference to ``datapath``."""
        if datapath is None:
            raise UserErrorException("DataReference.create needs a datapath")
        binding = datapath_compute_binding or DataPathComputeBinding()
        return DataReference(
            datapath._datastore,
            data_reference_name or datapath.name,
            datapath.path_on_datastore,
            binding.mode,
            binding.path_on_compute,
            binding.overwrite,
        )

    def path(self, path: str | None = None, data_reference_name: str | None = None) -> DataReference:
        """A reference to ``path`` below this one."""
        inside = "/".join(part.strip("/") for part in (self.path_on_datastore, path) if part)
        return self._copy(path_on_datastore=inside or None, data_reference_name=data_reference_name)

    def as_mount(self) -> DataReference:
        """The files in a folder on the node; what the script writes there goes into the datastore at the end."""
        return self._copy(mode="mount")

    def as_download(self, path_on_compute: str | None = None, overwrite: bool = False) -> DataReference:
        """Copies of the files on the node."""
        return self._copy(mode="download", path_on_compute=path_on_compute, overwrite=overwrite)

    def as_upload(self, path_on_compute: str | None = None, overwrite: bool = False) -> DataReference:
        """A folder on the node whose files go into the datastore at the end."""
        return self._copy(mode="upload", path_on_compute=path_on_compute, overwrite=overwrite)

    def to_config(self) -> Any:
        """The form it has in a RunConfiguration."""
        from azureml.core.runconfig import DataReferenceConfiguration

        return DataReferenceConfiguration(
            datastore_name=self.datastore.name,
            mode=self.mode,
            path_on_datastore=self.path_on_datastore,
            path_on_compute=self.path_on_compute,
            overwrite=self.overwrite,
        )

    def _copy(self, **changes: Any) -> DataReference:
        values = {
            "data_reference_name": self.data_reference_name,
            "path_on_datastore": self.path_on_datastore,
            "mode": self.mode,
            "path_on_compute": self.path_on_compute,
            "overwrite": self.overwrite,
            **{name: value for name, value in changes.items() if value is not None},
        }
        return DataReference(self.datastore, **values)

    def _to_reference(self) -> dict[str, Any]:
        """The plain form that travels with the run."""
        return {
            "name": self.data_reference_name,
            "datastore": self.datastore.name,
            "path": self.path_on_datastore or "",
            "mode": self.mode,
            "path_on_compute": self.path_on_compute,
            "overwrite": self.overwrite,
        }

    def __str__(self) -> str:
        return f"$AZUREML_DATAREFERENCE_{self.data_reference_name}"

    def __repr__(self) -> str:
        return str(self)
