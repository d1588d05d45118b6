"""A dataset of files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from azureml._refusal import refuse
from azureml.data import _expressions, _placing, _reading, _steps
from azureml.data._definition import Definition
from azureml.data._sources import SourceFile
from azureml.data.abstract_dataset import AbstractDataset, new_input_name
from azureml.data.context_managers import BasicMountContext
from azureml.exceptions import UserErrorException

_METADATA = ("Size", "Extension", "LastModifiedTime", "CreationTime", "CanSeek")


class FileDataset(AbstractDataset):
    """Files that lie in datastores, at addresses or with the dataset itself; fetched when they are asked for."""

    def to_path(self) -> list[str]:
        """The files' paths within the dataset, each beginning with a slash; below the folder of a download or mount."""
        return [file.shown for file in self._files()]

    def download(
        self, target_path: str | None = None, overwrite: bool = False, ignore_not_found: bool = False
    ) -> list[str]:
        """Copy the files to ``target_path`` (a new temporary folder); the paths of the copies."""
        folder = Path(target_path) if target_path else Path(tempfile.mkdtemp(prefix="dataset_"))
        try:
            files = self._files()
        except UserErrorException:
            if ignore_not_found:
                return []
            raise
        return _placing.copy_into(files, folder.absolute(), overwrites=overwrite)

    def mount(self, mount_point: str | None = None, **kwargs: Any) -> BasicMountContext:
        """The files in a folder for a while: ``with dataset.mount() as context: os.listdir(context.mount_point)``."""
        return BasicMountContext(lambda folder: _placing.link_into(self._files(), folder), mount_point)

    def as_mount(self, path_on_compute: str | None = None) -> Any:
        """An input of a run whose value is a folder with the files, or the file's path when the dataset is one file."""
        return self.as_named_input(new_input_name()).as_mount(path_on_compute)

    def as_download(self, path_on_compute: str | None = None) -> Any:
        """Like ``as_mount``, with copies that the script may change."""
        return self.as_named_input(new_input_name()).as_download(path_on_compute)

    def as_hdfs(self) -> NoReturn:
        """Refused: there is no Hadoop."""
        refuse("FileDataset.as_hdfs", "HDFS is not supported; use as_mount() or as_download()")

    def as_cache(self, datacache_store: Any) -> NoReturn:
        """Refused: data is cached on every node anyway."""
        refuse("FileDataset.as_cache", "data caches are not supported, nodes keep copies by themselves; use as_mount()")

    def hydrate(self, datacache_store: Any, replica_count: int | None = None) -> NoReturn:
        """Refused: data is cached on every node anyway."""
        refuse("FileDataset.hydrate", "data caches are not supported, nodes keep copies by themselves")

    def take(self, count: int) -> FileDataset:
        """The first ``count`` files."""
        return self._take(count)

    def skip(self, count: int) -> FileDataset:
        """All but the first ``count`` files."""
        return self._skip(count)

    def take_sample(self, probability: float, seed: int | None = None) -> FileDataset:
        """Each file with this probability; the same ones at every reading."""
        return self._sample(probability, seed)

    def random_split(self, percentage: float, seed: int | None = None) -> tuple[FileDataset, FileDataset]:
        """Two datasets: about this share of the files and all the others."""
        return self._split(percentage, seed)

    def file_metadata(self, col: str) -> _expressions.Expression:
        """A property of each file for ``filter``: Size (bytes), Extension, LastModifiedTime, CreationTime or CanSeek."""
        if col not in _METADATA:
            raise UserErrorException(f"file metadata is one of {', '.join(_METADATA)}, got {col!r}")
        return _expressions.column(col)

    def filter(self, expression: Any) -> FileDataset:
        """Only files for which the condition holds: ``dataset.filter(dataset.file_metadata("Size") > 1000)``."""
        return self._with_step("filter", expression=_expressions.tree_of_condition(expression))

    def get_partition_key_values(self, partition_keys: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """Each combination of the partition columns' values that occurs, as a list of dictionaries."""
        return super().get_partition_key_values(partition_keys)

    def _files(self) -> list[SourceFile]:
        """The files after all steps, on this machine."""
        if self._definition.format == "rendered":
            files = [self._rendered()]
        else:
            files = _reading.with_partitions(self._definition, self._sources().files(self._definition.paths))
        return _steps.apply_to_files(files, self._definition.steps, _metadata)

    def _is_single_file(self) -> bool:
        return (
            self._definition.format == "files"
            and not self._definition.steps
            and self._sources().is_single_file(self._definition.paths)
        )

    def _rendered(self) -> SourceFile:
        """The one file of ``to_csv_files`` and ``to_parquet_files``, written now."""
        wanted = self._definition.options["rendered"]
        frame = _reading.read_frame(Definition.from_dict(wanted["of"]), self._sources())
        name = f"part-00000.{wanted['form']}"
        target = Path(tempfile.mkdtemp(prefix="dataset_")) / name
        if wanted["form"] == "csv":
            frame.to_csv(target, sep=wanted["separator"], index=False)
        else:
            frame.to_parquet(target, index=False)
        return SourceFile(target, f"/{name}", f"/{name}")


def _metadata(file: SourceFile) -> dict[str, Any]:
    import pandas as pd

    status = os.stat(file.local)
    return {
        "Size": status.st_size,
        "Extension": file.local.suffix,
        "LastModifiedTime": pd.Timestamp(status.st_mtime, unit="s"),
        "CreationTime": pd.Timestamp(status.st_ctime, unit="s"),
        "CanSeek": True,
    }
