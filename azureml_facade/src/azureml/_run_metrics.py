"""The metrics of a run in the shapes of v1, from the server, or from the journal when a script asks about itself.

Standard library only, and readable by Python 3.8: training scripts come here.
"""

from __future__ import annotations

import json
import os

from azureml._run_reporting import METRIC_TYPE_PROPERTY
from azureml.core.run import REPORT_PROPERTY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_DOCUMENT_KINDS = ("confusion_matrix", "accuracy_table", "residuals", "predictions")
_JOURNAL_FILE = "journal"

# Tags that this process removed: the journal, which only grows, still names them.
_forgotten_tags: dict[str, str] = {}


def metrics_of(
    run: Any, *, name: str | None = None, recursive: bool = False, run_type: str | None = None, populate: bool = False
) -> dict[str, Any]:
    """What ``Run.get_metrics`` returns; with ``recursive`` by run id, this run and all below it."""
    if not recursive:
        return _own_metrics(run, name, populate)
    found = {run.id: _own_metrics(run, name, populate)}
    pending = [run._sdk_run]
    while pending:
        parent = pending.pop()
        children = parent.trials()
        found.update(metrics_of_children(parent, children, name, populate, run_type))
        # What has children of its own says so by its kind; a trial or a child run has none.
        pending += [child for child in children if child.kind in ("sweep", "script", "interactive")]
    return {run_id: metrics for run_id, metrics in found.items() if metrics}


def metrics_of_children(
    sdk_parent: Any,
    children: Iterable[Any],
    name: str | None = None,
    populate: bool = False,
    run_type: str | None = None,
) -> dict[str, dict[str, Any]]:
    """The metrics of all children of a run by their id, in the order of ``children``; a few requests for all of them."""
    from azureml.core.run import _type_of_kind

    logged = sdk_parent.children_metrics()
    return {
        child.id: _metrics_of_logged(child, logged[child.id], name, populate)
        for child in children
        if child.id in logged and (run_type is None or _type_of_kind(child.kind) == run_type)
    }


class Family:
    """The metrics of a run's children that have ended: read for all of them once those of a second one are asked for.

    Scripts go through the children and ask each.
    """

    def __init__(self, sdk_parent: Any, ended: set[str]) -> None:
        self._sdk_parent = sdk_parent
        self._ended = ended
        self._asked: set[str] = set()
        self._logged: Any = None

    def metrics_of(self, sdk_run: Any, name: str | None, populate: bool) -> dict[str, Any]:
        """What ``metrics_of_sdk_run`` gives."""
        self._asked.add(sdk_run.id)
        if self._logged is None and len(self._asked & self._ended) > 1:
            self._logged = self._sdk_parent.children_metrics()
        if self._logged is None or sdk_run.id not in self._ended or sdk_run.id not in self._logged:
            return metrics_of_sdk_run(sdk_run, name, populate)
        return _metrics_of_logged(sdk_run, self._logged[sdk_run.id], name, populate)


def _metrics_of_logged(sdk_run: Any, logged: Any, name: str | None, populate: bool) -> dict[str, Any]:
    scalars = {
        series.name: [float("nan") if value is None else float(value) for value in series.values]
        for series in logged.series
    }
    records = [(record.kind, record.name, record.content) for record in logged.records]
    return _as_v1(sdk_run, scalars, records, name, populate)


def metrics_of_sdk_run(sdk_run: Any, name: str | None = None, populate: bool = False) -> dict[str, Any]:
    """The metrics of a run as the server knows them."""
    scalars: dict[str, list[float]] = {}
    for summary in sdk_run.metric_summaries():
        if name is not None and summary.name != name:
            continue
        last = float("nan") if summary.last is None else float(summary.last)
        scalars[summary.name] = [last] if summary.count == 1 else list(sdk_run.series(summary.name).values)
    records = [(record.kind, record.name, record.content) for record in sdk_run.records()]
    return _as_v1(sdk_run, scalars, records, name, populate)


def _as_v1(
    sdk_run: Any, scalars: dict[str, list[float]], records: list[tuple[str, str, Any]], name: str | None, populate: bool
) -> dict[str, Any]:
    properties = sdk_run.view.properties
    if any(key.startswith(REPORT_PROPERTY) for key in properties):
        from azureml._outside_reports import reports_in

        for kind, metric, content in reports_in(properties):
            if kind == "scalar":
                scalars.setdefault(metric, []).append(_from_json(content))
            else:
                records.append((kind, metric, content))
    types = _types_in(properties)
    fetch = _fetcher(sdk_run) if populate else None
    return assembled(scalars, records, types, run_id=sdk_run.id, name=name, fetch=fetch, populate=populate)


def assembled(
    scalars: dict[str, list[float]],
    records: Iterable[tuple[str, str, Any]],
    types: dict[str, str],
    *,
    run_id: str,
    name: str | None = None,
    fetch: Any = None,
    populate: bool = False,
) -> dict[str, Any]:
    """Scalars and records, each in the order of their reports, as one dict by name."""
    found: dict[str, list[Any]] = {}
    tables: dict[str, dict[str, list[Any]]] = {}
    for metric, values in scalars.items():
        found[metric] = [_with_type(value, types.get(metric)) for value in values]
    for kind, metric, content in records:
        if kind == "list":
            found.setdefault(metric, []).extend(map(_from_json, content))
        elif kind == "row":
            _extend(tables.setdefault(metric, {}), {column: [value] for column, value in content.items()})
        elif kind == "table":
            _extend(tables.setdefault(metric, {}), content)
        elif kind == "image":
            path = content["path"]
            found.setdefault(metric, []).append(fetch(path) if fetch is not None else _reference(run_id, path))
        elif kind in _DOCUMENT_KINDS:
            found.setdefault(metric, []).append(json.dumps(content) if populate else _reference(run_id, metric))
    result: dict[str, Any] = {metric: values[0] if len(values) == 1 else values for metric, values in found.items()}
    for metric, columns in tables.items():
        result[metric] = {column: values[0] if len(values) == 1 else values for column, values in columns.items()}
    return {metric: value for metric, value in result.items() if name is None or metric == name}


