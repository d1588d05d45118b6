"""Outputs of a run that become datasets."""

from __future__ import annotations

import copy
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from azureml._refusal import refuse
from azureml.data.dataset_factory import DataType, TabularDatasetFactory
from azureml.data.dataset_type_definitions import PromoteHeadersBehavior
from azureml.exceptions import UserErrorException

O = TypeVar("O", bound="OutputDatasetConfig")  # noqa: E741  # the type of an output, as D is that of a dataset

_NAME = re.compile(r"[A-Za-z_][0-9A-Za-z_]*")


class UploadOptions:
    """How an output folder is uploaded."""

    def __init__(self, overwrite: bool = False, source_globs: str | Sequence[str] | None = None) -> None:
        self.overwrite = overwrite
        self.source_globs = [source_globs] if isinstance(source_globs, str) else source_globs


class MountOptions:
    """How an output folder is mounted; accepted, no difference here."""

    def __init__(self, disable_metadata_cache: bool = False) -> None:
        self.disable_metadata_cache = disable_metadata_cache


class RegistrationConfiguration:
    """Under which name an output is registered when the run has completed."""

    def __init__(self, name: str, description: str | None, tags: Mapping[str, str] | None) -> None:
        self.name = name
        self.description = description
        self.tags = tags


class OutputDatasetConfig:
    """Base of the outputs; ``mode`` is mount, upload or link."""

    def __init__(self, mode: str, name: str | None = None, **kwargs: Any) -> None:
        if name is not None and not _NAME.fullmatch(name):
            raise UserErrorException(
                f"the name of an output has letters, digits and underscores and no digit first, got {name!r}"
            )
        self.mode = mode
        self._name = name or f"output_{uuid.uuid4().hex[:8]}"
        self._registration: RegistrationConfiguration | None = None
        self._reading: dict[str, Any] | None = None  # a tabular dataset's format and options, None for files
        self._steps: list[dict[str, Any]] = []

    @property
    def name(self) -> str:
        """The name in ``run.output_datasets``."""
        return self._name

    def register_on_complete(
        self: O, name: str, description: str | None = None, tags: Mapping[str, str] | None = None
    ) -> O:
        """The same output, registered as the next version of ``name`` when the run has completed."""
        changed = copy.copy(self)
        changed._registration = RegistrationConfiguration(name, description, tags)
        return changed

    def as_input(self, name: str | None = None) -> NoReturn:
        """Refused: only a pipeline hands the output of one run to the next."""
        refuse(
            f"{type(self).__name__}.as_input",
            "pipelines are not supported yet; register the output and use the dataset in the next run",
        )

    def _to_output(self) -> dict[str, Any]:
        """The plain form that travels with the run."""
        registration = self._registration
        return {
            "name": self._name,
            "mode": self.mode,
            "type": "file" if self._reading is None else "tabular",
            "reading": self._reading,
            "steps": list(self._steps),
            "register": None
            if registration is None
            else {
                "name": registration.name,
                "description": registration.description,
                "tags": dict(registration.tags or {}),
            },
            **self._place(),
        }

    def _place(self) -> dict[str, Any]:
        return {}

    def __str__(self) -> str:
        return f"DatasetOutputConfig:{self._name}"


class TransformationMixin:
    """Outputs whose files can be read as rows."""

    def read_delimited_files(
        self,
        include_path: bool = False,
        separator: str = ",",
        header: Any = PromoteHeadersBehavior.ALL_FILES_HAVE_SAME_HEADERS,
        partition_format: str | None = None,
        path_glob: str | None = None,
        set_column_types: Mapping[str, DataType] | None = None,
    ) -> OutputTabularDatasetConfig:
        """The output's delimited files as rows."""
        read = TabularDatasetFactory.from_delimited_files(
            "/output",
            validate=False,
            include_path=include_path,
            separator=separator,
            header=header,
            partition_format=partition_format,
            set_column_types=set_column_types,
        )
        return OutputTabularDatasetConfig(of=self, reading=read._definition, path_glob=path_glob)

    def read_parquet_files(
        self,
        include_path: bool = False,
        partition_format: str | None = None,
        path_glob: str | None = None,
        set_column_types: Mapping[str, DataType] | None = None,
    ) -> OutputTabularDatasetConfig:
        """The output's Parquet files as rows."""
        read = TabularDatasetFactory.from_parquet_files(
            "/output",
            validate=False,
            include_path=include_path,
            partition_format=partition_format,
            set_column_types=set_column_types,
        )
        return OutputTabularDatasetConfig(of=self, reading=read._definition, path_glob=path_glob)


