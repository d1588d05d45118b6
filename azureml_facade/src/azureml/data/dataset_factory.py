"""Where datasets begin: ``Dataset.Tabular`` and ``Dataset.File``."""

from __future__ import annotations

import logging
import os
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from azureml._refusal import refuse
from azureml.data import _reading
from azureml.data._definition import Definition, given_paths
from azureml.data._partition_format import read_partition_format
from azureml.data.dataset_type_definitions import FileEncoding, PromoteHeadersBehavior
from azureml.data.file_dataset import FileDataset
from azureml.data.tabular_dataset import TabularDataset
from azureml.exceptions import UserErrorException

module_logger = logging.getLogger(__name__)

_HEADERS = {
    PromoteHeadersBehavior.NO_HEADERS: "none",
    PromoteHeadersBehavior.ONLY_FIRST_FILE_HAS_HEADERS: "first",
    PromoteHeadersBehavior.COMBINE_ALL_FILES_HEADERS: "combine",
    PromoteHeadersBehavior.ALL_FILES_HAVE_SAME_HEADERS: "same",
}
ENVIRONMENT_SWITCH = "SUBLIGHT_TRUE_FALSE"


class DataType:
    """The types that ``set_column_types`` may ask for."""

    _wanted: Mapping[str, Any]

    def __init__(self) -> None:
        raise UserErrorException("a DataType is made by DataType.to_float() and its kin")

    @classmethod
    def _of(cls, kind: str, **details: Any) -> DataType:
        made = cls.__new__(cls)
        made._wanted = {"type": kind, **details}
        return made

    @staticmethod
    def to_bool() -> DataType:
        """True and false, yes and no, y and n, 1 and 0 in any case."""
        return DataType._of("boolean")

    @staticmethod
    def to_datetime(formats: Any = None) -> DataType:
        """Dates by one of the formats of ``strptime``; without formats, dates as pandas reads them."""
        given = [formats] if isinstance(formats, str) else list(formats or [])
        return DataType._of("datetime", formats=given or None)

    @staticmethod
    def to_float(decimal_mark: str = ".") -> DataType:
        """Numbers whose decimal mark is ``.`` or ``,``."""
        if decimal_mark not in (".", ","):
            raise UserErrorException(f"decimal_mark is '.' or ',', got {decimal_mark!r}")
        return DataType._of("float", decimal_mark=decimal_mark)

    @staticmethod
    def to_long() -> DataType:
        """Whole numbers."""
        return DataType._of("long")

    @staticmethod
    def to_stream(workspace: Any, escaped: bool = False) -> DataType:
        """Paths of files; kept as text here."""
        return DataType._of("stream")

    @staticmethod
    def to_string() -> DataType:
        """Text."""
        return DataType._of("string")

    def __repr__(self) -> str:
        return f"DataType({self._wanted['type']})"