def notes_of_journal(kind: str, child: str | None = None) -> dict[str, str]:
    """The tags or properties that this script has set so far, also those on their way to the server."""
    found = {}
    for record in _records_of_journal(child):
        if record["kind"] == kind:
            found[record["name"]] = record["content"]
    if kind == "tag":
        return {key: value for key, value in found.items() if _forgotten_tags.get(key) != value}
    return found


def forget_tags(names: Iterable[str]) -> None:
    """Keep removed tags out of ``notes_of_journal``, until they are set to something else."""
    known = notes_of_journal("tag")
    for name in names:
        if name in known:
            _forgotten_tags[name] = known[name]


def _own_metrics(run: Any, name: str | None, populate: bool) -> dict[str, Any]:
    from azureml.core.run import _OwnChild, _SubmittedRun

    if isinstance(run, _SubmittedRun):
        return _metrics_of_journal(run.id, None, name, populate)
    if isinstance(run, _OwnChild) and os.environ.get("SUBLIGHT_RUN_DIRECTORY") and _is_of_script(run):
        return _metrics_of_journal(run.id, run._reports._local_id, name, populate)
    run._view()  # renewed, with what this program has just reported
    if run._family is not None:
        return run._family.metrics_of(run._sdk_run, name, populate)  # type: ignore[no-any-return]
    return metrics_of_sdk_run(run._sdk_run, name, populate)


def _is_of_script(run: Any) -> bool:
    return hasattr(run._reports, "_local_id") and not hasattr(run._reports, "view_run")


def _metrics_of_journal(run_id: str, child: str | None, name: str | None, populate: bool) -> dict[str, Any]:
    scalars: dict[str, list[float]] = {}
    for metric, value in _scalars_of_journal(child):
        scalars.setdefault(metric, []).append(value)
    records = [
        (record["kind"], record["name"], record["content"])
        for record in _records_of_journal(child)
        if record["kind"] not in ("tag", "property")
    ]
    types = _types_in(notes_of_journal("property", child))
    return assembled(scalars, records, types, run_id=run_id, name=name, populate=populate)


def _lines_of_journal() -> list[str]:
    path = os.path.join(os.environ.get("SUBLIGHT_RUN_DIRECTORY", ""), _JOURNAL_FILE)
    try:
        with open(path, encoding="utf-8", errors="replace", newline="\n") as journal:
            return [line for line in journal.read().split("\n") if line]
    except OSError:
        return []


def _scalars_of_journal(child: str | None) -> list[tuple[str, float]]:
    found = []
    for line in _lines_of_journal():
        fields = line.split("\t")
        if child is not None:
            if fields[:2] != ["c", child]:
                continue
            fields = fields[2:]
        if fields[0] == "m" and len(fields) == 5:
            found.append((_unescaped(fields[1]), float(fields[3])))
    return found


def _records_of_journal(child: str | None) -> list[dict[str, Any]]:
    found = []
    for line in _lines_of_journal():
        if line.startswith("r\t"):
            try:
                record = json.loads(line[2:])
            except ValueError:  # the last line, half written
                continue
            if record.get("child") == child:
                found.append(record)
    return found


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    plain = text.replace("\\\\", "\0").replace("\\t", "\t").replace("\\n", "\n").replace("\\r", "\r")
    return plain.replace("\0", "\\")


def _types_in(properties: dict[str, str]) -> dict[str, str]:
    length = len(METRIC_TYPE_PROPERTY)
    return {key[length:]: value for key, value in properties.items() if key.startswith(METRIC_TYPE_PROPERTY)}


def _with_type(value: float, type_name: str | None) -> Any:
    """The value as it was logged; a name may have had values of several types, of which the first was noted."""
    if type(value) is not float:  # reported from outside, where types are kept
        return value
    if type_name == "bool" and value in (0.0, 1.0):
        return bool(value)
    if type_name == "int" and value == value and value not in (float("inf"), float("-inf")) and value.is_integer():
        return int(value)
    return value


def _from_json(value: Any) -> Any:
    """NaN and the infinities travel as texts, because JSON has no words for them."""
    return float(value) if value in ("nan", "inf", "-inf") else value


def _extend(table: dict[str, list[Any]], columns: dict[str, list[Any]]) -> None:
    for column, values in columns.items():
        table.setdefault(column, []).extend(map(_from_json, values))


def _reference(run_id: str, path: str) -> str:
    return f"aml://artifactId/ExperimentRun/dcid.{run_id}/{path}"


def _fetcher(sdk_run: Any) -> Any:
    def fetch(path: str) -> bytes:
        import tempfile
        from pathlib import Path

        with tempfile.TemporaryDirectory() as folder:
            (file,) = sdk_run.download(folder, path)
            return Path(file).read_bytes()

    return fetch
