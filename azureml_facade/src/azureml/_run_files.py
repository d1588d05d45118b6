"""The files of a run: names, downloads, logs under both of their names, uploads, snapshots."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

STANDARD_LOG = "user_logs/std_log.txt"
DRIVER_LOG = "azureml-logs/70_driver_log.txt"
ENVIRONMENT_LOG = "environment_log.txt"
BUILD_LOG = "azureml-logs/20_image_build_log.txt"
SWEEP_LOG = "azureml-logs/hyperdrive.txt"

_WITH_SCRIPT = ("script", "trial")


def file_names(run: Any) -> list[str]:
    """The names of all files and logs: the logs, then what the script left, each in order.

    Scripts take the last one (``get_file_names()[-1]``) for the model, which it was as long as the logs were named so
    that they came first.
    """
    logs = log_names(run)
    return [*logs, *sorted({artifact.path for artifact in run._sdk_run.artifacts()} - set(logs))]


def log_names(run: Any) -> dict[str, str]:
    """The logs by the names that v1 users know, with the name that each is stored under (empty: made when read)."""
    kind = run._sdk_run.kind
    names = {log.path: log.path for log in run._sdk_run.log_files()}
    if kind in _WITH_SCRIPT and STANDARD_LOG in names:
        # Before 2022 it had the one name, afterwards the other; scripts in use ask for either.
        names[DRIVER_LOG] = STANDARD_LOG
    if ENVIRONMENT_LOG in names:
        names[BUILD_LOG] = names.pop(ENVIRONMENT_LOG)
    if kind == "sweep":
        names[SWEEP_LOG] = ""
    return dict(sorted(names.items()))


def log_text(run: Any, name: str) -> str:
    """The text of a log by one of the names of ``log_names``."""
    from azureml._run_details import hyperdrive_log

    stored = log_names(run)[name]
    return str(run._sdk_run.logs(stored)) if stored else hyperdrive_log(run._sdk_run)


def download_file(run: Any, name: str, output_file_path: str | None) -> None:
    """Write one file or log to ``output_file_path``; into it, when that is a folder."""
    name = _normalized(name)
    target = Path(os.path.basename(name) if output_file_path is None else os.fspath(output_file_path))
    if output_file_path is not None and (target.is_dir() or str(output_file_path).endswith(("/", os.sep))):
        target = target / os.path.basename(name)
    names = file_names(run)
    if name not in names:
        from azureml.exceptions import UserErrorException

        there = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
        raise UserErrorException(f"run {run.id} has no file {name!r}; it has {there or 'none yet'}")
    _fetch(run, name, target)


def download_files(
    run: Any,
    prefix: str | None,
    output_directory: str | None,
    output_paths: list[str] | None,
    append_prefix: bool,
) -> None:
    """Write all files whose names begin with ``prefix`` below a folder, or to the paths that were given for them."""
    from azureml.exceptions import UserErrorException

    folder = Path(output_directory or ".")
    wanted = [name for name in file_names(run) if prefix is None or name.startswith(prefix.removeprefix("./"))]
    if isinstance(output_paths, str):
        output_paths = [output_paths]
    if output_paths is not None and len(output_paths) != len(wanted):
        raise UserErrorException(
            f"output_paths must name a path for each of the {len(wanted)} files, got {len(output_paths)}: "
            f"{', '.join(wanted[:8])}"
        )
    for position, name in enumerate(wanted):
        if output_paths is not None:
            target = folder / output_paths[position]
        else:
            shown = name if append_prefix or not prefix else name.removeprefix(prefix.removeprefix("./")).lstrip("/")
            target = folder / (shown or os.path.basename(name))
        _fetch(run, name, target)


def download_logs(run: Any, destination: str | None) -> list[str]:
    """Write all logs below ``destination``; their paths."""
    folder = Path(destination) if destination else Path("assets") / run.id
    paths = []
    for name in log_names(run):
        target = folder / name
        _fetch(run, name, target)
        paths.append(str(target))
    return paths


def upload(run: Any, files: Iterable[tuple[str, Any]]) -> Any:
    """Keep each file (a path or a stream) as an artifact of ``run``; what v1 returned, as far as scripts look at it."""
    from azureml.core.run import _v1_errors
    from azureml.exceptions import UserErrorException

    reporter = run._reporter()
    artifacts = {}
    for name, source in files:
        name = _normalized(name)
        with _as_path(source) as path:
            if not os.path.isfile(path):
                what = "is a folder; use upload_folder" if os.path.isdir(path) else "does not exist"
                raise UserErrorException(f"the file {path!r} to upload as {name!r} {what}")
            try:
                with _v1_errors():
                    # The original followed links; what is kept is the file behind them.
                    reporter.upload_file(name, os.path.realpath(path))
            except (ValueError, TypeError) as error:
                raise UserErrorException(str(error)) from None
        artifacts[name] = SimpleNamespace(
            path=name,
            origin="ExperimentRun",
            container=f"dcid.{run.id}",
            artifact_id=f"ExperimentRun/dcid.{run.id}/{name}",
        )
    return SimpleNamespace(artifacts=artifacts)


def files_of_folder(name: str, path: str) -> Iterator[tuple[str, str]]:
    """The files in a folder and below, with the names that they get below ``name``."""
    from azureml.exceptions import UserErrorException

    if not os.path.isdir(path):
        raise UserErrorException(f"upload_folder needs a folder, got {path!r}")
    for folder, folders, files in os.walk(path, followlinks=True):
        folders.sort()
        below = os.path.relpath(folder, path)
        for file in sorted(files):
            parts = [name.rstrip("/"), *([] if below == os.curdir else below.split(os.sep)), file]
            yield "/".join(part for part in parts if part), os.path.join(folder, file)


def restore_snapshot(run: Any, snapshot_id: str, path: str | None) -> str:
    """Write the files of a snapshot as a zip file into the folder ``path``; its path."""
    from sublight.messages.definitions import SnapshotView
    from sublight.sdk.client import API

    client = run.experiment.workspace._sdk.client
    view = client.get(f"{API}/snapshots/{snapshot_id}", SnapshotView)
    folder = Path(path or ".")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{snapshot_id}.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in view.files:
            sink = io.BytesIO()
            client.get_file(f"{API}/snapshots/{snapshot_id}/content", sink, path=file.path)
            archive.writestr(file.path, sink.getvalue())
    return str(target.resolve())


def take_snapshot(run: Any, file_or_folder_path: str) -> str:
    """Store a file or folder; the id of the snapshot."""
    from sublight.sdk.snapshot import pack, upload

    source = Path(file_or_folder_path)
    return str(upload(run.experiment.workspace._sdk.client, pack(source.resolve(), shown=str(source))))


def _fetch(run: Any, name: str, target: Path) -> None:
    """Write one file or log to exactly ``target``, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".azureml-") as folder:
        if name in log_names(run) and not any(one.path == name for one in run._sdk_run.artifacts()):
            source = Path(folder) / "log"
            source.write_text(log_text(run, name), encoding="utf-8")
        else:
            (source,) = run._sdk_run.download(folder, name)
        os.replace(source, target)


class _as_path:
    """The path of what is to be uploaded; a stream is written to a file for that time."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self._folder: str | None = None

    def __enter__(self) -> str:
        if not hasattr(self._source, "read"):
            return str(os.fspath(self._source))
        self._folder = tempfile.mkdtemp()
        path = os.path.join(self._folder, "stream")
        content = self._source.read()
        with open(path, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        return path

    def __exit__(self, *_: object) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _normalized(name: Any) -> str:
    """``./outputs//model.pkl`` and ``outputs\\model.pkl`` are ``outputs/model.pkl``."""
    parts = str(name).replace("\\", "/").split("/")
    return "/".join(part for part in parts if part not in ("", "."))