class OutputFileDatasetConfig(OutputDatasetConfig, TransformationMixin):
    """A folder that the run writes and that becomes a FileDataset.

    ``destination`` is ``(datastore, path)``; ``{run-id}`` and ``{output-name}`` in the path are filled in, and the default is
    ``dataset/{run-id}/{output-name}`` of the default datastore. ``source`` is the folder on the node. Files are uploaded
    when the script has ended, with ``as_mount`` too.
    """

    def __init__(
        self,
        name: str | None = None,
        destination: Any = None,
        source: str | None = None,
        partition_format: str | None = None,
    ) -> None:
        super().__init__("mount", name)
        self.destination = _destination(destination)
        self.source = source
        self._partition_format = partition_format
        self._upload_options = UploadOptions(overwrite=True)
        self._mount_options: MountOptions | None = None

    def as_upload(
        self, overwrite: bool = False, source_globs: str | Sequence[str] | None = None
    ) -> OutputFileDatasetConfig:
        """The same output, uploaded at the end of the run; files that are there stay unless ``overwrite``."""
        changed = copy.copy(self)
        changed.mode = "upload"
        changed._upload_options = UploadOptions(overwrite, source_globs)
        return changed

    def as_mount(self, disable_metadata_cache: bool = False) -> OutputFileDatasetConfig:
        """The same output, mounted."""
        changed = copy.copy(self)
        changed.mode = "mount"
        changed._upload_options = UploadOptions(overwrite=True)
        changed._mount_options = MountOptions(disable_metadata_cache)
        return changed

    def _place(self) -> dict[str, Any]:
        datastore, path = self.destination if self.destination is not None else (None, None)
        return {
            "destination": {"datastore": None if datastore is None else datastore.name, "path": path},
            "source": self.source,
            "overwrite": self._upload_options.overwrite,
            "source_globs": self._upload_options.source_globs,
            "partition_format": self._partition_format,
        }


class HDFSOutputDatasetConfig(OutputDatasetConfig, TransformationMixin):
    """An output on HDFS: refused, there is no Hadoop."""

    def __init__(self, name: str | None = None, destination: Any = None) -> None:
        refuse("HDFSOutputDatasetConfig", "HDFS is not supported; use OutputFileDatasetConfig")


class OutputTabularDatasetConfig(OutputDatasetConfig):
    """A folder that the run writes and that becomes a TabularDataset; made by ``read_delimited_files`` and its kin."""

    def __init__(self, **kwargs: Any) -> None:
        of, reading = kwargs.get("of"), kwargs.get("reading")
        if not isinstance(of, OutputFileDatasetConfig) or reading is None:
            raise UserErrorException(
                "an OutputTabularDatasetConfig is made by OutputFileDatasetConfig(...).read_delimited_files() or "
                ".read_parquet_files()"
            )
        super().__init__(of.mode, of.name)
        self._of = of
        self._registration = of._registration
        self._reading = {
            "format": reading.format,
            "options": dict(reading.options),
            "path_glob": kwargs.get("path_glob"),
        }

    def as_mount(self) -> OutputTabularDatasetConfig:
        """The same output, mounted."""
        return self._over(self._of.as_mount())

    def as_upload(
        self, overwrite: bool = False, source_globs: str | Sequence[str] | None = None
    ) -> OutputTabularDatasetConfig:
        """The same output, uploaded at the end of the run."""
        return self._over(self._of.as_upload(overwrite, source_globs))

    def keep_columns(self, columns: str | Sequence[str]) -> OutputTabularDatasetConfig:
        """Only these columns."""
        return self._with_step("keep", columns)

    def drop_columns(self, columns: str | Sequence[str]) -> OutputTabularDatasetConfig:
        """All columns but these."""
        return self._with_step("drop", columns)

    def random_split(self, percentage: float, seed: int | None = None) -> NoReturn:
        """Refused: two datasets out of one output exist in pipelines only."""
        refuse(
            "OutputTabularDatasetConfig.random_split",
            "pipelines are not supported yet; split the registered dataset with TabularDataset.random_split",
        )

    def _over(self, of: OutputFileDatasetConfig) -> OutputTabularDatasetConfig:
        changed = copy.copy(self)
        changed._of = of
        changed.mode = of.mode
        return changed

    def _with_step(self, step: str, columns: str | Sequence[str]) -> OutputTabularDatasetConfig:
        changed = copy.copy(self)
        names = [columns] if isinstance(columns, str) else list(columns)
        changed._steps = [*self._steps, {"step": step, "columns": names}]
        return changed

    def _place(self) -> dict[str, Any]:
        return self._of._place()


class LinkFileOutputDatasetConfig(OutputDatasetConfig):
    """An output that the script names itself: ``run.output_datasets[name].link(file_dataset)``."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__("link", name)


class LinkTabularOutputDatasetConfig(OutputDatasetConfig):
    """An output that the script names itself: ``run.output_datasets[name].link(tabular_dataset)``."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__("link", name)


def _destination(destination: Any) -> tuple[Any, str | None] | None:
    if destination is None:
        return None
    if hasattr(destination, "path_on_datastore"):
        datastore = getattr(destination, "_datastore", None) or destination.datastore
        return datastore, destination.path_on_datastore
    if isinstance(destination, tuple) and len(destination) in (1, 2):
        return destination[0], destination[1] if len(destination) == 2 else None
    if hasattr(destination, "datastore_type"):
        return destination, None
    raise UserErrorException(f"destination is (datastore, path) or a DataPath, got {type(destination).__name__}")
