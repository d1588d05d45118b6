"""What tabular and file datasets have in common: a lazy description, a registration, tags."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from azureml._translation import translated
from azureml.data import _registration, _steps, _workspaces
from azureml.data._definition import Definition
from azureml.data._partition_format import read_partition_format
from azureml.data._sources import Sources
from azureml.exceptions import UserErrorException

D = TypeVar("D", bound="AbstractDataset")


class AbstractDataset:
    """Base of TabularDataset and FileDataset. Nothing is read before its contents are asked for.

    Made by ``Dataset.Tabular``, ``Dataset.File`` and ``Dataset.get_by_name``, not by calling the class.
    """

    _definition: Definition
    _workspace: Any
    _asset: Any

    def __init__(self) -> None:
        raise UserErrorException(
            f"{type(self).__name__} is not made by calling it; use Dataset.Tabular, Dataset.File or Dataset.get_by_name"
        )

    @classmethod
    def _create(
        cls: type[D], definition: Definition, workspace: Any = None, asset: Any = None, source: Any = None
    ) -> D:
        """A dataset of this class; ``asset`` is its registration, ``source`` the asset that its files are kept with."""
        dataset = cls.__new__(cls)
        dataset._definition = definition
        dataset._workspace = workspace
        dataset._asset = asset
        dataset._source = source if source is not None else asset
        return dataset

    _source: Any

    @property
    def id(self) -> str | None:
        """The id of the registered dataset (the same for as long as the version exists), None before registration."""
        return None if self._asset is None else str(self._asset.id)

    @property
    def name(self) -> str | None:
        """The name it is registered under."""
        return None if self._asset is None or _registration.is_saved_only(self._asset) else str(self._asset.name)

    @property
    def version(self) -> int | None:
        """The version it is registered as."""
        return None if self.name is None else int(self._asset.version)

    @property
    def description(self) -> str | None:
        """What was said about it at registration."""
        return None if self.name is None else (self._asset.description or None)

    @property
    def tags(self) -> dict[str, str]:
        """Its tags."""
        return {} if self.name is None else dict(self._asset.tags or {})

    @property
    def data_changed_time(self) -> datetime | None:
        """When the registered version was made; its files in a datastore may have changed since."""
        return None if self._asset is None else _utc(self._asset.created)

    @property
    def partition_keys(self) -> list[str]:
        """The columns that ``partition_format`` takes from the paths."""
        text = self._definition.options.get("partition_format")
        return [key for key, _ in read_partition_format(text).keys] if text else []

    @staticmethod
    @translated()
    def get_all(workspace: Any) -> dict[str, AbstractDataset]:
        """The newest version of every registered dataset, by name."""
        assets = _workspaces.sdk_of(workspace).assets.list("dataset", is_latest_only=True)
        return {
            asset.name: _of_asset(asset, workspace)
            for asset in assets
            if not asset.is_archived and not _registration.is_saved_only(asset)
        }

    @staticmethod
    @translated()
    def get_by_id(workspace: Any, id: str, **kwargs: Any) -> AbstractDataset:
        """The dataset of this id; UserErrorException when there is none."""
        from sublight.sdk.errors import NotFound

        try:
            asset = _workspaces.sdk_of(workspace).assets.by_id(id)
        except NotFound as error:
            raise UserErrorException(f"no dataset has the id {id!r} in this workspace") from error
        if asset.kind != "dataset":
            raise UserErrorException(f"the id {id!r} belongs to a {asset.kind}, not to a dataset")
        return _of_asset(asset, workspace)

    @staticmethod
    @translated()
    def get_by_name(workspace: Any, name: str, version: int | str = "latest", **kwargs: Any) -> AbstractDataset:
        """The dataset of this name, its newest version unless one is given; UserErrorException when there is none."""
        number = _version(version)
        asset = _workspaces.sdk_of(workspace).assets.get("dataset", name, number)
        if asset.is_archived and number is None:
            raise UserErrorException(f"there is no dataset {name!r} in this workspace (any more); it was unregistered")
        return _of_asset(asset, workspace)

    def get_partition_key_values(self, partition_keys: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """Each combination of the partition columns' values that occurs, as a list of dictionaries."""
        from azureml.data import _reading

        keys = list(partition_keys) if partition_keys else self.partition_keys
        unknown = [key for key in keys if key not in self.partition_keys]
        if unknown or not keys:
            raise UserErrorException(
                f"partition keys of this dataset are {self.partition_keys}, got {unknown or 'none'}"
            )
        files = _reading.with_partitions(self._definition, self._sources().files(self._definition.paths))
        found = [_reading.partition_values(self._definition, file) for file in files]
        unique = {tuple(values[key] for key in keys): None for values in found}
        return [dict(zip(keys, values, strict=True)) for values in unique]

    def register(
        self: D,
        workspace: Any,
        name: str,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        create_new_version: bool = False,
    ) -> D:
        """Register under a name; returns the registered dataset.

        Registering the same dataset again gives what is there. Another one under a taken name is the next version with
        ``create_new_version=True``, else UserErrorException. Files on this machine are copied into the workspace.
        """
        asset = _registration.register(
            self._definition,
            workspace,
            name,
            description=description,
            tags=tags,
            creates_version=create_new_version,
            source=self._source,
        )
        return type(self)._create(Definition.from_dict(asset.definition), workspace, asset)

    @translated()
    def unregister_all_versions(self) -> None:
        """Take the name out of the workspace's list; runs that used a version still find it by its id."""
        if self.name is None:
            return
        for asset in _workspaces.sdk_of(self._workspace).assets.list("dataset", name=self._asset.name):
            asset.archive()
        self._asset = None

    def update(self: D, description: str | None = None, tags: Mapping[str, str] | None = None) -> D:
        """Replace the description and the tags of the registered version (those that are given)."""
        changes: dict[str, str | None] | None = None
        if tags is not None:
            changes = {**dict.fromkeys(self.tags), **tags}
        return self._changed(description=description, tags=changes)

    def add_tags(self: D, tags: Mapping[str, str] | None = None) -> D:
        """Add or change tags."""
        return self._changed(tags=dict(tags or {}))

    def remove_tags(self: D, tags: Sequence[str] | None = None) -> D:
        """Remove tags by their names."""
        return self._changed(tags=dict.fromkeys(tags or []))

    @translated()
    def _changed(self: D, **changes: Any) -> D:
        if self.name is None:
            raise UserErrorException("the dataset is not registered yet; register it before changing its registration")
        self._asset.update(**changes)
        self._asset = _workspaces.sdk_of(self._workspace).assets.by_id(self._asset.id)
        return self

    def as_named_input(self, name: str) -> Any:
        """The dataset as an input of a run under ``name``."""
        from azureml.data.dataset_consumption_config import DatasetConsumptionConfig

        return DatasetConsumptionConfig(name, self)

    def _with_step(self: D, step: str, **values: Any) -> D:
        return type(self)._create(self._definition.with_step(step, **values), self._workspace, source=self._source)

    def _take(self: D, count: int) -> D:
        return self._with_step("take", count=_count(count, "take"))

    def _skip(self: D, count: int) -> D:
        return self._with_step("skip", count=_count(count, "skip"))

    def _sample(self: D, probability: float, seed: int | None) -> D:
        _check_share(probability, "probability")
        return self._with_step("sample", probability=float(probability), seed=_seed(seed))

    def _split(self: D, percentage: float, seed: int | None) -> tuple[D, D]:
        _check_share(percentage, "percentage")
        values = {"percentage": float(percentage), "seed": _seed(seed)}
        return self._with_step("split", part=0, **values), self._with_step("split", part=1, **values)

    def _sources(self) -> Sources:
        sdk = None if self._workspace is None else _workspaces.sdk_of(self._workspace)
        return Sources(sdk, self._source)

    def _ensure_saved(self, workspace: Any) -> str:
        """The id by which a run finds this dataset; it is saved without a name when it is not registered."""
        if self._asset is None:
            self._asset = _registration.save(self._definition, workspace, self._source)
            self._workspace = self._workspace if self._workspace is not None else workspace
        return str(self._asset.id)

    def __repr__(self) -> str:
        shown: dict[str, Any] = {
            "source": [" ".join(path.values()) for path in self._definition.paths],
            "definition": [self._definition.format, *(str(step["step"]) for step in self._definition.steps)],
        }
        if self.name is not None:
            shown["registration"] = {
                "id": self.id,
                "name": self.name,
                "version": self.version,
                "description": self.description,
                "tags": self.tags,
            }
        return f"{type(self).__name__}\n{json.dumps(shown, indent=2)}"


def _of_asset(asset: Any, workspace: Any) -> AbstractDataset:
    from azureml.data.file_dataset import FileDataset
    from azureml.data.tabular_dataset import TabularDataset

    definition = Definition.from_dict(asset.definition or {})
    made = TabularDataset if definition.type == "tabular" else FileDataset
    return made._create(definition, workspace, asset)


def _version(version: Any) -> int | None:
    if version is None or version == "latest":
        return None
    try:
        return int(version)
    except (TypeError, ValueError) as error:
        raise UserErrorException(f"version is a number or 'latest', got {version!r}") from error


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def _count(count: int, where: str) -> int:
    if isinstance(count, bool) or int(count) < 0 or int(count) != count:
        raise UserErrorException(f"{where} needs a whole number from 0, got {count!r}")
    return int(count)


def _check_share(share: float, name: str) -> None:
    if not 0 <= share <= 1:
        raise UserErrorException(f"{name} lies between 0 and 1, got {share!r}")


def _seed(seed: int | None) -> int:
    return _steps.new_seed() if seed is None else int(seed) % 2**63


def new_input_name() -> str:
    """A name for an input that was given none."""
    return f"input__{uuid.uuid4().hex[:8]}"
