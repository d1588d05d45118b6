"""From the paths of a dataset to files on this machine."""

from __future__ import annotations

import glob
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from azureml._translation import translated
from azureml.data import _addresses, _globs, _workspaces
from azureml.data._definition import PathRecord
from azureml.data.dataset_error_handling import DatasetExecutionError, DatasetValidationError

_log = logging.getLogger("azureml.data")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a dataset: ``shown`` is its path within the dataset (beginning with a slash), ``origin`` its whole path."""

    local: Path
    shown: str
    origin: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Found:
    local: Path
    place: tuple[str, ...]  # the store, then the folders and the file's name in it
    base: int  # how many parts of ``place`` lie above what the path's pattern names
    options: Mapping[str, Any] = field(default_factory=dict)


class Sources:
    """Finds and fetches the files of one dataset. ``sdk`` is its Sublight workspace (None: looked for when needed);
    ``asset`` is what it is registered as (None: it is not)."""

    def __init__(self, sdk: Any = None, asset: Any = None) -> None:
        self._sdk = sdk
        self._asset = asset

    @translated(DatasetValidationError, DatasetExecutionError)
    def files(self, paths: Sequence[PathRecord]) -> list[SourceFile]:
        """All files that the paths name, in their order, each once; DatasetValidationError for a path that names none."""
        found = [one for path in paths for one in self._found(path)]
        shared = found[0].base
        places = [one.place[:-1] for one in found]
        if len(paths) > 1:
            shared = (
                min((_shared_parts(places[0], place) for place in places), default=0)
                if found[0].place[0] != "web"
                else 1
            )
        files: dict[str, SourceFile] = {}
        for one in found:
            origin = "/" + "/".join(one.place[1:])
            key = "/".join(one.place)
            shown = "/" + "/".join(one.place[max(1, shared) :])
            files.setdefault(key, SourceFile(one.local, shown, origin, one.options))
        return list(files.values())

    @translated(DatasetValidationError, DatasetExecutionError)
    def is_single_file(self, paths: Sequence[PathRecord]) -> bool:
        """True when the dataset is one path and that path is a file, not a folder or pattern."""
        if len(paths) != 1:
            return False
        path = paths[0]
        text = path.get("path") or path.get("asset_file") or path.get("local") or path.get("url") or ""
        if not text or _globs.has_pattern(text):
            return False
        found = self._found(path)
        return len(found) == 1 and ("url" in path or found[0].place[-1] == text.rstrip("/").rpartition("/")[2])

    def _found(self, path: PathRecord) -> list[_Found]:
        if "url" in path:
            return self._of_address(path["url"])
        if "datastore" in path:
            return self._of_datastore(path["datastore"], path.get("path") or "")
        if "asset_file" in path:
            return self._of_asset(path["asset_file"])
        if "local" in path:
            return _of_local(path["local"])
        raise DatasetValidationError(f"the dataset has a path of a form that this version does not know: {dict(path)}")

    def _of_address(self, url: str) -> list[_Found]:
        found = []
        for file in _addresses.files_of(url, self._workspace_if_any()):
            parts = urlsplit(file.url)
            # The folder names that v1 gave to files from the web.
            folders = [quote(f"{parts.scheme}:", safe=""), quote("/", safe="") + parts.netloc]
            inside = [part for part in parts.path.split("/") if part] or [_addresses.file_name(file.url)]
            found.append(_Found(file.local, ("web", *folders, *inside), 1, file.options))
        return found

    def _of_datastore(self, name: str, pattern: str) -> list[_Found]:
        from sublight.sdk.errors import NotFound

        sdk = self._workspace()
        try:
            datastore = sdk.datastores.get(name)
        except NotFound as error:
            raise DatasetValidationError(
                f"the dataset lies in the datastore {name!r}, which the workspace does not have"
            ) from error
        prefix = _globs.literal_folder(pattern) if _globs.has_pattern(pattern) else pattern.rstrip("/")
        stored = sorted(str(file.path) for file in datastore.files(prefix) if _globs.matches(str(file.path), pattern))
        if not stored:
            raise DatasetValidationError(
                f"no file matches {pattern!r} in the datastore {name!r}; see what is there with: sublight datastore files {name}"
            )
        is_file = stored == [prefix]
        base = prefix.rpartition("/")[0] if is_file else prefix
        copies = _workspaces.copies_of(sdk).of_datastore(datastore, prefix if is_file or not prefix else f"{prefix}/")
        return [_Found(copies / path, (name, *path.split("/")), 1 + _depth(base)) for path in stored]

    def _of_asset(self, pattern: str) -> list[_Found]:
        if self._asset is None:
            raise DatasetValidationError("the dataset's files are kept with its registration, but it is not registered")
        stored = sorted(str(file.path) for file in self._asset.files() if _globs.matches(str(file.path), pattern))
        if not stored:
            raise DatasetValidationError(f"the registered dataset {self._asset.name!r} has no file {pattern!r}")
        prefix = _globs.literal_folder(pattern) if _globs.has_pattern(pattern) else pattern.rstrip("/")
        base = prefix.rpartition("/")[0] if stored == [prefix] else prefix
        copies = _workspaces.copies_of(self._workspace()).of_asset(self._asset)
        return [_Found(copies / path, ("asset", *path.split("/")), 1 + _depth(base)) for path in stored]

    def _workspace(self) -> Any:
        sdk = self._workspace_if_any()
        if sdk is None:
            raise DatasetValidationError(
                "the dataset's files lie in a workspace, but none is configured here: run where .azureml/config.json is, "
                "or inside a run"
            )
        return sdk

    def _workspace_if_any(self) -> Any:
        if self._sdk is None:
            self._sdk = _workspaces.find_sdk()
        return self._sdk


def _of_local(pattern: str) -> list[_Found]:
    path = Path(pattern)
    if _globs.has_pattern(pattern) and not path.exists():
        base = Path("/" + _globs.literal_folder(pattern.lstrip("/")))
        files = [Path(name) for name in glob.glob(pattern, recursive=True)]
    elif path.is_dir():
        base, files = path, list(path.rglob("*"))
    else:
        base, files = path.parent, [path]
    files = sorted(file for file in files if file.is_file())
    if not files:
        raise DatasetValidationError(f"no file at {pattern} on this machine")
    return [_Found(file, ("local", *file.parts[1:]), len(base.parts)) for file in files]


def _depth(folder: str) -> int:
    return len([part for part in folder.split("/") if part])


def _shared_parts(first: Sequence[str], second: Sequence[str]) -> int:
    count = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        count += 1
    return count
