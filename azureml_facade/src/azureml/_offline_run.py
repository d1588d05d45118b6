"""The run of a script that runs by itself: its reports are printed.

Standard library only, readable from Python 3.8: training scripts import it on the way to ``Run``.
"""

from __future__ import annotations

from azureml._run_reporting import error_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PREFIX = "OfflineRun"


class _OfflineRun:
    """The run of a script that runs by itself: every report is printed, nothing is kept.

    As in the original it has neither experiment nor status, by which scripts tell that they are offline.
    """

    def __init__(self, parent: _OfflineRun | None = None, run_id: str | None = None, **kwargs: Any) -> None:
        if run_id is None:
            import uuid

            run_id = f"{_PREFIX}_{uuid.uuid4()}"
        self._run_id = run_id

    @property
    def id(self) -> str:
        """``OfflineRun_`` and a random part."""
        return self._run_id

    @property
    def _identity(self) -> str:
        return self._run_id

    def __repr__(self) -> str:
        return f"_OfflineRun(Id: {self._run_id})"

    def _say(self, what: str, name: object, value: Any = None, shows_value: bool = True) -> None:
        print(f"Offline run, not kept: {what} {name}")
        if shows_value:
            print(value)

    def log(self, name: str, value: Any, description: str = "", step: int | None = None) -> None:
        """Print a metric."""
        self._say("scalar", name if step is None else f"{name} (step {step})", value)

    def log_list(self, name: str, value: Any, description: str = "") -> None:
        """Print a list."""
        self._say("list", name, value)

    def log_row(self, name: str, description: str | None = None, **kwargs: Any) -> None:
        """Print a row."""
        self._say("row", name, kwargs)

    def log_table(self, name: str, value: Any, description: str = "") -> None:
        """Print a table."""
        self._say("table", name, value)

    def log_image(self, name: str, path: Any = None, plot: Any = None, description: str = "") -> None:
        """Print that there is an image."""
        self._say("image", name, path if path is not None else plot)

    def log_confusion_matrix(self, name: str, value: Any, description: str = "") -> None:
        """Print a confusion matrix."""
        self._say("confusion matrix", name, value)

    def log_accuracy_table(self, name: str, value: Any, description: str = "") -> None:
        """Print an accuracy table."""
        self._say("accuracy table", name, value)

    def log_residuals(self, name: str, value: Any, description: str = "") -> None:
        """Print residuals."""
        self._say("residuals", name, value)

    def log_predictions(self, name: str, value: Any, description: str = "") -> None:
        """Print predictions."""
        self._say("predictions", name, value)

    def tag(self, key: str, value: Any = None) -> None:
        """Print a tag."""
        self._say("tag", key, value)

    def set_tags(self, tags: Any) -> None:
        """Print tags."""
        self._say("tags", "", tags)

    def add_properties(self, properties: Any) -> None:
        """Print properties."""
        self._say("properties", "", properties)

    def upload_file(self, name: str, path_or_stream: Any, datastore_name: str | None = None) -> None:
        """Print what would be uploaded."""
        self._say("file", name, path_or_stream)

    def upload_files(
        self,
        names: Any,
        paths: Any,
        return_artifacts: bool = False,
        timeout_seconds: int | None = None,
        datastore_name: str | None = None,
    ) -> None:
        """Print what would be uploaded."""
        self._say("files", names, paths)

    def upload_folder(self, name: str, path: Any, datastore_name: str | None = None) -> None:
        """Print what would be uploaded."""
        self._say("folder", name, path)

    def child_run(self, name: str | None = None, run_id: str | None = None, outputs: Any = None) -> _OfflineRun:
        """Start a child that prints, too."""
        if name is None:
            import uuid

            name = str(uuid.uuid4())
        return _OfflineRun(run_id=run_id or f"{self._run_id}.{name}")

    def start(self) -> None:
        """Do nothing."""

    def complete(self, _set_status: bool = True) -> None:
        """Do nothing."""

    def cancel(self) -> None:
        """Do nothing."""

    def fail(self, error_details: Any = None, error_code: str | None = None, _set_status: bool = True) -> None:
        """Print what went wrong."""
        self._say("failure", error_code or "", error_text(error_details))

    def flush(self, timeout_seconds: int = 300) -> None:
        """Say that there is nothing to flush."""
        self._say("flush", self._run_id, shows_value=False)

    def __enter__(self) -> _OfflineRun:
        print(f"Offline run {self._run_id} starts")
        return self

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        print(f"Offline run {self._run_id} ends")
