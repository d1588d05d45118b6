"""A dataset of rows and columns."""

from __future__ import annotations

import importlib
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from azureml._refusal import refuse
from azureml.data import _expressions, _reading, _steps
from azureml.data.abstract_dataset import AbstractDataset
from azureml.data.dataset_error_handling import DatasetExecutionError
from azureml.exceptions import DatasetTimestampMissingError, UserErrorException

_PROFILES = "profiles of datasets are not supported; use to_pandas_dataframe().describe()"
_STREAMS = "columns of streams (labelled images) are not supported"


class TabularDataset(AbstractDataset):
    """Rows and columns out of delimited files, Parquet files or JSON lines.

    Each transformation gives a new dataset; the rows are read by ``to_pandas_dataframe``. How the types of columns are
    found, and the switch for yes/no columns, is written in ``azureml.data._column_types``.
    """

    def __getitem__(self, key: str) -> _expressions.Expression:
        """The column ``key``, for conditions: ``dataset.filter(dataset["age"] > 30)``."""
        if not isinstance(key, str):
            raise UserErrorException(f"a column is named by text, got {type(key).__name__}")
        return _expressions.column(key)

    @property
    def timestamp_columns(self) -> tuple[str | None, str | None]:
        """The timestamp column and the partition timestamp column, None where not named."""
        return _steps.timestamp_columns(self._definition.steps)

    def to_pandas_dataframe(self, on_error: str = "null", out_of_range_datetime: str = "null") -> Any:
        """All rows as a pandas DataFrame; text is in ``object`` columns, missing text is None."""
        for name, value in (("on_error", on_error), ("out_of_range_datetime", out_of_range_datetime)):
            if value not in ("null", "fail"):
                raise UserErrorException(f"{name} is 'null' or 'fail', got {value!r}")
        return _reading.read_frame(self._definition, self._sources(), on_error)

    def to_dask_dataframe(
        self,
        sample_size: int = 10000,
        dtypes: dict[str, Any] | None = None,
        on_error: str = "null",
        out_of_range_datetime: str = "null",
    ) -> Any:
        """All rows as a Dask DataFrame of one partition; needs Dask."""
        try:
            dataframe: Any = importlib.import_module("dask.dataframe")
        except ImportError:
            refuse("TabularDataset.to_dask_dataframe", "it needs the package dask[dataframe], which is not installed")
        frame = self.to_pandas_dataframe(on_error, out_of_range_datetime)
        return dataframe.from_pandas(frame.astype(dtypes) if dtypes else frame, npartitions=1)

    def to_spark_dataframe(self) -> NoReturn:
        """Refused: there is no Spark."""
        refuse("TabularDataset.to_spark_dataframe", "Spark is not supported; use to_pandas_dataframe()")

    def take(self, count: int) -> TabularDataset:
        """The first ``count`` rows."""
        return self._take(count)

    def skip(self, count: int) -> TabularDataset:
        """All but the first ``count`` rows."""
        return self._skip(count)

    def take_sample(self, probability: float, seed: int | None = None) -> TabularDataset:
        """Each row with this probability; the same ones at every reading."""
        return self._sample(probability, seed)

    def random_split(self, percentage: float, seed: int | None = None) -> tuple[TabularDataset, TabularDataset]:
        """Two datasets: about this share of the rows (0.8 for 80 %) and all the others."""
        return self._split(percentage, seed)

    def keep_columns(self, columns: str | Sequence[str], validate: bool = False) -> TabularDataset:
        """Only these columns, in this order; with ``validate`` unknown ones are told at once (the data is read)."""
        kept = self._with_step("keep", columns=_names(columns))
        if validate:
            kept.take(1).to_pandas_dataframe()
        return kept

    def drop_columns(self, columns: str | Sequence[str]) -> TabularDataset:
        """All columns but these; ones that are not there are no error."""
        return self._with_step("drop", columns=_names(columns))

    def filter(self, expression: Any) -> TabularDataset:
        """Only rows for which the condition holds: ``dataset.filter((dataset["a"] > 1) & (dataset["b"] == "x"))``."""
        return self._with_step("filter", expression=_expressions.tree_of_condition(expression))

    def with_timestamp_columns(
        self,
        timestamp: str | None = None,
        partition_timestamp: str | None = None,
        validate: bool = False,
        **kwargs: Any,
    ) -> TabularDataset:
        """Name the column with a row's time, for ``time_before`` and its kin; text in it is read as dates."""
        timestamp = kwargs.pop("fine_grain_timestamp", timestamp)
        partition_timestamp = kwargs.pop("coarse_grain_timestamp", partition_timestamp)
        if partition_timestamp is not None and timestamp is None:
            raise UserErrorException("partition_timestamp needs a timestamp column beside it")
        if timestamp is not None and timestamp == partition_timestamp:
            raise UserErrorException(f"timestamp and partition_timestamp are both {timestamp!r}; they must differ")
        named = self._with_step("timestamps", timestamp=timestamp, partition_timestamp=partition_timestamp)
        if validate:
            named.take(1).to_pandas_dataframe()
        return named

    def time_before(self, end_time: datetime, include_boundary: bool = True, validate: bool = True) -> TabularDataset:
        """Rows up to ``end_time``."""
        return self._within(None, end_time, include_boundary)

    def time_after(self, start_time: datetime, include_boundary: bool = True, validate: bool = True) -> TabularDataset:
        """Rows from ``start_time`` on."""
        return self._within(start_time, None, include_boundary)

    def time_between(
        self, start_time: datetime, end_time: datetime, include_boundary: bool = True, validate: bool = True
    ) -> TabularDataset:
        """Rows from ``start_time`` to ``end_time``."""
        return self._within(start_time, end_time, include_boundary)

    def time_recent(
        self, time_delta: timedelta, include_boundary: bool = True, validate: bool = True
    ) -> TabularDataset:
        """Rows of the last ``time_delta``, counted back from now (UTC)."""
        if not isinstance(time_delta, timedelta):
            raise UserErrorException(f"time_delta is a timedelta, got {type(time_delta).__name__}")
        return self._within(datetime.now(UTC) - time_delta, None, include_boundary)

    def _within(self, start: datetime | None, end: datetime | None, include_boundary: bool) -> TabularDataset:
        column = self.timestamp_columns[0]
        if column is None:
            raise DatasetTimestampMissingError(
                "the dataset has no timestamp column; name it first: dataset.with_timestamp_columns('column')"
            )
        return self._with_step(
            "time", column=column, start=_moment(start), end=_moment(end), include_boundary=include_boundary
        )

    def to_csv_files(self, separator: str = ",") -> Any:
        """The rows as a FileDataset of one delimited file, made when it is read."""
        return self._as_files("csv", separator)

    def to_parquet_files(self) -> Any:
        """The rows as a FileDataset of one Parquet file, made when it is read."""
        return self._as_files("parquet", None)

    def _as_files(self, form: str, separator: str | None) -> Any:
        from azureml.data._definition import Definition
        from azureml.data.file_dataset import FileDataset

        rendered = {"form": form, "separator": separator, "of": self._definition.as_dict()}
        definition = Definition("file", "rendered", self._definition.paths, {"rendered": rendered})
        return FileDataset._create(definition, self._workspace, source=self._source)

    def partition_by(
        self,
        partition_keys: Sequence[str],
        target: Any,
        name: str | None = None,
        show_progress: bool = True,
        partition_as_file_dataset: bool = False,
    ) -> Any:
        """Write the rows as one Parquet file per combination of the keys' values to ``target``, a datastore or
        ``(datastore, path)``; returns the dataset of these files, registered when ``name`` is given."""
        import tempfile
        from pathlib import Path

        from azureml.data.dataset_factory import FileDatasetFactory, TabularDatasetFactory, target_of

        datastore, base = target_of(target)
        keys = _names(partition_keys)
        base = f"{base}/{uuid.uuid4()}".lstrip("/")
        frame = self.to_pandas_dataframe()
        missing = [key for key in keys if key not in frame.columns]
        if missing:
            raise UserErrorException(f"partition_by names {missing}, but the dataset has {', '.join(frame.columns)}")
        with tempfile.TemporaryDirectory() as made:
            for values, group in frame.groupby(keys, sort=True, dropna=False):
                folder = Path(made, *(_as_folder(value) for value in values))
                folder.mkdir(parents=True, exist_ok=True)
                group.drop(columns=keys).to_parquet(folder / "part-0.parquet", index=False)
            datastore.upload(made, target_path=base, overwrite=True, show_progress=show_progress)
        pattern = "".join(f"/{{{key}}}" for key in keys) + "/*.parquet"
        factory: Any = (
            FileDatasetFactory.from_files if partition_as_file_dataset else TabularDatasetFactory.from_parquet_files
        )
        made_dataset = factory((datastore, f"{base}/**/*.parquet"), validate=False, partition_format=f"{base}{pattern}")
        if name is None:
            return made_dataset
        return made_dataset.register(datastore.workspace, name, create_new_version=True)

    def download(
        self,
        stream_column: str,
        target_path: str | None = None,
        overwrite: bool = False,
        ignore_not_found: bool = True,
    ) -> NoReturn:
        """Refused: there are no columns of streams."""
        refuse("TabularDataset.download", _STREAMS)

    def mount(self, stream_column: str, mount_point: str | None = None) -> NoReturn:
        """Refused: there are no columns of streams."""
        refuse("TabularDataset.mount", _STREAMS)

    def get_profile(self, workspace: Any = None) -> NoReturn:
        """Refused: profiles are not supported."""
        refuse("TabularDataset.get_profile", _PROFILES)

    def get_profile_runs(self, workspace: Any = None) -> NoReturn:
        """Refused: profiles are not supported."""
        refuse("TabularDataset.get_profile_runs", _PROFILES)

    def submit_profile_run(
        self, compute_target: Any, experiment: Any, cache_datastore_name: str | None = None
    ) -> NoReturn:
        """Refused: profiles are not supported."""
        refuse("TabularDataset.submit_profile_run", _PROFILES)


def _names(columns: str | Sequence[str]) -> list[str]:
    names = [columns] if isinstance(columns, str) else list(columns)
    if not names or not all(isinstance(name, str) for name in names):
        raise UserErrorException(f"columns are one name or a list of names, got {columns!r}")
    return names


def _moment(time: datetime | None) -> str | None:
    if time is None:
        return None
    if not isinstance(time, datetime):
        raise UserErrorException(f"a time filter needs a datetime, got {type(time).__name__}")
    if time.tzinfo is not None:
        time = time.astimezone(UTC).replace(tzinfo=None)
    return time.isoformat()


def _as_folder(value: Any) -> str:
    text = "null" if value is None or value != value else str(value)
    if text in ("", ".", "..") or "/" in text or "\\" in text:
        raise DatasetExecutionError(f"partition_by cannot make a folder for the value {text!r}")
    return text
