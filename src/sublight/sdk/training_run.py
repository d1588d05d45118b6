"""The object ``run`` of a training script: ``from sublight import run``.

Inside a run, what the script reports goes into the run's journal and into its folder of uploads; the node's agent takes
it from there, so that no call here waits for a network. Without a run around it (plain ``python train.py``) the same
calls print what they would have kept. Wrong arguments raise TypeError or ValueError with one sentence; a full or
vanished disk does not: the training goes on, and one sentence on standard error says what is missing.

This module and the three that it imports use the standard library only, work from Python 3.8, and load in a few
milliseconds.
"""

from __future__ import annotations

import os

from sublight.sdk.journal import (
    ATTEMPT_VARIABLE,
    EXPERIMENT_VARIABLE,
    PARENT_RUN_ID_VARIABLE,
    RUN_DIRECTORY_VARIABLE,
    RUN_ID_VARIABLE,
    Journal,
    JournalReports,
    PrintedReports,
    checked_name,
)
from sublight.sdk.logged_values import (
    as_confusion_matrix,
    as_document,
    as_list,
    as_number,
    as_plain,
    as_row,
    as_step,
    as_table,
)
from sublight.sdk.staged_files import (
    NotStaged,
    checked_upload_name,
    copier_of,
    files_below,
    open_source,
    stage_copy,
    stage_image,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any

IMAGES_FOLDER = "images"


class _Reporting:
    """What the run of a script and the child runs it makes have in common: everything that can be logged."""

    _reports: JournalReports | PrintedReports | None = None
    _files_below_uploads = ""

    def log(self, name: str, value: Any, step: int | None = None) -> None:
        """Report a metric: one number, each time it is known anew.

        ``value`` is a number of Python, NumPy, PyTorch and the like (NaN and infinities too; True counts as 1). A list
        is kept as `log_list` does, a text as a list of that text. ``step`` is the position of the point, such as the
        epoch; without it the reports of a name are counted from 0.

        >>> run.log("accuracy", 0.8125, step=3)
        """
        if type(value) is not float:
            number = as_number(name, value)
            if number is None:
                self._log_other(name, value, step)
                return
            value = number
        if step is not None and (type(step) is not int or step.bit_length() > 63):
            step = as_step(step)
        (self._reports or self._open_reports()).scalar(name, step, value)

    def log_list(self, name: str, value: Any, step: int | None = None) -> None:
        """Report a list of single values (or a one-dimensional array) under one name.

        >>> run.log_list("layer sizes", [100, 100, 4])
        """
        self._record("list", name, as_list(name, value), step)

    def log_row(self, name: str, **columns: Any) -> None:
        """Report one row of the table ``name``, which grows by a row with every call.

        >>> run.log_row("per class", label="sci.space", precision=0.91, recall=0.88)
        """
        self._record("row", name, as_row(name, columns))

    def log_table(self, name: str, value: dict[str, Any]) -> None:
        """Report a whole table at once: a dict of columns of equal length.

        >>> run.log_table("per class", {"label": ["sci.space", "comp.graphics"], "recall": [0.88, 0.93]})
        """
        self._record("table", name, as_table(name, value))

    def log_image(self, name: str, path: str | os.PathLike[str] | None = None, plot: Any = None) -> None:
        """Report an image: the file at ``path``, or ``plot`` (``matplotlib.pyplot`` or a figure) as it looks now.

        A further image of the same name stands beside the first one.

        >>> run.log_image("confusion", plot=plt)
        """
        checked_name(name, "the name of an image")
        if (path is None) == (plot is None):
            raise TypeError("log_image needs either path= or plot=, got " + ("none" if path is None else "both"))
        if path is not None:
            with open_source(os.fspath(path)) as source:
                suffix = os.path.splitext(os.fspath(path))[1].lower()
                self._keep_image(name, suffix if suffix[1:].isalnum() else "", copier_of(source))
        elif not hasattr(plot, "savefig"):
            raise TypeError(f"plot must be matplotlib.pyplot or a figure with savefig, got {type(plot).__name__}")
        else:
            self._keep_image(name, ".png", lambda target: plot.savefig(target, format="png"))

    def log_confusion_matrix(self, name: str, value: Any, labels: Any = None) -> None:
        """Report how often each true class (rows) was taken for each class (columns).

        ``value`` is a square matrix with ``labels`` for its classes, or the document of the Azure ML v1 SDK, as a dict
        or as JSON: ``{"schema_type": "confusion_matrix", "data": {"class_labels": […], "matrix": [[…]]}}``.

        >>> run.log_confusion_matrix("test", [[50, 3], [4, 43]], labels=["sci.space", "comp.graphics"])
        """
        self._record("confusion_matrix", name, as_confusion_matrix(name, value, labels))

    def log_accuracy_table(self, name: str, value: Any) -> None:
        """Report the counts behind ROC and precision-recall curves, as the v1 document (a dict or JSON).

        >>> run.log_accuracy_table("test", {"schema_type": "accuracy_table", "data": {"class_labels": ["a"], …}})
        """
        self._record("accuracy_table", name, as_document(name, "accuracy_table", value))

    def log_residuals(self, name: str, value: Any) -> None:
        """Report the histogram of a regression's residuals, as the v1 document (a dict or JSON).

        >>> run.log_residuals("test", {"data": {"bin_edges": [-1, 0, 1], "bin_counts": [12, 9]}})
        """
        self._record("residuals", name, as_document(name, "residuals", value))

    def log_predictions(self, name: str, value: Any) -> None:
        """Report predicted against true values in bins, as the v1 document (a dict or JSON).

        >>> run.log_predictions("test", {"data": {"bin_averages": [0.4], "bin_errors": [0.1], "bin_counts": [7],
        ...                                       "bin_edges": [0, 1]}})
        """
        self._record("predictions", name, as_document(name, "predictions", value))

    def upload_file(self, name: str, path: str | os.PathLike[str]) -> None:
        """Keep a copy of the file at ``path``, as it is now, as the run's artifact ``name``.

        ``name`` is a relative path with forward slashes; a second upload of a name replaces the first. Links are
        refused. Files under ``./outputs`` are kept anyway, without a call.

        >>> run.upload_file("reports/summary.txt", "summary.txt")
        """
        with open_source(os.fspath(path)) as source:
            checked_upload_name(name)
            directory = self._run_directory()
            if directory is None:
                self._say(f"file {os.fspath(path)} would be kept as {name}")
                return
            kept = self._files_below_uploads + name
            try:
                stage_copy(directory, kept, source)
            except NotStaged as failure:
                self._complain(f"the file {name!r} cannot be kept", failure)
                return
        self._record_file("artifact", kept, {"path": kept})

    def upload_folder(self, name: str, path: str | os.PathLike[str]) -> None:
        """Keep copies of all files in the folder ``path`` and below, as artifacts ``<name>/…``.

        When one of them is a link or has an impossible name, none is kept.

        >>> run.upload_folder("checkpoints", "work/checkpoints")
        """
        folder = os.fspath(path)
        names = {below: checked_upload_name(f"{name}/{below}") for below in files_below(folder)}
        for below, kept in names.items():
            self.upload_file(kept, os.path.join(folder, below))

    def tag(self, key: str, value: Any = "") -> None:
        """Set a tag of the run; a tag may be set again, and people may change it later.

        >>> run.tag("data", "generated")
        """
        self._record("tag", checked_name(key, "a tag"), _as_text("tag", key, value))

    def set_tags(self, tags: dict[str, Any]) -> None:
        """Set several tags; those not named stay as they are.

        >>> run.set_tags({"data": "generated", "features": 5000})
        """
        for key, value in tags.items():
            self.tag(key, value)

    def set_property(self, key: str, value: Any) -> None:
        """Set a property of the run: like a tag, but it stays as it was first set.

        >>> run.set_property("model", "two hidden layers")
        """
        self._record("property", checked_name(key, "a property"), _as_text("property", key, value))

    def set_properties(self, properties: dict[str, Any]) -> None:
        """Set several properties.

        >>> run.set_properties({"model": "two hidden layers", "vocabulary": 10000})
        """
        for key, value in properties.items():
            self.set_property(key, value)

    add_properties = set_properties  # the v1 name

    def flush(self) -> None:
        """Do nothing: a report is in the journal when the call that made it returns.

        >>> run.flush()
        """

    def _log_other(self, name: str, value: Any, step: int | None) -> None:
        """Report what `log` was given and is no number."""
        if isinstance(value, str):
            value = [value]
        if isinstance(value, (list, tuple)) or hasattr(value, "tolist"):
            self.log_list(name, value, step)
            return
        raise TypeError(
            f"the value of {name!r} must be a number, a text or a list, got {type(value).__name__}; "
            f"use log_row or log_table for columns, log_image for pictures"
        )

    def _record(self, kind: str, name: str, content: Any, step: int | None = None) -> None:
        reports = self._reports or self._open_reports()
        reports.record(kind, checked_name(name), content, None if step is None else as_step(step))

    def _record_file(self, kind: str, name: str, content: dict[str, str]) -> None:
        # Past the length limit of names: the name of a file may be longer.
        (self._reports or self._open_reports()).record(kind, name, content)

    def _keep_image(self, name: str, suffix: str, write: Callable[[str], None]) -> None:
        directory = self._run_directory()
        if directory is None:
            self._say(f"image {name} would be kept")
            return
        folder = self._files_below_uploads + IMAGES_FOLDER
        try:
            kept = stage_image(directory, folder, name, suffix, write)
        except NotStaged as failure:
            self._complain(f"the image {name!r} cannot be kept", failure)
            return
        self._record_file("artifact", kept, {"path": kept})
        self._record("image", name, {"path": kept})

    def _say(self, text: str) -> None:
        reports = self._reports or self._open_reports()
        if isinstance(reports, PrintedReports):
            reports.line(text)

    def _complain(self, what: str, failure: NotStaged) -> None:
        reports = self._reports or self._open_reports()
        if isinstance(reports, JournalReports) and isinstance(failure.__cause__, OSError):
            reports.journal.complain(what, failure.__cause__)

    def _run_directory(self) -> str | None:
        """The attempt's own folder, None offline; the same answer as `_reports` gives."""
        reports = self._reports or self._open_reports()
        return reports.journal.directory if isinstance(reports, JournalReports) else None

    def _open_reports(self) -> JournalReports | PrintedReports:
        raise NotImplementedError


class TrainingRun(_Reporting):
    """The run that this script is; there is one object of it, ``sublight.run``.

    What stands around the script is looked up at the first use, not when ``sublight`` is imported.
    """

    _offline_id = ""

    def __repr__(self) -> str:
        return f"<run {self.id}>"

    @property
    def id(self) -> str:
        """The run's id; ``offline-…`` when the script runs by itself."""
        if not self.is_offline:
            return os.environ.get(RUN_ID_VARIABLE, "")
        if not self._offline_id:
            self._offline_id = f"offline-{os.urandom(3).hex()}"
        return self._offline_id

    @property
    def is_offline(self) -> bool:
        """True when there is no run around the script: reports are printed, and nothing is kept."""
        return not os.environ.get(RUN_DIRECTORY_VARIABLE)

    @property
    def experiment(self) -> str | None:
        """The name of the experiment that the run belongs to; None offline."""
        return os.environ.get(EXPERIMENT_VARIABLE)

    @property
    def parent_id(self) -> str | None:
        """The id of the sweep when this run is a trial, else None."""
        return os.environ.get(PARENT_RUN_ID_VARIABLE) or None

    @property
    def attempt(self) -> int:
        """Which attempt at the run this is, counted from 1; 0 offline. Later ones follow a lost node."""
        return int(os.environ.get(ATTEMPT_VARIABLE) or 0)

    def child(self, name: str | None = None) -> ChildRun:
        """Start a child run, for instance for a fold of a cross-validation; it is shown below this run.

        >>> with run.child("fold 1") as fold:
        ...     fold.log("accuracy", 0.81)
        """
        return ChildRun(self, name)

    def fail(self, message: str) -> None:
        """Say why the run fails, in a sentence for people; the script must still end, with an exit code above 0.

        >>> run.fail("the data has no labels")
        """
        self._record_file("fail", "", {"message": str(message)})

    def _open_reports(self) -> JournalReports | PrintedReports:
        directory = os.environ.get(RUN_DIRECTORY_VARIABLE)
        self._reports = JournalReports(Journal(os.path.abspath(directory))) if directory else PrintedReports()
        return self._reports


class ChildRun(_Reporting):
    """A run within the run of this script, made by ``run.child()``; it logs as ``run`` does.

    End it by `complete`, `fail` or `cancel`, or use it as a context manager: leaving the block completes it, an
    exception fails it. The first end counts. A child that is not ended shares the end of the script's run.
    """

    def __init__(self, parent: _Reporting, name: str | None) -> None:
        # Random, because several processes of the script, and later attempts of it, may start children.
        self._local_id = os.urandom(4).hex()
        self._files_below_uploads = f"children/{self._local_id}/"
        self._has_ended = False
        self.name = self._local_id if name is None else checked_name(name, "the name of a child run")
        self._parent_reports = reports = parent._reports or parent._open_reports()
        reports.record("child", self.name, {"child": self._local_id, "name": self.name})
        if isinstance(reports, JournalReports):
            self._reports = JournalReports(reports.journal, self._local_id)
        else:
            self._reports = PrintedReports(self.name)

    def __repr__(self) -> str:
        return f"<child run {self.name}>"

    def __enter__(self) -> ChildRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self.complete()
        elif isinstance(error, Exception):
            self.fail(f"{type(error).__name__}: {error}")
        else:
            self.cancel()  # Ctrl-C or sys.exit in the block: nobody says that the child's work is wrong

    def complete(self) -> None:
        """End the child as completed.

        >>> fold.complete()
        """
        self._end("completed")

    def fail(self, message: str = "") -> None:
        """End the child as failed, with a sentence for people.

        >>> fold.fail("the fold has one class only")
        """
        if message and not self._has_ended:
            self._record_file("fail", "", {"message": str(message)})
        self._end("failed")

    def cancel(self) -> None:
        """End the child as canceled.

        >>> fold.cancel()
        """
        self._end("canceled")

    def _end(self, status: str) -> None:
        if not self._has_ended:
            self._has_ended = True
            self._parent_reports.record("child_end", self.name, {"child": self._local_id, "status": status})


def _as_text(what: str, key: str, value: Any) -> str:
    plain = as_plain(key, value)
    if isinstance(plain, (list, dict)):
        raise TypeError(f"the {what} {key!r} must be a single value, got {type(value).__name__}")
    return "" if plain is None else str(plain)


run = TrainingRun()
