"""Reports on a run that this program only looks at, such as a trial's on its sweep: ``run.parent.log(...)``.

The journal of a run belongs to its own script. What others report is kept in properties of the run, one each, so that
no two reporters undo each other's; ``get_metrics`` reads them with the rest.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Mapping
from typing import Any

from azureml.core.run import REPORT_PROPERTY, _v1_errors


class ReportsFromOutside:
    """The reporting methods of ``sublight.run``, for a run that is somebody else's."""

    # 3 stays 3 and True stays True, without a property that says so.
    keeps_types = True

    def __init__(self, run: Any) -> None:
        self._run = run

    def log(self, name: str, value: Any, step: int | None = None) -> None:
        """Report a number."""
        from sublight.sdk.logged_values import as_plain

        is_exact = isinstance(value, int) and value.bit_length() < 64
        self._report("scalar", name, as_plain(name, value if is_exact else float(value)))

    def log_list(self, name: str, value: Any, step: int | None = None) -> None:
        """Report a list."""
        from sublight.sdk.logged_values import as_list

        self._report("list", name, as_list(name, value))

    def log_row(self, name: str, **columns: Any) -> None:
        """Report a row."""
        from sublight.sdk.logged_values import as_row

        self._report("row", name, as_row(name, columns))

    def log_table(self, name: str, value: dict[str, Any]) -> None:
        """Report a table."""
        from sublight.sdk.logged_values import as_table

        self._report("table", name, as_table(name, value))

    def log_image(self, name: str, path: Any = None, plot: Any = None) -> None:
        """Report an image: it becomes a file of the run."""
        stem = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name)[:60] or "image"
        with tempfile.TemporaryDirectory() as folder:
            suffix = ".png" if path is None else os.path.splitext(os.fspath(path))[1]
            kept = f"images/{stem}_{time.time_ns()}{suffix}"
            if path is None:
                path = os.path.join(folder, "plot.png")
                plot.savefig(path, format="png")
            self.upload_file(kept, os.fspath(path))
        self._report("image", name, {"path": kept})

    def log_confusion_matrix(self, name: str, value: Any) -> None:
        """Report a confusion matrix."""
        self._report_document("confusion_matrix", name, value)

    def log_accuracy_table(self, name: str, value: Any) -> None:
        """Report an accuracy table."""
        self._report_document("accuracy_table", name, value)

    def log_residuals(self, name: str, value: Any) -> None:
        """Report residuals."""
        self._report_document("residuals", name, value)

    def log_predictions(self, name: str, value: Any) -> None:
        """Report predictions."""
        self._report_document("predictions", name, value)

    def tag(self, key: str, value: str) -> None:
        """Set a tag."""
        self._change(tags={key: value})

    def set_property(self, key: str, value: str) -> None:
        """Set a property; one that is set already keeps its value when it is the same."""
        self._change(properties={key: value})

    def upload_file(self, name: str, path: str) -> None:
        """Keep a file."""
        with _v1_errors():
            self._run._sdk_run.upload(name, path)

    def _report_document(self, kind: str, name: str, value: Any) -> None:
        from sublight.sdk.logged_values import as_document

        self._report(kind, name, as_document(name, kind, value))

    def _report(self, kind: str, name: str, content: Any) -> None:
        report = json.dumps({"kind": kind, "name": name, "content": content})
        self._change(properties={f"{REPORT_PROPERTY}{time.time_ns()}.{os.urandom(3).hex()}": report})

    def _change(self, **changes: Any) -> None:
        with _v1_errors():
            self._run._sdk_run.update(**changes)


def reports_in(properties: Mapping[str, str]) -> list[tuple[str, str, Any]]:
    """What others reported on a run, in order: kind, name, content."""
    keys = sorted(key for key in properties if key.startswith(REPORT_PROPERTY))
    reports = [json.loads(properties[key]) for key in keys]
    return [(report["kind"], report["name"], report["content"]) for report in reports]
