"""``Dataset``: where datasets are made and found."""

from __future__ import annotations

from typing import Any, NoReturn

from azureml._refusal import refuse
from azureml.data.abstract_dataset import AbstractDataset
from azureml.data.dataset_factory import FileDatasetFactory, TabularDatasetFactory
from azureml.data.dataset_type_definitions import (
    FileEncoding,
    HistogramCompareMethod,
    PromoteHeadersBehavior,
    SkipLinesBehavior,
)

__all__ = ["Dataset"]

_FIRST_KIND = "datasets of the first kind are not supported; use Dataset.Tabular or Dataset.File"


def _refused_property(name: str) -> property:
    def read(self: Dataset) -> NoReturn:
        refuse(f"Dataset.{name}", _FIRST_KIND)

    return property(read, doc="Refused.")


class Dataset:
    """``Dataset.Tabular`` and ``Dataset.File`` make datasets, ``get_by_name`` and its kin find registered ones.

    The class itself was the first kind of dataset of v1, retired long before v1 was; what made one gives a TabularDataset
    here where that is the same, and refuses where it is not.
    """

    Tabular = TabularDatasetFactory
    File = FileDatasetFactory

    def __init__(self, definition: Any, workspace: Any = None, name: str | None = None, id: str | None = None) -> None:
        refuse("Dataset(...)", _FIRST_KIND)

    @staticmethod
    def get_all(workspace: Any) -> dict[str, AbstractDataset]:
        """The newest version of every registered dataset, by name."""
        return AbstractDataset.get_all(workspace)

    @staticmethod
    def get_by_id(workspace: Any, id: str, **kwargs: Any) -> Any:
        """The dataset of this id; UserErrorException when there is none."""
        return AbstractDataset.get_by_id(workspace, id, **kwargs)

    @staticmethod
    def get_by_name(workspace: Any, name: str, version: int | str = "latest", **kwargs: Any) -> Any:
        """The dataset of this name, its newest version unless one is given; UserErrorException when there is none."""
        return AbstractDataset.get_by_name(workspace, name, version, **kwargs)

    @staticmethod
    def get(workspace: Any, name: str | None = None, id: str | None = None) -> Any:
        """The dataset of this name, or of this id."""
        return AbstractDataset.get_by_id(workspace, id) if id else AbstractDataset.get_by_name(workspace, str(name))

    @staticmethod
    def list(workspace: Any) -> list[AbstractDataset]:
        """The newest version of every registered dataset."""
        return [*AbstractDataset.get_all(workspace).values()]

    @staticmethod
    def auto_read_files(path: Any, include_path: bool = False, partition_format: str | None = None) -> Any:
        """Rows of files whose ending says what they are: Parquet, JSON lines, else delimited text."""
        first = str(path[-1] if isinstance(path, (list, tuple)) else getattr(path, "path_on_datastore", path)).lower()
        common: dict[str, Any] = {"include_path": include_path, "partition_format": partition_format}
        if first.endswith((".parquet", ".pq")):
            return TabularDatasetFactory.from_parquet_files(path, **common)
        if first.endswith((".json", ".jsonl")):
            return TabularDatasetFactory.from_json_lines_files(path, **common)
        return TabularDatasetFactory.from_delimited_files(
            path, separator="\t" if first.endswith(".tsv") else ",", **common
        )

    @staticmethod
    def from_delimited_files(
        path: Any,
        separator: str = ",",
        header: PromoteHeadersBehavior = PromoteHeadersBehavior.ALL_FILES_HAVE_SAME_HEADERS,
        encoding: FileEncoding = FileEncoding.UTF8,
        quoting: bool = False,
        infer_column_types: bool = True,
        skip_rows: int = 0,
        skip_mode: SkipLinesBehavior = SkipLinesBehavior.NO_ROWS,
        comment: str | None = None,
        include_path: bool = False,
        archive_options: Any = None,
        partition_format: str | None = None,
    ) -> Any:
        """Rows of delimited text files, as ``Dataset.Tabular.from_delimited_files`` gives them."""
        if skip_rows or comment or archive_options:
            refuse("Dataset.from_delimited_files", "skip_rows, comment and archive_options are not supported")
        return TabularDatasetFactory.from_delimited_files(
            path,
            include_path=include_path,
            infer_column_types=infer_column_types,
            separator=separator,
            header=header,
            partition_format=partition_format,
            support_multi_line=quoting,
            encoding=encoding,
        )

    @staticmethod
    def from_parquet_files(path: Any, include_path: bool = False, partition_format: str | None = None) -> Any:
        """Rows of Parquet files, as ``Dataset.Tabular.from_parquet_files`` gives them."""
        return TabularDatasetFactory.from_parquet_files(
            path, include_path=include_path, partition_format=partition_format
        )

    @staticmethod
    def from_json_files(
        path: Any,
        encoding: FileEncoding = FileEncoding.UTF8,
        flatten_nested_arrays: bool = False,
        include_path: bool = False,
        partition_format: str | None = None,
    ) -> Any:
        """Rows of files with one JSON object a line."""
        if flatten_nested_arrays:
            refuse("Dataset.from_json_files", "flatten_nested_arrays is not supported")
        return TabularDatasetFactory.from_json_lines_files(
            path, include_path=include_path, partition_format=partition_format, encoding=encoding
        )

    @staticmethod
    def from_binary_files(path: Any) -> Any:
        """The files as they are, as ``Dataset.File.from_files`` gives them."""
        return FileDatasetFactory.from_files(path)

    @staticmethod
    def from_excel_files(
        path: Any,
        sheet_name: str | None = None,
        use_column_headers: bool = False,
        skip_rows: int = 0,
        include_path: bool = False,
        infer_column_types: bool = True,
        partition_format: str | None = None,
    ) -> NoReturn:
        """Refused."""
        refuse("Dataset.from_excel_files", "Excel files are not supported; save the sheet as CSV")

    @staticmethod
    def from_pandas_dataframe(dataframe: Any, path: Any = None, in_memory: bool = False) -> Any:
        """Refused: a frame becomes a dataset by being registered."""
        refuse(
            "Dataset.from_pandas_dataframe", "use Dataset.Tabular.register_pandas_dataframe(dataframe, datastore, name)"
        )

    @staticmethod
    def from_sql_query(data_source: Any, query: str) -> NoReturn:
        """Refused: there are no databases among the datastores."""
        TabularDatasetFactory.from_sql_query(query)

    # What only an instance of the first kind had. It cannot be made here, so these refuse when they are called on the class.

    definition = _refused_property("definition")
    definition_version = _refused_property("definition_version")
    description = _refused_property("description")
    id = _refused_property("id")
    is_visible = _refused_property("is_visible")
    name = _refused_property("name")
    state = _refused_property("state")
    tags = _refused_property("tags")
    workspace = _refused_property("workspace")

    def archive(self) -> NoReturn:
        """Refused."""
        refuse("Dataset.archive", _FIRST_KIND)

    def reactivate(self) -> NoReturn:
        """Refused."""
        refuse("Dataset.reactivate", _FIRST_KIND)

    def deprecate(self, deprecate_by_dataset_id: str) -> NoReturn:
        """Refused."""
        refuse("Dataset.deprecate", _FIRST_KIND)

    def register(
        self,
        workspace: Any,
        name: str,
        description: str | None = None,
        tags: Any = None,
        visible: bool = True,
        exist_ok: bool = False,
        update_if_exist: bool = False,
    ) -> NoReturn:
        """Refused."""
        refuse("Dataset.register", _FIRST_KIND)

    def update(
        self, name: str | None = None, description: str | None = None, tags: Any = None, visible: bool | None = None
    ) -> NoReturn:
        """Refused."""
        refuse("Dataset.update", _FIRST_KIND)

    def get_definition(self, version_id: str | None = None) -> NoReturn:
        """Refused."""
        refuse("Dataset.get_definition", _FIRST_KIND)

    def get_definitions(self) -> NoReturn:
        """Refused."""
        refuse("Dataset.get_definitions", _FIRST_KIND)

    def update_definition(self, definition: Any, definition_update_message: str) -> NoReturn:
        """Refused."""
        refuse("Dataset.update_definition", _FIRST_KIND)

    def head(self, count: int) -> NoReturn:
        """Refused."""
        refuse("Dataset.head", _FIRST_KIND)

    def sample(self, sample_strategy: str, arguments: Any) -> NoReturn:
        """Refused."""
        refuse("Dataset.sample", _FIRST_KIND)

    def to_pandas_dataframe(self) -> NoReturn:
        """Refused."""
        refuse("Dataset.to_pandas_dataframe", _FIRST_KIND)

    def to_spark_dataframe(self) -> NoReturn:
        """Refused."""
        refuse("Dataset.to_spark_dataframe", _FIRST_KIND)

    def generate_profile(self, compute_target: Any = None, workspace: Any = None, arguments: Any = None) -> NoReturn:
        """Refused."""
        refuse("Dataset.generate_profile", _FIRST_KIND)

    def get_profile(
        self,
        arguments: Any = None,
        generate_if_not_exist: bool = True,
        workspace: Any = None,
        compute_target: Any = None,
    ) -> NoReturn:
        """Refused."""
        refuse("Dataset.get_profile", _FIRST_KIND)

    def compare_profiles(
        self,
        rhs_dataset: Any,
        profile_arguments: Any = {},  # noqa: B006  # the original's default; it is not used
        include_columns: Any = None,
        exclude_columns: Any = None,
        histogram_compare_method: HistogramCompareMethod = HistogramCompareMethod.WASSERSTEIN,
    ) -> NoReturn:
        """Refused."""
        refuse("Dataset.compare_profiles", _FIRST_KIND)

    def diff(self, rhs_dataset: Any, compute_target: Any = None, columns: Any = None) -> NoReturn:
        """Refused."""
        refuse("Dataset.diff", _FIRST_KIND)

    def create_snapshot(
        self,
        snapshot_name: str,
        compute_target: Any = None,
        create_data_snapshot: bool = False,
        target_datastore: Any = None,
    ) -> NoReturn:
        """Refused."""
        refuse("Dataset.create_snapshot", _FIRST_KIND)

    def delete_snapshot(self, snapshot_name: str) -> NoReturn:
        """Refused."""
        refuse("Dataset.delete_snapshot", _FIRST_KIND)

    def get_snapshot(self, snapshot_name: str) -> NoReturn:
        """Refused."""
        refuse("Dataset.get_snapshot", _FIRST_KIND)

    def get_all_snapshots(self) -> NoReturn:
        """Refused."""
        refuse("Dataset.get_all_snapshots", _FIRST_KIND)