class TabularDatasetFactory:
    """``Dataset.Tabular``: rows out of files.

    ``path`` is an address, ``(datastore, "folder/*.csv")``, a DataPath, a list of these, or (which v1 refused) a path on
    this machine; files of this machine are copied into the workspace when the dataset is registered. An address that the
    workspace has a copy of (``sublight data map URL FILE``) is read from there. With ``validate`` the files are looked for
    at once, without reading their rows.

    Columns whose only words are yes/no or y/n stay text. The switch for that is kept with the dataset
    (``definition["options"]["true_false"] = "yes-no"``): set by ``sublight dataset register --true-false yes-no``, or for
    datasets that a script makes by the environment variable SUBLIGHT_TRUE_FALSE, so that the script stays as it is.
    """

    @staticmethod
    def from_delimited_files(
        path: Any,
        validate: bool = True,
        include_path: bool = False,
        infer_column_types: bool = True,
        set_column_types: Mapping[str, DataType] | None = None,
        separator: str = ",",
        header: Any = True,
        partition_format: str | None = None,
        support_multi_line: bool = False,
        empty_as_string: bool = False,
        encoding: Any = "utf8",
    ) -> TabularDataset:
        """Rows of delimited text files."""
        if not isinstance(separator, str) or not separator:
            raise UserErrorException(f"separator is a piece of text, got {separator!r}")
        encoding_name = _encoding(encoding)
        _reading.python_encoding(encoding_name)
        options: dict[str, Any] = {
            "separator": separator,
            "header": _header(header),
            "encoding": encoding_name,
            "infer_column_types": bool(infer_column_types),
            "support_multi_line": bool(support_multi_line),
            "empty_as_string": bool(empty_as_string),
        }
        if os.environ.get(ENVIRONMENT_SWITCH):
            options["true_false"] = os.environ[ENVIRONMENT_SWITCH]
        options.update(_common(include_path, set_column_types, partition_format))
        return _tabular("delimited", path, options, validate)

    @staticmethod
    def from_parquet_files(
        path: Any,
        validate: bool = True,
        include_path: bool = False,
        set_column_types: Mapping[str, DataType] | None = None,
        partition_format: str | None = None,
    ) -> TabularDataset:
        """Rows of Parquet files."""
        return _tabular("parquet", path, _common(include_path, set_column_types, partition_format), validate)

    @staticmethod
    def from_json_lines_files(
        path: Any,
        validate: bool = True,
        include_path: bool = False,
        set_column_types: Mapping[str, DataType] | None = None,
        partition_format: str | None = None,
        invalid_lines: str = "error",
        encoding: Any = "utf8",
    ) -> TabularDataset:
        """Rows of files with one JSON object a line; ``invalid_lines`` is 'error' or 'drop'."""
        if invalid_lines not in ("error", "drop"):
            raise UserErrorException(f"invalid_lines is 'error' or 'drop', got {invalid_lines!r}")
        options = {
            "invalid_lines": invalid_lines,
            "encoding": _encoding(encoding),
            **_common(include_path, set_column_types, partition_format),
        }
        return _tabular("json", path, options, validate)

    @staticmethod
    def from_sql_query(
        query: Any,
        validate: bool = True,
        set_column_types: Mapping[str, DataType] | None = None,
        query_timeout: int = 30,
    ) -> NoReturn:
        """Refused: there are no databases among the datastores."""
        refuse(
            "Dataset.Tabular.from_sql_query",
            "databases are not supported as datastores; export the rows to a file and use from_delimited_files",
        )

    @staticmethod
    def register_pandas_dataframe(
        dataframe: Any,
        target: Any,
        name: str,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        show_progress: bool = True,
        row_group_size: int | None = None,
        make_target_path_unique: bool = True,
    ) -> TabularDataset:
        """Write the frame as a Parquet file to ``target`` (a datastore, DataPath or ``(datastore, path)``) and register
        it as the next version of ``name``."""
        import pandas as pd

        if not isinstance(dataframe, pd.DataFrame):
            raise UserErrorException(f"dataframe is a pandas DataFrame, got {type(dataframe).__name__}")
        datastore, base = target_of(target)
        folder = f"{base}/{uuid.uuid4()}".lstrip("/") if make_target_path_unique else base
        with tempfile.TemporaryDirectory() as made:
            settings = {} if row_group_size is None else {"row_group_size": row_group_size}
            _writable(dataframe).to_parquet(Path(made) / f"{uuid.uuid4().hex}.parquet", index=False, **settings)
            datastore.upload(made, target_path=folder, overwrite=True, show_progress=show_progress)
        dataset = TabularDatasetFactory.from_parquet_files((datastore, f"{folder}/*.parquet"), validate=False)
        return dataset.register(datastore.workspace, name, description, tags, create_new_version=True)

    @staticmethod
    def register_spark_dataframe(
        dataframe: Any,
        target: Any,
        name: str,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        show_progress: bool = True,
    ) -> NoReturn:
        """Refused: there is no Spark."""
        refuse(
            "Dataset.Tabular.register_spark_dataframe",
            "Spark is not supported; use register_pandas_dataframe(dataframe.toPandas(), ...)",
        )

    @staticmethod
    def register_dask_dataframe(
        dataframe: Any,
        target: Any,
        name: str,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        show_progress: bool = True,
    ) -> TabularDataset:
        """Compute the Dask frame and register it as ``register_pandas_dataframe`` does."""
        frame = dataframe.compute() if hasattr(dataframe, "compute") else dataframe
        return TabularDatasetFactory.register_pandas_dataframe(frame, target, name, description, tags, show_progress)


