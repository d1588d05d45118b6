"""The logging methods of a run, and what they make of the values that scripts give them.

Standard library only, readable from Python 3.8: training scripts import it on the way to ``Run``.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


# A property for each metric whose values were no floats, because the journal keeps floats only: 3 must not become 3.0.
METRIC_TYPE_PROPERTY = "azureml.metric_type."


class Reporting:
    """The logging methods of a run that keeps what it is told; subclasses say where it goes."""

    def _reporter(self) -> Any:
        """The object of the Sublight SDK that takes reports: ``sublight.run``, a child of it, an interactive run."""
        raise NotImplementedError

    def log(self, name: str, value: Any, description: str = "", step: int | None = None) -> None:
        """Report a metric; reports under one name become a list in ``get_metrics``."""
        if step is not None and type(step) is not int:
            step = _as_step(step)
        kind = type(value)
        if kind is not float:
            value, type_name = _as_metric_value(name, value)
            if type_name:
                self._note_metric_type(name, type_name)
            if value is None or type(value) is str:
                self._report("log_list", name, [value], step)
                return
        self._report("log", name, value, step)

    def log_list(self, name: str, value: Any, description: str = "") -> None:
        """Report a list of single values."""
        values = value.tolist() if hasattr(value, "tolist") else list(value)
        for item in values:
            if isinstance(item, (list, tuple, dict)):
                raise user_error(f"the list {name!r} must hold single values, got {item!r}; use log_table for columns")
        if values:
            self._report("log_list", name, [_as_cell(item) for item in values])

    def log_row(self, name: str, description: str | None = None, **kwargs: Any) -> None:
        """Report one row of the table ``name``; the keyword arguments are its columns."""
        for column, value in kwargs.items():
            if isinstance(value, (list, tuple, dict)):
                raise user_error(
                    f"column {column!r} of the row {name!r} must be a single value, got {value!r}; use log_table"
                )
        self._report("log_row", name, _columns={column: _as_cell(value) for column, value in kwargs.items()})

    def log_table(self, name: str, value: dict[str, Any], description: str = "") -> None:
        """Report a table: a dict of columns of equal length, or of single values for one row."""
        if not isinstance(value, dict):
            raise user_error(f"the table {name!r} must be a dict of columns, got {type(value).__name__}")
        columns = {}
        for column, values in value.items():
            if hasattr(values, "tolist"):
                values = values.tolist()
            columns[str(column)] = [_as_cell(v) for v in (values if isinstance(values, (list, tuple)) else [values])]
        self._report("log_table", name, columns)

    def log_image(self, name: str, path: Any = None, plot: Any = None, description: str = "") -> None:
        """Report an image: a file, or ``matplotlib.pyplot`` (or a figure) as it looks now."""
        if (path is None) == (plot is None):
            given = "none" if path is None else "both"
            raise user_error(f"log_image needs either path or plot, got {given}")
        self._report("log_image", name, path=path, plot=plot)

    def log_confusion_matrix(self, name: str, value: Any, description: str = "") -> None:
        """Report a confusion matrix as the document that the original described (a dict or JSON)."""
        self._report("log_confusion_matrix", name, value)

    def log_accuracy_table(self, name: str, value: Any, description: str = "") -> None:
        """Report the counts behind ROC and precision-recall curves as a document (a dict or JSON)."""
        self._report("log_accuracy_table", name, value)

    def log_residuals(self, name: str, value: Any, description: str = "") -> None:
        """Report the histogram of residuals as a document (a dict or JSON)."""
        self._report("log_residuals", name, value)

    def log_predictions(self, name: str, value: Any, description: str = "") -> None:
        """Report predicted against true values in bins as a document (a dict or JSON)."""
        self._report("log_predictions", name, value)

    def tag(self, key: str, value: Any = None) -> None:
        """Set a tag."""
        self._report("tag", str(key), "" if value is None else str(value))

    def set_tags(self, tags: dict[str, Any]) -> None:
        """Set several tags; those not named stay."""
        for key, value in tags.items():
            self.tag(key, value)

    def add_properties(self, properties: dict[str, Any]) -> None:
        """Set properties; unlike tags they stay as they were first set."""
        for key, value in properties.items():
            self._report("set_property", str(key), "" if value is None else str(value))

    def upload_file(self, name: str, path_or_stream: Any, datastore_name: str | None = None) -> Any:
        """Keep a copy of a file (or of what a stream holds) as the run's artifact ``name``."""
        from azureml._run_files import upload

        return upload(self, [(name, path_or_stream)])

    def upload_files(
        self,
        names: list[str],
        paths: list[str],
        return_artifacts: bool = False,
        timeout_seconds: int | None = None,
        datastore_name: str | None = None,
    ) -> Any:
        """Keep copies of several files; ``names`` and ``paths`` go together."""
        if len(names) != len(paths):
            raise user_error(f"upload_files needs as many names as paths, got {len(names)} and {len(paths)}")
        from azureml._run_files import upload

        artifacts = upload(self, list(zip(names, paths)))
        return artifacts if return_artifacts else None

    def upload_folder(self, name: str, path: str, datastore_name: str | None = None) -> Any:
        """Keep copies of all files in a folder and below, as artifacts ``<name>/…``."""
        from azureml._run_files import files_of_folder, upload

        return upload(self, files_of_folder(name, path))

    def _note_metric_type(self, name: str, type_name: str) -> None:
        if getattr(self._reporter(), "keeps_types", False):
            return
        noted = self.__dict__.setdefault("_noted_metric_types", set())
        if (name, type_name) not in noted:
            noted.add((name, type_name))
            self._report("set_property", METRIC_TYPE_PROPERTY + str(name)[:200], type_name)

    def _report(self, method: str, name: str, *values: Any, **named: Any) -> None:
        """Hand a report on; what the SDK refuses becomes the exception that v1 raised."""
        reporter = self._reporter()
        columns = named.pop("_columns", None)
        try:
            getattr(reporter, method)(name, *values, **(columns if columns is not None else named))
        except Exception as error:
            if isinstance(error, (TypeError, ValueError)) or type(error).__module__ == "sublight.core.errors":
                raise user_error(str(error)) from None
            raise


