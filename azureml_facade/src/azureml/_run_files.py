"""The files of a run: names, downloads, logs under both of their names, uploads, snapshots."""

from __future__ import annotations

import io
import logging
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

module_logger = logging.getLogger(__name__)

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
    return _Listing(run).names


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
    return _stored_log_text(run, log_names(run)[name])


def download_file(run: Any, name: str, output_file_path: str | None) -> None:
    """Write one file or log to ``output_file_path``; into it, when that is a folder."""
    name = _normalized(name)
    target = Path(os.path.basename(name) if output_file_path is None else os.fspath(output_file_path))
    if output_file_path is not None and (target.is_dir() or str(output_file_path).endswith(("/", os.sep))):
        target = target / os.path.basename(name)
    listing = _Listing(run)
    if name not in listing.names and ended_by_waiting(run, name):
        listing = _Listing(run)
    names = listing.names
    if name not in names:
        from azureml.exceptions import UserErrorException

        there = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
        raise UserErrorException(f"run {run.id} has no file {name!r}; it has {there or 'none yet'}")
    listing.fetch(name, target)


def ended_by_waiting(run: Any, name: str) -> bool:
    """Whether ``run`` was still going, elsewhere, and has been waited for: it may have left the file ``name`` now.

    A person watched the widget and went on when the run had ended; a notebook that is executed has nobody who watches.
    """
    sdk_run = run._sdk_run
    is_inside_a_run = bool(os.environ.get("SUBLIGHT_RUN_DIRECTORY"))  # whose end might be waited for by that very run
    if is_inside_a_run or sdk_run.kind not in _WITH_SCRIPT or sdk_run.view.ended is not None:
        return False
    module_logger.warning("run %s has not left %s yet; waiting until it has ended", run.id, name)
    sdk_run.wait()
    return True


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
    listing = _Listing(run)
    wanted = [name for name in listing.names if prefix is None or name.startswith(prefix.removeprefix("./"))]
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
        listing.fetch(name, target)


def download_logs(run: Any, destination: str | None) -> list[str]:
    """Write all logs below ``destination``; their paths."""
    folder = Path(destination) if destination else Path("assets") / run.id
    paths = []
    listing = _Listing(run)
    for name in listing.logs:
        target = folder / name
        listing.fetch(name, target)
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
    from sublight.sdk.snapshot import read_stored, stored_files

    client = run.experiment.workspace._sdk.client
    files = stored_files(client, snapshot_id)
    folder = Path(path or ".")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{snapshot_id}.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            sink = io.BytesIO()
            read_stored(client, snapshot_id, file.path, sink)
            archive.writestr(file.path, sink.getvalue())
    return str(target.resolve())


def take_snapshot(run: Any, file_or_folder_path: str) -> str:
    """Store a file or folder; the id of the snapshot."""
    from sublight.sdk.snapshot import pack, upload

    source = Path(file_or_folder_path)
    return str(upload(run.experiment.workspace._sdk.client, pack(source.resolve(), shown=str(source))))


def _stored_log_text(run: Any, stored: str) -> str:
    from azureml._run_details import hyperdrive_log

    return str(run._sdk_run.logs(stored)) if stored else hyperdrive_log(run._sdk_run)


class _Listing:
    """The files and logs of a run as they are now, listed once for however many are fetched."""

    def __init__(self, run: Any) -> None:
        run._view()  # waits for what this program has just uploaded
        self._run = run
        self.logs = log_names(run)
        self._artifacts = {artifact.path: artifact for artifact in run._sdk_run.artifacts()}
        self._staged = _files_staged(run)

    @property
    def names(self) -> list[str]:
        """The logs, then everything else, each in order."""
        return [*self.logs, *sorted({*self._artifacts, *self._staged} - set(self.logs))]

    def fetch(self, name: str, target: Path) -> None:
        """Write one file or log to exactly ``target``, whole or not at all."""
        from sublight.sdk.download import download

        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".azureml-") as folder:
            source = Path(folder) / "file"
            if name in self._staged:
                shutil.copyfile(self._staged[name], source)
            elif name in self._artifacts:
                client = self._run.experiment.workspace._sdk.client
                (source,) = download(client, self._run.id, [self._artifacts[name]], Path(folder))
            else:
                source.write_text(_stored_log_text(self._run, self.logs[name]), encoding="utf-8")
            os.replace(source, target)


def _files_staged(run: Any) -> dict[str, str]:
    """What this script has uploaded to its run, or to a child, by name: its node sends it on in a while."""
    folder = run._staged_files()
    if folder is None or not os.path.isdir(folder):
        return {}
    files = dict(files_of_folder("", folder))
    below = os.path.join(folder, "children", "")
    return {name: path for name, path in files.items() if not path.startswith(below)}


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