class FileDatasetFactory:
    """``Dataset.File``: files as they are."""

    @staticmethod
    def from_files(
        path: Any, validate: bool = True, partition_format: str | None = None, is_file: bool = False
    ) -> FileDataset:
        """The files at ``path``: an address, ``(datastore, "folder/**")``, a DataPath, a local path, or a list of these."""
        given = given_paths(path)
        definition = Definition("file", "files", given.records, _common(False, None, partition_format))
        dataset = FileDataset._create(definition, given.workspace)
        if validate:
            dataset._files()
        return dataset

    @staticmethod
    def upload_directory(
        src_dir: str, target: Any, pattern: str | None = None, overwrite: bool = False, show_progress: bool = True
    ) -> FileDataset:
        """Upload a folder (files that match ``pattern`` only) to ``target`` and make a dataset of it."""
        from azureml.data import _globs

        folder = Path(src_dir)
        if not folder.is_dir():
            raise UserErrorException(f"src_dir must be a folder on this machine, got {src_dir}")
        datastore, base = target_of(target)
        files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
        if pattern is not None:
            files = [file for file in files if _globs.matches(file.relative_to(folder).as_posix(), pattern)]
        if not files:
            raise UserErrorException(f"no file in {src_dir} matches {pattern!r}; nothing was uploaded")
        datastore.upload_files(
            [str(file) for file in files],
            relative_root=str(folder),
            target_path=base or None,
            overwrite=overwrite,
            show_progress=show_progress,
        )
        return FileDatasetFactory.from_files((datastore, f"{base}/**" if base else "**"), validate=False)


def target_of(target: Any) -> tuple[Any, str]:
    """The datastore and the folder in it that a ``target`` argument means."""
    from azureml.data.datapath import DataPath

    if isinstance(target, DataPath):
        datastore, path = target._datastore, target.path_on_datastore
    elif isinstance(target, tuple) and len(target) == 2:
        datastore, path = target
    else:
        datastore, path = target, None
    if not hasattr(datastore, "upload"):
        raise UserErrorException(f"target is a datastore, a DataPath or (datastore, path), got {type(target).__name__}")
    return datastore, str(path or "").strip("/")


def _tabular(form: str, path: Any, options: Mapping[str, Any], validates: bool) -> TabularDataset:
    given = given_paths(path)
    dataset = TabularDataset._create(Definition("tabular", form, given.records, options), given.workspace)
    if validates:
        dataset._sources().files(given.records)
    return dataset


def _common(
    include_path: bool, set_column_types: Mapping[str, DataType] | None, partition_format: str | None
) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if include_path:
        options["include_path"] = True
    if set_column_types:
        for name, wanted in set_column_types.items():
            if not isinstance(wanted, DataType):
                raise UserErrorException(
                    f"set_column_types needs a DataType for {name!r}, such as DataType.to_float(), got {wanted!r}"
                )
        options["column_types"] = {str(name): dict(wanted._wanted) for name, wanted in set_column_types.items()}
    if partition_format:
        read_partition_format(partition_format)
        options["partition_format"] = partition_format
    return options


def _header(header: Any) -> str:
    if isinstance(header, bool):
        return "same" if header else "none"
    if isinstance(header, PromoteHeadersBehavior):
        return _HEADERS[header]
    raise UserErrorException(f"header is True, False or a PromoteHeadersBehavior, got {header!r}")


def _encoding(encoding: Any) -> str:
    return encoding.name.lower() if isinstance(encoding, FileEncoding) else str(encoding)


def _writable(frame: Any) -> Any:
    """What a Parquet file can hold: texts as column names, and columns of one type; others become texts."""
    import pyarrow

    written = frame.copy(deep=False)
    written.columns = [str(name) for name in frame.columns]
    if not written.columns.is_unique:
        twice = sorted(set(written.columns[written.columns.duplicated()]))
        raise UserErrorException(f"each column of the frame needs a name of its own, got {', '.join(twice)} twice")
    mixed = []
    for name in written.columns:
        try:
            pyarrow.Array.from_pandas(written[name])
        except (pyarrow.ArrowException, OverflowError):
            mixed.append(name)
            written[name] = written[name].map(str, na_action="ignore")
    if mixed:
        module_logger.warning(
            "values of several types in one column are kept as their texts: column %s", ", ".join(map(repr, mixed))
        )
    return written