def _as_metric_value(name: str, value: Any) -> tuple[Any, str]:
    """What ``log`` keeps of a value that is no plain float, and the name of its type when a float would lose it."""
    if value is None or isinstance(value, str):
        return (None if value is None else str(value)), ""
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        return bool(value), "bool"
    if isinstance(value, int):
        return value, "int"
    if isinstance(value, list):
        raise user_error(f"log keeps a single value under {name!r}, got a list; use log_list")
    if isinstance(value, (tuple, dict, set)):
        return _as_repr(name, value), ""
    if hasattr(value, "item"):
        try:
            single = value.item()
        except (TypeError, ValueError, RuntimeError):  # an array of several elements
            return _as_repr(name, value), ""
        if type(single) is not type(value):
            return _as_metric_value(name, single)
    try:
        return float(value), ""
    except (TypeError, ValueError):
        return _as_repr(name, value), ""


def _as_step(step: Any) -> Any:
    """3.0 and NumPy's like of it count as 3; what is no whole number is left for the SDK to refuse."""
    try:
        return int(step) if int(step) == step else step
    except (TypeError, ValueError, OverflowError):
        return step


def _as_repr(name: str, value: Any) -> str:
    print(f"sublight: warning: {name!r} was given a {type(value).__name__}, which is kept as its text", file=sys.stderr)
    return repr(value)


def _as_cell(value: Any) -> Any:
    """A single value of a list or table, as plain data."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if hasattr(value, "item"):
        try:
            return _as_cell(value.item()) if type(value.item()) is not type(value) else repr(value)
        except (TypeError, ValueError, RuntimeError):
            return repr(value)
    return repr(value)


def error_text(error_details: Any) -> str:
    if error_details is None:
        return ""
    if isinstance(error_details, BaseException):
        return f"{type(error_details).__name__}: {error_details}"
    return str(error_details)


def user_error(sentence: str) -> Exception:
    """The exception that v1 raised for what its caller did wrong."""
    from azureml.exceptions import UserErrorException

    return UserErrorException(sentence)
