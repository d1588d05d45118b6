"""A dataset as an input of a run."""

from __future__ import annotations

import re
from typing import Any, NoReturn

from azureml._refusal import refuse
from azureml.exceptions import UserErrorException

_NAME = re.compile(r"[A-Za-z_][0-9A-Za-z_]*")
_MODES = ("direct", "mount", "download")


class DatasetConsumptionConfig:
    """How a run gets a dataset: ``direct`` (the dataset object), ``mount`` (a folder to read) or ``download`` (a copy)."""

    def __init__(self, name: str, dataset: Any, mode: str = "direct", path_on_compute: str | None = None) -> None:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise UserErrorException(
                f"the name of an input has letters, digits and underscores and no digit first, got {name!r}"
            )
        if mode == "hdfs":
            refuse("DatasetConsumptionConfig", "HDFS is not supported; use mount or download")
        if mode not in _MODES:
            raise UserErrorException(f"mode is one of {', '.join(_MODES)}, got {mode!r}")
        self._name = name
        self.dataset = dataset
        self.mode = mode
        self.path_on_compute = path_on_compute
        if mode != "direct":
            self._check_is_files()

    @property
    def name(self) -> str:
        """The name in ``run.input_datasets``."""
        return self._name

    def as_mount(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        """The input as a folder to read (the file's own path when the dataset is one file)."""
        return DatasetConsumptionConfig(self._name, self.dataset, "mount", path_on_compute)

    def as_download(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        """The input as a folder with copies (the file's own path when the dataset is one file)."""
        return DatasetConsumptionConfig(self._name, self.dataset, "download", path_on_compute)

    def as_hdfs(self) -> NoReturn:
        """Refused: there is no Hadoop."""
        refuse("DatasetConsumptionConfig.as_hdfs", "HDFS is not supported; use as_mount() or as_download()")

    def _check_is_files(self) -> None:
        from azureml.data.tabular_dataset import TabularDataset

        if isinstance(self.dataset, TabularDataset):
            raise UserErrorException(
                "a TabularDataset cannot be mounted or downloaded; give it as it is and read it with "
                "run.input_datasets[name].to_pandas_dataframe()"
            )

    def _to_input(self, workspace: Any = None) -> dict[str, Any]:
        """The plain form that travels with the run.

        With a ``workspace`` an unregistered dataset is saved there first, so that the run finds it by its id and its
        files of this machine come along; without one its definition travels.
        """
        from azureml.data.abstract_dataset import AbstractDataset

        dataset = self.dataset
        if not isinstance(dataset, AbstractDataset):
            refuse(
                "DatasetConsumptionConfig",
                f"an input of type {type(dataset).__name__} belongs to pipelines, which are not supported yet",
            )
        if workspace is not None:
            dataset._ensure_saved(workspace)
        described: dict[str, Any] = {
            "name": dataset.name,
            "version": dataset.version,
            "type": dataset._definition.type,
        }
        if dataset.id is not None:
            described["id"] = dataset.id
        else:
            described["definition"] = dataset._definition.as_dict()
        return {
            "name": self._name,
            "mode": self.mode,
            "dataset": described,
            "path_on_compute": self.path_on_compute,
        }

    def __str__(self) -> str:
        return f"DatasetConsumptionConfig:{self._name}"

    def __repr__(self) -> str:
        return f"DatasetConsumptionConfig(name={self._name!r}, dataset={self.dataset!r}, mode={self.mode!r})"
